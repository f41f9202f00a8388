"""DynamicResources: no driver offers devices here (there are no ResourceSlices), so a Pod with claims fits nowhere.

A Pod whose claims are not there does not even enter the queue, and nobody is told (PreEnqueue: `unmade`).

Source: pkg/scheduler/framework/plugins/dynamicresources/dynamicresources.go (PreEnqueue, PreFilter, Filter).
"""

from __future__ import annotations

from collections.abc import Callable

from ...etcd import controller_uid
from ...objects import EMPTY, Map
from ..cluster_view import ClusterView
from ..framework import ClusterEvent, Prepared, Refusal
from ..node_info import NodeInfo

Find = Callable[[str, str, str], "Map | None"]  # an object by plural, name and namespace
REFUSAL = Refusal(("cannot allocate all claims",), final=True)


def unmade(pod: Map, find: Find) -> str:
    """foreachPodResourceClaim: what is amiss with the Pod's claims before any node is looked at; "" when all are there."""
    namespace = pod["metadata"]["namespace"]
    made = {one["name"]: one.get("resourceClaimName") for one in (pod.get("status") or EMPTY).get("resourceClaimStatuses") or ()}
    for wanted in pod["spec"].get("resourceClaims") or ():
        own, name = not wanted.get("resourceClaimName"), wanted.get("resourceClaimName")
        if own:
            if wanted["name"] not in made:  # ErrClaimNotFound
                return f'pod "{namespace}/{pod["metadata"]["name"]}": ResourceClaim not created yet'
            name = made[wanted["name"]]
            if name is None:  # its template wanted none
                continue
        claim = find("resourceclaims", name, namespace)
        if claim is None:
            return f'resourceclaim.resource.k8s.io "{name}" not found'
        if claim["metadata"].get("deletionTimestamp"):
            return f'resourceclaim "{name}" is being deleted'
        if own and controller_uid(claim) != pod["metadata"]["uid"]:  # IsForPod
            return f"ResourceClaim {namespace}/{name} was not created for pod {namespace}/{pod['metadata']['name']} (pod is not owner)"
    return ""


def pre_filter(pod: Map, view: ClusterView) -> Prepared | Refusal | None:
    if not pod["spec"].get("resourceClaims"):
        return None
    said = unmade(pod, view.find)
    return Refusal((said,), final=True) if said else Prepared(None)


def filter(pod: Map, node: NodeInfo, _: None) -> Refusal | None:
    return REFUSAL


def hint(pod: Map, event: ClusterEvent) -> bool:
    return event.kind in ("self", "resourceclaims") and event.action != "delete"
