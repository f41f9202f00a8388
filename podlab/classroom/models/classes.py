"""What is stored of a class: the class and its wishes, who is in it, what was done to whom, and the record of it.

A class's wishes (pace, frozen, announcement ...) are level-triggered, as in the cluster that it teaches: a page that comes back reads
the present ones. What must happen once to each cluster (a fault, a reset) is a Directive, and a Delivered row written in the same
transaction as the cluster's journal entry says to whom it has happened.
"""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from podlab.labs.models import Learner

TITLE_MAX, NAME_MAX, NUMBER_MAX = 60, 40, 20  # characters
DIGITS = re.compile(r"(\d+)")


def as_listed(one: Membership | RosterEntry) -> tuple[Any, ...]:
    """The place in a class list: by number as people count (2 before 10, 2-10 before 3-1), who has none last; then by name."""
    parts = [int(part) if place % 2 else part for place, part in enumerate(DIGITS.split(one.number))]
    return not one.number, parts, one.name, one.pk


class Desk(models.Model):
    """A teacher's own place as a learner: the clusters that they try things on and show to the class."""

    teacher = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="desk")
    learner = models.OneToOneField(Learner, on_delete=models.CASCADE, related_name="desk")

    def __str__(self) -> str:
        return str(self.teacher)


class Classroom(models.Model):
    """One class of one teacher."""

    teacher = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="classrooms")
    title = models.CharField(max_length=TITLE_MAX)
    join_code = models.CharField(max_length=8, unique=True, help_text="written on the blackboard, so it is no secret for long; renewable")
    join_until = models.DateTimeField(null=True, help_text="after it the code lets nobody in")
    roster_only = models.BooleanField(default=False, help_text="only people of the roster may join")
    created = models.DateTimeField(auto_now_add=True)
    closed = models.DateTimeField(null=True, help_text="the class is over; its record stays until it is purged")
    keep_days = models.PositiveSmallIntegerField(default=180, help_text="days after closing until purge_classes deletes everything")

    # Wishes for every page.
    steered = models.DateTimeField(default=timezone.now, help_text="when a wish was changed last: what holds everybody is let go another day")
    rate = models.FloatField(null=True, help_text="everybody's pace, virtual seconds a real second; null: each their own")
    broadcasting = models.SlugField(max_length=80, blank=True, help_text="lesson of the teacher's own cluster that every page shows; empty: none")
    frozen = models.BooleanField(default=False, help_text="learners may look and not act")
    announcement = models.CharField(max_length=300, blank=True)
    lesson = models.SlugField(max_length=80, blank=True, help_text="where the class is; empty: each their own")
    step = models.SlugField(max_length=80, blank=True)
    timer_ends = models.DateTimeField(null=True, help_text="of the step that the class is at")

    question_lesson = models.SlugField(max_length=80, blank=True)
    question = models.SlugField(max_length=80, blank=True, help_text="of the lesson, open for everybody to answer; empty: none")
    revealed = models.BooleanField(default=False, help_text="the open question's answer and counts are shown")

    # When a learner counts as stuck (signals.py); 0 switches a signal off.
    stuck_minutes = models.PositiveSmallIntegerField(default=8, help_text="minutes on one step")
    stuck_checks = models.PositiveSmallIntegerField(default=3, help_text="failed checks of one exercise")
    stuck_hints = models.PositiveSmallIntegerField(default=2, help_text="hints opened of one exercise")
    stuck_errors = models.PositiveSmallIntegerField(default=5, help_text="commands in a row that failed")

    class Meta:
        ordering = ["-created"]

    def __str__(self) -> str:
        return self.title

    def members(self) -> list[Membership]:
        """Who is in the class now, in the order of its list."""
        return sorted(self.memberships.filter(removed=None).select_related("learner"), key=as_listed)

    def missing(self) -> list[RosterEntry]:
        """Who is on the roster and has not come."""
        return sorted(self.roster.filter(membership=None), key=as_listed)


class Membership(models.Model):
    """One learner in one class, with what the grid shows of them while their page is closed."""

    classroom = models.ForeignKey(Classroom, on_delete=models.CASCADE, related_name="memberships")
    learner = models.ForeignKey(Learner, on_delete=models.CASCADE, related_name="memberships")
    name = models.CharField(max_length=NAME_MAX, help_text="as the class knows them: the roster's name, or the nickname")
    number = models.CharField(max_length=NUMBER_MAX, blank=True, help_text="the roster's number")
    joined = models.DateTimeField(auto_now_add=True)
    sat = models.DateTimeField(default=timezone.now, help_text="when they sat down last: who is in two open classes is in this one or that")
    removed = models.DateTimeField(null=True)

    hand_raised = models.DateTimeField(null=True)
    lesson = models.SlugField(max_length=80, blank=True)
    step = models.SlugField(max_length=80, blank=True)
    step_since = models.DateTimeField(null=True)
    last_action = models.CharField(max_length=120, blank=True)
    last_action_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["number", "name", "id"]
        constraints = [models.UniqueConstraint(fields=["classroom", "learner"], name="a_learner_is_once_in_a_class")]

    def __str__(self) -> str:
        return self.name


class RosterEntry(models.Model):
    """One line of the list that the teacher uploaded."""

    classroom = models.ForeignKey(Classroom, on_delete=models.CASCADE, related_name="roster")
    number = models.CharField(max_length=NUMBER_MAX, blank=True)
    name = models.CharField(max_length=NAME_MAX)
    membership = models.OneToOneField(Membership, null=True, on_delete=models.SET_NULL, related_name="roster_entry")

    class Meta:
        ordering = ["number", "name", "id"]
        constraints = [models.UniqueConstraint(fields=["classroom", "number", "name"], name="a_line_is_once_in_a_roster")]

    def __str__(self) -> str:
        return f"{self.number} {self.name}".strip()


