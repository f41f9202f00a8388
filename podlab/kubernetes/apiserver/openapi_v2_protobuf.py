"""/openapi/v2 in protobuf: all types, which kubectl before 1.27 explains and validates by, and which kinds take `dryRun` and `fieldValidation`.

Newer ones look there, not into v3, for what they know no document of: a `kind: List`, which counts as Namespace, and kinds that nobody serves.
Messages and numbers: google/gnostic-models openapiv2/OpenAPIv2.proto.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from ..resources import Resource
from ..version import KUBERNETES_VERSION
from . import discovery, openapi_v2

MEDIA_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
SWAGGER, INFO, PATHS, DEFINITIONS = 1, 2, 8, 9  # Document
TITLE, VERSION = 1, 2  # Info
PATH, NAME, VALUE = 2, 1, 2  # Paths; NamedPathItem
PATCH, PARAMETERS, EXTENSION = 8, 8, 13  # PathItem; Operation
PARAMETER, NON_BODY, QUERY, IN, QUERY_NAME, TYPE = 1, 2, 3, 2, 4, 6  # ParametersItem, Parameter, NonBodyParameter, QueryParameterSubSchema
YAML = 2  # Any
NAMED, REQUIRED, MORE, KIND, ITEMS, PROPERTIES, MARK = 1, 19, 21, 22, 23, 25, 31  # Definitions and Properties; Schema
TEXTS = {"$ref": 1, "format": 2, "description": 4}  # Schema
ASKED = ("dryRun", "fieldValidation")


def document(customs: Sequence[Resource] = ()) -> bytes:
    """The document of a cluster whose people defined the kinds `customs`."""
    return _document(tuple(customs))


@lru_cache(maxsize=4)
def _document(customs: tuple[Resource, ...]) -> bytes:
    paths = b"".join(_path(resource) for resources in discovery.with_customs(customs).values() for resource in resources
                     if "patch" in discovery.verbs_of(resource))
    info = _field(TITLE, b"Kubernetes") + _field(VERSION, KUBERNETES_VERSION.encode())
    types = _published() + _definitions(openapi_v2.of_customs(customs)[1])
    return _field(SWAGGER, b"2.0") + _field(INFO, info) + _field(PATHS, paths) + _field(DEFINITIONS, types)


@lru_cache(maxsize=1)
def _published() -> bytes:
    return _definitions(openapi_v2.published()[1])


def _definitions(texts: dict[str, str]) -> bytes:
    return b"".join(_named(name, json.loads(text)) for name, text in texts.items())


def _named(name: str, schema: dict[str, Any]) -> bytes:
    return _field(NAMED, _field(NAME, name.encode()) + _field(VALUE, _schema(schema)))


def _schema(schema: dict[str, Any]) -> bytes:
    """A Schema. What may be text or a number is text there, which counts for both."""
    out = b"".join(_field(number, str(schema[name]).encode()) for name, number in TEXTS.items() if name in schema)
    kind = "string" if "oneOf" in schema else schema.get("type")
    out += b"".join(_field(REQUIRED, name.encode()) for name in schema.get("required", ()))
    if isinstance(schema.get("additionalProperties"), dict):
        out += _field(MORE, _field(1, _schema(schema["additionalProperties"])))
    if kind:
        out += _field(KIND, _field(1, kind.encode()))
    if isinstance(schema.get("items"), dict):
        out += _field(ITEMS, _field(1, _schema(schema["items"])))
    if schema.get("properties"):
        out += _field(PROPERTIES, b"".join(_named(name, one) for name, one in schema["properties"].items()))
    return out + b"".join(_mark(name, value) for name, value in schema.items() if name.startswith("x-"))


def _mark(name: str, value: Any) -> bytes:
    """A vendor's extension; JSON is YAML."""
    return _field(MARK, _field(NAME, name.encode()) + _field(VALUE, _field(YAML, json.dumps(value).encode())))


def _path(resource: Resource) -> bytes:
    base = f"/apis/{resource.group}/{resource.version}" if resource.group else f"/api/{resource.version}"
    place = "/namespaces/{namespace}" if resource.namespaced else ""
    kind = f'group: "{resource.group}"\nkind: {resource.kind}\nversion: {resource.version}\n'
    queries = [_field(IN, b"query") + _field(QUERY_NAME, name.encode()) + _field(TYPE, b"string") for name in ASKED]
    operation = b"".join(_field(PARAMETERS, _field(PARAMETER, _field(NON_BODY, _field(QUERY, query)))) for query in queries)
    operation += _field(EXTENSION, _field(NAME, b"x-kubernetes-group-version-kind") + _field(VALUE, _field(YAML, kind.encode())))
    named = f"{base}{place}/{resource.name}/{{name}}".encode()
    return _field(PATH, _field(NAME, named) + _field(VALUE, _field(PATCH, operation)))


def _field(number: int, value: bytes) -> bytes:
    """A field of text, bytes or a message."""
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])
