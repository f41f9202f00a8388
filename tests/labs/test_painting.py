"""Pictures of clusters that move by themselves come one in each round of the event loop; whoever acts need not wait for all of them."""

from __future__ import annotations

import asyncio

from podlab.labs.painting import Painter


class Page:
    def __init__(self, told: list[str], name: str) -> None:
        self.told, self.name = told, name

    def hurry(self) -> None:
        self.told.append(self.name)


async def test_pages_are_painted_one_a_round_in_the_order_in_which_they_came() -> None:
    told: list[str] = []
    painter, pages = Painter(), [Page(told, name) for name in "abc"]
    for page in pages:
        painter.add(page)
    painter.add(pages[0])  # has its turn once
    for seen in ([], ["a"], ["a", "b"], ["a", "b", "c"], ["a", "b", "c"]):
        assert told == seen
        await asyncio.sleep(0)


async def test_a_page_that_was_painted_otherwise_or_is_gone_loses_its_turn() -> None:
    told: list[str] = []
    painter, pages = Painter(), [Page(told, name) for name in "abc"]
    for page in pages:
        painter.add(page)
    painter.discard(pages[1])
    for _ in range(4):
        await asyncio.sleep(0)
    painter.add(pages[1])  # and whoever comes later has theirs
    for _ in range(2):
        await asyncio.sleep(0)
    assert told == ["a", "c", "b"]
