"""What each instruction of a shell does (code.py makes them, machine.py runs them)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..process import Data
from . import patterns
from .commands import content, simple
from .expand import Expander
from .faults import ShellExit, ShellFault

if TYPE_CHECKING:
    from .machine import Shell


def _pipe(shell: Shell, frame: Data, instruction: Any) -> None:
    _, blocks, tested, line, _ = instruction
    shell.data["line"] = line
    frame["pc"] += 1
    shell.foreground(_pipeline(shell, frame, blocks, None, tested), tested=tested)


def _pipeline(shell: Shell, frame: Data, blocks: Any, stdin: str | None, tested: bool, background: bool = False) -> list[int]:
    kernel = shell.sys.kernel
    pids: list[int] = []
    previous = stdin
    group = shell.group()
    for index, ref in enumerate(blocks):
        fds: dict[int, str | None] = {}
        if previous is not None:
            fds[0] = previous
        read = write = None
        if index < len(blocks) - 1:
            read, write = shell.sys.pipe()
            kernel.grab(read)
            kernel.grab(write)
            fds[1] = write
        pids.append(shell.fork(frame, ref[0], fds, background=background, tested=tested, group=group))
        if group == 0:
            group = pids[0]
        if write is not None:
            kernel.close(write)
        if previous is not None:
            kernel.close(previous)
        previous = read
    return pids


def _background(shell: Shell, pids: list[int], text: str) -> None:
    data = shell.data
    data["bang"] = str(pids[-1])
    data["jobs"].append(
        {"pids": list(pids), "last": pids[-1], "status": None, "killed": 0, "text": text, "id": _job_id(data["jobs"])}
    )
    data["status"] = 0
    if data["mode"] == "tty" and data["flavor"] != "ash":
        shell.sys.err(f"[{data['jobs'][-1]['id']}] {pids[-1]}\n")


def _job_id(jobs: list[Data]) -> int:
    return max((job["id"] for job in jobs), default=0) + 1


def _no_input(shell: Shell) -> str | None:
    """/dev/null for the input of a background command of a shell that is not interactive."""
    if shell.data["mode"] == "tty":
        return None
    return shell.sys.kernel.grab(shell.sys.kernel.describe({"kind": "null"}))


def _bg(shell: Shell, frame: Data, instruction: Any) -> None:
    frame["pc"] += 1
    pids = _pipeline(shell, frame, (instruction[1],), _no_input(shell), False, True)
    _background(shell, pids, instruction[2])


def _bgpipe(shell: Shell, frame: Data, instruction: Any) -> None:
    frame["pc"] += 1
    pids = _pipeline(shell, frame, instruction[1], _no_input(shell), False, True)
    _background(shell, pids, instruction[2])


def _sub(shell: Shell, frame: Data, instruction: Any) -> None:
    _, ref, tested, redirs = instruction
    try:
        opened = shell.opened(redirs, Expander(shell, frame["subst"])) if redirs else {}
    except ShellFault as fault:
        shell.complain(fault.text)
        frame["subst"] = {}
        frame["pc"] += 1
        shell.data["status"] = 1
        shell.after(frame, tested)
        return
    frame["subst"] = {}
    frame["pc"] += 1
    pid = shell.fork(frame, ref[0], opened, tested=tested, group=shell.group())
    shell.drop(opened)
    shell.foreground([pid], tested=tested)


def _redir(shell: Shell, frame: Data, instruction: Any) -> None:
    _, redirs, end, line = instruction
    shell.data["line"] = line
    try:
        opened = shell.opened(redirs, Expander(shell, frame["subst"]))
    except ShellFault as fault:
        shell.complain(fault.text)
        frame["subst"] = {}
        frame["pc"] = end
        shell.data["status"] = 1
        return
    frame["subst"] = {}
    frame["redirs"].append(shell.apply(opened))
    frame["pc"] += 1


def _unredir(shell: Shell, frame: Data, instruction: Any) -> None:
    shell.restore(frame["redirs"].pop())
    frame["pc"] += 1


def _jump(shell: Shell, frame: Data, instruction: Any) -> None:
    frame["pc"] = instruction[1]


def _unless(shell: Shell, frame: Data, instruction: Any) -> None:
    frame["pc"] = instruction[1] if shell.data["status"] else frame["pc"] + 1


def _when(shell: Shell, frame: Data, instruction: Any) -> None:
    frame["pc"] = frame["pc"] + 1 if shell.data["status"] else instruction[1]


def _not(shell: Shell, frame: Data, instruction: Any) -> None:
    shell.data["status"] = int(not shell.data["status"])
    frame["pc"] += 1


def _status(shell: Shell, frame: Data, instruction: Any) -> None:
    shell.data["status"] = instruction[1]
    frame["pc"] += 1


def _loop(shell: Shell, frame: Data, instruction: Any) -> None:
    frame["loops"].append({"next": instruction[1], "end": instruction[2], "redirs": len(frame["redirs"]), "status": 0})
    frame["pc"] += 1


def _leave(shell: Shell, frame: Data, instruction: Any) -> None:
    """The condition has been looked at: into the body, or out of the loop with the body's last status."""
    _, how, end = instruction
    if (shell.data["status"] != 0) == (how == "unless"):
        loop = frame["loops"].pop()
        shell.data["status"] = loop["status"]
        frame["pc"] = end
    else:
        frame["pc"] += 1


