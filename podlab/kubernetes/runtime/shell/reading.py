"""Builtins that take input apart: read, getopts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..numerals import is_whole, saturated
from ..process import Data
from ..program import TEXT_MAX
from .builtins import builtin, fault
from .faults import ShellFault

if TYPE_CHECKING:
    from .machine import Shell


class _Asked:
    """What the options of read ask for."""

    def __init__(self, words: list[str]) -> None:
        self.raw, self.prompt, self.limit, self.fd, self.array, self.end = False, "", 0, 0, "", "\n"
        self.timeout: float | None = None
        words = list(words)
        while words and words[0].startswith("-") and len(words[0]) > 1:
            option = words.pop(0)
            if option == "--":
                break
            for index, letter in enumerate(option[1:], 1):
                if letter == "r":
                    self.raw = True
                elif letter in "ptnudNa":
                    self.take(letter, option[index + 1 :] or (words.pop(0) if words else ""))
                    break
        self.names = words or ["REPLY"]

    def take(self, letter: str, value: str) -> None:
        if letter == "p":
            self.prompt = value
        elif letter == "t":
            self.timeout = float(value) if re.fullmatch(r"[0-9]{1,9}\.?[0-9]*|\.[0-9]+", value) else 0
        elif letter in "nN":
            self.limit = saturated(value) if is_whole(value) else 0
        elif letter == "u":
            self.fd = saturated(value) if is_whole(value) else 0
        elif letter == "d":
            self.end = value[:1]
        elif letter == "a":
            self.array = value


@builtin("read")
def _read(shell: Shell, argv: list[str], state: Data) -> int:
    sys = shell.sys
    if shell.data["pending"]:  # broken off by a trapped signal
        return 128 + int(shell.data["pending"][0])
    asked = _Asked(argv[1:])
    if asked.prompt and "asked" not in state:
        if sys.is_tty(0):
            sys.err(asked.prompt)
        state["asked"] = True
    if asked.timeout is not None and not sys.readable(asked.fd):
        if "deadline" not in state:
            state["deadline"] = sys.now + round(asked.timeout * 1000)
        if sys.now >= state["deadline"]:
            return 1
        sys.poll((asked.fd,), state["deadline"] - sys.now)
    chars: list[str] = state.setdefault("chars", [])
    raw, ended = asked.raw, False
    while not asked.limit or len(chars) < asked.limit:
        char = sys.read(asked.fd, 1)
        if not char:
            ended = True
            break
        if char == (asked.end or "\0") or (char == "\n" and not raw and chars[-1:] == ["\\"]):
            if raw or chars[-1:] != ["\\"] or chars[-2:] == ["\\", "\\"]:
                break
            chars.pop()
            continue
        chars.append(char)
        sys.charge(1)
        if len(chars) > TEXT_MAX:
            raise ShellFault("out of memory")
    if asked.array:
        shell.put_elements(asked.array, _fields(shell, "".join(chars), raw))
    else:
        _assign_fields(shell, asked.names, "".join(chars), raw)
    return 1 if ended else 0


def _assign_fields(shell: Shell, names: list[str], line: str, raw: bool) -> None:
    ifs = shell.get("IFS")
    ifs = " \t\n" if ifs is None else ifs
    chars: list[tuple[str, bool]] = []  # character, quoted by a backslash
    i = 0
    while i < len(line):
        if line[i] == "\\" and not raw and i + 1 < len(line):
            chars.append((line[i + 1], True))
            i += 2
        elif line[i] == "\\" and not raw:
            i += 1
        else:
            chars.append((line[i], False))
            i += 1
    blank = [not quoted and char in ifs and char in " \t\n" for char, quoted in chars]
    mark = [not quoted and char in ifs for char, quoted in chars]
    i, end = 0, len(chars)
    while i < end and blank[i]:
        i += 1
    while end > i and blank[end - 1]:
        end -= 1
    for name in names[:-1]:
        start = i
        while i < end and not mark[i]:
            i += 1
        shell.put(name, "".join(char for char, _ in chars[start:i]))
        while i < end and blank[i]:
            i += 1
        if i < end and mark[i]:
            i += 1
            while i < end and blank[i]:
                i += 1
    rest = "".join(char for char, _ in chars[i:end])
    if end - i and mark[end - 1] and not any(mark[i : end - 1]):
        rest = rest[:-1]
    shell.put(names[-1], rest)


def _fields(shell: Shell, line: str, raw: bool) -> list[str]:
    """All fields of a line (read -a)."""
    fields: list[str] = []
    while line:
        _assign_fields(shell, ["_field", "_rest"], line, raw)
        fields.append(shell.data["vars"].pop("_field"))
        line = shell.data["vars"].pop("_rest")
    return fields


@builtin("mapfile", "readarray")
def _mapfile(shell: Shell, argv: list[str], state: Data) -> int:
    strip, fd, limit, skip, words = False, 0, 0, 0, argv[1:]
    while words and words[0].startswith("-"):
        option = words.pop(0)
        strip = strip or "t" in option
        if option[-1] in "nsuOdcC" and words:
            number = words.pop(0)
            value = saturated(number) if is_whole(number) else 0
            limit, skip, fd = (value if option[-1] == letter else old for letter, old in (("n", limit), ("s", skip), ("u", fd)))
    text: list[str] = state.setdefault("text", [])
    while piece := shell.sys.read(fd):
        text.append(piece)
        if sum(map(len, text)) > TEXT_MAX:
            raise ShellFault("out of memory")
    lines = "".join(text).splitlines(keepends=True)[skip:]
    values = [line.rstrip("\n") if strip else line for line in (lines[:limit] if limit else lines)]
    shell.put_elements(words[0] if words else "MAPFILE", values)
    return 0


@builtin("getopts")
def _getopts(shell: Shell, argv: list[str], state: Data) -> int:
    if len(argv) < 3:
        raise fault("usage: getopts optstring var [arg]", 2, "")
    spec, name = argv[1], argv[2]
    args = argv[3:] or shell.data["args"]
    given = shell.get("OPTIND")
    index, inside = shell.data["getopts"]
    if given is None or given != str(index):
        index, inside = saturated(given) if given and is_whole(given) else 1, 0
    status = _next_option(shell, spec, name, args, index, inside)
    shell.data["vars"]["OPTIND"] = str(shell.data["getopts"][0])
    return status


def _next_option(shell: Shell, spec: str, name: str, args: list[str], index: int, inside: int) -> int:
    variables = shell.data["vars"]
    silent = spec.startswith(":")
    variables.pop("OPTARG", None)
    if inside == 0:
        word = args[index - 1] if index <= len(args) else ""
        if len(word) < 2 or word[0] != "-" or word == "--":
            shell.data["getopts"] = [index + (word == "--"), 0]
            shell.put(name, "?")
            return 1
        inside = 1
    word = args[index - 1]
    letter = word[inside]
    inside += 1
    last = inside >= len(word)
    at = spec.find(letter)
    if letter == ":" or at < 0:
        if silent:
            shell.put("OPTARG", letter)
        else:
            shell.sys.err(
                f"{shell.data['name']}: illegal option -{letter}\n"
                if shell.data["flavor"] != "ash"
                else f"Illegal option -{letter}\n"
            )
        letter = "?"
    elif spec[at + 1 : at + 2] == ":":
        if not last:
            shell.put("OPTARG", word[inside:])
        elif index < len(args):
            index += 1
            shell.put("OPTARG", args[index - 1])
        else:
            if silent:
                shell.put("OPTARG", letter)
            else:
                shell.sys.err(f"No arg for -{letter} option\n")
            letter = ":" if silent else "?"
        last = True
    shell.data["getopts"] = [index + 1, 0] if last else [index, inside]
    shell.put(name, letter)
    return 0
