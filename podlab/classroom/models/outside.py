"""What connects a class to other systems: learning platforms (LTI 1.3) and stores of statements (xAPI)."""

from __future__ import annotations

from django.db import models

from podlab.classroom.models.classes import Classroom, Membership
from podlab.classroom.models.exercises import Assignment
from podlab.labs.models import Learner


class Platform(models.Model):
    """A learning platform that may send its users, as `manage.py lti_platform` registered it."""

    issuer = models.URLField(max_length=300)
    client_id = models.CharField(max_length=200)
    deployments = models.TextField(help_text="JSON list of deployment ids")
    auth_login_url = models.URLField(max_length=300)
    auth_token_url = models.URLField(max_length=300)
    key_set_url = models.URLField(max_length=300)
    private_key = models.TextField(help_text="ours, PEM: it signs what we ask this platform")
    public_key = models.TextField(help_text="PEM")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issuer", "client_id"], name="a_client_is_registered_once")]

    def __str__(self) -> str:
        return f"{self.issuer} ({self.client_id})"


class LaunchPass(models.Model):
    """State and nonce of one login that has begun: a launch takes the row away, so no launch happens twice."""

    platform = models.ForeignKey(Platform, on_delete=models.CASCADE)
    state = models.CharField(max_length=64, unique=True)
    nonce = models.CharField(max_length=128, unique=True)
    created = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.state


class PlatformUser(models.Model):
    """A user of a platform who is a learner here. Of the person only the platform's own opaque id is kept."""

    platform = models.ForeignKey(Platform, on_delete=models.CASCADE, related_name="users")
    subject = models.CharField(max_length=255)
    learner = models.ForeignKey(Learner, on_delete=models.CASCADE, related_name="platform_users")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["platform", "subject"], name="a_platform_user_is_one_learner")]

    def __str__(self) -> str:
        return self.subject


class GradeLine(models.Model):
    """Where the score of one assignment, or of a whole class, goes for one platform user: told by their last launch."""

    user = models.ForeignKey(PlatformUser, on_delete=models.CASCADE, related_name="lines")
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="grade_lines")
    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="grade_lines")
    lineitem = models.URLField(max_length=500)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "assignment"], name="one_grade_line_an_assignment")]

    def __str__(self) -> str:
        return self.lineitem


class Score(models.Model):
    """A score that waits to be sent, or was: the newest of a line takes the older one's place."""

    line = models.OneToOneField(GradeLine, on_delete=models.CASCADE, related_name="score")
    given = models.PositiveSmallIntegerField(help_text="solved exercises")
    maximum = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    sent = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try = models.DateTimeField(null=True)
    error = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"{self.given}/{self.maximum}"


class Statement(models.Model):
    """An xAPI statement that waits to be sent. What was sent is deleted: the store keeps it."""

    classroom = models.ForeignKey(Classroom, null=True, on_delete=models.CASCADE, related_name="statements")
    learner = models.ForeignKey(Learner, on_delete=models.CASCADE, related_name="statements")
    text = models.TextField(help_text="JSON, with its id: a statement sent twice is one")
    created = models.DateTimeField(auto_now_add=True)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"statement {self.pk}"
