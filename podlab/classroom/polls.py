"""A question for the whole class at once: everybody answers once, the teacher sees the counts grow, and all see them when it is revealed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

from django.template.loader import render_to_string

from lessons import library
from lessons.schema import Question
from podlab.classroom.models import Classroom, Vote
from podlab.labs import audience, limits
from podlab.labs.live import CLUSTERS

EMPTY_CARD = '<section id="class-question" hx-ext="morph" hidden hx-swap-oob="morph"></section>'


def question_of(classroom: Classroom) -> Question | None:
    """The open question; None where there is none, or its lesson has changed since."""
    if not classroom.question:
        return None
    try:
        return library.get(classroom.question_lesson).question(classroom.question)
    except LookupError:
        return None


def read(classroom: Classroom) -> dict[UUID, int]:
    """{learner: choice} of the open question."""
    return dict(Vote.objects.filter(classroom=classroom, lesson=classroom.question_lesson, question=classroom.question)
                .values_list("learner_id", "choice"))


def counted(question: Question, votes: Mapping[UUID, int]) -> list[dict[str, Any]]:
    """Each choice with its number of votes and their share in percent."""
    counts, total = Counter(votes.values()), max(len(votes), 1)
    return [{"index": index, "choice": choice, "count": counts[index], "share": round(100 * counts[index] / total)}
            for index, choice in enumerate(question.choices)]


def card(classroom: Classroom, votes: Mapping[UUID, int], learner_id: UUID) -> str:
    """The open question on a member's page: choices, then one's own, and when revealed everybody's and the right one."""
    question = question_of(classroom)
    if question is None:
        return EMPTY_CARD
    return render_to_string("classroom/_class_question.html", {
        "question": question, "choices": counted(question, votes), "mine": votes.get(learner_id),
        "revealed": classroom.revealed, "total": len(votes)})


def panel(classroom: Classroom, votes: Mapping[UUID, int], members: int) -> str:
    """The open question on the teacher's page, with the counts."""
    question = question_of(classroom)
    return render_to_string("classroom/_poll.html", {
        "question": question, "choices": counted(question, votes) if question else [], "revealed": classroom.revealed,
        "total": len(votes), "members": members, "lessons": library.lessons()})


class Asked(Protocol):
    """A live class, with the votes on its open question: both are other objects after it was taken over from the rows."""

    classroom: Classroom
    votes: dict[UUID, int]


async def vote(room: Asked, page: audience.LabPage, message: Mapping[str, Any]) -> None:
    """A member answers. The first answer stays; after the reveal nothing is taken any more. Raises ApiError."""
    classroom, choice = room.classroom, message.get("choice")
    question = question_of(classroom)
    if question is None or classroom.revealed or message.get("question") != question.id:
        raise limits.refuse("이 문제는 이제 닫혔습니다.")
    if isinstance(choice, bool) or not isinstance(choice, int) or not 0 <= choice < len(question.choices):
        raise limits.refuse("고를 수 없는 답입니다.")
    if page.learner_id in room.votes:
        return
    await CLUSTERS.writer.call(_store, classroom, page.learner_id, choice)
    if question_of(room.classroom) == question:  # and not the next one meanwhile
        room.votes.setdefault(page.learner_id, choice)
    page.show(card(room.classroom, room.votes, page.learner_id))


def _store(classroom: Classroom, learner_id: UUID, choice: int) -> None:
    Vote.objects.get_or_create(classroom=classroom, learner_id=learner_id, lesson=classroom.question_lesson, question=classroom.question,
                               defaults={"choice": choice})
