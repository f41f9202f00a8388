"""PersistentVolumes and their claims (pkg/apis/core/validation/validation.go)."""

from __future__ import annotations

import math
import posixpath
from collections.abc import Mapping
from typing import Any

from ... import quantity
from ..errors import FieldError
from . import words
from .claims import validate_access_modes, validate_claim_spec
from .internal import internal, spec_diff
from .metadata import Errors, complain
from .scheduling import validate_node_selector
from .volumes import PERSISTENT_SOURCES, validate_persistent_source

Object = Mapping[str, Any]

CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"  # BetaStorageClassAnnotation


def claim(obj: Object, errors: Errors, _: Any = None) -> None:
    validate_claim_spec(obj.get("spec") or {}, "spec", errors)


def claim_update(new: Object, old: Object, errors: Errors) -> None:
    """ValidatePersistentVolumeClaimUpdate: a claim is bound once, and may only grow."""
    claim(new, errors)
    marks = [(obj["metadata"].get("annotations") or {}).get(CLASS_ANNOTATION, "") for obj in (new, old)]
    if marks[0] != marks[1]:
        errors.append(FieldError.invalid(f"metadata.annotations.{CLASS_ANNOTATION}", marks[0], words.IMMUTABLE))
    spec, before = dict(new["spec"]), dict(old["spec"])
    if not before.get("volumeName"):
        before = _with(before, "volumeName", spec.get("volumeName"))
    if before.get("storageClassName") is None and spec.get("storageClassName") is not None:
        before = _with(before, "storageClassName", spec["storageClassName"])
    asked, had = _storage(new), _storage(old)
    if (old.get("status") or {}).get("phase") == "Bound" and asked:
        spec["resources"] = {**(spec.get("resources") or {}), "requests": {**spec["resources"]["requests"], "storage": had}}
        spec = _with(spec, "volumeAttributesClassName", before.get("volumeAttributesClassName"))
    if spec != before:
        errors.append(FieldError.forbidden("spec", "spec is immutable after creation except resources.requests and "
                                                   "volumeAttributesClassName "
                                           f"for bound claims\n{spec_diff(before, spec, 'PersistentVolumeClaimSpec')}"))
    size = ((old.get("status") or {}).get("capacity") or {}).get("storage", "0")
    if asked and had and quantity.parse(asked) < quantity.parse(had) and quantity.parse(asked) <= quantity.parse(size):
        errors.append(FieldError.forbidden("spec.resources.requests.storage", "field can not be less than status.capacity"))
    if new["spec"].get("volumeMode") != old["spec"].get("volumeMode"):
        errors.append(FieldError.invalid("volumeMode", new["spec"].get("volumeMode"), words.IMMUTABLE))
    _attributes_class_update(new["spec"], old["spec"], errors, empty_too=True)


def _attributes_class_update(spec: Object, before: Object, errors: Errors, empty_too: bool) -> None:
    """A class of attributes, once given, may be changed and not taken away."""
    held, asked, path = before.get("volumeAttributesClassName"), spec.get("volumeAttributesClassName"), "spec.volumeAttributesClassName"
    if held is not None and asked is None:
        errors.append(FieldError.forbidden(path, "update from non-nil value to nil is forbidden"))
    elif held and asked == "" and empty_too:
        errors.append(FieldError.forbidden(path, "update from non-nil value to an empty string is forbidden"))


def _with(spec: dict[str, Any], member: str, value: Any) -> dict[str, Any]:
    return {**spec, member: value} if value is not None else {key: held for key, held in spec.items() if key != member}


def _storage(obj: Object) -> str:
    return str(((obj["spec"].get("resources") or {}).get("requests") or {}).get("storage") or "")


def volume(obj: Object, errors: Errors, _: Any = None) -> None:
    """ValidatePersistentVolumeSpec."""
    spec = obj.get("spec") or {}
    if not spec.get("accessModes"):
        errors.append(FieldError.required("spec.accessModes"))
    validate_access_modes(spec.get("accessModes") or [], "spec.accessModes", errors)
    capacity = spec.get("capacity") or {}
    if not capacity:
        errors.append(FieldError.required("spec.capacity"))
    if "storage" not in capacity or len(capacity) > 1:
        errors.append(FieldError.not_supported("spec.capacity", spec.get("capacity"), ["storage"]))
    for name in sorted(capacity):
        amount = quantity.parse(capacity[name])
        if amount < 0:  # validateBasicResource
            errors.append(FieldError.invalid(f"spec.capacity[{name}]", math.floor(amount), "must be a valid resource quantity"))
        if amount <= 0:
            errors.append(FieldError.invalid(f"spec.capacity[{name}]", capacity[name], words.NOT_POSITIVE))
    policy = spec.get("persistentVolumeReclaimPolicy", "")
    if policy and policy not in ("Delete", "Recycle", "Retain"):
        errors.append(FieldError.not_supported("spec.persistentVolumeReclaimPolicy", policy, ["Delete", "Recycle", "Retain"]))
    affinity = spec.get("nodeAffinity")
    if affinity is not None:
        if affinity.get("required") is None:
            errors.append(FieldError.required("spec.nodeAffinity.required", "must specify required node constraints"))
        else:
            validate_node_selector(affinity["required"], "spec.nodeAffinity.required", errors)
    validate_persistent_source(spec, obj["metadata"].get("name") or "", "spec", errors)
    path = (spec.get("hostPath") or {}).get("path")
    if path and posixpath.normpath(path) == "/" and policy == "Recycle":
        errors.append(FieldError.forbidden("spec.persistentVolumeReclaimPolicy",
                                           "may not be 'recycle' for a hostPath mount of '/'"))
    if name := spec.get("storageClassName"):
        complain(errors, "spec.storageClassName", name, words.bad_subdomain(name))
    if spec.get("volumeMode") not in (None, "Block", "Filesystem"):
        errors.append(FieldError.not_supported("spec.volumeMode", spec["volumeMode"], ["Block", "Filesystem"]))
    if (attributes := spec.get("volumeAttributesClassName")) is not None:
        if not attributes:
            errors.append(FieldError.required("spec.volumeAttributesClassName", "an empty string is disallowed"))
        else:
            complain(errors, "spec.volumeAttributesClassName", attributes, words.bad_subdomain(attributes))
        if spec.get("csi") is None:
            errors.append(FieldError.required("spec.csi", "has to be specified when using volumeAttributesClassName"))


def volume_update(new: Object, old: Object, errors: Errors) -> None:
    volume(new, errors)
    sources = [{kind: spec[kind] for kind in PERSISTENT_SOURCES if kind in spec} for spec in (new["spec"], old["spec"])]
    if sources[0] != sources[1]:
        errors.append(FieldError.forbidden("spec.persistentvolumesource",
                                           "spec.persistentvolumesource is immutable after creation\n"
                                           f"{spec_diff(sources[1], sources[0], 'PersistentVolumeSource')}"))
    if new["spec"].get("volumeMode") != old["spec"].get("volumeMode"):
        errors.append(FieldError.invalid("volumeMode", new["spec"].get("volumeMode"), words.IMMUTABLE))
    if old["spec"].get("nodeAffinity") is not None and new["spec"].get("nodeAffinity") != old["spec"]["nodeAffinity"]:
        shown = new["spec"].get("nodeAffinity")
        errors.append(FieldError.invalid("nodeAffinity", shown and internal("VolumeNodeAffinity", shown),
                                         f"{words.IMMUTABLE}, except for updating from beta label to GA"))
    _attributes_class_update(new["spec"], old["spec"], errors, empty_too=False)
