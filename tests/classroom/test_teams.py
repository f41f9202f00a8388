"""A game day: one cluster a team, each act with its author, and nobody in another team's cluster."""

from __future__ import annotations

import json
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.utils import timezone

from lessons import library, progress
from podlab.classroom import games, guests, joining, steering, teams
from podlab.classroom.models import Classroom, Game, Membership, TeamMember
from podlab.classroom.room import load
from podlab.kubernetes.cluster import Cluster as Engine
from podlab.labs import access, sessions
from podlab.labs.births import EPOCH_MS
from podlab.labs.models import Cluster, JournalEntry, Learner
from tests.classroom.conftest import PASSWORD, learner, seat, signed_in
from tests.classroom.test_grid import LESSON, Page, lab
from tests.classroom.test_permissions import learner_client

pytestmark = pytest.mark.django_db(transaction=True)
EXERCISE = next(step.exercise.id for step in library.get(LESSON).steps if step.exercise)


@pytest.fixture(autouse=True)
def quick(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "testserver"]
    monkeypatch.setattr(games, "BOARD_EVERY", 0.0)
    games._due.clear()


@pytest.fixture
def members(classroom: Classroom) -> list[Membership]:
    return [seat(classroom, name) for name in ("하늘", "바다", "별하")]


@pytest.fixture
def game(classroom: Classroom, members: list[Membership]) -> Game:
    """Two teams: 하늘 and 바다 in the first, 별하 in the second."""
    found = teams.start(classroom, "첫 게임", LESSON, 2, deal=False)
    first, second = found.teams.all()
    for member, team in zip(members, (first, first, second), strict=True):
        teams.move(found, member, team)
    return found


def owner(member: Membership, lesson: str = LESSON) -> Learner:
    return access.place_of(member.learner, lesson).owner


def test_everybody_is_dealt_into_one_team_of_nearly_equal_size(classroom: Classroom) -> None:
    for number in range(11):
        seat(classroom, f"사람{number}")
    game = teams.start(classroom, "", LESSON, 4, deal=True)
    sizes = sorted(team.players.count() for team in game.teams.all())
    assert sizes == [2, 3, 3, 3]
    assert TeamMember.objects.values("membership").distinct().count() == 11
    assert len(set(game.teams.values_list("name", flat=True))) == 4


def test_the_door_leads_a_team_to_its_own_cluster_and_nobody_to_another_s(game: Game, members: list[Membership]) -> None:
    sky, sea, cloud = members
    assert owner(sky) == owner(sea) != owner(cloud)
    assert owner(sky, "volumes") == sky.learner, "elsewhere everybody has their own"
    stranger = learner("남")
    assert access.place_of(stranger, LESSON).owner == stranger


@pytest.mark.parametrize("how", ["ended", "removed", "closed", "moved out"])
def test_who_plays_no_more_is_led_to_their_own_cluster(game: Game, members: list[Membership], how: str) -> None:
    if how == "ended":
        teams.end(game)
    elif how == "removed":
        joining.remove(members[0])
    elif how == "closed":
        Classroom.objects.update(closed=timezone.now())
    else:
        teams.move(game, members[0], None)
    assert owner(members[0]) == members[0].learner


@pytest.mark.parametrize(("lesson", "count"), [("no-such-lesson", 2), (LESSON, 0), (LESSON, 999)])
def test_a_game_that_makes_no_sense_is_not_opened(classroom: Classroom, lesson: str, count: int) -> None:
    with pytest.raises(teams.GameError):
        teams.start(classroom, "", lesson, count, deal=True)
    assert not Game.objects.exists()


def test_a_lesson_has_one_open_game(game: Game) -> None:
    with pytest.raises(teams.GameError):
        teams.start(game.classroom, "", LESSON, 2, deal=True)
    teams.end(game)
    assert teams.start(game.classroom, "", LESSON, 2, deal=True)


async def journal(found: Cluster) -> list[dict[str, Any]]:
    return await database_sync_to_async(lambda: [json.loads(r.request) for r in JournalEntry.objects.filter(cluster=found).order_by("sequence")])()


