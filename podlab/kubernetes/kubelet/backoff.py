"""Waiting longer before each restart or pull of what keeps failing.

Sources: S/client-go/util/flowcontrol/backoff.go; pkg/kubelet/kubelet.go (initialCrashLoopBackOff, MaxCrashLoopBackOff,
imageBackOffPeriod, MaxImageBackOff and the reset after 600 s).
"""

from __future__ import annotations

from typing import Any

FIRST_MS = 10_000
MAX_MS = 300_000
FORGET_MS = 600_000

Entries = dict[str, dict[str, Any]]
"""{key: {"ms": the wait now in force, "at": when it was last raised}}"""


def left(entries: Entries, key: str, since: int, now: int) -> int:
    """Ms until `key` may be tried again, when it last failed at `since`; 0: now (IsInBackOffSince)."""
    entry = entries.get(key)
    if entry is None or since - entry["at"] > FORGET_MS:
        return 0
    return max(0, int(entry["ms"]) - (now - since))


def raise_(entries: Entries, key: str, since: int, now: int) -> None:
    """A try is let through: the next one waits twice as long (Next)."""
    entry = entries.get(key)
    if entry is None or since - entry["at"] > FORGET_MS:
        entries[key] = {"ms": FIRST_MS, "at": now}
    else:
        entry["ms"], entry["at"] = min(entry["ms"] * 2, MAX_MS), now
