"""VolumeRestrictions: a claim with access mode ReadWriteOncePod serves one Pod in the whole cluster."""

from __future__ import annotations

from ...objects import Map
from ..cluster_view import ClusterView
from ..framework import ClusterEvent, Prepared, Refusal
from ..node_info import NodeInfo

# ErrReasonReadWriteOncePodConflict
REFUSAL = Refusal(("node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode",))


def _claims(pod: Map) -> list[str]:
    """Claims that a Pod names: those of its generic ephemeral volumes nobody else can use (readWriteOncePodPVCsForPod)."""
    return [volume["persistentVolumeClaim"]["claimName"] for volume in pod["spec"].get("volumes") or () if volume.get("persistentVolumeClaim")]


def pre_filter(pod: Map, view: ClusterView) -> Prepared | Refusal | None:
    names = _claims(pod)
    if not names:
        return None
    namespace = pod["metadata"]["namespace"]
    exclusive = []
    for name in names:
        claim = view.find("persistentvolumeclaims", name, namespace)
        if claim is None:
            return Refusal((f'persistentvolumeclaim "{name}" not found',), final=True)
        if "ReadWriteOncePod" in (claim["spec"].get("accessModes") or ()):
            exclusive.append(name)
    if not exclusive:
        return None
    users = [other for node in view.ordered for other in node.pods.values() if other["metadata"]["namespace"] == namespace]
    return Prepared(any(name in exclusive for other in users for name in _claims(other)))


def filter(pod: Map, node: NodeInfo, conflict: bool) -> Refusal | None:
    return REFUSAL if conflict else None


def hint(pod: Map, event: ClusterEvent) -> bool:
    """A Pod that held a claim of ours ended, or a claim came."""
    names = _claims(pod)
    about = event.old if event.action == "delete" else event.new
    if about is None or about["metadata"].get("namespace") != pod["metadata"]["namespace"]:
        return event.kind == "node" and event.action == "add"
    if event.kind == "pod":
        return event.action == "delete" and any(name in names for name in _claims(about))
    return event.kind == "persistentvolumeclaims" and about["metadata"]["name"] in names
