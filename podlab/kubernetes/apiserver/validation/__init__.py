"""What the API server refuses, field by field, in its own words (pkg/apis/*/validation).

`validate_create` and `validate_update` look at a whole object that is decoded and defaulted. A frozen `spec` is looked at
once for all its users.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...objects import Map
from ...resources import Resource
from ..errors import Enough, FieldError, FieldErrors
from . import pod_updates
from .metadata import validate_metadata, validate_metadata_update
from .registry import KINDS, Kind

Object = Mapping[str, Any]


def validate_create(resource: Resource, obj: Object, already_seen: Map | None = None) -> list[FieldError]:
    """Everything that is wrong with a new object, in the order in which the server finds it.

    `already_seen`: the frozen spec that the object's spec was made from by adding only what the server itself adds; if
    nothing was wrong with it, only the rest is looked at.
    """
    kind = KINDS[resource.kind]
    errors = FieldErrors()
    try:
        validate_metadata(obj["metadata"], resource.namespaced, kind.bad_name, errors)
        kind.create(obj, errors, already_seen)
    except Enough as enough:
        return enough.complaints
    return errors


def validate_update(resource: Resource, new: Object, old: Object, subresource: str) -> list[FieldError]:
    """Everything that is wrong with an update of `old` to `new`."""
    kind = KINDS[resource.kind]
    errors = FieldErrors()
    try:
        validate_metadata_update(new["metadata"], old["metadata"], errors)
        if subresource == "status":
            kind.status(new, old, errors)
        elif subresource == "ephemeralcontainers":
            pod_updates.ephemeral_containers(new, old, errors)
        elif subresource == "resize":
            pod_updates.resize(new, old, errors)
        else:
            kind.check_update(new, old, errors)
    except Enough as enough:
        return enough.complaints
    return errors


__all__ = ["Kind", "validate_create", "validate_update"]
