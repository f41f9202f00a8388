"""What a kubelet refuses to run although it was bound to its node.

Sources: pkg/kubelet/lifecycle/predicate.go (InsufficientResourceError, generalFilter), pkg/kubelet/kubelet.go (rejectPod),
pkg/kubelet/eviction/eviction_manager.go (Admit).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import quantity
from ..cause import Cause
from ..objects import EMPTY, Map, dig
from . import status
from .podspec import allocated_spec, pod_resources, request
from .state import Worker

if TYPE_CHECKING:
    from .agent import Agent

CRITICAL = 2_000_000_000  # SystemCriticalPriority
# pkg/kubelet/sysctl/safe_sysctls.go, on a kernel that has them all
SAFE_SYSCTLS = frozenset(
    {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.tcp_wmem",
    }
)

OWN = ("cpu", "memory", "ephemeral-storage")
ANY_ADDRESS = "0.0.0.0"

def refuse(kubelet: Agent, pod: Map) -> tuple[str, str] | None:
    """(reason, message) where the Pod may not run here, else None."""
    node = kubelet.client.find("nodes", kubelet.node)
    if node is None:
        return None
    if pressure := _pressure(kubelet, pod):
        return pressure
    allocatable, ports = dig(node, "status.allocatable", EMPTY), _ports(pod)
    room = int(allocatable.get("pods", 110))
    # of hundreds each would look at all others, where nothing is asked for that they could have taken
    full = len(kubelet.state["pods"]) > room
    others = _others(kubelet, pod) if full or ports or pod_resources(pod["spec"])[0] else []
    if full and len(others) + 1 > room:
        return (
            "OutOfpods",
            f"Node didn't have enough resource: pods, requested: 1, used: {len(others)}, capacity: {allocatable.get('pods')}",
        )
    system = dig(node, "status.nodeInfo.operatingSystem", "linux")
    if (pod["spec"].get("os") or EMPTY).get("name", system) != system:
        return "PodOSNotSupported", "Failed to admit pod as the OS field doesn't match node OS"
    for name in (*OWN, *_scalars(pod["spec"], allocatable)):
        wanted = request(pod["spec"], name)
        if not wanted:
            continue
        used = sum(request(allocated_spec(held, kubelet.pod(held)["spec"]), name) for held in others)
        capacity = quantity.milli(allocatable.get(name))
        if used + wanted > capacity:
            unit = 1 if name == "cpu" else 1000
            return f"OutOf{name}", (
                f"Node didn't have enough resource: {name}, requested: {wanted // unit}, used: {used // unit}, "
                f"capacity: {capacity // unit}"
            )
    if forbidden := _forbidden_sysctl(pod["spec"]):
        return "SysctlForbidden", f"forbidden sysctl: {forbidden}"
    labels = node["metadata"].get("labels") or EMPTY
    if any(labels.get(key) != value for key, value in (pod["spec"].get("nodeSelector") or EMPTY).items()):
        return "NodeAffinity", "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"
    if ports and any(_clash(mine, taken) for held in others for taken in _ports(kubelet.pod(held)) for mine in ports):
        return "NodePorts", "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports"
    return None


def _others(kubelet: Agent, pod: Map) -> list[Worker]:
    """The Pods that have a place on the node already."""
    uid = pod["metadata"]["uid"]
    return [
        held
        for held in kubelet.state["pods"].values()
        if held["mode"] != "terminated"
        and held["gone"] is None  # the API server knows it no more: its place is given anew while its containers still end (GetActivePods)
        and held["phase"] not in status.TERMINAL
        and held["uid"] != uid
        and not held.get("rejected")
    ]


def _scalars(spec: Map, allocatable: Map) -> list[str]:
    """Other resources that a Pod asks for: huge pages, and what the node knows of the rest (removeMissingExtendedResources)."""
    asked = pod_resources(spec)[0] or EMPTY
    return [name for name in asked if name not in OWN and (name in allocatable or name.startswith("hugepages-"))]


def _forbidden_sysctl(spec: Map) -> str:
    """Why one of the Pod's kernel parameters may not be set; "" where all are safe (pkg/kubelet/sysctl/allowlist.go)."""
    for wanted in (spec.get("securityContext") or EMPTY).get("sysctls") or ():
        name = wanted["name"].replace("/", ".")
        if name not in SAFE_SYSCTLS:
            return f'"{wanted["name"]}" not allowlisted'
        if name.startswith("net.") and spec.get("hostNetwork"):
            return f'"{wanted["name"]}" not allowed with host net enabled'
        if name.startswith("kernel.") and spec.get("hostIPC"):
            return f'"{wanted["name"]}" not allowed with host ipc enabled'
    return ""


def _ports(pod: Map) -> set[tuple[str, str, int]]:
    """(address, protocol, port) of the node that the Pod wants."""
    return {
        (port.get("hostIP") or ANY_ADDRESS, port.get("protocol", "TCP"), port["hostPort"])
        for one in pod["spec"]["containers"]
        for port in one.get("ports") or ()
        if port.get("hostPort")
    }


def _clash(one: tuple[str, str, int], other: tuple[str, str, int]) -> bool:
    """Whether two cannot be had at once: the same port, on the same address or on all of them (HostPortInfo.CheckConflict)."""
    return one[1:] == other[1:] and (one[0] == other[0] or ANY_ADDRESS in (one[0], other[0]))


def _pressure(kubelet: Agent, pod: Map) -> tuple[str, str] | None:
    held = [name for name in ("MemoryPressure", "DiskPressure", "PIDPressure") if name in kubelet.state["pressure"]]
    if not held or int(pod["spec"].get("priority") or 0) >= CRITICAL:
        return None
    if held == ["MemoryPressure"]:
        tolerated = any(
            one.get("key") in (None, "", "node.kubernetes.io/memory-pressure")
            for one in pod["spec"].get("tolerations") or ()
            if one.get("operator") == "Exists" or one.get("key")
        )
        if (pod.get("status") or EMPTY).get("qosClass") != "BestEffort" or tolerated:
            return None
    return "Evicted", f"The node had condition: [{' '.join(held)}]. "


def reject(kubelet: Agent, worker: Worker, pod: Map, reason: str, message: str) -> None:
    """rejectPod: the Pod fails at once and for good."""
    worker.update(
        rejected=True, mode="terminated", phase="Failed", finished=True, failed=[reason, f"Pod was rejected: {message}"]
    )
    kubelet.tell(worker, "kubelet-rejected", reason=reason, message=message)
    kubelet.record(worker, "Warning", reason, message)
    kubelet.put_status(pod, status.rejection(pod, reason, message, kubelet.now), Cause("kubelet-rejected", {"reason": reason}))
