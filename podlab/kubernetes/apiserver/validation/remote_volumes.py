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
    "storageos": ("volumeName",),
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


PLAIN_FORMAT = "must be valid format"
MAX_PORTAL = 64
LONG_PORTAL = "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified."
ISCSI_NAMES = {"iqn": r"iqn\.\d{4}-\d{2}\.([a-zA-Z0-9\-.]+)(:[^,;*&$|\s]+)$", "eui": r"^eui.[a-zA-Z0-9]{16}$",
               "naa": r"^naa.[a-zA-Z0-9]{32}$"}


def _iscsi(source: Object, path: str, errors: Errors, otherwise: str = "must be valid format starting with iqn, eui, or naa") -> None:
    _iscsi_name(source.get("iqn", ""), f"{path}.iqn", otherwise, errors)
    if not 0 <= source.get("lun", 0) <= 255:
        errors.append(FieldError.invalid(f"{path}.lun", source["lun"], words.out_of_range(0, 255)))
    if (source.get("chapAuthDiscovery") or source.get("chapAuthSession")) and source.get("secretRef") is None:
        errors.append(FieldError.required(f"{path}.secretRef"))
    if otherwise == PLAIN_FORMAT and source.get("secretRef") is not None and not source["secretRef"].get("name"):
        errors.append(FieldError.required(f"{path}.secretRef.name"))
    if (initiator := source.get("initiatorName")) is not None:
        if not initiator:
            errors.append(FieldError.invalid(f"{path}.initiatorname", initiator, otherwise))
        _iscsi_name(initiator, f"{path}.initiatorname", otherwise, errors)


def _iscsi_name(name: str, path: str, otherwise: str, errors: Errors) -> None:
    if name and not name.startswith(("iqn", "eui", "naa")):
        errors.append(FieldError.invalid(path, name, otherwise))
    elif name and not re.search(ISCSI_NAMES[name[:3]], name):
        errors.append(FieldError.invalid(path, name, PLAIN_FORMAT))


def iscsi_portal_is_long(source: Object, name: str) -> bool:
    """Whether a node could not name the session of a volume called `name`."""
    return source.get("initiatorName") is not None and len(f"{name}:{source.get('targetPortal', '')}".encode()) > MAX_PORTAL


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
    if (reference := source.get("nodePublishSecretRef")) is not None:
        if not reference.get("name"):
            errors.append(FieldError.required(f"{path}.nodePublishSecretRef.name"))
        else:
            complain(errors, f"{path}.name", reference["name"], words.bad_subdomain(reference["name"]))


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


def _quobyte(source: Object, path: str, errors: Errors) -> None:
    registry, pairs = source.get("registry", ""), "must be a host:port pair or multiple pairs separated by commas"
    if not registry:
        errors.append(FieldError.required(f"{path}.registry", pairs))
    elif len(source.get("tenant", "").encode()) > 64:
        errors.append(FieldError.required(f"{path}.tenant", "must be a UUID and may not exceed a length of 64 characters"))
    else:
        for pair in registry.split(","):
            if not HOST_PORT.match(pair):
                errors.append(FieldError.invalid(f"{path}.registry", registry, pairs))
    if not source.get("volume"):
        errors.append(FieldError.required(f"{path}.volume"))


HOST_PORT = re.compile(r"(?:[^:\[\]]*|\[[^\[\]]*\]):[^:\[\]]*\Z")  # net.SplitHostPort


def _storageos(source: Object, path: str, errors: Errors) -> None:
    for member in ("volumeName", "volumeNamespace"):
        if source.get(member):
            complain(errors, f"{path}.{member}", source[member], words.bad_label(source[member]))
    _secret_reference(source, path, errors)


def _secret_reference(source: Object, path: str, errors: Errors) -> None:
    if (reference := source.get("secretRef")) is not None and not reference.get("name"):
        errors.append(FieldError.required(f"{path}.secretRef.name"))


# --- what a PersistentVolume's source says more than a Pod's -------------------------------------------------------


def _persistent_iscsi(source: Object, path: str, errors: Errors) -> None:
    _iscsi(source, path, errors, PLAIN_FORMAT)


def _persistent_glusterfs(source: Object, path: str, errors: Errors) -> None:
    namespace = source.get("endpointsNamespace")
    if namespace == "":
        errors.append(FieldError.invalid(f"{path}.endpointsNamespace", namespace,
                                         "if the endpointnamespace is set, it must be a valid namespace name"))
    elif namespace is not None:
        complain(errors, f"{path}.endpointsNamespace", namespace, words.bad_label(namespace))


def _persistent_cinder(source: Object, path: str, errors: Errors) -> None:
    _secret_reference(source, path, errors)
    if (reference := source.get("secretRef")) is not None and not reference.get("namespace"):
        errors.append(FieldError.required(f"{path}.secretRef.namespace"))


def _persistent_storageos(source: Object, path: str, errors: Errors) -> None:
    _storageos(source, path, errors)
    if (reference := source.get("secretRef")) is not None and not reference.get("namespace"):
        errors.append(FieldError.required(f"{path}.secretRef.namespace"))


def _persistent_azure_file(source: Object, path: str, errors: Errors) -> None:
    if source.get("secretNamespace") == "":
        errors.append(FieldError.required(f"{path}.secretNamespace"))


PERSISTENT_CHECKS: dict[str, Callable[[Object, str, Errors], None]] = {
    "iscsi": _persistent_iscsi, "glusterfs": _persistent_glusterfs, "cinder": _persistent_cinder, "storageos": _persistent_storageos,
    "azureFile": _persistent_azure_file, "csi": check_persistent_csi,
}
REMOTE_CHECKS: dict[str, Callable[[Object, str, Errors], None]] = {
    "gitRepo": _git_repo, "gcePersistentDisk": _disk, "awsElasticBlockStore": _disk, "nfs": _nfs, "iscsi": _iscsi, "fc": _fc,
    "flocker": _flocker, "csi": _csi, "azureDisk": _azure_disk, "flexVolume": _flex, "quobyte": _quobyte, "storageos": _storageos,
    "cinder": _secret_reference,
}
