"""What a server in the cluster answers at once: for a caller that cannot wait, as the API server cannot within a write (its webhooks).

Nothing happens meanwhile and nothing is changed: no packet goes, no process has a turn, no cause is noted; the answer follows from the
present alone. So reads and dry runs, which are no part of a cluster's journal, may ask too. The way is the network's own (Service, ready
endpoints, policies, machines that are off); what a program answers is a function of its memory and the request, which its image gives in
`SERVERS`. A server that gives none there is taken for one of plain HTTP.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import http
from .process import Process

if TYPE_CHECKING:
    from .network import Network

PLAIN = "http: server gave HTTP response to HTTPS client"  # Go's net/http


@dataclass(frozen=True)
class Given:
    """An answer over TLS: the server's certificates (PEM), the answer, and how long it takes."""

    chain: str
    message: http.Message
    ms: int = 0


@dataclass(frozen=True)
class Failed:
    """No answer: an errno's name, or words of Go's; known after `ms`."""

    error: str
    ms: int = 0


SERVERS: dict[str, Callable[[Process, int, http.Message], Given | None]] = {}
"""A program's name -> (its process, the port, the request) -> its answer over TLS; None where it serves otherwise."""


def ask(network: Network, source: str, address: str, port: int, request: http.Message, draw: str) -> Given | Failed:
    """One HTTPS request from a network namespace to an address. `draw` names the connection, for the choice of an endpoint."""
    way = network.routes.look(source, address, port, draw)
    if way.error:
        return Failed(way.error, way.ms)
    listener = network.listener(way.namespace, way.port, way.address)
    if listener is None:
        return Failed("ECONNREFUSED", way.ms)
    held = network.kernel(listener["node"]).state["processes"].values()
    proc = next((one for one in held if listener["desc"] in one["fds"].values()), None)
    if proc is None or proc["state"] != "running":
        return Failed("ETIMEDOUT", 1 << 31)  # a stopped process takes no connection
    serves = SERVERS.get(proc["program"])
    given = serves(proc, way.port, request) if serves is not None else None
    return Failed(PLAIN, way.ms) if given is None else given
