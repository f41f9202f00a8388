"""File systems as plain data: a container's writable layer over its image, and volumes.

A file system is a dict: `{"kind", "limit", "used", "next", "inodes": {"1": root, ...}}`. An inode is a dict with
`t` (d directory, f file, l link, c device, p fifo), `m` mode, `u`/`g` owner, `mt` ms, and for a directory `e`: {name: inode
number, or None for a name deleted from the image below} and `low` when the image's directory shows through; for a file `s` its
text, `z` zero bytes that follow it (so a file of 500 MB of zeros costs nothing), `x` the program it runs, `sz` a binary's shown
size; `to` a link's target; `dev` a device's name. `n` counts names, `o` open descriptions: an inode lives until both are 0.

A file system that nothing has looked into yet is only the list `[maker, ...]` that makes it (see `made`): most of a Pod's are never used.

Content is str; bytes that are no UTF-8 are surrogate escapes. Positions count characters, sizes count bytes.
"""

from __future__ import annotations

from typing import Any

from .process import Data, Errno


def text_bytes(text: str) -> int:
    """Bytes of a content string."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))


def new_filesystem(kind: str, now: int, *, layer: bool = False, limit: int = 0, mode: int = 0o755) -> Data:
    """An empty file system (`layer`: its root shows the image through). `limit` bytes, 0: only the node's disk."""
    root: Data = {"t": "d", "m": mode, "u": 0, "g": 0, "mt": now, "n": 1, "e": {}}
    if layer:
        root["low"] = 1
    return {"kind": kind, "limit": limit, "used": 0, "next": 2, "inodes": {"1": root}}


def size(inode: Data) -> int:
    """Bytes that ls -l shows."""
    kind = inode["t"]
    if kind == "f":
        return int(inode["sz"]) if "sz" in inode else text_bytes(inode["s"]) + int(inode.get("z", 0))
    return 4096 if kind == "d" else len(inode["to"]) if kind == "l" else 0


def shown(vnode: Vnode) -> int:
    """As `size`, with a tmpfs's directories: 20 bytes for each entry (BOGO_DIRENT_SIZE, mm/shmem.c), . and .. among them."""
    if vnode.is_dir and vnode.fs["kind"] == "tmpfs":
        return 20 * (2 + len(vnode.inode["e"]))
    return size(vnode.inode)


