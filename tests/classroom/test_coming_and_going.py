"""Members who are removed or merged while pages are open, classes that are opened again, and two pages of one teacher."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from podlab.classroom import access, chatting, guests, joining, rooms, wishes
from podlab.classroom.models import AuditEntry, ChatLine, Classroom, Directive, Game, Membership, TeamMember
from podlab.classroom.room import Room
from podlab.labs.live import CLUSTERS
from podlab.labs.models import Cluster
from tests.classroom.conftest import cookie, cookie_of, learner, seat, signed_in
from tests.classroom.test_grid import LESSON, Page, lab

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def hosts(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "testserver"]


@pytest.fixture
async def client(teacher: User) -> Client:
    found: Client = await database_sync_to_async(lambda: signed_in(teacher))()
    return found


Open = Callable[[str], Awaitable[Page]]


@pytest.fixture
async def pages(client: Client) -> AsyncIterator[Open]:
    """Open a page of the teacher's by the end of its address."""
    found: list[Page] = []

    async def open_page(path: str) -> Page:
        found.append(await Page(path, cookie(client)).open())
        return found[-1]

    yield open_page
    for page in found:
        await page.line.disconnect()


async def act(client: Client, member: Membership, **data: str) -> None:
    place = f"/teacher/classes/{member.classroom_id}/people/{member.learner_id}/"
    assert (await sync_to_async(client.post)(place, data)).status_code == 302


async def closed(page: Page) -> Any:
    while (told := await page.line.receive_output(timeout=60))["type"] != "websocket.close":
        page.html += str(told.get("text", ""))
    return told["code"]


@pytest.mark.parametrize("kind", ["look", "replay"])
async def test_a_page_that_shows_a_removed_member_ends_at_once(classroom: Classroom, client: Client, pages: Open, kind: str) -> None:
    member = await database_sync_to_async(seat)(classroom, "하늘")
    page = await lab(member)
    shown = await pages(f"/ws/classes/{classroom.pk}/{kind}/{member.learner_id}/{LESSON}/")
    await shown.until("board-svg")
    await act(client, member, act="remove")
    assert await closed(shown) == guests.MEMBER_LEFT
    await page.line.disconnect()


async def test_a_removed_member_s_page_loses_the_class_and_comes_in_anew(classroom: Classroom, client: Client) -> None:
    member = await database_sync_to_async(seat)(classroom, "하늘")
    page = await lab(member)
    await page.until("손 들기")
    page.html = ""
    await act(client, member, act="remove")
    assert await closed(page) == guests.ANEW, "a team's cluster would stay open to them otherwise"
    assert 'id="class-bar" hx-ext="morph" hidden' in page.html


async def test_who_is_merged_goes_on_at_the_other_seat_and_the_cluster_that_is_gone_is_forgotten(
        classroom: Classroom, client: Client, pages: Open) -> None:
    first, second = [await database_sync_to_async(seat)(classroom, name) for name in ("하늘", "하늘2")]
    first_page, second_page = await lab(first), await lab(second)
    await second_page.send(action="terminal", line="kubectl run mine --image=nginx")
    await second_page.until("pod/mine created")
    looking = await pages(f"/ws/classes/{classroom.pk}/look/{second.learner_id}/{LESSON}/")
    await looking.until("board-svg")
    await act(client, second, act="merge", into=str(first.learner_id))
    assert await closed(looking) == guests.MEMBER_LEFT
    assert await closed(first_page) == await closed(second_page) == guests.ANEW
    row = await Cluster.objects.aget(lesson=LESSON)
    assert [live.id for live in CLUSTERS.awake()] == [row.pk], "the other one's row is gone, and so is what memory held of it"
    again = await Page(f"/ws/lessons/{LESSON}/", await database_sync_to_async(cookie_of)(second.learner)).open()
    html = await again.until("손 들기")
    assert row.learner_id == first.learner_id
    assert "pods/default/mine" in html
    await again.line.disconnect()


async def test_a_player_who_is_removed_leaves_the_team_s_cluster(classroom: Classroom, client: Client) -> None:
    from podlab.classroom import teams

    members = [await database_sync_to_async(seat)(classroom, name) for name in ("하늘", "바다")]
    game: Game = await database_sync_to_async(lambda: teams.start(classroom, "겨루기", LESSON, 1, deal=True))()
    page = await lab(members[0])
    await act(client, members[0], act="remove")
    assert await closed(page) == guests.ANEW
    again = await lab(members[0])
    await again.send(action="terminal", line="kubectl run alone --image=nginx")
    await again.until("pod/alone created")
    team = await TeamMember.objects.select_related("team").aget(game=game, membership=members[1])
    assert await Cluster.objects.filter(learner=members[0].learner_id, lesson=LESSON).aexists()
    other = await lab(members[1])
    assert "pods/default/alone" not in other.html
    assert await Cluster.objects.filter(learner=team.team.learner_id, lesson=LESSON).aexists()
    for one in (again, other):
        await one.line.disconnect()


