"""Protobuf bodies: what client-go's typed clients send (`kubectl create deployment`, `auth can-i`), as the JSON they stand for.

A body is `k8s\\0` and a runtime.Unknown: typeMeta=1 {apiVersion=1, kind=2}, raw=2, contentEncoding=3, contentType=4
(apimachinery/pkg/runtime/serializer/protobuf). Field numbers stand in protobuf_fields.txt; types come from the OpenAPI schema.
"""

from __future__ import annotations

import base64
import importlib.resources
import json
import struct
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from . import schema

MAGIC = b"k8s\x00"
MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
MAX_DEPTH = 64
FIELDS_MAX = 200_000
"""Fields of one body with all that is in it: reading these takes some 0.4 s, beside the event loop; three million bytes could hold 1.5 million."""
K8S = "io.k8s."
APIEXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."
RAW = (APIEXTENSIONS + "JSON", "io.k8s.apimachinery.pkg.runtime.RawExtension", schema.META + "FieldsV1")

EITHER = (APIEXTENSIONS + "JSONSchemaPropsOrBool", APIEXTENSIONS + "JSONSchemaPropsOrArray", APIEXTENSIONS + "JSONSchemaPropsOrStringArray")
"""A schema, or something in its place: in JSON there is no message around them."""


class ProtobufError(ValueError):
    """Bytes that are no such message."""


_left: ContextVar[list[int]] = ContextVar("left")
"""[fields that may still be read of the body]: bodies are read in several threads."""


