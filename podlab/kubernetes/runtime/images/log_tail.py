"""Files that a log agent follows: which there are, where reading goes on, rotation and truncation.

A renamed file is known by its inode; a file that is gone is held on to until another takes its name. A position counts characters, as all
offsets here do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .log_pipeline import Agent
import fnmatch

from ..process import Data, Errno, Process
from ..system import Sys

LINE_US = 40  # CPU time of parsing and filtering a line; Fluentd is said to do some 10,000 to 20,000 events a second and core

GLOB_MAX = 500


def follow(proc: Process, sys: Sys, agent: Agent, source: str, times: list[int]) -> None:
    tail = proc["data"]["pipeline"]["tails"][source]
    found = [path for pattern in tail["paths"] for path in glob(sys, pattern)]
    found = [path for path in dict.fromkeys(found) if not any(matches(path, pattern) for pattern in tail["exclude"])]
    first = tail["first"]
    new = [path for path in found if path not in tail["files"] and path not in tail["denied"]]
    moved = first
    tail["first"] = False
    for path in new.copy():
        before = next((name for name, file in tail["files"].items() if file["ino"] == _identity(sys, path) and name not in found), None)
        if before is not None:  # the same file under a new name
            tail["files"][path] = tail["files"].pop(before)
            new.remove(path)
    if new and not first and tail["every"]:
        # New names are looked for every so often; the look is due at the next multiple, and only because there is something to find.
        if tail["scan"] is None:
            tail["scan"] = tail["began"] + -((tail["began"] - sys.now) // tail["every"]) * tail["every"]
        if sys.now < tail["scan"]:
            times.append(tail["scan"])
            new = []
    if new:
        tail["scan"] = None
        positions = saved_positions(sys, tail["saved"]) if first and tail["saved"] else {}
        for path in new:
            if _open(sys, tail, path, positions.get(path), tail["from_head"] if first else tail["late_from_head"]):
                moved = True
                agent.noticed(proc, sys, source, "found", path)
            else:
                tail["denied"].append(path)
                agent.noticed(proc, sys, source, "denied", path)
    for path in list(tail["files"]):
        moved = _read(proc, sys, agent, source, path) or moved
    if moved and tail["saved"]:
        rows = [f"{path}\t{_position(sys, file):016x}\t{_inode(file['ino']):016x}\n" for path, file in tail["files"].items()]
        sys.write_file(tail["saved"], "".join(rows))


def saved_positions(sys: Sys, name: str) -> dict[str, tuple[int, int]]:
    """{path: (position, inode)} of an earlier life; empty when there is no such file."""
    try:
        rows = [line.split("\t") for line in sys.read_file(name).splitlines()]
    except Errno:
        return {}
    found: dict[str, tuple[int, int]] = {}
    for row in rows:
        if len(row) == 3 and all(all(digit in "0123456789abcdef" for digit in number) and number for number in row[1:]):
            found[row[0]] = (int(row[1], 16), int(row[2], 16))
    return found


def _identity(sys: Sys, path: str) -> str:
    found = sys.find(path)
    return f"{found.fsid}#{found.ino}" if found is not None and found.inode["t"] == "f" else ""


def _inode(identity: str) -> int:
    return int(identity.rpartition("#")[2] or 0)


def _open(sys: Sys, tail: Data, path: str, known: tuple[int, int] | None, from_head: bool) -> bool:
    try:
        fd = sys.open(path)
    except Errno:
        return False
    file: Data = {"fd": fd, "ino": _identity(sys, path), "part": ""}
    length = _length(sys, fd)
    if known is not None and known[1] == _inode(file["ino"]):
        _seek(sys, fd, min(known[0], length))
    elif known is None and not from_head:
        _seek(sys, fd, length)
    tail["files"][path] = file
    return True


def _description(sys: Sys, fd: int) -> Data:
    found: Data = sys.kernel.state["files"][sys.proc["fds"][str(fd)]]
    return found


def _length(sys: Sys, fd: int) -> int:
    desc = _description(sys, fd)
    inode = sys.kernel.filesystem(desc["fs"])["inodes"].get(desc["ino"]) if desc.get("ino") else None
    return len(inode["s"]) if inode is not None else 0


def _seek(sys: Sys, fd: int, position: int) -> None:
    _description(sys, fd)["off"] = position


def _position(sys: Sys, file: Data) -> int:
    return int(_description(sys, file["fd"])["off"]) - len(file["part"])


def _read(proc: Process, sys: Sys, agent: Agent, source: str, path: str) -> bool:
    """Reads what is new in a followed file; True when its position has moved."""
    files = proc["data"]["pipeline"]["tails"][source]["files"]
    file = files[path]
    moved = False
    if _description(sys, file["fd"]).get("ino") and _length(sys, file["fd"]) < _description(sys, file["fd"])["off"]:
        _seek(sys, file["fd"], 0)
        file["part"] = ""
        agent.noticed(proc, sys, source, "truncated", path)
    while piece := sys.read(file["fd"]):
        moved = True
        lines = (file["part"] + piece).split("\n")
        file["part"] = lines.pop()
        if lines:
            sys.charge(LINE_US * len(lines))
            agent.lines(proc, sys, source, path, [line.removesuffix("\r") for line in lines])
    present = _identity(sys, path)
    if present in (file["ino"], ""):  # a file whose name is gone is held on to: what follows it may take its name
        return moved
    sys.close(file["fd"])
    del files[path]
    if _open(sys, proc["data"]["pipeline"]["tails"][source], path, None, True):
        agent.noticed(proc, sys, source, "rotated", path)
        _read(proc, sys, agent, source, path)
    return True


def is_pattern(path: str) -> bool:
    return any(char in path for char in "*?[")


def matches(path: str, pattern: str) -> bool:
    """Shell pattern against a path; `*` stops at a slash, `**` does not."""
    if "**" in pattern:
        return fnmatch.fnmatchcase(path, pattern.replace("/**/", "/*").replace("**", "*"))
    parts, wanted = path.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(fnmatch.fnmatchcase(part, want) for part, want in zip(parts, wanted, strict=True))


def glob(sys: Sys, pattern: str) -> list[str]:
    """The files that a pattern names, sorted; at most GLOB_MAX."""
    if not is_pattern(pattern):
        return [pattern] if _identity(sys, pattern) else []
    fixed = pattern[: min(pattern.index(char) for char in "*?[" if char in pattern)].rpartition("/")[0] or "/"
    deep = "**" in pattern
    depth = pattern.count("/")
    out: list[str] = []
    todo = [fixed]
    while todo and len(out) < GLOB_MAX:
        directory = todo.pop()
        try:
            where = sys.look(directory)
            names = sys.names(where) if where.is_dir else []
        except Errno:
            continue
        for name in names:
            path = f"{directory.rstrip('/')}/{name}"
            found = sys.find(path)
            if found is not None and found.is_dir:
                if deep or path.count("/") < depth:
                    todo.append(path)
            elif found is not None and found.inode["t"] == "f" and matches(path, pattern):
                out.append(path)
    return sorted(out)


def watched(sys: Sys, path: str) -> str:
    """The nearest place of a path that exists, to be watched."""
    if is_pattern(path):
        path = path[: min(path.index(char) for char in "*?[" if char in path)].rpartition("/")[0]
    while path not in ("", "/"):
        if sys.find(path) is not None:
            return path
        path = path.rpartition("/")[0]
    return "/"
