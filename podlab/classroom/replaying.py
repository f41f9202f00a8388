"""What a learner did from the start, played again from the journal in an engine of this page's own, which is never stored.

A rewind (undo, reset, a state taken over from the teacher) is followed as it happened: to the state that stood after it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.html import format_html, format_html_join

from podlab.classroom import access, guests
from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.cluster import Cluster as Engine
from podlab.labs import births, limits, panels, storage
from podlab.labs.database import on_database
from podlab.labs.live import CLUSTERS, RATES, LiveCluster
from podlab.labs.models import Checkpoint, Cluster
from podlab.labs.page import Page
from podlab.labs.sockets import PageConsumer
from podlab.labs.storage import Entry
from podlab.projection.korean import clock as clock_text
from podlab.projection.timeline import Past

logger = logging.getLogger(__name__)

TOO_MANY = 4429
REPLAYS_MAX = 6  # pages at once in one process: each holds an engine of its own
FRAME = 0.2  # seconds between two pictures
SLICE, REST = 0.02, 0.02  # seconds of work, and of leaving the processor to the learners: a replay takes half of a core at the most
STEPS = 50  # timers fired between two looks at the wall clock
LISTED_MAX = 500  # acts in the list, the last ones


@dataclass(frozen=True)
class Act:
    """What a person did at once: one journal entry, or the several requests of one command."""

    number: int  # 1, 2, 3 ...
    position: int  # how many entries have happened when it has
    at: int  # virtual ms
    text: str
    typed: bool  # a command of the terminal


def acts(entries: list[tuple[int, Entry]]) -> list[Act]:
    """The journal as a list to read. Changes of pace and what was typed into a container's session are no acts of their own."""
    found: list[Act] = []
    for position, (_, entry) in enumerate(entries, 1):
        text, typed = _told(entry)
        if not text:
            continue
        last = found[-1] if found else None
        if last is not None and last.typed and typed and last.text == text and entry["at"] - last.at < 1000:
            found[-1] = Act(last.number, position, last.at, text, typed)
        else:
            found.append(Act(len(found) + 1, position, entry["at"], text, typed))
    return found


def _told(entry: Entry) -> tuple[str, bool]:
    do = entry["do"]
    if do == "request":
        command = (entry.get("options") or {}).get("command")
        return (str(command), True) if command else (f"{entry.get('verb', '')} {entry.get('resource', '')} {entry.get('name', '')}".strip(), False)
    if do == "rewind":
        return "선생님이 고친 상태를 받음" if entry.get("foreign") else "되돌리기" if entry["to"] else "처음이나 첫걸음으로 되돌리기", False
    if do == "fault":
        return f"고장: {_fault(entry)}", False
    if do == "visit":
        return f"브라우저: {entry.get('url', '')}", False
    if do == "session" and entry.get("act") == "open":
        return "컨테이너 안으로 들어감", False
    return "", False


def _fault(entry: Entry) -> str:
    if "power" in entry:
        return f"{entry['node']} 전원 {entry['power']}"
    if "fill" in entry:
        return f"{entry['node']} {entry['fill']} {entry.get('percent')}%"
    if "registry" in entry:
        return f"{entry['node']} 이미지 저장소"
    return f"{entry.get('pod', '')} {entry.get('container', '')} {entry.get('signal', '')}".strip()


