"""Writes: a call becomes one Request to the engine's door, journaled; the answer becomes what a client expects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...etcd import key_of
from ...resources import BY_PLURAL, Resource
from .. import create, decode, patch, rbac, schema, subresources, versions
from ..customresources import door
from ..errors import ApiError, FieldError, bad_request, invalid
from ..request import ADMIN, Request
from . import bodies, clocks, escalation, listing, shapes
from . import options as options_rules
from .addresses import Target
from .call import Call, Desk

if TYPE_CHECKING:
    from ...ground import Ground

BODIES = {"eviction": bodies.EVICTION, "binding": bodies.BINDING, "scale": bodies.SCALE, "token": bodies.TOKEN_REQUEST}
WHOLE = ("", "status", "ephemeralcontainers", "resize", "finalize")  # subresources whose body is the object itself
# Kinds whose deletion answers with the object; the others' with a Status (ReturnDeletedObject in pkg/registry/*/storage)
RETURNED = ("persistentvolumeclaims", "persistentvolumes", "pods", "podtemplates", "resourcequotas", "serviceaccounts", "services",
            "storageclasses")
# Kinds besides people's own that are updated only by who says which version they saw (AllowUnconditionalUpdate in pkg/registry/*/strategy.go)
NEVER_BLIND = ("apiservices", "csidrivers", "csinodes", "customresourcedefinitions", "leases", "mutatingadmissionpolicies",
               "mutatingadmissionpolicybindings", "mutatingwebhookconfigurations", "poddisruptionbudgets", "runtimeclasses",
               "validatingadmissionpolicies", "validatingadmissionpolicybindings", "validatingwebhookconfigurations", "volumeattachments")
APPLY = "application/apply-patch+yaml"
FAULTS = (AttributeError, TypeError, KeyError, IndexError, ValueError, RecursionError)


def options_of(call: Call) -> dict[str, Any]:
    """The options of a write's query, which options.py has judged."""
    options: dict[str, Any] = {}
    if "All" in call.query.get("dryRun", ()):
        options["dryRun"] = "All"
    options["fieldManager"] = call.one("fieldManager") or call.headers.get("user-agent", "").split("/")[0][:128] or "unknown"
    if command := call.headers.get("kubectl-command", ""):
        options["command"] = "".join(c for c in command if c.isprintable())[:100]
    return options


def perform(engine: Ground, desk: Desk, call: Call, target: Target, body: Any, twice: list[str], user: rbac.User) -> tuple[int, Any]:
    """(HTTP status, JSON value). Call inside a turn. Raises ApiError."""
    if target.verb in ("delete", "deletecollection"):
        return _delete(engine, desk, call, target, body)
    shape = shapes.negotiate(call, listing=False)
    kind = bodies.media_type(call.headers.get("content-type", "")) if target.verb == "patch" else ""
    options_rules.check_write(call, target.verb, applying=kind == APPLY)
    options, validating = options_of(call), call.one("fieldValidation") or "Warn"  # the server's default
    stored = BY_PLURAL.get(target.resource.plural, target.resource)
    name, plural, subresource = target.name, stored.plural, target.subresource
    key = key_of(target.namespace if stored.namespaced else None, name)
    held = engine.etcd.get(plural, key) if name and target.verb != "create" else None
    before = _version_of(body) or _version_of(held)
    distance, given = desk.clock().of(before), body
    if plural == "bindings":
        plural, subresource = "pods", "binding"
    if target.verb == "patch":
        body = _prepare_patch(engine, call, target, body, twice, kind, options, validating, distance)
        if stored.custom is not None and not stored.custom.storage:
            options["apiVersion"] = stored.api_version
        if target.resource != stored and kind != APPLY:
            target = replace(target, verb="update")
    elif subresource in BODIES:
        body = bodies.typed(BODIES[subresource], body)
        if subresource == "binding":
            name = name or str((body.get("metadata") or {}).get("name") or "")
    else:
        call.warnings += bodies.check(target.resource, body, twice, validating)
        if target.verb == "update":
            _check_name(target, body)
            if held is not None and not _version_of(body) and subresource in ("", "status") and _never_blind(stored):
                raise invalid(stored.group, stored.name, target.name,
                              [FieldError.invalid("metadata.resourceVersion", 0, "must be specified for an update")])
            if held is None and not subresource and stored.plural in create.MADE_BY_UPDATE:
                target, name = replace(target, verb="create", name=""), ""
                rbac.check(engine, user, {"verb": "create", "group": target.resource.group, "resource": target.resource.name,
                                          "subresource": "", "namespace": target.namespace, "name": key.rpartition("/")[2]})
        body = clocks.moved(schema.type_of(target.resource), body, -distance)
        if target.resource != stored:
            body = create.of_this_version(stored, {**body, "apiVersion": target.resource.api_version}, False, new=target.verb == "create")
    options["fieldValidation"] = "Ignore"  # judged above, with warnings
    request = Request(target.verb, plural, target.namespace, name, subresource, body, options, ADMIN)
    escalation.check(engine, user, request)
    obj = submit(engine, desk, request)
    call.warnings += engine.server.warnings
    if distance != desk.clock().now and clocks.moved(schema.type_of(target.resource), given, 1) is not given and _version_of(obj) != before:
        desk.clock().hold(_version_of(obj), distance)
    code = 201 if target.verb == "create" or (held is None and target.verb == "patch") else 200
    return code, _shown(target, subresource, obj, shape, engine, desk)


def _never_blind(stored: Resource) -> bool:
    return stored.custom is not None or stored.plural in NEVER_BLIND


def _version_of(obj: Any) -> str:
    """The resourceVersion, "" for none and for anything that is no object."""
    metadata = obj.get("metadata") if isinstance(obj, Mapping) else None
    version = metadata.get("resourceVersion") if isinstance(metadata, Mapping) else None
    return version if isinstance(version, str) else ""


