"""Node Leases: a kubelet renews its own every 10 s. Nothing is written for that; the renewal that was last is put in when one is read.

Source: pkg/kubelet/kubelet.go (nodeLeaseRenewIntervalFraction 0.25 of NodeLeaseDurationSeconds 40).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..objects import Map, freeze
from ..times import rfc3339_micro

if TYPE_CHECKING:
    from ..ground import Ground

NAMESPACE = "kube-node-lease"
DURATION_SECONDS = 40
PERIOD_MS = 10_000


def lease_object(name: str, node_uid: str) -> dict[str, Any]:
    """The Lease as the kubelet of a node makes it."""
    owner = {"apiVersion": "v1", "kind": "Node", "name": name, "uid": node_uid}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"name": name, "namespace": NAMESPACE, "ownerReferences": [owner]},
            "spec": {"holderIdentity": name, "leaseDurationSeconds": DURATION_SECONDS}}


def renewed(cluster: Ground, node: str) -> int:
    """When the kubelet of a node last renewed its Lease: virtual ms."""
    phase = cluster.random.integer("lease", node, below=PERIOD_MS)
    return (cluster.heartbeat(node) - phase) // PERIOD_MS * PERIOD_MS + phase


def as_read(cluster: Ground, lease: Map) -> Map:
    """A Lease with its last renewal, if a kubelet holds it."""
    name = lease["metadata"]["name"]
    if lease["metadata"].get("namespace") != NAMESPACE or f"kubelet/{name}" not in cluster.components:
        return lease
    found: Map = freeze({**lease, "spec": {**(lease.get("spec") or {}), "renewTime": rfc3339_micro(renewed(cluster, name))}})
    return found
