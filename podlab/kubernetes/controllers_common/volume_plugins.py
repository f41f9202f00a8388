"""The controller manager's own volume plugins: whose work a claim or a volume is, and what `kubernetes.io/host-path` makes and removes.

Sources: pkg/volume/hostpath/host_path.go, pkg/volume/plugins.go, cmd/kube-controller-manager/app/plugins.go, and
findProvisionablePlugin and findDeletablePlugin in pkg/controller/volume/persistentvolume/pv_controller.go.
"""

from __future__ import annotations

from typing import Any

from ..objects import EMPTY, Map
from .volumes import BOUND_BY_CONTROLLER, PROVISIONED_BY, class_of

HOST_PATH = "kubernetes.io/host-path"
EARLIER = "podlab.io/host-path"  # its name in clusters that were born before it was Kubernetes' own; their class and volumes say so
DIRECTORY = "/tmp/hostpath_pv"
FINALIZER = "kubernetes.io/pv-controller"  # PVDeletionInTreeProtectionFinalizer
IN_TREE = "kubernetes.io/"
UNABLE = ("kubernetes.io/local-volume", "kubernetes.io/nfs")  # plugins that are there, and make no volumes
# The plugins that became CSI drivers (S/csi-translation-lib/plugins), which are outside of the controller manager
MIGRATED = {"kubernetes.io/aws-ebs": "ebs.csi.aws.com", "kubernetes.io/gce-pd": "pd.csi.storage.gke.io",
            "kubernetes.io/azure-disk": "disk.csi.azure.com", "kubernetes.io/azure-file": "file.csi.azure.com",
            "kubernetes.io/cinder": "cinder.csi.openstack.org", "kubernetes.io/vsphere-volume": "csi.vsphere.vmware.com",
            "kubernetes.io/portworx-volume": "pxd.portworx.com"}
# The sources of volumes that those plugins had (GetInTreePluginNameFromSpec)
SOURCES = {"awsElasticBlockStore": "kubernetes.io/aws-ebs", "gcePersistentDisk": "kubernetes.io/gce-pd", "azureDisk": "kubernetes.io/azure-disk",
           "azureFile": "kubernetes.io/azure-file", "cinder": "kubernetes.io/cinder", "vsphereVolume": "kubernetes.io/vsphere-volume",
           "portworxVolume": "kubernetes.io/portworx-volume"}


def is_host_path(provisioner: str) -> bool:
    return provisioner in (HOST_PATH, EARLIER)


def no_plugin(provisioner: str) -> str:
    """Why no plugin of this name makes volumes; "" when one does, or when the name is an external provisioner's."""
    if is_host_path(provisioner) or provisioner in MIGRATED or not provisioner.startswith(IN_TREE):
        return ""
    return "no provisionable volume plugin matched" if provisioner in UNABLE else f"no volume plugin matched name: {provisioner}"


def host_path_volume(claim: Map, chosen: Map, name: str, directory: str) -> dict[str, Any]:
    """The volume for a claim of a class. `directory`: the name of its directory, nobody else's. No node is preferred."""
    metadata, spec = claim["metadata"], claim["spec"]
    policy = chosen.get("reclaimPolicy", "Delete")
    marks = {"kubernetes.io/createdby": "hostpath-dynamic-provisioner", BOUND_BY_CONTROLLER: "yes", PROVISIONED_BY: HOST_PATH}
    reference = {"kind": "PersistentVolumeClaim", "namespace": metadata["namespace"], "name": metadata["name"], "uid": metadata["uid"],
                 "apiVersion": "v1", "resourceVersion": metadata["resourceVersion"]}
    return {"apiVersion": "v1", "kind": "PersistentVolume",
            "metadata": {"name": name, "annotations": marks, **({"finalizers": [FINALIZER]} if policy == "Delete" else {})},
            "spec": {"capacity": {"storage": spec["resources"]["requests"]["storage"]},
                     "accessModes": spec.get("accessModes") or ["ReadWriteOnce"], "claimRef": reference,
                     "persistentVolumeReclaimPolicy": policy, "storageClassName": class_of(claim),
                     "hostPath": {"path": f"{DIRECTORY}/{directory}"}}}


def finalizers(volume: Map) -> list[str]:
    """modifyDeletionFinalizers: those that a volume should have, as its reclaim policy is now."""
    held = list(volume["metadata"].get("finalizers") or ())
    maker = provisioner_of(volume)
    if not maker.startswith(IN_TREE):
        return held
    if maker in MIGRATED or volume["spec"].get("persistentVolumeReclaimPolicy") != "Delete":
        return [name for name in held if name != FINALIZER]
    return held if FINALIZER in held else [*held, FINALIZER]


def plugin_of_cloud(volume: Map) -> str:
    """The plugin whose volume this is where that plugin became a CSI driver; "" for any other volume."""
    return next((plugin for source, plugin in SOURCES.items() if source in volume["spec"]), "")


def provisioner_of(volume: Map) -> str:
    """Who made a volume; "" for a person."""
    return str((volume["metadata"].get("annotations") or EMPTY).get(PROVISIONED_BY) or "")


def deletion(volume: Map) -> tuple[bool, str]:
    """(whether it is the controller manager's to delete, why it cannot be); an external provisioner's volume is not.

    Only what lies below /tmp is deleted; the volumes of the earlier name lie elsewhere and are deleted too.
    """
    maker, name = provisioner_of(volume), volume["metadata"]["name"]
    path = (volume["spec"].get("hostPath") or EMPTY).get("path")
    if maker == EARLIER:
        return True, ""
    if (maker and not maker.startswith(IN_TREE)) or maker in MIGRATED or "csi" in volume["spec"]:
        return False, ""
    if maker not in ("", HOST_PATH):
        return True, f"no volume plugin matched name: {maker}"
    if path is None:
        return True, f'error getting deleter volume plugin for volume "{name}": no deletable volume plugin matched'
    if "/tmp/" not in path.rstrip("/"):
        return True, f"host_path deleter only supports /tmp/.+ but received provided {path}"
    return True, ""
