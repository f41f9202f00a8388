"""A JSONSchemaProps as the server decodes it: every keyword has its type, and what is no keyword is unknown
(apiextensions-apiserver/pkg/apis/apiextensions/v1/types_jsonschema.go)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Json = Any
# keyword -> what it holds: "string", "bool", "int64", "float64", "strings", "values", "any", "schema", "schemas", "map", "items", "bool or schema"
KEYWORDS: dict[str, str] = {
    name: kind
    for kind, names in {
        "string": "id $schema $ref description type format title pattern x-kubernetes-list-type x-kubernetes-map-type",
        "bool": "exclusiveMaximum exclusiveMinimum uniqueItems nullable x-kubernetes-preserve-unknown-fields x-kubernetes-embedded-resource "
        "x-kubernetes-int-or-string",
        "int64": "maxLength minLength maxItems minItems maxProperties minProperties",
        "float64": "maximum minimum multipleOf",
        "strings": "required x-kubernetes-list-map-keys",
        "values": "enum",
        "any": "default example externalDocs",
        "schema": "not",
        "schemas": "allOf oneOf anyOf",
        "map": "properties patternProperties definitions",
        "items": "items",
        "bool or schema": "additionalProperties additionalItems dependencies",
        "rules": "x-kubernetes-validations",
    }.items()
    for name in names.split()
}
# Those whose Go type is no pointer: false, "" and [] are left out (omitempty).
PLAIN = frozenset("id $schema description type format title pattern exclusiveMaximum exclusiveMinimum uniqueItems nullable "
                  "x-kubernetes-embedded-resource x-kubernetes-int-or-string required x-kubernetes-list-map-keys enum allOf oneOf anyOf "
                  "x-kubernetes-validations properties patternProperties definitions".split())
RULE = {"rule": "string", "message": "string", "messageExpression": "string", "reason": "string", "fieldPath": "string", "optionalOldSelf": "bool"}
DEPTH_MAX = 90
Mismatched = Callable[[Json, str], Exception]


def decoded(value: Json, unknown: list[str], mismatched: Mismatched, depth: int = 0) -> Json:
    """The schema that a body means: nulls gone, unknown keywords reported. Raises what `mismatched` makes of a value of the wrong type."""
    if not isinstance(value, dict):
        raise mismatched(value, "v1.JSONSchemaProps")
    if depth > DEPTH_MAX:
        raise mismatched(value, "v1.JSONSchemaProps")

    def inner(one: Json) -> Json:
        return decoded(one, unknown, mismatched, depth + 1)

    out: dict[str, Json] = {}
    for name, held in value.items():
        kind = KEYWORDS.get(name)
        if kind is None:
            unknown.append(name)
        elif held is None and kind != "any":
            continue
        else:
            meant = _keyword(kind, held, inner, mismatched)
            if meant or name not in PLAIN:
                out[name] = meant
    return out


def _keyword(kind: str, held: Json, inner: Callable[[Json], Json], mismatched: Mismatched) -> Json:
    if kind in ("string", "bool", "int64", "float64"):
        return _scalar(kind, held, mismatched)
    if kind == "any":
        return held
    if kind == "schema":
        return inner(held)
    if kind == "map":
        if not isinstance(held, dict):
            raise mismatched(held, "map[string]v1.JSONSchemaProps")
        return {name: inner(one) for name, one in held.items()}
    if kind == "items":
        return [inner(one) for one in held] if isinstance(held, list) else inner(held)
    if kind == "bool or schema":
        return held if isinstance(held, bool) else inner(held)
    if not isinstance(held, list):
        raise mismatched(held, {"strings": "[]string", "values": "[]v1.JSON", "rules": "[]v1.ValidationRule"}.get(kind, "[]v1.JSONSchemaProps"))
    if kind == "strings":
        return [_scalar("string", one, mismatched) for one in held]
    if kind == "schemas":
        return [inner(one) for one in held]
    if kind == "rules":
        return [_rule(one, mismatched) for one in held]
    return held


def _rule(held: Json, mismatched: Mismatched) -> Json:
    if not isinstance(held, dict):
        raise mismatched(held, "v1.ValidationRule")
    return {name: _scalar(RULE[name], one, mismatched) for name, one in held.items() if name in RULE and one is not None}


def _scalar(kind: str, held: Json, mismatched: Mismatched) -> Json:
    number = isinstance(held, (int, float)) and not isinstance(held, bool)
    fits = {"string": isinstance(held, str), "bool": isinstance(held, bool), "int64": number and float(held).is_integer(), "float64": number}[kind]
    if not fits:
        raise mismatched(held, kind)
    return int(held) if kind == "int64" else held
