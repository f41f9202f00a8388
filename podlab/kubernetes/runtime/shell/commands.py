"""A simple command: its assignments and words expanded, then a function, a builtin or a program run with its redirections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..process import Data, Errno
from . import builtins
from .expand import Expander
from .faults import Fault, ShellExit, ShellFault

if TYPE_CHECKING:
    from .machine import Shell


def _assign_array(shell: Shell, expander: Expander, name: str, value: Any, kind: str) -> None:
    """bash's name=( ... ), name+=( ... ) and name[index]=value."""
    if kind == "elem":
        shell.put_element(name, expander.key(name, value[0]), expander.text(value[1]))
        return
    keyed = [word for word in value if word and word[0][0] == "nosplit"] if value and not isinstance(value, str) else []
    shell.put_elements(name, expander.fields(tuple(word for word in value if word not in keyed)), kind == "array+")
    for word in keyed:
        key, _, text = expander.text(word[0][1])[1:].partition("]=")
        shell.put_element(name, expander.key(name, key), text)


def _values(shell: Shell, expander: Expander, assigns: Any, alone: bool) -> list[tuple[str, str, bool]]:
    """(name, text, is it added to what was there) of each assignment. What stands `alone` is assigned at once, since the next may refer to it."""
    values: list[tuple[str, str, bool]] = []
    for key, word, append in assigns:
        if not isinstance(append, bool):
            _assign_array(shell, expander, key, word, append)
            continue
        text = expander.text(word)
        if key in shell.data.get("integers", ()):
            text, append = expander.calculate(f"{shell.get(key) or 0}+({text})" if append else text), False
        values.append((key, text, append))
        if alone and not append:
            shell.put(key, text)
    return values


def simple(shell: Shell, frame: Data, instruction: Any) -> None:
    _, assigns, words, redirs, line, tested = instruction
    data = shell.data
    data["line"] = line
    expander = Expander(shell, frame["subst"])
    if not frame["subst"]:
        data["substatus"] = None
    argv = expander.fields(words)
    values = _values(shell, expander, assigns, not argv)
    name = argv[0] if argv else ""
    function = data["funcs"].get(name)
    builtin = None if function else builtins.BUILTINS.get(name)
    try:
        opened = shell.opened(redirs, expander) if redirs else {}
    except ShellFault as fault:
        if name in builtins.SPECIAL and builtin and data["flavor"] != "bash":
            raise
        shell.complain(fault.text)
        frame["subst"] = {}
        frame["pc"] += 1
        data["status"] = fault.code if fault.code != 2 else 1
        shell.after(frame, tested)
        return
    if "x" in data["opts"]:
        _trace(shell, argv, values)
    pairs = [(key, (shell.get(key) or "") + value if append else value) for key, value, append in values]
    frame["subst"] = {}
    frame["pc"] += 1
    if not argv:
        shell.drop(opened)
        for key, value in pairs:
            shell.put(key, value)
        data["status"] = data["substatus"] or 0
        shell.after(frame, tested)
    elif function:
        _call(shell, frame, function, argv, pairs, opened, tested)
    elif builtin:
        _builtin(shell, frame, builtin, argv, pairs, opened, tested)
    else:
        _external(shell, frame, argv, pairs, opened, tested)


def _call(
    shell: Shell, frame: Data, function: Any, argv: list[str], pairs: list[tuple[str, str]], opened: dict[int, str | None], tested: bool
) -> None:
    """Enters a function; its assignments and redirections end with it."""
    data = shell.data
    temps = {key: shell.remembered(key) for key, _ in pairs}
    for key, value in pairs:
        shell.put(key, value)
        data["exp"][key] = 1
    saved = shell.apply(opened)
    inner = shell.push(
        function[0], function[1], "func", name=argv[0], args=data["args"], locals={}, temps=temps, saved=saved, tested=tested
    )
    inner["noerr"] = frame["noerr"] or tested
    data["args"] = argv[1:]


def _builtin(
    shell: Shell, frame: Data, builtin: Any, argv: list[str], pairs: list[tuple[str, str]], opened: dict[int, str | None], tested: bool
) -> None:
    """Runs a builtin; only a special one keeps its assignments, only `exec` without a command its redirections."""
    data, name = shell.data, argv[0]
    temps = {} if name in builtins.SPECIAL else {key: shell.remembered(key) for key, _ in pairs}
    for key, value in pairs:
        shell.put(key, value)
    if name == "exec" and len(argv) == 1:
        shell.drop(shell.apply(opened))
        data["status"] = 0
        return
    saved = shell.apply(opened)
    data["cur"] = {"argv": argv, "saved": saved, "state": {}, "tested": tested}
    depth = len(data["frames"])
    status = _status(shell, builtin, argv, saved)
    data["cur"] = None
    if len(data["frames"]) > depth and saved:
        data["frames"][-1]["saved"] = saved
    else:
        shell.restore(saved)
    for key, (old, exported) in temps.items():
        if key not in data["ro"]:
            shell.set_back(key, old, exported)
    data["status"] = status
    if len(data["frames"]) == depth:
        shell.after(frame, tested or name in ("break", "continue"))


