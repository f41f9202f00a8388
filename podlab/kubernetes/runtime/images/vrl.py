"""A subset of VRL, the language of Vector's remap, filter and route (vector.dev/docs/reference/vrl).

Assignments to paths and variables, `x, err = f()`, `??`, `|=`, if/else, arithmetic, comparisons, `&&`, `||`, `!`, literals, `del`, `exists`, `abort`,
and the functions below. As in VRL, a call that can fail must be handled: with `!`, with `??` or with `, err`; else the program is refused (E103).
VRL's type checker is not here: an argument of a wrong type fails when it runs. Timestamps are ISO texts.

A program is parsed to nested lists once; nothing of it is kept in a process but its source text.
"""

from __future__ import annotations

from typing import Any

from ..process import Data
from .vrl_functions import FUNCTIONS, Failed, _number, bounded, name_of
from .vrl_syntax import Node, parse


class Abort(Exception):
    """`abort`, or a failure that was not handled."""

    def __init__(self, why: str = "") -> None:
        super().__init__(why)
        self.why = why


class Run:
    """One program on one event. `now` in ms; `env` and `hostname` are the agent's."""

    def __init__(self, source: str, event: Data, now: int, env: dict[str, str], hostname: str) -> None:
        self.event: Any = event
        self.source, self.now, self.env, self.hostname = source, now, env, hostname
        self.variables: dict[str, Any] = {}

    def run(self) -> Any:
        """The value of the last statement; `event` is what has become of it. Raises Abort."""
        try:
            return self.statements(parse(self.source))
        except Failed as error:
            raise Abort(str(error)) from None

    def statements(self, nodes: tuple[Node, ...] | list[Node]) -> Any:
        value: Any = None
        for node in nodes:
            value = self.value(node)
        return value

    def get(self, parts: list[Any]) -> Any:
        held = self.event
        for part in parts:
            if isinstance(part, int):
                held = held[part] if isinstance(held, list) and -len(held) <= part < len(held) else None
            else:
                held = held.get(part) if isinstance(held, dict) else None
        return held

    def set(self, target: Node, value: Any) -> None:
        if target[0] == "variable":
            if target[1] != "_":
                self.variables[target[1]] = value
            return
        parts = target[1]
        if not parts:
            self.event = value
            return
        if not isinstance(self.event, dict):
            self.event = {}
        where = self.event
        for part in parts[:-1]:
            if not isinstance(part, str):
                return
            if not isinstance(where.get(part), dict):
                where[part] = {}
            where = where[part]
        if isinstance(parts[-1], str):
            where[parts[-1]] = value

    def value(self, node: Node) -> Any:
        kind = node[0]
        if kind == "value":
            return node[1]
        if kind == "path":
            return self.get(node[1])
        if kind == "variable":
            return self.variables.get(node[1])
        if kind == "regex":
            return node
        if kind == "call":
            return self._call(node)
        if kind == "binary":
            return self._binary(node[1], node[2], node[3])
        if kind == "set":
            value = self.value(node[2])
            self.set(node[1], _copy(value))
            return value
        if kind == "merge":
            before = self.value(node[1])
            value = self.value(node[2])
            if not isinstance(before, dict) or not isinstance(value, dict):
                raise Failed("can't merge non-object types")
            self.set(node[1], {**before, **value})
            return value
        if kind == "try":
            try:
                value, error = self.value(node[3]), None
            except Failed as failed:
                value, error = None, str(failed)
            self.set(node[1], value)
            self.set(node[2], error)
            return value
        if kind == "if":
            return self.statements(node[2] if _truth(self.value(node[1])) else node[3])
        if kind == "block":
            return self.statements(node[1])
        if kind == "array":
            return [self.value(one) for one in node[1]]
        if kind == "object":
            return {name: self.value(one) for name, one in node[1]}
        if kind == "!":
            return not _truth(self.value(node[1]))
        if kind == "-":
            return -_number(self.value(node[1]))
        if kind == "exists":
            return self._exists(node[1])
        if kind == "del":
            return self._delete(node[1])
        raise Abort("aborted")

    def _exists(self, parts: list[Any]) -> bool:
        held = self.get(parts[:-1])
        return isinstance(held, dict) and parts[-1] in held if parts and isinstance(parts[-1], str) else self.get(parts) is not None

    def _delete(self, parts: list[Any]) -> Any:
        held = self.get(parts[:-1]) if parts else None
        if not parts:
            value, self.event = self.event, {}
            return value
        return held.pop(parts[-1], None) if isinstance(held, dict) else None

    def _binary(self, operator: str, left: Node, right: Node) -> Any:
        if operator == "??":
            try:
                return self.value(left)
            except Failed:
                return self.value(right)
        if operator == "||":
            value = self.value(left)
            return value if value not in (None, False) else self.value(right)
        if operator == "&&":
            value = self.value(left)
            return self.value(right) if value not in (None, False) else value
        first, second = self.value(left), self.value(right)
        if operator in ("==", "!="):
            same = first == second and isinstance(first, bool) == isinstance(second, bool)
            return same == (operator == "==")
        if operator == "|":
            if not isinstance(first, dict) or not isinstance(second, dict):
                raise Failed(f"can't merge type {name_of(second)} into {name_of(first)}")
            return {**first, **second}
        if operator == "+" and isinstance(first, str) and isinstance(second, str | None.__class__):
            return bounded(first + (second or ""))
        if operator in ("<", "<=", ">", ">=") and isinstance(first, str) and isinstance(second, str):
            return {"<": first < second, "<=": first <= second, ">": first > second, ">=": first >= second}[operator]
        try:
            one, other = _number(first), _number(second)
        except Failed:
            verb = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide"}.get(operator, "compare")
            raise Failed(
                f"can't {verb} type {name_of(second)} to {name_of(first)}"
                if verb == "add"
                else f"can't {verb} {name_of(first)} and {name_of(second)}"
            ) from None
        if operator == "/":
            if other == 0:
                raise Failed("can't divide by zero")
            return one / other
        if operator in "+-*":
            found = one + other if operator == "+" else one - other if operator == "-" else one * other
            return ((found + (1 << 63)) % (1 << 64)) - (1 << 63) if isinstance(found, int) else found
        return {"<": one < other, "<=": one <= other, ">": one > other, ">=": one >= other}[operator]

    def _call(self, node: Node) -> Any:
        _, name, arguments, bang, at = node
        found: list[Any] = []
        named: dict[str, Any] = {}
        for one in arguments:
            if one[0] == "named":
                named[one[1]] = self.value(one[2])
            else:
                found.append(self.value(one))
        if "value" in named:
            found.insert(0, named.pop("value"))
        try:
            return FUNCTIONS[name][3](self, [*found, *named.values()])
        except Failed as error:
            text = f'function call error for "{name}" at ({at}:{at + len(name) + 2}): {error}'
            if bang:
                raise Abort(text) from None
            raise Failed(text) from None


def _copy(value: Any) -> Any:
    return dict(value) if isinstance(value, dict) else list(value) if isinstance(value, list) else value


def _truth(value: Any) -> bool:
    return value is True
