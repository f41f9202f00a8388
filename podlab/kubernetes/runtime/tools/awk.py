"""awk: patterns and actions, fields, variables, arrays, user functions, printf, the string and number functions of POSIX.

Without getline, pipes and system(). The program text is parsed anew when needed (and remembered by text); variables and arrays
are data. One record that takes more than MAX_STEPS is taken for an endless loop: the process then burns a core for ever, as it
would.
"""

from __future__ import annotations

import re

from ..process import Data, Errno, Process
from ..program import MEBIBYTE, Event, tool
from ..shell.escapes import backslashes
from ..system import Sys
from .awk_machine import Awk, Endless, Exit, Next
from .awk_tokens import AwkFault
from .awk_values import to_number
from .common import begin, complain, lines, options, usage


@tool("awk", "gawk", "mawk", memory=MEBIBYTE)
def awk(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        _begin(proc, sys)
    try:
        return _run(proc, sys, Awk(sys, data))
    except AwkFault as error:
        complain(proc, sys, str(error))
        return 1
    except Errno as error:
        complain(proc, sys, f"{error.text}")
        return 1
    except RecursionError:
        complain(proc, sys, "function calls too deep")
        return 2


def _begin(proc: Process, sys: Sys) -> None:
    """Reads the command line: the program's text, its variables, its files."""
    words = list(proc["argv"][1:])
    assigns = [words[i + 1] if word == "-v" else word[2:] for i, word in enumerate(words) if word.startswith("-v")]
    given, names = options(proc, sys, "+F:v:f:e:")
    source = sys.read_file(given["f"]) if "f" in given else given.get("e")
    if source is None:
        if not names:
            usage(proc, sys, "")
        source = names.pop(0)
    variables: Data = {
        "FS": " ",
        "OFS": " ",
        "ORS": "\n",
        "RS": "\n",
        "NR": 0.0,
        "FNR": 0.0,
        "SUBSEP": "\x1c",
        "FILENAME": "",
        "CONVFMT": "%.6g",
    }
    if "F" in given:
        variables["FS"] = "\t" if given["F"] == "t" else backslashes(given["F"])[0]
    arguments = [name for name in names if not re.match(r"[A-Za-z_]\w*=", name)]
    for assign in [*assigns, *(name for name in names if name not in arguments)]:
        name, _, value = assign.partition("=")
        variables[name] = backslashes(value)[0]
    variables["ARGC"] = float(len(names) + 1)
    arrays = {"ENVIRON": dict(proc["env"]), "ARGV": {"0": "awk", **{str(i): name for i, name in enumerate(names, 1)}}}
    proc["data"].update(source=source, vars=variables, arrays=arrays, fields=[], record="", ranges={}, opened={}, code=0, random=1,
                        phase="BEGIN", file="", paragraph=[])  # fmt: skip
    begin(proc, arguments)


def _rules(sys: Sys, runner: Awk, kind: str) -> bool:
    """Runs the rules of a kind, prints what they have said, and charges for them; True when the program is to stop reading."""
    data = runner.state
    runner.steps = 0
    try:
        runner.rule(kind)
    except Next:
        pass
    except Exit:
        data["phase"] = "done" if kind == "END" or data["phase"] == "done" else "END"
        return True
    except Endless:
        sys.out("".join(runner.out))
        runner.out.clear()
        sys.burn(1000)
        data["phase"] = "burn"
        return True
    finally:
        if runner.out:
            sys.out("".join(runner.out))
            runner.out.clear()
        sys.charge(runner.steps)
    return False


def _run(proc: Process, sys: Sys, runner: Awk) -> int:
    data = runner.state
    if data["phase"] == "BEGIN":
        data["phase"] = "read"
        _rules(sys, runner, "BEGIN")
        if data["phase"] == "read" and not any(kind in ("each", "range", "END") for kind, _, _ in runner.rules):
            return int(data["code"])
    if data["phase"] == "burn":
        sys.pause()

    def record(text: str) -> bool:
        data["vars"]["NR"] = to_number(data["vars"]["NR"]) + 1
        data["vars"]["FNR"] = to_number(data["vars"]["FNR"]) + 1
        runner.record(text)
        return _rules(sys, runner, "each")

    def line(text: str, name: str) -> bool:
        if name != data["file"]:
            data["file"] = name
            data["vars"].update(FILENAME="" if name == "-" else name, FNR=0.0)
        text = text.removesuffix("\n")
        separator = data["vars"]["RS"]
        if separator == "\n":
            return record(text)
        data["paragraph"].append(text)
        if separator == "" and text == "":
            rows, data["paragraph"] = data["paragraph"][:-1], []
            return record("\n".join(rows)) if rows else False
        return False

    if data["phase"] == "read":
        status = lines(proc, sys, line, "{}: {}")
        if status:
            data["code"] = 2
        if data["paragraph"] and data["phase"] == "read":
            separator = str(data["vars"]["RS"])
            whole = "\n".join(data["paragraph"])
            data["paragraph"] = []
            for part in [whole] if separator == "" else whole.removesuffix(separator).split(separator):
                if record(part):
                    break
        if data["phase"] == "read":
            data["phase"] = "END"
    if data["phase"] == "burn":
        sys.pause()
    if data["phase"] == "END":
        _rules(sys, runner, "END")
    if data["phase"] == "burn":
        sys.pause()
    return int(data["code"])