def submit(engine: Ground, desk: Desk, request: Request) -> Any:
    """Through the one door: journaled, unless it is a dry run, which changes nothing. Raises ApiError, 429 for too many too."""
    if request.options.get("dryRun"):
        return engine.server.perform(request)
    return desk.submit({"do": "request", **request.to_json()})


def _check_name(target: Target, body: dict[str, Any]) -> None:
    metadata = body.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise bad_request("metadata: it is no object")
    if metadata.get("name", target.name) not in (target.name, ""):
        raise bad_request(f"the name of the object ({metadata['name']}) does not match the name on the URL ({target.name})")
    if metadata.get("namespace", target.namespace) not in (target.namespace, "") and target.resource.namespaced:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    body["metadata"] = {**metadata, "name": target.name, **({"namespace": target.namespace} if target.resource.namespaced else {})}


def _prepare_patch(engine: Ground, call: Call, target: Target, body: Any, twice: list[str], kind: str, options: dict[str, Any],
                   validating: str, distance: int) -> Any:
    """The patch as the engine takes it, tried on the present object first: that finds unknown fields, and what no patch can mean."""
    if kind == APPLY:
        options["force"] = call.flag("force")
        if isinstance(body, dict):
            decode.check_type(bodies.SCALE if target.subresource == "scale" else target.resource, body)
            _check_name(target, body)
            if twice and validating == "Strict":
                raise bad_request(f"error strict decoding YAML: error converting YAML to JSON: {twice[0]}")
            call.warnings += bodies.judge(target.resource, twice, validating)
    options["patchType"] = kind
    resource, stored = target.resource, BY_PLURAL.get(target.resource.plural, target.resource)
    if kind != "application/json-patch+json":
        body = clocks.moved(schema.type_of(resource), body, -distance)
    if kind == APPLY:
        return create.of_this_version(stored, body, False) if resource != stored and isinstance(body, dict) else body
    old = engine.etcd.get(stored.plural, key_of(target.namespace if stored.namespaced else None, target.name))
    if old is None:
        return body
    scaling = target.subresource == "scale"
    scale_of = door.scale_of if stored.custom is not None else subresources.scale_of
    before = scale_of(stored, old) if scaling else versions.as_served(resource, old)
    try:
        changed = patch.apply_patch(bodies.SCALE if scaling else resource, before, body, kind)
    except FAULTS:
        raise bad_request("error applying the patch: it does not fit the object") from None
    if scaling:
        bodies.typed(bodies.SCALE, changed)
        return body
    try:
        call.warnings += bodies.judge(resource, [*twice, *bodies.unknown_fields(resource, changed)], validating)
    except ApiError as error:
        raise patch.not_decoded(kind, body, changed, error) if error.code == 400 and resource.custom is None else error from None
    if resource != stored:
        return create.of_this_version(stored, changed, False, new=False)
    return body


def _shown(target: Target, subresource: str, obj: Any, shape: shapes.Shape, engine: Ground, desk: Desk) -> Any:
    """The JSON of a write's answer."""
    if subresource in ("eviction", "binding"):
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
    if subresource in ("scale", "token"):
        return clocks.moved(schema.type_of(BODIES[subresource]), obj, desk.clock().of(_version_of(obj)))
    return shapes.one(target.resource, obj, shape, engine.now, desk.clock())


# ---- deleting


def _delete(engine: Ground, desk: Desk, call: Call, target: Target, body: Any) -> tuple[int, Any]:
    resource = BY_PLURAL.get(target.resource.plural, target.resource)
    options = options_of(call)
    options.pop("fieldManager")
    given = bodies.typed(bodies.DELETE_OPTIONS, body)
    for name in ("propagationPolicy", "gracePeriodSeconds", "orphanDependents"):
        value = given.get(name)
        if value is None and call.one(name):
            value = call.number(name) if name == "gracePeriodSeconds" else call.flag(name) if name == "orphanDependents" else call.one(name)
        if value is not None:
            options[name] = value
    if given.get("preconditions"):
        options["preconditions"] = given["preconditions"]
    dry: list[Any] = given.get("dryRun") or call.query.get("dryRun", [])
    options_rules.check_delete(options, dry)
    if "All" in dry:
        options["dryRun"] = "All"
    if target.verb == "deletecollection":
        shape = shapes.negotiate(call, listing=True)
        request = Request("deletecollection", resource.plural, target.namespace, options={**options, **listing.selection(call, target)})
        found = submit(engine, desk, request)["items"]
        return 200, shapes.many(target.resource, found, shape, engine.now, desk.clock(), {"resourceVersion": str(engine.etcd.revision)})
    shape = shapes.negotiate(call, listing=False)
    obj = submit(engine, desk, Request("delete", resource.plural, target.namespace, target.name, options=options))
    return 200, _deleted(engine, desk, target, resource, obj, shape, dry=bool(options.get("dryRun")))


def _deleted(engine: Ground, desk: Desk, target: Target, resource: Resource, obj: Any, shape: shapes.Shape, *, dry: bool) -> Any:
    """The object while it is still there (grace, finalizers) and of some kinds always, else a Status that names it."""
    held = engine.etcd.get(resource.plural, key_of(target.namespace if resource.namespaced else None, target.name))
    waits = held is not None and held["metadata"]["uid"] == obj["metadata"]["uid"] and not dry
    if waits or resource.plural in RETURNED:
        return shapes.one(target.resource, obj, shape, engine.now, desk.clock())
    details = {"name": target.name, **({"group": resource.group} if resource.group else {}), "kind": resource.name,
               "uid": obj["metadata"]["uid"]}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
