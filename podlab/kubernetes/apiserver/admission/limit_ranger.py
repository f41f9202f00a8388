"""LimitRanger: default requests and limits of a namespace, and its bounds (plugin/pkg/admission/limitranger/admission.go)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ... import quantity
from ...objects import Map, dig, thaw
from ...resources import Resource
from .. import pod_resources
from ..errors import forbidden
from ..pipeline import Context

Object = dict[str, Any]
Amounts = Mapping[str, str]
ANNOTATION = "kubernetes.io/limit-ranger"


def default_pod(obj: Object, ctx: Context) -> None:
    """Give containers the namespace's default requests and limits, and note it in an annotation."""
    for limit_range in ctx.list("limitranges", obj["metadata"]["namespace"]):
        _merge_defaults(obj, limit_range)


def _merge_defaults(obj: Object, limit_range: Map) -> None:
    requests: dict[str, str] = {}
    limits: dict[str, str] = {}
    for item in limit_range["spec"].get("limits") or ():
        if item.get("type") == "Container":
            requests.update(item.get("defaultRequest") or {})
            limits.update(item.get("default") or {})
    if not requests and not limits:
        return
    spec = obj["spec"] = thaw(obj["spec"])
    notes = []
    for member, what in (("containers", "container"), ("initContainers", "init container")):
        for container in spec.get(member) or ():
            resources = container.setdefault("resources", {})
            for kind, defaults, word in (("requests", requests, "request"), ("limits", limits, "limit")):
                held = resources.get(kind) or {}
                added = sorted(name for name in defaults if name not in held)
                if added:
                    resources[kind] = {**held, **{name: defaults[name] for name in added}}
                    notes.append(f"{', '.join(added)} {word} for {what} {container.get('name', '')}")
    if notes:
        annotations = obj["metadata"].get("annotations") or {}
        obj["metadata"]["annotations"] = {**annotations, ANNOTATION: "LimitRanger plugin set: " + "; ".join(notes)}


def validate(resource: Resource, obj: Mapping[str, Any], ctx: Context) -> None:
    """Raises ApiError 403 with every bound that is broken, range by range."""
    for limit_range in ctx.list("limitranges", obj["metadata"]["namespace"]):
        errors = [*(_pod_errors if resource.kind == "Pod" else _claim_errors)(obj, limit_range)]
        if errors:
            said = [*dict.fromkeys(errors)]
            raise forbidden("", resource.plural, obj["metadata"].get("name") or "",
                            said[0] if len(said) == 1 else f"[{', '.join(said)}]")


def _pod_errors(obj: Mapping[str, Any], limit_range: Map) -> Iterator[str]:
    spec = obj["spec"]
    containers = spec.get("containers") or ()
    initial = spec.get("initContainers") or ()
    for item in limit_range["spec"].get("limits") or ():
        if item.get("type") == "Container":
            for container in (*containers, *initial):
                resources = container.get("resources") or {}
                yield from _item_errors(item, "Container", resources.get("requests") or {}, resources.get("limits") or {})
        elif item.get("type") == "Pod":
            yield from _item_errors(item, "Pod", _total(spec, "requests"), _total(spec, "limits"))


def _claim_errors(obj: Mapping[str, Any], limit_range: Map) -> Iterator[str]:
    requests = dig(obj, "spec.resources.requests", {})
    for item in limit_range["spec"].get("limits") or ():
        if item.get("type") == "PersistentVolumeClaim":
            for name, bound in sorted((item.get("min") or {}).items()):
                yield from _minimum("PersistentVolumeClaim", name, bound, requests, {})
            for name, bound in sorted((item.get("max") or {}).items()):  # PVCs have no limits: the request is held against it
                if quantity.parse(requests.get(name, "0")) > quantity.parse(bound):
                    yield f"maximum {name} usage per PersistentVolumeClaim is {bound}, but request is {requests[name]}"


def _item_errors(item: Mapping[str, Any], kind: str, requests: Amounts, limits: Amounts) -> Iterator[str]:
    for name, bound in sorted((item.get("min") or {}).items()):
        yield from _minimum(kind, name, bound, requests, limits)
    for name, bound in sorted((item.get("max") or {}).items()):
        yield from _maximum(kind, name, bound, requests, limits)
    for name, bound in sorted((item.get("maxLimitRequestRatio") or {}).items()):
        yield from _ratio(kind, name, bound, requests, limits)


def _minimum(kind: str, name: str, bound: str, requests: Amounts, limits: Amounts) -> Iterator[str]:
    said = f"minimum {name} usage per {kind} is {bound}"
    if name not in requests:
        yield f"{said}.  No request is specified"
    elif quantity.parse(requests[name]) < quantity.parse(bound):
        yield f"{said}, but request is {requests[name]}"
    elif name in limits and quantity.parse(limits[name]) < quantity.parse(bound):
        yield f"{said}, but limit is {limits[name]}"


def _maximum(kind: str, name: str, bound: str, requests: Amounts, limits: Amounts) -> Iterator[str]:
    said = f"maximum {name} usage per {kind} is {bound}"
    if name not in limits:
        yield f"{said}.  No limit is specified"
    elif quantity.parse(limits[name]) > quantity.parse(bound):
        yield f"{said}, but limit is {limits[name]}"
    elif name in requests and quantity.parse(requests[name]) > quantity.parse(bound):
        yield f"{said}, but request is {requests[name]}"


def _ratio(kind: str, name: str, bound: str, requests: Amounts, limits: Amounts) -> Iterator[str]:
    said = f"{name} max limit to request ratio per {kind} is {bound}"
    asked, limit = quantity.parse(requests.get(name, "0")), quantity.parse(limits.get(name, "0"))
    if not asked:
        yield f"{said}, but no request is specified or request is 0"
    elif not limit:
        yield f"{said}, but no limit is specified or limit is 0"
    elif limit / asked > quantity.parse(bound):
        yield f"{said}, but provided ratio is {float(limit / asked):f}"


def _total(spec: Mapping[str, Any], kind: str) -> dict[str, str]:
    """podRequests, podLimits: containers and sidecars together, no less than any init step needs; of cpu and memory what the Pod itself says."""
    said = {name: quantity.parse(amount) for name, amount in dig(spec, f"resources.{kind}", {}).items() if name in ("cpu", "memory")}
    return {name: quantity.format_decimal(amount) if name == "cpu" else quantity.format_binary(amount)
            for name, amount in {**pod_resources.aggregated(spec, kind), **said}.items()}
