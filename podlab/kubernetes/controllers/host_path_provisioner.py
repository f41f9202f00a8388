"""The provisioner of the class `standard`: makes a directory on a node for each claim that asks, and removes released ones.

Not part of Kubernetes; it acts as S/sig-storage-lib-external-provisioner's controller does, which most provisioners build on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..apiserver.errors import ApiError
from ..cause import Cause
from ..component import Controller
from ..controllers_common.pods import is_deleting
from ..controllers_common.volumes import PROVISIONED_BY, SELECTED_NODE, STORAGE_PROVISIONER, storage_class
from ..etcd import Change
from ..objects import EMPTY, Map

PROVISIONER = "podlab.io/host-path"
DIRECTORY = "/var/lib/podlab/volumes"  # on the simulated node
VOLUME = "volume "  # prefix of the keys of PersistentVolumes


def _claim_keys(_: Controller, change: Change) -> Iterable[str]:
    asked = (change.object["metadata"].get("annotations") or EMPTY).get(STORAGE_PROVISIONER) == PROVISIONER
    return (change.key,) if asked and change.type != "DELETED" and not change.object["spec"].get("volumeName") else ()


def _volume_keys(_: Controller, change: Change) -> Iterable[str]:
    ours = (change.object["metadata"].get("annotations") or EMPTY).get(PROVISIONED_BY) == PROVISIONER
    released = (change.object.get("status") or EMPTY).get("phase") == "Released"
    return (VOLUME + change.key,) if ours and released and change.type != "DELETED" else ()


class HostPathProvisioner(Controller):
    name = "host-path-provisioner"
    latency_ms = 120
    watches = {"persistentvolumeclaims": _claim_keys, "persistentvolumes": _volume_keys}

    def reconcile(self, key: str) -> int | None:
        if key.startswith(VOLUME):
            self._delete(key.removeprefix(VOLUME))
            return None
        claim = self.cluster.etcd.get("persistentvolumeclaims", key)
        chosen = storage_class(self.client, claim) if claim is not None else None
        if claim is None or chosen is None or is_deleting(claim) or claim["spec"].get("volumeName"):
            return None
        name = f"pvc-{claim['metadata']['uid']}"
        if self.client.find("persistentvolumes", name) is None:
            self.client.event(claim, "Normal", "Provisioning", f'External provisioner is provisioning volume for claim "{key}"')
            self.client.create("persistentvolumes", self._volume(claim, chosen, name),
                               cause=Cause("volume-provisioned", {"claim": key, "volume": name}))
            self.client.event(claim, "Normal", "ProvisioningSucceeded", f"Successfully provisioned volume {name}")
        return None

    def _volume(self, claim: Map, chosen: Map, name: str) -> dict[str, Any]:
        metadata, spec = claim["metadata"], claim["spec"]
        node = (metadata.get("annotations") or EMPTY).get(SELECTED_NODE)
        made: dict[str, Any] = {
            "capacity": {"storage": spec["resources"]["requests"]["storage"]}, "accessModes": spec.get("accessModes") or [],
            "claimRef": {"kind": "PersistentVolumeClaim", "namespace": metadata["namespace"], "name": metadata["name"],
                         "uid": metadata["uid"],
                         "apiVersion": "v1", "resourceVersion": metadata["resourceVersion"]},
            "persistentVolumeReclaimPolicy": chosen.get("reclaimPolicy", "Delete"),
            "storageClassName": chosen["metadata"]["name"],
            "volumeMode": spec.get("volumeMode", "Filesystem"),
            "hostPath": {"path": f"{DIRECTORY}/{metadata['namespace']}/{metadata['name']}", "type": ""}}
        if node and chosen.get("volumeBindingMode") == "WaitForFirstConsumer":
            term = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]}
            made["nodeAffinity"] = {"required": {"nodeSelectorTerms": [term]}}
        return {"apiVersion": "v1", "kind": "PersistentVolume",
                "metadata": {"name": name, "annotations": {PROVISIONED_BY: PROVISIONER}}, "spec": made}

    def _delete(self, name: str) -> None:
        volume = self.client.find("persistentvolumes", name)
        if volume is None or is_deleting(volume) or volume["spec"].get("persistentVolumeReclaimPolicy") != "Delete":
            return
        try:
            self.client.delete("persistentvolumes", name, cause=Cause("volume-reclaimed", {"volume": name}))
        except ApiError as error:
            if error.code != 404:
                raise
