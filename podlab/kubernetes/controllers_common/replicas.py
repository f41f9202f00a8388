"""As many Pods as asked for, no more, no fewer: what ReplicaSets and ReplicationControllers do alike.

Source: pkg/controller/replicaset/replica_set.go, replica_set_utils.go; pkg/controller/replication only converts types.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

from ..apiserver.errors import ApiError
from ..cause import Cause
from ..component import Controller
from ..objects import EMPTY, Map, memo
from ..times import rfc3339
from . import conditions
from .owners import Orphans, claim, controlled, controller_of
from .pods import count, facts, is_active, pods_to_delete
from .templates import BURST, create_pod, delete_pod, namespace_terminating, new_pod, slow_start


@dataclass
class Plan:
    """How many Pods to make, and which to delete."""

    create: int = 0
    delete: list[Map] = field(default_factory=list)


PODS_A_MS = 20


def plan(replicas: int, active: list[Map], related: list[Map], now: int) -> Plan:
    """manageReplicas: `related` are the Pods of all sets of the same owner, for ranking by node."""
    difference = len(active) - replicas
    if difference < 0:
        return Plan(create=min(-difference, BURST))
    if difference > 0:
        return Plan(delete=pods_to_delete(active, related, min(difference, BURST), now))
    return Plan()


def status_of(owner: Map, active: list[Map], labeled: int, error: ApiError | None, now: int) -> tuple[dict[str, Any], int | None]:
    """calculateStatus: the status to write, and ms until a ready Pod has been ready for minReadySeconds. `labeled`: how many of the active
    Pods have all labels of the template."""
    spec, old = owner["spec"], owner.get("status") or EMPTY
    counts = count(active, spec.get("minReadySeconds") or 0, now)
    held = [c for c in old.get("conditions") or () if c["type"] != "ReplicaFailure"]
    failure = conditions.find(owner, "ReplicaFailure")
    if error is not None:
        reason = "FailedCreate" if len(active) < spec.get("replicas", 1) else "FailedDelete"
        held.append(failure or {"type": "ReplicaFailure", "status": "True", "lastTransitionTime": rfc3339(now), "reason": reason,
                                "message": error.message})
    status = {"replicas": len(active), "fullyLabeledReplicas": labeled, "readyReplicas": counts.ready,
              "availableReplicas": counts.available,
              "observedGeneration": owner["metadata"].get("generation", 0), "conditions": held}
    return conditions.drop_zeros(status, "replicas"), counts.next_available_ms


class ReplicaController(Controller):
    """The control loop; a subclass names its kind and says what its selector picks."""

    plural: ClassVar[str]
    rule: ClassVar[str]  # prefix of its rule codes
    counts_terminating: ClassVar[bool] = False  # terminatingReplicas is a field of ReplicaSets only

    @abstractmethod
    def matches(self, owner: Map, pod: Map) -> bool: ...

    def related(self, owner: Map, active: list[Map]) -> Iterable[Map]:
        """Pods to rank against on a scale-down (getIndirectlyRelatedPods)."""
        parent = controller_of(owner)
        if parent is None:
            return active
        sets = controlled(parent["uid"], self.cluster.etcd.owned(parent["uid"], self.plural))
        return [pod for one in sets for pod in self.cluster.etcd.owned(one["metadata"]["uid"], "pods")]

    def enqueue(self, key: str, after_ms: int | None = None, because: int | None = None) -> None:
        """A sync of a large set takes longer, so that more changes fall into the next one (some 50 us a Pod in reality)."""
        if after_ms is None:
            waiting = self.state["queue"].get(key)
            if waiting and waiting[1] <= self.now + self.latency_ms:  # nothing that is asked for now comes before it
                return
            if (owner := self.cluster.etcd.get(self.plural, key)) is not None:
                after_ms = self.latency_ms + (owner.get("status") or EMPTY).get("replicas", 0) // PODS_A_MS
        super().enqueue(key, after_ms, because)

    def restore(self) -> None:
        self.orphans = Orphans(self.cluster.etcd, "pods")
        super().restore()

    def reconcile(self, key: str) -> int | None:
        owner = self.cluster.etcd.get(self.plural, key)
        if owner is None:
            return None
        uid, replicas = owner["metadata"]["uid"], owner["spec"].get("replicas", 1)
        owned = [(pod, known) for pod in self.cluster.etcd.owned(uid, "pods") if (known := facts(pod)).controller == uid]
        orphans = [pod for pod in self.orphans.of(owner["metadata"]["namespace"]) if is_active(pod)]
        note, judge = f"judged/{uid}/{owner['metadata'].get('generation', 0)}", partial(self._judge, owner)
        active = claim(self.client, owner, "pods", [pod for pod, known in owned if known.active], orphans, lambda pod: memo(pod, note, judge)[0])
        error = None
        if not owner["metadata"].get("deletionTimestamp"):
            related = list(self.related(owner, active)) if len(active) > replicas else []
            error = self._apply(owner, active, plan(replicas, active, related, self.now))
        status, again = status_of(owner, active, sum([memo(pod, note, judge)[1] for pod in active]), error, self.now)
        if self.counts_terminating:
            status["terminatingReplicas"] = sum([known.terminating for _, known in owned])
        if status != owner.get("status"):
            told = {"replicas": status["replicas"], "ready": status.get("readyReplicas", 0)}
            self.client.update(self.plural, {**owner, "status": status}, subresource="status", cause=Cause(f"{self.rule}-status", told))
        if error is not None:
            raise error
        return again

    def _judge(self, owner: Map, pod: Map) -> tuple[bool, bool]:
        """Whether the owner's selector picks a Pod, and whether that has all labels of the template."""
        wanted = ((owner["spec"].get("template") or EMPTY).get("metadata") or EMPTY).get("labels") or EMPTY
        return self.matches(owner, pod), wanted.items() <= (pod["metadata"].get("labels") or EMPTY).items()

    def _apply(self, owner: Map, active: list[Map], todo: Plan) -> ApiError | None:
        told = {"have": len(active), "want": owner["spec"].get("replicas", 1)}
        if todo.create:
            pod = new_pod(owner["spec"]["template"], owner, generate=owner["metadata"]["name"] + "-")
            cause = Cause(f"{self.rule}-too-few", told)
            _, error = slow_start(todo.create, lambda _: create_pod(self.client, owner, pod, cause))
            return None if error is None or namespace_terminating(error) else error
        first_error = None
        for pod in todo.delete:
            try:
                delete_pod(self.client, owner, pod, Cause(f"{self.rule}-too-many", told))
            except ApiError as error:
                first_error = first_error or error
        return first_error
