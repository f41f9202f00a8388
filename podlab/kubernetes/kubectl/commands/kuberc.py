"""kubectl kuberc view|set (S/kubectl/pkg/cmd/kuberc)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ...objects import Map
from ...runtime.process import Errno
from .. import kuberc
from ..disk import Disk
from ..flags import Flag, but
from ..output import go_yaml, kyaml
from ..output.go_values import to_json
from ..terminal import Command, KubectlError, Wait
from ..verbs import PRINTING, Call, verb

SECTIONS = ("defaults", "aliases", "credentialplugin")
POLICIES = ("AllowAll", "DenyAll", "Allowlist")
ORDER = ("kind", "apiVersion", "defaults", "aliases", "credentialPluginPolicy", "credentialPluginAllowlist")
RECOMMENDED = [{"command": "apply", "options": [{"name": "server-side", "default": "true"}]},
               {"command": "delete", "options": [{"name": "interactive", "default": "true"}]}]

Json = dict[str, Any]


def _empty() -> Json:
    return {"apiVersion": kuberc.VERSION, "kind": kuberc.KIND, "aliases": [], "defaults": []}


def _path(call: Call) -> tuple[str, bool]:
    path, named = kuberc.path_of(call.terminal, call.flags["kuberc"])
    if not path:
        raise KubectlError("error: KUBERC is disabled via KUBERC=off environment variable\n")
    return path, named


def _save(call: Call, preference: Json, path: str) -> None:
    if not isinstance(call.terminal.files, Disk):
        raise KubectlError("error: failed to write kuberc file: this terminal keeps no files\n")
    try:
        call.terminal.files.write(path, go_yaml.dump(preference))  # makes the directory too
    except Errno as error:
        raise KubectlError(f"error: failed to write kuberc file: open {path}: {error.text.lower()}\n") from error
    call.terminal.out(f"Updated {path}\n")


@verb("kuberc view", Flag("output", short="o", default="yaml"), *but(PRINTING, "output"),
      summary="Display the current kuberc configuration", usage="kuberc view")
def view(call: Call) -> Command:
    path, named = _path(call)
    text = kuberc.text_of(call.terminal, path)
    if text is None:
        if named:
            raise KubectlError(f"error: kuberc file not found at {path}\n")
        call.terminal.out(f"kuberc file not found at {path}\nWould you like to generate a default kuberc file with recommended options? (y/N): ")
        if (yield from _line(call)).strip().lower() == "y":
            _save(call, {**_empty(), "defaults": RECOMMENDED}, path)
        return 0
    found = _read(text, path)
    shown = {member: found[member] for member in (*ORDER, *found) if member in found}
    form = call.flags["output"].lower()
    call.terminal.out({"json": to_json(shown, indent=4) + "\n", "kyaml": kyaml.from_json(to_json(shown))}.get(form) or
                      call.printer()(Map(shown)))
    return 0


def _line(call: Call) -> Generator[Wait, None, str]:
    text = ""
    while call.terminal.stdin is not None and "\n" not in text and (piece := call.terminal.stdin.read()) != "":
        if piece is None:
            yield Wait()
        else:
            text += piece
    return text.partition("\n")[0]


def _read(text: str, path: str) -> Json:
    try:
        found = kuberc.read(text, path)
    except KubectlError as error:
        raise KubectlError(f"error: error parsing kuberc file: {error.text.removeprefix('error: ')}") from None
    for entry in (*found["aliases"], *found["defaults"]):
        for member in ("prependArgs", "appendArgs", "options"):
            if member in entry and not entry[member]:
                del entry[member]
    return found


@verb("kuberc set", Flag("section"), Flag("command"), Flag("name"), Flag("option", "array"), Flag("prependarg", "array"), Flag("appendarg", "array"),
      Flag("overwrite", "bool"), Flag("policy"), Flag("allowlist-entry", "array"),
      summary="Set values in the kuberc configuration", usage="kuberc set --section (defaults|aliases|credentialplugin) --command COMMAND")
def set_(call: Call) -> None:
    flags = call.flags
    section = flags["section"]
    if not flags.given("section"):
        raise KubectlError('error: required flag(s) "section" not set\n')
    path, _ = _path(call)
    if section not in SECTIONS:
        raise KubectlError(f'error: --section must be "defaults" or "aliases", got: {section}\n')
    if section == "credentialplugin":
        raise KubectlError("error: credential plugins are left out here: this laptop's users have a certificate or a token\n")
    if not flags.given("command"):
        raise KubectlError('error: required flag(s) "command" not set\n')
    if section == "aliases" and not flags["name"]:
        raise KubectlError("error: --name is required when --section=aliases\n")
    if section == "defaults" and flags["name"]:
        raise KubectlError("error: --name should not be specified when --section=defaults\n")
    if section == "defaults" and (flags["prependarg"] or flags["appendarg"]):
        raise KubectlError("error: --prependarg and --appendarg are only valid for --section=aliases\n")
    text = kuberc.text_of(call.terminal, path)
    preference = _read(text, path) if text else _empty()
    options = [_option(text) for text in flags["option"]]
    if section == "defaults":
        wanted = {"command": flags["command"], "options": options}
        _put(call, preference["defaults"], "command", wanted, f'defaults for command "{flags["command"]}" already exist')
    else:
        wanted = {"name": flags["name"], "command": flags["command"], "prependArgs": flags["prependarg"], "appendArgs": flags["appendarg"],
                  "options": options}
        _put(call, preference["aliases"], "name", wanted, f'alias "{flags["name"]}" already exists')
    _save(call, preference, path)


def _option(text: str) -> Json:
    name, equals, value = text.partition("=")
    if not equals:
        raise KubectlError(f'error: invalid option format "{text}", expected flag=value\n')
    return {"name": name.lstrip("-"), "default": value}


def _put(call: Call, entries: list[Json], key: str, wanted: Json, there: str) -> None:
    """An entry anew, or in its predecessor's place: what is not said anew stays."""
    wanted = {member: value for member, value in wanted.items() if value}
    for i, entry in enumerate(entries):
        if entry[key] == wanted[key]:
            if not call.flags["overwrite"]:
                raise KubectlError(f"error: {there}, use --overwrite to replace\n")
            entries[i] = {**entry, **wanted}
            return
    entries.append(wanted)
