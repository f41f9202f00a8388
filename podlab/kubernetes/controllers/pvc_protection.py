"""Claims that a Pod uses are kept until the Pod has gone (pkg/controller/volume/pvcprotection/pvc_protection_controller.go)."""

from __future__ import annotations

from collections.abc import Iterable

from ..cause import Cause
from ..component import Controller, own_key
from ..controllers_common.pods import facts, is_deleting
from ..controllers_common.volumes import claims_of
from ..etcd import RESHAPED_OR_ENDED, Change
from ..objects import EMPTY, Map

FINALIZER = "kubernetes.io/pvc-protection"


def _of_pod(_: Controller, change: Change) -> Iterable[str]:
    if change.type != "DELETED" and facts(change.object).phase not in ("Succeeded", "Failed"):
        return ()
    return [f"{change.object['metadata']['namespace']}/{name}" for name in claims_of(change.object)]


def _uses(pod: Map, claim: str) -> bool:
    """podUsesPVC: a Pod on a node does, even one that has ended; a claim made for the Pod alone not once its kubelet is done with it."""
    if not pod["spec"].get("nodeName"):
        return False
    gone = is_deleting(pod) and not pod["metadata"].get("deletionGracePeriodSeconds")
    return any((volume.get("persistentVolumeClaim") or EMPTY).get("claimName") == claim
               or (not gone and volume.get("ephemeral") is not None and f"{pod['metadata']['name']}-{volume['name']}" == claim)
               for volume in pod["spec"].get("volumes") or ())


class PVCProtectionController(Controller):
    name = "pvc-protection-controller"
    watches = {"persistentvolumeclaims": own_key, "pods": _of_pod}
    heeds = {"pods": RESHAPED_OR_ENDED}

    def reconcile(self, key: str) -> int | None:
        claim = self.cluster.etcd.get("persistentvolumeclaims", key)
        if claim is None or not is_deleting(claim) or FINALIZER not in (claim["metadata"].get("finalizers") or ()):
            return None
        metadata = claim["metadata"]
        if not any(_uses(pod, metadata["name"]) for pod in self.cluster.etcd.list("pods", metadata["namespace"])):
            rest = [name for name in metadata["finalizers"] if name != FINALIZER]
            self.client.patch("persistentvolumeclaims", metadata["name"], {"metadata": {"finalizers": rest or None}},
                              metadata["namespace"],
                              cause=Cause("claim-unused"))
        return None
