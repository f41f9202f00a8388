"""Binding claims to volumes, making what nobody prepared, and reclaiming what nobody claims any more.

Sources: pkg/controller/volume/persistentvolume/{pv_controller,pv_controller_base,index}.go, S/component-helpers/storage/volume.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import quantity
from ..apiserver.admission.storage import default_class
from ..cause import Cause
from ..component import Controller
from ..controllers_common import volume_plugins
from ..controllers_common.pods import is_deleting
from ..controllers_common.volumes import BETA_CLASS, BOUND_BY_CONTROLLER, SELECTED_NODE, STORAGE_PROVISIONER, claims_of, class_of, storage_class
from ..etcd import Change
from ..objects import EMPTY, Map
from ..selectors import selects
from ..times import rfc3339

BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
BETA_PROVISIONER = "volume.beta.kubernetes.io/storage-provisioner"
VOLUME = "volume "  # prefix of the keys of PersistentVolumes
RESYNC_MS = 15_000  # PVClaimBinderSyncPeriod: claims without a volume are looked at, and told of, so often
FIRST_WAIT_MS, LAST_WAIT_MS = 500, 122_000  # initialDurationBeforeRetry, maxDurationBeforeRetry (pkg/util/goroutinemap/exponentialbackoff)


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


def best_volume(claim: Map, volumes: Iterable[Map], waits: bool) -> Map | None:
    """findByClaim: one that is for the claim wins, else of the available ones that fit the one of fewest access modes, then the smallest.

    `waits`: the claim's class waits for the first consumer, so that the scheduler is who chooses among the free ones.
    """
    spec = claim["spec"]
    wanted = quantity.value((spec.get("resources") or EMPTY).get("requests", EMPTY).get("storage"))
    fits: list[tuple[int, int, str, Map]] = []
    for volume in volumes:
        has = volume["spec"]
        modes = has.get("accessModes") or ()
        if is_deleting(volume) or (has.get("claimRef") and not is_for(volume, claim)):
            continue
        size = quantity.value((has.get("capacity") or EMPTY).get("storage"))
        if size < wanted or not set(spec.get("accessModes") or ()) <= set(modes) or any(
                (has.get(member) or usual) != (spec.get(member) or usual)
                for member, usual in (("volumeMode", "Filesystem"), ("volumeAttributesClassName", ""))):
            continue
        if has.get("claimRef"):
            return volume
        if waits or (volume.get("status") or EMPTY).get("phase") != "Available" or (has.get("storageClassName") or "") != class_of(claim):
            continue
        if spec.get("selector") is None or selects(spec["selector"], volume["metadata"].get("labels")):
            fits.append((len(modes), size, volume["metadata"]["name"], volume))
    return min(fits, key=lambda fit: fit[:3])[3] if fits else None


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
            self.state.get("operations", {}).pop(key, None)
            return None
        return self._sync_bound(claim) if claim["spec"].get("volumeName") else self._sync_unbound(claim)

    # ---- claims

    def _sync_unbound(self, claim: Map) -> int | None:
        chosen = storage_class(self.client, claim)
        waits = chosen is not None and chosen.get("volumeBindingMode") == "WaitForFirstConsumer"
        selected = SELECTED_NODE in (claim["metadata"].get("annotations") or EMPTY)
        volume = best_volume(claim, self.cluster.etcd.list("persistentvolumes"), waits)
        if volume is not None:
            self._bind(claim, volume)
            return None
        if self._given_a_class(claim):
            return None
        if waits and not selected:
            self._tell_waiting(claim)
        elif class_of(claim):
            return self._provision(claim, chosen)
        else:
            self.client.event(claim, "Normal", "FailedBinding",
                              "no persistent volumes available for this claim and no storage class is set")
        self._set_claim_status(claim, {"phase": "Pending"})
        return RESYNC_MS

    def _given_a_class(self, claim: Map) -> bool:
        """assignDefaultStorageClass: a claim that was made before there was a default class gets it; its next sync goes on with that."""
        metadata = claim["metadata"]
        if claim["spec"].get("storageClassName") is not None or BETA_CLASS in (metadata.get("annotations") or EMPTY):
            return False
        name = default_class(self.cluster.etcd.list("storageclasses"))
        if name:
            self.client.patch("persistentvolumeclaims", metadata["name"], {"spec": {"storageClassName": name}}, metadata["namespace"],
                              cause=Cause("volume-claim-class", {"class": name}))
            super().enqueue(f"{metadata['namespace']}/{metadata['name']}")
        return bool(name)

    def _tell_waiting(self, claim: Map) -> None:
        """WaitForPodScheduled once a Pod uses the claim, else WaitForFirstConsumer."""
        metadata = claim["metadata"]
        users = [pod["metadata"]["name"] for pod in self.cluster.etcd.list("pods", metadata["namespace"])
                 if not pod["spec"].get("nodeName") and metadata["name"] in claims_of(pod)
                 and (pod.get("status") or EMPTY).get("phase") not in ("Succeeded", "Failed")]
        if users:
            self.client.event(claim, "Normal", "WaitForPodScheduled",
                              f"waiting for pod{'s' if len(users) > 1 else ''} {','.join(users)} to be scheduled")
        else:
            self.client.event(claim, "Normal", "WaitForFirstConsumer", "waiting for first consumer to be created before binding")

    # ---- provisioning

    def _provision(self, claim: Map, chosen: Map | None) -> int:
        """provisionClaim: by a plugin of this controller's, or an external provisioner is asked. Returns ms until the next try."""
        provisioner = "" if chosen is None else chosen["provisioner"]
        missing = f'storageclass.storage.k8s.io "{class_of(claim)}" not found' if chosen is None else volume_plugins.no_plugin(provisioner)
        if chosen is None or missing:
            self.client.event(claim, "Warning", "ProvisioningFailed", missing)
            return RESYNC_MS
        if volume_plugins.is_host_path(provisioner):
            return self._operate(claim, chosen)
        provisioner = volume_plugins.MIGRATED.get(provisioner, provisioner)
        claim = self._set_provisioner(claim, provisioner)
        self.client.event(claim, "Normal", "ExternalProvisioning",
                          f"Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually "
                          "by the system administrator. If volume creation is delayed, please verify that the provisioner is "
                          "running and correctly registered.")
        return RESYNC_MS

    def _set_provisioner(self, claim: Map, provisioner: str) -> Map:
        """setClaimProvisioner."""
        metadata = claim["metadata"]
        if (metadata.get("annotations") or EMPTY).get(STORAGE_PROVISIONER) == provisioner:
            return claim
        marks = {STORAGE_PROVISIONER: provisioner, BETA_PROVISIONER: provisioner}
        return self.client.patch("persistentvolumeclaims", metadata["name"], {"metadata": {"annotations": marks}}, metadata["namespace"],
                                 cause=Cause("volume-provisioner-asked", {"provisioner": provisioner}))

    def _operate(self, claim: Map, chosen: Map) -> int:
        """provisionClaimOperation, with the waits of the map of operations: a try after each failure, twice as late as the one before."""
        key = f"{claim['metadata']['namespace']}/{claim['metadata']['name']}"
        failures: dict[str, list[int]] = self.state.setdefault("operations", {})  # key of a claim -> [failures in a row, no try before ms]
        count, until = failures.get(key, (0, 0))
        if self.now >= until:
            why = self._make_volume(key, claim, chosen)
            if not why:
                failures.pop(key, None)
                return RESYNC_MS
            self.client.event(claim, "Warning", "ProvisioningFailed", why)
            until = self.now + min(FIRST_WAIT_MS << min(count, 20), LAST_WAIT_MS)
            failures[key] = [count + 1, until]
        return max(1, -(-(until - self.now) // RESYNC_MS)) * RESYNC_MS

    def _make_volume(self, key: str, claim: Map, chosen: Map) -> str:
        """Make the volume of a claim; why it cannot be made, or ""."""
        class_name, plugin = chosen["metadata"]["name"], volume_plugins.HOST_PATH
        if claim["spec"].get("dataSource"):
            return f'plugin "{plugin}" is not a CSI plugin. Only CSI plugin can provision a claim with a datasource'
        claim = self._set_provisioner(claim, chosen["provisioner"])
        metadata = claim["metadata"]
        name = f"pvc-{metadata['uid']}"
        if self.client.find("persistentvolumes", name) is not None:
            return ""
        if options := chosen.get("mountOptions"):
            return (f'Mount options are not supported by the provisioner but StorageClass "{class_name}" has mount options '
                    f"[{' '.join(options)}]")
        node = (metadata.get("annotations") or EMPTY).get(SELECTED_NODE)
        if node and self.client.find("nodes", node) is None:
            return f'Failed to get target node: node "{node}" not found'
        if claim["spec"].get("volumeMode") == "Block":
            if node:  # rescheduleProvisioning
                self.client.patch("persistentvolumeclaims", metadata["name"], {"metadata": {"annotations": {SELECTED_NODE: None}}},
                                  metadata["namespace"], cause=Cause("volume-node-refused", {"claim": key, "node": node}))
                super().enqueue(key)
            return f'Failed to provision volume with StorageClass "{class_name}": {plugin} does not support block volume provisioning'
        directory = self.cluster.random.uid("hostpath_pv", metadata["uid"])
        self.client.create("persistentvolumes", volume_plugins.host_path_volume(claim, chosen, name, directory),
                           cause=Cause("volume-provisioned", {"claim": key, "volume": name}))
        self.client.event(claim, "Normal", "ProvisioningSucceeded", f"Successfully provisioned volume {name} using {plugin}")
        return ""

    # ---- bound claims

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
                    "Two claims are bound to the same volume, this one is bound incorrectly"
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
        volume = self._set_volume_phase(volume, "Bound")
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
        volume = self._with_finalizers(volume)
        reference = volume["spec"].get("claimRef")
        if not reference or not reference.get("uid"):
            self._set_volume_phase(volume, "Available")
            return
        claim = self.client.find("persistentvolumeclaims", reference["name"], reference["namespace"])
        if claim is None or claim["metadata"]["uid"] != reference["uid"]:
            self._release(volume)
        elif not claim["spec"].get("volumeName"):
            self._hasten(claim, volume)
        elif claim["spec"]["volumeName"] == name:
            self._set_volume_phase(volume, "Bound")
        elif volume_plugins.provisioner_of(volume) and volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete":
            self._release(volume)
        else:
            self._unbind(volume)

    def _with_finalizers(self, volume: Map) -> Map:
        """updateVolumeMigrationAnnotationsAndFinalizers."""
        wanted = volume_plugins.finalizers(volume)
        if is_deleting(volume) or wanted == list(volume["metadata"].get("finalizers") or ()):
            return volume
        return self.client.patch("persistentvolumes", volume["metadata"]["name"], {"metadata": {"finalizers": wanted or None}},
                                 cause=Cause("volume-finalizers", {"policy": volume["spec"].get("persistentVolumeReclaimPolicy")}))

    def _hasten(self, claim: Map, volume: Map) -> None:
        """A volume for a claim that does not know it yet: the claim's next sync binds them, and that is now."""
        metadata, name = claim["metadata"], volume["metadata"]["name"]
        if (claim["spec"].get("volumeMode") or "Filesystem") == (volume["spec"].get("volumeMode") or "Filesystem"):
            super().enqueue(f"{metadata['namespace']}/{metadata['name']}", 0)
            return
        self.client.event(volume, "Warning", "VolumeMismatch", f'Cannot bind PersistentVolume to requested PersistentVolumeClaim '
                          f'"{metadata["name"]}" due to incompatible volumeMode.')
        self.client.event(claim, "Warning", "VolumeMismatch", f'Cannot bind PersistentVolume "{name}" to requested PersistentVolumeClaim '
                          "due to incompatible volumeMode.")

    def _unbind(self, volume: Map) -> None:
        """unbindVolume: its claim has another. What this controller bound is free again; what a person bound stays promised."""
        name = volume["metadata"]["name"]
        by_controller = BOUND_BY_CONTROLLER in (volume["metadata"].get("annotations") or EMPTY)
        change = {"metadata": {"annotations": {BOUND_BY_CONTROLLER: None}}, "spec": {"claimRef": None}} if by_controller else \
            {"spec": {"claimRef": {"uid": None}}}
        self._set_volume_phase(self.client.patch("persistentvolumes", name, change, cause=Cause("volume-phase", {"phase": "Available"})),
                               "Available")

    def _release(self, volume: Map) -> None:
        """Nobody claims it any more: Released, and what its reclaim policy asks for (reclaimVolume)."""
        if (volume.get("status") or EMPTY).get("phase") != "Failed":
            volume = self._set_volume_phase(volume, "Released")
        policy = volume["spec"].get("persistentVolumeReclaimPolicy")
        wrong = ""
        if policy == "Delete":
            ours, wrong = volume_plugins.deletion(volume)
            if ours and not wrong:
                self._delete_volume(volume)
        elif policy == "Recycle" and "hostPath" not in volume["spec"] and "nfs" not in volume["spec"]:
            wrong = "No recycler plugin found for the volume!"
        if wrong and (volume.get("status") or EMPTY).get("phase") != "Failed":
            self._set_volume_phase(volume, "Failed", wrong)
            self.client.event(volume, "Warning", f"VolumeFailed{policy}", wrong)

    def _delete_volume(self, volume: Map) -> None:
        """deleteVolumeOperation, once the directory is gone: first the plugin's finalizer goes, then the object."""
        name, cause = volume["metadata"]["name"], Cause("volume-reclaimed", {"volume": volume["metadata"]["name"]})
        held = volume["metadata"].get("finalizers") or ()
        if volume_plugins.FINALIZER in held:
            rest = [one for one in held if one != volume_plugins.FINALIZER]
            self.client.patch("persistentvolumes", name, {"metadata": {"finalizers": rest or None}}, cause=cause)
        if not is_deleting(volume):
            self.client.delete("persistentvolumes", name, cause=cause)

    def _set_volume_phase(self, volume: Map, phase: str, message: str = "") -> Map:
        status = volume.get("status") or EMPTY
        if status.get("phase") == phase:
            return volume
        changed = {**{key: value for key, value in status.items() if key != "message"}, "phase": phase,
                   "lastPhaseTransitionTime": rfc3339(self.now)}  # the API server's work, which a component's statuses pass by
        if message:
            changed["message"] = message
        return self.client.update("persistentvolumes", {**volume, "status": changed}, subresource="status",
                                  cause=Cause("volume-phase", {"phase": phase}))
