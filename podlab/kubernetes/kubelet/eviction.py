"""Eviction: when the node runs out of memory or disk, Pods that use more than they asked for go first.

Sources: pkg/kubelet/eviction/eviction_manager.go (synchronize, evictPod), helpers.go (rankMemoryPressure, evictionMessage),
defaults_linux.go (DefaultEvictionHard).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import quantity
from ..objects import EMPTY, Map, memo
from . import node_status, report, status
from . import worker as pod_worker
from .admission import CRITICAL
from .podspec import request
from .state import Worker

if TYPE_CHECKING:
    from .kubelet import Kubelet

PERIOD_MS = 10_000  # evictionMonitoringPeriod
TRANSITION_MS = 300_000  # EvictionPressureTransitionPeriod
GRACE_SECONDS = 1  # immediateEvictionGracePeriodSeconds
MEMORY_BYTES = 100 << 20  # memory.available < 100Mi
DISK_SHARE = 10  # nodefs.available < 10 %
MEBI = 1 << 20


def watch(kubelet: Kubelet) -> None:
    """Look at the next pass of the eviction loop. Called when a fault or the Pods fill the node, and while pressure lasts."""
    if kubelet.state["evict_timer"] is None:
        phase = kubelet.cluster.random.integer("kubelet-eviction", kubelet.node, below=PERIOD_MS)
        at = kubelet.now + 1 + (phase - kubelet.now - 1) % PERIOD_MS
        kubelet.state["evict_timer"] = kubelet.after(at - kubelet.now, ["evict", ""])


def notice(kubelet: Kubelet) -> None:
    """A program keeps more memory: the loop finds a node under pressure in its next pass. It need not run while nothing is short."""
    least = kubelet.capacity("memory") - int(kubelet.state["fill"].get("memory", 0)) - kubelet.machine.memory_held()
    if kubelet.state["evict_timer"] is None and least < threshold(kubelet, "memory") and available(kubelet, "memory") < threshold(kubelet, "memory"):
        watch(kubelet)


def pass_(kubelet: Kubelet) -> None:
    """synchronize: set conditions, evict at most one Pod."""
    kubelet.state["evict_timer"] = None
    pressure, changed = kubelet.state["pressure"], False
    short = [kind for kind in ("memory", "disk") if available(kubelet, kind) < threshold(kubelet, kind)]
    for kind, condition in (("memory", "MemoryPressure"), ("disk", "DiskPressure")):
        if kind in short:
            changed = changed or condition not in pressure
            pressure[condition] = kubelet.now
        elif condition in pressure and kubelet.now - pressure[condition] >= TRANSITION_MS:
            del pressure[condition]
            changed = True
    if changed:
        node_status.report(kubelet)
    if short:
        _evict_one(kubelet, short[0])
    limited = _over_limits(kubelet)
    if pressure or kubelet.state["fill"] or limited:
        watch(kubelet)


def available(kubelet: Kubelet, kind: str) -> int:
    """Bytes left: what the machine has, less what Pods and a fault use."""
    filled = int(kubelet.state["fill"].get(kind, 0))
    used = sum(_used(kubelet, worker, kind) for worker in kubelet.state["pods"].values() if worker["mode"] != "terminated")
    return kubelet.capacity(kind) - filled - used


def threshold(kubelet: Kubelet, kind: str) -> int:
    return MEMORY_BYTES if kind == "memory" else kubelet.capacity("disk") * DISK_SHARE // 100


def _used(kubelet: Kubelet, worker: Worker, kind: str) -> int:
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


def _evict_one(kubelet: Kubelet, kind: str) -> None:
    """Those that use more than they asked for, then lower priority, then the larger excess."""
    resource = "memory" if kind == "memory" else "ephemeral-storage"
    ranked = []
    for worker in kubelet.state["pods"].values():
        pod = kubelet.pod(worker)
        if worker["mode"] != "run" or worker["phase"] in status.TERMINAL or int(pod["spec"].get("priority") or 0) >= CRITICAL:
            continue
        excess = _used(kubelet, worker, kind) - request(pod["spec"], resource) // 1000
        ranked.append((excess <= 0, int(pod["spec"].get("priority") or 0), -excess, worker["uid"], worker))
    if ranked:
        worker = min(ranked, key=lambda entry: entry[:4])[4]
        evict(kubelet, worker, _message(kubelet, worker, kubelet.pod(worker), kind, resource))


def _message(kubelet: Kubelet, worker: Worker, pod: Map, kind: str, resource: str) -> str:
    limit = "100Mi" if kind == "memory" else quantity.format_binary(threshold(kubelet, kind))
    left = available(kubelet, kind)
    text = f"The node was low on resource: {resource}. Threshold quantity: {limit}, available: {max(left, 0) // 1024}Ki. "
    usage = report.usage(kubelet, worker["uid"])
    for one in pod["spec"]["containers"]:
        asked = ((one.get("resources") or EMPTY).get("requests") or EMPTY).get(resource, "0")
        used = int((usage.get(one["name"]) or {}).get("memory_bytes" if kind == "memory" else "fs_bytes", 0))
        if used > quantity.value(asked):
            text += (
                f"Container {one['name']} was using {used // 1024}Ki, request is {asked}, has larger consumption of {resource}. "
            )
    return text


def evict(kubelet: Kubelet, worker: Worker, message: str) -> None:
    """evictPod: the Pod fails, with a grace period of one second."""
    kubelet.tell(worker, "kubelet-evicted", message=message)
    kubelet.record(worker, "Warning", "Evicted", message)
    worker["failed"] = ["Evicted", message]
    worker["disrupted"] = ["TerminationByKubelet", message]
    pod_worker.terminate(kubelet, worker, GRACE_SECONDS)


def has_limits(pod: Map) -> bool:
    """Whether a Pod has a volume or a container whose use of the disk the eviction loop has to measure."""
    return memo(pod["spec"], "kubelet-disk-limits", _has_limits)


def _has_limits(spec: Map) -> bool:
    return bool(_disk_limits(spec)) or any((volume.get("emptyDir") or EMPTY).get("sizeLimit") for volume in spec.get("volumes") or ())


def _disk_limits(spec: Map) -> dict[str, int]:
    """Bytes of ephemeral storage that each container may use, where it has a limit."""
    limits = {one["name"]: (one.get("resources") or EMPTY).get("limits") or EMPTY for one in spec["containers"]}
    return {name: quantity.value(held["ephemeral-storage"]) for name, held in limits.items() if "ephemeral-storage" in held}


def _over_limits(kubelet: Kubelet) -> bool:
    """localStorageEviction: evicts Pods that use more disk than their limits. Returns whether there is any with a limit."""
    limited = False
    for worker in list(kubelet.state["pods"].values()):
        pod = kubelet.pod(worker)
        if worker["mode"] != "run" or not worker["sandbox"] or worker["phase"] in status.TERMINAL or not has_limits(pod):
            continue
        limited = True
        if message := _excess(kubelet, worker, pod["spec"]):
            evict(kubelet, worker, message)
    return limited


def _excess(kubelet: Kubelet, worker: Worker, spec: Map) -> str:
    """emptyDirLimitEviction, podEphemeralStorageLimitEviction, containerEphemeralStorageLimitEviction, in that order."""
    for volume in spec.get("volumes") or ():
        limit = (volume.get("emptyDir") or EMPTY).get("sizeLimit")
        if limit and kubelet.machine.volume_usage(worker["uid"], volume["name"])["bytes"] > quantity.value(limit):
            return f'Usage of EmptyDir volume "{volume["name"]}" exceeds the limit "{limit}". '
    limits = _disk_limits(spec)
    if not limits:
        return ""
    usage = report.usage(kubelet, worker["uid"])
    own = {name: int(one.get("fs_bytes", 0)) + int(one.get("log_bytes", 0)) for name, one in usage.items()}
    shared = _used(kubelet, worker, "disk") - sum(int(one.get("fs_bytes", 0)) for one in usage.values())
    if sum(own.values()) + shared > sum(limits.values()):
        return f"Pod ephemeral local storage usage exceeds the total limit of containers {quantity.format_binary(sum(limits.values()))}. "
    for name, limit in limits.items():
        if own.get(name, 0) > limit:
            return f'Container {name} exceeded its local ephemeral storage limit "{quantity.format_binary(limit)}". '
    return ""
