"""What goes out to other systems, beside the reconciler: scores and statements, in a thread of their own, so that no learner ever waits for it."""

from __future__ import annotations

import asyncio
import logging

from podlab.classroom import grades, xapi
from podlab.labs.database import on_database

logger = logging.getLogger(__name__)

EVERY = 3.0  # seconds between two rounds


async def keep_sending() -> None:
    """Started once with the server; runs until it is cancelled."""
    while True:
        for send in (grades.send_due, xapi.send_due):
            try:
                await on_database(send, thread_sensitive=False)()
            except Exception:
                logger.exception("A round of sending failed; trying again")
        await asyncio.sleep(EVERY)
