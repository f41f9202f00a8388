"""/openapi/v3: one document a group and version, from which kubectl validates, merges, explains and completes.

Made from the published schema (schema.py); the same for every cluster, but for the groups of kinds that its people defined, whose
documents and hashes are made from their definitions. A document names only what the server does serve.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from ..resources import Resource
from ..version import KUBERNETES_VERSION
from . import discovery, schema

COMPONENTS = "#/components/schemas/"
JSON = "application/json"
PATCH_TYPES = ("application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json",
               "application/strategic-merge-patch+json")
LIST_PARAMETERS = ("allowWatchBookmarks", "continue", "fieldSelector", "labelSelector", "limit", "resourceVersion",
                   "resourceVersionMatch", "sendInitialEvents", "timeoutSeconds", "watch")
WRITE_PARAMETERS = ("dryRun", "fieldManager", "fieldValidation")
DELETE_PARAMETERS = ("dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy")
TYPES = {"allowWatchBookmarks": "boolean", "limit": "integer", "sendInitialEvents": "boolean", "timeoutSeconds": "integer",
         "watch": "boolean", "gracePeriodSeconds": "integer", "orphanDependents": "boolean", "force": "boolean",
         "follow": "boolean", "previous": "boolean", "timestamps": "boolean", "sinceSeconds": "integer", "tailLines": "integer",
         "limitBytes": "integer"}
LOG_PARAMETERS = ("container", "follow", "limitBytes", "previous", "sinceSeconds", "sinceTime", "tailLines", "timestamps")
META = schema.META
METRICS = "io.k8s.metrics.pkg.apis.metrics.v1beta1."


def names(customs: Sequence[Resource] = ()) -> list[str]:
    """`api/v1`, `apis/apps/v1`, ...: the documents that there are. `customs`: the kinds that the people of one cluster defined."""
    return [_address(group, version)[1:] for group, version in discovery.with_customs(customs)]


def document(name: str, customs: Sequence[Resource] = ()) -> bytes | None:
    """The JSON text of one document; None where there is none. Those with custom kinds are made anew: each cluster has its own."""
    mine = [one for one in customs if _address(one.group, one.version)[1:] == name]
    if mine:
        return json.dumps(_document(mine[0].group, mine[0].version, customs), separators=(",", ":")).encode()
    return _documents().get(name)


def hash_of(text: bytes) -> str:
    """Changes when the document does: part of its address, so that clients may keep it."""
    return hashlib.sha256(text).hexdigest()[:32].upper()


@lru_cache(maxsize=1)
def _documents() -> dict[str, bytes]:
    return {_address(group, version)[1:]: json.dumps(_document(group, version), separators=(",", ":")).encode()
            for group, version in discovery.served()}


def _address(group: str, version: str) -> str:
    return f"/apis/{group}/{version}" if group else f"/api/{version}"


def _document(group: str, version: str, customs: Sequence[Resource] = ()) -> dict[str, Any]:
    resources = discovery.with_customs(customs)[group, version]
    paths: dict[str, Any] = {}
    for resource in resources:
        paths.update(_paths(resource))
    roots = {META + "Status", META + "DeleteOptions", META + "WatchEvent", "io.k8s.api.autoscaling.v1.Scale",
             "io.k8s.api.policy.v1.Eviction", "io.k8s.api.core.v1.Binding", "io.k8s.api.authentication.v1.TokenRequest"}
    roots |= {name for resource in resources for name in (_type(resource), _type(resource) + "List") if name in _definitions()}
    made = {name: value for resource in resources if resource.custom is not None for name, value in _custom(resource).items()}
    if made:
        roots |= {META + "ObjectMeta", META + "ListMeta"}
    schemas = {**{name: _schema(_definitions()[name]) for name in _closure(roots)}, META + "Patch": _PATCH, **made}
    return {"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": KUBERNETES_VERSION}, "paths": paths,
            "components": {"schemas": schemas}}


def _custom(resource: Resource) -> dict[str, Any]:
    """The schemas of a custom kind and of its list (apiextensions-apiserver/pkg/controller/openapi/builder)."""
    name, schema_of = _type(resource), resource.custom.schema
    gvk = {"group": resource.group, "version": resource.version}
    common = {"apiVersion": {"type": "string", "description": _API_VERSION}, "kind": {"type": "string", "description": _KIND}}
    whole = {"type": "object", **schema_of, "properties": {**(schema_of.get("properties") or {}), **common, "metadata": {
        "description": "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/"
                       "api-conventions.md#metadata", "allOf": [{"$ref": COMPONENTS + META + "ObjectMeta"}]}},
        "x-kubernetes-group-version-kind": [{**gvk, "kind": resource.kind}]}
    listed = {"type": "object", "description": f"{resource.kind}List is a list of {resource.kind}", "required": ["items"], "properties": {
        **common, "items": {"type": "array", "description": f"List of {resource.name}.", "items": {"$ref": COMPONENTS + name}},
        "metadata": {"$ref": COMPONENTS + META + "ListMeta"}},
        "x-kubernetes-group-version-kind": [{**gvk, "kind": resource.custom.list_kind}]}
    return {name: whole, name + "List": listed}


_API_VERSION = "APIVersion defines the versioned schema of this representation of an object."
_KIND = "Kind is a string value representing the REST resource this object represents."
_PATCH = {"type": "object", "description": "Patch is provided to give a concrete name and type to the Kubernetes PATCH request body."}


@lru_cache(maxsize=1)
def _definitions() -> dict[str, dict[str, Any]]:
    """The published types, and those of metrics.k8s.io, which are published elsewhere."""
    gvk = {"group": "metrics.k8s.io", "version": "v1beta1"}
    common = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"$ref": "#/$defs/" + META + "ObjectMeta"},
              "timestamp": {"$ref": "#/$defs/" + schema.TIME}, "window": {"type": "string"}}
    usage = {"type": "object", "additionalProperties": {"$ref": "#/$defs/" + schema.QUANTITY}}
    container = {"properties": {"name": {"type": "string"}, "usage": usage}, "type": "object"}
    made: dict[str, dict[str, Any]] = {
        METRICS + "ContainerMetrics": container,
        METRICS + "NodeMetrics": {"type": "object", "properties": {**common, "usage": usage},
                                  "x-kubernetes-group-version-kind": [{**gvk, "kind": "NodeMetrics"}]},
        METRICS + "PodMetrics": {"type": "object", "x-kubernetes-group-version-kind": [{**gvk, "kind": "PodMetrics"}], "properties": {
            **common, "containers": {"type": "array", "items": {"$ref": "#/$defs/" + METRICS + "ContainerMetrics"}}}},
    }
    for kind in ("NodeMetrics", "PodMetrics"):
        made[METRICS + kind + "List"] = {"type": "object", "x-kubernetes-group-version-kind": [{**gvk, "kind": kind + "List"}],
                                         "properties": {"items": {"type": "array", "items": {"$ref": "#/$defs/" + METRICS + kind}}}}
    return {**schema.definitions(), **made}


def _type(resource: Resource) -> str:
    if resource.custom is not None:
        return ".".join((*reversed(resource.group.split(".")), resource.version, resource.kind))
    return METRICS + resource.kind if resource.group == "metrics.k8s.io" else schema.type_of(resource)


def _closure(roots: set[str]) -> list[str]:
    seen: dict[str, None] = {}
    waiting = sorted(roots)
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen[name] = None
        waiting += sorted(_references(_definitions()[name]))
    return sorted(seen)


def _references(value: Any) -> set[str]:
    if isinstance(value, dict):
        found = {value["$ref"].removeprefix("#/$defs/")} if isinstance(value.get("$ref"), str) else set()
        return found.union(*(_references(one) for one in value.values()))
    if isinstance(value, list):
        return set().union(*(_references(one) for one in value))
    return set()


# ---- schemas


def _schema(value: dict[str, Any]) -> dict[str, Any]:
    """A published JSON schema as OpenAPI 3 writes it: one type each, references under components."""
    if isinstance(value.get("$ref"), str):
        target = {"$ref": COMPONENTS + value["$ref"].removeprefix("#/$defs/")}
        rest = {key: one for key, one in value.items() if key != "$ref"}
        return {**rest, "allOf": [target]} if rest else target
    out: dict[str, Any] = {}
    for key, one in value.items():
        if key == "type" and isinstance(one, list):
            out["type"] = next((kind for kind in one if kind != "null"), "object")
        elif key in ("items", "additionalProperties") and isinstance(one, dict):
            out[key] = _schema(one)
        elif key == "properties":
            out[key] = {name: _schema(field) for name, field in one.items()}
            for name in ("apiVersion", "kind"):  # the published JSON schemas name each kind's own; the API server does not
                if name in out[key]:
                    out[key][name].pop("enum", None)
        elif key in ("oneOf", "anyOf", "allOf"):
            out[key] = [_schema(entry) for entry in one]
        elif key == "enum":
            out[key] = [entry for entry in one if entry is not None]
        elif key not in ("$schema", "additionalProperties"):
            out[key] = one
    return out


# ---- paths


def _paths(resource: Resource) -> dict[str, Any]:
    base = _address(resource.group, resource.version)
    verbs = discovery.verbs_of(resource)
    collection = base + (f"/namespaces/{{namespace}}/{resource.name}" if resource.namespaced else f"/{resource.name}")
    here = _place(namespaced=resource.namespaced, named=False)
    one = _place(namespaced=resource.namespaced, named=True)
    gvk = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    kind = _type(resource)
    custom = resource.custom is not None
    kinds = kind + "List" if custom or kind + "List" in _definitions() else kind
    patched = tuple(one for one in PATCH_TYPES if not custom or "strategic" not in one)
    paths: dict[str, Any] = {collection: {**here, **_chosen(verbs, {
        "list": ("get", _operation("list", gvk, kinds, LIST_PARAMETERS)),
        "create": ("post", _operation("post", gvk, kind, WRITE_PARAMETERS, kind)),
        "deletecollection": ("delete", _operation("deletecollection", gvk, META + "Status", DELETE_PARAMETERS, META + "DeleteOptions"))})}}
    if "get" in verbs:
        paths[collection + "/{name}"] = {**one, **_chosen(verbs, {
            "get": ("get", _operation("get", gvk, kind)),
            "update": ("put", _operation("put", gvk, kind, WRITE_PARAMETERS, kind)),
            "patch": ("patch", _operation("patch", gvk, kind, (*WRITE_PARAMETERS, "force"), META + "Patch", patched)),
            "delete": ("delete", _operation("delete", gvk, META + "Status", DELETE_PARAMETERS, META + "DeleteOptions"))})}
    if resource.namespaced and "list" in verbs:
        paths[f"{base}/{resource.name}"] = {"get": _operation("list", gvk, kinds, LIST_PARAMETERS)}
    for name, kind_of, part_verbs in discovery.subresources_of(resource):
        body = next((full for full in (f"io.k8s.api.{kind_of['group'].split('.')[0] or 'core'}.{kind_of['version']}.{kind_of['kind']}",)
                     if full in _definitions()), kind if custom and kind_of["kind"] == resource.kind else "")
        reads = LOG_PARAMETERS if name == "log" else ()
        paths[f"{collection}/{{name}}/{name}"] = {**one, **_chosen(part_verbs, {
            "get": ("get", _operation("get", kind_of, body, reads, plain=name == "log")),
            "create": ("post", _operation("post", kind_of, body, WRITE_PARAMETERS, body)),
            "update": ("put", _operation("put", kind_of, body, WRITE_PARAMETERS, body)),
            "patch": ("patch", _operation("patch", kind_of, body, (*WRITE_PARAMETERS, "force"), META + "Patch", patched))})}
    return paths


def _place(*, namespaced: bool, named: bool) -> dict[str, Any]:
    found = [name for name, there in (("name", named), ("namespace", namespaced)) if there]
    return {"parameters": [{"name": name, "in": "path", "required": True, "schema": {"type": "string", "uniqueItems": True}}
                           for name in found]} if found else {}


def _chosen(verbs: tuple[str, ...], operations: dict[str, tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    return {method: operation for verb, (method, operation) in operations.items() if verb in verbs}


def _operation(action: str, gvk: dict[str, str], answer: str, parameters: tuple[str, ...] = (), body: str = "",
               types: tuple[str, ...] = (JSON,), *, plain: bool = False) -> dict[str, Any]:
    content: dict[str, Any] = {"text/plain": {"schema": {"type": "string"}}} if plain else \
        {JSON: {"schema": {"$ref": COMPONENTS + answer}}} if answer else {"*/*": {"schema": {"type": "string"}}}
    found: dict[str, Any] = {
        "responses": {"200": {"description": "OK", "content": content}, "401": {"description": "Unauthorized"}},
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": gvk,
    }
    if parameters:
        found["parameters"] = [{"name": name, "in": "query", "schema": {"type": TYPES.get(name, "string"), "uniqueItems": True}}
                               for name in parameters]
    if body:
        found["requestBody"] = {"required": action != "delete" and action != "deletecollection",
                                "content": {one: {"schema": {"$ref": COMPONENTS + body}} for one in types}}
    return found
