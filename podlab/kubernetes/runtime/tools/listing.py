"""Tools that show files: ls, stat, du, df; users and groups by name."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import partial

from .. import filesystem
from ..filesystem import Vnode
from ..numerals import is_whole, saturated, whole
from ..process import Errno, Process
from ..program import Event, tool
from ..system import Sys
from .common import complain, human, mode_text, options

DEVICE_NUMBERS = {"null": "1,   3", "zero": "1,   5", "full": "1,   7", "random": "1,   8", "urandom": "1,   9", "tty": "5,   0"}
"""Major and minor, Documentation/admin-guide/devices.txt."""


def users(sys: Sys, path: str = "/etc/passwd") -> dict[int, str]:
    """Names by number from /etc/passwd or /etc/group."""
    try:
        rows = [line.split(":") for line in sys.read_file(path).splitlines()]
    except Errno:
        return {}
    return {saturated(row[2]): row[0] for row in rows if len(row) > 2 and is_whole(row[2])}


def number_of(sys: Sys, name: str, path: str = "/etc/passwd") -> int | None:
    """A user's or group's number by name or number."""
    if is_whole(name):
        return saturated(name)
    return next((number for number, known in users(sys, path).items() if known == name), None)


def day(ms: int, now: int) -> str:
    """A time as ls -l prints it: with the clock within half a year, else with the year."""
    when = datetime.fromtimestamp(ms // 1000, UTC)
    recent = -3600_000 <= now - ms < 15_768_000_000
    return when.strftime("%b %e %H:%M" if recent else "%b %e  %Y")


@tool("ls")
def ls(proc: Process, sys: Sys, event: Event) -> int:
    flags, names = options(proc, sys, "laAh1dRrtSinFspCxkLHcuw:", {"all": "a", "color": "C", "full-time": "l"})
    status = 0
    files: list[tuple[str, Vnode]] = []
    directories: list[str] = []
    for name in names or ["."]:
        found = sys.find(name, follow="L" in flags or ("l" not in flags and "d" not in flags)) or sys.find(name, follow=False)
        if found is None:
            complain(proc, sys, f"{name}: {why(sys, name)}")
            status = 1
        elif (found.is_dir and "d" not in flags) or (
            found.inode["t"] == "l"
            and "d" not in flags
            and "l" not in flags
            and (inner := sys.find(name)) is not None
            and inner.is_dir
        ):
            directories.append(name)
        else:
            files.append((name, found))
    if files:
        sys.out(_rows(sys, sorted(files, key=lambda item: item[0]), flags))
    many = len(directories) + len(files) > 1 or "R" in flags
    first = not files
    while directories:
        name = directories.pop(0)
        try:
            inside = sys.listdir(name)
        except Errno as error:
            complain(proc, sys, f"can't open '{name}': {error.text}")
            status = 1
            continue
        here = sys.look(name)
        items = [
            (entry, (sys.find(f"{name}/{entry}") or child) if "L" in flags else child)
            for entry in inside
            if (child := sys.child(here, entry)) is not None and ("a" in flags or "A" in flags or entry[0] != ".")
        ]
        if "a" in flags:
            items = [(".", here), ("..", here.parent or here), *items]
        total = sum(filesystem.blocks(child) for _, child in items if child.inode["t"] != "l")
        if many:
            sys.out(("" if first else "\n") + f"{name}:\n")
        first = False
        if "l" in flags or "s" in flags:
            sys.out(f"total {total}\n")
        sys.out(_rows(sys, items, flags))
        if "R" in flags:
            directories[:0] = [
                name.rstrip("/") + "/" + entry for entry, child in items if child.is_dir and entry not in (".", "..")
            ]
    return status


def why(sys: Sys, path: str) -> str:
    try:
        sys.look(path, follow=False)
    except Errno as error:
        return error.text
    return "No such file or directory"


def _rows(sys: Sys, items: list[tuple[str, Vnode]], flags: dict[str, str]) -> str:
    if "t" in flags:
        items = sorted(items, key=lambda item: -item[1].inode["mt"])
    elif "S" in flags:
        items = sorted(items, key=lambda item: -filesystem.shown(item[1]))
    if "r" in flags:
        items = items[::-1]
    shown = []
    for name, vnode in items:
        mark = ""
        if "F" in flags or "p" in flags:
            mark = (
                "/"
                if vnode.is_dir
                else ""
                if "p" in flags
                else "@"
                if vnode.inode["t"] == "l"
                else "*"
                if vnode.inode["m"] & 0o111
                else ""
            )
        shown.append(name + mark)
    if "i" in flags:
        shown = [f"{vnode.ino or 1:>7} {name}" for name, (_, vnode) in zip(shown, items, strict=True)]
    if "l" not in flags and "n" not in flags:
        if not shown:
            return ""
        if "1" in flags or not sys.is_tty(1):
            return "".join(name + "\n" for name in shown)
        return _columns(shown)
    owners, groups = users(sys), users(sys, "/etc/group")
    cells = []
    for name, (_, vnode) in zip(shown, items, strict=True):
        inode = vnode.inode
        size = (
            DEVICE_NUMBERS[inode["dev"]]
            if inode["t"] == "c"
            else human(filesystem.shown(vnode))
            if "h" in flags
            else str(filesystem.shown(vnode))
        )
        link = f" -> {inode['to']}" if inode["t"] == "l" else ""
        uid, gid = inode.get("u", 0), inode.get("g", 0)
        links = (
            2 + sum(1 for entry in sys.names(vnode) if (c := sys.child(vnode, entry)) is not None and c.is_dir)
            if vnode.is_dir
            else inode["n"]
        )
        cells.append((mode_text(inode["t"], inode["m"]), str(links), str(uid) if "n" in flags else owners.get(uid, str(uid)),
                      str(gid) if "n" in flags else groups.get(gid, str(gid)), size, day(inode["mt"], sys.now),
                      name + link))  # fmt: skip
    return "".join(
        f"{mode}{links:>5} {owner:<8} {group:<8} {size:>9} {when} {name}\n"
        for mode, links, owner, group, size, when, name in cells
    )


def _columns(names: list[str]) -> str:
    width = max(len(name) for name in names) + 2
    columns = max(1, 80 // width)
    height = -(-len(names) // columns)
    rows = []
    for row in range(height):
        rows.append("".join(name.ljust(width) for name in names[row::height]).rstrip() + "\n")
    return "".join(rows)


@tool("stat")
def stat(proc: Process, sys: Sys, event: Event) -> int:
    flags, names = options(proc, sys, "c:ftLz", {"format": "c"})
    status = 0
    owners, groups = users(sys), users(sys, "/etc/group")
    for name in names:
        try:
            found = sys.look(name, follow="L" in flags)
        except Errno as error:
            complain(proc, sys, f"can't stat '{name}': {error.text}")
            status = 1
            continue
        inode = found.inode
        size, kib = filesystem.shown(found), filesystem.blocks(found)
        kind = {"f": "regular file" if size else "regular empty file", "d": "directory", "l": "symbolic link", "p": "fifo",
                "c": "character special file"}[inode["t"]]  # fmt: skip
        uid, gid, mode = inode.get("u", 0), inode.get("g", 0), inode["m"]
        when = (
            datetime.fromtimestamp(inode["mt"] // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
            + f".{inode['mt'] % 1000:03d}000000 +0000"
        )
        values = {"n": name, "s": str(size), "a": f"{mode & 0o7777:o}", "A": mode_text(inode["t"], mode), "u": str(uid),
            "g": str(gid), "F": kind,
                  "U": owners.get(uid, "UNKNOWN"), "G": groups.get(gid, "UNKNOWN"), "i": found.ino or "1", "h": str(inode["n"]),
                  "y": when, "z": when,
                  "x": when, "Y": str(inode["mt"] // 1000), "X": str(inode["mt"] // 1000), "Z": str(inode["mt"] // 1000),
                  "b": str(2 * kib),
                  "N": f"'{name}'" + (f" -> '{inode['to']}'" if inode["t"] == "l" else ""), "f": f"{mode:x}",
                  "%": "%"}  # fmt: skip
        if "c" in flags:
            sys.out(re.sub("%(.)", partial(_filled, values), flags["c"]) + "\n")
            continue
        link = f" -> '{inode['to']}'" if inode["t"] == "l" else ""
        sys.out(
            f"  File: {name if not link else repr(name)}{link}\n"
            f"  Size: {size:<10}\tBlocks: {2 * kib:<10} IO Block: 4096   {kind}\n"
            f"Device: 32h/50d\tInode: {found.ino or 1:<10}  Links: {inode['n']}\n"
            f"Access: ({mode & 0o7777:04o}/{mode_text(inode['t'], mode)})  Uid: ({uid:5d}/{values['U']:>8})   Gid: "
            f"({gid:5d}/{values['G']:>8})\n"
            f"Access: {when}\nModify: {when}\nChange: {when}\n"
        )
    return status


def _filled(values: dict[str, str], directive: re.Match[str]) -> str:
    """A %letter of `stat -c`, or what stands there where it is none."""
    return values.get(directive[1], directive[0])


@tool("du")
def du(proc: Process, sys: Sys, event: Event) -> int:
    flags, names = options(proc, sys, "ashkmcLHd:xlb", {"max-depth": "d", "summarize": "s"})
    most = 0 if "s" in flags else whole(flags.get("d") or "1000000")
    rows: list[str] = []

    def show(size: int, path: str) -> None:
        kib = -(-size // 1024)
        rows.append(f"{human(size) if 'h' in flags else -(-kib // 1024) if 'm' in flags else kib}\t{path}\n")

    def walk(path: str, vnode: Vnode, depth: int) -> int:
        if not vnode.is_dir:
            size = -(-filesystem.size(vnode.inode) // 4096) * 4096 if vnode.inode["t"] == "f" else 0
            if ("a" in flags and depth <= most) or depth == 0:
                show(size, path)
            return size
        total = 4096
        for name in sys.names(vnode):
            child = sys.child(vnode, name)
            if child is not None:
                total += walk(path.rstrip("/") + "/" + name, child, depth + 1)
        if depth <= most:
            show(total, path)
        return total

    status = total = 0
    for name in names or ["."]:
        found = sys.find(name, follow=False)
        if found is None:
            complain(proc, sys, f"{name}: {why(sys, name)}")
            status = 1
            continue
        total += walk(name, found, 0)
    if "c" in flags:
        show(total, "total")
    sys.out("".join(rows))
    return status


@tool("df")
def df(proc: Process, sys: Sys, event: Event) -> int:
    flags, names = options(proc, sys, "hkmPTiaB:t:")
    state = sys.kernel.state
    disk, free = state["disk"], max(0, sys.kernel.disk_free())
    rows: list[tuple[str, int, int, int, str]] = [("overlay", disk, disk - free, free, "/")]
    for path, mount in sys.container["mounts"].items():
        if mount["fs"] in ("proc", "sys"):
            continue
        fs = sys.kernel.filesystem(mount["fs"])
        if fs["kind"] == "tmpfs":
            size = fs["limit"] or state["memory"]
            rows.append(("shm" if path == "/dev/shm" else "tmpfs", size, fs["used"], size - fs["used"], path))
        elif fs["limit"]:
            rows.append(("/dev/vdb", fs["limit"], fs["used"], fs["limit"] - fs["used"], path))
        else:
            rows.append(("/dev/vda1", disk, disk - free, free, path))
    if names:
        wanted = []
        for name in names:
            found = sys.find(name)
            if found is None:
                complain(proc, sys, f"{name}: can't find mount point")
                return 1
            wanted.append(
                max(
                    (row for row in rows if found.path == row[4] or found.path.startswith(row[4].rstrip("/") + "/")),
                    key=lambda row: len(row[4]),
                )
            )
        rows = wanted
    unit = "Size" if "h" in flags else "1M-blocks" if "m" in flags else "1K-blocks"
    out = [f"Filesystem           {unit:>9}      Used Available Use% Mounted on\n" if "h" not in flags else
           "Filesystem                Size      Used Available Use% Mounted on\n"]  # fmt: skip
    for name, size, used, left, path in rows:
        percent = -(-used * 100 // max(1, used + left))
        cells = [human(n) if "h" in flags else str(n // (1 << 20 if "m" in flags else 1024)) for n in (size, used, left)]
        out.append(f"{name:<20} {cells[0]:>9} {cells[1]:>9} {cells[2]:>9} {percent:>3}% {path}\n")
    sys.out("".join(out))
    return 0
