"""Bodies in: JSON, YAML or protobuf to plain data, with bounds, and with every fault answered as the API server does."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any

import yaml

from ...resources import Resource
from .. import bounds, decode, protobuf
from ..customresources import door
from ..errors import ApiError, bad_request
from ..json_faults import json_fault

JSON_TYPES = ("", "application/json", "application/json-patch+json", "application/merge-patch+json",
              "application/strategic-merge-patch+json", "*/*")
YAML_TYPES = ("application/yaml", "application/apply-patch+yaml")
PATCHES = ("application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json",
           "application/apply-patch+yaml")
DEPTH_MAX = 100  # containers inside one another; the deepest object of the API has 22, a CRD's schema perhaps 60
NODES_MAX = bounds.VALUES_MAX  # names and values in one document


class Duplicates(dict[str, Any]):
    """A JSON object in which keys came twice; the last one holds."""

    keys_twice: set[str]


def media_type(content_type: str) -> str:
    return content_type.split(";")[0].strip().lower()


def unsupported(patching: bool) -> ApiError:
    accepted = PATCHES if patching else ("application/json", "application/yaml", protobuf.MEDIA_TYPE)
    return ApiError(415, "UnsupportedMediaType",
                    "the body of the request was in an unknown format - accepted media types include: " + ", ".join(accepted))


def read(body: bytes, content_type: str, *, patching: bool = False) -> tuple[Any, list[str]]:
    """(value, duplicate fields as strict decoding names them). An empty body is None. Raises ApiError 400 or 415."""
    kind = media_type(content_type)
    if patching and kind not in PATCHES:
        raise unsupported(True)
    if kind == protobuf.MEDIA_TYPE and not patching:
        if not body:
            return None, []
        try:
            return sound(protobuf.decode(body)), []  # what is embedded is JSON of anybody's, a number may be none
        except protobuf.ProtobufError as error:
            raise bad_request(str(error)) from None
        except RecursionError:
            raise bad_request("the message nests too deeply") from None
    if kind in YAML_TYPES:
        return _yaml(body)
    if kind in JSON_TYPES:
        return _json(body)
    raise unsupported(patching)


def _json(body: bytes) -> tuple[Any, list[str]]:
    if not body.strip():
        return None, []
    seen: list[Duplicates] = []

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        plain = dict(found)
        if len(plain) == len(found):
            return plain
        counted = Duplicates(plain)
        times = Counter(name for name, _ in found)
        counted.keys_twice = {name for name in plain if times[name] > 1}
        seen.append(counted)
        return counted
    text = body.decode("utf-8", "replace")
    try:
        value = json.loads(text, object_pairs_hook=pairs, parse_constant=_refuse_constant)
    except RecursionError:
        raise bad_request("error decoding: the document exceeds the allowed nesting depth") from None
    except ValueError as error:
        raise bad_request(json_fault(text) or _without_digits(str(error))) from None
    twice = _duplicate_paths(value, "") if seen else []
    return sound(value), twice


def _without_digits(fault: str) -> str:
    """A fault in plain words where it is Python's, of a number that has thousands of digits."""
    return "a number is out of range" if "integer string conversion" in fault else fault


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"invalid character {text[0]!r} looking for beginning of value")


def _duplicate_paths(value: Any, path: str) -> list[str]:
    found: list[str] = []
    if isinstance(value, dict):
        for name, member in value.items():
            here = f"{path}.{name}" if path else name
            if isinstance(value, Duplicates) and name in value.keys_twice:
                found.append(f'duplicate field "{here}"')
            found += _duplicate_paths(member, here)
    elif isinstance(value, list):
        for i, item in enumerate(value):
            found += _duplicate_paths(item, f"{path}[{i}]")
    return found


