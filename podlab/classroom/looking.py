"""Looking over a learner's shoulder: their lab page as it moves, with their terminal. Read-only, unless the learner lets the teacher help.

Who helps does not act on the cluster from here: the lines go into the learner's own terminal, where both see them.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from django.template.loader import render_to_string

from podlab.classroom import access, chatting, guests, replaying, rooms
from podlab.classroom.models import Classroom, Membership
from podlab.classroom.seats import Seat
from podlab.kubernetes.apiserver.errors import ApiError
from podlab.labs import access as lab_access
from podlab.labs import audience, limits, panels, storage
from podlab.labs.consumers import LabConsumer
from podlab.labs.database import on_database
from podlab.labs.live import CLUSTERS
from podlab.labs.models import Cluster

HOLDER = "class"  # what a token's holder begins with
ALLOWED_SECONDS = 5.0  # so long a look is taken to be allowed before it is asked again
REMEMBERED = 30  # commands of before a cluster slept
LOOKS = ("select", "tab", "width")  # what only changes what this page shows


def holder(classroom: Classroom, learner_id: Any) -> str:
    """Whose the token is by which a class's teacher looks at a learner's cluster with a kubectl of their own."""
    return f"{HOLDER}:{classroom.pk}:{learner_id}"


def may_look(who: str, cluster_id: int) -> bool:
    """Whether such a token still opens a cluster: the learner sits in the class, and it is where they work."""
    pk, _, learner_id = who.partition(":")
    member = Membership.objects.select_related("learner", "classroom").filter(classroom=pk, learner=learner_id, removed=None).first()
    cluster = Cluster.objects.filter(pk=cluster_id).first()
    return member is not None and cluster is not None and lab_access.place_of(member.learner, cluster.lesson).owner.pk == cluster.learner_id


class LookConsumer(LabConsumer):
    """A teacher's view of one learner's cluster."""

    unknown = access.NO_TEACHER

    async def connect(self) -> None:
        self.helping = False
        self.echoed = ""  # a line that this page has shown as it was typed here
        self.allowed_at = asyncio.get_running_loop().time()
        await super().connect()
        if self.live is not None:
            guests.enter(self.classroom.pk, self.learner_id, self)
            await self._begin_chat()

    def _open(self) -> Cluster:
        facts = self.scope["url_route"]["kwargs"]
        try:
            self.classroom = access.get_classroom(self.scope, facts["pk"])
            cluster = access.get_member_cluster(self.classroom, facts["learner"], facts["slug"])
            self.visitor = access.get_member(self.classroom, facts["learner"]).learner
            self.people = lab_access.place_of(self.visitor, facts["slug"]).people
        except access.NoTeacher:
            raise lab_access.NoLearner from None
        except access.NotYours:
            raise LookupError from None
        access.audit(self.classroom, "looked", user=self.classroom.teacher, learner=self.visitor, detail=facts["slug"])
        return cluster

    def _enter(self) -> None:
        """This is no page of the learner's: nobody hears of it, but it reads what their terminals show."""

    async def _join(self) -> None:
        first = self.live is None
        if self.live is not None:
            self.live.transcript.readers.discard(self._read)
        await super()._join()
        pieces = self.live_.transcript.pieces()
        self.outbox.extend(pieces)
        self.live_.transcript.readers.add(self._read)
        self._show_helping()
        if first and not pieces:
            self.outbox[:0] = await on_database(_remembered)(self.row.pk)
        self.hurry()

    def _read(self, html: str) -> None:
        """What the learner's terminal shows, but not once more what was typed here."""
        if html == self.echoed:
            self.echoed = ""
        else:
            self.show(html)

    async def _begin_chat(self) -> None:
        """The lines so far; from now on they come to this page."""
        room = await rooms.get(self.classroom.pk)
        seat = room.seats.get(self.learner_id)
        if seat is None:
            return
        seat.lookers.add(self)
        self.show(await CLUSTERS.writer.call(chatting.history, seat.member.pk, True))
        await CLUSTERS.writer.call(chatting.mark_seen, seat.member.pk, False)
        seat.unread = 0
        room.dirty.add(self.learner_id)

    async def disconnect(self, code: int) -> None:
        if self.live is not None:
            guests.leave(self.classroom.pk, self.learner_id, self)
            self.live.transcript.readers.discard(self._read)
            if (seat := self._seat()) is not None:
                seat.lookers.discard(self)
            await self._stop_helping()
        await super().disconnect(code)

    async def _send_changes(self) -> None:
        """Who has been removed from the class, or deleted, is not looked at any longer."""
        now = asyncio.get_running_loop().time()
        if now - self.allowed_at > ALLOWED_SECONDS:
            self.allowed_at = now
            try:
                await on_database(access.get_member_cluster)(self.classroom, self.learner_id, self.lesson)
            except access.NotYours:
                await self.close(guests.MEMBER_LEFT)
                return
        await super()._send_changes()

    # ---- in

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Looking is always allowed; a line only while the learner lets us; anything else does not exist here."""
        try:
            message = json.loads(text_data or "")
            name = str(message["action"])
        except (ValueError, TypeError, KeyError, RecursionError):
            return
        if name in LOOKS:
            await super().receive(text_data, bytes_data)
            return
        if self.live is None or not self.rate_limit.take():
            return
        try:
            await self._act(name, message)
        except ApiError as refusal:
            self.outbox.append(panels.refusal(refusal))
        self.hurry()

    async def _act(self, name: str, message: dict[str, Any]) -> None:
        if name == "say":
            seat = (await rooms.get(self.classroom.pk)).seats.get(self.learner_id)
            if seat is not None:
                await chatting.say(seat, message, from_teacher=True)
                if seat.elsewhere:
                    self.outbox.append(panels.notice("지금은 다른 교실에 앉아 있습니다. 이 교실로 돌아오면 봅니다."))
        elif name == "ask_help":
            await self._ask()
        elif name == "stop_help":
            await self._stop_helping()
        elif name == "terminal" and self.helping:
            await self._help(limits.text(message.get("line"), limits.LINE_MAX))

    def _seat(self) -> Seat | None:
        """The learner's seat in this class, if it is open: they may sit in another one just now."""
        room = rooms.ROOMS.get(self.classroom.pk)
        return room.seats.get(self.learner_id) if room is not None else None

    def _page(self) -> LabConsumer | None:
        """The learner's own page of this lesson, the one opened last."""
        found = [page for page in audience.pages(self.learner_id) if page.lesson == self.lesson]
        return found[-1] if found and isinstance(found[-1], LabConsumer) else None

    async def _ask(self) -> None:
        seat = self._seat()
        if seat is None or self._page() is None:
            self.outbox.append(panels.notice("그 사람의 화면이 지금 열려 있지 않습니다.", "warn"))
            return
        if seat.elsewhere:
            self.outbox.append(panels.notice("지금은 다른 교실에 앉아 있어 물을 수 없습니다.", "warn"))
            return
        seat.helper = self
        rooms.ROOMS[self.classroom.pk].show_bar(self.learner_id)
        self.outbox.append(panels.notice("함께 조작해도 되는지 물었습니다."))

    async def answered(self, allowed: bool) -> None:
        """The learner lets us help, or does not."""
        self.helping = allowed
        if allowed:
            await on_database(access.audit)(self.classroom, "took-over", user=self.classroom.teacher, learner=self.visitor, detail=self.lesson)
        self.outbox.append(
            panels.notice("함께 조작할 수 있습니다. 치는 것이 배우는 사람의 터미널에 그대로 보입니다." if allowed else "괜찮다고 합니다.")
        )
        self._show_helping()
        self.hurry()

    async def _help(self, line: str) -> None:
        page = self._page()
        if page is None:
            await self._stop_helping()
            return
        self.echoed = panels.typed(page.terminal.prompt, line)
        await page.type_for(line)

    async def _stop_helping(self) -> None:
        self.helping = False
        seat = self._seat()
        if seat is not None and seat.helper is self:
            seat.helper = None
            rooms.ROOMS[self.classroom.pk].show_bar(self.learner_id)
        self._show_helping()

    def _show_helping(self) -> None:
        self.outbox.append(render_to_string("classroom/_helping.html", {"helping": self.helping}))


def _remembered(cluster_id: int) -> list[str]:
    """What the terminal of a cluster that has slept since shows instead: the commands that the journal holds, without what they printed."""
    commands = [act.text for act in replaying.acts(storage.journal(cluster_id)) if act.typed][-REMEMBERED:]
    told = "↳ 이 클러스터가 잠들기 전에 친 명령입니다. 바꾼 것만 남고, 찍힌 글은 남지 않습니다.\n"
    return [*(panels.typed("$ ", text) for text in commands), panels.terminal_text("note", told)] if commands else []


async def answer_help(page: audience.LabPage, message: Any) -> None:
    """The learner's answer to a teacher who asks to help, or the end of it."""
    room = rooms.of(page.learner_id)
    helper = room.seats[page.learner_id].helper if room is not None else None
    if room is None or helper is None:
        return
    allowed = message.get("allow") is True
    if not allowed:
        room.seats[page.learner_id].helper = None
    await helper.answered(allowed)
    room.show_bar(page.learner_id)
