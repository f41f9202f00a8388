"""Versions that are served beside the one that the engine stores: autoscaling/v1 beside v2, events.k8s.io/v1 beside the core's Events.

Sources: pkg/apis/autoscaling/v1/conversion.go, pkg/apis/events/v1/conversion.go, pkg/apis/core/validation/events.go (ValidateEventCreate).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..objects import Map, dig
from ..resources import BY_KIND, Resource
from .customresources.conversion import in_version
from .customresources.reading import as_read
from .errors import FieldError, invalid
from .ownership import records

ALSO_SERVED: tuple[Resource, ...] = (
    replace(BY_KIND["HorizontalPodAutoscaler"], version="v1"),
    replace(BY_KIND["Event"], group="events.k8s.io"),
)
NOTE_MAX, NAME_MAX = 1024, 128  # NoteLengthLimit, ReportingInstanceLengthLimit

# fields of a core Event -> the same in events.k8s.io/v1
EVENT = {"involvedObject": "regarding", "message": "note", "reportingComponent": "reportingController", "source": "deprecatedSource",
         "firstTimestamp": "deprecatedFirstTimestamp", "lastTimestamp": "deprecatedLastTimestamp", "count": "deprecatedCount"}
EVENT_BACK = {served: stored for stored, served in EVENT.items()}


def other_of(stored: Resource, api_version: str | None) -> Resource | None:
    """The version beside `stored` that `api_version` names; None where it names the stored one, or none."""
    return next((one for one in ALSO_SERVED if (one.api_version, one.kind) == (api_version, stored.kind)), None)


def as_stored(stored: Resource, obj: Mapping[str, Any]) -> dict[str, Any]:
    """A decoded object of another version as the stored one."""
    if stored.kind == "Event":
        own = {name: value for name, value in obj.items() if name not in EVENT}
        return {**{EVENT_BACK.get(name, name): value for name, value in own.items()}, "apiVersion": stored.api_version}
    spec = {key: value for key, value in obj["spec"].items() if key != "targetCPUUtilizationPercentage"}
    share = obj["spec"].get("targetCPUUtilizationPercentage")
    if share is not None:
        target = {"type": "Utilization", "averageUtilization": share}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    found = {"apiVersion": stored.api_version, "kind": stored.kind, "metadata": obj["metadata"], "spec": spec}
    if obj.get("status"):
        status = {key: value for key, value in obj["status"].items() if key != "currentCPUUtilizationPercentage"}
        share = obj["status"].get("currentCPUUtilizationPercentage")
        if share is not None:
            status["currentMetrics"] = [{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": share}}}]
        found["status"] = status
    return found


def as_served(resource: Resource, obj: Mapping[str, Any]) -> Mapping[str, Any]:
    """A stored object in the version of `resource`, with its field managers. Raises ApiError where a webhook cannot convert it."""
    if resource.custom is not None:
        obj = in_version(resource, obj)
        shown: Mapping[str, Any] = records.shown(as_read(resource, obj) if isinstance(obj, Map) else obj)
        return shown
    obj = records.shown(obj)
    if resource not in ALSO_SERVED:
        return obj
    if resource.kind == "Event":
        named = {EVENT.get(name, name): value for name, value in obj.items()}
        return {**{name: value for name, value in named.items() if value != "" or not name.startswith("reporting")},  # omitempty here alone
                "apiVersion": resource.api_version}
    spec = {key: value for key, value in obj["spec"].items() if key not in ("metrics", "behavior")}
    status = {"currentReplicas": 0, "desiredReplicas": 0,  # the older version always tells both
              **{key: value for key, value in (obj.get("status") or {}).items() if key not in ("currentMetrics", "conditions")}}
    for metric in obj["spec"].get("metrics") or ():
        if dig(metric, "resource.name") == "cpu" and dig(metric, "resource.target.averageUtilization") is not None:
            spec["targetCPUUtilizationPercentage"] = dig(metric, "resource.target.averageUtilization")
    for metric in (obj.get("status") or {}).get("currentMetrics") or ():
        if dig(metric, "resource.name") == "cpu" and dig(metric, "resource.current.averageUtilization") is not None:
            status["currentCPUUtilizationPercentage"] = dig(metric, "resource.current.averageUtilization")
    return {**obj, "apiVersion": resource.api_version, "spec": spec, "status": status}


def in_its_version(resource: Resource, found: Any) -> Any:
    """An object of the door's, or {"items": ...}, in the version of `resource` where that is of a custom kind. Raises ApiError."""
    if resource.custom is None:
        return found
    if "items" in found and "metadata" not in found:
        return {**found, "items": [in_version(resource, obj) for obj in found["items"]]}
    return in_version(resource, found)


def stored_field(resource: Resource, path: str) -> str:
    """A field selector's path in a version, as the stored one has it."""
    first, dot, rest = path.partition(".")
    return EVENT_BACK.get(first, first) + dot + rest if resource in ALSO_SERVED and resource.kind == "Event" else path


def check_new(resource: Resource, obj: Mapping[str, Any]) -> None:
    """What a new object of another version must have beyond the stored one's rules. Raises ApiError 422."""
    if resource.kind != "Event":
        return
    errors = [FieldError.required(name) for name in ("eventTime", "reportingController", "reportingInstance", "action", "reason")
              if not obj.get(name)]
    if obj.get("type") not in ("Normal", "Warning"):
        errors.append(FieldError.invalid("type", obj.get("type", ""), ""))
    errors += [FieldError.too_long(name, NAME_MAX) for name in ("reportingInstance", "action", "reason") if len(obj.get(name) or "") > NAME_MAX]
    if len((obj.get("note") or "").encode()) > NOTE_MAX:
        errors.append(FieldError.too_long("message", NOTE_MAX))
    for name in EVENT_BACK:
        if name.startswith("deprecated") and obj.get(name):
            errors.append(FieldError.invalid(EVENT_BACK[name], obj[name], "needs to be unset"))
    if errors:
        raise invalid("", "Event", obj["metadata"].get("name") or "", errors)
