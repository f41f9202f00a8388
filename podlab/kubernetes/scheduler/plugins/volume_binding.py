"""VolumeBinding: a Pod's claims must be bound, or bindable from the node that is looked at (WaitForFirstConsumer).

Sources: pkg/scheduler/framework/plugins/volumebinding/{volume_binding,binder}.go.
"""

from __future__ import annotations

from typing import NamedTuple

from ...objects import EMPTY, Map
from ...quantity import value
from ...selectors import matches, selects
from ..cluster_view import ClusterView
from ..framework import ClusterEvent, Prepared, Refusal
from ..node_info import NodeInfo
from .node_affinity import _term_matches

UNBOUND_IMMEDIATE = Refusal(("pod has unbound immediate PersistentVolumeClaims",), final=True)
NODE_CONFLICT = "node(s) didn't match PersistentVolume's node affinity"  # ErrReasonNodeConflict
BIND_CONFLICT = "node(s) didn't find available persistent volumes to bind"  # ErrReasonBindConflict
PV_NOT_EXIST = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"  # ErrReasonPVNotExist
SELECTED_NODE = "volume.kubernetes.io/selected-node"  # AnnSelectedNode
BIND_COMPLETED = "pv.kubernetes.io/bind-completed"  # AnnBindCompleted
NO_PROVISIONER = "kubernetes.io/no-provisioner"


class Claims(NamedTuple):
    """A Pod's claims: volumes of the bound ones (None: it does not exist), those to bind now, and volumes free for them."""

    bound: list[Map | None]
    delayed: list[Map]
    free: list[Map]
    classes: dict[str, Map]


def claim_names(pod: Map) -> list[str]:
    """Names of the claims that a Pod mounts; generic ephemeral volumes have one of their own, POD-VOLUME."""
    names = []
    for volume in pod["spec"].get("volumes") or ():
        if volume.get("persistentVolumeClaim"):
            names.append(volume["persistentVolumeClaim"]["claimName"])
        elif volume.get("ephemeral"):
            names.append(f"{pod['metadata']['name']}-{volume['name']}")
    return names


def is_bound(claim: Map) -> bool:
    """A claim with its volume, finished by the volume controller."""
    annotations = claim["metadata"].get("annotations") or EMPTY
    phase = (claim.get("status") or EMPTY).get("phase")
    return bool((claim.get("spec") or EMPTY).get("volumeName") and (BIND_COMPLETED in annotations or phase == "Bound"))


def pre_filter(pod: Map, view: ClusterView) -> Prepared | Refusal | None:
    names = claim_names(pod)
    if not names:
        return None
    namespace = pod["metadata"]["namespace"]
    bound: list[Map | None] = []
    delayed: list[Map] = []
    classes: dict[str, Map] = {}
    immediate = False
    for name in names:
        claim = view.find("persistentvolumeclaims", name, namespace)
        why = _unusable(claim, name, pod)
        if why or claim is None:
            return Refusal((why,), final=True)
        if is_bound(claim):
            bound.append(view.find("persistentvolumes", claim["spec"]["volumeName"], None))
            continue
        class_name = claim["spec"].get("storageClassName") or ""
        storage_class = view.find("storageclasses", class_name, None) if class_name else None
        waits = storage_class is not None and storage_class.get("volumeBindingMode") == "WaitForFirstConsumer"
        if waits and storage_class is not None and not claim["spec"].get("volumeName"):
            delayed.append(claim)
            classes[class_name] = storage_class
        else:
            immediate = True
    if immediate:
        return UNBOUND_IMMEDIATE
    free = view.list("persistentvolumes", None) if delayed else []
    delayed.sort(key=_requested)
    return Prepared(Claims(bound, delayed, free, classes))


def _unusable(claim: Map | None, name: str, pod: Map) -> str:
    """Why a claim cannot be used at all, or ''."""
    ephemeral = any(f"{pod['metadata']['name']}-{v['name']}" == name for v in pod["spec"]["volumes"] if v.get("ephemeral"))
    if claim is None:
        return (f'waiting for ephemeral volume controller to create the persistentvolumeclaim "{name}"' if ephemeral
                else f'persistentvolumeclaim "{name}" not found')
    if (claim.get("status") or EMPTY).get("phase") == "Lost":
        return f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{claim["spec"].get("volumeName", "")}"'
    if claim["metadata"].get("deletionTimestamp"):
        return f'persistentvolumeclaim "{name}" is being deleted'
    owners = claim["metadata"].get("ownerReferences") or ()
    if ephemeral and not any(one.get("controller") and one["uid"] == pod["metadata"]["uid"] for one in owners):
        namespace = pod["metadata"]["namespace"]
        return f"PVC {namespace}/{name} was not created for pod {namespace}/{pod['metadata']['name']} (pod is not owner)"  # VolumeIsForPod
    return ""


