"""The shell's own commands. Each is `(shell, argv, state) -> status`; one that waits keeps what it needs in `state` and lets
Blocked fly."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..numerals import is_whole, saturated
from ..process import SIGNAL_NAMES, SIGNALS, Data, Errno, signal_number
from .condition import ConditionFault, evaluate, evaluate_double
from .expand import Expander
from .faults import ShellExit, ShellFault
from .printing import echo_text, printf_text

if TYPE_CHECKING:
    from .machine import Shell


Builtin = Callable[["Shell", list[str], Data], int]
BUILTINS: dict[str, Builtin] = {}
SPECIAL = tuple(": . break continue eval exec exit export readonly return set shift source times trap unset local".split())
"""Special built-in utilities: their errors end the shell, assignments before them stay (POSIX XCU 2.14)."""
KILLED = {1: "Hangup", 2: "", 3: "Quit", 4: "Illegal instruction", 6: "Aborted", 8: "Floating point exception", 9: "Killed",
    10: "User defined signal 1",
          11: "Segmentation fault", 12: "User defined signal 2", 13: "", 14: "Alarm clock", 15: "Terminated"}  # fmt: skip


def builtin(*names: str) -> Callable[[Builtin], Builtin]:
    def decorate(function: Builtin) -> Builtin:
        for name in names:
            BUILTINS[name] = function
        return function

    return decorate


def fault(text: str, code: int = 2, command: str = "") -> Exception:
    return ShellFault(text, code, command)


def killed_text(n: int) -> str:
    """What a shell prints about a foreground command that a signal ended."""
    return KILLED.get(n, f"Unknown signal {n}")


def shell_quote(text: str, only_needed: bool = False) -> str:
    """Text quoted so that the shell reads it back."""
    if only_needed and text and re.fullmatch(r"[\w./:,@%+=-]+", text):
        return text
    return "'" + text.replace("'", "'\"'\"'") + "'"


@builtin(":", "true")
def _true(shell: Shell, argv: list[str], state: Data) -> int:
    return 0


@builtin("false")
def _false(shell: Shell, argv: list[str], state: Data) -> int:
    return 1


@builtin("echo")
def _echo(shell: Shell, argv: list[str], state: Data) -> int:
    shell.sys.out(echo_text(argv[1:], always=shell.data["flavor"] == "dash"))
    return 0


@builtin("printf")
def _printf(shell: Shell, argv: list[str], state: Data) -> int:
    bash = shell.data["flavor"] == "bash"
    into = argv[2] if bash and argv[1:2] == ["-v"] and len(argv) > 3 else ""
    argv = argv[:1] + argv[3:] if into else argv
    if len(argv) < 2:
        shell.sys.err(
            "Usage: printf FORMAT [ARG]...\n" if shell.data["flavor"] == "ash" else "printf: usage: printf format [arguments]\n"
        )
        return 2 if shell.data["flavor"] != "ash" else 1
    text, errors = printf_text(argv[1], argv[2:])
    for error in errors:  # first, since the output is buffered
        shell.sys.err(f"{shell.data['name']}: {error}\n")
    if into:
        Expander(shell, {}).store(into, text)
    else:
        shell.sys.out(text)
    return int(bool(errors))


@builtin("test", "[", "[[")
def _test(shell: Shell, argv: list[str], state: Data) -> int:
    words = argv[1:]
    if argv[0] in ("[", "[["):
        close = "]" if argv[0] == "[" else "]]"
        if not words or words[-1] != close:
            shell.sys.err(f"{shell.data['name']}: missing {close}\n")
            return 2
        words = words[:-1]
    try:
        if shell.data["flavor"] == "bash" and "-v" in words[:-1]:
            at = words.index("-v")
            words[at : at + 2] = ["-n", "set" if _is_set(shell, words[at + 1]) else ""]
        if argv[0] != "[[":
            return 0 if evaluate(shell.sys, words) else 1
        groups: list[str] = []
        true = evaluate_double(shell.sys, words, groups)
        if groups and shell.data["flavor"] == "bash":
            shell.put_elements("BASH_REMATCH", groups)
        return 0 if true else 1
    except ConditionFault as error:
        shell.sys.err(f"{shell.data['name']}: {error}\n")
        return 2


def _is_set(shell: Shell, name: str) -> bool:
    """bash's -v: a variable or an element of an array."""
    array, bracket, index = name.partition("[")
    if not bracket:
        return shell.get(name) is not None
    key = Expander(shell, {}).key(array, index[:-1])
    return any(one == key for one, _ in shell.elements(array))


