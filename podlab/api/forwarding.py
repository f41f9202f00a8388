"""port-forward over websockets: kubectl's SPDY inside it, or the numbered channels of the Python client.

What is forwarded is HTTP: a whole request goes to the Pod as a journaled visit, and its answer comes back. Other protocols are refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import http
import struct
from collections.abc import Awaitable, Callable
from typing import Any

from podlab.api import spdy
from podlab.api.addresses import Target
from podlab.api.hub import Hub
from podlab.api.wire import Call, Receive, Send
from podlab.kubernetes.apiserver.errors import ApiError, bad_request, not_found
from podlab.kubernetes.cluster import Cluster as Engine
from podlab.kubernetes.kubelet import report
from podlab.labs.live import LiveCluster
from podlab.labs.storage import Fenced

TUNNEL, CHANNELS = "SPDY/3.1+portforward.k8s.io", "v4.channel.k8s.io"
PROTOCOLS = (TUNNEL, CHANNELS)
REQUEST_MAX = 1 << 20  # bytes of one forwarded request
STREAMS_MAX = 64  # of one client
PIECE = 32 * 1024
LOOK_EVERY = 0.05  # seconds
OWN = ("content-length", "transfer-encoding", "connection")  # headers of an answer that are written anew

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
    """One connection to a port: bytes of requests in, bytes of answers out."""

    def __init__(self, live: LiveCluster, hub: Hub, uid: str, port: int) -> None:
        self.live, self.hub, self.uid, self.port = live, hub, uid, port
        self.inbox: asyncio.Queue[bytes] = asyncio.Queue(maxsize=64)  # b"": no more comes

    async def run(self, say: Say) -> str:
        """Until the client sends no more. Gives "", or what the client is told went wrong."""
        buffer = b""
        while True:
            request, buffer = cut(buffer)
            if request is None:
                if len(buffer) > REQUEST_MAX:
                    return "the request is too large to be forwarded"
                if buffer and not buffer[:1].isalpha():
                    return f"error forwarding port {self.port} to pod {self.uid}: only HTTP can be forwarded"
                piece = await self.inbox.get()
                if not piece:
                    return ""
                buffer += piece
                continue
            result = await self._visit(request)
            if not result["ok"]:
                words = WORDS.get(result["error"], result["error"])
                return (f"error forwarding port {self.port} to pod {self.uid}, uid : failed to connect to localhost:{self.port} inside "
                        f"namespace, IPv4: dial tcp4 127.0.0.1:{self.port}: connect: {words}")
            await say(answer_text(result, request))
            if request["close"]:
                return ""

    async def _visit(self, request: dict[str, Any]) -> dict[str, Any]:
        return await visit(self.live, self.hub, {
            "do": "visit", "url": f"http://127.0.0.1:{self.port}{request['target']}", "method": request["method"],
            "headers": request["headers"], "body": request["body"], "pod": self.uid})


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


def cut(buffer: bytes) -> tuple[dict[str, Any] | None, bytes]:
    """The first whole HTTP/1 request of a buffer, and what follows it; (None, buffer) while it is not whole."""
    head, found, rest = buffer.partition(b"\r\n\r\n")
    if not found:
        return None, buffer
    first, *lines = head.decode("latin-1").split("\r\n")
    parts = first.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1"):
        return None, b"\0" + buffer  # no HTTP: the caller says so
    headers = [[name.strip(), value.strip()] for name, _, value in (line.partition(":") for line in lines)]
    named = {name.lower(): value for name, value in headers}
    size = int(named.get("content-length", "0")) if named.get("content-length", "0").isdigit() else 0
    if named.get("transfer-encoding", "").lower() == "chunked":
        body, rest, whole = _chunks(rest)
        if not whole:
            return None, buffer
    elif len(rest) < size:
        return None, buffer
    else:
        body, rest = rest[:size], rest[size:]
    kept = [[name, value] for name, value in headers if name.lower() not in ("connection", "content-length", "transfer-encoding", "host")]
    target = parts[1] if parts[1].startswith("/") else "/"
    close = parts[2] == "HTTP/1.0" or named.get("connection", "").lower() == "close"
    return {"method": parts[0], "target": target, "headers": kept, "body": body.decode("utf-8", "surrogateescape"), "close": close}, rest


def _chunks(data: bytes) -> tuple[bytes, bytes, bool]:
    """(body, rest, whether it is whole)."""
    body = b""
    while True:
        line, found, rest = data.partition(b"\r\n")
        try:
            size = int(line.split(b";")[0] or b"x", 16)
        except ValueError:
            return body, data, False
        if not found or len(rest) < size + 2:
            return body, data, False
        body, data = body + rest[:size], rest[size + 2:]
        if size == 0:
            return body, data, True


def answer_text(result: dict[str, Any], request: dict[str, Any]) -> bytes:
    body = b"" if request["method"] == "HEAD" else str(result["body"]).encode("utf-8", "surrogateescape")
    try:
        reason = http.HTTPStatus(result["status"]).phrase
    except ValueError:
        reason = ""
    lines = [f"HTTP/1.1 {result['status']} {reason}", *(f"{name}: {value}" for name, value in result["headers"] if name.lower() not in OWN)]
    size = next((value for name, value in result["headers"] if name.lower() == "content-length"), "0") if request["method"] == "HEAD" else len(body)
    lines += [f"Content-Length: {size}", *(["Connection: close"] if request["close"] else [])]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace") + body


class Forwarding:
    """One client's port-forward."""

    def __init__(self, live: LiveCluster, hub: Hub, call: Call, uid: str, protocol: str, receive: Receive, send: Send) -> None:
        self.live, self.hub, self.call, self.uid, self.protocol = live, hub, call, uid, protocol
        self.receive, self._send = receive, send
        self.tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        try:
            async with self.hub.stream():  # the cluster stays awake and its time passes
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
        await self._send({"type": "websocket.send", "bytes": data})

    def _start(self, pipe: Pipe, say: Say, done: Callable[[str], Awaitable[None]]) -> None:
        async def work() -> None:
            await done(await pipe.run(say))
        task = asyncio.ensure_future(work())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    # ---- kubectl

    async def _tunnel(self) -> None:
        reader, writer = spdy.Reader(), spdy.Writer()
        pipes: dict[int, Pipe] = {}
        errors: dict[str, int] = {}  # request id -> the stream for what goes wrong
        while (data := await self._bytes()) is not None:
            try:
                frames = reader.feed(data)
            except spdy.SpdyError:
                return
            for frame in frames:
                if frame.kind == "ping" and frame.stream % 2:
                    await self._say(writer.ping(frame.stream))
                elif frame.kind == "open":
                    await self._say(writer.reply(frame.stream))
                    self._opened(frame, pipes, errors, writer)
                elif frame.kind in ("data", "reset") and frame.stream in pipes:
                    pipe = pipes[frame.stream]
                    ends = frame.end or frame.kind == "reset"
                    with contextlib.suppress(asyncio.QueueFull):
                        if frame.data:
                            pipe.inbox.put_nowait(frame.data)
                        if ends:
                            pipe.inbox.put_nowait(b"")
                    if ends:
                        del pipes[frame.stream]

    def _opened(self, frame: spdy.Frame, pipes: dict[int, Pipe], errors: dict[str, int], writer: spdy.Writer) -> None:
        kind, port, request = (frame.headers.get(name, "") for name in ("streamtype", "port", "requestid"))
        if kind == "error":
            errors[request] = frame.stream
        if kind != "data" or not port.isdigit() or len(self.tasks) >= STREAMS_MAX:
            return
        pipe = pipes[frame.stream] = Pipe(self.live, self.hub, self.uid, int(port))
        error_stream = errors.pop(request, 0)

        async def say(data: bytes) -> None:
            for at in range(0, len(data), PIECE):
                await self._say(writer.data(frame.stream, data[at:at + PIECE]))

        async def done(wrong: str) -> None:
            if error_stream:
                await self._say(writer.data(error_stream, wrong.encode(), end=True))
            await self._say(writer.data(frame.stream, b"", end=True))
        self._start(pipe, say, done)

    # ---- numbered channels

    async def _channels(self) -> None:
        """Two channels a port: data and errors, each begun with the port's number (kubelet/pkg/cri/streaming/portforward/websocket.go)."""
        ports = [int(text) for value in self.call.query.get("ports", []) for text in value.split(",") if text.isdigit()][:STREAMS_MAX]
        pipes = []
        for i, port in enumerate(ports):
            for channel in (2 * i, 2 * i + 1):
                await self._say(bytes([channel]) + struct.pack("<H", port & 0xFFFF))
            pipe = Pipe(self.live, self.hub, self.uid, port)
            pipes.append(pipe)
            self._start(pipe, self._to(2 * i), self._wrong(2 * i + 1))
        while (data := await self._bytes()) is not None:
            if data and data[0] % 2 == 0 and data[0] // 2 < len(pipes) and len(data) > 1:
                with contextlib.suppress(asyncio.QueueFull):
                    pipes[data[0] // 2].inbox.put_nowait(data[1:])

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
