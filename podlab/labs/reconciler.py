"""Keeps awake clusters running in real time, their viewers told, their clocks and projection saved, and the unwatched ones asleep."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from podlab.labs import rows, storage
from podlab.labs.live import CLUSTERS, SLEEP_AFTER, Clusters, LiveCluster

logger = logging.getLogger(__name__)

TICK = 0.05  # seconds between two looks: what a learner may wait for a timer's effect
SAVE_EVERY = 5.0  # seconds between two saves of clocks, and of the projection rows of whoever has just left
ROWS_EVERY = 15.0  # seconds between two saves of the rows of a cluster that is being used: they are for when it sleeps
CLUSTERS_A_SAVE = 16  # clusters whose rows are written together: some 10 ms, in which no journal entry is written


_companions: list[Callable[[], Coroutine[Any, Any, None]]] = []


def accompany(start: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run `start()` beside the reconciler from the moment that the server starts."""
    _companions.append(start)


async def run(clusters: Clusters = CLUSTERS) -> None:
    """Started once by `manage.py serve`, on the server's event loop; runs until it is cancelled."""
    loop = asyncio.get_running_loop()
    beside = [loop.create_task(_save_for_ever(clusters)), *(loop.create_task(start()) for start in _companions)]
    try:
        while True:
            began = time.monotonic()
            for live in clusters.awake():
                try:
                    if live.viewers:
                        await _tick(live)
                    elif time.monotonic() - live.unwatched_since > SLEEP_AFTER:
                        await clusters.sleep(live)
                except Exception:  # a full disk, or whatever ails this one: the others' time goes on
                    logger.exception("Cluster %s could not go on or go to sleep; trying again", live.id)
                    live.unwatched_since = time.monotonic()
            await asyncio.sleep(max(0.0, TICK - (time.monotonic() - began)))
    finally:
        for task in beside:
            task.cancel()


async def _tick(live: LiveCluster) -> None:
    """Let one cluster's due timers fire, if nobody is acting on it just now, and tell its viewers when something changed."""
    if live.rate == 0 or live.lock.locked():
        return
    due = live.engine.clock.next_at()
    if due is None or due > live.due():
        return
    async with live.lock:
        before = live.mark()
        live.catch_up()
    if live.mark() != before:
        for viewer in list(live.viewers):
            viewer.hint()
    await asyncio.sleep(0)


@dataclass(frozen=True, slots=True)
class Saved:
    """What the tables hold of a cluster (`told`): its state at a revision, written at a moment of the monotonic clock."""

    revision: int
    at: float
    told: rows.Projection

    def is_old(self, live: LiveCluster) -> bool:
        moved = self.revision != live.engine.etcd.revision
        return moved and (not live.viewers or time.monotonic() - self.at >= ROWS_EVERY)


async def _save_for_ever(clusters: Clusters) -> None:
    """Clocks, so that a restart does not turn time back, and the rows that teachers and screens query."""
    saved: dict[LiveCluster, Saved] = {}
    while True:
        await asyncio.sleep(SAVE_EVERY)
        try:
            awake = clusters.awake()
            for at in range(0, len(awake), CLUSTERS_A_SAVE):
                await _save_rows(clusters, awake[at:at + CLUSTERS_A_SAVE], saved)
            clocks = {live.id: live.engine.now for live in clusters.awake() if live.rate and live.viewers}
            if clocks:
                await clusters.writer.call(storage.save_clocks, clocks)
            saved = {live: told for live, told in saved.items() if not live.gone}
        except Exception:
            logger.exception("Saving clocks and projection rows failed; trying again")


async def _save_rows(clusters: Clusters, group: list[LiveCluster], saved: dict[LiveCluster, Saved]) -> None:
    """Write the projection rows of the clusters that have moved, and note in `saved` what the tables hold now."""
    moved: dict[LiveCluster, Saved] = {}
    for live in group:
        live.engine.etcd.compact(live.engine.now)
        if not live.lock.locked() and (live not in saved or saved[live].is_old(live)):
            moved[live] = Saved(live.engine.etcd.revision, time.monotonic(), rows.project(live.engine))
        await asyncio.sleep(0)  # either takes a millisecond or two: others have their turn between two clusters
    if moved:
        before = {live: saved.pop(live).told if live in saved else rows.NOTHING if live.fresh else None for live in moved}
        await clusters.writer.call(rows.save, [rows.Change(live.id, one.told, before[live]) for live, one in moved.items()])
        saved.update(moved)
        for live in moved:
            live.fresh = False
