"""One scheduling cycle: filter the nodes, score those that are left, choose one; or say why none will do.

Source: pkg/scheduler/schedule_one.go. All of it is a pure function of the Pod, the view and `choose`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..objects import EMPTY, Map
from .cluster_view import ClusterView
from .fit_error import NO_NODES, available_text, refused_text
from .framework import Filter, Plugin, Prepared, Refusal, priority
from .node_info import NodeInfo, pod_key
from .plugins.default_preemption import Candidate, post_filter
from .profile import PROFILE

# What DynamicResources' PostFilter says first: it has no claims to free, or never got to look at the Pod (a PreFilter refused it)
NO_CLAIMS = "no new claims to deallocate"
STATE_NOT_FOUND = "not found"

Choose = Callable[[int], int]


@dataclass(slots=True)
class Decision:
    """What a cycle came to. `node` None: the Pod fits nowhere now, and `message` says so."""

    node: str | None = None
    scores: dict[str, int] = field(default_factory=dict)  # totals; empty when only one node was feasible
    feasible: int = 0
    prepared: dict[str, Any] = field(default_factory=dict)  # plugin -> what its pre_filter found
    message: str = ""
    refusals: dict[str, Refusal] = field(default_factory=dict)  # by node, whether or not another one was found
    plugins: list[str] = field(default_factory=list)  # who refused, in the profile's order; empty after an error
    preemption: Candidate | None = None
    clear_nomination: bool = False

    def reasons(self) -> dict[str, list[str]]:
        """The refusals as plain data."""
        return {node: list(refusal.reasons) for node, refusal in self.refusals.items()}


@dataclass(slots=True)
class _Filters:
    """The filters that have something to do for this Pod, with their states."""

    active: list[tuple[str, Filter, Any]]
    prepared: dict[str, Any]
    nodes: frozenset[str] | None
    narrowed_by: list[str]
    refused: tuple[str, Refusal] | None = None


def _prepare(pod: Map, view: ClusterView) -> _Filters:
    """Run the pre-filters, in order, until one refuses the Pod outright."""
    out = _Filters([], {}, None, [])
    for plugin in PROFILE:
        if plugin.pre_filter is None or plugin.filter is None:
            continue
        found = plugin.pre_filter(pod, view)
        if found is None:
            continue
        if not isinstance(found, Prepared):
            out.refused = (plugin.name, found)
            return out
        out.active.append((plugin.name, plugin.filter, found.state))
        out.prepared[plugin.name] = found.state
        if found.nodes is not None:
            out.nodes = found.nodes if out.nodes is None else out.nodes & found.nodes
            out.narrowed_by.append(plugin.name)
    return out


def _ask(pod: Map, node: NodeInfo, filters: _Filters) -> tuple[str, Refusal] | None:
    """The first filter that refuses the node, with its words."""
    for name, filter_, state in filters.active:
        refusal = filter_(pod, node, state)
        if refusal is not None:
            return name, refusal
    return None


def _ask_with_nominated(view: ClusterView, pod: Map, node: NodeInfo, filters: _Filters) -> tuple[str, Refusal] | None:
    """As if Pods of the same or higher priority that wait for this node were there already; and also as it is."""
    waiting = view.nominated.get(node.name)
    if waiting:
        uid, own = pod["metadata"]["uid"], priority(pod)
        ahead = [other for other in waiting.values() if priority(other) >= own and other["metadata"]["uid"] != uid
                 and pod_key(other) not in node.pods]
        if ahead:
            fuller = node.copy()
            for other in ahead:
                fuller.add(other)
            found = _ask(pod, fuller, _prepare(pod, view.with_node(fuller)))
            if found is not None:
                return found
    return _ask(pod, node, filters)


def schedule(pod: Map, view: ClusterView, choose: Choose) -> Decision:
    """Decide where a Pod goes. `choose(n)` gives a number below n, to break ties."""
    if not view.ordered:
        return Decision(message=NO_NODES)
    filters = _prepare(pod, view)
    if filters.refused is not None:
        name, refusal = filters.refused
        message = f"{refused_text(len(view.ordered), refusal.reasons)} {STATE_NOT_FOUND}"
        return Decision(message=message, refusals={node.name: refusal for node in view.ordered}, plugins=[name])
    feasible, refusals, plugins = _find_feasible(pod, view, filters)
    if not feasible:
        return _refuse(pod, view, filters, refusals, plugins, choose)
    if len(feasible) == 1:
        return Decision(feasible[0].name, {}, 1, filters.prepared, refusals=refusals)
    totals = score(pod, view, feasible)
    best = max(totals)
    top = [node.name for node, total in zip(feasible, totals, strict=True) if total == best]
    chosen = top[choose(len(top))] if len(top) > 1 else top[0]
    scores = {node.name: total for node, total in zip(feasible, totals, strict=True)}
    return Decision(chosen, scores, len(feasible), filters.prepared, refusals=refusals)


def _find_feasible(pod: Map, view: ClusterView, filters: _Filters) -> tuple[list[NodeInfo], dict[str, Refusal], list[str]]:
    nominated = (pod.get("status") or EMPTY).get("nominatedNodeName")
    if nominated and nominated in view.nodes and (filters.nodes is None or nominated in filters.nodes):
        node = view.nodes[nominated]  # evaluateNominatedNode: if the promised node will do, no other is asked
        if _ask_with_nominated(view, pod, node, filters) is None:
            return [node], {}, []
    feasible: list[NodeInfo] = []
    refusals: dict[str, Refusal] = {}
    refused_by: dict[str, None] = dict.fromkeys(filters.narrowed_by)
    ask = partial(_ask_with_nominated, view) if view.nominated else _ask
    for node in view.ordered:
        if filters.nodes is not None and node.name not in filters.nodes:
            continue
        found = ask(pod, node, filters)
        if found is None:
            feasible.append(node)
        else:
            refused_by[found[0]] = None
            refusals[node.name] = found[1]
    return feasible, refusals, [plugin.name for plugin in PROFILE if plugin.name in refused_by]


def _refuse(pod: Map, view: ClusterView, filters: _Filters, refusals: dict[str, Refusal], plugins: list[str],
            choose: Choose) -> Decision:
    """Nobody wants it: try to make room (PostFilter), and compose the sentence."""
    absent = f"node(s) didn't satisfy plugin(s) [{' '.join(sorted(filters.narrowed_by))}]" if filters.narrowed_by else ""

    def check(trial: NodeInfo) -> Refusal | None:
        there = view.with_node(trial)
        found = _ask_with_nominated(there, pod, trial, _prepare(pod, there))
        return found[1] if found else None
    outcome = post_filter(pod, view, refusals, check, choose)
    message = available_text(len(view.ordered), refusals, absent)
    if outcome.candidate is None:
        message += f" {NO_CLAIMS}, preemption: {outcome.message}"
    return Decision(message=message, refusals=refusals, plugins=plugins, preemption=outcome.candidate,
                    clear_nomination=outcome.clear)


def score(pod: Map, view: ClusterView, nodes: list[NodeInfo]) -> list[int]:
    """Each node's total: the plugins' scores, normalised to 0..100 and weighted (prioritizeNodes)."""
    totals = [0] * len(nodes)
    for plugin in PROFILE:
        if plugin.score is None or plugin.pre_score is None:
            continue
        state = plugin.pre_score(pod, view, nodes)
        if state is None:
            continue
        one, weight = plugin.score, plugin.weight
        if plugin.by_sums:
            scores = _remembered(plugin, pod, nodes, state)
        else:
            scores = [one(pod, node, state) for node in nodes]
        if plugin.normalize is not None:
            scores = plugin.normalize(scores, nodes, state)
        totals = [total + weight * extra for total, extra in zip(totals, scores, strict=True)]
    return totals


def _remembered(plugin: Plugin, pod: Map, nodes: list[NodeInfo], state: Any) -> list[int]:
    """Scores of a plugin `by_sums`: between two replicas of a workload only one node has changed."""
    key = f"{plugin.name} {tuple(state)}"
    scores = []
    for node in nodes:
        known = node.scores.get(key)
        if known is None and plugin.score is not None:
            known = node.scores[key] = plugin.score(pod, node, state)
        scores.append(known or 0)
    return scores


def feasible_on(pod: Map, view: ClusterView, node: str) -> bool:
    """Whether every filter lets the Pod onto the node as it is."""
    filters = _prepare(pod, view)
    return filters.refused is None and (filters.nodes is None or node in filters.nodes) \
        and _ask(pod, view.nodes[node], filters) is None