@builtin("cd", "chdir")
def _cd(shell: Shell, argv: list[str], state: Data) -> int:
    words = [word for word in argv[1:] if word not in ("-P", "-L", "--")]
    old = shell.proc["cwd"]
    target = words[0] if words else shell.get("HOME") or "/"
    if target == "-":
        target = shell.get("OLDPWD") or old
    try:
        shell.sys.chdir(target)
    except Errno as error:
        raise fault(f"can't cd to {target}: {error.text}", 2, "cd") from None
    shell.data["vars"].update(OLDPWD=old, PWD=shell.proc["cwd"])
    shell.data["exp"]["OLDPWD"] = 1
    if words and words[0] == "-":
        shell.sys.out(shell.proc["cwd"] + "\n")
    return 0


@builtin("pwd")
def _pwd(shell: Shell, argv: list[str], state: Data) -> int:
    shell.sys.out(shell.proc["cwd"] + "\n")
    return 0


@builtin("exit")
def _exit(shell: Shell, argv: list[str], state: Data) -> int:
    code = shell.data["status"]
    frames = shell.data["frames"]
    if len(argv) > 1:
        code = count(argv[1], "exit") & 255
    elif frames and frames[-1]["kind"] == "trap":
        code = frames[-1]["status"]
    raise ShellExit(code)


def count(text: str, command: str) -> int:
    if not is_whole(text):
        raise fault(f"Illegal number: {text}", 2, command)
    return saturated(text)


@builtin("return")
def _return(shell: Shell, argv: list[str], state: Data) -> int:
    status = count(argv[1], "return") & 255 if len(argv) > 1 else shell.data["status"]
    frames = shell.data["frames"]
    shell.data["cur"] = None
    while frames:
        kind = frames[-1]["kind"]
        if kind in ("func", "dot", "trap", "eval"):
            left = shell.pop()
            if kind == "func" and frames:
                shell.data["status"] = status
                shell.after(frames[-1], left["tested"])
            if kind in ("func", "dot"):
                return status
        else:
            raise ShellExit(status)
    return status


@builtin("break", "continue")
def _break(shell: Shell, argv: list[str], state: Data) -> int:
    levels = count(argv[1], argv[0]) if len(argv) > 1 else 1
    frames = shell.data["frames"]
    index = len(frames) - 1
    while index >= 0 and not frames[index]["loops"] and frames[index]["kind"] in ("eval", "dot", "trap"):
        index -= 1
    if index < 0 or not frames[index]["loops"]:
        return 0
    while len(frames) - 1 > index:
        shell.pop()
    frame = frames[index]
    loops = frame["loops"]
    while levels > 1 and len(loops) > 1:
        loops.pop()
        levels -= 1
    loop = loops[-1]
    while len(frame["redirs"]) > loop["redirs"]:
        shell.restore(frame["redirs"].pop())
    if argv[0] == "break":
        loops.pop()
        frame["pc"] = loop["end"]
    else:
        loop["status"] = 0
        frame["pc"] = loop["next"]
    return 0


@builtin("eval")
def _eval(shell: Shell, argv: list[str], state: Data) -> int:
    text = " ".join(argv[1:])
    if text.strip():
        shell.push(shell.unit(text, shell.data["line"]), 0, "eval")
        return int(shell.data["status"])
    return 0


@builtin(".", "source")
def _dot(shell: Shell, argv: list[str], state: Data) -> int:
    if len(argv) < 2:
        raise fault("filename argument required", 2, argv[0])
    path = argv[1]
    candidates = [path]
    if "/" not in path:
        candidates = [directory.rstrip("/") + "/" + path for directory in (shell.get("PATH") or "").split(":")] + [path]
    for candidate in candidates:
        try:
            text = shell.sys.read_file(candidate)
        except Errno:
            continue
        more = {"args": shell.data["args"]} if len(argv) > 2 else {}
        shell.push(shell.unit(text), 0, "dot", source=candidate, **more)
        if len(argv) > 2:
            shell.data["args"] = argv[2:]
        return 0
    if shell.data["flavor"] == "bash":
        raise fault(f"{path}: No such file or directory", 1)
    raise fault(f"can't open '{path}': No such file or directory", 2, argv[0])


