"""NodeResourcesBalancedAllocation: prefer the node whose cpu and memory this Pod brings into balance.

Source: pkg/scheduler/framework/plugins/noderesources/balanced_allocation.go (1.36 scores the improvement, not the balance).
"""

from __future__ import annotations

from ...objects import Map
from ..cluster_view import ClusterView
from ..framework import MAX_NODE_SCORE
from ..node_info import NodeInfo, Requests, pod_requests


def pre_score(pod: Map, view: ClusterView, nodes: list[NodeInfo]) -> Requests | None:
    """Skipped for Pods that ask for neither cpu nor memory (kubernetes issue 129138)."""
    asked = pod_requests(pod)
    return asked if asked.cpu or asked.memory else None


def score(pod: Map, node: NodeInfo, asked: Requests) -> int:
    """50 + (50 + balance with the Pod - balance without) / 2: 75 when nothing changes."""
    without = _balance(node, node.cpu, node.memory)
    half = MAX_NODE_SCORE // 2
    return half + (half + _balance(node, node.cpu + asked.cpu, node.memory + asked.memory) - without) // 2


def _balance(node: NodeInfo, cpu: int, memory: int) -> int:
    """(1 - standard deviation of the used fractions) x 100; of two fractions that is half their difference."""
    cpu_allocatable, memory_allocatable = node.cpu_allocatable, node.memory_allocatable
    if not cpu_allocatable or not memory_allocatable:
        return MAX_NODE_SCORE
    cpu_used = cpu / cpu_allocatable if cpu < cpu_allocatable else 1.0
    memory_used = memory / memory_allocatable if memory < memory_allocatable else 1.0
    return int((1 - abs(cpu_used - memory_used) / 2) * MAX_NODE_SCORE)
