"""The file system as one container sees it: its root, what is mounted over it, links followed, permissions asked.

A `View` is derived from the container's data and holds nothing that lasts.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from . import procfs
from .filesystem import Vnode, root_of, text_bytes
from .process import Data, Errno, Process

if TYPE_CHECKING:
    from .kernel import Kernel

MAX_LINKS = 40
"""Symbolic links followed in one look-up (MAXSYMLINKS, include/linux/namei.h)."""
PATH_MAX, NAME_MAX = 4096, 255
"""Bytes of a path, its end included, and of one name (include/uapi/linux/limits.h). Here the working directory counts as part of the path."""
READ, WRITE, EXECUTE = 4, 2, 1
OWN_FILES = "/proc/self/fd/"


FEW_MOUNTS = 64  # the tables of so few are shared among containers; with thousands, making them anew for each mount takes seconds


@lru_cache(maxsize=1024)
def _above(mounts: tuple[str, ...]) -> tuple[frozenset[str], Data]:
    """(directories that exist only because something is mounted below them, the names on the mounts' paths as a tree of dicts)."""
    above, tree = set[str](), Data()
    for path in mounts:
        parts, here = path.split("/"), tree
        above.update("/".join(parts[:end]) for end in range(2, len(parts)))
        for part in parts[1:]:
            here = here.setdefault(part, {})
    return frozenset(above), tree


def _with(above: frozenset[str], tree: Data, path: str) -> tuple[frozenset[str], Data]:
    """The same with one mount more; what others may share is not touched."""
    parts = path.split("/")
    whole = here = {**tree}
    for part in parts[1:]:
        here[part] = here = {**here.get(part, {})}
    return above | {"/".join(parts[:end]) for end in range(2, len(parts))}, whole


class View:
    """One container's mount namespace. `mounts`: path -> {"fs": file system id, "at": inode number, "ro": bool}."""

    def __init__(self, kernel: Kernel, container: Data, layer: Data) -> None:
        self.kernel, self.container = kernel, container
        self.mounts: dict[str, Data] = container["mounts"]
        fsid = container["fs"]
        self.root = root_of(fsid, kernel.filesystem(fsid), layer)
        self.root.read_only = bool(container.get("read_only_root"))
        self.commands: dict[tuple[str, str, int], str] = {}  # what $PATH look-ups found; emptied when the layer changes
        self.shared: dict[tuple[str, str, int], str] = layer.setdefault("commands", {})  # the same for the image as it came
        self.read: dict[str, Any] = layer.setdefault("read", {})  # what programs made of files of the image as it came (see `as_came`)
        self.above: frozenset[str] = frozenset()  # see `_above`
        self.remount()

    def remount(self, added: str = "") -> None:
        """The container's mounts have changed, by the one at `added` if given."""
        if added and len(self.mounts) > FEW_MOUNTS:
            self.above, self.root.over = _with(self.above, self.root.over, added)
        else:
            self.above, self.root.over = _above(tuple(self.mounts))

    def _mounted(self, path: str, parent: Vnode | None, name: str) -> Vnode | None:
        mount = self.mounts.get(path)
        if mount is None:
            return None
        if mount["fs"] in ("proc", "sys"):
            directory = {**procfs.DIRECTORY, "mt": self.kernel.state["booted"]}
            return Vnode(mount["fs"], procfs.FS, "", directory, None, parent, name, path, True)
        fs = self.kernel.filesystem(mount["fs"])
        inode = fs["inodes"].get(mount["at"])
        if inode is None:
            return None
        return Vnode(mount["fs"], fs, mount["at"], inode, None, parent, name, path, bool(mount["ro"]))

    def untouched(self, search: str) -> bool:
        """Do the directories of a $PATH show nothing but the image?"""
        own = self.root.inode["e"] if self.root.ino else {}
        return all(
            directory.startswith("/") and (top := directory.split("/")[1]) not in own and top not in self.root.over
            for directory in search.split(":")
        )

    def as_came(self, folder: str) -> bool:
        """Does a directory show nothing but the image, all that is below it included?"""
        own = self.root.inode["e"] if self.root.ino else {}
        if folder.split("/")[1] in own:
            return False
        return not any(path == folder or path.startswith(folder + "/") or folder.startswith(path + "/") for path in self.mounts)

    def child(self, directory: Vnode, name: str, proc: Process | None) -> Vnode | None:
        """An entry of a directory, mounts and /proc included."""
        home = directory.home
        if home is not None and home is not self:
            there: Vnode | None = home.child(directory, name, proc)
            if there is not None:
                there.home = home
            return there
        over = directory.over
        below = over.get(name) if over else None
        if below is None and directory.fs is not procfs.FS:
            return directory.child(name)
        path = (directory.path if directory.path != "/" else "") + "/" + name
        if path in self.mounts:
            mounted = self._mounted(path, directory, name)
            if mounted is not None:
                mounted.over = below
            return mounted
        if directory.fs is procfs.FS:
            inode = procfs.look_up(self.kernel, self.container, proc, path)
            if inode is None:
                return None
            inode = {**inode, "mt": self.kernel.host.now}
            return Vnode(directory.fsid, procfs.FS, "", inode, None, directory, name, path, True)
        found = directory.child(name)
        if found is None:
            made = {"t": "d", "m": 0o755, "u": 0, "g": 0, "mt": self.container["created"], "n": 1, "e": {}}
            found = Vnode(directory.fsid, directory.fs, "", made, None, directory, name, path, directory.read_only)
        found.over = below
        return found

    def names(self, directory: Vnode, proc: Process | None) -> list[str]:
        """The entries of a directory, sorted, without . and .."""
        if not directory.is_dir:
            raise Errno("ENOTDIR")
        home = directory.home
        if home is not None and home is not self:
            there: list[str] = home.names(directory, proc)
            return there
        if directory.fs is procfs.FS:
            return procfs.names(self.kernel, self.container, proc, directory.path)
        found = directory.names()
        prefix = directory.path.rstrip("/") + "/"
        extra = [path[len(prefix) :] for path in (*self.mounts, *self.above) if path.startswith(prefix) and "/" not in path[len(prefix) :]]
        return sorted({*found, *extra}) if extra else found

    def allow(self, vnode: Vnode, proc: Process | None, want: int) -> None:
        """Raises EACCES unless the process may READ, WRITE or EXECUTE (a sum of them). root may all, but execute only what has
        an x."""
        if proc is None:
            return
        mode, uid = vnode.inode["m"], proc["uid"]
        if uid == 0:
            if want & EXECUTE and not vnode.is_dir and not mode & 0o111:
                raise Errno("EACCES")
            return
        groups = proc["groups"]
        bits = mode >> 6 if uid == vnode.inode["u"] else mode >> 3 if vnode.inode["g"] in groups else mode
        if bits & want != want:
            raise Errno("EACCES")

    def _root_of(self, container: str) -> Vnode:
        """Where /proc/PID/root leads to: the root directory as that container sees it. Raises EACCES when the process may not be traced."""
        if not container:
            raise Errno("EACCES")
        view = self.kernel.view(container)
        root = view.root
        entrance = Vnode(root.fsid, root.fs, root.ino, root.inode, root.lower, None, "", "/", root.read_only)
        entrance.home, entrance.over = view, root.over
        return entrance

    def _own_open_file(self, target: str, proc: Process | None) -> Vnode | None:
        """What a link to /proc/self/fd/N leads to: /dev/stdout and its like, which most programs that log go by; None for any other target."""
        if proc is None or not target.startswith(OWN_FILES) or self.mounts.get("/proc", {}).get("fs") != "proc":
            return None
        number = target[len(OWN_FILES) :]
        if number not in proc["fds"]:
            return None
        path = f"/proc/{proc['pid']}/fd/{number}"
        inode = procfs.look_up(self.kernel, self.container, proc, path)
        return None if inode is None else Vnode("proc", procfs.FS, "", {**inode, "mt": self.kernel.host.now}, None, None, number, path, True)

    def resolve(self, path: str, cwd: str = "/", proc: Process | None = None, follow: bool = True) -> Vnode:
        """The file at a path. Raises ENOENT, ENOTDIR, EACCES, ELOOP."""
        found, name = self.locate(path, cwd, proc, follow)
        if isinstance(name, str):
            raise Errno("ENOENT")
        return found

    def locate(self, path: str, cwd: str, proc: Process | None, follow: bool = True) -> tuple[Vnode, str | None]:
        """(file, None) when it exists; (directory, last name) when only its directory does. Raises as `resolve`."""
        if not path:
            raise Errno("ENOENT")
        whole = path if path[0] == "/" else cwd + "/" + path
        todo = [part for part in whole.split("/") if part and part != "."]
        if len(whole) > NAME_MAX // 4 and (text_bytes(whole) >= PATH_MAX or any(text_bytes(part) > NAME_MAX for part in todo)):
            raise Errno("ENAMETOOLONG")
        todo.reverse()
        here, links = self.root, 0
        while todo:
            name = todo.pop()
            if here.inode["t"] != "d":
                raise Errno("ENOTDIR")
            if proc is not None and proc["uid"]:
                self.allow(here, proc, EXECUTE)
            if name == "..":
                here = here.parent or here
                continue
            found = self.child(here, name, proc)
            if found is None:
                if todo:
                    raise Errno("ENOENT")
                return here, name
            if found.inode["t"] == "l" and (todo or follow or path.endswith("/")):
                links += 1
                if links > MAX_LINKS:
                    raise Errno("ELOOP")
                target = found.inode["to"]
                if "root" in found.inode:
                    here = self._root_of(found.inode["root"])
                    continue
                if "open" in found.inode:
                    here = found
                    continue
                if target.startswith("/"):
                    own = self._own_open_file(target, proc)
                    if own is not None:
                        here = own
                        continue
                    here = self.root
                todo.extend(part for part in reversed(target.split("/")) if part and part != ".")
                continue
            here = found
        if path.endswith("/") and not here.is_dir:
            raise Errno("ENOTDIR")
        return here, None
