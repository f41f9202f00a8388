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

from collections.abc import Callable, Mapping
from typing import Any

from .image import Entry, Tree
from .process import Data, Errno

BUILT = 1_684_108_800_000
"""Modification time of image files, 2023-05-15 (about when busybox 1.36.1 was built)."""

BASE: Tree = {
    "dev": {
        "core": Entry(link="/proc/kcore"), "fd": Entry(link="/proc/self/fd"), "stdin": Entry(link="/proc/self/fd/0"),
        "stdout": Entry(link="/proc/self/fd/1"), "stderr": Entry(link="/proc/self/fd/2"), "ptmx": Entry(link="pts/ptmx"),
        "shm": Entry(mode=0o1777, children={}), "pts": {}, "mqueue": Entry(mode=0o1777, children={}),
        "termination-log": Entry(mode=0o666),
    },
    "etc": {"hosts": "", "hostname": "", "resolv.conf": ""},
    "proc": Entry(mode=0o555, children={}), "sys": Entry(mode=0o555, children={}),
    "tmp": Entry(mode=0o1777, children={}), "var": {"run": {}}, "root": Entry(mode=0o700, children={}),
}  # fmt: skip
"""What every container's root has before its image (runc and containerd make these)."""
DEVICES = ("full", "null", "random", "tty", "urandom", "zero")

_layers: dict[int, tuple[Any, Data]] = {}  # by the id of the tree, which is kept so that it stays unique


def text_bytes(text: str) -> int:
    """Bytes of a content string."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))


def image_layer(tree: Tree) -> Data:
    """The immutable root inode of an image: directories hold their children themselves. Built once a tree."""
    known = _layers.get(id(tree))
    if known is None:
        root = _merge(_lower(BASE), _lower(tree))
        for device in DEVICES:
            root["e"]["dev"]["e"][device] = {"t": "c", "m": 0o666, "u": 0, "g": 0, "mt": BUILT, "n": 1, "dev": device}
        known = _layers[id(tree)] = (tree, root)
    return known[1]


def _lower(item: Any) -> Data:
    if isinstance(item, str):
        return {"t": "f", "m": 0o644, "u": 0, "g": 0, "mt": BUILT, "n": 1, "s": item}
    if isinstance(item, Mapping):
        return {
            "t": "d",
            "m": 0o755,
            "u": 0,
            "g": 0,
            "mt": BUILT,
            "n": 1,
            "e": {name: _lower(child) for name, child in item.items()},
        }
    if item.children is not None:
        node = _lower(item.children)
    elif item.link:
        node = {"t": "l", "m": 0o777, "mt": BUILT, "n": 1, "to": item.link}
    else:
        node = _lower(item.content)
        if item.program:
            node.update(m=0o755, x=item.program, sz=item.size or 1_131_168)
        elif item.size:
            node["sz"] = item.size
    if item.mode is not None:
        node["m"] = item.mode
    return {**node, "u": item.uid, "g": item.gid}


def _merge(base: Data, over: Data) -> Data:
    if base["t"] != "d" or over["t"] != "d":
        return over
    entries = dict(base["e"])
    for name, child in over["e"].items():
        entries[name] = _merge(entries[name], child) if name in entries else child
    return {**over, "e": entries}


def new_filesystem(kind: str, now: int, *, layer: bool = False, limit: int = 0, mode: int = 0o755) -> Data:
    """An empty file system (`layer`: its root shows the image through). `limit` bytes, 0: only the node's disk."""
    root: Data = {"t": "d", "m": mode, "u": 0, "g": 0, "mt": now, "n": 1, "e": {}}
    if layer:
        root["low"] = 1
    return {"kind": kind, "limit": limit, "used": 0, "next": 2, "inodes": {"1": root}}


def untouched_shm(now: int) -> list[Any]:
    """The shared memory of a Pod."""
    return ["shm", now]


def untouched_etc(now: int, hosts: str, ip: str, names: str, hostname: str, resolv_conf: str) -> list[Any]:
    """The files that the kubelet makes for each Pod's /etc. `hosts`: a text of its own, else `ip` and `names` make the usual one."""
    return ["etc", now, hosts, ip, names, hostname, resolv_conf]


def untouched_atomic(now: int, mode: int, gid: int, dated: str, files: Mapping[str, Any]) -> list[Any]:
    """A configMap-like volume as it is first written."""
    items = [(path, item if isinstance(item, Mapping) else {"content": item}) for path, item in files.items()]
    modes = {int(item.get("mode", 0o644)) for _, item in items}
    if len(modes) == 1 and all(item.keys() <= {"content", "mode"} for _, item in items):
        return ["atomic", now, mode, gid, dated, modes.pop(), [text for path, item in items for text in (path, item.get("content", ""))]]
    return ["atomic", now, mode, gid, dated, dict(files), []]


def made(fs: Any, promised: Callable[[list[Any]], str]) -> Data:
    """A file system to look into: what an untouched one comes to, any other as it is. `promised`: see Host."""
    if type(fs) is not list:
        found: Data = fs
        return found
    kind, now, *rest = fs
    if kind == "shm":
        return new_filesystem("tmpfs", now, limit=64 << 20, mode=0o1777)
    if kind == "etc":
        hosts, ip, names, hostname, resolv_conf = rest
        new = new_filesystem("etc", now)
        fill(new, {"hosts": hosts or HOSTS.format(ip=ip, names=names), "hostname": hostname + "\n", "resolv.conf": resolv_conf}, now)
        return new
    mode, gid, dated, common, texts = rest
    new = new_filesystem("tmpfs", now, mode=mode)
    new["inodes"]["1"]["g"] = gid
    files = common
    if isinstance(common, int):
        files = {path: {"content": text, "mode": common} for path, text in zip(texts[::2], texts[1::2], strict=True)}
    write_atomic(new, dated, kept(files, promised), now)
    return new


