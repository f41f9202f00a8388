"""Where a value lies in another, for jq: setting it, taking it away. A path is a list of keys, indices and slices."""

from __future__ import annotations

from typing import Any

from .jq_values import ITEMS_MAX, JqError, bounds, field, kind, spend
from .jq_values import key as sort_key

DEPTH_MAX = 120


def put(value: Any, path: Any, new: Any, depth: int = 0) -> Any:
    """value with `new` at a path. Raises JqError."""
    if not path:
        return new
    if depth > DEPTH_MAX:
        raise JqError("Path too deep")
    name, rest = path[0], path[1:]
    spend(len(value) if isinstance(value, list | dict) else 1)
    inner = put(field(value, name), rest, new, depth + 1)
    if isinstance(name, dict):
        if not isinstance(inner, list):
            raise JqError("A slice of an array can only be assigned another array")
        held = value or []
        low, high = bounds(held, name.get("start"), name.get("end"))
        return [*held[:low], *inner, *held[high:]]
    if isinstance(name, str):
        return {**(value or {}), name: inner}
    held, at = list(value or []), int(name)
    if at < 0:
        at += len(held)
        if at < 0:
            raise JqError("Out of bounds negative array index")
    if at > ITEMS_MAX:
        raise JqError("Array index too large")
    held += [None] * (at + 1 - len(held))
    held[at] = inner
    return held


def without(value: Any, paths: list[Any]) -> Any:
    """value without what lies at the paths."""
    for path in sorted(paths, key=sort_key, reverse=True):
        value = _drop(value, path)
    return value


def _drop(value: Any, path: Any) -> Any:
    if not path:
        return None
    name = path[0]
    spend(len(value) if isinstance(value, list | dict) else 1)
    if value is None or (not isinstance(name, dict) and len(path) > 1 and field(value, name) is None):
        return value
    if len(path) > 1:
        return put(value, [name], _drop(field(value, name), path[1:]))
    if isinstance(value, dict) and isinstance(name, str):
        return {key: held for key, held in value.items() if key != name}
    if isinstance(value, list) and isinstance(name, dict):
        low, high = bounds(value, name.get("start"), name.get("end"))
        return [*value[:low], *value[high:]]
    if isinstance(value, list) and isinstance(name, int | float):
        at = int(name) + (len(value) if name < 0 else 0)
        return [*value[:at], *value[at + 1 :]] if 0 <= at < len(value) else value
    raise JqError(f"Cannot delete field at {'object' if isinstance(name, str) else 'array'} index of {kind(value)}")
