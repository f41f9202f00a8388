"""What client-go does for programs in a container: the in-cluster configuration (rest/config.go, InClusterConfig), and a request by it."""

from __future__ import annotations

from collections.abc import Callable

from . import dns, http, x509
from .process import Errno, Process
from .sockets import resolve
from .system import Sys
from .tools.net_client import Failed, connect, exchange, hang_up, secure

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
DIAL_MS = 30_000  # net.Dialer's timeout in client-go's transport
UNTRUSTED = "tls: failed to verify certificate: x509: certificate signed by unknown authority"


def configured(sys: Sys) -> tuple[str, int] | None:
    """(host, port) of the API server by the container's environment; None where that or the account's token is missing."""
    env = sys.proc["env"]
    host, port = env.get("KUBERNETES_SERVICE_HOST", ""), env.get("KUBERNETES_SERVICE_PORT", "")
    return (host, int(port)) if host and port.isdigit() and kept(sys, "token") else None


def kept(sys: Sys, name: str) -> str:
    """What the account's volume holds: token, ca.crt or namespace; "" without it."""
    try:
        return sys.read_file(f"{ACCOUNT}/{name}").strip()
    except Errno:
        return ""


def ask(proc: Process, sys: Sys, host: str, port: int, path: str, agent: str, tell: Callable[[http.Message], bool] | None = None) -> http.Message:
    """GET of a path with the account's token, over TLS that the account's authority vouches for. Raises Blocked meanwhile; Failed, as
    net_client has it, and with `why` "untrusted". `tell`: as net_client.exchange has it, for an answer that may last."""
    data = proc["data"]
    address = host if dns.is_address(host) else next(iter(resolve(sys, host)[1]), "")
    if not address:
        raise Failed("resolve")
    deadline = data.setdefault("deadline", sys.now + DIAL_MS)
    connect(proc, sys, address, port, deadline=deadline)
    peer = secure(proc, sys, host, deadline=deadline)
    if x509.verify(str((peer or {}).get("chain", "")), kept(sys, "ca.crt"), sys.now):
        raise Failed("untrusted")
    headers = [("User-Agent", agent), ("Authorization", f"Bearer {kept(sys, 'token')}"), ("Accept", "application/json, */*")]
    text = http.request("GET", path, f"{host}:{port}", headers).text()
    return exchange(proc, sys, text, deadline=None if tell is not None else deadline, tell=tell)


def done(proc: Process, sys: Sys) -> None:
    """The exchange is over, well or not: another may follow."""
    hang_up(proc, sys)
    proc["data"].pop("deadline", None)


def words(failed: Failed, host: str, port: int) -> str:
    """Go's words for a request that got no answer."""
    if failed.why == "untrusted":
        return UNTRUSTED
    if failed.why == "resolve":
        return f"dial tcp: lookup {host}: no such host"
    if failed.errno == "ECONNREFUSED":
        return f"dial tcp {host}:{port}: connect: connection refused"
    return f"dial tcp {host}:{port}: i/o timeout" if failed.why in ("timeout", "connect") else "EOF"
