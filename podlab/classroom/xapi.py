"""xAPI 1.0.3 statements to a learning record store: what learners complete, answer, pass and begin, under names that are none.

Statements are written as rows by the journal's thread and sent by posting.py; a store that is slow or away costs a learner nothing.
Without XAPI_ENDPOINT none is ever written.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import requests
from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from lessons import library
from podlab.classroom import rooms
from podlab.classroom.models import Statement
from podlab.labs import audience
from podlab.labs.live import CLUSTERS
from podlab.labs.models import Learner

logger = logging.getLogger(__name__)

VERSION = "1.0.3"
VERBS = {name: f"http://adlnet.gov/expapi/verbs/{name}" for name in ("initialized", "answered", "passed", "completed")}
ACTIVITIES = "http://adlnet.gov/expapi/activities/"
TIMEOUT = 5.0  # seconds for one request
AT_ONCE = 50  # statements of one request
KEPT = 20_000  # rows that wait; a store that stays away longer loses the oldest
TAKEN = (200, 204)
KNOWN = 409  # of one statement alone: the store has it already
UNWANTED = (400, 409, 413)  # a store takes all of a request or none (xAPI 1.0.3, data 3.2): one that it does not want keeps back all the others
TRIES = 12  # then a statement is given up: about a day


def install() -> None:
    """Called once, when Django starts."""
    audience.listen(_hear)


def _hear(act: audience.Act) -> None:
    if settings.XAPI_ENDPOINT and (found := read(act.kind, act.page.lesson, act.facts)) is not None:
        verb, kind, part, result = found
        rooms.later(_store(act.page.learner_id, verb, kind, act.page.lesson, part, result))


def read(kind: str, lesson: str, facts: Mapping[str, Any]) -> tuple[str, str, str, dict[str, Any] | None] | None:
    """(verb, kind of activity, its part of the lesson, result) of an act that is worth a statement."""
    if kind == "opened":
        return "initialized", "lesson", "", None
    if kind == "answer":
        return "answered", "question", str(facts["question"]), {"success": bool(facts["correct"]), "response": str(facts["choice"])}
    if kind == "check" and facts["solved"]:
        return "passed", "assessment", str(facts["exercise"]), {"success": True, "completion": True}
    if kind == "done":
        return "completed", "module", str(facts["step"]), {"completion": True}
    return None


async def _store(learner_id: UUID, verb: str, kind: str, lesson: str, part: str, result: dict[str, Any] | None) -> None:
    try:
        await CLUSTERS.writer.call(queue, learner_id, statement(learner_id, verb, kind, lesson, part, result))
    except Exception:  # a statement is never worth a learner's trouble
        logger.exception("A statement could not be written down")


def account(learner_id: UUID) -> str:
    """The name of a learner to the store: always the same, and nobody's outside this server."""
    return salted_hmac("podlab.xapi", str(learner_id), algorithm="sha256").hexdigest()[:32]


def statement(learner_id: UUID, verb: str, kind: str, lesson: str, part: str, result: dict[str, Any] | None) -> dict[str, Any]:
    home = settings.XAPI_HOME
    names = {"ko": _title(lesson, part)}
    kind_url = "http://adlnet.gov/expapi/activities/cmi.interaction" if kind == "question" else ACTIVITIES + kind
    return {
        "id": str(uuid.uuid4()), "timestamp": timezone.now().isoformat(),
        "actor": {"objectType": "Agent", "account": {"homePage": home, "name": account(learner_id)}},
        "verb": {"id": VERBS[verb], "display": {"en-US": verb}},
        "object": {"objectType": "Activity", "id": f"{home}/lessons/{lesson}/" + (f"#{part}" if part else ""),
                   "definition": {"type": kind_url, "name": names}},
        **({"result": result} if result is not None else {}),
    }


def _title(lesson: str, part: str) -> str:
    try:
        found = library.get(lesson)
    except LookupError:
        return lesson
    step, exercise = found.step(part), found.exercise(part)
    return " · ".join(filter(None, [f"{found.number}과 {found.title}", step.title if step else exercise.title if exercise else ""]))


def queue(learner_id: UUID, told: dict[str, Any]) -> None:
    """Write a statement down, unless its learner is gone; of too many the oldest go."""
    if not Learner.objects.filter(pk=learner_id).exists():
        return
    row = Statement.objects.create(learner_id=learner_id, text=json.dumps(told, ensure_ascii=False))
    if row.pk % 100 == 0 and (spare := Statement.objects.count() - KEPT) > 0:
        Statement.objects.filter(pk__in=list(Statement.objects.values_list("pk", flat=True)[:spare])).delete()


def send_due() -> int:
    """Send the statements that wait, together. Returns how many the store took. Blocking, with a time-out: never on the event loop."""
    if not settings.XAPI_ENDPOINT:
        return 0
    now = timezone.now()
    rows = list(Statement.objects.filter(Q(next_try=None) | Q(next_try__lte=now))[:AT_ONCE])
    if not rows:
        return 0
    status, told = _post(rows)
    if status not in UNWANTED or len(rows) == 1:
        return _settle(rows, status, told, now)
    taken = 0
    for row in rows:
        status, told = _post([row])
        taken += _settle([row], status, told, now)
        if not status:  # it has gone away meanwhile: the others wait as they were
            break
    return taken


def _post(rows: list[Statement]) -> tuple[int, str]:
    """(status that the store answers, how to tell of it); 0 where it does not answer."""
    try:
        answer = requests.post(
            settings.XAPI_ENDPOINT.rstrip("/") + "/statements", data=("[" + ",".join(row.text for row in rows) + "]").encode(), timeout=TIMEOUT,
            headers={"Content-Type": "application/json", "X-Experience-API-Version": VERSION,
                     **({"Authorization": settings.XAPI_AUTH} if settings.XAPI_AUTH else {})}, allow_redirects=False)
    except requests.RequestException as error:
        return 0, type(error).__name__
    return answer.status_code, str(answer.status_code)


def _settle(rows: list[Statement], status: int, told: str, now: datetime) -> int:
    """What the store has is kept no longer; the others are tried again later, until they are given up. Returns how many it has."""
    mine = Statement.objects.filter(pk__in=[row.pk for row in rows])
    if status in TAKEN or (status == KNOWN and len(rows) == 1):
        mine.delete()
        return len(rows)
    logger.warning("The xAPI store %s did not take %d statements: %s", urlsplit(settings.XAPI_ENDPOINT).hostname, len(rows), told)
    tries = max(row.tries for row in rows) + 1
    mine.filter(tries__gte=TRIES - 1).delete()
    mine.update(tries=F("tries") + 1, next_try=now + timedelta(seconds=min(5 * 3 ** tries, 6 * 3600)))
    return 0