async def test_nothing_is_sent_back_to_who_has_left(classroom: Classroom, teacher: User, client: Client) -> None:
    member = await database_sync_to_async(seat)(classroom, "하늘")
    page = await lab(member)
    await page.line.disconnect()
    assert (await sync_to_async(client.post)(f"/teacher/classes/{classroom.pk}/fork/{member.learner_id}/{LESSON}/")).status_code == 302
    own = await Page(f"/ws/lessons/{LESSON}/", cookie(client)).open()
    await own.until("클러스터 사본")
    await database_sync_to_async(joining.remove)(member)
    await own.send(action="send_back", what="state")
    await own.until("이제 교실에 없어 보낼 수 없습니다")
    await own.line.disconnect()


async def test_what_is_typed_together_stands_once_on_the_helper_s_page(classroom: Classroom, pages: Open) -> None:
    member = await database_sync_to_async(seat)(classroom, "하늘")
    page = await lab(member)
    await page.until("손 들기")
    looking = await pages(f"/ws/classes/{classroom.pk}/look/{member.learner_id}/{LESSON}/")
    await looking.until("board-svg")
    await looking.send(action="ask_help")
    await page.until("함께 조작해도 될까요?")
    await page.send(action="help", allow=True)
    await looking.until("함께 조작할 수 있습니다")
    await looking.send(action="terminal", line="echo to get her")
    await page.until("echo to get her")
    await looking.until("to get her")
    assert "echo to get her" not in looking.html, "the page itself has shown what was typed on it"
    await page.line.disconnect()


async def test_two_pages_of_one_class_show_the_same_wishes_even_with_nobody_in_it(classroom: Classroom, pages: Open) -> None:
    first, second = await pages(f"/ws/classes/{classroom.pk}/"), await pages(f"/ws/classes/{classroom.pk}/")
    for page in (first, second):
        await page.until("입력 멈추기")
        await page.until("문제 내기")
    await first.send(action="wish", frozen=True)
    await second.until("입력 다시 열기")
    question = library_question()
    await second.send(action="wish", lesson=question[0], question=question[1])
    await first.until("0명 가운데 0명이 답했습니다")


def library_question() -> tuple[str, str]:
    from lessons import library

    return next((lesson.slug, question.id) for lesson in library.lessons() for step in lesson.steps for question in step.questions)


async def test_the_wishes_are_not_drawn_again_for_who_only_comes_in(classroom: Classroom, pages: Open) -> None:
    page = await pages(f"/ws/classes/{classroom.pk}/")
    await page.until("입력 멈추기")
    page.html = ""
    member = await database_sync_to_async(seat)(classroom, "하늘")
    await rooms.renew(classroom.pk)
    await page.until(f"tile-{member.learner_id}")
    assert 'id="wishes"' not in page.html


async def test_another_day_yesterday_s_hands_and_timer_are_over(classroom: Classroom, pages: Open) -> None:
    def yesterday() -> tuple[Membership, Membership]:
        old, fresh = seat(classroom, "하늘"), seat(classroom, "바다")
        Membership.objects.filter(pk=old.pk).update(hand_raised=timezone.now() - timedelta(days=1))
        Membership.objects.filter(pk=fresh.pk).update(hand_raised=timezone.now())
        Classroom.objects.filter(pk=classroom.pk).update(timer_ends=timezone.now() - timedelta(days=1), announcement="어제의 말")
        return old, fresh

    old, fresh = await database_sync_to_async(yesterday)()
    page = await pages(f"/ws/classes/{classroom.pk}/")
    await page.until(f"tile-{fresh.learner_id}")
    await page.until(f"tile-{old.learner_id}")
    assert page.html.count('data-hand="1"') == 1
    assert "data-ends" not in page.html
    assert "어제의 말" in page.html


@pytest.mark.parametrize(("hours", "held"), [(1, True), (20, False)])
async def test_what_a_teacher_left_on_lets_go_of_everybody_another_day(classroom: Classroom, pages: Open, hours: int, held: bool) -> None:
    def left() -> Membership:
        member = seat(classroom, "하늘")
        Classroom.objects.filter(pk=classroom.pk).update(frozen=True, rate=0.0, steered=timezone.now() - timedelta(hours=hours))
        return member

    member = await database_sync_to_async(left)()
    page = await lab(member)
    await page.until("손 들기")
    assert ("입력 멈춤" in page.html) is held
    assert ("선생님의 시계" in page.html) is held
    await page.line.disconnect()


