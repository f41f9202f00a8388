"""Binding claims to volumes (pkg/controller/volume/persistentvolume/pv_controller.go; S/component-helpers/storage/volume).

Making a volume that nobody prepared is the provisioner's work (host_path_provisioner.py); here a claim only asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import quantity
from ..cause import Cause
from ..component import Controller
from ..controllers_common.pods import is_deleting
from ..controllers_common.volumes import PROVISIONED_BY, SELECTED_NODE, STORAGE_PROVISIONER, class_of, node_allows, storage_class
from ..etcd import Change
from ..objects import EMPTY, Map
from ..selectors import selects

BIND_COMPLETED, BOUND_BY_CONTROLLER = "pv.kubernetes.io/bind-completed", "pv.kubernetes.io/bound-by-controller"
BETA_PROVISIONER = "volume.beta.kubernetes.io/storage-provisioner"
VOLUME = "volume "  # prefix of the keys of PersistentVolumes
RESYNC_MS = 15_000  # PVClaimBinderSyncPeriod: claims without a volume are looked at, and told of, so often
NO_PROVISIONER = "kubernetes.io/no-provisioner"


def _claim_keys(controller: Controller, change: Change) -> Iterable[str]:
    volume = change.object["spec"].get("volumeName")
    return (change.key, f"{VOLUME}{volume}") if volume else (change.key,)


def _volume_keys(controller: Controller, change: Change) -> Iterable[str]:
    keys = [VOLUME + change.key]
    reference = change.object["spec"].get("claimRef")
    if reference and reference.get("uid"):
        keys.append(f"{reference['namespace']}/{reference['name']}")
    return keys


def is_for(volume: Map, claim: Map) -> bool:
    """IsVolumeBoundToClaim: whether a volume names this claim (by uid once it is bound)."""
    reference = volume["spec"].get("claimRef")
    if not reference:
        return False
    named = (reference.get("namespace"), reference["name"]) == (claim["metadata"]["namespace"], claim["metadata"]["name"])
    return named and reference.get("uid") in (None, "", claim["metadata"]["uid"])


def best_volume(claim: Map, volumes: Iterable[Map], node: Map | None) -> Map | None:
    """FindMatchingVolume: one pre-bound to the claim wins, else the smallest that fits size, class, modes, selector and node."""
    spec = claim["spec"]
    wanted = quantity.value((spec.get("resources") or EMPTY).get("requests", EMPTY).get("storage"))
    fits: list[tuple[int, str, Map]] = []
    for volume in volumes:
        has = volume["spec"]
        if is_deleting(volume) or (has.get("claimRef") and not is_for(volume, claim)):
            continue
        size = quantity.value((has.get("capacity") or EMPTY).get("storage"))
        if size < wanted or not set(spec.get("accessModes") or ()) <= set(has.get("accessModes") or ()):
            continue
        if has.get("volumeMode", "Filesystem") != spec.get("volumeMode", "Filesystem") or (has.get("storageClassName")
                                                                                           or "") != class_of(claim):
            continue
        if has.get("claimRef"):
            return volume
        if spec.get("selector") is not None and not selects(spec["selector"], volume["metadata"].get("labels")):
            continue
        if node is None or node_allows(volume, node):
            fits.append((size, volume["metadata"]["name"], volume))
    return min(fits, key=lambda fit: fit[:2])[2] if fits else None


def _mismatch(claim: Map, volume: Map) -> str:
    """checkVolumeSatisfyClaim: why the volume that a claim asks for by name is not for it; "" when it is."""
    spec, has = claim["spec"], volume["spec"]
    if is_deleting(volume):
        return f'the volume is marked for deletion "{volume["metadata"]["name"]}"'
    wanted = quantity.value((spec.get("resources") or EMPTY).get("requests", EMPTY).get("storage"))
    if quantity.value((has.get("capacity") or EMPTY).get("storage")) < wanted:
        return "requested PV is too small"
    if (has.get("storageClassName") or "") != class_of(claim):
        return "storageClassName does not match"
    if has.get("volumeMode", "Filesystem") != spec.get("volumeMode", "Filesystem"):
        return "incompatible volumeMode"
    return "" if set(spec.get("accessModes") or ()) <= set(has.get("accessModes") or ()) else "incompatible accessMode"


class PersistentVolumeBinder(Controller):
    name = "persistentvolume-controller"
    watches = {"persistentvolumeclaims": _claim_keys, "persistentvolumes": _volume_keys}
    writing = False

    def enqueue(self, key: str, after_ms: int | None = None, because: int | None = None) -> None:
        """storeClaimUpdate: what this controller writes into a claim itself brings no further sync of the claim."""
        if not self.writing or key.startswith(VOLUME):
            super().enqueue(key, after_ms, because)

    def reconcile(self, key: str) -> int | None:
        self.writing = True
        try:
            return self._sync(key)
        finally:
            self.writing = False

    def _sync(self, key: str) -> int | None:
        """What no watch tells of (a new volume that nobody is named in, a new StorageClass), the resync finds."""
        if key.startswith(VOLUME):
            self._sync_volume(key.removeprefix(VOLUME))
            return None
        claim = self.cluster.etcd.get("persistentvolumeclaims", key)
        if claim is None or is_deleting(claim):
            return None
        return self._sync_bound(claim) if claim["spec"].get("volumeName") else self._sync_unbound(claim)

    # ---- claims

    def _sync_unbound(self, claim: Map) -> int | None:
        chosen = storage_class(self.client, claim)
        waits = chosen is not None and chosen.get("volumeBindingMode") == "WaitForFirstConsumer"
        selected = (claim["metadata"].get("annotations") or EMPTY).get(SELECTED_NODE)
        volumes = self.cluster.etcd.list("persistentvolumes")
        node = self.client.find("nodes", selected) if selected else None
        if waits and not selected:
            volumes = [volume for volume in volumes if is_for(volume, claim)]
        volume = best_volume(claim, volumes, node)
        if volume is not None:
            self._bind(claim, volume)
            return None
        if waits and not selected:
            self._tell_waiting(claim)
        elif class_of(claim):
            self._ask_provisioner(claim, chosen)
        else:
            self.client.event(claim, "Normal", "FailedBinding",
                              "no persistent volumes available for this claim and no storage class is set")
        fresh = self.client.find("persistentvolumeclaims", claim["metadata"]["name"], claim["metadata"]["namespace"])
        self._set_claim_status(fresh if fresh is not None else claim, {"phase": "Pending"})
        return RESYNC_MS

    def _tell_waiting(self, claim: Map) -> None:
        """WaitForPodScheduled once a Pod uses the claim, else WaitForFirstConsumer."""
        metadata = claim["metadata"]
        users = [pod["metadata"]["name"] for pod in self.cluster.etcd.list("pods", metadata["namespace"])
                 if not pod["spec"].get("nodeName")
                 and any((v.get("persistentVolumeClaim") or EMPTY).get("claimName") == metadata["name"]
                         for v in pod["spec"].get("volumes") or ())]
        if users:
            self.client.event(claim, "Normal", "WaitForPodScheduled", f"waiting for pod {users[0]} to be scheduled")
        else:
            self.client.event(claim, "Normal", "WaitForFirstConsumer", "waiting for first consumer to be created before binding")

    def _ask_provisioner(self, claim: Map, chosen: Map | None) -> None:
        if chosen is None:
            self.client.event(claim, "Warning", "ProvisioningFailed",
                              f'storageclass.storage.k8s.io "{class_of(claim)}" not found')
            return
        provisioner = chosen["provisioner"]
        if provisioner == NO_PROVISIONER:
            self.client.event(claim, "Warning", "ProvisioningFailed", f'no volume plugin matched name "{provisioner}"')
            return
        annotations = claim["metadata"].get("annotations") or EMPTY
        if annotations.get(STORAGE_PROVISIONER) != provisioner:
            marks = {STORAGE_PROVISIONER: provisioner, BETA_PROVISIONER: provisioner}
            claim = self.client.patch("persistentvolumeclaims", claim["metadata"]["name"], {"metadata": {"annotations": marks}},
                                      claim["metadata"]["namespace"],
                                      cause=Cause("volume-provisioner-asked", {"provisioner": provisioner}))
        self.client.event(claim, "Normal", "ExternalProvisioning",
                          f"Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually "
                          "by the system administrator. If volume creation is delayed, please verify that the provisioner is "
                          "running and correctly registered.")

    def _sync_bound(self, claim: Map) -> int | None:
        """A claim that names its volume: chosen by the user, or bound before."""
        volume = self.client.find("persistentvolumes", claim["spec"]["volumeName"])
        completed = BIND_COMPLETED in (claim["metadata"].get("annotations") or EMPTY)
        if volume is not None and not completed and not is_for(volume, claim):
            taken = bool(volume["spec"].get("claimRef"))
            wrong = "" if taken else _mismatch(claim, volume)
            if taken or wrong:  # a certain volume was asked for: try again later
                name = volume["metadata"]["name"]
                text = f'volume "{name}" already bound to a different claim.' if taken else f'Cannot bind to requested volume "{name}": {wrong}'
                self.client.event(claim, "Warning", "FailedBinding" if taken else "VolumeMismatch", text)
                self._set_claim_status(claim, {"phase": "Pending"})
                return RESYNC_MS
        if volume is not None and (not volume["spec"].get("claimRef") or is_for(volume, claim)):
            self._bind(claim, volume)
        elif completed:
            if (claim.get("status") or EMPTY).get("phase") != "Lost":
                text = "Bound claim has lost its PersistentVolume. Data on the volume is lost!" if volume is None else \
                    "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!"
                self.client.event(claim, "Warning", "ClaimLost" if volume is None else "ClaimMisbound", text)
            self._set_claim_status(claim, {"phase": "Lost"})
        else:
            self._set_claim_status(claim, {"phase": "Pending"})
        return None

    def _bind(self, claim: Map, volume: Map) -> None:
        """bind: the volume first, then the claim; each is written only where it says something else."""
        metadata = claim["metadata"]
        cause = Cause("volume-bound", {"volume": volume["metadata"]["name"],
                                       "claim": f"{metadata['namespace']}/{metadata['name']}"})
        reference = volume["spec"].get("claimRef") or EMPTY
        if reference.get("uid") != metadata["uid"]:
            marks = volume["metadata"].get("annotations") or EMPTY
            if not reference:
                marks = {**marks, BOUND_BY_CONTROLLER: "yes"}
            new = {"kind": "PersistentVolumeClaim", "namespace": metadata["namespace"], "name": metadata["name"],
                   "uid": metadata["uid"],
                   "apiVersion": "v1", "resourceVersion": metadata["resourceVersion"]}
            volume = self.client.patch("persistentvolumes", volume["metadata"]["name"],
                                       {"metadata": {"annotations": marks}, "spec": {"claimRef": new}}, cause=cause)
        self._set_volume_phase(volume, "Bound")
        marks = metadata.get("annotations") or EMPTY
        if claim["spec"].get("volumeName") != volume["metadata"]["name"] or BIND_COMPLETED not in marks:
            marks = {**marks, BIND_COMPLETED: "yes"}
            if not claim["spec"].get("volumeName"):
                marks[BOUND_BY_CONTROLLER] = "yes"
            spec = {**claim["spec"], "volumeName": volume["metadata"]["name"]}
            claim = self.client.update("persistentvolumeclaims",
                                       {**claim, "metadata": {**metadata, "annotations": marks}, "spec": spec}, cause=cause)
        self._set_claim_status(claim, {"phase": "Bound", "accessModes": volume["spec"].get("accessModes") or [],
                                       "capacity": volume["spec"].get("capacity") or {}})

    def _set_claim_status(self, claim: Map, status: dict[str, Any]) -> None:
        kept = {key: value for key, value in (claim.get("status") or EMPTY).items()
                if key not in ("phase", "accessModes", "capacity")}
        new = {**kept, **status}
        if new != (claim.get("status") or EMPTY):
            self.client.update("persistentvolumeclaims", {**claim, "status": new}, subresource="status",
                               cause=Cause("volume-claim-status", {"phase": status["phase"]}))

    # ---- volumes

    def _sync_volume(self, name: str) -> None:
        volume = self.client.find("persistentvolumes", name)
        if volume is None:
            return
        reference = volume["spec"].get("claimRef")
        if not reference or not reference.get("uid"):
            self._set_volume_phase(volume, "Available")
            return
        claim = self.client.find("persistentvolumeclaims", reference["name"], reference["namespace"])
        if claim is not None and claim["metadata"]["uid"] == reference["uid"]:
            if claim["spec"].get("volumeName") == name:
                self._set_volume_phase(volume, "Bound")
            return
        if (volume.get("status") or EMPTY).get("phase") != "Failed":
            self._set_volume_phase(volume, "Released")
        self._reclaim(volume)

    def _reclaim(self, volume: Map) -> None:
        """reclaimVolume: what nobody prepared is its provisioner's to delete; of the rest the hostPath plugin deletes what lies in /tmp."""
        policy, name = volume["spec"].get("persistentVolumeReclaimPolicy"), volume["metadata"]["name"]
        path = (volume["spec"].get("hostPath") or EMPTY).get("path")
        wrong = ""
        if policy == "Delete" and PROVISIONED_BY not in (volume["metadata"].get("annotations") or EMPTY):
            if path is None:
                wrong = f'error getting deleter volume plugin for volume "{name}": no deletable volume plugin matched'
            elif "/tmp/" not in path.rstrip("/"):
                wrong = f"host_path deleter only supports /tmp/.+ but received provided {path}"
            elif not is_deleting(volume):
                self.client.delete("persistentvolumes", name, cause=Cause("volume-reclaimed", {"volume": name}))
        elif policy == "Recycle" and path is None and "nfs" not in volume["spec"]:
            wrong = "No recycler plugin found for the volume!"
        if wrong and (volume.get("status") or EMPTY).get("phase") != "Failed":
            self._set_volume_phase(self.client.find("persistentvolumes", name) or volume, "Failed", wrong)
            self.client.event(volume, "Warning", f"VolumeFailed{policy}", wrong)

    def _set_volume_phase(self, volume: Map, phase: str, message: str = "") -> None:
        status = volume.get("status") or EMPTY
        if status.get("phase") == phase:
            return
        changed = {**{key: value for key, value in status.items() if key != "message"}, "phase": phase}
        if message:
            changed["message"] = message
        self.client.update("persistentvolumes", {**volume, "status": changed}, subresource="status",
                           cause=Cause("volume-phase", {"phase": phase}))
