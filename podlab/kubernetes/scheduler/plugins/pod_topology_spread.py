"""PodTopologySpread: keep the Pods of one selector even across zones, nodes or any other label of nodes.

Sources: pkg/scheduler/framework/plugins/podtopologyspread/{filtering,scoring,common,plugin}.go.
"""

from __future__ import annotations

from math import floor, log
from typing import NamedTuple

from ...objects import EMPTY, Map
from ...selectors import Requirement, from_object, matches, selects_plain
from ..cluster_view import ClusterView
from ..framework import MAX_NODE_SCORE, ClusterEvent, Prepared, Refusal, relabelled
from ..node_info import NodeInfo
from .node_affinity import matches_node
from .taint_toleration import untolerated

HOSTNAME = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"
SKEWED = Refusal(("node(s) didn't match pod topology spread constraints",))  # ErrReasonConstraintsNotMatch
NO_LABEL = Refusal(("node(s) didn't match pod topology spread constraints (missing required label)",), final=True)


class Constraint(NamedTuple):
    key: str
    max_skew: int
    requirements: tuple[Requirement, ...]
    min_domains: int = 1
    honor_affinity: bool = True  # nodeAffinityPolicy
    honor_taints: bool = False  # nodeTaintsPolicy

    def includes(self, pod: Map, node: NodeInfo) -> bool:
        """Whether a node counts (matchNodeInclusionPolicies)."""
        if self.honor_affinity and not matches_node(pod, node.name, node.labels):
            return False
        return not (self.honor_taints and untolerated(pod, node.hard_taints))


class Hard(NamedTuple):
    """For the filter: a constraint, 1 if the Pod matches itself, Pods for each value of the key, and the least of them."""

    constraint: Constraint
    self_match: int
    counts: dict[str, int]
    least: int


class Soft(NamedTuple):
    """For the score: a constraint, its weight ln(domains + 2), Pods for each value (each node, if the key is the host name)."""

    constraint: Constraint
    weight: float
    counts: dict[str, int]


class SoftState(NamedTuple):
    terms: list[Soft]
    ignored: frozenset[str]  # nodes that lack one of the keys


SELECTORS_KEPT = 1024  # so many answers of `_default_selector` are remembered
# systemDefaultConstraints
DEFAULTS = ((HOSTNAME, 3), (ZONE, 5))


def constraints(pod: Map, when: str) -> list[Constraint]:
    """The Pod's own constraints of one kind (`when`: DoNotSchedule or ScheduleAnyway)."""
    found = []
    labels = pod["metadata"].get("labels") or EMPTY
    for item in pod["spec"].get("topologySpreadConstraints") or ():
        if item.get("whenUnsatisfiable") != when:
            continue
        selected = from_object(item.get("labelSelector"))
        keys = tuple((key, "In", (labels[key],)) for key in item.get("matchLabelKeys") or () if key in labels)
        requirements = NOTHING if selected is None else (*selected, *(k for k in keys if k not in selected))
        found.append(Constraint(item["topologyKey"], item["maxSkew"], requirements, item.get("minDomains") or 1,
                                item.get("nodeAffinityPolicy") != "Ignore", item.get("nodeTaintsPolicy") == "Honor"))
    return found


NOTHING: tuple[Requirement, ...] = (("", "In", ()),)  # a missing labelSelector selects nothing


def default_constraints(pod: Map, view: ClusterView) -> list[Constraint]:
    """Soft ones for Pods of a Service or a workload that have none of their own (buildDefaultConstraints)."""
    requirements = _default_selector(pod, view)
    return [Constraint(key, skew, requirements) for key, skew in DEFAULTS] if requirements else []


def _default_selector(pod: Map, view: ClusterView) -> tuple[Requirement, ...]:
    """Selectors of the Services that pick the Pod, and of the workload that owns it (helper.DefaultSelector)."""
    metadata = pod["metadata"]
    labels: Map = metadata.get("labels") or EMPTY
    if not labels:
        return ()
    namespace: str = metadata["namespace"]
    owner = next((o for o in metadata.get("ownerReferences") or () if o.get("controller")), EMPTY)
    # What is remembered is forgotten by the scheduler when a Service or a workload in the namespace changes its selector.
    key = (namespace, owner.get("uid", ""), *(part for item in sorted(labels.items()) for part in item))
    known = view.default_selectors.get(key)
    if known is not None:
        return known
    plain: dict[str, str] = {}
    for service in view.list("services", namespace):
        selector = service["spec"].get("selector")
        if selects_plain(selector, labels):
            plain.update(selector)
    found: list[Requirement] = []
    kind = owner.get("kind")
    if kind in ("ReplicaSet", "StatefulSet", "ReplicationController"):
        workload = view.find(kind.lower() + "s", owner["name"], namespace)
        if workload and kind == "ReplicationController":
            plain.update(workload["spec"].get("selector") or EMPTY)
        elif workload:
            found.extend(from_object(workload["spec"].get("selector")) or ())
    merged = tuple((name, "In", (wanted,)) for name, wanted in sorted(plain.items()))
    requirements = (*merged, *(requirement for requirement in found if requirement not in merged))
    if len(view.default_selectors) >= SELECTORS_KEPT:
        view.default_selectors.clear()
    view.default_selectors[key] = requirements
    return requirements