async def test_what_everybody_is_told_is_there_once_though_the_server_died_before_it_told_them(
        classroom: Classroom, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        """The process is no more."""

    async def dies(room: Room) -> None:
        raise Killed

    member = await database_sync_to_async(seat)(classroom, "하늘")
    page = await lab(member)
    await page.until("손 들기")
    with monkeypatch.context() as dead:
        dead.setattr(Room, "renew", dies)
        for wish in ({"announcement": "모두 일어나세요"}, {"broadcasting": LESSON}, {"rate": 4}):
            with pytest.raises(Killed):
                await wishes.change(rooms.ROOMS[classroom.pk], wish)
    await page.line.disconnect()
    rooms.ROOMS.clear()  # nothing of the dead process is left but the rows
    rooms._seated.clear()
    again = await lab(member)
    await again.until("모두 일어나세요")
    bar = again.html.split('<aside id="class-bar"')[-1].split("</aside>")[0]
    assert (bar.count("모두 일어나세요"), bar.count("선생님의 시계")) == (1, 1)
    await again.line.disconnect()


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


async def test_the_grid_says_whose_cluster_sleeps(classroom: Classroom, pages: Open) -> None:
    member = await database_sync_to_async(seat)(classroom, "하늘")
    page = await lab(member)
    grid = await pages(f"/ws/classes/{classroom.pk}/")
    await grid.until("m-node")
    assert "잠듦" not in grid.html
    await page.line.disconnect()
    live, = CLUSTERS.awake()
    await CLUSTERS.sleep(live)
    room = rooms.ROOMS[classroom.pk]
    room.seats[member.learner_id].online = False
    room.look_again()
    await grid.until("잠듦")
    grid.html = ""
    page = await lab(member)
    await grid.until("data-online=\"1\"")
    assert "잠듦" not in grid.html.rsplit('id="tile-', 1)[1]
    await page.line.disconnect()


async def test_time_alone_makes_a_tile_new_only_where_something_is_told_by_it(classroom: Classroom) -> None:
    member = await database_sync_to_async(seat)(classroom, "하늘")
    room = await rooms.get(classroom.pk)
    found = room.seats[member.learner_id]
    found.online, found.asleep = True, True
    found.member.step_since = timezone.now()
    found.tile(room.rule, timezone.now())
    room.dirty.clear()
    room.look_again()
    assert not room.dirty
    found.member.step_since = timezone.now() - timedelta(minutes=classroom.stuck_minutes)
    room.look_again()
    assert room.dirty == {member.learner_id}


def test_a_roster_that_comes_late_finds_who_is_here_already(classroom: Classroom) -> None:
    sky, twin, other = seat(classroom, "김하늘"), seat(classroom, "이바다"), seat(classroom, "이바다")
    joining.replace_roster(classroom, [joining.RosterLine("1", "김하늘"), joining.RosterLine("2", "이바다"), joining.RosterLine("3", "박구름")])
    for one in (sky, twin, other):
        one.refresh_from_db()
    assert (sky.number, sky.roster_entry.name) == ("1", "김하늘")
    assert twin.number == other.number == "", "two people of one name: the teacher says who is who"
    assert {entry.name for entry in classroom.roster.filter(membership=None)} == {"이바다", "박구름"}


@pytest.mark.parametrize("name", ["가나다라마바사아자차카타파하거너더러머버", "동"])
async def test_long_and_short_names_stand_whole_in_the_grid(classroom: Classroom, pages: Open, name: str) -> None:
    assert (await sync_to_async(Client().post)("/join/", {"code": classroom.join_code, "name": name})).status_code == 302
    grid = await pages(f"/ws/classes/{classroom.pk}/")
    await grid.until(f'data-name="{name}"')


async def test_an_announcement_of_many_letters_reaches_everybody_whole(classroom: Classroom, pages: Open) -> None:
    text = "오늘은 파드의 주소를 봅니다. " * 12
    page = await lab(await database_sync_to_async(seat)(classroom, "하늘"))
    grid = await pages(f"/ws/classes/{classroom.pk}/")
    await grid.line.send_to(json.dumps({"action": "wish", "announcement": text}))
    await page.until(text.strip())
    await page.line.disconnect()


def test_the_record_names_lessons_by_their_title(classroom: Classroom, teacher: User) -> None:
    from lessons import library

    access.audit(classroom, "power", user=teacher, detail=f"{LESSON}: 3명")
    access.audit(classroom, "looked", user=teacher, learner=learner("하늘"), detail=LESSON)
    text = signed_in(teacher).get(f"/teacher/classes/{classroom.pk}/record/").content.decode()
    title = f"{library.get(LESSON).number}과 {library.get(LESSON).title}"
    assert f"{title}: 3명" in text
    assert f">{title}</td>" in text


def test_every_close_code_is_one_that_the_server_can_send() -> None:
    """Autobahn raises for all but 1000 and 3000 to 4999; the test client of these tests would take any."""
    from podlab.classroom import replaying
    from podlab.labs import consumers as labs
    from podlab.labs import sockets

    codes = [guests.ANEW, guests.MEMBER_LEFT, access.NO_TEACHER, access.NOT_YOURS, replaying.TOO_MANY, labs.NO_SESSION, labs.NO_LESSON,
             sockets.FAILED]
    assert [code for code in codes if not 3000 <= code <= 4999] == []
