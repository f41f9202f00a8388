"""Generic ephemeral volumes: a claim of its own for each Pod that asks for one (pkg/controller/volume/ephemeral)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..cause import Cause
from ..component import Controller
from ..controllers_common.owners import reference
from ..controllers_common.pods import is_deleting
from ..etcd import BORN, Change
from ..objects import EMPTY


def _with_volumes(_: Controller, change: Change) -> Iterable[str]:
    return (change.key,) if any(volume.get("ephemeral") for volume in change.object["spec"].get("volumes") or ()) else ()


def _of_claim(controller: Controller, change: Change) -> Iterable[str]:
    """Pods that a claim that has gone may have been made for, by its name POD-VOLUME: it is made again (onPVCDelete)."""
    if change.type != "DELETED":
        return ()
    parts = change.key.split("-")
    keys = ("-".join(parts[:count]) for count in range(1, len(parts)))
    return [key for key in keys if controller.cluster.etcd.get("pods", key) is not None]


class EphemeralVolumeController(Controller):
    name = "ephemeral-volume-controller"
    watches = {"pods": _with_volumes, "persistentvolumeclaims": _of_claim}
    heeds = {"pods": BORN}

    def reconcile(self, key: str) -> int | None:
        pod = self.cluster.etcd.get("pods", key)
        if pod is None or is_deleting(pod):
            return None
        namespace = pod["metadata"]["namespace"]
        for volume in pod["spec"].get("volumes") or ():
            name = f"{pod['metadata']['name']}-{volume['name']}"
            if not volume.get("ephemeral") or self.client.find("persistentvolumeclaims", name, namespace) is not None:
                continue
            template = volume["ephemeral"]["volumeClaimTemplate"]
            held = template.get("metadata") or EMPTY
            metadata: dict[str, Any] = {"name": name, "namespace": namespace, "ownerReferences": [reference(pod)]}
            metadata.update({member: dict(held[member]) for member in ("labels", "annotations") if held.get(member)})
            body = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": template["spec"]}
            self.client.create("persistentvolumeclaims", body, namespace,
                               cause=Cause("ephemeral-claim", {"pod": key, "claim": name}))
        return None
