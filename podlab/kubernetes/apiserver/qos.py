"""The quality-of-service class of a Pod (pkg/apis/core/v1/helper/qos/qos.go)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .. import quantity

QOS_RESOURCES = ("cpu", "memory")


def qos_class(spec: Mapping[str, Any]) -> str:
    """Guaranteed, Burstable or BestEffort (pkg/apis/core/v1/helper/qos/qos.go, ComputePodQOS)."""
    requests: dict[str, Any] = {}
    limits: dict[str, Any] = {}
    guaranteed = True
    level = spec.get("resources") or {}
    if level.get("requests") or level.get("limits"):
        parts: Iterable[Mapping[str, Any]] = ({"resources": level},)
    else:
        parts = (*(spec.get("containers") or ()), *(spec.get("initContainers") or ()))
    for container in parts:
        resources = container.get("resources") or {}
        found = set()
        for name, amount in (resources.get("requests") or {}).items():
            if name in QOS_RESOURCES and quantity.parse(amount) > 0:
                requests[name] = requests.get(name, 0) + quantity.parse(amount)
        for name, amount in (resources.get("limits") or {}).items():
            if name in QOS_RESOURCES and quantity.parse(amount) > 0:
                found.add(name)
                limits[name] = limits.get(name, 0) + quantity.parse(amount)
        if len(found) < len(QOS_RESOURCES):
            guaranteed = False
    if not requests and not limits:
        return "BestEffort"
    if guaranteed and len(requests) == len(limits) and all(limits.get(name) == amount for name, amount in requests.items()):
        return "Guaranteed"
    return "Burstable"
