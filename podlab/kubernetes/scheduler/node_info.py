"""What the scheduler knows of a node: allocatable, and the running sums of what its Pods ask for.

Adding or removing a Pod costs its containers, never the node's Pods (framework.NodeInfo in pkg/scheduler/framework/types.go).
"""

from __future__ import annotations

from typing import NamedTuple

from ..objects import EMPTY, Map, memo
from ..quantity import milli, value

DEFAULT_MILLI_CPU = 100  # DefaultMilliCPURequest, pkg/scheduler/util/pod_resources.go
DEFAULT_MEMORY = 200 * 1024 * 1024  # DefaultMemoryRequest
WILDCARD_IP = "0.0.0.0"  # DefaultBindAllHostIP

Scalars = tuple[tuple[str, int], ...]


class Requests(NamedTuple):
    """What a Pod asks for: millicores, bytes, and pieces of everything else; `scoring_*` count 100m and 200 MiB for silence."""

    cpu: int
    memory: int
    storage: int
    scalars: Scalars
    scoring_cpu: int
    scoring_memory: int


class HostPort(NamedTuple):
    ip: str
    protocol: str
    port: int


def pod_key(pod: Map) -> str:
    metadata = pod["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}"


def pod_requests(pod: Map) -> Requests:
    """Containers and sidecars added up, or the neediest init step if that is more, plus overhead (resource.PodRequests)."""
    return memo(pod["spec"], "scheduler-requests", _spec_requests)


class _Asked(NamedTuple):
    """One container's requests; None where it does not say."""

    cpu: int | None
    memory: int | None
    storage: int
    scalars: Scalars


_NOTHING = _Asked(None, None, 0, ())


def _asked(resources: Map) -> _Asked:
    requests = resources.get("requests")
    if not requests:
        return _NOTHING
    cpu, memory = requests.get("cpu"), requests.get("memory")
    scalars = tuple(sorted((name, value(amount)) for name, amount in requests.items()
                           if name not in ("cpu", "memory", "ephemeral-storage")))
    return _Asked(None if cpu is None else milli(cpu), None if memory is None else value(memory),
                  value(requests.get("ephemeral-storage")), scalars)


def _container_asks(container: Map) -> _Asked:
    resources = container.get("resources")
    return memo(resources, "scheduler-requests", _asked) if resources else _NOTHING


def _spec_requests(spec: Map) -> Requests:
    plain = _aggregate(spec, 0, 0)
    scoring = _aggregate(spec, DEFAULT_MILLI_CPU, DEFAULT_MEMORY)
    cpu, memory, storage, scalars = plain
    scoring_cpu, scoring_memory = scoring[0], scoring[1]
    level = spec.get("resources")
    if level:  # PodLevelResources: what the Pod itself asks for replaces the sum
        asked = _asked(level)
        if asked.cpu is not None:
            cpu = scoring_cpu = asked.cpu
        if asked.memory is not None:
            memory = scoring_memory = asked.memory
        scalars = {**scalars, **dict(asked.scalars)}
    overhead = spec.get("overhead")
    if overhead:
        more = _asked(Map(requests=overhead))
        cpu, scoring_cpu = cpu + (more.cpu or 0), scoring_cpu + (more.cpu or 0)
        memory, scoring_memory = memory + (more.memory or 0), scoring_memory + (more.memory or 0)
        storage += more.storage
        for name, amount in more.scalars:
            scalars[name] = scalars.get(name, 0) + amount
    return Requests(cpu, memory, storage, tuple(sorted(scalars.items())), scoring_cpu, scoring_memory)


def _aggregate(spec: Map, default_cpu: int, default_memory: int) -> tuple[int, int, int, dict[str, int]]:
    def numbers(container: Map) -> tuple[int, int, int, Scalars]:
        asked = _container_asks(container)
        return (default_cpu if asked.cpu is None else asked.cpu, default_memory if asked.memory is None else asked.memory,
                asked.storage, asked.scalars)

    cpu = memory = storage = 0
    scalars: dict[str, int] = {}
    for container in spec["containers"]:
        more_cpu, more_memory, more_storage, more_scalars = numbers(container)
        cpu, memory, storage = cpu + more_cpu, memory + more_memory, storage + more_storage
        for name, amount in more_scalars:
            scalars[name] = scalars.get(name, 0) + amount
    init_containers = spec.get("initContainers")
    if not init_containers:
        return cpu, memory, storage, scalars
    # While an init container runs, so do the sidecars declared before it; afterwards all sidecars run beside the containers.
    side_cpu = side_memory = side_storage = peak_cpu = peak_memory = peak_storage = 0
    side: dict[str, int] = {}
    peak: dict[str, int] = {}
    for container in init_containers:
        more_cpu, more_memory, more_storage, more_scalars = numbers(container)
        stays = container.get("restartPolicy") == "Always"
        if stays:
            side_cpu, side_memory, side_storage = side_cpu + more_cpu, side_memory + more_memory, side_storage + more_storage
            for name, amount in more_scalars:
                side[name] = side.get(name, 0) + amount
            more_cpu = more_memory = more_storage = 0
            more_scalars = ()
        peak_cpu, peak_memory = max(peak_cpu, side_cpu + more_cpu), max(peak_memory, side_memory + more_memory)
        peak_storage = max(peak_storage, side_storage + more_storage)
        step = dict(side)
        for name, amount in more_scalars:
            step[name] = step.get(name, 0) + amount
        for name, amount in step.items():
            peak[name] = max(peak.get(name, 0), amount)
    for name, amount in side.items():
        scalars[name] = scalars.get(name, 0) + amount
    for name, amount in peak.items():
        scalars[name] = max(scalars.get(name, 0), amount)
    return (max(cpu + side_cpu, peak_cpu), max(memory + side_memory, peak_memory), max(storage + side_storage, peak_storage),
            scalars)


def host_ports(pod: Map) -> tuple[HostPort, ...]:
    """The ports that a Pod wants on its node, sidecars' too (schedutil.GetHostPorts)."""
    return memo(pod["spec"], "scheduler-ports", _host_ports)


def _host_ports(spec: Map) -> tuple[HostPort, ...]:
    sidecars = [c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"]
    return tuple(HostPort(port.get("hostIP") or WILDCARD_IP, port.get("protocol") or "TCP", port["hostPort"])
                 for container in (*spec["containers"], *sidecars)
                 for port in container.get("ports") or () if port.get("hostPort"))


def has_affinity(spec: Map) -> bool:
    """Whether a Pod has any inter-pod affinity or anti-affinity, required or preferred."""
    affinity = spec.get("affinity")
    return bool(affinity and (affinity.get("podAffinity") or affinity.get("podAntiAffinity")))


def has_required_anti_affinity(spec: Map) -> bool:
    affinity = spec.get("affinity")
    anti = affinity.get("podAntiAffinity") if affinity else None
    return bool(anti and anti.get("requiredDuringSchedulingIgnoredDuringExecution"))


class NodeInfo:
    """A node with its Pods. Sums are millicores, bytes and pieces."""

    __slots__ = ("affinity_pods", "anti_affinity_pods", "cpu", "cpu_allocatable", "hard_taints", "images", "labels",
                 "memory", "memory_allocatable", "name", "pods", "pods_allocatable", "ports", "scalars", "scalars_allocatable",
                 "scores", "scoring_cpu", "scoring_memory", "soft_taints", "storage", "storage_allocatable", "unschedulable")

    def __init__(self, node: Map) -> None:
        self.cpu = self.memory = self.storage = self.scoring_cpu = self.scoring_memory = 0
        self.scalars: dict[str, int] = {}
        self.pods: dict[str, Map] = {}
        self.affinity_pods: dict[str, Map] = {}
        self.anti_affinity_pods: dict[str, Map] = {}
        self.ports: dict[HostPort, int] = {}
        self.set_node(node)

    def set_node(self, node: Map) -> None:
        """Take over a new version of the node object; the sums of its Pods stay."""
        spec, status = node.get("spec") or EMPTY, node.get("status") or EMPTY
        allocatable = status.get("allocatable") or EMPTY
        self.scores: dict[str, int] = {}  # what plugins gave it for some requests, until it or its Pods change
        taints = spec.get("taints") or ()
        self.name: str = node["metadata"]["name"]
        self.labels: Map = node["metadata"].get("labels") or EMPTY
        self.unschedulable = bool(spec.get("unschedulable"))
        self.hard_taints = [taint for taint in taints if taint["effect"] in ("NoSchedule", "NoExecute")]
        self.soft_taints = [taint for taint in taints if taint["effect"] == "PreferNoSchedule"]
        self.cpu_allocatable, self.memory_allocatable = milli(allocatable.get("cpu")), value(allocatable.get("memory"))
        self.storage_allocatable = value(allocatable.get("ephemeral-storage"))
        self.pods_allocatable = value(allocatable.get("pods"))
        self.scalars_allocatable = {name: value(amount) for name, amount in allocatable.items()
                                    if name not in ("cpu", "memory", "ephemeral-storage", "pods")}
        self.images = {name: image.get("sizeBytes") or 0
                       for image in status.get("images") or () for name in image.get("names") or ()}

    def add(self, pod: Map) -> None:
        key, spec = pod_key(pod), pod["spec"]
        self.pods[key] = pod
        self._count(pod_requests(pod), 1)
        if has_affinity(spec):
            self.affinity_pods[key] = pod
            if has_required_anti_affinity(spec):
                self.anti_affinity_pods[key] = pod
        for port in host_ports(pod):
            self.ports[port] = self.ports.get(port, 0) + 1

    def remove(self, key: str) -> None:
        """Forget a Pod; one that is not here is ignored."""
        pod = self.pods.pop(key, None)
        if pod is None:
            return
        self._count(pod_requests(pod), -1)
        self.affinity_pods.pop(key, None)
        self.anti_affinity_pods.pop(key, None)
        for port in host_ports(pod):
            self.ports[port] -= 1
            if not self.ports[port]:
                del self.ports[port]

    def replace(self, key: str, pod: Map) -> None:
        """Take over a new version of a Pod that is here, whose spec did not change."""
        self.pods[key] = pod
        if key in self.affinity_pods:
            self.affinity_pods[key] = pod
            if key in self.anti_affinity_pods:
                self.anti_affinity_pods[key] = pod

    def _count(self, asked: Requests, sign: int) -> None:
        self.scores = {}
        self.cpu += sign * asked.cpu
        self.memory += sign * asked.memory
        self.storage += sign * asked.storage
        self.scoring_cpu += sign * asked.scoring_cpu
        self.scoring_memory += sign * asked.scoring_memory
        for name, amount in asked.scalars:
            self.scalars[name] = self.scalars.get(name, 0) + sign * amount

    def copy(self) -> NodeInfo:
        """One to try things on."""
        other = NodeInfo.__new__(NodeInfo)
        for slot in NodeInfo.__slots__:
            held = getattr(self, slot)
            setattr(other, slot, dict(held) if type(held) is dict else held)
        return other
