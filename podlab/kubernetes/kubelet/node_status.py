"""The Node object's status, as its kubelet keeps it: conditions, images, and what is allocatable of resources that others advertise.

Sources: pkg/kubelet/nodestatus/setters.go; NodeStatusUpdateFrequency (10 s) in pkg/kubelet/apis/config/v1beta1/defaults.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..apiserver.validation.resources import is_extended
from ..cause import Cause
from ..etcd import Change
from ..objects import EMPTY, Map, freeze
from ..times import rfc3339

if TYPE_CHECKING:
    from .agent import Agent

PERIOD_MS = 10_000  # NodeStatusUpdateFrequency
MAX_IMAGES = 50  # nodeStatusMaxImages
WORDS = {  # condition: (reason and message when False, reason and message when True)
    "MemoryPressure": (
        "KubeletHasSufficientMemory",
        "kubelet has sufficient memory available",
        "KubeletHasInsufficientMemory",
        "kubelet has insufficient memory available",
    ),
    "DiskPressure": (
        "KubeletHasNoDiskPressure",
        "kubelet has no disk pressure",
        "KubeletHasDiskPressure",
        "kubelet has disk pressure",
    ),
    "PIDPressure": (
        "KubeletHasSufficientPID",
        "kubelet has sufficient PID available",
        "KubeletHasInsufficientPID",
        "kubelet has insufficient PID available",
    ),
}
PRESSURE_EVENTS = {  # condition: (reason when False, reason when True)
    "MemoryPressure": ("NodeHasSufficientMemory", "NodeHasInsufficientMemory"),
    "DiskPressure": ("NodeHasNoDiskPressure", "NodeHasDiskPressure"),
    "PIDPressure": ("NodeHasSufficientPID", "NodeHasInsufficientPID"),
}


def changed(kubelet: Agent) -> None:
    """Something to report: it is written when the status is next computed, each 10 s."""
    if kubelet.state["node_timer"] is None:
        phase = kubelet.cluster.random.integer("kubelet-node-status", kubelet.node, below=PERIOD_MS)
        at = kubelet.now + 1 + (phase - kubelet.now - 1) % PERIOD_MS
        kubelet.state["node_timer"] = kubelet.after(at - kubelet.now, ["node-status", ""])


def on_node(kubelet: Agent, change: Change) -> None:
    """Somebody wrote the Node's capacity or cordoned it: what follows is seen to when the status is next computed."""
    status: Map = change.object.get("status") or EMPTY
    if change.type == "MODIFIED" and (allocatable(status) != status.get("allocatable") or _cordoned(change.object) != _known_cordoned(kubelet)):
        changed(kubelet)


def _cordoned(node: Map) -> bool:
    return bool(node["spec"].get("unschedulable"))


def _known_cordoned(kubelet: Agent) -> bool:
    """lastNodeUnschedulable, which a kubelet that starts anew has as False."""
    return bool(kubelet.state.get("cordoned"))


def allocatable(status: Map) -> Map:
    """What the Node gives to Pods: its own resources as they are, extended ones as its capacity has them (setNodeStatusMachineInfo)."""
    given: Map = status.get("allocatable") or EMPTY
    wanted = {name: amount for name, amount in (status.get("capacity") or EMPTY).items() if is_extended(name)}
    if wanted == {name: amount for name, amount in given.items() if is_extended(name)}:
        return given
    merged: Map = freeze({**{name: amount for name, amount in given.items() if not is_extended(name)}, **wanted})
    return merged


def report(kubelet: Agent) -> None:
    """Write the Node's status where it differs."""
    kubelet.cancel(kubelet.state["node_timer"])
    kubelet.state["node_timer"] = None
    write(kubelet, "True", "KubeletReady", "kubelet is posting ready status")


