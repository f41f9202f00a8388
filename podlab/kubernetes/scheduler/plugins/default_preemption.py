"""DefaultPreemption: which Pods of lower priority would have to go so that this one fits, and from which node.

Sources: pkg/scheduler/framework/plugins/defaultpreemption/default_preemption.go and framework/preemption/preemption.go.
Nothing is evicted here: the scheduler carries out what is found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from ...objects import EMPTY, Map
from ...selectors import from_object, matches
from ...times import parse_rfc3339
from ..cluster_view import ClusterView
from ..fit_error import available_text
from ..framework import Refusal, priority
from ..node_info import NodeInfo, pod_key

NOT_HELPFUL = "Preemption is not helpful for scheduling"
NO_VICTIMS = Refusal(("No preemption victims found for incoming pod",), final=True)
NEVER = "not eligible due to preemptionPolicy=Never."
TERMINATING = "not eligible due to a terminating pod on the nominated node."

Check = Callable[[NodeInfo], "Refusal | None"]  # would the Pod fit on this node as it would be?
Choose = Callable[[int], int]  # a number below n, for candidates that nothing else tells apart


class Candidate(NamedTuple):
    node: str
    victims: list[Map]  # most important first
    violations: int  # of disruption budgets


class Preemption(NamedTuple):
    """`candidate` None: `message` says why; `clear` then tells whether status.nominatedNodeName is to be emptied."""

    candidate: Candidate | None
    message: str
    clear: bool = False


def post_filter(pod: Map, view: ClusterView, refusals: Mapping[str, Refusal], check: Check, choose: Choose) -> Preemption:
    """Find the node where the least harm makes room. `refusals`: what the filters said of each node they were asked about."""
    why_not = _not_eligible(pod, view, refusals)
    if why_not:
        return Preemption(None, why_not)
    budgets = [(budget, (budget.get("status") or EMPTY).get("disruptionsAllowed") or 0)
               for budget in view.list("poddisruptionbudgets", None)]
    candidates: list[Candidate] = []
    found: dict[str, Refusal] = {}
    for info in view.ordered:
        refusal = refusals.get(info.name)
        if refusal is None or refusal.final:
            continue
        outcome = select_victims(pod, info, budgets, check)
        if isinstance(outcome, Candidate):
            candidates.append(outcome)
        else:
            found[info.name] = outcome
    if not candidates:
        return Preemption(None, available_text(len(view.ordered), found, NOT_HELPFUL), clear=True)
    return Preemption(pick_one(candidates, choose), "")


def _not_eligible(pod: Map, view: ClusterView, refusals: Mapping[str, Refusal]) -> str:
    """PodEligibleToPreemptOthers: never, or not again while its victims are still leaving."""
    if pod["spec"].get("preemptionPolicy") == "Never":
        return NEVER
    node = (pod.get("status") or EMPTY).get("nominatedNodeName")
    info = view.nodes.get(node) if node else None
    if info is None or node is None or (refusals.get(node) or NO_VICTIMS).final:
        return ""
    leaving = (other for other in info.pods.values() if priority(other) < priority(pod) and _leaves_by_preemption(other))
    return TERMINATING if any(True for _ in leaving) else ""


def _leaves_by_preemption(pod: Map) -> bool:
    """podTerminatingByPreemption."""
    if not pod["metadata"].get("deletionTimestamp"):
        return False
    return any(c["type"] == "DisruptionTarget" and c["status"] == "True" and c.get("reason") == "PreemptionByScheduler"
               for c in (pod.get("status") or EMPTY).get("conditions") or ())


def started(pod: Map) -> int:
    """When the Pod started, in ms; one that did not yet counts as the latest (GetPodStartTime gives now)."""
    start = (pod.get("status") or EMPTY).get("startTime")
    return parse_rfc3339(start) if start else 1 << 62


def importance(pod: Map) -> tuple[int, int, str]:
    """Sorts the most important first: higher priority, then earlier start (MoreImportantPod)."""
    return (-priority(pod), started(pod), pod_key(pod))


def select_victims(pod: Map, info: NodeInfo, budgets: list[tuple[Map, int]], check: Check) -> Candidate | Refusal:
    """Take every Pod of lower priority off the node, then put back all that may stay (SelectVictimsOnNode)."""
    potential = sorted((other for other in info.pods.values() if priority(other) < priority(pod)), key=importance)
    if not potential:
        return NO_VICTIMS
    trial = info.copy()
    for other in potential:
        trial.remove(pod_key(other))
    refusal = check(trial)
    if refusal is not None:
        return refusal
    violating, rest = _by_budget(potential, budgets)
    victims: list[Map] = []
    violations = 0
    for other, breaks_budget in (*((p, True) for p in violating), *((p, False) for p in rest)):
        trial.add(other)
        if check(trial) is not None:
            trial.remove(pod_key(other))
            victims.append(other)
            violations += breaks_budget
    return Candidate(info.name, sorted(victims, key=importance), violations)


def _by_budget(pods: list[Map], budgets: list[tuple[Map, int]]) -> tuple[list[Map], list[Map]]:
    """Those whose eviction would break a disruption budget, and the others (filterPodsWithPDBViolation)."""
    left = [allowed for _, allowed in budgets]
    violating: list[Map] = []
    rest: list[Map] = []
    for pod in pods:
        broken = False
        metadata = pod["metadata"]
        for index, (budget, _) in enumerate(budgets):
            requirements = from_object(budget["spec"].get("selector"))
            if budget["metadata"]["namespace"] != metadata["namespace"] or not requirements:
                continue
            if not metadata.get("labels") or not matches(requirements, metadata["labels"]):
                continue
            if metadata["name"] in ((budget.get("status") or EMPTY).get("disruptedPods") or ()):
                continue
            left[index] -= 1
            broken = broken or left[index] < 0
        (violating if broken else rest).append(pod)
    return violating, rest


def pick_one(candidates: list[Candidate], choose: Choose) -> Candidate:
    """pickOneNodeForPreemption: the criteria one after another, until one node is left."""
    def latest_start(candidate: Candidate) -> int:
        top = priority(candidate.victims[0])
        return -min(started(victim) for victim in candidate.victims if priority(victim) == top)

    # PriorityRange is shifted so that a sum of few, negative priorities does not beat that of many.
    criteria: tuple[Callable[[Candidate], int], ...] = (
        lambda c: c.violations,
        lambda c: priority(c.victims[0]),
        lambda c: sum(priority(victim) + (1 << 31) for victim in c.victims),
        lambda c: len(c.victims),
        latest_start,
    )
    for criterion in criteria:
        best = min(map(criterion, candidates))
        candidates = [candidate for candidate in candidates if criterion(candidate) == best]
        if len(candidates) == 1:
            return candidates[0]
    return candidates[choose(len(candidates))]
