"""Objects that are stored nowhere, because they follow from others or are the same in every cluster, and parts of objects likewise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..objects import Map, freeze
from . import csi_nodes, ip_addresses, leases, priority_and_fairness

if TYPE_CHECKING:
    from ..ground import Ground

KINDS = frozenset({"componentstatuses", "csinodes", "ipaddresses", *priority_and_fairness.KINDS})
READ_ONLY = ("componentstatuses",)
COMPONENTS = ("controller-manager", "etcd-0", "scheduler")  # what pkg/registry/core/componentstatus asks how they are; here they are well
# plural -> what its stored objects are when they are read
READ: dict[str, Callable[[Ground, Map], Map]] = {"leases": leases.as_read, "flowschemas": priority_and_fairness.as_read}


def find(cluster: Ground, plural: str, name: str) -> Map | None:
    """One that is not stored, or None."""
    if plural == "ipaddresses":
        return ip_addresses.find(cluster.etcd.list("services"), cluster.random, name)
    if plural == "csinodes":
        node = cluster.etcd.get("nodes", name)
        return None if node is None else csi_nodes.of_node(node, cluster.random)
    if plural == "componentstatuses":
        return _component_status(name) if name in COMPONENTS else None
    return priority_and_fairness.find(cluster, plural, name) if plural in KINDS else None


def together(cluster: Ground, plural: str, stored: Sequence[Map]) -> list[Map]:
    """Those that are stored and those that are not, by name."""
    if plural == "ipaddresses":
        return ip_addresses.together(stored, cluster.etcd.list("services"), cluster.random)
    if plural == "csinodes":
        return csi_nodes.together(stored, cluster.etcd.list("nodes"), cluster.random)
    if plural == "componentstatuses":
        return [_component_status(name) for name in COMPONENTS]
    found = {obj["metadata"]["name"]: obj for obj in (*priority_and_fairness.all_of(cluster, plural), *stored)}
    return [found[name] for name in sorted(found)]


def _component_status(name: str) -> Map:
    made: Map = freeze({"apiVersion": "v1", "kind": "ComponentStatus", "metadata": {"name": name},
                        "conditions": [{"type": "Healthy", "status": "True", "message": "ok"}]})
    return made
