"""Volumes of Pods and of PersistentVolumes: exactly one source each, and that a good one (pkg/apis/core/validation/validation.go)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import FieldError
from . import words
from .metadata import Errors, complain
from .node_volumes import NODE_CHECKS
from .remote_volumes import LONG_PORTAL, PERSISTENT_CHECKS, REMOTE_CHECKS, REQUIRED, iscsi_portal_is_long

Object = Mapping[str, Any]

ONE_TYPE = "may not specify more than 1 volume type"

# The order in which the server looks at a volume's sources; where its path has another name, that name
SOURCES = ("emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs", "iscsi", "glusterfs",
           "flocker", "persistentVolumeClaim", "rbd", "cinder", "cephfs", "quobyte", "downwardAPI", "fc", "flexVolume",
           "configMap",
           "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk", "storageos", "projected",
           "scaleIO",
           "csi", "ephemeral", "image")
PATH_NAMES = {"gcePersistentDisk": "persistentDisk"}
DOUBLE_NAMES = {"downwardAPI": "downwarAPI", "cephfs": "cephFS"}  # so spelled in the server's "more than 1 volume type"
Check = Callable[[Object, str, Errors], None]
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
        else:
            _check(kind, source, f"{path}.{PATH_NAMES.get(kind, kind)}", CHECKS, errors)
        count += 1
        if kind == "iscsi" and iscsi_portal_is_long(source, name):
            errors.append(FieldError.invalid(f"{path}.name", name, LONG_PORTAL))
        if kind == "ephemeral" and count == 1 and pod_name and name:
            claim = f"{pod_name}-{name}"
            for complaint in words.bad_subdomain(claim):
                errors.append(FieldError.invalid(f"{path}.name", name, f'PVC name "{claim}": {complaint}'))
    if not count:
        errors.append(FieldError.required(path, "must specify a volume type"))


def _check(kind: str, source: Object, path: str, checks: Mapping[str, Check], errors: Errors) -> None:
    for member in REQUIRED.get(kind, ()):
        if not source.get(member):
            errors.append(FieldError.required(f"{path}.{member}"))
    if check := checks.get(kind):
        check(source, path, errors)


# The order in which the server looks at a PersistentVolume's sources
PERSISTENT_SOURCES = ("hostPath", "gcePersistentDisk", "awsElasticBlockStore", "glusterfs", "flocker", "nfs", "rbd", "quobyte", "cephfs",
                      "iscsi", "cinder", "fc", "flexVolume", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume",
                      "azureDisk", "scaleIO", "local", "storageos", "csi")


PERSISTENT = CHECKS | PERSISTENT_CHECKS


def validate_persistent_source(spec: Object, name: str, path: str, errors: Errors) -> None:
    """The sources in ValidatePersistentVolumeSpec."""
    count = 0
    for kind in PERSISTENT_SOURCES:
        source = spec.get(kind)
        if source is None:
            continue
        if count and kind != "flexVolume":  # which the server forgets to refuse beside another
            errors.append(FieldError.forbidden(f"{path}.{DOUBLE_NAMES.get(kind, kind)}", ONE_TYPE))
            continue
        count += 1
        here = f"{path}.{PATH_NAMES.get(kind, kind)}"
        if kind == "iscsi" and iscsi_portal_is_long(source, name):
            errors.append(FieldError.invalid(f"{here}.targetportal", source.get("targetPortal", ""), LONG_PORTAL))
        _check(kind, source, here, PERSISTENT, errors)
        if kind == "local" and spec.get("nodeAffinity") is None:
            errors.append(FieldError.required(f"{path}.nodeAffinity", "Local volume requires node affinity"))
    if not count:
        errors.append(FieldError.required(path, "must specify a volume type"))
