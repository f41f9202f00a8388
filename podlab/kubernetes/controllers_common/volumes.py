"""What the volume controllers share: classes, annotations, and which nodes reach a volume."""

from __future__ import annotations

from collections.abc import Iterable

from ..client import Client
from ..objects import EMPTY, Map
from ..selectors import matches

SELECTED_NODE = "volume.kubernetes.io/selected-node"  # AnnSelectedNode: set by the scheduler
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"  # AnnDynamicallyProvisioned: on volumes that a provisioner made
STORAGE_PROVISIONER = "volume.kubernetes.io/storage-provisioner"  # AnnStorageProvisioner: set by the binder
BETA_CLASS = "volume.beta.kubernetes.io/storage-class"


def class_of(claim: Map) -> str:
    """GetPersistentVolumeClaimClass: '' for none."""
    beta = (claim["metadata"].get("annotations") or EMPTY).get(BETA_CLASS)
    return str(beta if beta is not None else claim["spec"].get("storageClassName") or "")


def storage_class(client: Client, claim: Map) -> Map | None:
    name = class_of(claim)
    return client.find("storageclasses", name) if name else None


def node_allows(volume: Map, node: Map) -> bool:
    """CheckNodeAffinity."""
    required = ((volume["spec"].get("nodeAffinity") or EMPTY).get("required") or EMPTY).get("nodeSelectorTerms")
    labels = node["metadata"].get("labels") or EMPTY
    return not required or any(
        matches(tuple((e["key"], e["operator"], tuple(e.get("values") or ())) for e in term.get("matchExpressions") or ()),
                labels)
        for term in required)


def claims_of(pod: Map) -> Iterable[str]:
    """Names of the claims that a Pod mounts."""
    for volume in pod["spec"].get("volumes") or ():
        if volume.get("persistentVolumeClaim"):
            yield volume["persistentVolumeClaim"]["claimName"]
        elif volume.get("ephemeral"):
            yield f"{pod['metadata']['name']}-{volume['name']}"
