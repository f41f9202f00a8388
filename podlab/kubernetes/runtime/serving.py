"""What servers in containers share: one process that accepts, reads, answers; for HTTP also keep-alive, late answers and proxying.

A program ends every turn with `serve` (any protocol) or `serve_http`. Its memory: `proc["data"]["listening"]` {port: descriptor} and
`proc["data"]["connections"]` {descriptor: {"port", "peer", "buffer", "more"?, "due"?, "late"?, "upstream"?}}. An idle server waits for its
descriptors only: no timer runs.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from . import http, sockets, tls
from .numerals import is_whole, saturated
from .process import INT, QUIT, TERM, Data, Errno, Process
from .program import Program, register
from .system import Sys

REQUEST_LINE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+ \S+ HTTP/\d\.\d\r?$")
HEAD_END = re.compile(r"\n\r?\n")
LENGTH = re.compile(r"\ncontent-length:[ \t]*([0-9]+)", re.I)
REQUEST_US = 120  # CPU time of a small request in a C server, order of magnitude


@dataclass(frozen=True)
class Proxy:
    """The answer of another server: `url` is asked for, as a reverse proxy asks; `failed` is the answer when it cannot be had."""

    url: str
    failed: http.Message
    host: str = ""  # the Host header sent; "" the URL's


@dataclass(frozen=True)
class Late:
    """An answer that takes `ms`."""

    ms: int
    message: http.Message


Answer = http.Message | Proxy | Late
Handler = Callable[[Process, Sys, int, http.Message, str], Answer]
Feed = Callable[[Process, Sys, int, Data, bool], bool]
"""(proc, sys, descriptor, connection, the client has closed) -> keep the connection; consumes connection["buffer"]."""


def ends_at_once(proc: Process, sys: Sys, n: int) -> bool:
    """The signal function of a server that ends with code 0 when asked to."""
    if n in (TERM, QUIT, INT):
        sys.exit(0)
    return False


def interrupted(proc: Process, sys: Sys, n: int) -> bool:
    """The signal function of a client that ^C ends as its shell would say it."""
    if n == INT:
        sys.exit(130)
    return False


def go_runtime_ends(proc: Process, sys: Sys, n: int) -> bool:
    """The signal function of a Go program that handles nothing: as process 1, which the kernel spares, Go's own runtime ends it with code 2
    (runtime/signal_unix.go, dieFromSignal)."""
    if n in (TERM, QUIT, INT) and proc["pid"] == 1:
        sys.exit(2)
    return False


def listen_on(proc: Process, sys: Sys, ports: list[int], address: str = "0.0.0.0") -> None:
    """Listens on the ports, once in the process's life. Raises Errno (EADDRINUSE)."""
    data = proc["data"]
    if "listening" not in data:
        data["listening"] = {}
        data["connections"] = {}
        for port in ports:
            data["listening"][str(port)] = sockets.listen(sys, port, address)


# ---- any protocol


@dataclass
class Waits:
    """What a server that has more to do than serving waits for besides: descriptors, kernel objects, a time (ms from now), file systems."""

    fds: tuple[int, ...] = ()
    objs: tuple[str, ...] = ()
    ms: int | None = None
    changes: tuple[str, ...] = ()


Chores = Callable[[Process, Sys], Waits]
"""Done before each wait: the server's own work, and what the next of it waits for."""


def serve(proc: Process, sys: Sys, feed: Feed, chores: Chores | None = None) -> int:
    """Serves for ever: every turn does what can be done, then waits (raises Blocked)."""
    listening: dict[str, int] = proc["data"]["listening"]
    connections: dict[str, Data] = proc["data"]["connections"]
    while True:
        for port, fd in listening.items():
            while sys.readable(fd):
                made = sockets.accept(sys, fd)
                connections[str(made)] = {"port": int(port), "peer": sockets.peer(sys, made)[0], "buffer": ""}
        for key in list(connections):
            if not _advance(proc, sys, int(key), connections[key], feed):
                _close(sys, int(key), connections)
        if any("more" in connection for connection in connections.values()):
            sys.breathe()
            continue
        waits = list(listening.values())
        dialing: list[str] = []
        due: list[int] = []
        for key, connection in connections.items():
            if "late" in connection:
                due.append(connection["due"])
            elif "upstream" in connection:
                upstream = connection["upstream"]["fd"]
                if "due" in connection["upstream"]:
                    due.append(connection["upstream"]["due"])
                if connection["upstream"]["state"] == "open":
                    waits.append(upstream)
                else:
                    dialing.append("sock:" + proc["fds"][str(upstream)])
            else:
                waits.append(int(key))
        more = chores(proc, sys) if chores else Waits()
        if more.ms is not None:
            due.append(sys.now + more.ms)
        sys.poll((*waits, *more.fds), max(0, min(due) - sys.now) if due else None, objs=(*dialing, *more.objs), changes=more.changes)


