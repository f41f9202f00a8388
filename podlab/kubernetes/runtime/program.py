"""Programs: what an executable file does, as functions over plain data.

A program is a `Program` in the registry, found by name through an executable file's `program` (see image.py). Its functions are
called by the kernel, one turn at a time:

    start(proc, sys)           first turn, after exec: argv, env, cwd and fds are in `proc`, `proc["data"]` is {}
    resume(proc, sys, event)   a later turn: what the process waited for has happened (`event`, see below)
    signal(proc, sys, n)       a signal has arrived; True: handled. False or no function: the default (TERM ends the process,
    except
                               process 1 of its pid namespace, which the kernel spares). Never called for KILL and STOP.

A turn ends in one of three ways: it returns an int (exit code; None is 0), or a system call raises `Blocked` (call me again) or
`Exited`. Programs never catch those two. There are no other ways to wait: no generators, no callbacks, no closures; whatever must
be remembered is put in `proc["data"]` (JSON values) before the call that may block. So the usual shape is one function for both:

    @tool("cat")
    def cat(proc: Process, sys: Sys, event: Event) -> int:      # event is None at start
        while text := sys.read(0):                               # raises Blocked while there is nothing to read
            sys.write(1, text)
        return 0

Events (dicts) for `resume`: {"on": "fd", "fd": n} readable (call read again), {"on": "timer"}, {"on": "child"} (call wait again),
{"on": "change"} (a watched file system changed), {"on": "signal", "signal": n} after a handled signal when the program asked for
it with `sys.interrupt()`, and {"on": "external", "result": ...} from `Node.complete`. Spurious turns are allowed: look, then
block again.

Work costs virtual CPU time: every turn and system call is charged a little, and `sys.charge(microseconds)` adds more (a request
handler's work). A process that runs on without blocking is made to wait in virtual time, so nothing can hang the simulator.
An `Errno` that a program lets fly ends it with `name: text` on stderr and exit code 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .process import Data, Process

if TYPE_CHECKING:
    from .system import Sys

Event = Data | None
Turn = Callable[[Process, "Sys", Event], int | None]
TEXT_MAX = 262_144
"""Characters that a program may make into one value: a shell's variable, awk's string, sed's pattern space, a line. A real machine
has the whole memory for it; here `x=$x$x` must not take the server's."""
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Program:
    """One executable's behaviour. `memory` is what it keeps resident (bytes), before it allocates anything itself. A program that keeps
    objects between turns (Kernel.live) has `settle(proc, what it kept)`, which writes them into proc["data"] before a checkpoint."""

    name: str
    start: Callable[[Process, Sys], int | None]
    resume: Turn | None = None
    signal: Callable[[Process, Sys, int], bool] | None = None
    memory: int = MEBIBYTE // 2
    settle: Callable[[Process, object], None] | None = None


PROGRAMS: dict[str, Program] = {}


def register(program: Program) -> Program:
    """Adds a program under its name; a later one with the same name replaces it."""
    PROGRAMS[program.name] = program
    return program


def tool(
    *names: str, signal: Callable[[Process, Sys, int], bool] | None = None, memory: int = MEBIBYTE // 2
) -> Callable[[Turn], Turn]:
    """Registers one function `(proc, sys, event) -> exit code` as a program under each of the names."""

    def decorate(turn: Turn) -> Turn:
        for name in names:
            register(Program(name, lambda proc, sys: turn(proc, sys, None), turn, signal, memory))
        return turn

    return decorate


def _foreign_start(proc: Process, sys: Sys) -> None:
    sys.foreign("start", {"argv": proc["argv"], "cwd": proc["cwd"], "env": proc["env"], "tty": sys.is_tty(0)})


def _foreign_resume(proc: Process, sys: Sys, event: Event) -> None:
    sys.foreign("input", None)


register(Program("foreign", _foreign_start, _foreign_resume))
"""A program that the host runs (kubectl on the laptop): suspended until `Node.foreign_exit`. Give its executable file
`program: "foreign"`."""
