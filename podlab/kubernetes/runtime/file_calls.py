"""The calls on files by their names: opening, looking, listing, making, linking, renaming and removing, and whose they are."""

from __future__ import annotations

import posixpath

from . import capabilities, filesystem, linear
from .descriptors import Descriptors
from .filesystem import Vnode
from .process import Data, Errno, Process
from .view import EXECUTE, READ, WRITE


class FileCalls(Descriptors):
    """What a process does with the files it can name; paths are relative to its working directory."""

    __slots__ = ()

    def open(self, path: str, mode: str = "r") -> int:
        """Opens a file; gives the descriptor. Modes: r, w (create, truncate), a (create, append), rw (create), x (create, must
        be new)."""
        fd = 0
        fds = self.proc["fds"]
        while str(fd) in fds:
            fd += 1
        fds[str(fd)] = self.kernel.grab(self.open_description(path, mode))
        return fd

    def open_description(self, path: str, mode: str) -> str:
        """As `open`, but gives an open file description's id, which no descriptor refers to yet."""
        kernel, proc = self.kernel, self.proc
        self.charge(5)
        found, name = self.view.locate(path, proc["cwd"], proc)
        if name is not None:
            if mode == "r":
                raise Errno("ENOENT")
            if not found.is_dir:
                raise Errno("ENOTDIR")
            self.view.allow(found, proc, WRITE | EXECUTE)
            filesystem.room(found.fs, 0, kernel.disk_free())
            inode: Data = {"t": "f", "m": 0o666 & ~proc["umask"], "u": proc["uid"], "g": _group_in(found, proc), "mt": self.now, "s": ""}
            found = found.make(name, inode, self.now)
            kernel.changed(found.fsid)
        elif mode == "x":
            raise Errno("EEXIST")
        inode = found.inode
        if "open" in inode:
            return str(inode["open"])
        if inode["t"] == "c":
            device = inode["dev"]
            if device == "tty":
                for key in proc["fds"].values():
                    if kernel.state["files"][key]["kind"] == "tty":
                        return key
                raise Errno("ENXIO")
            return kernel.describe({"kind": {"urandom": "random"}.get(device, device)})
        if inode["t"] == "p":
            pipe: str = inode.get("pipe", "")
            if pipe not in kernel.state["pipes"]:
                pipe = inode["pipe"] = kernel.new_pipe()
                kernel.state["pipes"][pipe]["fifo"] = True
            return kernel.pipe_desc(pipe, "r" if mode == "r" else "w")
        if inode["t"] == "d":
            if mode != "r":
                raise Errno("EISDIR")
            return kernel.describe(
                {"kind": "file", "fs": found.fsid, "ino": found.ino, "path": self._path(found, path), "off": 0, "mode": "r"}
            )
        if name is None:
            self.view.allow(found, proc, {"r": READ, "rw": READ | WRITE}.get(mode, WRITE))
        if mode != "r":
            if found.fsid in ("proc", "sys"):
                raise Errno("EACCES")
            found.writable()
            inode = found.inode
            if mode == "w" and filesystem.size(inode):
                filesystem.truncate(found.fs, inode, 0, self.now)
                kernel.changed(found.fsid)
        desc: Data = {"kind": "file", "fs": found.fsid, "ino": found.ino, "path": self._path(found, path), "off": 0, "mode": mode}
        if found.ino:
            inode["o"] = inode.get("o", 0) + 1
        elif found.fsid in ("proc", "sys"):
            desc["text"] = inode["s"]
        return kernel.describe(desc)

    def look(self, path: str, follow: bool = True) -> Vnode:
        """The file at a path. Raises ENOENT, ENOTDIR, EACCES, ELOOP."""
        self.charge(2)
        levels = path.count("/") + self.proc["cwd"].count("/")
        if levels > DEEP:
            linear.spend(2 * levels)  # `breathe` charges it
        return self.view.resolve(path, self.proc["cwd"], self.proc, follow)

    def find(self, path: str, follow: bool = True) -> Vnode | None:
        """The file at a path, or None when it cannot be looked at."""
        try:
            return self.look(path, follow)
        except Errno:
            return None

    def access(self, path: str, want: int) -> bool:
        """May the process READ (4), WRITE (2), EXECUTE (1) it?"""
        found = self.find(path)
        if found is None:
            return False
        try:
            self.view.allow(found, self.proc, want)
        except Errno:
            return False
        return not (want & WRITE and found.read_only)

    def listdir(self, path: str) -> list[str]:
        """The names in a directory, sorted, without . and .."""
        found = self.look(path)
        self.view.allow(found, self.proc, READ)
        return self.names(found)

    def names(self, directory: Vnode) -> list[str]:
        """The names in a directory already found."""
        return self.view.names(directory, self.proc)

    def child(self, directory: Vnode, name: str) -> Vnode | None:
        """An entry of a directory already found (links not followed)."""
        return self.view.child(directory, name, self.proc)

    def read_file(self, path: str) -> str:
        """A file's whole content."""
        found = self.look(path)
        if found.is_dir:
            raise Errno("EISDIR")
        self.view.allow(found, self.proc, READ)
        if found.inode["t"] != "f":
            raise Errno("EINVAL")
        self.charge(5 + len(found.inode["s"]) // 1024)
        return filesystem.content(found.inode)

    def write_file(self, path: str, text: str, mode: str = "w") -> None:
        """Writes (or with "a" appends) a whole file."""
        fd = self.open(path, mode)
        try:
            self.write(fd, text)
        finally:
            self.close(fd)

    def _new(self, path: str, inode: Data) -> Vnode:
        where, name = self.view.locate(path.rstrip("/") or "/", self.proc["cwd"], self.proc, follow=False)
        if name is None:
            raise Errno("EEXIST")
        if not where.is_dir:
            raise Errno("ENOTDIR")
        self.view.allow(where, self.proc, WRITE | EXECUTE)
        if where.fsid in ("proc", "sys"):
            raise Errno("ENOENT")
        owner = {"u": self.proc["uid"], "g": _group_in(where, self.proc), "mt": self.now}
        if inode["t"] == "d" and where.inode["m"] & SET_GROUP:
            inode = {**inode, "m": inode["m"] | SET_GROUP}
        made = where.make(name, {**inode, **owner}, self.now)
        self.kernel.changed(where.fsid)
        return made

    def mkdir(self, path: str, mode: int = 0o777) -> None:
        """Raises EEXIST, ENOENT, EACCES, EROFS."""
        self._new(path, {"t": "d", "m": mode & ~self.proc["umask"], "e": {}})

    def mkfifo(self, path: str, mode: int = 0o666) -> None:
        self._new(path, {"t": "p", "m": mode & ~self.proc["umask"]})

    def symlink(self, target: str, path: str) -> None:
        self._new(path, {"t": "l", "m": 0o777, "to": target})

    def link(self, target: str, path: str) -> None:
        """A hard link."""
        found = self.look(target, follow=False)
        if found.is_dir:
            raise Errno("EPERM")
        where, name = self.view.locate(path, self.proc["cwd"], self.proc, follow=False)
        if name is None:
            raise Errno("EEXIST")
        where.link(name, found, self.now)
        self.kernel.changed(where.fsid)

    def _entry(self, path: str) -> Vnode:
        found = self.look(path.rstrip("/") or "/", follow=False)
        if found.path in self.view.mounts or found.parent is None:
            raise Errno("EBUSY")
        if found.fsid in ("proc", "sys"):
            raise Errno("EPERM")
        directory = found.parent
        self.view.allow(directory, self.proc, WRITE | EXECUTE)
        sticky = directory.inode["m"] & 0o1000 and self.proc["uid"] not in (0, directory.inode["u"], found.inode["u"])
        if sticky:
            raise Errno("EPERM")
        return found

    def unlink(self, path: str) -> None:
        """Removes a file's name. Raises EISDIR for a directory."""
        found = self._entry(path)
        if found.is_dir:
            raise Errno("EISDIR")
        if found.parent is None:
            raise LookupError
        found.parent.unlink(found.name, self.now)
        self.kernel.changed(found.fsid)

    def rmdir(self, path: str) -> None:
        """Raises ENOTEMPTY, ENOTDIR, EBUSY."""
        found = self._entry(path)
        if not found.is_dir:
            raise Errno("ENOTDIR")
        if self.names(found):
            raise Errno("ENOTEMPTY")
        if found.parent is None:
            raise LookupError
        found.parent.unlink(found.name, self.now)
        self.kernel.changed(found.fsid)

    def rename(self, old: str, new: str) -> None:
        """Moves within one file system, in place of what is there. Raises EXDEV between two; a directory that shows the image
        below too."""
        found = self._entry(old)
        where, name = self.view.locate(new.rstrip("/"), self.proc["cwd"], self.proc, follow=False)
        if name is None:
            if where.path == found.path:
                return
            if where.is_dir != found.is_dir:
                raise Errno("EISDIR" if where.is_dir else "ENOTDIR")
            if where.is_dir and self.names(where):
                raise Errno("ENOTEMPTY")
            self._entry(new)
            if where.parent is None:
                raise LookupError
            where, name = where.parent, where.name
        if where.fsid != found.fsid or (found.is_dir and found.lower is not None):
            raise Errno("EXDEV")
        if found.is_dir and (where.path + "/").startswith(found.path + "/"):
            raise Errno("EINVAL")
        self.view.allow(where, self.proc, WRITE | EXECUTE)
        if where.child(name) is not None:
            where.unlink(name, self.now)
        where.link(name, found, self.now)
        if found.parent is None:
            raise LookupError
        found.parent.unlink(found.name, self.now)
        self.kernel.changed(found.fsid)

    def change(self, path: str, follow: bool = True, **fields: int) -> None:
        """chmod (m=), chown (u=, g=), utimes (mt=). Raises EPERM for what is not the process's own."""
        found = self.look(path, follow)
        if self.proc["uid"] not in (0, found.inode["u"]) or (
            self.proc["uid"] and "u" in fields and fields["u"] != found.inode["u"]
        ):
            raise Errno("EPERM")
        if not self.proc["uid"] and not {"u", "g"}.isdisjoint(fields) and not capabilities.has(self.container, "CHOWN"):
            raise Errno("EPERM")
        found.writable()
        found.inode.update(fields)
        self.kernel.changed(found.fsid)

    def truncate(self, path: str, length: int) -> None:
        """Cuts or extends a file to `length` bytes, making it when missing. Raises ENOSPC."""
        self.close(self.open(path, "rw"))
        found = self.look(path)
        found.writable()
        filesystem.room(found.fs, length - filesystem.size(found.inode), self.kernel.disk_free())
        filesystem.truncate(found.fs, found.inode, length, self.now)
        self.kernel.changed(found.fsid)

    def zeros(self, fd: int, count: int) -> int:
        """Appends `count` zero bytes to an open file, cheaply whatever the size; gives how many fitted."""
        desc = self._desc(fd)
        if desc["kind"] != "file":
            return count
        fs = self.kernel.filesystem(desc["fs"])
        inode = fs["inodes"][desc["ino"]]
        fit = filesystem.write_zeros(fs, inode, count, self.now, self.kernel.disk_free())
        desc["off"] = filesystem.content_length(inode)
        self.charge(fit // 100_000)
        self.kernel.changed(desc["fs"])
        return fit

    def _path(self, found: Vnode, path: str) -> str:
        """An absolute path that leads this process to a file it has found at `path`."""
        return found.path if found.home is None else posixpath.join(self.proc["cwd"], path)

    def chdir(self, path: str) -> None:
        found = self.look(path)
        if not found.is_dir:
            raise Errno("ENOTDIR")
        self.view.allow(found, self.proc, EXECUTE)
        self.proc["cwd"] = posixpath.normpath(self._path(found, path))


DEEP = 32
"""Levels from which on a look-up is paid for by their number: each takes some two microseconds."""
SET_GROUP = 0o2000


def _group_in(directory: Vnode, proc: Process) -> int:
    """The group of what a process makes in a directory: the directory's where its set-group-ID bit is set (inode_init_owner, fs/inode.c)."""
    return int(directory.inode["g"] if directory.inode["m"] & SET_GROUP else proc["gid"])
