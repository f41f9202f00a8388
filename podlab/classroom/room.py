"""One live class: who sits where, what changed, and who watches. Which rooms are open is rooms.py's."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import Protocol
from uuid import UUID

from django.template.loader import render_to_string
from django.utils import timezone

from lessons import library
from lessons.models import StepDone
from lessons.schema import Lesson, Step
from podlab.classroom import access, broadcasting, chatting, duties, polls, teams
from podlab.classroom.broadcasting import Broadcast
from podlab.classroom.models import Classroom, Membership
from podlab.classroom.seats import Seat
from podlab.classroom.signals import Rule
from podlab.labs import audience, rows, storage
from podlab.labs.consumers import LabConsumer
from podlab.labs.database import update_each
from podlab.labs.live import CLUSTERS
from podlab.labs.models import Cluster

NO_BAR = '<aside id="class-bar" hx-ext="morph" hidden hx-swap-oob="morph"></aside>'
SLICE = 0.01  # seconds of drawing before others get their turn


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
    def attended(self) -> bool:
        """Whether a page of the teacher's is open: the class's own, one that looks at a member, or the one that everybody follows.
        Any thread may ask."""
        followed = self.broadcast is not None and len(self.broadcast.live.viewers) > 1  # the broadcast itself is one
        return bool(self.watchers) or followed or any(seat.lookers for seat in list(self.seats.values()))

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
            seat.cluster_id = act.page.row.id if isinstance(act.page, LabConsumer) else seat.cluster_id
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
        """The class bar: its name, the teacher's words, the raised hand."""
        seat = self.seats[learner_id]
        called, step = self.called()
        there = called is not None and seat.member.lesson == called.slug and (step is None or seat.member.step == step.id)
        return render_to_string(
            "classroom/_bar.html",
            {"classroom": self.classroom, "seat": seat, "hand": seat.member.hand_raised, "asked": seat.helper is not None,
             "helped": seat.helper is not None and seat.helper.helping, "ends": self.classroom.timer_ends, "assigned": seat.assigned,
             "plays": seat.plays, "others": seat.open_classes[1:], "called": called, "step": step, "there": there},
        )

    def words(self, learner_id: UUID) -> str:
        """What a member's page shows of the class: the bar, and the question that everybody is asked."""
        return self.bar(learner_id) + polls.card(self.classroom, self.votes, learner_id)

    def called(self) -> tuple[Lesson | None, Step | None]:
        """The lesson and step that the teacher has called everybody to."""
        try:
            lesson = library.get(self.classroom.lesson) if self.classroom.lesson else None
        except LookupError:  # it was there when the call was made
            lesson = None
        return lesson, lesson.step(self.classroom.step) if lesson else None

    def show_bar(self, learner_id: UUID) -> None:
        if not self.seats[learner_id].elsewhere:
            audience.show(learner_id, self.words(learner_id))

    async def renew(self) -> None:
        """The class or its members changed in the database: take it over, and bring every page to it."""
        async with self.renewing:
            await self._renew()

    async def _renew(self) -> None:
        self.classroom, seats, self.votes, self.turns = await CLUSTERS.writer.call(load, self.classroom.pk)
        present = self.seats
        self.seats = {}
        for seat in seats:
            old = present.pop(seat.learner_id, None)
            if old is not None:  # what memory knows of the work is newer than the rows
                old.member.name, old.member.number, old.member.hand_raised = seat.member.name, seat.member.number, seat.member.hand_raised
                unveiled = old.veiled != seat.veiled
                if seat.elsewhere and not old.elsewhere:
                    present[seat.learner_id] = old
                old.assigned, old.plays, old.open_classes = seat.assigned, seat.plays, seat.open_classes
                if unveiled:
                    audience.veil_changed(seat.learner_id)
            self.seats[seat.learner_id] = old or seat
        for gone, left in present.items():
            audience.show(gone, NO_BAR + polls.EMPTY_CARD + broadcasting.NOTHING)
            audience.veil_changed(gone)
            helper, left.helper = left.helper, None
            if helper is not None:  # the button that ends it has just left their page
                await helper.answered(False)
        for learner_id in self.seats:
            self.seats[learner_id].online = bool(audience.pages(learner_id)) and not self.seats[learner_id].elsewhere
            self.show_bar(learner_id)
        self.dirty |= set(self.seats) | set(present)
        self.moved |= set(self.seats)
        self.version += 1
        for watcher in list(self.watchers):  # a second page of the teacher's, and a class without members
            watcher.changed(set())
        await self.pace()
        await self.settle_broadcast()

    async def settle_broadcast(self) -> None:
        """Begin, keep or end the broadcast that the class wishes for."""
        before, self.broadcast = self.broadcast, await broadcasting.settle(self.classroom, self.broadcast)
        if before is not None and self.broadcast is None:
            self.show(broadcasting.NOTHING)

    def show(self, html: str) -> None:
        """Send fragments to every page of who sits here."""
        for seat in self.seats.values():
            if not seat.elsewhere:
                audience.show(seat.learner_id, html)

    async def follow(self) -> None:
        """The members' pages see what is new on the teacher's screen."""
        html = await self.broadcast.news() if self.broadcast is not None else ""
        if html:
            self.show(html)

    async def pace(self) -> None:
        """Bring the members' awake clusters to the class's pace."""
        rate = self.classroom.rate
        for seat in list(self.seats.values()) if rate is not None else ():
            for page in audience.pages(seat.learner_id) if seat.online else ():
                live = CLUSTERS.find(page.row.id) if isinstance(page, LabConsumer) else None
                if rate is None or live is None or live.rate == rate:
                    continue
                async with live.turn():
                    live.set_rate(rate)
                await CLUSTERS.writer.call(storage.save_rate, live.id, rate)

    async def set_hand(self, learner_id: UUID, *, up: bool) -> None:
        """A hand goes up or down: the row first, then the learner's pages and the grid."""
        async with self.renewing:  # rows that were read before it would put it back to what it was
            seat = self.seats.get(learner_id)
            if seat is None:
                return
            seat.member.hand_raised = timezone.now() if up else None
            await CLUSTERS.writer.call(_save_hand, seat.member)
            self.dirty.add(learner_id)
            self.show_bar(learner_id)

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


