"""Progress rows, read and written. Synchronous and short; every function takes the learner whose they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F
from django.utils import timezone

from lessons.models import Answer, Attempt, LessonTime, StepDone
from lessons.schema import Exercise, Lesson, Question, Step
from podlab.labs.models import Learner

SOLUTION_SEEN = 4  # Attempt.hints after the solution was opened
IDLE_SECONDS = 120.0  # a longer gap between two acts is a pause
SAVE_SECONDS = 30.0  # of work that has not been written down yet


class Stopwatch:
    """How long somebody has worked, from the moments of their acts."""

    def __init__(self) -> None:
        self._last: float | None = None
        self.unsaved = 0.0

    def act(self, now: float) -> bool:
        """An act at `now` (seconds of any steady clock). Returns whether it is time to save."""
        if self._last is not None:
            gap = now - self._last
            self.unsaved += gap if gap <= IDLE_SECONDS else 0.0
        self._last = now
        return self.unsaved >= SAVE_SECONDS

    def take(self) -> int:
        """Whole seconds to be written down, once."""
        seconds = int(self.unsaved)
        self.unsaved -= seconds
        return seconds


@dataclass
class Progress:
    """One learner's progress in one lesson."""

    done: set[str] = field(default_factory=set)  # step ids
    answers: dict[str, list[int]] = field(default_factory=dict)  # question id -> choices tried, in order
    attempts: dict[str, Attempt] = field(default_factory=dict)  # exercise id -> row

    def share(self, lesson: Lesson) -> int:
        """Percent of the lesson's steps that are done."""
        return round(100 * len(self.done & {step.id for step in lesson.steps}) / max(len(lesson.steps), 1))


def of(learner: Learner, slug: str) -> Progress:
    found = Progress(set(StepDone.objects.filter(learner=learner, lesson=slug).values_list("step", flat=True)))
    for answer in Answer.objects.filter(learner=learner, lesson=slug).order_by("id"):
        found.answers.setdefault(answer.question, []).append(answer.choice)
    found.attempts = {attempt.exercise: attempt for attempt in Attempt.objects.filter(learner=learner, lesson=slug)}
    return found


def steps_done(learner: Learner) -> dict[str, set[str]]:
    """{lesson slug: step ids} over all lessons."""
    found: dict[str, set[str]] = {}
    for slug, step in StepDone.objects.filter(learner=learner).values_list("lesson", "step"):
        found.setdefault(slug, set()).add(step)
    return found


def finish(learner: Learner, slug: str, step: str) -> bool:
    """Mark a step as done; False when it was already."""
    return StepDone.objects.get_or_create(learner=learner, lesson=slug, step=step)[1]


def answer(learner: Learner, slug: str, question: Question, choice: int) -> bool:
    """Record a try. Returns whether it was right. Raises IndexError."""
    chosen = question.choices[choice]
    Answer.objects.create(learner=learner, lesson=slug, question=question.id, choice=choice, correct=chosen.correct,
                          misconception=chosen.misconception)
    return chosen.correct


def tally(slug: str, question: Question) -> list[int]:
    """How many learners chose each answer first."""
    counts = [0] * len(question.choices)
    seen = set()
    for learner, choice in Answer.objects.filter(lesson=slug, question=question.id).order_by("id").values_list("learner", "choice"):
        if learner not in seen and choice < len(counts):
            seen.add(learner)
            counts[choice] += 1
    return counts


def attempt(learner: Learner, slug: str, exercise: str) -> Attempt:
    return Attempt.objects.get_or_create(learner=learner, lesson=slug, exercise=exercise)[0]


def begin(learner: Learner, slug: str, exercise: str) -> Attempt:
    """The clock of an exercise starts, again as long as it is not solved."""
    row = attempt(learner, slug, exercise)
    Attempt.objects.filter(id=row.id, solved=None).update(started=timezone.now())
    row.refresh_from_db()
    return row


def checked(learner: Learner, slug: str, exercise: str, *, solved: bool, commands: int) -> Attempt:
    """Count a check; the first that succeeds stamps the time and the number of commands."""
    row = attempt(learner, slug, exercise)
    Attempt.objects.filter(id=row.id).update(checks=F("checks") + 1)
    if solved and row.solved is None:
        Attempt.objects.filter(id=row.id, solved=None).update(solved=timezone.now(), commands=commands)
    row.refresh_from_db()
    return row


