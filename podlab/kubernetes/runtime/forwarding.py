"""What proxies share: connections accepted and made, TLS on either side, one attempt after another, deadlines, and bytes passed through.

A proxy is a subclass of `Gateway`, made anew for each turn; everything that lasts is in the process's data:

    listening    {key: descriptor}
    down         {descriptor: {"key", "peer": [address, port], "original": [address, port] or None, "mode": detect | http | tcp,
                 "tls": session or None, "buffer", "rq": request or None, "up": try or None}}
    checks       {name: {"try", ...}} of exchanges that no client has asked for (health checks)

A request is {"head": [start, headers, body] as it came, "began", "due" ms or None, "attempts", "try": try or None, "until": ms or None
(it waits), "queued", ...}; a try {"fd", "host": [address, port], "state": connecting | tls | sent | open, "tls", "text", "buffer", "began",
"connect_due", "due"}. The rest of their keys is the proxy's own. An idle proxy waits for its descriptors only: no timer runs. A new
connection is made for every try (real proxies keep them in pools).
"""

# ruff: noqa: B027  (hooks that a proxy may leave as they are)

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from . import http, sockets, tls
from .process import Data, Errno, Process
from .system import Sys

LOOP = 16  # hops after which a request runs in a circle: a proxy's own traffic is redirected into it
MOST = 512  # connections that a proxy holds; the file descriptors of a container are 1024 by default
FORWARD_US = 150  # CPU of a request on its way through a proxy, order of magnitude


