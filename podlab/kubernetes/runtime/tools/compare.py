"""diff, cmp and comm: what is different in two files."""

from __future__ import annotations

import difflib

from ...times import stamp
from ..process import Errno, Process
from ..program import Event, tool
from ..system import Sys
from .common import begin, complain, everything, options, usage

LINES_MAX = 3_000
"""Lines between the common beginning and end that are compared one with another (some 100 ms); of more, all are changed."""
CONTEXT = 3


def _two(proc: Process, sys: Sys, spec: str, long: dict[str, str] | None = None) -> tuple[list[list[str]], int]:
    """The two files of the command line, read to their ends: ([[name, text], ...], 2 when one cannot be read)."""
    data = proc["data"]
    if "in" not in data:
        given, names = options(proc, sys, spec, long)
        if len(names) < 2:
            usage(proc, sys, "")
        data["given"] = given
        begin(proc, names[:2])
    files = everything(proc, sys)
    return files, 2 * data["in"]["status"]


def _spans(a: list[str], b: list[str]) -> list[tuple[str, int, int, int, int]]:
    """difflib's operations, bounded."""
    first = 0
    while first < min(len(a), len(b)) and a[first] == b[first]:
        first += 1
    last = 0
    while last < min(len(a), len(b)) - first and a[-1 - last] == b[-1 - last]:
        last += 1
    inner_a, inner_b = a[first : len(a) - last], b[first : len(b) - last]
    if len(inner_a) + len(inner_b) > LINES_MAX:
        found = [("replace", 0, len(inner_a), 0, len(inner_b))]
    else:
        found = list(difflib.SequenceMatcher(None, inner_a, inner_b, autojunk=False).get_opcodes())
    moved = [(kind, i + first, j + first, k + first, n + first) for kind, i, j, k, n in found]
    return [("equal", 0, first, 0, first), *moved, ("equal", len(a) - last, len(a), len(b) - last, len(b))]


def _place(first: int, last: int) -> str:
    """Lines of a file as diff names them."""
    return str(last) if last - first <= 1 else f"{first + 1},{last}"


def _normal(a: list[str], b: list[str]) -> str:
    out: list[str] = []
    for kind, i, j, k, n in _spans(a, b):
        if kind == "equal":
            continue
        out.append(f"{_place(i, j) if j > i else i}{ {'replace': 'c', 'delete': 'd', 'insert': 'a'}[kind]}{_place(k, n) if n > k else k}\n")
        out += [f"< {line}\n" for line in a[i:j]]
        out += ["---\n"] if kind == "replace" else []
        out += [f"> {line}\n" for line in b[k:n]]
    return "".join(out)


def _unified(a: list[str], b: list[str]) -> str:
    changes = [span for span in _spans(a, b) if span[0] != "equal"]
    groups: list[list[tuple[str, int, int, int, int]]] = []
    for span in changes:
        if groups and span[1] - groups[-1][-1][2] <= 2 * CONTEXT:
            groups[-1].append(span)
        else:
            groups.append([span])
    out: list[str] = []
    for group in groups:
        before = min(CONTEXT, group[0][1])
        after = min(CONTEXT, len(a) - group[-1][2])
        i, j, k, n = group[0][1] - before, group[-1][2] + after, group[0][3] - before, group[-1][4] + after
        out.append(f"@@ -{_hunk(i, j)} +{_hunk(k, n)} @@\n")
        at = i
        for _, first, last, low, high in group:
            out += [f" {line}\n" for line in a[at:first]]
            out += [f"-{line}\n" for line in a[first:last]]
            out += [f"+{line}\n" for line in b[low:high]]
            at = last
        out += [f" {line}\n" for line in a[at:j]]
    return "".join(out)


def _hunk(first: int, last: int) -> str:
    return f"{first + 1}" if last - first == 1 else f"{first + (last > first)},{last - first}"


def _diff(proc: Process, sys: Sys, gnu: bool) -> int:
    files, failed = _two(proc, sys, "uqrsNbBwiaU:", {"unified": "u", "brief": "q", "recursive": "r", "report-identical-files": "s", "color": "a"})
    if failed:
        return failed
    given = proc["data"]["given"]
    names, texts = [one[0] for one in files], [one[1] for one in files]
    if "b" in given or "w" in given:
        joint = "" if "w" in given else " "
        same = [joint.join(line.split()) for line in texts[0].splitlines()] == [joint.join(line.split()) for line in texts[1].splitlines()]
    else:
        same = texts[0].lower() == texts[1].lower() if "i" in given else texts[0] == texts[1]
    if same:
        if "s" in given:
            sys.out(f"Files {names[0]} and {names[1]} are identical\n")
        return 0
    if "q" in given:
        sys.out(f"Files {names[0]} and {names[1]} differ\n")
        return 1
    a, b = (text.splitlines() for text in texts)
    sys.charge(50 * (len(a) + len(b)))
    if gnu and not {"u", "U"} & set(given):
        sys.out(_normal(a, b))
        return 1
    for sign, name in zip(("---", "+++"), names, strict=True):
        sys.out(f"{sign} {name}{_time(sys, name) if gnu else ''}\n")
    sys.out(_unified(a, b))
    return 1


def _time(sys: Sys, name: str) -> str:
    try:
        at = sys.look(name).inode["mt"] if name != "-" else sys.now
    except Errno:
        at = sys.now
    return "\t" + stamp(at, "%Y-%m-%d %H:%M:%S.000000000 +0000")


@tool("diff")
def diff(proc: Process, sys: Sys, event: Event) -> int:
    """busybox's: always unified."""
    return _diff(proc, sys, False)


@tool("diff-gnu")
def diff_gnu(proc: Process, sys: Sys, event: Event) -> int:
    return _diff(proc, sys, True)


@tool("cmp")
def cmp(proc: Process, sys: Sys, event: Event) -> int:
    files, failed = _two(proc, sys, "sl", {"silent": "s", "quiet": "s"})
    if failed:
        return failed
    (first, a), (second, b) = files
    if a == b:
        return 0
    at = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), None)
    if "s" not in proc["data"]["given"]:
        if at is None:
            complain(proc, sys, f"EOF on {first if len(a) < len(b) else second}")
        else:
            sys.out(f"{first} {second} differ: char {at + 1}, line {a.count(chr(10), 0, at) + 1}\n")
    return 1


@tool("comm")
def comm(proc: Process, sys: Sys, event: Event) -> int:
    files, failed = _two(proc, sys, "123")
    if failed:
        return 1
    given = proc["data"]["given"]
    a, b = (text.splitlines() for _, text in files)
    tabs = {"1": "", "2": "" if "1" in given else "\t", "3": ("" if "1" in given else "\t") + ("" if "2" in given else "\t")}
    out: list[str] = []
    i = k = 0
    while i < len(a) or k < len(b):
        column = "3" if i < len(a) and k < len(b) and a[i] == b[k] else "1" if k >= len(b) or (i < len(a) and a[i] < b[k]) else "2"
        if column not in given:
            out.append(tabs[column] + (b[k] if column == "2" else a[i]) + "\n")
        i += column != "2"
        k += column != "1"
    sys.charge(len(out))
    sys.out("".join(out))
    return 0
