"""The part of the Common Expression Language that x-kubernetes-validations and admission policies mostly use. What is not here is refused
when a definition is written, with its name: nothing is taken and then ignored.

Here: literals, variables, members and indices, optional members (.?), has(), arithmetic, comparisons, logic with its short cuts, in, ?:,
size(), the conversions int() double() string() type names left out, the macros all exists exists_one map filter, of strings and lists
startsWith endsWith contains matches size lowerAscii upperAscii trim split replace indexOf substring join isSorted sum min max format,
quantity() and its comparisons, ip() and cidr() and what is in them (apiserver/pkg/cel/library: quantity.go, cidr.go, ip.go).
Not here: type checking, timestamps, durations, URLs, sets, bytes, regex captures.
Grammar: github.com/google/cel-spec, doc/langdef.md. Costs: a bound on steps instead of CEL's estimates.
"""

from __future__ import annotations

import ipaddress
import itertools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from ... import quantity
from ...runtime import linear

STEPS_MAX = 100_000  # a step takes about a microsecond; the real one counts cost units: 1,000,000 a call, 10,000,000 an object
ALL_STEPS_MAX = 150_000  # of all rules that one request meets together, as RuntimeCELCostBudget bounds them
TURN_STEPS_MAX = 400_000  # of all requests that one timer's work makes: a controller may create hundreds of Pods at a go
TOO_MUCH = "operation cancelled: actual cost limit exceeded"  # cel-go's words where one call goes past PerCallLimit
SPENT = "validation failed due to running out of cost budget, no further validation rules will be run"
DEPTH_MAX = 60
TOKEN = re.compile(r"""\s*(?:(?P<number>\d+\.\d+(?:[eE][+-]?\d+)?|0x[0-9a-fA-F]+|\d+)u?|(?P<text>[rR]?(?:'''.*?'''|\"\"\".*?\"\"\"
    |"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'))|(?P<name>[_a-zA-Z][_a-zA-Z0-9]*)|(?P<sign>&&|\|\||[<>=!]=|[-+*/%<>!?:.,()\[\]{}]))""",
                   re.DOTALL | re.VERBOSE)
BINDING = {"||": 1, "&&": 2, "==": 3, "!=": 3, "<": 3, "<=": 3, ">": 3, ">=": 3, "in": 3, "+": 4, "-": 4, "*": 5, "/": 5, "%": 5}
MACROS = ("all", "exists", "exists_one", "existsOne", "map", "filter")
FUNCTIONS = ("size", "has", "int", "double", "string", "dyn", "quantity", "isQuantity", "ip", "isIP", "cidr", "isCIDR")
METHODS = ("startsWith", "endsWith", "contains", "matches", "size", "lowerAscii", "upperAscii", "trim", "split", "replace", "indexOf",
           "lastIndexOf", "substring", "charAt", "join", "isSorted", "sum", "min", "max", "format", "orValue", "hasValue", "value", "or",
           "isLessThan", "isGreaterThan", "compareTo", "isInteger", "asInteger", "add", "sub", "sign", "family", "containsIP",
           "containsCIDR", "prefixLength")
ESCAPED = re.compile(r"__(underscores|dot|dash|slash|[a-z]+)__")  # names that CEL cannot write (cel/model, escaping.go)
ESCAPES = {"underscores": "__", "dot": ".", "dash": "-", "slash": "/"}

SELF = ("self", "oldSelf")

Node = tuple[Any, ...]
Json = Any


class CelError(Exception):
    """An expression that cannot be read, or fails on a value; the text says why."""


class Spent(CelError):
    """All that the rules of a request may cost has been spent."""


@dataclass(frozen=True, slots=True)
class Maybe:
    """An optional value (cel-spec's optional syntax, a.?b): what is there, or nothing."""

    there: bool
    held: Json = None


@dataclass(frozen=True, slots=True)
class Amount:
    """A resource.Quantity."""

    of: Fraction


