"""The ASGI application behind /k8s/<token>/: who asks, what for, and the answer. Cookies and sessions mean nothing here."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import DatabaseError

from podlab.api import documents, holds, logs, proxying, tokens, watch, wire
from podlab.api.hub import AUTHOR, Hub, hub_of
from podlab.api.tokens import Access
from podlab.api.wire import Receive, Scope, Send
from podlab.kubernetes.apiserver import rbac
from podlab.kubernetes.apiserver.errors import ApiError, too_many_requests
from podlab.kubernetes.apiserver.rest import addresses, bodies, requests, users
from podlab.kubernetes.apiserver.rest import documents as server_documents
from podlab.kubernetes.apiserver.rest.addresses import Target
from podlab.kubernetes.apiserver.rest.call import Call, dumps, pieces
from podlab.kubernetes.apiserver.rest.requests import READING, SESSIONS, check_access
from podlab.kubernetes.apiserver.rest.shapes import Many
from podlab.kubernetes.cluster import Cluster as Engine
from podlab.kubernetes.resources import Resource
from podlab.labs import audience
from podlab.labs.database import on_database
from podlab.labs.live import CLUSTERS, LONGEST_WRITING, LiveCluster
from podlab.labs.storage import Fenced

logger = logging.getLogger(__name__)

IN_A_THREAD = 32 * 1024  # bytes of a body that are parsed beside the event loop
ATTEMPTS = 3  # when another process has taken the cluster over

async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """HTTP requests whose path begins with /k8s/."""
    call = Call(scope.get("method", "GET"), [], {}, {})
    begun = False

    async def say(message: dict[str, Any]) -> None:
        nonlocal begun
        begun = True
        await send(message)
    try:
        token, call = wire.call_of(scope)
        access = await authenticate(token)
        if call.of_server:
            await _document(scope, call, access, token, say)
        else:
            await _resource(call, access, receive, say)
    except ConnectionError:
        pass
    except Exception as error:
        if not isinstance(error, ApiError):
            logger.exception("A request to the Kubernetes API failed: %s %s", call.method, "/".join(call.path)[:200])
        if begun:
            await wire.end_stream(send)
        else:
            await wire.refuse(send, call, error if isinstance(error, ApiError) else ApiError(500, "InternalError", "Internal error occurred"))


async def authenticate(token: str) -> Access:
    """What the token opens. Raises ApiError 401, which does not tell why."""
    access = tokens.known(token)
    if access is None:
        try:
            access = await on_database(tokens.find)(token)
        except DatabaseError:
            raise ApiError(503, "ServiceUnavailable", "the server is currently unable to handle the request") from None
        if access is None:
            raise ApiError(401, "Unauthorized", "Unauthorized")
        tokens.remember(access)
    AUTHOR.set(access.author)
    return access


async def live_cluster(access: Access) -> LiveCluster:
    live = await CLUSTERS.get(access.cluster_id)
    live.unwatched_since = time.monotonic()  # whoever asks keeps the cluster awake
    return live


def user_of(engine: Engine, call: Call, access: Access) -> rbac.User:
    """Who asks: the owner of the cluster or a viewer, unless a ServiceAccount's token or an impersonation says otherwise. Raises ApiError."""
    return users.user_of(engine, call, rbac.VIEWER if access.read_only else rbac.OWNER)


def admitted(engine: Engine, call: Call, access: Access, target: Target) -> rbac.User:
    """Who asks, if they may do what they ask for. A read-only token reads, whoever its bearer says to be besides. Raises ApiError.

    What keeps a learner's page from acting (a class whose input is stopped) keeps their kubectl from it.
    """
    user = user_of(engine, call, access)
    if access.read_only:
        check_access(engine, rbac.VIEWER, target)
    check_access(engine, user, target)
    if not access.read_only and (target.verb not in READING or target.subresource in (*SESSIONS, "proxy")):
        audience.permit(access.learner_id, "kubectl")
    return user


def may_act(access: Access) -> bool:
    """The same of a session that is open already."""
    try:
        audience.permit(access.learner_id, "kubectl")
    except ApiError:
        return False
    return True


