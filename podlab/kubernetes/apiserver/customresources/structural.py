"""Structural schemas at work on an object: what they do not know goes, what is unset gets its default, and how fields are owned.

Sources: apiextensions-apiserver/pkg/apiserver/schema (pruning, defaulting, objectmeta, listtype) and pkg/controller/openapi.
"""

from __future__ import annotations

from typing import Any

from ...objects import thaw
from ..ownership import types
from ..ownership.types import Type

Json = Any
Schema = dict[str, Any]
PRESERVE, INT_OR_STRING, EMBEDDED = "x-kubernetes-preserve-unknown-fields", "x-kubernetes-int-or-string", "x-kubernetes-embedded-resource"
LIST_TYPE, LIST_KEYS, MAP_TYPE = "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type"
RULES = "x-kubernetes-validations"
OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
ROOT = ("apiVersion", "kind", "metadata")


def prune(schema: Schema, value: Json, path: str = "", *, root: bool = True) -> list[str]:
    """Take out of `value`, in place, what the schema does not name; the paths of it, as strict decoding names them."""
    gone: list[str] = []
    if isinstance(value, dict):
        known = schema.get("properties") or {}
        others = schema.get("additionalProperties")
        whole = root or bool(schema.get(EMBEDDED))
        for name in list(value):
            here = f"{path}.{name}" if path else name
            if name in ROOT and whole:
                continue
            if name in known:
                gone += prune(known[name], value[name], here, root=False)
            elif isinstance(others, dict):
                gone += prune(others, value[name], f"{path}[{name}]" if path else name, root=False)
            elif not others and not schema.get(PRESERVE):
                del value[name]
                gone.append(here)
    elif isinstance(value, list):
        items = schema.get("items") or {}
        for at, item in enumerate(value):
            gone += prune(items, item, f"{path}[{at}]", root=False)
    return gone


def fill(schema: Schema, value: Json) -> None:
    """Set what is unset and has a default, in place. A null that may be none is unset where there is a default."""
    if isinstance(value, dict):
        for name, member in (schema.get("properties") or {}).items():
            if "default" in member and (name not in value or (value[name] is None and not member.get("nullable"))):
                value[name] = thaw(member["default"])
            if value.get(name) is not None:
                fill(member, value[name])
        others = schema.get("additionalProperties")
        if isinstance(others, dict):
            known = schema.get("properties") or {}
            for name, member in value.items():
                if name not in known:
                    if member is None and "default" in others and not others.get("nullable"):
                        value[name] = thaw(others["default"])
                    fill(others, value[name])
    elif isinstance(value, list):
        items = schema.get("items") or {}
        for at, item in enumerate(value):
            if item is None and "default" in items and not items.get("nullable"):
                value[at] = thaw(items["default"])
            fill(items, value[at])


def ownership(schema: Schema, *, root: bool = True) -> Type:
    """How values of a schema are taken apart when ownership is counted."""
    if root or schema.get(EMBEDDED):
        inner = _members(schema)
        meta = types.of_struct(OBJECT_META)
        fixed = {"apiVersion": types.SCALARS["string"], "kind": types.SCALARS["string"], "metadata": meta}
        return Type("struct", fields=lambda name: fixed.get(name) or inner(name), item=types.ANY if schema.get(PRESERVE) else None, expects="map")
    if schema.get(INT_OR_STRING):
        return types.LEAF
    kind = schema.get("type")
    if kind == "object":
        if schema.get(MAP_TYPE) == "atomic":
            return types.ATOMIC_MAP
        if schema.get("properties"):
            return Type("struct", fields=_members(schema), item=types.ANY if schema.get(PRESERVE) else None, expects="map")
        others = schema.get("additionalProperties")
        if isinstance(others, dict):
            return Type("map", item=ownership(others, root=False), expects="map")
        return types.ANY if schema.get(PRESERVE) or others else Type("struct", fields=lambda name: None, expects="map")
    if kind == "array":
        items = schema.get("items") or {}
        relation = {"map": "list", "set": "set"}.get(schema.get(LIST_TYPE) or "", "leaf")
        defaults = {key: member["default"] for key, member in (items.get("properties") or {}).items() if "default" in member}
        return Type(relation, item=ownership(items, root=False), keys=tuple(schema.get(LIST_KEYS) or ()), defaults=defaults, expects="list")
    if kind is None and schema.get(PRESERVE):
        return types.ANY
    return types.SCALARS.get({"integer": "numeric", "number": "numeric"}.get(kind or "", kind or ""), types.LEAF)


def _members(schema: Schema) -> Any:
    made: dict[str, Type] = {}

    def member(name: str) -> Type | None:
        found = (schema.get("properties") or {}).get(name)
        if found is None:
            return None
        if name not in made:
            made[name] = ownership(found, root=False)
        return made[name]
    return member
