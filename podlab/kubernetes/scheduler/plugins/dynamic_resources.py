"""DynamicResources: no driver offers devices here (there are no ResourceSlices), so a Pod with claims fits nowhere.

Source: pkg/scheduler/framework/plugins/dynamicresources/dynamicresources.go (PreFilter, Filter).
"""

from __future__ import annotations

from ...objects import EMPTY, Map
from ..cluster_view import ClusterView
from ..framework import ClusterEvent, Prepared, Refusal
from ..node_info import NodeInfo

REFUSAL = Refusal(("cannot allocate all claims",), final=True)


def pre_filter(pod: Map, view: ClusterView) -> Prepared | Refusal | None:
    claims = pod["spec"].get("resourceClaims")
    if not claims:
        return None
    made = {one["name"]: one.get("resourceClaimName") for one in (pod.get("status") or EMPTY).get("resourceClaimStatuses") or ()}
    for claim in claims:
        name = claim.get("resourceClaimName") or made.get(claim["name"])
        if name is None:
            return Refusal((f'pod "{pod["metadata"]["namespace"]}/{pod["metadata"]["name"]}": ResourceClaim not created yet',), final=True)
        if view.find("resourceclaims", name, pod["metadata"]["namespace"]) is None:
            return Refusal((f'resourceclaim.resource.k8s.io "{name}" not found',), final=True)
    return Prepared(None)


def filter(pod: Map, node: NodeInfo, _: None) -> Refusal | None:
    return REFUSAL


def hint(pod: Map, event: ClusterEvent) -> bool:
    return event.kind in ("self", "resourceclaims") and event.action != "delete"