def blocks(vnode: Vnode) -> int:
    """KiB that it takes: a tmpfs's directories none."""
    return 0 if vnode.is_dir and vnode.fs["kind"] == "tmpfs" else -(-size(vnode.inode) // 4096) * 4


def content(inode: Data) -> str:
    """A file's whole content. Zeros beyond 16 MiB are left out, as nothing sensible reads them all."""
    return str(inode["s"]) + "\0" * min(int(inode.get("z", 0)), 16 << 20)


class Vnode:
    """A file found by a path, for the length of one system call. Never stored."""

    __slots__ = ("_path", "fs", "fsid", "home", "ino", "inode", "lower", "name", "over", "parent", "read_only")

    def __init__(
        self,
        fsid: str,
        fs: Data,
        ino: str,
        inode: Data,
        lower: Data | None,
        parent: Vnode | None,
        name: str,
        path: str | None,
        read_only: bool,
    ) -> None:
        self.fsid, self.fs, self.ino, self.inode, self.lower = fsid, fs, ino, inode, lower
        self.parent, self.name, self._path, self.read_only = parent, name, path, read_only
        self.over: Any = None  # what a view mounts at paths below this directory (see View)
        self.home: Any = None  # the view it was found in, when that is not the looker's own (/proc/PID/root)

    @property
    def path(self) -> str:
        """Where it was found. Put together when somebody asks: on the way down a deep tree nobody does."""
        if self._path is None:
            names: list[str] = []
            above: Vnode | None = self
            while above is not None and above._path is None:
                names.append(above.name)
                above = above.parent
            base = above._path if above is not None and above._path is not None and above._path != "/" else ""
            self._path = base + "/" + "/".join(reversed(names))
        return self._path

    @property
    def is_dir(self) -> bool:
        return bool(self.inode["t"] == "d")

    def child(self, name: str) -> Vnode | None:
        """The entry of that name in this directory, or None."""
        lower: Data | None = None
        if self.lower is not None:
            lower = self.lower["e"].get(name)
        if self.ino:
            entries = self.inode["e"]
            if name in entries:
                ino = entries[name]
                if ino is None:
                    return None
                inode = self.fs["inodes"][ino]
                shows = lower if lower is not None and inode.get("low") else None
                return Vnode(self.fsid, self.fs, ino, inode, shows, self, name, None, self.read_only)
        if lower is None:
            return None
        return Vnode(self.fsid, self.fs, "", lower, lower if lower["t"] == "d" else None, self, name, None, self.read_only)

    def names(self) -> list[str]:
        """The directory's entries, sorted by name."""
        found = dict.fromkeys(self.lower["e"]) if self.lower is not None else {}
        if self.ino:
            for name, ino in self.inode["e"].items():
                if ino is None:
                    found.pop(name, None)
                else:
                    found[name] = None
        return sorted(found)

    def writable(self) -> None:
        """Makes this inode the layer's own (copy-up). Raises EROFS."""
        if self.read_only:
            raise Errno("EROFS")
        if self.ino:
            return
        if self.parent is None:
            raise LookupError
        self.parent.writable()
        known = self.parent.inode["e"].get(self.name)
        if known is not None:  # copied up meanwhile, by way of another Vnode of the same file
            self.ino, self.inode = known, self.fs["inodes"][known]
            return
        mine = {key: value for key, value in self.inode.items() if key != "e"}
        if mine["t"] == "d":
            mine.update(e={}, low=1)
        else:
            self.fs["used"] += size(mine)
        self.ino = _allocate(self.fs, mine)
        self.inode = mine
        self.parent.inode["e"][self.name] = self.ino

    def make(self, name: str, inode: Data, now: int) -> Vnode:
        """A new entry in this directory."""
        self.writable()
        inode["n"] = 1
        self.inode["e"][name] = _allocate(self.fs, inode)
        self.inode["mt"] = now
        made = self.child(name)
        if made is None:
            raise LookupError
        return made

    def link(self, name: str, target: Vnode, now: int) -> None:
        """One more name for `target` (a hard link) in this directory."""
        if target.fsid != self.fsid:
            raise Errno("EXDEV")
        self.writable()
        target.writable()
        target.inode["n"] += 1
        self.inode["e"][name] = target.ino
        self.inode["mt"] = now

    def unlink(self, name: str, now: int) -> None:
        """Removes a name; the inode goes with its last name and last open description."""
        self.writable()
        below = self.lower is not None and name in self.lower["e"]
        ino = self.inode["e"].pop(name, None)
        if below:
            self.inode["e"][name] = None
        self.inode["mt"] = now
        if ino is not None:
            inode = self.fs["inodes"][ino]
            inode["n"] -= 1
            release(self.fs, ino)


def _allocate(fs: Data, inode: Data) -> str:
    ino = str(fs["next"])
    fs["next"] += 1
    fs["inodes"][ino] = inode
    return ino


def release(fs: Data, ino: str) -> None:
    """Frees an inode (and what is below it) when it has neither a name nor an open description left."""
    inode = fs["inodes"].get(ino)
    if inode is None or inode["n"] > 0 or inode.get("o", 0) > 0:
        return
    del fs["inodes"][ino]
    if inode["t"] == "f":
        fs["used"] -= size(inode)
    elif inode["t"] == "d":
        for child in inode["e"].values():
            if child is not None:
                fs["inodes"][child]["n"] -= 1
                release(fs, child)


TEXT_HELD = 16 << 20
"""Characters other than trailing zeros that one file system keeps; more is a full disk. (A real one has gigabytes; here every character
is in the server's memory and in every checkpoint. Files of zeros may have any size.)"""


def text_held(fs: Data) -> int:
    return sum(len(inode["s"]) for inode in fs["inodes"].values() if inode["t"] == "f")


def room(fs: Data, more: int, disk_free: int) -> None:
    """Raises ENOSPC when `more` bytes do not fit."""
    if more > 0 and ((fs["limit"] and fs["used"] + more > fs["limit"]) or (fs["kind"] != "tmpfs" and more > disk_free)):
        raise Errno("ENOSPC")


def write_at(fs: Data, inode: Data, position: int, text: str, now: int, disk_free: int) -> int:
    """Writes at a character position (a hole becomes zeros); gives the position after it. Raises ENOSPC."""
    old = inode["s"]
    zeros = int(inode.get("z", 0))
    if position == len(old) + zeros and text.count("\0") == len(text):
        if write_zeros(fs, inode, len(text), now, disk_free) < len(text):
            raise Errno("ENOSPC")
        return position + len(text)
    if max(position, len(old) + (zeros if position != len(old) else 0)) + len(text) > TEXT_HELD:
        raise Errno("ENOSPC")
    if zeros:
        if position >= len(old) + zeros or position < len(old):
            old = content(inode)
            inode["z"] = 0
        else:
            old += "\0" * (position - len(old))
            inode["z"] = 0
    if position > len(old):
        old += "\0" * (position - len(old))
    new = old + text if position == len(old) else old[:position] + text + old[position + len(text) :]
    more = text_bytes(text) if position == len(old) and old is inode["s"] else text_bytes(new) - size(inode)
    room(fs, more, disk_free)
    if (len(new) >> 16 != len(inode["s"]) >> 16 or fs["next"] % 64 == 0) and text_held(fs) + len(new) - len(inode["s"]) > TEXT_HELD:
        raise Errno("ENOSPC")
    fs["used"] += more
    inode["s"] = new
    inode["mt"] = now
    inode.pop("x", None)
    inode.pop("sz", None)
    return position + len(text)


def write_zeros(fs: Data, inode: Data, count: int, now: int, disk_free: int) -> int:
    """Appends zero bytes, as many of `count` as fit; gives how many did."""
    limits = [count]
    if fs["limit"]:
        limits.append(fs["limit"] - fs["used"])
    if fs["kind"] != "tmpfs":
        limits.append(disk_free)
    fit = max(0, min(limits))
    inode["z"] = inode.get("z", 0) + fit
    fs["used"] += fit
    inode["mt"] = now
    return fit


def truncate(fs: Data, inode: Data, length: int, now: int) -> None:
    """Cuts or extends with zeros to `length` bytes."""
    before = size(inode)
    text = inode["s"]
    if length < text_bytes(text):
        inode["s"] = text.encode("utf-8", "surrogateescape")[:length].decode("utf-8", "surrogateescape")
        inode["z"] = 0
    else:
        inode["z"] = length - text_bytes(text)
    inode.pop("x", None)
    inode.pop("sz", None)
    inode["mt"] = now
    fs["used"] += length - before


def root_of(fsid: str, fs: Data, layer: Data | None) -> Vnode:
    """The root directory of a file system, mounted at "/" and open for writing."""
    return Vnode(fsid, fs, "1", fs["inodes"]["1"], layer, None, "", "/", False)


def count_inodes(fs: Data) -> int:
    """Inodes in use, the root included (what `df -i` counts)."""
    return len(fs["inodes"])


def content_length(inode: Data) -> int:
    """Characters of a file's content, zeros included: where appending writes."""
    return len(inode["s"]) + int(inode.get("z", 0))
