"""Deleting: grace, preconditions, finalizers and the three ways with dependents.

Sources: S/apiserver/pkg/registry/rest/delete.go (BeforeDelete), pkg/registry/core/pod/strategy.go (CheckGracefulDelete),
S/apiserver/pkg/registry/generic/registry/store.go (deletionFinalizersForGarbageCollection).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..cause import Cause
from ..objects import Map, dig, freeze
from ..resources import Resource
from ..times import parse_rfc3339, rfc3339
from . import admission, bounds
from .context import Context
from .customresources.definitions import CLEANUP
from .errors import bad_request, conflict
from .ownership import records
from .request import Request

if TYPE_CHECKING:
    from .server import ApiServer

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
POLICIES = ("Background", "Foreground", "Orphan")


def delete(server: ApiServer, resource: Resource, request: Request, cause: Cause) -> Map:
    return delete_object(server, resource, server.existing(resource, request), request, cause)


def delete_object(server: ApiServer, resource: Resource, obj: Map, request: Request, cause: Cause) -> Map:
    """Delete now, or mark as being deleted. Returns the object as it stands afterwards."""
    options = request.options
    check_preconditions(resource, obj, options.get("preconditions") or {})
    policy = options.get("propagationPolicy")
    if policy is not None and policy not in POLICIES:
        raise bad_request(f'propagationPolicy: Unsupported value: "{policy}": supported values: "Foreground", "Background", "Orphan", "nil"')
    admission.admit_delete(resource, obj, Context(server.cluster, request.user, bool(options.get("dryRun"))))
    finalizers = finalizers_for(obj, policy, bool(options.get("orphanDependents")))
    if options.get("dryRun"):
        return tried(server, resource, obj, finalizers, request)
    if resource.plural == "namespaces":
        return delete_namespace(server, obj, cause, request)
    if resource.plural == "customresourcedefinitions":
        return delete_definition(server, resource, obj, finalizers, cause, request)
    if resource.plural == "pods":
        return delete_pod(server, resource, obj, finalizers, cause, request)
    if finalizers or obj["metadata"].get("finalizers"):  # shouldUpdateFinalizers: the policy may also take the last one away
        obj = mark(server, resource, obj, 0, finalizers, cause, request)
    if finalizers:
        return obj
    return server.drop(resource.plural, obj, cause, request)


def check_preconditions(resource: Resource, obj: Map, preconditions: dict[str, Any]) -> None:
    for member, label in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
        wanted, held = preconditions.get(member), obj["metadata"][member]
        if wanted is not None and wanted != held:
            raise conflict(resource.group, resource.plural, obj["metadata"]["name"],
                           f"Precondition failed: {label} in precondition: {wanted}, {label} in object meta: {held}")


def finalizers_for(obj: Map, policy: str | None, orphan: bool) -> list[str]:
    held = [name for name in obj["metadata"].get("finalizers") or () if name not in (FOREGROUND, ORPHAN)]
    kept = [name for name in obj["metadata"].get("finalizers") or () if name in (FOREGROUND, ORPHAN)]
    if orphan or policy == "Orphan":
        return [*held, ORPHAN]
    if policy == "Foreground":
        return [*held, FOREGROUND]
    if policy == "Background":
        return held
    # DefaultGarbageCollectionPolicy: what the object asked for before stands; otherwise background
    return [*held, *kept]


def delete_pod(server: ApiServer, resource: Resource, pod: Map, finalizers: list[str], cause: Cause, request: Request) -> Map:
    """Only Pods are deleted gracefully. The mark is written even when the Pod goes in the same breath: watchers see both."""
    asked, running = request.options.get("gracePeriodSeconds"), pod["metadata"].get("deletionGracePeriodSeconds")
    if running is not None and (asked is None or asked >= running):
        return pod  # pendingGraceful: a period that runs already may only become shorter
    grace = grace_period(pod, asked)
    pod = mark(server, resource, pod, grace, finalizers, cause, request)
    return pod if grace or finalizers else server.drop("pods", pod, cause, request)


def grace_period(obj: Map, asked: int | None) -> int:
    """Seconds (podStrategy.CheckGracefulDelete)."""
    grace = int(asked if asked is not None else dig(obj, "spec.terminationGracePeriodSeconds", 30))
    if not obj["spec"].get("nodeName") or dig(obj, "status.phase") in ("Succeeded", "Failed"):
        return 0
    return 1 if grace < 0 else grace


def tried(server: ApiServer, resource: Resource, obj: Map, finalizers: list[str], request: Request) -> Map:
    """What a dry run answers: the object as it would be left, marked where it would not go at once."""
    grace = grace_period(obj, request.options.get("gracePeriodSeconds")) if resource.plural == "pods" else 0
    if not grace and not finalizers:
        return obj
    return server.dry(marked(server, obj, grace, finalizers, request), records.note(obj, request, server.cluster.clock.now))


def mark(server: ApiServer, resource: Resource, obj: Map, grace: int, finalizers: list[str], cause: Cause, request: Request) -> Map:
    """Set deletionTimestamp (now + grace) and finalizers; a period that runs already is made shorter."""
    changed = marked(server, obj, grace, finalizers, request)
    return obj if changed == obj else server.store(resource.plural, changed, cause, request)


def marked(server: ApiServer, obj: Map, grace: int, finalizers: list[str], request: Request) -> dict[str, Any]:
    metadata = dict(obj["metadata"])
    now = server.cluster.clock.now
    if metadata.get("deletionTimestamp"):
        running = metadata.get("deletionGracePeriodSeconds") or 0
        asked = request.options.get("gracePeriodSeconds")
        if asked is not None and grace < running:
            started = parse_rfc3339(metadata["deletionTimestamp"]) - running * 1000
            end = started + grace * 1000
            if end < now:
                end, grace = now, min(grace, 1)
            metadata.update(deletionTimestamp=rfc3339(end), deletionGracePeriodSeconds=grace)
    else:
        metadata.update(deletionTimestamp=rfc3339(now + grace * 1000), deletionGracePeriodSeconds=grace)
        if metadata.get("generation"):
            metadata["generation"] += 1
    if finalizers:
        metadata["finalizers"] = finalizers
    else:
        metadata.pop("finalizers", None)
    return {**obj, "metadata": metadata}


def delete_namespace(server: ApiServer, obj: Map, cause: Cause, request: Request) -> Map:
    """A namespace becomes Terminating and goes when the namespace controller has emptied it (spec.finalizers)."""
    metadata = obj["metadata"]
    if not metadata.get("deletionTimestamp"):
        metadata = {**metadata, "deletionTimestamp": rfc3339(server.cluster.clock.now)}
        obj = server.store("namespaces", {**obj, "metadata": metadata, "status": {**(obj.get("status") or {}), "phase": "Terminating"}},
                           cause, request)
    if not obj["spec"].get("finalizers") and not metadata.get("finalizers"):
        return server.drop("namespaces", obj, cause, request)
    return obj


def delete_definition(server: ApiServer, resource: Resource, obj: Map, finalizers: list[str], cause: Cause, request: Request) -> Map:
    """A definition waits for its objects to go (registry/customresourcedefinition/etcd.go, Delete)."""
    if obj["metadata"].get("deletionTimestamp"):
        return obj
    pending = {"type": "Terminating", "status": "True", "lastTransitionTime": rfc3339(server.cluster.clock.now),
               "reason": "InstanceDeletionPending",
               "message": "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"}
    status = obj.get("status") or {}
    obj = freeze({**obj, "status": {**status, "conditions": [*(status.get("conditions") or ()), pending]}})
    return mark(server, resource, obj, 0, list(dict.fromkeys([*finalizers, CLEANUP])), cause, request)


def write(server: ApiServer, resource: Resource, new: dict[str, Any], old: Map, cause: Cause, request: Request, owners: Any = None) -> Map:
    """Store an update. An object that is being deleted, has no finalizer left and no grace to wait for, goes instead of being written
    (ShouldDeleteDuringUpdate): who watches sees it deleted as it was stored, with its last finalizer; who wrote gets what they wrote."""
    metadata = new["metadata"]
    if not server.trusted(request.user):
        server.cluster.etcd.weigh(bounds.check(new, owners))
    if not metadata.get("deletionTimestamp") or metadata.get("finalizers") or metadata.get("deletionGracePeriodSeconds") \
            or (resource.plural == "namespaces" and new["spec"].get("finalizers")):
        return server.store(resource.plural, new, cause, request, owners)
    server.drop(resource.plural, old, cause, request)
    shown: Map = freeze(new)
    return shown
