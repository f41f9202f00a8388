"""The kinds that configure the cluster itself, in what manifests get wrong: what must be there, names and enumerations.

Sources: pkg/apis/{certificates,flowcontrol,networking,resource}/validation and kube-aggregator's.
CEL expressions are refused where they are none; those beyond what is worked out here (apiserver/cel) are stored.
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping
from typing import Any

from ..errors import FieldError
from . import words
from .expressions import one_of, validate_expression
from .metadata import Errors, complain

Object = Mapping[str, Any]


# --- certificates --------------------------------------------------------------------------------------------------


def certificate_signing_request(obj: Object, errors: Errors, _: Any = None) -> None:
    spec = obj.get("spec") or {}
    request = base64.b64decode(spec.get("request") or "")
    if not spec.get("usages"):
        errors.append(FieldError.required("spec.usages"))
    if b"BEGIN CERTIFICATE REQUEST" not in request:
        shown = "[]byte{" + ", ".join(f"0x{byte:x}" for byte in request) + "}"
        errors.append(FieldError("FieldValueInvalid", "spec.request",
                                 f"Invalid value: {shown}: PEM block type must be CERTIFICATE REQUEST"))
    name = spec.get("signerName", "")
    if not name:
        errors.append(FieldError.required("spec.signerName"))
    elif name.count("/") != 1 or "." not in name.partition("/")[0]:
        errors.append(FieldError.invalid("spec.signerName", name, "must be a fully qualified domain and path of the form 'example.com/signer-name'"))
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < 600:
        errors.append(FieldError.invalid("spec.expirationSeconds", seconds, "may not specify a duration less than 600 seconds (10 minutes)"))


def certificate_signing_request_update(new: Object, old: Object, errors: Errors) -> None:
    if new.get("spec") != old.get("spec"):
        errors.append(FieldError.forbidden("spec", "updates to spec are forbidden."))


# --- flowcontrol ---------------------------------------------------------------------------------------------------


def flow_schema(obj: Object, errors: Errors, _: Any = None) -> None:
    spec = obj.get("spec") or {}
    if not 1 <= spec.get("matchingPrecedence", 1000) <= 10000:
        errors.append(FieldError.invalid("spec.matchingPrecedence", spec["matchingPrecedence"],
                                         "must be a value between 1 and 10000, inclusive"))
    if (method := spec.get("distinguisherMethod")) is not None:
        one_of(method.get("type"), "spec.distinguisherMethod.type", ["ByNamespace", "ByUser"], errors)
    if not (spec.get("priorityLevelConfiguration") or {}).get("name"):
        errors.append(FieldError.required("spec.priorityLevelConfiguration.name", "must reference a priority level"))
    for i, rule in enumerate(spec.get("rules") or ()):
        path = f"spec.rules[{i}]"
        if not rule.get("subjects"):
            errors.append(FieldError.required(f"{path}.subjects", "subjects must contain at least one value"))
        if not rule.get("resourceRules") and not rule.get("nonResourceRules"):
            errors.append(FieldError.required(path, "at least one of resourceRules and nonResourceRules has to be non-empty"))


def priority_level(obj: Object, errors: Errors, _: Any = None) -> None:
    spec = obj.get("spec") or {}
    kind = spec.get("type", "")
    if kind == "Limited":
        if spec.get("limited") is None:
            errors.append(FieldError.required("spec.limited", "must not be empty when type is Limited"))
        else:
            one_of((spec["limited"].get("limitResponse") or {}).get("type", ""), "spec.limited.limitResponse.type", ["Queue", "Reject"], errors)
    elif kind == "Exempt":
        if spec.get("limited") is not None:
            errors.append(FieldError.forbidden("spec.limited", "must be nil if the type is not Limited"))
    else:
        errors.append(FieldError.not_supported("spec.type", kind, ["Exempt", "Limited"]))


# --- networking ----------------------------------------------------------------------------------------------------


def ip_address(obj: Object, errors: Errors, _: Any = None) -> None:
    name = obj["metadata"].get("name") or ""
    if not words.address(name):
        errors.append(FieldError.invalid("metadata.name", name, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"))
    parent = (obj.get("spec") or {}).get("parentRef") or {}
    for member in ("resource", "name"):
        if not parent.get(member):
            errors.append(FieldError.required(f"spec.parentRef.{member}"))


def service_cidr(obj: Object, errors: Errors, _: Any = None) -> None:
    cidrs = (obj.get("spec") or {}).get("cidrs") or []
    if not cidrs:
        errors.append(FieldError.required("spec.cidrs", "at least one CIDR required"))
    for i, text in enumerate(cidrs):
        try:
            ipaddress.ip_network(text)
        except ValueError:
            errors.append(FieldError.invalid(f"spec.cidrs[{i}]", text, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"))


# --- resource.k8s.io -----------------------------------------------------------------------------------------------


def device_class(obj: Object, errors: Errors, _: Any = None) -> None:
    _selectors((obj.get("spec") or {}).get("selectors"), "spec.selectors", errors)


def _selectors(selectors: Any, path: str, errors: Errors) -> None:
    for i, one in enumerate(selectors or ()):
        if one.get("cel") is None:
            errors.append(FieldError.required(f"{path}[{i}].cel"))
        else:
            validate_expression(one["cel"], f"{path}[{i}].cel", errors)


def _claim_spec(spec: Object, path: str, errors: Errors) -> None:
    for i, request in enumerate((spec.get("devices") or {}).get("requests") or ()):
        here = f"{path}.devices.requests[{i}]"
        complain(errors, f"{here}.name", request.get("name", ""), words.bad_label(request.get("name", "")))
        exactly, first = request.get("exactly"), request.get("firstAvailable")
        if exactly is None and not first:
            errors.append(FieldError.required(here, "exactly one of `exactly` or `firstAvailable` is required"))
        elif exactly is not None and first:
            errors.append(FieldError.invalid(here, None, "exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set"))
        for at, one in ((f"{here}.exactly", exactly), *((f"{here}.firstAvailable[{j}]", one) for j, one in enumerate(first or ()))):
            if one is not None:
                _request(one, at, errors)


def _request(one: Object, path: str, errors: Errors) -> None:
    if not one.get("deviceClassName"):
        errors.append(FieldError.required(f"{path}.deviceClassName"))
    else:
        complain(errors, f"{path}.deviceClassName", one["deviceClassName"], words.bad_subdomain(one["deviceClassName"]))
    one_of(one.get("allocationMode"), f"{path}.allocationMode", ["All", "ExactCount"], errors)
    _selectors(one.get("selectors"), f"{path}.selectors", errors)


def resource_claim(obj: Object, errors: Errors, _: Any = None) -> None:
    _claim_spec(obj.get("spec") or {}, "spec", errors)


def resource_claim_update(new: Object, old: Object, errors: Errors) -> None:
    if new.get("spec") != old.get("spec"):
        errors.append(FieldError.invalid("spec", new.get("spec"), words.IMMUTABLE))


def resource_claim_template(obj: Object, errors: Errors, _: Any = None) -> None:
    _claim_spec((obj.get("spec") or {}).get("spec") or {}, "spec.spec", errors)


def resource_slice(obj: Object, errors: Errors, _: Any = None) -> None:
    spec = obj.get("spec") or {}
    for member in ("driver", "pool"):
        if not spec.get(member):
            errors.append(FieldError.required(f"spec.{member}"))


# --- the aggregator ------------------------------------------------------------------------------------------------


def api_service(obj: Object, errors: Errors, _: Any = None) -> None:
    spec, name = obj.get("spec") or {}, obj["metadata"].get("name") or ""
    wanted = f"{spec.get('version', '')}.{spec.get('group', '')}"
    if name != wanted and not (name == f"{spec.get('version', '')}." and not spec.get("group")):
        errors.append(FieldError.invalid("metadata.name", name, f'must be `spec.version+"."+spec.group`: "{wanted}"'))
    if not spec.get("version"):
        errors.append(FieldError.required("spec.version"))
    for member, most in (("groupPriorityMinimum", 20000), ("versionPriority", 1000)):
        if not 0 < spec.get(member, 0) <= most:
            errors.append(FieldError.invalid(f"spec.{member}", spec.get(member, 0), f"must be positive and less than {most}"))
