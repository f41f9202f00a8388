"""The teacher's pages of a game day, and how the class's open pages hear of it."""

from __future__ import annotations

import asyncio
from uuid import UUID

from asgiref.sync import async_to_sync
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from lessons import library
from podlab.classroom import access, rooms, teams
from podlab.classroom.guests import ANEW
from podlab.classroom.models import TITLE_MAX, Classroom, Game
from podlab.labs import access as lab_access
from podlab.labs import audience
from podlab.labs.consumers import LabConsumer
from podlab.labs.live import CLUSTERS

BOARD_EVERY = 1.0  # seconds in which changes of the board are told together

_due: set[int] = set()  # classes whose board has changed


def install() -> None:
    """Called once, when Django starts."""
    lab_access.share(teams.place)
    audience.listen(_hear)


def _hear(act: audience.Act) -> None:
    room = rooms.of(act.page.learner_id) if act.kind in ("check", "hint") else None
    if room is None or room.classroom.pk in _due or not any(play.game.lesson == act.page.lesson for play in room.seats[act.page.learner_id].plays):
        return
    _due.add(room.classroom.pk)
    rooms.later(_tell_board(room.classroom.pk))


async def _tell_board(classroom_id: int) -> None:
    await asyncio.sleep(BOARD_EVERY)
    _due.discard(classroom_id)
    room = rooms.ROOMS.get(classroom_id)
    if room is None:
        return
    plays = await CLUSTERS.writer.call(teams.shown, room.classroom, list(room.seats))
    for learner_id, found in plays.items():
        if found and learner_id in room.seats:
            room.seats[learner_id].plays = found
            room.show_bar(learner_id)


async def lead(people: list[UUID], lesson: str = "") -> None:
    """The doors lead elsewhere now: open pages of the lesson (or of every lesson) come in anew, when they have been told what waits."""
    for person in people:
        for page in audience.pages(person):
            if lesson in ("", page.lesson) and isinstance(page, LabConsumer):
                await page.send_outbox()
                await page.close(ANEW)


def get_game(classroom: Classroom, pk: int) -> Game:
    """One of the class's own. Raises Http404."""
    return get_object_or_404(classroom.games.select_related("classroom"), pk=pk)


@require_http_methods(["GET", "POST"])
@never_cache
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """All games of a class, and a form for a new one."""
    found, error = access.get_classroom(request, pk), ""
    if request.method == "POST":
        title = " ".join(request.POST.get("title", "").split())[:TITLE_MAX]
        count = request.POST.get("count", "")
        try:
            made = teams.start(found, title or "게임 데이", request.POST.get("lesson", ""), int(count) if count.isdecimal() else 0,
                               deal=request.POST.get("deal") == "random")
        except teams.GameError as refusal:
            error = str(refusal)
        else:
            access.audit(found, "game-started", user=request.user, detail=made.title)
            _told(made, _people(made))
            return redirect("classroom-game", pk, made.pk)
    return render(request, "classroom/games.html", {
        "classroom": found, "games": found.games.all(), "lessons": library.lessons(), "error": error, "teacher": request.user},
        status=422 if error else 200)


@require_GET
@never_cache
def one(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """One game: its board and its teams."""
    found = access.get_classroom(request, pk)
    game = get_game(found, number)
    seated = {player.membership_id: player.team_id for player in game.players.all()}
    members = found.members()
    return render(request, "classroom/game.html", {
        "classroom": found, "game": game, "lesson": library.get(game.lesson), "standings": teams.standings(game), "teacher": request.user,
        "teams": [{"team": team, "members": [m for m in members if seated.get(m.pk) == team.pk]} for team in game.teams.all()],
        "members": [{"member": m, "team": seated.get(m.pk)} for m in members]})


@require_POST
def change(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Move somebody, add a team, show or freeze the board, end the game."""
    found = access.get_classroom(request, pk)
    game, act = get_game(found, number), request.POST.get("act")
    people: list[UUID] = []
    if game.ended is not None:
        raise Http404("the game is over")
    if act == "move":
        member = access.get_member(found, request.POST.get("learner", ""))
        wanted = request.POST.get("team", "")
        teams.move(game, member, get_object_or_404(game.teams, pk=wanted) if wanted.isdecimal() else None)
        people = [member.learner_id]
    elif act == "add" and game.teams.count() < teams.TEAMS_MAX:
        teams.add(game)
    elif act in ("freeze", "thaw"):
        teams.freeze(game, act == "freeze")
    elif act in ("show", "hide"):
        game.board = act == "show"
        game.save(update_fields=["board"])
    elif act == "end":
        people = _people(game)
        teams.end(game)
        access.audit(found, "game-ended", user=request.user, detail=game.title)
    _told(game, people)
    return redirect("classroom-game", pk, number)


def _people(game: Game) -> list[UUID]:
    return list(game.players.values_list("membership__learner_id", flat=True))


def _told(game: Game, people: list[UUID]) -> None:
    rooms.tell(game.classroom)
    async_to_sync(lead)(people, game.lesson)