def decode(body: bytes) -> dict[str, Any]:
    """The object of an enveloped body, with its apiVersion and kind. Raises ProtobufError."""
    if not body.startswith(MAGIC):
        raise ProtobufError("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    _left.set([FIELDS_MAX])
    api_version = kind = ""
    raw = b""
    for number, value in _fields(body[len(MAGIC):]):
        if number == 1:
            for inner, text in _fields(_bytes(value)):
                if inner == 1:
                    api_version = _text(text)
                elif inner == 2:
                    kind = _text(text)
        elif number == 2:
            raw = _bytes(value)
        elif number == 3 and value:
            raise ProtobufError("unable to decode: contentEncoding is not supported")
        elif number == 4 and value not in (b"", MEDIA_TYPE.encode()):
            raise ProtobufError("unable to decode: the content of the envelope is no protobuf")
    type_name = type_named(api_version, kind)
    if type_name is None:
        raise ProtobufError(f'no kind "{kind}" is registered for version "{api_version}" in the protobuf serializer')
    return {"apiVersion": api_version, "kind": kind, **_message(type_name, raw, 0)}


@lru_cache(maxsize=1)
def _numbers() -> dict[str, dict[int, str]]:
    """Full type name -> {field number: JSON name, or "+" and the type of an embedded struct}."""
    found: dict[str, dict[int, str]] = {}
    text = importlib.resources.files(__package__).joinpath("protobuf_fields.txt").read_text()
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        name, _, pairs = line.partition(":")
        found[K8S + name] = {int(number): field for field, _, number in (pair.rpartition("=") for pair in pairs.split())}
    return found


def fields_of(type_name: str) -> dict[int, str]:
    """The fields of a message by their numbers; "+" and a type for a struct that is embedded in it. Empty for what is no message."""
    return _numbers().get(type_name, {})


def type_named(api_version: str, kind: str) -> str | None:
    """The full name of a kind's type; None for a kind that is no message."""
    group, _, version = api_version.rpartition("/")
    for name, definition in schema.definitions().items():
        if name in _numbers() and name.endswith("." + kind) and any(
                (one["group"], one["version"], one["kind"]) == (group, version, kind)
                for one in definition.get("x-kubernetes-group-version-kind") or ()):
            return name
    return None


def _varint(data: bytes, at: int) -> tuple[int, int]:
    shift = value = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ProtobufError("unexpected EOF" if at >= len(data) else "proto: integer overflow")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at
        shift += 7


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """(field number, int or bytes) of a message."""
    left = _left.get()
    at = 0
    while at < len(data):
        left[0] -= 1
        if left[0] < 0:
            raise ProtobufError("proto: the message has too many fields")
        key, at = _varint(data, at)
        wire = key & 7
        if wire == VARINT:
            value: Any
            value, at = _varint(data, at)
        elif wire == BYTES:
            length, at = _varint(data, at)
            if length > len(data) - at:
                raise ProtobufError("unexpected EOF")
            value, at = data[at:at + length], at + length
        elif wire in (FIXED64, FIXED32):
            length = 8 if wire == FIXED64 else 4
            if length > len(data) - at:
                raise ProtobufError("unexpected EOF")
            value, at = struct.unpack("<d" if wire == FIXED64 else "<f", data[at:at + length])[0], at + length
        else:
            raise ProtobufError(f"proto: illegal wireType {wire}")
        yield key >> 3, value


def _message(type_name: str, data: bytes, depth: int, properties: dict[str, Any] | None = None) -> dict[str, Any]:
    if depth > MAX_DEPTH:
        raise ProtobufError("proto: the message nests too deeply")
    numbers = _numbers()[type_name]
    if properties is None:
        properties = schema.definitions()[type_name].get("properties", {})
    out: dict[str, Any] = {}
    for number, value in _fields(data):
        name = numbers.get(number)
        if name is None:
            continue  # a field of a newer client: real servers drop it too
        if name.startswith("+"):
            embedded = K8S + name[1:]
            out.update(_message(embedded, _bytes(value), depth + 1, schema.definitions().get(embedded, {}).get("properties", properties)))
        else:
            _put(out, name, properties[name], value, depth)
    return out


def _put(out: dict[str, Any], name: str, field: dict[str, Any], value: Any, depth: int) -> None:
    kind = field.get("type") or ""
    kinds = (kind,) if isinstance(kind, str) else kind
    if "array" in kinds:
        items = field.get("items") or {}
        if isinstance(value, bytes) and _kind(items) in ("integer", "boolean"):
            at = 0
            while at < len(value):  # packed
                number, at = _varint(value, at)
                out.setdefault(name, []).append(_value(items, number, depth))
        else:
            out.setdefault(name, []).append(_value(items, value, depth))
    elif "additionalProperties" in field:
        key, held = "", None
        for number, part in _fields(_bytes(value)):
            if number == 1:
                key = _text(part)
            elif number == 2:
                held = part
        out.setdefault(name, {})[key] = _map_value(field["additionalProperties"], held, depth)
    else:
        found = _value(field, value, depth)
        if found is not None:
            out[name] = found


def _map_value(field: dict[str, Any], value: Any, depth: int) -> Any:
    if _kind(field) == "array":  # authorization's ExtraValue, a message around a list
        return [_text(item) for number, item in _fields(_bytes(value or b"")) if number == 1]
    return _value(field, b"" if value is None else value, depth)


def _kind(field: dict[str, Any]) -> str:
    kind = field.get("type") or ""
    return kind if isinstance(kind, str) else next((one for one in kind if one != "null"), "")


def _value(field: dict[str, Any], value: Any, depth: int) -> Any:
    ref = str(field.get("$ref") or "").removeprefix("#/$defs/")
    if ref:
        return _of_type(ref, _bytes(value), depth)
    kind = _kind(field)
    if kind == "string":
        return base64.b64encode(_bytes(value)).decode() if field.get("format") == "byte" else _text(value)
    if kind == "boolean":
        return bool(_integer(value))
    if kind == "integer":
        return _integer(value)
    if kind == "number" and isinstance(value, float):
        return int(value) if value.is_integer() else value
    raise ProtobufError(f"proto: a field of type {kind or 'object'} cannot be read")


def _of_type(ref: str, data: bytes, depth: int) -> Any:
    if ref == schema.QUANTITY:
        return next((_text(value) for number, value in _fields(data) if number == 1), "0") or "0"
    if ref == schema.INT_OR_STRING:
        parts = dict(_fields(data))
        return _text(parts.get(3, b"")) if parts.get(1, 0) == 1 else _integer(parts.get(2, 0))
    if ref in (schema.TIME, schema.MICRO_TIME):
        return _time(data, micro=ref == schema.MICRO_TIME)
    if ref in RAW:
        raw = next((_bytes(value) for number, value in _fields(data) if number == 1), b"")
        try:
            return json.loads(raw) if raw else None
        except (ValueError, RecursionError) as error:
            raise ProtobufError("an embedded object is no JSON") from error
    if ref in EITHER:
        return _either(ref, data, depth)
    if ref not in _numbers():
        raise ProtobufError(f"{schema.short(ref)} cannot be read from protobuf")
    return _message(ref, data, depth + 1)


def _either(ref: str, data: bytes, depth: int) -> Any:
    parts = list(_fields(data))
    props = APIEXTENSIONS + "JSONSchemaProps"
    one = next((_bytes(value) for number, value in parts if number == (2 if ref == EITHER[0] else 1)), None)
    if one is not None:
        return _message(props, one, depth + 1)
    if ref == EITHER[0]:
        return any(bool(_integer(value)) for number, value in parts if number == 1)
    others = [_bytes(value) for number, value in parts if number == 2]
    return [_message(props, value, depth + 1) for value in others] if ref == EITHER[1] else [_text(value) for value in others]


def _time(data: bytes, *, micro: bool) -> str | None:
    parts = dict(_fields(data))
    if not parts:
        return None  # the zero time
    try:
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=_integer(parts.get(1, 0)))
    except OverflowError as error:
        raise ProtobufError("a time is out of range") from error
    fraction = f".{_integer(parts.get(2, 0)) // 1000:06d}" if micro else ""
    return at.strftime("%Y-%m-%dT%H:%M:%S") + fraction + "Z"


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise ProtobufError("proto: wrong wireType")
    return value


def _text(value: Any) -> str:
    return _bytes(value).decode("utf-8", "replace")


def _integer(value: Any) -> int:
    if not isinstance(value, int):
        raise ProtobufError("proto: wrong wireType")
    return value - (1 << 64) if value >= 1 << 63 else value
