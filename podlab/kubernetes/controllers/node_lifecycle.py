"""Node lifecycle: a silent kubelet's node becomes Unknown, its Pods not ready, and taints say so (pkg/controller/nodelifecycle).

The real controller looks at every node each 5 seconds. Here nobody looks while all is well: whoever learns that a node fell
silent (or changes it) enqueues it, and what follows happens at the 5-second ticks at which the real one would have seen it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..apiserver import leases
from ..cause import Cause
from ..component import Controller
from ..controllers_common import conditions
from ..controllers_common.pods import facts, is_deleting
from ..etcd import Change
from ..objects import EMPTY, Map, freeze
from ..times import parse_rfc3339, rfc3339

MONITOR_PERIOD_MS = 5_000  # NodeMonitorPeriod
GRACE_MS = 50_000  # NodeMonitorGracePeriod
STARTUP_GRACE_MS = 60_000  # NodeStartupGracePeriod: for a node of which no kubelet has ever told anything
TAINT_PASS_MS = 100  # scheduler.NodeEvictionPeriod: how often the queue of nodes to taint is worked
TAINT_EVERY_MS = 10_000  # --node-eviction-rate 0.1: one node in 10 s for each zone
SLOW_TAINT_EVERY_MS = 100_000  # --secondary-node-eviction-rate 0.01, in a partly dead zone
LARGE_CLUSTER = 50  # --large-cluster-size-threshold: smaller zones stop evicting when partly dead
UNHEALTHY_SHARE = 0.55  # --unhealthy-zone-threshold
POD_EVERY_MS = 25  # MarkPodsNotReady writes one Pod after the other
PODS = "pods of "  # prefix of the keys of nodes whose Pods are being marked
ZONE = "topology.kubernetes.io/zone"
NOT_READY, UNREACHABLE = "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"
BY_CONDITION = {("Ready", "False"): NOT_READY, ("Ready", "Unknown"): UNREACHABLE,
                ("MemoryPressure", "True"): "node.kubernetes.io/memory-pressure",
                ("DiskPressure", "True"): "node.kubernetes.io/disk-pressure",
                ("PIDPressure", "True"): "node.kubernetes.io/pid-pressure",
                ("NetworkUnavailable", "True"): "node.kubernetes.io/network-unavailable"}
PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure")
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
OURS = (*BY_CONDITION.values(), UNSCHEDULABLE)


def ready_of(node: Map) -> str:
    condition = conditions.find(node, "Ready")
    return str(condition["status"]) if condition is not None else "Unknown"


def no_schedule_keys(node: Map) -> list[str]:
    """Keys of the NoSchedule taints that a node's conditions and cordon ask for."""
    keys = [key for (kind, status), key in BY_CONDITION.items()
            if any(c["type"] == kind and c["status"] == status for c in (node.get("status") or EMPTY).get("conditions") or ())]
    return [*keys, UNSCHEDULABLE] if node["spec"].get("unschedulable") else keys


def no_execute_keys(node: Map) -> list[str]:
    key = BY_CONDITION.get(("Ready", ready_of(node))) if conditions.find(node, "Ready") is not None else None
    return [key] if key else []


def taint_steps(taints: list[Any], wanted: list[str], effect: str, managed: Iterable[str],
                now: int) -> list[tuple[str, str, list[Any]]]:
    """SwapNodeControllerTaint: first the missing taints are added, then the others removed: (rule, keys, taints after it)."""
    held = [taint["key"] for taint in taints if taint["effect"] == effect and taint["key"] in managed]
    steps = []
    if missing := [key for key in wanted if key not in held]:
        taints = [*taints, *({"key": key, "effect": effect, "timeAdded": rfc3339(now)} for key in missing)]
        steps.append(("node-taint", ", ".join(f"{key}:{effect}" for key in missing), taints))
    if extra := [key for key in held if key not in wanted]:
        taints = [taint for taint in taints if not (taint["effect"] == effect and taint["key"] in extra)]
        steps.append(("node-untaint", ", ".join(f"{key}:{effect}" for key in extra), taints))
    return steps


