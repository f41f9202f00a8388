"""What packets pass through: the hosts, the ways between them, what a connection tells of itself, and the sending; the files
of what travels stand on this.

`Network` (network.py) is the whole: it gives packets to whom they are for.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from .hosts import OTHER, Hosts
from .process import Data
from .routes import Routes


class Fabric(Hosts, ABC):
    """Hosts with ways between them. `told`: requests recorded since this engine was made, probes left out. `listens`: to the store, for
    watches of clients inside."""

    routes: Routes
    told: int
    listens: bool

    def add_host(self, ip: str, namespace: str, node: str) -> None:
        """A Pod's sandbox is up: `namespace` is its uid."""
        self.state["hosts"][ip] = [namespace, node]
        self.routes.where[namespace] = [ip, node]

    def remove_host(self, ip: str) -> None:
        host = self.state["hosts"].pop(ip, None)
        if host is not None:
            self.routes.where.pop(host[0], None)
            self.state["nat"].pop(host[0], None)
            self.state["taps"].pop(host[0], None)

    def ends(self, desc: Data) -> tuple[str, int, str, int]:
        """(own address, own port, the other's address, its port) of a connected description; empty ones when it is gone."""
        held = self.state["connections"].get(desc.get("connection", ""))
        if held is None:
            return "", 0, "", 0
        mine, other = held[desc["end"]], held[OTHER[desc["end"]]]
        return mine["ip"], mine["port"], other.get("seen") or other["ip"], other["port"]

    def original(self, desc: Data) -> tuple[str, int] | None:
        """Where a connection that has come in was bound for before the Pod's rules redirected it (SO_ORIGINAL_DST); None: here."""
        held = self.state["connections"].get(desc.get("connection", ""))
        found = held.get("original") if held is not None else None
        return (found[0], found[1]) if found else None

    def depth(self, desc: Data) -> int:
        """How many proxies what comes in on `desc` has passed."""
        return int(self.state["connections"].get(desc.get("connection", ""), {}).get("depth", 0))

    @abstractmethod
    def send(self, held: Data, sender: str, **packet: Any) -> None:
        """A packet from one end of a connection to the other, one way's time later."""

    @abstractmethod
    def attended(self, held: Data, due: bool, keep: bool) -> None:
        """The API server (or a host outside) has looked at its end of a connection: it answers what is `due` in a moment, or hangs up."""
