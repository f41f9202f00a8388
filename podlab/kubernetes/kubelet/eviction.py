"""Eviction: when the node runs out of memory or disk, Pods that use more than they asked for go first.

Sources: pkg/kubelet/eviction/eviction_manager.go (synchronize, evictPod), helpers.go (rankMemoryPressure, evictionMessage),
defaults_linux.go (DefaultEvictionHard).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import quantity
from ..objects import EMPTY, Map
from . import ending, images, node_status, pressure, report, status
from .admission import CRITICAL
from .podspec import request
from .state import Worker

if TYPE_CHECKING:
    from .agent import Agent

TRANSITION_MS = 300_000  # EvictionPressureTransitionPeriod
GRACE_SECONDS = 1  # immediateEvictionGracePeriodSeconds
MEASURE_MS = 10_000  # stats_collect_period of containerd: how much a container has written is not known before
VOLUMES_MS = 60_000  # VolumeStatsAggPeriod: new Pods are looked for that often, and a Pod's volumes measured each one to two of it


RESOURCES = {"memory": "memory", "disk": "ephemeral-storage"}


def pass_(kubelet: Agent) -> None:
    """synchronize: set conditions, evict whoever is over a limit of its own, else at most one Pod of a node that is short of something."""
    kubelet.state["evict_timer"] = None
    met, changed = kubelet.state["pressure"], False
    short = [kind for kind in ("memory", "disk") if pressure.available(kubelet, kind) < pressure.threshold(kubelet, kind)]
    for kind, condition in (("memory", "MemoryPressure"), ("disk", "DiskPressure")):
        if kind in short:
            changed = changed or condition not in met
            met[condition] = kubelet.now
        elif condition in met and kubelet.now - met[condition] >= TRANSITION_MS:
            del met[condition]
            changed = True
    if changed:
        node_status.report(kubelet)
    limited, evicted = _over_limits(kubelet)
    if short and not evicted:
        resource = RESOURCES[short[0]]
        node_status.tell(kubelet, "Warning", "EvictionThresholdMet", f"Attempting to reclaim {resource}")
        if short[0] == "disk":
            images.delete_unused(kubelet)
        _evict_one(kubelet, short[0])
    if met or kubelet.state["fill"] or limited:
        pressure.watch(kubelet)


def _evict_one(kubelet: Agent, kind: str) -> None:
    """Those that use more than they asked for, then lower priority, then the larger excess."""
    resource = RESOURCES[kind]
    ranked = []
    for worker in kubelet.state["pods"].values():
        pod = kubelet.pod(worker)
        if worker["mode"] != "run" or worker["phase"] in status.TERMINAL or int(pod["spec"].get("priority") or 0) >= CRITICAL:
            continue
        excess = pressure.used(kubelet, worker, kind) - request(pod["spec"], resource) // 1000
        ranked.append((excess <= 0, int(pod["spec"].get("priority") or 0), -excess, worker["uid"], worker))
    if ranked:
        worker = min(ranked, key=lambda entry: entry[:4])[4]
        evict(kubelet, worker, _message(kubelet, worker, kubelet.pod(worker), kind, resource))


def _message(kubelet: Agent, worker: Worker, pod: Map, kind: str, resource: str) -> str:
    limit = "100Mi" if kind == "memory" else quantity.format_binary(pressure.threshold(kubelet, kind))
    left = pressure.available(kubelet, kind)
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


def evict(kubelet: Agent, worker: Worker, message: str) -> None:
    """evictPod: the Pod fails, with a grace period of one second."""
    kubelet.tell(worker, "kubelet-evicted", message=message)
    kubelet.record(worker, "Warning", "Evicted", message)
    worker["failed"] = ["Evicted", message]
    worker["disrupted"] = ["TerminationByKubelet", message]
    ending.terminate(kubelet, worker, GRACE_SECONDS)


def _over_limits(kubelet: Agent) -> tuple[bool, bool]:
    """localStorageEviction: evicts Pods that use more disk than their limits. Returns whether there is any with a limit, and whether one went."""
    limited = evicted = False
    for worker in list(kubelet.state["pods"].values()):
        pod = kubelet.pod(worker)
        if worker["mode"] != "run" or not worker["sandbox"] or worker["phase"] in status.TERMINAL or not pressure.has_limits(pod):
            continue
        limited = True
        if kubelet.now - worker["sandbox"]["at"] < MEASURE_MS:
            continue
        if message := _excess(kubelet, worker, pod["spec"]):
            evict(kubelet, worker, message)
            evicted = True
    return limited, evicted


def _measured(kubelet: Agent, worker: Worker) -> dict[str, int]:
    """{emptyDir: bytes} as last measured: the kubelet walks through a Pod's volumes rarely, and knows nothing of them before
    (pkg/kubelet/server/stats/fs_resource_analyzer.go, volume_stat_calculator.go). worker["measured"]: {"due": ms, "bytes"}."""
    random, uid = kubelet.cluster.random, worker["uid"]
    if "measured" not in worker:
        worker["measured"] = {"due": worker["sandbox"]["at"] + VOLUMES_MS // 2, "bytes": {}}  # half a period on the average
    seen: dict[str, Any] = worker["measured"]
    if kubelet.now >= seen["due"]:
        volumes = kubelet.machine.state["sandboxes"][uid]["volumes"]
        names = [name for name, volume in volumes.items() if volume["kind"] == "emptyDir"]
        seen["bytes"] = {name: kubelet.machine.volume_usage(uid, name)["bytes"] for name in names}
        seen["due"] = kubelet.now + VOLUMES_MS + random.integer("kubelet-volumes", uid, kubelet.now, below=VOLUMES_MS)
    found: dict[str, int] = seen["bytes"]
    return found


def _excess(kubelet: Agent, worker: Worker, spec: Map) -> str:
    """emptyDirLimitEviction, podEphemeralStorageLimitEviction, containerEphemeralStorageLimitEviction, in that order."""
    measured = _measured(kubelet, worker)
    for volume in spec.get("volumes") or ():
        limit = (volume.get("emptyDir") or EMPTY).get("sizeLimit")
        if limit and measured.get(volume["name"], 0) > quantity.value(limit):
            return f'Usage of EmptyDir volume "{volume["name"]}" exceeds the limit "{limit}". '
    limits = pressure.disk_limits(spec)
    if not limits:
        return ""
    usage = report.usage(kubelet, worker["uid"])
    own = {name: int(one.get("fs_bytes", 0)) + int(one.get("log_bytes", 0)) for name, one in usage.items()}
    if sum(own.values()) + sum(measured.values()) > sum(limits.values()):
        return f"Pod ephemeral local storage usage exceeds the total limit of containers {quantity.format_binary(sum(limits.values()))}. "
    for name, limit in limits.items():
        if own.get(name, 0) > limit:
            return f'Container {name} exceeded its local ephemeral storage limit "{quantity.format_binary(limit)}". '
    return ""
