"""What HTTP servers in containers share: one process that accepts, reads whole requests, answers, keeps connections alive, proxies.

A program keeps `proc["data"]["listening"] = {port: descriptor}` and `proc["data"][ACCEPT] = {}` and ends its turn with `serve`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone

from .. import http, sockets
from ..process import Data, Errno, Process
from ..system import Sys

ACCEPT = "connections"  # descriptor -> {"port", "peer", "buffer", "upstream"?}
Answer = http.Message | str
"""A response, or the URL of an upstream that is to answer instead."""
Handler = Callable[[Process, Sys, int, http.Message, str], Answer]
REQUEST_US = 120  # CPU time of a small request in a C server, order of magnitude
BAD_GATEWAY = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"


def http_date(ms: int) -> str:
    """`Sat, 21 Nov 2026 02:37:00 GMT`."""
    return datetime.fromtimestamp(ms // 1000, timezone.utc).strftime("%a, %d %b %Y %H:%M:%S GMT")


def clf_time(ms: int) -> str:
    """`21/Nov/2026:02:37:00 +0000`, the common log format's."""
    return datetime.fromtimestamp(ms // 1000, timezone.utc).strftime("%d/%b/%Y:%H:%M:%S +0000")


def open_ports(proc: Process, sys: Sys, ports: list[int], address: str = "0.0.0.0") -> None:
    """Listen on ports, once. Raises Errno (EADDRINUSE)."""
    data = proc["data"]
    if "listening" not in data:
        data["listening"] = {str(port): sockets.listen(sys, port, address) for port in ports}
        data[ACCEPT] = {}


def serve(proc: Process, sys: Sys, answer: Handler) -> int:
    """Serve for ever: every turn does what can be done, then waits (raises Blocked)."""
    listening: dict[str, int] = proc["data"]["listening"]
    connections: dict[str, Data] = proc["data"][ACCEPT]
    while True:
        for port, fd in listening.items():
            while sys.readable(fd):
                made = sockets.accept(sys, fd)
                connections[str(made)] = {"port": int(port), "peer": sockets.peer(sys, made)[0], "buffer": ""}
        for key in list(connections):
            _advance(proc, sys, int(key), connections, answer)
        waits = [*listening.values(), *map(int, connections)]
        waits += [c["upstream"]["fd"] for c in connections.values() if c.get("upstream", {}).get("state") == "open"]
        dialing = tuple(f"sock:{proc['fds'][str(c['upstream']['fd'])]}" for c in connections.values()
                        if c.get("upstream", {}).get("state") == "connecting")
        sys.poll(tuple(waits), objs=dialing)


def _advance(proc: Process, sys: Sys, fd: int, connections: dict[str, Data], answer: Handler) -> None:
    connection = connections[str(fd)]
    if "upstream" in connection:
        _forward(sys, fd, connection, connections)
        return
    while sys.readable(fd):
        text = sys.read(fd)
        if not text:
            _close(sys, fd, connections)
            return
        connection["buffer"] += text
        request, rest = http.take(connection["buffer"])
        while request is not None:
            connection["buffer"] = rest
            sys.charge(REQUEST_US)
            found = answer(proc, sys, connection["port"], request, connection["peer"])
            if isinstance(found, str):
                _dial_upstream(sys, fd, connection, connections, request, found)
                return
            if not _reply(sys, fd, request, found, connections):
                return
            request, rest = http.take(connection["buffer"])


def _reply(sys: Sys, fd: int, request: http.Message, found: http.Message, connections: dict[str, Data]) -> bool:
    """Send a response; False when that ended the connection."""
    keep = request.get("Connection").lower() != "close" and (request.version != "HTTP/1.0" or request.get("Connection").lower() == "keep-alive")
    if not found.get("Connection"):
        found.headers.append(("Connection", "keep-alive" if keep else "close"))
    if request.method == "HEAD":
        found.body = ""
    try:
        sys.write(fd, found.text())
    except Errno:
        keep = False
    if not keep:
        _close(sys, fd, connections)
    return keep


def _close(sys: Sys, fd: int, connections: dict[str, Data]) -> None:
    held = connections.pop(str(fd))
    if "upstream" in held and held["upstream"]["fd"] >= 0:
        sys.close(held["upstream"]["fd"])
    sys.close(fd)


def _dial_upstream(sys: Sys, fd: int, connection: Data, connections: dict[str, Data], request: http.Message, url: str) -> None:
    _, host, port, target = http.split_url(url)
    path = request.target if target == "/" and url.count("/") == 2 else target.rstrip("/") + "/" + request.target.lstrip("/")
    headers = [(name, value) for name, value in request.headers if name.lower() not in ("host", "connection", "content-length")]
    forwarded = http.request(request.method, path, host if port == 80 else f"{host}:{port}",
                             [*headers, ("X-Forwarded-For", connection["peer"]), ("Connection", "close")], request.body)
    _, addresses = sockets.resolve(sys, host)
    connection["upstream"] = {"fd": -1, "state": "connecting", "send": forwarded.text(), "buffer": "", "asked": [request.start, request.headers],
                              "head": request.method == "HEAD"}
    if not addresses:
        _upstream_failed(sys, fd, connection, connections)
        return
    connection["upstream"]["fd"] = sockets.dial(sys, addresses[0], port)
    _forward(sys, fd, connection, connections)


def _forward(sys: Sys, fd: int, connection: Data, connections: dict[str, Data]) -> None:
    upstream = connection["upstream"]
    if upstream["state"] == "connecting":
        upstream["state"] = sockets.dialed(sys, upstream["fd"])
        if upstream["state"] == "connecting":
            return
        if upstream["state"] != "open":
            _upstream_failed(sys, fd, connection, connections)
            return
        sys.write(upstream["fd"], upstream["send"])
    while sys.readable(upstream["fd"]):
        text = sys.read(upstream["fd"])
        upstream["buffer"] += text
        message, _ = http.take(upstream["buffer"], closed=not text, head_only=upstream["head"])
        if message is not None:
            message.headers = [(n, v) for n, v in message.headers if n.lower() not in ("connection", "transfer-encoding", "content-length")]
            message.headers.append(("Content-Length", str(http.size(message.body))))
            _finish_upstream(sys, fd, connection, connections, message)
            return
        if not text:
            _upstream_failed(sys, fd, connection, connections)
            return


def _upstream_failed(sys: Sys, fd: int, connection: Data, connections: dict[str, Data]) -> None:
    _finish_upstream(sys, fd, connection, connections, http.response(502, BAD_GATEWAY, [("Content-Type", "text/html")]))


def _finish_upstream(sys: Sys, fd: int, connection: Data, connections: dict[str, Data], message: http.Message) -> None:
    upstream = connection.pop("upstream")
    if upstream["fd"] >= 0:
        sys.close(upstream["fd"])
    start, headers = upstream["asked"]
    _reply(sys, fd, http.Message(start, [tuple(h) for h in headers]), message, connections)
