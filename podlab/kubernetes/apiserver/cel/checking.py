"""The types of CEL's expressions about built-in kinds: fields that no schema has, operators and methods that do not go with their types.

A type is a word (string, int, double, bool, null, dyn) or ("object", full name in schema.py) or ("list" or "map", type of what is in it).
Whatever is not known is dyn and complains of nothing; so do custom kinds. Said in cel-go's words (checker/errors.go, common/error.go).
Source: S/apiserver/pkg/admission/plugin/policy/validating/typechecking.go; ValidatingAdmissionPolicy's page, "Type checking".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import schema
from .syntax import Node, Parser
from .values import pointed

Type = Any
DYN = "dyn"
WORDS = {"string": "string", "integer": "int", "number": "double", "boolean": "bool"}
PLAIN = ("string", "int", "double", "bool")
ORDER = ("<", "<=", ">", ">=")
SUMS = {"+": ("string", "int", "double"), "-": ("int", "double"), "*": ("int", "double"), "/": ("int", "double"), "%": ("int",)}
TEXT_METHODS = {
    **dict.fromkeys(("startsWith", "endsWith", "contains", "matches"), "bool"),
    **dict.fromkeys(("lowerAscii", "upperAscii", "trim", "replace", "substring", "charAt"), "string"),
    **dict.fromkeys(("indexOf", "lastIndexOf"), "int"),
}
CALLS = {"size": "int", "has": "bool", "int": "int", "double": "double", "string": "string", "isQuantity": "bool", "isIP": "bool", "isCIDR": "bool"}
REQUEST: Mapping[str, Type] = {
    "kind": ("object", "request.kind"), "resource": ("object", "request.resource"), "subResource": "string",
    "requestKind": ("object", "request.kind"),
    "requestResource": ("object", "request.resource"), "requestSubResource": "string", "name": "string", "namespace": "string",
    "operation": "string", "userInfo": ("object", schema.PREFIX + "authentication.v1.UserInfo"), "dryRun": "bool", "options": DYN,
}  # fmt: skip
"""AdmissionRequest's fields, as expressions see them (BuildRequestType)."""
OWN: Mapping[str, Mapping[str, Type]] = {
    "request": REQUEST, "request.kind": dict.fromkeys(("group", "version", "kind"), "string"),
    "request.resource": dict.fromkeys(("group", "version", "resource"), "string"),
}  # fmt: skip


def fields_of(name: str) -> Mapping[str, Type] | None:
    """The fields of an object's type; None where any is allowed."""
    if name in OWN:
        return OWN[name]
    properties = schema.definitions().get(name, {}).get("properties")
    return {field: _type(one) for field, one in properties.items()} if properties else None


def _type(one: Mapping[str, Any]) -> Type:
    reference = str(one.get("$ref") or "").removeprefix("#/$defs/")
    if reference:
        held = schema.definitions().get(reference, {})
        return ("object", reference) if held.get("properties") else _type(held) if held.get("type") and held.get("format") != "int-or-string" else DYN
    kinds = [kind for kind in ([one["type"]] if isinstance(one.get("type"), str) else one.get("type") or ()) if kind != "null"]
    if len(kinds) != 1:
        return DYN
    if kinds[0] == "array":
        return "list", _type(one.get("items") or {})
    if kinds[0] == "object":
        return ("map", _type(one["additionalProperties"])) if isinstance(one.get("additionalProperties"), Mapping) else DYN
    return WORDS.get(kinds[0], DYN) if one.get("format") not in ("int-or-string", "byte") else DYN


def check(text: str, names: Mapping[str, Type], variables: Mapping[str, Type] | None = None,
          own: Mapping[str, Mapping[str, Type]] | None = None) -> tuple[Type, list[str]]:
    """(the type of what an expression gives, complaints as cel-go prints them). The expression must parse.

    `variables`: of an admission policy; None where there is no telling which there are. `own`:
    the fields of the objects that are of no built-in kind, by the names that `names` calls them.
    """
    parser = Parser(text, tuple(names))
    run = _Run(text, parser.whole(), parser.where, variables, own or {})
    return run.type_of(run.tree, dict(names)), run.said


def reads_only(text: str, roots: tuple[str, ...]) -> bool:
    """Whether an expression is nothing but a path into what has no type, such as `object.spec.paused`."""
    node = Parser(text, roots).whole()
    while node[0] in ("member", "index"):
        node = node[1]
    return bool(node[0] == "name")


