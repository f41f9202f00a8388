"""Bound volumes are kept until their claim has gone (pkg/controller/volume/pvprotection/pv_protection_controller.go)."""

from __future__ import annotations

from ..cause import Cause
from ..component import Controller, own_key
from ..controllers_common.pods import is_deleting
from ..objects import EMPTY

FINALIZER = "kubernetes.io/pv-protection"


class PVProtectionController(Controller):
    name = "pv-protection-controller"
    watches = {"persistentvolumes": own_key}

    def reconcile(self, key: str) -> int | None:
        volume = self.cluster.etcd.get("persistentvolumes", key)
        if volume is None or not is_deleting(volume) or (volume.get("status") or EMPTY).get("phase") == "Bound":
            return None
        held = volume["metadata"].get("finalizers") or ()
        if FINALIZER in held:
            rest = [name for name in held if name != FINALIZER]
            self.client.patch("persistentvolumes", key, {"metadata": {"finalizers": rest or None}}, cause=Cause("volume-unused"))
        return None
