"""How a shell begins, goes on and takes signals: /bin/sh is busybox ash; `dash` and `bash` are the same shell with their own messages."""

from __future__ import annotations

from ..numerals import is_whole, saturated
from ..process import INT, QUIT, TERM, Errno, Process
from ..program import Event, Program, register
from ..system import Sys
from . import names
from .machine import Shell


def _begin(proc: Process, sys: Sys, flavor: str) -> int:
    argv = proc["argv"]
    env = proc["env"]
    data = proc["data"]
    data.update(
        flavor=flavor, name=argv[0], units={}, nunit=0, frames=[], vars=dict(env), exp=dict.fromkeys(env, 1), ro={}, funcs={},
        args=[], opts="",
        status=0, substatus=None, traps={}, pending=[], fg=None, cur=None, jobs=[], bang="", pid=proc["pid"], mode="stdin",
        inbuf="", input="", began=sys.now,
        ended=False, prompted=False, exiting=None, line=0, sub=False, getopts=[1, 0],
    )  # fmt: skip
    data["vars"].update(PWD=proc["cwd"], IFS=" \t\n")
    data["exp"]["PWD"] = 1
    if flavor != "dash":
        level = env.get("SHLVL", "")
        data["vars"]["SHLVL"] = str((saturated(level) if is_whole(level) else 0) + 1)
        data["exp"]["SHLVL"] = 1
    shell = Shell(proc, sys)
    rest = argv[1:]
    letters = _options(shell, rest)
    if "c" in letters:
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
    elif sys.is_tty(0) or "i" in letters:
        data["mode"] = "tty"
        shell.terminal_group(proc)
    return shell.run()


def _options(shell: Shell, rest: list[str]) -> set[str]:
    """Takes the options away from the words and sets them; gives the letters that only a beginning knows: c, i, l, s."""
    found = set()
    while rest and rest[0][:1] in "-+" and len(rest[0]) > 1:
        option = rest.pop(0)
        if option == "--":
            break
        if option.startswith("--"):
            continue
        for letter in option[1:]:
            if letter in "cils":
                found.add(letter)
            elif letter == "o" and rest:
                names.set_option(shell, rest.pop(0), option[0] == "-")
            else:
                names.set_letter(shell, letter, option[0] == "-")
    return found


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
