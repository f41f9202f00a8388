"""About the server: discovery, OpenAPI, version and health. The same for every cluster, but for the kinds that its people defined."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest

from podlab.api import shapes, tokens, wire
from podlab.api.addresses import unknown
from podlab.api.wire import Call, Scope, Send
from podlab.kubernetes.apiserver import discovery, openapi, openapi_v2, openapi_v2_protobuf
from podlab.kubernetes.apiserver.errors import ApiError, bad_request, method_not_supported
from podlab.kubernetes.resources import Resource

HEALTH = ("healthz", "livez", "readyz")
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v={};as=APIGroupDiscoveryList"
KEPT = [(b"cache-control", b"public, immutable, max-age=31536000")]


async def answer(send: Send, call: Call, customs: Sequence[Resource] = ()) -> None:
    """Answer a path that is about the server and not about a cluster's objects. `customs`: the kinds that the cluster's people defined.

    Raises ApiError 404 or 405.
    """
    if call.method not in ("GET", "HEAD"):
        raise method_not_supported(call.path[0] if call.path else "/", call.method.lower())
    path = call.path
    if path[:2] == ["openapi", "v3"]:
        await _openapi(send, call, customs)
        return
    if path == ["openapi", "v2"] and "proto-openapi.spec.v2" in call.headers.get("accept", ""):
        await wire.answer(send, call, 200, openapi_v2_protobuf.document(customs), openapi_v2_protobuf.MEDIA_TYPE)
        return
    if path == ["openapi", "v2"]:
        await _openapi_v2(send, call, customs)
        return
    if path and path[0] in HEALTH:
        await wire.answer(send, call, 200, b"ok", "text/plain; charset=utf-8")
        return
    if path in (["api"], ["apis"]):
        version = _aggregated_version(call)
        if version:
            await wire.answer(send, call, 200, _aggregated(path == ["api"], version, customs), AGGREGATED.format(version), [(b"vary", b"accept")])
            return
    found = _value(tuple(path), customs) if customs else _plain(tuple(path))
    if found is None:
        raise unknown()
    await wire.answer(send, call, 200, found)


async def kubeconfig(send: Send, scope: Scope, call: Call, token: str) -> None:
    """A file that leads here: what the page's one-line command fetches. Raises ApiError 400 or 405."""
    if call.method not in ("GET", "HEAD"):
        raise method_not_supported("kubeconfig", call.method.lower())
    try:
        text = tokens.kubeconfig(ASGIRequest(scope, io.BytesIO()), token)
    except DisallowedHost:
        raise bad_request("this host is not served here") from None
    extra = [(b"content-disposition", b'attachment; filename="podlab.yaml"'), (b"cache-control", b"no-store")]
    await wire.answer(send, call, 200, text.encode(), "application/yaml", extra)


@lru_cache(maxsize=64)
def _plain(path: tuple[str, ...]) -> bytes | None:
    return _value(path, ())


def _value(path: tuple[str, ...], customs: Sequence[Resource]) -> bytes | None:
    value: Any = None
    if not path:
        roots = ["/api", "/apis", *(f"/{name}" for name in openapi.names(customs)), *(f"/{name}" for name in HEALTH), "/openapi/v2", "/openapi/v3",
                 "/version"]
        value = {"paths": sorted(roots)}
    elif path == ("version",):
        value = discovery.version_info()
    elif path == ("api",):
        value = discovery.api_versions()
    elif path == ("apis",):
        value = discovery.group_list(customs)
    elif path[0] == "api" and len(path) == 2:
        value = discovery.resource_list("", path[1])
    elif path[0] == "apis":
        value = discovery.group(path[1], customs) if len(path) == 2 else \
            discovery.resource_list(path[1], path[2], customs) if len(path) == 3 else None
    return None if value is None else wire.dumps(value)


def _aggregated_version(call: Call) -> str:
    """v2 or v2beta1 where the client prefers the aggregated form, else ""."""
    for kind, parameters in shapes.accepted(call.headers.get("accept", "")):
        if kind in shapes.ANY:
            if parameters.get("as") == "APIGroupDiscoveryList" and parameters.get("v") in ("v2", "v2beta1"):
                return parameters["v"]
            if "as" not in parameters:
                return ""
    return ""


def _aggregated(core: bool, version: str, customs: Sequence[Resource]) -> bytes:
    return _same_for_all(core, version) if core or not customs else wire.dumps(discovery.aggregated(core, version, customs))


@lru_cache(maxsize=8)
def _same_for_all(core: bool, version: str) -> bytes:
    return wire.dumps(discovery.aggregated(core, version))


async def _openapi(send: Send, call: Call, customs: Sequence[Resource]) -> None:
    if len(call.path) == 2:
        hashes = await asyncio.to_thread(_hashes, tuple(customs))  # the texts are made once, beside the event loop
        index = {name: {"serverRelativeURL": f"{call.base}/openapi/v3/{name}?hash={digest}"} for name, digest in hashes.items()}
        await wire.answer(send, call, 200, wire.dumps({"paths": index}))
        return
    text = await asyncio.to_thread(openapi.document, "/".join(call.path[2:]), customs)
    if text is None:
        raise unknown()
    digest = openapi.hash_of(text)
    await wire.answer(send, call, 200, text, extra=[(b"etag", f'"{digest}"'.encode()), *(KEPT if call.one("hash") == digest else [])])


async def _openapi_v2(send: Send, call: Call, customs: Sequence[Resource]) -> None:
    """Raises ApiError 406 for a client that takes nothing but protobuf."""
    if not any(kind in shapes.ANY for kind, _ in shapes.accepted(call.headers.get("accept", ""))):
        raise ApiError(406, "NotAcceptable", "only the following media types are accepted: application/json")
    text, digest = await asyncio.to_thread(_swagger, customs)
    same = call.headers.get("if-none-match", "").strip('"') == digest
    await wire.answer(send, call, 304 if same else 200, b"" if same else text, extra=[(b"etag", f'"{digest}"'.encode()), (b"vary", b"accept")])


def _swagger(customs: Sequence[Resource]) -> tuple[bytes, str]:
    """(text, hash)."""
    if not customs:
        return _swagger_of_all()
    text = openapi_v2.document(customs)
    return text, openapi.hash_of(text)


@lru_cache(maxsize=1)
def _swagger_of_all() -> tuple[bytes, str]:
    text = openapi_v2.document()
    return text, openapi.hash_of(text)


@lru_cache(maxsize=64)
def _hash(name: str) -> str:
    return openapi.hash_of(openapi.document(name) or b"")


def _hashes(customs: Sequence[Resource]) -> dict[str, str]:
    own = {f"apis/{one.group}/{one.version}" for one in customs}
    return {name: openapi.hash_of(openapi.document(name, customs) or b"") if name in own else _hash(name) for name in openapi.names(customs)}
