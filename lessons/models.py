"""What a learner has done in the lessons. Kept by the server, so that a resume code brings it to another device."""

from __future__ import annotations

from django.db import models

from podlab.labs.models import Learner


class StepDone(models.Model):
    learner = models.ForeignKey(Learner, on_delete=models.CASCADE, related_name="steps_done")
    lesson = models.SlugField(max_length=80)
    step = models.SlugField(max_length=80)
    done = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["learner", "lesson", "step"], name="a_step_is_done_once")]

    def __str__(self) -> str:
        return f"{self.lesson}#{self.step}"


class LessonTime(models.Model):
    """How long a learner has worked on a lesson: gaps of more than progress.IDLE_SECONDS between two acts are not counted."""

    learner = models.ForeignKey(Learner, on_delete=models.CASCADE, related_name="lesson_times")
    lesson = models.SlugField(max_length=80)
    seconds = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["learner", "lesson"], name="one_time_a_learner_and_lesson")]

    def __str__(self) -> str:
        return f"{self.lesson}: {self.seconds} s"


class Answer(models.Model):
    """Each try at a question; the first one is the prediction that counts."""

    learner = models.ForeignKey(Learner, on_delete=models.CASCADE, related_name="answers")
    lesson = models.SlugField(max_length=80)
    question = models.SlugField(max_length=80)
    choice = models.PositiveSmallIntegerField()
    correct = models.BooleanField()
    misconception = models.PositiveSmallIntegerField(default=0, help_text="number in the course's list; 0: none")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["lesson", "question"], name="answers_of_a_question")]

    def __str__(self) -> str:
        return f"{self.lesson}#{self.question}: {self.choice}"


class Attempt(models.Model):
    """A learner's work on one exercise."""

    learner = models.ForeignKey(Learner, on_delete=models.CASCADE, related_name="attempts")
    lesson = models.SlugField(max_length=80)
    exercise = models.SlugField(max_length=80)
    checks = models.PositiveIntegerField(default=0)
    hints = models.PositiveSmallIntegerField(default=0, help_text="1 to 3 hints seen; 4: the solution too")
    commands = models.PositiveIntegerField(default=0, help_text="entered until it was solved")
    started = models.DateTimeField(auto_now_add=True)
    solved = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["learner", "lesson", "exercise"], name="one_attempt_an_exercise")]

    def __str__(self) -> str:
        return f"{self.lesson}#{self.exercise}"
