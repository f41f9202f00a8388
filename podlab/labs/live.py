"""Clusters that are awake in this process: the engine's state in memory, in step with real time, every act in the journal first.

Everything here runs on the server's event loop; only the database work is done in the writer's thread.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol

from django.conf import settings
from django.db import DatabaseError

from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.cluster import Cluster as Engine
from podlab.labs import births, storage
from podlab.labs.models import RATE, Cluster, JournalEntry
from podlab.labs.storage import Entry, Fenced, Writer
from podlab.labs.transcript import Transcript
from podlab.projection.timeline import Past

logger = logging.getLogger(__name__)

RATES = (0.0, 0.25, 1.0, 4.0, 16.0)  # virtual seconds a real second that the page offers
STEPS_A_TURN = 1500  # timers that a jump to the next event may fire
LONGEST_WRITING = 0.01  # seconds of a large checkpoint's making in one go
LONGEST_TURN = 0.05  # seconds of work in one turn: a cluster with more to do lags behind, so that the others do not
ENTRIES_A_CHECKPOINT = 40
CHECKPOINT_GAP, ENTRIES_AT_MOST = 10.0, 400  # seconds between two, as writing one holds the loop for 10 ms and more; but no longer replay than this
LARGE = 1_000_000  # characters of a state that is written a piece at a time,
CHECKPOINT_SHARE = 20  # and after which there is none for so many times as long as it took
STATE_MAX = int(40_000_000 * settings.ROOM)  # characters, files of containers counted: beyond it clients and shells may only delete
SLEEP_AFTER = 60.0  # real seconds without a viewer


class Viewer(Protocol):
    """Somebody who looks at a cluster and wants to know when it has moved."""

    def hint(self) -> None:
        """The cluster has something new (its revision or clock). Must return at once."""


class LiveCluster:
    """One awake cluster. Use `async with live.turn():` around acts: it lets nobody in between, and commits what was done."""

    def __init__(self, cluster_id: int, engine: Engine, sequence: int, rate: float, writer: Writer) -> None:
        self.id, self.engine, self.sequence, self.rate = cluster_id, engine, sequence, rate
        self.viewers: set[Viewer] = set()
        self.lock = asyncio.Lock()
        self.writer = writer
        self.marks: set[str] = set()  # names of moments that the journal holds (rewind.mark), as far as they are known
        self.era = 0  # how often the engine was replaced: another past may have the same revision
        self.gone = False  # discarded: fetch it again
        self.mended = False  # something of what was stored could not be read when it was woken
        self.fresh = False  # its row was only just made: no other table holds anything of it
        self.unwatched_since = time.monotonic()
        self.render: Any = None  # the last render of the board and what it was made of, shared by all viewers (panels.rendered)
        self.render_key: Any = None
        self.requests, self.requests_key = "", None  # the list of recent requests and what it was made of (panels.requests)
        self.past = Past()  # the time track's dots, shared likewise
        self.hub: Any = None  # what the streams of API clients share (podlab/api/hub.py)
        self.transcript = Transcript()
        self.by = ""  # who acts in the present turn, where several people share the cluster: a learner's id
        self.people: dict[str, str] = {}  # id -> name of everybody who shares it; empty where nobody does
        self._pending: list[Any] = []
        self.size, self._grown = 0, 0  # characters of the last checkpoint, and of what was asked since
        self._unsaved, self._saved, self._rest = 0, -CHECKPOINT_GAP, 0.0
        self._anchor()

    def mark(self) -> tuple[int, int, int, int]:
        """What viewers can see has moved when this has: objects, what happened, requests that went between Pods."""
        return self.era, self.engine.etcd.revision, self.engine.causes.last, self.engine.network.told

    def picture_key(self) -> tuple[int, int, int, int]:
        """What the diagram is drawn of has moved when this has."""
        return self.era, self.engine.etcd.revision, self.engine.causes.last, self.engine.network.state["next"]

    # ---- time

    def _anchor(self) -> None:
        self._wall, self._virtual = time.monotonic(), self.engine.now

    def due(self) -> int:
        """Virtual ms at which the cluster should stand by now."""
        return self._virtual + int((time.monotonic() - self._wall) * 1000 * self.rate)

    def catch_up(self) -> bool:
        """Run to the present. False when there was too much to do in one turn; then the clock lags and goes on from there."""
        if self.rate == 0:
            return True
        due, began = self.due(), time.monotonic()
        while not self.engine.run_until(due, 1):  # a look at the clock takes less than the least of timers
            if time.monotonic() - began > LONGEST_TURN:
                self._anchor()
                return False
        return True

    def set_rate(self, rate: float) -> None:
        """Change the pace. Call inside a turn."""
        self.catch_up()
        self.rate = rate
        self._anchor()
        self.apply({"do": "rate", "rate": rate})

    def next_event(self) -> int | None:
        """Jump to the next moment at which something happens. Returns virtual ms, or None when nothing ever will by itself."""
        before, began = (self.engine.etcd.revision, self.engine.causes.last), time.monotonic()
        for _ in range(STEPS_A_TURN):
            if self.engine.clock.next_at() is None:
                break
            self.engine.step()
            if (self.engine.etcd.revision, self.engine.causes.last) != before or time.monotonic() - began > LONGEST_TURN:
                break
        self._anchor()
        return self.engine.clock.next_at()

    # ---- acts

    def leave(self, viewer: Viewer) -> None:
        self.viewers.discard(viewer)
        self.unwatched_since = time.monotonic()

    @asynccontextmanager
    async def turn(self, *, quiet: bool = False, by: str = "") -> AsyncIterator[Engine]:
        """Hold the cluster alone, at the present. On leaving, what was applied is on disk, or Fenced is raised and the cluster is gone.

        Viewers are told, unless `quiet` and nothing was applied or happened. `by`: who acts, where several people share the cluster.
        """
        async with self.lock:
            if self.gone:
                raise Fenced
            before = self.mark()
            self.catch_up()
            self.by = by
            try:
                yield self.engine
            finally:
                self.by = ""
                acted = bool(self._pending)
                try:
                    await self._commit()
                finally:  # of what could not be stored whoever looks on hears too: their page joins what is
                    moved = self.mark() != before
                    if acted or moved or not quiet:
                        for viewer in list(self.viewers):
                            viewer.hint()

    def apply(self, entry: Entry, also: Any = None) -> Any:
        """Do an act now, inside a turn. Its row is written when the turn ends, in one transaction with `also`, another new row if given.

        Raises ApiError when the cluster refuses; refusals stand in the journal too.
        """
        entry = {"at": self.engine.now, **entry, **self.authored()}
        self.sequence += 1
        rows = [storage.row_of(self.id, self.sequence, entry), *([also] if also is not None else [])]
        self._pending.extend(rows)
        try:
            return self.engine.apply(entry)
        except ApiError:
            raise
        except Exception:  # an act that the engine cannot do must not stand in the journal, or no replay would get past it
            del self._pending[-len(rows):]
            self.sequence -= 1
            raise

    def authored(self) -> Entry:
        """What an entry of the present turn says of its author."""
        return {"by": self.by} if self.by else {}

    async def _commit(self) -> None:
        if not self._pending:
            return
        rows, self._pending = self._pending, []
        try:
            await self.writer.write(rows)
        except Exception:
            self.gone = True  # what memory holds is not what the journal says
            raise
        self._unsaved += len(rows)
        self._grown += sum(len(row.request) for row in rows if isinstance(row, JournalEntry))
        rest = time.monotonic() - self._saved
        if rest >= self._rest and self._unsaved >= (ENTRIES_A_CHECKPOINT if rest >= CHECKPOINT_GAP else ENTRIES_AT_MOST):
            try:
                await self.save()
            except DatabaseError:  # what was done is stored: only a restart would take longer
                logger.exception("Cluster %s: no checkpoint could be written", self.id)

    async def save(self) -> None:
        """Write a checkpoint of the present, so that a restart need not replay. Call with the cluster held: others run in between."""
        self._unsaved, self._saved = 0, time.monotonic()
        text = await self.written(self.engine)
        self.size, self._grown = len(text) if isinstance(text, str) else sum(map(len, text)), 0
        await self.writer.call(storage.save_checkpoint, self.id, self.sequence, self.engine.now, text)
        self._rest = CHECKPOINT_SHARE * (time.monotonic() - self._saved) if self.size >= LARGE else 0.0

    async def written(self, engine: Engine) -> str | list[str]:
        """The text of an engine's state, this one's or one that takes its place, which stands still meanwhile; of a large one in pieces."""
        state = engine.checkpoint()
        return storage.written(state) if self.size + self._grown < LARGE else await _pieces(state)

    def full(self) -> bool:
        """There is more in it than a cluster may hold, by the last checkpoint."""
        return self.size > STATE_MAX

    def replace(self, engine: Engine) -> None:
        """Stand at another moment (undo, reset). Call inside a turn, and `save` in it too."""
        self.engine = engine
        self.marks.clear()
        self.era += 1
        self._anchor()


async def _pieces(state: dict[str, Any]) -> list[str]:
    """`storage.pieces`, letting others run in between."""
    text, began = [], time.monotonic()
    for piece in storage.pieces(state):
        text.append(piece)
        if time.monotonic() - began > LONGEST_WRITING:
            await asyncio.sleep(0)
            began = time.monotonic()
    return text


class Clusters:
    """The awake clusters of this process."""

    def __init__(self) -> None:
        self.writer = Writer()
        self._awake: dict[int, LiveCluster] = {}
        self._waking: dict[int, asyncio.Task[LiveCluster]] = {}

    def awake(self) -> list[LiveCluster]:
        return list(self._awake.values())

    def find(self, cluster_id: int) -> LiveCluster | None:
        live = self._awake.get(cluster_id)
        return live if live is not None and not live.gone else None

    async def get(self, cluster_id: int) -> LiveCluster:
        """The awake cluster, woken from its rows if need be."""
        if live := self.find(cluster_id):
            return live
        task = self._waking.get(cluster_id)
        if task is None:
            task = self._waking[cluster_id] = asyncio.get_running_loop().create_task(self._wake(cluster_id))
            task.add_done_callback(lambda _: self._waking.pop(cluster_id, None))
        return await asyncio.shield(task)

    async def _wake(self, cluster_id: int) -> LiveCluster:
        if lesson := births.lesson_of_new(cluster_id):
            live = self._awake[cluster_id] = LiveCluster(cluster_id, await self._born(lesson), 0, RATE, self.writer)
            live.fresh = True
            live.render_key, live.render = live.picture_key(), births.pictures(lesson)
            return live
        try:
            row, checkpoint, entries = await self.writer.call(storage.load, cluster_id)
            text = await asyncio.to_thread(storage.text_of, bytes(checkpoint.state)) if checkpoint else ""
            engine = await restored(text) if checkpoint else await self._born(row.lesson)
            size = len(text)
            sequence = await replay(engine, entries, checkpoint.sequence if checkpoint else 0)
            mended = False
        except (Cluster.DoesNotExist, DatabaseError):
            raise
        except Exception:
            logger.exception("Cluster %s cannot be woken by its last checkpoint; looking for what can be read", cluster_id)
            row, engine, sequence = await self._mended(cluster_id)
            mended, size = True, LARGE  # whatever it is
        await run_to(engine, row.now_ms)
        live = self._awake[cluster_id] = LiveCluster(cluster_id, engine, sequence, row.rate, self.writer)
        live.mended, live.size = mended, size
        return live

    async def _mended(self, cluster_id: int) -> tuple[Cluster, Engine, int]:
        """(row, engine, sequence): from the latest state that can be read, or the beginning, by what stands of the journal and can be done."""
        row, kept, entries = await self.writer.call(storage.load_remains, cluster_id)
        history, by_sequence = storage.standing(entries), dict(entries)
        last = entries[-1][0] if entries else 0
        wanted = history[last]
        engine: Engine | None = None
        for checkpoint in kept:
            held = history.get(checkpoint.sequence)
            if held is not None and held == wanted[:len(held)]:
                with suppress(Exception):  # this one cannot be read: an earlier one may
                    engine = Engine.restore(storage.unpack(bytes(checkpoint.state)))
                    wanted = wanted[len(held):]
                    break
        if engine is None:
            engine = await self._born(row.lesson)
        await replay_remains(cluster_id, engine, [(number, by_sequence[number]) for number in wanted])
        return row, engine, last

    async def _born(self, lesson: str) -> Engine:
        if not births.is_known(lesson):
            await asyncio.get_running_loop().run_in_executor(None, births.template, lesson)
        return births.begin(lesson)

    async def sleep(self, live: LiveCluster) -> None:
        """Put a cluster to sleep: a checkpoint, then nothing of it stays in memory. Its clock stops."""
        async with live.lock:
            if live.viewers:
                return
            if not live.gone:
                await live.save()
            self.discard(live)

    def discard(self, live: LiveCluster) -> None:
        """Forget what memory holds; the next `get` loads the truth."""
        live.gone = True
        if self._awake.get(live.id) is live:
            del self._awake[live.id]


async def restored(text: str) -> Engine:
    """The engine of a checkpoint's text; a large one is read beside the event loop. Raises whatever is wrong with it."""
    return Engine.restore(json.loads(text)) if len(text) < LARGE else await asyncio.to_thread(_restored, text)