def _status(shell: Shell, builtin: Any, argv: list[str], saved: Data) -> int:
    """What a builtin gives, its faults said. Raises ShellFault where a special one's fault ends the shell."""
    data, name = shell.data, argv[0]
    try:
        status: int = builtin(shell, argv, data["cur"]["state"])
        return status
    except Fault as fault:
        data["cur"] = None
        shell.complain(fault.text, fault.command)
        if name not in builtins.SPECIAL or (data["flavor"] == "bash" and isinstance(fault, ShellFault)):
            return 1 if fault.code == 2 and data["flavor"] == "bash" else fault.code
        shell.restore(saved)
        raise ShellFault("", fault.code) from None
    except Errno as error:
        if error.name != "EPIPE":
            shell.complain(f"write error: {error.text}", name)
        return 1


def content(shell: Shell, frame: Data, instruction: Any) -> None:
    """$(< FILE)."""
    _, redirs, shell.data["line"], tested = instruction
    try:
        opened = shell.opened(redirs, Expander(shell, frame["subst"]))
    except ShellFault as fault:
        shell.complain(fault.text)
        opened, shell.data["status"] = {}, 1
    frame["subst"] = {}
    frame["pc"] += 1
    if opened:
        _external(shell, frame, ["cat"], [], opened, tested)


def _external(
    shell: Shell, frame: Data, argv: list[str], values: list[tuple[str, str]], opened: dict[int, str | None], tested: bool
) -> None:
    data, sys = shell.data, shell.sys
    env = shell.environment()
    env.update(values)
    try:
        path = sys.which(argv[0], env.get("PATH", ""))
        if _is_last(shell, frame):
            shell.proc["ignored"] = [
                *shell.proc["ignored"],
                *(int(n) for n, text in data["traps"].items() if text == "" and n != "0"),
            ]
            shell.drop(shell.apply(opened))
            try:
                sys.exec(argv, path=path, env=env)
            except Errno as error:
                if error.name != "ENOEXEC":
                    raise
                _exec_script(shell, argv, path, env)
        try:
            pid = sys.spawn(argv, path=path, env=env, fds=opened, group=shell.group())
        except Errno as error:
            if error.name != "ENOEXEC":
                raise
            pid = sys.spawn([argv[0], path, *argv[1:]], path="/bin/sh", env=env, fds=opened, group=shell.group())
        ignored = [int(n) for n, text in data["traps"].items() if text == "" and n != "0"]
        if ignored:
            child = sys.kernel.process(shell.proc["ns"], pid)
            if child is not None:
                child["ignored"] = sorted({*child["ignored"], *ignored})
        shell.foreground([pid], tested=tested)
    except Errno as error:
        code, text = (127, "not found") if error.name == "ENOENT" else (126, error.text)
        saved = shell.apply({fd: key for fd, key in opened.items() if fd == 2})
        shell.complain(f"{argv[0]}: {text}")
        shell.restore(saved)
        data["status"] = code
        opened = {fd: key for fd, key in opened.items() if fd != 2}
        shell.drop(opened)
        if _is_last(shell, frame) and "0" not in data["traps"]:
            raise ShellExit(code) from None
        shell.after(frame, tested)
        return
    shell.drop(opened)


def _exec_script(shell: Shell, argv: list[str], path: str, env: dict[str, str]) -> None:
    shell.sys.exec([argv[0], path, *argv[1:]], path="/bin/sh", env=env)


def _is_last(shell: Shell, frame: Data) -> bool:
    """May the shell become the command, because nothing follows it (EV_EXIT in ash)?"""
    data = shell.data
    if any(data["traps"].values()) or len(data["frames"]) != 1 or frame["redirs"] or frame["loops"]:
        return False
    if data["mode"] not in ("c",) and not data["sub"]:
        return False
    code = shell.code(frame["u"]).instructions
    pc = frame["pc"]
    while code[pc][0] == "jump":
        pc = code[pc][1]
    return code[pc][0] in ("end", "ret")


def _trace(shell: Shell, argv: list[str], values: list[tuple[str, str, bool]]) -> None:
    ps4 = shell.get("PS4")
    bare = argv[:1] == ["[["] and shell.data["flavor"] == "bash"  # a keyword there, whose words are shown as they are
    words = [f"{name}={builtins.shell_quote(value, True)}" for name, value, _ in values] + [
        word if bare else builtins.shell_quote(word, True) for word in argv
    ]
    if words:
        shown = "+ " if ps4 is None else ps4
        if shell.data["flavor"] == "bash":  # the first letter once more for each $( ) around
            shown = shown[:1] * shell.data.get("inside", 0) + shown
        shell.sys.err(shown + " ".join(words) + "\n")