class Gateway(ABC):
    """One turn of a proxy's process."""

    def __init__(self, proc: Process, sys: Sys) -> None:
        self.proc, self.sys = proc, sys
        self.data: Data = proc["data"]
        self.data.setdefault("down", {})
        self.data.setdefault("checks", {})

    # ---- what a proxy decides

    @abstractmethod
    def accepted(self, fd: int, conn: Data) -> None:
        """A connection has come in: set conn["mode"], and conn["tls"] where a handshake is awaited."""

    def detect(self, fd: int, conn: Data) -> None:
        """The first bytes of a connection in mode "detect" are in conn["buffer"]: decide its mode, or leave it."""
        conn["mode"] = "http"

    def context(self, conn: Data) -> Data:
        """The TLS context of an accepted connection."""
        return {}

    def upstream_context(self, owner: Data) -> Data | None:
        """The TLS context with which to go on for a request or connection; None: plain."""
        return None

    @abstractmethod
    def begin(self, fd: int, conn: Data, message: http.Message) -> None:
        """A request is there: `answer` it, or give it a try (`attempt`), or let it wait (conn["rq"]["until"])."""

    @abstractmethod
    def due(self, fd: int, conn: Data, rq: Data) -> None:
        """The wait of a request is over."""

    @abstractmethod
    def ended(self, fd: int, conn: Data, rq: Data, kind: str, message: http.Message | None, detail: str) -> None:
        """A try has ended. kind: response | connect | connect-timeout | tls | tls-late (after the request was sent) | reset | try-timeout |
        timeout; detail an errno or TLS error."""

    def refused(self, fd: int, conn: Data, error: str) -> None:
        """A client's handshake has failed."""

    def dropped(self, fd: int, conn: Data, rq: Data) -> None:
        """The client has gone before its answer."""

    def closed(self, fd: int, conn: Data) -> None:
        """A connection has ended."""

    def checked(self, name: str, check: Data, message: http.Message | None) -> None:
        """A health check has ended; no message: it failed."""

    def timers(self) -> list[int]:
        """Moments at which the proxy wants a turn of its own."""
        return []

    def tick(self) -> None:
        """Before anything else, in each turn."""

    # ---- the loop

    def run(self) -> int:
        """Forwards until the proxy is to end (raises Blocked)."""
        sys, listening = self.sys, self.data["listening"]
        while True:
            self.tick()
            for key, fd in listening.items():
                while sys.readable(fd):
                    self._accept(key, fd)
            for fd in list(self.data["down"]):
                if fd in self.data["down"]:
                    self._advance(int(fd), self.data["down"][fd])
            for name in list(self.data["checks"]):
                self._check(name, self.data["checks"][name])
            if self.data.get("quit"):
                return 0
            fds, moments = list(listening.values()), self.timers()
            objs: list[str] = []
            for fd, conn in self.data["down"].items():
                rq = conn["rq"]
                if not conn.get("eof"):
                    fds.append(int(fd))
                moments += [at for at in (rq["due"], rq["until"]) if at is not None] if rq else []
                for one in (rq["try"] if rq else None, conn["up"]):
                    self._awaits(one, fds, objs, moments)
            for check in self.data["checks"].values():
                self._awaits(check["try"], fds, objs, moments)
            sys.poll(tuple(fds), max(0, min(moments) - sys.now) if moments else None, objs=tuple(objs))

    def _awaits(self, one: Data | None, fds: list[int], objs: list[str], moments: list[int]) -> None:
        if one is None:
            return
        if one["state"] == "connecting":
            objs.append("sock:" + self.proc["fds"][str(one["fd"])])
            moments.append(one["connect_due"])
        else:
            fds.append(one["fd"])
        if one["due"] is not None:
            moments.append(one["due"])

    def _accept(self, key: str, fd: int) -> None:
        made = sockets.accept(self.sys, fd)
        if len(self.data["down"]) >= MOST or sockets.depth(self.sys, made) > LOOP:
            self.sys.close(made)
            return
        original = sockets.original(self.sys, made)
        conn = {
            "key": key, "peer": list(sockets.peer(self.sys, made)), "local": list(sockets.local(self.sys, made)),
            "original": list(original) if original else None, "mode": "detect", "tls": None, "buffer": "", "rq": None, "up": None,
            "began": self.sys.now,
        }  # fmt: skip
        self.data["down"][str(made)] = conn
        self.accepted(made, conn)

    def _advance(self, fd: int, conn: Data) -> None:
        if not self._read(fd, conn):
            return
        if conn["mode"] == "tcp":
            self._pipe(fd, conn)
            return
        if conn["mode"] == "detect":
            return
        while str(fd) in self.data["down"]:
            rq = conn["rq"]
            if rq is None:
                message, rest = http.take(conn["buffer"])
                if message is None:
                    return
                conn["buffer"] = rest
                self.sys.charge(FORWARD_US)
                self.begin(fd, conn, message)
                if conn["rq"] is None and str(fd) in self.data["down"]:
                    continue
                return
            if not self._step(fd, conn, rq):
                return

    def _read(self, fd: int, conn: Data) -> bool:
        """Takes in what a client sent; False when the connection is over."""
        sys = self.sys
        while not conn.get("eof") and sys.readable(fd):
            text = sys.read(fd)
            if not text:
                if conn["mode"] == "tcp" and conn["up"] is not None:
                    conn["eof"] = True  # the rest of the other direction may still come
                    return True
                if conn["rq"] is not None:
                    self.dropped(fd, conn, conn["rq"])
                self.close(fd, conn)
                return False
            if conn["tls"] is not None:
                text = tls.feed(sys, fd, conn["tls"], text, self.context(conn))
                if conn["tls"]["state"] == "failed":
                    self.refused(fd, conn, conn["tls"]["error"])
                    self.close(fd, conn)
                    return False
            conn["buffer"] += text
            if conn["mode"] == "detect" and conn["buffer"]:
                self.detect(fd, conn)
        return True

    def close(self, fd: int, conn: Data) -> None:
        """Ends a client's connection and whatever was tried for it."""
        if self.data["down"].pop(str(fd), None) is None:
            return
        if conn["rq"] is not None:
            self.abandon(conn["rq"])
        if conn["up"] is not None and conn["up"]["fd"] >= 0:
            self.sys.close(conn["up"]["fd"])
        self.sys.close(fd)
        self.closed(fd, conn)

    # ---- requests

    def new_request(self, conn: Data, message: http.Message, **own: Any) -> Data:
        """The request that conn carries from now on."""
        head = [message.start, [list(header) for header in message.headers], message.body]
        conn["rq"] = {"head": head, "began": self.sys.now, "due": None, "attempts": 0, "try": None, "until": None, "queued": False, **own}
        found: Data = conn["rq"]
        return found

    def attempt(self, fd: int, rq: Data, host: list[Any], message: http.Message, connect_ms: int, try_ms: int | None) -> None:
        """Sends the request on to a host, in a connection of its own."""
        rq["attempts"] += 1
        rq["until"], rq["queued"] = None, False
        rq["try"] = self._dial(host, message.text(), connect_ms, try_ms)
        sockets.follow(self.sys, rq["try"]["fd"], fd, rq["attempts"])

    def _dial(self, host: list[Any], text: str, connect_ms: int, try_ms: int | None) -> Data:
        now = self.sys.now
        return {
            "fd": sockets.dial(self.sys, host[0], host[1]), "host": host, "state": "connecting", "tls": None, "text": text, "buffer": "",
            "began": now,
            "connect_due": now + connect_ms, "due": None if try_ms is None else now + try_ms,
        }  # fmt: skip

    def abandon(self, rq: Data) -> None:
        """Ends the present try, if there is one."""
        one = rq["try"]
        if one is not None:
            rq["try"] = None
            self.sys.close(one["fd"])

    def _step(self, fd: int, conn: Data, rq: Data) -> bool:
        """One move of a request; False when it must wait."""
        now, one = self.sys.now, rq["try"]
        if one is not None:
            kind, message, detail = self._move(one, rq)
            if kind:
                self.abandon(rq)
                self.ended(fd, conn, rq, kind, message, detail)
                return True
        if rq["due"] is not None and now >= rq["due"]:
            self.abandon(rq)
            self.ended(fd, conn, rq, "timeout", None, "")
            return True
        if rq["until"] is not None and now >= rq["until"]:
            rq["until"] = None
            self.due(fd, conn, rq)
            return True
        return False

    def _move(self, one: Data, owner: Data) -> tuple[str, http.Message | None, str]:
        """(how the try has ended or "", the answer, an errno or TLS error)."""
        sys, now = self.sys, self.sys.now
        if one["state"] == "connecting":
            state = sockets.dialed(sys, one["fd"])
            if state == "connecting":
                if now >= one["connect_due"]:
                    return "connect-timeout", None, ""
                return ("try-timeout", None, "") if one["due"] is not None and now >= one["due"] else ("", None, "")
            if state != "open":
                return "connect", None, state
            context = self.upstream_context(owner)
            if context is not None:
                one["tls"], one["state"] = tls.client(sys, one["fd"], context), "tls"
            else:
                self._sent(one)
        while sys.readable(one["fd"]):
            text = sys.read(one["fd"])
            closed = not text
            if one["tls"] is not None and text:
                text = tls.feed(sys, one["fd"], one["tls"], text, self.upstream_context(owner) or {})
                if one["tls"]["state"] == "failed":
                    return ("tls-late" if one["state"] == "sent" else "tls"), None, one["tls"]["error"]
                if one["state"] == "tls" and one["tls"]["state"] == "open":
                    self._sent(one)
            one["buffer"] += text
            if one["state"] == "sent":
                message, _ = http.take(one["buffer"], closed=closed, head_only=one["text"].startswith("HEAD "))
                if message is not None and message.status != 100:
                    return "response", message, ""
            if closed:
                return ("reset" if one["state"] == "sent" else "tls" if one["tls"] is not None else "reset"), None, "closed"
        if one["due"] is not None and now >= one["due"]:
            return "try-timeout", None, ""
        return "", None, ""

    def _sent(self, one: Data) -> None:
        one["state"] = "sent"
        try:
            tls.write(self.sys, one["fd"], one["tls"], one["text"])
        except Errno:
            return  # the end of the connection will be read

    def answer(self, fd: int, conn: Data, found: http.Message) -> None:
        """The answer to the present request; the connection stays or ends as both sides wish."""
        rq = conn["rq"]
        request = http.Message(rq["head"][0], [(name, value) for name, value in rq["head"][1]])
        wish = request.get("Connection").lower()
        keep = (request.version == "HTTP/1.1" and wish != "close") or (request.version == "HTTP/1.0" and wish == "keep-alive")
        keep = keep and found.get("connection").lower() != "close"
        if not keep and not found.get("connection"):
            found.headers.append(("connection", "close"))
        if request.method == "HEAD":
            found.body = ""
        conn["rq"] = None
        try:
            tls.write(self.sys, fd, conn["tls"], found.text())
        except Errno:
            keep = False
        if not keep:
            self.close(fd, conn)

    # ---- bytes

    def pipe(self, conn: Data, host: list[Any], connect_ms: int, fd: int) -> None:
        """From now on the connection's bytes go to a host and back."""
        conn["mode"] = "tcp"
        conn["up"] = self._dial(host, "", connect_ms, None)
        sockets.follow(self.sys, conn["up"]["fd"], fd, 0)

    def failed(self, fd: int, conn: Data, kind: str, detail: str) -> None:
        """The other side of a connection whose bytes are passed through could not be reached."""

    def _pipe(self, fd: int, conn: Data) -> None:
        sys, one = self.sys, conn["up"]
        if one is None:
            return
        if one["state"] == "connecting":
            state = sockets.dialed(sys, one["fd"])
            if state == "connecting" and sys.now < one["connect_due"]:
                return
            if state != "open":
                self.failed(fd, conn, "connect", state)
                self.close(fd, conn)
                return
            context = self.upstream_context(conn)
            one["state"] = "open"
            if context is not None:
                one["tls"], one["state"] = tls.client(sys, one["fd"], context), "tls"
        over = False
        while sys.readable(one["fd"]):
            text = sys.read(one["fd"])
            if not text:
                over = True
                break
            if one["tls"] is not None:
                text = tls.feed(sys, one["fd"], one["tls"], text, self.upstream_context(conn) or {})
                if one["tls"]["state"] == "failed":
                    self.failed(fd, conn, "tls", one["tls"]["error"])
                    over = True
                    break
                if one["tls"]["state"] == "open":
                    one["state"] = "open"
            one["buffer"] += text
        try:
            if one["state"] == "open" and conn["buffer"]:
                conn["sent"] = conn.get("sent", 0) + http.size(conn["buffer"])
                tls.write(sys, one["fd"], one["tls"], conn["buffer"])
                conn["buffer"] = ""
            if one["buffer"]:
                conn["received"] = conn.get("received", 0) + http.size(one["buffer"])
                tls.write(sys, fd, conn["tls"], one["buffer"])
                one["buffer"] = ""
        except Errno:
            over = True
        if conn.get("eof") and one["state"] == "open" and not conn.get("shut"):
            conn["shut"] = True
            sockets.shutdown(sys, one["fd"])
        if over:
            self.close(fd, conn)

    # ---- health checks

    def check(self, name: str, host: list[Any], message: http.Message, timeout_ms: int, owner: Data) -> None:
        self.data["checks"][name] = {**owner, "try": self._dial(host, message.text(), timeout_ms, timeout_ms)}

    def _check(self, name: str, check: Data) -> None:
        kind, message, _ = self._move(check["try"], check)
        if kind:
            self.sys.close(check["try"]["fd"])
            del self.data["checks"][name]
            self.checked(name, check, message)
