"""The shell's machine: runs code (code.py) one instruction after another, with everything it knows in `proc["data"]`.

data: `units` {id: [text, line]} the texts that code comes from; `frames` the call stack, each {"u": unit, "pc", "kind": main,
sub, func, eval, dot or trap, "subst": results of expansions of the present command, "loops", "redirs": saved descriptors,
"noerr": set -e does not apply, ...}; `fg` the children that it waits for; `cur` a builtin that is not finished yet; `vars`,
`exp`, `ro`, `funcs`, `args`, `opts`, `traps`, `pending`, `jobs`. start.py makes a program of it.
"""

from __future__ import annotations

from ..process import Data
from ..program import TEXT_MAX
from . import builtins, finding, jobs, names, reading  # noqa: F401  (they register builtins)
from .children import Children
from .code import Code, compile_text
from .expand import NeedOutput, NeedProcess
from .faults import ExpansionFault, Fault, ShellExit, UnsetFault
from .steps import STEPS

STEP_US = 20


class Shell(Children):
    """One turn's view of a shell process."""

    __slots__ = ()

    def code(self, unit: str) -> Code:
        text, line = self.data["units"][unit]
        return compile_text(text, line, self.data["flavor"] == "bash")

    def pop(self) -> Data:
        """Leaves the top frame, giving back what it had put aside."""
        frame: Data = self.data["frames"].pop()
        while frame["redirs"]:
            self.restore(frame["redirs"].pop())
        for name in frame.get("arrays", ()):
            self.forget_elements(name)
        for name, (value, exported) in frame.get("locals", {}).items():
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
            except Fault as fault:
                if fault.text:
                    self.complain(fault.text, fault.command)
                data["status"] = self.code_of(fault)
                self.drop_builtin()
                if data["mode"] != "tty":
                    code = self.leave(data["status"])
                    if code is not None:
                        return code
                else:
                    self.unwind()

    def code_of(self, fault: Fault) -> int:
        """The exit code of what ends a shell."""
        if self.data["flavor"] == "bash" and isinstance(fault, ExpansionFault):
            return 127 if isinstance(fault, UnsetFault) and self.data["mode"] == "c" else 1
        return fault.code

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
            more = self.get("PS2")
            return "> " if more is None else more
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
            if self.data.get("substituted"):
                self.close_substituted()
        except NeedProcess as need:
            frame["subst"][need.key] = self.substitute(frame, need.start, need.sign)
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
