"""exec and port-forward over SPDY/3.1, against the application in the test's own process. Real clients: tests/services/test_spdy_kubectl.py."""

import asyncio
import json
import time
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote_plus

import pytest
from channels.db import database_sync_to_async

from podlab.api import application, remote, session, spdy, streams, tokens, watch
from podlab.kubernetes.cluster import Cluster as Engine
from podlab.labs import live as lives
from podlab.labs.live import Clusters
from podlab.labs.models import Cluster
from tests.api.client import Client

pytestmark = pytest.mark.django_db(transaction=True)

POD = {"metadata": {"name": "talker"}, "spec": {"containers": [{"name": "main", "image": "nginx"}]}}


class Line:
    """What the server gives a request that asks for SPDY (podlab/server.py, Line), and the client at its other end."""

    def __init__(self, client: Client, path: str, *protocols: str) -> None:
        found = client.scope("POST", path, {"connection": "Upgrade", "upgrade": "SPDY/3.1"})
        found["headers"] += [(b"x-stream-protocol-version", protocol.encode()) for protocol in protocols]
        self.scope = {**found, "line": self}
        self.inbox: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.accepted: dict[bytes, bytes] = {}
        self.answer: list[dict[str, Any]] = []
        self.raw, self.over = b"", False
        self.news = asyncio.Event()
        self.writer = spdy.Writer()
        self.task = asyncio.ensure_future(remote.switch(self.scope, self.receive, self.say))

    # ---- what the application sees

    async def accept(self, headers: list[tuple[bytes, bytes]]) -> None:
        self.accepted = dict(headers)

    async def receive(self) -> dict[str, Any]:
        data = await self.inbox.get()
        return {"type": "websocket.disconnect"} if data is None else {"type": "websocket.receive", "bytes": data}

    async def send(self, message: dict[str, Any]) -> None:
        self.raw += message.get("bytes", b"")
        self.over = self.over or message["type"] == "websocket.close"
        self.news.set()

    async def say(self, message: dict[str, Any]) -> None:
        self.answer.append(message)

    # ---- what the client does

    def write(self, *frames: bytes) -> None:
        self.inbox.put_nowait(b"".join(frames))

    def open(self, *kinds: str, **headers: str) -> None:
        for number, kind in enumerate(kinds):
            self.write(self.writer.open(2 * number + 1, {"streamtype": kind, **headers}))

    async def end(self) -> list[spdy.Frame]:
        """All that has come once the application has done."""
        await asyncio.wait_for(self.task, 60)
        return spdy.Reader().feed(self.raw)

    async def said(self) -> dict[int, bytes]:
        """{stream: its data}."""
        found: dict[int, bytes] = {}
        for frame in await self.end():
            if frame.kind == "data":
                found[frame.stream] = found.get(frame.stream, b"") + frame.data
        return found


# ---- sessions

POD_PATH = "/api/v1/namespaces/default/pods/talker"


