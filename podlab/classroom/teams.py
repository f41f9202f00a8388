"""A game day: teams of a class with one cluster each, dealt at random or by hand, and a score board that names no person.

A team has a learner row of its own, which owns its cluster and what it has solved. While the game is open, every door to the lesson leads
its members to that cluster (labs/access.py asks `place`), and what they do there carries their id in the journal.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from lessons import library
from lessons.models import Attempt
from podlab.classroom import presence
from podlab.classroom.models import TEAM_NAME_MAX, Classroom, Game, Membership, Team, TeamMember
from podlab.labs import sessions
from podlab.labs.access import Place
from podlab.labs.models import Learner

TEAMS_MAX = 60  # of one game


class GameError(Exception):
    """Why a game cannot be opened so, as a Korean sentence."""


def place(learner: Learner, lesson: str) -> Place | None:
    """The team's place of somebody who plays at this lesson just now; None: nobody's but their own (access.share)."""
    if not presence.exists(Game, lesson=lesson, ended=None):
        return None
    player = (TeamMember.objects.select_related("team__learner")
              .filter(membership__learner=learner, membership__removed=None, game__lesson=lesson, game__ended=None, game__classroom__closed=None)
              .order_by("-game_id").first())
    if player is None:
        return None
    people = TeamMember.objects.filter(team=player.team).values_list("membership__learner_id", "membership__name")
    return Place(player.team.learner, {str(one): name for one, name in people})


def owners(classroom: Classroom, lesson: str) -> dict[UUID, UUID]:
    """{member: owner of their team's cluster} of the class's open game at a lesson."""
    return dict(TeamMember.objects.filter(game__classroom=classroom, game__lesson=lesson, game__ended=None, membership__removed=None)
                .values_list("membership__learner_id", "team__learner_id"))


# ---- making

def start(classroom: Classroom, title: str, lesson: str, count: int, *, deal: bool) -> Game:
    """Open a game with `count` teams, the present members dealt at random, or empty ones for the teacher to fill. Raises GameError."""
    try:
        library.get(lesson)
    except LookupError:
        raise GameError("그런 단원이 없습니다.") from None
    if not 1 <= count <= TEAMS_MAX:
        raise GameError(f"팀은 1개부터 {TEAMS_MAX}개까지 만들 수 있습니다.")
    with transaction.atomic():
        if Game.objects.filter(classroom=classroom, lesson=lesson, ended=None).exists():
            raise GameError("이 단원의 게임 데이가 이미 열려 있습니다.")
        game = Game.objects.create(classroom=classroom, title=title, lesson=lesson)
        teams = [add(game) for _ in range(count)]
        members = classroom.members() if deal else []
        secrets.SystemRandom().shuffle(members)
        TeamMember.objects.bulk_create([TeamMember(game=game, team=teams[n % count], membership=one) for n, one in enumerate(members)])
    return game


def add(game: Game) -> Team:
    """One more team, with a name that no other of the game has."""
    taken = set(game.teams.values_list("name", flat=True))
    name = next(found for found in iter(sessions.suggest_nickname, None) if found not in taken)
    owner = Learner.objects.create(nickname=name[:TEAM_NAME_MAX], resume_code_hash=sessions.hash_code(sessions.new_code()))
    return Team.objects.create(game=game, name=name[:TEAM_NAME_MAX], learner=owner)


def move(game: Game, member: Membership, team: Team | None) -> None:
    """Seat a member in a team of the game, or in none."""
    if team is None:
        TeamMember.objects.filter(game=game, membership=member).delete()
    else:
        TeamMember.objects.update_or_create(game=game, membership=member, defaults={"team": team})


def end(game: Game) -> None:
    """The doors lead everybody to their own clusters again; what the teams have done stays until the class is purged."""
    game.ended = timezone.now()
    game.save(update_fields=["ended"])


# ---- the score board

@dataclass(frozen=True)
class Standing:
    """One line of the board. `seconds`: from the game's beginning to the last exercise solved."""

    team: str
    solved: int
    of: int
    seconds: int
    hints: int


def standings(game: Game) -> list[Standing]:
    """The best first: more solved, then sooner, then with fewer hints."""
    try:
        of = sum(step.exercise is not None for step in library.get(game.lesson).steps)
    except LookupError:
        of = 0
    teams = list(game.teams.all())
    attempts: dict[UUID, list[Attempt]] = {team.learner_id: [] for team in teams}
    for attempt in Attempt.objects.filter(learner__in=list(attempts), lesson=game.lesson):
        attempts[attempt.learner_id].append(attempt)
    found = []
    for team in teams:
        mine = attempts[team.learner_id]
        ends = [attempt.solved for attempt in mine if attempt.solved is not None]
        found.append(Standing(team.name, len(ends), of, int((max(ends) - game.started).total_seconds()) if ends else 0,
                              sum(attempt.hints for attempt in mine)))
    return sorted(found, key=lambda one: (-one.solved, one.seconds, one.hints, one.team))


def freeze(game: Game, frozen: bool) -> None:
    """From now on learners see the board as it stands; or the present one again."""
    game.frozen = json.dumps([asdict(one) for one in standings(game)]) if frozen else ""
    game.save(update_fields=["frozen"])


def board(game: Game) -> list[Standing] | None:
    """What learners see: the present board, the frozen one, or none."""
    if not game.board:
        return None
    return [Standing(**one) for one in json.loads(game.frozen)] if game.frozen else standings(game)


# ---- what learners see

@dataclass(frozen=True)
class Play:
    """One open game for one member."""

    game: Game
    team: Team
    people: list[str]
    board: list[Standing] | None
    lesson: Any


def shown(classroom: Classroom, learners: Iterable[UUID]) -> dict[UUID, list[Play]]:
    """The open games of those who play."""
    found: dict[UUID, list[Play]] = {learner: [] for learner in learners}
    for game in classroom.games.filter(ended=None) if classroom.closed is None else ():
        rows, players = board(game), list(game.players.select_related("team", "membership"))
        names: dict[int, list[str]] = {}
        for player in players:
            names.setdefault(player.team_id, []).append(player.membership.name)
        for player in players:
            if player.membership.learner_id in found:
                found[player.membership.learner_id].append(Play(game, player.team, names[player.team_id], rows, library.get(game.lesson)))
    return found
