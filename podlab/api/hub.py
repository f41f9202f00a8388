"""One for each cluster that has open streams: what has happened and is on disk, told to all of them at once.

A stream reads the shared history at its own pace and keeps nothing but its place; one that falls behind is told to list again.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, Generic, TypeVar

from django.conf import settings

from podlab.kubernetes.apiserver.rest import clocks
from podlab.kubernetes.cluster import Cluster as Engine
from podlab.kubernetes.etcd import Change
from podlab.labs.limits import Bucket, Writes
from podlab.labs.live import LiveCluster

T = TypeVar("T")
HISTORY = 5000  # changes kept for streams: a thousand Pods becoming Ready
GAP, GAP_A_STREAM = 0.03, 0.0006  # seconds between two rounds of news, and what each open stream adds: half of the time is others'
TOLD_TOGETHER, TOLD_PAUSE = 10, 0.003  # streams that are told before requests get a turn, and its seconds: a write takes several rounds of the loop
SNAPSHOTS, SNAPSHOT_SECONDS = 16, 300.0  # lists that are being read in pieces
ENCODED, TOLD = 2000, 64  # events kept as text, and rounds of news, since many watch the same,
TEXT_BYTES = 8 << 20  # and of each so many bytes at the most: an event may be a megabyte
TOGETHER = 32  # requests that share a turn and a commit

AUTHOR: ContextVar[str] = ContextVar("author", default="")
"""Who asks, where several people share a cluster: a learner's id, for the journal. Each request's task has its own."""


class Texts(Generic[T]):
    """What was made for one and serves others: the newest, so many and TEXT_BYTES of it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[Any, tuple[T, int]] = OrderedDict()
        self.size = 0

    def get(self, key: Any) -> T | None:
        found = self._held.get(key)
        return found[0] if found is not None else None

    def keep(self, key: Any, value: T, size: int) -> None:
        """`size`: its bytes. The key is not there yet."""
        self._held[key] = value, size
        self.size += size
        while len(self._held) > self._most or self.size > TEXT_BYTES:
            self.size -= self._held.popitem(last=False)[1][1]

    def clear(self) -> None:
        self._held.clear()
        self.size = 0


