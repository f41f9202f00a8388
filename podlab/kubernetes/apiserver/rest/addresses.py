"""What a method and a path ask for (apiserver/pkg/endpoints/request/requestinfo.go)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...resources import Resource
from .. import discovery
from ..errors import ApiError, PageNotFound, method_not_allowed
from .call import Call

VERBS = {"GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
OF_NAMESPACES = ("status", "finalize")  # third segments of /namespaces/<name>/... that are no resources


@dataclass(frozen=True, slots=True)
class Target:
    """`verb` is get, list, watch, create, update, patch, delete or deletecollection."""

    verb: str
    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    rest: tuple[str, ...] = ()  # what follows a subresource (proxy)


def unknown() -> ApiError:
    return ApiError(404, "NotFound", "the server could not find the requested resource", {})


def is_custom(call: Call) -> bool:
    """Whether an address names no kind that every cluster serves: it may be one that people defined."""
    parts = call.path
    if parts[0] != "apis":
        return False
    rest = parts[4:] if parts[3] == "watch" else parts[3:]
    plural = rest[2] if len(rest) > 2 and rest[0] == "namespaces" else rest[0] if rest else ""
    return discovery.find(parts[1], parts[2], plural) is None


def resolve(call: Call, customs: Sequence[Resource] = ()) -> Target:
    """The target of /api/v1/... and /apis/<group>/<version>/.... `customs`: the kinds that the cluster's people defined.

    Raises ApiError 404 or 405.
    """
    parts = call.path
    group, version, rest = ("", parts[1], parts[2:]) if parts[0] == "api" else (parts[1], parts[2], parts[3:])
    watching = call.flag("watch")
    if rest[0] == "watch" and len(rest) > 1:  # the old way to watch
        watching, rest = True, rest[1:]
    namespace = ""
    scoped = rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in OF_NAMESPACES
    if scoped:
        namespace, rest = rest[1], rest[2:]
    resource = discovery.find(group, version, rest[0], customs)
    if resource is None and (group, version) not in discovery.served():
        raise PageNotFound
    if resource is None or (scoped and not resource.namespaced):
        raise unknown()
    name, subresource = [*rest[1:3], "", ""][:2]
    if resource.namespaced and name and not scoped:
        raise unknown()
    verb = _verb(call, resource, name, subresource, watching)
    if resource.namespaced and not scoped and verb not in ("list", "watch"):
        raise unknown() if verb != "deletecollection" and verb != "create" else method_not_allowed()
    return Target(verb, resource, namespace, name, subresource, tuple(rest[3:]))


def _verb(call: Call, resource: Resource, name: str, subresource: str, watching: bool) -> str:
    verb = VERBS.get(call.method) or ("get" if call.method == "OPTIONS" and subresource == "proxy" else None)
    if verb is None:
        raise method_not_allowed()
    if subresource:
        allowed = next((verbs for one, _, verbs in discovery.subresources_of(resource) if one == subresource), None)
        if allowed is None:
            raise unknown()
        if verb not in allowed:
            raise method_not_allowed()
        return verb
    if verb == "get" and watching:
        verb = "watch"
    elif verb == "get" and not name:
        verb = "list"
    elif verb == "delete" and not name:
        verb = "deletecollection"
    if verb not in discovery.verbs_of(resource) or (verb == "create" and name) or (verb in ("update", "patch") and not name):
        raise method_not_allowed()
    return verb
