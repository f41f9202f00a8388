"""The class page's websocket: the teacher's live grid out, what the teacher does to the class in.

Authorised once, at the start, as the teacher of this class; it keeps only what is new since it last sent.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any
from uuid import UUID

from django.utils import timezone

from lessons import library
from podlab.classroom import access, panels, polls, rooms, steering, wishes
from podlab.classroom.models import Directive
from podlab.classroom.room import Room
from podlab.kubernetes.apiserver.errors import ApiError
from podlab.labs import limits
from podlab.labs.database import on_database
from podlab.labs.sockets import PageConsumer

logger = logging.getLogger(__name__)

SHORTEST_GAP = 0.1  # seconds between two sends
NAMED = 5  # people whom the record of a fault or a reset names; of more it tells how many
TILES_A_SEND = 40  # the rest follows at once, in the next message: the page stays smooth


class ClassroomConsumer(PageConsumer):
    """One open class page."""

    room: Room | None = None

    async def connect(self) -> None:
        await self.accept()
        try:
            self.classroom = await on_database(access.get_classroom)(self.scope, self.scope["url_route"]["kwargs"]["pk"])
        except access.NoTeacher:
            await self.close(access.NO_TEACHER)
            return
        except access.NotYours:
            await self.close(access.NOT_YOURS)
            return
        self.matrix = ""  # the lesson whose matrix is shown; empty: the tiles are
        self.shown: dict[UUID, str] = {}  # tile or row -> what was sent last
        self.poll: Any = None  # of what the open question's panel was drawn last
        self.version, self.wished = -1, ""  # of the room, and what was sent last of its wishes
        self.room = await rooms.get(self.classroom.pk)
        self.due = set(self.room.seats)
        self.room.watchers.add(self)
        self.room.moved |= {seat.learner_id for seat in self.room.seats.values() if not seat.picture}
        self.begin(self._send_for_ever)
        self.wake.set()

    async def disconnect(self, code: int) -> None:
        if self.room is not None:
            self.room.watchers.discard(self)
            self.end()

    # ---- out

    def changed(self, seats: set[UUID]) -> None:
        self.due |= seats
        self.wake.set()

    async def _send_for_ever(self) -> None:
        while True:
            await self.wake.wait()
            self.wake.clear()
            await self._send()
            await asyncio.sleep(SHORTEST_GAP)

    async def _send(self) -> None:
        room = self.room
        assert room is not None
        due, self.due = self.due, set()
        for learner_id in list(due)[TILES_A_SEND:]:
            self.due.add(learner_id)
            due.discard(learner_id)
            self.wake.set()
        html = [self._one(room, learner_id) for learner_id in due]
        if due:
            html.append(panels.counts(room))
        if room.version != self.version:
            self.version, before = room.version, self.wished
            self.wished = panels.wishes(room)
            html += [self.wished] if self.wished != before else []
        if (drawn := (room.version, len(room.votes), len(room.seats))) != self.poll:
            self.poll = drawn
            html.append(polls.panel(room.classroom, room.votes, len(room.seats)))
        await self.send_outbox(*html)

    def _one(self, room: Room, learner_id: UUID) -> str:
        """The tile or the matrix row of one learner, if it is new; put in its place, appended, or taken away."""
        seat = room.seats.get(learner_id)
        if seat is None:
            return panels.gone(learner_id, matrix=bool(self.matrix)) if self.shown.pop(learner_id, None) is not None else ""
        text = seat.row(library.get(self.matrix)) if self.matrix else seat.tile(room.rule, timezone.now())
        before = self.shown.get(learner_id)
        if before == text:
            return ""
        self.shown[learner_id] = text
        return panels.placed(text, new=before is None, matrix=bool(self.matrix))

    # ---- in

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        read = self.message(text_data)
        if read is None or self.room is None:
            return
        name, message = read
        action = getattr(self, f"do_{name}", None)
        if action is None or not self.rate_limit.take():
            return
        try:
            await action(message)
        except ApiError as error:
            self.outbox.append(panels.notice(error.message, "bad"))
        except access.NotYours:
            self.outbox.append(panels.notice("그런 사람은 이 교실에 없습니다.", "bad"))
        except Exception:
            logger.exception("The class act %r failed", name)
            self.outbox.append(panels.notice("서버에서 문제가 생겨 하지 못했습니다.", "warn"))
        self.wake.set()

    async def do_view(self, message: dict[str, Any]) -> None:
        """Tiles, or the matrix of a lesson."""
        lesson = message.get("lesson") or ""
        self.matrix = lesson if isinstance(lesson, str) and any(one.slug == lesson for one in library.lessons()) else ""
        self.shown = {}
        self.outbox.append(panels.view(library.get(self.matrix) if self.matrix else None))
        assert self.room is not None
        self.due |= set(self.room.seats)

    async def do_wish(self, message: dict[str, Any]) -> None:
        """What every page should be like from now on: pace, frozen, announcement, step and timer."""
        assert self.room is not None
        told = await wishes.change(self.room, message)
        self.outbox.append(panels.notice(told))

    async def do_direct(self, message: dict[str, Any]) -> None:
        """A fault or a reset, for one learner, some or all: it happens exactly once to each."""
        assert self.room is not None
        kind, payload = steering.read(message)
        lesson = limits.text(message.get("lesson"), 80)
        targets = self._targets(message.get("learners"))
        seats = [self.room.seats[target] for target in targets]  # before anybody may leave
        directive = await on_database(steering.store)(self.room.classroom, lesson, kind, payload, targets)
        told = "모두 " if message.get("learners") is None else ", ".join(seat.member.name for seat in seats[:NAMED]) + " · "
        await on_database(access.audit)(self.room.classroom, kind, user=self.classroom.teacher, detail=f"{lesson}: {told}{len(targets)}명",
                                        learner=seats[0].member.learner if len(seats) == 1 else None)
        rooms.later(self._carry_out(directive, len(targets)))

    async def _carry_out(self, directive: Directive, number: int) -> None:
        """Beside the page, which goes on: two hundred clusters that sleep take a while to wake."""
        failed = await steering.carry_out(directive)
        missed = await on_database(steering.missed)(directive)
        told = [f"{number - failed - missed}명에게 했습니다.", f"{missed}명에게는 그럴 것이 없었습니다." if missed else "",
                f"{failed}명은 다시 해 봅니다." if failed else ""]
        self.outbox.append(panels.notice(" ".join(filter(None, told))))
        self.wake.set()

    def _targets(self, asked: Any) -> list[UUID]:
        """The members meant: those asked for, or all; but nobody who sits in another class. Raises NotYours for somebody who is none."""
        assert self.room is not None
        found = [seat for seat in self.room.seats.values() if asked is None or (isinstance(asked, list) and str(seat.learner_id) in asked)]
        if asked is not None and (not isinstance(asked, list) or len(found) != len(set(map(str, asked)))):
            raise access.NotYours
        here = [seat.learner_id for seat in found if not seat.elsewhere]
        if asked and not here:
            raise limits.refuse("고른 사람은 지금 다른 교실에 앉아 있어 닿지 않습니다.")
        return here

    async def do_lower(self, message: dict[str, Any]) -> None:
        """A raised hand was answered."""
        assert self.room is not None
        member = await on_database(access.get_member)(self.room.classroom, message.get("learner"))
        await self.room.set_hand(member.learner_id, up=False)
