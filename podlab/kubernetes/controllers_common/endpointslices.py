"""Which EndpointSlices are to be written, made and deleted for the endpoints that are wanted (S/endpointslice/reconciler.go)."""

from __future__ import annotations

from typing import Any

from ..component import Controller
from ..etcd import Change
from ..objects import EMPTY, Map

MAX_ENDPOINTS = 100  # --max-endpoints-per-slice
SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
CHANGED = "endpoints.kubernetes.io/last-change-trigger-time"
FOREIGN_MS = 1_000  # endpointSliceChangeMinSyncDelay: after a change of a slice that its controller did not make


def services_of(change: Change, me: str) -> list[str]:
    """The keys of the Services whose slices, kept by `me`, somebody else has made, deleted or changed in what counts: their content
    (a generation) or the labels that say whose they are (onEndpointSliceUpdate)."""
    new, old = change.object["metadata"], change.old["metadata"] if change.old is not None else None
    found = [f"{one['namespace']}/{labels.get(SERVICE_NAME, '')}" for one in (new, old)
             if one is not None and (labels := one.get("labels") or EMPTY).get(MANAGED_BY) == me]
    if change.type == "MODIFIED" and old is not None and new.get("generation") == old.get("generation") and len(found) == 2:
        return found if found[0] != found[1] else []
    return list(dict.fromkeys(found))


class SliceKeeper(Controller):
    """A controller that writes slices, and looks again at a Service whose slices somebody else has touched. `writing`: it is itself at it."""

    manager: str  # what its slices say in MANAGED_BY
    writing = False

    def restore(self) -> None:
        self.cluster.etcd.subscribe("endpointslices", self._on_slice)
        super().restore()

    def _on_slice(self, change: Change) -> None:
        if not self.writing:
            for key in services_of(change, self.manager):
                self.enqueue(key, FOREIGN_MS, change.cause)


def plan(existing: list[Map], groups: dict[Any, list[Map]]) -> list[tuple[Map | None, list[Any], list[Map] | None]]:
    """(slice or None for a new one, its ports, its endpoints or None to delete it): only what has to change.

    Like reconcileByPortMapping: living endpoints stay in their slices, changed ones are changed in place, new ones fill the
    slices that have room and are touched anyway, and the rest makes new slices.
    """
    todo: list[tuple[Map | None, list[Any], list[Map] | None]] = []
    by_ports: dict[Any, list[Map]] = {}
    for one in existing:
        by_ports.setdefault(_port_key(one), []).append(one)
    empty_allowed = not groups  # a Service without Pods keeps one empty slice, the placeholder
    for ports, endpoints in groups.items():
        todo += _fit(by_ports.pop(ports, []), ports, endpoints)
    leftover = [one for slices in by_ports.values() for one in slices]
    if empty_allowed:
        placeholder = next((one for one in leftover if not one.get("ports")), leftover[0] if leftover else None)
        if placeholder is None or placeholder.get("endpoints") or placeholder.get("ports"):
            todo.append((placeholder, [], []))
        leftover = [one for one in leftover if one is not placeholder]
    elif leftover and (fresh := next((index for index, entry in enumerate(todo) if entry[0] is None), None)) is not None:
        todo[fresh] = (leftover.pop(0), todo[fresh][1], todo[fresh][2])  # a slice of other ports is used again before one is made
    return [*todo, *((one, [], None) for one in leftover)]


def _fit(slices: list[Map], ports: Any, endpoints: list[Map]) -> list[tuple[Map | None, list[Any], list[Map] | None]]:
    missing = {_uid(one): one for one in endpoints}
    kept: list[tuple[Map, list[Map], bool]] = []
    for one in slices:
        held = [missing.pop(_uid(old)) for old in one.get("endpoints") or () if _uid(old) in missing]
        kept.append((one, held, held != list(one.get("endpoints") or ())))
    new = list(missing.values())
    todo: list[tuple[Map | None, list[Any], list[Map] | None]] = []
    listed = [dict(port) for port in ports]
    for one, held, changed in sorted(kept, key=lambda entry: -len(entry[1])):
        room = MAX_ENDPOINTS - len(held)
        if new and room and (changed or len(new) <= room or len(new) >= MAX_ENDPOINTS):
            held, new, changed = [*held, *new[:room]], new[room:], True
        if not held:
            todo.append((one, [], None))
        elif changed:
            todo.append((one, listed, held))
    while new:
        todo.append((None, listed, new[:MAX_ENDPOINTS]))
        new = new[MAX_ENDPOINTS:]
    return todo


def _uid(entry: Map) -> str:
    return str(entry.get("targetRef", EMPTY).get("uid", "") or entry["addresses"][0])


def _port_key(one: Map) -> Any:
    return tuple(tuple((key, port[key]) for key in ("name", "protocol", "port", "appProtocol") if key in port)
                 for port in one.get("ports") or ())