async def test_two_people_act_on_one_cluster_and_each_act_names_its_author(game: Game, members: list[Membership]) -> None:
    sky, sea, cloud = members
    first, second, other = await lab(sky), await lab(sea), await lab(cloud)
    await first.send(action="terminal", line="kubectl run from-sky --image=nginx")
    await first.until("pod/from-sky created")
    await second.send(action="fault", node="node-1", power="off")
    await second.until("전원을 껐습니다")
    shared = await database_sync_to_async(Cluster.objects.get)(learner__team__players__membership=sky)
    told = await journal(shared)
    assert [(one["do"], one["by"]) for one in told if one["do"] in ("request", "fault")] == [
        ("request", str(sky.learner_id)), ("fault", str(sea.learner_id))]
    await second.send(action="tab", tab="timeline")
    html = await second.until('id="timeline"')
    assert "하늘: " in html
    assert "바다: " in html
    second.html = ""
    await second.send(action="tab", tab="inspector")
    await second.send(action="select", ref="pods/default/from-sky", view="why")
    assert "<b>하늘</b>" in await second.until('class="why"')
    await other.send(action="terminal", line="kubectl get pods; echo end-$((1+1))")
    await other.until("end-2")
    assert "from-sky" not in other.html
    assert not await database_sync_to_async(Cluster.objects.filter(learner__in=[sky.learner, sea.learner]).exists)()
    for page in (first, second, other):
        await page.line.disconnect()
    await database_sync_to_async(Membership.objects.filter(pk=sky.pk).update)(lesson=LESSON)
    seats = (await database_sync_to_async(load)(game.classroom.pk))[1]
    assert {seat.learner_id: seat.cluster_id for seat in seats}[sky.learner_id] == shared.pk, "the grid shows their team's cluster"


def test_authors_change_nothing_of_a_replay() -> None:
    entries: list[dict[str, Any]] = [
        {"at": EPOCH_MS + 1000, "do": "request", "verb": "create", "resource": "pods", "namespace": "default", "body": {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}},
        {"at": EPOCH_MS + 9000, "do": "fault", "node": "node-1", "power": "off"}]
    states = []
    for by in ({}, {"by": "somebody"}):
        engine = Engine.create(1, EPOCH_MS)
        for entry in entries:
            engine.apply({**entry, **by})
        engine.run_for(120)
        state = engine.checkpoint()
        states.append(json.dumps({key: value for key, value in state.items() if key != "causes"}))
        assert ("somebody" in json.dumps(state["causes"], default=dict)) is bool(by)
    assert states[0] == states[1]


async def test_what_a_member_solves_is_the_team_s_and_moves_the_board(game: Game, members: list[Membership]) -> None:
    page = await lab(members[0])
    await page.until("함께 씁니다: 하늘, 바다")
    found = await database_sync_to_async(owner)(members[0])
    await database_sync_to_async(progress.checked)(found, LESSON, EXERCISE, solved=True, commands=3)
    page.html = ""
    await page.send(action="check", step=next(s.id for s in library.get(LESSON).steps if s.exercise))
    html = await page.until(">1/")
    assert "별하" not in html, "the board names no person of another team"
    await page.line.disconnect()


async def test_each_of_a_team_has_their_own_beginning_of_a_step(game: Game, members: list[Membership]) -> None:
    step = library.get(LESSON).steps[0].id
    first, second = await lab(members[0]), await lab(members[1])
    await first.send(action="step", step=step)
    await first.send(action="terminal", line="kubectl create configmap a")
    await first.until("configmap/a created")
    await second.send(action="step", step=step)
    await second.send(action="terminal", line="kubectl create configmap b")
    await second.until("configmap/b created")
    await second.send(action="again")
    await second.until("이 걸음에 왔을 때로 돌아왔습니다")
    first.html = ""
    await first.send(action="terminal", line="kubectl get configmap a b")
    html = await first.until("not found")
    assert "configmaps &quot;b&quot; not found" in html
    assert "configmaps &quot;a&quot; not found" not in html
    for page in (first, second):
        await page.line.disconnect()


def test_the_board_ranks_and_can_be_frozen_and_hidden(game: Game, members: list[Membership]) -> None:
    first, second = game.teams.all()
    progress.checked(second.learner, LESSON, EXERCISE, solved=True, commands=1)
    progress.hint(first.learner, LESSON, EXERCISE, 2)
    assert [(one.team, one.solved, one.hints) for one in teams.standings(game)] == [(second.name, 1, 0), (first.name, 0, 2)]
    teams.freeze(game, True)
    progress.checked(first.learner, LESSON, EXERCISE, solved=True, commands=1)
    seen = teams.shown(game.classroom, [members[0].learner_id])[members[0].learner_id][0].board
    assert seen is not None
    assert [one.solved for one in seen] == [1, 0], "learners see it as it was"
    assert [one.solved for one in teams.standings(game)] == [1, 1], "the teacher sees the present"
    teams.freeze(game, False)
    Game.objects.update(board=False)
    assert teams.shown(game.classroom, [members[0].learner_id])[members[0].learner_id][0].board is None


