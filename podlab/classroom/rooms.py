"""Which live classes are open in this process, and what the lab pages tell them and ask.

A room is open while a member's page or the teacher's page is. It hears what happens on the members' pages (labs/audience.py), and a few
times a second tells its watchers what is new: coalesced, so that two hundred learners cost no more than their changed tiles.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from django.db.models import Q
from django.utils import timezone

from podlab.classroom import access, chatting, guests, joining, polls, presence
from podlab.classroom.models import Classroom, Membership
from podlab.classroom.room import Room, load
from podlab.labs import audience, limits
from podlab.labs.live import CLUSTERS

logger = logging.getLogger(__name__)

TELL_EVERY = 0.25  # seconds between two looks at what changed: a watcher sees an act well within one second
OVER_AFTER = timedelta(hours=4)  # a raised hand, a timer, or what holds everybody still from before is of an earlier lesson
SAVE_EVERY, LOOK_AGAIN_EVERY, LET_GO_EVERY = 5.0, 10.0, 300.0  # seconds: members' rows; signals that time alone sets off; a class left open
LOOKS = frozenset({"select", "tab", "width", "step", "read", "complete", "lint", "suggest", "browse_stop",
                   "hand", "vote", "say", "heard", "sit", "help", "suggestion"})
"""What a learner may do while the class is frozen: look, speak to the teacher, and answer what the teacher asks."""
FROZEN = "지금은 모두 선생님의 화면을 보는 시간입니다. 선생님이 풀면 다시 할 수 있습니다."
HELD = "선생님이 모두의 입력을 멈춘 동안에는 다른 교실로 옮겨 앉을 수 없습니다. 선생님이 풀면 다시 할 수 있습니다."


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


def held(learner_id: UUID, wanted: int) -> bool:
    """Whether a learner may not go over to the class `wanted`: theirs is frozen, and who froze it is there. Any thread may ask."""
    room = of(learner_id)
    return room is not None and room.classroom.pk != wanted and room.classroom.frozen and room.attended


async def renew(classroom_id: int) -> None:
    """Something about a class was saved: tell the room, if it is open, and those where its members sit instead."""
    await guests.settle(classroom_id)
    room = ROOMS.get(classroom_id)
    if room is None:
        return
    await _renew(room)
    moved = {seat.learner_id for seat in room.seats.values() if seat.elsewhere}
    for other in [one for one in ROOMS.values() if one is not room]:
        if strangers := {one for one in other.seats if one in room.seats and other.seats[one].sits_in != room.seats[one].sits_in}:
            await _renew(other)
            moved |= strangers
    for learner_id in moved & set(room.seats):  # last: what the room that they have left took off their pages is on them again
        wanted = room.seats[learner_id].sits_in
        if wanted is not None and audience.pages(learner_id):
            await _welcome(await get(wanted), learner_id)


async def _welcome(room: Room, learner_id: UUID) -> None:
    """Who has come over from another class sees what this one shows, and their lines to its teacher instead of the other's."""
    seat = room.seats.get(learner_id)
    if seat is None:
        return
    audience.show(learner_id, await CLUSTERS.writer.call(chatting.history, seat.member.pk, False))
    room.show_bar(learner_id)
    if room.broadcast is not None:
        audience.show(learner_id, room.broadcast.fragment())


async def _renew(room: Room) -> None:
    await room.renew()
    _seat_all(room)


def _seat_all(room: Room) -> None:
    _seated.update({seat.learner_id: room.classroom.pk for seat in room.seats.values() if not seat.elsewhere})


async def _sought(page: audience.LabPage) -> Room | None:
    """The room that a page's learner sits in, opened if need be: a page that came back, after the server did, may act before it is seated."""
    found = of(page.learner_id)
    if found is None:
        membership = await CLUSTERS.writer.call(_membership, page.learner_id)
        found = await get(membership.classroom_id) if membership is not None else None
    return found if found is not None and page.learner_id in found.seats else None


def tell(classroom: Classroom) -> None:
    """A view has saved the class: `renew` from a thread of its own."""
    async_to_sync(renew)(classroom.pk)