def _advance(proc: Process, sys: Sys, fd: int, connection: Data, feed: Feed) -> bool:
    if "late" in connection or "upstream" in connection or connection.pop("more", False):
        return feed(proc, sys, fd, connection, False)
    while sys.readable(fd):
        text = sys.read(fd)
        connection["buffer"] += text
        if not feed(proc, sys, fd, connection, not text):
            return False
        if "more" in connection:
            return True  # an end that came is found again
        if not text:
            return False
        if "late" in connection or "upstream" in connection:
            return True
    return True


def _close(sys: Sys, fd: int, connections: dict[str, Data]) -> None:
    held = connections.pop(str(fd))
    if "upstream" in held and held["upstream"]["fd"] >= 0:
        sys.close(held["upstream"]["fd"])
    sys.close(fd)


# ---- HTTP


def serve_http(proc: Process, sys: Sys, answer: Handler, chores: Chores | None = None, over_tls: tuple[int, ...] = ()) -> int:
    """Serves HTTP for ever; `answer` gives each request its answer. `over_tls`: ports on which TLS is spoken."""
    def feed(proc: Process, sys: Sys, fd: int, connection: Data, closed: bool) -> bool:
        return feed_http(proc, sys, fd, connection, answer)

    return serve(proc, sys, secured(feed, {port: {"name": "localhost"} for port in over_tls}) if over_tls else feed, chores)


def feed_http(proc: Process, sys: Sys, fd: int, connection: Data, answer: Handler) -> bool:
    """A `Feed` that reads HTTP."""
    if "upstream" in connection and not _forward(sys, fd, connection):
        return False
    if "late" in connection:
        if sys.now < connection["due"]:
            return True
        del connection["due"]
        if not _reply(sys, fd, http.Message(*_asked(connection)), _stored(connection.pop("late"))):
            return False
    first = True
    while "late" not in connection and "upstream" not in connection:
        request, rest = http.take(connection["buffer"])
        if request is None:
            return not _refused(sys, fd, connection) and not _is_too_large(sys, fd, connection)
        if not first and sys.is_tired():  # many came at once: this one in a later turn
            connection["more"] = True
            return True
        first, connection["buffer"] = False, rest
        if (length := request.get("Content-Length")) and not is_whole(length):
            return _bad_request(sys, fd, connection)
        sys.charge(REQUEST_US)
        found = answer(proc, sys, connection["port"], request, connection["peer"])
        if isinstance(found, http.Message):
            if not _reply(sys, fd, request, found):
                return False
            continue
        connection["asked"] = [request.start, [list(h) for h in request.headers]]
        if isinstance(found, Late):
            connection.update(due=sys.now + found.ms, late=[found.message.start, [list(h) for h in found.message.headers], found.message.body])
        elif not _dial(sys, fd, connection, request, found):
            return False
    return True


def _refused(sys: Sys, fd: int, connection: Data) -> bool:
    """Whether the first line that came is no request's: it is answered at once, without awaiting headers (Go's net/http, readRequest)."""
    line, newline, _ = connection["buffer"].partition("\n")
    if not newline or REQUEST_LINE.match(line) or not line.strip("\r"):
        return False
    _bad_request(sys, fd, connection)
    return True


HEAD_MAX, REQUEST_MAX = 65_536, 4 << 20
"""Characters of a request's head (nginx's large_client_header_buffers are 32 KiB) and of a whole request that a server waits for."""


def _is_too_large(sys: Sys, fd: int, connection: Data) -> bool:
    """Whether more has come than a request may have: that is answered. What waits for the rest is looked through again each time: it costs."""
    held = connection["buffer"]
    sys.charge(len(held) >> 9)
    head = HEAD_END.search(held, 0, HEAD_MAX)
    if len(held) > HEAD_MAX and head is None:
        _bad_request(sys, fd, connection)
        return True
    told = LENGTH.search(held, 0, head.start()) if head is not None else None
    if len(held) > REQUEST_MAX or (told is not None and saturated(told[1]) > REQUEST_MAX):
        _bad_request(sys, fd, connection, "413 Request Entity Too Large")
        return True
    return False


def _bad_request(sys: Sys, fd: int, connection: Data, text: str = "400 Bad Request") -> bool:
    """Says that the connection is to end, and why."""
    with contextlib.suppress(Errno):
        message = f"HTTP/1.1 {text}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n{text}"
        tls.write(sys, fd, connection.get("session"), message)
    return False


def secured(feed: Feed, contexts: Mapping[int, Data]) -> Feed:
    """A `Feed` that speaks TLS on the ports that have a context (as tls.py has it). The session is in the connection, so that answers go out
    over it."""

    def take(proc: Process, sys: Sys, fd: int, connection: Data, closed: bool) -> bool:
        if connection["port"] not in contexts:
            return feed(proc, sys, fd, connection, closed)
        session = connection.setdefault("session", tls.server())
        come, connection["buffer"] = connection["buffer"], connection.pop("plain", "")
        connection["buffer"] += tls.feed(sys, fd, session, come, contexts[connection["port"]])
        if session["state"] == "failed":
            return False
        keep = feed(proc, sys, fd, connection, closed)
        connection["plain"], connection["buffer"] = connection["buffer"], ""
        return keep

    return take