async def _document(scope: Scope, call: Call, access: Access, token: str, send: Send) -> None:
    """What is not about objects. The owner needs no cluster for it."""
    if access.read_only or "authorization" in call.headers or "impersonate-user" in call.headers:
        live = await live_cluster(access)
        async with live.turn(quiet=True) as engine:
            user = user_of(engine, call, access)
            rbac.check(engine, user, {"verb": call.method.lower(), "path": "/" + "/".join(call.path)})
    if call.path == ["kubeconfig"]:
        await documents.kubeconfig(send, scope, call, token)
    else:
        about_kinds = call.path[:1] in ([], ["apis"], ["openapi"])
        customs = await custom_kinds(access) if about_kinds else ()
        aside = call.path[:1] == ["openapi"]  # its texts are made once, beside the event loop
        found = await asyncio.to_thread(server_documents.answer, call, customs) if aside else server_documents.answer(call, customs)
        await wire.tell(send, call, found)


async def custom_kinds(access: Access) -> tuple[Resource, ...]:
    """The kinds that the people of a cluster defined."""
    live = await live_cluster(access)
    async with live.turn(quiet=True) as engine:
        return engine.server.customs.served()


async def custom_target(access: Access, call: Call) -> Target:
    """What a request means about a kind that not every cluster serves. Raises ApiError."""
    live = await live_cluster(access)
    async with live.turn(quiet=True) as engine:
        return requests.resolve(engine, call)


async def _resource(call: Call, access: Access, receive: Receive, send: Send) -> None:
    target = await custom_target(access, call) if addresses.is_custom(call) else addresses.resolve(call)
    requests.warn(call, target)
    body: Any = None
    twice: list[str] = []
    if target.subresource == "proxy":
        body = await wire.read_body(receive)
    elif requests.has_body(target):
        raw = await wire.read_body(receive)
        arguments = raw, call.headers.get("content-type", "")
        read = bodies.read if len(raw) < IN_A_THREAD else _read_aside
        found: Any = read(*arguments, patching=target.verb == "patch")
        body, twice = await found if asyncio.iscoroutine(found) else found
    for attempt in range(ATTEMPTS):
        live = await live_cluster(access)
        try:
            await _with_cluster(live, hub_of(live), call, access, target, body, twice, receive, send)
            return
        except Fenced:
            CLUSTERS.discard(live)
            if attempt == ATTEMPTS - 1:
                raise ApiError(503, "ServiceUnavailable", "the server is currently unable to handle the request") from None


async def _read_aside(raw: bytes, content_type: str, *, patching: bool) -> tuple[Any, list[str]]:
    return await asyncio.to_thread(bodies.read, raw, content_type, patching=patching)


async def _with_cluster(live: LiveCluster, hub: Hub, call: Call, access: Access, target: Target, body: Any, twice: list[str],
                        receive: Receive, send: Send) -> None:
    if target.verb == "watch" or target.subresource == "log":
        if hub.streams >= settings.API_STREAMS:
            raise too_many_requests("too many streams of this cluster are open")
        admitted(live.engine, call, access, target)
        serve = watch.serve if target.verb == "watch" else logs.serve
        await serve(live, hub, call, access, target, receive, send)
        return
    if not hub.bucket.take():
        raise too_many_requests("too many requests, please try again later")
    if target.subresource == "proxy":
        admitted(live.engine, call, access, target)
        await proxying.serve(live, hub, call, target, body, send)
        return
    status, make = await hub.act(lambda: _perform(live, hub, call, access, target, body, twice))
    await wire.answer(send, call, status, await _written(make, pretty=call.pretty))


async def _written(make: Callable[[], Any], *, pretty: bool) -> bytes:
    """The answer's text. A list, which may be of all that a cluster holds, is written a member at a time, letting others run in between."""
    if not isinstance(make, Many) or not make.objects:
        return dumps(make(), pretty=pretty)
    text, began = [], time.monotonic()
    for piece in pieces(make.head(), make.name, make.members(), pretty=pretty):
        text.append(piece)
        if time.monotonic() - began > LONGEST_WRITING:
            await asyncio.sleep(0)
            began = time.monotonic()
    return b"".join(text)


def _perform(live: LiveCluster, hub: Hub, call: Call, access: Access, target: Target, body: Any,
             twice: list[str]) -> tuple[int, Callable[[], Any]]:
    """(HTTP status, what makes the JSON value: the work that others need not wait for). Call inside a turn. Raises ApiError."""
    engine = live.engine
    user = admitted(engine, call, access, target)
    if target.subresource in SESSIONS:
        raise holds.refusal(engine, call, target)
    return requests.perform(engine, hub, call, user, target, body, twice)
