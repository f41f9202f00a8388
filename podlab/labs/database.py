"""Database work off the event loop, on threads that live as long as the server and therefore keep their connection.

Django closes a connection after every piece of work (CONN_MAX_AGE is 0, as it must be for requests, each of which has a thread of its
own): opening SQLite anew costs more than most of our queries.
"""

from __future__ import annotations

import time
from typing import Any

from asgiref.sync import SyncToAsync
from django.db import connection

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