def _asked(connection: Data) -> tuple[str, list[tuple[str, str]]]:
    start, headers = connection.pop("asked")
    return start, [(name, value) for name, value in headers]


def _stored(parts: list[object]) -> http.Message:
    start, headers, body = parts
    assert isinstance(headers, list)
    return http.Message(str(start), [(name, value) for name, value in headers], str(body))


def _reply(sys: Sys, fd: int, request: http.Message, found: http.Message) -> bool:
    """Sends a response; False when the connection is to end. One without a first line is none: the server hangs up."""
    if not found.start:
        return False
    wish = request.get("Connection").lower()
    keep = (request.version == "HTTP/1.1" and wish != "close") or (request.version == "HTTP/1.0" and wish == "keep-alive")
    keep = keep and found.get("Connection").lower() != "close"
    if not found.get("Connection"):
        found.headers.append(("Connection", "keep-alive" if keep else "close"))
    if request.method == "HEAD":
        found.body = ""
    try:
        tls.write(sys, fd, sys.proc["data"]["connections"][str(fd)].get("session"), found.text())
    except Errno:
        return False
    return keep


CONNECTIONS_MAX = 1024
"""Connections of one server, those it opens counted (nginx's worker_connections in its image): a proxy that leads to itself ends there."""


def _dial(sys: Sys, fd: int, connection: Data, request: http.Message, proxy: Proxy) -> bool:
    _, host, port, target = http.split_url(proxy.url)
    path = request.target if target == "/" and proxy.url.count("/") == 2 else target
    headers = [(name, value) for name, value in request.headers if name.lower() not in ("host", "connection", "content-length", "x-forwarded-for")]
    past = request.get("X-Forwarded-For")
    forwarded = http.request(
        request.method,
        path,
        proxy.host or (host if port == 80 else f"{host}:{port}"),
        [*headers, ("X-Forwarded-For", f"{past}, {connection['peer']}" if past else connection["peer"]), ("Connection", "close")],
        request.body,
    )
    connection["upstream"] = {
        "fd": -1,
        "state": "connecting",
        "send": forwarded.text(),
        "buffer": "",
        "head": request.method == "HEAD",
        "failed": [proxy.failed.start, [list(h) for h in proxy.failed.headers], proxy.failed.body],
    }
    _, addresses = sockets.resolve(sys, host)
    if not addresses or 2 * len(sys.proc["data"]["connections"]) > CONNECTIONS_MAX:
        return _finish(sys, fd, connection, None)
    made = connection["upstream"]["fd"] = sockets.dial(sys, addresses[0], port, 60_000)  # proxy_connect_timeout's default
    sockets.follow(sys, made, fd)
    return True


def _forward(sys: Sys, fd: int, connection: Data) -> bool:
    upstream = connection["upstream"]
    if upstream["state"] == "connecting":
        upstream["state"] = sockets.dialed(sys, upstream["fd"])
        if upstream["state"] == "connecting":
            return True
        if upstream["state"] != "open":
            return _finish(sys, fd, connection, None)
        sys.write(upstream["fd"], upstream["send"])
    while sys.readable(upstream["fd"]):
        text = sys.read(upstream["fd"])
        upstream["buffer"] += text
        message, _ = http.take(upstream["buffer"], closed=not text, head_only=upstream["head"])
        if message is not None or not text:
            return _finish(sys, fd, connection, message)
    return True


def _finish(sys: Sys, fd: int, connection: Data, message: http.Message | None) -> bool:
    upstream = connection.pop("upstream")
    if upstream["fd"] >= 0:
        sys.close(upstream["fd"])
    if message is None:
        message = _stored(upstream["failed"])
    else:
        kept = [(n, v) for n, v in message.headers if n.lower() not in ("connection", "transfer-encoding", "content-length", "keep-alive")]
        message.headers = [*kept, ("Content-Length", str(http.size(message.body)))]
    return _reply(sys, fd, http.Message(*_asked(connection)), message)


# ---- whole programs

Prepare = Callable[[Process, Sys], int | tuple[str, int] | str]
"""Before listening: the port (and the address, else all), or a text on standard error for which the program ends with code 1."""


def web_program(
    name: str,
    prepare: Prepare,
    answer: Handler,
    *,
    memory: int,
    signal: Callable[[Process, Sys, int], bool] | None = ends_at_once,
) -> None:
    """Registers a program that listens on one port and answers HTTP."""

    def run(proc: Process, sys: Sys, event: Data | None) -> int:
        if "listening" not in proc["data"]:
            found = prepare(proc, sys)
            if isinstance(found, str):
                sys.err(found)
                return 1
            try:
                address, port = found if isinstance(found, tuple) else ("0.0.0.0", found)
                listen_on(proc, sys, [port], address)
            except Errno as error:
                sys.err(f"listen tcp :{port}: bind: {error.text.lower()}\n")
                return 1
        return serve_http(proc, sys, answer)

    register(Program(name, lambda proc, sys: run(proc, sys, None), run, signal, memory))


def query(request: http.Message) -> dict[str, str]:
    """The parameters of a request's target."""
    return dict(parse_qsl(request.target.partition("?")[2], keep_blank_values=True))
