"""The patches that kubectl computes: what turns one object into another, as a strategic merge patch.

Source: S/apimachinery/pkg/util/strategicpatch/patch.go (CreateTwoWayMergePatch, CreateThreeWayMergePatch).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..apiserver import schema
from ..apiserver.patch import DELETE_PRIMITIVES, DIRECTIVE, RETAIN, SET_ORDER
from ..objects import thaw
from ..resources import Resource

Json = Any


@dataclass(frozen=True, slots=True)
class _Options:
    additions: bool = True
    deletions: bool = True
    order: bool = False  # say the wished order of lists that merge
    retain: bool = False  # say which members of a union stay


def media_type(resource: Resource) -> str:
    """The kind of patch that kubectl sends for a resource: what people defined merges by RFC 7386 alone."""
    return f"application/{'merge' if resource.custom is not None else 'strategic-merge'}-patch+json"


def _kind(resource: Resource) -> str:
    """The type whose fields say how lists merge; "" for none."""
    return "" if resource.custom is not None else schema.type_of(resource)


def two_way(resource: Resource, original: Json, modified: Json) -> dict[str, Any]:
    """What turns `original` into `modified`."""
    return _maps(original, modified, _kind(resource), _Options(order=True))


def three_way(resource: Resource, original: Json, modified: Json, current: Json) -> dict[str, Any]:
    """What `kubectl apply` sends: additions and changes from `current` to `modified`, deletions from `original`."""
    kind = _kind(resource)
    changes = _maps(current, modified, kind, _Options(deletions=False, order=True, retain=True))
    removals = _maps(original, modified, kind, _Options(additions=False, order=True, retain=True))
    return _merged(removals, changes, kind)


def _maps(original: Json, modified: Json, kind: str, options: _Options, *, retain: bool = False) -> dict[str, Any]:
    patch: dict[str, Any] = {}
    for key in sorted(modified):
        value = modified[key]
        if key not in original:
            if options.additions:
                patch[key] = thaw(value)
            continue
        held = original[key]
        if isinstance(held, dict) and isinstance(value, dict):
            _map_member(patch, key, held, value, kind, options)
        elif isinstance(held, list) and isinstance(value, list):
            _list_member(patch, key, held, value, kind, options)
        elif options.additions and (type(held) is not type(value) or held != value):
            patch[key] = thaw(value)
    if options.deletions:
        patch.update({key: None for key in sorted(original) if key not in modified})
    if retain and options.retain:
        kept = sorted(key for key, value in modified.items() if value is not None)
        if kept and (patch or any(key not in modified for key in original)):
            patch[RETAIN] = kept
    return patch


def _map_member(patch: dict[str, Any], key: str, held: Json, value: Json, kind: str, options: _Options) -> None:
    facts = schema.field_facts(kind, key) if kind else None
    if facts and "replace" in facts.patch_strategies:
        if options.additions and held != value:
            patch[key] = thaw(value)
        return
    inner = _maps(held, value, facts.type if facts and facts.kind == "struct" else "", options,
                  retain=bool(facts and "retainKeys" in facts.patch_strategies))
    if inner:
        patch[key] = inner


def _list_member(patch: dict[str, Any], key: str, held: list[Json], value: list[Json], kind: str, options: _Options) -> None:
    facts = schema.field_facts(kind, key) if kind else None
    if not facts or "merge" not in facts.patch_strategies:
        if options.additions and held != value:
            patch[key] = thaw(value)
        return
    if not held:
        if value and options.additions:
            patch[key] = thaw(value)
        return
    if facts.patch_merge_key:
        changed = _lists_of_maps(held, value, facts, options)
        names: list[Json] = [{facts.patch_merge_key: one.get(facts.patch_merge_key)} for one in value]
        before: list[Json] = [{facts.patch_merge_key: one.get(facts.patch_merge_key)} for one in held]
        dropped: list[Json] = []
    else:
        changed = [one for one in value if one not in held] if options.additions else []
        dropped = [one for one in held if one not in value] if options.deletions else []
        names, before = list(value), list(held)
    common, was = [one for one in names if one in before], [one for one in before if one in names]
    if changed:
        patch[key] = changed
    if dropped:
        patch[DELETE_PRIMITIVES + key] = dropped
    if options.order and (changed or dropped or common != was) and names:
        patch[SET_ORDER + key] = names


def _lists_of_maps(held: list[Json], value: list[Json], facts: schema.FieldFacts, options: _Options) -> list[Json]:
    key = facts.patch_merge_key
    by_name = {one.get(key): one for one in held}
    changed: list[Json] = []
    for one in value:
        name = one.get(key)
        if name in by_name:
            inner = _maps(by_name[name], one, facts.type, options, retain="retainKeys" in facts.patch_strategies)
            if inner:
                changed.append({**inner, key: name})
        elif options.additions:
            changed.append(thaw(one))
    names = [one.get(key) for one in value]
    if options.deletions:
        changed += [{DIRECTIVE: "delete", key: name} for name in by_name if name not in names]
    return changed


def _merged(removals: dict[str, Any], changes: dict[str, Any], kind: str) -> dict[str, Any]:
    """Both patches as one (mergeMap with MergeParallelList false)."""
    out = dict(removals)
    for key, value in changes.items():
        held = out.get(key)
        facts = schema.field_facts(kind, key) if kind else None
        if isinstance(held, dict) and isinstance(value, dict):
            out[key] = _merged(held, value, facts.type if facts and facts.kind == "struct" else "")
        elif (isinstance(held, list) and isinstance(value, list) and facts and "merge" in facts.patch_strategies
              and facts.patch_merge_key):
            name = facts.patch_merge_key
            lists = list(held)
            for one in value:
                at = next((i for i, other in enumerate(lists) if other.get(name) == one.get(name)), None)
                if at is None:
                    lists.append(one)
                else:
                    lists[at] = _merged(lists[at], one, facts.type)
            out[key] = [one for one in lists if DIRECTIVE not in one] + [one for one in lists if DIRECTIVE in one]
        else:
            out[key] = value
    return out
