"""The arithmetic of a Deployment's rollout, as pure functions of the Deployment and its ReplicaSets.

Source: pkg/controller/deployment/rolling.go, sync.go and util/deployment_util.go. `kubectl rollout` reads the same annotations.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..objects import EMPTY, Map
from .conditions import int_or_percent
from .templates import TEMPLATE_HASH

REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAX = "deployment.kubernetes.io/max-replicas"
# annotationsToSkip: not copied from a Deployment to its ReplicaSets
PRIVATE = ("kubectl.kubernetes.io/last-applied-configuration", REVISION, HISTORY, DESIRED, MAX,
           "deprecated.deployment.rollback.to")
HISTORY_CHARACTERS = 2000  # maxRevHistoryLengthInChars

Steps = list[tuple[str, int]]
"""Which set (by uid) gets which size, in this order; a set may come twice."""


def size_of(rs: Any) -> int:
    replicas: int = rs["spec"].get("replicas", 1)
    return replicas


def available(rs: Any) -> int:
    return (rs.get("status") or EMPTY).get("availableReplicas") or 0


def _age(rs: Map) -> tuple[str, str]:
    return rs["metadata"]["creationTimestamp"], rs["metadata"]["name"]


def fenceposts(deployment: Any) -> tuple[int, int]:
    """ResolveFenceposts: (maxSurge rounded up, maxUnavailable rounded down); not both 0. (0, 0) for Recreate."""
    strategy = deployment["spec"].get("strategy") or EMPTY
    if strategy.get("type") == "Recreate":
        return 0, 0
    limits, replicas = strategy.get("rollingUpdate") or EMPTY, size_of(deployment)
    surge = int_or_percent(limits.get("maxSurge"), replicas, up=True)
    unavailable = int_or_percent(limits.get("maxUnavailable"), replicas, up=False)
    return (surge, unavailable) if surge or unavailable else (0, 1)


def max_surge(deployment: Any) -> int:
    return fenceposts(deployment)[0]


def max_unavailable(deployment: Any) -> int:
    return min(fenceposts(deployment)[1], size_of(deployment))


def same_template(rs: Any, deployment: Any) -> bool:
    """EqualIgnoreHash."""
    mine, theirs = rs["spec"]["template"], deployment["spec"]["template"]
    if mine.get("spec") != theirs.get("spec"):
        return False
    return _without_hash(mine) == _without_hash(theirs)


def _without_hash(template: Any) -> dict[str, Any]:
    metadata = template.get("metadata") or EMPTY
    labels = {key: value for key, value in (metadata.get("labels") or EMPTY).items() if key != TEMPLATE_HASH}
    rest = {key: value for key, value in metadata.items() if key not in ("labels", "creationTimestamp")}
    return {**rest, "labels": labels}


def split(deployment: Any, sets: Iterable[Map]) -> tuple[Map | None, list[Map]]:
    """FindNewReplicaSet and the others, oldest first. Of several with the right template the oldest is the new one."""
    ordered = sorted(sets, key=_age)
    new = next((rs for rs in ordered if same_template(rs, deployment)), None)
    return new, [rs for rs in ordered if rs is not new]


def revision_of(rs: Any) -> int:
    try:
        return int((rs["metadata"].get("annotations") or EMPTY).get(REVISION, "0"))
    except ValueError:
        return 0


def max_revision(sets: Iterable[Map]) -> int:
    return max(map(revision_of, sets), default=0)


def annotated(deployment: Any, rs: Any, revision: int, *, exists: bool) -> dict[str, str] | None:
    """SetNewReplicaSetAnnotations: a new set's annotations; for one that exists, None when nothing changes."""
    held = rs["metadata"].get("annotations") or EMPTY
    new = {**held, **{k: v for k, v in (deployment["metadata"].get("annotations") or EMPTY).items() if k not in PRIVATE}}
    if revision_of(rs) < revision:
        if REVISION in held:
            new[HISTORY] = _longer_history(held.get(HISTORY, ""), held[REVISION])
        new[REVISION] = str(revision)
    if not exists:
        new[DESIRED] = str(size_of(deployment))
        new[MAX] = str(size_of(deployment) + max_surge(deployment))
        return new
    return None if new == held else new


def _longer_history(history: str, revision: str) -> str:
    entries = [*filter(None, history.split(",")), revision]
    while len(",".join(entries)) > HISTORY_CHARACTERS:
        entries.pop(0)
    return ",".join(entries)


def _desired(rs: Map) -> int | None:
    text = (rs["metadata"].get("annotations") or EMPTY).get(DESIRED)
    return int(text) if text and text.isdigit() else None


