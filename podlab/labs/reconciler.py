"""Keeps awake clusters running in real time, their viewers told, their clocks and projection saved, and the unwatched ones asleep."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any

from podlab.labs import rows, storage
from podlab.labs.live import CLUSTERS, SLEEP_AFTER, Clusters, LiveCluster

logger = logging.getLogger(__name__)

TICK = 0.05  # seconds between two looks: what a learner may wait for a timer's effect
SAVE_EVERY = 5.0  # seconds between two saves of clocks and projection rows


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
                if live.viewers:
                    await _tick(live)
                elif time.monotonic() - live.unwatched_since > SLEEP_AFTER:
                    await clusters.sleep(live)
            clusters.round = time.monotonic() - began
            await asyncio.sleep(max(0.0, TICK - clusters.round))
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


async def _save_for_ever(clusters: Clusters) -> None:
    """Clocks, so that a restart does not turn time back, and the rows that teachers and screens query."""
    saved: dict[LiveCluster, tuple[int, rows.Projection]] = {}  # what the tables hold, and of which revision
    while True:
        await asyncio.sleep(SAVE_EVERY)
        try:
            clocks = {}
            for live in clusters.awake():
                live.engine.etcd.compact(live.engine.now)
                if live.rate and live.viewers:
                    clocks[live.id] = live.engine.now
                revision, held = saved.pop(live, (None, None))
                if revision == live.engine.etcd.revision or live.lock.locked():
                    if revision is not None and held is not None:
                        saved[live] = revision, held
                    continue
                revision, told = live.engine.etcd.revision, rows.project(live.engine)
                await clusters.writer.call(rows.save, live.id, told, held)
                saved[live] = revision, told
            if clocks:
                await clusters.writer.call(storage.save_clocks, clocks)
            saved = {live: told for live, told in saved.items() if not live.gone}
        except Exception:
            logger.exception("Saving clocks and projection rows failed; trying again")
