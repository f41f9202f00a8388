"""The system calls: what a program may ask of the kernel. One `Sys` is made for each turn of a process and holds nothing that
lasts.

A call either returns, raises `Errno`, or raises `Blocked` after noting what the process waits for (see program.py). Reading and
writing use str; a read gives "" at the end of the file. Paths are relative to the process's working directory.
"""

from __future__ import annotations

from .file_calls import FileCalls
from .process import Blocked, Data, Errno, Exited, Process, Replaced
from .program import PROGRAMS
from .view import EXECUTE

ARGUMENTS_MAX = 2_000
"""Words of one command line: a tool may do a tenth of a millisecond of work for each. Linux bounds their characters (E2BIG)."""
PROCESSES_MAX = 256
"""In one pid namespace. A real kubelet has podPidsLimit (-1, no limit, by default); here a fork bomb must not take the server with it."""


class Sys(FileCalls):
    """System calls on behalf of one process: on processes here, on files and what is open in the classes below."""

    __slots__ = ()

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
        """(program, argv) for an executable file; scripts get their interpreter. Raises ENOENT, EACCES, ENOEXEC, E2BIG."""
        if len(argv) > ARGUMENTS_MAX:
            raise Errno("E2BIG")
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
        process group, 0 for one of its own. Raises ENOENT, EACCES, ENOEXEC, E2BIG, and EAGAIN past PROCESSES_MAX."""
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
        kernel.has_grown(self.container, child["memory"])
        if proc["state"] == "zombie":
            raise Exited
        return child["pid"]

    def exec(self, argv: list[str], *, path: str | None = None, env: dict[str, str] | None = None) -> None:
        """Becomes another program. Raises ENOENT, EACCES, ENOEXEC, E2BIG when it cannot, else never returns."""
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
