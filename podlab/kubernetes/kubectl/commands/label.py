"""kubectl label and kubectl annotate."""

from __future__ import annotations

import re
from typing import Any

from ...apiserver.errors import ApiError
from ...objects import thaw
from ..builder import FILES, SELECTING, Info, has_files, select, select_local
from ..flags import Flag
from ..patches import two_way
from ..templates import parted
from ..terminal import Command, KubectlError
from ..verbs import CHANGING, RECORD, Call, fail_with, verb

MARKING = (*SELECTING, *FILES, *CHANGING, RECORD, Flag("overwrite", "bool"), Flag("list", "bool"), Flag("resource-version"),
           Flag("local", "bool"))
NAME = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")


@verb("label", *MARKING, summary="Update the labels on a resource",
      usage="label [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]")
def label(call: Call) -> Command:
    return (yield from _mark(call, "labels", "label", "labeled"))


@verb("annotate", *MARKING, summary="Update the annotations on a resource",
      usage="annotate [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]")
def annotate(call: Call) -> Command:
    return (yield from _mark(call, "annotations", "annotation", "annotated"))


def _mark(call: Call, member: str, word: str, done: str) -> Command:
    names, pairs = parted(call.arguments, word)
    if not names and not has_files(call):
        raise KubectlError("error: one or more resources must be specified as <resource> <name> or <resource>/<name>\n")
    if call.flags["local"] and not has_files(call):
        raise KubectlError("error: can only use local files by -f pod.yaml or --filename=pod.json when --local=true is set\n")
    wanted, removed = _parse(pairs, word)
    if not wanted and not removed and not call.flags["list"]:
        raise KubectlError(f"error: at least one {word} update is required\n")
    infos, wrong = yield from (select_local(call) if call.flags["local"] else
                               select(call, names, unnamed="resource(s) were provided, but no name was specified"))
    single = len(infos) == 1 and not any(call.flags[name] for name in ("all", "selector", "field-selector")) and len(names) <= 2
    if call.flags["resource-version"] and not single:
        raise KubectlError("error: --resource-version may only be used with a single resource\n")
    for info in infos:
        try:
            marked, said = _one(call, info, member, word, done, wanted, removed)
            if call.flags["list"]:
                _list(call, marked, member, "" if single else f"Listing {word}s for {info.resource.kind}.{info.resource.group}/{info.name}:\n")
            else:
                call.show(info.resource, marked, said)
        except ApiError as error:
            wrong.append(error)
        except KubectlError as refusal:  # the others are marked all the same (ContinueOnError)
            wrong.append(refusal.text.removeprefix("error: ").removesuffix("\n"))
    fail_with(wrong)
    return 0


def _parse(pairs: list[str], word: str) -> tuple[dict[str, str], list[str]]:
    wanted: dict[str, str] = {}
    removed: list[str] = []
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            removed.append(pair[:-1])
            continue
        if word == "label" and "=" in value:
            raise KubectlError(f"error: invalid label spec: {pair}\n")
        if word == "label" and len(value) > 63:
            raise KubectlError(f'error: invalid label value: "{pair}": must be no more than 63 characters\n')
        if word == "label" and value and not NAME.fullmatch(value):
            raise KubectlError(f'error: invalid label value: "{pair}": a valid label must be an empty string or consist of '
                               f'alphanumeric '
                               "characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. "
                               "'MyValue',  or "
                               "'my_value',  or '12345', regex used for validation is "
                               "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')\n")
        wanted[key] = value
    if both := sorted({*removed} & {*wanted}):
        raise KubectlError("error: can not both modify and remove a label in the same command\n" if word == "label" else
                           f"error: can not both modify and remove the following annotation(s) in the same command: {', '.join(both)}\n")
    return wanted, removed


def _told(held: dict[str, str], marks: dict[str, str]) -> str:
    """What was done to an object's labels, in 1.36 by what came and what went (updateDataChangeMsg)."""
    came, went = any(held.get(key) != value for key, value in marks.items()), any(key not in marks for key in held)
    return "modified" if came and went else "labeled" if came else "unlabeled" if went else "not labeled"


def _list(call: Call, obj: Any, member: str, head: str) -> None:
    """What an object is marked with; of several, each under its name (LabelOptions.RunLabel)."""
    held = obj["metadata"].get(member) or {}
    call.terminal.out(head + "".join(f"{' ' if head else ''}{key}={held[key]}\n" for key in sorted(held)))


def _one(call: Call, info: Info, member: str, word: str, done: str, wanted: dict[str, str], removed: list[str]) -> tuple[Any, str]:
    """(the object as it is marked then, what is said to have been done)"""
    old: Any = info.object
    held: dict[str, str] = dict(old["metadata"].get(member) or {})
    if not call.flags["overwrite"]:
        for key, value in wanted.items():
            if key in held and held[key] != value:
                text = f"'{key}' already has a value ({held[key]})"
                raise KubectlError(f"error: {text}, and --overwrite is false\n" if word == "label" else
                                   f"error: --overwrite is false but found the following declared annotation(s): {text}\n")
    for key in removed if word == "label" else ():
        if key not in held:
            call.terminal.out(f'label "{key}" not found.\n')
    marks = {key: value for key, value in {**held, **wanted}.items() if key not in removed}
    new = thaw(old)
    new["metadata"][member] = marks
    if not marks:
        del new["metadata"][member]
    if word == "label":
        done = _told(held, marks)
    if call.dry != "client" and marks != held and not call.flags["local"] and not call.flags["list"]:
        patch = two_way(info.resource, thaw(old), new)
        if call.flags["resource-version"]:
            patch["metadata"]["resourceVersion"] = call.flags["resource-version"]
        new = call.request("patch", info.resource, info.name, info.namespace, patch,
                           patchType="application/merge-patch+json")
    return (new if marks != held else old), done
