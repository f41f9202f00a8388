"""What tools share: options, and input that comes from files or standard input and may have to be waited for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..process import Data, Errno, Exited, Process
from ..program import MEBIBYTE, TEXT_MAX
from ..system import Sys

MOST_HELD = 64 * MEBIBYTE
"""What a tool may keep of its input (sort, tail ...), so that no simulated process can fill the real memory."""
ROWS_AT_ONCE = 1_000
BANNER = "BusyBox v1.36.1 (2023-05-18 22:34:17 UTC) multi-call binary."


def options(proc: Process, sys: Sys, spec: str, long: dict[str, str] | None = None) -> tuple[dict[str, str], list[str]]:
    """({letter: value or ""}, operands) by getopt's rules with operands anywhere; `spec` as "ab:", `long` {"lines": "n"}. A
    letter given twice keeps its last value, joined by newlines for `e`. Ends the tool with busybox's message for an option that
    it does not have."""
    found: dict[str, str] = {}
    operands: list[str] = []
    words = list(proc["argv"][1:])
    while words:
        word = words.pop(0)
        if word == "--":
            operands += words
            break
        if word.startswith("--") and long is not None:
            name, equals, value = word[2:].partition("=")
            letter = long.get(name)
            if letter is None:
                usage(proc, sys, f"unrecognized option '{word}'")
                raise Exited
            takes = spec[spec.index(letter) + 1 : spec.index(letter) + 2] == ":" if letter in spec else False
            found[letter] = value if equals else (words.pop(0) if takes and words else "")
            continue
        if len(word) < 2 or word[0] != "-":
            operands.append(word)
            if spec.startswith("+"):
                operands += words
                break
            continue
        at = 1
        while at < len(word):
            letter = word[at]
            at += 1
            where = spec.find(letter)
            if where < 0 or letter in ":+":
                usage(proc, sys, f"invalid option -- '{letter}'")
            if spec[where + 1 : where + 2] == ":":
                value = word[at:]
                if not value:
                    if not words:
                        usage(proc, sys, f"option requires an argument -- '{letter}'")
                    value = words.pop(0)
                found[letter] = found[letter] + "\n" + value if letter == "e" and letter in found else value
                break
            found[letter] = ""
    return found, operands


def usage(proc: Process, sys: Sys, message: str) -> None:
    """An error in the command line: ends the tool with exit code 1."""
    name = proc["argv"][0].rsplit("/", 1)[-1]
    sys.err((f"{name}: {message}\n" if message else "") + f"{BANNER}\n\nUsage: {name} [OPTIONS] [ARGS]\n")
    sys.exit(1)
    raise Exited


def complain(proc: Process, sys: Sys, text: str) -> None:
    """`tool: text` on standard error."""
    sys.err(f"{proc['argv'][0].rsplit('/', 1)[-1]}: {text}\n")


def begin(proc: Process, names: list[str]) -> Data:
    """Starts reading the named files (none: standard input)."""
    state: Data = {"todo": list(names) or ["-"], "fd": None, "name": "", "rest": "", "status": 0}
    proc["data"]["in"] = state
    return state


def pieces(proc: Process, sys: Sys, feed: Callable[[str, str, bool], bool | None], cannot: str = "{}: {}") -> int:
    """Feeds (text, file name, end of this file?) piece by piece until every file is read or `feed` gives True; gives 1 if a
    file failed."""
    state = proc["data"]["in"]
    while True:
        if state["fd"] is None:
            if not state["todo"]:
                return int(state["status"])
            name = state["todo"].pop(0)
            try:
                state["fd"] = 0 if name == "-" else sys.open(name)
                state["name"] = name
            except Errno as error:
                complain(proc, sys, cannot.format(name, error.text))
                state["status"] = 1
                continue
        try:
            text = sys.read(state["fd"])
        except Errno as error:
            complain(proc, sys, f"read error: {error.text}" if state["name"] == "-" else f"{state['name']}: {error.text}")
            state["status"] = 1
            text = ""
        sys.charge(len(text) >> 6)
        if feed(text, state["name"], not text):
            return int(state["status"])
        if not text:
            if state["fd"]:
                sys.close(state["fd"])
            state["fd"] = None


def lines(proc: Process, sys: Sys, feed: Callable[[str, str], bool | None], cannot: str = "{}: {}") -> int:
    """Feeds (line with its newline, file name) one by one; the last line of a file may lack the newline. As `pieces`."""
    state = proc["data"]["in"]
    waiting: list[str] = state.setdefault("lines", [])  # read, not yet fed, the next one last

    def some() -> bool:
        while waiting:
            sys.charge(1 + (len(waiting[-1]) >> 8))
            sys.breathe()
            if feed(waiting.pop() + "\n", state["name"]):
                waiting.clear()
                return True
        return False

    def piece(text: str, name: str, end: bool) -> bool | None:
        if end:
            rest, state["rest"] = state["rest"], ""
            return feed(rest, name) if rest else None
        parts = (state["rest"] + text).split("\n")
        state["rest"] = parts.pop()
        if len(state["rest"]) > TEXT_MAX:
            complain(proc, sys, "out of memory")
            sys.exit(1)
        waiting[:] = parts[::-1]
        return some()

    if some():
        return int(state["status"])
    return pieces(proc, sys, piece, cannot)


def everything(proc: Process, sys: Sys, cannot: str = "{}: {}") -> list[list[str]]:
    """All files read to their ends: [name, text] each. May raise Blocked; what has been read so far is kept."""
    state = proc["data"]["in"]
    kept = state.setdefault("files", [])

    def piece(text: str, name: str, end: bool) -> None:
        if state.get("open") is None:
            state["open"] = [name, []]
        if end:
            kept.append([name, "".join(state["open"][1])])
            state["open"] = None
        else:
            state["open"][1].append(text)
            state["held"] = state.get("held", 0) + len(text)
            if state["held"] >= MOST_HELD:
                complain(proc, sys, "out of memory")
                sys.exit(1)
            if state["held"] >= MEBIBYTE:
                sys.allocate(state["held"])

    pieces(proc, sys, piece, cannot)
    found: list[list[str]] = kept
    return found


def by_slices(proc: Process, sys: Sys, count: int, make: Callable[[int, int], str], us: int = 1) -> None:
    """Writes make(first, last) of `count` rows, each of which takes `us` microseconds, a thousand at a time, with a pause whenever
    the time slice is used up. How far it came is kept in the process, so that the tool goes on after a pause."""
    state = proc["data"]["in"]
    while (at := state.get("row", 0)) < count:
        last = min(at + ROWS_AT_ONCE, count)
        state["row"] = last
        sys.out(make(at, last))
        sys.charge(us * (last - at))
        sys.breathe()


def human(size: int) -> str:
    """Bytes as ls -h, df -h and du -h print them."""
    if size < 1024:
        return str(size)
    value = float(size)
    for unit in "KMGTP":
        value /= 1024
        if value < 1023.95:
            return f"{value:.1f}{unit}"
    return f"{value:.1f}E"


def mode_text(kind: str, mode: int) -> str:
    """`-rw-r--r--`."""
    out = {"f": "-", "d": "d", "l": "l", "c": "c", "p": "p"}.get(kind, "-")
    for shift, special, letter in ((6, 0o4000, "s"), (3, 0o2000, "s"), (0, 0o1000, "t")):
        bits = mode >> shift
        out += ("r" if bits & 4 else "-") + ("w" if bits & 2 else "-")
        if mode & special:
            out += letter if bits & 1 else letter.upper()
        else:
            out += "x" if bits & 1 else "-"
    return out


def ordered(operator: str, a: Any, b: Any) -> bool:
    """Compares two numbers or two strings: ==, !=, <, <=, >, >=."""
    return bool({"==": a == b, "!=": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[operator])
