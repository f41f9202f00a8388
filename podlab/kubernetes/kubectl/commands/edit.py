"""kubectl edit."""

from __future__ import annotations

from ...apiserver.errors import ApiError
from ...objects import thaw, without
from ..builder import FILES, Info, select
from ..editing import HEAD, Round, original_of, session
from ..flags import Flag, but
from ..output.go_values import to_json
from ..patches import media_type, two_way
from ..terminal import Command, KubectlError
from ..verbs import CHANGING, RECORD, Call, fail_with, verb
from .apply import annotated, sending


@verb("edit", *FILES, *but(CHANGING, "dry-run"), RECORD, Flag("windows-line-endings", "bool"), Flag("save-config", "bool"), Flag("subresource"),
      Flag("output-patch", "bool"),
      Flag("validate", "opt", default="strict", bare="strict"),
      summary="Edit a resource on the server", usage="edit (RESOURCE/NAME | -f FILENAME)")
def edit(call: Call) -> Command:
    if call.flags["subresource"] not in (None, "", "status"):
        raise KubectlError(f'error: invalid subresource value: "{call.flags["subresource"]}". Must be one of [status]\n')
    infos, wrong = yield from select(call)
    fail_with(wrong)
    if not infos:
        raise KubectlError("error: edit cancelled, no objects found\n")
    return (yield from session(call, infos, HEAD, lambda edited, done: _patch(call, infos, edited, done)))


def _patch(call: Call, originals: list[Info], edited: list[Info], done: Round) -> None:
    """visitToPatch."""
    for info in edited:
        before = without(thaw(original_of(originals, info).object), "metadata.managedFields")
        after = annotated(info.object, info.namespace) if call.flags["save-config"] else info.object
        if to_json(before) == to_json(after):
            call.show(info.resource, info.object, "skipped")
            continue
        patch = two_way(info.resource, before, after)
        if {"apiVersion", "kind"} & {*patch} or "name" in (patch.get("metadata") or {}):
            raise KubectlError("error: At least one of apiVersion, kind and name was changed\n")
        if call.flags["output-patch"]:
            call.terminal.out(f"Patch: {to_json(patch)}\n")
        try:
            saved = call.request("patch", info.resource, info.name, info.namespace, patch, call.flags["subresource"] or "",
                                 patchType=media_type(info.resource), **sending(call))
        except ApiError as error:
            call.terminal.err(done.refused(error, info))
            continue
        call.show(info.resource, saved, "edited")
