"""What a server in the cluster answers at once: for a caller that cannot wait, as the API server cannot within a write (its webhooks).

Nothing happens meanwhile and nothing is changed: no packet goes, no process has a turn, no cause is noted; the answer follows from the
present alone. So reads and dry runs, which are no part of a cluster's journal, may ask too. The way is the network's own (Service, ready
endpoints, policies, machines that are off); what a program answers is a function of its memory and the request, which its image gives in
`SERVERS` (`Network.ask_at_once` asks). A server that gives none there is taken for one of plain HTTP.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from . import http
from .process import Process

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
