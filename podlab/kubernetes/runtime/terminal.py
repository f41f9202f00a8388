"""Streams that lead out of the machine: container logs, exec and attach sessions, terminals, programs that the host runs."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from . import logs
from .container_status import ExecError, exec_words
from .kernel import Kernel
from .process import INT, KILL, QUIT, WINCH, Blocked, Data, Errno, Exited, Process
from .system import Sys

KEYS = re.compile("[\x03\x04\x08\n\r\x15\x1c\x7f]|[^\x03\x04\x08\n\r\x15\x1c\x7f]+")  # a key that does something, or others in a row


class Terminals(Kernel):
    """Sessions and terminals of a machine."""

    @abstractmethod
    def _process_in(self, container: Data, argv: Sequence[str], **fields: Any) -> Process: ...

    @abstractmethod
    def _load_into(self, proc: Process, argv: Sequence[str]) -> None: ...

    # Output.
    def output(self, desc: Data, text: str) -> None:
        """What a process writes to a log, session or terminal."""
        kind = desc["kind"]
        if kind == "log":
            self._log(desc["container"], desc["stream"], text)
        elif kind == "exec":
            self._session_output(desc["exec"], desc["stream"], text)
        else:
            self._tty_output(desc["tty"], text)

    def _log(self, container_id: str, stream: str, text: str) -> None:
        container = self.state["containers"].get(container_id)
        if container is None:
            return
        whole = logs.append(container["log"], stream, text, self.host.now)
        for exec_id in container["attached"]:
            self._session_output(exec_id, stream, text)
        if whole:
            self.host.on_output(container["pod"], container_id)

    def _session_output(self, exec_id: str, stream: str, text: str) -> None:
        session = self.state["execs"].get(exec_id)
        if session is not None:
            held, session[stream] = session[stream], ""  # nobody else holds it now: it grows in its place, and is not copied for each line
            held += text
            session[stream] = held
            self.host.on_exec_output(exec_id)

    def _tty_output(self, tty_id: str, text: str) -> None:
        to = self.state["ttys"][tty_id]["to"]
        if "log" in to:
            self._log(to["log"], "stdout", text)
        else:
            self._session_output(to["exec"], "stdout", text)

    # Terminals.
    def new_tty(self, to: Data) -> str:
        """A terminal in cooked mode whose output goes to {"log": container id} or {"exec": exec id}. `fg`: foreground process
        group."""
        key = str(self.number())
        self.state["ttys"][key] = {
            "in": "",
            "line": "",
            "eof": False,
            "hup": False,
            "echo": True,
            "fg": 0,
            "ns": "",
            "rows": 24,
            "cols": 80,
            "to": to,
        }
        return key

    def type(self, tty_id: str, text: str, procs: list[Process]) -> None:
        """Keys pressed at a terminal: lines are passed on whole; ^C and ^\\\\ signal the foreground group, ^D ends input, ^?
        rubs out, ^U clears."""
        tty = self.state["ttys"].get(tty_id)
        if tty is None:
            return
        for char in KEYS.findall(text):
            if char in "\x03\x1c":
                self._tty_echo(tty_id, tty, ("^C" if char == "\x03" else "^\\") + "\n")
                tty["line"] = tty["in"] = ""
                for proc in procs:
                    if proc["pgid"] == tty["fg"]:
                        self.send(proc, INT if char == "\x03" else QUIT)
            elif char == "\x04":
                if tty["line"]:
                    tty["in"] += tty["line"]
                    tty["line"] = ""
                else:
                    tty["eof"] = True
            elif char in "\x7f\x08":
                tty["line"] = tty["line"][:-1]
            elif char == "\x15":
                tty["line"] = ""
            else:
                char = "\n" if char == "\r" else char
                self._tty_echo(tty_id, tty, char)
                tty["line"] += char
                if char == "\n":
                    tty["in"] += tty["line"]
                    tty["line"] = ""
        if tty["in"] or tty["eof"]:
            self.wake("tty:" + tty_id, {"on": "fd"})

    def _tty_echo(self, tty_id: str, tty: Data, text: str) -> None:
        if tty["echo"]:
            self._tty_output(tty_id, text)

    # Sessions.
    def exec(
        self,
        container_id: str,
        argv: Sequence[str],
        *,
        stdin: bool = False,
        tty: bool = False,
        payload: Any = None,
        timeout: int = 0,
    ) -> str:
        """Runs a command in a running container; gives the session's id. Output is collected with `read_exec`; the end is
        reported by host.on_exec_exit(id, payload). `timeout` ms (0: none): then it is killed and exec_status says timed_out.
        Raises ExecError."""
        container = self.state["containers"].get(container_id)
        if container is None or container["state"] != "running":
            raise ExecError(f"container not found ({container_id.removeprefix('containerd://')})")
        exec_id = f"x{self.number()}"
        session: Data = {
            "id": exec_id, "container": container_id, "proc": "", "payload": payload, "stdout": "", "stderr": "",
            "exit_code": None,
            "stdin_pipe": "", "tty": "", "attach": False, "timer": None, "timed_out": False,
        }  # fmt: skip
        proc = self._process_in(container, argv, exec_id=exec_id)
        if tty:
            proc["env"] = {**proc["env"], "TERM": proc["env"].get("TERM", "xterm")}
            session["tty"] = self.new_tty({"exec": exec_id})
            self.state["ttys"][session["tty"]]["fg"] = proc["pgid"]
            desc = self.describe({"kind": "tty", "tty": session["tty"]})
            fds = {"0": desc, "1": desc, "2": desc}
        else:
            if stdin:
                session["stdin_pipe"] = self.new_pipe()
                self.pipe_end(session["stdin_pipe"], "w", 1)
                zero = self.pipe_desc(session["stdin_pipe"], "r")
            else:
                zero = self.describe({"kind": "null"})
            streams = {
                fd: self.describe({"kind": "exec", "exec": exec_id, "stream": name})
                for fd, name in (("1", "stdout"), ("2", "stderr"))
            }
            fds = {"0": zero, **streams}
        for key in fds.values():
            self.grab(key)
        proc["fds"] = fds
        session["proc"] = proc["key"]
        try:
            self._load_into(proc, argv)
        except Errno as error:
            self.exit(proc, 127)
            name = "".join(f"{self.host.random.integer('exec', half, container_id, exec_id, below=1 << 128):032x}" for half in (0, 1))
            raise ExecError(
                f'failed to exec in container: failed to start exec "{name}": OCI runtime exec failed: exec failed: '
                f"unable to start container process: {exec_words(argv[0], error)}"
            ) from None
        self.state["execs"][exec_id] = session
        if timeout:
            session["timer"] = self.host.after(timeout, {"exec_timeout": exec_id})
        self.ready(proc, {"on": "start"})
        self.run()
        return exec_id

    def attach(self, container_id: str, payload: Any = None) -> str:
        """A session on process 1's own streams. It ends when the container does; `forget_exec` detaches."""
        container = self.state["containers"][container_id]
        exec_id = f"x{self.number()}"
        self.state["execs"][exec_id] = {
            "id": exec_id, "container": container_id, "proc": container["main"], "payload": payload, "stdout": "", "stderr": "",
            "exit_code": None,
            "stdin_pipe": container["stdin_pipe"], "tty": container["tty_id"], "attach": True, "timer": None, "timed_out": False,
        }  # fmt: skip
        container["attached"].append(exec_id)
        return exec_id

    def write_stdin(self, exec_id: str, text: str) -> None:
        """Input for a session: keys at its terminal, or data for its pipe. Nothing when it has no input."""
        session = self.state["execs"].get(exec_id)
        if session is None or session["exit_code"] is not None:
            return
        if session["tty"]:
            container = self.state["containers"][session["container"]]
            self.type(session["tty"], text, self.in_namespace(container["ns"]))
        elif session["stdin_pipe"] in self.state["pipes"]:
            pipe = self.state["pipes"][session["stdin_pipe"]]
            if pipe["r"]:
                pipe["buf"] += text
                self.wake("pipe:" + session["stdin_pipe"], {"on": "fd"})
        self.run()

    def unread_stdin(self, exec_id: str) -> int:
        """Characters of a session's input that its process has not read; of a terminal's, none are counted."""
        session = self.state["execs"].get(exec_id)
        pipe = self.state["pipes"].get(session["stdin_pipe"]) if session is not None and not session["tty"] else None
        return len(pipe["buf"]) if pipe is not None else 0

    def close_stdin(self, exec_id: str) -> None:
        """No more input: the reader sees the end of the file."""
        session = self.state["execs"].get(exec_id)
        if session is None or session["exit_code"] is not None:
            return
        if session["tty"]:
            tty = self.state["ttys"].get(session["tty"], {})
            tty["eof"] = tty["hup"] = True
            self.wake("tty:" + session["tty"], {"on": "fd"})
        elif session["stdin_pipe"]:
            pipe, session["stdin_pipe"] = session["stdin_pipe"], ""
            if session["attach"]:
                self.state["containers"][session["container"]]["stdin_pipe"] = ""
            if pipe in self.state["pipes"]:
                self.pipe_end(pipe, "w", -1)
        self.run()

    def resize(self, exec_id: str, rows: int, cols: int) -> None:
        """The terminal's size has changed."""
        session = self.state["execs"].get(exec_id)
        if session is None or not session["tty"] or session["exit_code"] is not None:
            return
        tty = self.state["ttys"].get(session["tty"], {})
        tty["rows"], tty["cols"] = rows, cols
        proc = self.state["processes"].get(session["proc"])
        if proc is not None:
            self.send(proc, WINCH)
        self.run()

    def read_exec(self, exec_id: str) -> tuple[str, str]:
        """Takes what the session has written since the last call: (stdout, stderr)."""
        session = self.state["execs"][exec_id]
        taken = (session["stdout"], session["stderr"])
        session["stdout"] = session["stderr"] = ""
        return taken

    def exec_status(self, exec_id: str) -> Data:
        """{"exit_code": None while it runs, "timed_out": bool}."""
        session = self.state["execs"][exec_id]
        return {"exit_code": session["exit_code"], "timed_out": session["timed_out"]}

    def forget_exec(self, exec_id: str) -> None:
        """Ends a session: a command that still runs is killed, an attachment only detached."""
        session = self.state["execs"].get(exec_id)
        if session is None:
            return
        if session["exit_code"] is None and not session["attach"]:
            self._kill_session(session)
        container = self.state["containers"].get(session["container"])
        if container is not None and exec_id in container["attached"]:
            container["attached"].remove(exec_id)
        self.state["execs"].pop(exec_id, None)
        self.run()

    def _kill_session(self, session: Data) -> None:
        for proc in list(self.state["processes"].values()):
            if proc["exec_id"] == session["id"] and proc["key"] != session["proc"]:
                self.exit(proc, 128 + KILL, KILL)
        main = self.state["processes"].get(session["proc"])
        if main is not None:
            self.exit(main, 128 + KILL, KILL)

    def _exec_timeout(self, exec_id: str) -> None:
        session = self.state["execs"].get(exec_id)
        if session is None or session["exit_code"] is not None:
            return
        session["timed_out"] = True
        session["timer"] = None
        self._kill_session(session)
        self.run()

    def exec_ended(self, exec_id: str, proc: Process) -> None:
        """The session's command has ended. What it left in the background goes on, as in a real container."""
        session = self.state["execs"].get(exec_id)
        if session is None:
            return
        if session["timer"] is not None:
            self.host.cancel(session["timer"])
            session["timer"] = None
        self._session_over(exec_id, proc["status"])

    def _session_over(self, exec_id: str, status: int) -> None:
        session = self.state["execs"].get(exec_id)
        if session is None or session["exit_code"] is not None:
            return
        session["exit_code"] = status
        if session["stdin_pipe"] in self.state["pipes"] and not session["attach"]:
            self.pipe_end(session["stdin_pipe"], "w", -1)
        container = self.state["containers"].get(session["container"])
        if container is not None and exec_id in container["attached"]:
            container["attached"].remove(exec_id)
        self.host.on_exec_exit(exec_id, session["payload"])

    # Programs that the host runs.
    def foreign_write(self, process: str, fd: int, text: str) -> None:
        """Output of a foreign program, to its descriptor."""
        proc = self.state["processes"].get(process)
        if proc is not None and proc["state"] == "running":
            with suppress(Errno, Blocked, Exited):  # its reader may be gone: then SIGPIPE has ended it
                Sys(self, proc).write(fd, text)
            self.run()

    def foreign_read(self, process: str) -> str | None:
        """What a foreign program may read now: "" at the end of its input, None when there is nothing yet."""
        proc = self.state["processes"].get(process)
        if proc is None or proc["state"] != "running":
            return ""
        sys = Sys(self, proc)
        return sys.read(0) if sys.readable(0) else None

    def foreign_exit(self, process: str, code: int) -> None:
        """A foreign program has ended."""
        proc = self.state["processes"].get(process)
        if proc is not None:
            self.exit(proc, code)
            self.run()

    def complete(self, process: str, result: Any) -> None:
        """Answers a process that waits for the host (`sys.foreign`): its next turn has {"on": "external", "result": ...}."""
        proc = self.state["processes"].get(process)
        if proc is not None and proc["wait"] is not None:
            self.ready(proc, {"on": "external", "result": result})
            self.run()
