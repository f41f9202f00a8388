"""sed: addresses, s, p, d, q, a, i, c, y, n, N, D, G, H, h, g, x, =, b, t, labels, w to files, -n -e -f -i -E."""

from __future__ import annotations

import re
from typing import Any

from ..linear import compiled
from ..numerals import saturated
from ..process import Data, Errno, Process
from ..program import TEXT_MAX, Event, tool
from ..regex_match import Match
from ..system import Sys
from .common import begin, complain, everything, lines, options, usage
from .sed_syntax import Parser, SedFault

STEPS_MAX = 100_000
"""Commands for one line; more is taken for an endless loop: the process then burns a core for ever, as it would."""


def expand(template: str, match: Match) -> str:
    """A replacement with & and \\1 filled in, \\n, \\t, \\U, \\L, \\E."""
    out: list[str] = []
    i, case = 0, ""
    while i < len(template):
        char = template[i]
        piece = char
        if char == "\\" and i + 1 < len(template):
            i += 1
            follow = template[i]
            if follow.isdigit():
                piece = match[int(follow)] or "" if int(follow) <= len(match.groups()) else ""
            elif follow in "ULE":
                case = follow
                piece = ""
            else:
                piece = {"n": "\n", "t": "\t"}.get(follow, follow)
        elif char == "&":
            piece = match[0]
        out.append(piece.upper() if case == "U" else piece.lower() if case == "L" else piece)
        i += 1
    return "".join(out)


