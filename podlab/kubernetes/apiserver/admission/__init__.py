"""Admission: what the cluster's own rules add to a request, and what they refuse.

The plugins that a 1.36 API server runs by default, in its order (pkg/kubeapiserver/options/plugins.go): first all mutating
ones, then, after defaults, strategy and validation, the validating ones. One file a plugin that is more than a few lines.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...resources import Resource
from ..errors import forbidden
from ..pipeline import Context
from . import (
    admission_policy,
    limit_ranger,
    mutating_policy,
    namespace_lifecycle,
    pod_resize,
    pod_security,
    priority,
    resource_quota,
    runtime_class,
    service_account,
    storage,
    tolerations,
    topology_labels,
    webhooks,
)
from .admission_policy import Asked

Object = dict[str, Any]


def admit_create(resource: Resource, obj: Object, ctx: Context) -> bool:
    """Change a new object as the mutating plugins do, in place; whether a webhook changed it. Raises ApiError."""
    _own(resource, obj, ctx)
    return mutate(Asked(resource, "CREATE", obj, None), ctx)


def mutate(asked: Asked, ctx: Context) -> bool:
    """Change `asked.new` in place as people's own policies and webhooks do; whether a webhook did. Raises ApiError."""
    mutating_policy.mutate(asked, ctx)
    if not ctx.list("mutatingwebhookconfigurations"):
        return False

    def again() -> None:
        if asked.operation == "CREATE" and isinstance(asked.new, dict) and asked.resource.custom is None:
            _own(asked.resource, asked.new, ctx)
        mutating_policy.mutate(asked, ctx, again=True)

    return webhooks.mutate(asked, ctx, again)


def validate(asked: Asked, ctx: Context) -> None:
    """What people's own policies and webhooks refuse. Raises ApiError."""
    admission_policy.validate(asked, ctx)
    webhooks.validate(asked, ctx)


def _own(resource: Resource, obj: Object, ctx: Context) -> None:
    """The API server's own mutating plugins, which run once more where a webhook has changed a new object (reinvocation.go)."""
    namespace_lifecycle.admit(resource, obj, ctx)
    if resource.kind == "Pod":
        limit_ranger.default_pod(obj, ctx)
        service_account.admit(obj, ctx)
        priority.admit(obj, ctx)
        tolerations.add_default_seconds(obj)
        runtime_class.admit(obj, ctx)
        if obj["spec"].get("nodeName"):
            topology_labels.admit(obj, ctx)
    elif resource.kind == "Node":
        tolerations.taint_new_node(obj)
    elif resource.kind in ("PersistentVolumeClaim", "PersistentVolume"):
        storage.admit(resource, obj, ctx)
    elif resource.kind == "Ingress":
        _default_ingress_class(obj, ctx)


def validate_create(resource: Resource, obj: Mapping[str, Any], ctx: Context) -> None:
    """What the validating plugins refuse of an object that is otherwise ready to be stored. Raises ApiError 403."""
    if resource.kind in ("Pod", "PersistentVolumeClaim"):
        limit_ranger.validate(resource, obj, ctx)
    if resource.kind == "Pod":
        pod_security.validate(obj, ctx)
    if resource.kind == "Namespace":
        pod_security.validate_labels(obj, None)
    if resource.kind == "PriorityClass":
        priority.validate_class(obj, ctx)
    validate(Asked(resource, "CREATE", obj, None), ctx)
    if resource.namespaced:
        resource_quota.validate(resource, obj, None, ctx)


def mutate_update(resource: Resource, new: Object, old: Mapping[str, Any], subresource: str, ctx: Context) -> None:
    """Change an updated object as the mutating plugins do, in place. Raises ApiError."""
    if subresource == "resize" and not old["metadata"].get("deletionTimestamp"):
        limit_ranger.default_pod(new, ctx)
    mutate(Asked(resource, "UPDATE", new, old, subresource), ctx)


def admit_update(resource: Resource, new: Object, old: Mapping[str, Any], subresource: str, ctx: Context) -> None:
    """Plugins that look at updates. Raises ApiError 403."""
    limited = subresource == "resize" or (resource.kind == "PersistentVolumeClaim" and not subresource)
    if limited and not old["metadata"].get("deletionTimestamp"):
        limit_ranger.validate(resource, new, ctx)
    if resource.kind == "Pod" and subresource in ("", "ephemeralcontainers", "resize"):
        pod_security.validate_update(new, old, ctx)
    if subresource == "resize":
        pod_resize.validate(new, old, ctx)
    validate(Asked(resource, "UPDATE", new, old, subresource), ctx)
    if subresource and subresource != "resize":
        return
    if resource.kind == "PersistentVolumeClaim":
        storage.validate_resize(new, old, ctx)
    if resource.kind == "Namespace":
        pod_security.validate_labels(new, old)
    if resource.kind == "PriorityClass":
        priority.validate_class(new, ctx)
    if resource.kind in ("Pod", "PersistentVolumeClaim", "Service") and new.get("spec") != old.get("spec"):
        resource_quota.validate(resource, new, old, ctx)


def admit_delete(resource: Resource, obj: Mapping[str, Any], ctx: Context) -> None:
    """Refuse to delete what a cluster cannot live without. Raises ApiError 403."""
    namespace_lifecycle.admit_delete(resource, obj)
    asked = Asked(resource, "DELETE", None, ctx.converted(resource, obj) if resource.custom is not None else obj)
    mutate(asked, ctx)
    validate(asked, ctx)
    if resource.kind == "PriorityClass" and obj["metadata"]["name"].startswith("system-"):
        raise forbidden(resource.group, resource.plural, obj["metadata"]["name"],
                        "this is a system priority class and cannot be deleted")


def admit_part(resource: Resource, operation: str, given: Mapping[str, Any], subresource: str, target: Mapping[str, Any], ctx: Context) -> None:
    """A request to a subresource with a kind of its own (`given`: PodExecOptions, Eviction) of the object with the metadata `target`.

    Raises ApiError.
    """
    asked = Asked(resource, operation, given, None, subresource, target)
    mutate(asked, ctx)
    validate(asked, ctx)


def _default_ingress_class(obj: Object, ctx: Context) -> None:
    annotations = obj["metadata"].get("annotations") or {}
    if obj["spec"].get("ingressClassName") is not None or "kubernetes.io/ingress.class" in annotations:
        return
    marked = [one for one in ctx.list("ingressclasses")
              if (one["metadata"].get("annotations") or {}).get("ingressclass.kubernetes.io/is-default-class") == "true"]
    if marked:
        newest = max(marked, key=lambda one: (one["metadata"].get("creationTimestamp") or "", one["metadata"]["name"]))
        obj["spec"] = {**obj["spec"], "ingressClassName": newest["metadata"]["name"]}


__all__ = ["admit_create", "admit_delete", "admit_part", "admit_update", "mutate", "mutate_update", "validate_create"]
