"""Columns of the kinds that configure the cluster itself: admission, certificates, fair queues, devices, storage drivers."""

from __future__ import annotations

from typing import Any

from ... import times
from .texts import Obj, age, selector_string

UNSET, NONE = "<unset>", "<none>"


def webhook_configuration_cells(obj: Obj, now: int) -> list[Any]:
    return [obj["metadata"]["name"], len(obj.get("webhooks") or ()), age(obj, now)]


def admission_policy_cells(obj: Obj, now: int) -> list[Any]:
    """Of a validating or a mutating one."""
    spec = obj.get("spec") or {}
    kind = spec.get("paramKind")
    return [obj["metadata"]["name"], len(spec.get("validations") or spec.get("mutations") or ()),
            f"{kind.get('apiVersion', '')}/{kind.get('kind', '')}" if kind else UNSET, age(obj, now)]


def admission_policy_binding_cells(obj: Obj, now: int) -> list[Any]:
    spec = obj.get("spec") or {}
    reference, shown = spec.get("paramRef") or {}, UNSET
    if reference.get("name"):
        shown = f"{reference.get('namespace') or '*'}/{reference['name']}"
    elif reference.get("selector") is not None:
        shown = selector_string(reference["selector"])
    return [obj["metadata"]["name"], spec.get("policyName", ""), shown, age(obj, now)]


def api_service_cells(obj: Obj, now: int) -> list[Any]:
    """kube-aggregator's own table."""
    service = (obj.get("spec") or {}).get("service")
    available = next((one for one in (obj.get("status") or {}).get("conditions") or () if one["type"] == "Available"), None)
    state = "Unknown" if available is None else available["status"]
    if available is not None and state != "True" and available.get("reason"):
        state += f" ({available['reason']})"
    return [obj["metadata"]["name"], f"{service['namespace']}/{service['name']}" if service else "Local", state, age(obj, now)]


def certificate_signing_request_cells(obj: Obj, now: int) -> list[Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    found = [one["type"] for one in status.get("conditions") or ()]
    denied, approved, failed = (kind in found for kind in ("Denied", "Approved", "Failed"))
    state = "Denied" if denied else "Approved" if approved else "Pending"
    state += (",Failed" if failed else "") + (",Issued" if status.get("certificate") else "")
    seconds = spec.get("expirationSeconds")
    return [obj["metadata"]["name"], age(obj, now), spec.get("signerName") or NONE, spec.get("username", ""),
            times.human_duration(seconds * 1000) if seconds is not None else NONE, state]


def flow_schema_order(obj: Obj) -> tuple[int, str]:
    return (obj.get("spec") or {}).get("matchingPrecedence", 0), obj["metadata"]["name"]


def flow_schema_cells(obj: Obj, now: int) -> list[Any]:
    spec = obj.get("spec") or {}
    dangling = next((one.get("status", "?") for one in (obj.get("status") or {}).get("conditions") or () if one.get("type") == "Dangling"), "?")
    return [obj["metadata"]["name"], (spec.get("priorityLevelConfiguration") or {}).get("name") or NONE, spec.get("matchingPrecedence", 0),
            (spec.get("distinguisherMethod") or {}).get("type") or NONE, age(obj, now), dangling]


def priority_level_cells(obj: Obj, now: int) -> list[Any]:
    spec = obj.get("spec") or {}
    limited = spec.get("limited") or {}
    queuing = (limited.get("limitResponse") or {}).get("queuing") or {}
    numbers = [limited.get("nominalConcurrencyShares", NONE), *(queuing.get(name, NONE) for name in ("queues", "handSize", "queueLengthLimit"))]
    return [obj["metadata"]["name"], spec.get("type", ""), *numbers, age(obj, now)]


def ip_address_cells(obj: Obj, now: int) -> list[Any]:
    parent = (obj.get("spec") or {}).get("parentRef") or {}
    kind = parent.get("resource", "") + (f".{parent['group']}" if parent.get("group") else "")
    return [obj["metadata"]["name"], "/".join(filter(None, (kind, parent.get("namespace"), parent.get("name"))))]


def service_cidr_cells(obj: Obj, now: int) -> list[Any]:
    return [obj["metadata"]["name"], ",".join((obj.get("spec") or {}).get("cidrs") or ()), age(obj, now)]


def resource_claim_cells(obj: Obj, now: int) -> list[Any]:
    """resourceClaimState."""
    status, states = obj.get("status") or {}, []
    if obj["metadata"].get("deletionTimestamp"):
        states.append("deleted")
    if not status.get("allocation"):
        states.append("pending" if not states else "")
    else:
        states.append("allocated")
        if status.get("reservedFor"):
            states.append("reserved")
    return [obj["metadata"]["name"], ",".join(filter(None, states)), age(obj, now)]


def resource_slice_cells(obj: Obj, now: int) -> list[Any]:
    spec = obj.get("spec") or {}
    return [obj["metadata"]["name"], spec.get("nodeName") or UNSET, spec.get("driver", ""), (spec.get("pool") or {}).get("name", ""), age(obj, now)]


def csi_driver_cells(obj: Obj, now: int) -> list[Any]:
    spec = obj.get("spec") or {}
    tokens = ",".join(one.get("audience", "") for one in spec.get("tokenRequests") or ())
    return [obj["metadata"]["name"], spec.get("attachRequired", True), spec.get("podInfoOnMount", False), spec.get("storageCapacity", False),
            tokens or UNSET, spec.get("requiresRepublish", False), ",".join(spec.get("volumeLifecycleModes") or ()), age(obj, now)]


def csi_node_cells(obj: Obj, now: int) -> list[Any]:
    return [obj["metadata"]["name"], len((obj.get("spec") or {}).get("drivers") or ()), age(obj, now)]


def csi_storage_capacity_cells(obj: Obj, now: int) -> list[Any]:
    return [obj["metadata"]["name"], obj.get("storageClassName", ""), obj.get("capacity") or UNSET]


def volume_attachment_cells(obj: Obj, now: int) -> list[Any]:
    spec = obj.get("spec") or {}
    return [obj["metadata"]["name"], spec.get("attacher", ""), (spec.get("source") or {}).get("persistentVolumeName") or "",
            spec.get("nodeName", ""), bool((obj.get("status") or {}).get("attached")), age(obj, now)]


def volume_attributes_class_cells(obj: Obj, now: int) -> list[Any]:
    return [obj["metadata"]["name"], obj.get("driverName", ""), age(obj, now)]
