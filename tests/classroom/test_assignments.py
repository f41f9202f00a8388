"""Exercises in class: times, attempts, hints and the veil over an assessment are the server's, whatever a page sends."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.utils import timezone

from lessons import library, progress
from podlab.classroom import duties, joining, results, rooms
from podlab.classroom.models import Assignment, Classroom, Membership, Work
from tests.classroom.conftest import PASSWORD, learner, seat, signed_in
from tests.classroom.test_grid import LESSON, Page, lab
from tests.classroom.test_permissions import learner_client

pytestmark = pytest.mark.django_db(transaction=True)
STEP = next(step for step in library.get(LESSON).steps if step.exercise)
EXERCISE = STEP.exercise.id if STEP.exercise else ""


@pytest.fixture(autouse=True)
def hosts(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "testserver"]


def assign(classroom: Classroom, *, opens: float = -1, closes: float | None = 1, **rules: Any) -> Assignment:
    """Hours from now."""
    now = timezone.now()
    return Assignment.objects.create(
        classroom=classroom, title="첫 과제", exercises=json.dumps([[LESSON, EXERCISE]]), opens=now + timedelta(hours=opens),
        closes=None if closes is None else now + timedelta(hours=closes), **rules)


def claim(member: Membership, action: str = "check") -> list[int]:
    return duties.claim(member.learner_id, LESSON, EXERCISE, action)


def test_attempts_are_counted_and_run_out(classroom: Classroom) -> None:
    assign(classroom, attempts=2)
    member, other = seat(classroom, "하늘"), seat(classroom, "바다")
    claim(member)
    claim(member)
    with pytest.raises(duties.Refused, match="모두 썼습니다"):
        claim(member)
    assert Work.objects.get(learner=member.learner).checks == 2
    assert claim(other), "another one's attempts are their own"


def test_nothing_is_counted_before_it_opens_after_it_closes_or_when_the_class_is_over(classroom: Classroom) -> None:
    member = seat(classroom, "하늘")
    assign(classroom, opens=1, closes=2, attempts=1)
    assign(classroom, opens=-2, closes=-1, attempts=1, hints="none")
    for action in ("check", "check", "hint"):
        assert claim(member, action) == []
    assign(classroom, attempts=1)
    assert claim(member)
    Classroom.objects.update(closed=timezone.now())
    assert claim(member) == []


def test_who_is_removed_or_in_no_class_is_not_bound(classroom: Classroom) -> None:
    assign(classroom, attempts=1)
    member = seat(classroom, "하늘")
    joining.remove(member)
    assert claim(member) == []
    assert duties.claim(learner("남").pk, LESSON, EXERCISE, "check") == []


def test_another_class_is_no_way_out(classroom: Classroom) -> None:
    assign(classroom, mode="assessment", attempts=1)
    member = seat(classroom, "하늘")
    joining.join(Classroom.objects.create(teacher=classroom.teacher, title="2반", join_code="BBBBBB"), member.learner, "하늘")
    claim(member)
    for action in ("check", "hint"):
        with pytest.raises(duties.Refused):
            claim(member, action)


def test_the_stricter_of_two_assignments_holds_and_a_refusal_counts_nowhere(classroom: Classroom) -> None:
    loose, strict = assign(classroom), assign(classroom, attempts=1)
    member = seat(classroom, "하늘")
    claim(member)
    with pytest.raises(duties.Refused):
        claim(member)
    assert [w.checks for w in Work.objects.filter(assignment__in=[loose, strict])] == [1, 1]


@pytest.mark.parametrize(("rules", "failures", "allowed"), [
    ({}, 0, True), ({"hints": "none"}, 5, False), ({"hints": "after", "hints_after": 2}, 1, False),
    ({"hints": "after", "hints_after": 2}, 2, True), ({"mode": "assessment"}, 5, False),
])
def test_hints_follow_the_policy(classroom: Classroom, rules: dict[str, Any], failures: int, allowed: bool) -> None:
    assign(classroom, **rules)
    member = seat(classroom, "하늘")
    for _ in range(failures):
        claim(member)
    if allowed:
        assert claim(member, "hint")
        return
    with pytest.raises(duties.Refused):
        claim(member, "hint")


def test_a_solved_exercise_costs_no_more_attempts(classroom: Classroom) -> None:
    assignment = assign(classroom, attempts=1)
    member = seat(classroom, "하늘")
    duties.solved(claim(member))
    claim(member)
    (_, duty), = duties.table(assignment)
    assert (duty.solved, duty.items[0].work.checks) == (1, 1)


async def test_an_assessment_tells_neither_hints_nor_what_is_missing_until_it_closes(classroom: Classroom) -> None:
    member = await database_sync_to_async(seat)(classroom, "하늘")
    assignment = await database_sync_to_async(assign)(classroom, mode="assessment", attempts=2)
    page = await lab(member)
    await page.until("평가 ‘첫 과제’")
    assert "남은 확인 2번" in page.html
    await page.send(action="step", step=STEP.id)
    await page.send(action="check", step=STEP.id)
    html = await page.until("평가 중입니다")
    assert "<em>" not in html.split(f'id="exercise-{EXERCISE}"')[1], "no word about what is missing"
    await page.until("남은 확인 1번")
    await page.send(action="hint", step=STEP.id)
    await page.until("힌트를 쓸 수 없습니다")
    await page.send(action="check", step=STEP.id)
    await page.until("남은 확인 0번")
    await page.send(action="check", step=STEP.id)
    await page.until("모두 썼습니다")
    await database_sync_to_async(lambda: Assignment.objects.filter(pk=assignment.pk).update(closes=timezone.now()))()
    page.html = ""
    await page.send(action="check", step=STEP.id)
    await page.until("<em>")
    await page.line.disconnect()


def test_hints_seen_before_are_veiled_on_the_page_itself(classroom: Classroom) -> None:
    from django.conf import settings
    from django.test import Client

    from tests.classroom.conftest import cookie_of

    member = seat(classroom, "하늘")
    progress.hint(member.learner, LESSON, EXERCISE, progress.SOLUTION_SEEN)
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = cookie_of(member.learner)
    before = client.get(f"/lessons/{LESSON}/").content.decode()
    assert f"solution-{EXERCISE}" in before
    assign(classroom, mode="assessment")
    during = client.get(f"/lessons/{LESSON}/").content.decode()
    assert f"solution-{EXERCISE}" not in during
    assert STEP.exercise is not None
    assert STEP.exercise.hints[0] in before
    assert STEP.exercise.hints[0] not in during


def form(**change: Any) -> dict[str, Any]:
    return {"title": "둘째", "mode": "practice", "opens": "", "closes": "", "attempts": "3", "hints": "all", "hints_after": "3",
            "chosen": [f"{LESSON}/{EXERCISE}"], **change}


def test_a_teacher_gives_closes_and_takes_away_an_assignment(classroom: Classroom, teacher: User) -> None:
    client, place = signed_in(teacher), f"/teacher/classes/{classroom.pk}/assignments/"
    answer = client.post(place, form())
    made = Assignment.objects.get()
    assert answer["Location"] == f"{place}{made.pk}/"
    assert (made.items, made.attempts, made.open) == ([(LESSON, EXERCISE)], 3, True)
    member = seat(classroom, "하늘")
    duties.solved(claim(member))
    assert "✓" in client.get(f"{place}{made.pk}/").content.decode()
    assert "1/1" in client.get(place).content.decode()
    heads, rows = results.tables(results.of(classroom))["assignments"]
    assert (len(heads), rows[0][3], rows[0][6]) == (9, "하늘", 1)
    client.post(f"{place}{made.pk}/change/", {"close": "1"})
    made.refresh_from_db()
    assert made.over
    client.post(f"{place}{made.pk}/change/", {"delete": "1"})
    assert not Assignment.objects.exists()


@pytest.mark.parametrize("wrong", [
    {"chosen": []}, {"chosen": ["no/such"]}, {"title": ""}, {"mode": "assessment"}, {"mode": "nonsense"}, {"attempts": "-1"},
    {"opens": "2030-01-02T10:00", "closes": "2030-01-01T10:00"},
])
def test_an_assignment_that_makes_no_sense_is_not_given(classroom: Classroom, teacher: User, wrong: dict[str, Any]) -> None:
    answer = signed_in(teacher).post(f"/teacher/classes/{classroom.pk}/assignments/", form(**wrong))
    assert answer.status_code == 422
    assert not Assignment.objects.exists()


def test_assignments_are_the_class_s_own_teacher_s(classroom: Classroom, teacher: User) -> None:
    made = assign(classroom)
    lee = User.objects.create_user("lee", password=PASSWORD)
    elsewhere = Classroom.objects.create(teacher=lee, title="2반", join_code="AAAAAA")
    place = f"/teacher/classes/{classroom.pk}/assignments/"
    for client, code in ((learner_client(), 302), (signed_in(lee), 404)):
        assert client.get(place).status_code == client.get(f"{place}{made.pk}/").status_code == code
        assert client.post(place, form()).status_code == client.post(f"{place}{made.pk}/change/", {"delete": "1"}).status_code == code
    assert signed_in(lee).post(f"/teacher/classes/{elsewhere.pk}/assignments/{made.pk}/change/", {"delete": "1"}).status_code == 404
    assert Assignment.objects.count() == 1


async def test_a_page_of_another_learner_cannot_spend_somebody_s_attempts(classroom: Classroom) -> None:
    await database_sync_to_async(assign)(classroom, attempts=1)
    sky, sea = [await database_sync_to_async(seat)(classroom, name) for name in ("하늘", "바다")]
    page: Page = await lab(sea)
    await page.until("남은 확인 1번")
    await page.send(action="check", step=STEP.id, learner=str(sky.learner_id), learner_id=str(sky.learner_id))
    await page.until("남은 확인 0번")
    assert not await database_sync_to_async(Work.objects.filter(learner=sky.learner).exists)()
    await page.line.disconnect()


def shown(html: str) -> str:
    """What a page was sent last of the exercise's conditions and its present state."""
    return html.rsplit(f'id="exercise-{EXERCISE}"', 1)[-1]


