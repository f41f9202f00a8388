"""Requests about custom objects: decode, prune, default, admit, validate, store (apiextensions-apiserver/pkg/registry/customresource).

The store holds every object in the version that was its definition's stored one when it was written (conversion.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...cause import Cause
from ...etcd import key_of
from ...objects import Map, dig, freeze, replace, thaw
from ...resources import Resource
from .. import admission, applying, decode, deletion, patch, warnings
from ..context import Context
from ..errors import ApiError, Enough, FieldError, FieldErrors, already_exists, bad_request, invalid, method_not_supported, not_found, show
from ..ownership import managers, records, typed
from ..ownership.managers import APPLY, UPDATE, Entries
from ..request import Request
from ..validation import words
from ..validation.metadata import validate_metadata, validate_metadata_update
from . import conversion, structural, values

if TYPE_CHECKING:
    from ..server import ApiServer

Object = dict[str, Any]
SYSTEM = ("uid", "creationTimestamp", "name", "namespace", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink",
          "resourceVersion")


def in_version(resource: Resource, body: Any, server: ApiServer) -> Resource:
    """The resource in the version that a body names, or a patch's option apiVersion; the stored one where it names none. Raises ApiError 400."""
    version = str(body.get("apiVersion") or "") if isinstance(body, dict) else ""
    if not version or version == resource.api_version:
        return resource
    group, _, name = version.rpartition("/")
    found = server.customs.find(resource.plural, name) if group == resource.group else None
    if found is None:
        raise bad_request(f"the API version in the data ({version}) does not match the expected API version ({resource.api_version})")
    return found


def write(server: ApiServer, resource: Resource, request: Request, cause: Cause) -> Map:
    """create, update and patch, of the object and of its status and scale."""
    if request.subresource == "scale":
        return write_scale(server, resource, request, cause)
    if request.verb == "create":
        return create(server, resource, request, cause)
    if request.verb == "patch" and request.options.get("patchType") == applying.MEDIA_TYPE:
        return apply(server, resource, request, cause)
    if request.verb not in ("update", "patch"):
        raise method_not_supported(resource.name, request.verb)
    held = server.existing(resource, request)
    body = request.body
    resource = in_version(resource, body if request.verb == "update" else request.options, server)
    old = _as_asked(resource, held)
    if request.verb == "patch":
        kind = request.options.get("patchType", "application/merge-patch+json")
        if kind == "application/strategic-merge-patch+json":
            raise ApiError(415, "UnsupportedMediaType", "the body of the request was in an unknown format - accepted media types include: "
                           "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml, application/apply-patch+cbor")
        body = patch.apply_patch(resource, records.shown(old) if applying.names_managers(body) else old, body, kind)
    if not isinstance(body, dict) or not isinstance(body.get("metadata"), dict):
        raise bad_request("the object provided is unrecognized (must be of type " + resource.kind + ")")
    resource = in_version(resource, body, server)
    server.check_same(resource, body, old)
    return replace_with(server, resource, decoded(resource, body, request), old, request, cause, held=held)


def decoded(resource: Resource, body: Any, request: Request) -> Object:
    """The object that a body means: metadata typed, the rest pruned and filled. Raises ApiError 400."""
    served = resource.custom
    if not isinstance(body, dict):
        raise bad_request(f"{resource.kind} in version \"{resource.version}\" cannot be handled as a {resource.kind}: it is no object")
    kind = body.get("kind")
    if kind and kind != resource.kind:
        raise bad_request(f'{kind} in version "{resource.version}" cannot be handled as a {resource.kind}: the kind in the data ({kind}) does not '
                          f"match the expected kind ({resource.kind})")
    obj: Object = thaw(body)
    stated = (obj.get("metadata") or {}).get("managedFields") if isinstance(obj.get("metadata"), dict) else None
    head, unknown = decode.decode_with_warnings(resource, {"metadata": obj.get("metadata") or {}})
    obj["metadata"] = dict(head.get("metadata") or {})
    if stated is not None:
        obj["metadata"]["managedFields"] = stated
    unknown = [f"unknown field {show(path)}" for path in structural.prune(dict(served.schema), obj)] + unknown
    if unknown and request.options.get("fieldValidation", "Strict") == "Strict":
        raise bad_request(f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: strict decoding error: '
                          + ", ".join(unknown[:decode.MAX_STRICT_ERRORS]))
    structural.fill(dict(served.schema), obj)
    ordered = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": obj["metadata"]}
    return {**ordered, **{name: member for name, member in obj.items() if name not in ordered}}


