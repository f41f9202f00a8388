"""What the clients of mongod share: connection strings, finding the primary, one command after the other over a connection.

Everything may have to wait: a function here raises Blocked and is called again, its memory is proc["data"]["wire"].
Source: mongodb.com/docs/manual/reference/connection-string; errors in the words of the Node.js driver.
"""

from __future__ import annotations

from urllib.parse import parse_qsl

from .. import dns, http, sockets
from ..process import Data, Errno, Process
from ..system import Sys
from .mongod import command, learn

SELECTION_MS = 30_000  # serverSelectionTimeoutMS
AGAIN_MS = 500  # minHeartbeatFrequencyMS


class Unreachable(Exception):
    """No server: the driver's name of the error and its message."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name, self.message = name, message


def target(text: str) -> Data:
    """{"uri", "hosts" [host:port], "srv" name, "db", "direct": whether it is one server, taken as it is} of a connection string, a database's
    name or HOST[:PORT]/DATABASE."""
    if not text.startswith(("mongodb://", "mongodb+srv://")):
        host, slash, database = text.partition("/")
        if not slash and "." not in host and ":" not in host:
            host, database = "127.0.0.1:27017", host
        text = f"mongodb://{host or '127.0.0.1:27017'}/{database}?directConnection=true"
    scheme, _, rest = text.partition("://")
    hosts, _, path = rest.rpartition("@")[2].partition("/")
    database, _, options = path.partition("?")
    given = dict(parse_qsl(options))
    names = [one if ":" in one else f"{one}:27017" for one in hosts.split(",")]
    return {"uri": text, "hosts": [] if scheme.endswith("srv") else names, "srv": hosts if scheme.endswith("srv") else "", "db": database or "test",
            "direct": not scheme.endswith("srv") and len(names) == 1 and "replicaSet" not in given}  # fmt: skip


def connect(proc: Process, sys: Sys, where: Data) -> None:
    """Connects to the server that takes writes, or to the one that was named. Raises Unreachable, Blocked."""
    wire = proc["data"].setdefault("wire", {"until": sys.now + SELECTION_MS, "todo": None, "reply": "", "fd": None, "ready": False, "why": ""})
    while not wire["ready"]:
        if wire["todo"] is None:
            wire["todo"] = _candidates(sys, where)
        if not wire["todo"]:
            if where["direct"] or sys.now >= wire["until"]:
                raise Unreachable("MongoServerSelectionError" if not where["direct"] else "MongoNetworkError",
                                  wire["why"] or f"Server selection timed out after {SELECTION_MS} ms")  # fmt: skip
            wire["todo"], wire["again"] = None, sys.now + AGAIN_MS
        if sys.now < wire.get("again", 0):
            sys.sleep(wire["again"] - sys.now)
        if not wire["todo"]:
            continue
        host = str(wire["todo"][0])
        hello = _ask(proc, sys, host, {"op": "hello"})
        if "network" in hello:
            unknown = hello["network"] == "ENOTFOUND"
            wire["why"] = f"getaddrinfo ENOTFOUND {host.partition(':')[0]}" if unknown else f"connect {hello['network']} {host}"
        if hello.get("ok") and (where["direct"] or hello.get("isWritablePrimary")):
            wire.update(ready=True, host=host)
            return
        wire["todo"].pop(0)
        if hello.get("ok") and hello.get("primary") and hello["primary"] not in wire["todo"]:
            wire["todo"].insert(0, hello["primary"])


def _candidates(sys: Sys, where: Data) -> list[str]:
    if not where["srv"]:
        return list(where["hosts"])
    name = f"_mongodb._tcp.{where['srv']}"
    found = [value.split() for _, kind, value in dns.query(sockets.network(sys).cluster, name, "SRV")[1] if kind == "SRV"]
    if not found:
        raise Unreachable("Error", f"querySrv ENOTFOUND {name}")
    return [f"{words[3].rstrip('.')}:{words[2]}" for words in found]


def ask(proc: Process, sys: Sys, body: Data) -> Data:
    """The server's result of a command, once `connect` has come back. Raises Blocked; a broken connection is a result without "ok"."""
    return _ask(proc, sys, str(proc["data"]["wire"]["host"]), body)


def _ask(proc: Process, sys: Sys, host: str, body: Data) -> Data:
    data = proc["data"]
    wire = data["wire"]
    name, _, port = host.partition(":")
    found: Data = {"ok": 0, "network": "ENOTFOUND"}
    try:
        if wire["fd"] is None:
            addresses = sockets.resolve(sys, name)[1]
            if not addresses:
                return found
            wire["fd"] = sockets.connect(sys, "mongo", addresses[0], int(port or 27017), 10_000)
        if not wire.get("sent"):
            sys.write(wire["fd"], command(body, host).text())
            wire.update(sent=True, reply="")
        while True:
            piece = sys.read(wire["fd"])
            wire["reply"] += piece
            message, _ = http.take(wire["reply"], closed=not piece)
            if message is not None or not piece:
                break
        error = "" if message is not None and message.status == 200 else "ECONNRESET"
        found = learn({"error": error, "body": message.body if message is not None else "", "address": host})
    except Errno as error:
        found = {"ok": 0, "network": error.name}
    wire["sent"] = False
    if "network" in found or not wire["ready"]:
        data.pop("mongo", None)
        if wire["fd"] is not None:
            sys.close(wire["fd"])
        wire["fd"] = None
    return found
