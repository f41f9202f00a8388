"""InterPodAffinity: be near, or far from, Pods with certain labels; required or preferred, and others' wishes count too.

Sources: pkg/scheduler/framework/plugins/interpodaffinity/{filtering,scoring,plugin}.go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ...objects import EMPTY, Map, memo
from ...selectors import Requirement, from_object, matches
from ..cluster_view import ClusterView
from ..framework import MAX_NODE_SCORE, ClusterEvent, Prepared, Refusal, relabelled
from ..node_info import NodeInfo

AFFINITY = Refusal(("node(s) didn't match pod affinity rules",), final=True)  # ErrReasonAffinityRulesNotMatch
ANTI_AFFINITY = Refusal(("node(s) didn't match pod anti-affinity rules",))  # ErrReasonAntiAffinityRulesNotMatch
EXISTING_ANTI_AFFINITY = Refusal(("node(s) didn't satisfy existing pods anti-affinity rules",))
HARD_POD_AFFINITY_WEIGHT = 1  # HardPodAffinityWeight: what a required affinity of a running Pod adds to scores

Domain = tuple[str, str]  # topology key, value
NamespaceLabels = Callable[[str], Map]


class Term(NamedTuple):
    key: str
    requirements: tuple[Requirement, ...] | None  # None selects nothing
    namespaces: tuple[str, ...]
    namespace_selector: tuple[Requirement, ...] | None
    weight: int

    def picks(self, pod: Map, namespace_labels: NamespaceLabels) -> bool:
        """AffinityTerm.Matches."""
        if self.requirements is None:
            return False
        namespace = pod["metadata"]["namespace"]
        if namespace not in self.namespaces and (self.namespace_selector is None
                                                 or not matches(self.namespace_selector, namespace_labels(namespace))):
            return False
        return matches(self.requirements, pod["metadata"].get("labels") or EMPTY)


class Terms(NamedTuple):
    """All of a Pod's wishes about other Pods."""

    required: tuple[Term, ...]
    required_anti: tuple[Term, ...]
    preferred: tuple[Term, ...]
    preferred_anti: tuple[Term, ...]


NONE = Terms((), (), (), ())


def terms_of(pod: Map) -> Terms:
    affinity = pod["spec"].get("affinity")
    if not affinity or not (affinity.get("podAffinity") or affinity.get("podAntiAffinity")):
        return NONE
    return memo(pod, "affinity-terms", _terms)


def _terms(pod: Map) -> Terms:
    affinity = pod["spec"]["affinity"]
    near, far = affinity.get("podAffinity") or EMPTY, affinity.get("podAntiAffinity") or EMPTY
    required, preferred = "requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution"
    return Terms(*(tuple(_term(pod, term, 0) for term in side.get(required) or ()) for side in (near, far)),
                 *(tuple(_term(pod, item["podAffinityTerm"], item["weight"]) for item in side.get(preferred) or ())
                   for side in (near, far)))


def _term(pod: Map, term: Map, weight: int) -> Term:
    labels = pod["metadata"].get("labels") or EMPTY
    requirements = from_object(term.get("labelSelector"))
    if requirements is not None:
        for member, operator in (("matchLabelKeys", "In"), ("mismatchLabelKeys", "NotIn")):
            extra = tuple((key, operator, (labels[key],)) for key in term.get(member) or () if key in labels)
            requirements = (*requirements, *(r for r in extra if r not in requirements))
    selector = from_object(term.get("namespaceSelector"))
    namespaces = tuple(term.get("namespaces") or ())
    if not namespaces and selector is None:
        namespaces = (pod["metadata"]["namespace"],)
    return Term(term["topologyKey"], requirements, namespaces, selector, weight)


class FilterState(NamedTuple):
    terms: Terms
    existing_anti: dict[Domain, int]
    affinity: dict[Domain, int]
    anti: dict[Domain, int]
    first_of_its_kind: bool  # the Pod satisfies its own affinity: it may go first where nobody matches yet


def pre_filter(pod: Map, view: ClusterView) -> Prepared | None:
    terms = terms_of(pod)
    wary = [node for node in view.ordered if node.anti_affinity_pods]
    if not (terms.required or terms.required_anti or wary):
        return None
    labels = view.namespace_labels
    existing_anti: dict[Domain, int] = {}
    for node in wary:
        for other in node.anti_affinity_pods.values():
            for term in terms_of(other).required_anti:
                if term.key in node.labels and term.picks(pod, labels):
                    _add(existing_anti, (term.key, node.labels[term.key]), 1)
    affinity: dict[Domain, int] = {}
    anti: dict[Domain, int] = {}
    if terms.required or terms.required_anti:
        for node in view.ordered:
            for other in node.pods.values():
                if terms.required and all(term.picks(other, labels) for term in terms.required):
                    for term in terms.required:
                        if term.key in node.labels:
                            _add(affinity, (term.key, node.labels[term.key]), 1)
                for term in terms.required_anti:
                    if term.key in node.labels and term.picks(other, labels):
                        _add(anti, (term.key, node.labels[term.key]), 1)
    if not (terms.required or terms.required_anti or existing_anti):
        return None
    first = bool(terms.required) and not affinity and all(term.picks(pod, labels) for term in terms.required)
    return Prepared(FilterState(terms, existing_anti, affinity, anti, first))


