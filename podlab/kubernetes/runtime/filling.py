"""File systems as they are before a process writes: an image's layer, a Pod's /etc and /dev/shm, the files that the kubelet puts in a volume."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..objects import Map, memo
from .filesystem import new_filesystem, root_of, text_bytes
from .image import Entry, Tree
from .process import Data

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


def untouched_shm(now: int) -> list[Any]:
    """The shared memory of a Pod."""
    return ["shm", now]


def untouched_etc(now: int, hosts: str, ip: str, names: str, hostname: str, resolv_conf: str) -> list[Any]:
    """The files that the kubelet makes for each Pod's /etc. `hosts`: a text of its own, else `ip` and `names` make the usual one."""
    return ["etc", now, hosts, ip, names, hostname, resolv_conf]


def untouched_atomic(kind: str, now: int, mode: int, gid: int, dated: str, files: Mapping[str, Any]) -> list[Any]:
    """A configMap-like volume as it is first written, on a disk ("configMap") or a tmpfs ("atomic"); all volumes of the same files share
    them."""
    common, texts = memo(files, "untouched", _untouched) if isinstance(files, Map) else _untouched(files)
    return [kind, now, mode, gid, dated, common, texts]


def _untouched(files: Mapping[str, Any]) -> tuple[int | dict[str, Any], list[str]]:
    """(the mode that all have, each path and its text), else (the files, nothing)."""
    items = [(path, item if isinstance(item, Mapping) else {"content": item}) for path, item in files.items()]
    modes = {int(item.get("mode", 0o644)) for _, item in items}
    if len(modes) == 1 and all(item.keys() <= {"content", "mode"} for _, item in items):
        return modes.pop(), [text for path, item in items for text in (path, item.get("content", ""))]
    return dict(files), []


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
    new = new_filesystem("tmpfs" if kind == "atomic" else kind, now, mode=mode)
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
    root = root_of("", fs, None)
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


READ_GROUP, DIRECTORY_GROUP = 0o440, 0o2550
"""roMask; execMask and set-group-ID with it (volume_linux.go)."""


def fill(fs: Data, files: Mapping[str, Any], now: int) -> None:
    """Writes volume files: {"a/b.txt": content or {"content", "mode", "link", "uid"}} (relative paths; parents are made). In a volume that
    has a group (fsGroup) all of them are its, and it may read them (SetVolumeOwnership, pkg/volume/volume_linux.go)."""
    root = root_of("", fs, None)
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
