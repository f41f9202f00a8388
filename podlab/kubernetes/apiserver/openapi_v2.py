"""/openapi/v2 in JSON: the documents of openapi.py put together and written as Swagger 2.0 has them, for clients that read types there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ..cluster import KUBERNETES_VERSION
from ..resources import Resource
from . import openapi

DEFINITIONS = "#/definitions/"


def document(customs: Sequence[Resource] = ()) -> bytes:
    """The JSON text for a cluster whose people defined the kinds `customs`."""
    paths: dict[str, Any] = {}
    definitions: dict[str, Any] = {}
    for name in openapi.names(customs):
        whole = json.loads(openapi.document(name, customs) or b"{}")
        paths.update({path: _path(item) for path, item in whole["paths"].items()})
        definitions.update({key: _schema(value) for key, value in whole["components"]["schemas"].items()})
    return json.dumps({"swagger": "2.0", "info": {"title": "Kubernetes", "version": KUBERNETES_VERSION},
                       "paths": paths, "definitions": definitions}, separators=(",", ":")).encode()


def _schema(value: Any) -> Any:
    """References under definitions; one that stands in an allOf alone, beside a description, is written out as itself."""
    if isinstance(value, list):
        return [_schema(one) for one in value]
    if not isinstance(value, dict):
        return value
    out = {key: DEFINITIONS + one.removeprefix(openapi.COMPONENTS) if key == "$ref" and isinstance(one, str) else _schema(one)
           for key, one in value.items() if key not in ("oneOf", "anyOf", "nullable")}
    whole = out.get("allOf")
    if isinstance(whole, list) and len(whole) == 1 and isinstance(whole[0], dict) and "$ref" in whole[0]:
        out = {**{key: one for key, one in out.items() if key != "allOf"}, **whole[0]}
    return out


def _path(item: dict[str, Any]) -> dict[str, Any]:
    return {method: _operation(one) if isinstance(one, dict) else [_parameter(each) for each in one] for method, one in item.items()}


def _operation(operation: dict[str, Any]) -> dict[str, Any]:
    out = {key: one for key, one in operation.items() if key not in ("requestBody", "responses", "parameters")}
    parameters = [_parameter(one) for one in operation.get("parameters") or ()]
    body = operation.get("requestBody")
    if body:
        schema = next(iter(body["content"].values())).get("schema") or {}
        parameters.append({"name": "body", "in": "body", "required": True, "schema": _schema(schema)})
        out["consumes"] = list(body["content"])
    out["parameters"] = parameters
    out["responses"] = {code: _response(answer) for code, answer in (operation.get("responses") or {}).items()}
    return out


def _response(answer: dict[str, Any]) -> dict[str, Any]:
    content = next(iter((answer.get("content") or {}).values()), {})
    return {"description": answer.get("description", ""), **({"schema": _schema(content["schema"])} if "schema" in content else {})}


def _parameter(one: dict[str, Any]) -> dict[str, Any]:
    return {**{key: value for key, value in one.items() if key != "schema"}, **(one.get("schema") or {})}
