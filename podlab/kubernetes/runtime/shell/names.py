"""Builtins on a shell's names and options: export, readonly, local, unset, set, shift."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..process import Data
from .builtins import builtin, count, fault, shell_quote
from .expand import Expander

if TYPE_CHECKING:
    from .machine import Shell


LETTERS = "aefuxvnCmbhIPETHB"
OPTIONS = {"errexit": "e", "nounset": "u", "xtrace": "x", "noglob": "f", "allexport": "a", "noclobber": "C", "verbose": "v",
    "noexec": "n",
           "monitor": "m", "notify": "b", "pipefail": "P", "ignoreeof": "I",
           "errtrace": "E", "functrace": "T", "histexpand": "H", "braceexpand": "B", "hashall": "h"}  # fmt: skip


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
    if shell.data["flavor"] == "bash" and "-f" in argv[1:]:
        return 0  # functions
    words = [word for word in argv[1:] if word != "-p" and (word not in ("-a", "-A", "-x", "-r") or shell.data["flavor"] != "bash")]
    if not words:
        for name in sorted(shell.data.get(mark, {})):
            value = shell.data["vars"].get(name)
            shell.sys.out(f"{flag} {name}" + (f"={shell_quote(value)}" if value is not None else "") + "\n")
        return 0
    remove = words[0] == "-n"
    for word in words[1:] if remove else words:
        name, equals, value = word.partition("=")
        if not re.fullmatch(r"[A-Za-z_]\w*", name):
            if shell.data["flavor"] == "bash":
                raise fault(f"`{word}': not a valid identifier", 1, argv[0])
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
    frame = next((frame for frame in reversed(shell.data["frames"]) if "locals" in frame), None)
    options = "".join(word[1:] for word in argv[1:] if word.startswith("-")) if shell.data["flavor"] == "bash" else ""
    names = [word for word in argv[1:] if not word.startswith("-")]
    if frame is None or "g" in options:
        if argv[0] == "local" or shell.data["flavor"] != "bash":
            raise fault("can only be used in a function" if shell.data["flavor"] == "bash" else "not in a function", 2, argv[0])
        _mark(shell, names, options)
        return _names(shell, [argv[0], *(_counted(shell, word, options) for word in names)], "declare",
                      "ro" if "r" in options else "exp" if "x" in options else "declared")  # fmt: skip
    for word in names:
        name, equals, value = _counted(shell, word, options).partition("=")
        frame["locals"].setdefault(name, shell.remembered(name))
        if "a" in options or "A" in options:
            frame.setdefault("arrays", []).append(name)
            for key in [key for key in shell.data["vars"] if key.startswith(name + "[")]:
                frame["locals"].setdefault(key, shell.remembered(key))
            shell.forget_elements(name)
        if equals:
            shell.put(name, value)
        elif shell.data["flavor"] == "bash":
            shell.data["vars"].pop(name, None)
    _mark(shell, names, options)
    return 0


def _mark(shell: Shell, words: list[str], options: str) -> None:
    """What declare -A and declare -i make of names: associative arrays and integers."""
    for letter, mark in (("A", "assoc"), ("i", "integers")):
        if letter in options:
            shell.data.setdefault(mark, {}).update({word.partition("=")[0]: 1 for word in words})


def _counted(shell: Shell, word: str, options: str) -> str:
    """name=value with the value of an integer (declare -i) worked out."""
    name, equals, value = word.partition("=")
    return f"{name}={Expander(shell, {}).calculate(value)}" if equals and "i" in options else word


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
            array, bracket, index = word.partition("[")
            if bracket and shell.data["flavor"] == "bash":
                word = f"{array}[{Expander(shell, {}).key(array, index[:-1])}]"
            elif any(one in shell.data["vars"] for one in (word + "[0]", word)) or word in shell.data.get("assoc", ()):
                shell.forget_elements(word)
                shell.data.get("assoc", {}).pop(word, None)
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
