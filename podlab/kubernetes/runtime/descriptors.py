"""The calls on descriptors: reading, writing and waiting for what is open, whatever kind it is of (file, pipe, terminal, socket, log, device)."""

from __future__ import annotations

from typing import Any

from . import filesystem
from .process import PIPE, Data, Errno, Exited
from .turn import CHUNK, Turn


class Descriptors(Turn):
    """What a process does with what it has open."""

    __slots__ = ()

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
            self.charge(len(text) >> 7)  # some 128 MB in a second: nobody fills a line faster than its reader can empty it
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

    def terminal(self, fd: int) -> dict[str, Any] | None:
        """The terminal behind a descriptor (terminal.py, new_tty); None where there is none, or it was hung up."""
        if not self.is_tty(fd):
            return None
        terminals: dict[str, dict[str, Any]] = self.kernel.state["ttys"]
        return terminals.get(self.kernel.state["files"][self.proc["fds"][str(fd)]]["tty"])

    def socket(self, **detail: Any) -> int:
        """A descriptor of kind "socket" with the network layer's own data in it: `rbuf` what may be read, `eof`, `accept` (a
        listener's queue)."""
        fd = 3
        while str(fd) in self.proc["fds"]:
            fd += 1
        self.proc["fds"][str(fd)] = self.kernel.grab(self.kernel.describe({"kind": "socket", **detail}))
        return fd
