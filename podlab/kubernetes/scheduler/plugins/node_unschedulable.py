"""NodeUnschedulable: a cordoned node takes no Pods but those that tolerate node.kubernetes.io/unschedulable."""

from __future__ import annotations

from ...objects import EMPTY, Map
from ..cluster_view import ClusterView
from ..framework import ClusterEvent, Prepared, Refusal
from ..node_info import NodeInfo
from .taint_toleration import tolerates

REFUSAL = Refusal(("node(s) were unschedulable",), final=True)  # ErrReasonUnschedulable
TAINT = Map(key="node.kubernetes.io/unschedulable", effect="NoSchedule")


def pre_filter(pod: Map, view: ClusterView) -> Prepared | None:
    return Prepared(None) if any(node.unschedulable for node in view.ordered) else None


def filter(pod: Map, node: NodeInfo, _: None) -> Refusal | None:
    if node.unschedulable and not tolerates(pod, TAINT):
        return REFUSAL
    return None


def hint(pod: Map, event: ClusterEvent) -> bool:
    """A node that may be used now and could not before, or a new toleration of the Pod's own."""
    if event.kind == "self":
        return tolerates(event.new or pod, TAINT)
    if event.kind != "node" or event.new is None:
        return False
    cordoned = bool((event.new.get("spec") or EMPTY).get("unschedulable"))
    was = event.old is None or bool((event.old.get("spec") or EMPTY).get("unschedulable"))
    return was and not cordoned