@pytest.fixture
async def running(client: Client, own_clusters: Clusters, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A Pod that runs: a minute has passed at once."""
    passed = 0.0
    monkeypatch.setattr(lives, "time", SimpleNamespace(time=lambda: time.time() + passed, monotonic=lambda: time.monotonic() + passed))
    assert (await client.create("/api/v1/namespaces/default/pods", POD)).status == 201
    live = await own_clusters.get(cluster.id)
    async with live.turn():
        live.set_rate(1.0)
    passed = 60.0
    for _ in range(1200):  # a busy machine makes up for lost time in several turns
        if (await client.get(POD_PATH)).json["status"]["phase"] == "Running":
            return client
        await asyncio.sleep(0.05)
    pytest.fail("the Pod does not run")


def shell(client: Client, script: str, *protocols: str, streams: str = "stdout=1&stderr=1") -> Line:
    return Line(client, f"{POD_PATH}/exec?{streams}&command=sh&command=-c&command={quote_plus(script)}", *(protocols or ["v5.channel.k8s.io"]))


async def test_exec_keeps_the_streams_apart_and_tells_the_exit_code(running: Client) -> None:
    line = shell(running, "echo out; echo err >&2; exit 7", "v4.channel.k8s.io", "channel.k8s.io")
    line.open("error", "stdout", "stderr")
    said = await line.said()
    assert (line.accepted[b"Upgrade"], line.accepted[b"X-Stream-Protocol-Version"]) == (b"SPDY/3.1", b"v4.channel.k8s.io")
    assert (said[3], said[5], json.loads(said[1])["details"]["causes"][0]["message"]) == (b"out\n", b"err\n", "7")
    frames = await line.end()
    assert frames[-1].kind == "leave" and line.over
    assert [frame.stream for frame in frames if frame.end] == [1, 5, 3], "every stream is ended"


async def test_input_ends_with_its_stream_and_pings_are_answered_meanwhile(running: Client) -> None:
    line = shell(running, "cat; echo over", streams="stdin=1&stdout=1")
    line.open("error", "stdin", "stdout")
    line.write(spdy.Writer.ping(1), spdy.Writer.ping(2), *(spdy.Writer.data(3, b"%d\n" % number) for number in range(2000)),
               spdy.Writer.data(3, b"", end=True))
    assert (await line.said())[5].split() == [*(b"%d" % number for number in range(2000)), b"over"]
    assert [frame.stream for frame in await line.end() if frame.kind == "ping"] == [1], "the other would be an answer to ours"


async def test_a_terminal_has_the_size_that_its_stream_tells(running: Client) -> None:
    line = shell(running, "read x; stty size", streams="stdin=1&stdout=1&stderr=1&tty=1")
    line.open("error", "stdin", "stdout", "resize")
    line.write(spdy.Writer.data(7, b'{"Width":1e999,"Height":1}\n'))  # no number of columns: as if it had not been said
    line.write(spdy.Writer.data(7, b'{"Width":132,"Hei'), spdy.Writer.data(7, b'ght":50}\n'), spdy.Writer.data(3, b"\r"))
    assert (await line.said())[5] == b"\n50 132\n".replace(b"\n", b"\r\n"), "as a terminal ends its lines"


@pytest.mark.parametrize(("protocol", "error"), [("v2.channel.k8s.io", b"command terminated with non-zero exit code: exit status 3"),
                                                 ("channel.k8s.io", b"command terminated with non-zero exit code: exit status 3")])
async def test_older_protocols_tell_a_failure_in_words(running: Client, protocol: str, error: bytes) -> None:
    line = shell(running, "exit 3", protocol, streams="stdout=1&tty=1")  # without a stream for sizes
    line.open("error", "stdout")
    assert await line.said() == {1: error, 3: b""}


async def test_what_cannot_be_had_is_refused_in_words_before_the_line_changes(running: Client) -> None:
    for line, status, words in [
            (shell(running, "true", "v9.channel.k8s.io"), 403, "unable to negotiate protocol: client supports [v9.channel.k8s.io]"),
            (Line(running, f"{POD_PATH}/exec?stdout=1&command=true"), 400, "X-Stream-Protocol-Version is required"),
            (Line(running, "/api/v1/namespaces/default/pods/nobody/exec?stdout=1&command=true", "v4.channel.k8s.io"), 404,
             'pods \\"nobody\\" not found'),
            (Line(Client("a" * 43), f"{POD_PATH}/exec?stdout=1&command=true", "v4.channel.k8s.io"), 401, "Unauthorized")]:
        await line.end()
        assert (line.answer[0]["status"], line.accepted) == (status, {})
        assert words in line.answer[1]["body"].decode()
    assert (await running.create(f"{POD_PATH}/exec?stdout=1&command=true", None)).json["message"] == "Upgrade request required"


async def test_a_read_only_token_opens_no_session(running: Client, cluster: Cluster) -> None:
    reader = Client(await database_sync_to_async(tokens.issue)(cluster, "teacher", read_only=True))
    line = shell(reader, "true")
    await line.end()
    assert (line.answer[0]["status"], line.accepted) == (403, {})


async def test_a_client_that_opens_no_streams_is_let_go(running: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "CREATION", 0.05)
    line = shell(running, "true")
    line.open("error")
    await line.end()
    assert line.over


async def test_hostile_frames_end_their_own_session_only(running: Client) -> None:
    line, other = (shell(running, "cat", streams="stdin=1&stdout=1") for _ in range(2))
    for one in (line, other):
        one.open("error", "stdin", "stdout")
    line.write(b"\x80\x03\x00\x01\xff\xff\xff\xff")
    assert (await line.end())[-1].kind == "leave"
    other.write(spdy.Writer.data(3, b"still here", end=True))
    assert (await other.said())[5] == b"still here"


async def test_input_that_no_process_reads_is_held_up_and_then_cut_off(running: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "WAITING_BYTES", 100_000)
    monkeypatch.setattr(session, "DEAF", 0.3)
    line = shell(running, "sleep 1000", streams="stdin=1&stdout=1")
    line.open("error", "stdin", "stdout")
    for _ in range(20):
        line.write(spdy.Writer.data(3, b"x" * 30_000))
    assert b"does not read its input" in (await line.said())[1]
    assert not line.inbox.empty(), "it is not read on"


async def test_a_session_of_a_history_that_is_no_more_ends_as_killed(running: Client, own_clusters: Clusters, cluster: Cluster) -> None:
    line = shell(running, "sleep 1000")
    line.open("error", "stdout", "stderr")
    live = await own_clusters.get(cluster.id)
    while not live.engine.kubelet("n1").state["sessions"]:
        await asyncio.sleep(0.01)
    async with live.turn():
        live.replace(Engine.restore(live.engine.checkpoint()))
    assert json.loads((await line.said())[1])["details"]["causes"][0]["message"] == "137"


async def test_a_client_that_hangs_up_leaves_no_process(running: Client, own_clusters: Clusters, cluster: Cluster) -> None:
    line = shell(running, "sleep 1000")
    line.open("error", "stdout", "stderr")
    line.inbox.put_nowait(None)
    await line.end()
    live = await own_clusters.get(cluster.id)
    assert live.engine.kubelet("n1").state["sessions"] == {}


# ---- port-forward


async def test_connections_share_a_line_and_are_told_apart_by_their_request(running: Client) -> None:
    line = Line(running, f"{POD_PATH}/portforward", "portforward.k8s.io")
    for number, (kind, port, request) in enumerate([("error", "80", "0"), ("error", "81", "1"), ("data", "81", "1"), ("data", "80", "0")]):
        line.write(line.writer.open(2 * number + 1, {"streamtype": kind, "port": port, "requestid": request}))
    line.write(spdy.Writer.data(7, b"GET / HTTP/1.0\r\n\r\n"), line.writer.open(9, {"streamtype": "data", "port": "65536"}), spdy.Writer.ping(5))
    while {frame.stream for frame in spdy.Reader().feed(line.raw) if frame.end} != {1, 3, 5, 7}:
        line.news.clear()
        await asyncio.wait_for(line.news.wait(), 60)
    line.inbox.put_nowait(None)
    said = await line.said()
    assert (said[1], said[5]) == (b"", b"") and b"Welcome to nginx!" in said[7] and b"connection refused" in said[3]
    assert [(frame.kind, frame.stream) for frame in await line.end() if frame.kind in ("reset", "ping")] == [("reset", 9), ("ping", 5)]


async def test_a_connection_that_the_client_drops_ends_with_both_of_its_streams(running: Client) -> None:
    line = Line(running, f"{POD_PATH}/portforward", "portforward.k8s.io")
    line.open("error", "data", port="80")  # as clients did that named no request
    line.write(spdy.Writer.reset(3, 5))
    while 1 not in {frame.stream for frame in spdy.Reader().feed(line.raw) if frame.end}:
        line.news.clear()
        await asyncio.wait_for(line.news.wait(), 60)
    line.inbox.put_nowait(None)
    assert (await line.said())[1] == b""


async def test_what_is_sent_while_a_class_is_stopped_waits(running: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(application, "may_act", lambda access: (asked.append(len(asked) >= 6), asked[-1])[1])  # stopped for the first six looks
    line = Line(running, f"{POD_PATH}/portforward", "portforward.k8s.io")
    line.open("error", "data", port="80")
    line.write(spdy.Writer.data(3, b"GET / HTTP/1.0\r\n\r\n"))
    while len(asked) < 6:
        assert not [frame for frame in spdy.Reader().feed(line.raw) if frame.kind == "data"]
        await asyncio.sleep(0)
    while {frame.stream for frame in spdy.Reader().feed(line.raw) if frame.end} != {1, 3}:
        line.news.clear()
        await asyncio.wait_for(line.news.wait(), 60)
    line.inbox.put_nowait(None)
    assert b"Welcome to nginx!" in (await line.said())[3]


async def test_a_session_ends_when_its_token_opens_nothing_any_more(running: Client, own_clusters: Clusters, cluster: Cluster,
                                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LOOK_EVERY", 0.01)
    line = shell(running, "sleep 1000")
    line.open("error", "stdout", "stderr")
    live = await own_clusters.get(cluster.id)
    while not live.engine.kubelet("n1").state["sessions"]:
        await asyncio.sleep(0.01)
    await database_sync_to_async(tokens.revoke)(cluster)
    await asyncio.wait_for(line.task, 60)
    assert line.over


async def test_a_flood_of_streams_ends_its_session(running: Client) -> None:
    line = shell(running, "sleep 1000")
    line.open(*["error"] * 2 * streams.REFUSALS_MAX)
    assert len(await line.end()) < 2 * streams.REFUSALS_MAX and line.over


def test_headers_are_few_and_short() -> None:
    for headers in ({str(n): "" for n in range(2_000)}, {"streamtype": "x" * 10_000}):
        with pytest.raises(spdy.SpdyError):
            spdy.Reader().feed(spdy.Writer().open(1, headers))


@pytest.mark.parametrize(("protocol", "wanted"), [("v5.channel.k8s.io", ["websocket.accept", "websocket.send", "websocket.close"]),
                                                  ("v4.channel.k8s.io", ["websocket.http.response.start", "websocket.http.response.body"])])
async def test_what_the_kubelet_refuses_is_told_in_the_newest_websocket_and_before_an_older_one(
        running: Client, protocol: str, wanted: list[str]) -> None:
    """The API server speaks v5 itself and asks the kubelet over SPDY (streamtranslator.go); an older protocol is the kubelet's to refuse."""
    broken = {"metadata": {"name": "broken"}, "spec": {"containers": [{"name": "main", "image": "nowhere.example.com/none"}]}}
    assert (await running.create("/api/v1/namespaces/default/pods", broken)).status == 201
    path = "/api/v1/namespaces/default/pods/broken"
    for _ in range(1200):
        if (await running.get(path)).json["status"].get("containerStatuses"):  # the kubelet knows of it
            break
        await asyncio.sleep(0.05)
    said: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        said.append(message)
    scope = {**running.scope("GET", f"{path}/exec?command=ls&stdout=1", {}), "type": "websocket", "subprotocols": [protocol],
             "extensions": {"websocket.http.response": {}}}
    await asyncio.wait_for(remote.serve(scope, receive, send), 60)
    assert [message["type"] for message in said] == wanted
    if protocol == "v5.channel.k8s.io":
        status = json.loads(said[1]["bytes"][1:])
        assert (said[1]["bytes"][0], status["reason"], status["message"]) == (
            3, "InternalError", 'Internal error occurred: unable to upgrade connection: container not found ("main")')
