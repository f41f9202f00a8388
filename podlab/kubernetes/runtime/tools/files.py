"""Tools on files: ls, cp, mv, rm, mkdir, ln, chmod, stat, find, du, df, dd, tar and the like."""

from __future__ import annotations

import re

from ..process import Errno, Process
from ..program import Event, tool
from ..system import Sys
from .common import complain, options, usage
from .listing import number_of, why
from .text import count_of


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
        status |= remove(proc, sys, name, recursive, "f" in flags)
    return status


def remove(proc: Process, sys: Sys, name: str, recursive: bool, force: bool) -> int:
    found = sys.find(name, follow=False)
    if found is None:
        if not force:
            complain(proc, sys, f"can't remove '{name}': {why(sys, name)}")
            return 1
        return 0
    try:
        if found.is_dir:
            if not recursive:
                complain(proc, sys, f"'{name}' is a directory")
                return 1
            status = 0
            for entry in sys.names(found):
                status |= remove(proc, sys, name.rstrip("/") + "/" + entry, True, force)
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
                failed = copy(proc, sys, source, target, "rap") or remove(proc, sys, source, True, False)
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
            complain(proc, sys, f"{source if error.name == 'ENOENT' and sys.find(source) is None else path}: {error.text}")
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


def tree(sys: Sys, path: str) -> list[str]:
    found = sys.find(path, follow=False)
    if found is None or not found.is_dir:
        return [path]
    return [path] + [inner for name in sys.names(found) for inner in tree(sys, path.rstrip("/") + "/" + name)]


@tool("chmod")
def chmod(proc: Process, sys: Sys, event: Event) -> int:
    words = proc["argv"][1:]
    recursive = bool(words) and words[0] in ("-R", "-Rf")
    words = [word for word in words if word not in ("-R", "-v", "-f", "-c", "-Rf")]
    if len(words) < 2:
        usage(proc, sys, "")
    status = 0
    for name in words[1:]:
        for path in tree(sys, name) if recursive else [name]:
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
        for path in tree(sys, name) if "R" in flags else [name]:
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
