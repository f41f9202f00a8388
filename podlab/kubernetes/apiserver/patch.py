"""The ways to change part of an object: JSON Patch, JSON Merge Patch and Strategic Merge Patch. Server-side apply is in applying.py.

Sources: RFC 6902, RFC 7386, apimachinery/pkg/util/strategicpatch/patch.go, evanphx/json-patch (whose words the server gives).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ..objects import thaw
from ..resources import Resource
from . import schema
from .errors import ApiError, FieldError, bad_request, invalid

Json = Any

TYPES = {"application/json-patch+json": "json", "application/merge-patch+json": "merge",
         "application/strategic-merge-patch+json": "strategic"}


OPERATIONS_MAX = 10_000  # maxJSONPatchOperations (apiserver/pkg/endpoints/handlers/patch.go)
COPY_MAX = 300_000
"""Bytes that the copies of one patch add up to: a copy into itself doubles. JSONPatchMaxCopyBytes is 3 MiB, for objects of up to 1.5."""
DEPTH_MAX = 200
INDEX = re.compile(r"-?[0-9]{1,9}")


def apply_patch(resource: Resource, obj: Mapping[str, Any], body: Json, type: str) -> dict[str, Any]:
    """`obj` with a patch applied, as a plain dict still to be decoded.

    `type` is "json", "merge", "strategic" or a content type. Raises ApiError 400, 415 or 422.
    """
    kind = TYPES.get(type, type)
    if kind == "json":
        return json_patch(obj, body)
    if not isinstance(body, dict):
        raise bad_request(f"error decoding patch: json: cannot unmarshal {_kind(body)} into Go value of type "
                          f"map[string]interface {{}}")
    if kind == "merge":
        merged: dict[str, Any] = merge_patch(obj, body)
        return merged
    if kind == "strategic":
        return strategic_merge(schema.type_of(resource), thaw(obj), body)
    raise ApiError(415, "UnsupportedMediaType",
                   "the body of the request was in an unknown format - accepted media types include: "
                   "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml")


def not_decoded(type: str, body: Json, patched: Json, error: ApiError) -> ApiError:
    """The refusal of a patch whose outcome is no object of its kind: it names no object, and shows the patch or what came of it.

    apiserver/pkg/endpoints/handlers/patch.go: jsonPatcher shows the whole outcome, smpPatcher the patch as Go prints a map.
    """
    why = error.message.partition(" cannot be handled as a ")[2].partition(": ")[2] or error.message
    if TYPES.get(type, type) == "strategic":
        wrong = re.search(r"cannot unmarshal .* of type (\S+)$", why)
        return invalid("", "", "", [FieldError.invalid("patch", _as_go(body), f"unrecognized type: {wrong[1]}" if wrong else why)])
    return invalid("", "", "", [FieldError.invalid("patch", json.dumps(patched, ensure_ascii=False, separators=(",", ":")), why)])


def _as_go(value: Json) -> str:
    """%+v of what JSON holds."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{_as_go(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(_as_go, value))}]"
    return "<nil>" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _kind(value: Json) -> str:
    return "array" if isinstance(value, list) else "string" if isinstance(value, str) else "number"


