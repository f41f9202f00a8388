"""Volumes that lie elsewhere than on the node: disks, network file systems, drivers (pkg/apis/core/validation/validation.go)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import FieldError
from . import words
from .metadata import Errors, complain
from .paths import descending_path

Object = Mapping[str, Any]


# Sources that are checked for no more than their required strings
REQUIRED: dict[str, tuple[str, ...]] = {
    "gcePersistentDisk": ("pdName",), "awsElasticBlockStore": ("volumeID",), "glusterfs": ("endpoints", "path"),
    "persistentVolumeClaim": ("claimName",), "rbd": ("monitors", "image"), "cinder": ("volumeID",), "cephfs": ("monitors",),
    "flexVolume": ("driver",), "azureFile": ("secretName", "shareName"), "vsphereVolume": ("volumePath",),
    "photonPersistentDisk": ("pdID",), "portworxVolume": ("volumeID",), "azureDisk": ("diskName", "diskURI"),
    "scaleIO": ("gateway", "system", "volumeName"), "gitRepo": ("repository",), "iscsi": ("targetPortal", "iqn"),
    "storageos": ("volumeName",), "quobyte": ("registry", "volume"),
}


def _git_repo(source: Object, path: str, errors: Errors) -> None:
    descending_path(source.get("directory", ""), f"{path}.directory", errors)


def _disk(source: Object, path: str, errors: Errors) -> None:
    if not 0 <= source.get("partition", 0) <= 255:
        errors.append(FieldError.invalid(f"{path}.partition", source["partition"], words.out_of_range(1, 255)))


def _nfs(source: Object, path: str, errors: Errors) -> None:
    for member in ("server", "path"):
        if not source.get(member):
            errors.append(FieldError.required(f"{path}.{member}"))
    if not source.get("path", "").startswith("/"):
        errors.append(FieldError.invalid(f"{path}.path", source.get("path", ""), "must be an absolute path"))


ISCSI_NAMES = {"iqn": r"iqn\.\d{4}-\d{2}\.([a-zA-Z0-9\-.]+)(:[^,;*&$|\s]+)$", "eui": r"^eui.[a-zA-Z0-9]{16}$",
               "naa": r"^naa.[a-zA-Z0-9]{32}$"}


def _iscsi(source: Object, path: str, errors: Errors) -> None:
    name = source.get("iqn", "")
    if name and not name.startswith(("iqn", "eui", "naa")):
        errors.append(FieldError.invalid(f"{path}.iqn", name, "must be valid format starting with iqn, eui, or naa"))
    elif name and not re.search(ISCSI_NAMES[name[:3]], name):
        errors.append(FieldError.invalid(f"{path}.iqn", name, "must be valid format"))
    if not 0 <= source.get("lun", 0) <= 255:
        errors.append(FieldError.invalid(f"{path}.lun", source["lun"], words.out_of_range(0, 255)))
    if (source.get("chapAuthDiscovery") or source.get("chapAuthSession")) and not source.get("secretRef"):
        errors.append(FieldError.required(f"{path}.secretRef"))


def _fc(source: Object, path: str, errors: Errors) -> None:
    names, ids = source.get("targetWWNs"), source.get("wwids")
    if not names and not ids:
        errors.append(FieldError.required(f"{path}.targetWWNs", "must specify either targetWWNs or wwids, but not both"))
    if names and ids:
        errors.append(FieldError.invalid(f"{path}.targetWWNs", names, "targetWWNs and wwids can not be specified simultaneously"))
    if names and source.get("lun") is None:
        errors.append(FieldError.required(f"{path}.lun", "lun is required if targetWWNs is specified"))
    elif names and not 0 <= source["lun"] <= 255:
        errors.append(FieldError.invalid(f"{path}.lun", source["lun"], words.out_of_range(0, 255)))


def _flex(source: Object, path: str, errors: Errors) -> None:
    for key in sorted(source.get("options") or ()):
        if f".{key.partition('/')[0].lower()}".endswith((".kubernetes.io", ".k8s.io")):
            errors.append(FieldError.invalid(f"{path}.options[{key}]", key, "kubernetes.io and k8s.io namespaces are reserved"))


def _flocker(source: Object, path: str, errors: Errors) -> None:
    name, uid = source.get("datasetName", ""), source.get("datasetUUID", "")
    if not name and not uid:
        errors.append(FieldError.required(path, "one of datasetName and datasetUUID is required"))
    if name and uid:
        errors.append(FieldError.invalid(path, "resource", "datasetName and datasetUUID can not be specified simultaneously"))
    if "/" in name:
        errors.append(FieldError.invalid(f"{path}.datasetName", name, "must not contain '/'"))


def _azure_disk(source: Object, path: str, errors: Errors) -> None:
    for member, allowed in (("cachingMode", ["None", "ReadOnly", "ReadWrite"]), ("kind", ["Dedicated", "Managed", "Shared"])):
        if source.get(member) is not None and source[member] not in allowed:
            errors.append(FieldError.not_supported(f"{path}.{member}", source[member], allowed))
    kind, uri = source.get("kind"), source.get("diskURI", "")
    begins, form = ("/subscriptions/", MANAGED_DISK) if kind == "Managed" else ("https://", BLOB_DISK)
    if kind is not None and not uri.startswith(begins):
        errors.append(FieldError.not_supported(f"{path}.diskURI", uri, [form]))


MANAGED_DISK = "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"
BLOB_DISK = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"


def _csi(source: Object, path: str, errors: Errors) -> None:
    validate_csi_driver_name(source.get("driver", ""), f"{path}.driver", errors)
    if "nodePublishSecretRef" in source and not source["nodePublishSecretRef"].get("name"):
        errors.append(FieldError.required(f"{path}.nodePublishSecretRef.name"))


def validate_csi_driver_name(driver: str, path: str, errors: Errors) -> None:
    """ValidateCSIDriverName."""
    if not driver:
        errors.append(FieldError.required(path))
    if len(driver) > 63:
        errors.append(FieldError.too_long(path, 63))
    complain(errors, path, driver, words.bad_subdomain(driver.lower()))


def check_persistent_csi(source: Object, path: str, errors: Errors) -> None:
    """validateCSIPersistentVolumeSource."""
    validate_csi_driver_name(source.get("driver", ""), f"{path}.driver", errors)
    if not source.get("volumeHandle"):
        errors.append(FieldError.required(f"{path}.volumeHandle"))
    for member in ("controllerPublishSecretRef", "controllerExpandSecretRef", "nodePublishSecretRef", "nodeExpandSecretRef"):
        if (reference := source.get(member)) is None:
            continue
        for part, check in (("name", words.bad_subdomain), ("namespace", words.bad_label)):
            if not reference.get(part):
                errors.append(FieldError.required(f"{path}.{member}.{part}"))
            else:
                complain(errors, f"{path}.{member}.{part}", reference[part], check(reference[part]))


REMOTE_CHECKS: dict[str, Callable[[Object, str, Errors], None]] = {
    "gitRepo": _git_repo, "gcePersistentDisk": _disk, "awsElasticBlockStore": _disk, "nfs": _nfs, "iscsi": _iscsi, "fc": _fc,
    "flocker": _flocker, "csi": _csi, "azureDisk": _azure_disk, "flexVolume": _flex,
}
