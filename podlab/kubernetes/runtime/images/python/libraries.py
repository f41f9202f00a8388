"""The modules that a program can import: our own small library (library/*.txt, in the same Python), and files beside the program."""

from __future__ import annotations

import posixpath
from functools import lru_cache
from pathlib import Path
from typing import Any

from ...process import Process
from ...system import Sys
from . import children, containers, data, files, interactive, making, moments, net, objects, patterns, secure, strings, system, waiting
from .builtin import builtins
from .machine import Machine
from .natives import NATIVES
from .parsing import TooMuch, told
from .statements import compiled
from .values import Frame, Instance, Module, Native, Raised, Scope, Source, Unknown

HERE = Path(__file__).parent / "library"
NATIVE_ONLY = ("atexit", "binascii")
UNKNOWN = (
    "abc", "array", "ast", "asyncio", "bisect", "bz2", "calendar", "cgi", "cmath", "cmd", "code", "codecs", "concurrent",
    "concurrent.futures", "configparser", "contextvars", "csv", "ctypes", "curses", "dbm", "decimal", "difflib", "dis", "email",
    "faulthandler", "fileinput", "filecmp", "fractions", "ftplib", "gc", "getopt", "getpass", "gettext", "gzip", "html", "http.cookies",
    "imaplib", "importlib", "inspect", "ipaddress", "linecache", "locale", "lzma", "mimetypes", "mmap", "multiprocessing", "numbers",
    "operator", "optparse", "pdb", "pickle", "pkgutil", "poplib", "pprint", "profile", "pty", "pwd", "resource", "sched", "secrets",
    "selectors", "shelve", "smtplib", "sqlite3", "ssl", "statistics", "struct", "tarfile", "telnetlib", "tempfile", "termios", "textwrap",
    "timeit", "tkinter", "token", "tokenize", "trace", "tracemalloc", "unittest", "uu", "venv", "warnings", "wave", "weakref", "webbrowser",
    "xml", "xmlrpc", "zipfile", "zlib", "zoneinfo",
)  # fmt: skip
"""Modules that the real one has and this one may not (those with a file in library/ it has)."""


@lru_cache(maxsize=128)
def library(name: str) -> Source | None:
    """A module of ours."""
    path = HERE / f"{name}.py.txt"
    if "/" in name or not path.is_file():
        if name in NATIVE_ONLY:
            return compiled(f"lib:{name}", f"{name}.py", "")
        return None
    return compiled(f"lib:{name}", f"/usr/local/lib/python3/{name.replace('.', '/')}.py", path.read_text(encoding="utf-8"))


def main_source(file: str, text: str) -> Source:
    """The program. Raises SyntaxError, TooMuch, Unknown."""
    return compiled(file, file, text)


class Interpreter(Machine):
    """A machine with its modules."""

    def __init__(self, sources: dict[str, Source], proc: Process, sys: Sys) -> None:
        super().__init__(self.source, NATIVES, {})
        self.sys, self.proc, self.texts = sys, proc, sources
        self.kinds: dict[str, Any] = {}
        self.numbers: dict[int, int] = {}
        self.kept: list[Any] = []
        options = proc["data"]["options"]
        version = [int(part) for part in options["version"].split(".")]
        self.facts.update(minor=version[1], version=version, unbuffered=options["unbuffered"], argv=options["argv"], file=options["file"])

    def source(self, name: str) -> Source | None:
        """A module's text: the program's own files first, as sys.path has it."""
        if name in self.texts:
            return self.texts[name]
        if name.startswith("lib:"):
            return library(name[4:])
        found = library(name)
        if found is not None:
            return found
        if name in UNKNOWN:
            raise Unknown(f"the module {name}")
        file = self.facts["file"]
        around = posixpath.dirname(file) if "/" in file else self.proc["cwd"] if file.startswith("<") else "."
        for path in (f"{around}/{name.replace('.', '/')}.py", f"{around}/{name.replace('.', '/')}/__init__.py"):
            at = self.sys.find(path) if len(name) < 200 else None
            if at is not None and not at.is_dir:
                try:
                    made = compiled(path, path, self.sys.read_file(path))
                except SyntaxError as error:
                    raise Raised(Instance(self.builtins["SyntaxError"], {"args": (told(error).rstrip("\n"),)})) from None
                except TooMuch as error:
                    raise Unknown(str(error)) from None
                self.texts[path] = made
                return made
        return None

    def in_library(self, name: str) -> bool:
        return len(name) < 40 and library(name) is not None

    def load(self, name: str) -> None:
        """Runs a module of ours before the program begins."""
        source = library(name)
        if name == "builtins":
            self.builtins = builtins()
        if source is None:
            return
        module = Module(name, {"__name__": name, **self.starters(name)})
        if name == "builtins":
            module.vars = self.builtins
        else:
            self.modules[name] = module
            module.vars["__podlab__"] = True
        body = Frame(source.bodies[0], Scope(module.vars), module, None, "drop")
        main, self.current = self.current, self.threads[0]
        held, self.current.frames = self.current.frames, [body]
        while self.current.frames:
            self.left = 10_000
            self.run(self.current, 10_000)
        self.current.frames, self.current = held, main

    def starters(self, name: str) -> dict[str, Any]:
        """What a module of ours has before its text runs: the natives under its name."""
        found: dict[str, Any] = {}
        if name == "builtins":
            return found
        start = name + "."
        for native in NATIVES:
            if native.startswith(start) and "." not in native[len(start) :]:
                found[native[len(start) :]] = Native(native)
        if name == "sys":
            major, minor, micro = self.facts["version"]
            found.update(stdin=files.standard(self, 0), stdout=files.standard(self, 1), stderr=files.standard(self, 2),
                         argv=list(self.facts["argv"]),
                         _version=[major, minor, micro], modules=self.modules, path=[posixpath.dirname(self.facts["file"])])  # fmt: skip
        return found

    def number_of(self, value: Any) -> int:
        """A number for an object, by the order in which they are asked for."""
        found = self.numbers.get(id(value))
        if found is None:
            if len(self.kept) > 10_000:
                self.kept.clear()
                self.numbers.clear()
            self.number += 1
            found = self.numbers[id(value)] = self.number
            self.kept.append(value)
        return found


def machine_for(proc: Process, sys: Sys, sources: dict[str, Source]) -> Interpreter:
    return Interpreter(sources, proc, sys)


TABLES = (children, containers, data, interactive, making, moments, net, objects, patterns, secure, strings, system, waiting)
"""The modules whose natives are put into the table as they are imported."""
