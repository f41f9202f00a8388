"""Clients that do not read, write what nobody reads, or stop halfway: each costs a bounded buffer, the others are served, and it is let go."""

import asyncio
import contextlib
import json
import socket
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
import websocket

from podlab.api import spdy
from tests.browser.harness import HANG, Server
from tests.services.conftest import token_of

pytestmark = pytest.mark.services
MEBI = 1 << 20
POD = {"metadata": {"name": "deaf"}, "spec": {"containers": [{"name": "m", "image": "busybox", "command": ["sleep", "100000"]}]}}


def resident(server: Server) -> int:
    """Bytes."""
    assert server.process is not None
    lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


def connected(server: Server) -> socket.socket:
    """A line whose owner will hardly read."""
    found = socket.socket()
    found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    found.connect(("127.0.0.1", server.port))
    return found


async def test_watches_that_are_not_read_hold_up_nobody(server: Server) -> None:
    root = f"{server.url}/k8s/{token_of(server)}/api/v1/namespaces/default/configmaps"
    deaf = [connected(server) for _ in range(20)]
    for line in deaf:
        line.sendall(f"GET {urlsplit(root).path}?watch=1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    async with aiohttp.ClientSession(read_bufsize=MEBI) as session:
        before = resident(server)
        async with session.get(root + "?watch=1") as hearing:
            for number in range(100):
                body = {"metadata": {"name": f"large-{number % 5}"}, "data": {"text": f"{number}" + "x" * 100_000}}
                path, method = (root, "POST") if number < 5 else (f"{root}/large-{number % 5}", "PUT")
                async with session.request(method, path, json=body) as answer:
                    assert answer.status in (200, 201)
            heard = 0
            while heard < 100:
                event = json.loads(await asyncio.wait_for(hearing.content.readline(), HANG))
                heard += event["object"]["metadata"]["name"].startswith("large-")
    grown = resident(server) - before
    assert grown < 100 * MEBI, f"20 deaf watches of 10 MB each: {grown / MEBI:.0f} MiB"
    for line in deaf:
        line.close()


async def test_input_that_nobody_reads_is_cut_off(server: Server) -> None:
    root = f"{server.url}/k8s/{token_of(server)}/api/v1/namespaces/default/pods"
    async with aiohttp.ClientSession() as session:
        await session.post(root, json=POD)
        while (await (await session.get(root + "/deaf")).json())["status"].get("phase") != "Running":
            await asyncio.sleep(0.2)
        before, sent = resident(server), 0
        async with session.ws_connect(root + "/deaf/exec?command=sleep&command=1000&stdin=1&stdout=1", protocols=("v5.channel.k8s.io",)) as line:
            with contextlib.suppress(ConnectionError, aiohttp.ClientError):
                while sent < 60 * MEBI:
                    await line.send_bytes(b"\0" + b"x" * 30_000)
                    sent += 30_000
                    await asyncio.sleep(0)
            while (await line.receive(HANG)).type not in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR):
                pass
        assert resident(server) - before < 60 * MEBI
        assert (await session.get(root)).status == 200


def spdy_exec(server: Server, root: str, pod: str, command: str, frames: bytes = b"") -> socket.socket:
    """An exec over SPDY on a narrow line, with frames that did not wait for the answer."""
    line = connected(server)
    line.settimeout(HANG)
    line.sendall(f"POST {urlsplit(root).path}/{pod}/exec?stdout=1&{command} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
                 "Upgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\nContent-Length: 0\r\n\r\n".encode() + frames)
    return line


def test_a_line_of_spdy_takes_what_came_early_and_holds_up_what_nobody_reads(server: Server) -> None:
    root = f"{server.url}/k8s/{token_of(server)}/api/v1/namespaces/default/pods"
    asked = urllib.request.Request(root, json.dumps({**POD, "metadata": {"name": "told"}}).encode(), {"Content-Type": "application/json"})
    urllib.request.urlopen(asked, timeout=HANG).close()
    exec_when_running(f"{root.replace('http', 'ws')}/told/exec?command=true&stdout=1").close()
    writer = spdy.Writer()
    opened = writer.open(1, {"streamtype": "error"}) + writer.open(3, {"streamtype": "stdout"})
    early = spdy_exec(server, root, "told", "command=echo&command=early", opened)
    assert b"early" in b"".join(iter(lambda: early.recv(4096), b""))
    refused = spdy_exec(server, root, "nobody", "command=true", opened)
    assert b"".join(iter(lambda: refused.recv(4096), b"")).startswith(b"HTTP/1.1 404"), "and the line ends, whatever came on it"
    before = resident(server)
    deaf = [spdy_exec(server, root, "told", "command=yes", opened) for _ in range(5)]
    for line in deaf:
        with contextlib.suppress(TimeoutError):
            line.settimeout(0.2)
            while True:
                line.sendall(spdy.Writer.ping(1) * 1000)
    assert resident(server) - before < 60 * MEBI
    assert json.load(urllib.request.urlopen(root, timeout=HANG))["kind"] == "PodList"
    for line in deaf:
        line.close()


async def test_requests_that_stop_halfway_leave_the_server_to_others(server: Server) -> None:
    root = f"{server.url}/k8s/{token_of(server)}/api/v1/namespaces/default/configmaps"
    before = resident(server)
    halves = [connected(server) for _ in range(20)]
    for number, line in enumerate(halves):
        head = f"POST {urlsplit(root).path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        line.sendall(head.encode() if number % 2 else f"{head}Content-Length: {2 * MEBI}\r\n\r\n".encode() + b"x" * MEBI)
    async with aiohttp.ClientSession() as session:
        for number in range(10):
            assert (await session.post(root, json={"metadata": {"name": f"served-{number}"}})).status == 201
    assert resident(server) - before < 60 * MEBI
    for line in halves:
        line.close()


def test_a_client_that_reads_late_has_all_of_the_output_and_is_heard_when_it_answers_the_close(server: Server) -> None:
    """It is busy for longer than a second while the command ends: a loaded machine, or a slow line."""
    root = f"{server.url}/k8s/{token_of(server)}/api/v1/namespaces/default/pods"
    asked = urllib.request.Request(root, json.dumps({**POD, "metadata": {"name": "told"}}).encode(), {"Content-Type": "application/json"})
    urllib.request.urlopen(asked, timeout=HANG).close()
    line = exec_when_running(f"{root.replace('http', 'ws')}/told/exec?command=seq&command=20000&stdout=1")
    time.sleep(1.6)
    found = b""
    while (frame := line.recv_frame()).opcode != websocket.ABNF.OPCODE_CLOSE:
        found += frame.data[1:] if frame.data[:1] == b"\1" else b""
    line.send_close()
    assert line.sock.recv(1) == b"", "the server ends the line in order"
    assert found.split() == [b"%d" % number for number in range(1, 20_001)]


def exec_when_running(url: str) -> websocket.WebSocket:
    """A v5 websocket is taken at once, whatever becomes of the command, so the Pod is waited for first."""
    deadline, pod = time.monotonic() + HANG, url.partition("/exec?")[0].replace("ws", "http", 1)
    while json.load(urllib.request.urlopen(pod, timeout=HANG))["status"].get("phase") != "Running":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return websocket.create_connection(url, subprotocols=["v5.channel.k8s.io"], timeout=HANG)