class Loader(yaml.CSafeLoader):
    """YAML with JSON's types only: no aliases, no timestamps, no keys twice."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def _yaml(body: bytes) -> tuple[Any, list[str]]:
    if not body.strip():
        return None, []
    text = body.decode("utf-8", "replace")
    twice: list[str] = []
    try:
        _check_events(text)
        loader = Loader(text)
        try:
            node = loader.get_single_node()
            if node is not None:
                _check_keys(node, twice)
            value = loader.construct_document(node) if node is not None else None
        finally:
            loader.dispose()
    except RecursionError:
        raise bad_request("error decoding: the document exceeds the allowed nesting depth") from None
    except (yaml.YAMLError, ValueError, TypeError, OverflowError) as error:
        first = str(error).splitlines()[0] if str(error) else "not YAML"
        raise bad_request(f"error converting YAML to JSON: yaml: {_without_digits(first)}") from None
    return sound(value), ["yaml: unmarshal errors:" + "".join(twice)] if twice else []


def _check_events(text: str) -> None:
    """Aliases, which can expand to gigabytes, and depth are refused before anything is built."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=yaml.CSafeLoader)):
        if isinstance(event, yaml.AliasEvent):
            raise bad_request("error converting YAML to JSON: yaml: aliases are not accepted")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEPTH_MAX or count > NODES_MAX:
            raise bad_request("error converting YAML to JSON: yaml: document contains excessive nesting or too many values")


def _check_keys(node: yaml.Node, twice: list[str]) -> None:
    """What the YAML library says of keys that come twice (sigs.k8s.io/yaml, UnmarshalStrict)."""
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, None] = {}
        for key, value in node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else ""
            if name in seen:
                twice.append(f'\n  line {key.start_mark.line + 1}: key "{name}" already set in map')
            seen[name] = None
            _check_keys(value, twice)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _check_keys(item, twice)


def sound(value: Any) -> Any:
    """A parsed value as Go would hold it: keys are text, lone surrogates are U+FFFD, numbers are finite. Raises ApiError 400."""
    count = 0

    def walk(item: Any, depth: int) -> Any:
        nonlocal count
        count += 1
        if depth > DEPTH_MAX or count > NODES_MAX:
            raise bad_request("error decoding: the document exceeds the allowed nesting depth or number of values")
        if isinstance(item, str):
            return item if item.isascii() else item.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if isinstance(item, dict):
            return {_key(name): walk(member, depth + 1) for name, member in item.items()}
        if isinstance(item, list):
            return [walk(member, depth + 1) for member in item]
        if isinstance(item, float) and not math.isfinite(item):
            raise bad_request("error decoding: a number is out of range")
        if isinstance(item, int) and not isinstance(item, bool) and not -(2**63) <= item < 2**64:
            raise bad_request("error decoding: a number is out of range")
        if item is None or isinstance(item, (bool, int, float)):
            return item
        raise bad_request(f"error decoding: a value of type {type(item).__name__} has no place in JSON")

    def _key(name: Any) -> str:
        if isinstance(name, str):
            return str(walk(name, 0))
        if isinstance(name, bool):
            return str(name).lower()
        if isinstance(name, (int, float)):
            return str(name)
        raise bad_request("error converting YAML to JSON: a key is no string")
    return walk(value, 0)


# ---- what a body is, before the engine sees it


def check(resource: Resource, value: Any, twice: list[str], validating: str) -> list[str]:
    """Warnings for a whole object: unknown and duplicate fields, unless they are refused. Raises ApiError 400.

    `validating` is fieldValidation: Strict, Warn or Ignore.
    """
    if isinstance(value, dict):
        decode.check_type(resource, value)
    return judge(resource, [*unknown_fields(resource, value), *twice], validating)


def unknown_fields(resource: Resource, value: Any) -> list[str]:
    """What strict decoding complains about. Raises ApiError 400 for what cannot be decoded at all."""
    if resource.custom is not None:
        return door.unknown_fields(resource, value)
    _, unknown = decode.decode_with_warnings(resource, value)
    return unknown


def judge(resource: Resource, faults: list[str], validating: str) -> list[str]:
    if faults and validating == "Strict":
        raise bad_request(f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: strict decoding error: '
                          + ", ".join(faults[:decode.MAX_STRICT_ERRORS]))
    return faults if validating == "Warn" else []


DELETE_OPTIONS = Resource("", "v1", "deleteoptions", "DeleteOptions")
EVICTION = Resource("policy", "v1", "evictions", "Eviction")
BINDING = Resource("", "v1", "bindings", "Binding")
SCALE = Resource("autoscaling", "v1", "scales", "Scale")
TOKEN_REQUEST = Resource("authentication.k8s.io", "v1", "tokenrequests", "TokenRequest")


def typed(resource: Resource, value: Any) -> dict[str, Any]:
    """A small body (options, Eviction, Scale ...) checked against its type and stripped of what is unknown."""
    if value is None:
        return {}
    obj, _ = decode.decode_with_warnings(resource, value)
    return obj
