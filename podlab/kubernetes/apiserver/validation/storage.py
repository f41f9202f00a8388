"""Volumes, claims and storage classes (pkg/apis/core/validation, pkg/apis/storage/validation)."""

from __future__ import annotations

import math
import posixpath
from collections.abc import Mapping
from typing import Any

from ... import quantity
from ..errors import FieldError
from . import words
from .internal import spec_diff
from .metadata import Errors, complain, validate_label_name
from .scheduling import validate_node_selector
from .volumes import SOURCES, validate_access_modes, validate_claim_spec, validate_persistent_source

Object = Mapping[str, Any]


def claim(obj: Object, errors: Errors, _: Any = None) -> None:
    validate_claim_spec(obj.get("spec") or {}, "spec", errors)


def claim_update(new: Object, old: Object, errors: Errors) -> None:
    """ValidatePersistentVolumeClaimUpdate: a claim is bound once, and may only grow."""
    claim(new, errors)
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
        errors.append(FieldError.not_supported("spec.capacity", capacity or None, ["storage"]))
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
    validate_persistent_source(spec, "spec", errors)
    if spec.get("local") is not None and affinity is None:
        errors.append(FieldError.required("spec.nodeAffinity", "Local volume requires node affinity"))
    path = (spec.get("hostPath") or {}).get("path")
    if path and posixpath.normpath(path) == "/" and policy == "Recycle":
        errors.append(FieldError.forbidden("spec.persistentVolumeReclaimPolicy",
                                           "may not be 'recycle' for a hostPath mount of '/'"))
    if name := spec.get("storageClassName"):
        complain(errors, "spec.storageClassName", name, words.bad_subdomain(name))
    if spec.get("volumeMode") not in (None, "Block", "Filesystem"):
        errors.append(FieldError.not_supported("spec.volumeMode", spec["volumeMode"], ["Block", "Filesystem"]))


def volume_update(new: Object, old: Object, errors: Errors) -> None:
    volume(new, errors)
    sources = [{kind: spec[kind] for kind in SOURCES if kind in spec} for spec in (new["spec"], old["spec"])]
    if sources[0] != sources[1]:
        errors.append(FieldError.forbidden("spec.persistentvolumesource",
                                           "spec.persistentvolumesource is immutable after creation\n"
                                           f"{spec_diff(sources[1], sources[0], 'Volume')}"))
    if new["spec"].get("volumeMode") != old["spec"].get("volumeMode"):
        errors.append(FieldError.invalid("volumeMode", new["spec"].get("volumeMode"), words.IMMUTABLE))
    if old["spec"].get("nodeAffinity") is not None and new["spec"].get("nodeAffinity") != old["spec"]["nodeAffinity"]:
        errors.append(FieldError.invalid("nodeAffinity", new["spec"].get("nodeAffinity"), words.IMMUTABLE))


def storage_class(obj: Object, errors: Errors, _: Any = None) -> None:
    provisioner = obj.get("provisioner", "")
    if not provisioner:
        errors.append(FieldError.required("provisioner"))
    else:
        complain(errors, "provisioner", provisioner, words.bad_qualified_name(provisioner.lower()))
    if any(not key for key in obj.get("parameters") or {}):
        errors.append(FieldError.invalid("parameters", "", "field can not be empty."))
    policy, mode = obj.get("reclaimPolicy"), obj.get("volumeBindingMode")
    if policy not in (None, "Delete", "Retain"):
        errors.append(FieldError.not_supported("reclaimPolicy", policy, ["Delete", "Retain"]))
    if mode is None:
        errors.append(FieldError.required("volumeBindingMode"))
    elif mode not in ("Immediate", "WaitForFirstConsumer"):
        errors.append(FieldError.not_supported("volumeBindingMode", mode, ["Immediate", "WaitForFirstConsumer"]))
    for i, term in enumerate(obj.get("allowedTopologies") or ()):
        _topology_term(term, f"allowedTopologies[{i}]", errors)


def _topology_term(term: Object, path: str, errors: Errors) -> None:
    """ValidateTopologySelectorTerm."""
    keys: list[str] = []
    for i, rule in enumerate(term.get("matchLabelExpressions") or ()):
        here, key, values = f"{path}.matchLabelExpressions[{i}]", rule.get("key", ""), rule.get("values") or []
        if not values:
            errors.append(FieldError.required(f"{here}.values"))
        for j, value in enumerate(values):
            if value in values[:j]:
                errors.append(FieldError.duplicate(f"{here}.values[{j}]", value))
        validate_label_name(key, f"{here}.key", errors)
        if key in keys:
            errors.append(FieldError.duplicate(f"{here}.key", key))
        keys.append(key)


def storage_class_update(new: Object, old: Object, errors: Errors) -> None:
    for member in ("parameters", "provisioner", "reclaimPolicy"):
        if new.get(member) != old.get(member):
            errors.append(FieldError.forbidden(member, f"updates to {member} are forbidden."))
    if new.get("volumeBindingMode") != old.get("volumeBindingMode"):
        errors.append(FieldError.invalid("volumeBindingMode", new.get("volumeBindingMode"), words.IMMUTABLE))
