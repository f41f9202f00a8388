"""Namespace deletion: Pods first, then everything else, then the namespace itself (pkg/controller/namespace/deletion)."""

from __future__ import annotations

from typing import Any

from ..apiserver.errors import ApiError
from ..cause import Cause
from ..component import Controller, own_key
from ..controllers_common import conditions
from ..objects import EMPTY, Map
from ..resources import RESOURCES
from ..times import rfc3339

FINALIZER_ESTIMATE_SECONDS = 15  # finalizerEstimateSeconds: how long a finalizer is thought to take
# Everything that is stored and namespaced, Pods first (OrderedNamespaceDeletion)
CONTENT = [r for r in RESOURCES if r.namespaced and r.plural not in ("bindings", "pods")]


def plan_conditions(held: Any, remaining: dict[str, int], finalizers: dict[str, int], now: int) -> list[dict[str, Any]]:
    """The five conditions of a namespace on its way (status_condition_utils.go). Counts by kind and by finalizer name."""
    def listed(counts: dict[str, int], text: str) -> str:
        return ", ".join(text.format(name=name, count=counts[name]) for name in sorted(counts))

    left = listed(remaining, "{name} has {count} resource instances")
    kept = listed(finalizers, "{name} in {count} resource instances")
    found = [
        ("NamespaceDeletionDiscoveryFailure", "False", "ResourcesDiscovered", "All resources successfully discovered"),
        ("NamespaceDeletionGroupVersionParsingFailure", "False", "ParsedGroupVersions",
         "All legacy kube types successfully parsed"),
        ("NamespaceDeletionContentFailure", "False", "ContentDeleted",
         "All content successfully deleted, may be waiting on finalization"),
        ("NamespaceContentRemaining", "True", "SomeResourcesRemain", "Some resources are remaining: " + left) if remaining else
        ("NamespaceContentRemaining", "False", "ContentRemoved", "All content successfully removed"),
        ("NamespaceFinalizersRemaining", "True", "SomeFinalizersRemain",
         "Some content in the namespace has finalizers remaining: " + kept)
        if finalizers else ("NamespaceFinalizersRemaining", "False", "ContentHasNoFinalizers",
                            "All content-preserving finalizers finished"),
    ]
    out = []
    for kind, status, reason, message in found:
        old = conditions.of(held, kind)
        since = old["lastTransitionTime"] if old is not None and old["status"] == status else rfc3339(now)
        out.append({"type": kind, "status": status, "lastTransitionTime": since, "reason": reason, "message": message})
    return out


class NamespaceController(Controller):
    name = "namespace-controller"
    watches = {"namespaces": own_key}

    def reconcile(self, key: str) -> int | None:
        namespace = self.cluster.etcd.get("namespaces", key)
        if namespace is None or not namespace["metadata"].get("deletionTimestamp"):
            return None
        if not namespace["spec"].get("finalizers"):
            return None
        remaining = self._empty("pods", key)
        if not remaining:
            for resource in (*CONTENT, *(one for one in self.cluster.server.customs.stored() if one.namespaced)):
                remaining |= self._empty(resource.plural, key)
        names: dict[str, int] = {}
        for obj in (obj for objects in remaining.values() for obj in objects):
            for finalizer in obj["metadata"].get("finalizers") or ():
                names[finalizer] = names.get(finalizer, 0) + 1
        namespace = self._write_status(namespace, {plural: len(objects) for plural, objects in remaining.items()}, names)
        if remaining:
            return (self._estimate(remaining) // 2 + 1) * 1000
        self.client.update("namespaces", {**namespace, "spec": {"finalizers": []}}, subresource="finalize",
                           cause=Cause("namespace-emptied"))
        return None

    def _empty(self, plural: str, namespace: str) -> dict[str, list[Map]]:
        """Delete all objects of a kind. Returns {qualified name: those that are still there}, or {}."""
        for obj in self.cluster.etcd.list(plural, namespace):
            if not obj["metadata"].get("deletionTimestamp"):
                try:
                    self.client.delete(plural, obj["metadata"]["name"], namespace, propagation="Background",
                                       cause=Cause("namespace-deleting", {"namespace": namespace}))
                except ApiError as error:
                    if error.code != 404:
                        raise
        left = self.cluster.etcd.list(plural, namespace)
        return {next((r.qualified for r in RESOURCES if r.plural == plural), plural): left} if left else {}

    def _write_status(self, namespace: Map, remaining: dict[str, int], finalizers: dict[str, int]) -> Map:
        shown = {name if "." in name else f"{name}.": count for name, count in remaining.items()}
        status = namespace.get("status") or EMPTY
        new = {**status, "phase": "Terminating", "conditions": plan_conditions(status.get("conditions") or (), shown, finalizers,
                                                                               self.now)}
        if new == status:
            return namespace
        return self.client.update("namespaces", {**namespace, "status": new}, subresource="status",
                                  cause=Cause("namespace-status", {"remaining": remaining}))

    @staticmethod
    def _estimate(remaining: dict[str, list[Map]]) -> int:
        """Seconds until the content may have gone: the longest grace period of its Pods, or what finalizers take."""
        pods = [pod for pod in remaining.get("pods", ())
                if (pod.get("status") or EMPTY).get("phase") not in ("Succeeded", "Failed")]
        grace = max((pod["spec"].get("terminationGracePeriodSeconds", 30) for pod in pods), default=0)
        held = any(obj["metadata"].get("finalizers") for objects in remaining.values() for obj in objects)
        return max(grace, FINALIZER_ESTIMATE_SECONDS if held else 0)
