"""Who is in two open classes sits in one of them: what the other one does, says and stops leaves their page alone."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.conf import settings
from django.test import Client
from django.utils import timezone

from podlab.classroom import chatting, joining, rooms
from podlab.classroom.models import AuditEntry, ChatLine, Classroom, Directive, Membership
from tests.classroom.conftest import Open, cookie_of, learner, seat
from tests.classroom.test_grid import LESSON, lab

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def hosts(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "testserver"]


async def test_who_is_in_two_classes_sits_in_one_and_may_go_over_to_the_other(classroom: Classroom, client: Client, pages: Open) -> None:
    def both() -> Membership:
        member = seat(classroom, "하늘")
        other = Classroom.objects.create(teacher=classroom.teacher, title="방과 후", join_code=joining.new_join_code(), frozen=True)
        joining.join(other, member.learner, "하늘")
        return member

    member = await database_sync_to_async(both)()
    page = await lab(member)
    await page.until("‘1반’에 앉기")
    assert "입력 멈춤" in page.html
    grid = await pages(f"/ws/classes/{classroom.pk}/")
    await grid.until("다른 교실")
    page.html = ""
    await rooms.renew(classroom.pk)
    await page.until("입력 멈춤")
    assert "‘방과 후’에 앉기" not in page.html, "a class that somebody does not sit in leaves their page alone"
    await page.send(action="sit", **{"class": classroom.pk})
    await page.until("‘방과 후’에 앉기")
    found = rooms.of(member.learner_id)
    assert found is not None
    assert found.classroom == classroom
    await database_sync_to_async(Classroom.objects.filter(pk=classroom.pk).update)(closed=timezone.now())
    await rooms.renew(classroom.pk)
    await page.until('<strong class="class-name">방과 후</strong>')
    await page.line.disconnect()


async def test_who_is_frozen_does_not_get_away_into_another_class_while_the_teacher_is_there(
        classroom: Classroom, client: Client, pages: Open) -> None:
    def both() -> tuple[Membership, Classroom, Classroom]:
        other, third = (Classroom.objects.create(teacher=classroom.teacher, title=title, join_code=joining.new_join_code())
                        for title in ("방과 후", "다른 반"))
        found = learner("하늘")
        joining.join(other, found, "하늘")
        Classroom.objects.filter(pk=classroom.pk).update(frozen=True)
        return joining.join(classroom, found, "하늘"), other, third

    member, other, third = await database_sync_to_async(both)()
    page = await lab(member)
    await page.until("‘방과 후’에 앉기")
    grid = await pages(f"/ws/classes/{classroom.pk}/")
    await grid.until("입력 다시 열기")
    for action in ({"action": "terminal", "line": "kubectl run x --image=nginx"}, {"action": "again"}, {"action": "browse", "url": "http://node-1/"}):
        page.html = ""
        await page.send(**action)
        await page.until(rooms.FROZEN)
    await page.send(action="sit", **{"class": other.pk})
    await page.until(rooms.HELD)
    browser = Client()
    browser.cookies[settings.SESSION_COOKIE_NAME] = await database_sync_to_async(cookie_of)(member.learner)
    answer = await sync_to_async(browser.post)("/join/", {"code": third.join_code, "name": "하늘"})
    assert (answer.status_code, rooms.HELD in answer.content.decode()) == (422, True)
    sitting = rooms.of(member.learner_id)
    assert sitting is not None and sitting.classroom.pk == classroom.pk
    await grid.line.disconnect()
    while sitting.watchers:
        await asyncio.sleep(0.01)
    await page.send(action="sit", **{"class": other.pk})
    await page.until("‘1반’에 앉기")
    await page.line.disconnect()


async def test_a_fault_for_some_reaches_who_sits_here_and_the_record_names_them(classroom: Classroom, pages: Open) -> None:
    def two() -> tuple[Membership, Membership]:
        here, gone = seat(classroom, "하늘"), seat(classroom, "바다")
        other = Classroom.objects.create(teacher=classroom.teacher, title="방과 후", join_code=joining.new_join_code())
        joining.join(other, gone.learner, "바다")
        return here, gone

    here, gone = await database_sync_to_async(two)()
    grid = await pages(f"/ws/classes/{classroom.pk}/")
    await grid.until("다른 교실")
    both = [str(here.learner_id), str(gone.learner_id)]
    for kind, learners in (("reset", both), ("kill", both[1:])):
        await grid.send(action="direct", kind=kind, lesson=LESSON, learners=learners)
    await grid.until("다른 교실에 앉아 있어 닿지 않습니다")
    await grid.until("1명에게는 그럴 것이 없었습니다")
    directive = await Directive.objects.aget()
    assert json.loads(directive.targets) == [str(here.learner_id)]
    told = await AuditEntry.objects.select_related("learner").aget(what="reset")
    assert (told.learner, told.detail) == (here.learner, f"{LESSON}: 하늘 · 1명")


async def test_lines_and_help_stay_in_the_class_that_they_belong_to(classroom: Classroom, client: Client, pages: Open) -> None:
    def both() -> tuple[Membership, Classroom]:
        other = Classroom.objects.create(teacher=classroom.teacher, title="방과 후", join_code=joining.new_join_code())
        member = seat(classroom, "하늘")
        chatting.store(member.pk, "첫 교실의 말", from_teacher=True)
        chatting.store(joining.join(other, member.learner, "하늘").pk, "둘째 교실의 말", from_teacher=True)
        return member, other

    member, other = await database_sync_to_async(both)()
    page = await lab(member)
    await page.until("둘째 교실의 말")
    looking = await pages(f"/ws/classes/{classroom.pk}/look/{member.learner_id}/{LESSON}/")
    await looking.until("첫 교실의 말")
    await looking.send(action="ask_help")
    await looking.until("다른 교실에 앉아 있어 물을 수 없습니다")
    await looking.send(action="say", text="돌아오면 보세요")
    await looking.until("이 교실로 돌아오면 봅니다")
    await page.send(action="say", text="여기에 적습니다")
    await page.until("여기에 적습니다")
    assert "돌아오면 보세요" not in page.html
    assert await ChatLine.objects.filter(membership__classroom=other, text="여기에 적습니다").aexists(), "where they sit"
    page.html = ""
    await page.send(action="sit", **{"class": classroom.pk})
    await page.until("돌아오면 보세요")
    assert "둘째 교실의 말" not in page.html
    await page.until("‘방과 후’에 앉기")
    await looking.send(action="ask_help")
    await page.until("함께 조작해도 될까요?")
    await page.send(action="help", allow=True)
    await looking.until("함께 조작할 수 있습니다")
    await page.send(action="sit", **{"class": other.pk})
    await looking.until("괜찮다고 합니다")
    room = rooms.ROOMS[classroom.pk]
    await looking.line.disconnect()
    while room.seats[member.learner_id].lookers:
        await asyncio.sleep(0.01)
    assert room.seats[member.learner_id].helper is None
    await page.line.disconnect()