class _Parser:
    def __init__(self, text: str, names: tuple[str, ...] = SELF) -> None:
        self.tokens: list[tuple[str, str]] = []
        at = 0
        text = text.strip()
        while at < len(text):
            found = TOKEN.match(text, at)
            if found is None or found.end() == at:
                raise CelError(f"Syntax error: token recognition error at: '{text[at:at + 12]}'")
            at = found.end()
            self.tokens.append((found.lastgroup or "", found.group(found.lastgroup or 0)))
        self.tokens.append(("end", ""))
        self.at = 0
        self.depth = 0
        self.names = [name for name in names if not name[0].isupper()]
        self.types = [name for name in names if name[0].isupper()]
        self.used: dict[str, None] = {}

    def peek(self) -> str:
        kind, text = self.tokens[self.at]
        return text if kind in ("sign", "name") else ""

    def take(self, wanted: str = "") -> tuple[str, str]:
        kind, text = self.tokens[self.at]
        if wanted and (text != wanted or kind not in ("sign", "name")):
            raise CelError(f"Syntax error: mismatched input '{text or '<EOF>'}' expecting '{wanted}'")
        self.at += 1
        return kind, text

    def whole(self) -> Node:
        node = self.expression()
        if self.tokens[self.at][0] != "end":
            raise CelError(f"Syntax error: mismatched input '{self.tokens[self.at][1]}' expecting <EOF>")
        return node

    def expression(self) -> Node:
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise CelError("expression recursion limit exceeded")
        node = self.binary(1)
        if self.peek() == "?":
            self.take()
            yes = self.binary(1)
            self.take(":")
            node = ("if", node, yes, self.expression())
        self.depth -= 1
        return node

    def binary(self, least: int) -> Node:
        left = self.unary()
        while (sign := self.peek()) in BINDING and BINDING[sign] >= least:
            self.take()
            left = ("two", sign, left, self.binary(BINDING[sign] + 1))
        return left

    def unary(self) -> Node:
        if self.peek() in ("!", "-"):
            self.depth += 1
            if self.depth > DEPTH_MAX:
                raise CelError("expression recursion limit exceeded")
            sign = self.take()[1]
            node: Node = ("one", sign, self.unary())
            self.depth -= 1
            return node
        return self.member(self.primary())

    def member(self, node: Node) -> Node:
        while self.peek() in (".", "["):
            if self.take()[1] == "[":
                node = ("index", node, self.expression())
                self.take("]")
                continue
            maybe = self.peek() == "?"
            if maybe:
                self.take()
            kind, name = self.take()
            if kind != "name":
                raise CelError(f"Syntax error: no viable alternative at input '.{name}'")
            node = self.method(node, name) if self.peek() == "(" else ("optional" if maybe else "member", node, _unescaped(name))
        return node

    def method(self, node: Node, name: str) -> Node:
        self.take("(")
        if name in MACROS:
            kind, variable = self.take()
            if kind != "name":
                raise CelError("argument must be a simple name")
            self.take(",")
            self.names.append(variable)
            body = self.expression()
            more = None
            if self.peek() == ",":
                self.take()
                more = self.expression()
            self.names.pop()
            self.take(")")
            return ("macro", name, node, variable, body, more)
        if name not in METHODS:
            raise CelError(f"undeclared reference to '{name}' (in this cluster)")
        return ("method", name, node, self.arguments())

    def struct(self, name: str) -> Node:
        """A value of a type: `Object.metadata{labels: {"a": "b"}}`. Which fields it may have is for whoever merges it to say."""
        while self.peek() == ".":
            self.take()
            name += "." + self.take()[1]
        self.take("{")
        pairs: list[tuple[Node, Node]] = []
        while self.peek() != "}":
            kind, field = self.take()
            if kind != "name":
                raise CelError(f"Syntax error: mismatched input '{field}' expecting an identifier")
            self.take(":")
            pairs.append((("value", _unescaped(field)), self.expression()))
            if self.peek() == ",":
                self.take()
            elif self.peek() != "}":
                raise CelError("Syntax error: missing '}'")
        self.take("}")
        return ("map", pairs)

    def arguments(self) -> list[Node]:
        found = []
        while self.peek() != ")":
            found.append(self.expression())
            if self.peek() == ",":
                self.take()
            elif self.peek() != ")":
                raise CelError("Syntax error: missing ')'")
        self.take(")")
        return found

    def primary(self) -> Node:
        kind, text = self.take()
        if kind == "number":
            if len(text) > 400:
                raise CelError("Syntax error: invalid int literal")
            return ("value", float(text) if "." in text or ("e" in text.lower() and not text.startswith("0x")) else int(text, 0))
        if kind == "text":
            return ("value", _text(text))
        if kind == "name":
            if text in ("true", "false", "null"):
                return ("value", {"true": True, "false": False, "null": None}[text])
            if self.peek() == "(":
                if text not in FUNCTIONS:
                    raise CelError(f"undeclared reference to '{text}' (in this cluster)")
                self.take()
                return ("call", text, self.arguments())
            if text in self.types:
                return self.struct(text)
            if text not in self.names:
                raise CelError(f"undeclared reference to '{text}' (in container '')")
            self.used[text] = None
            return ("name", text)
        if text == "(":
            node = self.expression()
            self.take(")")
            return node
        if text == "[":
            items = []
            while self.peek() != "]":
                items.append(self.expression())
                if self.peek() == ",":
                    self.take()
                elif self.peek() != "]":
                    raise CelError("Syntax error: missing ']'")
            self.take("]")
            return ("list", items)
        if text == "{":
            pairs = []
            while self.peek() != "}":
                key = self.expression()
                self.take(":")
                pairs.append((key, self.expression()))
                if self.peek() == ",":
                    self.take()
                elif self.peek() != "}":
                    raise CelError("Syntax error: missing '}'")
            self.take("}")
            return ("map", pairs)
        raise CelError(f"Syntax error: mismatched input '{text or '<EOF>'}'")


