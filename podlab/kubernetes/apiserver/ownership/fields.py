"""Sets of fields in the form in which the API shows them: FieldsV1 (structured-merge-diff/fieldpath).

A set is a dict: `{"f:spec": {"f:replicas": {}}}`. A member without children is `{}`; one that has some holds `"."` as well.
Names: `f:` a field, `k:` a list item by its keys, `v:` an item of a set. The empty dict at the root is the empty set. Sets are never
changed in place, so they may share parts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from sys import intern
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .types import Type

Fields = dict[str, Any]
LEAF: Fields = {}
SELF = "."
DEPTH_MAX = 100


@lru_cache(maxsize=8)  # the steps of one object's history come one after the other
def parse(text: str) -> Fields:
    """The set of a text that `write` made."""
    found: Fields = json.loads(text)
    return found


def write(fields: Fields) -> str:
    """One text for equal sets."""
    return intern(json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False))  # many objects have the same


def is_sound(fields: Any, depth: int = 0) -> bool:
    """Whether something from outside is a set of fields."""
    if not isinstance(fields, dict) or depth > DEPTH_MAX:
        return False
    return all(
        name == SELF or ((name[:2] in ("f:", "v:", "i:") or (name[:2] == "k:" and _are_keys(name[2:]))) and is_sound(node, depth + 1))
        for name, node in fields.items()
    )


def _are_keys(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def is_member(node: Fields) -> bool:
    return not node or SELF in node


def union(one: Fields, other: Fields) -> Fields:
    if not one or not other:
        return one or other
    return _join(one, other)


def _join(one: Fields, other: Fields) -> Fields:
    out = dict(one)
    for name, node in other.items():
        held = out.get(name)
        out[name] = node if held is None or held is node else _join_members(held, node)
    return out


def _join_members(one: Fields, other: Fields) -> Fields:
    if not one or not other:
        full = one or other
        return {SELF: LEAF, **full} if full else LEAF
    return _join(one, other)


def difference(one: Fields, other: Fields) -> Fields:
    """The members of one set that are not members of the other."""
    return one if not one or not other else _without(one, other) or {}


def _without(one: Fields, other: Fields) -> Fields | None:
    out: Fields = {}
    for name, node in one.items():
        if name == SELF:
            continue
        against = other.get(name)
        if against is None:
            out[name] = node
            continue
        rest = _without(node, against) if node else None
        member = is_member(node) and not is_member(against)
        if rest:
            out[name] = {SELF: LEAF, **rest} if member else rest
        elif member:
            out[name] = LEAF
    return out or None


def without_subtrees(one: Fields, other: Fields) -> Fields:
    """Like `difference`, but a member of the other set takes along all that is below it (RecursiveDifference)."""
    out: Fields = {}
    for name, node in one.items():
        against = other.get(name) if name != SELF else None
        if against is None:
            out[name] = node
        elif not is_member(against):
            rest = without_subtrees(node, against)
            if rest:
                out[name] = rest
    return out


def intersection(one: Fields, other: Fields) -> Fields:
    out: Fields = {}
    for name, node in one.items():
        against = other.get(name)
        if against is None or name == SELF:
            continue
        below = intersection(node, against) if node and against else {}
        if is_member(node) and is_member(against):
            out[name] = {SELF: LEAF, **below} if below else LEAF
        elif below:
            out[name] = below
    return out


def with_structs(fields: Fields, kind: Type | None) -> Fields:
    """The set with every declared field that has members below it as a member too (EnsureNamedFieldsAreMembers)."""
    out: Fields = {}
    for name, node in fields.items():
        if name == SELF or not node:
            out[name] = node
            continue
        below = kind.below(name) if kind is not None else None
        inner = with_structs(node, below)
        named = kind is not None and name.startswith("f:") and kind.declares(name[2:])
        out[name] = {SELF: LEAF, **inner} if named else inner
    return out


def paths(fields: Fields, above: str = "") -> Iterator[str]:
    """Every member as messages write it: `.spec.template.spec.containers[name="nginx"].image`."""
    for name in sorted(fields):
        if name == SELF:
            continue
        here = above + written(name)
        if is_member(fields[name]):
            yield here
        yield from paths(fields[name], here)


def written(name: str) -> str:
    """One name of a set as messages write it: `.image`, `[name="nginx"]`, `[="x"]`."""
    mark, _, text = name.partition(":")
    if mark == "f":
        return "." + text
    if mark == "k":
        keys = json.loads(text)
        return "[" + ",".join(f"{key}={json.dumps(keys[key], ensure_ascii=False)}" for key in sorted(keys)) + "]"
    return f"[={text}]" if mark == "v" else f"[{text}]"
