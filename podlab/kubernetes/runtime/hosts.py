"""The addresses of the flat network: which Pod and machine each is, and what listens there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..component import Component
from .process import Data, Errno

if TYPE_CHECKING:
    from .kernel import Kernel
    from .system import Sys


class Hosts(Component):
    """Machines, the Pods on them, and their listeners. `Network` adds the connections; its module tells the shape of the state."""

    _kernels: dict[str, Kernel]

    def node_of(self, kernel: Kernel) -> str:
        return kernel.node_name

    def kernel(self, node: str) -> Kernel:
        return self._kernels[node]

    def ports(self, namespace: str) -> list[Data]:
        """What listens in a Pod: [{"port", "protocol", "address", "container", "process"}], by port."""
        found = [one for held in self.state["listeners"].get(namespace, {}).values() for one in held]
        return sorted(
            ({k: one[k] for k in ("port", "protocol", "address", "container", "process")} for one in found),
            key=lambda one: (one["port"], one["protocol"]),
        )

    def taken(self, namespace: str, protocol: str = "tcp") -> list[int]:
        """Ports of a protocol that something listens on in a namespace."""
        return [int(key.partition("/")[0]) for key in self.state["listeners"].get(namespace, ()) if key.endswith("/" + protocol)]

    def connections_of(self, namespace: str) -> list[tuple[str, str, str, str]]:
        """(local address:port, remote address:port, state, name of the description's id) of a Pod's connections, for netstat."""
        found = []
        for held in self.state["connections"].values():
            for side in ("client", "server"):
                end, other = held[side], held[OTHER[side]]
                if end.get("namespace") == namespace and "desc" in end:
                    state = "SYN_SENT" if held["state"] == "connecting" else "CLOSE_WAIT" if other.get("fin") else "ESTABLISHED"
                    found.append((f"{end['ip']}:{end['port']}", f"{other['ip']}:{other['port']}", state, end["desc"]))
        return found

    def listen(self, sys: Sys, desc: str, namespace: str, port: int, address: str, protocol: str) -> int:
        """Binds and listens; port 0 means any. Gives the port. Raises EADDRINUSE."""
        held = self.state["listeners"].setdefault(namespace, {})
        if port == 0:
            port = next(free for free in range(32768, 61000) if f"{free}/{protocol}" not in held)
        entries = held.setdefault(f"{port}/{protocol}", [])
        container = container_name(sys)
        for other in entries:
            if address == other["address"] or "0.0.0.0" in (address, other["address"]):
                facts = {"port": port, "container": container, "holder": other["container"]}
                self.note("network-port-in-use", facts, f"pods/{sys.sandbox['namespace']}/{sys.sandbox['name']}")
                raise Errno("EADDRINUSE")
        entries.append(
            {
                "port": port,
                "protocol": protocol,
                "address": address,
                "node": sys.kernel.node_name,
                "desc": desc,
                "container": container,
                "process": sys.proc["argv"][0],
            }
        )
        return port

    def listener(self, namespace: str, port: int, address: str, protocol: str = "tcp") -> Data | None:
        entries = self.state["listeners"].get(namespace, {}).get(f"{port}/{protocol}", ())
        wanted = ("0.0.0.0", "127.0.0.1", "localhost") if address in ("0.0.0.0", "::1") else ("0.0.0.0", address)
        return next((one for one in entries if one["address"] in wanted), None)


OTHER = {"client": "server", "server": "client"}


def container_name(sys: Sys) -> str:
    return str(sys.container["name"]) if sys.proc["container"] else ""
