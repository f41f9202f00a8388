"""Storage classes, drivers, attachments and what drivers say of nodes (pkg/apis/storage/validation/validation.go)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ... import quantity
from ..errors import FieldError
from . import words
from .internal import internal
from .metadata import Errors, complain, non_negative, repeated, validate_label_name, validate_label_selector
from .remote_volumes import validate_csi_driver_name

Object = Mapping[str, Any]

MAX_PARAMETERS, MAX_PARAMETERS_SIZE = 512, 256 * 1024  # maxProvisionerParameterLen, maxProvisionerParameterSize
MAX_NODE_ID = 256  # csiNodeIDLongerMaxLength
SHORTEST_TOKEN, LONGEST_TOKEN = 600, 1 << 32  # seconds


def storage_class(obj: Object, errors: Errors, _: Any = None) -> None:
    _provisioner(obj.get("provisioner", ""), "provisioner", errors)
    _parameters(obj.get("parameters") or {}, errors)
    policy, mode = obj.get("reclaimPolicy"), obj.get("volumeBindingMode")
    if policy not in (None, "Delete", "Retain"):
        errors.append(FieldError.not_supported("reclaimPolicy", policy, ["Delete", "Retain"]))
    if mode is None:
        errors.append(FieldError.required("volumeBindingMode"))
    elif mode not in ("Immediate", "WaitForFirstConsumer"):
        errors.append(FieldError.not_supported("volumeBindingMode", mode, ["Immediate", "WaitForFirstConsumer"]))
    seen: dict[str, int] = {}  # a term -> how many of the kind there were
    for i, term in enumerate(obj.get("allowedTopologies") or ()):
        asked = _topology_term(term, f"allowedTopologies[{i}]", errors)
        text = json.dumps(asked, sort_keys=True)
        errors += (FieldError.duplicate(f"allowedTopologies[{i}].matchLabelExpressions", "") for _ in range(seen.get(text, 0)))
        seen[text] = seen.get(text, 0) + 1


def _provisioner(name: str, path: str, errors: Errors) -> None:
    if not name:
        errors.append(FieldError.required(path))
    else:
        complain(errors, path, name, words.bad_qualified_name(name.lower()))


def _parameters(parameters: Mapping[str, str], errors: Errors) -> None:
    if len(parameters) > MAX_PARAMETERS:
        errors.append(FieldError.too_long("parameters", MAX_PARAMETERS))
        return
    if "" in parameters:
        errors.append(FieldError.invalid("parameters", "", "field can not be empty."))
    if sum(len(key.encode()) + len(value.encode()) for key, value in parameters.items()) > MAX_PARAMETERS_SIZE:
        errors.append(FieldError.too_long("parameters", MAX_PARAMETERS_SIZE))


def _topology_term(term: Object, path: str, errors: Errors) -> dict[str, list[str]]:
    """ValidateTopologySelectorTerm; the values of each key."""
    found: dict[str, list[str]] = {}
    for i, rule in enumerate(term.get("matchLabelExpressions") or ()):
        here, key, values = f"{path}.matchLabelExpressions[{i}]", rule.get("key", ""), rule.get("values") or []
        if not values:
            errors.append(FieldError.required(f"{here}.values"))
        for j, twice in enumerate(repeated(values)):
            if twice:
                errors.append(FieldError.duplicate(f"{here}.values[{j}]", values[j]))
        validate_label_name(key, f"{here}.key", errors)
        if key in found:
            errors.append(FieldError.duplicate(f"{here}.key", key))
        found[key] = sorted({*values})
    return found


def storage_class_update(new: Object, old: Object, errors: Errors) -> None:
    for member in ("parameters", "provisioner", "reclaimPolicy"):
        if new.get(member) != old.get(member):
            errors.append(FieldError.forbidden(member, f"updates to {member} are forbidden."))
    if new.get("volumeBindingMode") != old.get("volumeBindingMode"):
        errors.append(FieldError.invalid("volumeBindingMode", new.get("volumeBindingMode"), words.IMMUTABLE))


def volume_attributes_class(obj: Object, errors: Errors, _: Any = None) -> None:
    _provisioner(obj.get("driverName", ""), "driverName", errors)
    _parameters(obj.get("parameters") or {}, errors)
    if not obj.get("parameters"):
        errors.append(FieldError.required("parameters", "must contain at least one key/value pair"))


def volume_attributes_class_update(new: Object, old: Object, errors: Errors) -> None:
    for member in ("driverName", "parameters"):
        if new.get(member) != old.get(member):
            errors.append(FieldError.forbidden(member, f"updates to {member} are forbidden."))
    volume_attributes_class(new, errors)


def csi_driver(obj: Object, errors: Errors, _: Any = None) -> None:
    spec = obj.get("spec") or {}
    policies = ["File", "None", "ReadWriteOnceWithFSType"]
    if spec.get("fsGroupPolicy") not in (None, *policies):
        errors.append(FieldError.not_supported("spec.fsGroupPolicy", spec["fsGroupPolicy"], policies))
    audiences: set[str] = set()
    for i, request in enumerate(spec.get("tokenRequests") or ()):
        path, audience, seconds = f"spec.tokenRequests[{i}]", request.get("audience", ""), request.get("expirationSeconds")
        if audience in audiences:
            errors.append(FieldError.duplicate(f"{path}.audience", audience))
            continue
        audiences.add(audience)
        if seconds is not None and seconds < SHORTEST_TOKEN:
            errors.append(FieldError.invalid(f"{path}.expirationSeconds", seconds, "may not specify a duration less than 10 minutes"))
        if seconds is not None and seconds > LONGEST_TOKEN:
            errors.append(FieldError.invalid(f"{path}.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds"))
    for mode in spec.get("volumeLifecycleModes") or ():
        if mode not in ("Persistent", "Ephemeral"):
            errors.append(FieldError.not_supported("spec.volumeLifecycleModes", mode, ["Persistent", "Ephemeral"]))
    period = spec.get("nodeAllocatableUpdatePeriodSeconds")
    if period is not None and period < 10:
        errors.append(FieldError.invalid("spec.nodeAllocatableUpdatePeriodSeconds", period, "must be greater than or equal to 10 seconds"))


def csi_driver_update(new: Object, old: Object, errors: Errors) -> None:
    csi_driver(new, errors)
    for member, shown in (("attachRequired", "attachedRequired"), ("volumeLifecycleModes", "volumeLifecycleModes")):
        if new["spec"].get(member) != old["spec"].get(member):
            errors.append(FieldError.invalid(f"spec.{shown}", new["spec"].get(member), words.IMMUTABLE))


def csi_node(obj: Object, errors: Errors, _: Any = None) -> None:
    names: set[str] = set()
    for i, driver in enumerate((obj.get("spec") or {}).get("drivers") or ()):
        path, name, node = f"spec.drivers[{i}]", driver.get("name", ""), driver.get("nodeID", "")
        validate_csi_driver_name(name, f"{path}.name", errors)
        if not node:
            errors.append(FieldError.required(f"{path}.nodeID"))
        if len(node) > MAX_NODE_ID:
            errors.append(FieldError.invalid(f"{path}.nodeID", node, f"must be {MAX_NODE_ID} characters or less"))
        non_negative(errors, f"{path}.allocatable.count", (driver.get("allocatable") or {}).get("count"))
        if name in names:
            errors.append(FieldError.duplicate(f"{path}.name", name))
        names.add(name)
        keys = driver.get("topologyKeys") or []
        for key, twice in zip(keys, repeated(keys), strict=True):
            if not key:
                errors.append(FieldError.required(path))
            if twice:
                errors.append(FieldError.duplicate(path, key))
            validate_label_name(key, path, errors)


def csi_storage_capacity(obj: Object, errors: Errors, _: Any = None) -> None:
    validate_label_selector(obj.get("nodeTopology"), "nodeTopology", errors)
    name, amount = obj.get("storageClassName", ""), obj.get("capacity")
    complain(errors, "storageClassName", name, words.bad_subdomain(name))
    if amount is not None and quantity.parse(amount) < 0:
        errors.append(FieldError.invalid("capacity", amount, words.NEGATIVE))


def csi_storage_capacity_update(new: Object, old: Object, errors: Errors) -> None:
    for member in ("nodeTopology", "storageClassName"):
        if new.get(member) != old.get(member):
            errors.append(FieldError.invalid(member, new.get(member), words.IMMUTABLE))


def volume_attachment(obj: Object, errors: Errors, _: Any = None) -> None:
    spec = obj.get("spec") or {}
    attacher, source, node = spec.get("attacher", ""), spec.get("source") or {}, spec.get("nodeName", "")
    inline, name = source.get("inlineVolumeSpec"), source.get("persistentVolumeName")
    if not attacher:
        errors.append(FieldError.required("spec.attacher"))
    one = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
    if inline is None and name is None:
        errors.append(FieldError.required("spec.source", one))
    elif inline is not None and name is not None:
        errors.append(FieldError.forbidden("spec.source", one))
    elif name == "":
        errors.append(FieldError.required("spec.source.persistentVolumeName", "must specify non empty persistentVolumeName"))
    complain(errors, "spec.nodeName", node, words.bad_subdomain(node))
    validate_csi_driver_name(attacher, "spec.attacher", errors)
    if name is not None:
        complain(errors, "spec.source.persistentVolumeName", name, words.bad_subdomain(name))


def volume_attachment_update(new: Object, old: Object, errors: Errors) -> None:
    if new.get("spec") != old.get("spec"):
        errors.append(FieldError.invalid("spec", internal("VolumeAttachmentSpec", new.get("spec") or {}), words.IMMUTABLE))
