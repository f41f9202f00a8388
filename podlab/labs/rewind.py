"""Going back: undo the last act, or all since a marked moment, or start the lesson anew. The journal only grows; a rewind is one more line
and a checkpoint with it."""

from __future__ import annotations

import asyncio
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Model

from podlab.kubernetes.cluster import ENGINE_VERSION
from podlab.kubernetes.cluster import Cluster as Engine
from podlab.labs import births, storage
from podlab.labs.live import LiveCluster, replay_remains, restored, run_to
from podlab.labs.models import Checkpoint, Cluster
from podlab.labs.storage import Entry, Fenced, standing

ACTS = ("request", "fault", "session", "visit")  # what "undo" undoes; a change of pace is none


def plan(entries: list[tuple[int, Entry]]) -> tuple[int, Entry] | None:
    """The last act that still stands, or None. Of acts that were one press of a button (the same `scene`): the first of them."""
    by_sequence = dict(entries)
    now = standing(entries)[entries[-1][0]] if entries else []
    acts = [(s, by_sequence[s]) for s in now if by_sequence[s]["do"] in ACTS]
    scene = acts[-1][1].get("scene") if acts else None
    return next((act for act in acts if act[1].get("scene") == scene), None) if scene is not None else next(reversed(acts), None)


def describe(entry: Entry) -> str:
    """What was undone, as its author knows it."""
    if "scene" in entry:
        return "사건 시작"
    if entry["do"] == "request":
        return str(entry.get("options", {}).get("command") or f"{entry.get('verb', '')} {entry.get('resource', '')} {entry.get('name', '')}").strip()
    return {"fault": "고장", "session": "컨테이너 안에서 한 일", "visit": "브라우저 요청"}[entry["do"]]


def _nearest(cluster_id: int, history: dict[int, list[int]], wanted: list[int], at_ms: int) -> Checkpoint | None:
    """The latest checkpoint that lies on the way to a state."""
    best = None
    for checkpoint in Checkpoint.objects.filter(cluster_id=cluster_id, engine_version=ENGINE_VERSION).order_by("sequence", "at_ms"):
        held = history.get(checkpoint.sequence, [])
        if held == wanted[: len(held)] and checkpoint.at_ms <= at_ms:
            best = checkpoint
    return best


def _store(cluster_id: int, sequence: int, entry: Entry, text: str | list[str], at_ms: int, also: Model | None) -> None:
    packed = storage.compress(text)
    try:
        with transaction.atomic():
            storage.append([storage.row_of(cluster_id, sequence, entry), *([also] if also is not None else [])])
            Checkpoint.objects.update_or_create(cluster_id=cluster_id, sequence=sequence, at_ms=at_ms,
                                                defaults={"engine_version": ENGINE_VERSION, "state": packed})
            Cluster.objects.filter(id=cluster_id).update(now_ms=at_ms)
    except IntegrityError as error:
        raise Fenced from error


async def undo(live: LiveCluster) -> str | None:
    """Back to just before the last act that stands. Call inside a turn. Returns what was undone, or None."""
    entries = await live.writer.call(storage.journal, live.id)
    found = plan(entries)
    if found is None:
        return None
    sequence, entry = found
    await _back(live, entries, sequence - 1, entry["at"])
    return describe(entry)


def mark(live: LiveCluster, name: str) -> None:
    """Note in the journal that a moment to come back to is now, unless it holds one of that name. Call inside a turn."""
    if name not in live.marks:
        live.apply({"do": "mark", "name": name})
        live.marks.add(name)


async def to_mark(live: LiveCluster, name: str) -> bool:
    """Back to the first moment of that name that stands. Call inside a turn. False when nothing was done since."""
    entries = await live.writer.call(storage.journal, live.id)
    by_sequence, now = dict(entries), standing(entries)[entries[-1][0]] if entries else []
    first = next((s for s in now if by_sequence[s]["do"] == "mark" and by_sequence[s]["name"] == name), None)
    if first is None or not any(s > first and by_sequence[s]["do"] in ACTS for s in now):
        return False
    await _back(live, entries, first, by_sequence[first]["at"])
    return True


async def _back(live: LiveCluster, entries: list[tuple[int, Entry]], last: int, at_ms: int) -> None:
    """To the state at a moment at which the entries up to `last` that still stand had happened."""
    history, by_sequence = standing(entries), dict(entries)
    wanted = [s for s in history[entries[-1][0]] if s <= last]
    checkpoint = await live.writer.call(_nearest, live.id, history, wanted, at_ms)
    engine = await restored(await asyncio.to_thread(storage.text_of, bytes(checkpoint.state))) if checkpoint else None
    if engine is None:
        row = await live.writer.call(lambda: Cluster.objects.get(id=live.id))
        engine = births.begin(row.lesson)
    done = len(history.get(checkpoint.sequence, [])) if checkpoint else 0
    await replay_remains(live.id, engine, [(s, by_sequence[s]) for s in wanted[done:]])
    await run_to(engine, at_ms)
    await _go(live, engine, wanted[-1] if wanted else 0)


async def reset(live: LiveCluster, lesson: str, also: Model | None = None) -> None:
    """Back to the lesson's beginning. Call inside a turn. `also`: a row that is written in the same transaction."""
    await _go(live, births.begin(lesson), 0, also)


async def stand_at(live: LiveCluster, engine: Engine) -> None:
    """Take over a state from elsewhere, as a new beginning of this cluster: undo goes back to it and not further. Call inside a turn."""
    await _go(live, engine, 0, foreign=True)


async def _go(live: LiveCluster, engine: Engine, to: int, also: Model | None = None, *, foreign: bool = False) -> None:
    entry: dict[str, Any] = {"at": engine.now, "do": "rewind", "to": to, **({"foreign": True} if foreign else {}), **live.authored()}
    live.sequence += 1
    await live.writer.call(_store, live.id, live.sequence, entry, await live.written(engine), engine.now, also)
    live.replace(engine)