class Replay:
    """One cluster's past. `position` entries have happened; the engine stands at or after the last of them."""

    def __init__(self, lesson: str, entries: list[tuple[int, Entry]], states: dict[int, bytes], end_ms: int) -> None:
        self.lesson, self.entries, self.states, self.end_ms = lesson, entries, states, end_ms
        self._standing = storage.standing(entries)
        self.begin()

    def begin(self) -> None:
        self.engine, self.position = births.begin(self.lesson), 0
        self._base: int | None = None  # the sequence whose foreign state everything since stands on

    @property
    def ended(self) -> bool:
        return self.position == len(self.entries) and self.engine.now >= self.end_ms

    @property
    def stretch_ends(self) -> int:
        """Virtual ms until which nothing but time passes. After a rewind the next entry may be earlier than the present: it counts."""
        if self.position == len(self.entries):
            return self.end_ms
        entry = self.entries[self.position][1]
        return self.engine.now if entry["do"] == "rewind" else int(entry["at"])

    async def run(self, until: int) -> None:
        """Let virtual time pass, in slices."""
        began = time.monotonic()
        while not self.engine.run_until(until, STEPS):
            if time.monotonic() - began > SLICE:
                await asyncio.sleep(REST)
                began = time.monotonic()

    async def advance(self, ms: int) -> None:
        """`ms` of virtual time further, with what was done in it."""
        left = ms
        while left >= 0 and not self.ended:
            way = min(left, max(self.stretch_ends - self.engine.now, 0))
            await self.run(self.engine.now + way)
            left -= way
            if self.position < len(self.entries) and self.engine.now >= self.stretch_ends:
                await self._happen()
            elif left <= 0:
                return

    async def go(self, position: int) -> None:
        """To the moment when so many entries have happened; backwards means from the start again."""
        if position < self.position:
            self.begin()
        while self.position < position:
            await self.run(max(self.stretch_ends, self.engine.now))
            await self._happen()

    async def _happen(self) -> None:
        sequence, entry = self.entries[self.position]
        if entry["do"] == "rewind":
            await self._rewind(sequence, entry)
        else:
            self._apply(sequence, entry)
        self.position += 1

    def _apply(self, sequence: int, entry: Entry) -> None:
        try:
            self.engine.apply(entry)
        except ApiError:
            pass  # refusals are part of history
        except Exception as error:  # as `live.replay_remains` has it
            logger.warning("Act %s of a cluster that is looked back on cannot be done any more: %r", sequence, error)

    async def _rewind(self, sequence: int, entry: Entry) -> None:
        """To the state that stood then: the one that was stored with it, or made anew from what still stood."""
        self._base = sequence if entry.get("foreign") else None if entry["to"] == 0 and entry["at"] <= births.begin(self.lesson).now else self._base
        if sequence in self.states:
            self.engine = self._restored(sequence)
            return
        self.engine = births.begin(self.lesson) if self._base is None else self._restored(self._base)
        by_sequence = dict(self.entries)
        for number in self._standing[sequence]:
            await self.run(by_sequence[number]["at"])
            self._apply(number, by_sequence[number])
        await self.run(entry["at"])

    def _restored(self, sequence: int) -> Engine:
        return Engine.restore(storage.unpack(self.states[sequence]))


def load(cluster: Cluster) -> Replay:
    """A cluster's past up to now, as the database has it."""
    entries = storage.journal(cluster.pk)
    rewinds = [sequence for sequence, entry in entries if entry["do"] == "rewind"]
    kept = Checkpoint.objects.filter(cluster=cluster, sequence__in=rewinds, engine_version=storage.ENGINE_VERSION).order_by("-at_ms")
    ends = Cluster.objects.values_list("now_ms", flat=True).get(pk=cluster.pk)
    at = {sequence: entry["at"] for sequence, entry in entries}
    states = {one.sequence: bytes(one.state) for one in kept if one.at_ms == at[one.sequence]}  # later ones have lived on
    return Replay(cluster.lesson, entries, states, max(ends, entries[-1][1]["at"] if entries else 0))


class NoTerminal:
    """What a page's prompt shows where nobody types."""

    prompt, busy, opened = "", False, None


_open: set[ReplayConsumer] = set()