def pre_filter(pod: Map, view: ClusterView) -> Prepared | None:
    hard = constraints(pod, "DoNotSchedule")
    if not hard:
        return None
    namespace, labels = pod["metadata"]["namespace"], pod["metadata"].get("labels") or EMPTY
    eligible = [node for node in view.ordered if all(c.key in node.labels for c in hard)]
    state = []
    for constraint in hard:
        per_node = view.counts(namespace, constraint.requirements)
        counts: dict[str, int] = {}
        for node in eligible:
            if constraint.includes(pod, node):
                domain = node.labels[constraint.key]
                counts[domain] = counts.get(domain, 0) + per_node.get(node.name, 0)
        least = min(counts.values(), default=0)
        if len(counts) < constraint.min_domains:
            least = 0  # fewer domains than asked for: empty ones may still come
        state.append(Hard(constraint, int(matches(constraint.requirements, labels)), counts, least))
    return Prepared(state)


def filter(pod: Map, node: NodeInfo, state: list[Hard]) -> Refusal | None:
    for constraint, self_match, counts, least in state:
        domain = node.labels.get(constraint.key)
        if domain is None:
            return NO_LABEL
        if counts.get(domain, 0) + self_match - least > constraint.max_skew:
            return SKEWED
    return None


def pre_score(pod: Map, view: ClusterView, nodes: list[NodeInfo]) -> SoftState | None:
    own = bool(pod["spec"].get("topologySpreadConstraints"))
    soft = constraints(pod, "ScheduleAnyway") if own else default_constraints(pod, view)
    if not soft:
        return None
    # The defaults do not demand that nodes have zones.
    ignored = frozenset(node.name for node in nodes if any(c.key not in node.labels for c in soft)) if own else frozenset()
    scored = [node for node in nodes if node.name not in ignored]
    namespace = pod["metadata"]["namespace"]
    terms = []
    for constraint in soft:
        per_node = view.counts(namespace, constraint.requirements)
        if constraint.key == HOSTNAME:
            terms.append(Soft(constraint, log(len(scored) + 2), per_node))
            continue
        counts = {node.labels.get(constraint.key, ""): 0 for node in scored}
        if len(counts) == 1 and "" in counts:
            continue  # no node has the key: it tells none apart
        for name, count in per_node.items():
            node = view.nodes[name]
            domain = node.labels.get(constraint.key, "")
            if domain in counts and constraint.includes(pod, node) and not (own and any(c.key not in node.labels for c in soft)):
                counts[domain] += count
        terms.append(Soft(constraint, log(len(counts) + 2), counts))
    return SoftState(terms, ignored)


def score(pod: Map, node: NodeInfo, state: SoftState) -> int:
    """Matching Pods in the node's domains, weighted (fewer is better: see `normalize`)."""
    if node.name in state.ignored:
        return 0
    total = 0.0
    for constraint, weight, counts in state.terms:
        key, max_skew = constraint.key, constraint.max_skew
        domain = node.labels.get(key)
        if domain is not None:
            count = counts.get(node.name if key == HOSTNAME else domain, 0)
            total += count * weight + (max_skew - 1)
    return floor(total + 0.5)  # math.Round; never negative


def normalize(scores: list[int], nodes: list[NodeInfo], state: SoftState) -> list[int]:
    """100 x (max + min - score) / max; nodes without the labels get 0."""
    counted = [score for score, node in zip(scores, nodes, strict=True) if node.name not in state.ignored]
    lowest, highest = min(counted, default=0), max(counted, default=0)
    return [0 if node.name in state.ignored else
            MAX_NODE_SCORE if highest == 0 else MAX_NODE_SCORE * (highest + lowest - score) // highest
            for score, node in zip(scores, nodes, strict=True)]


def hint(pod: Map, event: ClusterEvent) -> bool:
    """Matching Pods came, went or changed labels; or domains did."""
    hard = constraints(pod, "DoNotSchedule")
    if event.kind == "self":
        return relabelled(event)
    if event.kind == "pod":
        namespace = pod["metadata"]["namespace"]

        def counted(other: Map | None) -> bool:
            return (other is not None and other["metadata"]["namespace"] == namespace
                    and any(matches(c.requirements, other["metadata"].get("labels") or EMPTY) for c in hard))
        if event.action == "update":
            return counted(event.old) != counted(event.new)
        return counted(event.old) or counted(event.new)
    if event.kind != "node":
        return False

    def domains(node: Map | None) -> list[str] | None:
        labels = (node["metadata"].get("labels") or EMPTY) if node is not None else EMPTY
        return [labels[c.key] for c in hard] if all(c.key in labels for c in hard) else None
    if domains(event.old) != domains(event.new):
        return True
    return event.action == "update" and any(c.honor_taints for c in hard)
