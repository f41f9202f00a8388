"""NodeAffinity: nodeSelector and node affinity, required and preferred."""

from __future__ import annotations

from ...objects import EMPTY, Map, memo
from ...selectors import Requirement, matches
from ..cluster_view import ClusterView
from ..framework import ClusterEvent, Prepared, Refusal, scaled_to_maximum
from ..node_info import NodeInfo

REFUSAL = Refusal(("node(s) didn't match Pod's node affinity/selector",), final=True)  # ErrReasonPod
CONFLICT = Refusal(("pod affinity terms conflict",), final=True)  # errReasonConflict

Term = tuple[tuple[Requirement, ...], tuple[Requirement, ...]]  # on labels, on fields (metadata.name)


def _term(term: Map) -> Term:
    def requirements(expressions: list[Map]) -> tuple[Requirement, ...]:
        return tuple((e["key"], e["operator"], tuple(e.get("values") or ())) for e in expressions)
    return requirements(term.get("matchExpressions") or []), requirements(term.get("matchFields") or [])


def _term_matches(term: Map, name: str, labels: Map) -> bool:
    """A term without any expression matches no node (nodeaffinity.nodeSelectorTerm)."""
    on_labels, on_fields = memo(term, "node-term", _term)
    if not on_labels and not on_fields:
        return False
    return matches(on_labels, labels) and matches(on_fields, {"metadata.name": name})


def _required_terms(pod: Map) -> list[Map] | None:
    """Terms of the required affinity, any of which must match; None when there is no such affinity."""
    affinity = (pod["spec"].get("affinity") or EMPTY).get("nodeAffinity") or EMPTY
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    return None if required is None else required.get("nodeSelectorTerms") or []


def matches_node(pod: Map, name: str, labels: Map) -> bool:
    """Whether nodeSelector and the required node affinity allow a node (GetRequiredNodeAffinity(pod).Match)."""
    selector = pod["spec"].get("nodeSelector")
    if selector and any(labels.get(key) != wanted for key, wanted in selector.items()):
        return False
    terms = _required_terms(pod)
    return terms is None or any(_term_matches(term, name, labels) for term in terms)


def pre_filter(pod: Map, view: ClusterView) -> Prepared | Refusal | None:
    """Skip without constraints. Terms that all name their node (as a DaemonSet's Pods do) narrow the search to those nodes."""
    terms = _required_terms(pod)
    if terms is None:
        return Prepared(None) if pod["spec"].get("nodeSelector") else None
    wanted: set[str] = set()
    for term in terms:
        in_term: set[str] | None = None
        for key, operator, values in memo(term, "node-term", _term)[1]:
            if key == "metadata.name" and operator == "In":
                in_term = set(values) if in_term is None else in_term & set(values)
        if in_term is None:
            return Prepared(None)
        wanted |= in_term
    if terms and not wanted:
        return CONFLICT
    return Prepared(None, frozenset(wanted) if terms else None)


def filter(pod: Map, node: NodeInfo, _: None) -> Refusal | None:
    return None if matches_node(pod, node.name, node.labels) else REFUSAL


def pre_score(pod: Map, view: ClusterView, nodes: list[NodeInfo]) -> list[Map] | None:
    affinity = (pod["spec"].get("affinity") or EMPTY).get("nodeAffinity") or EMPTY
    return affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or None


def score(pod: Map, node: NodeInfo, preferred: list[Map]) -> int:
    """Weights of the preferred terms that the node matches, added up."""
    return sum(item["weight"] for item in preferred if _term_matches(item["preference"], node.name, node.labels))


def normalize(scores: list[int], nodes: list[NodeInfo], _: list[Map]) -> list[int]:
    return scaled_to_maximum(scores, reverse=False)


def hint(pod: Map, event: ClusterEvent) -> bool:
    """A node that matches now and did not before."""
    if event.kind != "node" or event.new is None:
        return False
    return _allows(pod, event.new) and (event.old is None or not _allows(pod, event.old))


def _allows(pod: Map, node: Map) -> bool:
    return matches_node(pod, node["metadata"]["name"], node["metadata"].get("labels") or EMPTY)
