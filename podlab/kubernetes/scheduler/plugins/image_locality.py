"""ImageLocality: prefer nodes that have the Pod's images, by size, unless almost nobody has them.

Source: pkg/scheduler/framework/plugins/imagelocality/image_locality.go.
"""

from __future__ import annotations

from ...objects import Map, memo
from ..cluster_view import ClusterView
from ..framework import MAX_NODE_SCORE
from ..node_info import NodeInfo

MB = 1024 * 1024
MIN_THRESHOLD = 23 * MB  # minThreshold
MAX_CONTAINER_THRESHOLD = 1000 * MB  # maxContainerThreshold

State = tuple[tuple[str, float], ...]  # image, share of the nodes that have it; images that nobody has are left out


def normalized(image: str) -> str:
    """Without a tag it is `:latest` (normalizedImageName)."""
    return image if image.rfind(":") > image.rfind("/") else image + ":latest"


def _images(spec: Map) -> tuple[str, ...]:
    volumes = [v["image"]["reference"] for v in spec.get("volumes") or () if (v.get("image") or {}).get("reference")]
    return tuple(normalized(image) for image in
                 (*(c["image"] for c in (*(spec.get("initContainers") or ()), *spec["containers"])), *volumes))


def pre_score(pod: Map, view: ClusterView, nodes: list[NodeInfo]) -> State | None:
    images = memo(pod["spec"], "scheduler-images", _images)
    having = [(image, sum(1 for node in view.ordered if image in node.images)) for image in images]
    return tuple((image, count / len(view.ordered)) for image, count in having if count) or None


def score(pod: Map, node: NodeInfo, state: State) -> int:
    total = sum(int(node.images[image] * share) for image, share in state if image in node.images)
    highest = MAX_CONTAINER_THRESHOLD * len(memo(pod["spec"], "scheduler-images", _images))
    total = min(max(total, MIN_THRESHOLD), highest)
    return MAX_NODE_SCORE * (total - MIN_THRESHOLD) // (highest - MIN_THRESHOLD)
