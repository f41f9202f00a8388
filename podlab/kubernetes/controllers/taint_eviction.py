"""Taint eviction: Pods leave a node with NoExecute taints once they no longer tolerate them (pkg/controller/tainteviction)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..apiserver.errors import ApiError
from ..cause import Cause
from ..component import Controller
from ..controllers_common.pod_status import condition, with_status
from ..controllers_common.taints import tolerates
from ..etcd import RESHAPED, Change
from ..objects import Map

EVERY_MS = 100  # two requests for each Pod, at the controller manager's 20 a second (--kube-api-qps) once its burst is spent


def no_execute(node: Map | None) -> list[Map]:
    taints = (node["spec"].get("taints") or ()) if node is not None else ()
    return [taint for taint in taints if taint["effect"] == "NoExecute"]


def used_tolerations(taints: Sequence[Any], tolerations: Sequence[Any]) -> list[Any] | None:
    """Of each taint what tolerates it; None where nothing tolerates one (GetMatchingTolerations)."""
    used = [next((t for t in tolerations if tolerates(t, taint)), None) for taint in taints]
    return None if None in used else used


def seconds_left(used: Sequence[Any] | None) -> float | None:
    """How long a Pod may stay that has these tolerations for its node's taints: 0 with none, None for ever (getMinTolerationTime)."""
    if used is None:
        return 0
    limits = [max(0, t["tolerationSeconds"]) for t in used if t.get("tolerationSeconds") is not None]
    return min(limits, default=None)


def _pods_of_node(controller: Controller, change: Change) -> Iterable[str]:
    if change.type != "DELETED" and no_execute(change.old) == no_execute(change.object):
        return ()
    return [f"{pod['metadata']['namespace']}/{pod['metadata']['name']}" for pod in controller.cluster.etcd.pods_on(change.key)]


def _pod(controller: Controller, change: Change) -> Iterable[str]:
    """A Pod that came to a tainted node, or that is waited for and went."""
    planned = change.key in controller.state["planned"]
    if change.type == "DELETED":
        return (change.key,) if planned else ()
    node = change.object["spec"].get("nodeName")
    if not node or (change.old is not None and change.old["spec"] == change.object["spec"]):
        return ()
    return (change.key,) if planned or no_execute(controller.cluster.etcd.get("nodes", node)) else ()


class TaintEvictionController(Controller):
    name = "taint-eviction-controller"
    latency_ms = 5
    watches = {"nodes": _pods_of_node, "pods": _pod}
    heeds = {"pods": RESHAPED}

    def __init__(self, cluster: Any) -> None:
        super().__init__(cluster)
        # planned: pod key -> [uid, ms at which it goes, ms of its turn or None], Pods that leave when their tolerations end
        # free_at: ms at which the next one may be evicted
        self.state.update(planned={}, free_at=0)

    def reconcile(self, key: str) -> int | None:
        planned: dict[str, list[Any]] = self.state["planned"]
        pod, plan = self.cluster.etcd.get("pods", key), planned.get(key)
        if plan is not None and (pod is None or pod["metadata"]["uid"] != plan[0]):
            self._cancel(key)
            plan = None
        if pod is None:
            return None
        taints = no_execute(self.cluster.etcd.get("nodes", pod["spec"].get("nodeName") or ""))
        used = used_tolerations(taints, pod["spec"].get("tolerations") or ())
        seconds = seconds_left(used)
        if seconds is None:
            if plan is not None:
                self._cancel(key)
            return None
        if plan is not None and used is None and plan[1] > self.now:  # a taint came that it does not tolerate: no more waiting, and told so
            self._cancel(key)
            plan = None
        # A plan that stands is kept, whatever the tolerations of other taints allow now (processPodOnNode returns)
        due: int = plan[1] if plan is not None else self.now + round(seconds * 1000)
        left = due - self.now
        if left <= 0:
            entry: list[Any] = planned.setdefault(key, [pod["metadata"]["uid"], due, None])
            if entry[2] is None:
                turn: int = max(self.now, self.state["free_at"])
                entry[2], self.state["free_at"] = turn, turn + EVERY_MS
            if self.now < entry[2]:
                return int(entry[2]) - self.now
            del planned[key]
            self._evict(pod, taints, seconds)
            return None
        if plan is None:
            planned[key] = [pod["metadata"]["uid"], due, None]
            self.note("taint-evict-planned", {"taint": taints[0]["key"], "after_ms": left}, f"pods/{key}")
        return left

    def _cancel(self, key: str) -> None:
        self.state["planned"].pop(key, None)
        self._say(key, f"Cancelling deletion of Pod {key}")
        self.note("taint-evict-cancelled", {}, f"pods/{key}")

    def _evict(self, pod: Map, taints: list[Map], seconds: float) -> None:
        """addConditionAndDeletePod."""
        metadata = pod["metadata"]
        cause = Cause("taint-evict", {"taint": taints[0]["key"], "after_ms": round(seconds * 1000)})
        self._say(f"{metadata['namespace']}/{metadata['name']}",
                  f"Marking for deletion Pod {metadata['namespace']}/{metadata['name']}")
        try:
            target = condition(pod, "DisruptionTarget", "True", "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint", self.now)
            if target is not None:
                self.client.update("pods", with_status(pod, target, {}), subresource="status", cause=cause)
            self.client.delete("pods", metadata["name"], metadata["namespace"], uid=metadata["uid"], cause=cause)
        except ApiError as error:
            if error.code != 404:
                raise

    def _say(self, key: str, message: str) -> None:
        """Its Events name the Pod without its uid, so `kubectl describe` does not show them."""
        namespace, _, name = key.partition("/")
        about = Map({"kind": "Pod", "apiVersion": "v1", "metadata": Map({"name": name, "namespace": namespace, "uid": ""})})
        self.client.event(about, "Normal", "TaintManagerEviction", message)
