"""Progress rows, read and written. Synchronous and short; every function takes the learner whose they are."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db.models import F
from django.utils import timezone

from lessons.models import Answer, Attempt, StepDone
from lessons.schema import Lesson, Question
from podlab.labs.models import Learner

SOLUTION_SEEN = 4  # Attempt.hints after the solution was opened


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
