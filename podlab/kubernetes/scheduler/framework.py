"""What scheduler plugins have in common: what a refusal is, what they are given, and what they may hand on.

A filter is one function `(pod, node, state) -> Refusal or None`; a score one `(pod, node, state) -> int`. What they need to know
of the whole cluster is worked out once for each scheduling cycle by `pre_filter` and `pre_score`, which may also say that the
plugin has nothing to do for this Pod (fwk.Skip), so that plain Pods stay cheap.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ..objects import Map

if TYPE_CHECKING:
    from .cluster_view import ClusterView
    from .node_info import NodeInfo

MAX_NODE_SCORE = 100  # fwk.MaxNodeScore


class Refusal(NamedTuple):
    """Why a Pod cannot go to a node, in the words that `kubectl describe` shows.

    `final` is fwk.UnschedulableAndUnresolvable: evicting other Pods from the node would not help.
    """

    reasons: tuple[str, ...]
    final: bool = False


class Prepared(NamedTuple):
    """What a `pre_filter` hands on: the state for its filter, and the only nodes worth asking (None: all)."""

    state: Any
    nodes: frozenset[str] | None = None


class ClusterEvent(NamedTuple):
    """Something that may make a refused Pod schedulable.

    `kind` is "node", "pod" (one that is assigned), "self" (the waiting Pod itself) or a plural such as "persistentvolumes".
    `action` is "add", "update" or "delete"; `old` is None for an add, `new` for a delete.
    """

    kind: str
    action: str
    old: Map | None
    new: Map | None


PreFilter = Callable[[Map, "ClusterView"], "Prepared | Refusal | None"]  # None: nothing to filter (Skip)
Filter = Callable[[Map, "NodeInfo", Any], "Refusal | None"]
PreScore = Callable[[Map, "ClusterView", "list[NodeInfo]"], Any]  # None: nothing to score (Skip)
Score = Callable[[Map, "NodeInfo", Any], int]
Normalize = Callable[["list[int]", "list[NodeInfo]", Any], "list[int]"]
Hint = Callable[[Map, ClusterEvent], bool]


@dataclass(frozen=True, slots=True)
class Plugin:
    """One plugin of the profile; `weight` multiplies its score of 0 to 100.

    `by_sums`: the score follows from the node's sums and the state alone, so that it can be remembered for like Pods.
    """

    name: str
    pre_filter: PreFilter | None = None
    filter: Filter | None = None
    pre_score: PreScore | None = None
    score: Score | None = None
    normalize: Normalize | None = None
    weight: int = 0
    hint: Hint | None = None
    by_sums: bool = False


def scaled_to_maximum(scores: list[int], reverse: bool) -> list[int]:
    """Scale so that the highest is 100; `reverse` makes the highest 0 (helper.DefaultNormalizeScore)."""
    highest = max(scores, default=0)
    if highest == 0:
        return [MAX_NODE_SCORE] * len(scores) if reverse else scores
    scaled = [MAX_NODE_SCORE * score // highest for score in scores]
    return [MAX_NODE_SCORE - score for score in scaled] if reverse else scaled


def priority(pod: Map) -> int:
    """spec.priority, 0 when unset (corev1helpers.PodPriority)."""
    return pod["spec"].get("priority") or 0


def relabelled(event: ClusterEvent) -> bool:
    """Whether an update changed the object's labels."""
    return event.old is None or event.new is None or event.old["metadata"].get("labels") != event.new["metadata"].get("labels")
