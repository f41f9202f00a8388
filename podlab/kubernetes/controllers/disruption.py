"""PodDisruptionBudgets: how many Pods may be evicted just now (pkg/controller/disruption/disruption.go)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..cause import Cause
from ..component import Controller, own_key
from ..controllers_common import conditions
from ..controllers_common.conditions import int_or_percent
from ..controllers_common.owners import controller_of
from ..controllers_common.pods import counted_by, is_deleting, is_ready
from ..etcd import Change, Heed
from ..objects import EMPTY, Map
from ..resources import by_api_kind
from ..selectors import selects
from ..times import parse_rfc3339, rfc3339

DELETION_TIMEOUT_MS = 120_000  # DeletionTimeout: an evicted Pod that is still there after this counts again


def _of_pod(controller: Controller, change: Change) -> Iterable[str]:
    namespace = change.object["metadata"]["namespace"]
    budgets = controller.cluster.etcd.list("poddisruptionbudgets", namespace)
    return [f"{namespace}/{budget['metadata']['name']}" for budget in budgets
            if any(obj is not None and selects(budget["spec"].get("selector"), obj["metadata"].get("labels"))
                   for obj in (change.object, change.old))]


class Unscaled(Exception):
    """Why nobody can tell how many Pods there should be."""


@dataclass
class Numbers:
    """What a budget's status says."""

    expected: int
    desired: int
    healthy: int

    @property
    def allowed(self) -> int:
        return max(0, self.healthy - self.desired) if self.expected > 0 else 0


def numbers(spec: Any, pods: list[Map], scale: int, healthy: int) -> Numbers:
    """getExpectedPodCount, updatePdbStatus. `scale`: the sum of the Pods' controllers' replicas. Percents round up, both ways."""
    if spec.get("maxUnavailable") is not None:
        return Numbers(scale, max(0, scale - int_or_percent(spec["maxUnavailable"], scale, up=True)), healthy)
    minimum = spec.get("minAvailable")
    if isinstance(minimum, str):
        return Numbers(scale, int_or_percent(minimum, scale, up=True), healthy)
    return Numbers(len(pods), minimum or 0, healthy)


