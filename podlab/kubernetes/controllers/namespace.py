"""Namespace deletion: Pods first, then everything else, then the namespace itself (pkg/controller/namespace/namespace_controller.go and
deletion/namespaced_resources_deleter.go)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..apiserver.errors import ApiError
from ..cause import Cause
from ..component import Controller
from ..controllers_common import conditions
from ..etcd import Change
from ..objects import EMPTY, Map
from ..resources import BY_PLURAL, RESOURCES, Resource
from ..times import parse_rfc3339, rfc3339

GRACE_MS = 5_000  # namespaceDeletionGracePeriod: every change of a namespace that goes is looked at so much later
FINALIZER_ESTIMATE_SECONDS = 15  # finalizerEstimateSeconds: how long a finalizer is thought to take
# Everything that is stored and namespaced, Pods first (OrderedNamespaceDeletion)
CONTENT = [r for r in RESOURCES if r.namespaced and r.plural not in ("bindings", "pods")]


def plan_conditions(held: Any, remaining: dict[str, int], finalizers: dict[str, int], errors: list[str], now: int) -> list[dict[str, Any]]:
    """The five conditions of a namespace on its way (status_condition_utils.go). Counts by kind and by finalizer name."""
    def listed(counts: dict[str, int], text: str) -> str:
        return ", ".join(text.format(name=name, count=counts[name]) for name in sorted(counts))

    left = listed(remaining, "{name} has {count} resource instances")
    kept = listed(finalizers, "{name} in {count} resource instances")
    found = [
        ("NamespaceDeletionDiscoveryFailure", "False", "ResourcesDiscovered", "All resources successfully discovered"),
        ("NamespaceDeletionGroupVersionParsingFailure", "False", "ParsedGroupVersions",
         "All legacy kube types successfully parsed"),
        ("NamespaceDeletionContentFailure", "True", "ContentDeletionFailed",
         f"Failed to delete all resource types, {len(errors)} remaining: {', '.join(sorted(errors))}") if errors else
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


def _going(controller: Controller, change: Change) -> Iterable[str]:
    if change.type != "DELETED" and change.object["metadata"].get("deletionTimestamp"):
        controller.enqueue(change.key, GRACE_MS, because=change.cause)
    return ()


class NamespaceController(Controller):
    name = "namespace-controller"
    retry_ms = (5, 60_000)  # nsControllerRateLimiter
    watches = {"namespaces": _going}

    def reconcile(self, key: str) -> int | None:
        namespace = self.cluster.etcd.get("namespaces", key)
        if namespace is None or not namespace["metadata"].get("deletionTimestamp"):
            return None
        if not namespace["spec"].get("finalizers"):
            return None
        remaining = self._empty(BY_PLURAL["pods"], key)
        if not remaining:
            for resource in (*CONTENT, *(one for one in self.cluster.server.customs.stored() if one.namespaced)):
                remaining |= self._empty(resource, key)
        names: dict[str, int] = {}
        for obj in (obj for objects in remaining.values() for obj in objects):
            for finalizer in obj["metadata"].get("finalizers") or ():
                names[finalizer] = names.get(finalizer, 0) + 1
        waits = {resource: self._estimate(resource, objects, namespace) for resource, objects in remaining.items()}
        errors = [f"unexpected items still remain in namespace: {key} for gvr: {resource.api_version if resource.group else '/v1'}, "
                  f"Resource={resource.qualified.partition('.')[0]}" for resource, seconds in waits.items() if not seconds]
        counts = {one.qualified if one.group else f"{one.plural}.": len(objects) for one, objects in remaining.items()}
        namespace = self._write_status(namespace, counts, names, errors)
        if errors:
            raise ApiError(500, "InternalError", errors[0])
        if remaining:
            return (max(waits.values()) // 2 + 1) * 1000  # of a ResourcesRemainingError
        self.client.update("namespaces", {**namespace, "spec": {"finalizers": []}}, subresource="finalize",
                           cause=Cause("namespace-emptied"))
        return None

    def _empty(self, resource: Resource, namespace: str) -> dict[Resource, list[Map]]:
        """Delete all objects of a kind. Returns those that are still there, or {}."""
        for obj in self.cluster.etcd.list(resource.plural, namespace):
            if not obj["metadata"].get("deletionTimestamp"):
                try:
                    self.client.delete(resource.plural, obj["metadata"]["name"], namespace, propagation="Background",
                                       cause=Cause("namespace-deleting", {"namespace": namespace}))
                except ApiError as error:
                    if error.code != 404:
                        raise
        left = self.cluster.etcd.list(resource.plural, namespace)
        return {resource: left} if left else {}

    def _write_status(self, namespace: Map, remaining: dict[str, int], finalizers: dict[str, int], errors: list[str]) -> Map:
        status = namespace.get("status") or EMPTY
        new = {**status, "phase": "Terminating", "conditions": plan_conditions(status.get("conditions") or (), remaining, finalizers, errors,
                                                                               self.now)}
        if new == status:
            return namespace
        return self.client.update("namespaces", {**namespace, "status": new}, subresource="status",
                                  cause=Cause("namespace-status", {"remaining": remaining}))

    def _estimate(self, resource: Resource, left: list[Map], namespace: Map) -> int:
        """Seconds until a kind's objects may have gone: the longest grace period of the Pods, while the namespace has not been going for so
        long, or what finalizers take. 0: they should have gone already."""
        grace = max((pod["spec"].get("terminationGracePeriodSeconds", 30) for pod in left
                     if (pod.get("status") or EMPTY).get("phase") not in ("Succeeded", "Failed")), default=0) if resource.plural == "pods" else 0
        if grace * 1000 > self.now - parse_rfc3339(namespace["metadata"]["deletionTimestamp"]):
            return int(grace)
        return FINALIZER_ESTIMATE_SECONDS if any(obj["metadata"].get("finalizers") for obj in left) else 0
