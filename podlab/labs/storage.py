"""The rows that a cluster is made of: its journal and checkpoints. All functions here are synchronous and short.

Journal rows are written in groups by one writer thread (`Writer`), so that hundreds of learners share a commit.
"""

from __future__ import annotations

import asyncio
import json
import logging
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import Model

from podlab.kubernetes.cluster import ENGINE_VERSION
from podlab.labs.database import keep_connection, update_each
from podlab.labs.models import Checkpoint, Cluster, JournalEntry

logger = logging.getLogger(__name__)
Entry = dict[str, Any]
LONG = 50_000  # characters of a text that are written at once
SHORT, FEW, TOGETHER = 500, 20, 200  # of a text, members of a container, and such members, that are written in one go with their neighbours
CHECKPOINTS_KEPT = 12  # a cluster; the oldest (the beginning) is always kept, so that a replay can start there


class Fenced(Exception):
    """Another process has written to this cluster's journal: what is in memory here is no longer the truth."""


def pack(state: dict[str, Any]) -> bytes:
    return compress(written(state))


def written(state: Any) -> str:
    """What has to be done of `pack` while the state stands still."""
    return json.dumps(state, ensure_ascii=False, separators=(",", ":"))


def pieces(value: Any, depth: int = 10) -> Iterator[str]:
    """The same text as `written` gives, a little at a time: of a state that holds many megabytes of files. Small members go together."""
    if depth and isinstance(value, dict) and value:
        yield from _members(value.items(), "{}", depth)
    elif depth and isinstance(value, list) and value:
        yield from _members(value, "[]", depth)
    elif isinstance(value, str) and len(value) > LONG:
        yield '"'
        for at in range(0, len(value), LONG):
            yield written(value[at:at + LONG])[1:-1]
        yield '"'
    else:
        yield written(value)


def _members(members: Iterable[Any], signs: str, depth: int) -> Iterator[str]:
    named = signs == "{}"
    small: list[Any] = []
    before = signs[0]
    for member in members:
        inner = member[1] if named else member
        if _is_small(inner) and (not named or isinstance(member[0], str)):
            small.append(member)
            if len(small) < TOGETHER:
                continue
        if small:
            yield before + written(dict(small) if named else small)[1:-1]
            small, before = [], ","
        if not _is_small(inner) or (named and not isinstance(member[0], str)):
            yield before + (written(str(member[0])) + ":" if named else "")
            yield from pieces(inner, depth - 1)
            before = ","
    if small:
        yield before + written(dict(small) if named else small)[1:-1]
    yield signs[1]


def _is_small(value: Any) -> bool:
    """Whether it takes next to no time: a number, a short text, a container of few such."""
    if isinstance(value, str):
        return len(value) <= SHORT
    if isinstance(value, dict | list):
        return len(value) <= FEW and not any(isinstance(one, dict | list) or (isinstance(one, str) and len(one) > SHORT)
                                             for one in (value.values() if isinstance(value, dict) else value))
    return True


def compress(text: str | list[str]) -> bytes:
    """Of a text, or of its pieces: what is put together in one go keeps everybody else from running meanwhile."""
    packing = zlib.compressobj(1)
    parts = [packing.compress(piece.encode("utf-8", "surrogatepass")) for piece in ([text] if isinstance(text, str) else text)]
    return b"".join([*parts, packing.flush()])


def text_of(data: bytes) -> str:
    """What was compressed. Raises zlib.error, UnicodeDecodeError."""
    return zlib.decompress(data).decode("utf-8", "surrogatepass")


def unpack(data: bytes) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(text_of(data))
    return state


def save_checkpoint(cluster_id: int, sequence: int, at_ms: int, text: str | list[str]) -> None:
    """Keep a state (`written`, or the `pieces` of it), forget some older ones, and note how far the clock has come."""
    packed = compress(text)
    with transaction.atomic():
        Checkpoint.objects.update_or_create(cluster_id=cluster_id, sequence=sequence, at_ms=at_ms,
                                            defaults={"engine_version": ENGINE_VERSION, "state": packed})
        ids = list(Checkpoint.objects.filter(cluster_id=cluster_id).order_by("sequence", "at_ms").values_list("id", flat=True))
        old = Checkpoint.objects.filter(id__in=ids[1:-CHECKPOINTS_KEPT])
        foreign = JournalEntry.objects.filter(cluster_id=cluster_id, sequence__in=old.values("sequence"), request__contains='"foreign": true')
        old.exclude(sequence__in=list(foreign.values_list("sequence", flat=True))).delete()  # no replay makes a state that came from elsewhere
        Cluster.objects.filter(id=cluster_id).update(now_ms=at_ms)


def save_clocks(clocks: dict[int, int]) -> None:
    """Note how far each cluster has run, so that a restart does not turn time back. {cluster id: virtual ms}"""
    update_each([Cluster(id=cluster_id, now_ms=now_ms) for cluster_id, now_ms in clocks.items()], ["now_ms"])


