"""/openapi/v2 in JSON: everything in one Swagger document, which tests of CustomResourceDefinitions and older clients read.

Rewritten from the documents of /openapi/v3. Custom kinds lose what kubectl could not read of version 2
(apiextensions-apiserver/pkg/controller/openapi/v2/conversion.go and builder.go).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from ..resources import Resource
from ..version import KUBERNETES_VERSION
from . import openapi
from .customresources.structural import INT_OR_STRING, PRESERVE

DEFINITIONS = "#/definitions/"
LOST = ("oneOf", "anyOf", "allOf", "not", "default", "nullable")  # of a custom kind's schema
INSIDE = ("properties", "items", "additionalProperties")


def document(customs: Sequence[Resource] = ()) -> bytes:
    """The JSON text, about 3 MB. `customs`: the kinds that the people of one cluster defined."""
    (paths, definitions), (more, types) = published(), of_customs(customs)
    paths, definitions = {**paths, **more}, {**definitions, **types}
    head = {"swagger": "2.0", "info": {"title": "Kubernetes", "version": KUBERNETES_VERSION}}
    text = ",".join(f'"{name}":{{{_members(found)}}}' for name, found in (("paths", paths), ("definitions", definitions)))
    return f"{json.dumps(head, separators=(',', ':'))[:-1]},{text}}}".encode()


def _members(found: dict[str, str]) -> str:
    return ",".join(f"{json.dumps(name)}:{text}" for name, text in found.items())


def of_customs(customs: Sequence[Resource]) -> tuple[dict[str, str], dict[str, str]]:
    """The texts of the paths and definitions of what people defined."""
    paths: dict[str, str] = {}
    definitions: dict[str, str] = {}
    for name in dict.fromkeys(f"apis/{one.group}/{one.version}" for one in customs):
        mine = {one.kind: one for one in customs if name == f"apis/{one.group}/{one.version}"}
        more, types = _parts(openapi.document(name, customs) or b"{}", mine)
        paths.update(more)
        definitions.update(types)
    return paths, definitions


@lru_cache(maxsize=1)
def published() -> tuple[dict[str, str], dict[str, str]]:
    """The texts of all paths and definitions that every cluster has."""
    paths: dict[str, str] = {}
    definitions: dict[str, str] = {}
    for name in openapi.names():
        more, types = _parts(openapi.document(name) or b"{}", {})
        paths.update(more)
        definitions.update(types)
    return paths, definitions


def _parts(text: bytes, customs: dict[str, Resource]) -> tuple[dict[str, str], dict[str, str]]:
    """(paths, definitions) of one document of version 3, each as text. `customs`: the custom kinds in it, by their names."""
    found = json.loads(text)
    types: dict[str, Any] = {}
    for name, schema in found.get("components", {}).get("schemas", {}).items():
        gvk = (schema.get("x-kubernetes-group-version-kind") or [{}])[0]
        resource = customs.get(gvk.get("kind", ""))
        types[name] = _schema(schema if resource is None else _custom(schema, bool(resource.custom.schema.get(PRESERVE))))
    return _texts({address: _path(item) for address, item in found.get("paths", {}).items()}), _texts(types)


def _texts(found: dict[str, Any]) -> dict[str, str]:
    return {name: json.dumps(one, separators=(",", ":")) for name, one in found.items()}


def _schema(value: Any) -> Any:
    """A schema with the references of version 2."""
    if isinstance(value, list):
        return [_schema(one) for one in value]
    if not isinstance(value, dict):
        return value
    out = {name: _schema(one) for name, one in value.items()}
    parts = out.get("allOf")
    if isinstance(parts, list) and len(parts) == 1 and isinstance(parts[0], dict) and set(parts[0]) == {"$ref"}:
        out = {**{name: one for name, one in out.items() if name not in ("allOf", "default")}, **parts[0]}
    if isinstance(out.get("$ref"), str):
        out["$ref"] = out["$ref"].replace(openapi.COMPONENTS, DEFINITIONS)
    return out


def _custom(schema: dict[str, Any], preserving: bool) -> dict[str, Any]:
    """buildKubeNative: a kind that keeps unknown fields at its root has no schema in version 2, or kubectl would forbid them."""
    if preserving:
        return {"type": "object", "x-kubernetes-group-version-kind": schema["x-kubernetes-group-version-kind"]}
    own = {"metadata": schema["properties"]["metadata"]}
    plain: dict[str, Any] = _structural({**schema, "properties": {name: one for name, one in schema["properties"].items() if name not in own}})
    return {**plain, "properties": {**plain["properties"], **own}}


def _structural(schema: Any) -> Any:
    """ToStructuralOpenAPIV2."""
    if not isinstance(schema, dict):
        return schema
    without = {*LOST, *(("type", *INSIDE) if schema.get("nullable") else ()), *(("type", "items", "properties") if schema.get(PRESERVE) else ()),
               *(("type",) if schema.get(INT_OR_STRING) else ())}
    out = {name: one for name, one in schema.items() if name not in without}
    required = [name for name in out.pop("required", ()) if not ((schema.get("properties") or {}).get(name) or {}).get("nullable")]
    if required:
        out["required"] = required
    if "properties" in out:
        out["properties"] = {name: _structural(one) for name, one in out["properties"].items()}
    for name in ("items", "additionalProperties"):
        if name in out:
            out[name] = _structural(out[name])
    return out


def _path(item: dict[str, Any]) -> dict[str, Any]:
    return {name: [_parameter(one) for one in value] if name == "parameters" else _operation(value) for name, value in item.items()}


def _parameter(value: dict[str, Any]) -> dict[str, Any]:
    return {**{name: one for name, one in value.items() if name != "schema"}, **value.get("schema", {})}


def _operation(value: dict[str, Any]) -> dict[str, Any]:
    out = {name: one for name, one in value.items() if name not in ("requestBody", "responses", "parameters")}
    parameters = [_parameter(one) for one in value.get("parameters", ())]
    body = value.get("requestBody")
    if body:
        out["consumes"] = list(body["content"])
        schema = next(iter(body["content"].values()))["schema"]
        parameters.append({"name": "body", "in": "body", "required": body["required"], "schema": _schema(schema)})
    if parameters:
        out["parameters"] = parameters
    out["responses"], made = {}, {}
    for code, answer in value["responses"].items():
        content = answer.get("content", {})
        made.update(content)
        schemas = [_schema(one["schema"]) for one in content.values()]
        out["responses"][code] = {"description": answer["description"], **({"schema": schemas[0]} if schemas else {})}
    out["produces"] = list(made)
    return out
