"""What one client may cost the server's process, without a network."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.web.http import Request as HTTPRequest

from podlab import server
from podlab.server import MESSAGES_BURST, QUEUE_MAX, STREAM_MESSAGES_BURST, Channel, SocketFactory

pytestmark = pytest.mark.slow  # the whole of Twisted is read for it


class Line:
    """The client's end."""

    bufferSize, paused = 65_536, 0

    def pauseProducing(self) -> None:
        self.paused += 1

    def resumeProducing(self) -> None:
        raise AssertionError("not before the pause is over")


class Site:
    root_path = ""

    def log_action(self, *facts: Any) -> None:
        pass


def opened(*, streams: bool) -> Any:
    socket = SocketFactory(Site()).buildProtocol(None)
    socket.server, socket.transport, socket.streams, socket.client_addr = Site(), Line(), streams, None
    socket.request = type("Request", (), {"path": "/"})()
    socket.application_queue = asyncio.Queue()
    socket.state = socket.STATE_OPEN
    socket.onOpen()
    return socket


@pytest.mark.parametrize(("text", "heard"), [(b'{"action": "hand"}', MESSAGES_BURST - 1), (b"x" * 1_000_000, 8)])
async def test_a_page_that_floods_is_not_read_for_a_while_and_fills_no_memory(monkeypatch: pytest.MonkeyPatch, text: bytes, heard: int) -> None:
    monkeypatch.setattr("podlab.labs.limits.time", SimpleNamespace(monotonic=lambda: 0.0))  # all in one moment
    page = opened(streams=False)
    for _ in range(2 * MESSAGES_BURST):
        page.onMessage(text, False)
    assert page.application_queue.qsize() == heard
    assert page.transport.paused
    assert page.transport.bufferSize < 10_000


async def test_no_part_of_a_stream_is_left_out_but_it_waits_for_whoever_serves_it() -> None:
    stream = opened(streams=True)
    for _ in range(QUEUE_MAX):
        stream.onMessage(b"\x00x", True)
    assert not stream.transport.paused
    for _ in range(1_000):
        stream.onMessage(b"\x00x", True)
    assert stream.application_queue.qsize() == QUEUE_MAX + 1_000
    assert stream.transport.paused


@pytest.mark.parametrize("what", ["messages", "pings"])
async def test_a_stream_of_very_many_small_messages_is_read_slowly(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    monkeypatch.setattr("podlab.labs.limits.time", SimpleNamespace(monotonic=lambda: 0.0))
    stream = opened(streams=True)
    stream.sendPong = lambda payload: None
    for number in range(2 * STREAM_MESSAGES_BURST):
        stream.onMessage(b"\0a", True) if what == "messages" else stream.onPing(b"")
        while stream.application_queue.qsize():
            stream.application_queue.get_nowait()
        assert bool(stream.transport.paused) == (number >= STREAM_MESSAGES_BURST)
    assert stream.transport.bufferSize < 10_000, "no more than a few hundred of them at once"


async def test_a_line_that_is_being_closed_is_read_on_to_the_client_s_answer() -> None:
    stream = opened(streams=True)
    stream.state = stream.STATE_CLOSING
    for _ in range(2 * QUEUE_MAX):
        stream.onMessage(b"\x00x", True)
    assert stream.application_queue.empty()
    assert not stream.transport.paused


@pytest.mark.parametrize("head", [b"", b"POST /start/ HTTP/1.1\r\nHost: here\r\n", b"POST /start/ HTTP/1.1\r\nContent-Length: 1000\r\n\r\n"])
def test_a_request_that_comes_a_byte_now_and_then_is_not_waited_for_for_ever(head: bytes) -> None:
    line, clock, channel = StringTransport(), Clock(), Channel()
    channel.callLater, channel.timeOut, channel.requestFactory = clock.callLater, 60, HTTPRequest
    channel.makeConnection(line)
    clock.advance(50)  # a line that was quiet for a while: its request has all of the time
    channel.dataReceived(head)
    for _ in range(11):
        clock.advance(5)
        assert not line.disconnecting
        channel.dataReceived(b"a")
    clock.advance(5)
    assert line.disconnecting


async def test_a_line_that_is_not_read_holds_few_pieces_of_single_bytes() -> None:
    paused: list[bool] = []
    transport = SimpleNamespace(pauseProducing=lambda: paused.append(True), resumeProducing=lambda: None)
    line = server.Line(cast(Any, None), cast(Any, SimpleNamespace(channel=SimpleNamespace(transport=transport))))
    while not paused and len(line.inbox) < 50_000:
        line.heard(b"x")
    assert len(line.inbox) < 20_000
    while line.inbox:
        await line.receive()
    assert line.size == 0
