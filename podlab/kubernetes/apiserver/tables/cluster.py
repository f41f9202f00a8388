"""Columns of everything else: nodes, namespaces, events, configuration, storage, quotas, rights."""

from __future__ import annotations

from typing import Any

from .texts import Obj, access_modes, age, condition, is_default_class, node_roles, since, storage_class


def name_and_age(obj: Obj, now: int) -> list[Any]:
    """What a custom resource and a ServiceAccount show."""
    return [obj["metadata"]["name"], age(obj, now)]


def name_and_creation(obj: Obj, now: int) -> list[Any]:
    """What kinds without a printer of their own show (the server's default table convertor)."""
    return [obj["metadata"]["name"], obj["metadata"].get("creationTimestamp", "")]


def node_cells(obj: Obj, now: int) -> list[Any]:
    status, ready = obj.get("status") or {}, condition(obj, "Ready")
    state = "Unknown" if ready is None else "Ready" if ready["status"] == "True" else "NotReady"
    if (obj.get("spec") or {}).get("unschedulable"):
        state += ",SchedulingDisabled"
    info = status.get("nodeInfo") or {}
    kernel = info.get("kernelVersion") or "<unknown>"
    if info.get("architecture"):
        kernel += f" ({info['architecture']})"
    return [obj["metadata"]["name"], state, ",".join(node_roles(obj)) or "<none>", age(obj, now), info.get("kubeletVersion", ""),
            _address(status, "InternalIP"), _address(status, "ExternalIP"), info.get("osImage") or "<unknown>", kernel,
            info.get("containerRuntimeVersion") or "<unknown>"]


def _address(status: Obj, type_: str) -> str:
    return str(next((a["address"] for a in status.get("addresses") or () if a["type"] == type_), "<none>"))


def namespace_cells(obj: Obj, now: int) -> list[Any]:
    return [obj["metadata"]["name"], (obj.get("status") or {}).get("phase", ""), age(obj, now)]


def event_cells(obj: Obj, now: int) -> list[Any]:
    """printEvent: a series' or a repeated event's last time, else the only one."""
    first = since(obj.get("firstTimestamp") or obj.get("eventTime"), now)
    last = since(obj["lastTimestamp"], now) if obj.get("lastTimestamp") else first
    count, series = obj.get("count") or 1, obj.get("series")
    if series:
        last, count = since(series.get("lastObservedTime"), now), series.get("count", 0)
    about, source = obj.get("involvedObject") or {}, obj.get("source") or {}
    target = about.get("kind", "").lower() + (f"/{about['name']}" if about.get("name") else "")
    host = source.get("host") or obj.get("reportingInstance") or ""
    reporter = (source.get("component") or obj.get("reportingComponent") or "") + (f", {host}" if host else "")
    return [last, obj.get("type", ""), obj.get("reason", ""), target, about.get("fieldPath", ""), reporter,
            obj.get("message", "").strip(), first, count, obj["metadata"]["name"]]


def configmap_cells(obj: Obj, now: int) -> list[Any]:
    return [obj["metadata"]["name"], len(obj.get("data") or ()) + len(obj.get("binaryData") or ()), age(obj, now)]


def secret_cells(obj: Obj, now: int) -> list[Any]:
    return [obj["metadata"]["name"], obj.get("type", "Opaque"), len(obj.get("data") or ()), age(obj, now)]


def componentstatus_cells(obj: Obj, now: int) -> list[Any]:
    healthy = next((c for c in obj.get("conditions") or () if c["type"] == "Healthy"), None)
    if healthy is None:
        return [obj["metadata"]["name"], "Unknown", "", ""]
    return [obj["metadata"]["name"], "Healthy" if healthy["status"] == "True" else "Unhealthy", healthy.get("message", ""),
            healthy.get("error", "")]


def persistentvolume_cells(obj: Obj, now: int) -> list[Any]:
    spec, status = obj["spec"], obj.get("status") or {}
    claim = spec.get("claimRef")
    return [obj["metadata"]["name"], (spec.get("capacity") or {}).get("storage", "0"), access_modes(spec.get("accessModes")),
            spec.get("persistentVolumeReclaimPolicy", ""), _phase(obj), f"{claim['namespace']}/{claim['name']}" if claim else "",
            storage_class(obj), spec.get("volumeAttributesClassName") or "<unset>", status.get("reason", ""), age(obj, now),
            spec.get("volumeMode") or "<unset>"]


def persistentvolumeclaim_cells(obj: Obj, now: int) -> list[Any]:
    spec, status = obj["spec"], obj.get("status") or {}
    bound = bool(spec.get("volumeName"))
    return [obj["metadata"]["name"], _phase(obj), spec.get("volumeName", ""),
            (status.get("capacity") or {}).get("storage", "0") if bound else "",
            access_modes(status.get("accessModes")) if bound else "", storage_class(obj),
            spec.get("volumeAttributesClassName") or "<unset>", age(obj, now), spec.get("volumeMode") or "<unset>"]


def _phase(obj: Obj) -> str:
    return "Terminating" if obj["metadata"].get("deletionTimestamp") else str((obj.get("status") or {}).get("phase", ""))


def storageclass_cells(obj: Obj, now: int) -> list[Any]:
    return [obj["metadata"]["name"] + (" (default)" if is_default_class(obj) else ""), obj.get("provisioner", ""),
            obj.get("reclaimPolicy") or "Delete", obj.get("volumeBindingMode") or "Immediate",
            bool(obj.get("allowVolumeExpansion")), age(obj, now)]


def lease_cells(obj: Obj, now: int) -> list[Any]:
    return [obj["metadata"]["name"], (obj.get("spec") or {}).get("holderIdentity") or "", age(obj, now)]


def resourcequota_cells(obj: Obj, now: int) -> list[Any]:
    """Used over hard, the `limits.` ones apart."""
    status = obj.get("status") or {}
    texts: dict[bool, list[str]] = {False: [], True: []}
    for name, hard in sorted((status.get("hard") or {}).items()):
        texts[name.startswith("limits.")].append(f"{name}: {(status.get('used') or {}).get(name, '0')}/{hard}")
    return [obj["metadata"]["name"], ", ".join(texts[False]), ", ".join(texts[True]), age(obj, now)]


def priorityclass_cells(obj: Obj, now: int) -> list[Any]:
    return [obj["metadata"]["name"], obj.get("value", 0), bool(obj.get("globalDefault")), age(obj, now),
            obj.get("preemptionPolicy") or ""]


def runtimeclass_cells(obj: Obj, now: int) -> list[Any]:
    return [obj["metadata"]["name"], obj.get("handler", ""), age(obj, now)]


def rolebinding_cells(obj: Obj, now: int) -> list[Any]:
    subjects, role = obj.get("subjects") or (), obj["roleRef"]

    def of(kind: str) -> str:
        return ", ".join((f"{s.get('namespace', '')}/" if kind == "ServiceAccount" else "") + s["name"]
                         for s in subjects if s["kind"] == kind)

    return [obj["metadata"]["name"], f"{role['kind']}/{role['name']}", age(obj, now), of("User"), of("Group"),
            of("ServiceAccount")]
