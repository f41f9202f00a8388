"""The one way from a signed-in teacher to a class and the people in it. Every teacher's view and consumer fetches through here.

A class is only ever looked up among the teacher's own, and a learner only among a class's members, so that an id in an address names
nobody else's. What is refused is written down (audit).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest

from podlab.classroom.models import AuditEntry, Classroom, Desk, Membership
from podlab.labs import births, limits
from podlab.labs.access import Carrier, Place, open_at, place_of
from podlab.labs.models import Cluster, Learner
from podlab.labs.storage import ENGINE_VERSION

logger = logging.getLogger(__name__)

NO_TEACHER, NOT_YOURS = 4401, 4404  # a socket's close codes for the two below; the page does not come back by itself (scripts/socket.js)


class NoTeacher(Exception):
    """Nobody is signed in as a teacher: send them to the sign-in page, or close the socket."""


class NotYours(Http404):
    """There is no such class, or it is another teacher's: the answer does not tell which."""


def find_teacher(carrier: Carrier) -> Any:
    """The signed-in user, or None."""
    user: AbstractBaseUser | AnonymousUser
    if isinstance(carrier, HttpRequest):
        user = carrier.user
    else:  # a websocket's scope: Django's own look-up wants a request with a session
        request = HttpRequest()
        request.session = carrier["session"]
        user = get_user(request)
    return user if user.is_authenticated else None


def get_teacher(carrier: Carrier) -> Any:
    """Raises NoTeacher."""
    user = find_teacher(carrier)
    if user is None:
        raise NoTeacher
    return user


def get_classroom(carrier: Carrier, pk: int) -> Classroom:
    """One of the teacher's own classes. Raises NoTeacher, NotYours."""
    teacher = get_teacher(carrier)
    classroom = Classroom.objects.select_related("teacher").filter(pk=pk, teacher=teacher).first()
    if classroom is None:
        logger.warning("User %s asked for class %s, which is not theirs", teacher.pk, pk)
        AuditEntry.objects.create(user=teacher, what="refused", detail=f"class {pk}")
        raise NotYours
    return classroom


def get_member(classroom: Classroom, learner_id: Any, *, removed: bool = False) -> Membership:
    """Somebody who is in the class now, or who was removed from it. Raises NotYours."""
    try:
        found = (classroom.memberships.select_related("learner", "classroom")
                 .filter(learner_id=learner_id, removed__isnull=not removed).first())
    except (ValueError, TypeError, ValidationError):  # no uuid at all
        found = None
    if found is None:
        AuditEntry.objects.create(classroom=classroom, user=classroom.teacher, what="refused", detail=f"learner {str(learner_id)[:40]}")
        raise NotYours
    return found


def get_member_cluster(classroom: Classroom, learner_id: Any, lesson: str) -> Cluster:
    """The cluster that a member works on in a lesson. Raises NotYours."""
    owner = place_of(get_member(classroom, learner_id).learner, lesson).owner
    cluster = Cluster.objects.select_related("learner").filter(learner=owner, lesson=lesson).first()
    if cluster is None:
        raise NotYours
    return cluster


def desk_cluster(desk: Desk, lesson: str) -> Cluster:
    """The teacher's own cluster of a lesson, born now if they have not been there yet."""
    return open_at(Place(desk.learner, {}), lesson, seed=births.birth(lesson).seed, epoch_ms=births.EPOCH_MS, engine_version=ENGINE_VERSION)


def present_membership(learner: Learner | UUID) -> Membership | None:
    """The class that a learner sits in now: of those that are open, the one sat down in last."""
    return (Membership.objects.select_related("classroom")
            .filter(learner=learner, removed=None, classroom__closed=None).order_by("-sat", "-id").first())


def open_classes(learners: Iterable[UUID]) -> dict[UUID, list[Classroom]]:
    """The open classes of each, the one that they sit in first. One query."""
    found: dict[UUID, list[Classroom]] = {}
    for one in (Membership.objects.select_related("classroom")
                .filter(learner__in=learners, removed=None, classroom__closed=None).order_by("-sat", "-id")):
        found.setdefault(one.learner_id, []).append(one.classroom)
    return found


def audit(classroom: Classroom | None, what: str, *, user: Any = None, learner: Learner | None = None, detail: str = "") -> None:
    AuditEntry.objects.create(classroom=classroom, user=user, learner=learner, what=what, detail=limits.writable(detail)[:200])
