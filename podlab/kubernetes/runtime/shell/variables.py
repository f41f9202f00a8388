"""What a shell knows by name: variables, bash's arrays, positional and special parameters; and how it says that something is wrong."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ..process import Process
from ..program import TEXT_MAX
from ..system import Sys
from .faults import ShellFault

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
        if len(self.data["vars"]) >= VARIABLES_MAX:
            raise ShellFault("out of memory")
        self.data["vars"][name] = value
        if "a" in self.data["opts"]:
            self.data["exp"][name] = 1

    def elements(self, name: str) -> list[tuple[int, str]]:
        """(index, value) of a bash array in order: variables `name[index]`; a plain variable is an array of one."""
        self.sys.charge(len(self.data["vars"]) >> 1)
        held = sorted((int(key[len(name) + 1 : -1]), value) for key, value in self.data["vars"].items() if key.startswith(name + "["))
        plain = self.get(name)
        return held or ([(0, plain)] if plain is not None else [])

    def put_elements(self, name: str, values: list[str], more: bool = False) -> None:
        """Sets an array, or with `more` lengthens it. Its first element is the variable itself too."""
        held = self.elements(name) if more else []
        start = held[-1][0] + 1 if held else 0
        for key in [key for key in self.data["vars"] if key.startswith(name + "[") and not more]:
            del self.data["vars"][key]
        if start == 1:
            self.put_element(name, 0, held[0][1])  # it may have been a plain variable
        for at, value in enumerate(values, start):
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
