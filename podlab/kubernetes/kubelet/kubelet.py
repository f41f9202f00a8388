"""The kubelet of one node: it makes the Pods that are bound to its node true, and tells the API server how they are.

Its real counterpart runs loops that poll: PLEG each second, a tick each second, housekeeping, resyncs. Here each loop has a fixed
phase, and a timer is set only for the instant at which the loop would find something; so an idle node costs nothing.

Sources: pkg/kubelet/kubelet.go (syncLoop, SyncPod, SyncTerminatingPod), pkg/kubelet/pod_workers.go, pkg/kubelet/pleg/generic.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..cause import UNSAID, Cause
from ..etcd import Change, Heed
from ..objects import EMPTY, Map
from . import (
    admission,
    cri,
    deadline,
    ending,
    eviction,
    faults,
    hook_ends,
    images,
    node_status,
    probes,
    report,
    runs,
    sessions,
    status,
    steps,
    termination,
    volumes,
    worker,
)
from .agent import Agent
from .state import Worker, new_worker

if TYPE_CHECKING:
    from ..ground import Ground
    from ..runtime.network import Network



class Kubelet(Agent):
    """One a node. Its state, plain data:

    pods {uid: worker, see state.new_worker}; wakes {uid: timer of a change not yet looked at}; power on | off | silent, since
    then; silent_at when it was last heard; dark after a loss of power; address the last one given; pleg, node_timer, evict_timer
    timers of the loops that have something to find; images {name: {"size", "at", "id"}}; pulls, the first under way; sandboxes_at
    when the next sandbox may come up or end; finish_at when the next ended Pod may be told; registries, fill: faults;
    pressure {condition: last met}; cordoned, as last told of; sessions, see sessions.py; runtime the machine's own state.
    """

    steps = worker.STEPS

    def __init__(self, cluster: Ground, network: Network, index: int, node: dict[str, Any]) -> None:
        super().__init__(cluster, network, index, node)
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
        self.cluster.etcd.subscribe("nodes", self._on_node, Heed(_name_of, self.node.__eq__))
        for plural in ("configmaps", "secrets"):
            self.cluster.etcd.subscribe(plural, self._on_config)

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
        if change.type != "MODIFIED" or change.old is None or (not change.status_only and _concerns(change.old, pod)) \
                or _gate_moved(change.old, pod):
            self.wake(pod, change.cause)

    def _on_node(self, change: Change) -> None:
        if self.state["power"] == "on":
            node_status.on_node(self, change)

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
                ending.finish(self, held)
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
        runs.container_ended(self, held, container_id)
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

    def ask(self, held: Worker) -> None:
        worker.ask(self, held)

    def write_status(self, held: Worker, cause: Cause = UNSAID) -> None:
        """Bring the Pod's status up to what is known, as a sync does: what is not ready is probed at once."""
        probes.after_status(self, held, self.tell_status(held, cause))

    def tell_status(self, held: Worker, cause: Cause = UNSAID) -> Map:
        """Write the Pod's status where it differs. Returns the Pod as it was before."""
        pod = self.pod(held)
        new = status.generate(held, pod, self.host_ip, self.now)
        if held["gone"] is None:
            self.put_status(pod, new, cause if cause is not UNSAID else Cause("kubelet-status", {"phase": new["phase"]}))
        return pod

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


def _name_of(change: Change) -> str:
    return str(change.object["metadata"]["name"])


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
    wanted = new["spec"].get("readinessGates")
    if not wanted:
        return False
    gates = [gate["conditionType"] for gate in wanted]
    before, after = ({one["type"]: one["status"] for one in (pod.get("status") or EMPTY).get("conditions") or ()} for pod in (old, new))
    return any(before.get(gate) != after.get(gate) for gate in gates)


TIMERS: dict[str, Any] = {
    "step": steps.step_timer,
    "sync": worker.requeued,
    "show": worker.show,
    "dead": worker.dead,
    "mount": volumes.mount_timer,
    "refresh": volumes.refresh,
    "probe": probes.tick,
    "probed": probes.exec_done,
    "redialled": probes.replied,
    "hook": hook_ends.exec_done,
    "hook-over": hook_ends.slept,
    "kill": termination.kill_timer,
    "terminate": ending.begin_terminating,
    "terminated": ending.finish,
    "deadline": deadline.passed,
}
REPLIES: dict[str, Any] = {"probe": probes.replied, "hook": hook_ends.replied}
NODE_TIMERS: dict[str, Any] = {"pull": images.pull_timer, "evict": eviction.pass_, "node-status": node_status.report}
