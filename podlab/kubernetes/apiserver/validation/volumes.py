"""Volumes of Pods and sources of PersistentVolumes (pkg/apis/core/validation/validation.go)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ... import quantity
from ..errors import FieldError
from . import words
from .environment import VOLUME_FIELDS, validate_field_reference, validate_resource_reference
from .metadata import Errors, complain, validate_annotations, validate_label_selector, validate_labels

Object = Mapping[str, Any]

ONE_TYPE = "may not specify more than 1 volume type"
HOST_PATH_TYPES = ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"]
ACCESS_MODES = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"]

# The order in which the server looks at a volume's sources; where its path has another name, that name
SOURCES = ("emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs", "iscsi", "glusterfs",
           "flocker", "persistentVolumeClaim", "rbd", "cinder", "cephfs", "quobyte", "downwardAPI", "fc", "flexVolume",
           "configMap",
           "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk", "storageos", "projected",
           "scaleIO",
           "csi", "ephemeral", "image", "local")
PATH_NAMES = {"gcePersistentDisk": "persistentDisk"}
DOUBLE_NAMES = {"downwardAPI": "downwarAPI", "cephfs": "cephFS"}  # so spelled in the server's "more than 1 volume type"

# Sources that are checked for no more than their required strings
REQUIRED: dict[str, tuple[str, ...]] = {
    "gcePersistentDisk": ("pdName",), "awsElasticBlockStore": ("volumeID",), "glusterfs": ("endpoints", "path"),
    "persistentVolumeClaim": ("claimName",), "rbd": ("monitors", "image"), "cinder": ("volumeID",), "cephfs": ("monitors",),
    "flexVolume": ("driver",), "azureFile": ("secretName", "shareName"), "vsphereVolume": ("volumePath",),
    "photonPersistentDisk": ("pdID",), "portworxVolume": ("volumeID",), "azureDisk": ("diskName", "diskURI"),
    "scaleIO": ("gateway", "system", "volumeName"), "gitRepo": ("repository",), "iscsi": ("targetPortal", "iqn"),
    "storageos": ("volumeName",), "quobyte": ("registry", "volume"),
}


def validate_volumes(volumes: list[Object], pod_name: str, path: str, errors: Errors) -> dict[str, Object]:
    """ValidateVolumes; the volumes that nothing is wrong with, by name: mounts of others are not found."""
    good: dict[str, Object] = {}
    created = {f"{pod_name}-{volume.get('name', '')}" for volume in volumes if pod_name and "ephemeral" in volume}
    for i, volume in enumerate(volumes):
        here, name = f"{path}[{i}]", volume.get("name", "")
        found: Errors = []
        validate_volume_source(volume, name, pod_name, here, found)
        if not name:
            found.append(FieldError.required(f"{here}.name"))
        else:
            complain(found, f"{here}.name", name, words.bad_label(name))
        if name in good:
            found.append(FieldError.duplicate(f"{here}.name", name))
        if found:
            errors += found
        else:
            good[name] = volume
        claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        if claim in created:
            errors.append(FieldError.invalid(f"{here}.persistentVolumeClaim.claimName", claim,
                                             "must not reference a PVC that gets created for an ephemeral volume"))
    return good


def validate_volume_source(volume: Object, name: str, pod_name: str, path: str, errors: Errors) -> None:
    """One Pod volume or PersistentVolume spec: exactly one source, and that a good one."""
    count = 0
    for kind in SOURCES:
        source = volume.get(kind)
        if source is None:
            continue
        if count:
            errors.append(FieldError.forbidden(f"{path}.{DOUBLE_NAMES.get(kind, kind)}", ONE_TYPE))
            continue
        count += 1
        here = f"{path}.{PATH_NAMES.get(kind, kind)}"
        for member in REQUIRED.get(kind, ()):
            if not source.get(member):
                errors.append(FieldError.required(f"{here}.{member}"))
        if check := CHECKS.get(kind):
            check(source, here, errors)
        if kind == "ephemeral" and pod_name and name:
            claim = f"{pod_name}-{name}"
            for complaint in words.bad_subdomain(claim):
                errors.append(FieldError.invalid(f"{path}.name", name, f'PVC name "{claim}": {complaint}'))
    if not count:
        errors.append(FieldError.required(path, "must specify a volume type"))


# The order in which the server looks at a PersistentVolume's sources
PERSISTENT_SOURCES = ("hostPath", "gcePersistentDisk", "awsElasticBlockStore", "glusterfs", "flocker", "nfs", "rbd", "quobyte", "cephfs",
                      "iscsi", "cinder", "fc", "flexVolume", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume",
                      "azureDisk", "scaleIO", "local", "storageos", "csi")


def validate_persistent_source(spec: Object, path: str, errors: Errors) -> None:
    """The sources in ValidatePersistentVolumeSpec."""
    seen: dict[str, Any] = {}
    for kind in PERSISTENT_SOURCES:
        if spec.get(kind) is None:
            continue
        if seen:
            errors.append(FieldError.forbidden(f"{path}.{DOUBLE_NAMES.get(kind, kind)}", ONE_TYPE))
            continue
        seen[kind] = spec[kind]
        if kind == "csi":
            _persistent_csi(spec[kind], f"{path}.csi", errors)
        else:
            validate_volume_source(seen, "", "", path, errors)
    if not seen:
        errors.append(FieldError.required(path, "must specify a volume type"))


def _persistent_csi(source: Object, path: str, errors: Errors) -> None:
    """validateCSIPersistentVolumeSource."""
    _csi_driver(source.get("driver", ""), f"{path}.driver", errors)
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


def descending_path(target: str, path: str, errors: Errors) -> None:
    """validateLocalDescendingPath: relative, and without `..`."""
    if target.startswith("/"):
        errors.append(FieldError.invalid(path, target, "must be a relative path"))
    no_backsteps(target, path, errors)


def no_backsteps(target: str, path: str, errors: Errors) -> None:
    if ".." in target.split("/"):
        errors.append(FieldError.invalid(path, target, "must not contain '..'"))


def unreserved_path(target: str, path: str, errors: Errors) -> None:
    """ValidateLocalNonReservedPath."""
    descending_path(target, path, errors)
    if target.startswith("..") and not target.startswith("../"):
        errors.append(FieldError.invalid(path, target, "must not start with '..'"))


def file_mode(mode: int | None, path: str, errors: Errors) -> None:
    if mode is not None and not 0 <= mode <= 0o777:
        errors.append(FieldError.invalid(path, mode, words.FILE_MODE))


def _empty_dir(source: Object, path: str, errors: Errors) -> None:
    if source.get("sizeLimit") and quantity.parse(source["sizeLimit"]) < 0:
        errors.append(FieldError.forbidden(f"{path}.sizeLimit", "SizeLimit field must be a valid resource quantity"))


def _host_path(source: Object, path: str, errors: Errors) -> None:
    if not source.get("path"):
        errors.append(FieldError.required(f"{path}.path"))
        return
    no_backsteps(source["path"], f"{path}.path", errors)
    if source.get("type", "") not in HOST_PATH_TYPES:
        errors.append(FieldError.not_supported(f"{path}.type", source["type"], HOST_PATH_TYPES))


def _git_repo(source: Object, path: str, errors: Errors) -> None:
    descending_path(source.get("directory", ""), f"{path}.directory", errors)


def _disk(source: Object, path: str, errors: Errors) -> None:
    if not 0 <= source.get("partition", 0) <= 255:
        errors.append(FieldError.invalid(f"{path}.partition", source["partition"], words.out_of_range(1, 255)))


def _items(source: Object, path: str, errors: Errors) -> None:
    for i, item in enumerate(source.get("items") or ()):
        here = f"{path}.items[{i}]"
        for member in ("key", "path"):
            if not item.get(member):
                errors.append(FieldError.required(f"{here}.{member}"))
        unreserved_path(item.get("path", ""), f"{here}.path", errors)
        file_mode(item.get("mode"), f"{here}.mode", errors)


def _secret(source: Object, path: str, errors: Errors) -> None:
    if not source.get("secretName"):
        errors.append(FieldError.required(f"{path}.secretName"))
    file_mode(source.get("defaultMode"), f"{path}.defaultMode", errors)
    _items(source, path, errors)


def _config_map(source: Object, path: str, errors: Errors) -> None:
    if not source.get("name"):
        errors.append(FieldError.required(f"{path}.name"))
    file_mode(source.get("defaultMode"), f"{path}.defaultMode", errors)
    _items(source, path, errors)


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


def _downward_file(item: Object, path: str, errors: Errors) -> None:
    if not item.get("path"):
        errors.append(FieldError.required(f"{path}.path"))
    unreserved_path(item.get("path", ""), f"{path}.path", errors)
    if item.get("fieldRef") is not None:
        validate_field_reference(item["fieldRef"], VOLUME_FIELDS, f"{path}.fieldRef", errors)
        if item.get("resourceFieldRef") is not None:
            errors.append(FieldError.invalid(path, "resource",
                                             "fieldRef and resourceFieldRef can not be specified simultaneously"))
    elif item.get("resourceFieldRef") is not None:
        validate_resource_reference(item["resourceFieldRef"], f"{path}.resourceFieldRef", True, errors)
    else:
        errors.append(FieldError.required(path, "one of fieldRef and resourceFieldRef is required"))
    file_mode(item.get("mode"), f"{path}.mode", errors)


def _downward_api(source: Object, path: str, errors: Errors) -> None:
    file_mode(source.get("defaultMode"), f"{path}.defaultMode", errors)
    for item in source.get("items") or ():
        _downward_file(item, path, errors)


def _projected(source: Object, path: str, errors: Errors) -> None:
    file_mode(source.get("defaultMode"), f"{path}.defaultMode", errors)
    paths: set[str] = set()

    def once(target: str, name: str) -> None:
        if target and target in paths:
            errors.append(FieldError.invalid(path, name, "conflicting duplicate paths"))
        paths.add(target)

    for i, projection in enumerate(source.get("sources") or ()):
        here, count = f"{path}.sources[{i}]", 0
        for kind in ("secret", "configMap"):
            if (part := projection.get(kind)) is not None:
                count += 1
                if not part.get("name"):
                    errors.append(FieldError.required(f"{here}.{kind}.name"))
                _items(part, f"{here}.{kind}", errors)
                for item in part.get("items") or ():
                    once(item.get("path", ""), part.get("name", ""))
        if (part := projection.get("downwardAPI")) is not None:
            count += 1
            for item in part.get("items") or ():
                _downward_file(item, f"{here}.downwardAPI", errors)
                once(item.get("path", ""), item.get("path", ""))
        if (part := projection.get("serviceAccountToken")) is not None:
            count += 1
            seconds = part.get("expirationSeconds", 0)
            if seconds < 600:
                errors.append(FieldError.invalid(f"{here}.serviceAccountToken.expirationSeconds", seconds,
                                                 "may not specify a duration less than 10 minutes"))
            if seconds > 1 << 32:
                errors.append(FieldError.invalid(f"{here}.serviceAccountToken.expirationSeconds", seconds,
                                                 "may not specify a duration larger than 2^32 seconds"))
            if not part.get("path"):
                errors.append(FieldError.required(f"{path}.path"))
            else:
                unreserved_path(part["path"], f"{path}.path", errors)
        if (part := projection.get("clusterTrustBundle")) is not None:
            count += 1
            if part.get("name") is None and part.get("signerName") is None:
                errors.append(FieldError.required(f"{here}.clusterTrustBundle", "either name or signerName must be specified"))
            if not part.get("path"):
                errors.append(FieldError.required(f"{here}.clusterTrustBundle.path"))
            once(part.get("path", ""), part.get("path", ""))
        if count > 1:
            errors.append(FieldError.forbidden(here, "may not specify more than 1 volume type per source"))


def _csi(source: Object, path: str, errors: Errors) -> None:
    _csi_driver(source.get("driver", ""), f"{path}.driver", errors)
    if "nodePublishSecretRef" in source and not source["nodePublishSecretRef"].get("name"):
        errors.append(FieldError.required(f"{path}.nodePublishSecretRef.name"))


def _csi_driver(driver: str, path: str, errors: Errors) -> None:
    """ValidateCSIDriverName."""
    if not driver:
        errors.append(FieldError.required(path))
    if len(driver) > 63:
        errors.append(FieldError.too_long(path, 63))
    complain(errors, path, driver, words.bad_subdomain(driver.lower()))


def _ephemeral(source: Object, path: str, errors: Errors) -> None:
    template = source.get("volumeClaimTemplate")
    if template is None:
        errors.append(FieldError.required(f"{path}.volumeClaimTemplate"))
        return
    here = f"{path}.volumeClaimTemplate"
    metadata = template.get("metadata") or {}
    validate_annotations(metadata.get("annotations"), f"{here}.metadata.annotations", errors)
    validate_labels(metadata.get("labels"), f"{here}.metadata.labels", errors)
    for member in metadata:
        if member not in ("annotations", "labels"):
            errors.append(FieldError.forbidden(f"{here}.metadata.{member}", "cannot be set"))
    validate_claim_spec(template.get("spec") or {}, f"{here}.spec", errors)


def _image(source: Object, path: str, errors: Errors) -> None:
    if not source.get("reference"):
        errors.append(FieldError.required(f"{path}.reference"))
    if source.get("pullPolicy") not in ("Always", "IfNotPresent", "Never"):
        errors.append(FieldError.not_supported(f"{path}.pullPolicy", source.get("pullPolicy", ""),
                                               ["Always", "IfNotPresent", "Never"]))


def _local(source: Object, path: str, errors: Errors) -> None:
    if not source.get("path"):
        errors.append(FieldError.required(f"{path}.path"))
    else:
        no_backsteps(source["path"], f"{path}.path", errors)


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

CHECKS: dict[str, Callable[[Object, str, Errors], None]] = {
    "emptyDir": _empty_dir, "hostPath": _host_path, "gitRepo": _git_repo, "gcePersistentDisk": _disk,
    "awsElasticBlockStore": _disk,
    "secret": _secret, "configMap": _config_map, "nfs": _nfs, "iscsi": _iscsi, "fc": _fc, "flocker": _flocker,
    "downwardAPI": _downward_api, "projected": _projected, "csi": _csi, "ephemeral": _ephemeral, "image": _image, "local": _local,
    "azureDisk": _azure_disk, "flexVolume": _flex,
}


def validate_access_modes(modes: list[str], path: str, errors: Errors) -> None:
    for mode in modes:
        if mode not in ACCESS_MODES:
            errors.append(FieldError.not_supported(path, mode, ACCESS_MODES))
    if "ReadWriteOncePod" in modes and any(mode in ACCESS_MODES[:3] for mode in modes):
        errors.append(FieldError.forbidden(path, "may not use ReadWriteOncePod with other access modes"))


def validate_claim_spec(spec: Object, path: str, errors: Errors) -> None:
    """ValidatePersistentVolumeClaimSpec."""
    if not spec.get("accessModes"):
        errors.append(FieldError.required(f"{path}.accessModes", "at least 1 access mode is required"))
    validate_label_selector(spec.get("selector"), f"{path}.selector", errors)
    validate_access_modes(spec.get("accessModes") or [], f"{path}.accessModes", errors)
    storage = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if storage is None:
        errors.append(FieldError.required(f"{path}.resources[storage]"))
    elif quantity.parse(storage) <= 0:
        errors.append(FieldError.invalid(f"{path}.resources[storage]", storage, words.NOT_POSITIVE))
    if name := spec.get("storageClassName"):
        complain(errors, f"{path}.storageClassName", name, words.bad_subdomain(name))
    if spec.get("volumeMode") is not None and spec["volumeMode"] not in ("Block", "Filesystem"):
        errors.append(FieldError.not_supported(f"{path}.volumeMode", spec["volumeMode"], ["Block", "Filesystem"]))
    for member in ("dataSource", "dataSourceRef"):
        if (source := spec.get(member)) is not None:
            for part in ("name", "kind"):
                if not source.get(part):
                    errors.append(FieldError.required(f"{path}.{member}.{part}"))
            if not source.get("apiGroup") and source.get("kind") != "PersistentVolumeClaim":
                errors.append(FieldError.invalid(f"{path}.{member}", source.get("kind", ""),
                                                 "must be 'PersistentVolumeClaim' when referencing the default apiGroup"))
            if group := source.get("apiGroup"):
                complain(errors, f"{path}.{member}.apiGroup", group, words.bad_subdomain(group))
    one, other = spec.get("dataSource"), spec.get("dataSourceRef")
    if one is not None and other is not None:  # the value that the server shows is a field.Path, which has nothing to show
        if other.get("namespace"):
            errors.append(FieldError.invalid(path, {}, "may not be specified when dataSourceRef.namespace is specified"))
        elif any(one.get(part) != other.get(part) for part in ("apiGroup", "kind", "name")):
            errors.append(FieldError.invalid(path, {}, "must match dataSourceRef"))
