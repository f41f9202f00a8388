"""kubectl patch."""

from __future__ import annotations

import json
from typing import Any

import yaml

from ...apiserver.decode import decode_with_warnings
from ...apiserver.errors import ApiError, bad_request
from ...apiserver.json_faults import json_fault
from ...apiserver.patch import apply_patch
from ...bounded_yaml import Loader, document
from ...client import PATCH_TYPES
from ...resources import Resource
from ..builder import FILES, has_files, select, select_local
from ..flags import Flag
from ..manifests import clean, line_of
from ..terminal import Command, KubectlError
from ..verbs import CHANGING, RECORD, Call, fail_with, group_kind, verb

SCALE = Resource("autoscaling", "v1", "scales", "Scale")


@verb("patch", *FILES, *CHANGING, RECORD, Flag("patch", short="p"), Flag("patch-file"), Flag("type", default="strategic"),
      Flag("subresource"),
      Flag("local", "bool"),
      summary="Update fields of a resource", usage="patch (-f FILENAME | TYPE NAME) [-p PATCH|--patch-file FILE]")
def patch(call: Call) -> Command:
    flags = call.flags
    kind = flags["type"].lower()
    if flags["patch"] is None and flags["patch-file"] is None:
        raise KubectlError("error: must specify --patch or --patch-file containing the contents of the patch\n")
    if flags["patch"] is not None and flags["patch-file"] is not None:
        raise KubectlError("error: cannot specify --patch and --patch-file together\n")
    if kind not in ("json", "merge", "strategic"):
        raise KubectlError(f'error: --type must be one of [json merge strategic], not "{flags["type"]}"\n')
    text = flags["patch"]
    if text is None:
        path = clean(flags["patch-file"])
        if path not in call.terminal.files:
            raise KubectlError(f"error: unable to read patch file: open {flags['patch-file']}: no such file or directory\n")
        text = call.terminal.files[path]
    body = _body(text)
    if flags["local"] and not has_files(call):
        raise KubectlError("error: cannot specify --local and server resources\n")
    infos, wrong = yield from (select_local(call) if flags["local"] else select(call))
    fail_with(wrong)
    for info in infos:
        scaling = flags["subresource"] == "scale" and call.dry != "client"
        before = call.request("get", info.resource, info.name, info.namespace, subresource="scale") if scaling else info.object
        if call.dry == "client" or flags["local"]:
            done = apply_patch(info.resource, before, body, kind)
        else:
            try:
                done = call.request("patch", info.resource, info.name, info.namespace, body, flags["subresource"] or "",
                                    patchType=PATCH_TYPES[kind], fieldValidation="Warn")  # kubectl names none, and this is the server's default
            except ApiError as error:
                if error.code != 415:
                    raise
                raise KubectlError(f"error: {PATCH_TYPES[kind]} is not supported by {group_kind(info.resource)}: {error.message}\n") from error
            for unknown in _unknown(info.resource, before, body, kind) if not flags["subresource"] else ():
                call.terminal.err(f"Warning: {unknown}\n")
        call.show(SCALE if scaling else info.resource, done, "patched" if done != before else "patched (no change)",
                  tell_dry=False)  # as of 1.32.4, alone among the commands
    return 0


def _unknown(resource: Resource, before: Any, body: Any, kind: str) -> list[str]:
    """What the server warns of: fields of the patched object that the kind does not have, and that it leaves out."""
    return [] if resource.custom is not None else decode_with_warnings(resource, apply_patch(resource, before, body, kind))[1]


def _body(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        if text.lstrip().startswith("{"):  # taken for JSON and sent as it is: the server refuses it
            raise bad_request(json_fault(text)) from None
    try:
        return document(text, Loader)
    except yaml.MarkedYAMLError as error:
        raise KubectlError(f'error: unable to parse "{text}": yaml: {line_of(error)}{error.problem}\n') from error
    except (yaml.YAMLError, ValueError) as error:
        raise KubectlError(f'error: unable to parse "{text}": yaml: {error}\n') from error
