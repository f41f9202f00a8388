"""What keeps the server's pauses short: the interpreter's lock and its search for garbage.

Hundreds of clusters are millions of objects. A full search for garbage looks at each of them and takes 0.6 s for 300 clusters, in which
nobody is answered; yet next to nothing of them is garbage. So what is there is put aside now and then (`gc.freeze`, which costs nothing),
and looked through only when enough clusters have gone, or much time.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time

from podlab.labs.live import Clusters, LiveCluster

SWITCH_SECONDS = 0.0005  # how long the event loop may keep the lock from the journal's thread (5 ms by default, for each statement)
YOUNG = 20_000  # new objects between two searches among the new
LOOK_EVERY = 5.0  # seconds between two times at which what is there is put aside
FULL_EVERY = 900.0  # seconds between two searches among all
FULL_AFTER = 20  # clusters gone, or as many as are left


def tune() -> None:
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.set_threshold(YOUNG, 10, 10)


async def keep_short(clusters: Clusters) -> None:
    """Started once by `manage.py serve`; runs until it is cancelled."""
    tune()
    full_at, gone, known = time.monotonic(), 0, set[LiveCluster]()
    while True:
        awake = set(clusters.awake())
        gone, known = gone + len(known - awake), awake
        if gone >= max(FULL_AFTER, len(awake)) or time.monotonic() - full_at > FULL_EVERY:
            full_at, gone = time.monotonic(), 0
            gc.unfreeze()
            gc.collect()
        gc.freeze()
        await asyncio.sleep(LOOK_EVERY)