class DisruptionController(Controller):
    name = "disruption-controller"
    source = "controllermanager"  # the component that its Events name
    latency_ms = 2  # recorded: it has told that a budget matches no Pods before the Pods of a Deployment applied just before are there
    watches = {"poddisruptionbudgets": own_key, "pods": _of_pod}
    heeds = {"pods": Heed(counted_by, bool)}

    def reconcile(self, key: str) -> int | None:
        budget = self.cluster.etcd.get("poddisruptionbudgets", key)
        if budget is None:
            return None
        spec, namespace = budget["spec"], budget["metadata"]["namespace"]
        pods = [pod for pod in self.cluster.etcd.list("pods", namespace)
                if selects(spec.get("selector"), pod["metadata"].get("labels"))]
        if not pods:
            self._event(budget, "Normal", "NoPods", "No matching pods found")
        disrupted, again = self._disrupted(budget, pods)
        scale, unmanaged = 0, False
        if spec.get("maxUnavailable") is not None or isinstance(spec.get("minAvailable"), str):
            try:
                scale, unmanaged = self._scale(pods)
            except Unscaled as error:
                self._event(budget, "Warning", "CalculateExpectedPodCountFailed", f"Failed to calculate the number of expected pods: {error}")
                self._fail_safe(budget, str(error))
                return again
        if unmanaged:
            self._event(budget, "Warning", "UnmanagedPods", "Pods selected by this PodDisruptionBudget (selector: "
                        f"{_selector_text(spec)}) were found to be unmanaged. As a result, the status of the PDB cannot be "
                        "calculated correctly, which may result in undefined behavior. To account for these pods please set "
                        "\".spec.minAvailable\" field of the PDB to an integer value.")
        healthy = sum(1 for pod in pods if is_ready(pod) and not is_deleting(pod) and pod["metadata"]["name"] not in disrupted)
        self._write(budget, numbers(spec, pods, scale, healthy), disrupted)
        return again

    def _scale(self, pods: list[Map]) -> tuple[int, bool]:
        """getExpectedScale: (sum of the replicas of the Pods' controllers, whether some Pod has none). Raises Unscaled."""
        found: dict[str, int] = {}
        unmanaged = False
        for pod in pods:
            reference = controller_of(pod)
            if reference is None:
                unmanaged = True
            else:
                owner = self._scaled_owner(pod, reference)
                found[owner["metadata"]["uid"]] = owner["spec"].get("replicas", 1)
        return sum(found.values()), unmanaged

    def _scaled_owner(self, pod: Map, reference: Map) -> Map:
        namespace, resource = pod["metadata"]["namespace"], by_api_kind(reference["apiVersion"], reference["kind"])
        if resource is None:
            group, _, version = reference["apiVersion"].rpartition("/")
            raise Unscaled(f'no matches for kind "{reference["kind"]}" in version "{f"{group}/" if group else ""}{version}"')
        if "scale" not in resource.subresources:
            raise Unscaled(f"{resource.qualified} does not implement the scale subresource")
        owner = self.client.find(resource.plural, reference["name"], namespace)
        if owner is None or owner["metadata"]["uid"] != reference["uid"]:
            raise Unscaled(f'found no controllers for pod "{pod["metadata"]["name"]}"')
        parent = controller_of(owner)
        deployment = self.client.find("deployments", parent["name"],
                                      namespace) if parent is not None and parent["kind"] == "Deployment" else None
        return deployment if deployment is not None else owner

    def _disrupted(self, budget: Map, pods: list[Map]) -> tuple[dict[str, str], int | None]:
        """buildDisruptedPodMap: evicted Pods that are about to go, and ms until the first of them has taken too long."""
        noted = (budget.get("status") or EMPTY).get("disruptedPods") or EMPTY
        kept: dict[str, str] = {}
        waits: list[int] = []
        for pod in pods:
            name = pod["metadata"]["name"]
            if is_deleting(pod) or name not in noted:
                continue
            left = parse_rfc3339(noted[name]) + DELETION_TIMEOUT_MS - self.now
            if left <= 0:
                self._event(pod, "Warning", "NotDeleted",
                            f"Pod was expected by PDB {budget['metadata']['namespace']}/{budget['metadata']['name']} "
                            "to be deleted but it wasn't")
            else:
                kept[name] = noted[name]
                waits.append(left)
        return kept, min(waits, default=None)

    def _fail_safe(self, budget: Map, why: str) -> None:
        """Nobody may be evicted while nobody knows how many Pods there should be."""
        old = budget.get("status") or EMPTY
        condition = {**self._condition(old, ("False", "SyncFailed"), old.get("observedGeneration", 0)), "message": why}
        self._store(budget, {**old, "disruptionsAllowed": 0, "conditions": _with(old, condition)}, Numbers(0, 0, 0))

    def _condition(self, old: Map, enough: tuple[str, str], generation: int) -> dict[str, Any]:
        held = conditions.of(old.get("conditions") or (), "DisruptionAllowed")
        since = held["lastTransitionTime"] if held is not None and held["status"] == enough[0] else rfc3339(self.now)
        seen = {"observedGeneration": generation} if generation else {}  # omitempty: a budget that no round has seen yet
        return {"type": "DisruptionAllowed", "status": enough[0], **seen, "lastTransitionTime": since, "reason": enough[1], "message": ""}

    def _write(self, budget: Map, found: Numbers, disrupted: dict[str, str]) -> None:
        generation = budget["metadata"].get("generation", 1)
        old = budget.get("status") or EMPTY
        enough = ("True", "SufficientPods") if found.allowed > 0 else ("False", "InsufficientPods")
        status: dict[str, Any] = {"observedGeneration": generation, "disruptionsAllowed": found.allowed,
                                  "currentHealthy": found.healthy,
                                  "desiredHealthy": found.desired, "expectedPods": found.expected,
                                  "conditions": _with(old, self._condition(old, enough, generation))}
        if disrupted:
            status["disruptedPods"] = disrupted
        self._store(budget, status, found)

    def _store(self, budget: Map, status: dict[str, Any], found: Numbers) -> None:
        if status != (budget.get("status") or EMPTY):
            self.client.update("poddisruptionbudgets", {**budget, "status": status}, subresource="status",
                               cause=Cause("pdb-status",
                                           {"allowed": found.allowed, "healthy": found.healthy, "desired": found.desired}))

    def _event(self, obj: Map, kind: str, reason: str, message: str) -> None:
        self.cluster.events.record(self.source, obj, kind, reason, message, None, None)


def _with(status: Map, condition: dict[str, Any]) -> list[Any]:
    return [*(c for c in status.get("conditions") or () if c["type"] != condition["type"]), condition]


def _selector_text(spec: Any) -> str:
    labels = (spec.get("selector") or EMPTY).get("matchLabels") or EMPTY
    return "&LabelSelector{MatchLabels:map[string]string{" + "".join(f"{k}: {labels[k]},"
                                                                     for k in sorted(labels)) + "},MatchExpressions:[]" \
        "LabelSelectorRequirement{},}"
