"""Members who are removed or merged while pages are open, classes that are opened again, and two pages of one teacher."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from podlab.classroom import access, guests, joining, rooms, wishes
from podlab.classroom.models import Classroom, Game, Membership, TeamMember
from podlab.classroom.room import Room
from podlab.labs.live import CLUSTERS
from podlab.labs.models import Cluster
from tests.classroom.conftest import Open, cookie, cookie_of, learner, seat, signed_in
from tests.classroom.test_grid import LESSON, Page, lab

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def hosts(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "testserver"]


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