def _unescaped(name: str) -> str:
    return ESCAPED.sub(lambda found: ESCAPES.get(found.group(1), found.group(1)), name) if "__" in name else name


def _text(token: str) -> str:
    raw = token[0] in "rR"
    token = token[1:] if raw else token
    inner = token[3:-3] if token[:3] in ('"""', "'''") else token[1:-1]
    if raw:
        return inner
    plain = re.sub(r"\\(.)", lambda found: {"n": "\n", "t": "\t", "r": "\r"}.get(found.group(1), found.group(1)), inner)
    return plain


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
        parser = _Parser(text, names)
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
        return _equal(a, b)

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
            return _written(found)
        if name in _MADE:
            self.spend(10)
            return _MADE[name](found)
        return found

    def method(self, name: str, held: Json, given: list[Json]) -> Json:
        if name == "size" and isinstance(held, (str, list, dict)):
            return len(held)
        if isinstance(held, Maybe):
            return _of_maybe(name, held, *given)
        if isinstance(held, Amount) and name in _OF_AMOUNTS:
            return _OF_AMOUNTS[name](held.of, *(Fraction(one.of if isinstance(one, Amount) else one) for one in given))
        if isinstance(held, (*_NETWORKS, *_ADDRESSES)) and name in _OF_ADDRESSES:
            self.spend(10)
            return _OF_ADDRESSES[name](held, *given)
        self.spend(len(held) * (8 * len(given[0]) if name == "matches" and given and isinstance(given[0], str) else 1) // 4
                   if isinstance(held, (str, list)) else 0)
        self.weigh(held if isinstance(held, list) else None, *given)
        if isinstance(held, str) and name in _OF_TEXT:
            return _OF_TEXT[name](held, *given)
        if isinstance(held, list) and name in _OF_LISTS:
            return _OF_LISTS[name](held, *given)
        raise CelError("no such overload")


def _equal(a: Json, b: Json) -> bool:
    return bool(a == b) and (isinstance(a, bool) == isinstance(b, bool))


def _matches(text: str, pattern: str) -> bool:
    return linear.compiled(pattern, re.ASCII).search(text) is not None


def _replaced(text: str, old: str, new: str) -> str:
    """Refused before it is made: a text of some thousand letters can grow to gigabytes."""
    if len(text) + text.count(old) * len(new) > STEPS_MAX:
        raise CelError(TOO_MUCH)
    return text.replace(old, new)


def _joined(items: list[Json], by: str = "") -> str:
    if sum(map(len, items)) + len(items) * len(by) > STEPS_MAX:
        raise CelError(TOO_MUCH)
    return by.join(items)


