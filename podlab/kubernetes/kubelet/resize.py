"""In-place resize: new cpu and memory for a running Pod, through its resize subresource.

worker["actual"]: {container: the resources it runs with}, and under POD those of the Pod as a whole, where it has any.
worker["resizing"]: the resize conditions to show. worker["allocated"], while there are any: {container, POD: the resources that the node has
given it}, with which it starts anew whatever its spec asks for since. A container without a limit of its own has the Pod's: when that
changes, it is resized as if its own had.

Source: pkg/kubelet/allocation/allocation_manager.go, pkg/kubelet/kuberuntime/kuberuntime_manager.go (doPodResizeAction); KEP-5419.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .. import quantity
from ..objects import EMPTY, Map, dig
from . import cri, starting
from .podspec import EPHEMERAL, INIT, POD, Part, allocated_spec, parts, request
from .runs import runs_now
from .state import Worker

if TYPE_CHECKING:
    from .agent import Agent


def consider(kubelet: Agent, worker: Worker, pod: Map) -> None:
    """Before a sync: take over what the spec now asks for, if the node has it."""
    whole = _whole(worker, pod)
    wanted = _differing(kubelet, worker, pod, whole)
    if not wanted and whole is None:
        _completed(kubelet, worker, pod)
        return
    refusal = _no_room(kubelet, worker, pod)
    if refusal:
        pending = {"PodResizePending": ["True", *refusal]}
        if worker["resizing"] != pending:
            kubelet.record(worker, "Warning", f"Resize{refusal[0]}", _message(pod, f"Pod resize {refusal[0]}", refusal[1]))
        worker["resizing"] = pending
        worker.setdefault("allocated", dict(worker["actual"]))
        if worker["allocated"] == worker["actual"]:  # the resize before this one is done
            _tell_completed(kubelet, worker, Map({**pod, "spec": allocated_spec(worker, pod["spec"])}))
        return
    idle = [one for one in wanted if not runs_now(kubelet, worker, one.name)]
    for one in idle:  # has its new size when it starts (isPodResizeInProgress)
        worker["actual"][one.name] = one.spec.get("resources") or EMPTY
    if len(idle) == len(wanted) and whole is None:
        _completed(kubelet, worker, pod)
        return
    worker["resizing"] = {"PodResizeInProgress": ["True", "", ""]}
    worker["allocated"] = worker["actual"] | {one.name: one.spec.get("resources") or EMPTY for one in wanted}
    if whole is not None:
        worker["allocated"][POD] = whole
    generation = pod["metadata"].get("generation", 0)
    if worker.get("resize-started") != generation:
        worker["resize-started"] = generation
        kubelet.record(worker, "Normal", "ResizeStarted", _message(pod, "Pod resize started"))


def _differing(kubelet: Agent, worker: Worker, pod: Map, whole: Map | None) -> list[Part]:
    """Containers that run with other resources than their spec's, or within other limits of the Pod's; an init container that has ended
    stays as it was."""
    actual, restarting = worker["actual"], worker["resize-restart"]
    return [
        one
        for one in parts(pod)
        if one.kind != EPHEMERAL
        and one.name in actual
        and (
            (one.spec.get("resources") or EMPTY) != actual[one.name]
            or one.name in restarting
            or (whole is not None and bool(_inherited(one, actual[POD], whole)))
        )
        and (one.kind != INIT or runs_now(kubelet, worker, one.name))
    ]


def _whole(worker: Worker, pod: Map) -> Map | None:
    """The resources that the spec asks for the Pod as a whole, where it runs with others."""
    held = worker["actual"].get(POD)
    wanted: Map = pod["spec"].get("resources") or EMPTY
    return None if held is None or held == wanted else wanted


def _inherited(one: Part, old: Map, new: Map) -> list[str]:
    """Of what a container has no limit of its own, while the Pod's changes."""
    own = dig(one.spec, "resources.limits", EMPTY)
    return [name for name in ("cpu", "memory") if name not in own and dig(old, f"limits.{name}") != dig(new, f"limits.{name}")]


def actuate(kubelet: Agent, worker: Worker, pod: Map) -> None:
    """doPodResizeAction, once the status has told of it: the sync after this one finds the resize done, or a container that has to start anew."""
    if "PodResizeInProgress" not in worker["resizing"]:
        return
    whole = _whole(worker, pod)
    for one in _differing(kubelet, worker, pod, whole):
        inherited = _inherited(one, worker["actual"][POD], whole) if whole is not None else []
        if one.name in worker["resize-restart"] or _needs_restart(one, worker["actual"][one.name], inherited):
            worker["resize-restart"][one.name] = True
            continue
        kubelet.tell(worker, "kubelet-resized", container=one.name)
        cri.set_limits(kubelet.machine, worker["runs"][one.name][-1]["id"], starting.limits(one.spec, pod["spec"]))
        worker["actual"][one.name] = one.spec.get("resources") or EMPTY
        worker["did"] = True
    if whole is not None:
        worker["actual"][POD] = whole
        worker["did"] = True


def retry(kubelet: Agent) -> None:
    """A Pod has left or was resized: those whose resize waits for room try again (RetryPendingResizes)."""
    pending = [(worker, worker["resizing"].get("PodResizePending")) for worker in kubelet.state["pods"].values()]
    for worker, condition in pending:
        if condition and condition[1] == "Deferred":
            kubelet.wake(kubelet.pod(worker), kubelet.cluster.because, 0)


def _completed(kubelet: Agent, worker: Worker, pod: Map) -> None:
    """Nothing is left to change."""
    worker["resizing"] = {}
    worker.pop("allocated", None)
    _tell_completed(kubelet, worker, pod)


def _tell_completed(kubelet: Agent, worker: Worker, pod: Map) -> None:
    """`resize-started`: the generation of the resize that was under way."""
    generation = worker.pop("resize-started", None)
    if generation is not None:
        kubelet.record(worker, "Normal", "ResizeCompleted", _message(pod, "Pod resize completed", generation=generation))
        retry(kubelet)


def _message(pod: Map, prefix: str, error: str = "", generation: int | None = None) -> str:
    """podResizeMessage (pkg/kubelet/events): what the spec asks of each container, as JSON."""
    asked: dict[str, Any] = {
        member: [{"name": one["name"], "resources": _in_order(one.get("resources") or EMPTY)} for one in pod["spec"][member]]
        for member in ("initContainers", "containers")
        if pod["spec"].get(member)
    }
    asked["generation"] = pod["metadata"].get("generation", 0) if generation is None else generation
    if error:
        asked["error"] = error
    return f"{prefix}: {json.dumps(asked, separators=(',', ':'))}"


def _in_order(resources: Map) -> dict[str, Any]:
    """Limits before requests and quantities by name, as Go writes a ResourceRequirements."""
    return {member: dict(sorted(resources[member].items())) for member in ("limits", "requests") if resources.get(member)}


def _needs_restart(one: Part, old: Map, inherited: list[str]) -> bool:
    """resizePolicy says RestartContainer for a resource that differs, or whose limit is the Pod's and does."""
    new = one.spec.get("resources") or EMPTY
    restart = {
        policy["resourceName"]
        for policy in one.spec.get("resizePolicy") or ()
        if policy.get("restartPolicy") == "RestartContainer"
    }
    return not restart.isdisjoint(inherited) or any(
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
            request(allocated_spec(other, kubelet.pod(other)["spec"]), name)
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