async def test_open_pages_come_in_anew_when_a_game_ends(game: Game, members: list[Membership], teacher: User) -> None:
    page: Page = await lab(members[0])
    await page.until("class-bar")
    await games.lead([members[0].learner_id], LESSON)
    while (sent := await page.line.receive_output(timeout=60))["type"] != "websocket.close":
        pass
    assert sent["code"] == guests.ANEW


@pytest.mark.usefixtures("plain_lessons")
async def test_a_fault_for_all_happens_once_to_a_team(classroom: Classroom, members: list[Membership]) -> None:
    def play() -> Any:
        found = Game.objects.create(classroom=classroom, title="x", lesson="any")
        team = teams.add(found)
        for member in members[:2]:
            teams.move(found, member, team)
        for who in (team.learner, members[2].learner):
            Cluster.objects.create(learner=who, lesson="any", seed=1, epoch_ms=EPOCH_MS, now_ms=EPOCH_MS, engine_version="x")
        return steering.store(classroom, "any", "power", {"node": "node-1", "power": "off"}, [m.learner_id for m in members])

    directive = await database_sync_to_async(play)()
    assert await steering.carry_out(directive) == 0
    faults = [sum(one["do"] == "fault" for one in await journal(c)) for c in await database_sync_to_async(list)(Cluster.objects.all())]
    assert faults == [1, 1]


def test_the_teacher_deals_moves_and_ends(classroom: Classroom, teacher: User, members: list[Membership]) -> None:
    client, place = signed_in(teacher), f"/teacher/classes/{classroom.pk}/games/"
    assert client.post(place, {"lesson": LESSON, "count": "2", "deal": "random", "title": "결승"}).status_code == 302
    game = Game.objects.get()
    assert game.players.count() == 3
    assert client.post(place, {"lesson": LESSON, "count": "2"}).status_code == 422
    team = game.teams.last()
    assert team is not None
    change = f"{place}{game.pk}/change/"
    client.post(change, {"act": "move", "learner": members[0].learner_id, "team": team.pk})
    assert TeamMember.objects.get(membership=members[0]).team == team
    client.post(change, {"act": "freeze"})
    page = client.get(f"{place}{game.pk}/").content.decode()
    assert "멈춘 점수판" in page
    client.post(change, {"act": "end"})
    game.refresh_from_db()
    assert game.ended
    assert client.post(change, {"act": "add"}).status_code == 404


def test_games_are_the_class_s_own_teacher_s(game: Game, classroom: Classroom, teacher: User) -> None:
    lee = User.objects.create_user("lee", password=PASSWORD)
    elsewhere = Classroom.objects.create(teacher=lee, title="2반", join_code="AAAAAA")
    theirs = teams.start(elsewhere, "남의 게임", LESSON, 1, deal=False)
    place = f"/teacher/classes/{classroom.pk}/games/"
    for client, code in ((learner_client(), 302), (signed_in(lee), 404)):
        assert client.get(place).status_code == client.get(f"{place}{game.pk}/").status_code == code
        assert client.post(place, {}).status_code == client.post(f"{place}{game.pk}/change/", {"act": "end"}).status_code == code
    mine = signed_in(teacher)
    assert mine.post(f"{place}{theirs.pk}/change/", {"act": "end"}).status_code == 404
    stranger, team = seat(elsewhere, "남"), game.teams.first()
    assert team is not None
    assert mine.post(f"{place}{game.pk}/change/", {"act": "move", "learner": stranger.learner_id, "team": team.pk}).status_code == 404
    member = classroom.memberships.first()
    assert member is not None
    foreign = theirs.teams.get()
    assert mine.post(f"{place}{game.pk}/change/", {"act": "move", "learner": member.learner_id, "team": foreign.pk}).status_code == 404
    game.refresh_from_db()
    assert game.ended is None


def test_nobody_comes_back_as_a_team(game: Game) -> None:
    """A team's learner row has a resume code that nobody was ever told."""
    owner = game.teams.all()[0].learner
    assert len(owner.resume_code_hash) == len(sessions.hash_code("x")) == 64
