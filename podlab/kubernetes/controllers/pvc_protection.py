"""Claims in use by a Pod are kept until it has ended (pkg/controller/volume/pvcprotection/pvc_protection_controller.go)."""

from __future__ import annotations

from collections.abc import Iterable

from ..cause import Cause
from ..component import Controller, own_key
from ..controllers_common.pods import facts, is_deleting
from ..controllers_common.volumes import claims_of
from ..etcd import Change

FINALIZER = "kubernetes.io/pvc-protection"


def _of_pod(_: Controller, change: Change) -> Iterable[str]:
    if change.type != "DELETED" and facts(change.object).phase not in ("Succeeded", "Failed"):
        return ()
    return [f"{change.object['metadata']['namespace']}/{name}" for name in claims_of(change.object)]


class PVCProtectionController(Controller):
    name = "pvc-protection-controller"
    watches = {"persistentvolumeclaims": own_key, "pods": _of_pod}

    def reconcile(self, key: str) -> int | None:
        claim = self.cluster.etcd.get("persistentvolumeclaims", key)
        if claim is None or not is_deleting(claim) or FINALIZER not in (claim["metadata"].get("finalizers") or ()):
            return None
        metadata = claim["metadata"]
        users = [pod for pod in self.cluster.etcd.list("pods", metadata["namespace"])
                 if metadata["name"] in claims_of(pod) and facts(pod).phase not in ("Succeeded", "Failed")]
        if not users:
            rest = [name for name in metadata["finalizers"] if name != FINALIZER]
            self.client.patch("persistentvolumeclaims", metadata["name"], {"metadata": {"finalizers": rest or None}},
                              metadata["namespace"],
                              cause=Cause("claim-unused"))
        return None
