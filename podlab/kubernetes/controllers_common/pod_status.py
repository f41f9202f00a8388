"""What the scheduler and controllers write into a Pod's status: a condition, and members such as nominatedNodeName or the phase."""

from __future__ import annotations

from typing import Any

from ..objects import EMPTY, Map
from ..times import rfc3339


def condition(pod: Map, type_: str, value: str, reason: str, message: str, now: int) -> dict[str, Any] | None:
    """The condition to write, or None if it stands there already; its time changes with its status only (UpdatePodCondition)."""
    conditions = (pod.get("status") or EMPTY).get("conditions") or ()
    old = next((c for c in conditions if c["type"] == type_), EMPTY)
    since = old["lastTransitionTime"] if old.get("status") == value else rfc3339(now)
    generation = pod["metadata"].get("generation")
    observed = {"observedGeneration": generation} if generation else {}
    new = {"type": type_, **observed, "status": value, "lastProbeTime": None, "lastTransitionTime": since, "reason": reason,
           "message": message}
    return None if {"lastProbeTime": None, **old} == new else new


def with_status(pod: Map, changed: dict[str, Any] | None, members: dict[str, Any]) -> dict[str, Any]:
    """The Pod with a condition set in its place, and other members of its status (None: taken away)."""
    status = {key: held for key, held in {**(pod.get("status") or EMPTY), **members}.items() if held is not None}
    if changed is not None:
        conditions = status.get("conditions") or ()
        if any(c["type"] == changed["type"] for c in conditions):
            status["conditions"] = [changed if c["type"] == changed["type"] else c for c in conditions]
        else:
            status["conditions"] = [*conditions, changed]
    return {**pod, "status": status}
