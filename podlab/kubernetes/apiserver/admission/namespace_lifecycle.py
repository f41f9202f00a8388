"""NamespaceLifecycle: nothing is made in a namespace that is missing or ending; the first namespaces stay.

Source: staging/src/k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle/admission.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...resources import Resource
from ..errors import forbidden, not_found, subject_of
from ..pipeline import Context

IMMORTAL = ("default", "kube-system", "kube-public")


def admit(resource: Resource, obj: Mapping[str, Any], ctx: Context) -> None:
    """Raises ApiError 404 for a missing namespace, 403 for one that is being terminated."""
    if not resource.namespaced:
        return
    name = obj["metadata"]["namespace"]
    namespace = ctx.find("namespaces", name)
    if namespace is None:
        raise not_found("", "namespaces", name)
    if namespace["metadata"].get("deletionTimestamp") or (namespace.get("status") or {}).get("phase") == "Terminating":
        causes = [{"reason": "NamespaceTerminating", "message": f"namespace {name} is being terminated",
                   "field": "metadata.namespace"}]
        raise forbidden(resource.group, resource.plural, subject_of(obj["metadata"]),
                        f"unable to create new content in namespace {name} because it is being terminated", causes)


def admit_delete(resource: Resource, obj: Mapping[str, Any]) -> None:
    if resource.kind == "Namespace" and obj["metadata"]["name"] in IMMORTAL:
        raise forbidden("", "namespaces", obj["metadata"]["name"], "this namespace may not be deleted")
