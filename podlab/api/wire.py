"""HTTP as the API speaks it: a request read with limits, answers in JSON, errors as Status, streams that end when the client goes."""

from __future__ import annotations

import asyncio
import base64
import binascii
import gzip
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any
from urllib.parse import unquote

from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.apiserver.rest.call import Answer, Call, check_length, read_headers, read_query, refusal, warning_values

STALLED = 60.0  # seconds that a stream waits for a client that does not read
ASIDE_FROM = 1 << 20  # bytes that are compressed beside the event loop
GZIP_FROM = 128 * 1024  # bytes: defaultGzipThresholdBytes of the API server
BEARER = "base64url.bearer.authorization.k8s.io."  # a websocket's protocol that names the token (authentication/request/websocket)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]


def call_of(scope: Scope) -> tuple[str, Call]:
    """(token, call) of a scope. Raises ApiError for a query that cannot be read.

    Clients that replace the whole path of a server's address (kubectl proxy, kubectl get --raw) leave a token there out: at the root it
    comes as a bearer token. In both places a ServiceAccount's may follow after "@", since kubectl sends no credentials over plain http.
    """
    raw = scope.get("raw_path") or scope["path"].encode()
    segments = [unquote(part) for part in raw.decode("ascii", "replace").split("?")[0].split("/")[1:]]
    asked = read_query(scope.get("query_string", b"").decode("ascii", "replace"))
    given = read_headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope.get("headers", ()))
    if segments[:1] == ["k8s"]:
        token, base, segments = "".join(segments[1:2]), f"/k8s/{''.join(segments[1:2])}", segments[2:]
    else:
        token, base = _bearer(given.pop("authorization", ""), given.get("sec-websocket-protocol", "")), ""
    secret, _, account = token.partition("@")
    if account:
        given["authorization"] = f"Bearer {account}"
    slash = segments[-1:] == [""]
    return secret, Call(scope.get("method", "GET"), [part for part in segments if part], asked, given, base=base, slash=slash)


def _bearer(authorization: str, protocols: str) -> str:
    """The token of a header, or of a websocket that a browser opened, which can send no such header; "" for none."""
    if authorization[:7].lower() == "bearer ":
        return authorization[7:].strip()
    named = [one.strip().removeprefix(BEARER) for one in protocols.split(",") if one.strip().startswith(BEARER)]
    try:
        return base64.urlsafe_b64decode(named[0] + "=" * (-len(named[0]) % 4)).decode() if len(named) == 1 else ""
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""


async def read_body(receive: Receive) -> bytes:
    """The whole body. Raises ApiError 413 for one that is too long, ConnectionError when the client goes."""
    pieces, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError
        size += len(message.get("body", b""))
        check_length(size)
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(pieces)


def _warning_headers(warnings: list[str]) -> Headers:
    return [(b"warning", text.encode("utf-8", "replace")) for text in warning_values(warnings)]


async def answer(send: Send, call: Call, status: int, body: bytes, kind: str = "application/json", extra: Headers | None = None) -> None:
    """One complete answer."""
    headers: Headers = [(b"content-type", kind.encode()), (b"cache-control", b"no-cache, private"), (b"x-content-type-options", b"nosniff"),
                        *_warning_headers(call.warnings)]
    if extra:
        given = {name for name, _ in extra}
        headers = [one for one in headers if one[0] not in given] + extra
    if len(body) > GZIP_FROM and "gzip" in call.headers.get("accept-encoding", "") and (b"content-encoding", b"gzip") not in headers:
        body = await asyncio.to_thread(gzip.compress, body, 1, mtime=0) if len(body) > ASIDE_FROM else gzip.compress(body, 1, mtime=0)
        headers += [(b"content-encoding", b"gzip"), (b"vary", b"accept-encoding")]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if call.method == "HEAD" else body})


async def tell(send: Send, call: Call, found: Answer) -> None:
    await answer(send, call, found.status, found.body, found.kind, [(name.encode(), value.encode()) for name, value in found.headers])


async def refuse(send: Send, call: Call, error: ApiError) -> None:
    """An error as its Status; one that says when to come again, and a turning away of too many, is asked again by clients by themselves."""
    seconds = (error.details or {}).get("retryAfterSeconds") or (error.code == 429 and not error.details)
    extra: Headers = [(b"retry-after", b"%d" % seconds)] if seconds else []
    found = refusal(call, error)
    await answer(send, call, found.status, found.body, found.kind, extra=extra)


async def start_stream(send: Send, call: Call, kind: str) -> None:
    headers: Headers = [(b"content-type", kind.encode()), (b"cache-control", b"no-cache, private"), (b"x-content-type-options", b"nosniff"),
                        *_warning_headers(call.warnings)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": True})


async def chunk(send: Send, body: bytes) -> None:
    """A piece of a stream. Raises ConnectionError, as `patiently`."""
    await patiently(send, {"type": "http.response.body", "body": body, "more_body": True})


async def patiently(send: Send, message: dict[str, Any]) -> None:
    """Send while the client reads, and wait while it does not. Raises ConnectionError when it has not for STALLED seconds."""
    try:
        async with asyncio.timeout(STALLED):
            await send(message)
    except TimeoutError:
        raise ConnectionError from None


async def end_stream(send: Send) -> None:
    await send({"type": "http.response.body", "body": b""})


async def while_there(receive: Receive, work: Coroutine[Any, Any, None]) -> None:
    """Do the work of a stream; stop it as soon as the client has gone."""
    async def gone() -> None:
        while not (await receive())["type"].endswith(".disconnect"):
            pass
    tasks = [asyncio.ensure_future(work), asyncio.ensure_future(gone())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            if not task.done():
                task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    if isinstance(results[0], Exception) and not isinstance(results[0], asyncio.CancelledError):
        raise results[0]
