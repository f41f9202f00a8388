"""One request of somebody who is not a process (a kubelet's probe, a webhook, the learner's browser), as it comes to its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import http, tls, traffic
from .process import Data

if TYPE_CHECKING:
    from .fabric import Fabric


def answer(network: Fabric, exchange: str, **result: Any) -> None:
    """The exchange is over: its end of the connection closes and whoever asked is told."""
    held = network.state["exchanges"].pop(exchange, None)
    if held is None:
        return
    network.cancel(held["timer"])
    connection = network.state["connections"].get(held["connection"])
    connected = connection is None or connection["state"] == "open"
    if connection is not None:
        connection["client"]["shut"] = True
        if connection["state"] == "connecting":
            del network.state["connections"][connection["id"]]
            connection["state"] = "ETIMEDOUT"
            traffic.record(network, connection, ["", "", held["began"], [connection["id"], 0, 0], ""], 0)
        else:
            network.send(connection, "client", fin=True)
            if "asked" in connection:
                traffic.record(network, connection, connection.pop("asked"), 0, result.get("error", ""))
    component, payload = held["reply"]
    whole = {
        "ok": False,
        "status": 0,
        "headers": [],
        "body": "",
        "error": "",
        "connected": connected,
        **result,
        "ms": network.now - held["began"],
    }
    target: Any = network.cluster.components[component]
    target.on_reply(payload, whole)


def secured(network: Fabric, held: Data, key: str, exchange: Data, text: str) -> None:
    """What has come in over TLS; once the handshake is over the message is sent."""
    session, wire = exchange["secure"], Wire(network, held)
    before = session["state"]
    exchange["buffer"] += tls.feed(wire, 0, session, text, {})
    if session["state"] == "failed":
        plain = text.startswith("HTTP/")
        answer(network, key, error="http: server gave HTTP response to HTTPS client" if plain else f"remote error: tls: {session['error']}")
    elif session["state"] == "open":
        if before != "open":
            tls.write(wire, 0, session, exchange["message"])
            traffic.sniff(network, held, "client", exchange["message"])
        parse(network, key, exchange, closed=False)


def parse(network: Fabric, key: str, exchange: Data, *, closed: bool) -> None:
    """The answer, once it is whole or the connection has closed."""
    message, _ = http.take(exchange["buffer"], closed=closed, head_only=exchange["head"])
    if message is not None:
        answer(network, key, ok=True, status=message.status, headers=[list(h) for h in message.headers], body=message.body)
    elif closed:
        answer(network, key, error="closed")


class Wire:
    """An end of a connection that is no process's, as tls.py writes to it."""

    def __init__(self, network: Fabric, held: Data, side: str = "client") -> None:
        self.network, self.held, self.side = network, held, side

    @property
    def now(self) -> int:
        return self.network.now

    def write(self, fd: int, text: str) -> None:
        self.network.send(self.held, self.side, data=text)
        if self.side == "server":
            traffic.sniff(self.network, self.held, "server", text)

    def charge(self, us: int) -> None:
        """Whoever asks is no process of a node."""
