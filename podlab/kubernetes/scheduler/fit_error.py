"""The sentence of FailedScheduling: `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s). ...`

Source: FitError.Error in pkg/scheduler/framework/types.go.
"""

from __future__ import annotations

from collections.abc import Mapping

from .framework import Refusal

NO_NODES = "no nodes available to schedule pods"  # ErrNoNodesAvailable
NOTE_LENGTH_LIMIT = 1024  # util.NoteLengthLimit of events.k8s.io


def available_text(nodes: int, refusals: Mapping[str, Refusal], absent: str = "") -> str:
    """`0/N nodes are available: ` and how many nodes gave each reason, sorted as text; nodes that nobody asked give `absent`."""
    histogram: dict[str, int] = {}
    for refusal in refusals.values():
        for reason in refusal.reasons:
            histogram[reason] = histogram.get(reason, 0) + 1
    if absent and len(refusals) < nodes:
        histogram[absent] = histogram.get(absent, 0) + nodes - len(refusals)
    parts = ", ".join(sorted(f"{count} {reason}" for reason, count in histogram.items()))
    return f"0/{nodes} nodes are available:" + (f" {parts}." if parts else "")


def refused_text(nodes: int, reasons: tuple[str, ...]) -> str:
    """The same when a PreFilter refused the Pod outright: its words, without a count."""
    return f"0/{nodes} nodes are available: {', '.join(reasons)}."


def truncate(message: str) -> str:
    """An event's note: at most 1024 bytes, the last of them ` ...` (truncateMessage)."""
    data = message.encode()
    return message if len(data) <= NOTE_LENGTH_LIMIT else data[:NOTE_LENGTH_LIMIT - 4].decode(errors="ignore") + " ..."
