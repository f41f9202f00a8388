"""What the API server would say to a manifest in the editor, with the line each complaint is about. Nothing is written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml

from podlab.kubernetes.apiserver import create
from podlab.kubernetes.apiserver.context import Context
from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.apiserver.request import ADMIN, Request
from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.kubectl import manifests
from podlab.kubernetes.kubectl.terminal import KubectlError
from podlab.kubernetes.resources import by_api_kind
from podlab.projection import explanations

DOCUMENTS_MAX = 40  # more of them are checked when they are applied
STEP = re.compile(r"\[(\d+)\]|\[([^\]]*)\]|([^.\[\]]+)")
UNKNOWN = re.compile(r'(?:unknown|duplicate) field "([^"]+)"')
GO_FIELD = re.compile(r"Go struct field \w+?\.([\w.]+) of type")
YAML_LINE = re.compile(r"yaml: line (\d+)")


@dataclass(frozen=True)
class Problem:
    """`line` counts from 1; `told` is the Korean line, '' for none; `message` what the API server or kubectl says."""

    line: int
    message: str
    told: str


def problems(cluster: Cluster, text: str) -> list[Problem]:
    """In the order of the text."""
    if not text.strip():
        return []
    try:
        found = manifests.parse(text, "yaml")
    except KubectlError as error:
        return [_unreadable(text, error.text.strip())]
    nodes = [node for node in yaml.compose_all(text, yaml.CSafeLoader) if node is not None]
    if len(nodes) != len(found):  # a List was opened: its lines are not told apart
        nodes = [nodes[0]] * len(found) if nodes else []
    told: list[Problem] = []
    for manifest, node in list(zip(found, nodes, strict=False))[:DOCUMENTS_MAX]:
        told += _of_object(cluster, manifest.object, node)
    return sorted(told, key=lambda problem: problem.line)


def _unreadable(text: str, message: str) -> Problem:
    match = YAML_LINE.search(message)
    line = int(match[1]) if match else 1
    return Problem(min(line, text.count("\n") + 1), message, explanations.explain("", message) or "")


def _of_object(cluster: Cluster, obj: dict[str, Any], node: yaml.Node) -> list[Problem]:
    resource = create.resource_of(obj) or by_api_kind(str(obj.get("apiVersion")), str(obj.get("kind")), cluster.server.customs.served())
    top = node.start_mark.line + 1
    if resource is None:
        kind, version = str(obj.get("kind") or ""), str(obj.get("apiVersion") or "")
        missing = [name for name, value in (("apiVersion", version), ("kind", kind)) if not value]
        # kubectl's words: cli-runtime/pkg/resource/mapper.go and validation/schema.go
        message = (f"error validating data: {', '.join(f'{name} not set' for name in missing)}" if missing
                   else f'no matches for kind "{kind}" in version "{version}"')
        return [Problem(_line(node, ["kind"]) if kind else top, message, explanations.explain("", message) or "")]
    metadata = obj.get("metadata")
    named = metadata.get("namespace") if isinstance(metadata, dict) else None
    namespace = named or "default"
    namespace = namespace if resource.namespaced and isinstance(namespace, str) else ""
    try:
        if resource.custom is not None:
            cluster.server.perform(Request("create", resource.plural, namespace, body=obj, options={"dryRun": "All"}))
        else:
            create.admit(resource, obj, namespace, Context(cluster, ADMIN), strict=True)
    except ApiError as error:
        return _refused(error, node, top) if error.reason != "AlreadyExists" else []
    return []


def _refused(error: ApiError, node: yaml.Node, top: int) -> list[Problem]:
    causes = [cause for cause in (error.details or {}).get("causes") or () if cause.get("field")]
    if error.reason == "Invalid" and causes:
        found = {}
        for cause in causes:
            message = f"{cause['field']}: {cause['message']}"
            found[message] = Problem(_line(node, _steps(cause["field"])), message, explanations.explain(error.reason, message) or "")
        return list(found.values())
    unknown = UNKNOWN.findall(error.message)
    if unknown:
        return [Problem(_line(node, _steps(path)), part, explanations.explain(error.reason, f"strict decoding error: {part}") or "")
                for path in dict.fromkeys(unknown) for part in [_part(error.message, path)]]
    match = GO_FIELD.search(error.message)
    line = _line(node, _steps(match[1])) if match else top
    return [Problem(line, error.message, explanations.explain(error.reason, error.message) or "")]


def _part(message: str, path: str) -> str:
    match = re.search(r'(?:unknown|duplicate) field "' + re.escape(path) + '"', message)
    return match[0] if match else message


def _steps(path: str) -> list[str | int]:
    """`spec.containers[0].name` -> ["spec", "containers", 0, "name"]"""
    return [int(index) if index else key or name for index, key, name in STEP.findall(path)]


def _line(node: yaml.Node, steps: list[str | int]) -> int:
    """The line of a path, or of as much of it as is there. A path without indices goes through the lists' items."""
    line = node.start_mark.line + 1
    for at, step in enumerate(steps):
        if isinstance(node, yaml.MappingNode):
            match = next(((key, value) for key, value in node.value if key.value == str(step)), None)
            if match is None:
                return line
            line, node = match[0].start_mark.line + 1, match[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            if step >= len(node.value):
                return line
            node = node.value[step]
            line = node.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode):
            deeper = [_line(item, steps[at:]) for item in node.value if isinstance(item, yaml.MappingNode) and
                      any(key.value == step for key, _ in item.value)]
            return deeper[0] if deeper else line
        else:
            return line
    return line
