"""What a class has done: a row a learner, a row an exercise, and the map of its wrong beliefs. Read from the rows that lessons keep."""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from lessons import library, misconceptions
from lessons.models import Answer, Attempt, LessonTime, StepDone
from lessons.schema import Exercise, Lesson
from podlab.classroom import duties, teams
from podlab.classroom.duties import Duty
from podlab.classroom.models import Assignment, Classroom, Game, Membership, Vote
from podlab.classroom.teams import Standing

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # a cell that begins with one is taken for a formula by Excel


@dataclass(frozen=True)
class PersonResult:
    """One member's work over all lessons."""

    member: Membership
    steps: int
    solved: int
    checks: int
    hints: int
    commands: int
    answered: int
    first_right: int
    seconds: int
    last: datetime | None


@dataclass(frozen=True)
class ExerciseResult:
    """One exercise over all members. Times are seconds from the first check or hint to the solution."""

    lesson: Lesson
    exercise: Exercise
    tried: int
    solved: int
    checks: int
    hints: int
    median_seconds: int | None
    median_commands: int | None


@dataclass(frozen=True)
class Belief:
    """One misconception: who chose answers that come from it."""

    number: int
    text: str
    lessons: tuple[tuple[Lesson, int], ...]  # how many members, by lesson
    members: int


@dataclass(frozen=True)
class Results:
    classroom: Classroom
    people: list[PersonResult]
    exercises: list[ExerciseResult]
    beliefs: list[Belief]
    assignments: list[tuple[Assignment, list[tuple[Membership, Duty]]]]
    games: list[tuple[Game, list[Standing]]]
    attempts: list[tuple[Membership, Lesson, Exercise, Attempt]]  # everybody's work on each exercise


def of(classroom: Classroom) -> Results:
    """Everything, with a handful of queries however many there are."""
    members = classroom.members()
    ids = [member.learner_id for member in members]
    steps = Counter(StepDone.objects.filter(learner__in=ids).values_list("learner", flat=True))
    seconds: Counter[UUID] = Counter()
    for learner, amount in LessonTime.objects.filter(learner__in=ids).values_list("learner", "seconds"):
        seconds[learner] += amount
    attempts = list(Attempt.objects.filter(learner__in=ids))
    answers = list(Answer.objects.filter(learner__in=ids).order_by("id"))
    votes = list(Vote.objects.filter(classroom=classroom, learner__in=ids))
    return Results(classroom, _people(members, steps, seconds, attempts, answers), _exercises(attempts), _beliefs(answers, votes),
                   _assignments(classroom, members), [(game, teams.standings(game)) for game in classroom.games.all()],
                   _attempts(members, attempts))


