"""What the websockets of all pages share: acts in, fragments out, one task a page that sends, and an end that is told."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from channels.consumer import get_handler_name
from channels.generic.websocket import AsyncWebsocketConsumer

from podlab.labs import limits

logger = logging.getLogger(__name__)

FAILED = 4011  # the server met something that keeps it from going on (1011 is not for servers on autobahn to send); the page comes back by itself


class PageConsumer(AsyncWebsocketConsumer):
    """One open page. Methods named `do_*` are the acts that it may send: {"action": name, ...}. `outbox` waits for the next send."""

    outbox: list[str]

    async def dispatch(self, message: dict[str, Any]) -> None:
        """As channels does it, without a visit to the database's thread for every message."""
        await getattr(self, get_handler_name(message))(message)

    def begin(self, sending: Callable[[], Awaitable[None]]) -> None:
        """The page is allowed in: from now on `sending` keeps it up to date, until it ends or `end` is called."""
        self.rate_limit = limits.acts()
        self.outbox = []
        self.wake = asyncio.Event()
        self._sending = asyncio.get_running_loop().create_task(self._keep(sending))

    def end(self) -> None:
        """The page has gone. Harmless for one that never began."""
        if hasattr(self, "_sending"):
            self._sending.cancel()

    async def _keep(self, sending: Callable[[], Awaitable[None]]) -> None:
        try:
            await sending()
        except Exception:
            logger.exception("%s could not go on", type(self).__name__)
            await self.close(FAILED)

    async def send_outbox(self, *more: str) -> None:
        """Everything that waits, and `more`, as one message; none for nothing."""
        html, self.outbox = self.outbox, []
        if text := "".join((*html, *more)):
            await self.send(limits.writable(text))

    @staticmethod
    def message(text_data: str | None) -> tuple[str, dict[str, Any]] | None:
        """(action, message) of what a page sent; None for what is no message."""
        try:
            message = json.loads(text_data or "")
            return str(message["action"]), message
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
