"""The kubelet of one node: it makes the Pods that are bound to its node true, and tells the API server how they are.

Its real counterpart runs loops that poll: PLEG each second, a tick each second, housekeeping, resyncs. Here each loop has a fixed
phase, and a timer is set only for the instant at which the loop would find something; so an idle node costs nothing.

Sources: pkg/kubelet/kubelet.go (syncLoop, SyncPod, SyncTerminatingPod), pkg/kubelet/pod_workers.go, pkg/kubelet/pleg/generic.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import quantity
from ..addresses import node_ip, pod_cidr
from ..cause import UNSAID, Cause
from ..component import Component
from ..etcd import Change, Heed, key_of
from ..objects import EMPTY, Map, freeze
from . import (
    admission,
    cri,
    eviction,
    faults,
    hooks,
    images,
    node_status,
    probes,
    report,
    sessions,
    status,
    termination,
    volumes,
    worker,
)
from .state import Worker, new_worker

if TYPE_CHECKING:
    from ..ground import Ground
    from ..runtime.network import Network

WATCH_MS = 12  # what a watch event takes from the store to the pod worker; measured in the recordings
TICK_MS = 1000  # syncLoop's syncTicker and genericPlegRelistPeriod
UNSEEN_MS = 20  # a container this young is still running in the relist that its own start asked for


class Kubelet(Component):
    """One a node. Its state, plain data:

    pods {uid: worker, see state.new_worker}; wakes {uid: timer of a change not yet looked at}; power on | off | silent, since
    then; silent_at when it was last heard; dark after a loss of power; address the last one given; pleg, node_timer, evict_timer
    timers of the loops that have something to find; images {name: {"size", "at", "id"}}; pulls, the first under way; sandboxes_at
    when the next sandbox may come up or end; finish_at when the next ended Pod may be told; registries, fill: faults;
    pressure {condition: last met}; sessions, see sessions.py; runtime the machine's own state.
    """

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
        self.state = {
            "pods": {},
            "wakes": {},
            "power": "on",
            "since": cluster.clock.now,
            "silent_at": 0,
            "dark": False,
            "address": 1,
            "pleg": None,
            "images": {},
            "pulls": [],
            "sandboxes_at": 0,
            "finish_at": 0,
            "registries": {},
            "pressure": {},
            "fill": {},
            "node_timer": None,
            "evict_timer": None,
            "sessions": {},
            "runtime": None,
        }
        self._attach(None)

    def _attach(self, state: dict[str, Any] | None) -> None:
        self.machine = cri.new_node(self, state, **self._size)
        self.network.attach(self.node, self.machine)

    # ---- beginnings

    def restore(self) -> None:
        if self.state["runtime"] is None:
            self.state["runtime"] = self.machine.state
        else:
            self._attach(self.state["runtime"])
        self.cluster.etcd.subscribe("pods", self._on_pod, Heed(_node_of, self.node.__eq__))
        for plural in ("configmaps", "secrets"):
            self.cluster.etcd.subscribe(plural, self._on_config)

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

    # ---- what comes in

    def _on_pod(self, change: Change) -> None:
        pod = change.object
        if change.type == "DELETED":
            held = self.state["pods"].get(pod["metadata"]["uid"])
            if held is None:
                return
            held["gone"] = change.old
        if self.state["power"] != "on":
            return
        if change.type != "MODIFIED" or change.old is None or _concerns(change.old, pod) or _gate_moved(change.old, pod):
            self.wake(pod, change.cause)

    def wake(self, pod: Map, because: int | None, ms: int = WATCH_MS) -> None:
        """Look at a Pod of the API server in `ms`."""
        uid = pod["metadata"]["uid"]
        if uid not in self.state["wakes"]:
            key = key_of(pod["metadata"]["namespace"], pod["metadata"]["name"])
            self.state["wakes"][uid] = self.cluster.clock.set(self.now + ms, self.name, ["pod", uid, key], because)

    def capacity(self, kind: str) -> int:
        """Bytes of memory or disk that the machine has."""
        return self._size[kind]

    def _on_config(self, change: Change) -> None:
        if self.state["power"] == "on":
            volumes.source_changed(self, change)

    def settle(self) -> None:
        self.machine.settle()

    def on_timer(self, payload: Any) -> None:
        kind = payload[0]
        if kind == "cri":
            if self.state["power"] != "off":
                self.machine.on_timer(payload[1])
        elif self.state["power"] != "on":
            faults.missed(self, payload)
        elif kind == "pod":
            self.state["wakes"].pop(payload[1], None)
            self._pod_changed(payload[1], payload[2])
        elif kind == "pleg":
            self._relist()
        else:
            held = self.state["pods"].get(payload[1])
            if held is not None:
                TIMERS[kind](self, held, *payload[2:])
            elif kind in NODE_TIMERS:
                NODE_TIMERS[kind](self)

    def _pod_changed(self, uid: str, key: str) -> None:
        pod = self.cluster.etcd.get("pods", key)
        if pod is not None and pod["metadata"]["uid"] != uid:
            pod = None
        held = self.state["pods"].get(uid)
        if held is None:
            if pod is not None:
                self._arrived(pod)
            return
        worker.pod_changed(self, held, pod)

    def _arrived(self, pod: Map) -> None:
        if pod["status"].get("phase") in status.TERMINAL:
            return
        held = self.state["pods"][pod["metadata"]["uid"]] = new_worker(pod, self.now)
        if refusal := admission.refuse(self, pod):
            admission.reject(self, held, pod, *refusal)
            if pod["metadata"].get("deletionTimestamp"):  # it was deleted before it was seen: nothing else will come for it
                worker.finish(self, held)
        else:
            worker.pod_changed(self, held, pod)

    def _relist(self) -> None:
        """PLEG's full relist: what ended since is seen now, and its Pods are synced."""
        self.state["pleg"] = None
        for held in list(self.state["pods"].values()):
            if held["stir"]:
                worker.relisted(self, held)

    # ---- what the runtime reports

    def container_ended(self, uid: str, container_id: str) -> None:
        held = self.state["pods"].get(uid)
        if held is None:
            return
        because = self.cluster.because
        worker.container_ended(self, held, container_id)
        self.cluster.because = because

    def exec_ended(self, exec_id: str, payload: Any) -> None:
        """An exec of a probe, a hook or a person is over. Its consequences come in a turn of their own."""
        if isinstance(payload, list):
            self.after(1, [payload[0], payload[1], *payload[2:], exec_id])
        else:
            sessions.ended(self, exec_id)

    def on_reply(self, payload: Any, result: dict[str, Any]) -> None:
        """The network answers an HTTP or TCP probe or hook: payload is [kind, uid, ...]."""
        held = self.state["pods"].get(payload[1])
        if held is not None and self.state["power"] == "on":
            REPLIES[payload[0]](self, held, *payload[2:], result)

    def sessions_output(self, exec_id: str) -> None:
        sessions.output(self, exec_id)

    # ---- what it writes

    def pod(self, held: Worker) -> Map:
        """The Pod as the API server has it, or as it was when it was deleted."""
        pod = self.cluster.etcd.get("pods", key_of(held["namespace"], held["name"]))
        if pod is not None and pod["metadata"]["uid"] == held["uid"]:
            return pod
        if not isinstance(held["gone"], Map):
            held["gone"] = freeze(held["gone"])
        gone: Map = held["gone"]
        return gone

    def write_status(self, held: Worker, cause: Cause = UNSAID) -> None:
        """Bring the Pod's status up to what is known; writes only what differs."""
        pod = self.pod(held)
        new = status.generate(held, pod, self.host_ip, self.now)
        if held["gone"] is None:
            self.put_status(pod, new, cause if cause is not UNSAID else Cause("kubelet-status", {"phase": new["phase"]}))
        probes.after_status(self, held, pod)

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

    # ---- addresses

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

    # ---- what others ask

    def heartbeat(self) -> int:
        """When the lease was last renewed: now, while the kubelet talks."""
        return self.now if self.state["power"] == "on" else int(self.state["silent_at"])

    def fault(self, fault: dict[str, Any]) -> None:
        """Break or mend something: see faults.py."""
        faults.apply(self, fault)

    def session(self, act: dict[str, Any]) -> Any:
        """A person's exec or attach: see sessions.py."""
        return sessions.act(self, act)

    def facts(self, pod_uid: str) -> dict[str, Any]:
        return report.facts(self, pod_uid)

    def node_facts(self) -> dict[str, Any]:
        return report.node_facts(self)

    def usage(self, pod_uid: str) -> dict[str, Any]:
        """{container: {"cpu_nanocores", "memory_bytes"}} of what runs, for a metrics server; {} while the kubelet is silent."""
        return report.usage(self, pod_uid) if self.state["power"] == "on" else {}

    def logs(self, pod_uid: str, container: str, **options: Any) -> list[Any]:
        """Log lines of a container. Raises ApiError in the API server's words."""
        return report.logs(self, pod_uid, container, **options)

    def preload(self, references: list[str]) -> None:
        """Put images on the node as if they had been pulled before."""
        images.preload(self, references)


