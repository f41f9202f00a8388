"""Logs of a container, whole or followed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from podlab.api import wire
from podlab.api.hub import Hub
from podlab.api.tokens import Access
from podlab.api.wire import Receive, Send
from podlab.kubernetes.apiserver.rest.addresses import Target
from podlab.kubernetes.apiserver.rest.call import Call
from podlab.kubernetes.apiserver.rest.logs import Reader, options_of
from podlab.labs.live import LiveCluster

LOOK_EVERY = 0.1  # seconds: logs grow without a write to the store


async def serve(live: LiveCluster, hub: Hub, call: Call, access: Access, target: Target, receive: Receive, send: Send) -> None:
    options = options_of(call)
    follow = call.flag("follow") and not options.previous
    async with live.turn(quiet=True):
        reader = Reader(live, hub, target, options)
        text = reader.first()
    if reader.unassigned:
        await wire.answer(send, call, 204, b"", "text/plain")
        return
    if not follow:
        await wire.answer(send, call, 200, text, "text/plain")
        return
    await wire.start_stream(send, call, "text/plain")
    if text:
        await wire.chunk(send, text)
    async with hub.awake():
        await wire.while_there(receive, follow_on(live, hub, reader, lambda text: wire.chunk(send, text)))
    await wire.end_stream(send)


async def follow_on(live: LiveCluster, hub: Hub, reader: Reader, tell: Callable[[bytes], Awaitable[None]]) -> None:
    """Tells what is written from now on, until the run has ended."""
    while not reader.over and not live.gone:
        text = await hub.act(reader.more)
        if text:
            await tell(text)
        await asyncio.sleep(LOOK_EVERY)
