"""Who is painted next: pictures of clusters that move by themselves, at most one in each round of the event loop.

When a class arrives, hundreds of clusters move at once, and each has ten pictures to show until its first Deployment is ready. Painted as
they fall due they would stand between a learner and the answer to what that learner did: a round of the loop would take as long as all
of them. One a round, and then a rest, leaves room for acts, which are painted at once; a server that is late paints less often, by itself.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

RESTS = 2  # times as long as the round took in which somebody was painted: pictures take a third of a busy server's time at the most


class Painted(Protocol):
    """A page that has something new to show."""

    def hurry(self) -> None:
        """Show the present now: wakes the page's own task. Must return at once."""


class Painter:
    """The pages that wait for their turn, first come first painted. Everything runs on the event loop."""

    def __init__(self) -> None:
        self._waiting: dict[Painted, None] = {}
        self._task: asyncio.Task[None] | None = None

    def add(self, page: Painted) -> None:
        self._waiting[page] = None
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    def discard(self, page: Painted) -> None:
        """It has been painted otherwise, or is gone."""
        self._waiting.pop(page, None)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                page = next(iter(self._waiting))
                del self._waiting[page]
                began = loop.time()
                page.hurry()
                await asyncio.sleep(0)  # its task paints it; then come those who have acted meanwhile
                await asyncio.sleep(RESTS * (loop.time() - began))
        finally:
            self._task = None


PAINTER = Painter()
