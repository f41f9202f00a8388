"""Pod garbage collector: Pods whose node has gone, and Pods that nobody will finish (pkg/controller/podgc/gc_controller.go).

The real one sweeps every 20 seconds; this one sweeps at those times, but only while something may have to be swept.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..apiserver.errors import ApiError
from ..cause import Cause
from ..component import Controller
from ..controllers_common.pod_status import condition, with_status
from ..controllers_common.pods import facts, is_deleting
from ..etcd import RESHAPED_OR_ENDED, Change
from ..objects import EMPTY, Map

PERIOD_MS = 20_000  # gcCheckPeriod
QUARANTINE_MS = 40_000  # quarantineTime: a node must have been away so long
TERMINATED_MAX = 12_500  # --terminated-pod-gc-threshold
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
SWEEP = "sweep"


def _of_node(controller: Controller, change: Change) -> Iterable[str]:
    out = any(taint["key"] == OUT_OF_SERVICE for taint in change.object["spec"].get("taints") or ())
    return (SWEEP,) if out or (change.type == "DELETED" and controller.cluster.etcd.pods_on(change.key)) else ()


def _of_pod(controller: Controller, change: Change) -> Iterable[str]:
    pod, etcd = change.object, controller.cluster.etcd
    if change.type == "DELETED":
        return ()
    node = pod["spec"].get("nodeName")
    if node:
        lost = etcd.get("nodes", node) is None
    else:
        lost = is_deleting(pod)
    return (SWEEP,) if lost or (etcd.count("pods") > TERMINATED_MAX and facts(pod).phase in ("Succeeded", "Failed")) else ()


class PodGCController(Controller):
    name = "pod-garbage-collector"
    watches = {"nodes": _of_node, "pods": _of_pod}
    heeds = {"pods": RESHAPED_OR_ENDED}

    def __init__(self, cluster: Any) -> None:
        super().__init__(cluster)
        self.state["missing"] = {}  # node -> ms since when it is known to have gone

    def enqueue(self, key: str, after_ms: int | None = None, because: int | None = None) -> None:
        super().enqueue(key, after_ms if after_ms is not None else PERIOD_MS - self.now % PERIOD_MS, because)

    def reconcile(self, key: str) -> int | None:
        pods = self.cluster.etcd.list("pods")
        unfinished = [self._sweep_terminated(pods), self._sweep_orphaned(pods), self._sweep_terminating(pods)]
        return PERIOD_MS if any(unfinished) else None

    def _sweep_terminated(self, pods: list[Map]) -> bool:
        """gcTerminated: evicted Pods first, then the oldest."""
        ended = [pod for pod in pods if facts(pod).phase in ("Succeeded", "Failed") and not is_deleting(pod)]
        surplus = len(ended) - TERMINATED_MAX
        if surplus > 0:
            ended.sort(key=lambda pod: (pod["status"].get("reason") != "Evicted", pod["metadata"]["creationTimestamp"],
                                        pod["metadata"]["name"]))
            for pod in ended[:surplus]:
                self._delete(pod, Cause("podgc-too-many", {"limit": TERMINATED_MAX}))
        return False

    def _sweep_orphaned(self, pods: list[Map]) -> bool:
        """gcOrphaned: after the quarantine. Returns whether some are still in it."""
        missing: dict[str, int] = self.state["missing"]
        gone = {node: None for pod in pods if (node := facts(pod).node) and self.cluster.etcd.get("nodes", node) is None}
        for node in [node for node in missing if node not in gone]:
            del missing[node]
        for node in gone:
            missing.setdefault(node, self.now)
        waiting = False
        for pod in pods:
            since = missing.get(facts(pod).node)
            if since is not None and self.now - since < QUARANTINE_MS:
                waiting = True
            elif since is not None:
                self._fail(pod, "PodGC: node no longer exists", Cause("podgc-orphaned", {"node": facts(pod).node}))
        return waiting

    def _sweep_terminating(self, pods: list[Map]) -> bool:
        """gcUnscheduledTerminating and gcTerminating (out-of-service nodes). Returns whether such a node may still need it."""
        watching = False
        for pod in pods:
            node = self.cluster.etcd.get("nodes", facts(pod).node) if facts(pod).node else None
            out = node is not None and any(taint["key"] == OUT_OF_SERVICE for taint in node["spec"].get("taints") or ())
            watching = watching or out
            if not is_deleting(pod):
                continue
            if not facts(pod).node:
                self._delete(pod, Cause("podgc-unscheduled"))
            elif out and node is not None and not _ready(node):
                self._fail(pod, "PodGC: pod is terminating on an out-of-service node",
                           Cause("podgc-out-of-service", {"node": facts(pod).node}))
        return watching

    def _fail(self, pod: Map, message: str, cause: Cause) -> None:
        """markFailedAndDeletePodWithCondition."""
        status = pod.get("status") or EMPTY
        if status.get("phase") not in ("Succeeded", "Failed"):
            target = condition(pod, "DisruptionTarget", "True", "DeletionByPodGC", message, self.now)
            pod = self.client.update("pods", with_status(pod, target, {"phase": "Failed"}), subresource="status", cause=cause)
        self._delete(pod, cause)

    def _delete(self, pod: Map, cause: Cause) -> None:
        try:
            self.client.delete("pods", pod["metadata"]["name"], pod["metadata"]["namespace"], grace=0,
                               uid=pod["metadata"]["uid"], cause=cause)
        except ApiError as error:
            if error.code != 404:
                raise


def _ready(node: Map) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in (node.get("status") or EMPTY).get("conditions") or ())
