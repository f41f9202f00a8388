"""port-forward: kubectl's SPDY, bare or inside a websocket, or the numbered channels of the Python and JavaScript clients over a websocket.

Bytes go to the Pod's socket as they are, each message a journaled act (kubelet/forwards.py); what comes back is only read.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Awaitable, Callable
from typing import Any

from podlab.api import spdy, wire
from podlab.api.hub import Hub
from podlab.api.wire import Receive, Send
from podlab.kubernetes.apiserver.errors import ApiError, bad_request, not_found
from podlab.kubernetes.apiserver.rest.addresses import Target
from podlab.kubernetes.apiserver.rest.call import Call
from podlab.kubernetes.cluster import Cluster as Engine
from podlab.kubernetes.kubelet import forwards, report
from podlab.labs.live import LiveCluster
from podlab.labs.storage import Fenced

TUNNEL, CHANNELS = "SPDY/3.1+portforward.k8s.io", "v4.channel.k8s.io"
PROTOCOLS = (TUNNEL, CHANNELS, "v4.base64.channel.k8s.io")
WAITING_MAX = 4 << 20  # bytes that one connection holds for a cluster that does not take them; the client is read no further
DEAF = 10.0  # seconds after which it is cut off
STREAMS_MAX = 64  # connections of one client
PIECE = 32 * 1024
LOOK_EVERY = 0.05  # seconds

WORDS = {"ECONNREFUSED": "connection refused", "timeout": "i/o timeout", "ECONNRESET": "connection reset by peer",
         "EHOSTUNREACH": "no route to host", "ETIMEDOUT": "i/o timeout"}

Say = Callable[[bytes], Awaitable[None]]


def pod_of(engine: Engine, target: Target) -> tuple[str, str]:
    """(uid, node) of the Pod. Raises ApiError."""
    pod = engine.etcd.get("pods", f"{target.namespace}/{target.name}")
    if pod is None:
        raise not_found("", "pods", target.name)
    if not pod["spec"].get("nodeName"):
        raise bad_request(f"pod {target.name} does not have a host assigned")
    kubelet = engine.kubelet(pod["spec"]["nodeName"])
    report.reachable(kubelet)
    report.held(kubelet, pod["metadata"]["uid"])
    return pod["metadata"]["uid"], pod["spec"]["nodeName"]


class Pipe:
    """One connection to a port: bytes in, bytes out."""

    def __init__(self, live: LiveCluster, hub: Hub, pod: tuple[str, str], port: int, may_act: Callable[[], bool]) -> None:
        self.live, self.hub, self.port = live, hub, port
        self.may_act = may_act  # while the client may not, what it sends waits
        self.uid, self.node = pod
        self.inbox: list[bytes] = []  # b"": no more comes
        self.waiting = 0  # bytes of it
        self.news, self.taken = asyncio.Event(), asyncio.Event()
        self.gone = False  # nobody wants what comes back

    async def take(self, data: bytes) -> bool:
        """More from the client, held up while too much waits. False when the cluster takes nothing."""
        self.inbox.append(data)
        self.waiting += len(data)
        self.news.set()
        while self.waiting > WAITING_MAX and not self.gone:
            self.taken.clear()
            try:
                async with asyncio.timeout(DEAF):
                    await self.taken.wait()
            except TimeoutError:
                return False
        return True

    def leave(self) -> None:
        self.gone = True
        self.news.set()
        self.taken.set()

    async def run(self, say: Say) -> str:
        """Until both ends have closed, or the Pod's has. Gives "", or what the client is told went wrong."""
        wrong = (f"error forwarding port {self.port} to pod {self.uid}, uid : failed to connect to localhost:{self.port} inside namespace, "
                 f"IPv4: dial tcp4 127.0.0.1:{self.port}: connect: ")
        try:
            session = await self.hub.act(lambda: self._act(act="dial", pod=self.uid, port=self.port))
        except (ApiError, Fenced) as error:
            return wrong + (error.message if isinstance(error, ApiError) else "connection reset by peer")
        try:
            return await self._pump(session, say, wrong)
        except Fenced:
            return wrong + WORDS["ECONNRESET"]
        finally:
            self.leave()
            with contextlib.suppress(ApiError, Fenced):
                await asyncio.shield(self.hub.act(lambda: self._act(act="close", session=session)))

    async def _pump(self, session: str, say: Say, wrong: str) -> str:
        seen, engine = 0, self.live.engine

        def look() -> tuple[str, str]:
            if self.live.engine is not engine:
                return "", "ECONNRESET"  # the cluster stands at another moment now
            found = forwards.read(engine.kubelet(self.node), session, seen)
            if found[1] == "open" and self.may_act():
                self._send(session, seen)
            return found
        while not self.gone:
            text, state = await self.hub.act(look)
            seen += len(text)
            data = text.encode("utf-8", "surrogateescape")
            for at in range(0, len(data), PIECE):
                await say(data[at:at + PIECE])
            if state == "closed" and not text:
                return ""
            if state not in ("connecting", "open", "closed"):
                return wrong + WORDS.get(state, state)
            if not text and not (self.inbox and self.may_act()):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY):
                        await self.news.wait()
                self.news.clear()
            elif state == "connecting" or text:
                await asyncio.sleep(LOOK_EVERY / 5)
        return ""

    def _send(self, session: str, seen: int) -> None:
        """Everything that the client has sent, as acts. Call inside a turn."""
        pieces, self.inbox, self.waiting = self.inbox, [], 0
        self.taken.set()
        data = b"".join(pieces)
        if data:
            self._act(act="send", session=session, data=data.decode("utf-8", "surrogateescape"), seen=seen)
        if b"" in pieces:
            self._act(act="end", session=session)

    def _act(self, **act: Any) -> Any:
        return self.hub.submit({"do": "session", "node": self.node, **act})


