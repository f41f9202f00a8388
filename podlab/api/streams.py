"""exec and attach over SPDY: one stream for each of stdin, stdout, stderr, resize and error (kubelet/pkg/cri/streaming/remotecommand).

To whoever serves the session they look like the channels of a websocket.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from podlab.api import spdy
from podlab.api.wire import Receive, Send
from podlab.kubernetes.apiserver.rest.call import Call

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
CHANNELS = {"stdin": STDIN, "stdout": STDOUT, "stderr": STDERR, "error": ERROR, "resize": RESIZE}
PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io")
CREATION = 30.0  # seconds that a client has for all of its streams (DefaultStreamCreationTimeout)
STREAMS_MAX = 16  # of one session, which needs five
SIZE_MAX = 4096  # bytes of one size of a terminal
EARLY_MAX = 4 << 20  # bytes of input before all streams are there, each piece 64 more
REFUSALS_MAX = 256  # streams that a client may open in vain before it is let go


def expected(call: Call, protocol: str) -> set[int]:
    """The streams that a client opens for what it asks; a terminal's errors are its output, its size is told since v3."""
    tty = call.flag("tty")
    names = ["error", *(name for name in ("stdin", "stdout", "stderr") if call.flag(name) and not (name == "stderr" and tty))]
    sized = tty and protocol not in PROTOCOLS[-2:]
    return {CHANNELS[name] for name in (*names, *(("resize",) if sized else ()))}


class Streams:
    """`receive` and `send` speak a websocket's messages, each begun by the number of its channel."""

    def __init__(self, receive: Receive, send: Send, wanted: set[int]) -> None:
        self._receive, self._send, self.wanted = receive, send, wanted
        self.reader, self.writer, self.taken = spdy.Reader(), spdy.Writer(), spdy.Numbers()
        self.numbers: dict[int, int] = {}  # channel -> its stream, while both sides have it
        self.opened = self.early = 0
        self.ready: deque[bytes] = deque()
        self.gone = False
        self.size = b""

    async def begin(self) -> bool:
        """Until all streams are there; False where they do not come."""
        try:
            async with asyncio.timeout(CREATION):
                while not self.wanted <= self.numbers.keys() and not self.gone and self.early < EARLY_MAX:
                    await self._read()
        except TimeoutError:
            return False
        return self.wanted <= self.numbers.keys() and not self.gone

    async def receive(self) -> dict[str, Any]:
        while not self.ready and not self.gone:
            await self._read()
        if self.ready:
            return {"type": "websocket.receive", "bytes": self.ready.popleft()}
        return {"type": "websocket.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.close":
            ends = [self.writer.data(number, b"", end=True) for _, number in sorted(self.numbers.items(), reverse=True)]
            self.numbers.clear()
            await self._send({"type": "websocket.send", "bytes": b"".join([*ends, self.writer.leave(self.taken.last)])})
            await self._send(message)
            return
        channel, data = message["bytes"][0], message["bytes"][1:]
        number = self.numbers.get(channel)
        if number is None or not data:
            return
        if channel == ERROR:
            del self.numbers[channel]
        await self._send({"type": "websocket.send", "bytes": self.writer.data(number, data, end=channel == ERROR)})

    async def _read(self) -> None:
        """What the client has sent, and the answers to it."""
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            self.gone = True
            return
        for piece in spdy.pieces(message["bytes"]):
            await self._read_piece(piece)
            await asyncio.sleep(0)  # whatever comes, others have their turn
            if self.gone:
                return

    async def _read_piece(self, piece: bytes) -> None:
        answers: list[bytes] = []
        try:
            for frame in self.reader.feed(piece):
                if frame.kind == "ping" and frame.stream % 2:
                    answers.append(self.writer.ping(frame.stream))
                elif frame.kind == "open":
                    answers.append(self._open(frame))
                elif frame.kind in ("data", "reset"):
                    self._hear(frame)
        except spdy.SpdyError:
            self.gone = True
        if answers:
            await self._send({"type": "websocket.send", "bytes": b"".join(answers)})

    def _open(self, frame: spdy.Frame) -> bytes:
        if not self.taken.take(frame.stream):
            return self.writer.reset(frame.stream, spdy.PROTOCOL_ERROR)
        self.opened += 1
        if self.opened > STREAMS_MAX:
            self.gone = self.gone or self.opened > REFUSALS_MAX
            return self.writer.reset(frame.stream, spdy.REFUSED)
        channel = CHANNELS.get(frame.headers.get("streamtype", ""))
        if channel is not None:
            self.numbers[channel] = frame.stream
        return self.writer.reply(frame.stream)

    def _hear(self, frame: spdy.Frame) -> None:
        channel = next((channel for channel, number in self.numbers.items() if number == frame.stream), None)
        if channel == STDIN:
            if frame.data:
                self._pass(bytes([STDIN]) + frame.data)
            if frame.end or frame.kind == "reset":
                self._pass(bytes([CLOSE, STDIN]))
        elif channel == RESIZE:
            self._sizes(frame.data)
        if channel is not None and frame.kind == "reset":
            del self.numbers[channel]

    def _sizes(self, data: bytes) -> None:
        """Lines of JSON, as Go's encoder writes them; only the last counts."""
        *lines, rest = (self.size + data).split(b"\n")
        self.size = rest[:SIZE_MAX]
        if lines and len(lines[-1]) <= SIZE_MAX:
            self._pass(bytes([RESIZE]) + lines[-1])

    def _pass(self, message: bytes) -> None:
        self.ready.append(message)
        self.early += len(message) + 64
