"""What the containers of a Pod ask for together (component-helpers/resource, AggregateContainerRequests and AggregateContainerLimits).

The defaults, ResourceQuota and LimitRanger count with it. The scheduler and the kubelet count whole numbers for every Pod, kubectl describe
what a node has allotted: they have their own sums.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from .. import quantity


def aggregated(spec: Mapping[str, Any], kind: str) -> dict[str, Fraction]:
    """Of `kind` (requests, limits): containers and sidecars together, and no less than any init container beside the sidecars before it."""
    total: dict[str, Fraction] = {}
    sidecars: dict[str, Fraction] = {}
    peak: dict[str, Fraction] = {}
    for container in spec.get("containers") or ():
        add(total, (container.get("resources") or {}).get(kind))
    for container in spec.get("initContainers") or ():
        amounts = (container.get("resources") or {}).get(kind)
        if container.get("restartPolicy") == "Always":
            add(total, amounts)
            add(sidecars, amounts)
            now = sidecars
        else:
            now = dict(sidecars)
            add(now, amounts)
        for name, amount in now.items():
            peak[name] = max(peak.get(name, Fraction(0)), amount)
    for name, amount in peak.items():
        total[name] = max(total.get(name, Fraction(0)), amount)
    return total


def add(total: dict[str, Fraction], amounts: Mapping[str, str] | None) -> None:
    """Add quantities to a sum, name by name."""
    for name, amount in (amounts or {}).items():
        total[name] = total.get(name, Fraction(0)) + quantity.parse(amount)
