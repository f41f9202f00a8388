"""jq 1.7: filters over JSON (jq_syntax.py, jq_values.py, jq_machine.py). Options: -n -r -j -a -c -s -R -e -S --tab --indent -f --arg --argjson
--slurpfile --rawfile --args --jsonargs. Not here: modules, colours, --stream, --seq, dates as broken-down times."""

from __future__ import annotations

import json
from typing import Any

from ..numerals import is_whole
from ..process import Data, Errno, Process
from ..program import MEBIBYTE, Event, tool
from ..system import Sys
from .common import begin, pieces
from .jq_machine import Halt, Machine, documents
from .jq_tokens import JqSyntax
from .jq_values import Endless, JqError, renew, spent, text

FLAGS = {"n": "null-input", "r": "raw-output", "j": "join-output", "a": "ascii-output", "c": "compact-output", "s": "slurp", "R": "raw-input",
         "e": "exit-status", "S": "sort-keys", "C": "color-output", "M": "monochrome-output"}  # fmt: skip
SHORT = {**FLAGS, "f": "from-file", "h": "help", "V": "version"}
TAKES = {"indent": 1, "arg": 2, "argjson": 2, "slurpfile": 2, "rawfile": 2, "from-file": 1}
LONG = {*FLAGS.values(), "tab", "args", "jsonargs", "version", "help", "unbuffered", *TAKES}
USAGE = "Usage:\tjq [OPTIONS] FILTER [FILES...]\n\tjq [OPTIONS] -f FILE [FILES...]\n\tjq [OPTIONS] --args FILTER [ARGUMENTS...]\n"
WORK_PER_US = 4  # what a real jq does in a microsecond, order of magnitude


class Wrong(Exception):
    """A command line that jq refuses: (what it says, code)."""


def _read_line(proc: Process, sys: Sys) -> Data:
    """The options as data. Raises Wrong."""
    words = list(proc["argv"][1:])
    found: Data = {"flags": [], "indent": 2, "program": None, "files": [], "named": {}, "positional": []}
    rest, ended, from_file = "", False, False
    while words:
        word = words.pop(0)
        if ended or len(word) < 2 or word[0] != "-":
            if found["program"] is None and not from_file:
                found["program"] = word
            elif rest == "args":
                found["positional"].append(word)
            elif rest == "jsonargs":
                found["positional"].append(_json(word, "--jsonargs"))
            else:
                found["files"].append(word)
            continue
        if word == "--":
            ended = True
            continue
        names = [word[2:]] if word.startswith("--") else [SHORT.get(letter, "") for letter in word[1:]]
        for name in names:
            if name not in LONG:
                raise Wrong(f"jq: Unknown option: {word}\n{USAGE}Use jq --help for help with command-line options,\nor see the jq manpage\n", 2)
            if len(words) < TAKES.get(name, 0):
                raise Wrong(f"jq: --{name} takes {'two parameters' if TAKES[name] == 2 else 'one parameter'} (e.g. --{name} ...)\n", 2)
            given = [words.pop(0) for _ in range(TAKES.get(name, 0))]
            if name in ("args", "jsonargs"):
                rest = name
            elif name == "indent":
                if not is_whole(given[0]) or int(given[0][:4]) > 7:
                    raise Wrong("jq: Cannot indent more than 7 characters\n", 2)
                found["indent"] = int(given[0])
            elif name == "tab":
                found["indent"] = "\t"
            elif name == "from-file":
                from_file = True
                if found["program"] is not None:
                    found["files"].insert(0, found["program"])
                found["program"] = _file(sys, given[0])
            elif name == "arg":
                found["named"][given[0]] = given[1]
            elif name == "argjson":
                found["named"][given[0]] = _json(given[1], f"--argjson {given[0]}")
            elif name in ("slurpfile", "rawfile"):
                held = _file(sys, given[1])
                found["named"][given[0]] = held if name == "rawfile" else [value for value, _ in documents(held, 0)[0]]
            else:
                found["flags"].append(name)
    return found


def _json(word: str, where: str) -> Any:
    try:
        return json.loads(word)
    except (ValueError, RecursionError):
        raise Wrong(f"jq: Invalid JSON text passed to {where.split()[0]}\n{USAGE}", 2) from None


def _file(sys: Sys, path: str) -> str:
    try:
        return sys.read_file(path)
    except Errno as error:
        raise Wrong(f"jq: error: Could not open {path}: {error.text}\n", 2) from None


