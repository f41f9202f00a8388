"""kubectl apply view-last-applied, set-last-applied and edit-last-applied: what apply remembers of a manifest (S/kubectl/pkg/cmd/apply)."""

from __future__ import annotations

import json
from typing import Any

from ...objects import dig
from ..builder import FILES, Info, from_files, select
from ..editing import original_of, session
from ..flags import Flag, but
from ..output import go_yaml
from ..output.go_values import to_json
from ..patches import media_type
from ..pruning import LAST_APPLIED
from ..terminal import Command, KubectlError
from ..verbs import CHANGING, Call, fail_with, verb
from .apply import last_applied

HEAD = ("# Please edit the 'last-applied-configuration' annotations below.\n# Lines beginning with a '#' will be ignored, and an empty file will "
        "abort the edit.\n#\n")


def _remembered(info: Info) -> str | None:
    """The text of the annotation; None where nothing was applied."""
    text: str | None = dig(info.object, "metadata.annotations", {}).get(LAST_APPLIED)
    return text


@verb("apply view-last-applied", *FILES, Flag("output", short="o", default="yaml"), Flag("selector", short="l"), Flag("all", "bool"),
      summary="View the latest last-applied-configuration annotations of a resource/object",
      usage="apply view-last-applied (TYPE [NAME | -l label] | TYPE/NAME | -f FILENAME)")
def view_last_applied(call: Call) -> Command:
    infos, wrong = yield from select(call)
    fail_with(wrong)
    texts: list[str] = []
    for info in infos:
        text = _remembered(info)
        if text is None:  # which kubectl says of what came from a file alone (AddSourceToErr of no error)
            if info.source:
                raise KubectlError(f'error: error when no last-applied-configuration annotation found on resource: {info.name}\n "{info.source}": '
                                   "%!v(<nil>)\n")
            return 0
        texts.append(text)
    form = call.flags["output"]
    if texts and form not in ("yaml", "json"):
        raise call.usage_error(f"Unexpected -o output mode: {form}, the flag 'output' must be one of yaml|json")
    call.terminal.out("".join(go_yaml.dump(json.loads(text)) if form == "yaml" else to_json(json.loads(text), indent=2) + "\n" for text in texts))
    return 0


@verb("apply set-last-applied", Flag("filename", "array", "f"), *but(CHANGING, "field-manager"), Flag("create-annotation", "bool"),
      summary="Set the last-applied-configuration annotation on a live object to match the contents of a file",
      usage="apply set-last-applied -f FILENAME")
def set_last_applied(call: Call) -> Command:
    if not call.flags["filename"]:
        yield from select(call, [])
    infos, wrong = yield from from_files(call)
    fail_with(wrong)
    changed: list[tuple[Info, str]] = []
    for info in infos:
        live = call.request("get", info.resource, info.name, info.namespace)
        before, after = _remembered(Info(info.resource, info.namespace, info.name, live)), last_applied(info.object, "")
        if before is None and not call.flags["create-annotation"]:
            raise KubectlError(f"error: no last-applied-configuration annotation found on resource: {info.name}, to create the annotation, run the "
                               "command with --create-annotation\n")
        if before == after:
            call.terminal.out(f"set-last-applied {info.name}: no changes required.\n")
        else:
            changed.append((Info(info.resource, info.namespace, info.name, live), after))
    for info, text in changed:
        call.show(info.resource, _remember(call, info, text), "configured")
    return 0


def _remember(call: Call, info: Info, text: str) -> Any:
    if call.dry == "client":
        return info.object
    patch = {"metadata": {"annotations": {LAST_APPLIED: text}}}
    return call.request("patch", info.resource, info.name, info.namespace, patch, patchType=media_type(info.resource))


@verb("apply edit-last-applied", *FILES, *but(CHANGING, "dry-run"), Flag("windows-line-endings", "bool"),
      Flag("validate", "opt", default="strict", bare="strict"),
      summary="Edit latest last-applied-configuration annotations of a resource/object",
      usage="apply edit-last-applied (RESOURCE/NAME | -f FILENAME)")
def edit_last_applied(call: Call) -> Command:
    infos, wrong = yield from select(call)
    fail_with(wrong)
    held = [Info(info.resource, info.namespace, info.name, json.loads(text)) for info in infos if (text := _remembered(info)) is not None]
    if not held:
        raise KubectlError("error: no last-applied-configuration annotation found on resources, to create the annotation, use command `kubectl apply "
                           "set-last-applied --create-annotation`\n")
    return (yield from session(call, held, HEAD, lambda edited, _: _save(call, held, edited)))


def _save(call: Call, originals: list[Info], edited: list[Info]) -> None:
    """visitToApplyEditPatch."""
    for info in edited:
        if to_json(original_of(originals, info).object) == to_json(info.object):
            call.show(info.resource, info.object, "skipped")
        else:
            call.show(info.resource, _remember(call, info, last_applied(info.object, "")), "edited")
