"""About the server: discovery, OpenAPI, version and health. The same for every cluster, but for the kinds that its people defined."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from ...resources import Resource
from .. import discovery, issuer, openapi, openapi_v2, openapi_v2_protobuf
from ..errors import ApiError, PageNotFound, method_not_allowed
from . import health, shapes
from .call import Answer, Call, dumps

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v={};as=APIGroupDiscoveryList"
HOUR = ("cache-control", "public, max-age=3600")  # of the issuer's documents
KEPT = ("cache-control", "public, immutable, max-age=31536000")


def answer(call: Call, customs: Sequence[Resource] = ()) -> Answer:
    """What a path says that is about the server and not about a cluster's objects. `customs`: the kinds that the cluster's people defined.

    The openapi texts take long the first time. Raises ApiError 404 or 405.
    """
    if call.method not in ("GET", "HEAD"):
        raise method_not_allowed()
    path = call.path
    if path[:2] == ["openapi", "v3"]:
        return _openapi(call, customs)
    if path == ["openapi", "v2"] and "proto-openapi.spec.v2" in call.headers.get("accept", ""):
        return _unless_known(call, openapi_v2_protobuf.document(customs), openapi_v2_protobuf.MEDIA_TYPE)
    if path == ["openapi", "v2"]:
        return _openapi_v2(call, customs)
    if path and path[0] in health.ROOTS:
        return health.answer(call)
    if path in (["api"], ["apis"]):
        version = _aggregated_version(call)
        if version:
            return _unless_known(call, _aggregated(path == ["api"], version, customs), AGGREGATED.format(version))
    if "/" + "/".join(path) == issuer.CONFIGURATION:
        return Answer(200, dumps(issuer.configuration()).rstrip(), headers=[HOUR])
    if "/" + "/".join(path) == issuer.KEYS:
        return Answer(200, dumps(issuer.keys()).rstrip(), "application/jwk-set+json", [HOUR])
    found = _value(tuple(path), customs)
    if found is None:
        raise PageNotFound
    if not customs and not call.pretty:
        return Answer(200, _plain(tuple(path)))
    return Answer(200, dumps(found, pretty=call.pretty))


@lru_cache(maxsize=64)
def _plain(path: tuple[str, ...]) -> bytes:
    return dumps(_value(path, ()))


def _value(path: tuple[str, ...], customs: Sequence[Resource]) -> Any:
    if not path:
        health_paths = (f"/{'/'.join(filter(None, (root, one)))}" for root in health.ROOTS for one in ("", *health.checks(root)))
        roots = ["/api", "/apis", *(f"/{name}" for name in openapi.names(customs)), *health_paths, "/openapi/v2", "/openapi/v3",
                 "/version", issuer.CONFIGURATION, issuer.KEYS]
        return {"paths": sorted(roots)}
    if path == ("version",):
        return discovery.version_info()
    if path == ("api",):
        return discovery.api_versions()
    if path == ("apis",):
        return discovery.group_list(customs)
    if path[0] == "api" and len(path) == 2:
        return discovery.resource_list("", path[1])
    if path[0] == "apis":
        return discovery.group(path[1], customs) if len(path) == 2 else \
            discovery.resource_list(path[1], path[2], customs) if len(path) == 3 else None
    return None


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
    return _same_for_all(core, version) if core or not customs else dumps(discovery.aggregated(core, version, customs))


@lru_cache(maxsize=8)
def _same_for_all(core: bool, version: str) -> bytes:
    return dumps(discovery.aggregated(core, version))


def _openapi(call: Call, customs: Sequence[Resource]) -> Answer:
    if len(call.path) == 2:
        index = {name: {"serverRelativeURL": f"{call.base}/openapi/v3/{name}?hash={digest}"} for name, digest in _hashes(tuple(customs)).items()}
        return Answer(200, dumps({"paths": index}, pretty=call.pretty))
    text = openapi.document("/".join(call.path[2:]), customs)
    if text is None:
        raise PageNotFound
    digest, asked = openapi.hash_of(text), call.one("hash")
    if asked and asked != digest:  # a document of before: what it has become is told by its own address (kube-openapi, handler3)
        return Answer(301, b"", headers=[("location", f"{call.base}/{'/'.join(call.path)}?hash={digest}")])
    return _unless_known(call, text, "application/json", KEPT if asked else None)


def _openapi_v2(call: Call, customs: Sequence[Resource]) -> Answer:
    """Raises ApiError 406 for a client that takes nothing but protobuf."""
    if not any(kind in shapes.ANY for kind, _ in shapes.accepted(call.headers.get("accept", ""))):
        raise ApiError(406, "NotAcceptable", "only the following media types are accepted: application/json")
    return _unless_known(call, openapi_v2.document(customs) if customs else _swagger_of_all(), "application/json")


@lru_cache(maxsize=1)
def _swagger_of_all() -> bytes:
    return openapi_v2.document()


def _unless_known(call: Call, text: bytes, kind: str, kept: tuple[str, str] | None = None) -> Answer:
    """The text with its hash; 304 without it for a client that has this very text (http.ServeContent, ServeHTTPWithETag)."""
    etag = f'"{openapi.hash_of(text)}"'
    headers = [("etag", etag), ("vary", "accept"), *([kept] if kept else [])]
    if etag in (one.strip().removeprefix("W/") for one in call.headers.get("if-none-match", "").split(",")):
        return Answer(304, b"", kind, headers)
    return Answer(200, text, kind, headers)


@lru_cache(maxsize=64)
def _hash(name: str) -> str:
    return openapi.hash_of(openapi.document(name) or b"")


def _hashes(customs: Sequence[Resource]) -> dict[str, str]:
    own = {f"apis/{one.group}/{one.version}" for one in customs}
    return {name: openapi.hash_of(openapi.document(name, customs) or b"") if name in own else _hash(name) for name in openapi.names(customs)}
