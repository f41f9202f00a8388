"""What a class has done, as a page and as files."""

from __future__ import annotations

import csv
import io
import json

import pytest
from django.contrib.auth.models import User

from lessons import library, progress
from podlab.classroom import results, teams
from podlab.classroom.models import Classroom, Vote
from tests.classroom.conftest import PASSWORD, seat, signed_in

pytestmark = pytest.mark.django_db
LESSON = "one-ip"


@pytest.fixture
def work(classroom: Classroom) -> Classroom:
    """Two members: one solved an exercise with a hint, both chose a wrong answer of the same belief, one of them twice."""
    lesson = library.get(LESSON)
    exercise = next(step.exercise for step in lesson.steps if step.exercise)
    question, wrong = next((q, n) for step in lesson.steps for q in step.questions for n, c in enumerate(q.choices) if c.misconception)
    right = next(n for n, choice in enumerate(question.choices) if choice.correct)
    sky, sea = seat(classroom, "하늘").learner, seat(classroom, "=1+1").learner
    for learner, choices in ((sky, (wrong, wrong, right)), (sea, (wrong,))):
        for choice in choices:
            progress.answer(learner, LESSON, question, choice)
    progress.checked(sky, LESSON, exercise.id, solved=False, commands=1)
    progress.hint(sky, LESSON, exercise.id, 1)
    progress.checked(sky, LESSON, exercise.id, solved=True, commands=4)
    progress.checked(sea, LESSON, exercise.id, solved=False, commands=1)
    progress.finish(sky, LESSON, lesson.steps[0].id)
    progress.spend(sky, LESSON, 130)
    return classroom


def test_people_exercises_and_beliefs_are_counted(work: Classroom) -> None:
    found = results.of(work)
    sky = next(p for p in found.people if p.member.name == "하늘")
    assert (sky.steps, sky.solved, sky.checks, sky.hints, sky.commands, sky.answered, sky.first_right, sky.seconds) == (1, 1, 2, 1, 4, 1, 0, 130)
    assert [(e.tried, e.solved, e.checks, e.hints, e.median_commands) for e in found.exercises] == [(2, 1, 3, 1, 4)]
    assert [(b.members, [count for _, count in b.lessons]) for b in found.beliefs] == [(2, [2])]
    assert found.beliefs[0].text
    assert [(row[1], *row[4:7], row[7] == "") for row in results.tables(found)["attempts"][1]] == [("=1+1", 1, 0, 0, True), ("하늘", 2, 1, 4, False)]


def test_votes_tell_beliefs_too_and_teams_their_standings(classroom: Classroom, teacher: User) -> None:
    member = seat(classroom, "하늘")
    lesson = library.get(LESSON)
    question, wrong = next((q, n) for step in lesson.steps for q in step.questions for n, c in enumerate(q.choices) if c.misconception)
    Vote.objects.create(classroom=classroom, learner=member.learner, lesson=LESSON, question=question.id, choice=wrong)
    Vote.objects.create(classroom=classroom, learner=seat(classroom, "바다").learner, lesson="gone", question="q", choice=0)
    team, = teams.start(classroom, "겨루기", LESSON, 1, deal=True).teams.all()
    found = results.of(classroom)
    assert [(b.number, b.members) for b in found.beliefs] == [(question.choices[wrong].misconception, 1)]
    assert [row[:4] for row in results.tables(found)["games"][1]] == [["겨루기", LESSON, team.name, 0]]
    client = signed_in(teacher)
    assert team.name in client.get(f"/teacher/classes/{classroom.pk}/results/").content.decode()
    assert team.name in client.get(f"/teacher/classes/{classroom.pk}/results/games/").content.decode()


def test_csv_opens_in_excel_with_hangul_and_without_formulas(work: Classroom, teacher: User) -> None:
    answer = signed_in(teacher).get(f"/teacher/classes/{work.pk}/results/people/")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0][:2] == ["번호", "이름"]
    assert {row[1] for row in rows[1:]} == {"하늘", "'=1+1"}


def test_json_has_the_same(work: Classroom, teacher: User) -> None:
    told = json.loads(signed_in(teacher).get(f"/teacher/classes/{work.pk}/results/json/").content)
    assert {one["이름"] for one in told["people"]} == {"하늘", "=1+1"}
    assert told["beliefs"][0]["사람"] == 2


def test_the_page_is_for_the_class_s_own_teacher(work: Classroom, teacher: User) -> None:
    page = signed_in(teacher).get(f"/teacher/classes/{work.pk}/results/").content.decode()
    assert "이 반의 오해" in page
    other = signed_in(User.objects.create_user("lee", password=PASSWORD))
    for name in ("", "people/", "json/"):
        assert other.get(f"/teacher/classes/{work.pk}/results/{name}").status_code == 404
    assert signed_in(teacher).get(f"/teacher/classes/{work.pk}/results/nonsense/").status_code == 404


def test_a_class_of_two_hundred_needs_no_more_queries_than_one_of_two(classroom: Classroom, django_assert_max_num_queries) -> None:
    for number in range(40):
        seat(classroom, f"사람{number}")
    with django_assert_max_num_queries(8):
        results.of(classroom)
