"""An open page over a real socket."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from channels.testing import WebsocketCommunicator
from django.conf import settings as site

from podlab.asgi import site as application


class Page:
    """One open page; `html` is all that it was sent."""

    def __init__(self, path: str, value: str) -> None:
        headers = [(b"cookie", f"{site.SESSION_COOKIE_NAME}={value}".encode()), (b"origin", b"http://127.0.0.1:8000"), (b"host", b"127.0.0.1:8000")]
        self.line = WebsocketCommunicator(application, path, headers=headers)
        self.cookie, self.html = value, ""

    async def open(self) -> Page:
        assert (await self.line.connect(timeout=60))[0]
        return self

    async def send(self, **message: Any) -> None:
        await self.line.send_to(json.dumps(message))

    async def until(self, text: str, seconds: float = 60) -> str:
        """Read on until `text` has come."""
        async with asyncio.timeout(seconds):
            while text not in self.html:
                self.html += str(await self.line.receive_from(timeout=seconds))
        return self.html
