"""A game day: teams of a class, each with one cluster that its members share."""

from __future__ import annotations

from django.db import models

from podlab.classroom.models.classes import TITLE_MAX, Classroom, Membership
from podlab.labs.models import Learner

TEAM_NAME_MAX = 20  # characters, as a nickname


class Game(models.Model):
    """Teams of a class at one lesson, until it is ended. A class has at most one open game a lesson."""

    classroom = models.ForeignKey(Classroom, on_delete=models.CASCADE, related_name="games")
    title = models.CharField(max_length=TITLE_MAX)
    lesson = models.SlugField(max_length=80)
    board = models.BooleanField(default=True, help_text="learners see the score board")
    frozen = models.TextField(blank=True, help_text="JSON: the board as learners see it since it was frozen; empty: the present one")
    started = models.DateTimeField(auto_now_add=True)
    ended = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["classroom", "lesson"], condition=models.Q(ended=None), name="one_open_game_a_lesson")]

    def __str__(self) -> str:
        return self.title


class Team(models.Model):
    """`learner` is nobody: the owner of the team's cluster and of what the team has solved. `name` names no person."""

    game = models.ForeignKey(Game, on_delete=models.CASCADE, related_name="teams")
    name = models.CharField(max_length=TEAM_NAME_MAX)
    learner = models.OneToOneField(Learner, on_delete=models.CASCADE, related_name="team")

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name


class TeamMember(models.Model):
    """Somebody plays in a team; in one game in one only."""

    game = models.ForeignKey(Game, on_delete=models.CASCADE, related_name="players")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="players")
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="teams")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["game", "membership"], name="one_team_a_game_and_member")]

    def __str__(self) -> str:
        return f"{self.membership} in {self.team}"