@tool("jq", memory=2 * MEBIBYTE)
def jq(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if "asked" not in data:
        try:
            asked = data["asked"] = _read_line(proc, sys)
        except Wrong as wrong:
            sys.err(str(wrong.args[0]))
            return int(wrong.args[1])
        if "version" in asked["flags"] or "help" in asked["flags"]:
            sys.out("jq-1.7.1\n" if "version" in asked["flags"] else USAGE)
            return 0
        if asked["program"] is None:
            sys.err(f"{USAGE}Use jq --help for help with command-line options,\nor see the jq manpage, or online docs  at https://jqlang.github.io/jq\n")
            return 2
        data.update(buffer="", again=0, line=0, held=[], code=0, last=None)
        begin(proc, asked["files"])
    asked = data["asked"]
    try:
        machine = Machine(asked["program"], _variables(proc, asked), sys.now)
    except (JqSyntax, RecursionError) as error:
        sys.err(f"jq: error: {error} at <top-level>, line 1:\n{asked['program']}\njq: 1 compile error\n")
        return 3
    flags = asked["flags"]
    renew()
    if "null-input" in flags and "inp" not in asked["program"]:
        return _end(data, _run(machine, proc, sys, None))
    gathers = "slurp" in flags or "inp" in asked["program"]  # all is read first

    def feed(piece: str, name: str, end: bool) -> bool | None:
        buffer = data["buffer"] = data["buffer"] + piece
        if "raw-input" in flags:
            if "slurp" not in flags:
                lines = buffer.split("\n")
                data["buffer"] = "" if end else lines.pop()
                data["held"] += [line for at, line in enumerate(lines) if line or at + 1 < len(lines)]
        elif end or len(buffer) >= data["again"]:
            found, at, problem = documents(buffer, 0)
            cut = at if end or not found or found[-1][1] < len(buffer) else found[-1][1]
            if not end and found and found[-1][1] == len(buffer) and not isinstance(found[-1][0], list | dict):
                found.pop()  # a number or a word may go on in the next piece
                cut = found[-1][1] if found else 0
            data["held"] += [value for value, _ in found]
            data["line"] += buffer.count("\n", 0, cut)
            data["buffer"] = buffer[cut:]
            data["again"] = 2 * len(data["buffer"])
            if end and problem:
                data["problem"] = _problem(problem, data["line"], data["buffer"])
        return None if gathers else _each(machine, proc, sys)

    code = pieces(proc, sys, feed, "error: Could not open {}: {}")
    data["code"] = 2 if code else data["code"]
    if gathers and "done" not in data:
        data["done"] = True
        renew()  # once for all that follows, which is one turn
        whole = data["buffer"] if "raw-input" in flags and "slurp" in flags else data["held"]
        if "null-input" in flags:
            machine.waiting = list(data["held"])
            _run(machine, proc, sys, None)
        elif "slurp" in flags:
            _run(machine, proc, sys, whole)
        else:
            machine.waiting = list(data["held"])
            while machine.waiting:
                _run(machine, proc, sys, machine.waiting.pop(0))
    if problem := data.get("problem", ""):
        sys.err(problem)
        return 2
    return _end(data, data["code"])


def _problem(said: str, line: int, rest: str) -> str:
    """The words for a text that is no JSON: what lacks its end is told of at the end of the file."""
    if said.startswith(("Expecting ',' delimiter", "Unterminated", "Expecting property", "Expecting ':'")) or not rest.strip()[1:]:
        line += rest.count("\n") + 1
        return f"jq: parse error: Unfinished JSON term at EOF at line {line}, column {len(rest.rpartition(chr(10))[2])}\n"
    return f"jq: parse error: Invalid numeric literal at line {line + 1}, column {len(rest.partition(chr(10))[0]) + 1}\n"


def _variables(proc: Process, asked: Data) -> dict[str, Any]:
    named = asked["named"]
    return {"$ENV": dict(proc["env"]), **{"$" + name: value for name, value in named.items()},
            "$ARGS": {"positional": asked["positional"], "named": named}}  # fmt: skip


def _each(machine: Machine, proc: Process, sys: Sys) -> bool | None:
    """Runs the program for what was read."""
    held = proc["data"]["held"]
    while held:
        sys.breathe()
        renew()
        _run(machine, proc, sys, held.pop(0))
    return None


def _run(machine: Machine, proc: Process, sys: Sys, value: Any) -> int:
    """One input's outputs. Gives the code so far."""
    data, asked = proc["data"], proc["data"]["asked"]
    flags = asked["flags"]
    indent = None if "compact-output" in flags or asked["indent"] == 0 else asked["indent"]
    said: list[str] = []
    problem, size, before = "", 0, spent()
    try:
        for found in machine.run(value):
            data["last"] = found is not None and found is not False
            if isinstance(found, str) and ("raw-output" in flags or "join-output" in flags):
                shown = found
            else:
                shown = text(found, indent, ascii_only="ascii-output" in flags, sort="sort-keys" in flags)
            said.append(shown if "join-output" in flags else shown + "\n")
            size += len(shown)
            if size > 4 * MEBIBYTE:
                raise Endless
    except JqError as error:
        where = "<unknown>" if "null-input" in flags else f"<stdin>:{data['line']}"
        problem = f"jq: error (at {where}){'' if isinstance(error.value, str) else ' (not a string)'}: {error}\n"
    except Halt as halt:
        data["halted"] = halt.args[0]
        problem = halt.args[1]
    except (Endless, RecursionError):
        problem = "jq: error: the program takes more steps than there are here\n"
    except (JqSyntax, ValueError, OverflowError) as error:
        problem = f"jq: error: {error}\n"
    sys.charge((spent() - before) // WORK_PER_US)
    sys.out("".join(said))
    if machine.notes:
        sys.err("".join(machine.notes))
        machine.notes.clear()
    if problem:
        sys.err(problem)
        data["code"] = 5
    if "halted" in data:
        sys.exit(data["halted"])
    return int(data["code"])


def _end(data: Data, code: int) -> int:
    if code or "exit-status" not in data["asked"]["flags"]:
        return code
    return 4 if data["last"] is None else int(not data["last"])
