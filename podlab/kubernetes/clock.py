"""Virtual time: a heap of timers that are plain data, ordered by (time, priority, sequence)."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Any

NORMAL = 5  # timers of one millisecond fire by priority, then in the order in which they were set


@dataclass(slots=True)
class Timer:
    at: int  # virtual ms
    priority: int
    sequence: int
    component: str
    payload: Any  # plain data
    because: int | None  # id of the cause under which it was set


class Clock:
    """The one clock of a cluster. `now` is virtual milliseconds since the Unix epoch."""

    def __init__(self, now: int) -> None:
        self.now = now
        self._sequence = 0
        self._heap: list[tuple[int, int, int]] = []
        self._timers: dict[int, Timer] = {}

    def set(self, at: int, component: str, payload: Any, because: int | None, priority: int = NORMAL) -> int:
        """Set a timer; one in the past fires at once. Returns its id, for `cancel`."""
        self._sequence += 1
        timer = Timer(max(at, self.now), priority, self._sequence, component, payload, because)
        self._timers[timer.sequence] = timer
        heappush(self._heap, (timer.at, priority, timer.sequence))
        return timer.sequence

    def cancel(self, timer_id: int | None) -> None:
        """Forget a timer; an id that has fired already, or None, is ignored."""
        if timer_id is not None:
            self._timers.pop(timer_id, None)
            if len(self._heap) > 64 and len(self._heap) > 2 * len(self._timers):
                self._heap = [(t.at, t.priority, t.sequence) for t in self._timers.values()]
                heapify(self._heap)

    def next_at(self) -> int | None:
        """When the next timer is due, or None when nothing will ever happen by itself."""
        while self._heap and self._heap[0][2] not in self._timers:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def pop(self) -> Timer:
        """Take the next timer and move `now` to it. Call `next_at` first."""
        timer = self._timers.pop(heappop(self._heap)[2])
        self.now = timer.at
        return timer

    def timers(self) -> list[Timer]:
        """Those still to come, in firing order."""
        return sorted(self._timers.values(), key=lambda t: (t.at, t.priority, t.sequence))

    def checkpoint(self) -> dict[str, Any]:
        return {"now": self.now, "sequence": self._sequence,
                "timers": [[t.at, t.priority, t.sequence, t.component, t.payload, t.because] for t in self.timers()]}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Clock:
        clock = cls(state["now"])
        clock._sequence = state["sequence"]
        for entry in state["timers"]:
            timer = Timer(*entry)
            clock._timers[timer.sequence] = timer
            clock._heap.append((timer.at, timer.priority, timer.sequence))
        heapify(clock._heap)
        return clock
