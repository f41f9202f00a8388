"""Volumes of Pods and PersistentVolumes, each sort with its fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ... import quantity
from ...apiserver.tables.texts import Obj, access_modes, since, storage_class
from ...objects import dig
from .writer import MAX_ANNOTATION, Page

BARE = "ISCSIInterface"  # the one title without a colon
SCALE_IO = (("Gateway", "gateway"), ("System", "system"), ("Protection Domain", "protectionDomain"), ("Storage Pool", "storagePool"),
            ("Storage Mode", "storageMode"), ("VolumeName", "volumeName"))
Sort = tuple[str, tuple[tuple[str, str], ...]]
# describe.go, print*VolumeSource: what each sort is, and the titles and fields it shows. A field's first sign says how: `?` true or false, `#` a
# number, `&` a reference, `[` a list, `,` a list with commas, `{` a map, `-` or `!` <none> or <unset> where there is nothing
SORTS: dict[str, Sort] = {
    "gcePersistentDisk": ("GCEPersistentDisk (a Persistent Disk resource in Google Compute Engine)",
                          (("PDName", "pdName"), ("FSType", "fsType"), ("Partition", "#partition"), ("ReadOnly", "?readOnly"))),
    "awsElasticBlockStore": ("AWSElasticBlockStore (a Persistent Disk resource in AWS)",
                             (("VolumeID", "volumeID"), ("FSType", "fsType"), ("Partition", "#partition"),
                              ("ReadOnly", "?readOnly"))),
    "gitRepo": ("GitRepo (a volume that is pulled from git when the pod is created)",
                (("Repository", "repository"), ("Revision", "revision"))),
    "secret": ("Secret (a volume populated by a Secret)", (("SecretName", "secretName"), ("Optional", "?optional"))),
    "configMap": ("ConfigMap (a volume populated by a ConfigMap)", (("Name", "name"), ("Optional", "?optional"))),
    "nfs": ("NFS (an NFS mount that lasts the lifetime of a pod)",
            (("Server", "server"), ("Path", "path"), ("ReadOnly", "?readOnly"))),
    "glusterfs": ("Glusterfs (a Glusterfs mount on the host that shares a pod's lifetime)",
                  (("EndpointsName", "endpoints"), ("Path", "path"), ("ReadOnly", "?readOnly"))),
    "persistentVolumeClaim": ("PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
                              (("ClaimName", "claimName"), ("ReadOnly", "?readOnly"))),
    "quobyte": ("Quobyte (a Quobyte mount on the host that shares a pod's lifetime)",
                (("Registry", "registry"), ("Volume", "volume"), ("ReadOnly", "?readOnly"))),
    "azureDisk": ("AzureDisk (an Azure Data Disk mount on the host and bind mount to the pod)",
                  (("DiskName", "diskName"), ("DiskURI", "diskURI"), ("Kind", "kind"), ("FSType", "fsType"),
                   ("CachingMode", "cachingMode"), ("ReadOnly", "?readOnly"))),
    "azureFile": ("AzureFile (an Azure File Service mount on the host and bind mount to the pod)",
                  (("SecretName", "secretName"), ("ShareName", "shareName"), ("ReadOnly", "?readOnly"))),
    "vsphereVolume": ("vSphereVolume (a Persistent Disk resource in vSphere)",
                      (("VolumePath", "volumePath"), ("FSType", "fsType"), ("StoragePolicyName", "storagePolicyName"))),
    "cinder": ("Cinder (a Persistent Disk resource in OpenStack)",
               (("VolumeID", "volumeID"), ("FSType", "fsType"), ("ReadOnly", "?readOnly"), ("SecretRef", "&secretRef"))),
    "portworxVolume": ("PortworxVolume (a Portworx Volume resource)", (("VolumeID", "volumeID"),)),
    "local": ("LocalVolume (a persistent volume backed by local storage on a node)", (("Path", "path"),)),
    "image": ("Image (a container image or OCI artifact)", (("Reference", "reference"), ("PullPolicy", "pullPolicy"))),
    "flocker": ("Flocker (a Flocker volume mounted by the Flocker agent)",
                (("DatasetName", "datasetName"), ("DatasetUUID", "datasetUUID"))),
    "iscsi": ("ISCSI (an ISCSI Disk resource that is attached to a kubelet's host machine and then exposed to the pod)",
              (("TargetPortal", "targetPortal"), ("IQN", "iqn"), ("Lun", "#lun"), (BARE, "iscsiInterface"), ("FSType", "fsType"),
               ("ReadOnly", "?readOnly"), ("Portals", "[portals"), ("DiscoveryCHAPAuth", "?chapAuthDiscovery"),
               ("SessionCHAPAuth", "?chapAuthSession"), ("SecretRef", "&secretRef"), ("InitiatorName", "-initiatorName"))),
    "rbd": ("RBD (a Rados Block Device mount on the host that shares a pod's lifetime)",
            (("CephMonitors", "[monitors"), ("RBDImage", "image"), ("FSType", "fsType"), ("RBDPool", "pool"), ("RadosUser", "user"),
             ("Keyring", "keyring"), ("SecretRef", "&secretRef"), ("ReadOnly", "?readOnly"))),
    "cephfs": ("CephFS (a CephFS mount on the host that shares a pod's lifetime)",
               (("Monitors", "[monitors"), ("Path", "path"), ("User", "user"), ("SecretFile", "secretFile"), ("SecretRef", "&secretRef"),
                ("ReadOnly", "?readOnly"))),
    "fc": ("FC (a Fibre Channel disk)",
           (("TargetWWNs", ",targetWWNs"), ("LUN", "-lun"), ("FSType", "fsType"), ("ReadOnly", "?readOnly"))),
    "flexVolume": ("FlexVolume (a generic volume resource that is provisioned/attached using an exec based plugin)",
                   (("Driver", "driver"), ("FSType", "fsType"), ("SecretRef", "&secretRef"), ("ReadOnly", "?readOnly"),
                    ("Options", "{options"))),
    "photonPersistentDisk": ("PhotonPersistentDisk (a Persistent Disk resource in photon platform)",
                             (("PdID", "pdID"), ("FSType", "fsType"))),
    "scaleIO": ("ScaleIO (a persistent volume backed by a block device in ScaleIO)",
                (*SCALE_IO, ("FSType", "fsType"), ("ReadOnly", "?readOnly"))),
    "storageos": ("StorageOS (a StorageOS Persistent Disk resource)",
                  (("VolumeName", "volumeName"), ("VolumeNamespace", "volumeNamespace"), ("FSType", "fsType"), ("ReadOnly", "?readOnly"))),
}
# What a PersistentVolume says besides: namespaces, as it has none itself
PERSISTENT: dict[str, Sort] = {**SORTS,
    "glusterfs": (SORTS["glusterfs"][0], (("EndpointsName", "endpoints"), ("EndpointsNamespace", "!endpointsNamespace"), ("Path", "path"),
                                          ("ReadOnly", "?readOnly"))),
    "azureFile": (SORTS["azureFile"][0], (("SecretName", "secretName"), ("SecretNamespace", "secretNamespace"), ("ShareName", "shareName"),
                                          ("ReadOnly", "?readOnly"))),
    "scaleIO": (SORTS["scaleIO"][0], (*SCALE_IO, ("SecretName", "secretRef.name"), ("SecretNamespace", "secretRef.namespace"),
                                      ("FSType", "fsType"), ("ReadOnly", "?readOnly")))}


def describe_volumes(page: Page, volumes: Sequence[Obj] | None, level: int = 0) -> None:
    """`level` is 1 inside a Pod template."""
    if not volumes:
        page.field("Volumes", "<none>", level)
        return
    page.line(level, "Volumes:")
    for volume in volumes:
        page.line(1, " " * level + volume["name"] + ":")
        describe_source(page, volume)


def describe_source(page: Page, volume: Obj, sorts: Mapping[str, Sort] = SORTS) -> None:
    """The sort of a volume and its fields; `volume` is a Pod's volume, or a PersistentVolume's spec with the sorts PERSISTENT."""
    if "hostPath" in volume:
        page.field("Type", "HostPath (bare host directory volume)", 2)
        page.field("Path", volume["hostPath"].get("path", ""), 2)
        page.field("HostPathType", volume["hostPath"].get("type", "<none>"), 2)
    elif "emptyDir" in volume:
        empty = volume["emptyDir"] or {}
        limit = empty.get("sizeLimit")
        page.field("Type", "EmptyDir (a temporary directory that shares a pod's lifetime)", 2)
        page.field("Medium", empty.get("medium", ""), 2)
        page.field("SizeLimit", limit if limit is not None and quantity.parse(str(limit)) > 0 else "<unset>", 2)
    elif "projected" in volume:
        page.field("Type", "Projected (a volume that contains injected data from multiple sources)", 2)
        for source in volume["projected"].get("sources") or ():
            _projected(page, source)
    elif "downwardAPI" in volume:
        page.line(2, "Type:\tDownwardAPI (a volume populated by information about the pod)\n    Items:")
        for item in volume["downwardAPI"].get("items") or ():
            source = (item.get("fieldRef") or {}).get("fieldPath") or (item.get("resourceFieldRef") or {}).get("resource")
            page.line(3, f"{source} -> {item['path']}")
    elif "ephemeral" in volume:
        page.field("Type", "EphemeralVolume (an inline specification for a volume that gets created and deleted with the pod)", 2)
        template = volume["ephemeral"].get("volumeClaimTemplate")
        if template:
            claim_fields(page, {"metadata": template.get("metadata") or {}, "spec": template["spec"]}, 2)
    elif "csi" in volume:
        _csi(page, volume["csi"])
    else:
        _plain(page, volume, sorts)


def _plain(page: Page, volume: Obj, sorts: Mapping[str, Sort]) -> None:
    sort = next((name for name in sorts if name in volume), None)
    if sort is None:
        page.line(1, "<unknown>")
        return
    title, fields = sorts[sort]
    page.field("Type", title, 2)
    for name, field in fields:
        page.line(2, f"{name}{'' if name == BARE else ':'}\t{_value(volume[sort], field, persistent=sorts is PERSISTENT)}")


def _value(source: Obj, field: str, *, persistent: bool = False) -> Any:
    """A field of a volume's source in Go's words, by the sign before its name (SORTS)."""
    sign, name = (field[0], field[1:]) if field[0] in "?#&[,{-!" else ("", field)
    value = dig(source, name)
    match sign:
        case "?":
            return "true" if value else "false"
        case "#":
            return value or 0
        case "&":
            return _reference(value, persistent)
        case "[":
            return go_list(value)
        case ",":
            return ", ".join(value or ())
        case "{":
            return f"map[{' '.join(f'{key}:{held}' for key, held in sorted((value or {}).items()))}]"
        case "-" | "!":
            return {"-": "<none>", "!": "<unset>"}[sign] if value is None else value
    return "" if value is None else value


def _reference(value: Any, persistent: bool) -> str:
    """A pointer as Go prints it: a PersistentVolume refers to a Secret of a namespace, a Pod to one of its own."""
    if value is None:
        return "nil"
    if persistent:
        return f"&SecretReference{{Name:{value.get('name', '')},Namespace:{value.get('namespace', '')},}}"
    return f"&LocalObjectReference{{Name:{value.get('name', '')},}}"


def _projected(page: Page, source: Obj) -> None:
    if "secret" in source:
        page.field("SecretName", source["secret"].get("name", ""), 2)
        page.field("Optional", _value(source["secret"], "?optional"), 2)
    elif "downwardAPI" in source:
        page.field("DownwardAPI", "true", 2)
    elif "configMap" in source:
        page.field("ConfigMapName", source["configMap"].get("name", ""), 2)
        page.field("Optional", _value(source["configMap"], "?optional"), 2)
    elif "serviceAccountToken" in source:
        page.field("TokenExpirationSeconds", source["serviceAccountToken"].get("expirationSeconds", 3600), 2)


def _csi(page: Page, csi: Obj) -> None:
    page.field("Type", "CSI (a Container Storage Interface (CSI) volume source)", 2)
    page.field("Driver", csi.get("driver", ""), 2)
    page.field("FSType", csi.get("fsType", ""), 2)
    if "volumeHandle" in csi:
        page.field("VolumeHandle", csi["volumeHandle"], 2)
    page.field("ReadOnly", _value(csi, "?readOnly"), 2)
    page.put("    VolumeAttributes:\t")
    attributes = [f"{key}={value}" for key, value in sorted((csi.get("volumeAttributes") or {}).items())]
    cut = [a[:MAX_ANNOTATION] + "..." if len(a) > MAX_ANNOTATION else a for a in attributes]
    page.put("".join(f"    \t    {a}\n" if i else f"    {a}\n" for i, a in enumerate(cut)) or "<none>\n")


def claim_fields(page: Page, claim: Obj, level: int = 0) -> None:
    """A PersistentVolumeClaim's fields; at level 2, of a claim template inside a Pod, only those that have a meaning there."""
    full, metadata, spec, status = level == 0, claim["metadata"], claim["spec"], claim.get("status") or {}
    if full:
        page.field("Name", metadata["name"])
        page.field("Namespace", metadata.get("namespace", ""))
    page.field("StorageClass", storage_class(claim), level)
    if full:
        page.field("Status", terminating(page, claim) or status.get("phase", ""))
    page.field("Volume", spec.get("volumeName", ""), level)
    page.labels("Labels", metadata.get("labels"), level, nested=not full)
    page.annotations("Annotations", metadata.get("annotations"), level)
    if full:
        page.field("Finalizers", go_list(metadata.get("finalizers")))
    bound = bool(spec.get("volumeName"))
    page.field("Capacity", (status.get("capacity") or {}).get("storage", "0") if bound else "", level)
    page.field("Access Modes", access_modes(status.get("accessModes")) if bound else "", level)
    if spec.get("volumeMode"):
        page.field("VolumeMode", spec["volumeMode"], level)
    source = spec.get("dataSource")
    if source:
        page.line(level, "DataSource:")
        if source.get("apiGroup"):
            page.field("APIGroup", source["apiGroup"], level + 1)
        page.field("Kind", source["kind"], level + 1)
        page.field("Name", source["name"], level + 1)


def terminating(page: Page, obj: Obj) -> str:
    """`Terminating (lasts 5s)` for an object that is being deleted, else ""."""
    deleted = obj["metadata"].get("deletionTimestamp")
    return f"Terminating (lasts {since(deleted, page.now)})" if deleted else ""


def go_list(items: Sequence[Any] | None) -> str:
    """A list as Go's %v prints it: `[a b]`."""
    return "[" + " ".join(str(item) for item in items or ()) + "]"
