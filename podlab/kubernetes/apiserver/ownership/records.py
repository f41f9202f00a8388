"""Ownership as stored objects carry it: a write is only noted, and counted when somebody asks (or the store forgets the past).

Counting needs the object before a write and the one after it. Both are immutable and share what did not change, so the note holds the
one before: (before, who, when). Counting later gives what counting at once would have given, whatever was asked in between; so it is
free to happen anywhere, and a read never changes history.
"""

from __future__ import annotations

from functools import lru_cache
from sys import intern
from typing import Any, NamedTuple

from ...objects import Map, Stored, memo
from ...resources import BY_KIND
from ...times import rfc3339
from .. import schema
from ..request import ADMIN, Request
from . import fields, managers, typed, types
from .managers import UPDATE, Entries, Entry, Writer

NOTES_MAX = 16  # writes that may wait to be counted: they keep the objects before them alive
NOT_FOLLOWED = frozenset({"binding", "eviction", "token"})  # subresources whose writes own nothing
COMPONENTS = {"default-scheduler": "kube-scheduler", "apiserver": "kube-apiserver", "": "kube-apiserver"}
PEOPLE = "podlab"  # who writes through the pages, which name no manager


class Note(NamedTuple):
    """A write to be counted. `before` None: the object is new, with `spec` as it was before admission added to it."""

    before: Map | None
    manager: str  # "" where nobody owns what was written (deletion marks, bindings)
    subresource: str
    at: int
    waiting: int
    spec: Map | None = None


@lru_cache(maxsize=1024)
def manager_of(user: str, named: str) -> str:
    """The manager's name: what the request says, or the program that a component is part of."""
    if named:
        return named
    if user.startswith("kubelet/"):
        return "kubelet"
    if user in COMPONENTS:
        return COMPONENTS[user]
    return PEOPLE if user == ADMIN or ":" in user else "kube-controller-manager"


def note(before: Map | None, request: Request | None, at: int, spec: Map | None = None) -> Any:
    """What a stored object remembers of the write that made it."""
    manager = subresource = ""
    if request is None:
        manager = "kube-apiserver" if before is None else ""
    elif request.verb in ("create", "update", "patch") and request.subresource not in NOT_FOLLOWED:
        manager, subresource = manager_of(request.user, request.options.get("fieldManager") or ""), request.subresource
    if before is None:
        return Note(None, manager, subresource, at, 1, spec)
    held = before.owned if isinstance(before, Stored) else None
    waiting = held.waiting + 1 if type(held) is Note else 1
    if waiting > NOTES_MAX:
        of(before)
        waiting = 1
    return Note(before, manager, subresource, at, waiting)


def of(obj: Map) -> Entries:
    """The managers of an object as it was stored, counted now if need be."""
    if not isinstance(obj, Stored):
        return of_event(obj) if obj.get("kind") == "Event" else ()
    held = obj.owned
    if type(held) is not Note:
        return held or ()
    chain: list[tuple[Stored, Note]] = []
    here: Map | None = obj
    while isinstance(here, Stored) and type(here.owned) is Note:
        chain.append((here, here.owned))
        here = here.owned.before
    entries: Entries = here.owned or () if isinstance(here, Stored) else ()
    for one, noted in reversed(chain):
        one.owned = entries = _counted(entries, one, noted)
    if chain:
        fields.parse.cache_clear()  # it served the steps of this chain; kept, it would weigh more than what it spares
    return entries


def _counted(entries: Entries, obj: Map, noted: Note) -> Entries:
    if not noted.manager or (noted.before is not None and not entries):
        return entries  # nobody's write, or one to an object whose managers were forgotten
    name = schema.type_of(BY_KIND[obj["kind"]])
    kind = types.of_struct(name)
    who = Writer(noted.manager, UPDATE, obj["apiVersion"], noted.subresource, _time(noted.at))
    if noted.before is not None:
        changed, removed = managers.differences(noted.before, obj, kind)
        return managers.update(entries, changed, removed, who)
    if noted.spec is None:
        changed, _ = managers.differences(types.zero(name), obj, kind)
    else:
        changed, _ = managers.differences(types.zero(name), obj, kind, ("spec", "status"))
        changed = {**changed, "f:spec": memo(noted.spec, "owned " + name, lambda spec: _of_spec(name, spec))}
    return managers.update((), changed, {}, who)


def _of_spec(name: str, spec: Map) -> Any:
    return typed.compare(types.zero(name)["spec"], spec, types.of_struct(name).field("spec"))[0] or {}


@lru_cache(maxsize=64)
def _time(at: int) -> str:
    return intern(rfc3339(at))


def writer(request: Request, operation: str, api_version: str, at: int) -> Writer:
    """Who writes with a request."""
    manager = manager_of(request.user, request.options.get("fieldManager") or "")
    return Writer(manager, operation, api_version, request.subresource, _time(at))


def born(type_name: str, obj: dict[str, Any], api_version: str, request: Request, at: int) -> Entries:
    """The managers of a new object, counted at once: as it was decoded and defaulted, before admission."""
    changed, _ = managers.differences(types.zero(type_name), obj, types.of_struct(type_name), ("status",))
    return managers.update((), changed, {}, writer(request, UPDATE, api_version, at))


def shown(obj: Any) -> Any:
    """An object as the API answers with it: metadata.managedFields and all."""
    entries = of(obj) if isinstance(obj, Map) else ()
    if not entries:
        return obj
    return {**obj, "metadata": {**obj["metadata"], "managedFields": managers.shown(entries)}}


def of_event(event: Map) -> Entries:
    """Events are written by their reporter alone, so who owns what follows from the Event itself."""
    reporter = event.get("reportingComponent") or (event.get("source") or {}).get("component") or ""
    name = schema.type_of(BY_KIND["Event"])
    changed, _ = managers.differences(types.zero(name), event, types.of_struct(name))
    time = event.get("lastTimestamp") or event["metadata"].get("creationTimestamp") or ""
    return managers.update((), changed, {}, Writer(manager_of(reporter, ""), UPDATE, event["apiVersion"], "", time))


# ---- checkpoints


def to_plain(objects: list[Map], sets: dict[str, int]) -> list[list[Any]]:
    """The managers of objects as plain data; `sets` numbers the texts of sets, which many objects share."""
    return [[[*one[:5], sets.setdefault(one.owned, len(sets))] for one in of(obj)] for obj in objects]


def from_plain(rows: list[Any], sets: list[str]) -> Entries:
    return tuple(Entry(row[0], row[1], row[2], row[3], row[4], sets[row[5]]) for row in rows)


def settle(obj: Any) -> None:
    """Count what waits: the past that it was noted against is about to be forgotten."""
    if isinstance(obj, Stored):
        of(obj)
