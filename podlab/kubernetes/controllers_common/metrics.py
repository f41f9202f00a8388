"""From measured use to a number of replicas (pkg/controller/podautoscaler/replica_calculator.go), as pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from .. import quantity
from ..objects import EMPTY, Map
from ..times import parse_rfc3339
from .pods import facts, is_deleting

TOLERANCE = 0.1  # HorizontalPodAutoscalerTolerance
CPU_INITIALIZATION_MS = 300_000  # HorizontalPodAutoscalerCPUInitializationPeriod
INITIAL_READINESS_MS = 30_000  # HorizontalPodAutoscalerInitialReadinessDelay
WINDOW_MS = 15_000  # metrics-server's --metric-resolution: a sample spans so long


class MetricError(Exception):
    """Why a metric gives no advice, in the controller's words."""


@dataclass
class Groups:
    """groupPods: Pods by what their samples are worth."""

    ready: int = 0
    unready: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def group(pods: Sequence[Map], samples: dict[str, int], resource: str, now: int) -> Groups:
    """Sort Pods out, and drop the samples of those that do not count (deleted, Failed, unready)."""
    found = Groups()
    for pod in pods:
        name, phase = pod["metadata"]["name"], facts(pod).phase
        if is_deleting(pod) or phase == "Failed":
            samples.pop(name, None)
        elif phase == "Pending":
            samples.pop(name, None)
            found.unready.append(name)
        elif name not in samples:
            found.missing.append(name)
        elif resource == "cpu" and _unready(pod, now):
            del samples[name]
            found.unready.append(name)
        else:
            found.ready += 1
    return found


def _unready(pod: Map, now: int) -> bool:
    status, known = pod.get("status") or EMPTY, facts(pod)
    if not status.get("startTime") or not known.ready_since:
        return True
    started = parse_rfc3339(status["startTime"])
    if now < started + CPU_INITIALIZATION_MS:
        return not known.ready or now < known.ready_since + WINDOW_MS
    return not known.ready and started + INITIAL_READINESS_MS > known.ready_since


def request_of(pod: Map, resource: str, container: str | None) -> int:
    """What a Pod (or one container) requests, in thousandths. Raises MetricError when a container names nothing."""
    total = 0
    sidecars = [c for c in pod["spec"].get("initContainers") or () if c.get("restartPolicy") == "Always"]
    for one in (*pod["spec"]["containers"], *sidecars):
        if container is not None and one["name"] != container:
            continue
        asked = ((one.get("resources") or EMPTY).get("requests") or EMPTY).get(resource)
        if asked is None:
            raise MetricError(f"missing request for {resource} in container {one['name']} of Pod {pod['metadata']['name']}")
        total += quantity.milli(asked)
    return total


def _within(ratio: float) -> bool:
    return 1 - TOLERANCE <= ratio <= 1 + TOLERANCE


def replicas_for(current: int, groups: Groups, samples: dict[str, int], per_pod: Mapping[str, int],
                 target_percent: int) -> tuple[int, int]:
    """(wanted replicas, utilisation in percent). `per_pod`: what 100 % is for each Pod, in the samples' unit."""
    if not samples:
        raise MetricError("did not receive metrics for targeted pods (pods might be unready)")

    def ratio_of(values: Mapping[str, int]) -> tuple[float, int]:
        whole = sum(per_pod[name] for name in values if name in per_pod)
        if not whole:
            raise MetricError("no metrics returned matched known pods")
        percent = sum(values.values()) * 100 // whole
        return percent / target_percent, percent

    ratio, percent = ratio_of(samples)
    unready_matters = bool(groups.unready) and ratio > 1
    if not unready_matters and not groups.missing:
        return (current if _within(ratio) else ceil(ratio * groups.ready)), percent
    filled = dict(samples)
    for name in groups.missing:
        filled[name] = per_pod.get(name, 0) * max(100, target_percent) // 100 if ratio < 1 else 0
    if unready_matters:
        filled.update(dict.fromkeys(groups.unready, 0))
    again, _ = ratio_of(filled)
    if _within(again) or (ratio < 1 < again) or (again < 1 < ratio):
        return current, percent
    wanted = ceil(again * len(filled))
    if (again < 1 and wanted > current) or (again > 1 and wanted < current):
        return current, percent
    return wanted, percent


@dataclass(frozen=True)
class Rules:
    """One direction of spec.behavior: the window in which the best advice is remembered, and how fast size may change."""

    window_ms: int
    select: str  # Max, Min or Disabled
    policies: tuple[tuple[str, int, int], ...]  # (Pods or Percent, value, period ms)


# pkg/apis/autoscaling/v2/defaults.go: defaultHPAScaleUpRules, defaultHPAScaleDownRules
DEFAULT_UP = Rules(0, "Max", (("Pods", 4, 15_000), ("Percent", 100, 15_000)))
DEFAULT_DOWN = Rules(300_000, "Max", (("Percent", 100, 15_000),))


def rules(spec: Any, default: Rules) -> Rules:
    if not spec:
        return default
    policies = tuple((p["type"], p["value"], p["periodSeconds"] * 1000) for p in spec.get("policies") or ()) or default.policies
    window = spec.get("stabilizationWindowSeconds")
    return Rules(default.window_ms if window is None else window * 1000, spec.get("selectPolicy") or "Max", policies)


def limit_up(current: int, rule: Rules, events: Sequence[Sequence[int]], now: int) -> int:
    """calculateScaleUpLimitWithScalingRules. `events`: [ms, change] of past rescales."""
    if rule.select == "Disabled":
        return current
    found = []
    for kind, value, period in rule.policies:
        start = current - sum(change for at, change in events if change > 0 and at > now - period)
        found.append(start + value if kind == "Pods" else ceil(start * (1 + value / 100)))
    return max(found) if rule.select == "Max" else min(found)


def limit_down(current: int, rule: Rules, events: Sequence[Sequence[int]], now: int) -> int:
    if rule.select == "Disabled":
        return current
    found = []
    for kind, value, period in rule.policies:
        start = current - sum(change for at, change in events if change < 0 and at > now - period)
        found.append(start - value if kind == "Pods" else int(start * (1 - value / 100)))
    return min(found) if rule.select == "Max" else max(found)