def _add(counts: dict[Domain, int], domain: Domain, amount: int) -> None:
    counts[domain] = counts.get(domain, 0) + amount


def filter(pod: Map, node: NodeInfo, state: FilterState) -> Refusal | None:
    labels = node.labels
    if state.terms.required:
        if any(term.key not in labels for term in state.terms.required):
            return AFFINITY
        near = all((term.key, labels[term.key]) in state.affinity for term in state.terms.required)
        if not near and not state.first_of_its_kind:
            return AFFINITY
    if state.anti and any((term.key, labels.get(term.key)) in state.anti for term in state.terms.required_anti):
        return ANTI_AFFINITY
    if state.existing_anti and any((key, value) in state.existing_anti for key, value in labels.items()):
        return EXISTING_ANTI_AFFINITY
    return None


def pre_score(pod: Map, view: ClusterView, nodes: list[NodeInfo]) -> dict[Domain, int] | None:
    """What each topology domain is worth: the Pod's preferences, and those of the Pods already there about it."""
    terms, labels = terms_of(pod), view.namespace_labels
    choosy = bool(terms.preferred or terms.preferred_anti)
    worth: dict[Domain, int] = {}
    for node in view.ordered:
        others = node.pods if choosy else node.affinity_pods
        for other in others.values():
            for mine, sign in ((terms.preferred, 1), (terms.preferred_anti, -1)):
                for term in mine:
                    if term.key in node.labels and term.picks(other, labels):
                        _add(worth, (term.key, node.labels[term.key]), sign * term.weight)
            theirs = terms_of(other)
            for wanted, sign in ((theirs.required, 0), (theirs.preferred, 1), (theirs.preferred_anti, -1)):
                for term in wanted:
                    if term.key in node.labels and term.picks(pod, labels):
                        _add(worth, (term.key, node.labels[term.key]), sign * term.weight or HARD_POD_AFFINITY_WEIGHT)
    return worth or None


def score(pod: Map, node: NodeInfo, worth: dict[Domain, int]) -> int:
    return sum(worth.get(domain, 0) for domain in node.labels.items())


def normalize(scores: list[int], nodes: list[NodeInfo], _: dict[Domain, int]) -> list[int]:
    """100 x (score - min) / (max - min), 0 for all when they are equal."""
    lowest, highest = min(scores), max(scores)
    if lowest == highest:
        return [0] * len(scores)
    return [int(MAX_NODE_SCORE * ((score - lowest) / (highest - lowest))) for score in scores]


def hint(pod: Map, event: ClusterEvent) -> bool:
    """Pods that match the terms came, went or changed labels; or a node got another value of a topology key."""
    terms = terms_of(pod)
    if event.kind == "self":
        return relabelled(event)
    if event.kind == "node":
        before = (event.old["metadata"].get("labels") or EMPTY) if event.old is not None else EMPTY
        after = (event.new["metadata"].get("labels") or EMPTY) if event.new is not None else EMPTY
        wanted = (*terms.required, *terms.required_anti)
        return any(t.key in after and before.get(t.key) != after[t.key] for t in wanted) or (event.action == "add" and not wanted)
    if event.kind != "pod":
        return False

    def anywhere(_: str) -> Map:
        return EMPTY  # namespace labels are not looked up for a hint: terms with a namespaceSelector ask again below

    def picked(wanted: tuple[Term, ...], other: Map | None, every: bool) -> bool:
        if other is None or not wanted:
            return False
        hits = [term.namespace_selector is not None or term.picks(other, anywhere) for term in wanted]
        return all(hits) if every else any(hits)
    if event.action == "add":
        return picked(terms.required, event.new, True)
    if event.action == "update":
        return ((picked(terms.required, event.new, True) and not picked(terms.required, event.old, True))
                or (picked(terms.required_anti, event.old, False) and not picked(terms.required_anti, event.new, False)))
    theirs = terms_of(event.old).required_anti if event.old is not None else ()
    return (picked(terms.required, event.old, True) or picked(terms.required_anti, event.old, False)
            or picked(theirs, pod, False))