class Vote(models.Model):
    """One member's answer to a question that was opened for the whole class; the first one counts."""

    classroom = models.ForeignKey(Classroom, on_delete=models.CASCADE, related_name="votes")
    learner = models.ForeignKey(Learner, on_delete=models.CASCADE)
    lesson = models.SlugField(max_length=80)
    question = models.SlugField(max_length=80)
    choice = models.PositiveSmallIntegerField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["classroom", "learner", "lesson", "question"], name="one_vote_a_member_and_question")]

    def __str__(self) -> str:
        return f"{self.question}: {self.choice}"


class Directive(models.Model):
    """Something that must happen exactly once to each of `targets`' clusters of `lesson`."""

    classroom = models.ForeignKey(Classroom, on_delete=models.CASCADE, related_name="directives")
    lesson = models.SlugField(max_length=80)
    kind = models.CharField(max_length=20, help_text="a name of steering.KINDS")
    payload = models.TextField(help_text="JSON")
    targets = models.TextField(help_text="JSON list of learner ids, fixed when it was sent")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"


class Delivered(models.Model):
    """A directive has happened to a learner's cluster. Written in one transaction with the journal entry that it caused."""

    directive = models.ForeignKey(Directive, on_delete=models.CASCADE, related_name="delivered")
    learner = models.ForeignKey(Learner, on_delete=models.CASCADE)
    outcome = models.CharField(max_length=200, blank=True, help_text="why nothing happened, where nothing did")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["directive", "learner"], name="a_directive_happens_once_to_a_learner")]

    def __str__(self) -> str:
        return f"{self.directive_id} -> {self.learner_id}"


DEEDS = {
    "sign-in": "들어왔습니다",
    "sign-in-failed": "들어오지 못했습니다",
    "refused": "막았습니다",
    "code-renewed": "참여 코드를 바꿨습니다",
    "looked": "클러스터를 들여다보았습니다",
    "terminal-connect": "자기 터미널을 이어 들여다보았습니다",
    "terminal-disconnect": "자기 터미널을 끊었습니다",
    "replayed": "한 일을 처음부터 보았습니다",
    "took-over": "함께 조작했습니다",
    "forked": "클러스터를 가져왔습니다",
    "closed": "교실을 마쳤습니다",
    "removed": "내보냈습니다",
    "readmitted": "다시 들였습니다",
    "merged": "자리를 합쳤습니다",
    "code-given": "이어하기 코드를 새로 주었습니다",
    "power": "노드의 전원을 바꾸었습니다",
    "fill": "디스크나 메모리를 채웠습니다",
    "registry": "이미지 저장소를 바꾸었습니다",
    "kill": "프로세스를 죽였습니다",
    "image": "이미지를 바꾸었습니다",
    "reset": "처음으로 돌려놓았습니다",
    "assignment-closed": "과제를 마감했습니다",
    "assignment-deleted": "과제를 지웠습니다",
    "game-started": "게임 데이를 열었습니다",
    "game-ended": "게임 데이를 마쳤습니다",
    "launched": "학습 관리 시스템에서 들어왔습니다",
    "launch-refused": "학습 관리 시스템의 요청을 막았습니다",
    "left-for-good": "자기 기록을 지우고 나갔습니다",
}  # AuditEntry.what in the teacher's words


class AuditEntry(models.Model):
    """Who did what to whom: sign-ins, looks into clusters, take-overs, resets, removals, refusals. Only ever added to."""

    classroom = models.ForeignKey(Classroom, null=True, on_delete=models.CASCADE, related_name="audit")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    learner = models.ForeignKey(Learner, null=True, on_delete=models.SET_NULL)
    what = models.CharField(max_length=40)
    detail = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.what} {self.detail}".strip()

    @property
    def told(self) -> str:
        return DEEDS.get(self.what, self.what)


class ChatLine(models.Model):
    """A line between the teacher and one learner. Only the last chatting.LINES_KEPT of a member are kept."""

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="chat")
    from_teacher = models.BooleanField()
    text = models.CharField(max_length=300)
    at = models.DateTimeField(auto_now_add=True)
    seen = models.BooleanField(default=False, help_text="by the one it is written to")

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text


class Fork(models.Model):
    """A learner's cluster, copied to the teacher's own place, to be mended there. A later one for the same lesson takes its place."""

    desk = models.ForeignKey(Desk, on_delete=models.CASCADE, related_name="forks")
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="forks")
    lesson = models.SlugField(max_length=80)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["desk", "lesson"], name="one_fork_a_lesson_on_a_desk")]

    def __str__(self) -> str:
        return f"{self.lesson} of {self.membership}"


class Suggestion(models.Model):
    """What a teacher sends back: commands to be typed, or a mended state to stand at. Nothing happens until the learner accepts."""

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="suggestions")
    lesson = models.SlugField(max_length=80)
    note = models.CharField(max_length=200, blank=True)
    commands = models.TextField(blank=True, help_text="one a line; empty: `state` is sent")
    state = models.BinaryField(null=True, help_text="an engine's checkpoint, as storage.pack makes it")
    created = models.DateTimeField(auto_now_add=True)
    answered = models.DateTimeField(null=True)
    accepted = models.BooleanField(default=False)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"to {self.membership}: {self.note}"
