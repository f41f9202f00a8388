"""The learner's preferences, ~/.kube/kuberc: aliases of commands and default values of their flags (S/kubectl/pkg/kuberc; beta in 1.36)."""

from __future__ import annotations

import posixpath
from typing import Any

from .flags import GLOBAL
from .manifests import Unreadable, clean, parse
from .terminal import KubectlError, Terminal
from .verbs import ALIASES, VERBS

VERSION, KIND = "kubectl.config.k8s.io/v1beta1", "Preference"
VERSIONS = (VERSION, "kubectl.config.k8s.io/v1alpha1")
HOME = "/root"
FAILED = "error occurred while applying preferences "

Json = dict[str, Any]


def path_of(terminal: Terminal, named: str | None) -> tuple[str, bool]:
    """(where the preferences are, whether somebody said so): --kuberc, $KUBERC, the home's own. "" where they are switched off (LoadKuberc)."""
    environ = terminal.environ
    if environ.get("KUBERC") == "off" or environ.get("KUBECTL_KUBERC", "").lower() in ("false", "0", "f"):
        return "", False
    if named or environ.get("KUBERC"):
        return named or environ["KUBERC"], True
    return posixpath.join(environ.get("HOME") or HOME, ".kube/kuberc"), False


def text_of(terminal: Terminal, path: str) -> str | None:
    """The file's text; None where there is none."""
    for one in (path, clean(path)):
        if one in terminal.files:
            return terminal.files[one]
    return None


def read(text: str, path: str) -> Json:
    """A Preference whose lists are lists of what they should be. Raises KubectlError."""
    try:
        found = parse(text, path)
    except Unreadable as error:
        raise KubectlError(error.text) from None
    preference = next((one.object for one in found if one.object.get("kind") == KIND and one.object.get("apiVersion") in VERSIONS), None)
    if preference is None:
        raise KubectlError(f'error: no valid preferences found in kuberc file "{path}"\n')
    return {**preference, "aliases": _entries(preference.get("aliases"), "name", "command", ("prependArgs", "appendArgs")),
            "defaults": _entries(preference.get("defaults") or preference.get("overrides"), "command", "command", ())}


def _entries(held: Any, name: str, command: str, lists: tuple[str, ...]) -> list[Json]:
    """Entries as they are written; an option's default is a text (its JSON type)."""
    entries: list[Json] = []
    for entry in held if isinstance(held, list) else ():
        options = entry.get("options") or [] if isinstance(entry, dict) else None
        if (options is None or not all(isinstance(entry.get(member), str) for member in (name, command)) or not isinstance(options, list)
                or not all(isinstance(one, dict) and isinstance(one.get("name"), str) and isinstance(one.get("default"), str) for one in options)
                or not all(isinstance(word, str) for member in lists for word in entry.get(member) or ())):
            raise KubectlError("error: kuberc: names, commands, arguments and the defaults of options are texts\n")
        entries.append({**entry, "options": options})
    return entries


def applied(terminal: Terminal, leading: list[str], words: list[str]) -> list[str]:
    """A command line with what the preferences add to it: an alias written out, the default of each flag that was not given (Preferences.Apply).

    Raises KubectlError for preferences that cannot be read.
    """
    path, named = path_of(terminal, _named([*leading, *words]))
    text = text_of(terminal, path) if path else None
    if text is None:
        if path and named:
            raise KubectlError(f"{FAILED}kuberc error open {path}: no such file or directory\n")
        return words
    try:
        preference = read(text, path)
    except KubectlError as error:
        raise KubectlError(f"{FAILED}kuberc error {error.text.removeprefix('error: ')}") from None
    if not _is_command(words[0]):
        return _expanded(terminal, preference, leading, words)
    for entry in preference["defaults"]:
        command = entry["command"].split()
        if _whole(words, len(command)) == _whole(command, len(command)):
            return [*words, *_given(entry, leading, words)] if "--" not in words else _before_dashes(words, _given(entry, leading, words))
    return words


def _named(words: list[str]) -> str | None:
    """--kuberc's value, which counts before any flag is read."""
    for i, word in enumerate(words):
        if word.startswith("--kuberc="):
            return word.partition("=")[2]
        if word == "--kuberc" and i + 1 < len(words):
            return words[i + 1]
    return None


def _is_command(word: str) -> bool:
    first = ALIASES.get(word, word)
    return first == "help" or any(name.split()[0] == first for name in VERBS)


def _whole(words: list[str], count: int) -> str:
    """The command's own name of the first `count` words that are no flags."""
    name = ""
    for word in [word for word in words if not word.startswith("-")][:count]:
        name = f"{name} {word}".strip()
        name = ALIASES.get(name, name)
    return name


def _expanded(terminal: Terminal, preference: Json, leading: list[str], words: list[str]) -> list[str]:
    seen: set[str] = set()
    for entry in preference["aliases"]:
        name, command = entry["name"], entry["command"].split()
        if _is_command(name):
            terminal.err(f'Setting alias "{name}" to a built-in command is not supported\n')
            continue
        if name in seen:
            terminal.err(f"alias {name} is already set, skipping...\n")
            continue
        seen.add(name)
        if _whole(command, len(command)) not in VERBS:
            terminal.err(f'command "{entry["command"]}" not found to set alias "{name}": {command[1:]}\n'.replace("'", ""))
            continue
        if name == words[0]:
            mine = [*command, *(entry.get("prependArgs") or ()), *words[1:]]
            given = _given(entry, leading, words)
            mine = _before_dashes(mine, given) if "--" in mine else [*mine, *given]
            return [*mine, *(entry.get("appendArgs") or ())]
    return words


def _before_dashes(words: list[str], more: list[str]) -> list[str]:
    at = words.index("--")
    return [*words[:at], *more, *words[at:]]


def _given(entry: Json, leading: list[str], words: list[str]) -> list[str]:
    """The flags of an entry that the command line does not have itself. Raises KubectlError for one that the command does not know."""
    command = entry["command"].split()
    whole = _whole(command, len(command))
    known = {flag.name: flag for flag in (*GLOBAL, *(VERBS[whole].flags if whole in VERBS else ()))}
    typed = [*leading, *(words[:words.index("--")] if "--" in words else words)]
    found: list[str] = []
    for option in entry["options"]:
        name = option["name"]
        if name not in known:
            raise KubectlError(f"{FAILED}could not apply value {option['default']} to flag {name} in command {entry['command']} err: "
                               f"no such flag -{name}\n")
        short = known[name].short
        if any(word == f"--{name}" or word.startswith(f"--{name}=") or (short and word.startswith(f"-{short}") and not word.startswith("--"))
               for word in typed):
            continue
        found.append(f"--{name}={option['default']}")
    return found