def unknown_status(node: Map, now: int) -> dict[str, Any]:
    """The status of a node whose kubelet is silent: every condition Unknown, those that it never told of as well."""
    status, changed = node.get("status") or EMPTY, []
    for condition in status.get("conditions") or ():
        if condition["status"] == "Unknown":
            changed.append(condition)
        else:
            changed.append({**condition, "status": "Unknown", "reason": "NodeStatusUnknown", "lastTransitionTime": rfc3339(now),
                            "message": "Kubelet stopped posting node status."})
    held = {condition["type"] for condition in changed}
    changed += [{"type": kind, "status": "Unknown", "reason": "NodeStatusNeverUpdated", "message": "Kubelet never posted node status.",
                 "lastHeartbeatTime": node["metadata"]["creationTimestamp"], "lastTransitionTime": rfc3339(now)}
                for kind in ("Ready", *PRESSURES) if kind not in held]  # fmt: skip
    return {**status, "conditions": changed}


def _node_keys(controller: Controller, change: Change) -> Iterable[str]:
    old, new = change.old, change.object
    if change.type != "MODIFIED" and controller.state["ready"]:  # the nodes that a cluster begins with are known
        controller.state.setdefault("moved", {})[new["metadata"]["name"]] = [change.type, new["metadata"]["uid"]]
    if change.type == "MODIFIED" and old is not None and old["spec"] == new["spec"] \
            and _statuses(old) == _statuses(new):
        return ()
    return (change.key,)


def _statuses(node: Map) -> list[Any]:
    return [(c["type"], c["status"]) for c in (node.get("status") or EMPTY).get("conditions") or ()]


