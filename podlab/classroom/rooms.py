"""The live classes of this process: who sits where, what changed, and who watches.

A room is open while a member's page or the teacher's page is. It hears what happens on the members' pages (labs/audience.py), and a few
times a second tells its watchers what is new: coalesced, so that two hundred learners cost no more than their changed tiles.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from django.template.loader import render_to_string
from django.utils import timezone

from lessons import library
from lessons.models import StepDone
from lessons.schema import Lesson, Step
from podlab.classroom import access, broadcasting, chatting, duties, guests, polls, teams
from podlab.classroom.broadcasting import Broadcast
from podlab.classroom.models import Classroom, Membership
from podlab.classroom.seats import Seat
from podlab.classroom.signals import Rule
from podlab.labs import audience, limits, rows, storage
from podlab.labs.live import CLUSTERS
from podlab.labs.models import Cluster

logger = logging.getLogger(__name__)

NO_BAR = '<aside id="class-bar" hx-ext="morph" hidden hx-swap-oob="morph"></aside>'
SLICE = 0.01  # seconds of drawing before others get their turn
TELL_EVERY = 0.25  # seconds between two looks at what changed: a watcher sees an act well within one second
OVER_AFTER = timedelta(hours=4)  # a raised hand or a timer from before is of an earlier lesson
SAVE_EVERY, LOOK_AGAIN_EVERY = 5.0, 10.0  # seconds: members' rows; signals that time alone sets off
ACTS = frozenset({"terminal", "interrupt", "apply", "save", "fault", "delete", "undo", "reset", "rate", "next", "check", "answer", "hint", "begin"})
"""What a learner may not do while the class is frozen. Looking (select, tab, width, step) is always allowed."""


class Watcher(Protocol):
    """A teacher's page."""

    def changed(self, seats: set[UUID]) -> None:
        """These seats have something new. Must return at once."""


