"""What a pod worker has of its kubelet: the machine, the network, the node's loops, and its voice at the API server.

Everything that is done to one Pod (the other files here) stands on this; `kubelet.py` is made of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from .. import quantity
from ..addresses import node_ip, pod_cidr
from ..cause import UNSAID, Cause
from ..component import Component
from ..etcd import key_of
from ..objects import Map, freeze
from .state import Worker

if TYPE_CHECKING:
    from ..ground import Ground
    from ..runtime.network import Network
    from ..runtime.node import Node

WATCH_MS = 12  # what a watch event takes from the store to the pod worker; measured in the recordings
TICK_MS = 1000  # syncLoop's syncTicker and genericPlegRelistPeriod


class Agent(Component, ABC):
    """One node's kubelet, as its pod workers know it. `steps`: what the steps of a sync are called -> what they do."""

    machine: Node
    steps: ClassVar[Mapping[str, Callable[..., int | None]]]

    def __init__(self, cluster: Ground, network: Network, index: int, node: dict[str, Any]) -> None:
        self.node = str(node["name"])
        self.name = f"kubelet/{self.node}"
        super().__init__(cluster)
        self.network = network
        self.index = index
        self.host_ip = node_ip(index)
        self.cidr = pod_cidr(index)
        self._size = {
            "cpu": quantity.milli(node.get("cpu", "2")),
            "memory": quantity.value(node.get("memory", "4028120Ki")),
            "disk": quantity.value(node.get("disk", "263163508Ki")),
        }
        self._tick = cluster.random.integer("kubelet-tick", self.node, below=TICK_MS)
        self._pleg = cluster.random.integer("kubelet-pleg", self.node, below=TICK_MS)
    # ---- what the whole kubelet does

    @abstractmethod
    def ask(self, held: Worker) -> None:
        """A sync of a Pod is wanted: now, or when the one under way is over."""

    @abstractmethod
    def write_status(self, held: Worker, cause: Cause = UNSAID) -> None:
        """Bring the Pod's status up to what is known, as a sync does: what is not ready is probed at once."""

    @abstractmethod
    def tell_status(self, held: Worker, cause: Cause = UNSAID) -> Map:
        """Write the Pod's status where it differs. Returns the Pod as it was before."""

    @abstractmethod
    def container_ended(self, uid: str, container_id: str) -> None:
        """The runtime says that a container's first process is gone."""

    @abstractmethod
    def exec_ended(self, exec_id: str, payload: Any) -> None:
        """An exec of a probe, a hook or a person is over."""

    @abstractmethod
    def sessions_output(self, exec_id: str) -> None:
        """An exec of a person has written something."""

    # ---- loops that are computed, not run

    def next_tick(self, at: int) -> int:
        """When syncLoop's ticker next looks for Pods whose time has come, at or after `at`."""
        return at + (self._tick - at) % TICK_MS

    def next_relist(self, at: int) -> int:
        """When PLEG next relists, at or after `at`."""
        return at + (self._pleg - at) % TICK_MS

    def expect_relist(self) -> None:
        """Something changed in the runtime that only the periodic relist will find."""
        if self.state["pleg"] is None:
            self.state["pleg"] = self.after(self.next_relist(self.now + 1) - self.now, ["pleg"])

    def wake(self, pod: Map, because: int | None, ms: int = WATCH_MS) -> None:
        """Look at a Pod of the API server in `ms`."""
        uid = pod["metadata"]["uid"]
        if uid not in self.state["wakes"]:
            key = key_of(pod["metadata"]["namespace"], pod["metadata"]["name"])
            self.state["wakes"][uid] = self.cluster.clock.set(self.now + ms, self.name, ["pod", uid, key], because)

    # ---- what it has

    def capacity(self, kind: str) -> int:
        """Bytes of memory or disk that the machine has."""
        return self._size[kind]

    def new_address(self) -> str:
        """The next free Pod address of this node's range, as the host-local plugin of CNI gives them: ever upward, then round."""
        base, _, bits = self.cidr.partition("/")
        a, b, c, d = (int(part) for part in base.split("."))
        size = 1 << (32 - int(bits))
        taken = self.network.state["hosts"]
        start = (a << 24) + (b << 16) + (c << 8) + d
        for _ in range(size):
            self.state["address"] = self.state["address"] + 1 if self.state["address"] + 2 < size else 2
            number = start + self.state["address"]
            address = ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))
            if address not in taken:
                return address
        raise RuntimeError("no free Pod address")

    # ---- what it reads and writes

    def pod(self, held: Worker) -> Map:
        """The Pod as the API server has it, or as it was when it was deleted."""
        pod = self.cluster.etcd.get("pods", f"{held['namespace']}/{held['name']}")
        if pod is not None and pod["metadata"]["uid"] == held["uid"]:
            return pod
        if not isinstance(held["gone"], Map):
            held["gone"] = freeze(held["gone"])
        gone: Map = held["gone"]
        return gone

    def put_status(self, pod: Map, new: dict[str, Any], cause: Cause) -> None:
        self.client.update(
            "pods",
            {"metadata": {"name": pod["metadata"]["name"], "namespace": pod["metadata"]["namespace"]}, "status": new},
            subresource="status",
            cause=cause,
        )

    def record(self, held: Worker, kind: str, reason: str, message: str, path: str | None = None) -> None:
        self.client.event(self.pod(held), kind, reason, message, field_path=path)

    def tell(self, held: Worker, rule: str, **facts: Any) -> int:
        """Note a happening in a Pod; what follows answers it."""
        return self.note(rule, facts, f"pods/{held['namespace']}/{held['name']}")
