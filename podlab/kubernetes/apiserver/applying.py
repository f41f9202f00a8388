"""Server-side apply at the door: what a client sends becomes a whole object and its managers (endpoints/handlers/patch.go, applyPatcher)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..cause import Cause
from ..etcd import key_of
from ..objects import Map, thaw
from ..resources import Resource
from . import decode, schema
from .errors import ApiError, bad_request, conflict, not_found
from .ownership import managers, records, typed, types
from .ownership.managers import APPLY, UPDATE, Entries
from .request import Request

if TYPE_CHECKING:
    from .server import ApiServer

MEDIA_TYPE = "application/apply-patch+yaml"


def apply(server: ApiServer, resource: Resource, request: Request, cause: Cause) -> Map:
    """Raises ApiError: 409 where others own what is to be changed, 422 without a manager, 400 for what is no configuration."""
    if not request.options.get("fieldManager"):
        raise ApiError(422, "Invalid", 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch')
    config = request.body
    check(resource, config, request.name)
    old = server.cluster.etcd.get(resource.plural, key_of(request.namespace if resource.namespaced else None, request.name))
    kind = types.of_struct(schema.type_of(resource))
    if wrong := typed.faults(config, kind):
        raise not_typed(resource, request, wrong)
    who = records.writer(request, APPLY, resource.api_version, server.cluster.clock.now)
    force = bool(request.options.get("force"))
    stated = config.get("metadata") or {}
    if old is None:
        if request.subresource:
            raise not_found(resource.group, resource.plural, request.name)
        if stated.get("uid"):  # what is meant is gone (applyPatcher.createNewObject)
            raise conflict(resource.group, resource.plural, request.name,
                           f"uid mismatch: the provided object specified uid {stated['uid']}, and no existing object was found")
        _, entries = managers.apply((), {}, config, kind, who, force=True, lives=False)
        metadata = {**stated, "name": request.name}
        asked = Request("create", resource.plural, request.namespace, request.name, "", {**config, "metadata": metadata}, request.options,
                        request.user)
        return server.create(resource, asked, cause, entries)
    merged, entries = managers.apply(records.of(old), old, config, kind, who, force=force, lives=True)
    server.check_same(resource, config, old)
    if merged is None:
        new = thaw(old)
    else:
        new = thaw(managers.synced_last_applied(merged, config, who.manager))
    new["metadata"].pop("managedFields", None)
    decoded = decode.decode(resource, new, strict=False)
    return server.replace(resource, decoded, old, request, cause, entries)


def check(resource: Resource, config: Any, name: str) -> None:
    """Whether a body is a configuration of that very object. Raises ApiError 400."""
    if not isinstance(config, dict):
        raise bad_request("error decoding YAML: the configuration is no object")
    metadata = config.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise bad_request("metadata: it is no object")
    version = config.get("apiVersion", "")
    if version != resource.api_version:
        raise bad_request(f"Incorrect version specified in apply patch. Specified patch version: {version}, expected: {resource.api_version}")
    if metadata.get("name", name) != name:
        raise bad_request(f"the name of the object ({metadata['name']}) does not match the name on the URL ({name})")
    if metadata.get("managedFields") is not None:
        raise bad_request("metadata.managedFields must be nil")


def not_typed(resource: Resource, request: Request, wrong: list[str]) -> ApiError:
    """What the server says of a configuration that does not fit the schema.

    The real one answers 500, which it calls a bug of its own (kubernetes#139253); its words, without a reason, are kept, with 400.
    """
    text = wrong[0] if len(wrong) == 1 else "\n  ".join(["errors:", *wrong])
    group = f"{resource.group}/" if resource.group else "/"
    return ApiError(400, "", f"failed to create typed patch object ({request.namespace}/{request.name}; {group}{resource.version}, "
                             f"Kind={resource.kind}): {text}")


# ---- managers that a request states itself


def names_managers(body: Any) -> bool:
    """Whether a patch says something of metadata.managedFields."""
    if isinstance(body, list):
        return any(isinstance(one, dict) and str(one.get("path", "")).startswith("/metadata/managedFields") for one in body)
    metadata = body.get("metadata") if isinstance(body, dict) else None
    return isinstance(metadata, dict) and "managedFields" in metadata


def stated_owners(resource: Resource, stated: Any, old: Map, new: Mapping[str, Any], request: Request, at: int) -> Entries | None:
    """The managers after an update that brings its own list (decodeLiveOrNew); None where the list is what the object has anyway."""
    if managers.is_reset(stated):
        return ()
    base = managers.given(stated)
    if not base or same_but_for_times(base, records.of(old)):
        return None
    kind = types.of_struct(schema.type_of(resource))
    changed, removed = managers.differences(old, new, kind)
    return managers.update(base, changed, removed, records.writer(request, UPDATE, resource.api_version, at))


def same_but_for_times(one: Entries, other: Entries) -> bool:
    """Whether two lists differ in their times at most: such a write is none (IgnoreManagedFieldsTimestampsTransformer)."""
    return sorted(entry._replace(time="") for entry in one) == sorted(entry._replace(time="") for entry in other)
