"""What the volume controllers share: classes, annotations, and the claims of a Pod."""

from __future__ import annotations

from collections.abc import Iterable

from ..client import Client
from ..objects import EMPTY, Map

SELECTED_NODE = "volume.kubernetes.io/selected-node"  # AnnSelectedNode: set by the scheduler
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"  # AnnDynamicallyProvisioned: on volumes that a provisioner made
STORAGE_PROVISIONER = "volume.kubernetes.io/storage-provisioner"  # AnnStorageProvisioner: set by the binder
BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"  # AnnBoundByController: nobody asked for this very volume or claim
BETA_CLASS = "volume.beta.kubernetes.io/storage-class"


def class_of(claim: Map) -> str:
    """GetPersistentVolumeClaimClass: '' for none."""
    beta = (claim["metadata"].get("annotations") or EMPTY).get(BETA_CLASS)
    return str(beta if beta is not None else claim["spec"].get("storageClassName") or "")


def storage_class(client: Client, claim: Map) -> Map | None:
    name = class_of(claim)
    return client.find("storageclasses", name) if name else None


def claims_of(pod: Map) -> Iterable[str]:
    """Names of the claims that a Pod mounts."""
    for volume in pod["spec"].get("volumes") or ():
        if volume.get("persistentVolumeClaim"):
            yield volume["persistentVolumeClaim"]["claimName"]
        elif volume.get("ephemeral"):
            yield f"{pod['metadata']['name']}-{volume['name']}"
