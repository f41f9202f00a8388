"""A session in a container: what exec and attach hold, in numbered channels (apimachinery/pkg/util/remotecommand/constants.go).

What is typed goes through the journal; what comes back is only read. Websockets bring such channels themselves, SPDY's are in streams.py.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import json
from typing import Any

from podlab.api import application, wire
from podlab.api.hub import AUTHOR, Hub
from podlab.api.streams import CLOSE, ERROR, RESIZE, STDERR, STDIN, STDOUT
from podlab.api.tokens import Access
from podlab.api.wire import Receive, Send
from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.apiserver.rest.call import Call, dumps
from podlab.kubernetes.kubelet import sessions
from podlab.labs.limits import Bucket
from podlab.labs.live import LiveCluster
from podlab.labs.storage import Fenced

OLDEST = ("channel.k8s.io", "base64.channel.k8s.io", "")  # the last: a client that names none (PreV4BinaryWebsocketProtocol)
PLAIN = (*OLDEST, "v2.channel.k8s.io", "v3.channel.k8s.io")  # the error channel tells what went wrong in words, nothing when nothing did
LOOK_EVERY, LOOK_AT_LEAST = 0.03, 0.2  # seconds between two looks for output, which comes without a write to the store; longer when none comes
PIECE = 32 * 1024  # bytes of a message to the client
WAITING_MAX, WAITING_BYTES = 256, 8 << 20  # messages of the client that wait for their turn: it is read no further until some had it
DEAF = 3.0  # seconds that so many wait for a process that takes none of them; then the client is cut off
PIPE = 65_536  # bytes that a process's input holds before it is read (pipe(7))
TYPED_PER_SECOND, TYPED_BURST = 200_000, 4_000_000  # bytes of input of one session, which the journal keeps


class Session:
    def __init__(self, live: LiveCluster, hub: Hub, access: Access, order: dict[str, Any], call: Call, protocol: str,
                 receive: Receive, send: Send) -> None:
        self.live, self.hub, self.access, self.order = live, hub, access, order
        self.plain = protocol in PLAIN
        self.receive, self.send = receive, send
        self.wanted = {"stdout": (STDOUT, call.flag("stdout")), "stderr": (STDERR, call.flag("stderr"))}
        self.id = ""
        self.seen = 0
        self.gone = False
        self.waiting: list[bytes] = []
        self.held = 0  # bytes of it
        self.taken = asyncio.Event()  # some of it had its turn
        self.deaf = self.fed = False
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
                self._keep(message.get("bytes") or (message.get("text") or "").encode())
            news.set()
            while len(self.waiting) > WAITING_MAX or self.held > WAITING_BYTES:
                self.taken.clear()
                try:
                    async with asyncio.timeout(DEAF):
                        await self.taken.wait()
                except TimeoutError:
                    self.deaf = True
                    news.set()
                    return

    def _keep(self, data: bytes) -> None:
        """Until its turn; what is typed is one with what was typed before."""
        channel, rest = data[:1], data[1:]
        self.held += len(rest)
        if channel != bytes([STDIN]):
            self.waiting += [data] if data else []
            return
        for at in range(0, len(rest), PIECE):
            piece = rest[at:at + PIECE]
            if self.waiting and self.waiting[-1][:1] == channel and len(self.waiting[-1]) + len(piece) <= PIECE:
                self.waiting[-1] += piece
            else:
                self.waiting.append(channel + piece)

    async def _pump(self, news: asyncio.Event) -> None:
        code: int | None = None
        pause = LOOK_EVERY
        while code is None and not self.gone and not self.deaf:
            self.fed = False
            found = await self.hub.act(self._look)
            chunks, code = found or ([], 137)  # the cluster stands at another moment now: nothing is left of the process
            for stream, text in chunks:
                channel, wanted = self.wanted[stream]
                if wanted:
                    shown = text.replace("\n", "\r\n") if self.order["tty"] else text  # ONLCR (termios(3)): the client's own terminal is raw
                    data = shown.encode("utf-8", "surrogateescape")
                    for at in range(0, len(data), PIECE):
                        await self._say(channel, data[at:at + PIECE])
            if code is None:
                pause = LOOK_EVERY if chunks or self.fed else min(pause * 1.5, LOOK_AT_LEAST)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await news.wait()
                        pause = LOOK_EVERY / 1.5
                news.clear()
        if code is not None:
            await self._end(exit_status(0 if self.order["attach"] else code))  # whoever attaches is told no code (ServeAttach)
        elif self.deaf:
            await self._end(ApiError(500, "InternalError", "Internal error occurred: the process does not read its input").status())

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
            channel, rest = data[0], data[1:]
            self.held -= len(rest)
            self.fed = True
            self.taken.set()
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
        except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
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
