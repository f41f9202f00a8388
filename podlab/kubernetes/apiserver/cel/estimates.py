"""What a rule of a CustomResourceDefinition may cost at most, counted from the sizes that its schema allows.

Sources: cel-go, checker/cost.go (what each operation costs); S/apiserver/pkg/cel/common/schemas.go (how large a value may be that the schema does
not bound: as large as fits into a request of 3 MiB); apiextensions-apiserver, pkg/apis/apiextensions/validation/cel_validation.go.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from .syntax import Node, Parser

Schema = Mapping[str, Any]

REQUEST_BYTES = 3 * 1024 * 1024  # celconfig.MaxRequestSizeBytes
MOST = 2**64 - 1
RULE_LIMIT, ALL_RULES_LIMIT = 10_000_000, 100_000_000  # StaticEstimatedCostLimit, StaticEstimatedCRDCostLimit
TRAVERSAL, REGEX = 0.1, 0.25  # StringTraversalCostFactor, RegexStringLengthCostFactor
LIST, MAP = 10, 30  # ListCreateBaseCost, MapCreateBaseCost
LEAST = {"string": 2, "boolean": 4, "array": 2, "object": 2}  # bytes: MinStringSize and so on; of a number one digit
UNBOUND_TEXT = REQUEST_BYTES - 2
FORMATS = {"date": 10, "date-time": 20, "duration": 32}  # JSONDateSize and so on
PREFIXED = ("startsWith", "endsWith")
WALKED = ("lowerAscii", "upperAscii", "trim", "substring", "replace", "split", "join", "quote", "indexOf", "lastIndexOf", "isSorted", "sum", "min",
          "max")


class Guess(NamedTuple):
    """Of one expression: the most it costs, the most elements (or characters) of what it gives, and that value's schema where it has one."""

    cost: int
    size: int
    schema: Schema | None = None


def _times(size: int, factor: float) -> int:
    return MOST if size * factor >= MOST else math.ceil(size * factor)


def least_bytes(schema: Schema) -> int:
    """How few bytes a value may take in a request (MinSerializedSize)."""
    if schema.get("x-kubernetes-int-or-string") or schema.get("x-kubernetes-preserve-unknown-fields"):
        return 1
    size = LEAST.get(schema.get("type") or "", 1)
    properties = schema.get("properties") or {}
    for name in schema.get("required") or ():
        if name in properties and "default" not in properties[name]:
            size += len(name) + 4 + least_bytes(properties[name])
    return size


def most_elements(schema: Schema) -> int:
    """How many elements or characters a value may have (MaxElements)."""
    kind = schema.get("type")
    if schema.get("x-kubernetes-int-or-string"):
        return UNBOUND_TEXT
    if kind == "string":
        if "maxLength" in schema:
            return int(schema["maxLength"]) * (1 if schema.get("format") == "byte" else 4)
        if schema.get("enum"):
            return max(len(str(one)) for one in schema["enum"])
        return FORMATS.get(schema.get("format") or "", UNBOUND_TEXT)
    if kind == "array":
        return int(schema["maxItems"]) if "maxItems" in schema else UNBOUND_TEXT // (least_bytes(schema.get("items") or {}) + 1)
    others = schema.get("additionalProperties")
    if kind == "object" and isinstance(others, Mapping):
        return int(schema["maxProperties"]) if "maxProperties" in schema else UNBOUND_TEXT // (least_bytes(others) + 6)
    return 0


def times_met(schema: Schema, cardinality: int | None) -> int:
    """How often the rules of a schema may be asked of one object. `cardinality`: as its parents bound it, None where they do not."""
    return REQUEST_BYTES // (least_bytes(schema) + 1) if cardinality is None else cardinality


def cost(text: str, schema: Schema) -> int:
    """The most that one evaluation costs. The expression must parse."""
    return _Estimate({"self": schema, "oldSelf": schema}).of(Parser(text).whole()).cost


def exceeded(what: str, found: int, limit: int) -> str:
    """The server's words for it (getCostErrorMessage)."""
    factor = found / limit
    shown = "more than 100x" if factor > 100 else f"{factor:f}x" if factor < 1.5 else f"{factor:.1f}x"
    return (f"{what} exceeds budget by factor of {shown} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, "
            "maps, and strings are declared)")


def _of_schema(cost_: int, schema: Schema | None) -> Guess:
    return Guess(cost_, MOST if schema is None else most_elements(schema), schema)


