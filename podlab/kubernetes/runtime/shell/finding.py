"""Builtins that look for what a name stands for: type, command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..process import Data, Errno
from .builtins import BUILTINS, SPECIAL, builtin

if TYPE_CHECKING:
    from .machine import Shell

KEYWORDS = ("if", "then", "else", "elif", "fi", "do", "done", "case", "esac", "while", "until", "for", "{", "}", "!", "in")


@builtin("type")
def _type(shell: Shell, argv: list[str], state: Data) -> int:
    status = 0
    option = argv[1] if argv[1:2] and argv[1] in ("-t", "-p", "-P", "-a") and shell.data["flavor"] == "bash" else ""
    for name in argv[2:] if option else argv[1:]:
        status = max(status, _kind_of(shell, name, option) if option not in ("", "-a") else _tell(shell, name, True))
    return status


def _kind_of(shell: Shell, name: str, option: str) -> int:
    """bash's type -t (what kind of command a name is) and type -p (its file)."""
    kind = "keyword" if name in KEYWORDS else "function" if name in shell.data["funcs"] else "builtin" if name in BUILTINS else "file"
    if kind == "file" or option == "-P":
        try:
            path = shell.sys.which(name, shell.get("PATH") or "")
        except Errno:
            return 1
        shell.sys.out(("file" if option == "-t" else path) + "\n")
    elif option == "-t":
        shell.sys.out(kind + "\n")
    return 0


@builtin("command")
def _command(shell: Shell, argv: list[str], state: Data) -> int:
    if len(argv) > 1 and argv[1] in ("-v", "-V"):
        return max((_tell(shell, name, argv[1] == "-V") for name in argv[2:]), default=0)
    words = [word for word in argv[1:] if word not in ("-p", "--")] if len(argv) > 1 and argv[1] in ("-p", "--") else argv[1:]
    if not words:
        return 0
    if words[0] in BUILTINS and words[0] != "command":
        return BUILTINS[words[0]](shell, words, state)
    return run_and_wait(shell, words, state)


def run_and_wait(shell: Shell, words: list[str], state: Data) -> int:
    """Runs an external command for a builtin and waits for it."""
    if "pid" not in state:
        try:
            path = shell.sys.which(words[0], shell.get("PATH") or "")
            state["pid"] = shell.sys.spawn(words, path=path, env=shell.environment())
        except Errno as error:
            shell.complain(f"{words[0]}: {'not found' if error.name == 'ENOENT' else error.text}")
            return 127 if error.name == "ENOENT" else 126
    ended = shell.sys.wait(state["pid"])
    if ended is None:
        raise LookupError
    return ended[1]


def _tell(shell: Shell, name: str, long: bool) -> int:
    out = shell.sys.out
    if name in KEYWORDS:
        out(f"{name} is a shell keyword\n" if long else name + "\n")
        return 0
    if name in shell.data["funcs"]:
        out(f"{name} is a function\n" if long else name + "\n")
        return 0
    if name in BUILTINS:
        out(f"{name} is a {'special ' if name in SPECIAL else ''}shell builtin\n" if long else name + "\n")
        return 0
    try:
        path = shell.sys.which(name, shell.get("PATH") or "")
    except Errno:
        if long and shell.data["flavor"] == "bash":
            shell.sys.err(f"{shell.data['name']}: line {shell.data['line']}: type: {name}: not found\n")
        elif long:
            out(f"{name}: not found\n")
        return 1 if shell.data["flavor"] == "bash" else 127
    out(f"{name} is {path}\n" if long else path + "\n")
    return 0
