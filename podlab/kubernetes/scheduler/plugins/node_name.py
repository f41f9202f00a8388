"""NodeName: a Pod that names its node goes nowhere else."""

from __future__ import annotations

from ...objects import Map
from ..cluster_view import ClusterView
from ..framework import ClusterEvent, Prepared, Refusal
from ..node_info import NodeInfo

REFUSAL = Refusal(("node(s) didn't match the requested node name",), final=True)  # ErrReason


def pre_filter(pod: Map, view: ClusterView) -> Prepared | None:
    return Prepared(None) if pod["spec"].get("nodeName") else None


def filter(pod: Map, node: NodeInfo, _: None) -> Refusal | None:
    wanted = pod["spec"].get("nodeName")
    return REFUSAL if wanted and wanted != node.name else None


def hint(pod: Map, event: ClusterEvent) -> bool:
    return event.kind == "node" and event.action == "add"
