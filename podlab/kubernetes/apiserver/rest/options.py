"""Whether the options of a query are allowed, as the server judges them before anything else.

Sources: apimachinery's pkg/apis/meta/v1/validation and pkg/apis/meta/internalversion/validation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import ApiError, FieldError, invalid
from .call import Call

KINDS = {"create": "CreateOptions", "update": "UpdateOptions", "patch": "PatchOptions", "delete": "DeleteOptions",
         "deletecollection": "DeleteOptions"}
GROUP = "meta.k8s.io"
EXACT, NOT_OLDER = "Exact", "NotOlderThan"
VALIDATIONS = ("Ignore", "Strict", "Warn")
POLICIES = ("Foreground", "Background", "Orphan")
MANAGER_MAX = 128  # bytes (FieldManagerMaxLength)


def refused(kind: str, errors: list[FieldError]) -> ApiError:
    return invalid(GROUP, kind, "", errors)


def check_list(call: Call) -> None:
    """ListOptions of a list. Raises ApiError 422."""
    match, version, errors = call.one("resourceVersionMatch"), call.one("resourceVersion"), list[FieldError]()
    if match and not version:
        errors.append(FieldError.forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided"))
    if match and call.one("continue"):
        errors.append(FieldError.forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided"))
    if match not in ("", EXACT, NOT_OLDER):
        errors.append(FieldError.not_supported("resourceVersionMatch", match[:80], [EXACT, NOT_OLDER, ""]))
    if match == EXACT and version == "0":
        errors.append(FieldError.forbidden("resourceVersionMatch", 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
    if call.one("sendInitialEvents"):
        errors.append(FieldError.forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    if errors:
        raise refused("ListOptions", errors)


def check_watch(call: Call) -> None:
    """ListOptions of a watch. Raises ApiError 422."""
    match, initial, errors = call.one("resourceVersionMatch"), call.one("sendInitialEvents"), list[FieldError]()
    if initial and match != NOT_OLDER:
        errors.append(FieldError.forbidden("resourceVersionMatch", f"sendInitialEvents requires setting resourceVersionMatch to {NOT_OLDER}"))
    if match and not initial:
        errors.append(FieldError.forbidden("resourceVersionMatch",
                                           "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"))
    if match not in ("", NOT_OLDER):
        errors.append(FieldError.not_supported("resourceVersionMatch", match[:80], [NOT_OLDER]))
    if match and call.one("continue"):
        errors.append(FieldError.forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided"))
    if errors:
        raise refused("ListOptions", errors)


def check_write(call: Call, verb: str, *, applying: bool = False) -> None:
    """The query of a create, update or patch. Raises ApiError 422."""
    errors = list[FieldError]()
    manager, validation = call.one("fieldManager"), call.one("fieldValidation")
    if verb == "patch" and not applying and call.query.get("force"):
        errors.append(FieldError.forbidden("force", "may not be specified for non-apply patch"))
    if applying and not manager:
        errors.append(FieldError.required("fieldManager", "is required for apply patch"))
    if len(manager.encode()) > MANAGER_MAX:
        errors.append(FieldError.too_long("fieldManager", MANAGER_MAX))
    errors += [FieldError.invalid("fieldManager", manager[:200], f"invalid character U+{ord(char):04X} (at position {place})")
               for place, char in enumerate(manager) if not char.isprintable()][:10]
    errors += dry_run(call.query.get("dryRun", ()))
    if validation not in ("", *VALIDATIONS):
        errors.append(FieldError.not_supported("fieldValidation", validation[:80], ["", *VALIDATIONS]))
    if errors:
        raise refused(KINDS[verb], errors)


def check_delete(options: Mapping[str, Any], dry: Sequence[Any]) -> None:
    """DeleteOptions, of the query and the body together. Raises ApiError 422."""
    policy, errors = options.get("propagationPolicy"), list[FieldError]()
    if policy is not None and "orphanDependents" in options:
        errors.append(FieldError.invalid("propagationPolicy", policy, "orphanDependents and deletionPropagation cannot be both set"))
    if policy is not None and policy not in POLICIES:
        errors.append(FieldError.not_supported("propagationPolicy", policy, [*POLICIES, "nil"]))
    if errors := [*errors, *dry_run(dry)]:
        raise refused("DeleteOptions", errors)


def dry_run(values: Sequence[Any]) -> list[FieldError]:
    return [] if all(value == "All" for value in values) else [FieldError.not_supported("dryRun", [str(one)[:80] for one in values[:10]], ["All"])]
