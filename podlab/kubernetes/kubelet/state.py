"""The kubelet's record of one Pod: plain data, and the few questions everybody asks of it."""

from __future__ import annotations

from typing import Any

from ..objects import Map
from .podspec import EPHEMERAL, INIT, Part

Worker = dict[str, Any]
WAIT = -1  # what a step returns that waits for an event


def new_worker(pod: Map, now: int) -> Worker:
    """What the kubelet knows of one Pod.

    mode: run, terminating, terminated. phase: the true one, which the API may not know yet. steps: what is left of the sync
    under way. runs: {container: its latest two instances}. reasons: {container: [reason, message]} of those that could not be
    started. ended: [container, id] of ends that no relist has seen; stir: a relist will find something. sandbox: {"ip",
    "ready", "seen"}; `seen` once a relist has read its address. restart, pulling: back-off entries. errors: ms to a back-off's
    end, or None, of this sync's failures. Only where it is so: rejected (never admitted), finished (nothing of it is left here), unknown
    (its end was not seen), disrupted ([reason, message]), restarting (all containers begin anew), unpulled ({image volume that this sync
    could not pull: [reason, message]}). Times are virtual ms, timers clock ids, grace seconds.
    """
    metadata = pod["metadata"]
    return {
        "uid": metadata["uid"],
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "gone": None,
        "mode": "run",
        "phase": "",
        "steps": [],
        "timer": None,
        "turn": 0,
        "again": None,
        "requeue": None,
        "due": 0,
        "syncs": 0,
        "synced": now,
        "errors": [],
        "did": False,
        "runs": {},
        "reasons": {},
        "restart": {},
        "pulling": {},
        "stir": False,
        "ended": [],
        "sandbox": None,
        "attempt": 0,
        "mounted": False,
        "mount": None,
        "config": {},
        "probes": {},
        "probing": False,
        "kills": {},
        "grace": None,
        "failed": None,
        "resizing": {},
        "actual": {},
        "resize-restart": {},
        "deadline": None,
        "show": None,
        "refresh": None,
        "waits": {},
        "hooks": {},
    }


def newest(worker: Worker, name: str) -> dict[str, Any] | None:
    """A container's latest run, as last seen."""
    runs = worker["runs"].get(name)
    return runs[-1] if runs else None


def find_run(worker: Worker, name: str, container_id: str) -> dict[str, Any] | None:
    return next((run for run in worker["runs"].get(name, ()) if run["id"] == container_id), None)


def fail(worker: Worker, one: Part, reason: str, message: str, expiry: int | None = None) -> None:
    """A container could not be brought up in this sync. After an init container nothing further is tried."""
    worker["reasons"][one.name] = [reason, message]
    worker["waits"].pop(one.name, None)
    if one.kind == EPHEMERAL:
        expiry = None
    worker["errors"].append(expiry)
    rest = worker["steps"][1:]
    if one.kind == INIT:
        rest = [step for step in rest if step[0] == "end"]
    else:
        rest = [step for step in rest if not (step[0] in ("pull", "create", "start", "post-start") and step[1] == one.name)]
    worker["steps"][1:] = rest
