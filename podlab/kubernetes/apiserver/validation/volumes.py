"""Volumes of Pods and of PersistentVolumes: exactly one source each, and that a good one (pkg/apis/core/validation/validation.go)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import FieldError
from . import words
from .metadata import Errors, complain
from .node_volumes import NODE_CHECKS
from .remote_volumes import REMOTE_CHECKS, REQUIRED, check_persistent_csi

Object = Mapping[str, Any]

ONE_TYPE = "may not specify more than 1 volume type"

# The order in which the server looks at a volume's sources; where its path has another name, that name
SOURCES = ("emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs", "iscsi", "glusterfs",
           "flocker", "persistentVolumeClaim", "rbd", "cinder", "cephfs", "quobyte", "downwardAPI", "fc", "flexVolume",
           "configMap",
           "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk", "storageos", "projected",
           "scaleIO",
           "csi", "ephemeral", "image", "local")
PATH_NAMES = {"gcePersistentDisk": "persistentDisk"}
DOUBLE_NAMES = {"downwardAPI": "downwarAPI", "cephfs": "cephFS"}  # so spelled in the server's "more than 1 volume type"
CHECKS = NODE_CHECKS | REMOTE_CHECKS


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
            check_persistent_csi(spec[kind], f"{path}.csi", errors)
        else:
            validate_volume_source(seen, "", "", path, errors)
    if not seen:
        errors.append(FieldError.required(path, "must specify a volume type"))
