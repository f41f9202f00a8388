"""metadata of every kind, and label selectors (apimachinery/pkg/api/validation/objectmeta.go, meta/v1/validation)."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

from ..errors import FieldError
from . import words

Errors = list[FieldError]
Object = Mapping[str, Any]
NameCheck = Callable[[str], words.Complaints]

TOTAL_ANNOTATIONS = 256 * 1024  # TotalAnnotationSizeLimitB
OWNER_FIELDS = ("apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion")  # as metav1.OwnerReference has them
STANDARD_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")


def complain(errors: Errors, path: str, value: Any, complaints: words.Complaints | list[str]) -> None:
    """One Invalid error for each complaint."""
    for complaint in complaints:
        errors.append(FieldError.invalid(path, value, complaint))


def repeated(keys: Iterable[Hashable]) -> list[bool]:
    """Of each key whether it stood before."""
    seen: set[Hashable] = set()
    found = []
    for key in keys:
        found.append(key in seen)
        seen.add(key)
    return found


def in_order(labels: Mapping[str, str] | None) -> dict[str, str] | None:
    """A map as Go shows it in a message: by key."""
    return None if labels is None else dict(sorted(labels.items()))


def non_negative(errors: Errors, path: str, value: int | None) -> None:
    if value is not None and value < 0:
        errors.append(FieldError.invalid(path, value, words.NEGATIVE))


def validate_metadata(metadata: Object, namespaced: bool, bad_name: NameCheck, errors: Errors, *, custom: bool = False) -> None:
    """ValidateObjectMeta; of custom objects apimachinery's, to which any qualified name is a finalizer."""
    if base := metadata.get("generateName"):
        complain(errors, "metadata.generateName", base, bad_name(_mask(base)))
    name = metadata.get("name")
    if not name:
        errors.append(FieldError.required("metadata.name", "name or generateName is required"))
    else:
        complain(errors, "metadata.name", name, bad_name(name))
    namespace = metadata.get("namespace")
    if namespaced:
        if not namespace:
            errors.append(FieldError.required("metadata.namespace"))
        else:
            complain(errors, "metadata.namespace", namespace, words.bad_label(namespace))
    elif namespace:
        errors.append(FieldError.forbidden("metadata.namespace", "not allowed on this type"))
    _validate_common(metadata, errors, custom)


def _mask(base: str) -> str:
    """A trailing dash is no fault in a generateName: letters follow it (maskTrailingDash)."""
    return base[:-2] + "a" if len(base) > 1 and base.endswith("-") else base


def _validate_common(metadata: Object, errors: Errors, custom: bool) -> None:
    non_negative(errors, "metadata.generation", metadata.get("generation"))
    validate_labels(metadata.get("labels"), "metadata.labels", errors)
    validate_annotations(metadata.get("annotations"), "metadata.annotations", errors)
    owners = metadata.get("ownerReferences")
    if owners:
        _validate_owners(owners, "metadata.ownerReferences", errors)
    for finalizer in metadata.get("finalizers") or ():
        complain(errors, "metadata.finalizers", finalizer, words.bad_qualified_name(finalizer))
    if {"orphan", "foregroundDeletion"} <= {*(metadata.get("finalizers") or ())}:
        errors.append(FieldError.invalid("metadata.finalizers", [*metadata["finalizers"]],
                                         "finalizer orphan and foregroundDeletion cannot be both set"))
    for i, finalizer in enumerate(() if custom else metadata.get("finalizers") or ()):
        if "/" not in finalizer and finalizer not in STANDARD_FINALIZERS:
            errors.append(FieldError.invalid(f"metadata.finalizers[{i}]", finalizer,
                                             "name is neither a standard finalizer name nor is it fully qualified"))


