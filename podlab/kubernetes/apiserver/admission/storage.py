"""DefaultStorageClass, StorageObjectInUseProtection and PersistentVolumeClaimResize.

Sources: plugin/pkg/admission/storage/{storageclass/setdefault,storageobjectinuseprotection,persistentvolume/resize}/admission.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ... import quantity
from ...objects import dig
from ...resources import Resource
from ..errors import forbidden
from ..pipeline import Context

Object = dict[str, Any]

PROTECTION = {"PersistentVolumeClaim": "kubernetes.io/pvc-protection", "PersistentVolume": "kubernetes.io/pv-protection"}
IS_DEFAULT = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")
BETA_CLASS = "volume.beta.kubernetes.io/storage-class"


def admit(resource: Resource, obj: Object, ctx: Context) -> None:
    if resource.kind == "PersistentVolumeClaim":
        _default_class(obj, ctx)
    finalizer = PROTECTION[resource.kind]
    held = obj["metadata"].get("finalizers") or ()
    if finalizer not in held:
        obj["metadata"]["finalizers"] = [*held, finalizer]


def _default_class(obj: Object, ctx: Context) -> None:
    if obj["spec"].get("storageClassName") is not None or BETA_CLASS in (obj["metadata"].get("annotations") or {}):
        return
    if name := default_class(ctx.list("storageclasses")):
        obj["spec"] = {**obj["spec"], "storageClassName": name}


def default_class(classes: Iterable[Mapping[str, Any]]) -> str:
    """GetDefaultClass: of those that are marked the newest, of equals the first by name; "" for none."""
    marked = [one for one in classes if any((one["metadata"].get("annotations") or {}).get(key) == "true" for key in IS_DEFAULT)]
    marked.sort(key=lambda one: one["metadata"]["name"])
    newest = max(marked, key=lambda one: one["metadata"].get("creationTimestamp") or "", default=None)
    return str(newest["metadata"]["name"]) if newest is not None else ""


def validate_resize(new: Mapping[str, Any], old: Mapping[str, Any], ctx: Context) -> None:
    """A bound claim may grow only where its class allows. Raises ApiError 403."""
    asked, had = dig(new, "spec.resources.requests", {}).get("storage"), dig(old, "spec.resources.requests", {}).get("storage")
    if not asked or not had or quantity.parse(asked) <= quantity.parse(had):
        return
    name = old["metadata"]["name"]
    if dig(old, "status.phase") != "Bound":
        raise forbidden("", "persistentvolumeclaims", name, "Only bound persistent volume claims can be expanded")
    found = ctx.find("storageclasses", old["spec"].get("storageClassName") or "")
    if found is None or not found.get("allowVolumeExpansion"):
        raise forbidden("", "persistentvolumeclaims", name,
                        "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must "
                        "support resize")
