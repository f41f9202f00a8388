"""The learner's own machine: a real shell in front of kubectl, outside the cluster.

    laptop = Laptop(cluster, submit, {"web.yaml": "..."})
    laptop.enter("kubectl get pods | grep web")
    laptop.take_output()              [("out", "web   1/1 ...\\n")]
    laptop.advance()                  after the cluster has moved

The machine is a runtime Node of its own with one container, in which bash runs at a terminal without echo (the page shows what is
typed). kubectl and curl are programs that the host, that is this module, runs: generators that are woken when the cluster
moves. Nothing here is checkpointed or journaled; only what kubectl sends to the cluster is.
The file is long because the machine's host is one object: its keyboard and screen for the page, and a dozen small answers that the
machine's kernel asks of whoever runs it, which share all its state. What it is made of and what runs on it stands in laptop_programs.py.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..runtime.process import Errno
from ..runtime.system import Sys
from . import completion
from .disk import HOME, Disk
from .laptop_programs import IMAGE, Machine, Running
from .page_editor import PageEditor
from .terminal import Api, Config, Terminal

if TYPE_CHECKING:
    from ..engine import Engine

PROMPT, MORE = "\x01", "\x02"  # PS1 and PS2 of the shell: marks that are taken out of its output
TURNS_AT_ONCE = 60  # slices of CPU time that one call grants at once; an endless loop then goes on with the cluster's clock
QUANTUM_MS = 10  # the usual slice (turn.QUANTUM_US)
EARN_MS = 50  # virtual time after which one more is granted
TIMERS_AT_ONCE = 2_000
START_MS = 60  # a kubectl after another in one script: the recorded steps take 60 to 130 ms
SLICE_MS = 100  # the wait of a process that has used them up
OUTPUT_MAX = 1 << 20  # characters that wait to be taken; the oldest go, as from a terminal's scrollback


class Laptop:
    """One learner's shell. Call its methods inside a turn of the cluster; none of them waits."""

    def __init__(self, cluster: Engine, submit: Callable[[dict[str, Any]], Any], files: dict[str, str] | None = None, *,
                 namespace: str = "default", interactive: bool = True, page_editor: PageEditor | None = None) -> None:
        """`page_editor`: what the page that shows this machine opens files with; None where there is no page."""
        self.cluster = cluster
        self.page_editor = page_editor
        self.api = Api(cluster, lambda entry: self._submit(submit, entry))
        self.config = Config(namespace)
        self.forwards: dict[int, dict[str, Any]] = {}  # local port -> {"namespace", "pod", "uid", "port"}
        self.tells: dict[int, Callable[[int, str], None]] = {}  # local port -> how its port-forward writes: (1 or 2, text)
        self.random = cluster.random
        self._now = cluster.now
        self._timers: list[tuple[int, int, dict[str, Any]]] = []
        self._cancelled: set[int] = set()
        self._sequence = 0
        self._turns = 0
        self._earned_at = cluster.now
        self._starting: list[tuple[str, dict[str, Any]]] = []
        self._running: dict[str, Running] = {}
        self._output: list[tuple[str, str]] = []
        self._held = 0  # characters of it
        self._settling = False
        self._ended: dict[str, int] = {}
        self._changed_at: int | None = None  # when a command of the present line last changed the cluster
        self.paused: Callable[[], bool] = lambda: False  # whether the cluster's clock stands still
        self.tired: Callable[[], bool] = lambda: False  # whether whoever drives this machine would rather go on at the next `advance`
        self.hungry = False  # it was stopped so: there is more to do at once
        self.node = Machine(self)
        self.node.run_sandbox("laptop", name="laptop", namespace="", hostname="laptop", ip="127.0.0.1")
        self.container = self.node.create_container("laptop", "laptop", image="laptop", command=["pause"], working_dir=HOME,
                                                    env={"USER": "root", "TERM": "xterm", "EDITOR": "vi"})
        self.node.start_container(self.container)
        for name, text in (files or {}).items():
            self.write_file(name, text)
        self._shell = ""
        if interactive:
            self._open_shell()

    # ---- the page's side

    def enter(self, line: str) -> None:
        """A line typed: a command, or input for what runs."""
        text = line + "\n"
        self._changed_at = None
        self._turns = 0
        cpu = self.node.state["containers"][self.container]["cpu"]  # also while the clock stands still, when nothing is earned
        cpu["tokens"] = max(cpu["tokens"], TURNS_AT_ONCE * QUANTUM_MS * 1000)
        for running in reversed(list(self._running.values())):
            if running.raw:
                running.keys += text
                running.woken = True
                break
        else:
            self.node.write_stdin(self._shell, text)
        self._settle()

    def interrupt(self) -> None:
        """Ctrl-C."""
        for running in reversed(list(self._running.values())):
            if running.raw:
                running.keys += "\x03"
                running.woken = True
                break
        else:
            self.node.write_stdin(self._shell, "\x03")
        self._settle()

    def advance(self) -> None:
        """The cluster has moved, or time has passed."""
        earned = (self.cluster.now - self._earned_at) // EARN_MS
        self._earned_at += earned * EARN_MS
        self._turns = max(0, self._turns - earned)
        for running in self._running.values():
            stirred = running.stir or running.revision != self.cluster.etcd.revision
            running.woken = running.woken or (stirred and not running.busy) or (running.busy and self.paused())
        self._settle()

    def take_output(self) -> list[tuple[str, str]]:
        """What was printed since the last call: ("out" or "err", text), in order."""
        taken, self._output, self._held = self._output, [], 0
        return taken

    @property
    def busy(self) -> bool:
        return not self._shell_data().get("prompted")

    @property
    def prompt(self) -> str:
        """What stands before the next line: the shell's prompt, "> " in the middle of a command, nothing while something runs."""
        data = self._shell_data()
        return "" if not data.get("prompted") else "> " if data.get("input") else "$ "

    @property
    def exit_code(self) -> int:
        """$? of the shell."""
        return int(self._shell_data().get("status", 0))

    def complete(self, line: str) -> list[str]:
        """What the last word of a line could be."""
        proc = self._shell_process()
        cwd = proc["cwd"] if proc else HOME
        terminal = Terminal(self.api, lambda stream, text: None, self.config, Disk(self._sys(), cwd))
        return completion.complete_line(line, terminal, self._commands())

    def files(self) -> dict[str, str]:
        """The text files of the home directory by path, hidden ones left out."""
        disk = Disk(self._sys(), HOME)
        return {path: disk[path] for path in disk.below(HOME) if not path.startswith(".")}

    def write_file(self, name: str, text: str) -> None:
        """Put a file into the home directory; directories on the way are made."""
        Disk(self._sys(), HOME).write(name, text)

    def close_editor(self, number: int, text: str | None) -> None:
        """The page's editor was closed (PageEditor.close)."""
        if self.page_editor is not None:
            self.page_editor.close(number, text)
            for running in self._running.values():
                running.woken = True
            self._settle()

    # ---- programs that the host runs

    def connect(self, port: int) -> dict[str, Any] | None:
        """Somebody connects to a port of this machine: where a port-forward leads it."""
        to = self.forwards.get(port)
        if to is not None:
            self.tells[port](1, f"Handling connection for {port}\n")
        return to

    def at_terminal(self, process: str, fd: int) -> bool:
        """Whether a descriptor of a process is the learner's terminal."""
        proc = self.node.state["processes"].get(process)
        desc = self.node.state["files"].get(proc["fds"].get(str(fd), "")) if proc else None
        return bool(desc and desc["kind"] == "tty")

    def printed(self, stream: str, text: str) -> None:
        if text:
            self._output.append((stream, text))
            self._held += len(text)
            if self._held > OUTPUT_MAX:
                kept = 0
                for index in range(len(self._output) - 1, -1, -1):
                    kept += len(self._output[index][1])
                    if kept > OUTPUT_MAX // 2:
                        del self._output[:index]
                        break
                self._held = kept

    def system(self, process: str) -> Sys:
        return Sys(self.node, self.node.state["processes"][process])

    def set_forward(self, port: int, to: dict[str, Any] | None, tell: Callable[[int, str], None]) -> None:
        """A port-forward begins, or is over (None); `tell` writes what its command says of connections."""
        if to is None:
            self.forwards.pop(port, None)
        else:
            self.forwards[port], self.tells[port] = to, tell

    def spawn(self, argv: list[str]) -> str:
        """Run a command without a terminal; its exec id. `ended` tells the exit code."""
        return self.node.exec(self.container, argv)

    def ended(self, exec_id: str) -> int | None:
        return self._ended.get(exec_id)

    def next_at(self) -> int | None:
        """When this machine has something to do by itself: virtual ms."""
        times = [at for at, sequence, _ in self._timers if sequence not in self._cancelled]
        times += [running.due for running in self._running.values() if running.due is not None]
        return min(times, default=None)

    # ---- the runtime's host (runtime/host.py)

    @property
    def now(self) -> int:
        return self._now

    def after(self, ms: int, payload: dict[str, Any]) -> int:
        if payload.get("on") == "turn":  # CPU time costs no virtual time here, so that a paused cluster can be looked at
            self._turns += max(1, ms // QUANTUM_MS)  # a slice that took long counts for several
            ms = 0 if self._turns < TURNS_AT_ONCE else max(ms, SLICE_MS)
        self._sequence += 1
        heapq.heappush(self._timers, (self._now + ms, self._sequence, payload))
        return self._sequence

    def cancel(self, timer: Any) -> None:
        if any(sequence == timer for _, sequence, _ in self._timers):
            self._cancelled.add(timer)

    def on_exit(self, pod_uid: str, container_id: str) -> None:
        """The container only holds the shell: nothing follows."""

    def on_output(self, pod_uid: str, container_id: str) -> None:
        """Nobody reads the holding process's log."""

    def promised(self, promise: list[Any]) -> str:
        return ""  # a laptop mounts no volumes

    def on_memory(self) -> None:
        """Nothing is evicted from the laptop."""

    def on_exec_output(self, exec_id: str) -> None:
        if exec_id not in self.node.state["execs"]:
            return
        out, err = self.node.read_exec(exec_id)
        if exec_id == self._shell:
            nested = "$ " if self._shell_data().get("fg") else ""  # a shell started inside the shell prompts too
            out = out.replace(PROMPT, nested).replace(MORE, "> " if nested else "")
        self.printed("out", out)
        self.printed("err", err)

    def on_exec_exit(self, exec_id: str, payload: Any) -> None:
        self.on_exec_output(exec_id)
        self._ended[exec_id] = int(self.node.exec_status(exec_id)["exit_code"])
        for running in self._running.values():
            running.woken = running.woken or running.stir

    def on_foreign(self, process: str, event: str, detail: Any) -> None:
        if event == "start":
            self._starting.append((process, detail))
        elif process in self._running:
            self._running[process].woken = True

    # ---- inside

    def _submit(self, submit: Callable[[dict[str, Any]], Any], entry: dict[str, Any]) -> Any:
        if entry["do"] == "request":
            self._changed_at = self.cluster.now
        return submit(entry)

    def started_at(self) -> int:
        """When a program started now gets going: some time after the last change, as a real kubectl needs time to start."""
        if self._changed_at is None or self.paused():
            return self.cluster.now
        return max(self.cluster.now, self._changed_at + START_MS)

    def _open_shell(self) -> None:
        self._shell = ""
        exec_id = self.node.exec(self.container, ["env", f"PS1={PROMPT}", f"PS2={MORE}", "bash"], tty=True)
        self._shell = exec_id
        self.node.state["ttys"][self.node.state["execs"][exec_id]["tty"]]["echo"] = False
        self.node.read_exec(exec_id)
        self._output.clear()
        self._settle()

    def _shell_process(self) -> Any:
        session = self.node.state["execs"].get(self._shell)
        return self.node.state["processes"].get(session["proc"]) if session else None

    def _shell_data(self) -> dict[str, Any]:
        proc = self._shell_process()
        data: dict[str, Any] = proc["data"] if proc else {}
        return data

    def _sys(self) -> Sys:
        return Sys(self.node, self.node.state["processes"][self.node.state["containers"][self.container]["main"]])

    def _commands(self) -> list[str]:
        return sorted({*IMAGE.tree["bin"], "cd", "export", "alias", "exit", "for", "while", "if"})

    def _settle(self) -> None:
        """Let everything happen that can happen now."""
        if self._settling:
            return
        self._settling = True
        try:
            while self._fire() or self._start() or self._step():
                pass
            if self._shell and self._ended.get(self._shell) is not None:  # `exit`: a terminal without a shell would be of no use
                self._open_shell_again()
        finally:
            self._settling = False

    def _open_shell_again(self) -> None:
        kept = self._output
        self._output = []
        self._settling = False
        self._open_shell()
        self._output = kept

    def _fire(self) -> bool:
        """The machine's own timers, each at its time, up to the cluster's present."""
        fired, self.hungry = 0, False
        while self._timers and self._timers[0][0] <= self.cluster.now and fired < TIMERS_AT_ONCE:
            at, sequence, payload = heapq.heappop(self._timers)
            if sequence in self._cancelled:
                self._cancelled.discard(sequence)
                continue
            self._now = max(self._now, at)
            self.node.on_timer(payload)
            fired += 1
            if self.tired():
                self.hungry = True
                return False
            if self._starting:  # the program it started sees the world before later timers do
                return True
        if fired < TIMERS_AT_ONCE:
            self._now = max(self._now, self.cluster.now)
            return False
        return False

    def _start(self) -> bool:
        for process, detail in self._starting:
            if process in self.node.state["processes"]:
                self._running[process] = Running(self, process, detail)
        started = bool(self._starting)
        self._starting = []
        return started

    def _step(self) -> bool:
        """Give each program that was woken its turn."""
        moved = False
        for process, running in list(self._running.items()):
            if not running.alive:
                running.command.close()
                del self._running[process]
                moved = True
            elif running.woken or (running.due is not None and running.due <= self.cluster.now):
                running.woken, running.due, running.stir = False, None, False
                running.revision = self.cluster.etcd.revision
                self._resume(process, running)
                moved = True
                if self.tired():  # a hundred that watch are all woken by one change: the others of them when everybody had a turn
                    self.hungry = True
                    return False
        return moved

    def _resume(self, process: str, running: Running) -> None:
        try:
            wait = next(running.command)
            running.due = None if wait.ms is None else self.cluster.now + wait.ms
            running.stir, running.busy = wait.stir, wait.busy
            if wait.busy and self.paused():
                running.due = self.cluster.now
            if running.revision != self.cluster.etcd.revision:  # it changed something itself: look again with the others
                running.woken = False
        except StopIteration as stop:
            del self._running[process]
            if running.alive:
                self.node.foreign_exit(process, stop.value or 0)
        except Errno as error:  # its output cannot be written any more
            del self._running[process]
            running.command.close()
            self.node.foreign_exit(process, 1)
            self.printed("err", f"kubectl: {error.text}\n")
        except Exception as error:  # a fault of the program's code here ends the program, as in containers, and not the page's turn
            if self.cluster.strict:
                raise
            del self._running[process]
            self.node.note_crash("kubectl", error)
            self.node.foreign_exit(process, 139)
            self.printed("err", "Segmentation fault\n")
