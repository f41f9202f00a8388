"""Volumes of a machine: made and refreshed by the kubelet, mounted into containers (node.py), kept as plain file systems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..times import rfc3339
from .filesystem import content, count_inodes, new_filesystem, release, root_of
from .filling import fill, kept, made, untouched_atomic, write_atomic
from .kernel import Kernel
from .process import Data

ATOMIC = ("configMap", "secret", "downwardAPI", "projected")  # all but the first lie in memory (wrappedVolumeSpec of each plugin)
"""Kinds that the kubelet writes with AtomicWriter (pkg/volume/util/atomic_writer.go): files are links through `..data`."""

HOSTS = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n"
"""A machine's own /etc/hosts."""
DIRECTORIES = (
    "bin boot dev etc/cni/net.d etc/kubernetes/manifests etc/kubernetes/pki etc/pki etc/ssl/certs home lib/modules lib64 media mnt opt/cni/bin proc "
    "root run/containerd sbin srv sys/fs/cgroup tmp usr/bin usr/lib usr/local usr/sbin usr/share/ca-certificates usr/share/zoneinfo usr/src "
    "var/cache var/lib/containerd var/lib/kubelet/device-plugins var/lib/kubelet/plugins var/lib/kubelet/plugins_registry var/lib/kubelet/pods "
    "var/log/containers var/log/pods var/run var/tmp"
)
"""Those of a machine that is a node (file-hierarchy(7), the kubelet's and containerd's own), so that a hostPath of type Directory finds them."""


