"""The addresses of the machines: the nodes, the Pods on them, and the one that the API server runs on."""

from __future__ import annotations

CONTROL_PLANE = "172.30.255.254"
"""The API server's machine, which is no Node; runtime/control_plane.py answers there."""
CONTROL_PLANE_NAMESPACE = "control-plane"
"""Its network namespace."""


def pod_cidr(index: int) -> str:
    """Each node's share of the Pod range 10.244.0.0/16."""
    return f"10.244.{index}.0/24"


def node_ip(index: int) -> str:
    return f"172.30.255.{index + 1}"
