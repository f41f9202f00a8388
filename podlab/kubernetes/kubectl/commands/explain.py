"""kubectl explain, in the layout of S/kubectl/pkg/explain/v2/templates/plaintext.tmpl.

The published schema that we read has no `enum` lists, so no ENUM lines are shown.
"""

from __future__ import annotations

import re
from typing import Any

from ...apiserver import schema
from ...apiserver.discovery import with_customs
from ...resources import Resource
from ..builder import resource_named
from ..flags import Flag
from ..terminal import KubectlError
from ..verbs import Call, verb

Schema = dict[str, Any]
WIDTH, FIELD_WIDTH = 76, 78


@verb("explain", Flag("recursive", "bool", "r"), Flag("api-version"), Flag("output", short="o", default="plaintext"),
      summary="Get documentation for a resource",
      usage="explain TYPE [--recursive=FALSE|TRUE] [--api-version=api-version-group] [-o|--output=plaintext|plaintext-openapiv2]")
def explain(call: Call) -> None:
    if not call.arguments:
        raise KubectlError('error: You must specify the type of resource to explain. Use "kubectl api-resources" for a complete '
                           "list of supported resources.\n\n")
    if len(call.arguments) > 1:
        raise KubectlError("error: We accept only this format: explain RESOURCE\n")
    kind, *path = call.arguments[0].removesuffix(".").split(".")
    if not kind:
        raise KubectlError("error: invalid jsonpath syntax, first node must be field node\n")
    if call.flags["output"] not in ("plaintext", "plaintext-openapiv2"):
        raise KubectlError(f"error: unrecognized format: {call.flags['output']}\n")
    resource = resource_named(kind, call.customs, prefix="")
    if call.flags["api-version"]:
        resource = _in_version(call, resource)
    elif resource.group and f"{call.arguments[0]}.".startswith(f"{resource.name}.{resource.group}."):
        path = path[len(resource.group.split(".")):]  # with its group the whole name stands first
    text = (f"GROUP:      "
            f"{resource.group}\n" if resource.group else "") + f"KIND:       {resource.kind}\nVERSION:    {resource.version}\n\n"
    found: Schema = _defined(resource) if resource.custom is not None else schema.definitions()[schema.type_of(resource)]
    for depth, name in enumerate(path):
        member = _member(found, name)
        if member is None:
            call.terminal.out(text)
            raise KubectlError(f'error: field "{path[-1]}" does not exist\n')
        if depth == len(path) - 1:
            text += f"FIELD: {name} <{_type(member)}>\n\n\n"
        found = member
    text += "DESCRIPTION:\n" + _indent(wrap(_description(found) or "<empty>", WIDTH), 4) + "\n"
    fields = _fields(found, 1, call.flags["recursive"], ())
    call.terminal.out(text + (f"FIELDS:\n{fields}" if fields else "") + "\n")


def _in_version(call: Call, resource: Resource) -> Resource:
    """The resource in the version of --api-version. Raises KubectlError."""
    wanted = call.flags["api-version"]
    if wanted.count("/") > 1:
        raise KubectlError(f"error: unexpected GroupVersion string: {wanted}\n")
    served = with_customs(call.customs)
    group, _, version = wanted.rpartition("/")
    found = next((one for one in served.get((group, version), ()) if one.name == resource.name), None)
    if found is None and (group, version) in served:
        raise KubectlError(f"error: GVR ({group}/{version}, Resource={resource.name}) not found in OpenAPI schema\n")
    if found is None:
        raise KubectlError(f'error: couldn\'t find resource for "{wanted}, Resource={resource.name}"\n')
    return found


def _defined(resource: Resource) -> Schema:
    """The schema of a kind that people defined, with what every kind has."""
    own: Schema = resource.custom.schema
    return {**own, "properties": {**(own.get("properties") or {}), **schema.definitions()[schema.CUSTOM]["properties"]}}


def _resolved(node: Schema) -> Schema:
    return schema.definitions()[_ref(node)] if _ref(node) else node


def _ref(node: Schema) -> str:
    return str(node.get("$ref") or "").removeprefix("#/$defs/")


def _inner(node: Schema) -> Schema | None:
    """What a list or map holds."""
    inner = node.get("items") or node.get("additionalProperties")
    return inner if isinstance(inner, dict) and inner else None


def _member(node: Schema, name: str) -> Schema | None:
    found = _resolved(node)
    if name in (found.get("properties") or {}):
        member: Schema = found["properties"][name]
        return member
    inner = _inner(found)
    return _member(inner, name) if inner is not None else None


def _type(node: Schema) -> str:
    kinds = node.get("type") or ""
    kind = next((k for k in kinds if k != "null"), "") if isinstance(kinds, list) else kinds
    if isinstance(node.get("items"), dict):
        return "[]" + _type(node["items"])
    if isinstance(node.get("additionalProperties"), dict) and node["additionalProperties"]:
        return "map[string]" + _type(node["additionalProperties"])
    if _ref(node):
        target = _resolved(node)
        name = _type({key: value for key, value in target.items() if key in ("type",)})
        return schema.short(_ref(node)) if name in ("Object", "") or target.get("properties") else name
    return "Object" if kind in ("object", "") else str(kind)


def _description(node: Schema) -> str:
    text = node.get("description", "")
    if _ref(node):  # the field's own words first, then its type's
        return (text + "\n" if text else "") + _description(_resolved(node))
    out = text + "\n" if text else ""
    inner = _inner(node)
    return out + (_description(inner) if inner is not None else "")


def _fields(node: Schema, level: int, recursive: bool, history: tuple[str, ...]) -> str:
    if _ref(node) in history and _ref(node):
        return ""
    history = (*history, _ref(node))
    found = _resolved(node)
    pad = " " * (2 * level)
    out = []
    for name in sorted(found.get("properties") or {}):
        member = found["properties"][name]
        required = " -required-" if name in (found.get("required") or ()) else ""
        out.append(f"{pad}{name}\t<{_type(member)}>{required}\n")
        if recursive:
            out.append(_fields(member, level + 1, recursive, history))
        else:
            out.append(_indent(wrap(member.get("description") or "<no description>", FIELD_WIDTH - 2 * level),
                               2 * level + 2) + "\n\n")
    inner = _inner(found)
    if inner is not None:
        out.append(_fields(inner, level, recursive, history))
    return "".join(out)


def _indent(text: str, amount: int) -> str:
    pad = " " * amount
    return pad + text.replace("\n", "\n" + pad)


def wrap(text: str, width: int) -> str:
    """Words in lines of at most `width`; line ends of the text stay (github.com/mitchellh/go-wordwrap)."""
    lines = []
    for line in text.split("\n"):
        current = ""
        for space, word in re.findall(r"( *)(\S+)", line):
            if current and len(current) + len(space) + len(word) > width:
                lines.append(current)
                current = word
            else:
                current += space + word
        lines.append(current)
    return "\n".join(lines)
