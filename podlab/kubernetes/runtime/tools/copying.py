"""cp, mv and ln: a file in a second place, or in another."""

from __future__ import annotations

from ..process import Errno, Process
from ..program import Event, tool
from ..system import Sys
from .common import complain, options, usage
from .files import remove


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
