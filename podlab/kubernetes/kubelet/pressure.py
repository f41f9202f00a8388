"""How short a node is of memory and disk, and when the eviction loop has to look (pkg/kubelet/eviction/helpers.go, defaults_linux.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import quantity
from ..objects import EMPTY, Map, memo
from . import report
from .state import Worker

if TYPE_CHECKING:
    from .agent import Agent

PERIOD_MS = 10_000  # evictionMonitoringPeriod
MEMORY_BYTES = 100 << 20  # memory.available < 100Mi
DISK_SHARE = 15  # imagefs.available < 15 %: images lie on the disk that Pods write to, whose own threshold is 10 %


def watch(kubelet: Agent) -> None:
    """Look at the next pass of the eviction loop. Called when a fault or the Pods fill the node, and while pressure lasts."""
    if kubelet.state["evict_timer"] is None:
        phase = kubelet.cluster.random.integer("kubelet-eviction", kubelet.node, below=PERIOD_MS)
        at = kubelet.now + 1 + (phase - kubelet.now - 1) % PERIOD_MS
        kubelet.state["evict_timer"] = kubelet.after(at - kubelet.now, ["evict", ""])


def notice(kubelet: Agent) -> None:
    """A program keeps more memory: the loop finds a node under pressure in its next pass. It need not run while nothing is short."""
    if kubelet.state["evict_timer"] is not None:
        return
    room = kubelet.capacity("memory") - int(kubelet.state["fill"].get("memory", 0)) - threshold(kubelet, "memory")
    if kubelet.machine.holds_more_than(room) and available(kubelet, "memory") < threshold(kubelet, "memory"):
        watch(kubelet)


def available(kubelet: Agent, kind: str) -> int:
    """Bytes left: what the machine has, less what Pods and a fault use."""
    filled = int(kubelet.state["fill"].get(kind, 0))
    taken = sum(used(kubelet, worker, kind) for worker in kubelet.state["pods"].values() if worker["mode"] != "terminated")
    return kubelet.capacity(kind) - filled - taken


def threshold(kubelet: Agent, kind: str) -> int:
    return MEMORY_BYTES if kind == "memory" else kubelet.capacity("disk") * DISK_SHARE // 100


def used(kubelet: Agent, worker: Worker, kind: str) -> int:
    member = "memory_bytes" if kind == "memory" else "fs_bytes"
    used = sum(int(one.get(member, 0)) for one in report.usage(kubelet, worker["uid"]).values())
    if kind == "disk" and worker["sandbox"] and worker["uid"] in kubelet.machine.state["sandboxes"]:
        volumes = kubelet.machine.state["sandboxes"][worker["uid"]]["volumes"]
        used += sum(
            kubelet.machine.volume_usage(worker["uid"], name)["bytes"]
            for name, volume in volumes.items()
            if volume["kind"] == "emptyDir"
        )
    return used


def has_limits(pod: Map) -> bool:
    """Whether a Pod has a volume or a container whose use of the disk the eviction loop has to measure."""
    return memo(pod["spec"], "kubelet-disk-limits", _has_limits)


def _has_limits(spec: Map) -> bool:
    return bool(disk_limits(spec)) or any((volume.get("emptyDir") or EMPTY).get("sizeLimit") for volume in spec.get("volumes") or ())


def disk_limits(spec: Map) -> dict[str, int]:
    """Bytes of ephemeral storage that each container may use, where it has a limit."""
    limits = {one["name"]: (one.get("resources") or EMPTY).get("limits") or EMPTY for one in spec["containers"]}
    return {name: quantity.value(held["ephemeral-storage"]) for name, held in limits.items() if "ephemeral-storage" in held}