@builtin("exec")
def _exec(shell: Shell, argv: list[str], state: Data) -> int:
    words = argv[1:]
    while words and words[0] in ("-a", "-c", "-l", "--"):
        words = words[2:] if words[0] == "-a" else words[1:]
    try:
        shell.sys.exec(words, path=shell.sys.which(words[0], shell.get("PATH") or ""), env=shell.environment())
    except Errno as error:
        code = 127 if error.name == "ENOENT" else 126
        shell.complain(f"{words[0]}: {'not found' if code == 127 else error.text}", "exec")
        raise ShellExit(code) from None
    return 0


@builtin("trap")
def _trap(shell: Shell, argv: list[str], state: Data) -> int:
    words = argv[1:]
    traps = shell.data["traps"]
    if words and words[0] == "--":
        words = words[1:]
    if words and words[0] == "-l":
        shell.sys.out("".join(f"{number:2}) {name}\n" for name, number in SIGNALS.items()))
        return 0
    if not words or words[0] == "-p":
        for number, text in sorted(traps.items(), key=lambda item: int(item[0])):
            name = "EXIT" if number == "0" else SIGNAL_NAMES.get(int(number), number)
            shell.sys.out(f"trap -- {shell_quote(text)} {name}\n")
        return 0
    action: str | None = words[0]
    signals: list[str]
    if len(words) == 1 or (words[0].isdigit() and signal_number(words[0]) is not None):
        action = None
        signals = words
    else:
        signals = words[1:]
    if action == "-":
        action = None
    status = 0
    for name in signals:
        if name == "ERR" and shell.data["flavor"] == "bash":
            shell.data["onerr"] = action or ""
            continue
        if name in ("DEBUG", "RETURN") and shell.data["flavor"] == "bash":
            continue
        number = 0 if name.upper() == "EXIT" else signal_number(name)
        if number is None:
            shell.complain(f"{name}: invalid signal specification", "trap")
            status = 1
            continue
        if action is None:
            traps.pop(str(number), None)
        else:
            traps[str(number)] = action
    return status


@builtin("umask")
def _umask(shell: Shell, argv: list[str], state: Data) -> int:
    if len(argv) > 1 and re.fullmatch("[0-7]{1,9}", argv[1]):
        shell.proc["umask"] = int(argv[1], 8) & 0o777
    else:
        shell.sys.out(f"{shell.proc['umask']:04o}\n")
    return 0


@builtin("ulimit")
def _ulimit(shell: Shell, argv: list[str], state: Data) -> int:
    if len(argv) < 2 or argv[-1].startswith("-"):
        shell.sys.out("1048576\n" if "-n" in argv else "unlimited\n")
    return 0


@builtin("times")
def _times(shell: Shell, argv: list[str], state: Data) -> int:
    seconds = shell.proc["cpu_us"] / 1_000_000
    shell.sys.out(f"0m{seconds:.3f}s 0m0.000s\n0m0.000s 0m0.000s\n")
    return 0


@builtin("hash", "alias", "unalias", "bg", "shopt", "history")
def _nothing(shell: Shell, argv: list[str], state: Data) -> int:
    return 0


@builtin("pushd", "popd", "dirs")
def _directories(shell: Shell, argv: list[str], state: Data) -> int:
    kept: list[str] = shell.data.setdefault("dirs", [])
    here = shell.proc["cwd"]
    if argv[0] == "pushd" and len(argv) > 1:
        _cd(shell, ["cd", argv[1]], state)
        kept.insert(0, here)
    elif argv[0] == "popd" or argv[0] == "pushd":
        if not kept:
            raise fault("directory stack empty" if argv[0] == "popd" else "no other directory", 1, argv[0])
        _cd(shell, ["cd", kept.pop(0)], state)
        if argv[0] == "pushd":
            kept.insert(0, here)
    shell.sys.out(" ".join([shell.proc["cwd"], *kept]) + "\n")
    return 0


@builtin("let", "((")
def _let(shell: Shell, argv: list[str], state: Data) -> int:
    value = "0"
    for word in argv[1:]:
        value = Expander(shell, {}).calculate(word)
    return int(value == "0")
