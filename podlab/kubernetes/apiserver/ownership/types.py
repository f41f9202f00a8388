"""How values of each type are taken apart when ownership is counted: struct, map, list by keys, set, or one whole.

The facts are those of the published schema (schema.py) for the API's own kinds; those of a custom kind come from its definition
(customresources). Sources: structured-merge-diff/schema, kube-openapi/pkg/schemaconv.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from .. import schema
from ..schema import FieldFacts

# Keys of list items that have a default in Go's types (+default="TCP")
KEY_DEFAULTS: dict[str, Any] = {"protocol": "TCP"}


class Type:
    """`kind` is "leaf" (a scalar, or a whole that is owned as one), "struct", "map", "list" (items by `keys`), "set" or "any".

    `fields` finds the type of a struct's field, None where it has no such field; `item` that of a map's value or a list's item.
    `expects` is what a whole must be, as messages say it: "string", "numeric", "boolean", "list", "map" or "".
    """

    __slots__ = ("_fields", "_known", "defaults", "expects", "item", "keys", "kind")

    def __init__(self, kind: str, *, fields: Callable[[str], Type | None] | None = None, item: Type | None = None,
                 keys: tuple[str, ...] = (), defaults: Mapping[str, Any] | None = None, expects: str = "") -> None:
        self.kind, self.item, self.keys, self.expects = kind, item, keys, expects
        self.defaults = defaults or KEY_DEFAULTS
        self._fields = fields
        if fields is not None:
            self._known: dict[str, Type | None] = {}

    def field(self, name: str) -> Type | None:
        """The type of a member. Maps have one for all, `any` guesses."""
        if self.kind == "struct" and self._fields is not None:
            try:
                found = self._known[name]
            except KeyError:
                found = self._known[name] = self._fields(name)
            return found or self.item
        return self.item if self.kind == "map" else self if self.kind == "any" else None

    def declares(self, name: str) -> bool:
        """Whether a struct has a field of that name of its own."""
        return self.kind == "struct" and self.field(name) is not None and self._known[name] is not None

    def below(self, name: str) -> Type | None:
        """The type behind a name of a set of fields (`f:spec`, `k:{...}`, `v:...`)."""
        return self.field(name[2:]) if name.startswith("f:") else self.item


LEAF, ATOMIC_MAP = Type("leaf"), Type("leaf", expects="map")
SCALARS = {name: Type("leaf", expects=name) for name in ("string", "numeric", "boolean")}
ANY = Type("any")


@lru_cache(maxsize=4096)
def of_struct(type_name: str) -> Type:
    """The type of one of the API's own structs, such as `io.k8s.api.core.v1.Container`."""
    def field(name: str) -> Type | None:
        facts = schema.field_facts(type_name, name)
        return None if facts is None else _of_facts(facts, type_name, name)
    return Type("struct", fields=field, expects="map")


def _of_facts(facts: FieldFacts, type_name: str, name: str) -> Type:
    inner = of_struct(facts.type) if facts.type and schema.definitions()[facts.type].get("properties") else LEAF
    if facts.kind == "struct":
        return ATOMIC_MAP if facts.map_type == "atomic" else inner
    if facts.kind == "map":
        return ATOMIC_MAP if facts.map_type == "atomic" else Type("map", item=inner, expects="map")
    if facts.kind == "list":
        kind, keys = list_relation(facts)
        return Type(kind, item=inner, keys=keys, expects="list")
    return _scalar(type_name, name)


def list_relation(facts: FieldFacts) -> tuple[str, tuple[str, ...]]:
    """("list", keys), ("set", ()) or ("leaf", ()): the list type, or what the patch strategy says of older types."""
    if facts.list_type == "map":
        return "list", facts.list_map_keys
    if facts.list_type == "set":
        return "set", ()
    if not facts.list_type and "merge" in facts.patch_strategies:
        return ("list", (facts.patch_merge_key,)) if facts.patch_merge_key else ("set", ())
    return "leaf", ()


def _scalar(type_name: str, name: str) -> Type:
    field = schema.definitions()[type_name]["properties"][name]
    kinds = field.get("type") or ()
    kinds = (kinds,) if isinstance(kinds, str) else kinds
    kind = next((one for one in kinds if one != "null"), "") if "$ref" not in field else ""
    return SCALARS.get({"integer": "numeric", "number": "numeric"}.get(kind, kind), LEAF)


# Struct fields that Go writes even when empty, beside those that decoding fills in (schema.STRUCTS)
MORE_STRUCTS = frozenset({("ReplicaSetSpec", "template"), ("NodeStatus", "daemonEndpoints"), ("NodeStatus", "nodeInfo"),
                          ("NodeDaemonEndpoints", "kubeletEndpoint")})


@lru_cache(maxsize=256)
def zero(type_name: str) -> dict[str, Any]:
    """The empty value of a struct as Go writes it: what a new object is compared with, so that its structs are nobody's."""
    definition = schema.definitions()[type_name]
    name, required = schema.short(type_name), definition.get("required") or ()
    out: dict[str, Any] = dict(schema.ALWAYS.get(name) or schema.ALWAYS.get(type_name.removeprefix(schema.PREFIX)) or {})
    for field, field_schema in (definition.get("properties") or {}).items():
        facts = schema.field_facts(type_name, field)
        if ((name, field) in schema.STRUCTS or (name, field) in MORE_STRUCTS) and facts is not None and facts.type:
            out[field] = zero(facts.type)
        elif field in required and not schema.is_pointer(type_name, field):
            kinds = field_schema.get("type") or ()
            kind = kinds if isinstance(kinds, str) else next((one for one in kinds if one != "null"), "")
            out.setdefault(field, {"string": "", "integer": 0, "boolean": False}.get(kind))
    return out
