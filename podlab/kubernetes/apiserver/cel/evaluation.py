"""Expressions evaluated, and paid for step by step."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from typing import Any

from . import library
from .syntax import SELF, Node, Parser
from .values import STEPS_MAX, TOO_MUCH, Amount, Authorizer, CelError, Decision, Json, Maybe, Spent

ALL_STEPS_MAX = 150_000  # of all rules that one request meets together, as RuntimeCELCostBudget bounds them
TURN_STEPS_MAX = 400_000  # of all requests that one timer's work makes: a controller may create hundreds of Pods at a go
SPENT = "validation failed due to running out of cost budget, no further validation rules will be run"

_turn = [0]  # steps since `begin_turn`; nothing but the limit depends on it


def begin_turn() -> None:
    """Whoever begins a piece of work says so."""
    _turn[0] = 0


class Cost:
    """What is left for the rules that one request meets."""

    def __init__(self) -> None:
        self.left = ALL_STEPS_MAX


class Expression:
    """A parsed rule."""

    def __init__(self, text: str, names: tuple[str, ...] = SELF) -> None:
        parser = Parser(text, names)
        self._tree = parser.whole()
        self.about_change = "oldSelf" in parser.used

    def value(self, names: Mapping[str, Json], cost: Cost | None = None) -> Json:
        """Raises CelError."""
        run = _Run(cost)
        try:
            found = run.value(self._tree, dict(names))
            run.weigh(found)
            return found
        except (TypeError, ValueError, OverflowError, RecursionError, re.error) as error:
            raise CelError(f"no such overload: {type(error).__name__}") from None
        finally:
            if cost is not None:
                cost.left -= run.steps
                _turn[0] += run.steps

    def holds(self, names: Mapping[str, Json], cost: Cost | None = None) -> bool:
        found = self.value(names, cost)
        if not isinstance(found, bool):
            raise CelError("the rule does not evaluate to bool")
        return found


@lru_cache(maxsize=512)
def compiled(text: str, names: tuple[str, ...] = SELF) -> Expression:
    """`names`: its variables and, with a capital letter, the types that it may make values of.

    Raises CelError where the text is no expression, or one beyond what is evaluated here.
    """
    if len(text) > 10_000:
        raise CelError("the expression is too long")
    return Expression(text, names)


class _Run:
    def __init__(self, cost: Cost | None) -> None:
        self.steps, self.most = 0, STEPS_MAX if cost is None else min(STEPS_MAX, cost.left, TURN_STEPS_MAX - _turn[0])

    def spend(self, steps: int) -> None:
        self.steps += steps
        if self.steps > self.most:
            raise CelError(TOO_MUCH) if self.most == STEPS_MAX else Spent(SPENT)

    def weigh(self, *values: Json) -> None:
        """Pay for all that is in the values. A list may hold one list many times over: what is short to make is endless to write or compare."""
        todo = list(values)
        while todo:
            one = todo.pop()
            if isinstance(one, dict):
                self.spend(len(one))
                todo += one.values()
            elif isinstance(one, list):
                self.spend(len(one))
                todo += one
            elif isinstance(one, str) and len(one) > 100:
                self.spend(len(one) // 100)

    def same(self, a: Json, b: Json) -> bool:
        """==, paid for."""
        if isinstance(a, (dict, list)) and isinstance(b, (dict, list)):
            self.weigh(a, b)
        return library.equal(a, b)

    def value(self, node: Node, names: dict[str, Json]) -> Json:
        self.spend(1)
        kind = node[0]
        if kind == "value":
            return node[1]
        if kind == "name":
            return names[node[1]]
        if kind == "member":
            return self.member(self.value(node[1], names), node[2])
        if kind == "optional":
            return self.optional(self.value(node[1], names), node[2])
        if kind == "index":
            return self.index(self.value(node[1], names), self.value(node[2], names))
        if kind == "two":
            return self.two(node, names)
        if kind == "one":
            found = self.value(node[2], names)
            if node[1] == "!":
                return not self.truth(found)
            return -self.number(found)
        if kind == "if":
            return self.value(node[2] if self.truth(self.value(node[1], names)) else node[3], names)
        if kind == "list":
            return [self.value(one, names) for one in node[1]]
        if kind == "map":
            return {self.value(key, names): self.value(one, names) for key, one in node[1]}
        if kind == "macro":
            return self.macro(node, names)
        if kind == "call":
            return self.call(node, names)
        return self.method(node[1], self.value(node[2], names), [self.value(one, names) for one in node[3]])

    def optional(self, held: Json, name: str) -> Maybe:
        if isinstance(held, Maybe):
            return self.optional(held.held, name) if held.there else held
        return Maybe(True, held[name]) if isinstance(held, dict) and name in held else Maybe(False)

    def member(self, held: Json, name: str) -> Json:
        if isinstance(held, Maybe):
            return self.optional(held, name)
        if isinstance(held, Authorizer) and name == "requestResource":
            return replace(held, wanted=held.own)
        if not isinstance(held, dict):
            raise CelError("no such overload")
        if name not in held:
            raise CelError(f"no such key: {name}")
        return held[name]

    @staticmethod
    def index(held: Json, key: Json) -> Json:
        if isinstance(held, dict):
            if key not in held:
                raise CelError(f"no such key: {key}")
            return held[key]
        if isinstance(held, list) and isinstance(key, int) and not isinstance(key, bool):
            if not 0 <= key < len(held):
                raise CelError(f"index out of bounds: {key}")
            return held[key]
        raise CelError("no such overload")

    @staticmethod
    def truth(found: Json) -> bool:
        if not isinstance(found, bool):
            raise CelError("no such overload")
        return found

    @staticmethod
    def number(found: Json) -> Any:
        if isinstance(found, bool) or not isinstance(found, (int, float)):
            raise CelError("no such overload")
        return found

    def two(self, node: Node, names: dict[str, Json]) -> Json:
        _, sign, left, right = node
        if sign in ("&&", "||"):
            return self.logic(sign == "||", left, right, names)
        a, b = self.value(left, names), self.value(right, names)
        if sign in ("==", "!="):
            return self.same(a, b) is (sign == "==")
        if sign == "in":
            if not isinstance(b, (list, dict)):
                raise CelError("no such overload")
            self.spend(len(b))
            return a in b if isinstance(b, dict) else any(self.same(a, one) for one in b)
        if sign in ("<", "<=", ">", ">="):
            if not (isinstance(a, str) and isinstance(b, str)):
                a, b = self.number(a), self.number(b)
            return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[sign]
        if (sign == "+" and type(a) is type(b) and isinstance(a, str)) or (sign == "+" and isinstance(a, list) and isinstance(b, list)):
            if len(a) + len(b) > STEPS_MAX:
                raise CelError(TOO_MUCH)
            self.spend((len(a) + len(b)) // 100)
            return a + b
        a, b = self.number(a), self.number(b)
        if sign in ("/", "%"):
            if not b:
                raise CelError("division by zero" if sign == "/" else "modulus by zero")
            if isinstance(a, int) and isinstance(b, int):
                whole = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
                return whole if sign == "/" else a - whole * b
            return a / b
        found = {"+": a + b, "-": a - b, "*": a * b}[sign]
        if isinstance(found, int) and not -(2**63) <= found < 2**63:
            raise CelError("integer overflow")
        return found

    def logic(self, either: bool, left: Node, right: Node, names: dict[str, Json]) -> bool:
        """What one side decides alone holds whatever is wrong with the other."""
        try:
            if self.truth(self.value(left, names)) is either:
                return either
        except CelError:
            if self.truth(self.value(right, names)) is either:
                return either
            raise
        return self.truth(self.value(right, names))

    def macro(self, node: Node, names: dict[str, Json]) -> Json:
        _, name, over, variable, body, more = node
        held = self.value(over, names)
        if not isinstance(held, (list, dict)):
            raise CelError("no such overload")
        items = list(held)
        if name in ("map", "filter"):
            out = []
            for item in items:
                inner = {**names, variable: item}
                if name == "filter":
                    if self.truth(self.value(body, inner)):
                        out.append(item)
                elif more is None:
                    out.append(self.value(body, inner))
                elif self.truth(self.value(body, inner)):
                    out.append(self.value(more, inner))
            return out
        count = 0
        for item in items:
            held_true = self.truth(self.value(body, {**names, variable: item}))
            if name == "all" and not held_true:
                return False
            if name == "exists" and held_true:
                return True
            count += held_true
        return count == len(items) if name == "all" else False if name == "exists" else count == 1

    def call(self, node: Node, names: dict[str, Json]) -> Json:
        _, name, arguments = node
        if len(arguments) != 1:
            raise CelError("found no matching overload")
        if name == "has":
            inner = arguments[0]
            if inner[0] != "member":
                raise CelError("invalid argument to has() macro")
            held = self.value(inner[1], names)
            return isinstance(held, dict) and inner[2] in held
        found = self.value(arguments[0], names)
        if name == "size":
            return self.method("size", found, [])
        self.weigh(found)
        if name == "int":
            return int(found)
        if name == "double":
            return float(found)
        if name == "string":
            return library.written(found)
        if name in library.MADE:
            self.spend(10)
            return library.MADE[name](found)
        return found

    def method(self, name: str, held: Json, given: list[Json]) -> Json:
        if name == "size" and isinstance(held, (str, list, dict)):
            return len(held)
        if isinstance(held, Maybe):
            return library.of_maybe(name, held, *given)
        if isinstance(held, Authorizer):
            self.spend(350 if name == "check" else 1)  # authz.go: a check is counted as 350,000 of the real one's units
            return library.of_authorizer(name, held, *given)
        if isinstance(held, Decision) and name in library.OF_DECISIONS:
            return library.OF_DECISIONS[name](held)
        if isinstance(held, Amount) and name in library.OF_AMOUNTS:
            return library.OF_AMOUNTS[name](held.of, *(Fraction(one.of if isinstance(one, Amount) else one) for one in given))
        if isinstance(held, (*library.NETWORKS, *library.ADDRESSES)) and name in library.OF_ADDRESSES:
            self.spend(10)
            return library.OF_ADDRESSES[name](held, *given)
        self.spend(len(held) * (8 * len(given[0]) if name == "matches" and given and isinstance(given[0], str) else 1) // 4
                   if isinstance(held, (str, list)) else 0)
        self.weigh(held if isinstance(held, list) else None, *given)
        if isinstance(held, str) and name in library.OF_TEXT:
            return library.OF_TEXT[name](held, *given)
        if isinstance(held, list) and name in library.OF_LISTS:
            return library.OF_LISTS[name](held, *given)
        raise CelError("no such overload")
