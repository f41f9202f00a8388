"""JSON to object, as the API server's decoder does it: types checked, zeros dropped, quantities in canonical form.

The words are those of Go's encoding/json (`json: cannot unmarshal string into Go struct field ...`) and of
sigs.k8s.io/json for strict decoding. For each struct type of the schema one closure is compiled on first use. The
closures know nothing of paths: when a value does not fit, the exception collects the field names on its way up.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from .. import quantity
from ..objects import Map, freeze, memo
from ..resources import Resource, by_api_kind
from . import schema, timestamps
from .customresources import props
from .errors import bad_request, show

Unknown = list[str]
Decoder = Callable[[Any, Unknown], Any]

INT32 = (-(2**31), 2**31 - 1)
INT64 = (-(2**63), 2**63 - 1)
SCHEME = "k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"
META = ("List", "Status", "DeleteOptions", "ListOptions", "APIGroup", "APIGroupList", "APIResourceList", "APIVersions")  # of every version
ALSO = {"autoscaling": ("v1", "v2")}  # groups whose kinds have several versions here
MAX_STRICT_ERRORS = 100  # sigs.k8s.io/json, maxStrictErrors


class Mismatch(Exception):
    """A value of the wrong type (UnmarshalTypeError). `struct` and `fields` are filled on the way up."""

    def __init__(self, value: str, go: str) -> None:
        super().__init__(value)
        self.value, self.go, self.struct = value, go, ""
        self.fields: list[str] = []

    def text(self) -> str:
        if not self.struct:
            return f"json: cannot unmarshal {self.value} into Go value of type {self.go}"
        return (f"json: cannot unmarshal {self.value} into Go struct field {self.struct}."
                f"{'.'.join(reversed(self.fields))} of type {self.go}")


class Malformed(Exception):
    """A value whose own parser refused it (a quantity, a time, base64); its text is the whole complaint."""


def decode(resource: Resource, body: object, *, strict: bool) -> dict[str, Any]:
    """The object that a request's body means, plain and mutable. Raises ApiError 400 BadRequest.

    Top-level members that are already frozen (a stored object's `spec`) are decoded once and stay frozen.
    With `strict`, unknown fields are refused; otherwise they are dropped.
    """
    obj, unknown = decode_with_warnings(resource, body)
    if strict and unknown:
        raise bad_request(f"{_subject(resource)}: strict decoding error: {', '.join(unknown[:MAX_STRICT_ERRORS])}")
    for name in _structs(schema.type_of(resource)):
        if obj.get(name) is None:
            obj[name] = {}
    return obj


@lru_cache(maxsize=256)
def _structs(type_name: str) -> tuple[str, ...]:
    """Members of a kind that are structs in Go, which no null and no absence takes away."""
    known = schema.definitions()[type_name]
    types = {name: str(known["properties"][name].get("$ref", "")).rpartition("/")[2] for name in known.get("required", ())}
    return "metadata", *(name for name, ref in types.items() if name != "metadata" and "properties" in schema.definitions().get(ref, {}))


def decode_with_warnings(resource: Resource, body: object) -> tuple[dict[str, Any], list[str]]:
    """The object, and what strict decoding would have complained about (`unknown field "spec.foo"`)."""
    if not isinstance(body, dict):
        raise bad_request(f"{_subject(resource)}: {Mismatch(_json_kind(body), schema.go_name(schema.type_of(resource))).text()}")
    type_name = schema.type_of(resource)
    unknown: Unknown = []
    try:
        obj = struct_decoder(type_name)(body, unknown, top=True)
    except Mismatch as mismatch:
        raise bad_request(f"{_subject(resource)}: {mismatch.text()}") from None
    except Malformed as malformed:
        raise bad_request(f"{_subject(resource)}: {malformed}") from None
    obj["apiVersion"], obj["kind"] = resource.api_version, resource.kind
    return obj, [f"unknown field {show(path)}" for path in _unknown_paths(type_name, body, "")] if unknown else []


def empty_status(resource: Resource) -> dict[str, Any]:
    """The zero status of a kind, as Go writes it: `{}`, or with the counts that are always written."""
    facts = schema.field_facts(schema.type_of(resource), "status")
    return struct_decoder(facts.type)({}, []) if facts and facts.type else {}


def check_type(resource: Resource, body: Mapping[str, Any]) -> None:
    """A body that names another kind or version than its address does. Raises ApiError 400 (transformDecodeError, endpoints/handlers/rest.go)."""
    kind, version = body.get("kind") or resource.kind, body.get("apiVersion") or resource.api_version
    if (kind, version) == (resource.kind, resource.api_version):
        return
    group, _, short = str(version).rpartition("/")
    if kind == resource.kind and group == resource.group and short in ALSO.get(group, ()):
        raise bad_request(f"the API version in the data ({version}) does not match the expected API version ({resource.api_version})")
    if by_api_kind(str(version), str(kind).removesuffix("List")) or kind in META:
        why = f"converting ({short}.{kind}) to ({resource.group.partition('.')[0] or 'core'}.{resource.kind}): unknown conversion"
    else:
        why = f'no kind "{kind}" is registered for version "{version}" in scheme "{SCHEME}"'
    raise bad_request(f'{kind} in version "{short}" cannot be handled as a {resource.kind}: {why}')


def _subject(resource: Resource) -> str:
    return f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}'


def _json_kind(value: Any) -> str:
    """What Go's decoder calls a JSON value."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, (int, float)):
        return "number"
    return "array" if isinstance(value, list) else "object" if isinstance(value, dict) else "null"


# --- scalars -------------------------------------------------------------------------------------------------------


def _string(go: str) -> Decoder:
    def decode_string(value: Any, unknown: Unknown) -> Any:
        if isinstance(value, str):
            return value
        raise Mismatch(_json_kind(value), go)
    return decode_string


def _boolean(go: str) -> Decoder:
    def decode_boolean(value: Any, unknown: Unknown) -> Any:
        if value is True or value is False:
            return value
        raise Mismatch(_json_kind(value), go)
    return decode_boolean


def _integer(go: str, low: int, high: int) -> Decoder:
    def decode_integer(value: Any, unknown: Unknown) -> Any:
        if type(value) is int and low <= value <= high:
            return value
        if isinstance(value, float) and value.is_integer() and low <= value <= high:
            return int(value)  # clients that go through YAML write 3.0 as 3
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            raise Mismatch(f"number {show(value)}", go)
        raise Mismatch(_json_kind(value), go)
    return decode_integer


def _number(value: Any, unknown: Unknown) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    raise Mismatch(_json_kind(value), "float64")


def _bytes(value: Any, unknown: Unknown) -> Any:
    if not isinstance(value, str):
        raise Mismatch(_json_kind(value), "[]uint8")
    text = value.replace("\n", "").replace("\r", "")
    try:
        base64.b64decode(text, validate=True)
    except ValueError:  # binascii.Error is one; letters beyond ASCII raise another
        raise Malformed(f"illegal base64 data at input byte {_base64_fault(text)}") from None
    return text


def _base64_fault(text: str) -> int:
    """The offset that Go's base64.CorruptInputError names: the first bad character, or where padding is missing."""
    for i, char in enumerate(text):
        if not (char.isascii() and (char.isalnum() or char in "+/")):
            if char == "=" and i % 4 >= 2 and set(text[i:]) == {"="}:
                break
            return i
    return len(text) - len(text) % 4 if "=" not in text else text.index("=")


def _quantity(value: Any, unknown: Unknown) -> Any:
    text = value.strip() if isinstance(value, str) else show(value)
    try:
        return quantity.canonical(text)
    except quantity.QuantityError as error:
        raise Malformed(str(error)) from None


def _int_or_string(value: Any, unknown: Unknown) -> Any:
    return value if isinstance(value, str) else _INT_VALUE(value, unknown)


_INT_VALUE = _integer("int32", *INT32)


@lru_cache(maxsize=2)
def _time(micro: bool) -> Decoder:
    def decode_time(value: Any, unknown: Unknown) -> Any:
        if not isinstance(value, str):
            raise Mismatch(_json_kind(value), "string")
        if (WRITTEN_MICRO if micro else WRITTEN).match(value):
            return value
        try:
            return timestamps.in_utc(value, micro)
        except timestamps.TimeError as error:
            raise Malformed(str(error)) from None
    return decode_time


# Times as the server itself writes them, on days that every month has
WRITTEN = re.compile(r"[1-9]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ\Z", re.ASCII)
WRITTEN_MICRO = re.compile(WRITTEN.pattern.replace(r"Z\Z", r"\.\d{6}Z\Z"), re.ASCII)


def _anything(value: Any, unknown: Unknown) -> Any:
    return value


def _json_schema(value: Any, unknown: Unknown) -> Any:
    return props.decoded(value, unknown, lambda held, go: Mismatch(_json_kind(held), go))


# --- lists, maps and structs ---------------------------------------------------------------------------------------


def _list(item: Decoder, empty: Any, go: str) -> Decoder:
    def decode_list(value: Any, unknown: Unknown) -> Any:
        if not isinstance(value, list):
            raise Mismatch(_json_kind(value), go)
        return [empty() if entry is None else item(entry, unknown) for entry in value]
    return decode_list


def _map(item: Decoder, empty: Any, go: str) -> Decoder:
    def decode_map(value: Any, unknown: Unknown) -> Any:
        if not isinstance(value, dict):
            raise Mismatch(_json_kind(value), go)
        return {key: empty() if entry is None else item(entry, unknown) for key, entry in value.items()}
    return decode_map


@lru_cache(maxsize=2048)
def struct_decoder(type_name: str) -> Callable[..., Any]:
    """The compiled decoder of one struct type; with `top=True` frozen members keep their identity."""
    name, definition = schema.short(type_name), schema.definitions()[type_name]
    required = set(definition.get("required") or ())
    table: dict[str, tuple[Decoder | None, bool]] = {}  # field -> (decoder or None where lazily made, drop zeros)
    always: dict[str, Any] = dict(schema.ALWAYS.get(name) or schema.ALWAYS.get(type_name.removeprefix(schema.PREFIX)) or {})
    for field, field_schema in definition["properties"].items():
        table[field] = (None, not (field in required or field in always or schema.is_pointer(type_name, field)))
        if field in required and not schema.is_pointer(type_name, field):
            zero = _zero(field_schema)
            if zero is not None:
                always.setdefault(field, zero)
    structs = [field for field in definition["properties"] if (name, field) in schema.STRUCTS]
    ready: dict[str, tuple[Decoder, bool]] = {}

    def prepare(field: str) -> tuple[Decoder, bool] | None:
        if field not in table:
            return None
        ready[field] = found = _field_decoder(type_name, field), table[field][1]
        return found

    def decode_struct(value: Any, unknown: Unknown, top: bool = False) -> Any:
        if not isinstance(value, dict):
            raise Mismatch(_json_kind(value), schema.go_name(type_name))
        out: dict[str, Any] = {}
        field = ""
        try:
            for field, member in value.items():
                if member is None:
                    if field not in table:
                        unknown.append(field)
                    continue
                how = ready.get(field) or prepare(field)
                if how is None:
                    unknown.append(field)
                    continue
                if top and type(member) is Map and field != "metadata":
                    out[field] = _decode_frozen(member, how[0], unknown, type_name + "." + field)
                    continue
                decoded = how[0](member, unknown)
                if decoded or not how[1] or field in kept:
                    out[field] = decoded
        except Mismatch as mismatch:
            mismatch.fields.append(field)
            mismatch.struct = mismatch.struct or name
            raise
        for field, zero in always.items():
            if field not in out or out[field] == []:  # the store does not tell an empty list from none
                out[field] = zero
        for field in structs:
            if field not in out:
                out[field] = _empty_struct(type_name, field)
        return out

    kept = frozenset(field for field in table if "$ref" in definition["properties"][field])  # structs, quantities, 0-or-"0%"
    return decode_struct


def _empty_struct(type_name: str, field: str) -> Any:
    facts = schema.field_facts(type_name, field)
    return struct_decoder(facts.type)({}, []) if facts and facts.type else {}


def _decode_frozen(member: Map, decoder: Decoder, unknown: Unknown, key: str) -> Any:
    """A frozen member, decoded once for all its users. A member that decoding does not change is returned itself."""
    def once(frozen: Map) -> tuple[Any, tuple[str, ...]]:
        found: Unknown = []
        decoded = decoder(frozen, found)
        return (frozen if decoded == frozen else freeze(decoded)), tuple(found)
    decoded, found = memo(member, "decoded " + key, once)
    unknown.extend(found)
    return decoded


def _zero(field_schema: dict[str, Any]) -> Any:
    kind = field_schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    return {"string": "", "integer": 0, "boolean": False}.get(kind or "")


def _field_decoder(type_name: str, field: str) -> Decoder:
    field_schema = schema.definitions()[type_name]["properties"][field]
    return _decoder(field_schema, schema.GO_NAMES.get((schema.short(type_name), field), ""))[0]


def _decoder(field_schema: dict[str, Any], go: str = "") -> tuple[Decoder, Callable[[], Any], str]:
    """(decoder, what a null item becomes, Go type) for a piece of schema."""
    ref = str(field_schema.get("$ref") or "").removeprefix("#/$defs/")
    if ref:
        return _ref_decoder(ref)
    kind, form = field_schema.get("type"), field_schema.get("format")
    kind = next((k for k in kind if k != "null"), None) if isinstance(kind, list) else kind
    if kind == "string":
        return (_bytes, str, "[]uint8") if form == "byte" else (_string(go or "string"), str, go or "string")
    if kind == "integer":
        width = form if form in ("int32", "int64") else "int64"
        return _integer(go or width, *(INT32 if width == "int32" else INT64)), int, go or width
    if kind == "boolean":
        return _boolean(go or "bool"), bool, go or "bool"
    if kind == "number":
        return _number, float, "float64"
    if kind == "array":
        named = go.removeprefix("[]") if go.startswith("[]") else ""
        item, empty, item_go = _decoder(field_schema.get("items") or {}, named)
        return _list(item, empty, go or f"[]{item_go}"), list, go or f"[]{item_go}"
    if kind == "object" and "additionalProperties" in field_schema:
        item, empty, item_go = _decoder(field_schema["additionalProperties"])
        return _map(item, empty, go or f"map[string]{item_go}"), dict, go or f"map[string]{item_go}"
    return _anything, dict, go or "map[string]interface {}"


def _ref_decoder(ref: str) -> tuple[Decoder, Callable[[], Any], str]:
    if ref == schema.QUANTITY:
        return _quantity, lambda: "0", "resource.Quantity"
    if ref == schema.INT_OR_STRING:
        return _int_or_string, int, "intstr.IntOrString"
    if ref in (schema.TIME, schema.MICRO_TIME):
        return _time(ref == schema.MICRO_TIME), str, schema.go_name(ref)
    if ref.endswith(".JSONSchemaProps"):
        return _json_schema, dict, schema.go_name(ref)
    if "properties" not in schema.definitions()[ref]:
        return _anything, dict, schema.go_name(ref)

    def decode_ref(value: Any, unknown: Unknown) -> Any:
        return struct_decoder(ref)(value, unknown)
    return decode_ref, lambda: struct_decoder(ref)({}, []), schema.go_name(ref)


# --- unknown fields ------------------------------------------------------------------------------------------------


def _unknown_paths(type_name: str, value: Any, path: str) -> list[str]:
    """Paths of fields that the schema lacks, in the order in which the body has them (`spec.containers[0].imge`)."""
    found: list[str] = []
    properties = schema.definitions()[type_name].get("properties")
    if not isinstance(value, dict) or properties is None or type_name.endswith(".JSONSchemaProps"):
        return found
    for field, member in value.items():
        here = f"{path}.{field}" if path else field
        facts = schema.field_facts(type_name, field)
        if facts is None:
            found.append(here)
        elif facts.type and isinstance(member, list):
            for i, entry in enumerate(member):
                found += _unknown_paths(facts.type, entry, f"{here}[{i}]")
        elif facts.type and facts.kind == "struct":
            found += _unknown_paths(facts.type, member, here)
        elif facts.type and isinstance(member, dict):
            for key, entry in member.items():
                found += _unknown_paths(facts.type, entry, f"{here}[{key}]")
    return found
