"""A shell's children: forks that run a block of its code, jobs in the foreground of a terminal, and what their ends mean."""

from __future__ import annotations

from typing import Any

from ..process import INT, PIPE, QUIT, Data, Errno, Process
from ..program import TEXT_MAX
from . import builtins
from .faults import ShellExit, ShellFault
from .redirections import Redirections

MAX_DEPTH = 200
"""Function and eval frames at once; more is an endless recursion, which a real shell ends by running out of stack."""


def _source(frames: list[Data]) -> Data:
    """The file of which a fork runs a part, when it was sourced."""
    return next(({"source": one["source"]} for one in reversed(frames) if "source" in one), {})


def _in_function(frames: list[Data]) -> bool:
    """Whether a function runs, also where a child of the shell that called it does (a pipe, a substitution): there `local` may stand."""
    return any("locals" in one for one in frames)


class Children(Redirections):
    """The processes that a shell starts and waits for."""

    __slots__ = ()

    def fork(self, frame: Data, start: int, fds: dict[int, str | None] | None = None, *, background: bool = False,
        tested: bool = False, inside: bool = False,
             group: int | None = None) -> int:  # fmt: skip
        """A child shell that runs a block of this frame's unit, `inside` $( ). Gives its pid."""
        data = self.data
        copy: Data = {
            **data, "vars": dict(data["vars"]), "exp": dict(data["exp"]), "ro": dict(data["ro"]), "funcs": dict(data["funcs"]),
            "units": dict(data["units"]), "args": list(data["args"]), "traps": {n: text for n,
            text in data["traps"].items() if text == ""},
            "pending": [], "substituted": [], "fg": None, "cur": None, "jobs": [], "exiting": None, "sub": True,
            "mode": "sub" if data["mode"] == "tty" else data["mode"],
            "frames": [{"u": frame["u"], "pc": start, "kind": "sub", "subst": {}, "loops": [], "redirs": [],
            "noerr": frame["noerr"] or tested, **_source(data["frames"]), **({"locals": {}} if _in_function(data["frames"]) else {})}],
        }  # fmt: skip
        if background and data["mode"] != "tty":
            copy["quiet"] = True
        if inside:
            copy["inside"] = data.get("inside", 0) + 1
        pid = self.sys.spawn(self.proc["argv"], program=self.proc["program"], data=copy, fds=fds, group=group)
        if background and data["mode"] != "tty":
            child = self.sys.kernel.process(self.proc["ns"], pid)
            if child is None:
                raise LookupError
            child["ignored"] = sorted({*child["ignored"], INT, QUIT})
        return pid

    def unit(self, text: str, line: int = 1) -> str:
        """Adds a text to run."""
        self.data["nunit"] += 1
        key = str(self.data["nunit"])
        self.data["units"][key] = [text, line]
        return key

    def push(self, unit: str, pc: int, kind: str, **more: Any) -> Data:
        frames = self.data["frames"]
        if len(frames) > MAX_DEPTH:
            raise ShellExit(139)
        frame = {
            "u": unit,
            "pc": pc,
            "kind": kind,
            "subst": {},
            "loops": [],
            "redirs": [],
            "noerr": bool(frames and frames[-1]["noerr"]),
            **more,
        }
        frames.append(frame)
        return frame

    def substitute(self, frame: Data, start: int, sign: str) -> str:
        """bash's <( ) or >( ): begins its child with a pipe of which this shell has the other end; gives that end's path."""
        read, write = self.sys.pipe()
        pid = self.fork(frame, start, {1: write} if sign == "<" else {0: read}, inside=True)
        fd = 63
        while str(fd) in self.proc["fds"]:
            fd -= 1
        self.sys.assign(fd, read if sign == "<" else write)
        self.data.setdefault("substituted", []).append([fd, len(self.data["frames"]), pid])
        return f"/dev/fd/{fd}"

    def close_substituted(self) -> None:
        """Closes the ends of process substitutions whose command has been begun, or is over when it is a function or a builtin."""
        kept: list[list[int]] = []
        for fd, depth, pid in self.data["substituted"]:
            if fd >= 0 and (len(self.data["frames"]) > depth or self.data["cur"] is not None):
                kept.append([fd, depth, pid])
                continue
            if fd >= 0:
                self.sys.close(fd)
            if self.sys.wait(pid, block=False) is None:
                kept.append([-1, depth, pid])
        self.data["substituted"] = kept

    def group(self) -> int | None:
        """An interactive shell gives each job a process group of its own."""
        return 0 if self.data["mode"] == "tty" else None

    def foreground(self, pids: list[int], **more: Any) -> None:
        """From the next step on the shell waits for these children; the last one's status counts."""
        self.data["fg"] = {"pids": pids, "last": pids[-1], "status": 0, "failed": 0, **more}
        if self.data["mode"] == "tty":
            self.terminal_group(self.sys.kernel.process(self.proc["ns"], pids[0]))

    def terminal_group(self, proc: Process | None) -> None:
        key = self.proc["fds"].get("0")
        desc = key and self.sys.kernel.state["files"][key]
        if desc and desc["kind"] == "tty" and proc is not None:
            self.sys.kernel.state["ttys"][desc["tty"]]["fg"] = proc["pgid"]

    def reap_foreground(self) -> None:
        """Goes on waiting for the foreground children. Raises Blocked while they run."""
        data = self.data
        fg = data["fg"]
        if "out" in fg:
            while text := self.sys.read(fg["out"]):
                fg["text"] += text
                if len(fg["text"]) > TEXT_MAX:
                    self.sys.close(fg["out"])
                    data["fg"] = None
                    raise ShellFault("out of memory")
            self.sys.close(fg["out"])
            del fg["out"]
        while fg["pids"]:
            pid = fg["pids"][0]
            try:
                ended = self.sys.wait(pid)
            except Errno:
                ended = (pid, 127, 0)
            if ended is None:
                raise LookupError
            fg["pids"].pop(0)
            fg.setdefault("ends", []).append(ended[1])
            if ended[1]:
                fg["failed"] = ended[1]
            if pid == fg["last"]:
                fg["status"] = ended[1]
                if ended[2] and ended[2] not in (INT, PIPE) and "text" not in fg:
                    self.sys.err(builtins.killed_text(ended[2]) + "\n")
        data["fg"] = None
        if data["mode"] == "tty":
            self.terminal_group(self.proc)
        frame = data["frames"][-1]
        data["status"] = fg["failed"] if "P" in data["opts"] else fg["status"]
        if "text" in fg:
            frame["subst"][fg["key"]] = fg["text"].rstrip("\n").replace("\0", "")
            data["status"] = data["substatus"] = fg["status"]
        else:
            data["pipes"] = fg.get("ends", [])
            self.after(frame, fg["tested"])

    def after(self, frame: Data, tested: bool) -> None:
        """A command has ended: set -e may end the shell, and bash's trap on ERR runs before."""
        status = self.data["status"]
        if not status or tested or frame["noerr"]:
            return
        action = self.data.get("onerr")
        if action and ("E" in self.data["opts"] or not any(one["kind"] == "func" for one in self.data["frames"])):
            self.push(self.unit(action, self.data["line"]), 0, "trap", status=status, noerr=True, ends="e" in self.data["opts"])
        elif "e" in self.data["opts"]:
            raise ShellExit(status)