def _restored(text: str) -> Engine:
    return Engine.restore(json.loads(text, object_hook=_as_it_is))


def _as_it_is(value: dict[str, Any]) -> dict[str, Any]:
    """Called for each object that is read: the reader in C would keep the interpreter's lock for the whole of the text."""
    return value


async def run_to(engine: Engine, at: int) -> None:
    """Let time pass, letting others run in between."""
    while True:
        began = time.monotonic()
        while time.monotonic() - began < LONGEST_TURN:
            if engine.run_until(at, 1):
                return
        await asyncio.sleep(0)


async def replay(engine: Engine, entries: list[tuple[int, Entry]], sequence: int) -> int:
    """Apply journal entries, letting others run in between. Refusals are part of history. Returns the last sequence."""
    for number, entry in entries:
        await run_to(engine, entry["at"])
        with suppress(ApiError):
            engine.apply(entry)
        sequence = number
    return sequence


async def replay_remains(cluster_id: int, engine: Engine, entries: list[tuple[int, Entry]]) -> None:
    """As `replay`, where rows may be broken: what cannot be done any more costs itself only."""
    for number, entry in entries:
        try:
            await replay(engine, [(number, entry)], number)
        except Exception as error:
            logger.warning("Cluster %s: act %s cannot be done any more: %r", cluster_id, number, error)


CLUSTERS = Clusters()
