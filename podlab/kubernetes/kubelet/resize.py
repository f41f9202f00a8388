"""In-place resize: new cpu and memory for a running Pod, through its resize subresource.

worker["actual"]: {container: the resources it runs with}. worker["resizing"]: the resize conditions to show.

Source: pkg/kubelet/allocation/allocation_manager.go, pkg/kubelet/kuberuntime/kuberuntime_manager.go (doPodResizeAction).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .. import quantity
from ..objects import EMPTY, Map, dig
from . import cri, starting
from .podspec import EPHEMERAL, INIT, Part, parts, request
from .runs import runs_now
from .state import Worker, newest

if TYPE_CHECKING:
    from .agent import Agent


def consider(kubelet: Agent, worker: Worker, pod: Map) -> None:
    """Before a sync: take over what the spec now asks for, if the node has it."""
    wanted = [
        one
        for one in parts(pod)
        if one.kind not in (INIT, EPHEMERAL)
        and one.name in worker["actual"]
        and (one.spec.get("resources") or EMPTY) != worker["actual"][one.name]
    ]
    if not wanted:
        _completed(kubelet, worker, pod)
        return
    refusal = _no_room(kubelet, worker, pod)
    if refusal:
        pending = {"PodResizePending": ["True", *refusal]}
        if worker["resizing"] != pending:
            kubelet.record(worker, "Warning", f"Resize{refusal[0]}", _message(pod, f"Pod resize {refusal[0]}", refusal[1]))
        worker["resizing"] = pending
        return
    worker["resizing"] = {}
    generation = pod["metadata"].get("generation", 0)
    if worker.get("resize-started") != generation:
        worker["resize-started"] = generation
        kubelet.record(worker, "Normal", "ResizeStarted", _message(pod, "Pod resize started"))
    for one in wanted:
        run = newest(worker, one.name)
        if run is None or not runs_now(kubelet, worker, one.name):
            continue
        if _needs_restart(one, worker["actual"][one.name]):
            worker["resize-restart"][one.name] = True
            continue
        kubelet.tell(worker, "kubelet-resized", container=one.name)
        cri.set_limits(kubelet.machine, run["id"], starting.limits(one.spec, pod["spec"]))
        worker["actual"][one.name] = one.spec.get("resources") or EMPTY
    if all((one.spec.get("resources") or EMPTY) == worker["actual"][one.name] for one in wanted):
        _completed(kubelet, worker, pod)


def retry(kubelet: Agent) -> None:
    """A Pod has left or was resized: those whose resize waits for room try again (RetryPendingResizes)."""
    pending = [(worker, worker["resizing"].get("PodResizePending")) for worker in kubelet.state["pods"].values()]
    for worker, condition in pending:
        if condition and condition[1] == "Deferred":
            kubelet.wake(kubelet.pod(worker), kubelet.cluster.because, 0)


def _completed(kubelet: Agent, worker: Worker, pod: Map) -> None:
    """Nothing is left to change; `resize-started`: the generation of a resize that was under way."""
    worker["resizing"] = {}
    if worker.pop("resize-started", None) is not None:
        kubelet.record(worker, "Normal", "ResizeCompleted", _message(pod, "Pod resize completed"))
        retry(kubelet)


def _message(pod: Map, prefix: str, error: str = "") -> str:
    """podResizeMessage (pkg/kubelet/events): what the spec asks of each container, as JSON."""
    asked: dict[str, Any] = {
        member: [{"name": one["name"], "resources": _in_order(one.get("resources") or EMPTY)} for one in pod["spec"][member]]
        for member in ("initContainers", "containers")
        if pod["spec"].get(member)
    }
    asked["generation"] = pod["metadata"].get("generation", 0)
    if error:
        asked["error"] = error
    return f"{prefix}: {json.dumps(asked, separators=(',', ':'))}"


def _in_order(resources: Map) -> dict[str, Any]:
    """Limits before requests and quantities by name, as Go writes a ResourceRequirements."""
    return {member: dict(sorted(resources[member].items())) for member in ("limits", "requests") if resources.get(member)}


def _needs_restart(one: Part, old: Map) -> bool:
    """resizePolicy says RestartContainer for a resource that differs."""
    new = one.spec.get("resources") or EMPTY
    restart = {
        policy["resourceName"]
        for policy in one.spec.get("resizePolicy") or ()
        if policy.get("restartPolicy") == "RestartContainer"
    }
    return any(
        dig(new, f"{which}.{name}") != dig(old, f"{which}.{name}") for which in ("requests", "limits") for name in sorted(restart)
    )


def _no_room(kubelet: Agent, worker: Worker, pod: Map) -> tuple[str, str] | None:
    """(Infeasible or Deferred, message)."""
    node = kubelet.client.find("nodes", kubelet.node)
    allocatable = dig(node, "status.allocatable", EMPTY)
    for name in ("cpu", "memory"):
        want, capacity = request(pod["spec"], name), quantity.milli(allocatable.get(name))
        unit = 1 if name == "cpu" else 1000
        if want > capacity:
            return (
                "Infeasible",
                f"Node didn't have enough capacity: {name}, requested: {want // unit}, capacity: {capacity // unit}",
            )
        used = sum(
            request(kubelet.pod(other)["spec"], name)
            for other in kubelet.state["pods"].values()
            if other is not worker and other["mode"] != "terminated" and other["gone"] is None and not other.get("rejected")
        )
        if used + want > capacity:
            return (
                "Deferred",
                f"Node didn't have enough resource: {name}, requested: {want // unit}, used: {used // unit}, "
                f"capacity: {capacity // unit}",
            )
    return None
