"""PodTopologyLabels: a Pod tells the zone and the region of its node (plugin/pkg/admission/podtopologylabels/admission.go, on since 1.35)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...objects import EMPTY
from ..pipeline import Context

ZONE, REGION = "topology.kubernetes.io/zone", "topology.kubernetes.io/region"


def of_node(node: Mapping[str, Any] | None) -> Mapping[str, str]:
    """What a node that is there says of its place."""
    labels = (node["metadata"].get("labels") if node is not None else None) or EMPTY
    return {key: labels[key] for key in (ZONE, REGION) if key in labels} if ZONE in labels or REGION in labels else EMPTY


def admit(obj: dict[str, Any], ctx: Context) -> None:
    """A Pod that is made on its node needs no binding: it has the labels at once, whatever it says itself."""
    if labels := of_node(ctx.find("nodes", obj["spec"]["nodeName"])):
        obj["metadata"] = {**obj["metadata"], "labels": {**(obj["metadata"].get("labels") or EMPTY), **labels}}
