"""DaemonSet: one Pod on each node that may run it (pkg/controller/daemon/daemon_controller.go, update.go)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ..apiserver.errors import ApiError
from ..cause import Cause
from ..component import Controller, own_key, owner_key
from ..controllers_common import conditions, revisions
from ..controllers_common.conditions import int_or_percent
from ..controllers_common.owners import Orphans, claim, controlled, controller_of, selecting, several
from ..controllers_common.pods import available_in, counting, facts, is_available, is_deleting
from ..controllers_common.taints import all_tolerated
from ..controllers_common.templates import create_pod, delete_pod, namespace_terminating, new_pod, slow_start
from ..etcd import Change
from ..objects import EMPTY, Map, freeze
from ..scheduler.plugins.node_affinity import matches_node
from ..selectors import selects

BURST = 250  # BurstReplicas
BACKOFF_MS, BACKOFF_MAX_MS = 1_000, 900_000  # failedPodsBackoff (cmd/kube-controller-manager/app/apps.go)
GENERATION = "deprecated.daemonset.template.generation"
# AddOrUpdateDaemonPodTolerations
TOLERATIONS = (("not-ready", "NoExecute"), ("unreachable", "NoExecute"), ("disk-pressure", "NoSchedule"),
               ("memory-pressure", "NoSchedule"),
               ("pid-pressure", "NoSchedule"), ("unschedulable", "NoSchedule"))

_of_pod = several(owner_key("DaemonSet"), selecting(
    "daemonsets", lambda ds, pod: selects(ds["spec"]["selector"], pod["metadata"].get("labels"))))


NODE_MS = 3  # the decision needs no request, so that it comes before the taint evictions, which need two


def _of_node(controller: Controller, change: Change) -> Iterable[str]:
    """syncNodeUpdate, after a change of labels or taints: the DaemonSets that a Pod must come to or leave the node for, and those with
    misscheduled Pods. That a Pod which may stay no longer belongs there is counted at the next look only."""
    old, node = change.old, change.object
    if change.type == "DELETED":
        return ()
    if old is not None and old["spec"].get("taints") == node["spec"].get("taints") \
            and old["metadata"].get("labels") == node["metadata"].get("labels"):
        return ()
    here = {reference["uid"] for pod in controller.cluster.etcd.pods_on(change.key) if (reference := controller_of(pod)) is not None}
    for ds in controller.cluster.etcd.list("daemonsets"):
        should, may_continue = node_should_run(node, freeze({"metadata": {}, "spec": daemon_spec(ds)}))
        scheduled = ds["metadata"]["uid"] in here
        if (not may_continue or (ds.get("status") or EMPTY).get("numberMisscheduled")) if scheduled else should:
            controller.enqueue(f"{ds['metadata']['namespace']}/{ds['metadata']['name']}", NODE_MS, because=change.cause)
    return ()


def daemon_spec(ds: Map) -> Any:
    """The Pod spec with the tolerations that every daemon has."""
    spec = ds["spec"]["template"]["spec"]
    held = list(spec.get("tolerations") or ())
    network = (("network-unavailable", "NoSchedule"),) if spec.get("hostNetwork") else ()
    for key, effect in (*TOLERATIONS, *network):
        toleration = {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": effect}
        held = [t for t in held if t != toleration] + [toleration]
    return {**spec, "tolerations": held}


def node_should_run(node: Map, pod: Map) -> tuple[bool, bool]:
    """NodeShouldRunDaemonPod: (whether a Pod should run here, whether one that does may go on)."""
    name, taints = node["metadata"]["name"], node["spec"].get("taints") or ()
    wanted = pod["spec"].get("nodeName")
    if (wanted and wanted != name) or not matches_node(pod, name, node["metadata"].get("labels") or EMPTY):
        return False, False
    tolerations = pod["spec"]["tolerations"]
    if not all_tolerated(taints, tolerations, ("NoSchedule", "NoExecute")):
        return False, all_tolerated(taints, tolerations, ("NoExecute",))
    return True, True


def target_node(pod: Map) -> str:
    """The node a daemon is bound to, or pinned to by its affinity (GetTargetNodeName)."""
    if facts(pod).node:
        return facts(pod).node
    affinity = ((pod["spec"].get("affinity") or EMPTY).get("nodeAffinity")
                or EMPTY).get("requiredDuringSchedulingIgnoredDuringExecution") or EMPTY
    for term in affinity.get("nodeSelectorTerms") or ():
        for expression in term.get("matchFields") or ():
            if expression["key"] == "metadata.name" and len(expression.get("values") or ()) == 1:
                return str(expression["values"][0])
    return ""


def pinned_affinity(spec: Any, node: str) -> dict[str, Any]:
    """ReplaceDaemonSetPodNodeNameNodeAffinity: whatever nodes the template required, this one it is."""
    affinity = spec.get("affinity") or EMPTY
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    node_affinity = {**(affinity.get("nodeAffinity") or EMPTY),
                     "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    return {**affinity, "nodeAffinity": node_affinity}


def _age(pod: Map) -> tuple[bool, str, str]:
    """podByCreationTimestampAndPhase: bound ones first, then the oldest."""
    return not facts(pod).node, pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]


@dataclass
class Plan:
    """Nodes that need a Pod, and Pods to delete, each with the rule that says why."""

    create: list[str] = field(default_factory=list)
    delete: list[tuple[Map, str]] = field(default_factory=list)
    failed: list[tuple[Map, str]] = field(default_factory=list)  # ended Pods and their nodes: deleted after a back-off


class Rollout:
    """What a plan weighs: the DaemonSet, its nodes, the Pods on each, and the newest revision's hash."""

    def __init__(self, ds: Map, nodes: Iterable[Map], pods: Iterable[Map], revision: str, now: int) -> None:
        self.ds, self.hash, self.now = ds, revision, now
        self.min_ready = ds["spec"].get("minReadySeconds") or 0
        self.nodes = list(nodes)
        self.by_node: dict[str, list[Map]] = {}
        for pod in pods:
            if is_deleting(pod) and facts(pod).phase in ("Failed", "Succeeded"):
                continue  # getNodesToDaemonPods: the kubelet has nothing more to do for it than to let it go
            self.by_node.setdefault(target_node(pod), []).append(pod)
        daemon = freeze({"metadata": {}, "spec": daemon_spec(ds)})
        self.verdicts = {node["metadata"]["name"]: node_should_run(node, daemon) for node in self.nodes}
        limits = (ds["spec"].get("updateStrategy") or EMPTY).get("rollingUpdate") or EMPTY
        desired = sum(should for should, _ in self.verdicts.values())
        self.surge = int_or_percent(limits.get("maxSurge"), desired, up=True)
        self.unavailable = int_or_percent(limits.get("maxUnavailable", 1), desired, up=True)
        if not self.surge and not self.unavailable:
            self.unavailable = 1

    def updated(self, pod: Map) -> bool:
        return bool((pod["metadata"].get("labels") or EMPTY).get(revisions.HASH) == self.hash)

    def available(self, pod: Map) -> bool:
        return is_available(pod, self.min_ready, self.now)

    # ---- manage: nodes without Pods, Pods without business there

    def manage(self) -> Plan:
        todo = Plan()
        for name, (should, may_continue) in self.verdicts.items():
            pods = self.by_node.get(name)
            if should and not pods:
                todo.create.append(name)
            elif may_continue and pods:
                self._manage_node(name, pods, should, todo)
            elif pods:
                todo.delete += [(pod, "daemonset-extra") for pod in pods if not is_deleting(pod)]
        for name, pods in self.by_node.items():
            if name and name not in self.verdicts:  # pinned to a node that has gone (getUnscheduledPodsWithoutNode)
                todo.delete += [(pod, "daemonset-extra") for pod in pods if not facts(pod).node and not is_deleting(pod)]
        return todo

    def _manage_node(self, name: str, pods: list[Map], should: bool, todo: Plan) -> None:
        living = [pod for pod in pods if not is_deleting(pod)]
        ended = [(pod, name) for pod in living if facts(pod).phase in ("Failed", "Succeeded")]
        todo.failed += ended
        running = sorted((pod for pod in living if facts(pod).phase not in ("Failed", "Succeeded")), key=_age)
        if not self.surge:
            todo.delete += [(pod, "daemonset-extra") for pod in running[1:]]
        elif not running:
            # The real controller makes one at once, again and again while a kubelet turns them away (20 in a second, its client's
            # limit). Here, as without maxSurge, the ended one goes first, which has its back-off
            todo.create += [name] if should and not ended else []
        elif len(running) > 1:
            new, old = [p for p in running if self.updated(p)], [p for p in running if not self.updated(p)]
            todo.delete += [(pod, "daemonset-extra") for pod in (*new[1:], *old[1:])]
            if new and old and (not facts(old[0]).ready or self.available(new[0])):
                todo.delete.append((old[0], "daemonset-update"))

    # ---- rollingUpdate

    def roll(self) -> Plan:
        return self._roll_with_surge() if self.surge else self._roll_in_place()

    def _on_node(self, pods: list[Map]) -> tuple[Map | None, Map | None] | None:
        """findUpdatedPodsOnNode: (new, old), or None when there are two of a sort."""
        living = [pod for pod in pods if not is_deleting(pod)]
        new, old = [p for p in living if self.updated(p)], [p for p in living if not self.updated(p)]
        if len(new) > 1 or len(old) > 1:
            return None
        return (new[0] if new else None), (old[0] if old else None)

    def _roll_in_place(self) -> Plan:
        down = 0
        replace: list[Map] = []
        candidates: list[Map] = []
        for pods in self.by_node.values():
            pair = self._on_node(pods)
            if pair is None or (pair[0] is None) == (pair[1] is None):
                down += 1
                continue
            new, old = pair
            if new is not None:
                down += not self.available(new)
            elif old is not None:
                (candidates if self.available(old) else replace).append(old)
        chosen = [*replace, *candidates[:max(0, self.unavailable - down)]]
        return Plan(delete=[(pod, "daemonset-update") for pod in chosen])

    def _roll_with_surge(self) -> Plan:
        surged, plan = 0, Plan()
        allowed: list[str] = []
        candidates: list[str] = []
        for name, pods in self.by_node.items():
            pair = self._on_node(pods)
            if pair is None:
                surged += 1
                continue
            new, old = pair
            if old is None:
                continue
            if new is None:
                (candidates if self.available(old) else allowed).append(name)
            elif self.available(new):
                plan.delete.append((old, "daemonset-update"))
            else:
                surged += 1
        plan.create = [*allowed, *candidates[:max(0, self.surge - surged)]]
        return plan

    # ---- status

    def status(self) -> dict[str, Any]:
        """updateDaemonSetStatus."""
        total = {"currentNumberScheduled": 0, "numberMisscheduled": 0, "desiredNumberScheduled": 0, "numberReady": 0,
                 "numberAvailable": 0,
                 "updatedNumberScheduled": 0}
        for name, (should, _) in self.verdicts.items():
            pods = sorted(self.by_node.get(name, ()), key=_age)
            total["desiredNumberScheduled"] += should
            if not should:
                total["numberMisscheduled"] += bool(pods)
            elif pods:
                total["currentNumberScheduled"] += 1
                total["numberReady"] += facts(pods[0]).ready
                total["numberAvailable"] += self.available(pods[0])
                total["updatedNumberScheduled"] += self.updated(pods[0])
        total["numberUnavailable"] = total["desiredNumberScheduled"] - total["numberAvailable"]
        return total

    def next_available_ms(self) -> int | None:
        waits = [wait for pods in self.by_node.values() for pod in pods if (wait := available_in(pod, self.min_ready, self.now))]
        return min(waits, default=None)


