"""Two clocks: the cluster's virtual time, and the wall clock by which clients compute ages.

Times in answers are moved, so that what has just happened is of just now for the client, at any rate and after any pause; times in
requests are moved back. Only fields that the schema calls times are touched, so an annotation stays what it was.

How far they are moved belongs to the version of the object (its resourceVersion), not to the moment of reading: what has not changed reads
the same each time, and inside an object "thirty seconds later" stays that. docs/decisions/two-clocks.md tells why.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from ...resources import Resource
from .. import leases, schema, versions

STEADY_MS = 1500  # the distance of the clocks is kept while it is this near, so that an object reads the same twice
MARKS, HELD = 4096, 1024  # distances that are remembered: by revision, and of single versions
TIMES = (schema.TIME, schema.MICRO_TIME)
LEASES = tuple(f"io.k8s.api.coordination.{spec}" for spec in ("v1.LeaseSpec", "v1alpha2.LeaseCandidateSpec", "v1beta1.LeaseCandidateSpec"))
"""Times by the clock of whoever holds the lease, which no server reads: they stay as they were written."""


class Clock:
    """How far a client's clock is ahead of the cluster's, in whole seconds: `now`, and for each version of an object, by its revision."""

    def __init__(self) -> None:
        self.now = 0
        self._seen = -1
        self._marks: tuple[list[int], list[int]] = ([], [])  # from which revision on, how many seconds
        self._held: OrderedDict[str, int] = OrderedDict()

    def look(self, revision: int, ahead_ms: int) -> None:
        """The clocks stand so far apart, and the store is at a revision: what is new in it came to be by this distance."""
        if self._seen < 0 or abs(self.now * 1000 - ahead_ms) > STEADY_MS:
            self.now = round(ahead_ms / 1000)
        if revision <= self._seen:
            return
        revisions, seconds = self._marks
        if not seconds or seconds[-1] != self.now:
            if len(seconds) == MARKS:  # of the oldest half, every second one is forgotten
                kept = [*range(0, MARKS // 2, 2), *range(MARKS // 2, MARKS)]
                revisions, seconds = [revisions[at] for at in kept], [seconds[at] for at in kept]
            revisions.append(self._seen + 1)
            seconds.append(self.now)
            self._marks = revisions, seconds
        self._seen = revision

    def of(self, version: str) -> int:
        """Of a resourceVersion; "": what is made for this answer alone."""
        if version in self._held:
            return self._held[version]
        revisions, seconds = self._marks
        if not version.isdecimal() or not seconds:
            return self.now
        return seconds[max(bisect_right(revisions, int(version)) - 1, 0)]

    def hold(self, version: str, seconds: int) -> None:
        """A client wrote this version with times of its own, which were moved by so much: it reads them as it wrote them."""
        self._held[version] = seconds
        if len(self._held) > HELD:
            self._held.popitem(last=False)


def shown(resource: Resource, obj: Mapping[str, Any], clock: Clock) -> Any:
    """An object as a client reads it, by the client's clock."""
    metadata = obj["metadata"]
    found = moved(schema.type_of(resource), versions.as_served(resource, obj), clock.of(metadata.get("resourceVersion") or ""))
    if resource.plural == "leases" and metadata.get("namespace") == leases.NAMESPACE and (obj.get("spec") or {}).get("renewTime"):
        renewed = _later(obj["spec"]["renewTime"], clock.now)  # a kubelet's renewal is made up when it is read (apiserver/leases.py)
        return {**found, "spec": {**found["spec"], "renewTime": renewed}}
    return found


@lru_cache(maxsize=4096)
def _fields(type_name: str) -> dict[str, str | None]:
    """Fields of a type that are times (None) or hold some (the type of the struct, list item or map value)."""
    return _explore(type_name, ())


def _explore(type_name: str, above: tuple[str, ...]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name, field in (schema.definitions().get(type_name, {}).get("properties") or {}).items():
        ref = _reference(field) or _reference(field.get("items") or {}) or _reference(field.get("additionalProperties") or {})
        if ref in LEASES:
            continue
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
