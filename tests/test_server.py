"""What one client may cost the server's process, without a network."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from podlab.server import MESSAGES_BURST, QUEUE_MAX, SocketFactory

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