def _node_of(change: Change) -> str:
    return change.object["spec"].get("nodeName") or ""


def _concerns(old: Map, new: Map) -> bool:
    """Whether a change of a Pod is more than a status."""
    if old["spec"] is not new["spec"] and old["spec"] != new["spec"]:
        return True
    before, after = old["metadata"], new["metadata"]
    return any(
        before.get(member) != after.get(member)
        for member in ("generation", "deletionTimestamp", "deletionGracePeriodSeconds", "labels", "annotations")
    )


def _gate_moved(old: Map, new: Map) -> bool:
    """Whether somebody wrote a condition that the Pod's readiness waits for (NeedToReconcilePodReadiness, pkg/kubelet/status/generate.go)."""
    gates = [gate["conditionType"] for gate in new["spec"].get("readinessGates") or ()]
    if not gates:
        return False
    before, after = ({one["type"]: one["status"] for one in (pod.get("status") or EMPTY).get("conditions") or ()} for pod in (old, new))
    return any(before.get(gate) != after.get(gate) for gate in gates)


TIMERS: dict[str, Any] = {
    "step": worker.step_timer,
    "sync": worker.requeued,
    "show": worker.show,
    "dead": worker.dead,
    "mount": volumes.mount_timer,
    "refresh": volumes.refresh,
    "probe": probes.tick,
    "probed": probes.exec_done,
    "hook": hooks.exec_done,
    "hook-over": hooks.slept,
    "kill": termination.kill_timer,
    "terminate": worker.begin_terminating,
    "terminated": worker.finish,
    "deadline": worker.deadline,
}
REPLIES: dict[str, Any] = {"probe": probes.replied, "hook": hooks.replied}
NODE_TIMERS: dict[str, Any] = {"pull": images.pull_timer, "evict": eviction.pass_, "node-status": node_status.report}
