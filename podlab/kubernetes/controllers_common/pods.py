"""Facts about Pods, remembered on the frozen objects, and which a scale-down takes first (pkg/controller/controller_utils.go)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cmp_to_key
from typing import Any, NamedTuple

from ..etcd import Change, Heed, controller_kind, controller_uid
from ..objects import EMPTY, Map, memo
from ..times import parse_rfc3339

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
PHASE_ORDER = {"Pending": 0, "Unknown": 1, "Running": 2}


class PodFacts(NamedTuple):
    """What workload controllers read of a Pod."""

    active: bool  # IsPodActive: not terminal and not being deleted
    ready: bool
    ready_since: int  # virtual ms of the Ready condition's last change; 0 when there is none
    terminating: bool  # IsPodTerminating: being deleted, not terminal
    phase: str
    node: str
    controller: str | None  # uid of the owner that controls it
    restarts: int  # of all containers of a Pod whose policy is OnFailure, which its Job holds against the backoffLimit; else 0


def facts(pod: Map) -> PodFacts:
    return memo(pod, "facts", _facts)


def _facts(pod: Map) -> PodFacts:
    status = pod.get("status") or EMPTY
    phase = status.get("phase", "")
    finished = phase in ("Succeeded", "Failed")
    deleting = bool(pod["metadata"].get("deletionTimestamp"))
    ready, since = False, 0
    for condition in status.get("conditions") or ():
        if condition["type"] == "Ready":
            ready = condition["status"] == "True"
            changed = condition.get("lastTransitionTime")
            since = parse_rfc3339(changed) if changed else 0
    spec = pod["spec"]
    return PodFacts(not finished and not deleting, ready, since, deleting and not finished, phase, spec.get("nodeName") or "",
                    controller_uid(pod), all_restarts(status) if spec.get("restartPolicy") == "OnFailure" else 0)


def all_restarts(status: Map) -> int:
    """How often the containers of a Pod's status began anew, those for initialization among them."""
    return sum(c.get("restartCount", 0) for kind in ("initContainerStatuses", "containerStatuses") for c in status.get(kind) or ())


def is_active(pod: Map) -> bool:
    return facts(pod).active


def is_ready(pod: Map) -> bool:
    return facts(pod).ready


def is_terminating(pod: Map) -> bool:
    return facts(pod).terminating


def is_deleting(obj: Map) -> bool:
    return bool(obj["metadata"].get("deletionTimestamp"))


def available_in(pod: Map, min_ready_seconds: int, now: int) -> int | None:
    """Milliseconds until a Pod counts as available (IsPodAvailable): 0 when it does, None while it is not ready."""
    known = facts(pod)
    if not known.ready:
        return None
    return max(0, known.ready_since + min_ready_seconds * 1000 - now) if min_ready_seconds else 0


def is_available(pod: Map, min_ready_seconds: int, now: int) -> bool:
    return available_in(pod, min_ready_seconds, now) == 0


class Counts(NamedTuple):
    """How many of some Pods are ready and available, and when the next becomes available (ms from now, or None)."""

    ready: int
    available: int
    next_available_ms: int | None


def count(pods: Iterable[Map], min_ready_seconds: int, now: int) -> Counts:
    if not min_ready_seconds:
        ready = sum(1 for pod in pods if facts(pod).ready)
        return Counts(ready, ready, None)
    waits = [wait for pod in pods if (wait := available_in(pod, min_ready_seconds, now)) is not None]
    coming = [wait for wait in waits if wait]
    return Counts(len(waits), len(waits) - len(coming), min(coming, default=None))


def unchanged(change: Change) -> bool:
    """Whether a Pod's change cannot matter to whoever counts Pods: same facts, labels and owners."""
    old, new = change.old, change.object
    if change.type != "MODIFIED" or old is None or facts(old) != facts(new):
        return False
    if change.status_only:
        return True
    before, after = old["metadata"], new["metadata"]
    return bool(before.get("labels") == after.get("labels") and before.get("ownerReferences") == after.get("ownerReferences"))


ANYBODY = "?"


def counted_by(change: Change) -> str:
    """Sorts the changes of Pods by who may have to count anew: "" for `unchanged`, the kind of the Pod's controller, or ANYBODY where it
    has none or had another."""
    if unchanged(change):
        return ""
    kind = controller_kind(change.object)
    return kind if kind and (change.old is None or change.status_only or controller_kind(change.old) == kind) else ANYBODY


def counting(kind: str) -> Heed:
    """Heeds the changes of Pods that concern the controllers of a kind: of its own, and of orphans that it might adopt."""
    return Heed(counted_by, (kind, ANYBODY).__contains__)


def pods_to_delete(pods: Sequence[Map], related: Sequence[Map], number: int, now: int) -> list[Map]:
    """The `number` Pods that go first (getPodsToDelete). `related`: the active Pods of all sets with the same owner."""
    if number >= len(pods):
        return list(pods)
    neighbours: dict[str, int] = {}
    for pod in related:
        if facts(pod).active:
            neighbours[facts(pod).node] = neighbours.get(facts(pod).node, 0) + 1
    return sorted(pods, key=_deletion_order(neighbours, now))[:number]


def _deletion_order(neighbours: dict[str, int], now: int) -> Callable[[Map], Any]:
    """ActivePodsWithRanks.Less: negative when the first Pod goes before the second."""
    def compare(a: Map, b: Map) -> int:
        x, y = facts(a), facts(b)
        for left, right in ((bool(x.node), bool(y.node)), (PHASE_ORDER.get(x.phase, 2), PHASE_ORDER.get(y.phase, 2)),
                            (x.ready, y.ready),
                            (_cost(a), _cost(b)), (neighbours.get(y.node, 0), neighbours.get(x.node, 0))):
            if left != right:
                return -1 if left < right else 1
        if x.ready and x.ready_since != y.ready_since:
            return _younger(x.ready_since, y.ready_since, now) or _by_uid(a, b)
        for more, fewer in zip(_restarts(a), _restarts(b), strict=True):
            if more != fewer:
                return -1 if more > fewer else 1
        born_a, born_b = _created(a), _created(b)
        if born_a != born_b:
            return _younger(born_a, born_b, now) or _by_uid(a, b)
        return _by_uid(a, b)
    return cmp_to_key(compare)


def _younger(a: int, b: int, now: int) -> int:
    """logarithmicRankDiff: ages compared by the floor of their binary logarithm in nanoseconds."""
    ranks = [-1 if now <= at else ((now - at) * 1_000_000).bit_length() for at in (a, b)]
    return ranks[0] - ranks[1]


def _by_uid(a: Map, b: Map) -> int:
    return -1 if a["metadata"]["uid"] < b["metadata"]["uid"] else 1


def _created(pod: Map) -> int:
    return parse_rfc3339(pod["metadata"]["creationTimestamp"])


def _cost(pod: Map) -> int:
    text = (pod["metadata"].get("annotations") or EMPTY).get(DELETION_COST, "0")
    try:
        return int(text)
    except ValueError:
        return 0


def _restarts(pod: Map) -> tuple[int, int]:
    """maxContainerRestarts: of plain containers, and of sidecars."""
    status = pod.get("status") or EMPTY
    sidecars = {c["name"] for c in pod["spec"].get("initContainers") or () if c.get("restartPolicy") == "Always"}
    plain = max((c.get("restartCount", 0) for c in status.get("containerStatuses") or ()), default=0)
    beside = max((c.get("restartCount", 0) for c in status.get("initContainerStatuses") or () if c["name"] in sidecars),
                 default=0)
    return plain, beside
