"""Pictures of clusters that move by themselves come one in each round of the event loop; whoever acts need not wait for all of them."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from podlab.labs.painting import RESTS, Painter


class Page:
    def __init__(self, told: list[str], name: str) -> None:
        self.told, self.name = told, name

    def hurry(self) -> None:
        self.told.append(self.name)


async def rounds(told: list[str], count: int) -> None:
    """Let the loop go round until so many were painted, never two at once."""
    while len(told) < count:
        before = len(told)
        await asyncio.sleep(0)
        assert len(told) <= before + 1


async def test_pages_are_painted_one_a_round_in_the_order_in_which_they_came() -> None:
    told: list[str] = []
    painter, pages = Painter(), [Page(told, name) for name in "abc"]
    for page in pages:
        painter.add(page)
    painter.add(pages[0])  # has its turn once
    assert told == []
    await rounds(told, 3)
    await asyncio.sleep(0.01)
    assert told == ["a", "b", "c"]


async def test_a_page_that_was_painted_otherwise_or_is_gone_loses_its_turn() -> None:
    told: list[str] = []
    painter, pages = Painter(), [Page(told, name) for name in "abc"]
    for page in pages:
        painter.add(page)
    painter.discard(pages[1])
    await rounds(told, 2)
    painter.add(pages[1])  # and whoever comes later has theirs
    await rounds(told, 3)
    assert told == ["a", "c", "b"]


async def test_after_a_long_round_there_is_a_longer_rest() -> None:
    began: list[float] = []
    loop = asyncio.get_running_loop()

    class Slow:
        def hurry(self) -> None:
            began.append(loop.time())
            while loop.time() < began[-1] + 0.003:
                pass  # at work, as the page's own task is in that round
    painter = Painter()
    for page in (Slow(), Slow(), Slow()):
        painter.add(page)
    while len(began) < 3:
        await asyncio.sleep(0)
    assert all(later - earlier >= (1 + RESTS) * 0.003 for earlier, later in pairwise(began))
