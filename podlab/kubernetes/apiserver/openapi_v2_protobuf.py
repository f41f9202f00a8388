"""/openapi/v2 in protobuf, as far as kubectl still asks it: which kinds take `fieldValidation`.

kubectl looks there, not into v3, for what it knows no document of: a `kind: List`, which counts as Namespace, and kinds that nobody serves.
Without an answer it applies neither. Messages and numbers: google/gnostic openapiv2/OpenAPIv2.proto. Types are told by v3 alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from ..resources import Resource
from ..version import KUBERNETES_VERSION
from . import discovery

MEDIA_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
SWAGGER, INFO, PATHS = 1, 2, 8  # Document
TITLE, VERSION = 1, 2  # Info
PATH, NAME, VALUE = 2, 1, 2  # Paths; NamedPathItem
PATCH, PARAMETERS, EXTENSION = 8, 8, 13  # PathItem; Operation
PARAMETER, NON_BODY, QUERY, IN, QUERY_NAME, TYPE = 1, 2, 3, 2, 4, 6  # ParametersItem, Parameter, NonBodyParameter, QueryParameterSubSchema
YAML = 2  # Any


def document(customs: Sequence[Resource] = ()) -> bytes:
    """The document of a cluster whose people defined the kinds `customs`."""
    return _document(tuple(customs))


@lru_cache(maxsize=8)
def _document(customs: tuple[Resource, ...]) -> bytes:
    paths = b"".join(_path(resource) for resources in discovery.with_customs(customs).values() for resource in resources
                     if "patch" in discovery.verbs_of(resource))
    info = _field(TITLE, b"Kubernetes") + _field(VERSION, KUBERNETES_VERSION.encode())
    return _field(SWAGGER, b"2.0") + _field(INFO, info) + _field(PATHS, paths)


def _path(resource: Resource) -> bytes:
    base = f"/apis/{resource.group}/{resource.version}" if resource.group else f"/api/{resource.version}"
    place = "/namespaces/{namespace}" if resource.namespaced else ""
    kind = f'group: "{resource.group}"\nkind: {resource.kind}\nversion: {resource.version}\n'
    query = _field(IN, b"query") + _field(QUERY_NAME, b"fieldValidation") + _field(TYPE, b"string")
    operation = _field(PARAMETERS, _field(PARAMETER, _field(NON_BODY, _field(QUERY, query))))
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
