"""What is held open: exec and attach (session.py), port-forward (forwarding.py), logs in `binary.k8s.io` and watches, over websockets; the first
three over SPDY/3.1 too, as kubectl before 1.31 speaks it. Which of both it is ends here: who asks, what they may and what is held are the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings

from podlab.api import application, forwarding, holds, logs, streams, texts, tokens, watch, wire
from podlab.api.hub import Hub, hub_of
from podlab.api.session import OLDEST, PIECE, Session
from podlab.api.streams import ERROR
from podlab.api.tokens import Access
from podlab.api.wire import Receive, Scope, Send
from podlab.kubernetes.apiserver.errors import ApiError, too_many_requests
from podlab.kubernetes.apiserver.rest import addresses
from podlab.kubernetes.apiserver.rest.addresses import Target
from podlab.kubernetes.apiserver.rest.call import Call, dumps
from podlab.kubernetes.apiserver.rest.logs import Reader, options_of
from podlab.kubernetes.apiserver.rest.requests import SESSIONS
from podlab.labs.database import on_database
from podlab.labs.live import LiveCluster
from podlab.labs.storage import Fenced

logger = logging.getLogger(__name__)

TRANSLATED = "v5.channel.k8s.io"  # which the API server itself speaks; older ones are the kubelet's, whose refusal is the answer
PROTOCOLS = (TRANSLATED, "v4.channel.k8s.io", "v4.base64.channel.k8s.io", *OLDEST)
LOG_PROTOCOLS = ("binary.k8s.io", "base64.binary.k8s.io", "")  # apiserver/pkg/util/wsstream/stream.go, NewDefaultReaderProtocols
VERSION = "x-stream-protocol-version"  # the header in which SPDY's clients name protocols, the best first (httpstream.Handshake)

_open: dict[int, int] = {}  # cluster id -> sessions


@dataclass
class Asked:
    """What a client asks to hold, and may."""

    live: LiveCluster
    access: Access
    call: Call
    target: Target
    order: dict[str, Any]  # of exec and attach
    pod: tuple[str, str]  # of port-forward
    reader: Reader | None  # of a log


async def serve(scope: Scope, receive: Receive, send: Send) -> None:
    """A websocket of the API. What cannot be had is refused before the handshake; kubectl then asks for the reason."""
    await receive()  # websocket.connect
    protocol: str | None = None
    try:
        access, call, target = await _target({**scope, "method": "GET"})
        if target.verb == "watch":
            await _watch(scope, call, access, target, receive, send)
            return
        offered = {"portforward": forwarding.PROTOCOLS, "log": LOG_PROTOCOLS}.get(target.subresource, PROTOCOLS)
        protocol = next((one for one in offered if one in (list(scope.get("subprotocols", ())) or [""])), None)
        if target.subresource not in (*SESSIONS, "log") or protocol is None:
            raise addresses.unknown()
        asked = await _admitted(access, call, target)
    except (ApiError, Fenced) as error:
        if protocol == TRANSLATED and isinstance(error, ApiError) and error.reason == "InternalError":
            await _tell(send, protocol, error)
        else:
            await deny(scope, send, error.code if isinstance(error, ApiError) else 503)
        return
    await send({"type": "websocket.accept", "subprotocol": protocol or None})
    if "base64." in protocol:
        receive, send = texts.decoding(receive), texts.encoding(send, channels=asked.reader is None)
    await _hold(asked, protocol, receive, send)


async def _tell(send: Send, protocol: str, error: ApiError) -> None:
    """What the kubelet refuses, in the session's own error channel: the API server has said yes to the websocket before it asks the kubelet
    (apiserver/pkg/util/proxy/streamtranslator.go)."""
    await send({"type": "websocket.accept", "subprotocol": protocol})
    await send({"type": "websocket.send", "bytes": bytes([ERROR]) + dumps(error.status())})
    await send({"type": "websocket.close", "code": 1000})


async def switch(scope: Scope, receive: Receive, send: Send) -> None:
    """A request that asks to go on in SPDY/3.1 (server.py, Line). What cannot be had is refused in words."""
    call = Call(scope["method"], [], {}, {})
    try:
        access, call, target = await _target(scope)
        if target.subresource not in SESSIONS:
            await application.application(scope, receive, send)
            return
        asked = await _admitted(access, call, target)
    except (ApiError, Fenced) as error:
        await wire.refuse(send, call, error if isinstance(error, ApiError) else ApiError(503, "ServiceUnavailable", "the cluster is elsewhere"))
        return
    served = (forwarding.TUNNEL.partition("+")[2],) if target.subresource == "portforward" else streams.PROTOCOLS
    named = [one.strip() for one in call.headers.get(VERSION, "").split(",") if one.strip()]
    protocol = next((one for one in named if one in served), None)
    if protocol is None:
        why = (f"unable to negotiate protocol: client supports [{' '.join(named)}], server accepts [{' '.join(served)}]" if named
               else "X-Stream-Protocol-Version is required")
        extra = [(b"x-accepted-stream-protocol-versions", one.encode()) for one in served]
        await wire.answer(send, call, 403 if named else 400, f"unable to upgrade: {why}\n".encode(), "text/plain; charset=utf-8", extra)
        return
    line = scope["line"]
    await line.accept([(b"Connection", b"Upgrade"), (b"Upgrade", b"SPDY/3.1"), (b"X-Stream-Protocol-Version", protocol.encode())])
    if target.subresource == "portforward":
        await _hold(asked, forwarding.TUNNEL, line.receive, line.send)
        return
    spoken = streams.Streams(line.receive, line.send, streams.expected(call, protocol))
    if await spoken.begin():
        await _hold(asked, protocol, spoken.receive, spoken.send)
    else:
        await line.send({"type": "websocket.close"})


async def _target(scope: Scope) -> tuple[Access, Call, Target]:
    """Who asks and for what. Raises ApiError."""
    token, call = wire.call_of(scope)
    access = await application.authenticate(token)
    if call.of_server:
        raise addresses.unknown()
    return access, call, addresses.resolve(call, await application.custom_kinds(access) if addresses.is_custom(call) else ())


async def _admitted(access: Access, call: Call, target: Target) -> Asked:
    """Whether they may, and there is such a thing. Raises ApiError, Fenced."""
    live = await application.live_cluster(access)
    async with live.turn(quiet=True) as engine:
        application.admitted(engine, call, access, target)
        asked = Asked(live, access, call, target, {}, ("", ""), None)
        if target.subresource == "log":
            asked.reader = Reader(live, hub_of(live), target, options_of(call))
        elif target.subresource == "portforward":
            asked.pod = forwarding.pod_of(engine, target)
        else:
            asked.order = holds.order_of(engine, call, target)
        if _open.get(live.id, 0) >= settings.API_SESSIONS:
            raise ApiError(429, "TooManyRequests", "too many sessions are open")
    return asked


async def _hold(asked: Asked, protocol: str, receive: Receive, send: Send) -> None:
    """Until either side ends it."""
    live, call = asked.live, asked.call
    _open[live.id] = _open.get(live.id, 0) + 1
    try:
        hub = hub_of(live)
        if asked.reader is not None:
            await _while_opened(asked.access, _tell_log(live, hub, asked.reader, call, receive, send))
            return
        held = Session(live, hub, asked.access, asked.order, call, protocol, receive, send) if asked.order else \
            forwarding.Forwarding(live, hub, call, asked.pod, protocol, partial(application.may_act, asked.access), receive, send)
        await _while_opened(asked.access, held.run())
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


async def _while_opened(access: Access, work: Coroutine[Any, Any, None]) -> None:
    """Do it, until the token opens nothing any more."""
    task = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait({task}, timeout=watch.LOOK_EVERY))[0]:
            if await on_database(tokens.of_hash)(access.key) is None:
                break
    finally:
        if not task.done():
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


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
