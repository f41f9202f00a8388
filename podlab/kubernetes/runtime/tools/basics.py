"""The smallest tools: output, truth, sleeping, names, dates of nothing."""

from __future__ import annotations

import re

from ..numerals import whole
from ..process import Errno, Process
from ..program import Event, tool
from ..shell.condition import ConditionFault, evaluate, evaluate_double
from ..shell.printing import echo_text, printf_text
from ..system import Sys


@tool("echo")
def echo(proc: Process, sys: Sys, event: Event) -> int:
    sys.out(echo_text(proc["argv"][1:]))
    return 0


@tool("printf")
def printf(proc: Process, sys: Sys, event: Event) -> int:
    if len(proc["argv"]) < 2:
        sys.err("Usage: printf FORMAT [ARG]...\n")
        return 1
    text, errors = printf_text(proc["argv"][1], proc["argv"][2:])
    for error in errors:  # first, since the output is buffered
        sys.err(f"printf: {error}\n")
    sys.out(text)
    return int(bool(errors))


@tool("true")
def true(proc: Process, sys: Sys, event: Event) -> int:
    return 0


@tool("false")
def false(proc: Process, sys: Sys, event: Event) -> int:
    return 1


@tool("test", "[", "[[")
def test(proc: Process, sys: Sys, event: Event) -> int:
    name = proc["argv"][0].rsplit("/", 1)[-1]
    words = proc["argv"][1:]
    if name in ("[", "[["):
        close = "]" if name == "[" else "]]"
        if not words or words[-1] != close:
            sys.err(f"{name}: missing {close}\n")
            return 2
        words = words[:-1]
    try:
        return 0 if (evaluate_double if name == "[[" else evaluate)(sys, words) else 1
    except ConditionFault as error:
        sys.err(f"{name}: {error}\n")
        return 2


def duration(text: str) -> int | None:
    """Milliseconds of `1.5`, `10s`, `5m`, `2h`, `1d`; None when it is no duration."""
    match = re.fullmatch(r"([0-9]{1,19}|[0-9]{0,300}\.[0-9]*)([smhd]?)", text)
    if match is None or match[1] == ".":
        return None
    return round(float(match[1]) * {"": 1000, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}[match[2]])


@tool("sleep")
def sleep(proc: Process, sys: Sys, event: Event) -> int:
    if event is None:
        words = proc["argv"][1:]
        if not words:
            sys.err("BusyBox v1.36.1 (2023-05-18 22:34:17 UTC) multi-call binary.\n\nUsage: sleep [N]...\n\n"
                    "Pause for a time equal to the total of the args given,"
                    " where each arg can\nhave an optional suffix of (s)econds, (m)inutes, (h)ours, or (d)ays\n")  # fmt: skip
            return 1
        if words in (["infinity"], ["inf"]):
            sys.pause()
        total = 0
        for word in words:
            ms = duration(word)
            if ms is None:
                sys.err(f"sleep: invalid number '{word}'\n")
                return 1
            total += ms
        proc["data"]["until"] = sys.now + total
    left = proc["data"]["until"] - sys.now if "until" in proc["data"] else None
    if left is None:
        sys.pause()
    elif left > 0 or event is None:
        sys.sleep(left)
    return 0


@tool("usleep")
def usleep(proc: Process, sys: Sys, event: Event) -> int:
    if event is None:
        sys.sleep(whole(proc["argv"][1]) // 1000 if len(proc["argv"]) > 1 else 0)
    return 0


@tool("pause", memory=512 * 1024)
def pause(proc: Process, sys: Sys, event: Event) -> int:
    sys.pause()
    return 0


@tool("cat")
def cat(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        data.update(
            todo=[word for word in proc["argv"][1:] if word == "-" or not word.startswith("-")] or ["-"], fd=None, status=0
        )
    while True:
        if data["fd"] is None:
            if not data["todo"]:
                return int(data["status"])
            name = data["todo"].pop(0)
            try:
                data["fd"] = 0 if name == "-" else sys.open(name)
                data["name"] = name
            except Errno as error:
                sys.err(f"cat: can't open '{name}': {error.text}\n")
                data["status"] = 1
                continue
        try:
            text = sys.read(data["fd"])
        except Errno as error:
            sys.err(f"cat: read error: {error.text}\n")
            data["status"] = 1
            text = ""
        if text:
            sys.out(text)
        else:
            if data["fd"]:
                sys.close(data["fd"])
            data["fd"] = None
