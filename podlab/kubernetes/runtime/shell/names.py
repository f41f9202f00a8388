"""Builtins on a shell's names and options: export, readonly, local, unset, set, shift."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..process import Data
from .builtins import builtin, count, fault, shell_quote

if TYPE_CHECKING:
    from .machine import Shell


LETTERS = "aefuxvnCmbhIP"
OPTIONS = {"errexit": "e", "nounset": "u", "xtrace": "x", "noglob": "f", "allexport": "a", "noclobber": "C", "verbose": "v",
    "noexec": "n",
           "monitor": "m", "notify": "b", "pipefail": "P", "ignoreeof": "I"}  # fmt: skip


def set_letter(shell: Shell, letter: str, on: bool) -> None:
    if letter not in LETTERS:
        raise fault(f"illegal option {'-' if on else '+'}{letter}", 2, "set")
    options = shell.data["opts"].replace(letter, "")
    shell.data["opts"] = options + letter if on else options


def set_option(shell: Shell, name: str, on: bool) -> None:
    if name not in OPTIONS:
        raise fault(f"illegal option {'-' if on else '+'}o {name}", 2, "set")
    set_letter(shell, OPTIONS[name], on)


def _names(shell: Shell, argv: list[str], flag: str, mark: str) -> int:
    words = [word for word in argv[1:] if word != "-p"]
    if not words:
        for name in sorted(shell.data.get(mark, {})):
            value = shell.data["vars"].get(name)
            shell.sys.out(f"{flag} {name}" + (f"={shell_quote(value)}" if value is not None else "") + "\n")
        return 0
    remove = words[0] == "-n"
    for word in words[1:] if remove else words:
        name, equals, value = word.partition("=")
        if not re.fullmatch(r"[A-Za-z_]\w*", name):
            raise fault(f"{name}: bad variable name", 2, argv[0])
        if equals:
            shell.put(name, value)
        if remove:
            shell.data.get(mark, {}).pop(name, None)
        else:
            shell.data.setdefault(mark, {})[name] = 1
    return 0


@builtin("export")
def _export(shell: Shell, argv: list[str], state: Data) -> int:
    return _names(shell, argv, "export", "exp")


@builtin("readonly")
def _readonly(shell: Shell, argv: list[str], state: Data) -> int:
    return _names(shell, argv, "readonly", "ro")


@builtin("local", "declare", "typeset")
def _local(shell: Shell, argv: list[str], state: Data) -> int:
    frame = next((frame for frame in reversed(shell.data["frames"]) if frame["kind"] == "func"), None)
    if frame is None:
        if argv[0] != "local" and shell.data["flavor"] == "bash":
            return _names(
                shell,
                [argv[0], *(w for w in argv[1:] if not w.startswith("-"))],
                "declare",
                "exp" if "-x" in argv else "declared",
            )
        raise fault("not in a function", 2, argv[0])
    for word in argv[1:]:
        if word.startswith("-"):
            continue
        name, equals, value = word.partition("=")
        frame["locals"].setdefault(name, shell.remembered(name))
        if equals:
            shell.put(name, value)
        elif shell.data["flavor"] == "bash":
            shell.data["vars"].pop(name, None)
    return 0


@builtin("unset")
def _unset(shell: Shell, argv: list[str], state: Data) -> int:
    functions = False
    for word in argv[1:]:
        if word in ("-f", "-v"):
            functions = word == "-f"
        elif functions:
            shell.data["funcs"].pop(word, None)
        else:
            if word in shell.data["ro"]:
                raise fault(f"{word}: is read only", 2, "unset")
            shell.data["vars"].pop(word, None)
            shell.data["exp"].pop(word, None)
    return 0


@builtin("set")
def _set(shell: Shell, argv: list[str], state: Data) -> int:
    words = argv[1:]
    if not words:
        for name in sorted(shell.data["vars"]):
            shell.sys.out(f"{name}={shell_quote(shell.data['vars'][name])}\n")
        return 0
    while words:
        word = words[0]
        if word in ("-", "--"):
            shell.data["args"] = words[1:]
            return 0
        if word[0] not in "-+":
            break
        words.pop(0)
        if word[1:] == "o":
            if not words:
                for name, letter in sorted(OPTIONS.items()):
                    shell.sys.out(f"{name:<16}{'on' if letter in shell.data['opts'] else 'off'}\n")
                return 0
            set_option(shell, words.pop(0), word[0] == "-")
        else:
            for letter in word[1:]:
                if letter == "o" and words:
                    set_option(shell, words.pop(0), word[0] == "-")
                else:
                    set_letter(shell, letter, word[0] == "-")
    if words:
        shell.data["args"] = words
    return 0


@builtin("shift")
def _shift(shell: Shell, argv: list[str], state: Data) -> int:
    places = count(argv[1], "shift") if len(argv) > 1 else 1
    if places > len(shell.data["args"]):
        return 1
    shell.data["args"] = shell.data["args"][places:]
    return 0
