"""ReplicaSet: as many Pods as asked for, no more, no fewer (pkg/controller/replicaset/replica_set.go)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..apiserver.errors import ApiError
from ..cause import Cause
from ..component import Controller, own_key, owner_key
from ..controllers_common import conditions
from ..controllers_common.owners import Orphans, claim, controlled, controller_of, selecting, several
from ..controllers_common.pods import count, is_active, is_terminating, pods_to_delete, unchanged
from ..controllers_common.templates import BURST, create_pod, delete_pod, namespace_terminating, new_pod, slow_start
from ..etcd import Change
from ..objects import EMPTY, Map
from ..selectors import selects
from ..times import rfc3339

_of_pod = several(owner_key("ReplicaSet"), selecting("replicasets", lambda rs, pod: selects(rs["spec"]["selector"], pod["metadata"].get("labels"))))


def _pod_keys(controller: Controller, change: Change) -> Any:
    return () if unchanged(change) else _of_pod(controller, change)


@dataclass
class Plan:
    """How many Pods to make, and which to delete."""

    create: int = 0
    delete: list[Map] = field(default_factory=list)


def plan(replicas: int, active: list[Map], related: list[Map], now: int) -> Plan:
    """manageReplicas: `related` are the Pods of all ReplicaSets of the same owner, for ranking by node."""
    difference = len(active) - replicas
    if difference < 0:
        return Plan(create=min(-difference, BURST))
    if difference > 0:
        return Plan(delete=pods_to_delete(active, related, min(difference, BURST), now))
    return Plan()


def status_of(rs: Map, active: list[Map], terminating: int, error: ApiError | None, now: int) -> tuple[dict[str, Any], int | None]:
    """calculateStatus: the status to write, and ms until a ready Pod has been ready for minReadySeconds."""
    spec, old = rs["spec"], rs.get("status") or EMPTY
    wanted = (spec["template"].get("metadata") or EMPTY).get("labels") or EMPTY
    labeled = sum(1 for pod in active if wanted.items() <= (pod["metadata"].get("labels") or EMPTY).items())
    counts = count(active, spec.get("minReadySeconds") or 0, now)
    held = [c for c in old.get("conditions") or () if c["type"] != "ReplicaFailure"]
    failure = conditions.find(rs, "ReplicaFailure")
    if error is not None:
        reason = "FailedCreate" if len(active) < spec.get("replicas", 1) else "FailedDelete"
        held.append(failure or {"type": "ReplicaFailure", "status": "True", "lastTransitionTime": rfc3339(now), "reason": reason,
                                "message": error.message})
    status = {"replicas": len(active), "fullyLabeledReplicas": labeled, "readyReplicas": counts.ready, "availableReplicas": counts.available,
              "terminatingReplicas": terminating, "observedGeneration": rs["metadata"].get("generation", 0), "conditions": held}
    return conditions.drop_zeros(status, "replicas", "terminatingReplicas"), counts.next_available_ms


class ReplicaSetController(Controller):
    name = "replicaset-controller"
    watches = {"replicasets": own_key, "pods": _pod_keys}

    def restore(self) -> None:
        self.orphans = Orphans(self.cluster.etcd, "pods")
        super().restore()

    def reconcile(self, key: str) -> int | None:
        rs = self.cluster.etcd.get("replicasets", key)
        if rs is None:
            return None
        uid = rs["metadata"]["uid"]
        owned = controlled(uid, self.cluster.etcd.owned(uid, "pods"))
        active = self._claim(rs, [pod for pod in owned if is_active(pod)])
        error = None
        if not rs["metadata"].get("deletionTimestamp"):
            error = self._apply(rs, active, plan(rs["spec"].get("replicas", 1), active, self._related(rs, active), self.now))
        status, again = status_of(rs, active, sum(map(is_terminating, owned)), error, self.now)
        if status != rs.get("status"):
            facts = {"replicas": status["replicas"], "ready": status.get("readyReplicas", 0)}
            self.client.update("replicasets", {**rs, "status": status}, subresource="status", cause=Cause("replicaset-status", facts))
        if error is not None:
            raise error
        return again

    def _claim(self, rs: Map, active: list[Map]) -> list[Map]:
        selector = rs["spec"]["selector"]
        orphans = [pod for pod in self.orphans.of(rs["metadata"]["namespace"]) if is_active(pod)]
        return claim(self.client, rs, "pods", active, orphans, lambda pod: selects(selector, pod["metadata"].get("labels")))

    def _related(self, rs: Map, active: list[Map]) -> list[Map]:
        """getIndirectlyRelatedPods; needed only when some must go."""
        if len(active) <= rs["spec"].get("replicas", 1):
            return []
        owner = controller_of(rs)
        if owner is None:
            return active
        sets = controlled(owner["uid"], self.cluster.etcd.owned(owner["uid"], "replicasets"))
        return [pod for one in sets for pod in self.cluster.etcd.owned(one["metadata"]["uid"], "pods")]

    def _apply(self, rs: Map, active: list[Map], todo: Plan) -> ApiError | None:
        facts = {"have": len(active), "want": rs["spec"].get("replicas", 1)}
        if todo.create:
            pod = new_pod(rs["spec"]["template"], rs, generate=rs["metadata"]["name"] + "-")
            cause = Cause("replicaset-too-few", facts)
            _, error = slow_start(todo.create, lambda _: create_pod(self.client, rs, pod, cause))
            return None if error is None or namespace_terminating(error) else error
        first_error = None
        for pod in todo.delete:
            try:
                delete_pod(self.client, rs, pod, Cause("replicaset-too-many", facts))
            except ApiError as error:
                first_error = first_error or error
        return first_error
