"""The plain kinds: ConfigMap, Secret, Node, Event, Lease, RuntimeClass."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from ..errors import FieldError
from ..json_faults import json_fault
from . import words
from .metadata import STANDARD_FINALIZERS, Errors, complain, non_negative, validate_labels
from .resources import validate_quantity, validate_requirements
from .scheduling import validate_taints, validate_tolerations

Object = Mapping[str, Any]

MAX_DATA = 1024 * 1024  # MaxSecretSize
MAX_EVENT_WORD, MAX_EVENT_NOTE = 128, 1024  # ReportingInstanceLengthLimit and its sisters, NoteLengthLimit
IMMUTABLE_DATA = "field is immutable when `immutable` is set"


def config_map(obj: Object, errors: Errors, _: Any = None) -> None:
    data, binary = obj.get("data") or {}, obj.get("binaryData") or {}
    for member, values in (("data", data), ("binaryData", binary)):
        for key in sorted(values):
            complain(errors, f"{member}[{key}]", key, words.bad_config_key(key))
            if member == "data" and key in binary:
                errors.append(FieldError.invalid(f"data[{key}]", key, "duplicate of key present in binaryData"))
    size = sum(len(value.encode()) for value in data.values()) + sum(len(base64.b64decode(value)) for value in binary.values())
    if size > MAX_DATA:
        errors.append(FieldError.too_long("[]", MAX_DATA))


def config_map_update(new: Object, old: Object, errors: Errors) -> None:
    _same_data(new, old, ("data", "binaryData"), errors)
    config_map(new, errors)


def _same_data(new: Object, old: Object, members: tuple[str, ...], errors: Errors) -> None:
    if old.get("immutable"):
        if not new.get("immutable"):
            errors.append(FieldError.forbidden("immutable", IMMUTABLE_DATA))
        for member in members:
            if (new.get(member) or {}) != (old.get(member) or {}):
                errors.append(FieldError.forbidden(member, IMMUTABLE_DATA))


# Secret types and the keys that they must have (ValidateSecret)
SECRET_KEYS = {"kubernetes.io/dockercfg": (".dockercfg",), "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
               "kubernetes.io/ssh-auth": ("ssh-privatekey",), "kubernetes.io/tls": ("tls.crt", "tls.key")}


def secret(obj: Object, errors: Errors, _: Any = None) -> None:
    data, kind = obj.get("data") or {}, obj.get("type", "")
    for key in sorted(data):
        complain(errors, f"data[{key}]", key, words.bad_config_key(key))
    if sum(len(base64.b64decode(value)) for value in data.values()) > MAX_DATA:
        errors.append(FieldError.too_long("data", MAX_DATA))
    if kind == "kubernetes.io/service-account-token":
        annotations = obj["metadata"].get("annotations") or {}
        if not annotations.get("kubernetes.io/service-account.name"):
            errors.append(FieldError.required("metadata.annotations[kubernetes.io/service-account.name]"))
    elif kind == "kubernetes.io/basic-auth" and "username" not in data and "password" not in data:
        errors.append(FieldError.required("data[username]"))
        errors.append(FieldError.required("data[password]"))
    for key in SECRET_KEYS.get(kind, ()):
        if key not in data:
            errors.append(FieldError.required(f"data[{key}]"))
        elif key.startswith(".docker"):
            text = base64.b64decode(data[key]).decode(errors="replace")
            fault = json_fault(text)
            if not fault and not isinstance(held := json.loads(text), (dict, type(None))):
                fault = f"json: cannot unmarshal {_go_kind(held)} into Go value of type map[string]interface {{}}"
            if fault:
                errors.append(FieldError.invalid(f"data[{key}]", "<secret contents redacted>", fault))
        elif kind == "kubernetes.io/ssh-auth" and not data[key]:
            errors.append(FieldError.required(f"data[{key}]"))


def _go_kind(value: Any) -> str:
    return "bool" if isinstance(value, bool) else "string" if isinstance(value, str) else "array" if isinstance(value, list) else "number"


def secret_update(new: Object, old: Object, errors: Errors) -> None:
    if new.get("type") != old.get("type"):
        errors.append(FieldError.invalid("type", new.get("type", ""), words.IMMUTABLE))
    _same_data(new, old, ("data",), errors)
    secret(new, errors)


def node(obj: Object, errors: Errors, _: Any = None) -> None:
    spec = obj.get("spec") or {}
    validate_taints(spec.get("taints") or [], "metadata.taints", errors)  # so the path reads in the server, too
    _node_amounts(obj, errors)
    for i, cidr in enumerate(spec.get("podCIDRs") or ()):
        complain(errors, f"spec.podCIDRs[{i}]", cidr, words.bad_cidr(cidr))
    cidrs = [*(spec.get("podCIDRs") or ())]
    families = [":" in cidr for cidr in cidrs]
    if len(cidrs) > 2 or len({*families}) < len(families):
        errors.append(FieldError.invalid("spec.podCIDRs", cidrs, "may specify no more than one CIDR for each IP family"))


def _node_amounts(obj: Object, errors: Errors) -> None:
    """ValidateNodeResources."""
    status = obj.get("status") or {}
    for member in ("capacity", "allocatable"):
        for name, amount in sorted((status.get(member) or {}).items()):
            validate_quantity(name, amount, f"status.{member}.{name}", errors)


def node_update(new: Object, old: Object, errors: Errors) -> None:
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    _node_amounts(new, errors)
    if before.get("podCIDRs") and spec.get("podCIDRs") != before["podCIDRs"]:
        errors.append(FieldError.forbidden("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid'))
    if before.get("providerID") and spec.get("providerID") != before["providerID"]:
        errors.append(FieldError.forbidden("spec.providerID", 'node updates may not change providerID except from "" to valid'))
    validate_taints(spec.get("taints") or [], "metadata.taints", errors)


def event(obj: Object, errors: Errors, _: Any = None) -> None:
    """ValidateEventCreate. The event lies where its object does; one about an object without a namespace lies in default."""
    new = str(obj.get("apiVersion", "")).startswith("events.k8s.io/")  # whose fields have other names
    namespace = (obj.get("regarding" if new else "involvedObject") or {}).get("namespace", "")
    if obj.get("eventTime"):
        _new_event(obj, namespace, errors, new)
    elif obj["metadata"].get("namespace") not in ((namespace,) if namespace else ("default", None)):
        errors.append(FieldError.invalid("involvedObject.namespace", namespace, "does not match event.namespace"))
    if not new:
        return
    if not obj.get("eventTime"):
        errors.append(FieldError.required("eventTime"))
    if obj.get("type") not in ("Normal", "Warning"):
        errors.append(FieldError.invalid("type", "", f"has invalid value: {obj.get('type', '')}"))
    for member, path in (("deprecatedFirstTimestamp", "firstTimestamp"), ("deprecatedLastTimestamp", "lastTimestamp"),
                         ("deprecatedCount", "count"), ("deprecatedSource", "source")):
        if obj.get(member):
            errors.append(FieldError.invalid(path, "", "needs to be unset"))


def _new_event(obj: Object, namespace: str, errors: Errors, new: bool) -> None:
    """What is asked of an event that says when it happened (legacyValidateEvent)."""
    if not namespace and obj["metadata"].get("namespace") not in ("default", "kube-system"):
        errors.append(FieldError.invalid("involvedObject.namespace", namespace, "does not match event.namespace"))
    reporter = "reportingController" if new else "reportingComponent"
    if not obj.get(reporter):
        errors.append(FieldError.required(reporter))
    complain(errors, reporter, obj.get(reporter, ""), words.bad_qualified_name(obj.get(reporter, "")))
    for member in ("reportingInstance", "action", "reason"):
        if not obj.get(member):
            errors.append(FieldError.required(member))
        if len(obj.get(member) or "") > MAX_EVENT_WORD:
            errors.append(FieldError.invalid(member, "", f"can have at most {MAX_EVENT_WORD} characters"))
    if len(obj.get("note" if new else "message") or "") > MAX_EVENT_NOTE:
        errors.append(FieldError.invalid("message", "", f"can have at most {MAX_EVENT_NOTE} characters"))


def lease(obj: Object, errors: Errors, _: Any = None) -> None:
    spec = obj.get("spec") or {}
    seconds = spec.get("leaseDurationSeconds")
    if seconds is not None and seconds <= 0:
        errors.append(FieldError.invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0"))
    non_negative(errors, "spec.leaseTransitions", spec.get("leaseTransitions"))


def runtime_class(obj: Object, errors: Errors, _: Any = None) -> None:
    if handler := obj.get("handler"):
        complain(errors, "handler", handler, words.bad_label(handler))
    else:
        errors.append(FieldError.required("handler"))
    if (fixed := (obj.get("overhead") or {}).get("podFixed")) is not None:
        validate_requirements({"limits": fixed}, "overhead.podFixed", errors)
    if (scheduling := obj.get("scheduling")) is not None:
        validate_labels(scheduling.get("nodeSelector"), "scheduling.nodeSelector", errors)
        validate_tolerations(scheduling.get("tolerations") or [], "scheduling.tolerations", errors)


def namespace(obj: Object, errors: Errors, _: Any = None) -> None:
    """ValidateNamespace without its metadata."""
    for finalizer in (obj.get("spec") or {}).get("finalizers") or ():
        complain(errors, "spec.finalizers", finalizer, words.bad_qualified_name(finalizer))
        if "/" not in finalizer and finalizer not in STANDARD_FINALIZERS:
            errors.append(FieldError.invalid("spec.finalizers", finalizer,
                                             "name is neither a standard finalizer name nor is it fully qualified"))


def namespace_status(new: Object, old: Object, errors: Errors) -> None:
    """ValidateNamespaceStatusUpdate."""
    phase, going = (new.get("status") or {}).get("phase", ""), bool(new["metadata"].get("deletionTimestamp"))
    if phase != ("Terminating" if going else "Active"):
        errors.append(FieldError.invalid("status.Phase", phase,
                                         f"may only be '{'Terminating' if going else 'Active'}' if `deletionTimestamp` is "
                                         f"{'not ' if going else ''}empty"))


def runtime_class_update(new: Object, old: Object, errors: Errors) -> None:
    if new.get("handler") != old.get("handler"):
        errors.append(FieldError.invalid("handler", new.get("handler", ""), words.IMMUTABLE))


def binding(obj: Object, errors: Errors, _: Any = None) -> None:
    target = obj.get("target") or {}
    if target.get("kind") not in (None, "", "Node"):
        errors.append(FieldError.not_supported("target.kind", target["kind"], ["Node", "<empty>"]))
    if not target.get("name"):
        errors.append(FieldError.required("target.name"))