async def _open(classroom_id: int) -> Room:
    await CLUSTERS.writer.call(_let_go_of_yesterday, classroom_id, False)
    classroom, seats, votes, turns = await CLUSTERS.writer.call(load, classroom_id)
    room = ROOMS[classroom_id] = Room(classroom, seats, votes)
    room.turns = turns
    for seat in seats:
        seat.online = bool(audience.pages(seat.learner_id)) and not seat.elsewhere
        room.show_bar(seat.learner_id)
    _seat_all(room)
    await room.settle_broadcast()
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
    saved = looked = let_go = loop.time()
    try:
        while True:
            while room.live or loop.time() - saved < SAVE_EVERY:
                await asyncio.sleep(TELL_EVERY)
                try:
                    await room.follow()
                    if room.turns is not None and timezone.now() >= room.turns:
                        await room.renew()
                    if loop.time() - let_go > LET_GO_EVERY:
                        let_go = loop.time()
                        if await CLUSTERS.writer.call(_let_go_of_yesterday, room.classroom.pk, room.attended):
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
            if not room.live:  # nobody came while it was written
                break
    finally:
        if room.broadcast is not None:
            room.broadcast.end()
        if ROOMS.get(room.classroom.pk) is room:
            del ROOMS[room.classroom.pk]
            for learner_id in [one for one, pk in _seated.items() if pk == room.classroom.pk]:
                del _seated[learner_id]


# ---- what the pages tell and ask

def install() -> None:
    """Hear of the lab pages. Called once, when Django starts."""
    audience.listen(_hear)
    audience.guard(_guard)
    audience.handle("hand", _raise_hand)
    audience.handle("vote", _vote)
    audience.handle("say", _say)
    audience.handle("sit", _sit)
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
    seats = [one.seats[act.page.learner_id] for one in ROOMS.values() if act.page.learner_id in one.seats]
    if act.page.learner_id not in room.seats or any(seat.sits_in != membership.classroom_id for seat in seats):
        await renew(membership.classroom_id)
    if act.page.learner_id in room.seats:
        room.hear(act)
        act.page.show(room.words(act.page.learner_id))
        act.page.show(await CLUSTERS.writer.call(chatting.history, membership.pk, False))
        await room.pace()
        if room.broadcast is not None:
            act.page.show(room.broadcast.fragment())


def _guard(learner_id: UUID, action: str) -> None:
    room = of(learner_id)
    if room is None:
        return
    if room.classroom.frozen and action not in LOOKS:
        raise limits.refuse(FROZEN)
    if room.classroom.rate is not None and action in ("rate", "next"):
        raise limits.refuse("지금은 반 전체의 시계를 선생님이 맞추고 있습니다.")


async def _raise_hand(page: audience.LabPage, message: Mapping[str, Any]) -> None:
    room = await _sought(page)
    if room is not None:
        await room.set_hand(page.learner_id, up=message.get("up") is True)


async def _vote(page: audience.LabPage, message: Mapping[str, Any]) -> None:
    room = await _sought(page)
    if room is not None:
        await polls.vote(room, page, message)
        for watcher in list(room.watchers):
            watcher.changed(set())


async def _say(page: audience.LabPage, message: Mapping[str, Any]) -> None:
    room = await _sought(page)
    if room is not None and await chatting.say(room.seats[page.learner_id], message, from_teacher=False):
        room.dirty.add(page.learner_id)


async def _sit(page: audience.LabPage, message: Mapping[str, Any]) -> None:
    """A learner of two open classes goes over to the other one."""
    wanted, before = int(limits.number(message.get("class"))), of(page.learner_id)
    if held(page.learner_id, wanted):
        raise limits.refuse(HELD)
    if await CLUSTERS.writer.call(joining.sit, page.learner_id, wanted):
        await get(wanted)
        await renew(wanted if before is None else before.classroom.pk)


async def _heard(page: audience.LabPage, message: Mapping[str, Any]) -> None:
    room = of(page.learner_id)
    if room is not None:
        await CLUSTERS.writer.call(chatting.mark_seen, room.seats[page.learner_id].member.pk, True)


# ---- rows

def _membership(learner_id: UUID) -> Membership | None:
    return access.present_membership(learner_id) if presence.exists(Classroom, closed=None) else None


def _let_go_of_yesterday(classroom_id: int, attended: bool) -> bool:
    """A class of an earlier day: hands that nobody answered, a timer that ran out long ago, and whatever a teacher who has gone home left
    on that keeps learners from working by themselves (frozen input, everybody's clock, the teacher's screen) are over.
    While a teacher's page is there (attended) it stays as wished. Returns whether anything was."""
    long_ago, classroom = timezone.now() - OVER_AFTER, Classroom.objects.filter(pk=classroom_id)
    held = Q(frozen=True) | Q(rate__isnull=False) | ~Q(broadcasting="")
    return any([Membership.objects.filter(classroom=classroom_id, hand_raised__lt=long_ago).update(hand_raised=None),
                classroom.filter(timer_ends__lt=long_ago).update(timer_ends=None),
                not attended and classroom.filter(held, steered__lt=long_ago).update(frozen=False, rate=None, broadcasting="")])
