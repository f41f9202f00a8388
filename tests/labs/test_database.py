"""Many rows are written by one statement, and read back as a save would have written them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from podlab.labs.database import update_each
from podlab.labs.models import Learner

pytestmark = pytest.mark.django_db


def test_rows_are_written_each_with_its_own_values() -> None:
    first, second, gone = (Learner.objects.create(nickname=name, resume_code_hash=name) for name in ("하나", "둘", "셋"))
    first.nickname, first.last_seen, first.merged_into = "고래", datetime(2026, 3, 1, 9, 30, 15, 250_000, tzinfo=UTC), second
    second.nickname, second.last_seen = "수달's \"물\"", datetime(2026, 3, 2, tzinfo=UTC)
    Learner.objects.filter(pk=gone.pk).delete()
    with CaptureQueriesContext(connection) as asked:
        update_each([first, second, gone], ["nickname", "last_seen", "merged_into"])
    assert sum("UPDATE" in query["sql"] for query in asked) == 1
    found = {one.pk: (one.nickname, one.last_seen, one.merged_into) for one in Learner.objects.all()}
    assert found == {one.pk: (one.nickname, one.last_seen, one.merged_into) for one in (first, second)}


def test_nothing_is_written_of_no_rows() -> None:
    update_each([], ["nickname"])