_OF_TEXT: dict[str, Callable[..., Json]] = {
    "startsWith": str.startswith, "endsWith": str.endswith, "contains": lambda text, part: part in text, "matches": _matches,
    "lowerAscii": str.lower, "upperAscii": str.upper, "trim": str.strip, "split": lambda text, by, limit=-1: text.split(by, limit - 1
                                                                                                                     if limit > 0 else -1),
    "replace": _replaced, "indexOf": str.find, "lastIndexOf": str.rfind,
    "substring": lambda text, start, end=None: text[start:end], "charAt": lambda text, at: text[at:at + 1],
}
_OF_LISTS: dict[str, Callable[..., Json]] = {
    "join": _joined, "isSorted": lambda items: all(a <= b for a, b in itertools.pairwise(items)),
    "sum": sum, "min": min, "max": max, "indexOf": lambda items, one: items.index(one) if one in items else -1,
}


def _written(found: Json) -> str:
    """string(): what a value is as text."""
    return found if isinstance(found, str) else str(found) if isinstance(found, (*_NETWORKS, *_ADDRESSES)) else json.dumps(found)


def _formatted(text: str, values: list[Json]) -> str:
    """'%s of %d'.format([a, b]) (cel-go's strings extension): %s and %d only."""
    left, room = iter(values), STEPS_MAX - len(text)

    def said(found: re.Match[str]) -> str:
        nonlocal room
        shown = "%" if found[1] == "%" else _written(next(left))
        room -= len(shown)
        if room < 0:
            raise CelError(TOO_MUCH)
        return shown

    try:
        return re.sub(r"%([sd%])", said, text)
    except StopIteration:
        raise CelError("index out of bounds") from None


def _of_maybe(name: str, held: Maybe, *given: Json) -> Json:
    if name == "hasValue":
        return held.there
    if name == "orValue" and len(given) == 1:
        return held.held if held.there else given[0]
    if name == "or" and len(given) == 1:
        return held if held.there else given[0]
    if name == "value" and held.there:
        return held.held
    raise CelError("optional.none() dereference" if name == "value" else "no such overload")


def _amount(text: Json) -> Amount:
    try:
        return Amount(quantity.parse(text))
    except quantity.QuantityError as error:
        raise CelError(str(error)) from None


def _held(read: Callable[[Json], Json], text: Json) -> bool:
    try:
        read(text)
    except (CelError, ValueError):
        return False
    return True


def _cidr(text: Json) -> Any:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise CelError(f"network address parse error during conversion from string: {text}") from None


def _ip(text: Json) -> Any:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        raise CelError(f"IP Address {_written(text)!r} parse error during conversion from string") from None


def _within(network: Any, other: Json) -> bool:
    inner = _cidr(other) if isinstance(other, str) else other
    return bool(inner.version == network.version and inner.subnet_of(network))


def _inside(network: Any, address: Json) -> bool:
    return (_ip(address) if isinstance(address, str) else address) in network


_NETWORKS = (ipaddress.IPv4Network, ipaddress.IPv6Network)
_ADDRESSES = (ipaddress.IPv4Address, ipaddress.IPv6Address)
_OF_TEXT["format"] = _formatted
_MADE: dict[str, Callable[[Json], Json]] = {
    "quantity": _amount, "isQuantity": lambda text: _held(_amount, text), "ip": _ip, "isIP": lambda text: _held(_ip, text), "cidr": _cidr,
    "isCIDR": lambda text: _held(_cidr, text),
}
_OF_AMOUNTS: dict[str, Callable[..., Json]] = {
    "isLessThan": lambda a, b: a < b, "isGreaterThan": lambda a, b: a > b, "compareTo": lambda a, b: (a > b) - (a < b),
    "isInteger": lambda a: a.denominator == 1, "asInteger": int, "add": lambda a, b: Amount(a + b), "sub": lambda a, b: Amount(a - b),
    "sign": lambda a: (a > 0) - (a < 0),
}
_OF_ADDRESSES: dict[str, Callable[..., Json]] = {
    "family": lambda one: one.version, "containsIP": _inside, "containsCIDR": _within, "prefixLength": lambda one: one.prefixlen,
    "ip": lambda one: one.network_address,
}
