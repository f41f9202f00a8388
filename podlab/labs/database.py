"""Database work off the event loop, on threads that live as long as the server and therefore keep their connection.

Django closes a connection after every piece of work (CONN_MAX_AGE is 0, as it must be for requests, each of which has a thread of its
own): opening SQLite anew costs more than most of our queries.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

from asgiref.sync import SyncToAsync
from django.db import connection, models, transaction

KEPT_SECONDS = 600.0  # then a connection is opened anew, lest a fault of one stay for ever


def keep_connection() -> None:
    """See that this thread has a connection that works, and that nobody closes it as too old."""
    connection.close_if_unusable_or_obsolete()
    if connection.connection is None:
        connection.connect()
        connection.close_at = time.monotonic() + KEPT_SECONDS


class on_database(SyncToAsync):
    """Like channels' database_sync_to_async: one thread for all, in order, but with a connection that is kept."""

    def thread_handler(self, loop: Any, *args: Any, **kwargs: Any) -> Any:
        keep_connection()
        return super().thread_handler(loop, *args, **kwargs)


def update_each(rows: Iterable[models.Model], names: Sequence[str]) -> None:
    """Write these fields of rows of one model, whatever is still there of them.

    `bulk_update` builds one statement with a case for every row and field: 50 ms for 300 rows, in which the journal waits. This takes one.
    """
    rows = list(rows)
    if not rows:
        return
    model = type(rows[0])
    fields = [*(model._meta.get_field(name) for name in names), model._meta.pk]
    *sets, key = (f"{connection.ops.quote_name(field.column)} = %s" for field in fields)
    statement = f"UPDATE {connection.ops.quote_name(model._meta.db_table)} SET {', '.join(sets)} WHERE {key}"  # noqa: S608  (names of ours)
    values = [[field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields] for row in rows]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(statement, values)
