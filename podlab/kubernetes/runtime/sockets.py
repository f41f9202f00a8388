"""The socket system calls of programs: listen, accept, connect, over the cluster's network. Reading and writing are `sys.read`/`sys.write`.

Calls that must wait raise `Blocked`, so they remember their descriptor in `proc["data"]` under the caller's `key` and go on from there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from . import datagrams, dns, taps
from .network import Network
from .network_policy import allows_names
from .process import Errno

if TYPE_CHECKING:
    from .system import Sys


def network(sys: Sys) -> Network:
    found = sys.kernel.network
    if not isinstance(found, Network):
        raise Errno("ENETUNREACH")
    return found


def namespace(sys: Sys) -> str:
    """The network namespace of a process: its Pod's, or its node's for hostNetwork."""
    return f"host/{network(sys).node_of(sys.kernel)}" if sys.sandbox.get("host_network") else str(sys.proc["pod"])


def listen(sys: Sys, port: int, address: str = "0.0.0.0", protocol: str = "tcp") -> int:
    """A listening descriptor. Raises EADDRINUSE when the Pod's port is taken. Ports below 1024 are free to everybody, as container
    runtimes set net.ipv4.ip_unprivileged_port_start to 0; not so on a node's own network."""
    if port and port < 1024 and sys.proc["uid"] != 0 and sys.sandbox.get("host_network"):
        raise Errno("EACCES")
    key = sys.kernel.describe({"kind": "socket", "accept": []})
    try:
        port = network(sys).listen(sys, key, namespace(sys), port, address, protocol)
    except Errno:
        del sys.kernel.state["files"][key]
        raise
    sys.kernel.state["files"][key]["listen"] = [namespace(sys), port, protocol]
    return _descriptor(sys, key)


def accept(sys: Sys, fd: int) -> int:
    """The descriptor of the next connection. Raises Blocked while there is none."""
    desc = _desc(sys, fd)
    if not desc["accept"]:
        sys.poll((fd,))
    return _descriptor(sys, network(sys).accept(sys, desc["accept"].pop(0)))


def bind_datagrams(sys: Sys, port: int = 0, address: str = "0.0.0.0") -> int:
    """A UDP socket at a port, 0 for any. Raises EADDRINUSE. It is read by `receive`, not by `sys.read`."""
    key = sys.kernel.describe({"kind": "socket", "datagrams": []})
    try:
        port = network(sys).listen(sys, key, namespace(sys), port, address, "udp")
    except Errno:
        del sys.kernel.state["files"][key]
        raise
    sys.kernel.state["files"][key]["listen"] = [namespace(sys), port, "udp"]
    return _descriptor(sys, key)


def receive(sys: Sys, fd: int) -> tuple[str, list[Any]]:
    """(text, its sender as `send` takes it) of the next datagram. Raises Blocked while there is none."""
    desc = _desc(sys, fd)
    if not desc["datagrams"]:
        sys.poll((fd,))
    text, sender = desc["datagrams"].pop(0)
    return str(text), list(sender)


def send(sys: Sys, fd: int, text: str, target: list[Any]) -> None:
    """Sends one datagram to [address, port], or back to a sender of `receive`."""
    bound, port, _ = _desc(sys, fd)["listen"]
    datagrams.send(network(sys), bound, ("0.0.0.0", port), target, text)


def dial(sys: Sys, address: str, port: int, timeout_ms: int | None = None) -> int:
    """Start a connection; gives its descriptor at once. See `dialed`."""
    desc_key = sys.kernel.describe({"kind": "socket", "rbuf": "", "eof": False, "state": "connecting"})
    fd = _descriptor(sys, desc_key)
    network(sys).connect(sys, desc_key, namespace(sys), address, port, timeout_ms)
    return fd


def dialed(sys: Sys, fd: int) -> str:
    """How a dialled connection stands: "connecting", "open", or an errno's name."""
    return str(_desc(sys, fd)["state"])


def connect(sys: Sys, key: str, address: str, port: int, timeout_ms: int | None = None) -> int:
    """A connected descriptor. Raises ECONNREFUSED, EHOSTUNREACH, ETIMEDOUT; Blocked until it is settled. Call again with the same `key`."""
    data = sys.proc["data"]
    if key not in data:
        data[key] = dial(sys, address, port, timeout_ms)
    state = dialed(sys, data[key])
    if state == "connecting":
        sys.poll(objs=("sock:" + sys.proc["fds"][str(data[key])],))
    if state != "open":
        sys.close(data.pop(key))
        raise Errno(state)
    return int(data[key])


def shutdown(sys: Sys, fd: int) -> None:
    """No more is written; what the other end still sends can be read."""
    network(sys).shutdown(_desc(sys, fd))


def resolver(sys: Sys) -> dns.Resolver:
    """The process's /etc/resolv.conf, and whether policies let it ask."""
    found = dns.Resolver.parse(_etc(sys, "resolv.conf"))
    cluster = network(sys).cluster
    asked = next(iter(found.servers), dns.SERVER)
    if cluster.etcd.count("networkpolicies") and not allows_names(cluster, network(sys).routes.pod(namespace(sys)), asked):
        return replace(found, blocked=True)
    return found


def resolve(sys: Sys, name: str) -> tuple[str, list[str]]:
    """(full name, addresses); no addresses: the name does not exist."""
    return dns.resolve(network(sys).cluster, name, _etc(sys, "hosts"), resolver(sys))


def _etc(sys: Sys, name: str) -> str:
    try:
        return sys.read_file("/etc/" + name)
    except Errno:
        return ""


def peer(sys: Sys, fd: int) -> tuple[str, int]:
    """(address, port) of the other end."""
    return network(sys).ends(_desc(sys, fd))[2:]


def local(sys: Sys, fd: int) -> tuple[str, int]:
    """(address, port) of the own end."""
    return network(sys).ends(_desc(sys, fd))[:2]


def original(sys: Sys, fd: int) -> tuple[str, int] | None:
    """Where the other end wanted to go before the Pod's rules brought it here; None: nowhere else."""
    return network(sys).original(_desc(sys, fd))


def follow(sys: Sys, fd: int, request: int, attempt: int = 0) -> None:
    """Says that what is sent on `fd` carries on the request that came in on the descriptor `request`, for the trace."""
    network(sys).follow(_desc(sys, fd), _desc(sys, request), attempt)


def depth(sys: Sys, fd: int) -> int:
    """How many proxies what comes in on `fd` has passed."""
    return network(sys).depth(_desc(sys, fd))


def capture(sys: Sys) -> int:
    """A descriptor on which every packet of the Pod's connections comes as a line of JSON (taps.py)."""
    key = sys.kernel.describe({"kind": "socket", "rbuf": "", "eof": False, "state": "open", "tap": namespace(sys)})
    taps.open_tap(network(sys), namespace(sys), network(sys).node_of(sys.kernel), key)
    return _descriptor(sys, key)


def port_of(sys: Sys, fd: int) -> int:
    """The port of a listening descriptor."""
    return int(_desc(sys, fd)["listen"][1])


def _desc(sys: Sys, fd: int) -> dict[str, Any]:
    key = sys.proc["fds"].get(str(fd))
    if key is None:
        raise Errno("EBADF")
    found: dict[str, Any] = sys.kernel.state["files"][key]
    return found


def lowest_free(sys: Sys) -> int:
    """The lowest free descriptor past the standard ones."""
    fd = 3
    while str(fd) in sys.proc["fds"]:
        fd += 1
    return fd


def _descriptor(sys: Sys, desc_key: str) -> int:
    fd = lowest_free(sys)
    sys.assign(fd, desc_key)
    return fd
