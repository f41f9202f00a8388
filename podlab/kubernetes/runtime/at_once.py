"""What a server in the cluster answers at once: for a caller that cannot wait, as the API server cannot within a write (its webhooks).

Nothing happens meanwhile and nothing is changed: no packet goes, no process has a turn, no cause is noted; the answer follows from the
present alone. So reads and dry runs, which are no part of a cluster's journal, may ask too. trial.py finds the answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import http

PLAIN = "http: server gave HTTP response to HTTPS client"  # Go's net/http


@dataclass(frozen=True)
class Given:
    """An answer over TLS: the server's certificates (PEM), the answer, and how long it takes."""

    chain: str
    message: http.Message
    ms: int = 0


@dataclass(frozen=True)
class Failed:
    """No answer: an errno's name, or else what Go `said`; known after `ms`. `chain`: the server's certificates, where the request was sent."""

    errno: str
    ms: int = 0
    said: str = ""
    chain: str | None = None
