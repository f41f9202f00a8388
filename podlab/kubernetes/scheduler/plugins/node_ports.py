"""NodePorts: one host port of a node serves one Pod."""

from __future__ import annotations

from ...objects import Map
from ..cluster_view import ClusterView
from ..framework import ClusterEvent, Prepared, Refusal
from ..node_info import WILDCARD_IP, HostPort, NodeInfo, host_ports

REFUSAL = Refusal(("node(s) didn't have free ports for the requested pod ports",))  # ErrReason


def pre_filter(pod: Map, view: ClusterView) -> Prepared | None:
    ports = host_ports(pod)
    return Prepared(ports) if ports else None


def filter(pod: Map, node: NodeInfo, wanted: tuple[HostPort, ...]) -> Refusal | None:
    if node.ports and any(_collide(port, used) for port in wanted for used in node.ports):
        return REFUSAL
    return None


def _collide(one: HostPort, other: HostPort) -> bool:
    """0.0.0.0 takes the port on every address (HostPortInfo.CheckConflict)."""
    return (one.port == other.port and one.protocol == other.protocol
            and (one.ip == other.ip or WILDCARD_IP in (one.ip, other.ip)))


def hint(pod: Map, event: ClusterEvent) -> bool:
    """A new node, or the end of a Pod that held a port in the way."""
    if event.kind == "node":
        return event.action == "add"
    return (event.kind == "pod" and event.action == "delete" and event.old is not None
            and any(_collide(port, freed) for port in host_ports(pod) for freed in host_ports(event.old)))