class Room:
    """One live class."""

    def __init__(self, classroom: Classroom, seats: list[Seat], votes: dict[UUID, int]) -> None:
        self.classroom = classroom
        self.seats = {seat.learner_id: seat for seat in seats}
        self.broadcast: Broadcast | None = None
        self.votes = votes  # of the open question: learner -> choice
        self.turns: datetime | None = None  # when an assignment opens or closes next
        self.watchers: set[Watcher] = set()
        self.dirty: set[UUID] = set()
        self.moved: set[UUID] = set(self.seats)  # whose picture is out of date
        self.version = 0  # how often the class was taken over from the database: what depends on it is drawn anew
        self.renewing = asyncio.Lock()  # two at a time would start two broadcasts, of which one is never ended

    @property
    def rule(self) -> Rule:
        found = self.classroom
        return Rule(found.stuck_minutes, found.stuck_checks, found.stuck_hints, found.stuck_errors)

    @property
    def live(self) -> bool:
        return bool(self.watchers) or any(seat.online or seat.lookers for seat in self.seats.values())

    def hear(self, act: audience.Act) -> None:
        seat = self.seats.get(act.page.learner_id)
        if seat is None:
            return
        if act.kind == "moved":
            self.moved.add(seat.learner_id)
            return
        seat.online = bool(audience.pages(seat.learner_id))
        if act.kind == "opened":
            seat.cluster_id = getattr(getattr(act.page, "row", None), "id", seat.cluster_id)
            self.moved.add(seat.learner_id)
        if seat.hear(act.kind, act.facts, act.page.lesson, timezone.now()):
            self.dirty.add(seat.learner_id)
        if act.kind == "step" and self.classroom.lesson:
            act.page.show(self.bar(seat.learner_id))

    def tell(self) -> None:
        """Watchers hear whose tile is new."""
        dirty, self.dirty = self.dirty, set()
        for watcher in list(self.watchers) if dirty else ():
            watcher.changed(dirty)

    def look_again(self) -> None:
        """What time alone changes: who counts as stuck, and whose cluster has fallen asleep."""
        rule, now = self.rule, timezone.now()
        for seat in self.seats.values():
            if seat.online and seat.stuck(rule, now) != seat.told_stuck:
                self.dirty.add(seat.learner_id)
            if not seat.online and not seat.asleep:
                self.moved.add(seat.learner_id)

    async def look(self) -> None:
        """Draw the pictures that are out of date: of an awake cluster from memory, of a sleeping one from its rows."""
        moved, self.moved = self.moved, set()
        asleep, began = [], time.monotonic()
        for learner_id in moved:
            seat = self.seats.get(learner_id)
            if seat is None or seat.cluster_id is None:
                continue
            live = CLUSTERS.find(seat.cluster_id)
            if live is None:
                asleep.append(seat)
                continue
            mark = (live.id, *live.mark())
            if seat.pictured == mark:
                continue
            seat.pictured = mark
            found = rows.project(live.engine)
            if seat.look(found.nodes, found.pods):
                self.dirty.add(learner_id)
            if time.monotonic() - began > SLICE:  # in a full class every pause is a whole round of everybody's work
                await asyncio.sleep(0)
                began = time.monotonic()
        if asleep:
            stored = await CLUSTERS.writer.call(rows.read, [seat.cluster_id for seat in asleep if seat.cluster_id is not None])
            for seat in asleep:
                seat.pictured = ()
                if seat.look(*stored.get(seat.cluster_id, ([], [])), asleep=True):
                    self.dirty.add(seat.learner_id)

    def bar(self, learner_id: UUID) -> str:
        """What a member's page shows of the class: its name, the teacher's words, the raised hand."""
        seat = self.seats[learner_id]
        called, step = self.called()
        there = called is not None and seat.member.lesson == called.slug and (step is None or seat.member.step == step.id)
        return render_to_string(
            "classroom/_bar.html",
            {"classroom": self.classroom, "seat": seat, "hand": seat.member.hand_raised, "asked": seat.helper is not None,
             "helped": seat.helper is not None and seat.helper.helping, "ends": self.classroom.timer_ends, "assigned": seat.assigned,
             "plays": seat.plays, "called": called, "step": step, "there": there},
        )

    def called(self) -> tuple[Lesson | None, Step | None]:
        """The lesson and step that the teacher has called everybody to."""
        try:
            lesson = library.get(self.classroom.lesson) if self.classroom.lesson else None
        except LookupError:  # it was there when the call was made
            lesson = None
        return lesson, lesson.step(self.classroom.step) if lesson else None

    def show_bar(self, learner_id: UUID) -> None:
        for page in audience.pages(learner_id):
            page.show(self.bar(learner_id) + polls.card(self, learner_id))

    async def renew(self) -> None:
        """The class or its members changed in the database: take it over, and bring every page to it."""
        async with self.renewing:
            await self._renew()

    async def _renew(self) -> None:
        self.classroom, seats, self.votes, self.turns = await CLUSTERS.writer.call(_load, self.classroom.pk)
        present = self.seats
        self.seats = {}
        for seat in seats:
            old = present.pop(seat.learner_id, None)
            if old is not None:  # what memory knows of the work is newer than the rows
                old.member.name, old.member.number, old.member.hand_raised = seat.member.name, seat.member.number, seat.member.hand_raised
                unveiled = old.veiled != seat.veiled
                old.assigned, old.plays = seat.assigned, seat.plays
                if unveiled:
                    audience.veil_changed(seat.learner_id)
            self.seats[seat.learner_id] = old or seat
        for gone in present:
            for page in audience.pages(gone):
                page.show(NO_BAR + polls.EMPTY_CARD + broadcasting.NOTHING)
            audience.veil_changed(gone)
        for learner_id in self.seats:
            self.seats[learner_id].online = bool(audience.pages(learner_id))
            self.show_bar(learner_id)
        self.dirty |= set(self.seats) | set(present)
        self.moved |= set(self.seats)
        self.version += 1
        for watcher in list(self.watchers):  # a second page of the teacher's, and a class without members
            watcher.changed(set())
        await self.pace()
        self.broadcast = await broadcasting.settle(self, self.broadcast)

    async def pace(self) -> None:
        """Bring the members' awake clusters to the class's pace."""
        rate = self.classroom.rate
        for seat in list(self.seats.values()):
            live = CLUSTERS.find(seat.cluster_id) if seat.cluster_id is not None and seat.online else None
            if rate is None or live is None or live.rate == rate:
                continue
            async with live.turn():
                live.set_rate(rate)
            await CLUSTERS.writer.call(storage.save_rate, live.id, rate)

    async def save(self) -> None:
        """Write the members' rows that changed."""
        changed = [seat for seat in self.seats.values() if seat.unsaved]
        for seat in changed:
            seat.unsaved = False
        if changed:
            try:
                await CLUSTERS.writer.call(_save, [seat.member for seat in changed])
            except BaseException:
                for seat in changed:  # what could not be written is written next time
                    seat.unsaved = True
                raise


