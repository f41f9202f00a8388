"""kube-scheduler: takes waiting Pods one by one, decides where each goes, and binds it, or says why it cannot.

What it decides is in `schedule_one`; when it tries is in `queue`; here both meet the API.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..apiserver.errors import ApiError
from ..cause import Cause
from ..component import Component
from ..controllers_common.pod_status import condition, with_status
from ..etcd import Change, key_of_object
from ..objects import EMPTY, Map
from .cluster_view import ClusterView
from .fit_error import truncate
from .framework import ClusterEvent, priority
from .plugins import dynamic_resources
from .plugins.default_preemption import Candidate
from .plugins.scheduling_gates import gated
from .plugins.volume_binding import SELECTED_NODE, bindings, claim_names, is_bound
from .profile import BY_NAME
from .queue import SchedulingQueue
from .schedule_one import Decision, schedule

if TYPE_CHECKING:
    from ..ground import Ground

SCHEDULER_NAME = "default-scheduler"
# From a Pod's creation to its binding on an idle real cluster: 7 ms (recorded: gates, node-failure)
LATENCY_MS = 7
# Between two Pods of a burst: upstream's scheduler_perf SchedulingBasic does about 500 Pods a second
CYCLE_MS = 2
BIND_TIMEOUT_MS = 600_000  # DefaultBindTimeoutSeconds of VolumeBinding
BIND_POLL_MS = 1_000  # BindPodVolumes (pkg/scheduler/framework/plugins/volumebinding/binder.go)
TERMINAL = ("Succeeded", "Failed")


class Scheduler(Component):
    """State: pods and sequence (see `queue`); binding: Pods whose volumes are being bound, {key: {node, timer, facts, until,
    provisioned: names of the claims whose volumes are made}}; cycle and flush: timer ids; flush_at: when the latter fires."""

    name = SCHEDULER_NAME

    def __init__(self, cluster: Ground) -> None:
        super().__init__(cluster)
        self.state = {"pods": {}, "sequence": 0, "binding": {}, "cycle": None, "flush": None, "flush_at": None}
        self._forget_everything()

    def _forget_everything(self) -> None:
        self.queue = SchedulingQueue(self.state)
        self.view = ClusterView(self.client.find, self.client.list)

    def restore(self) -> None:
        """Rebuild the picture of nodes and Pods from the store, and follow it from there."""
        self._forget_everything()
        etcd = self.cluster.etcd
        for node in etcd.list("nodes"):
            self.view.set_node(node)
        for pod in etcd.list("pods"):
            place = _place(pod)
            if place:
                self.view.add_pod(pod, place)
            elif key_of_object(pod) in self.queue.pods and (pod.get("status") or EMPTY).get("nominatedNodeName"):
                self.view.nominate(pod)
        for key, held in self.state["binding"].items():
            pod_held = etcd.get("pods", key)
            if pod_held is not None:
                self.view.add_pod(pod_held, held["node"])
        etcd.subscribe("nodes", self._on_node)
        etcd.subscribe("pods", self._on_pod)
        for plural in ("persistentvolumes", "persistentvolumeclaims", "storageclasses", "resourceclaims"):
            etcd.subscribe(plural, self._on_storage)
        for plural in ("services", "replicationcontrollers", "replicasets", "statefulsets"):
            etcd.subscribe(plural, self._on_selector)

    # ---- what happens in the cluster

    def _on_node(self, change: Change) -> None:
        node, old = change.object, change.old
        if change.type == "DELETED":
            self.view.remove_node(node["metadata"]["name"])
            self._move(ClusterEvent("node", "delete", old, None), change.cause)
            return
        if old is not None and _same_node(old, node):
            return
        self.view.set_node(node)
        self._move(ClusterEvent("node", "add" if old is None else "update", old, node), change.cause)

    def _on_storage(self, change: Change) -> None:
        if change.plural == "resourceclaims":
            self._let_in(change)
        action = {"ADDED": "add", "MODIFIED": "update", "DELETED": "delete"}[change.type]
        new = None if change.type == "DELETED" else change.object
        self._move(ClusterEvent(change.plural, action, change.old, new), change.cause)

    def _let_in(self, change: Change) -> None:
        """A claim came or changed: Pods that only waited for it enter the queue."""
        for pod in self.cluster.etcd.list("pods", change.object["metadata"]["namespace"]):
            key = key_of_object(pod)
            if self.queue.pods.get(key, EMPTY).get("queue") == "gated" and not self._gated(pod):
                self.queue.add(key, pod, self.now, change.cause, gated=False)
                self._wake()

    def _gated(self, pod: Map) -> bool:
        """runPreEnqueuePlugins: whether the Pod may not even enter the queue."""
        return gated(pod) or bool(pod["spec"].get("resourceClaims") and dynamic_resources.unmade(pod, self.client.find))

    def _on_selector(self, change: Change) -> None:
        """Which Pods a Service or a workload picks decides how they are spread by default."""
        if change.type == "MODIFIED" and change.old is not None \
                and change.old["spec"].get("selector") == change.object["spec"].get("selector"):
            return
        if self.view.default_selectors:
            self.view.default_selectors.clear()

    def _on_pod(self, change: Change) -> None:
        pod, old = change.object, change.old
        was = _place(old) if old is not None else None
        is_ = None if change.type == "DELETED" else _place(pod)
        if was and is_:
            self.view.replace_pod(pod, is_)
            if old is not None and not change.status_only and (old["spec"] is not pod["spec"] or _labels(old) != _labels(pod)):
                self._move(ClusterEvent("pod", "update", old, pod), change.cause)
        elif is_:
            self._leave_queue(change.key)
            self.view.add_pod(pod, is_)
            self._move(ClusterEvent("pod", "add", None, pod), change.cause)
        elif was:
            self.view.remove_pod(change.key, was)
            self._move(ClusterEvent("pod", "delete", old, None), change.cause)
        elif change.type == "DELETED" or not _ours(pod):
            self._leave_queue(change.key)
            if old is not None and (old.get("status") or EMPTY).get("nominatedNodeName"):
                self._move(ClusterEvent("pod", "delete", old, None), change.cause)
        else:
            self._on_waiting_pod(change.key, old, pod, change.cause)

    def _on_waiting_pod(self, key: str, old: Map | None, pod: Map, cause: int) -> None:
        """A Pod without a node came or changed."""
        entry = self.queue.pods.get(key)
        if entry is None or (entry["queue"] == "gated" and not self._gated(pod)):
            self.queue.add(key, pod, self.now, cause, self._gated(pod))
            self._wake()
            return
        self.queue.touch(key, pod)
        self.view.withdraw(key)
        if (pod.get("status") or EMPTY).get("nominatedNodeName"):
            self.view.nominate(pod)
        if entry["queue"] == "parked" and old is not None and (old["spec"] is not pod["spec"] or _labels(old) != _labels(pod)) \
                and self._helped(pod, entry["plugins"], ClusterEvent("self", "update", old, pod)):
            self.queue.requeue(key, self.now, cause)
            self._wake()

    def _leave_queue(self, key: str) -> None:
        self.queue.forget(key)
        self.view.withdraw(key)
        self._unassume(key)

    def _move(self, event: ClusterEvent, cause: int) -> None:
        """Try again those Pods whose refusing plugins say that the event may help (queueing hints)."""
        for key in list(self.queue.parked):
            pod = self.cluster.etcd.get("pods", key)
            if pod is not None and self._helped(pod, self.queue.pods[key]["plugins"], event):
                self.queue.requeue(key, self.now, cause)
                self._wake()

    @staticmethod
    def _helped(pod: Map, plugins: list[str], event: ClusterEvent) -> bool:
        hints = (BY_NAME[plugin].hint for plugin in plugins)
        return any(hint is not None and hint(pod, event) for hint in hints)

    # ---- time

    def _wake(self) -> None:
        if self.state["cycle"] is None:
            self.state["cycle"] = self.after(LATENCY_MS, {"do": "cycle"})

    def on_timer(self, payload: Any) -> None:
        what = payload["do"]
        if what == "cycle":
            self.state["cycle"] = None
            key = self.queue.pop()
            if key is not None:
                self._schedule_one(key)
            if self.state["cycle"] is None and self.queue.waiting():
                self.state["cycle"] = self.after(CYCLE_MS, {"do": "cycle"})
        elif what == "retry":
            self._retry(payload)
        elif what == "flush":
            self.state["flush"] = self.state["flush_at"] = None
            for key in self.queue.left_over(self.now):
                self.queue.requeue(key, self.now, None)
                self._wake()
            self._watch_the_pool()
        else:
            self._look_at_volumes(payload["pod"])

    def _retry(self, payload: Any) -> None:
        """The back-off after an error is over."""
        entry = self.queue.pods.get(payload["pod"])
        if entry is not None and entry["queue"] == "error" and entry["sequence"] == payload["sequence"]:
            self.queue.requeue(payload["pod"], self.now, entry["because"])
            self._wake()

    def _watch_the_pool(self) -> None:
        """A flush is only set while Pods are parked, so that an idle cluster stays silent."""
        due = self.queue.next_flush()
        if due is None or (self.state["flush_at"] is not None and self.state["flush_at"] <= due):
            return
        self.cancel(self.state["flush"])
        self.state["flush"], self.state["flush_at"] = self.after(due - self.now, {"do": "flush"}), due

    # ---- one Pod

    def _schedule_one(self, key: str) -> None:
        entry = self.queue.pods[key]
        pod = self.cluster.etcd.get("pods", key)
        if pod is None:
            self.queue.forget(key)
            return
        self.cluster.because = entry["because"]
        if pod["metadata"].get("deletionTimestamp"):  # skipPodSchedule
            self.queue.forget(key)
            self.client.event(pod, "Warning", "FailedScheduling", f"skip schedule deleting pod: {key}")
            return
        uid: str = pod["metadata"]["uid"]
        decision = schedule(pod, self.view, lambda n: self.cluster.random.integer("scheduler", uid, below=n))
        if decision.node is None:
            self._refuse(key, pod, decision)
            return
        facts = {"node": decision.node, "scores": decision.scores, "feasible": decision.feasible, "reasons": decision.reasons()}
        if not self._bind_volumes(key, pod, decision, facts):
            self._bind(key, pod, decision.node, facts)

    def _bind(self, key: str, pod: Map, node: str, facts: dict[str, Any]) -> None:
        metadata = pod["metadata"]
        binding = {"apiVersion": "v1", "kind": "Binding", "target": {"kind": "Node", "name": node},
                   "metadata": {key: metadata[key] for key in ("name", "namespace", "uid")}}
        try:
            self.client.create("pods", binding, metadata["namespace"], name=metadata["name"], subresource="binding",
                               cause=Cause("scheduler-bound", facts))
        except ApiError as error:
            self._error(key, pod, f'running Bind plugin "DefaultBinder": {error.message}')
            return
        self.client.event(pod, "Normal", "Scheduled", f"Successfully assigned {key} to {node}")

    def _error(self, key: str, pod: Map, message: str) -> None:
        """Something failed that is nobody's refusal: back off, then try again."""
        self._unassume(key)
        if self.cluster.etcd.get("pods", key) is None or key not in self.queue.pods:
            self.queue.forget(key)
            return
        self._park(key, [])
        self._report(pod, "SchedulerError", message, {}, {})

    def _refuse(self, key: str, pod: Map, decision: Decision) -> None:
        """Say why no node will do, wait for a change, and evict others if that makes room."""
        self._park(key, decision.plugins)
        status: dict[str, Any] = {}
        nominated = (pod.get("status") or EMPTY).get("nominatedNodeName")
        if decision.preemption is not None and nominated != decision.preemption.node:
            status = {"nominatedNodeName": decision.preemption.node}
        elif decision.clear_nomination and nominated:
            status = {"nominatedNodeName": None}
        self._report(pod, "Unschedulable", decision.message, decision.reasons(), status)
        if decision.preemption is not None:
            self._preempt(key, pod, decision.preemption)

    def _park(self, key: str, plugins: list[str]) -> None:
        again = self.queue.park(key, plugins, self.now)
        if again is None:
            self._watch_the_pool()
        else:
            self.after(again, {"do": "retry", "pod": key, "sequence": self.queue.pods[key]["sequence"]})

    def _report(self, pod: Map, reason: str, message: str, reasons: dict[str, list[str]], status: dict[str, Any]) -> None:
        """The event, then the condition PodScheduled (and `status` beside it), if that says anything new."""
        self.client.event(pod, "Warning", "FailedScheduling", truncate(message))
        cause = Cause("scheduler-unschedulable", {"message": message, "reasons": reasons})
        changed = condition(pod, "PodScheduled", "False", reason, message, self.now)
        if changed is None and not status:
            self.note(cause.rule, cause.facts, f"pods/{key_of_object(pod)}")
            return
        self._write_status(pod, changed, status, cause)

    def _write_status(self, pod: Map, changed: dict[str, Any] | None, members: dict[str, Any], cause: Cause) -> bool:
        """False when the Pod is gone or the server refused."""
        try:
            self.client.update("pods", with_status(pod, changed, members), subresource="status", cause=cause)
        except ApiError:
            return False
        return True

    def _preempt(self, key: str, pod: Map, candidate: Candidate) -> None:
        """Evict the victims (executor.prepareCandidate); lesser Pods that were promised the node lose the promise."""
        facts = {"for": key, "node": candidate.node, "victims": [key_of_object(victim) for victim in candidate.victims],
                 "violations": candidate.violations}
        cause = Cause("scheduler-preempted", facts)
        for victim in candidate.victims:
            metadata = victim["metadata"]
            if metadata.get("deletionTimestamp"):
                continue
            message = f"{SCHEDULER_NAME}: preempting to accommodate a higher priority pod"
            changed = condition(victim, "DisruptionTarget", "True", "PreemptionByScheduler", message, self.now)
            if changed is not None and not self._write_status(victim, changed, {}, cause):
                continue
            try:
                self.client.delete("pods", metadata["name"], metadata["namespace"], uid=metadata["uid"], cause=cause)
            except ApiError:
                continue
            message = f"Preempted by pod {pod['metadata']['uid']} on node {candidate.node}"
            self.client.event(victim, "Normal", "Preempted", message, related=pod)
        for _, other in sorted(self.view.nominated.get(candidate.node, {}).items()):
            if priority(other) < priority(pod):
                self._write_status(other, None, {"nominatedNodeName": None}, cause)

    # ---- volumes that wait for their first consumer

    def _bind_volumes(self, key: str, pod: Map, decision: Decision, facts: dict[str, Any]) -> bool:
        """Ask for the volumes of the chosen node (VolumeBinding's PreBind). False when there is nothing to wait for."""
        claims = decision.prepared.get("VolumeBinding")
        node = decision.node or ""
        plan = bindings(self.view.nodes[node], claims) if claims is not None and claims.delayed else None
        if not plan:
            return False
        timer = self.after(BIND_POLL_MS, {"do": "bind", "pod": key})
        self.state["binding"][key] = {"node": node, "timer": timer, "facts": facts, "until": self.now + BIND_TIMEOUT_MS,
                                      "provisioned": [claim["metadata"]["name"] for claim, volume in plan if volume is None]}
        self.queue.hold(key)
        self.view.add_pod(pod, node)  # assumed: others must reckon with it
        for claim, volume in plan:
            metadata = claim["metadata"]
            cause = Cause("scheduler-bind-volume", {"pod": key, "node": node, "claim": metadata["name"]})
            try:
                if volume is None:
                    selected = {"metadata": {"annotations": {SELECTED_NODE: node}}}
                    self.client.patch("persistentvolumeclaims", metadata["name"], selected, metadata["namespace"], cause=cause)
                else:
                    reference = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": metadata["namespace"],
                                 "name": metadata["name"], "uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]}
                    self.client.patch("persistentvolumes", volume["metadata"]["name"], {
                        "metadata": {"annotations": {"pv.kubernetes.io/bound-by-controller": "yes"}},
                        "spec": {"claimRef": reference}}, cause=cause)
            except ApiError as error:
                self._error(key, pod, f'running PreBind plugin "VolumeBinding": {error.message}')
                return True
        return True

    def _look_at_volumes(self, key: str) -> None:
        """BindPodVolumes asks checkBindings once a second, and not at once."""
        held, pod = self.state["binding"].get(key), self.cluster.etcd.get("pods", key)
        if held is None or pod is None:
            return
        namespace = pod["metadata"]["namespace"]
        claims = [self.client.find("persistentvolumeclaims", name, namespace) for name in claim_names(pod)]
        lost = [claim["metadata"]["name"] for claim in claims if claim is not None and claim["metadata"]["name"] in held.get("provisioned", ())
                and (claim["metadata"].get("annotations") or EMPTY).get(SELECTED_NODE) != held["node"]]
        if lost:
            self._error(key, pod, f'running PreBind plugin "VolumeBinding": binding volumes: provisioning failed for PVC "{lost[0]}"')
        elif all(claim is not None and is_bound(claim) for claim in claims):
            self._bind(key, pod, held["node"], held["facts"])
        elif self.now >= held.get("until", self.now):
            self._error(key, pod, 'running PreBind plugin "VolumeBinding": binding volumes: context deadline exceeded')
        else:
            held["timer"] = self.after(BIND_POLL_MS, {"do": "bind", "pod": key})

    def _unassume(self, key: str) -> None:
        """The Pod no longer takes room on a node that it is not bound to."""
        held = self.state["binding"].pop(key, None)
        if held is not None:
            self.cancel(held["timer"])
            self.view.remove_pod(key, held["node"])


def _place(pod: Map) -> str | None:
    """The node that a Pod takes room on; one that has ended takes none."""
    if (pod.get("status") or EMPTY).get("phase") in TERMINAL:
        return None
    return pod["spec"].get("nodeName") or None


def _ours(pod: Map) -> bool:
    """Whether a Pod waits for this scheduler."""
    return (not pod["spec"].get("nodeName") and pod["spec"].get("schedulerName", SCHEDULER_NAME) == SCHEDULER_NAME
            and (pod.get("status") or EMPTY).get("phase") not in TERMINAL)


def _labels(pod: Map) -> Any:
    return pod["metadata"].get("labels")


def _same_node(old: Map, new: Map) -> bool:
    """Whether nothing changed that a plugin looks at; most updates of a node are heartbeats."""
    before, after = old.get("status") or EMPTY, new.get("status") or EMPTY
    return ((old.get("spec") is new.get("spec") or old.get("spec") == new.get("spec"))
            and old["metadata"].get("labels") == new["metadata"].get("labels")
            and before.get("allocatable") == after.get("allocatable") and before.get("images") == after.get("images"))