class NodeLifecycleController(Controller):
    name = "node-controller"
    watches = {"nodes": _node_keys}

    def __init__(self, cluster: Any) -> None:
        super().__init__(cluster)
        # ready: node -> the Ready status seen at the last tick; tainted: zone -> ms at which the next node may be tainted
        self.state.update(ready={}, tainted={})

    def reconcile(self, key: str) -> int | None:
        if key.startswith(PODS):
            return self._mark_next_pod(key.removeprefix(PODS))
        node = self.cluster.etcd.get("nodes", key)
        told = self._tell_of(key)
        if node is None:
            self.state["ready"].pop(key, None)
            return told
        node = self._taint(node, "NoSchedule", no_schedule_keys(node), OURS)
        waits = [told, self._watch_silence(node), self._follow_ready(key), self._taint_execute(key)]
        return min((wait for wait in waits if wait is not None), default=None)

    def _tell_of(self, name: str) -> int | None:
        """At a tick: a node that has come or gone since the last one (classifyNodes, RecordNodeEvent); ms until that tick."""
        moved: dict[str, list[str]] = self.state.setdefault("moved", {})
        if name not in moved:
            return None
        if self.now % MONITOR_PERIOD_MS:
            return _tick_after(self.now) - self.now
        kind, uid = moved.pop(name)
        reason, said = ("RemovingNode", f"Removing Node {name} from") if kind == "DELETED" else ("RegisteredNode", f"Registered Node {name} in")
        about: Map = freeze({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "uid": uid}})
        self.client.event(about, "Normal", reason, f"Node {name} event: {said} Controller")
        return None

    # ---- silence

    def _watch_silence(self, node: Map) -> int | None:
        """Unknown at the first tick that finds no sign of life for the grace period; ms until that tick."""
        name = node["metadata"]["name"]
        if conditions.find(node, "Ready") is None:
            last = parse_rfc3339(node["metadata"]["creationTimestamp"])
            due = _tick_after(last) + STARTUP_GRACE_MS
        else:
            last = self.cluster.heartbeat(name)
            if last >= self.now or ready_of(node) == "Unknown":
                return None
            due = _tick_after(leases.renewed(self.cluster, name)) + GRACE_MS
        if self.now < due:
            return due - self.now
        self.client.update("nodes", {**node, "status": unknown_status(node, self.now)}, subresource="status",
                           cause=Cause("node-not-ready", {"node": name, "silent_ms": self.now - last}))
        return None

    def _follow_ready(self, name: str) -> int | None:
        """At a tick: a node that was Ready and is no longer takes its Pods' readiness with it (MarkPodsNotReady)."""
        node = self.cluster.etcd.get("nodes", name)
        seen, ready = self.state["ready"].get(name), ready_of(node) if node is not None else None
        if node is None or seen == ready:
            return None
        if seen == "True" and ready == "False" and self.now % MONITOR_PERIOD_MS:
            return _tick_after(self.now) - self.now
        self.state["ready"][name] = ready
        if seen == "True":
            self.client.event(node, "Normal", "NodeNotReady", f"Node {name} status is now: NodeNotReady")
            self.enqueue(PODS + name, POD_EVERY_MS)
        return None

    def _mark_next_pod(self, name: str) -> int | None:
        node = self.cluster.etcd.get("nodes", name)
        if node is None or ready_of(node) == "True":
            return None
        pod = next((pod for pod in self.cluster.etcd.pods_on(name) if facts(pod).ready and not is_deleting(pod)), None)
        if pod is None:
            return None
        self._mark_not_ready(name, pod)
        return POD_EVERY_MS

    def _mark_not_ready(self, name: str, pod: Map) -> None:
        status = pod["status"]
        changed = [{**c, "status": "False", "lastTransitionTime": rfc3339(self.now)} if c["type"] == "Ready" else c
                   for c in status["conditions"]]
        self.client.update("pods", {**pod, "status": {**status, "conditions": changed}}, subresource="status",
                           cause=Cause("pod-node-not-ready", {"node": name}))
        self.client.event(pod, "Warning", "NodeNotReady", "Node is not ready")

    # ---- taints

    def _taint(self, node: Map, effect: str, wanted: list[str], managed: Iterable[str]) -> Map:
        for rule, keys, taints in taint_steps(list(node["spec"].get("taints") or ()), wanted, effect, managed, self.now):
            spec = {key: value for key, value in node["spec"].items() if key != "taints"}
            node = self.client.update("nodes", {**node, "spec": {**spec, **({"taints": taints} if taints else {})}},
                                      cause=Cause(rule, {"taint": keys, "node": node["metadata"]["name"]}))
        return node

    def _taint_execute(self, name: str) -> int | None:
        """NoExecute taints: removed at a tick; added in the queue's next pass, as often as the zone's limiter allows."""
        node = self.cluster.etcd.get("nodes", name)
        if node is None:
            return None
        wanted, managed = no_execute_keys(node), (NOT_READY, UNREACHABLE)
        held = [t["key"] for t in node["spec"].get("taints") or () if t["effect"] == "NoExecute" and t["key"] in managed]
        if held == wanted:
            self.state["tainted"].pop(f"node {name}", None)
            return None
        began = self.state["tainted"].setdefault(f"node {name}", self._first_pass(node))
        if self.now < began:
            return int(began) - self.now
        if wanted:
            zone = f"zone {(node['metadata'].get('labels') or EMPTY).get(ZONE, '')}"
            every = self._pace(zone)
            if every is None:
                return MONITOR_PERIOD_MS
            free_at = self.state["tainted"].get(zone, 0)
            if self.now < free_at:
                return int(free_at) - self.now
            self.state["tainted"][zone] = self.now + every
        self._taint(node, "NoExecute", wanted, managed)
        self.state["tainted"].pop(f"node {name}", None)
        return None

    def _first_pass(self, node: Map) -> int:
        """When the queue first sees a node: just after the tick that made it Unknown, else after the next tick."""
        if ready_of(node) == "Unknown":
            return self.now + TAINT_PASS_MS
        return _tick_after(self.now) + (TAINT_PASS_MS if ready_of(node) == "False" else 0)

    def _pace(self, zone: str) -> int | None:
        """ms between two nodes of a zone, or None while nothing is evicted (ComputeZoneState, setLimiterInZone).

        When all nodes of a cluster are dead, nothing is evicted: the fault is taken for the network's. A cluster of one node is
        exempt, as in the recording, where a label kept the only node out of that count.
        """
        nodes = self.cluster.etcd.list("nodes")
        dead = [node for node in nodes if ready_of(node) != "True"]
        if len(nodes) > 1 and len(dead) == len(nodes):
            return None
        mine = [node for node in nodes if f"zone {(node['metadata'].get('labels') or EMPTY).get(ZONE, '')}" == zone]
        gone = sum(1 for node in mine if ready_of(node) != "True")
        if gone < len(mine) and gone > 2 and gone / len(mine) >= UNHEALTHY_SHARE:
            return SLOW_TAINT_EVERY_MS if len(mine) > LARGE_CLUSTER else None
        return TAINT_EVERY_MS


def _tick_after(at: int) -> int:
    """The first look at the nodes after a moment."""
    return (at // MONITOR_PERIOD_MS + 1) * MONITOR_PERIOD_MS