class _Estimate:
    def __init__(self, names: dict[str, Schema | None]) -> None:
        self.names = names

    def of(self, node: Node) -> Guess:
        found = self._of(node)
        return found if found.cost < MOST else found._replace(cost=MOST)

    def _of(self, node: Node) -> Guess:
        kind = node[0]
        if kind == "value":
            return Guess(0, len(node[1]) if isinstance(node[1], str) else 1)
        if kind == "name":
            return _of_schema(1, self.names.get(node[1]))
        if kind in ("member", "optional"):
            held = self.of(node[1])
            return _of_schema(held.cost + 1, _member(held.schema, node[2]))
        if kind == "index":
            held = self.of(node[1])
            return _of_schema(1 + held.cost + self.of(node[2]).cost, _element(held.schema))
        if kind == "one":
            return Guess(1 + self.of(node[2]).cost, 1)
        if kind == "if":
            asked, yes, no = (self.of(part) for part in node[1:4])
            return Guess(asked.cost + max(yes.cost, no.cost), max(yes.size, no.size), yes.schema)
        if kind == "two":
            return self.two(node[1], self.of(node[2]), self.of(node[3]))
        if kind == "list":
            return Guess(LIST + sum(self.of(one).cost for one in node[1]), len(node[1]))
        if kind == "map":
            return Guess(MAP + sum(self.of(key).cost + self.of(one).cost for key, one in node[1]), len(node[1]))
        if kind == "macro":
            return self.macro(node)
        if kind == "call":
            given = [self.of(one) for one in node[2]]
            return Guess((0 if node[1] in ("has", "dyn") else 1) + sum(one.cost for one in given), 1)
        return self.method(node[1], self.of(node[2]), [self.of(one) for one in node[3]])

    def two(self, sign: str, left: Guess, right: Guess) -> Guess:
        paid = left.cost + right.cost
        if sign in ("&&", "||"):
            return Guess(paid, 1)
        if sign == "in":
            listed = right.schema is None or right.schema.get("type") == "array"
            return Guess(paid + (right.size if listed else 1), 1)
        if sign in ("==", "!="):
            return Guess(paid + _times(min(left.size, right.size), TRAVERSAL), 1)
        texts = any((one.schema or {}).get("type") == "string" for one in (left, right))
        if sign in ("<", "<=", ">", ">=") and texts:
            return Guess(paid + _times(min(left.size, right.size), TRAVERSAL), 1)
        if sign == "+":
            return Guess(paid + (_times(left.size + right.size, TRAVERSAL) if texts else 1), left.size + right.size, left.schema)
        return Guess(paid + 1, 1)

    def macro(self, node: Node) -> Guess:
        """A comprehension: for each element the condition to go on, and the step."""
        _, name, over, variable, body, more = node
        held = self.of(over)
        before = self.names.get(variable)
        self.names[variable] = _element(held.schema) if (held.schema or {}).get("type") == "array" else {"type": "string", "maxLength": 0}
        inner, last = self.of(body).cost, self.of(more).cost if more is not None else 0
        if before is None:
            del self.names[variable]
        else:
            self.names[variable] = before
        if name in ("map", "filter"):
            step = inner + 13 if name == "filter" else inner + 2 + LIST if more is None else inner + last + 2 + LIST
            return Guess(held.cost + LIST + 1 + held.size * step, held.size, held.schema if name == "filter" else None)
        step, result = {"all": (3, 1), "exists": (4, 1)}.get(name, (2, 2))
        return Guess(held.cost + result + held.size * (step + inner), 1)

    def method(self, name: str, held: Guess, given: list[Guess]) -> Guess:
        paid = held.cost + sum(one.cost for one in given)
        if name in PREFIXED:
            return Guess(paid + _times(given[0].size if given else 0, TRAVERSAL), 1)
        if name == "contains":
            return Guess(paid + _times(held.size, TRAVERSAL) * _times(given[0].size if given else 0, TRAVERSAL), 1)
        if name in ("matches", "find", "findAll"):
            return Guess(paid + _times(min(MOST, held.size + 1), TRAVERSAL) * _times(given[0].size if given else 0, REGEX), held.size)
        if name in WALKED:
            listed = (held.schema or {}).get("type") == "array"
            return Guess(paid + (held.size if listed else _times(held.size, TRAVERSAL)), held.size, held.schema)
        return Guess(paid + 1, 1)


def _member(schema: Schema | None, name: str) -> Schema | None:
    found = ((schema or {}).get("properties") or {}).get(name)
    return found if isinstance(found, Mapping) else _element(schema)


def _element(schema: Schema | None) -> Schema | None:
    """Of a list, or of a map."""
    found = (schema or {}).get("items") or (schema or {}).get("additionalProperties")
    return found if isinstance(found, Mapping) else None
