"""Websockets: port-forward (forwarding.py), exec and attach in `v5.channel.k8s.io` and its forerunners, logs in `binary.k8s.io`, watches.

Each message of a session begins with the number of its channel (apimachinery/pkg/util/remotecommand/constants.go). What is typed goes
through the journal; what comes back is only read.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import json
import logging
from typing import Any

from django.conf import settings

from podlab.api import application, forwarding, holds, logs, texts, watch, wire
from podlab.api.hub import AUTHOR, Hub, hub_of
from podlab.api.tokens import Access
from podlab.api.wire import Receive, Scope, Send
from podlab.kubernetes.apiserver.errors import ApiError, too_many_requests
from podlab.kubernetes.apiserver.rest import addresses
from podlab.kubernetes.apiserver.rest.call import Call, dumps
from podlab.kubernetes.apiserver.rest.logs import Reader, options_of
from podlab.kubernetes.apiserver.rest.requests import SESSIONS
from podlab.kubernetes.kubelet import sessions
from podlab.labs.limits import Bucket
from podlab.labs.live import LiveCluster
from podlab.labs.storage import Fenced

logger = logging.getLogger(__name__)

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
OLDEST = ("channel.k8s.io", "base64.channel.k8s.io", "")  # the last: a client that names none (PreV4BinaryWebsocketProtocol)
PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io", "v4.base64.channel.k8s.io", *OLDEST)
LOG_PROTOCOLS = ("binary.k8s.io", "base64.binary.k8s.io", "")  # apiserver/pkg/util/wsstream/stream.go, NewDefaultReaderProtocols
LOOK_EVERY, LOOK_AT_LEAST = 0.03, 0.2  # seconds between two looks for output, which comes without a write to the store; longer when none comes
PIECE = 32 * 1024  # bytes of a message to the client
WAITING_MAX, WAITING_BYTES = 256, 8 << 20  # messages of the client that wait for their turn; a client that types faster is cut off
PIPE = 65_536  # bytes that a process's input holds before it is read (pipe(7))
TYPED_PER_SECOND, TYPED_BURST = 200_000, 4_000_000  # bytes of input of one session, which the journal keeps

_open: dict[int, int] = {}  # cluster id -> sessions


async def serve(scope: Scope, receive: Receive, send: Send) -> None:
    """A websocket whose path begins with /k8s/. What cannot be had is refused before the handshake; kubectl then asks for the reason."""
    await receive()  # websocket.connect
    try:
        token, call = wire.call_of({**scope, "method": "GET"})
        access = await application.authenticate(token)
        if call.of_server:
            raise addresses.unknown()
        target = addresses.resolve(call, await application.custom_kinds(access) if addresses.is_custom(call) else ())
        if target.verb == "watch":
            await _watch(scope, call, access, target, receive, send)
            return
        offered = {"portforward": forwarding.PROTOCOLS, "log": LOG_PROTOCOLS}.get(target.subresource, PROTOCOLS)
        protocol = next((one for one in offered if one in (list(scope.get("subprotocols", ())) or [""])), None)
        if target.subresource not in (*SESSIONS, "log") or protocol is None:
            raise addresses.unknown()
        live = await application.live_cluster(access)
        async with live.turn(quiet=True) as engine:
            application.admitted(engine, call, access, target)
            order: dict[str, Any] = {}
            pod = "", ""
            reader: Reader | None = None
            if target.subresource == "log":
                reader = Reader(live, hub_of(live), target, options_of(call))
            elif target.subresource == "portforward":
                pod = forwarding.pod_of(engine, target)
            else:
                order = holds.order_of(engine, call, target)
            if _open.get(live.id, 0) >= settings.API_SESSIONS:
                raise ApiError(429, "TooManyRequests", "too many sessions are open")
    except (ApiError, Fenced) as error:
        await deny(scope, send, error.code if isinstance(error, ApiError) else 503)
        return
    await send({"type": "websocket.accept", "subprotocol": protocol or None})
    if "base64." in protocol:
        receive, send = texts.decoding(receive), texts.encoding(send, channels=reader is None)
    _open[live.id] = _open.get(live.id, 0) + 1
    try:
        hub = hub_of(live)
        if reader is not None:
            await _tell_log(live, hub, reader, call, receive, send)
            return
        held = Session(live, hub, access, order, call, protocol, receive, send) if order else \
            forwarding.Forwarding(live, hub, call, pod, protocol, receive, send)
        await held.run()
    except (Fenced, ConnectionError):
        pass
    except Exception:
        logger.exception("A session in a container failed")
    finally:
        _open[live.id] -= 1
        if not _open[live.id]:
            del _open[live.id]
        with contextlib.suppress(Exception):
            await send({"type": "websocket.close", "code": 1000})


async def _watch(scope: Scope, call: Call, access: Access, target: addresses.Target, receive: Receive, send: Send) -> None:
    """A watch, each event a message (endpoints/handlers/watch.go, HandleWS). Raises ApiError before it has begun."""
    live = await application.live_cluster(access)
    hub = hub_of(live)
    if hub.streams >= settings.API_STREAMS:
        raise too_many_requests("too many streams of this cluster are open")
    async with live.turn(quiet=True) as engine:
        application.admitted(engine, call, access, target)
    offered = [one for one in scope.get("subprotocols", ()) if not one.startswith(wire.BEARER)]
    with contextlib.suppress(ConnectionError):
        await watch.serve(live, hub, call, access, target, receive, texts.events(send, offered[0] if len(offered) == 1 else None))


async def _tell_log(live: LiveCluster, hub: Hub, reader: Reader, call: Call, receive: Receive, send: Send) -> None:
    """A container's log, each message a piece of it."""
    async def tell(text: bytes) -> None:
        for at in range(0, len(text), PIECE):
            await wire.patiently(send, {"type": "websocket.send", "bytes": text[at:at + PIECE]})

    async with live.turn(quiet=True):
        text = reader.first()
    await tell(text)
    if call.flag("follow") and not reader.options.previous and not reader.unassigned:
        async with hub.awake():
            await wire.while_there(receive, logs.follow_on(live, hub, reader, tell))