ROOMS: dict[int, Room] = {}
_seated: dict[UUID, int] = {}  # learner -> class, of the rooms that are open
_opening: dict[int, asyncio.Task[Room]] = {}


async def get(classroom_id: int) -> Room:
    """The open room of a class, opened if need be."""
    if classroom_id in ROOMS:
        return ROOMS[classroom_id]
    task = _opening.get(classroom_id)
    if task is None:
        task = _opening[classroom_id] = asyncio.get_running_loop().create_task(_open(classroom_id))
        task.add_done_callback(lambda _: _opening.pop(classroom_id, None))
    return await asyncio.shield(task)


def of(learner_id: UUID) -> Room | None:
    """The open room that a learner sits in."""
    classroom_id = _seated.get(learner_id)
    room = ROOMS.get(classroom_id) if classroom_id is not None else None
    return room if room is not None and learner_id in room.seats else None


async def renew(classroom_id: int) -> None:
    """Something about a class was saved: tell the room, if it is open."""
    await guests.settle(classroom_id)
    room = ROOMS.get(classroom_id)
    if room is not None:
        await room.renew()
        _seated.update(dict.fromkeys(room.seats, classroom_id))


async def _open(classroom_id: int) -> Room:
    await CLUSTERS.writer.call(_let_go_of_yesterday, classroom_id)
    classroom, seats, votes, turns = await CLUSTERS.writer.call(_load, classroom_id)
    room = ROOMS[classroom_id] = Room(classroom, seats, votes)
    room.turns = turns
    for seat in seats:
        seat.online = bool(audience.pages(seat.learner_id))
        _seated[seat.learner_id] = classroom_id
    room.broadcast = await broadcasting.settle(room, None)
    later(_keep(room))
    return room


_tasks: set[asyncio.Task[Any]] = set()


def later(work: Coroutine[Any, Any, None]) -> None:
    """Do `work` beside everything else, on this loop."""
    _tasks.add(task := asyncio.get_running_loop().create_task(work))
    task.add_done_callback(_finished)


def _finished(task: asyncio.Task[Any]) -> None:
    _tasks.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.error("Work beside the pages failed", exc_info=error)


async def _keep(room: Room) -> None:
    """Tell watchers what changed, save what happened, and close the room when everybody has left."""
    loop = asyncio.get_running_loop()
    saved = looked = loop.time()
    try:
        while room.live or loop.time() - saved < SAVE_EVERY:
            await asyncio.sleep(TELL_EVERY)
            try:
                if room.broadcast is not None:
                    await room.broadcast.tell()
                if room.turns is not None and timezone.now() >= room.turns:
                    await room.renew()
                if room.watchers:
                    room.tell()  # what was done is told before the pictures are drawn: those of a full class take a while
                    await room.look()
                    if loop.time() - looked > LOOK_AGAIN_EVERY:
                        looked = loop.time()
                        room.look_again()
                    room.tell()
                if room.live and loop.time() - saved > SAVE_EVERY:
                    saved = loop.time()
                    await room.save()
            except Exception:
                logger.exception("A class could not be kept up to date; trying again")
        await room.save()
    finally:
        if room.broadcast is not None:
            room.broadcast.end()
        if ROOMS.get(room.classroom.pk) is room:
            del ROOMS[room.classroom.pk]
            for learner_id in room.seats:
                _seated.pop(learner_id, None)


# ---- what the pages tell and ask

def install() -> None:
    """Hear of the lab pages. Called once, when Django starts."""
    audience.listen(_hear)
    audience.guard(_guard)
    audience.handle("hand", _raise_hand)
    audience.handle("vote", _vote)
    audience.handle("say", _say)
    audience.handle("heard", _heard)


def _hear(act: audience.Act) -> None:
    room = of(act.page.learner_id)
    if room is not None:
        room.hear(act)
    if act.kind == "opened":
        later(_seat(act))