def kept(files: Mapping[str, Any], promised: Callable[[list[Any]], str]) -> Mapping[str, Any]:
    """Volume files with the texts of those that were only promised."""
    return {path: {**item, "content": promised(item["content"])} if isinstance(item, Mapping) and isinstance(item.get("content"), list) else item
            for path, item in files.items()}


HOSTS = ("# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\n"
         "fe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n{ip}\t{names}\n")
"""managedHostsFileContent, pkg/kubelet/kubelet_pods.go."""


def write_atomic(fs: Data, dated: str, files: Mapping[str, Any], now: int) -> None:
    """Replaces the content of a configMap-like volume at one stroke, as AtomicWriter does: a new directory `dated`, then `..data` points
    to it, then what is no longer wanted goes."""
    root = root_of("", fs, None, "/", False)
    data = root.child("..data")
    old = str(data.inode["to"]) if data is not None else ""
    fill(fs, {f"{dated}/{path}": item for path, item in files.items()}, now)
    if not files:
        root.make(dated, {"t": "d", "m": 0o755, "u": 0, "g": int(fs["inodes"]["1"]["g"]), "mt": now, "e": {}}, now)
    wanted = {path.split("/")[0] for path in files}
    for entry in root.names():
        if not entry.startswith("..") and entry not in wanted:
            root.unlink(entry, now)
    if data is not None:
        root.unlink("..data", now)
    fill(fs, {"..data": {"link": dated}}, now)
    fill(fs, {entry: {"link": f"..data/{entry}"} for entry in sorted(wanted) if root.child(entry) is None}, now)
    if old and old != dated:
        root.unlink(old, now)


def size(inode: Data) -> int:
    """Bytes that ls -l shows."""
    kind = inode["t"]
    if kind == "f":
        return int(inode["sz"]) if "sz" in inode else text_bytes(inode["s"]) + int(inode.get("z", 0))
    return 4096 if kind == "d" else len(inode["to"]) if kind == "l" else 0


def content(inode: Data) -> str:
    """A file's whole content. Zeros beyond 16 MiB are left out, as nothing sensible reads them all."""
    return str(inode["s"]) + "\0" * min(int(inode.get("z", 0)), 16 << 20)


class Vnode:
    """A file found by a path, for the length of one system call. Never stored."""

    __slots__ = ("fs", "fsid", "home", "ino", "inode", "lower", "name", "parent", "path", "read_only")

    def __init__(
        self,
        fsid: str,
        fs: Data,
        ino: str,
        inode: Data,
        lower: Data | None,
        parent: Vnode | None,
        name: str,
        path: str,
        read_only: bool,
    ) -> None:
        self.fsid, self.fs, self.ino, self.inode, self.lower = fsid, fs, ino, inode, lower
        self.parent, self.name, self.path, self.read_only = parent, name, path, read_only
        self.home: Any = None  # the view it was found in, when that is not the looker's own (/proc/PID/root)

    @property
    def is_dir(self) -> bool:
        return bool(self.inode["t"] == "d")

    def child(self, name: str) -> Vnode | None:
        """The entry of that name in this directory, or None."""
        path = (self.path if self.path != "/" else "") + "/" + name
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
                return Vnode(self.fsid, self.fs, ino, inode, shows, self, name, path, self.read_only)
        if lower is None:
            return None
        return Vnode(self.fsid, self.fs, "", lower, lower if lower["t"] == "d" else None, self, name, path, self.read_only)

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


def root_of(fsid: str, fs: Data, layer: Data | None, path: str, read_only: bool) -> Vnode:
    """The root directory of a file system, mounted at `path`."""
    return Vnode(fsid, fs, "1", fs["inodes"]["1"], layer, None, "", path, read_only)


READ_GROUP, DIRECTORY_GROUP = 0o440, 0o2550
"""roMask; execMask and set-group-ID with it (volume_linux.go)."""


def fill(fs: Data, files: Mapping[str, Any], now: int) -> None:
    """Writes volume files: {"a/b.txt": content or {"content", "mode", "link", "uid"}} (relative paths; parents are made). In a volume that
    has a group (fsGroup) all of them are its, and it may read them (SetVolumeOwnership, pkg/volume/volume_linux.go)."""
    root = root_of("", fs, None, "/", False)
    group = int(fs["inodes"]["1"]["g"])
    plus, directory = (READ_GROUP, 0o755 | DIRECTORY_GROUP) if group else (0, 0o755)
    for name, item in files.items():
        where = root
        *parents, last = name.split("/")
        for part in parents:
            where = where.child(part) or where.make(part, {"t": "d", "m": directory, "u": 0, "g": group, "mt": now, "e": {}}, now)
        detail = item if isinstance(item, Mapping) else {"content": item}
        if where.child(last) is not None:
            where.unlink(last, now)
        owner = {"u": int(detail.get("uid", 0)), "g": int(detail.get("gid", group)), "mt": now}
        if "link" in detail:
            where.make(last, {"t": "l", "m": 0o777, "to": detail["link"], **owner}, now)
        else:
            text = str(detail.get("content", ""))
            where.make(last, {"t": "f", "m": int(detail.get("mode", 0o644)) | plus, "s": text, **owner}, now)
            fs["used"] += text_bytes(text)


def count_inodes(fs: Data) -> int:
    """Inodes in use, the root included (what `df -i` counts)."""
    return len(fs["inodes"])


def content_length(inode: Data) -> int:
    """Characters of a file's content, zeros included: where appending writes."""
    return len(inode["s"]) + int(inode.get("z", 0))
