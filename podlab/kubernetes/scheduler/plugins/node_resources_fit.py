"""NodeResourcesFit: what a Pod requests must be left on the node; the emptier node scores higher (LeastAllocated).

Sources: pkg/scheduler/framework/plugins/noderesources/fit.go and least_allocated.go.
"""

from __future__ import annotations

from ...objects import EMPTY, Map
from ...quantity import milli, value
from ..cluster_view import ClusterView
from ..framework import MAX_NODE_SCORE, ClusterEvent, Prepared, Refusal
from ..node_info import NodeInfo, Requests, pod_requests


def pre_filter(pod: Map, view: ClusterView) -> Prepared:
    return Prepared(pod_requests(pod))


def filter(pod: Map, node: NodeInfo, asked: Requests) -> Refusal | None:
    """All that is short on the node; final when it asks for more than the node has at all (fitsRequest)."""
    reasons = []
    final = False
    if len(node.pods) + 1 > node.pods_allocatable:
        reasons.append("Too many pods")
    if asked.cpu and asked.cpu > node.cpu_allocatable - node.cpu:
        reasons.append("Insufficient cpu")
        final = asked.cpu > node.cpu_allocatable
    if asked.memory and asked.memory > node.memory_allocatable - node.memory:
        reasons.append("Insufficient memory")
        final = final or asked.memory > node.memory_allocatable
    if asked.storage and asked.storage > node.storage_allocatable - node.storage:
        reasons.append("Insufficient ephemeral-storage")
        final = final or asked.storage > node.storage_allocatable
    for name, amount in asked.scalars:
        capacity = node.scalars_allocatable.get(name, 0)
        if amount and amount > capacity - node.scalars.get(name, 0):
            reasons.append(f"Insufficient {name}")
            final = final or amount > capacity
    return Refusal(tuple(reasons), final) if reasons else None


def pre_score(pod: Map, view: ClusterView, nodes: list[NodeInfo]) -> Requests:
    return pod_requests(pod)


def score(pod: Map, node: NodeInfo, asked: Requests) -> int:
    """The mean of the free percentages of cpu and memory with this Pod on board, in integers (leastResourceScorer)."""
    total = weights = 0
    capacity, requested = node.cpu_allocatable, node.scoring_cpu + asked.scoring_cpu
    if capacity:
        weights = 1
        if requested <= capacity:
            total = (capacity - requested) * MAX_NODE_SCORE // capacity
    capacity, requested = node.memory_allocatable, node.scoring_memory + asked.scoring_memory
    if capacity:
        weights += 1
        if requested <= capacity:
            total += (capacity - requested) * MAX_NODE_SCORE // capacity
    return total // weights if weights else 0


def hint(pod: Map, event: ClusterEvent) -> bool:
    """Room was made: a Pod left or shrank, or a node came or grew on which the Pod would fit if it were empty."""
    if event.kind == "pod":
        if event.action == "delete":
            return True
        return event.action == "update" and event.old is not None and event.new is not None and _shrank(event.old, event.new)
    if event.kind == "self":
        return event.old is not None and event.new is not None and _shrank(event.old, event.new)
    if event.kind != "node" or event.new is None:
        return False
    empty = NodeInfo(event.new)
    if filter(pod, empty, pod_requests(pod)):
        return False
    return event.old is None or _grew(pod, event.old, event.new)


def _shrank(old: Map, new: Map) -> bool:
    before, after = pod_requests(old), pod_requests(new)
    return (after.cpu < before.cpu or after.memory < before.memory or after.storage < before.storage
            or any(dict(after.scalars).get(name, 0) < amount for name, amount in before.scalars))


def _grew(pod: Map, old: Map, new: Map) -> bool:
    """haveAnyRequestedResourcesIncreased: only what the Pod asks for, and the number of Pods, count."""
    before = (old.get("status") or EMPTY).get("allocatable") or EMPTY
    after = (new.get("status") or EMPTY).get("allocatable") or EMPTY
    asked = pod_requests(pod)
    wanted = [name for name, amount in (("memory", asked.memory), ("ephemeral-storage", asked.storage), *asked.scalars) if amount]
    return (value(after.get("pods")) > value(before.get("pods"))
            or bool(asked.cpu and milli(after.get("cpu")) > milli(before.get("cpu")))
            or any(value(after.get(name)) > value(before.get(name)) for name in wanted))
