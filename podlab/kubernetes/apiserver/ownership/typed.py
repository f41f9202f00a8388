"""Values against their types: which fields they have, in which they differ, merging and taking away (structured-merge-diff/typed)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..patch import go_value
from .fields import LEAF, SELF, Fields, is_member, written
from .types import LEAF as LEAF_TYPE
from .types import Type

Json = Any
_MISSING: Any = object()
_GROUPS = ("struct", "map", "any")


def key_of(item: Json, kind: Type) -> str | None:
    """The name of a list's item (`k:{"name":"web"}`); None where it has not all keys."""
    if not isinstance(item, dict):
        return None
    found = {}
    for key in kind.keys:
        value = item.get(key)
        if value is None:
            value = kind.defaults.get(key)
            if value is None:
                return None
        found[key] = value
    return "k:" + json.dumps(found, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def name_of(item: Json, kind: Type) -> str | None:
    if kind.kind == "list":
        return key_of(item, kind)
    return "v:" + json.dumps(item, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _form(kind: Type | None, value: Json) -> str:
    """ "group", "items" or "leaf": how a value of a type is taken apart."""
    if kind is None:
        return "leaf"
    if kind.kind in _GROUPS and isinstance(value, dict):
        return "group"
    if kind.kind in ("list", "set") and isinstance(value, list):
        return "items"
    return "leaf"


# ---- which fields there are


def fields_of(value: Json, kind: Type | None) -> Fields:
    """What a configuration lays claim to (ToFieldSet), as the content of a node; LEAF for a whole."""
    form = _form(kind, value)
    if form == "leaf" or kind is None:
        return LEAF
    out: Fields = {}
    if form == "group":
        for name, member in value.items():
            inner = kind.field(name)
            below = fields_of(member, inner)
            empty = member is None or (isinstance(member, dict) and not member)
            if _form(inner, member) == "leaf" or empty:
                out["f:" + name] = LEAF
            elif kind.declares(name):
                if below:
                    out["f:" + name] = below
            else:
                out["f:" + name] = {SELF: LEAF, **below} if below else LEAF
        return out
    for item in value:
        name = name_of(item, kind)
        if name is not None:
            below = fields_of(item, kind.item) if kind.kind == "list" else LEAF
            out[name] = {SELF: LEAF, **below} if below else LEAF
    return out


def everything(value: Json, kind: Type | None) -> Fields:
    """The node of a value that is wholly new: all of it, and each part of it."""
    form = _form(kind, value)
    if form == "leaf" or not value or kind is None:
        return LEAF
    out: Fields = {SELF: LEAF}
    if form == "group":
        for name, member in value.items():
            out["f:" + name] = everything(member, kind.field(name))
        return out
    for item in value:
        name = name_of(item, kind)
        if name is not None:
            out[name] = everything(item, kind.item) if kind.kind == "list" else LEAF
    return out


# ---- in which they differ


def compare(old: Json, new: Json, kind: Type | None) -> tuple[Fields | None, Fields | None]:
    """(what was added or changed, what was removed) as nodes; None for nothing. Identical parts cost nothing."""
    if old is new:
        return None, None
    if old is _MISSING:
        return everything(new, kind), None
    if new is _MISSING:
        return None, everything(old, kind)
    forms = _form(kind, old), _form(kind, new)
    if None in (old, new) and "leaf" in forms and forms != ("leaf", "leaf"):  # null is an empty group or list
        full = new if old is None else old
        old, new = (type(full)(), new) if old is None else (old, type(full)())
        forms = _form(kind, full), _form(kind, full)
    if kind is not None and forms == ("group", "group"):
        return _compare_members(old, new, kind)
    if kind is not None and forms == ("items", "items"):
        return _compare_items(old, new, kind)
    return (LEAF, None) if old != new else (None, None)


def _compare_members(old: Mapping[str, Json], new: Mapping[str, Json], kind: Type) -> tuple[Fields | None, Fields | None]:
    changed: Fields = {}
    removed: Fields = {}
    for name, member in new.items():
        before = old.get(name, _MISSING)
        if before is member:
            continue
        more, less = compare(before, member, kind.field(name))
        if more is not None:
            changed["f:" + name] = more
        if less is not None:
            removed["f:" + name] = less
    for name, member in old.items():
        if name not in new:
            removed["f:" + name] = everything(member, kind.field(name))
    return changed or None, removed or None


def _compare_items(old: list[Json], new: list[Json], kind: Type) -> tuple[Fields | None, Fields | None]:
    changed: Fields = {}
    removed: Fields = {}
    held = {name: item for item in old if (name := name_of(item, kind)) is not None}
    seen = set()
    inner = kind.item if kind.kind == "list" else LEAF_TYPE
    for item in new:
        name = name_of(item, kind)
        if name is None:
            continue
        seen.add(name)
        more, less = compare(held.get(name, _MISSING), item, inner)
        if more is not None:
            changed[name] = more
        if less is not None:
            removed[name] = less
    for name, item in held.items():
        if name not in seen:
            removed[name] = everything(item, inner)
    return changed or None, removed or None


# ---- merging and taking away


def merge(live: Json, config: Json, kind: Type | None) -> Json:
    """A live value with a configuration over it. Shares what is the same."""
    forms = _form(kind, live), _form(kind, config)
    if kind is not None and forms == ("group", "group"):
        out = dict(live)
        for name, member in config.items():
            out[name] = merge(live[name], member, kind.field(name)) if name in live else member
        return out
    if kind is not None and forms == ("items", "items"):
        return _merge_items(live, config, kind)
    return config


def _merge_items(live: list[Json], config: list[Json], kind: Type) -> list[Json]:
    """Both lists' items; the configuration's order holds, and what is the live list's alone keeps its place between its neighbours."""
    ours = [(name_of(item, kind), item) for item in live]
    theirs = [(name_of(item, kind), item) for item in config]
    held, wanted = dict(reversed(ours)), {name for name, _ in theirs}
    shared = [name for name, _ in theirs if name in held]
    inner = kind.item if kind.kind == "list" else None
    out: list[Json] = []
    at = here = 0
    upcoming = iter(shared)
    awaited = next(upcoming, _MISSING)
    while at < len(ours) or here < len(theirs):
        mine = ours[at][0] if at < len(ours) else _MISSING
        its = theirs[here][0] if here < len(theirs) else _MISSING
        if mine is not _MISSING and mine in wanted and (mine != its or its is _MISSING) and mine != awaited:
            at += 1  # it comes where the configuration has it
        elif mine is not _MISSING and mine not in wanted:
            out.append(ours[at][1])
            at += 1
        elif its is not _MISSING:
            item = theirs[here][1]
            out.append(merge(held[its], item, inner) if its in held else item)
            here += 1
            if its == awaited:
                awaited = next(upcoming, _MISSING)
            if mine == its:
                at += 1
        else:
            at += 1
    return out


def remove(value: Json, gone: Fields, kind: Type | None) -> Json:
    """The value without the members of a set; a group or list that loses all becomes None (RemoveItems)."""
    form = _form(kind, value)
    if form == "leaf" or not value or not gone or kind is None:
        return value
    if form == "group":
        out: dict[str, Json] = {}
        for name, member in value.items():
            node = gone.get("f:" + name)
            if node is None:
                out[name] = member
            elif not is_member(node):
                out[name] = remove(member, node, kind.field(name))
        return out or None
    items: list[Json] = []
    for item in value:
        name = name_of(item, kind)
        node = gone.get(name) if name is not None else None
        if node is None:
            items.append(item)
        elif not is_member(node):
            items.append(remove(item, node, kind.item))
    return items or None


# ---- whether a configuration fits


def faults(value: Json, kind: Type | None, path: str = "") -> list[str]:
    """What is wrong with an applied configuration (typed/validate.go): `.spec.foo: field not declared in schema`."""
    if kind is None or value is None or kind.kind == "any":
        return []
    found: list[str] = []
    wanted = kind.expects
    if wanted == "map" or kind.kind in ("struct", "map"):
        if not isinstance(value, dict):
            return [f"{path or '.'}: expected map, got &{{{go_value(value)}}}"]
        if kind.kind == "leaf":
            return []
        for name, member in value.items():
            inner = kind.field(name)
            if kind.kind == "struct" and inner is None:
                found.append(f"{path}.{name}: field not declared in schema")
            else:
                found += faults(member, inner, f"{path}.{name}")
        return found
    if wanted == "list":
        if not isinstance(value, list):
            return [f"{path}: expected list, got &{{{go_value(value)}}}"]
        return _item_faults(value, kind, path)
    fits = {"string": isinstance(value, str), "boolean": isinstance(value, bool),
            "numeric": isinstance(value, (int, float)) and not isinstance(value, bool)}.get(wanted, True)
    if fits:
        return []
    name = "numeric (int or float)" if wanted == "numeric" else wanted
    got = f"&value.valueUnstructured{{Value:{go_value(value) if not isinstance(value, str) else json.dumps(value, ensure_ascii=False)}}}" \
        if wanted != "numeric" else type(value).__name__.replace("str", "string").replace("dict", "map[string]interface {}")
    return [f"{path}: expected {name}, got {got}"]


def _item_faults(value: list[Json], kind: Type, path: str) -> list[str]:
    found: list[str] = []
    if kind.kind == "leaf":
        return found
    seen: set[str] = set()
    for at, item in enumerate(value):
        name = name_of(item, kind)
        if name is None:
            missing = next((key for key in kind.keys if not isinstance(item, dict) or (item.get(key) is None and key not in kind.defaults)), "")
            found.append(f"{path}: element {at}: associative list with keys has an element that omits key field {json.dumps(missing)} "
                         "(and doesn't have default value)")
            continue
        where = written(name)
        if name in seen:
            found.append(f"{path}: duplicate entries for key {where}")
        seen.add(name)
        if kind.kind == "list":
            found += faults(item, kind.item, path + where)
    return found
