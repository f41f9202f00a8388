"""SchedulingGates: a Pod with gates does not even enter the queue (PreEnqueue). The API server shows it as SchedulingGated."""

from __future__ import annotations

from ...objects import Map


def gated(pod: Map) -> bool:
    return bool(pod["spec"].get("schedulingGates"))