class DaemonSetController(Controller):
    name = "daemonset-controller"
    watches = {"daemonsets": own_key, "pods": _of_pod, "nodes": _of_node}
    heeds = {"pods": counting("DaemonSet")}

    def __init__(self, cluster: Any) -> None:
        super().__init__(cluster)
        self.state["backoff"] = {}  # "ds uid/node" -> [delay ms, since ms]: how long a failed daemon is left alone

    def restore(self) -> None:
        self.orphans = Orphans(self.cluster.etcd, "pods")
        self.orphan_revisions = Orphans(self.cluster.etcd, "controllerrevisions")
        super().restore()

    def reconcile(self, key: str) -> int | None:
        ds = self.cluster.etcd.get("daemonsets", key)
        if ds is None or is_deleting(ds):
            return None
        selector, uid = ds["spec"]["selector"], ds["metadata"]["uid"]
        pods = claim(self.client, ds, "pods", controlled(uid, self.cluster.etcd.owned(uid, "pods")),
                     self.orphans.of(ds["metadata"]["namespace"]),
                     lambda pod: selects(selector, pod["metadata"].get("labels")))
        held = revisions.of_owner(self.client, ds, self.orphan_revisions,
                                  lambda one: selects(selector, one["metadata"].get("labels")))
        labels = dict((ds["spec"]["template"].get("metadata") or EMPTY).get("labels") or EMPTY)
        newest = revisions.ensure(self.client, ds, held, labels, (ds.get("status") or EMPTY).get("collisionCount") or None)
        state = Rollout(ds, self.cluster.etcd.list("nodes"), pods, newest["metadata"]["labels"][revisions.HASH], self.now)
        todo = state.manage()
        again = self._settle_failed(ds, todo)
        if not todo.create and not todo.delete and (ds["spec"].get("updateStrategy") or EMPTY).get("type") != "OnDelete":
            todo = state.roll()
        error = self._apply(ds, todo, state.hash)
        if todo.create or todo.delete:  # updateDaemonSetStatus asks its informer anew, which knows what was just written
            owned = controlled(uid, self.cluster.etcd.owned(uid, "pods"))
            state = Rollout(ds, state.nodes, owned, state.hash, self.now)
        self._write_status(ds, state.status())
        live = [one["metadata"]["name"] for one in held for pod in pods
                if (pod["metadata"].get("labels") or EMPTY).get(revisions.HASH) == (one["metadata"].get("labels")
                                                                                    or EMPTY).get(revisions.HASH)]
        revisions.truncate(self.client, held, [*live, newest["metadata"]["name"]], ds["spec"].get("revisionHistoryLimit", 10))
        if error is not None:
            raise error
        return min((wait for wait in (again, state.next_available_ms()) if wait is not None), default=None)

    def _settle_failed(self, ds: Map, todo: Plan) -> int | None:
        """Ended daemons go, each node's failed ones with a growing delay in between. Returns ms until the next may go."""
        again: list[int] = []
        for pod, node in todo.failed:
            where = f"{pod['metadata']['namespace']}/{pod['metadata']['name']} on node {node}, will try to"
            if facts(pod).phase == "Succeeded":
                self.client.event(ds, "Normal", "SucceededDaemonPod", f"Found succeeded daemon pod {where} delete it")
                todo.delete.append((pod, "daemonset-finished"))
                continue
            key = f"{ds['metadata']['uid']}/{node}"
            delay, since = self.state["backoff"].get(key, (0, 0))
            left = since + delay - self.now
            if left > 0:
                again.append(left)
                continue
            fresh = not delay or self.now - since > 2 * BACKOFF_MAX_MS
            self.state["backoff"][key] = [BACKOFF_MS if fresh else min(delay * 2, BACKOFF_MAX_MS), self.now]
            self.client.event(ds, "Warning", "FailedDaemonPod", f"Found failed daemon pod {where} kill it")
            todo.delete.append((pod, "daemonset-finished"))
        return min(again, default=None)

    def _apply(self, ds: Map, todo: Plan, digest: str) -> ApiError | None:
        """syncNodes."""
        spec = daemon_spec(ds)
        generation = (ds["metadata"].get("annotations") or EMPTY).get(GENERATION)
        labels = {revisions.HASH: digest, **({"pod-template-generation": generation} if generation else {})}

        def create(index: int) -> None:
            node = todo.create[index]
            pod = new_pod(ds["spec"]["template"], ds, generate=ds["metadata"]["name"] + "-", labels=labels,
                          spec={**spec, "affinity": pinned_affinity(spec, node)})
            create_pod(self.client, ds, pod, Cause("daemonset-missing", {"node": node}))
        _, first_error = slow_start(min(len(todo.create), BURST), create)
        if first_error is not None and namespace_terminating(first_error):
            first_error = None
        for pod, rule in todo.delete[:BURST]:
            try:
                delete_pod(self.client, ds, pod, Cause(rule, {"node": target_node(pod)}))
            except ApiError as error:
                first_error = first_error or error
        return first_error

    def _write_status(self, ds: Map, total: dict[str, Any]) -> None:
        old = ds.get("status") or EMPTY
        kept = {key: old[key] for key in ("collisionCount", "conditions") if key in old}
        status = conditions.drop_zeros({**total, "observedGeneration": ds["metadata"].get("generation", 0), **kept},
                                       "currentNumberScheduled",
                                       "numberMisscheduled", "desiredNumberScheduled", "numberReady", "collisionCount")
        if status != old:
            facts_ = {"desired": total["desiredNumberScheduled"], "ready": total["numberReady"]}
            self.client.update("daemonsets", {**ds, "status": status}, subresource="status",
                               cause=Cause("daemonset-status", facts_))
