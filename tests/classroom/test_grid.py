"""The live grid over real sockets: what a learner does is on the teacher's page, and what the teacher wishes is on the learner's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User

from lessons import library
from podlab.classroom import guests, polls, rooms
from podlab.classroom.models import Classroom, Membership
from podlab.labs import audience
from podlab.labs.live import CLUSTERS
from tests.classroom.conftest import cookie, cookie_of, seat, signed_in
from tests.classroom.pages import Page

pytestmark = pytest.mark.django_db(transaction=True)
LESSON = "one-ip"


@pytest.fixture
async def teacher_page(classroom: Classroom, teacher: User, settings: Any) -> AsyncIterator[Page]:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "testserver"]
    page = await Page(f"/ws/classes/{classroom.pk}/", await database_sync_to_async(lambda: cookie(signed_in(teacher)))()).open()
    yield page
    await page.line.disconnect()


async def lab(member: Membership) -> Page:
    page = await Page(f"/ws/lessons/{LESSON}/", await database_sync_to_async(cookie_of)(member.learner)).open()
    await page.until("board-svg")
    return page


async def test_what_a_learner_types_is_on_the_grid_and_their_cluster_is_drawn(classroom: Classroom, teacher_page: Page) -> None:
    member = await database_sync_to_async(seat)(classroom, "하늘")
    learner = await lab(member)
    await learner.until("class-bar")
    await learner.send(action="terminal", line="kubectl run web --image=<b>x</b>")
    html = await teacher_page.until("kubectl run web --image=&lt;b&gt;")
    assert f'id="tile-{member.learner_id}"' in html
    html = await teacher_page.until("m-node")
    assert "<b>x" not in html, "what a learner types stays text"
    await learner.line.disconnect()


async def test_half_a_letter_from_one_learner_ends_nobody_s_page_and_loses_nobody_s_row(classroom: Classroom, teacher_page: Page) -> None:
    member = await database_sync_to_async(seat)(classroom, "하늘")
    learner = await lab(member)
    await learner.until("class-bar")
    await learner.line.send_to(r'{"action": "terminal", "line": "echo x\ud800y"}')
    await teacher_page.until("echo x\ufffdy")
    await learner.line.disconnect()
    room = rooms.ROOMS[classroom.pk]
    await room.save()
    await database_sync_to_async(member.refresh_from_db)()
    assert member.last_action == "echo x\ufffdy"


async def test_a_raised_hand_is_seen_and_can_be_lowered(classroom: Classroom, teacher_page: Page) -> None:
    member = await database_sync_to_async(seat)(classroom, "하늘")
    learner = await lab(member)
    await learner.until("손 들기")
    await learner.send(action="hand", up=True)
    await teacher_page.until('data-hand="1"')
    await teacher_page.send(action="lower", learner=str(member.learner_id))
    learner.html = ""
    await learner.until("손 들기")
    await learner.line.disconnect()


async def test_a_hand_and_a_vote_stay_though_the_class_is_taken_over_from_the_rows_just_then(classroom: Classroom, teacher_page: Page) -> None:
    lesson, question = next((lesson.slug, question.id) for lesson in library.lessons() for step in lesson.steps for question in step.questions)
    member = await database_sync_to_async(seat)(classroom, "하늘")
    learner = await lab(member)
    await learner.until("손 들기")
    await teacher_page.send(action="wish", lesson=lesson, question=question)
    await learner.until(question)
    room, (page,) = rooms.ROOMS[classroom.pk], audience.pages(member.learner_id)
    for act in (room.set_hand(member.learner_id, up=True), polls.vote(room, page, {"question": question, "choice": 0})):
        await asyncio.gather(room.renew(), act)
    assert room.seats[member.learner_id].member.hand_raised is not None
    assert room.votes == {member.learner_id: 0}
    await database_sync_to_async(member.refresh_from_db)()
    assert member.hand_raised is not None
    await learner.line.disconnect()


async def test_wishes_reach_every_page_and_who_comes_later(classroom: Classroom, teacher_page: Page) -> None:
    members = [await database_sync_to_async(seat)(classroom, name) for name in ("하늘", "바다")]
    learner = await lab(members[0])
    await learner.until("class-bar")
    await teacher_page.send(action="wish", announcement="칠판을 봐 주세요")
    await learner.until("칠판을 봐 주세요")
    await teacher_page.send(action="wish", frozen=True)
    await learner.until("입력 멈춤")
    await learner.send(action="terminal", line="kubectl get pods")
    await learner.until("지금은 모두 선생님의 화면을 보는 시간입니다")
    later = await lab(members[1])
    await later.until("칠판을 봐 주세요")
    await teacher_page.send(action="wish", frozen=False)
    await teacher_page.until("다시 입력할 수 있습니다")
    learner.html = ""
    await learner.send(action="terminal", line="kubectl get pods")
    await learner.until("NAME")
    for page in (learner, later):
        await page.line.disconnect()


async def test_the_class_s_clock_is_everybody_s(classroom: Classroom, teacher_page: Page) -> None:
    learner = await lab(await database_sync_to_async(seat)(classroom, "하늘"))
    await learner.until("class-bar")
    await teacher_page.send(action="wish", rate=0)
    await learner.until("선생님의 시계")
    await learner.send(action="rate", rate=4)
    await learner.until("선생님이 맞추고 있습니다")
    other = await Page(f"/ws/lessons/{library.lessons()[3].slug}/", learner.cookie).open()
    await other.until("선생님의 시계")
    await teacher_page.send(action="wish", rate=4)
    async with asyncio.timeout(60):  # of every page that they have open, not of the last one alone
        while [live.rate for live in CLUSTERS.awake()] != [4.0, 4.0]:
            await asyncio.sleep(0.01)
    for page in (learner, other):
        await page.line.disconnect()


@pytest.mark.parametrize("message", [
    {"action": "wish"}, {"action": "wish", "rate": 3}, {"action": "wish", "timer": -1}, {"action": "wish", "step": "x", "lesson": "no-such"},
    {"action": "direct", "kind": "power", "power": "off", "lesson": LESSON, "learners": ["someone-else"]},
    {"action": "direct", "kind": "nonsense"}, {"action": "lower", "learner": "nobody"}, {"action": "__init__"}, {"action": 3}, [], "x",
])
async def test_nonsense_from_a_class_page_is_refused_and_the_page_lives_on(teacher_page: Page, message: Any) -> None:
    await teacher_page.line.send_to(json.dumps(message))
    await teacher_page.send(action="wish", announcement="아직 살아 있습니다")
    await teacher_page.until("알렸습니다")


async def test_the_matrix_shows_who_stands_at_which_step(classroom: Classroom, teacher_page: Page) -> None:
    member = await database_sync_to_async(seat)(classroom, "하늘")
    learner = await lab(member)
    await learner.until("class-bar")
    await teacher_page.send(action="view", lesson=LESSON)
    await teacher_page.until(f'id="row-{member.learner_id}"')
    from lessons import library

    step = library.get(LESSON).steps[1]
    teacher_page.html = ""
    await learner.send(action="step", step=step.id)
    await teacher_page.until('class="here"')
    await learner.line.disconnect()


async def test_a_teacher_looks_on_and_helps_only_with_consent(classroom: Classroom, teacher: User, teacher_page: Page) -> None:
    member = await database_sync_to_async(seat)(classroom, "하늘")
    learner = await lab(member)
    await learner.until("class-bar")
    await learner.send(action="terminal", line="kubectl get nodes")
    await learner.until("node-1   Ready")
    mine = await database_sync_to_async(lambda: cookie(signed_in(teacher)))()
    looking = await Page(f"/ws/classes/{classroom.pk}/look/{member.learner_id}/{LESSON}/", mine).open()
    await looking.until("node-1   Ready")
    assert "kubectl get nodes" in looking.html
    await learner.send(action="terminal", line="kubectl run kept --image=nginx")
    await learner.until("pod/kept created")
    await looking.send(action="terminal", line="kubectl delete pod shop")
    await looking.send(action="fault", node="node-1", power="off")
    await looking.send(action="ask_help")
    await learner.until("함께 조작해도 될까요?")
    assert "deleted" not in learner.html
    await learner.send(action="help", allow=True)
    await looking.until("함께 조작할 수 있습니다")
    await looking.send(action="terminal", line="kubectl get pods")
    await learner.until("shop ")
    await learner.until("kubectl get pods")
    await learner.send(action="help", allow=False)
    await looking.until("괜찮다고 합니다")
    learner.html = ""
    await looking.send(action="terminal", line="kubectl get services")
    await learner.send(action="terminal", line="echo end")
    await learner.until("end\n")
    assert "kubectl get services" not in learner.html
    for page in (learner, looking):
        await page.line.disconnect()
    live, = CLUSTERS.awake()
    await CLUSTERS.sleep(live)
    looking = await Page(f"/ws/classes/{classroom.pk}/look/{member.learner_id}/{LESSON}/", mine).open()
    await looking.until("잠들기 전에 친 명령입니다")
    assert '<span class="t-prompt">$ </span>kubectl run kept --image=nginx' in looking.html, "nothing has happened, and the terminal is not blank"
    await looking.line.disconnect()


async def test_nobody_looks_into_a_cluster_of_another_class(classroom: Classroom, teacher: User, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "testserver"]

    def elsewhere() -> Membership:
        other = Classroom.objects.create(teacher=User.objects.create_user("lee"), title="2반", join_code="AAAAAA")
        return seat(other, "남")

    member = await database_sync_to_async(elsewhere)()
    learner = await lab(member)
    mine = await database_sync_to_async(lambda: cookie(signed_in(teacher)))()
    looking = Page(f"/ws/classes/{classroom.pk}/look/{member.learner_id}/{LESSON}/", mine)
    await looking.line.connect(timeout=60)
    assert (await looking.line.receive_output(timeout=60))["code"] == 4404
    hers = Page(f"/ws/classes/{classroom.pk}/look/{member.learner_id}/{LESSON}/", await database_sync_to_async(cookie_of)(member.learner))
    await hers.line.connect(timeout=60)
    assert (await hers.line.receive_output(timeout=60))["code"] == 4401
    await learner.line.disconnect()


async def test_a_question_is_answered_once_and_its_answer_is_hidden_until_it_is_revealed(classroom: Classroom, teacher_page: Page) -> None:
    from lessons import library

    question = next(q for step in library.get(LESSON).steps for q in step.questions)
    right = next(n for n, choice in enumerate(question.choices) if choice.correct)
    wrong = next(n for n, choice in enumerate(question.choices) if not choice.correct)
    learners = [await lab(await database_sync_to_async(seat)(classroom, name)) for name in ("하늘", "바다")]
    for learner in learners:
        await learner.until("class-bar")
    await teacher_page.send(action="wish", lesson=LESSON, question=question.id)
    for learner, choice in zip(learners, (right, wrong), strict=True):
        await learner.until('class="class-question"')
        assert "right" not in learner.html.split('class="class-question"')[-1].split("</section>")[0]
        await learner.send(action="vote", question=question.id, choice=choice)
        await learner.until("답했습니다")
        await learner.send(action="vote", question=question.id, choice=wrong)
    await teacher_page.until("2명이 답했습니다")
    assert 'class="right"' not in teacher_page.html, "this page stands on the projector"
    await teacher_page.send(action="wish", reveal=True)
    for learner in learners:
        await learner.until("1명 · 50%")
        await teacher_page.until('class="right"')
        await learner.send(action="vote", question=question.id, choice=right)
        await learner.until("이 문제는 이제 닫혔습니다")
        await learner.line.disconnect()


async def test_everybody_follows_the_teacher_s_cluster_until_let_go(classroom: Classroom, teacher: User, teacher_page: Page) -> None:
    from podlab.classroom.models import Desk

    desk = await database_sync_to_async(lambda: Desk.objects.select_related("learner").get(teacher=teacher).learner)()
    learner = await lab(await database_sync_to_async(seat)(classroom, "하늘"))
    await learner.until("class-bar")
    await teacher_page.send(action="wish", broadcasting=LESSON)  # of a lesson that the teacher has not been to yet
    await learner.until("선생님의 화면")
    assert 'id="f-board-svg"' in learner.html
    own = await Page(f"/ws/lessons/{LESSON}/", await database_sync_to_async(cookie_of)(desk)).open()
    await own.until("board-svg")
    learner.html = ""
    await own.send(action="terminal", line="kubectl run shown --image=nginx")
    await learner.until("pod/shown created")
    await learner.until("f-pod")
    followed = learner.html.split('id="follow"')[-1].split("</section>")[0]
    assert "data-ref" not in followed, "what is followed cannot be picked"
    later = await lab(await database_sync_to_async(seat)(classroom, "바다"))
    await later.until("선생님의 화면")
    learner.html = ""
    await teacher_page.send(action="wish", broadcasting="")
    await learner.until('<section id="follow" hx-ext="morph" hidden')
    for page in (own, learner, later):
        await page.line.disconnect()


async def test_a_class_that_is_over_lets_go_of_every_page(classroom: Classroom, teacher: User) -> None:
    def work() -> None:
        Classroom.objects.filter(pk=classroom.pk).update(broadcasting=LESSON, lesson=LESSON, question_lesson=LESSON, question="q", frozen=True)
        signed_in(teacher).post(f"/teacher/classes/{classroom.pk}/close/")
        classroom.refresh_from_db()

    await database_sync_to_async(work)()
    assert classroom.closed
    assert (classroom.broadcasting, classroom.lesson, classroom.question, classroom.frozen) == ("", "", "", False)


async def test_who_is_removed_from_the_class_is_not_looked_at_any_longer(classroom: Classroom, teacher: User, settings: Any,
                                                                          monkeypatch: pytest.MonkeyPatch) -> None:
    from podlab.classroom import joining, looking

    settings.ALLOWED_HOSTS = ["127.0.0.1", "testserver"]
    monkeypatch.setattr(looking, "ALLOWED_SECONDS", 0.0)
    member = await database_sync_to_async(seat)(classroom, "하늘")
    learner = await lab(member)
    mine = await database_sync_to_async(lambda: cookie(signed_in(teacher)))()
    watching = await Page(f"/ws/classes/{classroom.pk}/look/{member.learner_id}/{LESSON}/", mine).open()
    await watching.until("board-svg")
    await database_sync_to_async(joining.remove)(member)
    await learner.send(action="terminal", line="kubectl run secret --image=nginx")
    async with asyncio.timeout(60):
        while (told := await watching.line.receive_output(timeout=60))["type"] != "websocket.close":
            assert "secret" not in str(told)
    assert told["code"] == guests.MEMBER_LEFT
    await learner.line.disconnect()
