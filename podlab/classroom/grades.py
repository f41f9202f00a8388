"""Scores on their way to a learning platform (LTI Assignment and Grade Services 2.0): queued as rows, sent in a thread, tried again, bounded."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, Q
from django.utils import timezone

from podlab.classroom.models import Assignment, GradeLine, Score, Work

logger = logging.getLogger(__name__)

TRIES = 10  # with the pauses between them this is about a day
AT_ONCE = 20  # scores of one round
LATER = timedelta(seconds=1)
"""A platform takes only a score that is later than its last (AGS 2.0, timestamp), whatever our clock did; Moodle compares whole seconds
(mod/lti/service/gradebookservices, scores)."""
TAKEN_BEFORE = 409  # it has this score, or a newer one, already (AGS 2.0, scores: conflict)


def pause(tries: int) -> timedelta:
    """Until the next try: 20 s, 80 s, 5 minutes ... at most six hours."""
    return timedelta(seconds=min(5 * 4 ** tries, 6 * 3600))


def queue(assignment: Assignment, learner_id: UUID) -> None:
    """A learner has solved something of an assignment: every platform that wants to know hears the new score."""
    for line in GradeLine.objects.filter(assignment=assignment, membership__learner_id=learner_id):
        given = Work.objects.filter(assignment=assignment, learner_id=learner_id).exclude(solved=None).count()
        before = Score.objects.filter(line=line).values_list("at", flat=True).first()
        marks = [before, assignment.closes if assignment.over else None]
        at = max([timezone.now(), *(mark + LATER for mark in marks if mark is not None)])
        Score.objects.update_or_create(line=line, defaults={
            "given": given, "maximum": len(assignment.items), "at": at, "sent": None, "tries": 0, "next_try": None, "error": ""})


def send_due() -> int:
    """Send what waits. Returns how many went out. Blocking, with time-outs: never on the event loop."""
    now = timezone.now()
    for line in (GradeLine.objects.select_related("assignment", "membership")  # what was left undone when it closed is final
                 .filter(assignment__closes__lte=now, score__at__lt=F("assignment__closes") + LATER, score__given__lt=F("score__maximum"))[:AT_ONCE]):
        queue(line.assignment, line.membership.learner_id)
    due = Score.objects.filter(Q(next_try=None) | Q(next_try__lte=now), sent=None, tries__lt=TRIES)
    return sum(_send(score, now) for score in due.select_related("line__user__platform", "line__assignment")[:AT_ONCE])


def _send(score: Score, now: datetime) -> bool:
    mine = Score.objects.filter(pk=score.pk, at=score.at)  # a newer score that came meanwhile is not touched
    try:
        _put(score)
    except Exception as error:  # whatever a platform answers: the next try comes, and the others go on
        logger.warning("A score could not be sent to %s: %s", score.line.user.platform, type(error).__name__)
        mine.update(tries=score.tries + 1, next_try=now + pause(score.tries + 1), error=f"{type(error).__name__}: {error}"[:200])
        return False
    mine.update(sent=timezone.now(), tries=score.tries + 1, error="")
    return True


def _put(score: Score) -> None:
    # A third of a second to read, which every command of manage.py would pay at the top of this file.
    from pylti1p3.assignments_grades import AssignmentsGradesService
    from pylti1p3.exception import LtiServiceException
    from pylti1p3.grade import Grade
    from pylti1p3.service_connector import ServiceConnector

    from podlab.classroom.platforms import SCORE_SCOPE, Patient, registration_of

    done = score.given >= score.maximum or score.line.assignment.over
    grade = (Grade().set_score_given(score.given).set_score_maximum(score.maximum).set_user_id(score.line.user.subject)
             .set_timestamp(score.at.isoformat()).set_activity_progress("Completed" if done else "InProgress")
             .set_grading_progress("FullyGraded"))
    connector = ServiceConnector(registration_of(score.line.user.platform), Patient())
    connector.get_access_token([SCORE_SCOPE])
    try:
        AssignmentsGradesService(connector, {"scope": [SCORE_SCOPE], "lineitem": score.line.lineitem}).put_grade(grade)
    except LtiServiceException as error:
        if error.response.status_code != TAKEN_BEFORE:
            raise
