"""What is asked at every door is remembered, and never hides a row that this process has saved."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from podlab.classroom import presence
from podlab.classroom.models import Classroom

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock of our own; what other tests were told at other times is forgotten."""
    now = [1000.0]
    for answers in presence._answers.values():
        answers.clear()
    monkeypatch.setattr("podlab.classroom.presence.time.monotonic", lambda: now[0])
    return now


def open_one(**facts: Any) -> Classroom:
    return Classroom.objects.create(teacher=User.objects.get_or_create(username="kim")[0], title="1반", **facts)


def test_it_is_asked_once_and_again_when_a_row_is_saved_or_deleted(clock: list[float]) -> None:
    assert not presence.exists(Classroom, closed=None)
    with CaptureQueriesContext(connection) as asked:
        assert not presence.exists(Classroom, closed=None)
    assert not asked.captured_queries
    room = open_one(join_code="AAA111")
    assert presence.exists(Classroom, closed=None)
    room.delete()
    assert not presence.exists(Classroom, closed=None)


def test_what_is_asked_before_a_commit_is_not_remembered_after_it(clock: list[float]) -> None:
    with transaction.atomic():
        open_one(join_code="AAA111")
        presence._answers[Classroom][("closed", None),] = False, clock[0]  # as another connection sees it meanwhile
    assert presence.exists(Classroom, closed=None)


def test_a_statement_for_many_rows_is_noticed_after_a_second(clock: list[float]) -> None:
    open_one(join_code="AAA111")
    assert presence.exists(Classroom, closed=None)
    Classroom.objects.all().delete()
    Classroom.objects.bulk_create([Classroom(teacher=User.objects.get(), title="2반", join_code="BBB222")])
    clock[0] += presence.KEPT_SECONDS + 0.01
    assert presence.exists(Classroom, closed=None)