def filter(pod: Map, node: NodeInfo, claims: Claims) -> Refusal | None:
    reasons = []
    if any(volume is None for volume in claims.bound):
        reasons.append(PV_NOT_EXIST)
    elif any(volume is not None and not reachable(volume, node) for volume in claims.bound):
        reasons.append(NODE_CONFLICT)
    if claims.delayed and bindings(node, claims) is None:
        reasons.append(BIND_CONFLICT)
    return Refusal(tuple(reasons), final=True) if reasons else None


def reachable(volume: Map, node: NodeInfo) -> bool:
    """Whether a PersistentVolume's node affinity allows the node (CheckNodeAffinity)."""
    required = ((volume["spec"].get("nodeAffinity") or EMPTY).get("required") or EMPTY).get("nodeSelectorTerms")
    return not required or any(_term_matches(term, node.name, node.labels) for term in required)


def bindings(node: NodeInfo, claims: Claims) -> list[tuple[Map, Map | None]] | None:
    """For each delayed claim the volume to bind on this node, or None to provision one; None when it cannot be done."""
    plan: list[tuple[Map, Map | None]] = []
    taken: set[str] = set()
    for claim in claims.delayed:
        selected = (claim["metadata"].get("annotations") or EMPTY).get(SELECTED_NODE)
        if selected and selected != node.name:
            return None
        volume = None if selected else _matching(claim, node, claims.free, taken)
        if volume is None and not _may_provision(claims.classes[claim["spec"]["storageClassName"]], node):
            return None
        if volume is not None:
            taken.add(volume["metadata"]["name"])
        plan.append((claim, volume))
    return plan


def _requested(claim: Map) -> int:
    return value(((claim["spec"].get("resources") or EMPTY).get("requests") or EMPTY).get("storage"))


def _matching(claim: Map, node: NodeInfo, volumes: list[Map], taken: set[str]) -> Map | None:
    """The smallest free volume that serves the claim from this node (FindMatchingVolume)."""
    spec, size = claim["spec"], _requested(claim)
    best: tuple[int, Map] | None = None
    for volume in volumes:
        offered, reference = volume["spec"], volume["spec"].get("claimRef")
        capacity = value((offered.get("capacity") or EMPTY).get("storage"))
        if reference and (reference.get("namespace"), reference.get("name")) != (claim["metadata"]["namespace"],
                                                                                claim["metadata"]["name"]):
            continue
        if volume["metadata"]["name"] in taken or volume["metadata"].get("deletionTimestamp"):
            continue
        if (capacity < size or (offered.get("storageClassName") or "") != (spec.get("storageClassName") or "")
                or (offered.get("volumeMode") or "Filesystem") != (spec.get("volumeMode") or "Filesystem")
                or not set(spec.get("accessModes") or ()) <= set(offered.get("accessModes") or ())
                or not reachable(volume, node)):
            continue
        if spec.get("selector") and not selects(spec["selector"], volume["metadata"].get("labels")):
            continue
        if (volume.get("status") or EMPTY).get("phase", "Available") not in ("Available", "Pending") and not reference:
            continue
        if best is None or capacity < best[0]:
            best = (capacity, volume)
    return best[1] if best else None


def _may_provision(storage_class: Map, node: NodeInfo) -> bool:
    """checkVolumeProvisions: there is a provisioner, and the class allows the node's topology."""
    if storage_class.get("provisioner", NO_PROVISIONER) == NO_PROVISIONER:
        return False
    topologies = storage_class.get("allowedTopologies")
    return not topologies or any(
        matches(tuple((e["key"], "In", tuple(e["values"])) for e in term.get("matchLabelExpressions") or ()), node.labels)
        for term in topologies)


def hint(pod: Map, event: ClusterEvent) -> bool:
    """Its claims changed; or volumes, classes or nodes came or changed."""
    if event.kind == "persistentvolumeclaims":
        claim = event.new or event.old
        return (claim is not None and claim["metadata"]["namespace"] == pod["metadata"]["namespace"]
                and claim["metadata"]["name"] in claim_names(pod))
    if event.kind == "node":
        return event.action == "add" or (event.action == "update" and event.old is not None and event.new is not None
                                         and event.old["metadata"].get("labels") != event.new["metadata"].get("labels"))
    return event.kind in ("persistentvolumes", "storageclasses") and event.action != "delete"