def _people(members: list[Membership], steps: Counter[UUID], seconds: Counter[UUID], attempts: list[Attempt],
            answers: list[Answer]) -> list[PersonResult]:
    mine: dict[UUID, list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        mine[attempt.learner_id].append(attempt)
    first: dict[tuple[UUID, str, str], bool] = {}
    for answer in answers:
        first.setdefault((answer.learner_id, answer.lesson, answer.question), answer.correct)
    answered, right = Counter(key[0] for key in first), Counter(key[0] for key, correct in first.items() if correct)
    return [PersonResult(
        member, steps[member.learner_id], sum(a.solved is not None for a in mine[member.learner_id]),
        sum(a.checks for a in mine[member.learner_id]), sum(a.hints for a in mine[member.learner_id]),
        sum(a.commands for a in mine[member.learner_id]), answered[member.learner_id], right[member.learner_id],
        seconds[member.learner_id], member.last_action_at) for member in members]


def _attempts(members: list[Membership], attempts: Iterable[Attempt]) -> list[tuple[Membership, Lesson, Exercise, Attempt]]:
    """In the order of the class list, then of the course."""
    mine = {(one.learner_id, one.lesson, one.exercise): one for one in attempts}
    places = [(lesson, step.exercise) for lesson in library.lessons() for step in lesson.steps if step.exercise is not None]
    return [(member, lesson, exercise, found) for member in members for lesson, exercise in places
            if (found := mine.get((member.learner_id, lesson.slug, exercise.id))) is not None]


def _seconds(attempt: Attempt) -> int | None:
    """From the first check or hint to the solution."""
    return int((attempt.solved - attempt.started).total_seconds()) if attempt.solved is not None else None


def _exercises(attempts: Iterable[Attempt]) -> list[ExerciseResult]:
    by_exercise: dict[tuple[str, str], list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        by_exercise[attempt.lesson, attempt.exercise].append(attempt)
    found = []
    for lesson in library.lessons():
        for step in lesson.steps:
            rows = by_exercise.get((lesson.slug, step.exercise.id), []) if step.exercise else []
            if not rows or step.exercise is None:
                continue
            done = [row for row in rows if row.solved is not None]
            found.append(ExerciseResult(
                lesson, step.exercise, len(rows), len(done), sum(row.checks for row in rows), sum(row.hints for row in rows),
                _median(seconds for row in done if (seconds := _seconds(row)) is not None), _median(row.commands for row in done)))
    return found


def _assignments(classroom: Classroom, members: list[Membership]) -> list[tuple[Assignment, list[tuple[Membership, Duty]]]]:
    found = []
    for assignment in classroom.assignments.all():
        done = duties.duties(assignment, [member.learner_id for member in members])
        found.append((assignment, [(member, done[member.learner_id]) for member in members]))
    return found


def _median(values: Iterable[int]) -> int | None:
    found = sorted(values)
    return found[len(found) // 2] if found else None


def _belief_of(vote: Vote) -> int:
    """The misconception that a vote on a question for the whole class comes from; 0: none, or the question is no more."""
    try:
        found = library.get(vote.lesson).question(vote.question)
    except LookupError:
        return 0
    return found.choices[vote.choice].misconception if found is not None and vote.choice < len(found.choices) else 0


def _beliefs(answers: Iterable[Answer], votes: Iterable[Vote]) -> list[Belief]:
    """Most widespread first. A member counts once for a belief and lesson, however often they chose it."""
    holders: dict[int, dict[str, set[UUID]]] = defaultdict(lambda: defaultdict(set))
    for answer in answers:
        if answer.misconception and not answer.correct:
            holders[answer.misconception][answer.lesson].add(answer.learner_id)
    for vote in votes:
        if number := _belief_of(vote):
            holders[number][vote.lesson].add(vote.learner_id)
    known = {lesson.slug: lesson for lesson in library.lessons()}
    found = [Belief(number, misconceptions.known().get(number, ""),
                    tuple((known[slug], len(who)) for slug, who in sorted(by_lesson.items(), key=lambda item: -len(item[1])) if slug in known),
                    len(set().union(*by_lesson.values()))) for number, by_lesson in holders.items()]
    return sorted(found, key=lambda belief: (-belief.members, belief.number))


# ---- files

PEOPLE_HEAD = ["번호", "이름", "마친 걸음", "푼 과제", "확인", "힌트", "명령", "답한 문제", "처음에 맞힌 문제", "공부한 시간(분)", "마지막으로 한 때"]
EXERCISE_HEAD = ["단원", "과제", "해 본 사람", "푼 사람", "확인", "힌트", "걸린 시간(초, 중앙값)", "명령(중앙값)"]
ATTEMPT_HEAD = ["번호", "이름", "단원", "과제", "확인", "힌트", "명령", "걸린 시간(초)", "푼 때"]
ASSIGNMENT_HEAD = ["과제 모음", "방식", "번호", "이름", "단원", "과제", "확인", "힌트", "푼 때"]
BELIEF_HEAD = ["번호", "오해", "사람", "단원"]
GAME_HEAD = ["게임 데이", "단원", "팀", "푼 과제", "과제", "마지막에 푼 때(초)", "힌트"]


def tables(results: Results) -> dict[str, tuple[list[str], list[list[Any]]]]:
    """{name: (heads, rows)}: what the CSV files hold."""
    return {
        "people": (PEOPLE_HEAD, [[
            p.member.number, p.member.name, p.steps, p.solved, p.checks, p.hints, p.commands, p.answered, p.first_right, p.seconds // 60,
            p.last.isoformat(timespec="seconds") if p.last else ""] for p in results.people]),
        "exercises": (EXERCISE_HEAD, [[
            f"{e.lesson.number}과 {e.lesson.title}", e.exercise.title, e.tried, e.solved, e.checks, e.hints,
            "" if e.median_seconds is None else e.median_seconds, "" if e.median_commands is None else e.median_commands]
            for e in results.exercises]),
        "attempts": (ATTEMPT_HEAD, [[
            member.number, member.name, f"{lesson.number}과 {lesson.title}", exercise.title, a.checks, a.hints, a.commands,
            "" if (seconds := _seconds(a)) is None else seconds, a.solved.isoformat(timespec="seconds") if a.solved else ""]
            for member, lesson, exercise, a in results.attempts]),
        "assignments": (ASSIGNMENT_HEAD, [[
            a.title, a.get_mode_display(), member.number, member.name, f"{item.lesson.number}과 {item.lesson.title}", item.exercise.title,
            item.work.checks if item.work else 0, item.work.hints if item.work else 0,
            item.work.solved.isoformat(timespec="seconds") if item.work and item.work.solved else ""]
            for a, rows in results.assignments for member, duty in rows for item in duty.items]),
        "games": (GAME_HEAD, [[game.title, game.lesson, one.team, one.solved, one.of, one.seconds, one.hints]
                              for game, rows in results.games for one in rows]),
        "beliefs": (BELIEF_HEAD, [[
            b.number, b.text, b.members, ", ".join(f"{lesson.number}과 {count}명" for lesson, count in b.lessons)] for b in results.beliefs]),
    }


def to_csv(heads: list[str], rows: list[list[Any]]) -> bytes:
    """CSV as Excel opens it with Hangul right: UTF-8 with a BOM. What a learner named cannot become a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(heads)
    for row in rows:
        writer.writerow([f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell for cell in row])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def to_json(results: Results) -> dict[str, Any]:
    """The same tables with their heads as keys."""
    return {"class": results.classroom.title,
            **{name: [dict(zip(heads, row, strict=True)) for row in rows] for name, (heads, rows) in tables(results).items()}}
