"""Mounting a Pod's volumes in a container, and making the directories and files that a container must find."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .container_status import StartError
from .filesystem import Vnode
from .kernel import Kernel
from .process import Data, Errno

PODS = "/var/lib/kubelet/pods"
PLUGINS = {"emptyDir": "empty-dir", "configMap": "configmap", "secret": "secret", "projected": "projected", "downwardAPI": "downward-api"}
TERMINATION_LOG = "/dev/termination-log"


def _clean(path: str) -> str:
    return "/" + "/".join(part for part in path.split("/") if part and part != ".")


def _unfit(path: str, source: str, error: Errno) -> str:
    """runc's words for a mount that cannot be made (libcontainer/rootfs_linux.go)."""
    if path.startswith("/proc/"):
        why = f'check proc-safety of {path} mount: "{path}" cannot be mounted because it is inside /proc'
    elif error.name != "ENOTDIR":
        why = f'create mountpoint for {path} mount: make mountpoint "{path}": mkdirat {path}: {error.text.lower()}'
    else:
        why = f"mount src={source}, dst={path}, dstFd=/proc/thread-self/fd/11, flags=MS_BIND|MS_REC: {error.text.lower()}"
    return f'error mounting "{source}" to rootfs at "{path}": {why}'


class Mounts(Kernel):
    """A container's mount points, and what is made in its own layer before it starts."""

    def furnish(self, container: Data, mounts: Iterable[Mapping[str, Any]], termination_path: str) -> None:
        """What runc makes of a container's root before its first process. What it cannot make is told when the container is started:
        container["unfit"]. Raises StartError where a volume is not there."""
        for number, mount in enumerate(mounts):
            try:
                self.add_mount(container, mount)
            except Errno as error:
                container.setdefault("unfit", _unfit(_clean(mount["path"]), self._source(container, mount, number), error))
        try:
            self.make_directory(container, container["cwd"])
        except Errno as error:
            container.setdefault("unfit", f"mkdir {container['cwd']}: {error.text.lower()}")
        if termination_path != TERMINATION_LOG:
            try:
                self.make_file(container, termination_path)
            except Errno as error:
                source = f"{PODS}/{container['pod']}/containers/{container['name']}/{container['id'][-8:]}"
                container.setdefault("unfit", _unfit(_clean(termination_path), source, error))

    def _source(self, container: Data, mount: Mapping[str, Any], number: int) -> str:
        """Where on the node lies what is mounted."""
        held = self.state["sandboxes"][container["pod"]]["volumes"][mount["volume"]]
        if mount.get("sub_path"):
            return f"{PODS}/{container['pod']}/volume-subpaths/{mount['volume']}/{container['name']}/{number}"
        return f"{PODS}/{container['pod']}/volumes/kubernetes.io~{PLUGINS.get(held['kind'], 'host-path')}/{mount['volume']}"

    def make_directory(self, container: Data, path: str) -> None:
        where = self.view(container["id"]).root
        view = self.view(container["id"])
        for part in [part for part in path.split("/") if part]:
            found = view.child(where, part, None)
            while found is not None and found.inode["t"] == "l":
                found = view.resolve(found.path)
            if found is None:
                found = where.make(part, {"t": "d", "m": 0o755, "u": 0, "g": 0, "mt": self.host.now, "e": {}}, self.host.now)
            elif not found.is_dir:
                raise Errno("ENOTDIR")
            where = found

    def make_file(self, container: Data, path: str) -> None:
        directory, _, name = path.rpartition("/")
        self.make_directory(container, directory)
        where = self.view(container["id"]).resolve(directory or "/")
        found = self.view(container["id"]).child(where, name, None)
        if found is not None and found.is_dir:
            raise Errno("ENOTDIR")
        if found is None:
            where.make(name, {"t": "f", "m": 0o666, "u": 0, "g": 0, "mt": self.host.now, "s": ""}, self.host.now)

    def add_mount(self, container: Data, mount: Mapping[str, Any]) -> None:
        """Mounts a volume of the Pod: {"path", "volume", "sub_path", "read_only"}."""
        path = _clean(mount["path"])
        volume = self.state["sandboxes"][container["pod"]]["volumes"].get(mount["volume"])
        if volume is None:
            raise StartError(f'failed to prepare volume "{mount["volume"]}"', reason="CreateContainerConfigError")
        parts = [part for part in str(mount.get("sub_path") or "").split("/") if part]
        at, directory = volume["at"], True
        if volume["at"] != "1":
            directory = self.filesystem(volume["fs"])["inodes"][at]["t"] == "d"
        if parts:
            fs = self.filesystem(volume["fs"])
            root = fs["inodes"][volume["at"]]
            where = Vnode(volume["fs"], fs, volume["at"], root, None, None, "", "/", False)
            for part in parts:
                where = self._step(where, part, root)
            at, directory = where.ino, where.is_dir
        place = self._mount_point(container, path, directory)
        if at != "1":
            inode = self.filesystem(volume["fs"])["inodes"][at]
            inode["o"] = inode.get("o", 0) + 1
        view = self.view(container["id"])
        container["mounts"][place] = {
            "fs": volume["fs"], "at": at, "ro": bool(mount.get("read_only")) or volume["ro"]}
        view.remount(place)

    def _mount_point(self, container: Data, path: str, directory: bool) -> str:
        """Where a mount at `path` really is, links followed. In the container's own layer its place need not be made: a view shows the
        directories above a mount. In another volume runc makes it."""
        view = self.view(container["id"])
        here, todo = view.root, path.split("/")[1:]
        for index, part in enumerate(todo):
            found = view.child(here, part, None)
            while found is not None and found.inode["t"] == "l":
                found = view.resolve(found.path)
            if found is None:
                if here.fsid == container["fs"]:
                    return "/".join([here.path.rstrip("/"), *todo[index:]])
                self.make_directory(container, path) if directory else self.make_file(container, path)
                return view.resolve(path).path
            here = found
        if here.is_dir != directory:
            raise Errno("ENOTDIR")
        return here.path

    def _step(self, where: Vnode, part: str, root: Data) -> Vnode:
        """One step of a subPath. A directory that is missing gets the mode of the volume's own (doSafeMakeDir, pkg/volume/util/subpath);
        below a directory with the set-group-ID bit it has that one's group."""
        found = where.child(part)
        if found is not None and found.inode["t"] == "l":
            target = where
            for piece in str(found.inode["to"]).split("/"):
                target = self._step(target, piece, root)
            return target
        if found is not None:
            return found
        group = where.inode["g"] if where.inode["m"] & 0o2000 else 0
        return where.make(part, {"t": "d", "m": root["m"], "u": 0, "g": group, "mt": self.host.now, "e": {}}, self.host.now)