class ReplayConsumer(PageConsumer):
    """One open replay. Acts: rate, next (the next act), goto (an act by number), and what changes only what the page shows."""

    replay: Replay | None = None

    async def connect(self) -> None:
        await self.accept()
        facts = self.scope["url_route"]["kwargs"]
        try:
            self.replay = await on_database(self._load)(facts["pk"], facts["learner"], facts["slug"])
        except access.NoTeacher:
            await self.close(access.NO_TEACHER)
            return
        except access.NotYours:
            await self.close(access.NOT_YOURS)
            return
        if len(_open) >= REPLAYS_MAX:
            await self.close(TOO_MANY)
            return
        _open.add(self)
        self.shows = int(facts["pk"]), UUID(str(facts["learner"]))
        guests.enter(*self.shows, self)
        self.acts = acts(self.replay.entries)
        self.page, self.view = Page(facts["slug"]), self._view(0.0)
        self.wanted: int | None = None
        self.told = -1  # the act that the page marks as the last that happened
        self.begin(self._play)
        self.outbox.append(self._list())
        self.wake.set()

    def _load(self, pk: int, learner: UUID, slug: str) -> Replay:
        classroom = access.get_classroom(self.scope, pk)
        cluster = access.get_member_cluster(classroom, learner, slug)
        access.audit(classroom, "replayed", user=classroom.teacher, learner=cluster.learner, detail=slug)
        return load(cluster)

    async def disconnect(self, code: int) -> None:
        if self in _open:
            _open.discard(self)
            guests.leave(*self.shows, self)
            self.end()
            self.replay = None

    def _view(self, rate: float) -> LiveCluster:
        """The engine as panels want to see it. It is no cluster of CLUSTERS: nothing of it is written or moves by itself."""
        assert self.replay is not None
        view = LiveCluster(0, self.replay.engine, 0, rate, CLUSTERS.writer)
        view.past = Past()
        return view

    # ---- out

    async def _play(self) -> None:
        loop = asyncio.get_running_loop()
        last = loop.time()
        while self.replay is not None:
            if not self.view.rate and self.wanted is None:
                await self.wake.wait()
                last = loop.time()
            self.wake.clear()
            if self.wanted is not None:
                target, self.wanted = self.wanted, None
                await self.replay.go(target)
            elif self.view.rate:
                await self.replay.advance(int(min(loop.time() - last, 1.0) * 1000 * self.view.rate))
                if self.replay.ended:
                    self.view.rate = 0.0
            last = loop.time()
            await self._send()
            with suppress(TimeoutError):
                await asyncio.wait_for(self.wake.wait(), FRAME)

    async def _send(self) -> None:
        assert self.replay is not None
        if self.view.engine is not self.replay.engine:
            self.view = self._view(self.view.rate)
            self.page.forget()
        html = self.page.fragments(self.view, NoTerminal())
        done = next((act.number for act in reversed(self.acts) if act.position <= self.replay.position), 0)
        if done != self.told:
            html += self._typed(self.told, done)
            self.told = done
            html.append(format_html('<span id="replay-at" data-act="{}" data-ended="" hidden hx-swap-oob="true"></span>', done))
        await self.send_outbox(*html)

    def _typed(self, before: int, done: int) -> list[str]:
        """The commands in the terminal, as they are reached; on the way back the log begins anew."""
        first = before if 0 <= before <= done else 0
        cleared = [] if first else ['<div id="terminal-log" hx-swap-oob="innerHTML"></div>']
        return cleared + [panels.typed("$ ", act.text) for act in self.acts[first:done] if act.typed]

    def _list(self) -> str:
        assert self.replay is not None
        start = self.replay.engine.start
        line = ('<li data-act="{}"><button type="button" data-send=\'{{"action": "goto", "act": {}}}\'><time>{}</time>'
                '<{}>{}</{}></button></li>')
        lines = format_html_join("", line, ((act.number, act.number, clock_text(act.at - start), tag, act.text[:200], tag)
                                            for act in self.acts[-LISTED_MAX:] for tag in ("code" if act.typed else "span",)))
        return format_html('<ol id="replay-acts" class="replay-acts" hx-swap-oob="true">{}</ol>',
                           lines or format_html('<li class="empty">{}</li>', "아직 아무것도 하지 않았습니다."))

    # ---- in

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        read = self.message(text_data)
        if read is None or self.replay is None:
            return
        name, message = read
        action = getattr(self, f"do_{name}", None)
        if action is None or not self.rate_limit.take():
            return
        try:
            action(message)
        except ApiError as error:
            self.outbox.append(panels.refusal(error))
        self.wake.set()

    def do_rate(self, message: dict[str, Any]) -> None:
        rate = limits.number(message.get("rate"))
        if rate in RATES:
            self.view.rate = rate
            if rate and self.replay is not None and self.replay.ended:
                self.wanted = 0

    def do_next(self, message: dict[str, Any]) -> None:
        """To the next act."""
        assert self.replay is not None
        present = self.wanted if self.wanted is not None else self.replay.position
        self.wanted = next((act.position for act in self.acts if act.position > present), len(self.replay.entries))

    def do_goto(self, message: dict[str, Any]) -> None:
        """To when an act has just happened; 0: to the start."""
        number = int(limits.number(message.get("act")))
        if 0 <= number <= len(self.acts):
            self.wanted = self.acts[number - 1].position if number else 0

    def do_select(self, message: dict[str, Any]) -> None:
        self.page.select(limits.text(message.get("ref"), 300), limits.text(message.get("view", "describe"), 20))

    def do_tab(self, message: dict[str, Any]) -> None:
        self.page.open_tab(limits.text(message.get("tab"), 20))

    def do_width(self, message: dict[str, Any]) -> None:
        self.page.set_width(int(limits.number(message.get("width"))))
