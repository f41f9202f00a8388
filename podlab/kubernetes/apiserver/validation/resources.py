"""Names and amounts of compute resources (pkg/apis/core/validation, pkg/apis/core/helper/helpers.go)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ... import quantity
from ..errors import FieldError
from . import words
from .metadata import Errors, complain

Object = Mapping[str, Any]

COMPUTE = ("cpu", "memory", "ephemeral-storage")
OBJECTS = ("pods", "services", "replicationcontrollers", "resourcequotas", "secrets", "configmaps", "persistentvolumeclaims",
           "services.nodeports", "services.loadbalancers")
QUOTA = frozenset({"cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.storage",
                   "requests.ephemeral-storage", "limits.cpu", "limits.memory", "limits.ephemeral-storage", *OBJECTS})
STANDARD = QUOTA | {"storage"}
INTEGERS = frozenset(OBJECTS)
HUGE_PAGES = "hugepages-"


def is_native(name: str) -> bool:
    """No domain, or Kubernetes' own (IsNativeResource)."""
    return "/" not in name or "kubernetes.io/" in name


def is_extended(name: str) -> bool:
    return not is_native(name) and not name.startswith("requests.") and not words.bad_qualified_name("requests." + name)


def may_overcommit(name: str) -> bool:
    return is_native(name) and not name.startswith(HUGE_PAGES)


def is_standard(name: str) -> bool:
    return name in STANDARD or name.startswith((HUGE_PAGES, "requests." + HUGE_PAGES))


def validate_resource_name(name: str, path: str, errors: Errors) -> bool:
    """ValidateResourceName; whether the name is at least a qualified one."""
    complaints = words.bad_qualified_name(name)
    complain(errors, path, name, complaints)
    if not complaints and "/" not in name and not is_standard(name):
        errors.append(FieldError.invalid(path, name, "must be a standard resource type or fully qualified"))
    return not complaints


def validate_container_resource_name(name: str, path: str, errors: Errors) -> None:
    validate_resource_name(name, path, errors)
    if "/" not in name:
        if name not in COMPUTE and not name.startswith(HUGE_PAGES):
            errors.append(FieldError.invalid(path, name, "must be a standard resource for containers"))
    elif not is_native(name) and not is_extended(name):
        errors.append(FieldError.invalid(path, name, "doesn't follow extended resource name standard"))


def validate_quota_resource_name(name: str, path: str, errors: Errors) -> None:
    validate_resource_name(name, path, errors)
    if "/" not in name and name not in QUOTA and not name.startswith(("requests." + HUGE_PAGES, HUGE_PAGES)):
        errors.append(FieldError.invalid(path, name, "must be a standard resource for quota"))


def validate_quantity(name: str, amount: str, path: str, errors: Errors) -> None:
    """ValidateResourceQuantityValue."""
    value = quantity.parse(amount)
    if value < 0:
        errors.append(FieldError.invalid(path, amount, words.NEGATIVE))
    if (name in INTEGERS or is_extended(name)) and value.denominator != 1:
        errors.append(FieldError.invalid(path, amount, "must be an integer"))


def validate_requirements(requirements: Object, path: str, errors: Errors, claims: Iterable[str] = (),
                          pod_level: bool = False) -> None:
    """ValidateContainerResourceRequirements and its Pod-level sister."""
    limits, requests = requirements.get("limits") or {}, requirements.get("requests") or {}
    huge = compute = False
    for kind, amounts in (("limits", limits), ("requests", requests)):
        for name in sorted(amounts):
            amount, here = amounts[name], f"{path}.{kind}[{name}]"
            if pod_level:
                before = len(errors)
                validate_resource_name(name, here, errors)
                if len(errors) == before and name not in ("cpu", "memory") and not name.startswith(HUGE_PAGES):
                    errors.append(FieldError.not_supported(here, name, ["cpu", "hugepages-", "memory"]))
            else:
                validate_container_resource_name(name, here, errors)
            validate_quantity(name, amount, here, errors)
            if kind == "requests":
                _request_within_limit(name, amount, limits, path, errors)
            if name.startswith(HUGE_PAGES):
                huge = True
                size = name.removeprefix(HUGE_PAGES)
                if re.match(r"\d", size) and quantity.parse(amount) % quantity.parse(size):
                    errors.append(FieldError.invalid(here, amount, f"{amount} is not positive integer multiple of {name}"))
            compute = compute or name in ("cpu", "memory")
    if huge and not compute:
        errors.append(FieldError.forbidden(path, "HugePages require cpu or memory"))
    _validate_claims(requirements.get("claims") or (), tuple(claims), f"{path}.claims", errors)


def _request_within_limit(name: str, amount: str, limits: Mapping[str, str], path: str, errors: Errors) -> None:
    if name not in limits:
        if not may_overcommit(name):
            errors.append(FieldError.required(f"{path}.limits", "Limit must be set for non overcommitable resources"))
        return
    asked, limit = quantity.parse(amount), quantity.parse(limits[name])
    if asked != limit and not may_overcommit(name):
        errors.append(FieldError.invalid(f"{path}.requests", amount, f"must be equal to {name} limit of {limits[name]}"))
    elif asked > limit:
        errors.append(FieldError.invalid(f"{path}.requests", amount,
                                         f"must be less than or equal to {name} limit of {limits[name]}"))


def _validate_claims(claims: Sequence[Object], known: tuple[str, ...], path: str, errors: Errors) -> None:
    seen: set[str] = set()
    parted: set[str] = set()  # those of which a request was named
    there = {*known} if claims else known
    for i, claim in enumerate(claims):
        name = claim.get("name", "")
        if not name:
            errors.append(FieldError.required(f"{path}[{i}]"))
            continue
        request = claim.get("request", "")
        key = f"{name}/{request}" if request else name
        if name not in seen and request:
            complain(errors, f"{path}[{i}].request", request, words.bad_label(request))
        if name in seen or key in seen or (not request and name in parted):
            errors.append(FieldError.duplicate(f"{path}[{i}]", name if name in seen else key))
        seen.add(key)
        parted.update([name] if request else ())
        if name not in there:
            rest = ": " + ", ".join(sorted(known)) if known else " which is empty"
            errors.append(FieldError("FieldValueNotFound", f"{path}[{i}]",
                                     f'Not found: "{name}": must be one of the names in pod.spec.resourceClaims{rest}'))
