"""The scheduling queue: Pods to try now, Pods that back off, and Pods that nothing but a change of the cluster can help.

Source: pkg/scheduler/backend/queue/{scheduling_queue,active_queue,backoff_queue}.go. Everything that matters is in `state` (plain
data); the heaps are rebuilt from it. Times are virtual ms.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush
from typing import Any

from ..objects import Map
from .framework import priority
from .plugins.priority_sort import Rank, rank

INITIAL_BACKOFF_MS = 1_000  # DefaultPodInitialBackoffSeconds
MAX_BACKOFF_MS = 10_000  # DefaultPodMaxBackoffSeconds
WINDOW_MS = 1_000  # backoffQOrderingWindowDuration: ends of back-offs are cut to whole seconds
MAX_UNSCHEDULABLE_MS = 300_000  # DefaultPodMaxInUnschedulablePodsDuration
FLUSH_MS = 30_000  # flushUnschedulablePodsLeftover runs this often

Entry = dict[str, Any]
"""One waiting Pod: uid, queue (active, backoff, error, parked, gated; held while its volumes are bound), priority, entered (ms),
sequence, failures, errors, plugins (who refused it last), ready (ms, end of its back-off), because (id of what put it here)."""


class SchedulingQueue:
    def __init__(self, state: dict[str, Any]) -> None:
        """`state` is {"pods": {key: entry}, "sequence": last one used}; it is kept up to date in place."""
        self.state = state
        self.pods: dict[str, Entry] = state["pods"]
        self._active: list[tuple[Rank, str]] = []
        self._backoff: list[tuple[int, Rank, str]] = []
        self.parked: dict[str, None] = {}  # keys in the unschedulable pool
        for key, entry in self.pods.items():
            self._place(key, entry, entry["queue"])

    def _place(self, key: str, entry: Entry, queue: str) -> None:
        entry["queue"] = queue
        self.parked.pop(key, None)
        if queue == "active":
            heappush(self._active, (_rank(entry), key))
        elif queue == "backoff":
            heappush(self._backoff, (entry["ready"], _rank(entry), key))
        elif queue == "parked":
            self.parked[key] = None

    def _stamp(self, entry: Entry, now: int) -> None:
        self.state["sequence"] += 1
        entry["entered"], entry["sequence"] = now, self.state["sequence"]

    def add(self, key: str, pod: Map, now: int, because: int | None, gated: bool) -> None:
        """A new Pod to schedule, or one whose gates are gone."""
        entry: Entry = {"uid": pod["metadata"]["uid"], "queue": "", "priority": -rank(pod, 0, 0)[0], "entered": 0, "sequence": 0,
                        "failures": 0, "errors": 0, "plugins": [], "ready": 0, "because": because}
        self._stamp(entry, now)
        self.pods[key] = entry
        self._place(key, entry, "gated" if gated else "active")

    def forget(self, key: str) -> None:
        self.pods.pop(key, None)
        self.parked.pop(key, None)

    def touch(self, key: str, pod: Map) -> None:
        """The Pod changed in a way that does not make it schedulable; its priority may be another."""
        entry = self.pods[key]
        if entry["priority"] != priority(pod):
            entry["priority"] = priority(pod)
            self._place(key, entry, entry["queue"])

    def pop(self) -> str | None:
        """Take the next Pod to try. When no active one is left, one that backs off goes early (SchedulerPopFromBackoffQ)."""
        while self._active:
            found, key = heappop(self._active)
            if self._is(key, "active", found):
                return key
        while self._backoff:
            _, found, key = heappop(self._backoff)
            if self._is(key, "backoff", found):
                return key
        return None

    def _is(self, key: str, queue: str, found: Rank) -> bool:
        entry = self.pods.get(key)
        return entry is not None and entry["queue"] == queue and _rank(entry) == found

    def waiting(self) -> bool:
        """Whether `pop` would give a Pod."""
        while self._active and not self._is(self._active[0][1], "active", self._active[0][0]):
            heappop(self._active)
        while self._backoff and not self._is(self._backoff[0][2], "backoff", self._backoff[0][1]):
            heappop(self._backoff)
        return bool(self._active or self._backoff)

    def hold(self, key: str) -> None:
        """A node was found, but binding takes a while: not to be tried meanwhile."""
        self._place(key, self.pods[key], "held")

    def park(self, key: str, plugins: Iterable[str], now: int) -> int | None:
        """A try failed. Refused by plugins it waits for a change; after an error it waits for time: returns ms until then."""
        entry = self.pods[key]
        self._stamp(entry, now)
        entry["plugins"] = list(plugins)
        if entry["plugins"]:
            entry["failures"], entry["errors"] = entry["failures"] + 1, 0
            entry["ready"] = _backoff_end(now, entry["failures"])
            self._place(key, entry, "parked")
            return None
        entry["errors"] += 1
        entry["ready"] = _backoff_end(now, entry["errors"])
        self._place(key, entry, "error")
        return max(int(entry["ready"]) - now, 0)

    def requeue(self, key: str, now: int, because: int | None) -> None:
        """Something changed: try it again, as soon as its back-off is over (or nobody else is waiting)."""
        entry = self.pods[key]
        entry["because"] = because
        backing_off = entry["ready"] > now - now % WINDOW_MS
        self._place(key, entry, "backoff" if backing_off else "active")

    def left_over(self, now: int) -> list[str]:
        """Those that have been parked for five minutes: to be tried again without any reason."""
        return [key for key in self.parked if now - self.pods[key]["entered"] >= MAX_UNSCHEDULABLE_MS]

    def next_flush(self) -> int | None:
        """When the next of `left_over` will be due, on the 30 s grid of flushes."""
        if not self.parked:
            return None
        due = min(self.pods[key]["entered"] for key in self.parked) + MAX_UNSCHEDULABLE_MS
        return int(-(-due // FLUSH_MS) * FLUSH_MS)


def _rank(entry: Entry) -> Rank:
    return (-entry["priority"], entry["entered"], entry["sequence"])


def _backoff_end(now: int, attempts: int) -> int:
    """1 s, doubled for each further failure, at most 10 s (calculateBackoffDuration), cut to a whole second."""
    end = now + min(INITIAL_BACKOFF_MS << min(attempts - 1, 10), MAX_BACKOFF_MS)
    return end - end % WINDOW_MS