def unknown_fields(resource: Resource, body: Any) -> list[str]:
    """What strict decoding would complain about."""
    if not isinstance(body, dict):
        return []
    return [f"unknown field {show(path)}" for path in structural.prune(dict(resource.custom.schema), thaw(body))]


def create(server: ApiServer, resource: Resource, request: Request, cause: Cause, owners: Entries | None = None) -> Map:
    resource = in_version(resource, request.body, server)
    if server.customs.terminating(resource.plural):
        raise ApiError(405, "MethodNotAllowed", "create not allowed while custom resource definition is terminating",
                       {"group": resource.group, "kind": resource.name})
    obj = decoded(resource, request.body, request)
    metadata, ctx = obj["metadata"], Context(server.cluster, request.user, bool(request.options.get("dryRun")))
    metadata.pop("managedFields", None)
    if metadata.get("resourceVersion"):
        raise ApiError(500, "", "resourceVersion should not be set on objects to be created")
    if not resource.namespaced:
        metadata.pop("namespace", None)
    elif metadata.setdefault("namespace", request.namespace) != request.namespace:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    now = server.cluster.clock.now
    if owners is None:
        changed, _ = managers.differences({}, obj, resource.custom.ownership, ("status",) if resource.custom.status else ())
        owners = managers.update((), changed, {}, records.writer(request, UPDATE, resource.api_version, now))
    admission.admit_create(resource, obj, ctx)
    metadata = obj["metadata"]
    if not metadata.get("name") and metadata.get("generateName"):
        metadata["name"] = metadata["generateName"][:58] + ctx.random_name(5, "generateName", resource.plural, metadata["generateName"])
    for member in ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "uid", "creationTimestamp"):
        metadata.pop(member, None)
    metadata["generation"] = 1
    if resource.custom.status:
        obj.pop("status", None)
    errors: list[FieldError] = FieldErrors()
    try:
        validate_metadata(metadata, resource.namespaced, words.bad_subdomain, errors, custom=True)
        errors += values.validate(resource.custom.schema, _without_metadata(obj), "")
    except Enough as enough:
        errors = enough.complaints
    if errors:
        raise invalid(resource.group, resource.kind, metadata.get("name") or "", errors)
    warnings.warn_of_finalizers(metadata, {}, ctx)
    admission.validate_create(resource, obj, ctx)
    if server.cluster.etcd.get(resource.plural, key_of(metadata.get("namespace"), metadata["name"])) is not None:
        raise already_exists(resource.group, resource.name, metadata["name"])
    server.check_room(resource, metadata["name"])
    obj = _as_stored(server, resource, obj)
    if request.options.get("dryRun"):
        return _as_asked(resource, server.dry(obj, owners))
    return _as_asked(resource, server.store_new(resource.plural, obj, cause, request, owners))


def _without_metadata(obj: Mapping[str, Any]) -> Object:
    return {**obj, "metadata": {name: obj["metadata"][name] for name in ("name", "generateName") if name in obj["metadata"]}}


def _as_stored(server: ApiServer, resource: Resource, obj: Object) -> Object:
    return dict(conversion.in_version(server.customs.find(resource.plural) or resource, obj))


def _as_asked(resource: Resource, obj: Map) -> Map:
    """An answer in the version of the request. It keeps its managers."""
    found = conversion.in_version(resource, obj)
    return found if isinstance(found, Map) else obj


