"""The system calls: what a program may ask of the kernel. One `Sys` is made for each turn of a process and holds nothing that
lasts.

A call either returns, raises `Errno`, or raises `Blocked` after noting what the process waits for (see program.py). Reading and
writing use str; a read gives "" at the end of the file. Paths are relative to the process's working directory.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

from . import filesystem
from .filesystem import Vnode
from .process import PIPE, Blocked, Data, Errno, Exited, Process
from .program import PROGRAMS
from .view import EXECUTE, READ, WRITE, View

if TYPE_CHECKING:
    from .kernel import Kernel

CHUNK = 65_536
QUANTUM_US = 10_000
"""CPU time that a process may use before it has to wait for it in virtual time."""


PROCESSES_MAX = 256
"""In one pid namespace. A real kubelet has podPidsLimit (-1, no limit, by default); here a fork bomb must not take the server with it."""


SET_GROUP = 0o2000


def _group_in(directory: Vnode, proc: Process) -> int:
    """The group of what a process makes in a directory: the directory's where its set-group-ID bit is set (inode_init_owner, fs/inode.c)."""
    return int(directory.inode["g"] if directory.inode["m"] & SET_GROUP else proc["gid"])


class Sys:
    """System calls on behalf of one process."""

    __slots__ = ("_view", "kernel", "proc", "used")

    def __init__(self, kernel: Kernel, proc: Process) -> None:
        self.kernel, self.proc = kernel, proc
        self.used = 0  # microseconds of CPU in this turn, not yet charged
        self._view: View | None = None

    # Time, identity, machine.
    @property
    def now(self) -> int:
        """Virtual milliseconds since the Unix epoch."""
        return self.kernel.host.now

    @property
    def view(self) -> View:
        """The process's file system."""
        if self._view is None:
            self._view = self.kernel.view(self.proc["container"])
        return self._view

    @property
    def container(self) -> Data:
        """The container that the process runs in (plain data; look, do not change)."""
        found: Data = self.kernel.state["containers"][self.proc["container"]]
        return found

    @property
    def sandbox(self) -> Data:
        """The Pod's sandbox: name, namespace, hostname, ip, ports ..."""
        found: Data = self.kernel.state["sandboxes"][self.proc["pod"]]
        return found

    @property
    def hostname(self) -> str:
        return str(self.sandbox["hostname"])

    def random(self, below: int) -> int:
        """A number that is the same whenever this run is repeated."""
        return self.kernel.host.random.integer("process", self.proc["pod"], self.proc["key"], self.kernel.number(), below=below)

    def charge(self, us: int) -> None:
        """CPU time that the program's work would have taken, microseconds."""
        self.used += us

    def burn(self, millicores: int) -> None:
        """From now on the process uses this much CPU, without taking turns for it. 0 ends it."""
        self.kernel.settle_burn(self.container)
        self.proc["burn"] = millicores

    def allocate(self, size: int) -> None:
        """Sets what the process keeps in memory beyond its program, bytes. May end it (OOMKilled)."""
        self.proc["memory"] = PROGRAMS[self.proc["program"]].memory + size
        self.kernel.check_memory(self.container)
        if self.proc["state"] == "zombie":
            raise Exited

    # Waiting.
    def sleep(self, ms: int) -> None:
        """Waits; the event is {"on": "timer"}."""
        self.kernel.block(self.proc, [], ms)

    def pause(self) -> None:
        """Waits for a signal, for ever."""
        self.kernel.block(self.proc, [])

    def breathe(self) -> None:
        """Call once a round in any loop that may be long: waits while the time slice is used up or a pipe it fills is full."""
        proc = self.proc
        if proc["stall"]:
            pipe = self.kernel.state["pipes"].get(proc["stall"])
            if pipe is not None and pipe["r"] and len(pipe["buf"]) >= CHUNK:
                self.kernel.block(proc, ["room:" + proc["stall"]])
            proc["stall"] = ""
        if proc["debt"] + self.used >= QUANTUM_US:
            self.kernel.charge(proc, self.used)
            self.used = 0
            self.kernel.pay(proc)

    def poll(
        self,
        fds: tuple[int, ...] = (),
        ms: int | None = None,
        *,
        child: bool = False,
        changes: tuple[str, ...] = (),
        objs: tuple[str, ...] = (),
    ) -> None:
        """Waits for the first of: something to read on one of `fds`, `ms`, a child's end, a change in the file systems that hold
        the paths `changes`, kernel objects `objs` woken by `kernel.wake`. Raises Blocked, except when an fd is readable
        already."""
        waits = list(objs)
        for fd in fds:
            desc = self._desc(fd)
            obj = self._unreadable(desc, self.proc["fds"][str(fd)])
            if obj is None:
                return
            waits.append(obj)
        if child:
            waits.append("child:" + self.proc["key"])
        for path in changes:
            waits.append("fs:" + self.view.locate(path, self.proc["cwd"], None)[0].fsid)
        self.kernel.block(self.proc, waits, ms)

    def interrupt(self) -> None:
        """From a signal function: breaks off what the process waits for; it gets a turn with {"on": "signal"}."""
        if self.proc["wait"] is not None:
            self.kernel.ready(self.proc, {"on": "signal"})

    def foreign(self, event: str, detail: Any) -> None:
        """Hands the process to the host and waits (program "foreign")."""
        self.kernel.host.on_foreign(self.proc["key"], event, detail)
        if self.proc["state"] == "zombie":
            raise Exited
        objs = []
        if event != "eof":
            desc_key = self.proc["fds"].get("0")
            obj = desc_key and self._unreadable(self.kernel.state["files"][desc_key], desc_key)
            objs = [obj] if obj else []
        self.kernel.block(self.proc, objs)

    # Descriptors.
    def _desc(self, fd: int) -> Data:
        key = self.proc["fds"].get(str(fd))
        if key is None:
            raise Errno("EBADF")
        found: Data = self.kernel.state["files"][key]
        return found

    def _unreadable(self, desc: Data, key: str) -> str | None:
        """The object to wait for when a read would block now, else None."""
        kind = desc["kind"]
        if kind == "pipe":
            pipe = self.kernel.state["pipes"][desc["pipe"]]
            return None if pipe["buf"] or (pipe["w"] == 0 and pipe["opened"]) else "pipe:" + desc["pipe"]
        if kind == "tty":
            tty = self.kernel.state["ttys"][desc["tty"]]
            return None if tty["in"] or tty["eof"] else "tty:" + desc["tty"]
        if kind == "socket":
            return None if desc.get("rbuf") or desc.get("eof") or desc.get("accept") or desc.get("datagrams") else "sock:" + key
        return None

    def read(self, fd: int, limit: int = CHUNK) -> str:
        """Up to `limit` characters, "" at the end. Raises Blocked while there is nothing yet."""
        desc = self._desc(fd)
        self.breathe()
        key = self.proc["fds"][str(fd)]
        kind = desc["kind"]
        if kind == "file":
            inode = self._inode(desc)
            if inode["t"] == "d":
                raise Errno("EISDIR")
            text = inode["s"]
            position = desc["off"]
            piece = str(text[position : position + limit])
            if not piece and inode.get("z") and position < len(text) + inode["z"]:
                piece = "\0" * min(limit, len(text) + inode["z"] - position)
            desc["off"] = position + len(piece)
            self.charge(1 + len(piece) // 1024)
            return piece
        obj = self._unreadable(desc, key)
        if obj is not None:
            self.kernel.block(self.proc, [obj], None)
        if kind == "pipe":
            pipe = self.kernel.state["pipes"][desc["pipe"]]
            piece, pipe["buf"] = pipe["buf"][:limit], pipe["buf"][limit:]
            if piece and len(pipe["buf"]) < CHUNK:
                self.kernel.wake("room:" + desc["pipe"], {"on": "turn"})
            return str(piece)
        if kind == "tty":
            tty = self.kernel.state["ttys"][desc["tty"]]
            if not tty["in"]:
                tty["eof"] = tty["hup"]
                return ""
            end = tty["in"].find("\n") + 1 or len(tty["in"])
            end = min(end, limit)
            piece, tty["in"] = tty["in"][:end], tty["in"][end:]
            return str(piece)
        if kind == "socket":
            piece, desc["rbuf"] = desc.get("rbuf", "")[:limit], desc.get("rbuf", "")[limit:]
            return str(piece)
        if kind in ("zero", "full"):
            self.charge(1 + limit // 4096)
            return "\0" * limit
        if kind == "random":
            self.charge(1 + min(limit, 4096))
            return "".join(chr(byte) if byte < 128 else chr(0xDC00 + byte) for byte in self._random_bytes(min(limit, 4096)))
        return ""

    def _random_bytes(self, count: int) -> bytes:
        out = bytearray()
        while len(out) < count:
            out += self.random(1 << 32).to_bytes(4, "little")
        return bytes(out[:count])

    def readable(self, fd: int) -> bool:
        """Would a read return at once?"""
        return self._unreadable(self._desc(fd), self.proc["fds"][str(fd)]) is None

    def write(self, fd: int, text: str) -> None:
        """Writes all of `text`. Raises ENOSPC, EBADF; a pipe without a reader ends the process by SIGPIPE (unless ignored:
        EPIPE)."""
        if not text:
            return
        desc = self._desc(fd)
        kind = desc["kind"]
        if kind == "pipe":
            pipe = self.kernel.state["pipes"][desc["pipe"]]
            if pipe["r"] == 0 and not pipe.get("fifo"):
                if PIPE not in self.proc["ignored"]:
                    self.kernel.send(self.proc, PIPE)
                    if self.proc["state"] == "zombie":
                        raise Exited
                raise Errno("EPIPE")
            pipe["buf"] += text
            if len(pipe["buf"]) >= CHUNK:
                self.proc["stall"] = desc["pipe"]
            self.kernel.wake("pipe:" + desc["pipe"], {"on": "fd"})
        elif kind == "file":
            if desc["mode"] == "r":
                raise Errno("EBADF")
            fs = self.kernel.filesystem(desc["fs"])
            inode = fs["inodes"][desc["ino"]]
            position = filesystem.content_length(inode) if desc["mode"] == "a" else desc["off"]
            desc["off"] = filesystem.write_at(fs, inode, position, text, self.now, self.kernel.disk_free())
            self.charge(1 + len(text) // 1024 + (len(inode["s"]) >> 11))  # the second for the copy that appending makes here
            self.kernel.changed(desc["fs"])
        elif kind == "socket":
            self.kernel.socket_write(self.proc["fds"][str(fd)], desc, text)
        elif kind in ("log", "exec", "tty"):
            self.charge((len(text) >> 3) + text.count("\n"))  # a terminal or a log takes some 8 MB in a second, a million lines
            self.kernel.output(desc, text)
        elif kind == "full":
            raise Errno("ENOSPC")

    def out(self, text: str) -> None:
        """Writes to standard output."""
        self.write(1, text)

    def err(self, text: str) -> None:
        """Writes to standard error; a closed one is no error."""
        if "2" in self.proc["fds"]:
            self.write(2, text)

    def _inode(self, desc: Data) -> Data:
        if desc["ino"]:
            fs = self.kernel.filesystem(desc["fs"]) if desc["fs"] in self.kernel.state["filesystems"] else None
            if fs is None or desc["ino"] not in fs["inodes"]:
                raise Errno("EIO")
            found: Data = fs["inodes"][desc["ino"]]
            return found
        if "text" in desc:
            return {"t": "f", "s": desc["text"], "m": 0o444, "u": 0, "g": 0, "mt": self.now, "n": 1}
        return self.view.resolve(desc["path"], "/", None).inode

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

    def close(self, fd: int) -> None:
        """Closes a descriptor. Raises EBADF."""
        key = self.proc["fds"].pop(str(fd), None)
        if key is None:
            raise Errno("EBADF")
        self.kernel.close(key)

    def dup2(self, fd: int, to: int) -> None:
        """Makes `to` refer to what `fd` refers to."""
        key = self.proc["fds"].get(str(fd))
        if key is None:
            raise Errno("EBADF")
        self.assign(to, key)

    def assign(self, fd: int, desc_key: str) -> None:
        """Makes `fd` refer to an open file description (one more reference to it)."""
        self.kernel.grab(desc_key)
        old = self.proc["fds"].pop(str(fd), None)
        if old is not None:
            self.kernel.close(old)
        self.proc["fds"][str(fd)] = desc_key

    def pipe(self) -> tuple[str, str]:
        """Two open file descriptions (read end, write end), for `assign` or a child's `fds`. Each must be given to some
        process."""
        key = self.kernel.new_pipe()
        return self.kernel.pipe_desc(key, "r"), self.kernel.pipe_desc(key, "w")

    def is_tty(self, fd: int) -> bool:
        key = self.proc["fds"].get(str(fd))
        return key is not None and self.kernel.state["files"][key]["kind"] == "tty"

    def socket(self, **detail: Any) -> int:
        """A descriptor of kind "socket" with the network layer's own data in it: `rbuf` what may be read, `eof`, `accept` (a
        listener's queue)."""
        fd = 3
        while str(fd) in self.proc["fds"]:
            fd += 1
        self.proc["fds"][str(fd)] = self.kernel.grab(self.kernel.describe({"kind": "socket", **detail}))
        return fd

    # Files by name.
    def look(self, path: str, follow: bool = True) -> Vnode:
        """The file at a path. Raises ENOENT, ENOTDIR, EACCES, ELOOP."""
        self.charge(2)
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

    # Processes.
    def which(self, name: str, path: str | None = None) -> str:
        """The executable that a command name means, by $PATH. Raises ENOENT, EACCES (found, but may not be executed; or a
        directory)."""
        if "/" in name:
            found = self.look(name)
            if found.is_dir:
                raise Errno("EACCES")
            self.view.allow(found, self.proc, EXECUTE)
            return name
        self.charge(10)  # the same whether it has been looked up before or not
        refused = False
        path = self.proc["env"].get("PATH", "") if path is None else path
        key = (name, path, self.proc["uid"])
        view = self.view
        known = view.commands.get(key)
        if known is None and key in view.shared and view.untouched(path):
            known = view.commands[key] = view.shared[key]
        if known is not None:
            return known
        for directory in path.split(":"):
            candidate = (directory or ".").rstrip("/") + "/" + name
            try:
                vnode = self.view.resolve(candidate, self.proc["cwd"], self.proc)
                self.view.allow(vnode, self.proc, EXECUTE)
            except Errno as error:
                refused = refused or error.name == "EACCES"
                continue
            if not vnode.is_dir:
                if directory.startswith("/") and not any(vnode.path.startswith(mount + "/") for mount in self.view.mounts):
                    view.commands[key] = candidate
                    if view.untouched(path):
                        view.shared[key] = candidate
                return candidate
        raise Errno("EACCES" if refused else "ENOENT")

    def _load(self, path: str, argv: list[str], depth: int = 0) -> tuple[str, list[str]]:
        """(program, argv) for an executable file; scripts get their interpreter. Raises ENOENT, EACCES, ENOEXEC."""
        found = self.look(path)
        if found.is_dir:
            raise Errno("EACCES")
        self.view.allow(found, self.proc, EXECUTE)
        inode = found.inode
        if inode.get("x") and not inode["s"]:
            program = inode["x"]
            if program not in PROGRAMS:
                raise Errno("ENOEXEC")
            return program, argv
        text = str(inode.get("s", ""))
        if text.startswith("#!") and depth < 4:
            words = text[2:].split("\n", 1)[0].strip().split(None, 1)
            if not words:
                raise Errno("ENOEXEC")
            return self._load(words[0], [words[0], *words[1:], path, *argv[1:]], depth + 1)
        raise Errno("ENOEXEC")

    def spawn(
        self, argv: list[str], *, path: str | None = None, env: dict[str, str] | None = None, fds: dict[int,
        str | None] | None = None,
        cwd: str | None = None, group: int | None = None, program: str | None = None, data: Data | None = None,
    ) -> int:  # fmt: skip
        """Starts a child and gives its pid. It has this process's descriptors, with those in `fds` ({child's fd: description id,
        None: closed}) in place or in addition. `path`: the file to run (default: argv[0] by $PATH). With `program` nothing is
        looked up: a fork that goes on as that program with `data` (its first turn is `resume` with {"on": "fork"}). `group`: its
        process group, 0 for one of its own. Raises ENOENT, EACCES, ENOEXEC, and EAGAIN past PROCESSES_MAX."""
        kernel, proc = self.kernel, self.proc
        if program is None:
            name, argv = self._load(path or self.which(argv[0]), argv)
            event, cost = "start", 500
        else:
            name, event, cost = program, "fork", 200
        self.charge(30)
        if len(kernel.in_namespace_pids(proc["ns"])) >= PROCESSES_MAX:
            raise Errno("EAGAIN", "can't fork")
        child = kernel.new_process(
            proc["ns"], proc["container"], proc["pod"], ppid=proc["pid"], exec_id=proc["exec_id"], program=name, argv=argv,
            env=proc["env"] if env is None else env, cwd=cwd or proc["cwd"], uid=proc["uid"], gid=proc["gid"],
            groups=proc["groups"],
            umask=proc["umask"], ignored=list(proc["ignored"]), data=data or {}, memory=PROGRAMS[name].memory,
        )  # fmt: skip
        child["pgid"] = child["pid"] if group == 0 else group or proc["pgid"]
        mine = dict(proc["fds"])
        for fd, key in (fds or {}).items():
            if key is None:
                mine.pop(str(fd), None)
            else:
                mine[str(fd)] = key
        for key in mine.values():
            kernel.grab(key)
        child["fds"] = mine
        proc["children"].append(child["key"])
        kernel.charge(child, cost)
        kernel.ready(child, {"on": event})
        kernel.check_memory(self.container)
        if proc["state"] == "zombie":
            raise Exited
        return child["pid"]

    def exec(self, argv: list[str], *, path: str | None = None, env: dict[str, str] | None = None) -> None:
        """Becomes another program. Raises ENOENT, EACCES, ENOEXEC when it cannot, else never returns."""
        from .kernel import Replaced

        name, argv = self._load(path or self.which(argv[0]), argv)
        self.proc.update({"program": name, "argv": argv, "data": {}, "memory": PROGRAMS[name].memory})
        if env is not None:
            self.proc["env"] = env
        self.charge(500)
        self.kernel.check_memory(self.container)
        if self.proc["state"] == "zombie":
            raise Exited
        raise Replaced

    def exit(self, code: int) -> None:
        """Ends the process."""
        self.kernel.exit(self.proc, code)
        raise Exited

    def wait(self, pid: int = -1, block: bool = True) -> tuple[int, int, int] | None:
        """(pid, exit code, signal or 0) of an ended child. None when it runs and `block` is false; else raises Blocked. Raises
        ECHILD."""
        processes = self.kernel.state["processes"]
        any_child = False
        for key in self.proc["children"]:
            child = processes[key]
            if pid in (-1, child["pid"]) and not (child["orphan"] and pid == -1):
                any_child = True
                if child["state"] == "zombie":
                    result = (child["pid"], child["status"], child["killed"])
                    self.kernel.reap(child)
                    return result
        if not any_child:
            raise Errno("ECHILD")
        if block:
            self.kernel.block(self.proc, ["child:" + self.proc["key"]])
        return None

    def kill(self, pid: int, n: int) -> None:
        """Sends a signal: to a process, a group (negative), the own group (0), or all that one may (-1). Raises ESRCH, EPERM."""
        kernel, proc = self.kernel, self.proc
        everyone = kernel.in_namespace(proc["ns"])
        if pid > 0:
            targets = [p for p in everyone if p["pid"] == pid]
        elif pid == -1:
            targets = [p for p in everyone if p["pid"] not in (1, proc["pid"])]
        else:
            targets = [p for p in everyone if p["pgid"] == (-pid or proc["pgid"])]
        if not targets:
            raise Errno("ESRCH")
        allowed = [p for p in targets if proc["uid"] in (0, p["uid"]) and p["pod"]]  # the machine's own daemons are out of reach
        if not allowed:
            raise Errno("EPERM")
        for target in sorted(allowed, key=lambda p: p is proc):
            kernel.send(kernel.state["processes"][target["key"]], n, outside=target["ns"] != proc["ns"])
        if proc["state"] == "zombie":
            raise Exited
        if proc["state"] == "stopped":
            raise Blocked

    def ignore(self, n: int, on: bool = True) -> None:
        """Ignores a signal from now on, and in children (on), or no longer."""
        if on and n not in self.proc["ignored"]:
            self.proc["ignored"].append(n)
        elif not on and n in self.proc["ignored"]:
            self.proc["ignored"].remove(n)

    def processes(self) -> list[Process]:
        """The processes that this one can see (its pid namespace), by pid."""
        return self.kernel.in_namespace(self.proc["ns"])
