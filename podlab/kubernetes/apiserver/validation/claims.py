"""What a claim for a volume may ask for, alone or as a template (pkg/apis/core/validation/validation.go)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ... import quantity
from ..errors import FieldError
from . import words
from .metadata import Errors, complain, validate_label_selector

Object = Mapping[str, Any]

ACCESS_MODES = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"]


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
            if namespace := source.get("namespace"):
                complain(errors, f"{path}.{member}.namespace", namespace, words.bad_label(namespace))
    one, other = spec.get("dataSource"), spec.get("dataSourceRef")
    if one is not None and other is not None:  # the value that the server shows is a field.Path, which has nothing to show
        if other.get("namespace"):
            errors.append(FieldError.invalid(path, {}, "may not be specified when dataSourceRef.namespace is specified"))
        elif any(one.get(part) != other.get(part) for part in ("apiGroup", "kind", "name")):
            errors.append(FieldError.invalid(path, {}, "must match dataSourceRef"))
    if name := spec.get("volumeAttributesClassName"):
        complain(errors, f"{path}.volumeAttributesClassName", name, words.bad_subdomain(name))
