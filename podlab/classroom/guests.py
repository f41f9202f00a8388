"""A teacher's pages that show one member: looks and replays. They end when the member leaves the class, and follow a seat that is merged."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol
from uuid import UUID

from podlab.classroom.models import Membership
from podlab.labs.database import on_database

MEMBER_LEFT = 4410  # websocket close code: the page does not come back by itself (scripts/socket.js)
ANEW = 4012  # as "service restart", which our server may not send: the page comes back by itself, to where the door leads now


class Guest(Protocol):
    """One open page."""

    async def close(self, code: int) -> None: ...


_present: dict[tuple[int, UUID], set[Guest]] = {}


def enter(classroom_id: int, learner_id: UUID, guest: Guest) -> None:
    _present.setdefault((classroom_id, learner_id), set()).add(guest)


def leave(classroom_id: int, learner_id: UUID, guest: Guest) -> None:
    """The page is closed. Harmless for one that never entered."""
    found = _present.get((classroom_id, learner_id), set())
    found.discard(guest)
    if not found:
        _present.pop((classroom_id, learner_id), None)


async def settle(classroom_id: int) -> None:
    """The members of a class changed: pages that show somebody who sits there no more end."""
    watched = [learner for classroom, learner in _present if classroom == classroom_id]
    if not watched:
        return
    seated = await on_database(_seated)(classroom_id, watched)
    for learner in watched:
        if learner not in seated:
            await _close(classroom_id, learner, MEMBER_LEFT)


async def come_anew(learners: Iterable[UUID]) -> None:
    """Somebody's clusters are others now: pages that show them come in anew."""
    wanted = set(learners)
    for classroom_id, learner in list(_present):
        if learner in wanted:
            await _close(classroom_id, learner, ANEW)


async def _close(classroom_id: int, learner_id: UUID, code: int) -> None:
    for guest in _present.pop((classroom_id, learner_id), set()):
        await guest.close(code)


def _seated(classroom_id: int, learners: list[UUID]) -> set[UUID]:
    return set(Membership.objects.filter(classroom=classroom_id, learner__in=learners, removed=None).values_list("learner_id", flat=True))