def write(kubelet: Agent, ready: str, reason: str, message: str, *, pressures: bool = True, boot: str = "") -> None:
    """Conditions and images; `boot`: a new boot id. `pressures` False leaves the pressure conditions as the store has them."""
    node = kubelet.client.find("nodes", kubelet.node)
    if node is None:
        return
    old: Map = node.get("status") or EMPTY
    wanted: dict[str, tuple[str, str, str]] = {"Ready": (ready, reason, message)}
    if pressures:
        for kind, words in WORDS.items():
            pressed = kind in kubelet.state["pressure"]
            wanted[kind] = ("True", words[2], words[3]) if pressed else ("False", words[0], words[1])
    now, conditions = rfc3339(kubelet.now), []
    for condition in old.get("conditions") or ():
        new = wanted.get(condition["type"])
        if new is None or (condition["status"], condition.get("reason"), condition.get("message")) == new:
            conditions.append(condition)
            continue
        moved = now if condition["status"] != new[0] else condition["lastTransitionTime"]
        if condition["status"] != new[0]:
            _event(kubelet, node, condition["type"], new)
        conditions.append(
            {
                **condition,
                "status": new[0],
                "reason": new[1],
                "message": new[2],
                "lastHeartbeatTime": now,
                "lastTransitionTime": moved,
            }
        )
    status = {**old, "conditions": conditions, "images": image_list(kubelet)}
    if "allocatable" in old:
        status["allocatable"] = allocatable(old)
    if boot:
        status["nodeInfo"] = {**old["nodeInfo"], "bootID": boot}
    kubelet.client.update(
        "nodes",
        {"metadata": {"name": kubelet.node}, "status": status},
        subresource="status",
        cause=Cause("kubelet-node-status", {"ready": ready, "pressure": sorted(kubelet.state["pressure"])}),
    )
    if _cordoned(node) != _known_cordoned(kubelet):  # recordNodeSchedulableEvent, the last of the status's setters
        kubelet.state["cordoned"] = _cordoned(node)
        _told(kubelet, node, "NodeNotSchedulable" if _cordoned(node) else "NodeSchedulable")


def booted(kubelet: Agent) -> None:
    """The machine has started anew: another boot id, and events that say so. A kubelet tells of its resources when it registers itself, and
    once more where the Node's conditions said otherwise."""
    node = kubelet.client.find("nodes", kubelet.node)
    if node is None:
        return
    boot = kubelet.cluster.random.uid("boot", kubelet.node, kubelet.now)
    _record(kubelet, node, "Normal", "Starting", "Starting kubelet.")
    _record(kubelet, node, "Normal", "NodeAllocatableEnforced", "Updated Node Allocatable limit across pods")
    for kind in WORDS:
        _told(kubelet, node, PRESSURE_EVENTS[kind][kind in kubelet.state["pressure"]])
    kubelet.state["cordoned"] = False
    _record(kubelet, node, "Warning", "Rebooted", f"Node {kubelet.node} has been rebooted, boot id: {boot}")
    write(kubelet, "True", "KubeletReady", "kubelet is posting ready status", boot=boot)


def tell(kubelet: Agent, kind: str, reason: str, message: str) -> None:
    """An event about the Node."""
    node = kubelet.client.find("nodes", kubelet.node)
    if node is not None:
        _record(kubelet, node, kind, reason, message)


def _record(kubelet: Agent, node: Map, kind: str, reason: str, message: str) -> None:
    """Kubelets name their Node by its name in place of a uid (nodeRef)."""
    about: Map = freeze({**node, "metadata": {**node["metadata"], "uid": kubelet.node}})
    kubelet.client.event(about, kind, reason, message)


def _event(kubelet: Agent, node: Map, kind: str, new: tuple[str, str, str]) -> None:
    met = new[0] == "True"
    _told(kubelet, node, ("NodeNotReady", "NodeReady")[met] if kind == "Ready" else PRESSURE_EVENTS[kind][met])


def _told(kubelet: Agent, node: Map, reason: str) -> None:
    """recordNodeStatusEvent."""
    _record(kubelet, node, "Normal", reason, f"Node {kubelet.node} status is now: {reason}")


def image_list(kubelet: Agent) -> list[dict[str, Any]]:
    """status.images: the biggest first."""
    held = sorted(kubelet.state["images"].items(), key=lambda item: (-item[1]["size"], item[0]))
    return [{"names": [image["id"], name], "sizeBytes": image["size"]} for name, image in held[:MAX_IMAGES]]