class _Run:
    def __init__(self, text: str, tree: Node, where: Mapping[int, int], variables: Mapping[str, Type] | None,
                 own: Mapping[str, Mapping[str, Type]]) -> None:
        self.text, self.tree, self.where, self.variables, self.own = text, tree, where, variables, own
        self.said: list[str] = []

    def complain(self, node: Node, words: str) -> Type:
        self.said.append(pointed(self.text, self.where.get(id(node), 0), words))
        return DYN

    def type_of(self, node: Node, names: dict[str, Type]) -> Type:
        kind = node[0]
        if kind == "value":
            return _of_value(node[1])
        if kind == "name":
            return names.get(node[1], DYN)
        if kind in ("member", "optional"):
            return self.member(node, names)
        if kind == "index":
            held = self.type_of(node[1], names)
            self.type_of(node[2], names)
            return held[1] if isinstance(held, tuple) and held[0] in ("list", "map") else DYN
        if kind == "two":
            return self.two(node, self.type_of(node[2], names), self.type_of(node[3], names))
        if kind == "one":
            found = self.type_of(node[2], names)
            return "bool" if node[1] == "!" else found
        if kind == "if":
            self.type_of(node[1], names)
            yes, no = self.type_of(node[2], names), self.type_of(node[3], names)
            return yes if yes == no else DYN
        if kind == "macro":
            return self.macro(node, names)
        if kind == "method":
            return self.method(node, names)
        if kind == "call":
            for one in node[2]:
                self.type_of(one, names)
            return CALLS.get(node[1], DYN)
        if kind == "list":
            held = [self.type_of(one, names) for one in node[1]]
            return "list", held[0] if held and all(one == held[0] for one in held) else DYN
        return DYN

    def member(self, node: Node, names: dict[str, Type]) -> Type:
        if node[1] == ("name", "variables") and self.variables is not None:
            return self.variables[node[2]] if node[2] in self.variables else self.complain(node, f"undefined field '{node[2]}'")
        held = self.type_of(node[1], names)
        if isinstance(held, tuple):
            if held[0] == "map":
                return held[1] if node[0] == "member" else DYN
            own = self.own.get(held[1]) if held[0] == "object" else {}
            fields = fields_of(held[1]) if own is None else own
            if fields is None:
                return DYN
            if node[2] not in fields:
                return self.complain(node, f"undefined field '{node[2]}'" if held[0] == "object" else _unselectable(held))
            return fields[node[2]] if node[0] == "member" else DYN  # an optional: what it holds is not followed
        return self.complain(node, _unselectable(held)) if held in PLAIN else DYN

    def two(self, node: Node, left: Type, right: Type) -> Type:
        sign = node[1]
        known = left in PLAIN and right in PLAIN
        if sign in ("&&", "||"):
            return self.none_fits(node, f"_{sign}_", left, right) if known and (left, right) != ("bool", "bool") else "bool"
        if sign in ORDER:
            numbers = left in ("int", "double") and right in ("int", "double")
            return self.none_fits(node, f"_{sign}_", left, right) if known and left != right and not numbers else "bool"
        if sign in ("==", "!="):
            return self.none_fits(node, f"_{sign}_", left, right) if known and left != right else "bool"
        if sign == "in":
            return "bool"
        if known and (left != right or left not in SUMS[sign]):
            return self.none_fits(node, f"_{sign}_", left, right)
        return left if left == right else left if right == DYN else right if left == DYN else DYN

    def none_fits(self, node: Node, name: str, *given: Type) -> Type:
        return self.complain(node, f"found no matching overload for '{name}' applied to '({', '.join(map(written, given))})'")

    def macro(self, node: Node, names: dict[str, Type]) -> Type:
        _, name, over, variable, body, more = node
        held = self.type_of(over, names)
        item = held[1] if isinstance(held, tuple) and held[0] == "list" else "string" if isinstance(held, tuple) and held[0] == "map" else DYN
        if held in PLAIN:
            self.complain(node, f"expression of type '{held}' cannot be range of a comprehension (must be list, map, or dynamic)")
        inner = {**names, variable: item}
        found = self.type_of(body, inner)
        last = self.type_of(more, inner) if more is not None else found
        if name == "filter":
            return "list", item
        return ("list", last) if name == "map" else "bool"

    def method(self, node: Node, names: dict[str, Type]) -> Type:
        _, name, over, given = node
        held = self.type_of(over, names)
        types = [self.type_of(one, names) for one in given]
        if name in TEXT_METHODS:
            if held in ("int", "double", "bool"):
                return self.complain(node, f"found no matching overload for '{name}' applied to '{held}.({', '.join(map(written, types))})'")
            return TEXT_METHODS[name]
        return {"size": "int", "isSorted": "bool", "join": "string", "format": "string", "hasValue": "bool"}.get(name, DYN)


def _of_value(value: Any) -> Type:
    return {bool: "bool", int: "int", float: "double", str: "string"}.get(type(value), "null")


def _unselectable(held: Type) -> str:
    return f"type '{written(held)}' does not support field selection"


def written(held: Type) -> str:
    """A type as CEL writes it."""
    if isinstance(held, str):
        return held
    return f"list({written(held[1])})" if held[0] == "list" else f"map(string, {written(held[1])})" if held[0] == "map" else str(held[1])
