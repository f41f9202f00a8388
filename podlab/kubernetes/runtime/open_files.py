"""What processes have open: descriptions with their number of references, and pipes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol

from .filesystem import release
from .process import Data, Errno
from .waiting import Waiting


class Sockets(Protocol):
    """What descriptions of sockets need of a network; see `Network`."""

    def socket_closed(self, desc_key: str, desc: Data) -> None: ...
    def socket_write(self, desc: Data, text: str) -> None: ...


class OpenFiles(Waiting, ABC):
    """Open file descriptions and pipes of one machine. Sockets belong to the cluster's network, when there is one."""

    network: Sockets | None = None  # set by Network.attach

    node_name: str = ""

    @abstractmethod
    def filesystem(self, fsid: str) -> Data:
        """Volumes gives it."""

    def describe(self, desc: Data) -> str:
        """Adds an open file description (refs 0) and gives its id."""
        key = f"f{self.number()}"
        self.state["files"][key] = {**desc, "refs": 0}
        return key

    def grab(self, key: str) -> str:
        """One more reference to a description."""
        self.state["files"][key]["refs"] += 1
        return key

    def close(self, key: str) -> None:
        """One reference less; the last one closes."""
        desc = self.state["files"][key]
        desc["refs"] -= 1
        if desc["refs"] > 0:
            return
        del self.state["files"][key]
        kind = desc["kind"]
        if kind == "pipe":
            self.pipe_end(desc["pipe"], desc["end"], -1)
        elif kind == "file" and desc["ino"]:
            fs = self.filesystem(desc["fs"]) if desc["fs"] in self.state["filesystems"] else {"inodes": {}}
            inode = fs["inodes"].get(desc["ino"])
            if inode:
                inode["o"] = inode.get("o", 1) - 1
                release(fs, desc["ino"])
        elif kind == "tty":
            self.state["ttys"].pop(desc["tty"], None)
        elif kind == "socket":
            self.socket_closed(key, desc)

    def new_pipe(self) -> str:
        """A pipe nobody holds yet."""
        key = str(self.number())
        self.state["pipes"][key] = {"buf": "", "r": 0, "w": 0, "opened": False}
        return key

    def pipe_desc(self, pipe: str, end: str) -> str:
        """A description for one end ("r" or "w") of a pipe."""
        self.pipe_end(pipe, end, 1)
        return self.describe({"kind": "pipe", "pipe": pipe, "end": end})

    def pipe_end(self, key: str, end: str, change: int) -> None:
        """One reader or writer more or less."""
        pipe = self.state["pipes"][key]
        pipe[end] += change
        if change > 0:
            pipe["opened"] = pipe["opened"] or end == "w"
            return
        if pipe["w"] == 0:
            self.wake("pipe:" + key, {"on": "fd"})
        if pipe["r"] == 0:
            pipe["buf"] = ""
            self.wake("room:" + key, {"on": "turn"})
        if pipe["w"] == 0 and pipe["r"] == 0 and not pipe.get("fifo"):
            del self.state["pipes"][key]

    def socket_closed(self, key: str, desc: Data) -> None:
        """A socket's last reference is gone."""
        if self.network is not None:
            self.network.socket_closed(key, desc)

    def socket_write(self, key: str, desc: Data, text: str) -> None:
        """A process writes to a socket."""
        if self.network is None:
            raise Errno("EPIPE")
        self.network.socket_write(desc, text)
