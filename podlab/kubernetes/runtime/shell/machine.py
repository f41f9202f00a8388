"""The shell's machine: runs code (code.py) one instruction after another, with everything it knows in `proc["data"]`.

data: `units` {id: [text, line]} the texts that code comes from; `frames` the call stack, each {"u": unit, "pc", "kind": main,
sub, func, eval, dot or trap, "subst": results of expansions of the present command, "loops", "redirs": saved descriptors,
"noerr": set -e does not apply, ...}; `fg` the children that it waits for; `cur` a builtin that is not finished yet; `vars`,
`exp`, `ro`, `funcs`, `args`, `opts`, `traps`, `pending`, `jobs`. The program registered here is busybox ash as /bin/sh; `dash`
and `bash` are the same shell with their own messages and prompts.
"""

from __future__ import annotations

from typing import Any

from ..process import INT, PIPE, QUIT, TERM, Data, Errno, Process
from ..program import TEXT_MAX, Event, Program, register
from ..system import Sys
from . import builtins, jobs, patterns, reading  # noqa: F401  (they register builtins)
from .code import Code, compile_text
from .expand import Expander, ExpansionFault, NeedOutput
from .faults import ShellExit, ShellFault
from .steps import STEPS

STEP_US = 20
MAX_DEPTH = 200
"""Function and eval frames at once; more is an endless recursion, which a real shell ends by running out of stack."""


