"""What the network's tools share: options, and one request to a server as a step that may have to wait."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from .. import http, sockets, tls
from ..process import Data, Errno, Process
from ..system import Sys
from .common import usage


@dataclass(frozen=True)
class Long:
    """A long option: the letter that it stands for, and whether it takes a value."""

    letter: str
    takes: bool = False


class BadOption(Exception):
    """The command line's fault; `option` as it was written, `missing` when its value is."""

    def __init__(self, option: str, missing: bool = False) -> None:
        super().__init__(option)
        self.option, self.missing = option, missing


def parse(argv: list[str], short: str, long: dict[str, Long], *, single_dash: bool = False) -> tuple[list[tuple[str, str]], list[str]]:
    """([(letter, value or "")] in order, operands). `short` as getopt's "ab:". `single_dash`: -long=value is allowed too. Raises BadOption."""
    found: list[tuple[str, str]] = []
    operands: list[str] = []
    todo = list(argv)
    while todo:
        word = todo.pop(0)
        if word == "--":
            return found, operands + todo
        if word.startswith("--") or (single_dash and word.startswith("-") and len(word) > 2):
            name, equals, value = word.lstrip("-").partition("=")
            option = long.get(name)
            if option is not None:
                if option.takes and not equals:
                    if not todo:
                        raise BadOption(word, True)
                    value = todo.pop(0)
                found.append((option.letter, value))
                continue
            if word.startswith("--"):
                raise BadOption(word)
        if len(word) < 2 or word[0] != "-":
            operands.append(word)
            continue
        at = 1
        while at < len(word):
            letter, at = word[at], at + 1
            where = short.find(letter)
            if where < 0 or letter == ":":
                raise BadOption("-" + letter)
            if short[where + 1 : where + 2] != ":":
                found.append((letter, ""))
                continue
            value = word[at:]
            if not value:
                if not todo:
                    raise BadOption("-" + letter, True)
                value = todo.pop(0)
            found.append((letter, value))
            break
    return found, operands


def parse_busybox(proc: Process, sys: Sys, short: str, long: dict[str, Long] | None = None) -> tuple[list[tuple[str, str]], list[str]]:
    """As `parse`; a fault ends the tool the way busybox's do."""
    try:
        return parse(proc["argv"][1:], short, long or {})
    except BadOption as error:
        if error.option.startswith("--"):
            usage(
                proc,
                sys,
                f"unrecognized option '{error.option}'" if not error.missing else f"option '{error.option}' requires an argument",
            )
        usage(
            proc,
            sys,
            f"option requires an argument -- '{error.option[1:]}'" if error.missing else f"invalid option -- '{error.option[1:]}'",
        )
        raise


def busybox_version(sys: Sys) -> tuple[int, int]:
    """(1, 36) by the image's tag; other images have the newest."""
    image = str(sys.container["image"])
    match = re.search(r"busybox:(\d+)\.(\d+)", image)
    return (int(match[1]), int(match[2])) if match else (1, 36)


class Failed(Exception):
    """A request that got no answer. `why`: resolve, timeout (the whole time is over), connect (with `errno`), empty, reset, partial."""

    def __init__(self, why: str, errno: str = "") -> None:
        super().__init__(why)
        self.why, self.errno = why, errno


def connect(proc: Process, sys: Sys, address: str, port: int, *, connect_ms: int | None = None, deadline: int | None = None) -> int:
    """A connected descriptor. Raises Blocked until it stands; Failed. `deadline`: virtual ms when all time is over."""
    limit = connect_ms
    if deadline is not None:
        left = max(0, deadline - sys.now)
        limit = left if limit is None else min(left, limit)
    try:
        return sockets.connect(sys, "socket", address, port, limit)
    except Errno as error:
        if deadline is not None and sys.now >= deadline:
            raise Failed("timeout", error.name) from None
        raise Failed("connect", error.name) from None


def secure(proc: Process, sys: Sys, name: str, *, deadline: int | None = None) -> Data | None:
    """Shakes hands over the connected socket (TLS, SNI `name`) and gives the server's certificate as tls.py has it, unjudged; what follows on
    the socket goes over the session. Raises Blocked; Failed "tls" (`errno` is BoringSSL's name) or "reset"."""
    data = proc["data"]
    fd = int(data["socket"])
    if "session" not in data:
        data["session"] = tls.client(sys, fd, {"sni": name})
    session = data["session"]
    while session["state"] != "open":
        if deadline is not None and sys.now >= deadline:
            raise Failed("timeout")
        if not sys.readable(fd):
            sys.poll((fd,), None if deadline is None else deadline - sys.now)
        piece = sys.read(fd)
        tls.feed(sys, fd, session, piece, {})
        if session["state"] == "failed":
            raise Failed("tls", session["error"])
        if not piece and session["state"] != "open":
            raise Failed("reset")
    peer: Data | None = session["peer"]
    return peer


def exchange(proc: Process, sys: Sys, text: str, *, head: bool = False, deadline: int | None = None,
             tell: Callable[[http.Message], bool] | None = None) -> http.Message:
    """Sends a request on the connected socket and gives the answer once it is whole. Raises Blocked meanwhile; Failed.
    The message's `body` may be short of its Content-Length when the connection broke off: see `is_partial`.
    `tell` gets the pieces of an answer in chunks as they come, and says whether it has used them; the rest is then the message's body."""
    data = proc["data"]
    fd = int(data["socket"])
    if "buffer" not in data:
        data["buffer"] = ""
        try:
            tls.write(sys, fd, data.get("session"), text)
        except Errno:
            raise Failed("reset") from None
    while True:
        coming = http.begun(data["buffer"]) if tell is not None else None
        if coming is not None and coming[0].body and tell is not None and tell(coming[0]):
            data["buffer"] = coming[1]
        if deadline is not None and sys.now >= deadline:
            raise Failed("timeout")
        if not sys.readable(fd):
            sys.poll((fd,), None if deadline is None else deadline - sys.now)
        piece = sys.read(fd)
        data["buffer"] += tls.feed(sys, fd, data["session"], piece, {}) if "session" in data else piece
        message, _ = http.take(data["buffer"], closed=not piece, head_only=head)
        if message is not None and message.status != 100:
            return message
        if not piece:
            if data["buffer"]:
                return http.Message("HTTP/0.9 200 OK", [], data["buffer"])
            raise Failed("reset" if sockets.dialed(sys, fd) == "ECONNRESET" else "empty")


def is_partial(message: http.Message) -> bool:
    length = message.get("Content-Length")
    return length.isdigit() and http.size(message.body) < int(length)


def hang_up(proc: Process, sys: Sys) -> None:
    """Closes the socket of the last exchange, if any."""
    data: Data = proc["data"]
    data.pop("buffer", None)
    data.pop("session", None)
    fd = data.pop("socket", None)
    if fd is not None:
        sys.close(fd)