def replace_with(server: ApiServer, resource: Resource, new: Object, old: Map, request: Request, cause: Cause,
                 owners: Entries | None = None, *, held: Map | None = None) -> Map:
    """The common end of update, patch and apply. `held`: `old` as the store has it, where that is another version."""
    served, ctx = resource.custom, Context(server.cluster, request.user, bool(request.options.get("dryRun")))
    metadata, now = new["metadata"], server.cluster.clock.now
    stated = metadata.pop("managedFields", None)
    for member in SYSTEM:
        if member in old["metadata"]:
            metadata[member] = old["metadata"][member]
        else:
            metadata.pop(member, None)
    new["metadata"] = metadata = {**{name: metadata[name] for name in old["metadata"] if name in metadata}, **metadata}
    skip: tuple[str, ...] = ()
    if request.subresource == "status":
        new = {**old, "apiVersion": new["apiVersion"], "metadata": old["metadata"], **({"status": new["status"]} if "status" in new else {})}
        if "status" not in request.body and request.verb == "update":
            new.pop("status", None)
    elif served.status:
        new.pop("status", None)
        if "status" in old:
            new["status"] = old["status"]
        skip = ("status",)
    new["metadata"] = dict(new["metadata"])
    admission.mutate_update(resource, new, old, request.subresource, ctx)
    if not request.subresource or request.subresource == "scale":
        unchanged = {"metadata", "apiVersion", *(("status",) if served.status else ())}
        if any(new.get(name) != old.get(name) for name in (*new, *old) if name not in unchanged):
            new["metadata"] = {**new["metadata"], "generation": old["metadata"].get("generation", 0) + 1}
    errors: list[FieldError] = FieldErrors()
    try:
        validate_metadata_update(new["metadata"], old["metadata"], errors, custom=True)
        if not request.subresource:
            errors += managers.faults_of(stated)
        errors += values.validate(served.schema, _without_metadata(new), "", _without_metadata(old))
    except Enough as enough:
        errors = enough.complaints
    if errors:
        raise invalid(resource.group, resource.kind, old["metadata"]["name"], errors)
    if not request.subresource:
        warnings.warn_of_finalizers(new["metadata"], old["metadata"], ctx)
    admission.admit_update(resource, new, old, request.subresource, ctx)
    if owners is None:
        owners = _owners(resource, stated if not request.subresource else None, old, new, request, now, skip)
    new = _as_stored(server, resource, new)
    if ctx.dry:
        return _as_asked(resource, server.dry(new, owners))
    if new == (held or old) and applying.same_but_for_times(owners, records.of(old)):
        return old
    return _as_asked(resource, deletion.write(server, resource, new, old, cause, request, owners))


def _owners(resource: Resource, stated: Any, old: Map, new: Object, request: Request, at: int, skip: tuple[str, ...]) -> Entries:
    base = records.of(old)
    if stated is not None:
        if managers.is_reset(stated):
            return ()
        given = managers.given(stated)
        base = given if given and not applying.same_but_for_times(given, base) else base
    if not base:
        return ()
    changed, removed = managers.differences(old, new, resource.custom.ownership, skip)
    return managers.update(base, changed, removed, records.writer(request, UPDATE, resource.api_version, at))