def _again(shell: Shell, frame: Data, instruction: Any) -> None:
    frame["loops"][-1]["status"] = shell.data["status"]
    frame["pc"] = instruction[1]


def _for(shell: Shell, frame: Data, instruction: Any) -> None:
    _, words, top, end, line = instruction
    shell.data["line"] = line
    items = list(shell.data["args"]) if words is None else Expander(shell, frame["subst"]).fields(words)
    frame["subst"] = {}
    frame["loops"].append({"next": top, "end": end, "redirs": len(frame["redirs"]), "items": items})
    shell.data["status"] = 0
    frame["pc"] += 1


def _next(shell: Shell, frame: Data, instruction: Any) -> None:
    _, name, end = instruction
    items = frame["loops"][-1]["items"]
    if items:
        shell.put(name, items.pop(0))
        frame["pc"] += 1
    else:
        frame["loops"].pop()
        frame["pc"] = end


def _case(shell: Shell, frame: Data, instruction: Any) -> None:
    _, word, table, end = instruction
    expander = Expander(shell, frame["subst"])
    text = expander.text(word)
    target = next(
        (start for options, start in table for option in options if patterns.matches(expander.pattern(option), text)), None
    )
    frame["subst"] = {}
    if target is None:
        shell.data["status"] = 0
    frame["pc"] = end if target is None else target


def _func(shell: Shell, frame: Data, instruction: Any) -> None:
    _, name, start, end = instruction
    shell.data["funcs"][name] = [frame["u"], start]
    shell.data["status"] = 0
    frame["pc"] = end


def _ret(shell: Shell, frame: Data, instruction: Any) -> None:
    """The end of a unit or function."""
    shell.pop()
    if frame["kind"] == "trap":
        shell.data["status"] = frame["status"]
        if frame.get("ends"):
            raise ShellExit(frame["status"])
    elif frame["kind"] == "func" and shell.data["frames"]:
        shell.after(shell.data["frames"][-1], frame["tested"])


def _end(shell: Shell, frame: Data, instruction: Any) -> None:
    raise ShellExit(shell.data["status"])


def _syntax(shell: Shell, frame: Data, instruction: Any) -> None:
    shell.data["line"] = instruction[2]
    raise ShellFault(
        f"syntax error: {instruction[1]}" if not instruction[1].startswith(("bad", "unterminated-")) else instruction[1], 2
    )


STEPS: dict[str, Any] = {
    "simple": simple, "content": content, "pipe": _pipe, "bg": _bg, "bgpipe": _bgpipe, "sub": _sub, "redir": _redir, "unredir": _unredir,
    "jump": _jump,
    "unless": _unless, "when": _when, "not": _not, "status": _status, "loop": _loop, "leave": _leave, "again": _again,
    "for": _for,
    "next": _next, "case": _case, "func": _func, "ret": _ret, "end": _end, "syntax": _syntax,
}  # fmt: skip
