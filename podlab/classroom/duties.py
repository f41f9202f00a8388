"""The rows of assignments: what is open for whom, whether a check or a hint is allowed just now, and what was done. Synchronous and short.

Attempts are counted where they are allowed: one UPDATE that only finds the row while there are attempts left, so that two tabs of one
learner cannot have one more together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from lessons import library
from podlab.classroom import grades, presence
from podlab.classroom.models import Assignment, Classroom, Membership, Work

NO_HINTS = "이 과제에는 힌트를 쓸 수 없습니다. 마감 뒤에 볼 수 있습니다."
NO_ATTEMPTS = "이 과제의 ‘확인하기’를 모두 썼습니다."
HINTS_LATER = "‘확인하기’를 {}번 더 해 본 뒤에 힌트를 볼 수 있습니다."


class Refused(Exception):
    """Why an act is not allowed, as a Korean sentence."""


def open_now() -> Q:
    now = timezone.now()
    return Q(opens__lte=now) & (Q(closes=None) | Q(closes__gt=now)) & Q(classroom__closed=None)


def open_for(learner_id: UUID, lesson: str) -> list[Assignment]:
    """What is open for a learner in a lesson, in whichever of their classes: another class's door is no way out of an assessment."""
    found = Assignment.objects.filter(open_now(), classroom__memberships__learner_id=learner_id, classroom__memberships__removed=None).distinct()
    return [one for one in found if any(slug == lesson for slug, _ in one.items)]


def veiled(learner_id: UUID, lesson: str) -> frozenset[str]:
    """The exercises of a lesson that are being assessed (audience.veil)."""
    if not presence.exists(Assignment, mode=Assignment.Mode.ASSESSMENT):
        return frozenset()
    return frozenset(exercise for one in open_for(learner_id, lesson) if one.veiled for slug, exercise in one.items if slug == lesson)


def claim(learner_id: UUID, lesson: str, exercise: str, action: str) -> list[int]:
    """Take a check or a hint: counted in every open assignment that has the exercise. Returns the works' ids. Raises Refused."""
    with transaction.atomic():
        works = []
        for assignment in open_for(learner_id, lesson):
            if (lesson, exercise) in assignment.items:
                work = Work.objects.get_or_create(assignment=assignment, learner_id=learner_id, lesson=lesson, exercise=exercise)[0]
                _count(assignment, work, action)
                works.append(work.pk)
    return works


def _count(assignment: Assignment, work: Work, action: str) -> None:
    mine = Work.objects.filter(pk=work.pk)
    if action == "hint":
        if assignment.mode == Assignment.Mode.ASSESSMENT or assignment.hints == Assignment.Hints.NONE:
            raise Refused(NO_HINTS)
        if assignment.hints == Assignment.Hints.AFTER and work.solved is None and work.checks < assignment.hints_after:
            raise Refused(HINTS_LATER.format(assignment.hints_after - work.checks))
        mine.update(hints=F("hints") + 1)
    elif work.solved is None:
        left = mine.filter(checks__lt=assignment.attempts) if assignment.attempts else mine
        if not left.update(checks=F("checks") + 1):
            raise Refused(NO_ATTEMPTS)


def solved(works: Iterable[int]) -> None:
    """The check that these works were claimed for found the exercise solved. Scores go on their way."""
    with transaction.atomic():
        for work in Work.objects.filter(pk__in=list(works), solved=None).select_related("assignment"):
            Work.objects.filter(pk=work.pk).update(solved=timezone.now())
            grades.queue(work.assignment, work.learner_id)


# ---- what is shown

@dataclass(frozen=True)
class Item:
    """One exercise of an assignment as one learner has it."""

    lesson: Any
    exercise: Any
    work: Work | None
    left: int | None  # checks; None: any number

    @property
    def solved(self) -> bool:
        return self.work is not None and self.work.solved is not None


@dataclass(frozen=True)
class Duty:
    """One assignment as one learner has it."""

    assignment: Assignment
    items: list[Item]

    @property
    def solved(self) -> int:
        return sum(item.solved for item in self.items)


def duties(assignment: Assignment, learners: Iterable[UUID]) -> dict[UUID, Duty]:
    """What each of them has done of it."""
    learners = list(learners)
    works: dict[UUID, dict[tuple[str, str], Work]] = defaultdict(dict)
    for work in assignment.works.filter(learner__in=learners):
        works[work.learner_id][work.lesson, work.exercise] = work
    return {learner: Duty(assignment, _items(assignment, works[learner])) for learner in learners}


def _items(assignment: Assignment, works: dict[tuple[str, str], Work]) -> list[Item]:
    found = []
    for slug, name in assignment.items:
        try:
            lesson = library.get(slug)
        except LookupError:  # a lesson of the teacher's own that is no more
            continue
        exercise, work = lesson.exercise(name), works.get((slug, name))
        if exercise is not None:
            left = max(assignment.attempts - (work.checks if work else 0), 0) if assignment.attempts else None
            found.append(Item(lesson, exercise, work, left))
    return found


def shown(classroom: Classroom, learners: Iterable[UUID]) -> tuple[dict[UUID, list[Duty]], datetime | None]:
    """({learner: what is open for them in this class}, when that changes by itself)."""
    learners, now = list(learners), timezone.now()
    found: dict[UUID, list[Duty]] = {learner: [] for learner in learners}
    turns = []
    for assignment in classroom.assignments.all() if classroom.closed is None else ():
        turns += [at for at in (assignment.opens, assignment.closes) if at is not None and at > now]
        if assignment.open:
            for learner, duty in duties(assignment, learners).items():
                found[learner].append(duty)
    return found, min(turns, default=None)


def mine(learner_id: UUID, classroom_id: int) -> list[Duty]:
    """What is open for one learner in one class."""
    classroom = Classroom.objects.get(pk=classroom_id)
    return shown(classroom, [learner_id])[0][learner_id]


def table(assignment: Assignment) -> list[tuple[Membership, Duty]]:
    """Everybody of the class with what they have done of it."""
    members = assignment.classroom.members()
    found = duties(assignment, [member.learner_id for member in members])
    return [(member, found[member.learner_id]) for member in members]