def merge_patch(target: Json, patch: Json) -> Json:
    """RFC 7386: null removes, objects merge, all else replaces."""
    if not isinstance(patch, dict):
        return thaw(patch)
    out = thaw(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            out.pop(key, None)
        else:
            out[key] = merge_patch(out.get(key), value)
    return out


# --- RFC 6902 ------------------------------------------------------------------------------------------------------


class PatchError(Exception):
    """An operation that cannot be done; the text is evanphx/json-patch's."""


def json_patch(obj: Mapping[str, Any], operations: Json) -> dict[str, Any]:
    """The object after all operations; none is done if one fails."""
    if not isinstance(operations, list):
        raise bad_request("error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    if len(operations) > OPERATIONS_MAX:
        raise ApiError(413, "RequestEntityTooLarge", f"The allowed maximum operations in a JSON patch is {OPERATIONS_MAX}, got {len(operations)}", {})
    document: Json = thaw(obj)
    copied = 0
    try:
        for operation in operations:
            if isinstance(operation, dict) and operation.get("op") == "copy" and isinstance(operation.get("from"), str):
                copied += len(json.dumps(_read(document, operation["from"])))
                if copied > COPY_MAX:
                    raise PatchError(f"Unable to complete the copy, the accumulated size increase of copy is {copied}, "
                                     f"exceeding the limit {COPY_MAX}")
            document = _operate(document, operation)
        if _deep(document):
            raise PatchError("exceeded max depth")
    except PatchError as error:
        # NewGenericServerResponse: the server keeps the reason to itself, and names no object
        raise ApiError(422, "Invalid", "the server rejected our request due to an error in our request", {}) from error
    result: dict[str, Any] = document
    return result


def _deep(document: Json) -> bool:
    level = [document]
    for _ in range(DEPTH_MAX):
        level = [inner for one in level if isinstance(one, (dict, list)) for inner in (one.values() if isinstance(one, dict) else one)]
        if not level:
            return False
    return True


def _operate(document: Json, operation: Json) -> Json:
    if not isinstance(operation, dict):
        raise PatchError("Unexpected kind: unknown")
    name, path = operation.get("op"), operation.get("path")
    if not isinstance(path, str):
        raise PatchError("missing path")
    if name in ("add", "replace", "test") and "value" not in operation:
        raise PatchError(f"{name} operation: missing value")
    if name == "add":
        return _add(document, path, thaw(operation["value"]))
    if name == "remove":
        return _remove(document, path)
    if name == "replace":
        _read(document, path)
        return _set(document, path, thaw(operation["value"]))
    if name == "test":
        try:
            found = _read(document, path)
        except PatchError:
            found = None
        if found != operation["value"] or json.dumps(found, sort_keys=True) != json.dumps(operation["value"], sort_keys=True):
            raise PatchError(f"testing value {path} failed")
        return document
    if name in ("move", "copy"):
        source = operation.get("from")
        if not isinstance(source, str):
            raise PatchError("missing from")
        value = _read(document, source)
        return _add(_remove(document, source) if name == "move" else document, path, value if name == "move" else thaw(value))
    raise PatchError(f"Unexpected kind: {name}")


def _tokens(path: str) -> list[str]:
    return [token.replace("~1", "/").replace("~0", "~") for token in path.split("/")[1:]]


def _index(token: str, length: int) -> int:
    if not INDEX.fullmatch(token):
        raise PatchError(f"invalid array index {token}")
    index = int(token)
    if index < 0:
        index += length  # evanphx/json-patch, SupportNegativeIndices
    if not 0 <= index < length:
        raise PatchError(f"Unable to access invalid index: {token}")
    return index


def _read(document: Json, path: str) -> Json:
    for token in _tokens(path):
        if isinstance(document, dict):
            if token not in document:
                raise PatchError(f"missing key {token}")
            document = document[token]
        elif isinstance(document, list):
            document = document[_index(token, len(document))]
        else:
            raise PatchError(f"missing path {path}")
    return document


def _holder(document: Json, path: str) -> tuple[Json, str]:
    head, _, last = path.rpartition("/")
    return _read(document, head), _tokens("/" + last)[0]


def _add(document: Json, path: str, value: Json) -> Json:
    if not path:
        return value
    holder, last = _holder(document, path)
    if isinstance(holder, list):
        holder.insert(len(holder) if last == "-" else _index(last, len(holder) + 1), value)
    elif isinstance(holder, dict):
        holder[last] = value
    else:
        raise PatchError(f"add operation does not apply: doc is missing path: {path}")
    return document


def _set(document: Json, path: str, value: Json) -> Json:
    if not path:
        return value
    holder, last = _holder(document, path)
    holder[_index(last, len(holder)) if isinstance(holder, list) else last] = value
    return document


def _remove(document: Json, path: str) -> Json:
    holder, last = _holder(document, path)
    if isinstance(holder, list):
        del holder[_index(last, len(holder))]
    elif isinstance(holder, dict) and last in holder:
        del holder[last]
    else:
        raise PatchError(f"Unable to remove nonexistent key: {last}")
    return document


# --- strategic merge -----------------------------------------------------------------------------------------------

DIRECTIVE, RETAIN = "$patch", "$retainKeys"
GONE = object()  # in the place of what a patch deletes
DELETE_PRIMITIVES, SET_ORDER = "$deleteFromPrimitiveList/", "$setElementOrder/"


def strategic_merge(type_name: str, original: dict[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """`original` (plain, changed in place and returned) with a strategic merge patch applied. Raises ApiError 400."""
    directive = patch.get(DIRECTIVE)
    if directive == "replace":
        return {key: thaw(value) for key, value in patch.items() if key != DIRECTIVE}
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise bad_request(f"Unknown patch type found: {directive}")
    if RETAIN in patch:
        keep = set(patch[RETAIN])
        for key in [key for key in original if key not in keep]:
            del original[key]
    orders = {key[len(SET_ORDER):]: value for key, value in patch.items() if key.startswith(SET_ORDER)}
    before = {name: original[name] for name in orders if isinstance(original.get(name), list)}
    for key, value in patch.items():
        if key in (DIRECTIVE, RETAIN) or key.startswith(SET_ORDER):
            continue
        if key.startswith(DELETE_PRIMITIVES):
            name = key[len(DELETE_PRIMITIVES):]
            if isinstance(original.get(name), list):
                gone = set(_places(value)) if isinstance(value, list) else set()
                original[name] = [one for one in original[name] if _mark(one) not in gone]
        elif value is None:
            original.pop(key, None)
        else:
            original[key] = _merge_field(type_name, key, original.get(key), value)
    for name, order in orders.items():
        if isinstance(original.get(name), list):
            facts = schema.field_facts(type_name, name)
            original[name] = _ordered(facts.patch_merge_key if facts else "", original[name], order, before.get(name, []))
    return original


def _merge_field(type_name: str, name: str, held: Json, value: Json) -> Json:
    facts = schema.field_facts(type_name, name) if type_name else None
    if isinstance(value, dict):
        nested = facts.type if facts and facts.kind == "struct" else ""
        if facts and "replace" in facts.patch_strategies and DIRECTIVE not in value:
            return thaw(value)
        return strategic_merge(nested, held if isinstance(held, dict) else {}, value)
    if isinstance(value, list):
        if facts and "merge" in facts.patch_strategies:
            return _merge_list(facts, held if isinstance(held, list) else [], value)
        return [thaw(one) for one in value if not (isinstance(one, dict) and DIRECTIVE in one)]
    return value


def _merge_list(facts: schema.FieldFacts, held: list[Json], patch: list[Json]) -> list[Json]:
    key = facts.patch_merge_key
    if not key:  # a list of scalars that merges is a set (finalizers)
        present = _places(held)
        return _ordered("", held + [patch[at] for mark, at in _places(patch).items() if mark not in present], patch, held)
    if any(isinstance(one, dict) and one.get(DIRECTIVE) == "replace" for one in patch):
        return [thaw({k: v for k, v in one.items() if k != DIRECTIVE}) for one in patch if set(one) != {DIRECTIVE}]
    out: list[Json] = list(held)
    where: dict[Any, list[int]] = {}
    for at, one in enumerate(out):
        if isinstance(one, dict):
            where.setdefault(_mark(one.get(key)), []).append(at)
    for item in patch:
        if not isinstance(item, dict):
            raise bad_request("expected map[string]interface{} in list")
        if key not in item:
            raise bad_request(f"map: {go_value(item)} does not contain declared merge key: {key}")
        mark = _mark(item[key])
        if item.get(DIRECTIVE) == "delete":
            for at in where.pop(mark, ()):
                out[at] = GONE
        elif mark not in where:
            where[mark] = [len(out)]
            out.append(strategic_merge(facts.type, {}, item))
        else:
            out[where[mark][0]] = strategic_merge(facts.type, out[where[mark][0]], item)
    return _ordered(key, [one for one in out if one is not GONE], [item for item in patch if item.get(DIRECTIVE) != "delete"], held)


def _ordered(key: str, items: list[Json], order: list[Json], held: list[Json]) -> list[Json]:
    """normalizeElementOrder: those that `order` names, in that order, and the others as they stood in `held`. One of the others comes first
    only if it stood before the next named one; so what is new comes before what the patch does not name."""
    def of(item: Json) -> Any:
        return _mark(item.get(key) if key and isinstance(item, dict) else item)
    wished, stood = _places([of(one) for one in order]), _places([of(one) for one in held])
    marked = [(of(one), one) for one in items]
    named = sorted(((mark, one) for mark, one in marked if mark in wished), key=lambda pair: wished[pair[0]])
    others = sorted(((mark, one) for mark, one in marked if mark not in wished), key=lambda pair: stood.get(pair[0], len(held)))
    out: list[Json] = []
    left = right = 0
    while left < len(others) and right < len(named):
        mine, theirs = others[left], named[right]
        if mine[0] in stood and theirs[0] in stood and stood[mine[0]] < stood[theirs[0]]:
            out.append(mine[1])
            left += 1
        else:
            out.append(theirs[1])
            right += 1
    return out + [one for _, one in named[right:]] + [one for _, one in others[left:]]


def _mark(value: Json) -> Any:
    """What two values have in common when they are equal, to find one by."""
    return ("", json.dumps(value, sort_keys=True)) if isinstance(value, dict | list) else value


def _places(values: list[Json]) -> dict[Any, int]:
    """Where each value stands first."""
    found: dict[Any, int] = {}
    for at, one in enumerate(values):
        found.setdefault(_mark(one), at)
    return found


def go_value(value: Json) -> str:
    """A map as Go's %v prints it: `map[image:nginx]`."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{go_value(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(go_value(one) for one in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return "<nil>" if value is None else str(value)
