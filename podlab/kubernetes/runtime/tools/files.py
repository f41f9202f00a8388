"""Tools on files by name: touch, mkdir, rmdir, rm, unlink, basename, readlink, mktemp, mkfifo, truncate and the like."""

from __future__ import annotations

import re
from datetime import UTC

from ..file_calls import DEEP
from ..process import Errno, Process
from ..program import Event, tool
from ..system import Sys
from .common import complain, options, usage
from .listing import why
from .machine import time_given
from .text import count_of


@tool("touch")
def touch(proc: Process, sys: Sys, event: Event) -> int:
    flags, names = options(proc, sys, "cmahd:t:r:", {"no-create": "c", "date": "d", "reference": "r"})
    if not names:
        usage(proc, sys, "")
    status, at = 0, sys.now
    if "d" in flags or "r" in flags:
        other = sys.find(flags["r"]) if "r" in flags else None
        given = other.inode["mt"] if other is not None else time_given(flags.get("d", ""), sys.now, UTC)
        if given is None:
            complain(proc, sys, f"invalid date '{flags['d']}'" if "d" in flags else f"{flags['r']}: No such file or directory")
            return 1
        at = given
    for name in names:
        try:
            found = sys.find(name)
            if found is None and "c" not in flags:
                sys.close(sys.open(name, "a"))
            if found is not None or ("c" not in flags and at != sys.now):
                sys.change(name, mt=at)
        except Errno as error:
            complain(proc, sys, f"{name}: {error.text}")
            status = 1
    return status


def _not_too_long(sys: Sys, name: str) -> None:
    """Raises ENAMETOOLONG at once, instead of after thousands of directories."""
    try:
        sys.look(name)
    except Errno as error:
        if error.name == "ENAMETOOLONG":
            raise


@tool("mkdir")
def mkdir(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        flags, names = options(proc, sys, "pvm:", {"parents": "p", "mode": "m"})
        data.update(flags=flags, names=names, end=1, status=0)
    flags, names = data["flags"], data["names"]
    if not re.fullmatch("[0-7]{1,4}", flags.get("m", "777")):
        raise Errno(f"invalid mode '{flags['m']}'")
    mode = int(flags.get("m", "777"), 8)
    while names:
        name = names[0]
        try:
            if "p" not in flags:
                sys.mkdir(name, mode)
            parts = name.rstrip("/").split("/") if "p" in flags else []
            if len(parts) > DEEP and data["end"] == 1:
                _not_too_long(sys, name)
            for end in range(data["end"], len(parts) + 1):
                data["end"] = end  # here it goes on when it had to wait
                sys.breathe()
                part = "/".join(parts[:end])
                if (
                    part
                    and part not in (".", "..")
                    and ((found := sys.find(part)) is None or (end == len(parts) and not found.is_dir))
                ):
                    sys.mkdir(part, mode if end == len(parts) else 0o777)
        except Errno as error:
            complain(proc, sys, f"can't create directory '{name}': {error.text}")
            data["status"] = 1
        names.pop(0)
        data["end"] = 1
    return int(data["status"])


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
        template = (flags.get("p") or proc["env"].get("TMPDIR") or "/tmp").rstrip("/") + "/" + template
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
