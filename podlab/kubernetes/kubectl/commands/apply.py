"""kubectl apply and create -f."""

from __future__ import annotations

import json
from typing import Any

from ...apiserver.errors import ApiError
from ...apiserver.request import Request
from ...objects import thaw
from ...resources import Resource
from ..builder import FILES, SELECTING, from_files, printed_name
from ..flags import Flag, Flags, parse
from ..manifests import Manifest
from ..terminal import Command, KubectlError, Terminal

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
FLAGS = (*SELECTING, *FILES, Flag("dry-run", "opt", default="none", bare="unchanged"), Flag("server-side", "bool"),
         Flag("force-conflicts", "bool"), Flag("field-manager"), Flag("validate", "opt", default="strict", bare="strict"),
         Flag("output", short="o"), Flag("save-config", "bool"), Flag("edit", "bool"), Flag("force", "bool"), Flag("prune", "bool"),
         Flag("overwrite", "bool", default=True), Flag("wait", "bool"), Flag("timeout"), Flag("grace-period", "int", default=-1))


def last_applied(obj: dict[str, Any], namespace: str) -> str:
    """The annotation's text: the manifest as compact, sorted JSON (util.GetModifiedConfiguration)."""
    plain = thaw(obj)
    metadata = plain.setdefault("metadata", {})
    annotations = dict(metadata.get("annotations") or {})
    annotations.pop(LAST_APPLIED, None)
    metadata["annotations"] = annotations
    if namespace:
        metadata.setdefault("namespace", namespace)
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c").replace(">", "\\u003e") \
        .replace("&", "\\u0026") + "\n"


def options(flags: Flags, terminal: Terminal) -> dict[str, Any]:
    out: dict[str, Any] = {"fieldValidation": {"true": "Strict", "strict": "Strict", "warn": "Warn", "false": "Ignore",
                                               "ignore": "Ignore"}.get(flags["validate"], "Strict")}
    if flags["dry-run"] == "server":
        out["dryRun"] = "All"
    if terminal.line:
        out["command"] = terminal.line
    return out


def create_object(terminal: Terminal, flags: Flags, resource: Resource, manifest: Manifest, obj: dict[str, Any], verb: str = "created") -> None:
    from ..run import server_error
    namespace = (obj.get("metadata") or {}).get("namespace") or (flags["namespace"] or terminal.namespace) if resource.namespaced else ""
    if flags["namespace"] and namespace != flags["namespace"] and resource.namespaced:
        raise KubectlError(f"error: the namespace from the provided object \"{namespace}\" does not match the namespace "
                           f"\"{flags['namespace']}\". You must pass '--namespace={namespace}' to perform this operation.\n")
    try:
        made = terminal.api.perform(Request("create", resource.plural, namespace, "", "", obj, options(flags, terminal)))
    except ApiError as error:
        raise KubectlError(server_error(error, f'error when creating "{manifest.source}"')) from error
    suffix = " (server dry run)" if flags["dry-run"] == "server" else ""
    terminal.out(f"{printed_name(resource, made['metadata']['name'])} {verb}{suffix}\n")


def apply(words: list[str], terminal: Terminal) -> Command:
    arguments, flags, _ = parse("apply", words, FLAGS)
    if not flags["filename"] and not flags["kustomize"]:
        raise KubectlError("error: must specify one of -f and -k\n")
    code = 0
    for resource, manifest in from_files(terminal, flags):
        obj = thaw(manifest.object)
        metadata = obj.setdefault("metadata", {})
        namespace = metadata.get("namespace") or flags["namespace"] or terminal.namespace if resource.namespaced else ""
        metadata["annotations"] = {**(metadata.get("annotations") or {}), LAST_APPLIED: last_applied(manifest.object, namespace)}
        try:
            create_object(terminal, flags, resource, manifest, obj)
        except KubectlError as error:
            terminal.err(error.text)
            code = 1
    return code
    yield


def create(words: list[str], terminal: Terminal) -> Command:
    arguments, flags, _ = parse("create", words, FLAGS)
    for resource, manifest in from_files(terminal, flags):
        create_object(terminal, flags, resource, manifest, thaw(manifest.object))
    return 0
    yield
