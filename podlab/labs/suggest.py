"""Completion in the YAML editor: what may stand at the cursor, from the Kubernetes schema."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from podlab.kubernetes.apiserver import schema
from podlab.kubernetes.resources import BY_PLURAL, Resource

LINE = re.compile(r"( *)((?:- +)*)(?:([\w./-]+):(?:\s|$))?(.*)")
TYPES = {"string": "글자", "integer": "정수", "number": "수", "boolean": "true/false", "object": "맵", "array": "목록"}
ENUMS = {"restartPolicy": "Always OnFailure Never", "imagePullPolicy": "IfNotPresent Always Never", "protocol": "TCP UDP SCTP",
         "dnsPolicy": "ClusterFirst ClusterFirstWithHostNet Default None", "concurrencyPolicy": "Allow Forbid Replace",
         "whenUnsatisfiable": "DoNotSchedule ScheduleAnyway", "operator": "In NotIn Exists DoesNotExist",
         "effect": "NoSchedule PreferNoSchedule NoExecute", "podManagementPolicy": "OrderedReady Parallel", "completionMode": "NonIndexed Indexed"}
"""Values that the schema tells in prose only (pkg/apis/core/types.go and others), by field name."""


@dataclass(frozen=True)
class Word:
    """`text` goes in; `kind` says in Korean what sort of value follows; `detail` is the schema's first sentence."""

    text: str
    kind: str
    detail: str = ""


@dataclass(frozen=True)
class _Frame:
    indent: int
    key: str  # "" for an item of a list


def words(text: str) -> list[Word]:
    """`text` is the document up to the cursor. The words fit the cursor's place; the page narrows them to what is typed."""
    document = re.split(r"^---.*$", text, flags=re.MULTILINE)[-1]
    lines = document.split("\n")
    frames, key, value = _place(lines)
    head = {match[1]: match[2] for match in re.finditer(r"^(kind|apiVersion): *(\S+)", document, re.MULTILINE)}
    path = [frame.key for frame in frames if frame.key]
    if not path and key in ("kind", "apiVersion") and value is not None:
        return _heads(key, head)
    resource = _resource(head)
    if resource is None:
        return [] if value is not None or path else [Word("apiVersion", "글자"), Word("kind", "글자"), Word("metadata", "맵")]
    type_name: str = schema.type_of(resource)
    for step in path:
        facts = schema.field_facts(type_name, step)
        if facts is None:
            return []
        if facts.kind == "map" or not facts.type:
            return []
        type_name = facts.type
    properties = schema.definitions().get(type_name, {}).get("properties", {})
    if value is not None:
        return _values(key, properties.get(key, {}))
    siblings = _siblings(lines)
    return [Word(name, _kind(field), _first_sentence(field.get("description", ""))) for name, field in sorted(properties.items())
            if name not in siblings and not (name == "status" and not path)]


def _place(lines: list[str]) -> tuple[list[_Frame], str, str | None]:
    """(the keys above the cursor, outermost first; the cursor line's key; its value so far, None while the key is typed)."""
    last = lines[-1]
    match = LINE.match(last)
    assert match is not None
    indent = len(match[1]) + len(match[2])
    key, value = (match[3], match[4]) if match[3] else ("", None)
    frames: list[_Frame] = []
    limit = indent
    if match[2]:
        limit = len(match[1]) + 1  # the parent of an item may stand at the item's own indentation
    for line in reversed(lines[:-1]):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        above = LINE.match(line)
        assert above is not None
        start, inner = len(above[1]), len(above[1]) + len(above[2])
        if above[3] and inner < limit and not above[4].strip():
            frames.append(_Frame(inner, above[3]))
            limit = inner
        if above[2] and start < limit:
            limit = start + 1
        if limit == 0:
            break
    return frames[::-1], key, value


def _siblings(lines: list[str]) -> set[str]:
    """Keys that the cursor's map has already, as far as they stand above."""
    match = LINE.match(lines[-1])
    assert match is not None
    indent = len(match[1]) + len(match[2])
    if match[2]:
        return set()
    found = set()
    for line in reversed(lines[:-1]):
        above = LINE.match(line)
        if above is None or not line.strip():
            continue
        inner = len(above[1]) + len(above[2])
        if inner < indent:
            break
        if inner == indent and above[3]:
            found.add(above[3])
            if above[2]:
                break
    return found


def _resource(head: dict[str, str]) -> Resource | None:
    named = [resource for resource in BY_PLURAL.values() if resource.kind == head.get("kind")]
    return next((resource for resource in named if resource.api_version == head.get("apiVersion")), named[0] if named else None)


def _heads(key: str, head: dict[str, str]) -> list[Word]:
    """Kinds and their versions; the one that fits what the other line says comes first."""
    found = BY_PLURAL.values()
    if key == "kind":
        fitting = [resource for resource in found if resource.api_version == head.get("apiVersion", resource.api_version)] or list(found)
        return [Word(resource.kind, resource.api_version) for resource in sorted(fitting, key=lambda r: r.kind)]
    versions = dict.fromkeys(resource.api_version for resource in found if resource.kind == head.get("kind", resource.kind))
    return [Word(version, "API 버전") for version in sorted(versions)]


def _values(key: str, field: dict[str, Any]) -> list[Word]:
    if field.get("enum"):
        return [Word(str(value), "값") for value in field["enum"] if value is not None]
    if "boolean" in _types(field):
        return [Word("true", "값"), Word("false", "값")]
    return [Word(value, "값") for value in ENUMS.get(key, "").split()]


def _types(field: dict[str, Any]) -> list[str]:
    types = field.get("type") or []
    return [types] if isinstance(types, str) else list(types)


def _kind(field: dict[str, Any]) -> str:
    if field.get("$ref"):
        return "맵" if schema.definitions().get(field["$ref"].removeprefix("#/$defs/"), {}).get("properties") else "값"
    return next((TYPES[name] for name in _types(field) if name in TYPES), "값")


def _first_sentence(text: str) -> str:
    return text.split(". ")[0][:160]
