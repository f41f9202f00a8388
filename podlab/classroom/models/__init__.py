"""What is stored of a class, by concern; the docstrings are in the modules."""

from podlab.classroom.models.classes import (
    DEEDS,
    NAME_MAX,
    NUMBER_MAX,
    TITLE_MAX,
    AuditEntry,
    ChatLine,
    Classroom,
    Delivered,
    Desk,
    Directive,
    Fork,
    Membership,
    RosterEntry,
    Suggestion,
    Vote,
)
from podlab.classroom.models.exercises import Assignment, Work
from podlab.classroom.models.games import TEAM_NAME_MAX, Game, Team, TeamMember
from podlab.classroom.models.outside import GradeLine, LaunchPass, Platform, PlatformUser, Score, Statement

__all__ = [
    "DEEDS",
    "NAME_MAX",
    "NUMBER_MAX",
    "TEAM_NAME_MAX",
    "TITLE_MAX",
    "Assignment",
    "AuditEntry",
    "ChatLine",
    "Classroom",
    "Delivered",
    "Desk",
    "Directive",
    "Fork",
    "Game",
    "GradeLine",
    "LaunchPass",
    "Membership",
    "Platform",
    "PlatformUser",
    "RosterEntry",
    "Score",
    "Statement",
    "Suggestion",
    "Team",
    "TeamMember",
    "Vote",
    "Work",
]
