"""Tools on files: ls, cp, mv, rm, mkdir, ln, chmod, stat, find, du, df, dd, tar and the like."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from .. import filesystem
from ..filesystem import Vnode
from ..process import Errno, Process
from ..program import Event, tool
from ..shell import patterns
from ..system import Sys
from .common import begin, complain, everything, human, mode_text, options, usage
from .text import count_of, raw


def users(sys: Sys, path: str = "/etc/passwd") -> dict[int, str]:
    """Names by number from /etc/passwd or /etc/group."""
    try:
        rows = [line.split(":") for line in sys.read_file(path).splitlines()]
    except Errno:
        return {}
    return {int(row[2]): row[0] for row in rows if len(row) > 2 and row[2].isdigit()}


def number_of(sys: Sys, name: str, path: str = "/etc/passwd") -> int | None:
    """A user's or group's number by name or number."""
    if name.isdigit():
        return int(name)
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
        found = sys.find(name, follow="l" not in flags and "d" not in flags) or sys.find(name, follow=False)
        if found is None:
            complain(proc, sys, f"{name}: {_why(sys, name)}")
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
            (entry, child)
            for entry in inside
            if (child := sys.child(here, entry)) is not None and ("a" in flags or "A" in flags or entry[0] != ".")
        ]
        total = sum((filesystem.size(child.inode) + 4095) // 4096 * 4 for _, child in items if child.inode["t"] != "l")
        if "a" in flags:
            items = [(".", here), ("..", here.parent or here), *items]
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


def _why(sys: Sys, path: str) -> str:
    try:
        sys.look(path, follow=False)
    except Errno as error:
        return error.text
    return "No such file or directory"


def _rows(sys: Sys, items: list[tuple[str, Vnode]], flags: dict[str, str]) -> str:
    if "t" in flags:
        items = sorted(items, key=lambda item: -item[1].inode["mt"])
    elif "S" in flags:
        items = sorted(items, key=lambda item: -filesystem.size(item[1].inode))
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
        size = "1,   3" if inode["t"] == "c" else human(filesystem.size(inode)) if "h" in flags else str(filesystem.size(inode))
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


@tool("touch")
def touch(proc: Process, sys: Sys, event: Event) -> int:
    flags, names = options(proc, sys, "cmahd:t:r:", {"no-create": "c", "date": "d"})
    if not names:
        usage(proc, sys, "")
    status = 0
    for name in names:
        try:
            found = sys.find(name)
            if found is not None:
                sys.change(name, mt=sys.now)
            elif "c" not in flags:
                sys.close(sys.open(name, "a"))
        except Errno as error:
            complain(proc, sys, f"{name}: {error.text}")
            status = 1
    return status


@tool("mkdir")
def mkdir(proc: Process, sys: Sys, event: Event) -> int:
    flags, names = options(proc, sys, "pvm:", {"parents": "p", "mode": "m"})
    status = 0
    mode = int(flags["m"], 8) if "m" in flags else 0o777
    for name in names:
        try:
            if "p" not in flags:
                sys.mkdir(name, mode)
                continue
            parts = name.rstrip("/").split("/")
            for end in range(1, len(parts) + 1):
                part = "/".join(parts[:end])
                if (
                    part
                    and part not in (".", "..")
                    and ((found := sys.find(part)) is None or (end == len(parts) and not found.is_dir))
                ):
                    sys.mkdir(part, mode if end == len(parts) else 0o777)
        except Errno as error:
            complain(proc, sys, f"can't create directory '{name}': {error.text}")
            status = 1
    return status


@tool("rmdir")
def rmdir(proc: Process, sys: Sys, event: Event) -> int:
    _, names = options(proc, sys, "p", {"ignore-fail-on-non-empty": "p"})
    status = 0
    for name in names:
        try:
            sys.rmdir(name)
        except Errno as error:
            complain(proc, sys, f"'{name}': {error.text}")
            status = 1
    return status


@tool("rm")
def rm(proc: Process, sys: Sys, event: Event) -> int:
    flags, names = options(proc, sys, "rRfiv", {"recursive": "r", "force": "f"})
    if not names and "f" not in flags:
        usage(proc, sys, "")
    recursive = "r" in flags or "R" in flags
    status = 0
    for name in names:
        if name.rstrip("/").rsplit("/", 1)[-1] in (".", ".."):
            complain(proc, sys, "can't remove '.' or '..'")
            status = 1
            continue
        status |= _remove(proc, sys, name, recursive, "f" in flags)
    return status


def _remove(proc: Process, sys: Sys, name: str, recursive: bool, force: bool) -> int:
    found = sys.find(name, follow=False)
    if found is None:
        if not force:
            complain(proc, sys, f"can't remove '{name}': {_why(sys, name)}")
            return 1
        return 0
    try:
        if found.is_dir:
            if not recursive:
                complain(proc, sys, f"'{name}' is a directory")
                return 1
            status = 0
            for entry in sys.names(found):
                status |= _remove(proc, sys, name.rstrip("/") + "/" + entry, True, force)
            sys.rmdir(name)
            return status
        sys.unlink(name)
    except Errno as error:
        complain(proc, sys, f"can't remove '{name}': {error.text}")
        return 1
    return 0


@tool("unlink")
def unlink(proc: Process, sys: Sys, event: Event) -> int:
    for name in proc["argv"][1:]:
        try:
            sys.unlink(name)
        except Errno as error:
            complain(proc, sys, f"can't remove file '{name}': {error.text}")
            return 1
    return 0


def copy(proc: Process, sys: Sys, source: str, target: str, flags: str) -> int:
    """Copies a file, link or (with r) directory. Gives 1 after a complaint."""
    try:
        found = sys.look(source, follow=not ("d" in flags or "P" in flags or "a" in flags or ("r" in flags and "L" not in flags)))
    except Errno as error:
        complain(proc, sys, f"can't stat '{source}': {error.text}")
        return 1
    inode = found.inode
    try:
        if found.is_dir:
            if "r" not in flags:
                complain(proc, sys, f"omitting directory '{source}'")
                return 1
            there = sys.find(target)
            if there is not None and (there.path + "/").startswith(found.path + "/"):
                complain(proc, sys, f"recursion detected, omitting directory '{target}'")
                return 1
            entries = sys.listdir(source)
            if there is None:
                sys.mkdir(target, inode["m"] & 0o7777 | 0o700)
            status = 0
            for entry in entries:
                status |= copy(proc, sys, source.rstrip("/") + "/" + entry, target.rstrip("/") + "/" + entry, flags)
        elif inode["t"] == "l":
            if sys.find(target, follow=False) is not None:
                sys.unlink(target)
            sys.symlink(inode["to"], target)
            status = 0
        else:
            there = sys.find(target)
            if there is not None and there.path == found.path:
                complain(proc, sys, f"'{source}' and '{target}' are the same file")
                return 1
            text = sys.read_file(source) if inode["t"] == "f" and not inode.get("z") else ""
            if there is not None and "n" in flags:
                return 0
            fd = sys.open(target, "w")
            try:
                sys.write(fd, text)
                if inode.get("z"):
                    sys.write(fd, inode["s"])
                    sys.zeros(fd, inode["z"])
            finally:
                sys.close(fd)
            if there is None:
                sys.change(target, m=inode["m"] & ~(0 if "p" in flags or "a" in flags else proc["umask"]))
            if inode.get("x"):
                made = sys.look(target)
                made.inode.update(x=inode["x"], sz=inode.get("sz", 0))
            status = 0
        if "p" in flags or "a" in flags:
            sys.change(target, False, mt=inode["mt"], **({"u": inode["u"], "g": inode["g"]} if proc["uid"] == 0 else {}))
        return status
    except Errno as error:
        what = "can't create directory" if found.is_dir else "write error" if error.name == "ENOSPC" else "can't create"
        complain(proc, sys, f"{what}: {error.text}" if what == "write error" else f"{what} '{target}': {error.text}")
        return 1


def _destinations(proc: Process, sys: Sys, names: list[str], into: str | None, no_directory: bool) -> list[tuple[str, str]]:
    if into is not None:
        names = [*names, into]
    if len(names) < 2:
        usage(proc, sys, "")
    *sources, target = names
    there = sys.find(target)
    if there is not None and there.is_dir and not no_directory:
        return [(source, target.rstrip("/") + "/" + source.rstrip("/").rsplit("/", 1)[-1]) for source in sources]
    if len(sources) > 1:
        complain(proc, sys, f"target '{target}' is not a directory" if there is None or not there.is_dir else "")
        sys.exit(1)
    return [(sources[0], target)]


@tool("cp")
def cp(proc: Process, sys: Sys, event: Event) -> int:
    flags, names = options(proc, sys, "raRdpPLHfinsluTvt:", {"recursive": "r", "archive": "a", "force": "f"})
    kind = "".join(flags) + ("r" if "R" in flags or "a" in flags else "")
    status = 0
    for source, target in _destinations(proc, sys, names, flags.get("t"), "T" in flags):
        if "s" in flags:
            sys.symlink(source, target)
        elif "l" in flags:
            sys.link(source, target)
        else:
            status |= copy(proc, sys, source, target, kind)
    return status


@tool("mv")
def mv(proc: Process, sys: Sys, event: Event) -> int:
    flags, names = options(proc, sys, "finTvt:")
    status = 0
    for source, target in _destinations(proc, sys, names, flags.get("t"), "T" in flags):
        if "n" in flags and sys.find(target) is not None:
            continue
        try:
            sys.look(source, follow=False)
        except Errno as error:
            complain(proc, sys, f"can't rename '{source}': {error.text}")
            status = 1
            continue
        try:
            sys.rename(source, target)
        except Errno as error:
            if error.name == "EXDEV":
                failed = copy(proc, sys, source, target, "rap") or _remove(proc, sys, source, True, False)
                status |= failed
                continue
            complain(proc, sys, f"can't rename '{source}': {error.text}")
            status = 1
    return status


@tool("ln")
def ln(proc: Process, sys: Sys, event: Event) -> int:
    flags, names = options(proc, sys, "sfnbvT", {"symbolic": "s", "force": "f"})
    if len(names) == 1:
        names.append(names[0].rsplit("/", 1)[-1])
    status = 0
    *sources, target = names
    there = sys.find(target, follow="n" not in flags)
    for source in sources:
        path = (
            target.rstrip("/") + "/" + source.rsplit("/", 1)[-1]
            if there is not None and there.is_dir and "T" not in flags
            else target
        )
        try:
            if "f" in flags and sys.find(path, follow=False) is not None:
                sys.unlink(path)
            sys.symlink(source, path) if "s" in flags else sys.link(source, path)
        except Errno as error:
            complain(proc, sys, f"{path}: {error.text}")
            status = 1
    return status


def new_mode(text: str, old: int, is_dir: bool, umask: int) -> int | None:
    """`644`, `u+x`, `go-w,a=r`: the mode that results, or None."""
    if re.fullmatch("[0-7]{1,4}", text):
        return int(text, 8)
    mode = old
    for part in text.split(","):
        match = re.fullmatch(r"([ugoa]*)([-+=])([rwxXst]*)", part)
        if match is None:
            return None
        who = match[1] or "a"
        bits = sum(
            {"r": 4, "w": 2, "x": 1, "X": 1 if is_dir or old & 0o111 else 0, "s": 0, "t": 0}[letter]
            for letter in dict.fromkeys(match[3])
        )
        mask = 0
        for letter, shift in (("u", 6), ("g", 3), ("o", 0)):
            if letter in who or "a" in who:
                mask |= bits << shift
                if match[2] == "=":
                    mode &= ~(7 << shift)
        if not match[1]:
            mask &= ~umask
        if "t" in match[3]:
            mask |= 0o1000
        if "s" in match[3]:
            mask |= (0o4000 if "u" in who or "a" in who else 0) | (0o2000 if "g" in who or "a" in who else 0)
        mode = mode & ~mask if match[2] == "-" else mode | mask
    return mode


def _tree(sys: Sys, path: str) -> list[str]:
    found = sys.find(path, follow=False)
    if found is None or not found.is_dir:
        return [path]
    return [path] + [inner for name in sys.names(found) for inner in _tree(sys, path.rstrip("/") + "/" + name)]


@tool("chmod")
def chmod(proc: Process, sys: Sys, event: Event) -> int:
    words = proc["argv"][1:]
    recursive = bool(words) and words[0] in ("-R", "-Rf")
    words = [word for word in words if word not in ("-R", "-v", "-f", "-c", "-Rf")]
    if len(words) < 2:
        usage(proc, sys, "")
    status = 0
    for name in words[1:]:
        for path in _tree(sys, name) if recursive else [name]:
            try:
                found = sys.look(path)
                mode = new_mode(words[0], found.inode["m"], found.is_dir, proc["umask"])
                if mode is None:
                    complain(proc, sys, f"invalid mode '{words[0]}'")
                    return 1
                sys.change(path, m=mode)
            except Errno as error:
                complain(proc, sys, f"{path}: {error.text}")
                status = 1
    return status


@tool("chown", "chgrp")
def chown(proc: Process, sys: Sys, event: Event) -> int:
    flags, names = options(proc, sys, "RhLHPvcf")
    if len(names) < 2:
        usage(proc, sys, "")
    only_group = proc["argv"][0].endswith("chgrp")
    owner, _, group = names[0].replace(".", ":", 1).partition(":") if not only_group else ("", "", names[0])
    fields: dict[str, int] = {}
    for text, key, path, word in ((owner, "u", "/etc/passwd", "user"), (group, "g", "/etc/group", "group")):
        if text:
            number = number_of(sys, text, path)
            if number is None:
                complain(proc, sys, f"unknown {word} {text}" if word == "group" else f"unknown user/group {names[0]}")
                return 1
            fields[key] = number
    status = 0
    for name in names[1:]:
        for path in _tree(sys, name) if "R" in flags else [name]:
            try:
                sys.change(path, "h" not in flags, **fields)
            except Errno as error:
                complain(proc, sys, f"{path}: {error.text}")
                status = 1
    return status


@tool("basename")
def basename(proc: Process, sys: Sys, event: Event) -> int:
    words = proc["argv"][1:]
    if not words:
        usage(proc, sys, "")
    name = words[0].rstrip("/").rsplit("/", 1)[-1] or "/"
    if len(words) > 1 and name != words[1]:
        name = name.removesuffix(words[1])
    sys.out(name + "\n")
    return 0


@tool("dirname")
def dirname(proc: Process, sys: Sys, event: Event) -> int:
    for word in proc["argv"][1:]:
        head, slash, _ = word.rstrip("/").rpartition("/")
        sys.out((head.rstrip("/") or ("/" if slash or word.startswith("/") else ".")) + "\n")
    return 0


@tool("readlink")
def readlink(proc: Process, sys: Sys, event: Event) -> int:
    flags, names = options(proc, sys, "fnvq")
    for name in names:
        try:
            if "f" in flags:
                where, last = sys.view.locate(name, proc["cwd"], proc)
                text = where.path if last is None else where.path.rstrip("/") + "/" + last
            else:
                found = sys.look(name, follow=False)
                if found.inode["t"] != "l":
                    return 1
                text = found.inode["to"]
        except Errno:
            return 1
        sys.out(text + ("" if "n" in flags else "\n"))
    return 0


@tool("realpath")
def realpath(proc: Process, sys: Sys, event: Event) -> int:
    status = 0
    for name in proc["argv"][1:]:
        try:
            sys.out(sys.look(name).path + "\n")
        except Errno as error:
            complain(proc, sys, f"{name}: {error.text}")
            status = 1
    return status


@tool("pwd")
def pwd(proc: Process, sys: Sys, event: Event) -> int:
    sys.out(proc["cwd"] + "\n")
    return 0


@tool("mktemp")
def mktemp(proc: Process, sys: Sys, event: Event) -> int:
    flags, names = options(proc, sys, "dp:tqu")
    template = names[0] if names else "tmp.XXXXXX"
    if not names or "t" in flags or "p" in flags:
        template = (flags.get("p") or proc["env"].get("TMPDIR") or "/tmp").rstrip("/") + "/" + template  # noqa: S108
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    stem = template.rstrip("X")
    name = stem + "".join(letters[sys.random(len(letters))] for _ in template[len(stem) :])
    try:
        if "d" in flags:
            sys.mkdir(name, 0o700)
        elif "u" not in flags:
            sys.close(sys.open(name, "x"))
            sys.change(name, m=0o600)
    except Errno as error:
        complain(proc, sys, f"can't create '{template}': {error.text}")
        return 1
    sys.out(name + "\n")
    return 0


@tool("mkfifo")
def mkfifo(proc: Process, sys: Sys, event: Event) -> int:
    _, names = options(proc, sys, "m:")
    for name in names:
        try:
            sys.mkfifo(name)
        except Errno as error:
            complain(proc, sys, f"{name}: {error.text}")
            return 1
    return 0


@tool("truncate", "fallocate")
def truncate(proc: Process, sys: Sys, event: Event) -> int:
    flags, names = options(proc, sys, "s:l:o:c")
    text = flags.get("s", flags.get("l", ""))
    try:
        size = count_of(text)
    except ValueError:
        usage(proc, sys, "" if not text else f"invalid number '{text}'")
    for name in names:
        try:
            sys.truncate(name, size)
        except Errno as error:
            complain(
                proc,
                sys,
                f"{name}: {error.text}" if proc["argv"][0].endswith("truncate") else f"fallocate '{name}': {error.text}",
            )
            return 1
    return 0


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
        size = filesystem.size(inode)
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
                  "b": str(-(-size // 512)),
                  "N": f"'{name}'" + (f" -> '{inode['to']}'" if inode["t"] == "l" else ""), "f": f"{mode:x}",
                  "%": "%"}  # fmt: skip
        if "c" in flags:
            sys.out(re.sub("%(.)", lambda match: values.get(match[1], match[0]), flags["c"]) + "\n")  # noqa: B023
            continue
        link = f" -> '{inode['to']}'" if inode["t"] == "l" else ""
        sys.out(
            f"  File: {name if not link else repr(name)}{link}\n"
            f"  Size: {size:<10}\tBlocks: {-(-size // 4096) * 8:<10} IO Block: 4096   {kind}\n"
            f"Device: 32h/50d\tInode: {found.ino or 1:<10}  Links: {inode['n']}\n"
            f"Access: ({mode & 0o7777:04o}/{mode_text(inode['t'], mode)})  Uid: ({uid:5d}/{values['U']:>8})   Gid: "
            f"({gid:5d}/{values['G']:>8})\n"
            f"Access: {when}\nModify: {when}\nChange: {when}\n"
        )
    return status


@tool("find")
def find(proc: Process, sys: Sys, event: Event) -> int:
    words = proc["argv"][1:]
    data = proc["data"]
    if event is None:
        paths: list[str] = []
        while words and not words[0].startswith("-") and words[0] not in ("!", "("):
            paths.append(words.pop(0))
        limits = {"-maxdepth": 1 << 20, "-mindepth": 0}
        tests: list[str] = []
        while words:
            word = words.pop(0)
            if word in limits and words:
                limits[word] = int(words.pop(0))
            else:
                tests.append(word)
        data.update(todo=[[path, 0] for path in reversed(paths or ["."])], tests=tests, max=limits["-maxdepth"],
            min=limits["-mindepth"], status=0,
                    running=None, after=[], many=[])  # fmt: skip
    while True:
        if data["running"]:
            ended = sys.wait(data["running"])
            data["running"] = None
            if ended is not None and ended[1]:
                data["status"] = 1
        if data["after"]:
            command = data["after"].pop(0)
            try:
                data["running"] = sys.spawn(command)
            except Errno:
                complain(proc, sys, f"{command[0]}: No such file or directory")
                data["status"] = 1
            continue
        if not data["todo"]:
            if data["many"]:
                *command, last = data["many"]
                files = last
                data["many"] = []
                data["after"].append([*command, *files])
                continue
            return int(data["status"])
        path, depth = data["todo"].pop()
        found = sys.find(path, follow=False)
        if found is None:
            complain(proc, sys, f"{path}: {_why(sys, path)}")
            data["status"] = 1
            continue
        prune = False
        if depth >= data["min"]:
            prune = _Find(proc, sys, path, found).run()
        if found.is_dir and depth < data["max"] and not prune:
            try:
                names = sys.listdir(path)
            except Errno as error:
                complain(proc, sys, f"{path}: {error.text}")
                data["status"] = 1
                continue
            data["todo"] += [[path.rstrip("/") + "/" + name, depth + 1] for name in reversed(names)]
        sys.breathe()


class _Find:
    """find's expression for one file."""

    def __init__(self, proc: Process, sys: Sys, path: str, vnode: Vnode) -> None:
        self.proc, self.sys, self.path, self.vnode = proc, sys, path, vnode
        self.words: list[str] = proc["data"]["tests"]
        self.at, self.acted, self.prune = 0, False, False

    def run(self) -> bool:
        result = self.either(True) if self.words else True
        actions = ("-print", "-print0", "-exec", "-delete", "-ok", "-ls")
        if result and not any(word in actions for word in self.words):
            self.sys.out(self.path + "\n")
        return self.prune

    def peek(self) -> str:
        return self.words[self.at] if self.at < len(self.words) else ""

    def either(self, live: bool) -> bool:
        result = self.both(live)
        while self.peek() in ("-o", "-or"):
            self.at += 1
            right = self.both(live and not result)
            result = result or right
        return result

    def both(self, live: bool) -> bool:
        result = self.one(live)
        while self.peek() and self.peek() not in ("-o", "-or", ")"):
            if self.peek() in ("-a", "-and"):
                self.at += 1
            right = self.one(live and result)
            result = result and right
        return result

    def take(self) -> str:
        word = self.peek()
        self.at += 1
        return word

    def one(self, live: bool) -> bool:
        word = self.take()
        inode = self.vnode.inode
        if word in ("!", "-not"):
            return not self.one(live)
        if word == "(":
            result = self.either(live)
            self.take()
            return result
        if word in ("-name", "-iname"):
            pattern, name = self.take(), self.path.rstrip("/").rsplit("/", 1)[-1] or "/"
            return patterns.matches(pattern.lower(), name.lower()) if word == "-iname" else patterns.matches(pattern, name)
        if word in ("-path", "-wholename"):
            return patterns.matches(self.take(), self.path)
        if word == "-type":
            return bool(inode["t"] in self.take())
        if word == "-empty":
            return not self.sys.names(self.vnode) if self.vnode.is_dir else filesystem.size(inode) == 0
        if word in ("-size", "-mtime", "-mmin"):
            return self.compare(word, self.take())
        if word == "-newer":
            other = self.sys.find(self.take())
            return other is not None and inode["mt"] > other.inode["mt"]
        if word == "-user":
            return bool(inode["u"] == number_of(self.sys, self.take()))
        if word == "-perm":
            text = self.take()
            want = int(text.lstrip("-/"), 8)
            return bool(
                inode["m"] & want == want
                if text[0] == "-"
                else inode["m"] & want
                if text[0] == "/"
                else inode["m"] & 0o7777 == want
            )
        if word in ("-print", "-print0"):
            if live:
                self.sys.out(self.path + ("\n" if word == "-print" else "\0"))
            return True
        if word == "-prune":
            self.prune = self.prune or live
            return True
        if word == "-delete":
            return not live or _remove(self.proc, self.sys, self.path, False, False) == 0
        if word == "-exec":
            command: list[str] = []
            while self.peek() not in (";", "+", ""):
                command.append(self.take())
            end = self.take()
            if live:
                if end == "+":
                    data = self.proc["data"]
                    files = data["many"][-1] if data["many"] else []
                    data["many"] = [*[part for part in command if part != "{}"], [*files, self.path]]
                else:
                    self.proc["data"]["after"].append([part.replace("{}", self.path) for part in command])
            return True
        if word in ("-follow", "-xdev", "-depth", "-L", "-true"):
            return True
        usage(self.proc, self.sys, f"unrecognized: {word}")
        return False

    def compare(self, word: str, text: str) -> bool:
        sign, digits = (text[0], text[1:]) if text[0] in "+-" else ("", text)
        inode = self.vnode.inode
        if word == "-size":
            unit = {"c": 1, "k": 1024, "M": 1 << 20, "G": 1 << 30, "b": 512}.get(digits[-1], 512)
            value = -(-filesystem.size(inode) // unit)
            digits = digits.rstrip("ckMGb")
        else:
            value = (self.sys.now - inode["mt"]) // (86_400_000 if word == "-mtime" else 60_000)
        wanted = int(digits)
        return value > wanted if sign == "+" else value < wanted if sign == "-" else value == wanted


@tool("du")
def du(proc: Process, sys: Sys, event: Event) -> int:
    flags, names = options(proc, sys, "ashkmcLHd:xlb", {"max-depth": "d", "summarize": "s"})
    most = 0 if "s" in flags else int(flags.get("d", 1 << 20))
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
            complain(proc, sys, f"{name}: {_why(sys, name)}")
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
            rows.append(("shm" if path == "/dev/shm" else "tmpfs", size, fs["used"], size - fs["used"], path))  # noqa: S108
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


@tool("dd")
def dd(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        given = dict(word.split("=", 1) for word in proc["argv"][1:] if "=" in word)
        try:
            size = count_of(given.get("bs", given.get("ibs", "512")))
            data.update(size=size, left=count_of(given["count"]) if "count" in given else -1, full=0, part=0, bytes=0,
                began=sys.now,
                        fd=sys.open(given["if"]) if "if" in given else 0, to=1, status=given.get("status", ""),
                        conv=given.get("conv", ""))  # fmt: skip
            if "of" in given:
                data["to"] = sys.open(given["of"], "rw" if "notrunc" in data["conv"] else "w")
        except ValueError:
            complain(proc, sys, "invalid number")
            return 1
        except Errno as error:
            complain(proc, sys, f"can't open '{given.get('if' if 'fd' not in data else 'of', '')}': {error.text}")
            return 1
        sys.allocate(size)
    source = sys.kernel.state["files"][proc["fds"][str(data["fd"])]]["kind"]
    status = 0
    while data["left"]:
        if source in ("zero", "random"):
            many = data["left"] if data["left"] > 0 else max(1, (64 << 20) // data["size"])
            many = min(many, max(1, (64 << 20) // data["size"]))
            written = sys.zeros(data["to"], many * data["size"])
            data["bytes"] += written
            data["full"] += written // data["size"]
            if data["left"] > 0:
                data["left"] -= many
            sys.charge(written // 2000)
            if written < many * data["size"]:
                complain(proc, sys, "write error: No space left on device")
                status = 1
                break
            sys.breathe()
            continue
        text = sys.read(data["fd"], data["size"])
        if not text:
            break
        size = len(raw(text))
        data["full" if size >= data["size"] else "part"] += 1
        data["bytes"] += size
        data["left"] -= 1
        try:
            sys.write(data["to"], text)
        except Errno as error:
            complain(proc, sys, f"write error: {error.text}")
            status = 1
            break
    seconds = max(0.000001, (sys.now - data["began"]) / 1000 + proc["debt"] / 1e6)
    if data["status"] not in ("none",):
        sys.err(f"{data['full']}+{data['part']} records in\n{data['full']}+{data['part']} records out\n")
        if data["status"] != "noxfer":
            rate = human(int(data["bytes"] / seconds))
            sys.err(f"{data['bytes']} bytes ({human(data['bytes'])}B) copied, {seconds:.6f} seconds, {rate}B/s\n")
    return status


@tool("tar")
def tar(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        words = list(proc["argv"][1:])
        if words and not words[0].startswith("-"):
            words[0] = "-" + words[0]
        proc["argv"] = [proc["argv"][0], *words]
        flags, names = options(
            proc, sys, "cxtvzf:C:mopkOhX:jJ", {"strip-components": "X", "no-same-permissions": "m", "no-same-owner": "o"}
        )
        data.update(flags="".join(flags), file=flags.get("f", "-"), names=names, verbose="v" in flags)
        if "C" in flags:
            sys.chdir(flags["C"])
        if "c" not in flags:
            begin(proc, [data["file"]])
    if "c" in data["flags"]:
        blocks: list[str] = []
        for name in data["names"]:
            for path in _tree(sys, name):
                found = sys.find(path, follow=False)
                if found is None:
                    complain(proc, sys, f"{path}: No such file or directory")
                    return 1
                blocks.append(_tar_entry(sys, path, found))
                if data["verbose"]:
                    (sys.err if data["file"] == "-" else sys.out)(path + ("/" if found.is_dir else "") + "\n")
        text = "".join(blocks) + "\0" * 1024
        sys.out(text) if data["file"] == "-" else sys.write_file(data["file"], text)
        return 0
    archive = raw(everything(proc, sys, "can't open '{}': {}")[0][1]) if proc["data"]["in"] else b""
    at = 0
    while at + 512 <= len(archive) and archive[at]:
        header = archive[at : at + 512]
        name = header[:100].rstrip(b"\0").decode("utf-8", "surrogateescape")
        prefix = header[345:500].rstrip(b"\0").decode("utf-8", "surrogateescape") if header[257:262] == b"ustar" else ""
        name = (prefix + "/" + name if prefix else name).lstrip("/")
        size = int(header[124:136].rstrip(b"\0 ") or b"0", 8)
        kind = chr(header[156])
        body = archive[at + 512 : at + 512 + size]
        at += 512 + -(-size // 512) * 512
        if kind in "xgL" or (
            data["names"] and not any(name.rstrip("/") == n or name.startswith(n.rstrip("/") + "/") for n in data["names"])
        ):
            continue
        if "t" in data["flags"] or data["verbose"]:
            sys.out(name + "\n")
        if "x" in data["flags"]:
            _tar_extract(proc, sys, name, kind, body.decode("utf-8", "surrogateescape"), header)
    return int(data["in"]["status"])


def _tar_entry(sys: Sys, path: str, vnode: Vnode) -> str:
    inode = vnode.inode
    body = raw(filesystem.content(inode)) if inode["t"] == "f" else b""
    name = path.lstrip("/") + ("/" if vnode.is_dir else "")
    kind = {"d": b"5", "l": b"2"}.get(inode["t"], b"0")
    link = raw(inode["to"]) if inode["t"] == "l" else b""
    head = (raw(name)[:100].ljust(100, b"\0") + b"%07o\0%07o\0%07o\0" % (inode["m"] & 0o7777, inode.get("u", 0), inode.get("g",
        0))
            + b"%011o\0%011o\0" % (len(body), inode["mt"] // 1000) + b" " * 8 + kind + link.ljust(100,
                b"\0") + b"ustar\x0000" + b"\0" * 247)  # fmt: skip
    head = head[:148] + b"%06o\0 " % sum(head) + head[156:]
    return (head + body + b"\0" * (-len(body) % 512)).decode("utf-8", "surrogateescape")


def _tar_extract(proc: Process, sys: Sys, name: str, kind: str, body: str, header: bytes) -> None:
    parts = name.rstrip("/").split("/")
    for end in range(1, len(parts)):
        if sys.find("/".join(parts[:end])) is None:
            sys.mkdir("/".join(parts[:end]))
    mode = int(header[100:108].rstrip(b"\0 ") or b"644", 8) & 0o7777
    target = name.rstrip("/")
    if kind == "5":
        if sys.find(target) is None:
            sys.mkdir(target)
    elif kind == "2":
        if sys.find(target, follow=False) is not None:
            sys.unlink(target)
        sys.symlink(header[157:257].rstrip(b"\0").decode(), target)
        return
    else:
        sys.write_file(target, body)
    sys.change(target, m=mode)