class Hub:
    def __init__(self, live: LiveCluster) -> None:
        self.live = live
        self.engine: Engine | None = None
        self.generation = 0  # rises when the cluster stands in another history (undo, reset)
        self.published = 0  # the last revision that is on disk
        self.changes: deque[Change] = deque(maxlen=HISTORY)
        self.oldest = 0  # watches may start from this revision on
        self.bucket = Bucket(settings.API_REQUESTS_PER_SECOND, settings.API_REQUESTS_BURST)
        self.submit = Writes(live.apply, "API", live.full)
        self.snapshots: OrderedDict[Any, tuple[float, list[Any]]] = OrderedDict()
        self.encoded: Texts[bytes] = Texts(ENCODED)
        self.told: Texts[tuple[list[bytes], int]] = Texts(TOLD)  # what watches alike were told of the same changes, and up to which
        self._clock, self._clocked = clocks.Clock(), live.engine
        self._waiting: set[asyncio.Event] = set()
        self._holders = 0  # streams that do not wait for the store: sessions, logs, visits
        self._wake = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None
        self._asked: list[tuple[Callable[[], Any], asyncio.Future[Any], str]] = []
        self._acting: asyncio.Task[None] | None = None

    # ---- requests

    async def act(self, work: Callable[[], T]) -> T:
        """`work()` inside a turn of the cluster, its result once it is on disk. Requests that come together share the commit.

        Raises what `work` raises, or Fenced.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._asked.append((work, future, AUTHOR.get()))
        if self._acting is None or self._acting.done():
            self._acting = asyncio.get_running_loop().create_task(self._act_for_all())
        return await future

    async def _act_for_all(self) -> None:
        while self._asked:
            batch, self._asked = self._asked[:TOGETHER], self._asked[TOGETHER:]
            results: list[tuple[Any, Exception | None]] = []
            try:
                async with self.live.turn(quiet=True):
                    for work, _, self.live.by in batch:
                        try:
                            results.append((work(), None))
                        except Exception as error:
                            results.append((None, error))
            except Exception as error:  # nothing of it is on disk
                results = [(None, error)] * len(batch)
            for (_, future, _), (value, failure) in zip(batch, results, strict=True):
                if future.done():
                    continue
                if failure is None:
                    future.set_result(value)
                else:
                    future.set_exception(failure)

    # ---- the cluster's side

    def hint(self) -> None:
        self._wake.set()

    def follow_engine(self) -> None:
        """Listen to the engine that the cluster has now. Call with the cluster held."""
        engine = self.live.engine
        if engine is self.engine:
            return
        self.engine, self.generation = engine, self.generation + 1
        self.changes.clear()
        self.encoded.clear()
        self.told.clear()
        self.snapshots.clear()
        self.changes.extend(engine.etcd.history)
        self.oldest = engine.etcd.compacted
        self.published = engine.etcd.revision
        engine.etcd.subscribe("*", lambda change: self._note(engine, change))

    def _note(self, engine: Engine, change: Change) -> None:
        if engine is not self.engine:
            return
        if len(self.changes) == HISTORY:
            self.oldest = self.changes[0].revision
        while self.changes and self.changes[0].revision <= engine.etcd.shed:
            self.oldest = self.changes.popleft().revision
        self.changes.append(change)

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            async with self.live.lock:
                if not self.live.gone:
                    self.follow_engine()
                    self.published = self.live.engine.etcd.revision
            for number, event in enumerate(list(self._waiting)):
                event.set()
                if number % TOLD_TOGETHER == TOLD_TOGETHER - 1:
                    await asyncio.sleep(TOLD_PAUSE)
            if self.live.gone:
                return
            await asyncio.sleep(GAP + GAP_A_STREAM * len(self._waiting))

    # ---- the streams' side

    @property
    def streams(self) -> int:
        return len(self._waiting)

    @asynccontextmanager
    async def awake(self) -> AsyncIterator[None]:
        """While open, the cluster runs in real time."""
        self._holders += 1
        self.live.viewers.add(self)
        try:
            yield
        finally:
            self._holders -= 1
            if not self._holders and not self._waiting:
                self.live.leave(self)

    @asynccontextmanager
    async def stream(self) -> AsyncIterator[asyncio.Event]:
        """The same, and the event is set when there may be news in the store."""
        event = asyncio.Event()
        self._waiting.add(event)
        self.live.viewers.add(self)
        if self._pump is None or self._pump.done():
            self._pump = asyncio.get_running_loop().create_task(self._run())
        self._wake.set()
        try:
            yield event
        finally:
            self._waiting.discard(event)
            if not self._waiting:
                if not self._holders:
                    self.live.leave(self)
                self._pump.cancel()
                self._pump = None

    def since(self, revision: int) -> list[Change]:
        """What is on disk after a revision, oldest first. Check `oldest` before."""
        found = []
        for change in reversed(self.changes):
            if change.revision <= revision:
                break
            if change.revision <= self.published:
                found.append(change)
        found.reverse()
        return found

    # ---- shared by requests

    def clock(self) -> clocks.Clock:
        """The wall clock beside the cluster's. Call inside a turn."""
        if self._clocked is not self.live.engine:  # undo and reset begin another history
            self._clocked, self._clock = self.live.engine, clocks.Clock()
        self._clock.look(self.live.engine.etcd.revision, int(time.time() * 1000) - max(self.live.engine.now, self.live.due()))
        return self._clock

    def keep(self, key: Any, objects: list[Any]) -> None:
        """A list that a client reads in pieces."""
        self.snapshots[key] = (time.monotonic() + SNAPSHOT_SECONDS, objects)
        self.snapshots.move_to_end(key)
        while len(self.snapshots) > SNAPSHOTS:
            self.snapshots.popitem(last=False)

    def kept(self, key: Any) -> list[Any] | None:
        until, objects = self.snapshots.get(key, (0.0, None))
        return objects if until > time.monotonic() else None


def hub_of(live: LiveCluster) -> Hub:
    """Lives exactly as long as the awake cluster does."""
    if live.hub is None:
        live.hub = Hub(live)
    hub: Hub = live.hub
    return hub