async def visit(live: LiveCluster, hub: Hub, entry: dict[str, Any]) -> dict[str, Any]:
    """A journaled HTTP request into the cluster, and what came of it: {"ok", "status", "headers", "body", "error"}."""
    failed = {"ok": False, "error": "ECONNRESET"}
    try:
        number = await hub.act(lambda: hub.submit(entry))
        while True:
            visits = await hub.act(lambda: dict(live.engine.network.state["visits"]))
            if number not in visits:
                return failed
            if visits[number] is not None:
                return dict(visits[number])
            await asyncio.sleep(LOOK_EVERY)
    except (ApiError, Fenced):
        return failed


class Forwarding:
    """One client's port-forward."""

    def __init__(self, live: LiveCluster, hub: Hub, call: Call, pod: tuple[str, str], protocol: str, may_act: Callable[[], bool],
                 receive: Receive, send: Send) -> None:
        self.live, self.hub, self.call, self.pod, self.protocol = live, hub, call, pod, protocol
        self.may_act, self.receive, self._send = may_act, receive, send
        self.tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        try:
            async with self.hub.awake():  # the cluster stays awake and its time passes
                await (self._tunnel() if self.protocol == TUNNEL else self._channels())
        finally:
            for task in self.tasks:
                task.cancel()

    async def _bytes(self) -> bytes | None:
        """The next message; None when the client has gone."""
        message = await self.receive()
        if message["type"] == "websocket.disconnect":
            return None
        return message.get("bytes") or (message.get("text") or "").encode()

    async def _say(self, data: bytes) -> None:
        await wire.patiently(self._send, {"type": "websocket.send", "bytes": data})

    def _start(self, pipe: Pipe, say: Say, done: Callable[[str], Awaitable[None]]) -> None:
        async def work() -> None:
            await done(await pipe.run(say))
        task = asyncio.ensure_future(work())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    # ---- kubectl

    async def _tunnel(self) -> None:
        """Two streams a connection, one for data, one for what goes wrong (kubelet/pkg/cri/streaming/portforward/httpstream.go)."""
        reader, writer, taken = spdy.Reader(), spdy.Writer(), spdy.Numbers()
        pipes: dict[int, Pipe] = {}
        errors: dict[str, int] = {}  # request id -> the stream for what goes wrong
        while (data := await self._bytes()) is not None:
            for piece in spdy.pieces(data):
                try:
                    frames = reader.feed(piece)
                except spdy.SpdyError:
                    await self._say(writer.leave(taken.last))
                    return
                for frame in frames:
                    if frame.kind == "ping" and frame.stream % 2:
                        await self._say(writer.ping(frame.stream))
                    elif frame.kind == "open":
                        why = spdy.PROTOCOL_ERROR if not taken.take(frame.stream) else self._refused(frame, errors)
                        await self._say(writer.reset(frame.stream, why) if why else writer.reply(frame.stream))
                        if not why:
                            self._opened(frame, pipes, errors, writer)
                    elif frame.stream in pipes and not await self._heard(frame, pipes):
                        return
                await asyncio.sleep(0)
        await self._say(writer.leave(taken.last))

    def _refused(self, frame: spdy.Frame, errors: dict[str, int]) -> int:
        """Why a stream cannot be; 0 when it can."""
        kind, port = frame.headers.get("streamtype"), frame.headers.get("port", "")
        if kind not in ("data", "error") or not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65_536):
            return spdy.PROTOCOL_ERROR
        return spdy.REFUSED if len(self.tasks if kind == "data" else errors) >= STREAMS_MAX else 0

    def _opened(self, frame: spdy.Frame, pipes: dict[int, Pipe], errors: dict[str, int], writer: spdy.Writer) -> None:
        kind = frame.headers["streamtype"]
        request = frame.headers.get("requestid") or str(frame.stream - (2 if kind == "data" else 0))  # clients of old name none: the pair follows
        if kind == "error":
            errors[request] = frame.stream
            return
        pipe = pipes[frame.stream] = Pipe(self.live, self.hub, self.pod, int(frame.headers["port"]), self.may_act)
        error_stream = errors.pop(request, 0)

        async def say(data: bytes) -> None:
            for at in range(0, len(data), PIECE):
                await self._say(writer.data(frame.stream, data[at:at + PIECE]))

        async def done(wrong: str) -> None:
            pipes.pop(frame.stream, None)
            if error_stream:
                await self._say(writer.data(error_stream, wrong.encode(), end=True))
            await self._say(writer.data(frame.stream, b"", end=True))
        self._start(pipe, say, done)

    async def _heard(self, frame: spdy.Frame, pipes: dict[int, Pipe]) -> bool:
        """What came on a stream of data. False when nobody takes it."""
        pipe = pipes[frame.stream]
        if frame.kind == "reset":
            pipe.leave()
            return True
        return (not frame.data or await pipe.take(frame.data)) and (not frame.end or await pipe.take(b""))

    # ---- numbered channels

    async def _channels(self) -> None:
        """Two channels a port: data and errors, each begun with the port's number (kubelet/pkg/cri/streaming/portforward/websocket.go)."""
        named = [text for value in (*self.call.query.get("ports", []), *self.call.query.get("port", [])) for text in value.split(",")]
        ports = [int(text) for text in named if text.isdigit()][:STREAMS_MAX]
        if not ports:
            return
        pipes = []
        for i, port in enumerate(ports):
            for channel in (2 * i, 2 * i + 1):
                await self._say(bytes([channel]) + struct.pack("<H", port & 0xFFFF))
            pipe = Pipe(self.live, self.hub, self.pod, port, self.may_act)
            pipes.append(pipe)
            self._start(pipe, self._to(2 * i), self._wrong(2 * i + 1))
        listening = asyncio.ensure_future(self._listen(pipes))
        try:  # the connection ends with the last of its ports
            await asyncio.wait([asyncio.ensure_future(asyncio.wait(self.tasks)), listening], return_when=asyncio.FIRST_COMPLETED)
        finally:
            listening.cancel()

    async def _listen(self, pipes: list[Pipe]) -> None:
        while (data := await self._bytes()) is not None:
            if len(data) > 1 and data[0] % 2 == 0 and data[0] // 2 < len(pipes) and not await pipes[data[0] // 2].take(data[1:]):
                return

    def _to(self, channel: int) -> Say:
        async def say(data: bytes) -> None:
            for at in range(0, len(data), PIECE):
                await self._say(bytes([channel]) + data[at:at + PIECE])
        return say

    def _wrong(self, channel: int) -> Callable[[str], Awaitable[None]]:
        async def done(wrong: str) -> None:
            if wrong:
                await self._say(bytes([channel]) + wrong.encode())
        return done
