"""Scores on their way to a learning platform (LTI Assignment and Grade Services 2.0): queued as rows, sent in a thread, tried again, bounded."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from podlab.classroom.models import Assignment, GradeLine, Score, Work


def queue(assignment: Assignment, learner_id: UUID) -> None:
    """A learner has solved something of an assignment: every platform that wants to know hears the new score."""
    for line in GradeLine.objects.filter(assignment=assignment, membership__learner_id=learner_id):
        given = Work.objects.filter(assignment=assignment, learner_id=learner_id).exclude(solved=None).count()
        Score.objects.update_or_create(line=line, defaults={
            "given": given, "maximum": len(assignment.items), "at": timezone.now(), "sent": None, "tries": 0, "next_try": None, "error": ""})
