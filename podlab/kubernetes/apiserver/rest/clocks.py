"""Two clocks: the cluster's virtual time, and the wall clock by which clients compute ages.

Times in answers are moved so that "ten seconds ago" in the cluster is ten seconds ago for the client, at any rate and after any pause;
times in requests are moved back. Only fields that the schema calls times are touched, so an annotation stays what it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from .. import schema

STEADY_MS = 1500  # the distance of the clocks is kept while it is this near, so that an object reads the same twice
TIMES = (schema.TIME, schema.MICRO_TIME)


def steady(held: int | None, wanted_ms: int) -> int:
    """Whole seconds between the clocks: the former ones, unless they have drifted away."""
    if held is not None and abs(held * 1000 - wanted_ms) <= STEADY_MS:
        return held
    return round(wanted_ms / 1000)


@lru_cache(maxsize=4096)
def _fields(type_name: str) -> dict[str, str | None]:
    """Fields of a type that are times (None) or hold some (the type of the struct, list item or map value)."""
    return _explore(type_name, ())


def _explore(type_name: str, above: tuple[str, ...]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name, field in (schema.definitions().get(type_name, {}).get("properties") or {}).items():
        ref = _reference(field) or _reference(field.get("items") or {}) or _reference(field.get("additionalProperties") or {})
        if ref in TIMES:
            found[name] = None
        elif ref and ref not in above and _explore(ref, (*above, type_name)):
            found[name] = ref
    return found


def _reference(field: Any) -> str:
    return str(field.get("$ref") or "").removeprefix("#/$defs/") if isinstance(field, dict) else ""


def moved(type_name: str, obj: Any, seconds: int) -> Any:
    """`obj` of a type with all its times `seconds` later; what holds none is shared. Anything odd is left as it is."""
    if not seconds or not isinstance(obj, Mapping):
        return obj
    out: dict[str, Any] | None = None
    for name, inner in _fields(type_name).items():
        held = obj.get(name)
        if held is None:
            continue
        if inner is None:
            new: Any = _later(held, seconds) if isinstance(held, str) else held
        elif isinstance(held, list):
            new = [moved(inner, one, seconds) for one in held]
        elif isinstance(held, Mapping) and "properties" not in schema.definitions()[inner]:
            new = held
        elif isinstance(held, Mapping) and _is_map(type_name, name):
            new = {key: _later(one, seconds) if isinstance(one, str) else moved(inner, one, seconds) for key, one in held.items()}
        else:
            new = moved(inner, held, seconds)
        if new is not held:
            out = dict(obj) if out is None else out
            out[name] = new
    return obj if out is None else out


@lru_cache(maxsize=4096)
def _is_map(type_name: str, name: str) -> bool:
    return "additionalProperties" in schema.definitions()[type_name]["properties"][name]


@lru_cache(maxsize=16384)
def _later(text: str, seconds: int) -> str:
    try:
        at = datetime.fromisoformat(text.replace("Z", "+00:00")) + timedelta(seconds=seconds)
    except (ValueError, OverflowError):
        return text
    if at.tzinfo is None:
        return text  # no time of the API's: the engine says so
    fraction = f".{at.microsecond:06d}" if "." in text else ""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S") + fraction + "Z"