def is_scaling_event(deployment: Any, sets: Iterable[Map]) -> bool:
    """Whether spec.replicas has changed since the active sets were last sized."""
    wanted = size_of(deployment)
    return any(size_of(rs) and (desired := _desired(rs)) is not None and desired != wanted for rs in sets)


def new_size(deployment: Any, sets: Sequence[Any], new: Any) -> int:
    """reconcileNewReplicaSet, NewRSNewReplicas: the size that the new set may have now."""
    wanted, has = size_of(deployment), size_of(new)
    if has >= wanted or (deployment["spec"].get("strategy") or EMPTY).get("type") == "Recreate":
        return wanted
    room = wanted + max_surge(deployment) - sum(map(size_of, sets))
    return has + max(0, min(room, wanted - has))


def shrink_plan(deployment: Any, old: Sequence[Map], new: Map) -> Steps:
    """reconcileOldReplicaSets, `old` sets oldest first: unhealthy Pods go first, then spare available ones."""
    active = [rs for rs in old if size_of(rs)]
    if not active:
        return []
    minimum = size_of(deployment) - max_unavailable(deployment)
    budget = sum(map(size_of, active)) + size_of(new) - minimum - (size_of(new) - available(new))
    if budget <= 0:
        return []
    sizes = {rs["metadata"]["uid"]: size_of(rs) for rs in active}
    steps: Steps = []
    spare = sum(map(available, active)) + available(new) - minimum
    for unhealthy_only in (True, False):
        for rs in active:
            uid = rs["metadata"]["uid"]
            cut = min(budget, size_of(rs) - available(rs)) if unhealthy_only else min(spare, sizes[uid])
            if cut > 0:
                sizes[uid] -= cut
                steps.append((uid, sizes[uid]))
                budget, spare = (budget - cut, spare) if unhealthy_only else (budget, spare - cut)
    return steps


def scale_plan(deployment: Any, new: Map | None, old: Sequence[Map]) -> Steps:
    """scale: the sets' sizes after spec.replicas changed, or while paused; in proportion when several are active."""
    wanted = size_of(deployment)
    everyone = [*old, *([new] if new is not None else [])]
    active = [rs for rs in everyone if size_of(rs)]
    if len(active) <= 1:
        only = active[0] if active else new if new is not None else max(old, key=_age, default=None)
        return [(only["metadata"]["uid"], wanted)] if only is not None and size_of(only) != wanted else []
    if new is not None and size_of(new) == _desired(new) == available(new) == wanted:
        return [(rs["metadata"]["uid"], 0) for rs in old if size_of(rs)]
    if (deployment["spec"].get("strategy") or EMPTY).get("type") == "Recreate":
        return []
    return _in_proportion(deployment, active)


def _in_proportion(deployment: Any, active: list[Map]) -> Steps:
    wanted = size_of(deployment)
    allowed = wanted + max_surge(deployment) if wanted else 0
    to_add = allowed - sum(map(size_of, active))
    ordered = sorted(active, key=_age, reverse=to_add > 0)  # ties: the newer first when growing, the older when shrinking
    ordered.sort(key=size_of, reverse=True)
    sizes, added = [], 0
    for rs in ordered:
        share = _share(deployment, rs, wanted) if to_add and size_of(rs) and to_add != added else 0
        share = min(share, to_add - added) if to_add > 0 else max(share, to_add - added)
        sizes.append(size_of(rs) + share)
        added += share
    if to_add:
        sizes[0] = max(0, sizes[0] + to_add - added)
    return [(rs["metadata"]["uid"], size) for rs, size in zip(ordered, sizes, strict=True)]


def _share(deployment: Any, rs: Map, wanted: int) -> int:
    """getReplicaSetFraction."""
    if not wanted:
        return -size_of(rs)
    before = (rs["metadata"].get("annotations") or EMPTY).get(MAX, "")
    maximum = int(before) if before.isdigit() and int(before) else (deployment.get("status") or EMPTY).get("replicas") or 1
    grown = size_of(rs) * (wanted + max_surge(deployment)) / maximum
    return int(grown + 0.5) - size_of(rs)


def surplus(deployment: Any, old: Iterable[Map]) -> list[Map]:
    """cleanupDeployment: empty old sets beyond revisionHistoryLimit, lowest revisions first."""
    limit = deployment["spec"].get("revisionHistoryLimit")
    if limit is None:
        return []
    alive = sorted((rs for rs in old if not rs["metadata"].get("deletionTimestamp")), key=revision_of)
    spare = alive[:max(0, len(alive) - limit)]

    def empty(rs: Map) -> bool:
        status = rs.get("status") or EMPTY
        return not status.get("replicas") and not size_of(rs) and rs["metadata"].get("generation",
                                                                                     0) <= status.get("observedGeneration", 0)
    return [rs for rs in spare if empty(rs)]
