"""Sets of exercises that a class is given, and what each member has done of them while they were open."""

from __future__ import annotations

import json

from django.db import models
from django.utils import timezone

from podlab.classroom.models.classes import TITLE_MAX, Classroom
from podlab.labs.models import Learner


class Assignment(models.Model):
    """A set of exercises with its times and rules. Its rules hold from `opens` to `closes`."""

    class Mode(models.TextChoices):
        PRACTICE = "practice", "연습"
        ASSESSMENT = "assessment", "평가"

    class Hints(models.TextChoices):
        ALL = "all", "언제나"
        NONE = "none", "없음"
        AFTER = "after", "확인에 몇 번 실패한 뒤"

    classroom = models.ForeignKey(Classroom, on_delete=models.CASCADE, related_name="assignments")
    title = models.CharField(max_length=TITLE_MAX)
    exercises = models.TextField(help_text="JSON list of [lesson, exercise], in the order of the course")
    mode = models.CharField(max_length=10, choices=Mode.choices, default=Mode.PRACTICE)
    opens = models.DateTimeField()
    closes = models.DateTimeField(null=True, help_text="an assessment always has one: until then nothing of its answers is told")
    attempts = models.PositiveSmallIntegerField(default=0, help_text="checks of each exercise; 0: as many as one likes")
    hints = models.CharField(max_length=5, choices=Hints.choices, default=Hints.ALL)
    hints_after = models.PositiveSmallIntegerField(default=3, help_text="failed checks, where hints are `after`")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["opens", "id"]

    def __str__(self) -> str:
        return self.title

    @property
    def items(self) -> list[tuple[str, str]]:
        """(lesson, exercise) of all."""
        return [(lesson, exercise) for lesson, exercise in json.loads(self.exercises)]

    @property
    def open(self) -> bool:
        now = timezone.now()
        return self.opens <= now and (self.closes is None or now < self.closes)

    @property
    def over(self) -> bool:
        return self.closes is not None and self.closes <= timezone.now()

    @property
    def veiled(self) -> bool:
        """An assessment that is going on: no hint, no solution, no word about what is missing."""
        return self.mode == self.Mode.ASSESSMENT and self.open


class Work(models.Model):
    """One member's work on one exercise of an assignment, counted only while it is open."""

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="works")
    learner = models.ForeignKey(Learner, on_delete=models.CASCADE, related_name="assigned_works")
    lesson = models.SlugField(max_length=80)
    exercise = models.SlugField(max_length=80)
    checks = models.PositiveIntegerField(default=0)
    hints = models.PositiveSmallIntegerField(default=0)
    started = models.DateTimeField(auto_now_add=True)
    solved = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["assignment", "learner", "lesson", "exercise"], name="one_work_an_assigned_exercise")]

    def __str__(self) -> str:
        return f"{self.assignment_id}: {self.lesson}#{self.exercise}"
