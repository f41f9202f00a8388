"""The conditions of a Pod that are its kubelet's (pkg/kubelet/status/generate.go). Pure functions of Pod, worker and time."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ..objects import EMPTY, List, Map, memo
from ..times import rfc3339
from . import restarts
from .podspec import APP, INIT, SIDECAR, apps, parts
from .state import Worker

OWNED = (
    "PodReadyToStartContainers",
    "Initialized",
    "Ready",
    "ContainersReady",
    "PodScheduled",
    "AllContainersRestarting",
    "PodResizePending",
    "PodResizeInProgress",
)


def _unready(pod: Map, statuses: dict[str, dict[str, Any]], new_phase: str) -> tuple[str, str, str]:
    """ContainersReady: (status, reason, message)."""
    if new_phase == "Succeeded":
        return "False", "PodCompleted", ""
    if new_phase == "Failed":
        return "False", "PodFailed", ""
    bad = [one.name for one in parts(pod) if one.kind in (SIDECAR, APP) and not statuses[one.name]["ready"]]
    if bad:
        return "False", "ContainersNotReady", f"containers with unready status: [{' '.join(bad)}]"
    return "True", "", ""


def _initialized(worker: Worker, pod: Map, statuses: dict[str, dict[str, Any]], new_phase: str) -> tuple[str, str, str]:
    if new_phase == "Succeeded":
        return "True", "PodCompleted", ""
    if any(worker["runs"].get(one.name) for one in apps(pod)):
        return "True", "", ""
    bad = [
        one.name
        for one in parts(pod)
        if (one.kind == INIT and not statuses[one.name]["ready"]) or (one.kind == SIDECAR and not statuses[one.name]["started"])
    ]
    if bad:
        return "False", "ContainersNotInitialized", f"containers with incomplete status: [{' '.join(bad)}]"
    return "True", "", ""


def _ready(pod: Map, ready: tuple[str, str, str], held: dict[str, Map]) -> tuple[str, str, str]:
    if ready[0] != "True":
        return ready
    missing = [
        gate["conditionType"]
        for gate in pod["spec"].get("readinessGates") or ()
        if held.get(gate["conditionType"], EMPTY).get("status") != "True"
    ]
    if missing:
        messages = [
            f'corresponding condition of pod readiness gate "{name}" does not exist.'
            if name not in held
            else f'the status of pod readiness gate "{name}" is not "True", but {held[name].get("status", "")}'
            for name in missing
        ]
        return "False", "ReadinessGatesNotReady", ", ".join(messages)
    return "True", "", ""


def of_pod(worker: Worker, pod: Map, statuses: dict[str, dict[str, Any]], new_phase: str, now: int) -> List:
    """In the kubelet's order: others' first, then its own. lastTransitionTime moves only when the status does."""
    held: dict[str, Map] = {one["type"]: one for one in (pod.get("status") or EMPTY).get("conditions") or ()}
    generation = pod["metadata"].get("generation")
    containers = _unready(pod, statuses, new_phase)
    wanted: list[tuple[str, tuple[str, str, str]]] = list(worker["resizing"].items())
    if worker.get("disrupted"):
        wanted.append(("DisruptionTarget", ("True", *worker["disrupted"])))
    sandbox = worker["sandbox"]
    wanted += [
        ("PodReadyToStartContainers", ("True" if sandbox and sandbox["ready"] else "False", "", "")),
        ("Initialized", _initialized(worker, pod, statuses, new_phase)),
        ("Ready", _ready(pod, containers, held)),
        ("ContainersReady", containers),
        ("PodScheduled", ("True", "", "")),
    ]
    if memo(pod["spec"], "kubelet-restarts-all", lambda _: any(restarts.has_restart_all(one) for one in parts(pod))):
        wanted.append(
            (
                "AllContainersRestarting",
                ("True", "RestartAllContainersStarted", "") if worker.get("restarting") else ("False", "", ""),
            )
        )
    names = [name for name, _ in wanted]
    found: list[Any] = [one for kind, one in held.items() if kind not in OWNED and kind not in names]
    for kind, (status, reason, message) in wanted:
        old = held.get(kind)
        if (
            old is not None
            and old["status"] == status
            and old.get("reason", "") == reason
            and old.get("message", "") == message
            and old.get("observedGeneration") == generation
        ):
            found.append(old)
            continue
        moved = old["lastTransitionTime"] if old is not None and old["status"] == status else rfc3339(now)
        found.append(_condition(kind, generation, status, moved, reason, message))
    return List(found)


@lru_cache(maxsize=1024)  # the Pods of a roll-out have the same ones
def _condition(kind: str, generation: int | None, status: str, moved: str, reason: str, message: str) -> Map:
    condition = {"type": kind, "observedGeneration": generation, "status": status, "lastProbeTime": None, "lastTransitionTime": moved}
    if generation is None:
        del condition["observedGeneration"]
    if reason:
        condition["reason"] = reason
    if message:
        condition["message"] = message
    return Map(condition)