def hint(learner: Learner, slug: str, exercise: str, number: int) -> Attempt:
    """Record that hints up to `number` were seen (4: the solution)."""
    row = attempt(learner, slug, exercise)
    if number > row.hints:
        row.hints = number
        row.save(update_fields=["hints"])
    return row


def spend(learner: Learner, slug: str, seconds: int) -> None:
    """Add time worked on a lesson."""
    if seconds:
        LessonTime.objects.get_or_create(learner=learner, lesson=slug)
        LessonTime.objects.filter(learner=learner, lesson=slug).update(seconds=F("seconds") + seconds)


@dataclass(frozen=True)
class Report:
    """All of a learner's work in one lesson, for the progress page, the export and the certificate."""

    lesson: Lesson
    steps: list[tuple[Step, bool]]
    exercises: list[tuple[Exercise, Attempt | None]]
    questions: int
    first_right: int  # questions answered right at the first try
    answered: int
    seconds: int

    @property
    def done(self) -> int:
        return sum(done for _, done in self.steps)

    @property
    def share(self) -> int:
        return round(100 * self.done / max(len(self.steps), 1))

    @property
    def solved(self) -> int:
        return sum(attempt is not None and attempt.solved is not None for _, attempt in self.exercises)

    @property
    def hints(self) -> int:
        return sum(attempt.hints for _, attempt in self.exercises if attempt is not None)


def report(learner: Learner, lessons: Iterable[Lesson]) -> list[Report]:
    """One Report a lesson, with four queries for all of them."""
    done = steps_done(learner)
    attempts = {(row.lesson, row.exercise): row for row in Attempt.objects.filter(learner=learner)}
    seconds = dict(LessonTime.objects.filter(learner=learner).values_list("lesson", "seconds"))
    first: dict[tuple[str, str], bool] = {}
    for slug, asked, correct in Answer.objects.filter(learner=learner).order_by("id").values_list("lesson", "question", "correct"):
        first.setdefault((slug, asked), correct)
    found = []
    for lesson in lessons:
        asked_here = [question.id for step in lesson.steps for question in step.questions]
        tried = [first[lesson.slug, one] for one in asked_here if (lesson.slug, one) in first]
        found.append(Report(
            lesson, [(step, step.id in done.get(lesson.slug, ())) for step in lesson.steps],
            [(step.exercise, attempts.get((lesson.slug, step.exercise.id))) for step in lesson.steps if step.exercise],
            len(asked_here), sum(tried), len(tried), seconds.get(lesson.slug, 0)))
    return found


def export(learner: Learner, lessons: Iterable[Lesson]) -> dict[str, Any]:
    """Everything that is kept of a learner's course work, as plain JSON values. Times are ISO 8601."""
    stamps = {(row.lesson, row.step): row.done.isoformat() for row in StepDone.objects.filter(learner=learner)}
    answers: dict[str, list[dict[str, Any]]] = {}
    for row in Answer.objects.filter(learner=learner).order_by("id"):
        answers.setdefault(row.lesson, []).append({"question": row.question, "choice": row.choice, "correct": row.correct,
                                                   "misconception": row.misconception or None, "at": row.at.isoformat()})
    return {"nickname": learner.nickname, "started": learner.created.isoformat(), "lessons": [{
        "lesson": one.lesson.slug, "title": one.lesson.title, "seconds": one.seconds,
        "steps": [{"step": step.id, "title": step.title, "done": stamps.get((one.lesson.slug, step.id))} for step, _ in one.steps],
        "exercises": [{"exercise": exercise.id, "title": exercise.title, **_attempt(attempt)} for exercise, attempt in one.exercises],
        "answers": answers.get(one.lesson.slug, []),
    } for one in report(learner, lessons)]}


def _attempt(row: Attempt | None) -> dict[str, Any]:
    if row is None:
        return {"checks": 0, "hints": 0, "commands": 0, "solved": None}
    return {"checks": row.checks, "hints": row.hints, "commands": row.commands, "solved": row.solved.isoformat() if row.solved else None}