def apply(server: ApiServer, resource: Resource, request: Request, cause: Cause) -> Map:
    """Server-side apply of a custom object."""
    if not request.options.get("fieldManager"):
        raise ApiError(422, "Invalid", 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch')
    config = request.body
    resource = in_version(resource, config, server)
    applying.check(resource, config, request.name)
    kind = resource.custom.ownership
    if wrong := typed.faults(config, kind):
        raise applying.not_typed(resource, request, wrong)
    who = records.writer(request, APPLY, resource.api_version, server.cluster.clock.now)
    old = server.cluster.etcd.get(resource.plural, key_of(request.namespace if resource.namespaced else None, request.name))
    if old is None:
        if request.subresource:
            raise not_found(resource.group, resource.name, request.name)
        _, entries = managers.apply((), {}, config, kind, who, force=True, lives=False)
        asked = Request("create", resource.plural, request.namespace, request.name, "",
                        {**config, "metadata": {**(config.get("metadata") or {}), "name": request.name}}, request.options, request.user)
        return create(server, resource, asked, cause, entries)
    held, old = old, _as_asked(resource, old)
    merged, entries = managers.apply(records.of(old), old, config, kind, who, force=bool(request.options.get("force")), lives=True)
    new: Object = thaw(old) if merged is None else thaw(managers.synced_last_applied(merged, config, who.manager))
    server.check_same(resource, new, old)
    new["metadata"].pop("managedFields", None)
    new["apiVersion"] = resource.api_version
    lenient = Request("patch", resource.plural, request.namespace, request.name, request.subresource, config,
                      {**request.options, "fieldValidation": "Ignore"}, request.user)
    return replace_with(server, resource, decoded(resource, new, lenient), old, lenient, cause, entries, held=held)


# ---- scale


def scale_of(resource: Resource, obj: Map) -> Map:
    """The autoscaling/v1 Scale of a custom object. Raises ApiError 500 where it has no wished number."""
    paths = resource.custom.scale
    wished = dig(obj, paths["specReplicasPath"].removeprefix("."))
    if wished is None:
        raise ApiError(500, "InternalError", f"Internal error occurred: the spec replicas field \"{paths['specReplicasPath']}\" does not exist")
    metadata = {key: obj["metadata"][key] for key in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp") if key in obj["metadata"]}
    status: Object = {"replicas": dig(obj, paths["statusReplicasPath"].removeprefix("."), 0)}
    if paths.get("labelSelectorPath"):
        status["selector"] = dig(obj, paths["labelSelectorPath"].removeprefix("."), "")
    found: Map = freeze({"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": {"replicas": wished}, "status": status})
    return found


def write_scale(server: ApiServer, resource: Resource, request: Request, cause: Cause) -> Map:
    old = _as_asked(resource, server.existing(resource, request))
    path = resource.custom.scale["specReplicasPath"].removeprefix(".")
    if request.verb == "patch" and request.options.get("patchType") == applying.MEDIA_TYPE:
        config = replace({"apiVersion": resource.api_version, "kind": resource.kind, "metadata": {"name": request.name}}, path,
                         dig(request.body, "spec.replicas", 0))
        asked = Request("patch", resource.plural, request.namespace, request.name, "scale", config, request.options, request.user)
        return scale_of(resource, apply(server, resource, asked, cause))
    scale: Any = request.body
    if request.verb == "patch":
        now = replace(old, path, dig(old, path, 0))
        scale = patch.apply_patch(resource, thaw(scale_of(resource, freeze(now))), scale,
                                  request.options.get("patchType", "application/merge-patch+json"))
    if not isinstance(scale, dict):
        raise bad_request("the object provided is unrecognized (must be of type Scale)")
    said = scale["metadata"] if isinstance(scale.get("metadata"), dict) else {}
    server.check_same(resource, {"metadata": {name: said[name] for name in ("uid", "resourceVersion") if name in said}}, old)
    replicas = dig(scale, "spec.replicas", 0)
    if not isinstance(replicas, int) or isinstance(replicas, bool):
        raise bad_request('Scale in version "v1" cannot be handled as a Scale: json: cannot unmarshal string into Go struct field '
                          "ScaleSpec.spec.replicas of type int32")
    if replicas < 0:
        raise invalid("autoscaling", "Scale", request.name, [FieldError.invalid("spec.replicas", replicas, "should be a non-negative integer")])
    new: Object = thaw(replace(old, path, replicas))
    asked = Request("update", resource.plural, request.namespace, request.name, "scale", new, request.options, request.user)
    return scale_of(resource, replace_with(server, resource, new, old, asked, cause))