def save_rate(cluster_id: int, rate: float) -> None:
    """Note a cluster's pace, for the page's first rendering and for its next waking."""
    Cluster.objects.filter(id=cluster_id).update(rate=rate)


def load(cluster_id: int) -> tuple[Cluster, Checkpoint | None, list[tuple[int, Entry]]]:
    """The row, its last checkpoint, and the journal entries after that as (sequence, entry). Raises ValueError for an entry that is none.

    The checkpoint may be an older engine's: this one goes on from there, and never re-runs what lies before it.
    """
    row = Cluster.objects.only("lesson", "now_ms", "rate").get(id=cluster_id)
    checkpoint = Checkpoint.objects.filter(cluster_id=cluster_id).order_by("-sequence", "-at_ms").first()
    entries = JournalEntry.objects.filter(cluster_id=cluster_id, sequence__gt=checkpoint.sequence if checkpoint else 0).order_by("sequence")
    return row, checkpoint, [(entry.sequence, {"at": entry.at_ms, **json.loads(entry.request)}) for entry in entries]


def load_remains(cluster_id: int) -> tuple[Cluster, list[Checkpoint], list[tuple[int, Entry]]]:
    """As `load` for a cluster that cannot be woken by it: all checkpoints, the last one first, and all entries that are some."""
    row = Cluster.objects.only("lesson", "now_ms", "rate").get(id=cluster_id)
    return row, list(Checkpoint.objects.filter(cluster_id=cluster_id).order_by("-sequence", "-at_ms")), journal(cluster_id)


def journal(cluster_id: int) -> list[tuple[int, Entry]]:
    """All entries as (sequence, entry), the first one first; of a row that cannot be read an entry that does nothing (`do` is empty)."""
    entries: list[tuple[int, Entry]] = []
    for sequence, at, request in JournalEntry.objects.filter(cluster_id=cluster_id).order_by("sequence").values_list("sequence", "at_ms", "request"):
        try:
            entries.append((sequence, {"at": at, "do": "", **json.loads(request)}))
        except (ValueError, TypeError):
            entries.append((sequence, {"at": at, "do": ""}))
    return entries


def standing(entries: list[tuple[int, Entry]]) -> dict[int, list[int]]:
    """For each sequence, the sequences whose acts make up the state after it: a rewind cuts back to where it went."""
    now: list[int] = []
    found: dict[int, list[int]] = {0: []}
    for sequence, entry in entries:
        now = [s for s in now if s <= entry["to"]] if entry["do"] == "rewind" else [*now, sequence]
        found[sequence] = now
    return found


def row_of(cluster_id: int, sequence: int, entry: Entry) -> JournalEntry:
    rest = {key: value for key, value in entry.items() if key != "at"}
    return JournalEntry(cluster_id=cluster_id, sequence=sequence, at_ms=entry["at"], request=json.dumps(rest, ensure_ascii=True))


def append(rows: list[Model]) -> None:
    """Write journal rows of any clusters, and what stands or falls with them. Raises IntegrityError when one sequence is taken."""
    for model in dict.fromkeys(type(row) for row in rows):
        model._default_manager.bulk_create([row for row in rows if type(row) is model])


class Writer:
    """Group commit: everything handed over while a transaction runs goes into the next one."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "journal")
        self._waiting: list[tuple[list[Model], asyncio.Future[None]]] = []
        self._running = False

    async def write(self, rows: list[Model]) -> None:
        """Returns when the rows are on disk. Raises Fenced."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((rows, done))
        if not self._running:
            self._running = True
            asyncio.get_running_loop().create_task(self._run())
        await done

    async def call(self, function: Any, *arguments: Any) -> Any:
        """Run another database function on the writer's thread, after what it is doing now."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, _with_connection, function, arguments)

    async def _run(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting, []
                try:
                    errors = await self.call(_write_group, [rows for rows, _ in group])
                except Exception as error:  # whatever it was: who waits must hear of it
                    logger.exception("Could not write to the journal")
                    errors = [error] * len(group)
                for (_, done), error in zip(group, errors, strict=True):
                    if done.cancelled():
                        continue
                    if error is None:
                        done.set_result(None)
                    else:
                        done.set_exception(error)
        finally:
            self._running = False


def _with_connection(function: Any, arguments: tuple[Any, ...]) -> Any:
    keep_connection()
    return function(*arguments)


def _write_group(groups: list[list[Model]]) -> list[Exception | None]:
    """One transaction for all; when that fails, each for itself, so that one fenced cluster does not hurt the others."""
    try:
        with transaction.atomic():
            append([row for rows in groups for row in rows])
        return [None] * len(groups)
    except DatabaseError:
        return [_write_alone(rows) for rows in groups]


def _write_alone(rows: list[Model]) -> Exception | None:
    try:
        with transaction.atomic():
            append(rows)
    except IntegrityError:
        return Fenced()
    except DatabaseError as error:
        logger.exception("Could not write to the journal")
        return error
    return None
