"""Reviews of access (pkg/apis/authorization/validation/validation.go)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import FieldError

Object = Mapping[str, Any]


def access_review(kind: str, review: Object, namespace: str) -> list[FieldError]:
    """What is wrong with a SubjectAccessReview, a SelfSubjectAccessReview or a LocalSubjectAccessReview, which is asked in a `namespace`."""
    spec, metadata = review.get("spec") or {}, {key: value for key, value in (review.get("metadata") or {}).items() if key != "managedFields"}
    resource, other = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    shown = other and {"Path": other.get("path", ""), "Verb": other.get("verb", "")}
    errors: list[FieldError] = []
    if resource is not None and other is not None:
        errors.append(FieldError.invalid("spec.nonResourceAttributes", shown, "cannot be specified in combination with resourceAttributes"))
    if resource is None and other is None:
        errors.append(FieldError.invalid("spec.resourceAttributes", None,
                                         "exactly one of nonResourceAttributes or resourceAttributes must be specified"))
    if kind != "SelfSubjectAccessReview" and not spec.get("user") and not spec.get("groups"):
        errors.append(FieldError.invalid("spec.user", "", "at least one of user or group must be specified"))
    if kind == "LocalSubjectAccessReview":
        if any(key != "namespace" for key in metadata):
            errors.append(FieldError.invalid("metadata", metadata, "must be empty except for namespace"))
        if resource is not None and resource.get("namespace", "") != namespace:
            errors.append(FieldError.invalid("spec.resourceAttributes.namespace", resource.get("namespace", ""), "must match metadata.namespace"))
        if other is not None:
            errors.append(FieldError.invalid("spec.nonResourceAttributes", shown, "disallowed on this kind of request"))
    elif metadata:
        errors.append(FieldError.invalid("metadata", metadata, "must be empty"))
    return errors
