"""What plugins may read of the cluster: nodes with their Pods, other kinds, and counts kept up to date as Pods come and go."""

from __future__ import annotations

from collections.abc import Callable

from ..objects import EMPTY, Map
from ..selectors import Requirement, matches
from .node_info import NodeInfo, pod_key

Find = Callable[[str, str, "str | None"], "Map | None"]  # plural, name, namespace
List = Callable[[str, "str | None"], "list[Map]"]
Selected = tuple[str, tuple[Requirement, ...]]  # namespace, requirements

COUNTS_KEPT = 256  # selectors whose counts are kept up to date; past that they are counted anew when next asked for


class ClusterView:
    """Nodes in order of name, and readers for other kinds."""

    def __init__(self, find: Find, list_: List) -> None:
        self.find, self.list = find, list_
        self.nodes: dict[str, NodeInfo] = {}
        self.ordered: list[NodeInfo] = []
        self.nominated: dict[str, dict[str, Map]] = {}  # node -> waiting Pods that evicted others there
        self.default_selectors: dict[tuple[str, ...], tuple[Requirement, ...]] = {}  # see pod_topology_spread
        self._orphans: dict[str, dict[str, Map]] = {}  # Pods whose node is not known (yet, or any more)
        self._counts: dict[Selected, dict[str, int]] = {}

    # ---- nodes and Pods

    def set_node(self, node: Map) -> None:
        name = node["metadata"]["name"]
        info = self.nodes.get(name)
        if info is not None:
            info.set_node(node)
            return
        info = self.nodes[name] = NodeInfo(node)
        self.ordered = [self.nodes[key] for key in sorted(self.nodes)]
        for pod in self._orphans.pop(name, {}).values():
            self.add_pod(pod, name)

    def remove_node(self, name: str) -> None:
        info = self.nodes.pop(name, None)
        if info is None:
            return
        self.ordered.remove(info)
        for pod in list(info.pods.values()):
            self._recount(pod, name, -1)
            self._orphans.setdefault(name, {})[pod_key(pod)] = pod

    def add_pod(self, pod: Map, node: str) -> None:
        info = self.nodes.get(node)
        if info is None:
            self._orphans.setdefault(node, {})[pod_key(pod)] = pod
            return
        info.add(pod)
        self._recount(pod, node, 1)

    def remove_pod(self, key: str, node: str) -> None:
        info = self.nodes.get(node)
        pod = info.pods.get(key) if info else None
        if info is None or pod is None:
            self._orphans.get(node, {}).pop(key, None)
            return
        self._recount(pod, node, -1)
        info.remove(key)

    def replace_pod(self, pod: Map, node: str) -> None:
        """A new version of a Pod in its place; cheap when spec and labels are the old ones."""
        info, key = self.nodes.get(node), pod_key(pod)
        old = info.pods.get(key) if info else None
        if info is not None and old is not None and old["spec"] is pod["spec"] and _counted_alike(old, pod):
            info.replace(key, pod)
            return
        self.remove_pod(key, node)
        self.add_pod(pod, node)

    def nominate(self, pod: Map) -> None:
        self.nominated.setdefault(pod["status"]["nominatedNodeName"], {})[pod_key(pod)] = pod

    def withdraw(self, key: str) -> None:
        """The Pod no longer waits for a node that it was nominated to."""
        for node in [node for node, pods in self.nominated.items() if key in pods]:
            del self.nominated[node][key]
            if not self.nominated[node]:
                del self.nominated[node]

    # ---- what plugins ask

    def counts(self, namespace: str, requirements: tuple[Requirement, ...]) -> dict[str, int]:
        """Node name -> how many of its Pods in `namespace` match and are not being deleted. Nodes without any are left out."""
        selected = (namespace, requirements)
        found = self._counts.get(selected)
        if found is None:
            if len(self._counts) >= COUNTS_KEPT:
                del self._counts[next(iter(self._counts))]
            found = self._counts[selected] = {}
            for info in self.ordered:
                count = count_matching(info, namespace, requirements)
                if count:
                    found[info.name] = count
        return found

    def namespace_labels(self, name: str) -> Map:
        namespace = self.find("namespaces", name, None)
        return (namespace["metadata"].get("labels") or EMPTY) if namespace else EMPTY

    def with_node(self, info: NodeInfo) -> ClusterView:
        """The same cluster with one node as it would be."""
        other = ClusterView(self.find, self.list)
        other.nodes = {**self.nodes, info.name: info}
        other.ordered = [other.nodes[node.name] for node in self.ordered]
        other.nominated, other.default_selectors = self.nominated, self.default_selectors
        return other

    def _recount(self, pod: Map, node: str, sign: int) -> None:
        if not self._counts or pod["metadata"].get("deletionTimestamp"):
            return
        namespace, labels = pod["metadata"]["namespace"], pod["metadata"].get("labels") or EMPTY
        for selected, found in self._counts.items():
            if selected[0] == namespace and matches(selected[1], labels):
                found[node] = found.get(node, 0) + sign


def count_matching(info: NodeInfo, namespace: str, requirements: tuple[Requirement, ...]) -> int:
    """countPodsMatchSelector: terminating Pods do not count."""
    return sum(1 for pod in info.pods.values() if pod["metadata"]["namespace"] == namespace
               and not pod["metadata"].get("deletionTimestamp") and matches(requirements, pod["metadata"].get("labels") or EMPTY))


def _counted_alike(old: Map, new: Map) -> bool:
    before, after = old["metadata"], new["metadata"]
    return before is after or (before.get("labels") == after.get("labels")
                               and before.get("deletionTimestamp") == after.get("deletionTimestamp"))
