"""A process's turn: what time it is, where the process runs, the CPU and memory it uses, and how it waits.

The calls every other kind of call stands on: descriptors.py, file_calls.py and system.py add to them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import linear
from .process import Data, Exited, Process
from .program import PROGRAMS
from .view import View

if TYPE_CHECKING:
    from .kernel import Kernel


class Turn:
    """One turn of a process at its kernel; it holds nothing that lasts."""

    __slots__ = ("_view", "kernel", "proc", "used")

    def __init__(self, kernel: Kernel, proc: Process) -> None:
        self.kernel, self.proc = kernel, proc
        self.used = 0  # microseconds of CPU in this turn, not yet charged
        self._view: View | None = None

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

    def worked(self, us: int) -> None:
        """CPU time that shows in the container's use and holds nobody up: of a server whose loop of clients asks a fortieth as often here as
        on a real machine (kernel.REFILL_US_PER_MS), so that an autoscaler sees the load that it would see there."""
        self.proc["cpu_us"] += us
        self.kernel.count_cpu(self.container, us)

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

    def sleep(self, ms: int) -> None:
        """Waits; the event is {"on": "timer"}."""
        self.kernel.block(self.proc, [], ms)

    def pause(self) -> None:
        """Waits for a signal, for ever."""
        self.kernel.block(self.proc, [])

    def breathe(self) -> None:
        """Call once a round in any loop that may be long: waits while the time slice is used up or a pipe it fills is full."""
        proc = self.proc
        self.used += linear.taken()
        if proc["debt"] + self.used >= QUANTUM_US:  # before the pipe: two that hand each other work would never pay
            self.kernel.charge(proc, self.used)
            self.used = 0
            self.kernel.pay(proc)
        if proc["stall"]:
            pipe = self.kernel.state["pipes"].get(proc["stall"])
            if pipe is not None and pipe["r"] and len(pipe["buf"]) >= CHUNK:
                self.kernel.block(proc, ["room:" + proc["stall"]])
            proc["stall"] = ""

    def is_tired(self) -> bool:
        """Whether the time slice is used up, for a loop that can be left and come back to: then `breathe` waits."""
        return bool(self.proc["debt"] + self.used >= QUANTUM_US)

    def interrupt(self) -> None:
        """From a signal function: breaks off what the process waits for; it gets a turn with {"on": "signal"}."""
        if self.proc["wait"] is not None:
            self.kernel.ready(self.proc, {"on": "signal"})


CHUNK = 65_536
QUANTUM_US = 10_000
"""CPU time that a process may use before it has to wait for it in virtual time."""