async def test_an_exam_ticks_nothing_before_a_check_and_nothing_by_itself_after_it(classroom: Classroom) -> None:
    member = await database_sync_to_async(seat)(classroom, "하늘")
    await database_sync_to_async(assign)(classroom, mode="assessment")
    page = await lab(member)
    await page.until("평가 ‘첫 과제’")
    page.html = ""
    await page.send(action="step", step=STEP.id)
    for line in solution():
        await page.send(action="terminal", line=line)
    await page.send(action="terminal", line="echo the end")
    await page.until("the end")
    await page.send(action="terminal", line="kubectl get pods")
    await page.until("RESTARTS")
    assert f'id="conditions-{STEP.id}"' not in page.html, "no list of conditions is sent by itself"
    assert f'id="present-{STEP.id}"' not in page.html, "nor what of the cluster they look at"
    await page.send(action="check", step=STEP.id)
    html = shown(await page.until("평가 중입니다"))
    assert 'class="yes"' in html or 'class="no"' in html, "a check spends an attempt and says which conditions hold"
    assert "개를 살펴봅니다" in html
    await page.line.disconnect()


def solution() -> list[str]:
    assert STEP.exercise is not None
    return [line for line in STEP.exercise.solution.splitlines() if line.startswith("kubectl") and "<<" not in line][:3]


async def test_an_exam_that_opens_or_closes_finds_the_pages_that_are_open(classroom: Classroom) -> None:
    member = await database_sync_to_async(seat)(classroom, "하늘")
    page = await lab(member)
    await page.until("손 들기")
    await page.send(action="step", step=STEP.id)
    await page.send(action="check", step=STEP.id)
    assert "<em>" in shown(await page.until("<em>"))
    page.html = ""
    made = await database_sync_to_async(assign)(classroom, mode="assessment")
    await rooms.renew(classroom.pk)
    html = shown(await page.until("평가 중입니다"))
    assert "<em>" not in html
    assert 'class="yes"' not in html
    page.html = ""
    await database_sync_to_async(lambda: Assignment.objects.filter(pk=made.pk).update(closes=timezone.now()))()
    await rooms.renew(classroom.pk)
    html = await page.until(f'id="conditions-{STEP.id}"')
    assert "평가 중입니다" not in html
    await page.line.disconnect()
