"""Websocket messages as text: the base64 forms of channels (apiserver/pkg/util/wsstream/conn.go), and a watch's events."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from podlab.api.wire import Receive, Send


def decoding(receive: Receive) -> Receive:
    """A client's messages "0aGk=" (a channel's digit, then base64) as bytes; what cannot be read is empty."""
    async def read() -> dict[str, Any]:
        message = await receive()
        if message["type"] != "websocket.receive":
            return message
        text = message.get("text") or (message.get("bytes") or b"").decode("latin-1")
        try:
            data = bytes([int(text[:1])]) + base64.b64decode(text[1:], validate=True)
        except (ValueError, binascii.Error):
            data = b""
        return {"type": "websocket.receive", "bytes": data}
    return read


def encoding(send: Send, *, channels: bool) -> Send:
    """The server's messages in the same form; without `channels` all of a message is data."""
    async def write(message: dict[str, Any]) -> None:
        data = message.get("bytes")
        if message["type"] == "websocket.send" and data is not None:
            channel, rest = (str(data[0]), data[1:]) if channels and data else ("", data)
            message = {"type": "websocket.send", "text": channel + base64.b64encode(rest).decode()}
        await send(message)
    return write


def events(send: Send, protocol: str | None) -> Send:
    """An answer of lines as messages, one a line; the handshake is accepted when the answer begins."""
    async def write(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            await send({"type": "websocket.accept", "subprotocol": protocol})
            return
        for line in message.get("body", b"").splitlines(keepends=True):
            await send({"type": "websocket.send", "text": line.decode()})
        if not message.get("more_body"):
            await send({"type": "websocket.close", "code": 1000})
    return write
