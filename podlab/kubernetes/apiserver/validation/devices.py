"""Devices that Pods claim: classes, claims, templates of claims and slices (pkg/apis/resource/validation/validation.go)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import FieldError
from . import words
from .expressions import one_of, validate_expression
from .internal import internal
from .metadata import Errors, complain, repeated, validate_annotations, validate_label_name, validate_labels
from .remote_volumes import validate_csi_driver_name
from .scheduling import validate_node_selector

Object = Mapping[str, Any]

MOST_REQUESTS = MOST_CONSTRAINTS = MOST_CONFIGS = MOST_SELECTORS = 32  # DeviceRequestsMaxSize and so on
MOST_ALTERNATIVES = 8  # FirstAvailableDeviceRequestMaxSize
LONGEST_EXPRESSION = LONGEST_PARAMETERS = 10 * 1024  # CELSelectorExpressionMaxLength, OpaqueParametersMaxLength
LONGEST_POOL, LONGEST_VALUE, LONGEST_ID = 253, 64, 32  # PoolNameMaxLength, DeviceAttributeMaxValueLength, DeviceMaxIDLength
MOST_DEVICES, MOST_ATTRIBUTES = 128, 32  # ResourceSliceMaxDevices, ResourceSliceMaxAttributesAndCapacitiesPerDevice
MOST_TAINTS = 16  # DeviceTaintsMaxLength
EFFECTS = ["NoExecute", "NoSchedule", "None"]
IDENTIFIER = "[A-Za-z_][A-Za-z0-9_]*"
IDENTIFIER_WORDS = "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'"
SEMVER = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
                    r"(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?"
                    r"(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?\Z", re.ASCII)
NOT_A_REQUEST = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"
Names = Mapping[str, Sequence[str]]


def _each(values: Sequence[Any], most: int, check: Callable[[Any, str, Errors], None], path: str, errors: Errors) -> None:
    """validateSlice."""
    for i, value in enumerate(values):
        check(value, f"{path}[{i}]", errors)
    if len(values) > most:
        errors.append(FieldError.too_many(path, len(values), most))


def _unlike(keys: list[Any], path: str, member: str, errors: Errors) -> None:
    """What validateSet asks beyond that."""
    errors += (FieldError.duplicate(f"{path}[{i}]{member}", key) for i, (key, twice) in enumerate(zip(keys, repeated(keys), strict=True)) if twice)


# --- claims ----------------------------------------------------------------------------------------------------------


def _claim_spec(spec: Object, path: str, errors: Errors) -> None:
    """validateDeviceClaim."""
    devices, path = spec.get("devices") or {}, f"{path}.devices"
    requests = devices.get("requests") or []
    names = {one.get("name", ""): [sub.get("name", "") for sub in one.get("firstAvailable") or ()] for one in requests}
    _each(requests, MOST_REQUESTS, _request, f"{path}.requests", errors)
    _unlike([one.get("name", "") for one in requests], f"{path}.requests", ".name", errors)
    _each(devices.get("constraints") or [], MOST_CONSTRAINTS, lambda one, at, to: _constraint(one, at, to, names), f"{path}.constraints", errors)
    _each(devices.get("config") or [], MOST_CONFIGS, lambda one, at, to: _claim_config(one, at, to, names), f"{path}.config", errors)


def _request(request: Object, path: str, errors: Errors) -> None:
    name, exactly, first = request.get("name", ""), request.get("exactly"), request.get("firstAvailable") or []
    complain(errors, f"{path}.name", name, words.bad_label(name))
    if first:
        _each(first, MOST_ALTERNATIVES, _sub_request, f"{path}.firstAvailable", errors)
        _unlike([one.get("name", "") for one in first], f"{path}.firstAvailable", ".name", errors)
    if exactly is not None:
        _exact_request(exactly, f"{path}.exactly", errors)
    if exactly is None and not first:
        errors.append(FieldError.required(path, "exactly one of `exactly` or `firstAvailable` is required"))
    elif exactly is not None and first:
        errors.append(FieldError.invalid(path, None, "exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set"))


def _sub_request(request: Object, path: str, errors: Errors) -> None:
    complain(errors, f"{path}.name", request.get("name", ""), words.bad_label(request.get("name", "")))
    _exact_request(request, path, errors)


def _exact_request(request: Object, path: str, errors: Errors) -> None:
    name, mode, count = request.get("deviceClassName", ""), request.get("allocationMode", ""), request.get("count", 0)
    if not name:
        errors.append(FieldError.required(f"{path}.deviceClassName"))
    else:
        complain(errors, f"{path}.deviceClassName", name, words.bad_subdomain(name))
    _selectors(request.get("selectors"), f"{path}.selectors", errors)
    if mode == "All":
        if count:
            errors.append(FieldError.invalid(f"{path}.count", count, "must not be specified when allocationMode is 'All'"))
    elif mode == "ExactCount":
        if count <= 0:
            errors.append(FieldError.invalid(f"{path}.count", count, "must be greater than zero"))
    else:
        one_of(mode, f"{path}.allocationMode", ["All", "ExactCount"], errors)
    _each(request.get("tolerations") or [], MOST_TAINTS, _toleration, f"{path}.tolerations", errors)


def _selectors(selectors: Any, path: str, errors: Errors) -> None:
    _each(selectors or [], MOST_SELECTORS, _selector, path, errors)


def _selector(selector: Object, path: str, errors: Errors) -> None:
    cel = selector.get("cel")
    if cel is None:
        errors.append(FieldError.required(f"{path}.cel"))
    elif len(str(cel.get("expression") or "").encode()) > LONGEST_EXPRESSION:
        errors.append(FieldError.too_long(f"{path}.cel.expression", LONGEST_EXPRESSION))
    else:
        validate_expression(cel, f"{path}.cel", errors, names=("device",))


def _toleration(toleration: Object, path: str, errors: Errors) -> None:
    key, operator, value, effect = (toleration.get(member, "") for member in ("key", "operator", "value", "effect"))
    if key:
        validate_label_name(key, f"{path}.key", errors)
    if operator == "Exists":
        if value:
            errors.append(FieldError.invalid(f"{path}.value", value, "must be empty for operator `Exists`"))
    elif operator == "Equal":
        complain(errors, f"{path}.value", value, words.bad_label_value(value))
    elif not operator:
        errors.append(FieldError.required(f"{path}.operator"))
    else:
        errors.append(FieldError.not_supported(f"{path}.operator", operator, ["Equal", "Exists"]))
    if effect:
        one_of(effect, f"{path}.effect", EFFECTS, errors)


def _requests_meant(values: list[str], path: str, errors: Errors, names: Names) -> None:
    _each(values, MOST_REQUESTS, lambda one, at, to: _request_reference(one, at, to, names), path, errors)
    _unlike(values, path, "", errors)


def _request_reference(name: str, path: str, errors: Errors, names: Names) -> None:
    first, *rest = name.split("/")
    if len(rest) > 1:
        errors.append(FieldError.invalid(path, name, NOT_A_REQUEST))
        return
    for part in (first, *rest):
        complain(errors, path, part, words.bad_label(part))
    if first not in names or any(part not in names[first] for part in rest):
        errors.append(FieldError.invalid(path, name, NOT_A_REQUEST))


def _constraint(constraint: Object, path: str, errors: Errors, names: Names) -> None:
    _requests_meant(constraint.get("requests") or [], f"{path}.requests", errors, names)
    given = [member for member in ("matchAttribute", "distinctAttribute") if constraint.get(member) is not None]
    for member in given:
        _qualified(constraint[member], f"{path}.{member}", errors)
        if constraint[member] and "/" not in constraint[member]:
            errors.append(FieldError.invalid(f"{path}.{member}", constraint[member], "must include a domain"))
    if not given:
        errors.append(FieldError.required(f"{path}.matchAttribute"))


def _claim_config(config: Object, path: str, errors: Errors, names: Names) -> None:
    _requests_meant(config.get("requests") or [], f"{path}.requests", errors, names)
    _config(config, path, errors)


def _config(config: Object, path: str, errors: Errors) -> None:
    """validateDeviceConfiguration."""
    opaque, path = config.get("opaque"), f"{path}.opaque"
    if opaque is None:
        errors.append(FieldError.required(path))
        return
    validate_csi_driver_name(opaque.get("driver", ""), f"{path}.driver", errors)
    parameters = opaque.get("parameters")
    if parameters is None:
        errors.append(FieldError.required(f"{path}.parameters"))
    elif len(json.dumps(parameters, ensure_ascii=False, separators=(",", ":")).encode()) > LONGEST_PARAMETERS:
        errors.append(FieldError.too_long(f"{path}.parameters", LONGEST_PARAMETERS))
    elif not isinstance(parameters, Mapping):
        errors.append(FieldError.invalid(f"{path}.parameters", "<value omitted>", "parameters must be a valid JSON object"))


def resource_claim(obj: Object, errors: Errors, _: Any = None) -> None:
    _claim_spec(obj.get("spec") or {}, "spec", errors)


def resource_claim_template(obj: Object, errors: Errors, _: Any = None) -> None:
    spec = obj.get("spec") or {}
    metadata = spec.get("metadata") or {}
    validate_annotations(metadata.get("annotations"), "spec.metadata.annotations", errors)
    validate_labels(metadata.get("labels"), "spec.metadata.labels", errors)
    _claim_spec(spec.get("spec") or {}, "spec.spec", errors)


def claim_update(new: Object, old: Object, errors: Errors) -> None:
    if new.get("spec") != old.get("spec"):
        errors.append(FieldError.invalid("spec", internal("ResourceClaimSpec", new.get("spec") or {}), words.IMMUTABLE))
    resource_claim(new, errors)


def claim_template_update(new: Object, old: Object, errors: Errors) -> None:
    spec = new.get("spec") or {}
    if spec != (old.get("spec") or {}):
        shown = {**(spec.get("metadata") or {}), "Spec": internal("ResourceClaimSpec", spec.get("spec") or {})}
        errors.append(FieldError.invalid("spec", shown, words.IMMUTABLE))
    resource_claim_template(new, errors)


def device_class(obj: Object, errors: Errors, _: Any = None) -> None:
    spec = obj.get("spec") or {}
    _selectors(spec.get("selectors"), "spec.selectors", errors)
    _each(spec.get("config") or [], MOST_CONFIGS, _config, "spec.config", errors)
    if name := spec.get("extendedResourceName"):
        complain(errors, "spec.extendedResourceName", name, words.bad_qualified_name(name))


# --- slices ----------------------------------------------------------------------------------------------------------


def resource_slice(obj: Object, errors: Errors, _: Any = None) -> None:
    """validateResourceSliceSpec."""
    spec = obj.get("spec") or {}
    validate_csi_driver_name(spec.get("driver", ""), "spec.driver", errors)
    _pool(spec.get("pool") or {}, "spec.pool", errors)
    where: list[str] = []
    if name := spec.get("nodeName"):
        where.append("`nodeName`")
        complain(errors, "spec.nodeName", name, words.bad_subdomain(name))
    elif name is not None:
        errors.append(FieldError.invalid("spec.nodeName", name, "must be either unset or set to a non-empty string"))
    if (selector := spec.get("nodeSelector")) is not None:
        where.append("`nodeSelector`")
        validate_node_selector(selector, "spec.nodeSelector", errors)
        terms = selector.get("nodeSelectorTerms") or []
        if len(terms) != 1:
            shown = [internal("NodeSelectorTerm", term) for term in terms] if selector.get("nodeSelectorTerms") is not None else None
            errors.append(FieldError.invalid("spec.nodeSelector.nodeSelectorTerms", shown, "must have exactly one node selector term"))
    for member in ("allNodes", "perDeviceNodeSelection"):
        if spec.get(member):
            where.append(f"`{member}`")
        elif member in spec:
            errors.append(FieldError.invalid(f"spec.{member}", False, "must be either unset or set to true"))
    exactly = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required"
    if not where:
        errors.append(FieldError.required("spec", exactly))
    elif len(where) > 1:
        errors.append(FieldError.invalid("spec", "{" + ", ".join(where) + "}", f"{exactly}, but multiple fields are set"))
    devices = spec.get("devices") or []
    _each(devices, MOST_DEVICES, _device, "spec.devices", errors)
    _unlike([one.get("name", "") for one in devices], "spec.devices", ".name", errors)


def resource_slice_update(new: Object, old: Object, errors: Errors) -> None:
    resource_slice(new, errors)
    for path in (("pool", "name"), ("driver",), ("nodeName",)):
        now, then = (_dig(obj.get("spec") or {}, path) for obj in (new, old))
        if now != then:
            errors.append(FieldError.invalid(f"spec.{'.'.join(path)}", now, words.IMMUTABLE))


def _dig(spec: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        spec = (spec or {}).get(step)
    return spec


def _pool(pool: Object, path: str, errors: Errors) -> None:
    name, slices, generation = pool.get("name", ""), pool.get("resourceSliceCount", 0), pool.get("generation", 0)
    if not name:
        errors.append(FieldError.required(f"{path}.name"))
    else:
        if len(name.encode()) > LONGEST_POOL:
            errors.append(FieldError.too_long(f"{path}.name", LONGEST_POOL))
        for part in name.split("/"):
            complain(errors, f"{path}.name", part, words.bad_subdomain(part))
    if slices <= 0:
        errors.append(FieldError.invalid(f"{path}.resourceSliceCount", slices, "must be greater than zero"))
    if generation < 0:
        errors.append(FieldError.invalid(f"{path}.generation", generation, "must be greater than or equal to zero"))


def _device(device: Object, path: str, errors: Errors) -> None:
    complain(errors, f"{path}.name", device.get("name", ""), words.bad_label(device.get("name", "")))
    attributes, capacity = device.get("attributes") or {}, device.get("capacity") or {}
    for name in sorted(attributes):
        _qualified(name, f"{path}.attributes[{name}]", errors)
        _attribute(attributes[name] or {}, f"{path}.attributes[{name}]", errors)
    for name in sorted(capacity):
        _qualified(name, f"{path}.capacity[{name}]", errors)
    if len(attributes) + len(capacity) > MOST_ATTRIBUTES:
        errors.append(FieldError.invalid(path, len(attributes) + len(capacity),
                                         f"the total number of attributes and capacities must not exceed {MOST_ATTRIBUTES}"))
    _each(device.get("taints") or [], MOST_TAINTS, _taint, f"{path}.taints", errors)


def _attribute(attribute: Object, path: str, errors: Errors) -> None:
    text, version = attribute.get("string"), attribute.get("version")
    if text is not None and len(text.encode()) > LONGEST_VALUE:
        errors.append(FieldError.too_long(f"{path}.string", LONGEST_VALUE))
    if version is not None:
        if not SEMVER.match(version):
            errors.append(FieldError.invalid(f"{path}.version", version, "must be a string compatible with semver.org spec 2.0.0"))
        if len(version.encode()) > LONGEST_VALUE:
            errors.append(FieldError.too_long(f"{path}.version", LONGEST_VALUE))
    kinds = {"IntValue": "int", "BoolValue": "bool", "StringValue": "string", "VersionValue": "version"}
    given = {go: attribute.get(member) for go, member in kinds.items()}
    count = sum(value is not None for value in given.values())
    if not count:
        errors.append(FieldError.required(path, "exactly one value must be specified"))
    elif count > 1:
        errors.append(FieldError.invalid(path, given, "exactly one value must be specified"))


def _taint(taint: Object, path: str, errors: Errors) -> None:
    validate_label_name(taint.get("key", ""), f"{path}.key", errors)
    if value := taint.get("value"):
        complain(errors, f"{path}.value", value, words.bad_label_value(value))
    if not taint.get("effect"):
        errors.append(FieldError.required(f"{path}.effect"))
    else:
        one_of(taint["effect"], f"{path}.effect", EFFECTS, errors)


def _qualified(name: str, path: str, errors: Errors) -> None:
    """validateQualifiedName: an identifier, with or without a driver's domain before it."""
    if not name:
        errors.append(FieldError.required(path, "name required"))
        return
    domain, slash, rest = name.partition("/")
    if not slash:
        _identifier(domain, path, errors)
    elif "/" not in rest:
        if not domain:
            errors.append(FieldError.required(path, "the domain must not be empty"))
        else:
            validate_csi_driver_name(domain, path, errors)
        if not rest:
            errors.append(FieldError.required(path, "the name must not be empty"))
        else:
            _identifier(rest, path, errors)


def _identifier(name: str, path: str, errors: Errors) -> None:
    if len(name.encode()) > LONGEST_ID:
        errors.append(FieldError.too_long(path, LONGEST_ID))
    if not re.match(IDENTIFIER + r"\Z", name):
        said = words.no_match(IDENTIFIER_WORDS, IDENTIFIER, "my_name", "MY_NAME", "MyName")
        errors.append(FieldError("FieldValueTypeInvalid", path, FieldError.invalid(path, name, said).message))
