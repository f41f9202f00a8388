"""A shell's redirections: opening what they name, putting it in place in the shell itself, and taking it back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .. import sockets
from ..numerals import is_whole, saturated
from ..process import Blocked, Data, Errno
from .expand import Expander, NeedOutput
from .faults import Fault, ShellFault
from .variables import Variables

SOCKET = re.compile(r"/dev/tcp/([^/]+)/(\d{1,5})")
MODES = {"<": "r", ">": "w", ">|": "w", ">>": "a", "<>": "rw"}


class Redirections(Variables):
    """What a shell opens on behalf of a command."""

    __slots__ = ()

    def opened(self, redirs: Any, expander: Expander) -> dict[int, str | None]:
        """Opens what redirections name: {fd: description or None (closed)}, each description held once. Raises ShellFault
        (code 1)."""
        kernel = self.sys.kernel
        out: dict[int, str | None] = {}
        fds = self.proc["fds"]
        try:
            for fd, operator, word in redirs:
                key: str | None
                if operator == "<<":
                    pipe = kernel.new_pipe()
                    kernel.state["pipes"][pipe].update(buf=expander.text(word), opened=True)
                    key = kernel.grab(kernel.pipe_desc(pipe, "r"))
                elif operator in (">&", "<&"):
                    target = expander.text(word)
                    if target == "-":
                        key = None
                    elif is_whole(target):
                        number = saturated(target)
                        source = out[number] if number in out else fds.get(target)
                        if source is None:
                            raise ShellFault(f"{target}: Bad file descriptor", 1)
                        key = kernel.grab(source)
                    else:
                        key = kernel.grab(self._open(target, "w"))
                        if 2 not in out:
                            out[2] = kernel.grab(key)
                else:
                    path = expander.text(word)
                    socket = SOCKET.fullmatch(path) if self.data["flavor"] == "bash" else None
                    key = self._connected(path, *socket.groups()) if socket else kernel.grab(self._open(path, MODES[operator]))
                old = out.get(fd)
                if old is not None:
                    kernel.close(old)
                out[fd] = key
        except (Fault, NeedOutput, Blocked):
            self.drop(out)
            raise
        return out

    def _open(self, path: str, mode: str) -> str:
        if mode == "w" and "C" in self.data["opts"] and (found := self.sys.find(path)) is not None and found.inode["t"] == "f":
            raise ShellFault(f"can't create {path}: File exists", 1)
        try:
            return self.sys.open_description(path, mode)
        except Errno as error:
            if self.data["flavor"] == "bash":
                raise ShellFault(f"{path}: {error.text}", 1) from None
            text = {"ENOENT": "no such file" if mode == "r" else "nonexistent directory"}.get(error.name, error.text)
            if self.data["flavor"] == "dash":
                text = {"ENOENT": "No such file" if mode == "r" else "Directory nonexistent"}.get(error.name, error.text)
                raise ShellFault(f"cannot {'open' if mode == 'r' else 'create'} {path}: {text}", 2) from None
            raise ShellFault(f"can't {'open' if mode == 'r' else 'create'} {path}: {text}", 1) from None

    def _connected(self, path: str, host: str, port: str) -> str:
        """A connection as bash's /dev/tcp/HOST/PORT opens it, held once. Raises Blocked until it is settled."""
        try:
            addresses = sockets.resolve(self.sys, host)[1]
            if not addresses:
                self.complain(f"{host}: Name or service not known")
                raise Errno("EINVAL")
            fd = sockets.connect(self.sys, "tcp", addresses[0], int(port))
        except Errno as error:
            if error.name != "EINVAL":
                self.complain(error.text, "connect")
            raise ShellFault(f"{path}: {error.text}", 1) from None
        del self.data["tcp"]
        return str(self.proc["fds"].pop(str(fd)))

    def drop(self, held: Mapping[Any, str | None]) -> None:
        """Lets go of what `opened` gave, or for good of what `apply` has put aside."""
        for key in held.values():
            if key is not None:
                self.sys.kernel.close(key)

    def apply(self, opened: dict[int, str | None]) -> Data:
        """Puts redirections in place in the shell itself; gives what `restore` needs."""
        fds = self.proc["fds"]
        saved: Data = {}
        for fd, key in opened.items():
            saved[str(fd)] = fds.get(str(fd))
            if key is None:
                fds.pop(str(fd), None)
            else:
                fds[str(fd)] = key
        return saved

    def restore(self, saved: Data) -> None:
        """Undoes `apply`."""
        fds = self.proc["fds"]
        for fd, key in saved.items():
            now = fds.pop(fd, None)
            if now is not None:
                self.sys.kernel.close(now)
            if key is not None:
                fds[fd] = key