async def _seat(act: audience.Act) -> None:
    """A page was opened: if its learner sits in a class, open the room and show what the class shows."""
    membership = await CLUSTERS.writer.call(_membership, act.page.learner_id)
    if membership is None:
        return
    room = await get(membership.classroom_id)
    if act.page.learner_id not in room.seats:
        await renew(membership.classroom_id)
    if act.page.learner_id in room.seats:
        room.hear(act)
        act.page.show(room.bar(act.page.learner_id) + polls.card(room, act.page.learner_id))
        act.page.show(await CLUSTERS.writer.call(chatting.history, membership.pk, False))
        await room.pace()
        if room.broadcast is not None:
            act.page.show(room.broadcast.fragment())


def _guard(page: audience.LabPage, action: str, message: Mapping[str, Any]) -> None:
    room = of(page.learner_id)
    if room is None:
        return
    if room.classroom.frozen and action in ACTS:
        raise limits.refuse("지금은 모두 선생님의 화면을 보는 시간입니다. 선생님이 풀면 다시 할 수 있습니다.")
    if room.classroom.rate is not None and action in ("rate", "next"):
        raise limits.refuse("지금은 반 전체의 시계를 선생님이 맞추고 있습니다.")


async def _raise_hand(page: audience.LabPage, message: Mapping[str, Any]) -> None:
    room = of(page.learner_id)
    if room is None:
        return
    await set_hand(room, page.learner_id, up=message.get("up") is True)


async def _vote(page: audience.LabPage, message: Mapping[str, Any]) -> None:
    room = of(page.learner_id)
    if room is not None:
        await polls.vote(room, page, message)


async def _say(page: audience.LabPage, message: Mapping[str, Any]) -> None:
    room = of(page.learner_id)
    if room is not None:
        await chatting.say(room, page.learner_id, message, from_teacher=False)


async def _heard(page: audience.LabPage, message: Mapping[str, Any]) -> None:
    room = of(page.learner_id)
    if room is not None:
        await CLUSTERS.writer.call(chatting.mark_seen, room.seats[page.learner_id].member.pk, True)


async def set_hand(room: Room, learner_id: UUID, *, up: bool) -> None:
    """A hand goes up or down: the row first, then the learner's pages and the grid."""
    member = room.seats[learner_id].member
    member.hand_raised = timezone.now() if up else None
    await CLUSTERS.writer.call(_save_hand, member)
    room.dirty.add(learner_id)
    room.show_bar(learner_id)


# ---- rows

def _membership(learner_id: UUID) -> Membership | None:
    return access.present_membership(learner_id) if Classroom.objects.filter(closed=None).exists() else None


def _load(classroom_id: int) -> tuple[Classroom, list[Seat], dict[UUID, int], datetime | None]:
    classroom = Classroom.objects.get(pk=classroom_id)
    members = list(classroom.memberships.filter(removed=None).select_related("learner"))
    learners = [member.learner_id for member in members]
    done: dict[UUID, dict[str, set[str]]] = {}
    for learner, lesson, step in StepDone.objects.filter(learner__in=learners).values_list("learner", "lesson", "step"):
        done.setdefault(learner, {}).setdefault(lesson, set()).add(step)
    clusters = {(learner, lesson): pk for learner, lesson, pk in
                Cluster.objects.filter(learner__in=learners).values_list("learner", "lesson", "id")}
    (assigned, turns), plays = duties.shown(classroom, learners), teams.shown(classroom, learners)
    unread = chatting.unread(classroom.pk)
    seats = [Seat(member, assigned=assigned[member.learner_id], plays=plays[member.learner_id],
                  done=done.get(member.learner_id, {}), unread=unread.get(member.pk, 0),
                  cluster_id=clusters.get((member.learner_id, member.lesson)),
                  finished=member.step in done.get(member.learner_id, {}).get(member.lesson, ())) for member in members]
    return classroom, seats, polls.read(classroom) if classroom.question else {}, turns


def _let_go_of_yesterday(classroom_id: int) -> None:
    """A class that is opened again another day: hands that nobody answered and a timer that ran out long ago are over."""
    now = timezone.now()
    Membership.objects.filter(classroom=classroom_id, hand_raised__lt=now - OVER_AFTER).update(hand_raised=None)
    Classroom.objects.filter(pk=classroom_id, timer_ends__lt=now - OVER_AFTER).update(timer_ends=None)


def _save(members: list[Membership]) -> None:
    Membership.objects.bulk_update(members, ["lesson", "step", "step_since", "last_action", "last_action_at"])


def _save_hand(member: Membership) -> None:
    member.save(update_fields=["hand_raised"])
