"""The lesson's side of the page as HTML: steps, questions with their answers, exercises with their conditions."""

from __future__ import annotations

from typing import Any

from django.template.loader import render_to_string

from lessons.checks import Verdict
from lessons.models import Attempt
from lessons.progress import SOLUTION_SEEN, Progress
from lessons.schema import KIND_NAMES, Exercise, Lesson, Question, Step

VEIL: dict[str, Any] = {"veiled": True, "hints": (), "next_hint": 0, "solution": "", "solution_ready": False}


def steps(lesson: Lesson, done: Progress, veiled: frozenset[str] = frozenset()) -> list[dict[str, Any]]:
    """Template contexts of all steps. `veiled`: exercises of which nothing is given away (audience.veiled)."""
    return [{"step": step, "kind_name": KIND_NAMES[step.kind], "done": step.id in done.done, "number": number,
             "questions": [question(q, done.answers.get(q.id, [])) for q in step.questions],
             "exercise": exercise(step.exercise, done, veiled) if step.exercise else None,
             "listed": conditions_of(step.exercise.conditions, None) if step.exercise else None,
             "conditions": conditions(step, None) if step.conditions else None, "solved": step.id in done.done}
            for number, step in enumerate(lesson.steps, 1)]


def question(found: Question, tried: list[int], counts: list[int] | None = None) -> dict[str, Any]:
    """A question after the choices tried so far: each shows its answer once it was chosen; a right one ends it."""
    solved = any(found.choices[choice].correct for choice in tried if choice < len(found.choices))
    total = sum(counts or ())
    choices = [{"index": index, "choice": choice, "tried": index in tried,
                "share": round(100 * counts[index] / total) if counts and total > 1 else None}
               for index, choice in enumerate(found.choices)]
    return {"question": found, "choices": choices, "solved": solved, "total": total}


def question_html(found: Question, tried: list[int], counts: list[int]) -> str:
    return render_to_string("lessons/_question.html", {"q": question(found, tried, counts), "oob": True})


def exercise(found: Exercise, done: Progress, veiled: frozenset[str] = frozenset()) -> dict[str, Any]:
    return _exercise(found, done) | (VEIL if found.id in veiled else {})


def _exercise(found: Exercise, done: Progress) -> dict[str, Any]:
    attempt = done.attempts.get(found.id)
    seen = attempt.hints if attempt else 0
    return {"exercise": found, "attempt": attempt, "solved": bool(attempt and attempt.solved), "waits": found.begins and attempt is None,
            "took": _took(attempt) if found.begins else "", "hints": found.hints[: min(seen, len(found.hints))],
            "next_hint": seen + 1 if seen < len(found.hints) else 0, "solution": found.solution if seen >= SOLUTION_SEEN else "",
            "solution_ready": seen == len(found.hints)}


def _took(attempt: Attempt | None) -> str:
    """From the beginning of an incident to its end, as a learner reads it."""
    if attempt is None or attempt.solved is None:
        return ""
    minutes, seconds = divmod(round((attempt.solved - attempt.started).total_seconds()), 60)
    return f"{minutes}분 {seconds}초" if minutes else f"{seconds}초"


def exercise_html(step: Step, found: Exercise, done: Progress, verdicts: list[Verdict] | None, present: list[str],
                  veiled: frozenset[str] = frozenset()) -> str:
    if verdicts and found.id in veiled:
        verdicts = [Verdict(verdict.ok) for verdict in verdicts]
    if found.id in veiled:  # the lines of the present state name the objects that are looked at
        present = []
    return render_to_string("lessons/_exercise.html", {"step": step, "e": exercise(found, done, veiled), "oob": True, "present": present,
                                                       "conditions": conditions_of(found.conditions, verdicts)})


def present_html(step: Step, present: list[str]) -> str:
    return render_to_string("lessons/_present.html", {"step": step, "present": present, "oob": True})


def conditions(step: Step, verdicts: list[Verdict] | None) -> list[dict[str, Any]]:
    return conditions_of(step.conditions, verdicts)


def conditions_of(found: Any, verdicts: list[Verdict] | None) -> list[dict[str, Any]]:
    return [{"text": condition.text, "verdict": verdicts[i] if verdicts else None} for i, condition in enumerate(found)]


def conditions_html(step: Step, found: Any, verdicts: list[Verdict], *, asked: bool, done: bool) -> str:
    """The list of conditions, live: what holds is ticked at once, what does not is named only when the learner asked. A step once `done`
    keeps its ticks: what was typed then is not typed again."""
    return render_to_string("lessons/_conditions.html", {"step": step, "conditions": conditions_of(found, verdicts), "asked": asked, "oob": True,
                                                         "solved": done})


def done_html(lesson: Lesson, done: set[str]) -> str:
    """The row of dots in the header."""
    return render_to_string("lessons/_dots.html", {"steps": [{"step": s, "done": s.id in done} for s in lesson.steps], "oob": True,
                                                   "done_count": len(done & {s.id for s in lesson.steps})})