def load(classroom_id: int) -> tuple[Classroom, list[Seat], dict[UUID, int], datetime | None]:
    """(the class, its members' seats, the votes on its open question, when an assignment opens or closes next) from the rows."""
    classroom = Classroom.objects.get(pk=classroom_id)
    members = classroom.members()
    learners = [member.learner_id for member in members]
    (assigned, turns), plays = duties.shown(classroom, learners), teams.shown(classroom, learners)
    teamed = {(learner, play.game.lesson): play.team.learner_id for learner, found in plays.items() for play in found}
    everybody = {*learners, *teamed.values()}
    done: dict[UUID, dict[str, set[str]]] = {}
    for learner, lesson, step in StepDone.objects.filter(learner__in=everybody).values_list("learner", "lesson", "step"):
        done.setdefault(learner, {}).setdefault(lesson, set()).add(step)
    clusters: dict[tuple[UUID, str], int | None] = {
        (learner, lesson): pk for learner, lesson, pk in Cluster.objects.filter(learner__in=everybody).values_list("learner", "lesson", "id")}
    for (learner, lesson), team in teamed.items():  # what a team has is what its members have there
        done.setdefault(learner, {})[lesson] = done.get(team, {}).get(lesson, set())
        clusters[learner, lesson] = clusters.get((team, lesson))
    unread, present = chatting.unread(classroom.pk), access.open_classes(learners)
    seats = [Seat(member, open_classes=present.get(member.learner_id, []), assigned=assigned[member.learner_id], plays=plays[member.learner_id],
                  done=done.get(member.learner_id, {}), unread=unread.get(member.pk, 0),
                  cluster_id=clusters.get((member.learner_id, member.lesson)),
                  finished=member.step in done.get(member.learner_id, {}).get(member.lesson, ())) for member in members]
    return classroom, seats, polls.read(classroom) if classroom.question else {}, turns


def _save(members: list[Membership]) -> None:
    update_each(members, ["lesson", "step", "step_since", "last_action", "last_action_at"])


def _save_hand(member: Membership) -> None:
    member.save(update_fields=["hand_raised"])