class Volumes(Kernel):
    """What the kubelet does with volumes."""

    def filesystem(self, fsid: str) -> Data:
        """A file system by id, to be looked into by a process. Whoever only shows something uses `made`, which leaves no trace."""
        found: Data | list[Any] = self.state["filesystems"][fsid]
        if type(found) is dict:
            return found
        fs = self.state["filesystems"][fsid] = made(found, self.host.promised)
        return fs

    def in_memory(self, fsid: str) -> bool:
        """Is it a tmpfs?"""
        return bool(made(self.state["filesystems"][fsid], self.host.promised)["kind"] == "tmpfs")

    def create_volume(
        self, pod_uid: str, name: str, kind: str, *, files: Mapping[str, Any] | None = None, medium: str = "",
        size_limit: int = 0,
        share: str = "", path: str = "", read_only: bool = False, gid: int = 0,
    ) -> None:  # fmt: skip
        """Makes a volume of a Pod. `kind`: the name in the Pod's spec (emptyDir, configMap, hostPath, persistentVolumeClaim ...).
        `files`: {"a/b": content or {"content" (a list: what `Host.promised` makes of it), "mode"}}.
        `medium`: "Memory" for a tmpfs, on which `size_limit` bytes are enforced
        (on disk the kubelet evicts instead). `share`: id of a file system that outlives the Pod (a persistent volume), made when
        missing. hostPath: `path` in the machine's own file system, made when missing (`medium` "File": as an empty file). `gid`: fsGroup.
        Call it once; again, it
        changes nothing."""
        volumes = self.state["sandboxes"][pod_uid]["volumes"]
        if name in volumes:
            return
        now, filesystems, at = self.host.now, self.state["filesystems"], "1"
        if kind == "hostPath":
            fsid = "host"
            at = self.host_directory(path, last="f" if medium == "File" else "d")
        else:
            fsid = share or f"volume/{pod_uid}/{name}"
            memory = medium == "Memory" or kind in ATOMIC[1:]
            # a tmpfs's root begins as 1777, and the kubelet leaves what is open to all
            mode = (0o2777 if gid else 0o777) | (0o1000 if memory else 0)
            if fsid not in filesystems and kind in ATOMIC:
                where = "atomic" if memory else kind
                filesystems[fsid] = untouched_atomic(where, now, mode, gid, self._dated(pod_uid, name), files or {})
            elif fsid not in filesystems:
                limit = size_limit if medium == "Memory" or share else 0
                fs = filesystems[fsid] = new_filesystem("tmpfs" if medium == "Memory" else kind, now, limit=limit, mode=mode)
                fs["inodes"]["1"]["g"] = gid
                fill(fs, files or {}, now)
            elif kind in ATOMIC:
                write_atomic(self.filesystem(fsid), self._dated(pod_uid, name), kept(files or {}, self.host.promised), now)
        volumes[name] = {
            "fs": fsid,
            "at": at,
            "kind": kind,
            "own": not share and kind != "hostPath",
            "ro": read_only or kind in ATOMIC,
        }

    def volume_file(self, pod_uid: str, name: str, path: str) -> str | None:
        """The content of a regular file in a Pod's volume; None where there is none."""
        held = self.state["sandboxes"][pod_uid]["volumes"].get(name)
        if held is None:
            return None
        inodes = self.filesystem(held["fs"])["inodes"]
        inode = inodes[held["at"]]
        for part in [part for part in path.split("/") if part]:
            number = (inode.get("e") or {}).get(part)
            if number is None:
                return None
            inode = inodes[number]
        return content(inode) if inode["t"] == "f" else None

    def host_files(self, files: Mapping[str, str] | None = None) -> Data:
        """The machine's own file system, made when it is first looked at: /etc/hosts and the `files` that its keeper gives it."""
        fs = self.state["filesystems"].get("host")
        if fs is None:
            fs = self.state["filesystems"]["host"] = new_filesystem("host", self.host.now)
            fill(fs, {"etc/hosts": HOSTS, "etc/localtime": "TZif2", **(files or {})}, self.host.now)
            for path in DIRECTORIES.split():
                self.host_directory(path)
        found: Data = fs
        return found

    def host_directory(self, path: str, last: str = "d") -> str:
        """The inode number of a path of the machine itself, made with its parents when missing: a directory, `last` "f": a file."""
        where = root_of("host", self.host_files(), None)
        parts = [part for part in path.split("/") if part]
        for i, part in enumerate(parts):
            mode = 0o1777 if parts[:i + 1] in (["tmp"], ["var", "tmp"]) else 0o755
            inode = {"t": "d", "m": mode, "u": 0, "g": 0, "mt": self.host.now, "e": {}}
            if last == "f" and i == len(parts) - 1:
                inode = {"t": "f", "m": 0o644, "u": 0, "g": 0, "mt": self.host.now, "s": ""}
            where = where.child(part) or where.make(part, inode, self.host.now)
        return where.ino

    def _dated(self, pod_uid: str, name: str) -> str:
        """Name of a directory that AtomicWriter writes now: the second, and what os.MkdirTemp adds."""
        now = self.host.now
        stamp = rfc3339(now)[:19].replace("-", "_").replace("T", "_").replace(":", "_")
        return f"..{stamp}.{self.host.random.integer('volume', pod_uid, name, now, below=10**10):010d}"

    def update_volume(self, pod_uid: str, name: str, files: Mapping[str, Any]) -> None:
        """Replaces the content of a configMap-like volume (see `write_atomic`). A subPath mount keeps the old file, as in reality."""
        volume = self.state["sandboxes"][pod_uid]["volumes"][name]
        fs, now = self.filesystem(volume["fs"]), self.host.now
        write_atomic(fs, self._dated(pod_uid, name), kept(files, self.host.promised), now)
        self.changed(volume["fs"])
        self.run()

    def volume_usage(self, pod_uid: str, name: str) -> dict[str, int]:
        """{"bytes", "files" (inodes)} of a volume."""
        fs = made(self.state["filesystems"][self.state["sandboxes"][pod_uid]["volumes"][name]["fs"]], self.host.promised)
        return {"bytes": fs["used"], "files": count_inodes(fs)}

    def volume_files(self, pod_uid: str, name: str) -> list[str]:
        """Paths of the files in a volume, sorted; the links of a configMap-like volume, not what is behind them. For the
        diagram."""
        volume = self.state["sandboxes"][pod_uid]["volumes"][name]
        fs = made(self.state["filesystems"][volume["fs"]], self.host.promised)
        found: list[str] = []
        todo = [("", fs["inodes"][volume["at"]])]
        while todo:
            prefix, inode = todo.pop()
            for entry, ino in inode["e"].items():
                child = fs["inodes"][ino]
                if entry.startswith("..") and not prefix:
                    continue
                if child["t"] == "d":
                    todo.append((prefix + entry + "/", child))
                else:
                    found.append(prefix + entry)
        return sorted(found)

    def remove_volumes(self, pod_uid: str) -> None:
        """Forgets the Pod's volumes; shared ones stay."""
        for volume in self.state["sandboxes"][pod_uid]["volumes"].values():
            if volume["own"]:
                self.state["filesystems"].pop(volume["fs"], None)

    def unmount(self, mount: Data) -> None:
        """A container that had this mount is gone. A root that is mounted is not counted: it goes with its file system."""
        fs = self.state["filesystems"].get(mount["fs"])
        if mount["at"] == "1" or type(fs) is not dict:
            return
        inode = fs["inodes"].get(mount["at"])
        if inode and "o" in inode:
            inode["o"] -= 1
            release(fs, mount["at"])

    def detach(self, share: str) -> Data:
        """Takes a shared file system off this machine, to be given to another with `attach`."""
        found: Data = self.state["filesystems"].pop(share)
        return found

    def attach_filesystem(self, share: str, fs: Data) -> None:
        """Puts a shared file system on this machine."""
        self.state["filesystems"][share] = fs
