"""VolumeZone: a bound volume that carries zone or region labels ties its Pod to nodes of that zone or region."""

from __future__ import annotations

from ...objects import EMPTY, Map
from ..cluster_view import ClusterView
from ..framework import ClusterEvent, Prepared, Refusal
from ..node_info import NodeInfo
from .volume_binding import claim_names, is_bound
from .volume_binding import hint as volume_hint

REFUSAL = Refusal(("node(s) had no available volume zone",), final=True)  # ErrReasonConflict
# topologyLabels
LABELS = ("failure-domain.beta.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/region",
          "topology.kubernetes.io/zone", "topology.kubernetes.io/region")

Ties = list[tuple[str, tuple[str, ...]]]  # label key, allowed values


def pre_filter(pod: Map, view: ClusterView) -> Prepared | None:
    ties: Ties = []
    for name in claim_names(pod):
        claim = view.find("persistentvolumeclaims", name, pod["metadata"]["namespace"])
        volume = view.find("persistentvolumes", claim["spec"]["volumeName"], None) if claim and is_bound(claim) else None
        labels = (volume["metadata"].get("labels") or EMPTY) if volume else EMPTY
        ties += [(key, tuple(labels[key].split("__"))) for key in LABELS if key in labels]  # several zones: a__b
    return Prepared(ties) if ties else None


def filter(pod: Map, node: NodeInfo, ties: Ties) -> Refusal | None:
    """Nodes without any zone label are not asked (a cluster of one zone need not label itself)."""
    if not any(key in node.labels for key in LABELS):
        return None
    return None if all(node.labels.get(key) in allowed for key, allowed in ties) else REFUSAL


def hint(pod: Map, event: ClusterEvent) -> bool:
    return volume_hint(pod, event)
