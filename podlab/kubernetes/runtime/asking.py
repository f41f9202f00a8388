"""HTTP servers that must ask other servers before they can answer: an authenticating proxy asks for tokens and keys, then its upstream.

    wish(proc, sys, request, learned) -> Wish or None    what must be asked next, given what was learned so far
    answer(proc, sys, request, learned, peer) -> message  called once nothing is left to ask

`learned` is plain data in the connection: {wish's name: {"status", "headers", "body", "error", "address"}}. Whoever answers must not
take it for granted that everything was learned: requests that a client sends at once, without waiting for answers, are answered unasked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from . import http, sockets
from .process import Data, Errno, Process
from .serving import Answer, Chores, feed_http, secured, serve
from .system import Sys

DATAGRAM_MS = 5_000  # agnhost netexec waits so long for a UDP answer
DIAL_MS = 30_000  # Go's net/http: the DefaultTransport's dialer gives up after 30 s
NOTHING: Data = {"status": 0, "headers": [], "body": "", "error": "", "address": ""}
Learned = dict[str, Data]


@dataclass(frozen=True)
class Wish:
    """A request to another server, under the name that its answer is learned by."""

    name: str
    host: str
    port: int
    message: http.Message


@dataclass(frozen=True)
class Datagram:
    """Words to a UDP server; its answer is learned as a body, or "timeout" as an error."""

    name: str
    host: str
    port: int
    text: str


@dataclass(frozen=True)
class Command:
    """A program to run: what it prints, both streams, is learned as a body, its exit code as a status."""

    name: str
    argv: tuple[str, ...]


Wanted = Wish | Datagram | Command
Wishes = Callable[[Process, Sys, http.Message, Learned], Wanted | None]
Answers = Callable[[Process, Sys, http.Message, Learned, str], Answer]


def serve_asking(
    proc: Process, sys: Sys, wish: Wishes, answer: Answers, chores: Chores | None = None, over_tls: tuple[int, ...] = ()
) -> int:
    """Serves HTTP for ever. `over_tls`: ports on which TLS is spoken."""

    def feed(proc: Process, sys: Sys, fd: int, connection: Data, closed: bool) -> bool:
        if "upstream" in connection and not _learn(sys, connection):
            return True
        while True:
            request, _ = http.take(connection["buffer"])
            wanted = wish(proc, sys, request, connection.get("learned", {})) if request is not None else None
            if wanted is None:
                break
            if _ask(sys, connection, wanted):
                return True
        learned = connection.pop("learned", {}) if request is not None else {}
        return feed_http(proc, sys, fd, connection, lambda proc, sys, port, request, peer: answer(proc, sys, request, _take(learned), peer))

    return serve(proc, sys, secured(feed, {port: {"name": "localhost"} for port in over_tls}) if over_tls else feed, chores)


def _take(learned: Learned) -> Learned:
    """What was learned is for the one request that it was asked for."""
    found = dict(learned)
    learned.clear()
    return found


def _ask(sys: Sys, connection: Data, wanted: Wanted) -> bool:
    """Sets out to ask; False when it is already known that there will be no answer."""
    if isinstance(wanted, Command):
        return _run(sys, connection, wanted)
    address = sockets.resolve(sys, wanted.host)[1]
    if not address:
        connection.setdefault("learned", {})[wanted.name] = {**NOTHING, "error": "no such host", "address": wanted.host}
        return False
    if isinstance(wanted, Datagram):
        fd = sockets.bind_datagrams(sys)
        sockets.send(sys, fd, wanted.text, [address[0], wanted.port])
        connection["upstream"] = {"fd": fd, "state": "open", "kind": "datagram", "name": wanted.name, "due": sys.now + DATAGRAM_MS,
                                  "address": f"{address[0]}:{wanted.port}"}
        return True
    connection["upstream"] = {
        "fd": sockets.dial(sys, address[0], wanted.port, DIAL_MS),
        "state": "connecting",
        "send": wanted.message.text(),
        "buffer": "",
        "head": wanted.message.method == "HEAD",
        "name": wanted.name,
        "address": f"{address[0]}:{wanted.port}",
    }
    return True


def _run(sys: Sys, connection: Data, wanted: Command) -> bool:
    reading, writing = sys.pipe()
    fd = sockets.lowest_free(sys)
    sys.assign(fd, reading)
    try:
        pid = sys.spawn(list(wanted.argv), fds={0: None, 1: writing, 2: writing, fd: None})
    except Errno as error:
        sys.close(fd)
        connection.setdefault("learned", {})[wanted.name] = {**NOTHING, "error": error.text}
        return False
    connection["upstream"] = {"fd": fd, "state": "open", "kind": "command", "name": wanted.name, "pid": pid, "buffer": "", "address": ""}
    return True


def _heard(sys: Sys, asked: Data) -> Data | None:
    """What a UDP server answered or a command said, once it is whole."""
    if asked["kind"] == "datagram":
        if sys.readable(asked["fd"]):
            return {**NOTHING, "status": 200, "body": sockets.receive(sys, asked["fd"])[0]}
        return {**NOTHING, "error": "timeout"} if sys.now >= asked["due"] else None
    while sys.readable(asked["fd"]):
        text = sys.read(asked["fd"])
        asked["buffer"] += text
        if not text:
            ended = sys.wait(asked["pid"], block=False)
            if ended is None:  # it has closed its output, and goes on
                asked["due"] = sys.now + 100
                return None
            return {**NOTHING, "status": 128 + ended[2] if ended[2] else ended[1], "body": asked["buffer"]}
    return None


def _learn(sys: Sys, connection: Data) -> bool:
    """Goes on with what is being asked; True when its end has come."""
    asked = connection["upstream"]
    found: Data | None = _heard(sys, asked) if "kind" in asked else None
    if "kind" in asked and found is None:
        return False
    if asked["state"] == "connecting":
        asked["state"] = sockets.dialed(sys, asked["fd"])
        if asked["state"] == "connecting":
            return False
        try:
            if asked["state"] == "open":
                sys.write(asked["fd"], asked["send"])
            else:
                found = {**NOTHING, "error": asked["state"]}
        except Errno as error:
            found = {**NOTHING, "error": error.name}
    while found is None and sys.readable(asked["fd"]):
        text = sys.read(asked["fd"])
        asked["buffer"] += text
        message, _ = http.take(asked["buffer"], closed=not text, head_only=asked["head"])
        if message is not None:
            found = {**NOTHING, "status": message.status, "headers": [list(one) for one in message.headers], "body": message.body}
        elif not text:
            found = {**NOTHING, "error": "EOF"}
    if found is None:
        return False
    sys.close(asked["fd"])
    del connection["upstream"]
    connection.setdefault("learned", {})[asked["name"]] = {**found, "address": asked["address"]}
    return True


def go_error(learned: Data) -> str:
    """How Go says that a server could not be asked."""
    address = learned["address"]
    if learned["error"] == "no such host":
        return f"dial tcp: lookup {address} on 10.96.0.10:53: no such host"
    if learned["error"] == "EOF":
        return "EOF"
    if learned["error"] == "ETIMEDOUT":
        return f"dial tcp {address}: i/o timeout"
    return f"dial tcp {address}: connect: {Errno(learned['error']).text.lower()}"
