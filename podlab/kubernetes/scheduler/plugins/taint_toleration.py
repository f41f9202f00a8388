"""TaintToleration: taints keep Pods away; NoSchedule and NoExecute always, PreferNoSchedule if there is a better node."""

from __future__ import annotations

from collections.abc import Iterable

from ...objects import EMPTY, Map
from ..cluster_view import ClusterView
from ..framework import ClusterEvent, Prepared, Refusal, scaled_to_maximum
from ..node_info import NodeInfo

# 1.36 no longer shows which taint (TaintToleration.Filter)
REFUSAL = Refusal(("node(s) had untolerated taint(s)",), final=True)


def tolerates(pod: Map, taint: Map, effects: tuple[str, ...] = ()) -> bool:
    """Whether any toleration of the Pod covers the taint; `effects` narrows to tolerations of those effects (or of all)."""
    return any(_covers(toleration, taint) for toleration in pod["spec"].get("tolerations") or ()
               if not effects or toleration.get("effect", "") in effects)


def _covers(toleration: Map, taint: Map) -> bool:
    """Toleration.ToleratesTaint: an empty effect or key covers all of them."""
    effect, key = toleration.get("effect"), toleration.get("key")
    if (effect and effect != taint["effect"]) or (key and key != taint["key"]):
        return False
    operator = toleration.get("operator") or "Equal"
    if operator == "Exists":
        return True
    return operator == "Equal" and (toleration.get("value") or "") == (taint.get("value") or "")


def untolerated(pod: Map, taints: Iterable[Map]) -> bool:
    return any(not tolerates(pod, taint) for taint in taints)


def pre_filter(pod: Map, view: ClusterView) -> Prepared | None:
    return Prepared(None) if any(node.hard_taints for node in view.ordered) else None


def filter(pod: Map, node: NodeInfo, _: None) -> Refusal | None:
    return REFUSAL if node.hard_taints and untolerated(pod, node.hard_taints) else None


def pre_score(pod: Map, view: ClusterView, nodes: list[NodeInfo]) -> bool:
    """Never skipped: without any PreferNoSchedule taint all nodes get the full score."""
    return True


def score(pod: Map, node: NodeInfo, _: bool) -> int:
    """How many PreferNoSchedule taints the Pod does not tolerate (fewer is better: see `normalize`)."""
    return sum(1 for taint in node.soft_taints if not tolerates(pod, taint, ("", "PreferNoSchedule")))


def normalize(scores: list[int], nodes: list[NodeInfo], _: bool) -> list[int]:
    return scaled_to_maximum(scores, reverse=True)


def hint(pod: Map, event: ClusterEvent) -> bool:
    """A node whose taints the Pod tolerates now, and did not before; or new tolerations of its own."""
    if event.kind == "self":
        return (event.old is None or event.new is None
                or event.old["spec"].get("tolerations") != event.new["spec"].get("tolerations"))
    if event.kind != "node" or event.new is None:
        return False
    return not untolerated(pod, _hard(event.new)) and (event.old is None or untolerated(pod, _hard(event.old)))


def _hard(node: Map) -> list[Map]:
    return [t for t in (node.get("spec") or EMPTY).get("taints") or () if t["effect"] in ("NoSchedule", "NoExecute")]