@tool("sed")
def sed(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if data.get("endless"):
        sys.pause()
    if event is None and (problem := _begin(proc, sys)):
        complain(proc, sys, problem)
        return 1
    if data["inplace"]:
        return _in_place(proc, sys)
    if any(command[3] in ("n", "N") for command in data["script"]):
        sys.out(_edited(sys, data, [row for _, text in everything(proc, sys) for row in _rows(text)]))
        return int(data["quit"] or data["in"]["status"])

    def cycle(text: str, last: bool = False) -> None:
        found: list[str] = []
        Runner(sys, data, found).cycle(text, last, [])
        sys.out("".join(found))

    def at_once(text: str, name: str) -> bool:
        cycle(text)
        return data["quit"] is not None

    def one_behind(text: str, name: str) -> bool:
        # One line is kept back, since $ must know whether it is the last.
        held, data["pending"] = data["pending"], text
        if held is not None:
            cycle(held)
        return data["quit"] is not None

    uses_last = any(address and address[0] == "last" for command in data["script"] for address in command[:2])
    status = lines(proc, sys, one_behind if uses_last else at_once)
    if data["pending"] is not None and data["quit"] is None:
        cycle(data["pending"], True)
    return int(data["quit"] or status)


def _begin(proc: Process, sys: Sys) -> str:
    """Reads the command line and the script; gives what is wrong with the script, "" for nothing."""
    data, argv = proc["data"], proc["argv"]
    suffix = next((word[2:] for word in argv[1:] if word.startswith("-i") and len(word) > 2), "")
    proc["argv"] = [word if not word.startswith("-i") else "-i" for word in argv]
    given, names = options(
        proc, sys, "nrEe:f:isuz", {"expression": "e", "quiet": "n", "silent": "n", "in-place": "i", "regexp-extended": "E"}
    )
    script = given.get("e")
    if "f" in given:
        script = (script + "\n" if script else "") + sys.read_file(given["f"])
    if script is None:
        if not names:
            usage(proc, sys, "")
        script = names.pop(0)
    try:
        data["script"] = Parser(script, "r" in given or "E" in given).commands()
    except (SedFault, re.error) as error:
        return str(error)
    data.update(silent="n" in given, inplace="i" in given, suffix=suffix, names=names, number=0, hold="", active={}, pending=None, quit=None)
    begin(proc, [] if data["inplace"] else names)
    return ""


def _rows(text: str) -> list[str]:
    """Its lines, each with its newline if it has one."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _edited(sys: Sys, data: Data, rows: list[str]) -> str:
    """What the script makes of rows that are all there, so that n and N find the next one; takes away those that it comes to."""
    out: list[str] = []
    runner = Runner(sys, data, out)
    while rows and data["quit"] is None:
        runner.cycle(rows.pop(0), not rows, rows)
    return "".join(out)


def _in_place(proc: Process, sys: Sys) -> int:
    """-i: each file becomes what the script makes of it; after q its rest stays as it was."""
    data, status = proc["data"], 0
    for name in data["names"]:
        try:
            text = sys.read_file(name)
        except Errno as error:
            complain(proc, sys, f"{name}: {error.text}")
            status = 1
            continue
        data.update(number=0, active={}, quit=None)
        rows = _rows(text)
        edited = _edited(sys, data, rows) + "".join(rows)
        if data["suffix"]:
            sys.write_file(name + data["suffix"], text)
        sys.write_file(name, edited)
    return status


class Runner:
    """Runs the script over one line."""

    def __init__(self, sys: Sys, data: Data, out: list[str]) -> None:
        self.sys, self.data, self.out = sys, data, out

    def matches(self, address: list[Any], text: str, last: bool) -> bool:
        kind = address[0]
        if kind == "line":
            return bool(self.data["number"] == address[1])
        if kind == "last":
            return last
        if kind == "step":
            return bool(self.data["number"] >= address[1] and (self.data["number"] - address[1]) % max(1, address[2]) == 0)
        return compiled(address[1], re.I if address[2] else 0).search(text) is not None

    def selected(self, index: int, command: list[Any], text: str, last: bool) -> bool:
        first, second, negate = command[0], command[1], command[2]
        if first is None:
            result = True
        elif second is None:
            result = self.matches(first, text, last)
        else:
            active = self.data["active"]
            key = str(index)
            number = self.data["number"]
            if key in active:
                result = True
                end = active[key]
                if (number >= end) if end >= 0 else self.matches(second, text, last):
                    del active[key]
                    result = not (end >= 0 and number > end)
            else:
                result = self.matches(first, text, last)
                if result:
                    end = second[1] if second[0] == "line" else number + second[1] if second[0] == "more" else -1
                    if end < 0 or end > number:
                        active[key] = end
        return bool(result != negate)

    def bound(self, steps: int, space: str) -> None:
        """Ends a script that has run for too long, or holds too much."""
        if steps > STEPS_MAX:
            self.sys.out("".join(self.out))
            self.data["endless"] = True
            self.sys.burn(1000)
            self.sys.pause()
        if len(space) > TEXT_MAX or len(self.data["hold"]) > TEXT_MAX:
            self.sys.err("sed: out of memory\n")
            self.sys.exit(1)

    def cycle(self, text: str, last: bool, rest: list[str]) -> None:
        """The script once, over one line; `rest` are the lines that n and N may take."""
        data, out = self.data, self.out
        data["number"] += 1
        newline = "\n" if text.endswith("\n") else ""
        space = text[: len(text) - len(newline)]
        after: list[str] = []
        script = data["script"]
        pc, replaced, deleted = 0, False, False
        steps = 0
        while pc < len(script):
            steps += 1 + (len(space) >> 6)  # a long space takes longer
            self.bound(steps, space)
            command = script[pc]
            name, argument = command[3], command[4]
            if name == "}" or name == ":":
                pc += 1
                continue
            if not self.selected(pc, command, space, last):
                pc = argument if name == "{" else pc + 1
                continue
            pc += 1
            if name == "s":
                space, count = self.substitute(space, argument)
                replaced = replaced or count
                if count and "p" in argument[2]:
                    out.append(space + "\n")
            elif name == "d" or name == "D":
                deleted = True
                break
            elif name in "qQ":
                data["quit"] = argument
                deleted = name == "Q"
                break
            elif name == "a":
                after.append(argument + "\n")
            elif name == "c":
                if command[1] is None or str(pc - 1) not in data["active"]:
                    out.append(argument + "\n")
                deleted = True
                break
            elif name in "pP=iw":
                self.put_out(name, argument, space)
            elif name in "yhHgGx":
                space = self.exchanged(name, argument, space)
            elif name in "nN":
                if not rest:
                    break
                row = rest.pop(0)
                data["number"] += 1
                last = not rest
                if name == "n" and not data["silent"]:
                    out.append(space + "\n")
                space = ("" if name == "n" else space + "\n") + row.removesuffix("\n")
            elif name == "b" or (name == "t" and replaced) or (name == "T" and not replaced):
                replaced = False if name == "t" else replaced
                pc = next((i for i, c in enumerate(script) if c[3] == ":" and c[4] == argument), len(script))
            elif name == "r" and (found := self.sys.find(argument)) is not None and not found.is_dir:
                after.append(self.sys.read_file(argument))
        self.sys.charge(steps)
        if not deleted and not data["silent"]:
            out.append(space + newline)
        out += after

    def put_out(self, name: str, argument: Any, space: str) -> None:
        """What is printed or written at once: p, P, =, i, w."""
        if name == "w":
            self.sys.write_file(argument, space + "\n", "a")
        else:
            shown = {"p": space, "P": space.split("\n")[0], "=": str(self.data["number"]), "i": argument}[name]
            self.out.append(f"{shown}\n")

    def exchanged(self, name: str, argument: Any, space: str) -> str:
        """The pattern space after y, or after what changes it and the hold space: h, H, g, G, x."""
        data = self.data
        if name == "y":
            return space.translate({ord(a): b for a, b in zip(*argument, strict=False)})  # busybox stops where either text ends
        hold = data["hold"]
        if name in "hx":
            data["hold"] = space
        elif name == "H":
            data["hold"] += "\n" + space
        changed: dict[str, str] = {"g": hold, "x": hold, "G": f"{space}\n{hold}"}
        return changed.get(name, space)

    def substitute(self, text: str, argument: list[Any]) -> tuple[str, bool]:
        pattern, template, flags = argument
        digits = re.sub(r"\D", "", flags)
        nth, done = saturated(digits or "1"), 0
        position, out = 0, []
        for match in compiled(pattern, re.I if "i" in flags or "I" in flags else 0).finditer(text):
            done += 1
            if done < nth:
                continue
            out.append(text[position : match.start()] + expand(template, match))
            position = match.end()
            if "g" not in flags:
                break
        return "".join(out) + text[position:], bool(out)
