"""What a shell knows by name: variables, bash's arrays, positional and special parameters; and how it says that something is wrong."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from ..numerals import is_whole, saturated
from ..process import Process
from ..program import TEXT_MAX
from ..system import Sys
from .faults import ShellFault

BASH = {"BASH_VERSION": "5.2.15(1)-release", "BASH": "/bin/bash", "OSTYPE": "linux-gnu", "HOSTTYPE": "x86_64",
        "MACHTYPE": "x86_64-pc-linux-gnu"}  # fmt: skip
"""What bash says of itself (the release of Debian 12)."""
LISTS = ("PIPESTATUS", "BASH_SOURCE")
SPECIAL = frozenset({"FUNCNAME", "RANDOM", "LINENO", "SECONDS", "EPOCHSECONDS", "PPID", "HOSTNAME", "UID", "EUID", "BASHPID", *LISTS, *BASH})
NAME = re.compile(r"(?:[A-Za-z_]\w*(?:\[.+\])?|\d+|[@*#?$!-])")
VARIABLES_MAX = 30_000
"""Variables of one shell, elements of arrays among them."""


@lru_cache(1024)
def _bucket(name: str) -> tuple[int, bool]:
    """Where ash and dash keep a variable (hashvar and VTABSIZE of their sources); PATH is the one of the environment's that they know before."""
    return ((ord(name[0]) << 4) + sum(name.encode())) % 39, name != "PATH"


class Variables:
    """The names of one shell, for the length of a turn."""

    __slots__ = ("data", "proc", "sys")

    def __init__(self, proc: Process, sys: Sys) -> None:
        self.proc, self.sys, self.data = proc, sys, proc["data"]

    def get(self, name: str) -> str | None:
        """A variable's value, or None when it is not set."""
        value: str | None = self.data["vars"].get(name)
        if value is None and name in SPECIAL:
            if name == "FUNCNAME":
                return next((str(frame["name"]) for frame in reversed(self.data["frames"]) if frame["kind"] == "func"), None)
            if name == "RANDOM":
                return str(self.sys.random(32768))
            if name == "LINENO":
                return str(self.data["line"])
            if name == "PPID":
                return str(self.proc["ppid"])
            if name == "EPOCHSECONDS":
                return str(self.sys.now // 1000)
            return self._of_bash(name) if self.data["flavor"] == "bash" else None
        return value

    def _of_bash(self, name: str) -> str | None:
        """What only bash knows of itself."""
        if name == "HOSTNAME":
            return self.sys.hostname
        if name == "SECONDS":
            return str((self.sys.now - self.data["began"]) // 1000)
        if name in ("UID", "EUID"):
            return str(self.proc["uid"])
        if name == "BASHPID":
            return str(self.proc["pid"])
        if name in LISTS:
            return next((text for _, text in self.elements(name)), None)
        return BASH[name]

    def _sources(self) -> list[str]:
        """BASH_SOURCE: the files that run, the innermost first."""
        inner = [str(frame["source"]) for frame in reversed(self.data["frames"]) if "source" in frame]
        return inner + ([str(self.data["name"])] if self.data["mode"] == "file" else [])

    def put(self, name: str, value: str) -> None:
        """Sets a variable. Raises ShellFault when it is read-only."""
        if name in self.data["ro"]:
            raise self.constant(name)
        if len(value) > TEXT_MAX:
            raise ShellFault("out of memory")
        if len(self.data["vars"]) >= VARIABLES_MAX:
            raise ShellFault("out of memory")
        if name == "SECONDS" and self.data["flavor"] == "bash":
            self.data["began"] = self.sys.now - 1000 * (saturated(value) if is_whole(value) else 0)
            return
        self.data["vars"][name] = value
        if "a" in self.data["opts"]:
            self.data["exp"][name] = 1

    def constant(self, name: str) -> ShellFault:
        """That a name is read-only."""
        return ShellFault(f"{name}: readonly variable", 1) if self.data["flavor"] == "bash" else ShellFault(f"{name}: is read only")

    def elements(self, name: str) -> list[tuple[str, str]]:
        """(key, value) of a bash array: variables `name[key]`, by their indices, or of an associative one as they were set; a plain variable
        is an array of one."""
        if name in LISTS:
            return [(str(at), text) for at, text in enumerate(self._sources() if name == "BASH_SOURCE" else map(str, self.data.get("pipes", ())))]
        self.sys.charge(len(self.data["vars"]) >> 1)
        held = [(key[len(name) + 1 : -1], value) for key, value in self.data["vars"].items() if key.startswith(name + "[")]
        if name in self.data.get("assoc", ()):
            return held
        plain = self.get(name)
        return sorted(held, key=lambda one: int(one[0])) or ([("0", plain)] if plain is not None else [])

    def element(self, name: str, key: str) -> str:
        """One element, "" when there is none; an index below 0 counts from the end."""
        held = self.elements(name)
        if key[:1] == "-" and name not in self.data.get("assoc", ()) and held:
            key = str(int(held[-1][0]) + 1 + int(key))
        return next((text for one, text in held if one == key), "")

    def forget_elements(self, name: str) -> None:
        for key in [key for key in self.data["vars"] if key.startswith(name + "[")]:
            del self.data["vars"][key]

    def put_elements(self, name: str, values: list[str], more: bool = False) -> None:
        """Sets an array, or with `more` lengthens it. Its first element is the variable itself too."""
        held = self.elements(name) if more else []
        start = int(held[-1][0]) + 1 if held else 0
        if not more:
            self.forget_elements(name)
        if start == 1:
            self.put_element(name, "0", held[0][1])  # it may have been a plain variable
        for at, value in enumerate(values, start):
            self.put_element(name, str(at), value)
        if not held and not values:
            self.data["vars"].pop(name, None)

    def put_element(self, name: str, key: str, value: str) -> None:
        if name in self.data["ro"]:
            raise self.constant(name)
        self.put(f"{name}[{key}]", value)
        if key == "0":
            self.put(name, value)

    def special(self, name: str) -> str | None:
        """A parameter's value: variable, positional or special."""
        data = self.data
        if is_whole(name):
            index = saturated(name)
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
        if name[0] == "!":
            target = self.get(name[1:])
            if target is None or not NAME.fullmatch(target):
                return None
            array, bracket, key = target.partition("[")
            return self.element(array, key[:-1]) if bracket else self.special(target)
        return self.get(name)

    def environment(self) -> dict[str, str]:
        """What children get: from ash and dash in the order of their table of variables."""
        variables = self.data["vars"]
        names = self.data["exp"] if self.data["flavor"] == "bash" else sorted(self.data["exp"], key=_bucket)
        return {name: variables[name] for name in names if name in variables}

    def complain(self, text: str, command: str = "") -> None:
        """An error message as this shell prints it: `sh: foo: not found`."""
        data = self.data
        flavor, name, script = data["flavor"], data["name"], data["mode"] == "file"
        if flavor == "bash":
            where = f"line {data['line']}: " if data["mode"] != "tty" else ""
            text = (
                text.replace(": not found", ": command not found")
                .replace("can't open ", "")
                .replace("can't cd to ", "")
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
