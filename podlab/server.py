"""Daphne, with bounds that it lacks: a websocket's client is read no faster than it is served, bodies have a largest size, a slow reader
holds its stream up instead of filling our memory, a stream that is meant to last (a watch, a followed log) is not ended by the time limit
for answers, and whoever is told that a websocket closes has time to read what came before it and to answer. And a request may turn its connection
into a line of bytes (HTTP's `Upgrade`), as the API's older clients want it (podlab/api/remote.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import http
import socket
import sys
from collections import deque
from typing import Any

import autobahn.websocket.protocol
import daphne.server
from autobahn.exception import Disconnected
from autobahn.twisted.websocket import ConnectionDeny
from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet.interfaces import IPushProducer
from twisted.web.http import HTTPChannel
from zope.interface import implementer

from podlab.apart import of_api, wants_line
from podlab.labs.limits import Bucket

BODY_MAX = 5 * 1024 * 1024  # bytes: above what pages and the API accept, which answer in their own words
CLOSE_SECONDS = 30  # for the answer to our close frame: autobahn cuts off after one second, and the last output of a slow line with it
MESSAGES_PER_SECOND, MESSAGES_BURST = 50, 500  # of one page's websocket: several times what its consumer takes (LEARNER_ACTS_PER_SECOND)
MESSAGE_BYTES = 16_384  # a longer message counts as several
STREAM_MESSAGES_PER_SECOND, STREAM_MESSAGES_BURST = 2_000, 5_000  # of one of the API's, whose messages are 32 KiB where there is much to send
READ_BYTES = 4_096  # of a websocket at once: two hundred short messages, which nobody interrupts, take 20 ms
QUEUE_MAX = 200  # messages of one websocket that wait for whoever serves it
PAUSE = 0.5  # seconds that a websocket is not read which sends more
PIECE_BYTES = 64  # that one piece takes beside what is in it, which may be a single byte
LINE_BYTES = 1 << 20  # that a line's client has sent and nobody has taken yet; it is not read beyond
KEEPALIVE = ((socket.TCP_KEEPIDLE, 60), (socket.TCP_KEEPINTVL, 15), (socket.TCP_KEEPCNT, 4)) if sys.platform == "linux" else ()
"""Seconds of silence before the first question, between two, and how many stay without an answer (tcp(7)): two hours are the kernel's."""
TOO_LARGE = b"HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@implementer(IPushProducer)
class Flow:
    """Whether a connection takes more: the transport pauses it when its buffer is full."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()

    def pauseProducing(self) -> None:
        self.open.clear()

    def resumeProducing(self) -> None:
        self.open.set()

    stopProducing = resumeProducing  # the connection is gone: whoever waits shall notice


class Line:
    """The connection of a request that asked for another protocol: once accepted, bytes both ways, in the messages of a websocket without frames."""

    def __init__(self, server: Server, request: Request) -> None:
        self.server, self.request, self.transport = server, request, request.channel.transport
        self.flow = Flow()
        self.inbox: deque[bytes] = deque()
        self.size = 0
        self.news, self.over = asyncio.Event(), asyncio.Event()
        self.closing = False

    def heard(self, data: bytes) -> None:
        if self.closing:
            return
        self.inbox.append(data)
        self.size += len(data) + PIECE_BYTES
        self.news.set()
        if self.size > LINE_BYTES:
            self.transport.pauseProducing()

    def lost(self) -> None:
        self.over.set()
        self.news.set()
        self.flow.resumeProducing()

    async def accept(self, headers: list[tuple[bytes, bytes]]) -> None:
        """101 Switching Protocols."""
        self.server.watch_flow(self.request, self.flow)
        self.transport.write(b"\r\n".join([b"HTTP/1.1 101 Switching Protocols", *(name + b": " + value for name, value in headers), b"", b""]))

    async def receive(self) -> dict[str, Any]:
        while not self.inbox:
            if self.over.is_set() or self.closing:
                return {"type": "websocket.disconnect"}
            self.news.clear()
            await self.news.wait()
        data = self.inbox.popleft()  # one piece at a time: what is in it may take a while, and others have their turn between
        self.size -= len(data) + PIECE_BYTES
        if self.size <= LINE_BYTES and not self.over.is_set():
            self.transport.resumeProducing()
        return {"type": "websocket.receive", "bytes": data}

    async def send(self, message: dict[str, Any]) -> None:
        """Returns when the connection takes more, and after a close when the client has hung up too, so that it has read to the end."""
        if self.over.is_set():
            return
        if message["type"] == "websocket.close":
            self.closing = True
            self.news.set()
            self.inbox.clear()
            self.transport.resumeProducing()
            self.transport.loseWriteConnection()
            try:
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self.over.wait()
            except TimeoutError:
                self.transport.abortConnection()
            return
        self.transport.write(message["bytes"])
        await self.flow.open.wait()


class Request(WebRequest):
    """A request that reads no more of a body than BODY_MAX."""

    received = 0
    flow: Flow | None = None

    def gotLength(self, length: int | None) -> None:
        super().gotLength(0 if length and length > BODY_MAX else length)
        if length and length > BODY_MAX:
            self.refuse()

    def handleContentChunk(self, data: bytes) -> None:
        self.received += len(data)
        if self.received > BODY_MAX:
            self.refuse()
        else:
            super().handleContentChunk(data)

    def refuse(self) -> None:
        self.received = BODY_MAX + 1
        if self.channel is not None and not self.channel.transport.disconnecting:
            self.channel.transport.write(TOO_LARGE)
            self.channel.transport.loseConnection()


class Channel(HTTPChannel):
    """A connection whose requests have `timeOut` to arrive whole: Twisted lets each byte begin the time anew, and whoever sends one now and
    then holds a connection for ever.
    """

    MAX_LENGTH = totalHeadersSize = 128 * 1024  # bytes; Go's server takes 1 MiB: the words of `kubectl exec` are all in the first line
    arriving = False
    line: Line | None = None

    def rawDataReceived(self, data: bytes) -> None:
        if self.line is None:
            super().rawDataReceived(data)
        else:
            self.line.heard(data)

    def connectionLost(self, reason: Any) -> None:
        if self.line is not None:
            self.line.lost()
        super().connectionLost(reason)

    def resetTimeout(self) -> None:
        if not self.arriving:
            self.arriving = True
            super().resetTimeout()

    def allContentReceived(self) -> None:
        self.arriving = False
        super().allContentReceived()


class Factory(HTTPFactory):
    protocol = Channel

    def buildProtocol(self, addr: Any) -> Any:
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = Request
        return protocol


class Socket(WebSocketProtocol):
    """A websocket that ends in order: autobahn resets the line of a client that has just answered the close. And one that sends more than
    anybody can mean is not read for a while: a flood fills its own line instead of our memory, and nobody else waits.
    """

    streams = False  # whether it is the API's: its messages are parts of a stream, none of which may be left out

    def onOpen(self) -> None:
        limits = (STREAM_MESSAGES_PER_SECOND, STREAM_MESSAGES_BURST) if self.streams else (MESSAGES_PER_SECOND, MESSAGES_BURST)
        self.allowance = Bucket(*limits)
        self.transport.bufferSize = READ_BYTES
        super().onOpen()

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        allowed = self.allowance.take(1 if self.streams else 1 + len(payload) / MESSAGE_BYTES)
        closing = self.state == self.STATE_CLOSING  # nobody serves it any more: it is only read on to its answer
        if (allowed or self.streams) and not closing:
            super().onMessage(payload, isBinary)
        if not allowed or (not closing and self.application_queue.qsize() > QUEUE_MAX):
            self.rest()

    def onPing(self, payload: bytes) -> None:
        super().onPing(payload)
        if not self.allowance.take():
            self.rest()

    def rest(self) -> None:
        self.transport.pauseProducing()
        asyncio.get_running_loop().call_later(PAUSE, self.transport.resumeProducing)

    def dropConnection(self, abort: bool = False) -> None:
        super().dropConnection(abort=abort and not self.wasClean)


class SocketFactory(WebSocketFactory):
    protocol = Socket

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.setProtocolOptions(closeHandshakeTimeout=CLOSE_SECONDS)


def as_it_is(value: Any, **_: Any) -> Any:
    return value


class Server(daphne.server.Server):
    def run(self) -> None:
        # Autobahn colours what it would log of each frame, were its debug log on: a twentieth of what an act costs.
        autobahn.websocket.protocol.hltype = autobahn.websocket.protocol.hlval = as_it_is
        daphne.server.HTTPFactory = Factory  # Daphne makes its factories itself, by these names
        daphne.server.WebSocketFactory = SocketFactory
        super().run()

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        scope["root_path"] = ""  # Daphne believes a header that any client may send (Daphne-Root-Path)
        protocol.streams = of_api(scope["path"])  # their answers may be streams
        if protocol.streams and scope["type"] == "websocket":
            scope["extensions"] = {"websocket.http.response": {}}
        elif protocol.streams and wants_line(scope):
            scope["line"] = protocol.channel.line = Line(self, protocol)
            protocol.channel.persistent = False  # whatever the answer: what the client has sent on is of no HTTP
        return super().create_application(protocol, scope)

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        if not getattr(protocol, "streams", False) or protocol not in self.connections:
            with contextlib.suppress(Disconnected):  # the page was closed while its next fragments were on their way
                await super().handle_reply(protocol, message)
            return
        if message["type"].startswith("websocket.http.response."):
            if message["type"].endswith(".start"):
                self.deny(protocol, message["status"])
            return
        flow: Flow | None = getattr(protocol, "flow", None)
        going_on = message.get("more_body", False) or message["type"] == "websocket.send"
        if isinstance(protocol, Request) and flow is not None and not going_on and protocol.channel is not None:
            protocol.unregisterProducer()
        try:
            await super().handle_reply(protocol, message)
        except Disconnected:  # the client has just gone; whoever serves it hears of it where they listen to it
            return
        if going_on and flow is None and not self.connections.get(protocol, {}).get("disconnected"):
            flow = protocol.flow = Flow()
            self.watch_flow(protocol, flow)
        if flow is not None and going_on:
            await flow.open.wait()

    def deny(self, protocol: WebSocketProtocol, status: int) -> None:
        """Refuse a handshake with a status of its own (the ASGI extension that Daphne lacks; the body is left out)."""
        reason = http.HTTPStatus(status).phrase
        protocol.handshake_deferred.errback(ConnectionDeny(code=status, reason=reason))
        del protocol.handshake_deferred
        self.protocol_disconnected(protocol)

    def watch_flow(self, protocol: Any, flow: Flow) -> None:
        if isinstance(protocol, Request) and protocol.channel is not None:
            protocol.request_start = float("inf")  # no longer under the time limit for answers
            protocol.registerProducer(flow, True)
            transport = protocol.channel.transport
        elif isinstance(protocol, WebSocketProtocol):
            transport = protocol.transport
            transport.unregisterProducer()  # the HTTP channel that this connection was before
            transport.registerProducer(flow, True)
        else:
            return
        with contextlib.suppress(AttributeError, OSError):
            transport.setTcpKeepAlive(True)  # a client that vanished without a word is found out
            for option, value in KEEPALIVE:
                transport.getHandle().setsockopt(socket.IPPROTO_TCP, option, value)