async def deny(scope: Scope, send: Send, status: int) -> None:
    """Refuse the handshake, with a status where the server can."""
    if "websocket.http.response" in scope.get("extensions", {}):
        await send({"type": "websocket.http.response.start", "status": status, "headers": []})
        await send({"type": "websocket.http.response.body", "body": b""})
    else:
        await send({"type": "websocket.close"})


class Session:
    def __init__(self, live: LiveCluster, hub: Hub, access: Access, order: dict[str, Any], call: Call, protocol: str,
                 receive: Receive, send: Send) -> None:
        self.live, self.hub, self.access, self.order = live, hub, access, order
        self.plain = protocol in OLDEST  # the last channel tells what went wrong in words, nothing when nothing did
        self.receive, self.send = receive, send
        self.wanted = {"stdout": (STDOUT, call.flag("stdout")), "stderr": (STDERR, call.flag("stderr"))}
        self.id = ""
        self.seen = 0
        self.gone = False
        self.waiting: list[bytes] = []
        self.held = 0  # bytes of it
        self.typed = Bucket(TYPED_PER_SECOND, TYPED_BURST)
        self.decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")

    async def run(self) -> None:
        await self._say(STDOUT if self.wanted["stdout"][1] else STDERR, b"")  # tells the client that the streams are there
        try:
            async with self.live.turn(by=AUTHOR.get()):
                self.id = self.live.apply({"do": "session", **self.order})
                self.engine = self.live.engine
        except ApiError as error:
            await self._end(error.status())
            return
        news = asyncio.Event()
        async with self.hub.awake():
            listener = asyncio.ensure_future(self._listen(news))
            try:
                await self._pump(news)
            finally:
                listener.cancel()
                await self._close()

    async def _listen(self, news: asyncio.Event) -> None:
        while not self.gone:
            message = await self.receive()
            if message["type"] == "websocket.disconnect":
                self.gone = True
            else:
                data = message.get("bytes") or (message.get("text") or "").encode()
                if data:
                    self.waiting.append(data)
                    self.held += len(data)
                self.gone = self.gone or len(self.waiting) > WAITING_MAX or self.held > WAITING_BYTES
            news.set()

    async def _pump(self, news: asyncio.Event) -> None:
        code: int | None = None
        pause = LOOK_EVERY
        while code is None and not self.gone:
            found = await self.hub.act(self._look)
            if found is None:
                break  # the cluster stands at another moment now
            chunks, code = found
            for stream, text in chunks:
                channel, wanted = self.wanted[stream]
                if wanted:
                    data = text.encode("utf-8", "surrogateescape")
                    for at in range(0, len(data), PIECE):
                        await self._say(channel, data[at:at + PIECE])
            if code is None:
                pause = LOOK_EVERY if chunks else min(pause * 1.5, LOOK_AT_LEAST)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await news.wait()
                        pause = LOOK_EVERY / 1.5
                news.clear()
        if code is not None:
            await self._end(exit_status(code))

    def _look(self) -> tuple[list[list[str]], int | None] | None:
        """What was typed goes in, what was written comes out. Call inside a turn."""
        if self.live.engine is not self.engine:
            return None
        self._take_input()
        chunks, code = sessions.read(self.engine.kubelet(self.order["node"]), self.id, self.seen)
        self.seen += len(chunks)
        return chunks, code

    def _take_input(self) -> None:
        """Everything that the client has sent, as acts; while a learner may not act it waits. Call inside a turn."""
        if self.waiting and not application.may_act(self.access):
            return
        typed = ""
        while self.waiting and self._room(typed) and self.typed.take(len(self.waiting[0])):
            data = self.waiting.pop(0)
            self.held -= len(data)
            channel, rest = data[0], data[1:]
            if channel == STDIN and self.order["stdin"]:
                typed += self.decoder.decode(rest)
                continue
            if typed:
                self._act(act="write", data=typed)
                typed = ""
            if channel == RESIZE:
                self._resize(rest)
            elif channel == CLOSE and rest[:1] == bytes([STDIN]) and self.order["stdin"]:
                self._act(act="eof")
        if typed:
            self._act(act="write", data=typed)

    def _room(self, typed: str) -> bool:
        """Whether the process has read most of its input: a pipe holds no more, and whoever writes to it waits."""
        return len(typed) + sessions.unread(self.engine.kubelet(self.order["node"]), self.id) < PIPE

    def _resize(self, data: bytes) -> None:
        try:
            size = json.loads(data)
            rows, cols = int(size["Height"]), int(size["Width"])
        except (ValueError, TypeError, KeyError):
            return
        if 0 < rows < 2000 and 0 < cols < 2000:
            self._act(act="resize", rows=rows, cols=cols)

    def _act(self, **act: Any) -> None:
        self.live.apply({"do": "session", "node": self.order["node"], "session": self.id, **act})

    async def _close(self) -> None:
        with contextlib.suppress(Fenced, ApiError):
            async with self.live.turn(by=AUTHOR.get()) as engine:
                if engine is self.engine:
                    self._act(act="close")

    async def _end(self, status: dict[str, Any]) -> None:
        if not self.plain:
            await self._say(ERROR, dumps(status))
        elif status["status"] != "Success":
            await self._say(ERROR, str(status["message"]).encode())

    async def _say(self, channel: int, data: bytes) -> None:
        if not self.gone:
            await wire.patiently(self.send, {"type": "websocket.send", "bytes": bytes([channel]) + data})


def exit_status(code: int) -> dict[str, Any]:
    """The Status that ends a session (staging/src/k8s.io/kubelet/pkg/cri/streaming/remotecommand/exec.go)."""
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    return {"metadata": {}, "status": "Failure", "reason": "NonZeroExitCode",
            "message": f"command terminated with non-zero exit code: exit status {code}",
            "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]}}