def _validate_owners(owners: list[Object], path: str, errors: Errors) -> None:
    controller = ""
    owners = [{member: owner[member] for member in OWNER_FIELDS if member in owner} for owner in owners]
    for owner in owners:
        version = owner.get("apiVersion", "")
        if not version or version.endswith("/") or version.count("/") > 1:
            errors.append(FieldError.invalid(f"{path}.apiVersion", version, "version must not be empty"))
        for member in ("kind", "name", "uid"):
            if not owner.get(member):
                errors.append(FieldError.invalid(f"{path}.{member}", owner.get(member, ""), "must not be empty"))
        if (version, owner.get("kind")) == ("v1", "Event"):
            errors.append(FieldError.invalid(path, owner, "/v1, Kind=Event is disallowed from being an owner"))
        if owner.get("controller"):
            if controller:
                errors.append(FieldError.invalid(path, owners,
                                                 'Only one reference can have Controller set to true. Found "true" in '
                                                 f"references for {controller} and {owner.get('kind')}/{owner.get('name')}"))
            else:
                controller = f"{owner.get('kind')}/{owner.get('name')}"


def validate_metadata_update(new: Object, old: Object, errors: Errors, *, custom: bool = False) -> None:
    """ValidateObjectMetaUpdate: identity does not change, and a dying object gains no finalizers."""
    if old.get("deletionTimestamp"):
        added = [one for one in new.get("finalizers") or () if one not in (old.get("finalizers") or ())]
        if added:
            shown = ", ".join(f'"{one}"' for one in added)
            errors.append(FieldError.forbidden("metadata.finalizers",
                                               "no new finalizers can be added if the object is being deleted, "
                                               f"found new finalizers []string{{{shown}}}"))
    if new.get("generation", 0) < old.get("generation", 0):
        errors.append(FieldError.invalid("metadata.generation", new.get("generation", 0), "must not be decremented"))
    for member in ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp"):
        if new.get(member) != old.get(member):
            errors.append(FieldError.invalid(f"metadata.{member}", new.get(member), words.IMMUTABLE))
    _validate_common(new, errors, custom)


def validate_label_name(key: str, path: str, errors: Errors) -> None:
    complain(errors, path, key, words.bad_qualified_name(key))


def validate_labels(labels: Mapping[str, str] | None, path: str, errors: Errors) -> None:
    """ValidateLabels: keys are qualified names, values label values."""
    for key, value in sorted((labels or {}).items()):
        validate_label_name(key, path, errors)
        complain(errors, path, value, words.bad_label_value(value))


def validate_annotations(annotations: Mapping[str, str] | None, path: str, errors: Errors) -> None:
    """ValidateAnnotations: keys are qualified names, 256 KiB in all."""
    if not annotations:
        return
    for key in sorted(annotations):
        complain(errors, path, key, words.bad_qualified_name(key.lower()))
    if sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items()) > TOTAL_ANNOTATIONS:
        errors.append(FieldError.too_long(path, TOTAL_ANNOTATIONS))


def validate_selector_values(operator: str, values: Sequence[str], path: str, errors: Errors) -> None:
    """How many values an operator takes that label and node selectors share; another operator is none."""
    if operator in ("In", "NotIn"):
        if not values:
            errors.append(FieldError.required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'"))
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            errors.append(FieldError.forbidden(f"{path}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
    else:
        errors.append(FieldError.invalid(f"{path}.operator", operator, "not a valid selector operator"))


def validate_label_selector(selector: Object | None, path: str, errors: Errors) -> None:
    """ValidateLabelSelector."""
    if selector is None:
        return
    validate_labels(selector.get("matchLabels"), f"{path}.matchLabels", errors)
    for i, term in enumerate(selector.get("matchExpressions") or ()):
        here, operator, values = f"{path}.matchExpressions[{i}]", term.get("operator", ""), term.get("values") or ()
        validate_selector_values(operator, values, here, errors)
        validate_label_name(term.get("key", ""), f"{here}.key", errors)
        for j, value in enumerate(values):
            complain(errors, f"{here}.values[{j}]", value, words.bad_label_value(value))
