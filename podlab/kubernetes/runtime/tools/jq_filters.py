"""Runs jq's filters: every one gives a stream of (path, value); a path is there where one is asked for (path, del, |=).

A program's work for one input is bounded (WORK_MAX): where a real jq would go on for ever, this one says so and ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .jq_functions import GIVEN, PLAIN, each, formatted
from .jq_paths import put, without
from .jq_program import NATIVE, bound, check, prelude
from .jq_syntax import parse
from .jq_tokens import JqSyntax, Node
from .jq_values import ITEMS_MAX, Endless, JqError, arithmetic, field, kind, piece, spend, text, told

DEPTH_MAX = 120
Path = tuple[Any, ...] | None
Pair = tuple[Path, Any]
Stream = Iterator[Pair]


class Broken(Exception):
    """break: back to its label."""


class Env:
    """What is known at a place: variables, functions, and what lies around it."""

    __slots__ = ("around", "functions", "variables")

    def __init__(self, around: Env | None, variables: dict[str, Any] | None = None, functions: dict[tuple[str, int], Any] | None = None) -> None:
        self.around, self.variables, self.functions = around, variables or {}, functions or {}

    def variable(self, name: str) -> Any:
        env: Env | None = self
        while env is not None:
            if name in env.variables:
                return env.variables[name]
            env = env.around
        raise JqSyntax(f"{name} is not defined")

    def function(self, name: tuple[str, int]) -> tuple[Any, Env] | None:
        env: Env | None = self
        while env is not None:
            if name in env.functions:
                return env.functions[name], env
            env = env.around
        return None


class Filters:
    """One program with what it was given."""

    def __init__(self, program: str, variables: dict[str, Any], now: int) -> None:
        self.tree = parse(program)
        check(self.tree, frozenset(prelude()), frozenset(variables))
        self.env = Env(Env(None, variables), functions=prelude())
        self.now, self.depth = now, 0
        self.waiting: list[Any] = []  # what `input` takes
        self.notes: list[str] = []  # for standard error

    def run(self, value: Any) -> Iterator[Any]:
        """Its outputs for one input. Raises JqError, Endless, Halt."""
        self.depth = 0
        for _, found in self.ev(self.tree, self.env, value, None):
            yield found

    def values(self, node: Node, env: Env, value: Any) -> Iterator[Any]:
        for _, found in self.ev(node, env, value, None):
            yield found

    def ev(self, node: Node, env: Env, value: Any, path: Path) -> Stream:
        """The stream of a filter. `path` None: no paths are asked for."""
        spend(4)
        do = getattr(self, "_" + node[0], None)
        if do is not None:
            self.depth += 1
            if self.depth > DEPTH_MAX:
                raise Endless
            try:
                yield from do(node, env, value, path)
            finally:
                self.depth -= 1
            return
        if path is not None:
            found = next(iter(self.made(node, env, value)), None)
            raise JqError(f"Invalid path expression with result {text(found)[:30]}")
        for made in self.made(node, env, value):
            yield None, made

    # ---- filters that have paths

    def _id(self, node: Node, env: Env, value: Any, path: Path) -> Stream:
        yield path, value

    def _lit(self, node: Node, env: Env, value: Any, path: Path) -> Stream:
        if path is not None and node[1] is not None:
            raise JqError(f"Invalid path expression with result {text(node[1])[:30]}")
        yield path, node[1]

    def _rec(self, node: Node, env: Env, value: Any, path: Path) -> Stream:
        return self.call_recurse((), env, value, path)

    def call_recurse(self, given: Any, env: Env, value: Any, path: Path) -> Stream:
        """The value and all that the filter makes of it, again and again; deep ones cost no frames of Python's."""
        step: Node = given[0] if given else ("try", ("iter", ("id",)), None)
        yield path, value
        open_ = [self.ev(step, env, value, path)]
        while open_:
            pair = next(open_[-1], None)
            if pair is None:
                open_.pop()
                continue
            yield pair
            open_.append(self.ev(step, env, pair[1], pair[0]))

    def _field(self, node: Node, env: Env, value: Any, path: Path) -> Stream:
        for way, held in self.ev(node[1], env, value, path):
            for name in self.values(node[2], env, value):
                yield None if way is None else (*way, name), field(held, name)

    _index = _field

    def _slice(self, node: Node, env: Env, value: Any, path: Path) -> Stream:
        for way, held in self.ev(node[1], env, value, path):
            for end in self.values(node[3], env, value) if node[3] else (None,):
                for start in self.values(node[2], env, value) if node[2] else (None,):
                    yield None if way is None else (*way, {"start": start, "end": end}), piece(held, start, end)

    def _iter(self, node: Node, env: Env, value: Any, path: Path) -> Stream:
        for way, held in self.ev(node[1], env, value, path):
            names = held if isinstance(held, dict) else range(len(each(held)))
            for name, one in zip(list(names), each(held), strict=True):
                spend(1)
                yield None if way is None else (*way, name), one

    def _try(self, node: Node, env: Env, value: Any, path: Path) -> Stream:
        found = self.ev(node[1], env, value, path)
        while True:
            try:
                pair = next(found)
            except StopIteration:
                return
            except JqError as error:
                if node[2] is not None:
                    yield from self.ev(node[2], env, error.value, path)
                return
            yield pair

    def _pipe(self, node: Node, env: Env, value: Any, path: Path) -> Stream:
        for way, held in self.ev(node[1], env, value, path):
            yield from self.ev(node[2], env, held, way)

    def _comma(self, node: Node, env: Env, value: Any, path: Path) -> Stream:
        yield from self.ev(node[1], env, value, path)
        yield from self.ev(node[2], env, value, path)

    def _if(self, node: Node, env: Env, value: Any, path: Path) -> Stream:
        for asked in self.values(node[1], env, value):
            yield from self.ev(node[3] if asked is None or asked is False else node[2], env, value, path)

    def _alt(self, node: Node, env: Env, value: Any, path: Path) -> Stream:
        some = False
        try:
            for pair in self.ev(node[1], env, value, path):
                if pair[1] is not None and pair[1] is not False:
                    some = True
                    yield pair
        except JqError:
            pass
        if not some:
            yield from self.ev(node[2], env, value, path)

    def _as(self, node: Node, env: Env, value: Any, path: Path) -> Stream:
        names: set[str] = set()
        for pattern in node[2]:
            bound(pattern, names)
        for held in self.values(node[1], env, value):
            for at, pattern in enumerate(node[2]):
                try:
                    for variables in self.bind(pattern, env, held):
                        yield from self.ev(node[3], Env(env, {**dict.fromkeys(names), **variables}), value, path)
                    break
                except JqError:
                    if at + 1 == len(node[2]):
                        raise

    def bind(self, pattern: Node, env: Env, value: Any) -> Iterator[dict[str, Any]]:
        if pattern[0] == "var":
            yield {pattern[1]: value}
            return
        if value is not None and kind(value) != pattern[0]:
            raise JqError(f"Cannot index {kind(value)} with " + ("number" if pattern[0] == "array" else "string"))
        ways: list[dict[str, Any]] = [{}]
        for at, one in enumerate(pattern[1]):
            grown = []
            for way in ways:
                for name in [at] if pattern[0] == "array" else self.values(one[0], Env(env, way), value):
                    if not isinstance(name, str) and pattern[0] == "object":
                        raise JqError(f"Cannot index object with {kind(name)}")
                    grown += [{**way, **more} for more in self.bind(one if pattern[0] == "array" else one[1], env, field(value, name))]
            ways = grown
        yield from ways

    def _reduce(self, node: Node, env: Env, value: Any, path: Path) -> Stream:
        for way, state in self.ev(node[3], env, value, path):
            at, held = way, state
            for one in self.values(node[1], env, value):
                for variables in self.bind(node[2], env, one):
                    *_, (at, held) = [(at, None), *self.ev(node[4], Env(env, variables), held, at)]
            yield at, held

    def _foreach(self, node: Node, env: Env, value: Any, path: Path) -> Stream:
        for way, state in self.ev(node[3], env, value, path):
            at, held = way, state
            for one in self.values(node[1], env, value):
                for variables in self.bind(node[2], env, one):
                    inner = Env(env, variables)
                    for pair in self.ev(node[4], inner, held, at):
                        at, held = pair
                        if node[5] is None:
                            yield pair
                        else:
                            yield from self.ev(node[5], inner, held, at)

    def _def(self, node: Node, env: Env, value: Any, path: Path) -> Stream:
        return self.ev(node[4], Env(env, functions={(node[1], len(node[2])): (node[2], node[3])}), value, path)

    def _label(self, node: Node, env: Env, value: Any, path: Path) -> Stream:
        mark = Broken()
        try:
            yield from self.ev(node[2], Env(env, {"*" + node[1]: mark}), value, path)
        except Broken as broken:
            if broken is not mark:
                raise

    def _break(self, node: Node, env: Env, value: Any, path: Path) -> Stream:
        raise env.variable("*" + node[1])
        yield

    def _call(self, node: Node, env: Env, value: Any, path: Path) -> Stream:
        name = (node[1], len(node[2]))
        found = env.function(name)
        if found is None:
            native = getattr(self, "call_" + node[1].lstrip("_"), None) if name in NATIVE else None
            if native is not None:
                yield from native(node[2], env, value, path)
                return
            if path is not None:
                raise JqError(f"Invalid path expression with result {text(next(self.plain(node, env, value), None))[:30]}")
            for made in self.plain(node, env, value):
                yield None, made
            return
        definition, where = found
        if definition[0] == "closure":
            yield from self.ev(definition[1], definition[2], value, path)
            return
        params, body = definition
        functions: dict[tuple[str, int], Any] = {}
        plain: list[tuple[str, Node]] = []
        for param, argument in zip(params, node[2], strict=True):
            if param.startswith("$"):
                plain.append((param, argument))
            else:
                functions[param, 0] = ("closure", argument, env)
        for variables in self.every(plain, env, value):
            shown = {(name[1:], 0): ("closure", ("lit", held), env) for name, held in variables.items()}
            yield from self.ev(body, Env(where, variables, {**functions, **shown}), value, path)

    def every(self, plain: list[tuple[str, Node]], env: Env, value: Any) -> Iterator[dict[str, Any]]:
        """Each choice of values for arguments that are values."""
        if not plain:
            yield {}
            return
        for held in self.values(plain[0][1], env, value):
            for more in self.every(plain[1:], env, value):
                yield {plain[0][0]: held, **more}

    def plain(self, node: Node, env: Env, value: Any) -> Iterator[Any]:
        spend(1 + (len(value) >> (4 if isinstance(value, str) else 0) if isinstance(value, list | dict | str) else 0))
        if not node[2] and node[1] in PLAIN:
            yield PLAIN[node[1]](value)
            return
        do = GIVEN[node[1], len(node[2])]
        for given in self.every([(str(at), one) for at, one in enumerate(node[2])], env, value):
            try:
                yield do(value, *given.values())
            except (TypeError, AttributeError):
                raise JqError(f"{told(value)} cannot be used in {node[1]}") from None

    # ---- filters that make values

    def made(self, node: Node, env: Env, value: Any) -> Iterator[Any]:
        what = node[0]
        if what == "var":
            yield {"file": "<top-level>", "line": 1} if node[1] == "$__loc__" else env.variable(node[1])
        elif what == "array":
            found = []
            for one in self.values(node[1], env, value):
                found.append(one)
                if len(found) > ITEMS_MAX:
                    raise Endless
            yield found
        elif what == "object":
            yield from self.objects(node[1], env, value)
        elif what == "str":
            yield from self.strings(node[2], node[1], env, value)
        elif what == "format":
            yield formatted(node[1], value)
        elif what == "neg":
            for one in self.values(node[1], env, value):
                if not isinstance(one, int | float) or isinstance(one, bool):
                    raise JqError(f"{told(one)} cannot be negated")
                yield -one
        elif what == "bin":
            for right in self.values(node[3], env, value):
                for left in self.values(node[2], env, value):
                    yield arithmetic(node[1], left, right)
        elif what in ("and", "or"):
            for left in self.values(node[1], env, value):
                yes = left is not None and left is not False
                if yes == (what == "or"):
                    yield yes
                    continue
                for right in self.values(node[2], env, value):
                    yield right is not None and right is not False
        else:
            yield from self.settings(node, env, value)

    def objects(self, pairs: Any, env: Env, value: Any) -> Iterator[dict[str, Any]]:
        if not pairs:
            yield {}
            return
        *rest, (name_of, held_of) = pairs
        for before in self.objects(tuple(rest), env, value):
            for name in self.values(name_of, env, value):
                if not isinstance(name, str):
                    raise JqError("Object keys must be strings")
                for held in self.values(held_of, env, value):
                    yield {**before, name: held}

    def strings(self, parts: Any, form: str, env: Env, value: Any) -> Iterator[str]:
        if len(parts) == 1:
            yield parts[0]
            return
        for held in self.values(parts[-2], env, value):
            for before in self.strings(parts[:-2], form, env, value):
                yield before + formatted(form, held) + parts[-1]

    def settings(self, node: Node, env: Env, value: Any) -> Iterator[Any]:
        """path = value, path |= filter, path += value ..."""
        _, sign, where, what = node
        if sign == "|=":
            made, gone = value, []
            for way in [list(at or ()) for at, _ in self.ev(where, env, value, ())]:
                held = made
                for name in way:
                    held = None if held is None else field(held, name)
                new = next(self.ev(what, env, held, None), None)
                if new is None:
                    gone.append(way)
                else:
                    made = put(made, way, new[1])
            yield without(made, gone)
            return
        for given in self.values(what, env, value):
            made = value
            for at, held in list(self.ev(where, env, value, ())):
                if sign == "=":
                    new_value = given
                elif sign == "//=":
                    new_value = held if held is not None and held is not False else given
                else:
                    new_value = arithmetic(sign[0], held, given)
                made = put(made, list(at or ()), new_value)
            yield made
