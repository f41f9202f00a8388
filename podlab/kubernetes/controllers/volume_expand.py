"""A claim that asks for more than it has: where no plugin can grow its volume, that is told of once (pkg/controller/volume/expand)."""

from __future__ import annotations

from collections.abc import Iterable

from .. import quantity
from ..component import Controller
from ..etcd import Change
from ..objects import EMPTY, Map

GROWABLE = ("fc", "flexVolume")  # ProbeExpandableVolumePlugins, IsKubeletExpandable: of no use here, nothing of the kind can be mounted
IGNORED = "didn't find a plugin capable of expanding the volume; waiting for an external controller to process this PVC"


def _size(held: Map) -> int:
    return quantity.value(held.get("storage") or "0")


def _asked(claim: Map) -> int:
    return _size((claim["spec"].get("resources") or EMPTY).get("requests") or EMPTY)


def _capacity(claim: Map) -> int:
    return _size((claim.get("status") or EMPTY).get("capacity") or EMPTY)


def _growing(controller: Controller, change: Change) -> Iterable[str]:
    """enqueuePVC: bound claims that are new or that ask for more or have more than before."""
    claim, old = change.object, change.old
    if change.type == "DELETED" or (claim.get("status") or EMPTY).get("phase") != "Bound":
        return ()
    return (change.key,) if old is None or _asked(claim) > _asked(old) or _capacity(claim) > _capacity(old) else ()


class VolumeExpandController(Controller):
    name = "volume_expand"
    watches = {"persistentvolumeclaims": _growing}

    def reconcile(self, key: str) -> int | None:
        claim = self.cluster.etcd.get("persistentvolumeclaims", key)
        volume = self.client.find("persistentvolumes", claim["spec"].get("volumeName") or "") if claim is not None else None
        if claim is None or volume is None or (volume["spec"].get("claimRef") or EMPTY).get("uid") != claim["metadata"]["uid"]:
            return None
        if _asked(claim) > _capacity(claim) and not any(source in volume["spec"] for source in GROWABLE):
            self.client.event(claim, "Warning", "ExternalExpanding", f"Ignoring the PVC: {IGNORED}.")
        return None
