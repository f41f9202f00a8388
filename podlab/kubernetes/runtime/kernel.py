"""The kernel of one simulated machine: the turns of its processes, what a signal does, who owes CPU time.

waiting.py has who waits for what, open_files.py what is open.

CPU time. Turns and calls charge microseconds to `proc["debt"]`. When it exceeds QUANTUM_US the process is put off for as long as
that CPU time takes under its container's CPU limit. A container may use BURST_US of CPU at that pace and gains REFILL_US_PER_MS
per virtual millisecond; beyond it, its processes still count as using CPU all the time but take steps rarely, so an endless loop
costs the simulator next to nothing.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from contextlib import suppress
from typing import Any

from .filling import image_layer
from .image import Image
from .linear import TooComplex
from .open_files import OpenFiles
from .process import CONT, IGNORED_BY_DEFAULT, KILL, STOP, TSTP, Blocked, Data, Errno, Exited, Process, Replaced
from .program import PROGRAMS, Event
from .system import Sys
from .turn import QUANTUM_US
from .view import View

BURST_US = 2_000_000
REFILL_US_PER_MS = 5
EXEC_US = 500
"""CPU time of a fork and exec of a small program."""
TURNS_A_RUN, REST_MS, RESTS_MAX = 400, 200, 6
"""Turns that the processes of a machine get at one moment (some 0.1 s), and the pause after that: after each of several runs in a row
that would not end it is twice as long, up to 200 << 5 ms."""
TURN_US = 20
CRASHES_KEPT = 20  # the newest: a loop around what fails must not fill the memory


class Kernel(OpenFiles):
    """Processes, pipes, open files and timers of one machine. `Node` adds containers, sandboxes and volumes."""

    def __init__(self) -> None:
        self._views: dict[str, View] = {}
        self.derived: dict[str, Any] = {}  # what programs worked out from files, to save work: no part of the state, lost at any time
        self.live: dict[str, Any] = {}  # by process key: programs' memories that are objects; `settle` writes them into the processes
        self._running = False
        self.crashes: list[str] = []  # programs that failed in a way no program should: for tests and the operator

    # What Node supplies.
    @abstractmethod
    def image_of(self, container: Data) -> Image: ...

    @abstractmethod
    def container_ended(self, container: Data, proc: Process) -> None: ...

    @abstractmethod
    def exec_ended(self, exec_id: str, proc: Process) -> None: ...

    @abstractmethod
    def output(self, desc: Data, text: str) -> None: ...

    @abstractmethod
    def disk_free(self) -> int: ...

    @abstractmethod
    def check_memory(self, container: Data) -> None: ...

    @abstractmethod
    def has_grown(self, container: Data, memory: int) -> None: ...

    @abstractmethod
    def settle_burn(self, container: Data) -> None: ...

    def view(self, container_id: str) -> View:
        """The file system as a container sees it."""
        view = self._views.get(container_id)
        if view is None:
            container = self.state["containers"][container_id]
            image = self.image_of(container)
            view = self._views[container_id] = View(self, container, image_layer(image.tree))
        return view

    def settle(self) -> None:
        """Before a checkpoint: what programs remember as objects goes into their processes' data."""
        for key, memory in self.live.items():
            proc = self.state["processes"].get(key)
            settle = PROGRAMS[proc["program"]].settle if proc is not None else None
            if proc is not None and settle is not None:
                settle(proc, memory)

    # Processes.
    def new_process(self, ns: str, container: str, pod: str, **fields: Any) -> Process:
        """Adds a process to a pid namespace; the caller gives it its descriptions and its first turn."""
        space = self.state["namespaces"].setdefault(ns, {"next": 1, "pids": []})
        pid = space["next"]
        space["next"] = pid + 1 if pid < 4_194_303 else 2
        key = f"{ns}:{pid}"
        space["pids"].append(pid)
        proc: Process = {
            "key": key, "pid": pid, "ppid": 0, "ns": ns, "pgid": pid, "container": container, "pod": pod, "exec_id": "",
            "program": "", "argv": [],
            "env": {}, "cwd": "/", "uid": 0, "gid": 0, "groups": [0], "umask": 0o22, "fds": {}, "data": {}, "wait": None,
            "state": "running",
            "stall": "", "children": [], "status": 0, "killed": 0, "ignored": [], "memory": 0, "burn": 0, "debt": 0, "cpu_us": 0,
            "started": self.host.now, "orphan": False, "queued": False,
        }  # fmt: skip
        proc.update(fields)  # type: ignore[typeddict-item]
        self.state["processes"][key] = proc
        return proc

    def on_wake(self, payload: Data) -> None:
        """A wait's timer has fired."""
        proc = self.state["processes"].get(payload["wake"])
        if proc is not None and proc["wait"] is not None and proc["wait"]["seq"] == payload["seq"]:
            proc["wait"]["timer"] = None
            self.ready(proc, {"on": payload["on"]})
            self.run()

    def run(self) -> None:
        """Gives turns until nobody is ready. Every public method of Node ends with it."""
        if self._running:
            return
        self._running = True
        try:
            queue, processes = self.state["ready"], self.state["processes"]
            turns = 0
            while queue:
                turns += 1
                if turns > TURNS_A_RUN:  # many that each live too briefly to use up a slice: a fork bomb
                    if not self.state.get("resting"):
                        rests = self.state["rests"] = min(self.state.get("rests", 0) + 1, RESTS_MAX)
                        self.state["resting"] = True
                        self.host.after(REST_MS << rests - 1, {"rested": True})
                    break
                key, event = queue.pop(0)
                proc = processes.get(key)
                if proc is not None:
                    proc["queued"] = False
                    if proc["state"] == "running":
                        self.turn(proc, event)
        finally:
            self._running = False

    def rested(self) -> None:
        """The pause after a run that would not end is over."""
        self.state["resting"] = False
        self.run()
        if not self.state["resting"]:  # this run came to its end
            self.state["rests"] = 0

    def turn(self, proc: Process, event: Event) -> None:
        """One turn of one process, to its end."""
        self.charge(proc, TURN_US)
        sys = Sys(self, proc)
        try:
            if event is not None and event["on"] == "start":
                code = PROGRAMS[proc["program"]].start(proc, sys)
            else:
                resume = PROGRAMS[proc["program"]].resume
                code = resume(proc, sys, event) if resume is not None else 0
            self.exit(proc, code or 0)
        except Blocked:
            pass
        except Replaced:
            proc["queued"] = True
            self.state["ready"].insert(0, [proc["key"], {"on": "start"}])
        except Exited:
            pass
        except Errno as error:
            self._complain(sys, f"{proc['argv'][0]}: {error.path + ': ' if error.path else ''}{error.text}\n")
            self.exit(proc, 1)
        except TooComplex:  # as the C library says of a pattern for which it has no room (REG_ESPACE)
            self._complain(sys, f"{proc['argv'][0]}: Out of memory\n")
            self.exit(proc, 2)
        except re.error:  # busybox's xregcomp
            self._complain(sys, f"{proc['argv'][0]}: bad regex: Invalid regular expression\n")
            self.exit(proc, 1)
        except (
            Exception
        ) as error:  # a fault of the program's code here must end that process, as it would on a real machine, not the cluster
            self.note_crash(str(proc["argv"]), error)
            self._complain(sys, "Segmentation fault\n")
            self.exit(proc, 139, 11)
        if sys.used:
            self.charge(proc, sys.used)

    def note_crash(self, who: str, error: Exception) -> None:
        """A program has failed in a way no program should."""
        self.crashes.append(f"{who[:1000]}: {type(error).__name__}: {str(error)[:1000]}")
        del self.crashes[:-CRASHES_KEPT]

    def _complain(self, sys: Sys, text: str) -> None:
        with suppress(Errno, Blocked, Exited):
            sys.write(2, text)

    def changed(self, fsid: str) -> None:
        """A file system has changed: wakes who watches it."""
        view = self._views.get(fsid[6:]) if fsid.startswith("layer/") else None
        if view is not None:
            view.commands.clear()
        if "fs:" + fsid in self.state["waiters"]:
            self.wake("fs:" + fsid, {"on": "change"})

    # CPU time.
    def charge(self, proc: Process, us: int) -> None:
        """CPU time used by a process."""
        proc["debt"] += us
        proc["cpu_us"] += us
        container = self.state["containers"].get(proc["container"])
        if container is not None:
            self.count_cpu(container, us)

    def count_cpu(self, container: Data, us: int) -> None:
        """Adds to the container's use in the present window (usage() reads it)."""
        cpu = container["cpu"]
        window = self.host.now // 15_000
        if cpu["window"] != window:
            cpu["before"] = cpu["us"] if cpu["window"] == window - 1 else 0
            cpu["window"], cpu["us"] = window, 0
        cpu["us"] += us
        cpu["total"] += us

    def pay(self, proc: Process) -> None:
        """Puts a process off when it has used up its time slice. Raises Blocked then."""
        if proc["debt"] < QUANTUM_US:
            return
        debt, proc["debt"] = proc["debt"], 0
        container = self.state["containers"].get(proc["container"])
        limit = int(container["limits"].get("cpu") or 0) if container else 0
        ms = debt / 1000 * max(1.0, 1000 / limit if limit else 1.0)
        if container is not None:
            cpu = container["cpu"]
            now = self.host.now
            cpu["tokens"] = min(BURST_US, cpu["tokens"] + (now - cpu["at"]) * REFILL_US_PER_MS) - debt
            cpu["at"] = now
            if cpu["tokens"] < 0 and -cpu["tokens"] / REFILL_US_PER_MS > ms:
                ms = -cpu["tokens"] / REFILL_US_PER_MS
                more = int(ms * (min(limit, 1000) if limit else 1000)) - debt
                proc["cpu_us"] += more
                self.count_cpu(container, more)
        self.block(proc, [], round(ms), "turn")

    # Ends.
    def exit(self, proc: Process, status: int, killed: int = 0) -> None:
        """Ends a process: closes what it held open, hands its children on, tells its parent."""
        if proc["state"] == "zombie":
            return
        wait = proc["wait"]
        if wait is not None:
            self._unwait(proc, wait)
        proc.update(
            {"state": "zombie", "status": status & 255, "killed": killed, "data": {}, "memory": 0, "burn": 0, "stall": ""}
        )
        self.live.pop(proc["key"], None)
        for desc in list(proc["fds"].values()):
            self.close(desc)
        proc["fds"] = {}
        self.wake("gone:" + proc["key"], {"on": "change"})
        processes = self.state["processes"]
        init = self.process(proc["ns"], 1)
        for key in proc["children"]:
            child = processes[key]
            child["ppid"], child["orphan"] = 1, True
            if init is not None and init is not proc:
                init["children"].append(key)
            if child["state"] == "zombie" and init is not proc:
                self.reap(child)
        proc["children"] = []
        container = self.state["containers"].get(proc["container"])
        if proc["exec_id"] and proc["ppid"] == 0:
            self.exec_ended(proc["exec_id"], proc)
            self.reap(proc)
        elif container is not None and container["main"] == proc["key"]:
            self.container_ended(container, proc)
        else:
            parent = self.process(proc["ns"], proc["ppid"]) if proc["ppid"] else None
            if parent is None or parent["state"] == "zombie" or proc["orphan"]:
                self.reap(proc)
            else:
                parent["debt"] += proc["debt"]
                self.wake("child:" + parent["key"], {"on": "child"})

    def reap(self, proc: Process) -> None:
        """Forgets a zombie."""
        parent = self.process(proc["ns"], proc["ppid"]) if proc["ppid"] else None
        if parent is not None and proc["key"] in parent["children"]:
            parent["children"].remove(proc["key"])
        space = self.state["namespaces"].get(proc["ns"])
        if space is not None and proc["pid"] in space["pids"]:
            space["pids"].remove(proc["pid"])
        self.state["processes"].pop(proc["key"], None)

    # Signals.
    def send(self, proc: Process, n: int, outside: bool = False) -> None:
        """Delivers a signal. Process 1 of a pid namespace gets only what it handles, except KILL and STOP from outside it
        (pid_namespaces(7))."""
        if proc["state"] == "zombie" or n == 0:
            return
        init = proc["pid"] == 1
        if n == KILL:
            if not init or outside:
                self.exit(proc, 128 + KILL, KILL)
            return
        if n == STOP:
            if not init or outside:
                self.stop(proc)
            return
        if n == CONT and proc["state"] == "stopped":
            proc["state"] = "running"
            if proc["wait"] is None:
                proc["queued"] = True
                self.state["ready"].append([proc["key"], {"on": "turn"}])
        if n in proc["ignored"]:
            return
        handler = PROGRAMS[proc["program"]].signal
        if handler is not None:
            try:
                if handler(proc, Sys(self, proc), n):
                    return
            except (Exited, Blocked):
                return
        if init or n in IGNORED_BY_DEFAULT:
            return
        if n == TSTP or n in (21, 22):
            self.stop(proc)
        else:
            self.exit(proc, 128 + n, n)

    def stop(self, proc: Process) -> None:
        """Stops a process (SIGSTOP); what it waited for may happen meanwhile, it looks again when continued."""
        if proc["wait"] is not None:
            self._unwait(proc, proc["wait"])
        proc["state"] = "stopped"

    def out_of_memory(self, container: Data) -> None:
        """The container's memory limit is exceeded: every process of it is killed (memory.oom.group, which the kubelet sets)."""
        container["oom"] = True
        main = container["main"]
        procs = self.of_container(container["id"])
        for proc in [p for p in procs if p["key"] != main] + [p for p in procs if p["key"] == main]:
            self.exit(proc, 128 + KILL, KILL)
