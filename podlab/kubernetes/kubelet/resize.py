"""In-place resize: new cpu and memory for a running Pod, through its resize subresource.

worker["actual"]: {container: the resources it runs with}. worker["resizing"]: the resize conditions to show.

Source: pkg/kubelet/allocation/allocation_manager.go, pkg/kubelet/kuberuntime/kuberuntime_manager.go (doPodResizeAction).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import quantity
from ..objects import EMPTY, Map, dig
from . import cri, starting
from .podspec import EPHEMERAL, INIT, Part, parts, request
from .state import Worker, newest, runs_now

if TYPE_CHECKING:
    from .kubelet import Kubelet


def consider(kubelet: Kubelet, worker: Worker, pod: Map) -> None:
    """Before a sync: take over what the spec now asks for, if the node has it."""
    wanted = [
        one
        for one in parts(pod)
        if one.kind not in (INIT, EPHEMERAL)
        and one.name in worker["actual"]
        and (one.spec.get("resources") or EMPTY) != worker["actual"][one.name]
    ]
    if not wanted:
        worker["resizing"] = {}
        return
    refusal = _no_room(kubelet, worker, pod)
    if refusal:
        worker["resizing"] = {"PodResizePending": ("True", *refusal)}
        return
    worker["resizing"] = {}
    for one in wanted:
        run = newest(worker, one.name)
        if run is None or not runs_now(kubelet, worker, one.name):
            continue
        if _needs_restart(one, worker["actual"][one.name]):
            worker["resize-restart"][one.name] = True
            continue
        kubelet.tell(worker, "kubelet-resized", container=one.name)
        cri.set_limits(kubelet.machine, run["id"], starting.limits(kubelet, one.spec))
        worker["actual"][one.name] = one.spec.get("resources") or EMPTY


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


def _no_room(kubelet: Kubelet, worker: Worker, pod: Map) -> tuple[str, str] | None:
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
            if other is not worker and other["mode"] != "terminated" and not other.get("rejected")
        )
        if used + want > capacity:
            return (
                "Deferred",
                f"Node didn't have enough resource: {name}, requested: {want // unit}, used: {used // unit}, "
                f"capacity: {capacity // unit}",
            )
    return None
