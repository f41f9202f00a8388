"""A claim that asks for more than its volume holds is left to somebody outside, and told so.

No plugin of the controller manager can make a volume larger any more: what is left of its expand controller says who is waited for
(pkg/controller/volume/expand/expand_controller.go, ProbeExpandableVolumePlugins in cmd/kube-controller-manager/app/plugins.go).
"""

from __future__ import annotations

from collections.abc import Iterable

from .. import quantity
from ..cause import Cause
from ..component import Controller
from ..controllers_common.volume_plugins import MIGRATED, plugin_of_cloud
from ..etcd import Change
from ..objects import EMPTY, Map

RESIZER = "volume.kubernetes.io/storage-resizer"  # VolumeResizerKey: who is to make the claim's volume larger
WAITING = "waiting for an external controller to expand this PVC"
KNOWN = "fc"  # the only plugin of its own: known, and not able to; volumes of others are no plugin's, which is an error
KUBELETS = "flexVolume"  # IsKubeletExpandable: left to a kubelet's plugin, of which there is none here


def _asked(claim: Map) -> int:
    return quantity.value((claim["spec"].get("resources") or EMPTY).get("requests", EMPTY).get("storage"))


def _held(claim: Map) -> int:
    return quantity.value((claim.get("status") or EMPTY).get("capacity", EMPTY).get("storage"))


def _grown(_: Controller, change: Change) -> Iterable[str]:
    """enqueuePVC: a bound claim of which more is asked than before, or that has more."""
    old, claim = change.old, change.object
    grew = old is not None and change.type == "MODIFIED" and (_asked(claim) > _asked(old) or _held(claim) > _held(old))
    return (change.key,) if grew and (claim.get("status") or EMPTY).get("phase") == "Bound" else ()


class VolumeExpandController(Controller):
    name = "volume_expand"
    watches = {"persistentvolumeclaims": _grown}

    def reconcile(self, key: str) -> int | None:
        claim = self.cluster.etcd.get("persistentvolumeclaims", key)
        if claim is None:
            return None
        volume = self.client.get("persistentvolumes", claim["spec"]["volumeName"])
        if (volume["spec"].get("claimRef") or EMPTY).get("uid") != claim["metadata"]["uid"] or _asked(claim) <= _held(claim):
            return None
        if plugin := plugin_of_cloud(volume):
            self.client.event(claim, "Normal", "ExternalExpanding",
                              f"CSI migration enabled for {plugin}; waiting for external resizer to expand the pvc")
            self._name_resizer(claim, MIGRATED[plugin])
        elif KUBELETS not in volume["spec"]:
            self.client.event(claim, "Normal" if KNOWN in volume["spec"] else "Warning", "ExternalExpanding", WAITING)
        return None

    def _name_resizer(self, claim: Map, driver: str) -> None:
        if (claim["metadata"].get("annotations") or EMPTY).get(RESIZER) != driver:
            self.client.patch("persistentvolumeclaims", claim["metadata"]["name"], {"metadata": {"annotations": {RESIZER: driver}}},
                              claim["metadata"]["namespace"], subresource="status", cause=Cause("claim-resizer", {"driver": driver}))
