"""chmod and chown: what a file may be used for, and whose it is."""

from __future__ import annotations

import re

from ..process import Errno, Process
from ..program import Event, tool
from ..system import Sys
from .common import complain, options, usage
from .listing import number_of


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