class Shell:
    """One turn's view of a shell process."""

    __slots__ = ("data", "proc", "sys")

    def __init__(self, proc: Process, sys: Sys) -> None:
        self.proc, self.sys, self.data = proc, sys, proc["data"]

    # Variables.
    def get(self, name: str) -> str | None:
        """A variable's value, or None when it is not set."""
        value: str | None = self.data["vars"].get(name)
        if value is None and name in ("FUNCNAME", "RANDOM", "LINENO", "SECONDS", "EPOCHSECONDS", "PPID", "HOSTNAME"):
            if name == "FUNCNAME":
                return next((str(frame["name"]) for frame in reversed(self.data["frames"]) if frame["kind"] == "func"), None)
            if name == "RANDOM":
                return str(self.sys.random(32768))
            if name == "LINENO":
                return str(self.data["line"])
            if name == "PPID":
                return str(self.proc["ppid"])
            if name == "HOSTNAME":
                return self.sys.hostname if self.data["flavor"] == "bash" else None
            return str(self.sys.now // 1000) if name == "EPOCHSECONDS" else None
        return value

    def put(self, name: str, value: str) -> None:
        """Sets a variable. Raises ShellFault when it is read-only."""
        if name in self.data["ro"]:
            raise ShellFault(f"{name}: is read only")
        if len(value) > TEXT_MAX:
            raise ShellFault("out of memory")
        self.data["vars"][name] = value
        if "a" in self.data["opts"]:
            self.data["exp"][name] = 1

    def elements(self, name: str) -> list[tuple[int, str]]:
        """(index, value) of a bash array in order: variables `name[index]`; a plain variable is an array of one."""
        held = sorted((int(key[len(name) + 1 : -1]), value) for key, value in self.data["vars"].items() if key.startswith(name + "["))
        plain = self.get(name)
        return held or ([(0, plain)] if plain is not None else [])

    def put_elements(self, name: str, values: list[str], more: bool = False) -> None:
        """Sets an array, or with `more` lengthens it. Its first element is the variable itself too."""
        held = self.elements(name) if more else []
        start = held[-1][0] + 1 if held else 0
        for key in [key for key in self.data["vars"] if key.startswith(name + "[") and not more]:
            del self.data["vars"][key]
        for at, value in (*held, *enumerate(values, start)):
            self.put_element(name, at, value)
        if not held and not values:
            self.data["vars"].pop(name, None)

    def put_element(self, name: str, index: int, value: str) -> None:
        self.put(f"{name}[{index}]", value)
        if index == 0:
            self.put(name, value)

    def special(self, name: str) -> str | None:
        """A parameter's value: variable, positional or special."""
        data = self.data
        if name.isdigit():
            index = int(name)
            if index == 0:
                return str(data["name"])
            return str(data["args"][index - 1]) if index <= len(data["args"]) else None
        if name == "?":
            return str(data["status"])
        if name == "#":
            return str(len(data["args"]))
        if name == "$":
            return str(data["pid"])
        if name == "!":
            return str(data["bang"]) if data["bang"] else ""
        if name == "-":
            return str(data["opts"].replace("P", ""))
        if name in ("@", "*"):
            return " ".join(data["args"]) if data["args"] else None
        return self.get(name)

    def environment(self) -> dict[str, str]:
        """What children get."""
        variables = self.data["vars"]
        return {name: variables[name] for name in self.data["exp"] if name in variables}

    # Messages.
    def complain(self, text: str, command: str = "") -> None:
        """An error message as this shell prints it: `sh: foo: not found`."""
        data = self.data
        flavor, name, script = data["flavor"], data["name"], data["mode"] == "file"
        if flavor == "bash":
            where = f"line {data['line']}: " if data["mode"] != "tty" else ""
            text = (
                text.replace(": not found", ": command not found")
                .replace("can't open ", "")
                .replace(": no such file", ": No such file or directory")
            )
            self.sys.err(f"{name}: {where}{command + ': ' if command else ''}{text}\n")
        elif flavor == "dash":
            self.sys.err(f"{name}: {data['line']}: {command + ': ' if command else ''}{text}\n")
        elif command:
            where = "" if data["mode"] == "tty" else f"line {data['line'] if script else 0}: "
            self.sys.err(f"{name}: {command}: {where}{text}\n")
        else:
            where = f"line {data['line']}: " if script else ""
            self.sys.err(f"{name}: {where}{text}\n")

    # Units and frames.
    def code(self, unit: str) -> Code:
        text, line = self.data["units"][unit]
        return compile_text(text, line, self.data["flavor"] == "bash")

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

    def pop(self) -> Data:
        """Leaves the top frame, giving back what it had put aside."""
        frame: Data = self.data["frames"].pop()
        while frame["redirs"]:
            self.restore(frame["redirs"].pop())
        for name, (value, exported) in reversed(list(frame.get("locals", {}).items())):
            self.set_back(name, value, exported)
        if "args" in frame:
            self.data["args"] = frame["args"]
        for name, (value, exported) in frame.get("temps", {}).items():
            self.set_back(name, value, exported)
        if frame.get("saved"):
            self.restore(frame["saved"])
        if frame["kind"] in ("eval", "dot", "trap", "line"):
            users = [other["u"] for other in self.data["frames"]] + [where[0] for where in self.data["funcs"].values()]
            if frame["u"] not in users:
                self.data["units"].pop(frame["u"], None)
        return frame

    def set_back(self, name: str, value: str | None, exported: bool) -> None:
        if value is None:
            self.data["vars"].pop(name, None)
        else:
            self.data["vars"][name] = value
        if exported:
            self.data["exp"][name] = 1
        else:
            self.data["exp"].pop(name, None)

    def remembered(self, name: str) -> list[Any]:
        """[value or None, exported] to be put back later."""
        return [self.data["vars"].get(name), name in self.data["exp"]]

    # Redirections.
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
                    elif target.isdigit():
                        number = int(target)
                        source = out[number] if number in out else fds.get(target)
                        if source is None:
                            raise ShellFault(f"{target}: Bad file descriptor", 1)
                        key = kernel.grab(source)
                    else:
                        key = kernel.grab(self._open(target, "w"))
                        if 2 not in out:
                            out[2] = kernel.grab(key)
                else:
                    key = kernel.grab(
                        self._open(expander.text(word), {"<": "r", ">": "w", ">|": "w", ">>": "a", "<>": "rw"}[operator])
                    )
                old = out.get(fd)
                if old is not None:
                    kernel.close(old)
                out[fd] = key
        except (ShellFault, ExpansionFault, NeedOutput):
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

    def drop(self, opened: dict[int, str | None]) -> None:
        """Lets go of what `opened` held."""
        for key in opened.values():
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

    # Children.
    def fork(self, frame: Data, start: int, fds: dict[int, str | None] | None = None, *, background: bool = False,
        tested: bool = False, inside: bool = False,
             group: int | None = None) -> int:  # fmt: skip
        """A child shell that runs a block of this frame's unit, `inside` $( ). Gives its pid."""
        data = self.data
        copy: Data = {
            **data, "vars": dict(data["vars"]), "exp": dict(data["exp"]), "ro": dict(data["ro"]), "funcs": dict(data["funcs"]),
            "units": dict(data["units"]), "args": list(data["args"]), "traps": {n: text for n,
            text in data["traps"].items() if text == ""},
            "pending": [], "fg": None, "cur": None, "jobs": [], "exiting": None, "sub": True,
            "mode": "sub" if data["mode"] == "tty" else data["mode"],
            "frames": [{"u": frame["u"], "pc": start, "kind": "sub", "subst": {}, "loops": [], "redirs": [],
            "noerr": frame["noerr"] or tested}],
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
            self.after(frame, fg["tested"])

    def after(self, frame: Data, tested: bool) -> None:
        """A command has ended: set -e may end the shell."""
        if self.data["status"] and "e" in self.data["opts"] and not tested and not frame["noerr"]:
            raise ShellExit(self.data["status"])

    # The loop.
    def run(self) -> int:
        """Goes on until the shell ends (gives its exit code) or must wait (Blocked)."""
        data, sys = self.data, self.sys
        while True:
            try:
                sys.breathe()
                if data["fg"] is not None:
                    self.reap_foreground()
                elif data["cur"] is not None:
                    self.go_on_with_builtin()
                elif data["pending"] and data["exiting"] is None:
                    self.trap(data["pending"].pop(0))
                elif data["frames"]:
                    self.step()
                elif data["exiting"] is not None:
                    return int(data["exiting"])
                elif not self.more_input():
                    raise ShellExit(data["status"])
            except ShellExit as end:
                code = self.leave(end.code)
                if code is not None:
                    return code
            except (ShellFault, ExpansionFault) as fault:
                if fault.args[0]:
                    self.complain(str(fault.args[0]), getattr(fault, "command", ""))
                data["status"] = getattr(fault, "code", 2)
                self.drop_builtin()
                if data["mode"] != "tty":
                    code = self.leave(data["status"])
                    if code is not None:
                        return code
                else:
                    self.unwind()

    def unwind(self) -> None:
        """An interactive shell drops what it was doing and prompts again."""
        self.drop_builtin()
        self.data["fg"] = None
        while self.data["frames"]:
            self.pop()

    def leave(self, code: int) -> int | None:
        """The shell is to end: its EXIT trap runs first (None), else the exit code."""
        data = self.data
        if data["exiting"] is not None and not data["traps"].get("0"):
            return int(data["exiting"] if code is None else code)
        action = data["traps"].pop("0", "")
        data["exiting"] = code
        if not action:
            return code
        data.update(cur=None, fg=None, pending=[])
        while data["frames"]:
            self.pop()
        data["status"] = code
        self.push(self.unit(action), 0, "trap", status=code, noerr=True)
        return None

    def trap(self, n: int) -> None:
        """Runs the action of a signal that has come in."""
        action = self.data["traps"].get(str(n))
        if action:
            self.push(self.unit(action, self.data["line"]), 0, "trap", status=self.data["status"])

    def more_input(self) -> bool:
        """For a shell that reads its commands from standard input: the next complete command. False at the end."""
        data, sys = self.data, self.sys
        if data["mode"] not in ("stdin", "tty"):
            return False
        interactive = data["mode"] == "tty"
        while True:
            line, newline, rest = data["inbuf"].partition("\n")
            if newline:
                data["inbuf"] = rest
                data["input"] += line + "\n"
                data["prompted"] = False
                if not data["input"].strip():
                    data["input"] = ""
                    continue
                if compile_text(data["input"], bash=data["flavor"] == "bash").incomplete and (rest or not data["ended"]):
                    sys.charge(len(data["input"]) >> 2)  # the next line has it all read again
                    sys.breathe()
                    continue
                break
            if data["ended"]:
                data["input"] += data["inbuf"]
                data["inbuf"] = ""
                if not data["input"].strip():
                    return False
                break
            if interactive and not data["prompted"]:
                sys.err(self.prompt())
                data["prompted"] = True
            text = sys.read(0)
            if not text:
                data["ended"] = True
                if interactive:
                    data["ended"] = not data["input"]
                    if data["ended"] and not data["inbuf"]:
                        sys.err("\n" if data["flavor"] != "bash" else "exit\n")
                        return False
            data["inbuf"] += text
            if len(data["inbuf"]) + len(data["input"]) > TEXT_MAX:
                raise ShellExit(2)
        text, data["input"] = data["input"], ""
        self.push(self.unit(text), 0, "line")
        return True

    def prompt(self) -> str:
        """PS1 or PS2 with \\w, \\u, \\h, \\$ replaced."""
        data = self.data
        if data["input"]:
            return self.get("PS2") if self.get("PS2") is not None else "> "  # type: ignore[return-value]
        user = "root" if self.proc["uid"] == 0 else "I have no name!"
        default = {"ash": "\\w \\$ ", "dash": "\\$ ", "bash": "\\u@\\h:\\w\\$ " if self.get("BASH_RC") is None else "\\w\\$ "}[
            data["flavor"]
        ]
        text = self.get("PS1") or default
        home, cwd = self.get("HOME") or "", self.proc["cwd"]
        if home not in ("", "/") and (cwd + "/").startswith(home + "/"):
            cwd = "~" + cwd[len(home) :]
        for escape, value in (("\\w", cwd), ("\\W", cwd.rsplit("/", 1)[-1] or "/"), ("\\u", user), ("\\h",
            self.sys.hostname.split(".")[0]),
                              ("\\H", self.sys.hostname), ("\\$", "#" if self.proc["uid"] == 0 else "$"), ("\\n",
                              "\n")):  # fmt: skip
            text = text.replace(escape, value)
        return text

    def step(self) -> None:
        """One instruction."""
        self.sys.charge(STEP_US)
        frame = self.data["frames"][-1]
        instruction = self.code(frame["u"]).instructions[frame["pc"]]
        try:
            STEPS[instruction[0]](self, frame, instruction)
        except NeedOutput as need:
            read, write = self.sys.pipe()
            pid = self.fork(frame, need.start, {1: write}, inside=True)
            fd = 10
            while str(fd) in self.proc["fds"]:
                fd += 1
            self.sys.assign(fd, read)
            self.data["fg"] = {"pids": [pid], "last": pid, "status": 0, "failed": 0, "out": fd, "text": "", "key": need.key}

    def drop_builtin(self) -> None:
        """Breaks off a builtin that had to wait; its redirections end with it."""
        cur = self.data["cur"]
        self.data["cur"] = None
        if cur and cur["saved"]:
            self.restore(cur["saved"])

    def go_on_with_builtin(self) -> None:
        """A builtin that had to wait."""
        cur = self.data["cur"]
        status = builtins.BUILTINS[cur["argv"][0]](self, cur["argv"], cur["state"])
        self.data["cur"] = None
        if cur["saved"]:
            self.restore(cur["saved"])
        self.data["status"] = status
        if self.data["frames"]:
            self.after(self.data["frames"][-1], cur["tested"])


# The program.
def _begin(proc: Process, sys: Sys, flavor: str) -> int:
    argv = proc["argv"]
    env = proc["env"]
    data = proc["data"]
    data.update(
        flavor=flavor, name=argv[0], units={}, nunit=0, frames=[], vars=dict(env), exp=dict.fromkeys(env, 1), ro={}, funcs={},
        args=[], opts="",
        status=0, substatus=None, traps={}, pending=[], fg=None, cur=None, jobs=[], bang="", pid=proc["pid"], mode="stdin",
        inbuf="", input="",
        ended=False, prompted=False, exiting=None, line=0, sub=False, getopts=[1, 0],
    )  # fmt: skip
    data["vars"].update(PWD=proc["cwd"], IFS=" \t\n")
    shell = Shell(proc, sys)
    rest = argv[1:]
    command = False
    interactive = False
    while rest and rest[0][:1] in "-+" and len(rest[0]) > 1:
        option = rest.pop(0)
        if option == "--":
            break
        if option.startswith("--"):
            continue
        for letter in option[1:]:
            if letter == "c":
                command = True
            elif letter == "o" and rest:
                builtins.set_option(shell, rest.pop(0), option[0] == "-")
            elif letter == "i":
                interactive = True
            elif letter not in "ls":
                builtins.set_letter(shell, letter, option[0] == "-")
    if command:
        if not rest:
            sys.err(f"{argv[0]}: -c requires an argument\n")
            return 2
        data["mode"] = "c"
        text = rest.pop(0)
        if rest:
            data["name"] = rest.pop(0)
        data["args"] = rest
        shell.push(shell.unit(text), 0, "main")
    elif rest:
        data["mode"] = "file"
        data["name"] = rest.pop(0)
        data["args"] = rest
        try:
            text = sys.read_file(data["name"])
        except Errno as error:
            words = {"ash": "can't open '{}': {}", "dash": "0: cannot open {}: {}", "bash": "{}: {}"}[flavor]
            sys.err(f"{argv[0]}: {words.format(data['name'], error.text)}\n")
            return 127 if flavor == "bash" else 2
        shell.push(shell.unit(text), 0, "main")
    elif sys.is_tty(0) or interactive:
        data["mode"] = "tty"
        shell.terminal_group(proc)
    return shell.run()


def _resume(proc: Process, sys: Sys, event: Event) -> int:
    return Shell(proc, sys).run()


def _signal(proc: Process, sys: Sys, n: int) -> bool:
    data = proc["data"]
    if not data:
        return False
    action = data["traps"].get(str(n))
    if action is None:
        if data["mode"] == "tty":
            if n == INT and data["fg"] is None:
                shell = Shell(proc, sys)
                shell.unwind()
                data.update(inbuf="", input="", prompted=False, status=130)
                sys.interrupt()
            return n in (INT, QUIT, TERM)
        return False
    if action:
        if n not in data["pending"]:
            data["pending"].append(n)
        if data["fg"] is None:
            sys.interrupt()
    return True


for _flavor, _names in (("ash", ("sh", "ash")), ("dash", ("dash",)), ("bash", ("bash",))):
    for _name in _names:
        register(Program(_name, (lambda flavor: lambda proc, sys: _begin(proc, sys, flavor))(_flavor), _resume, _signal))
