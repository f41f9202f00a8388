"""What the server remembers of one learner in a live class, and how it becomes a tile. Kept in memory, saved to Membership now and then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from django.template.loader import render_to_string

from lessons import library
from lessons.schema import Lesson
from podlab.classroom import miniature
from podlab.classroom.duties import Duty
from podlab.classroom.models import Assignment, Classroom, Membership
from podlab.classroom.signals import Rule, Work, Worst, stuck, worst
from podlab.classroom.teams import Play

ACTION_MAX = 120  # characters, as Membership.last_action
NOTHING = Worst("none", "아직 없음")  # no cluster yet


class Looker(Protocol):
    """A teacher's page that shows this learner's cluster."""

    def show(self, html: str) -> None: ...


class Helper(Protocol):
    """A teacher's page beside a learner's."""

    helping: bool

    async def answered(self, allowed: bool) -> None: ...


@dataclass
class Seat:
    """One learner of a live class. Times are aware datetimes of the real clock."""

    member: Membership
    online: bool = False
    done: dict[str, set[str]] = field(default_factory=dict)  # lesson -> steps
    tried: set[str] = field(default_factory=set)  # steps of the present lesson with a failed check
    failed_checks: int = 0
    hints: int = 0
    errors: int = 0  # commands in a row that failed
    erred: bool = False  # the present one has
    finished: bool = False  # the present step is done
    cluster_id: int | None = None
    picture: str = ""
    pictured: tuple[Any, ...] = ()  # what of which cluster the picture shows
    worst: Worst = NOTHING
    asleep: bool = False  # the cluster: its clock stands still
    told_stuck: list[str] = field(default_factory=list)  # as the tile showed it last
    unsaved: bool = False
    unread: int = 0  # lines to the teacher that nobody has read
    assigned: list[Duty] = field(default_factory=list)  # what is open for them just now
    plays: list[Play] = field(default_factory=list)  # the open games that they play in
    open_classes: list[Classroom] = field(default_factory=list)  # that they are a member of, the one that they sit in first
    lookers: set[Looker] = field(default_factory=set)
    helper: Helper | None = None  # the teacher's page that asks to help, or does

    @property
    def learner_id(self) -> UUID:
        return self.member.learner_id

    @property
    def sits_in(self) -> int | None:
        """The class whose bar their pages show."""
        return self.open_classes[0].pk if self.open_classes else None

    @property
    def elsewhere(self) -> bool:
        """In another class just now, or in none because this one is over: nothing of this class holds for their pages."""
        return self.sits_in != self.member.classroom_id

    # ---- what happens

    def hear(self, kind: str, facts: Mapping[str, Any], lesson: str, now: datetime) -> bool:
        """Take in an act of the learner's (audience.Act). Returns whether the tile changes."""
        member = self.member
        if kind == "step":
            member.lesson, member.step, member.step_since = lesson, str(facts["step"]), now
            self.failed_checks = self.hints = self.errors = 0
            self.finished = facts["step"] in self.done.get(lesson, ())
        elif kind == "done":
            self.done.setdefault(lesson, set()).add(str(facts["step"]))
            self.finished = self.finished or facts["step"] == member.step
            self._acted(now, "걸음을 마쳤습니다")
        elif kind == "line":
            if not str(facts["text"]).strip():
                return False
            if not self.erred:
                self.errors = 0
            self.erred = False
            self._acted(now, str(facts["text"]))
        elif kind == "error":
            self.errors += not self.erred
            self.erred = True
        elif kind == "check":
            self.failed_checks = 0 if facts["solved"] else self.failed_checks + 1
            self._acted(now, "과제를 풀었습니다" if facts["solved"] else "확인하기: 아직입니다")
        elif kind == "hint":
            self.hints = int(facts["number"])
            self._acted(now, f"힌트 {self.hints}" if self.hints <= 3 else "풀이를 열었습니다")
        elif kind == "answer":
            self._acted(now, "문제에 답했습니다")
        elif kind in ("fault", "undo", "reset"):
            self._acted(now, {"fault": "고장을 냈습니다", "undo": "되돌렸습니다", "reset": "처음으로 돌아갔습니다"}[kind])
        elif kind in ("opened", "closed"):
            member.lesson = lesson if kind == "opened" else member.lesson
        else:
            return False
        self.unsaved = True
        return True

    def _acted(self, now: datetime, what: str) -> None:
        self.member.last_action, self.member.last_action_at = " ".join(what.split())[:ACTION_MAX], now

    @property
    def veiled(self) -> set[int]:
        """The assessments that are going on for them."""
        return {duty.assignment.pk for duty in self.assigned if duty.assignment.mode == Assignment.Mode.ASSESSMENT}

    def look(self, nodes: list[dict[str, Any]], pods: list[dict[str, Any]], *, asleep: bool = False) -> bool:
        """The cluster as its projection rows tell it. Returns whether the tile changes."""
        before = self.picture, self.worst, self.asleep
        self.picture, self.worst, self.asleep = miniature.draw(nodes, pods), worst(nodes, pods), asleep
        return (self.picture, self.worst, self.asleep) != before

    # ---- the tile

    def stuck(self, rule: Rule, now: datetime) -> list[str]:
        since = self.member.step_since
        seconds = (now - since).total_seconds() if since is not None and self.online else 0.0
        return stuck(Work(seconds, self.finished, self.failed_checks, self.hints, self.errors), rule)

    def tile(self, rule: Rule, now: datetime) -> str:
        """<article id="tile-…">, to be morphed into its place."""
        return render_to_string("classroom/_tile.html", self.facts(rule, now))

    def facts(self, rule: Rule, now: datetime) -> dict[str, Any]:
        member, lesson = self.member, self.lesson
        self.told_stuck = self.stuck(rule, now)
        done = len(self.done.get(member.lesson, set()) & {step.id for step in lesson.steps}) if lesson else 0
        number = next((n for n, step in enumerate(lesson.steps, 1) if step.id == member.step), 0) if lesson else 0
        total = len(lesson.steps) if lesson else 0
        return {
            "id": str(self.learner_id),
            "name": member.name,
            "number": member.number,
            "online": self.online,
            "elsewhere": self.elsewhere and self.sits_in is not None,
            "hand": member.hand_raised,
            "unread": self.unread,
            "classroom_id": member.classroom_id,
            "lesson": lesson if self.cluster_id else None,
            "step": lesson.steps[number - 1] if lesson and number else None,
            "step_number": number,
            "total": total,
            "done": done,
            "share": round(100 * done / total) if total else 0,
            "stuck": self.told_stuck,
            "asleep": self.asleep,
            "worst": self.worst,
            "picture": self.picture,
            "action": member.last_action,
            "action_at": member.last_action_at,
            "step_since": member.step_since,
        }

    @property
    def lesson(self) -> Lesson | None:
        try:
            return library.get(self.member.lesson)
        except LookupError:
            return None

    # ---- the matrix

    def row(self, lesson: Lesson) -> str:
        """<div role="row" id="row-…"> of the matrix learner x step."""
        done = self.done.get(lesson.slug, set())
        here = self.member.step if self.member.lesson == lesson.slug else ""
        cells = [{"step": step, "state": "done" if step.id in done else "here" if step.id == here else "",
                  "failed": step.id == here and self.failed_checks > 0} for step in lesson.steps]
        return render_to_string("classroom/_row.html", {"id": str(self.learner_id), "name": self.member.name, "number": self.member.number,
                                                        "cells": cells, "online": self.online, "count": len(done & {s.id for s in lesson.steps})})
