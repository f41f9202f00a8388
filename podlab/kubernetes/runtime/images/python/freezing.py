"""A machine as plain data, and back: what a checkpoint keeps of a Python process.

Every object gets a number; values are [kind, ...] rows that name other objects by theirs. Code is not kept: it is compiled again from the
texts, and a machine whose steps have changed since (a newer engine) begins its program anew.
"""

from __future__ import annotations

import base64
from typing import Any

from ...process import Data, Process
from ...system import Sys
from .classes import CLASSES
from .frames import IDLE, MAIN, Thread
from .libraries import Interpreter, library, machine_for
from .machine import Machine
from .statements import compiled
from .values import (
    Bound,
    Class,
    Frame,
    Function,
    Generator,
    Huge,
    Instance,
    Iterator,
    Module,
    Native,
    Scope,
    Set,
    Source,
    Super,
    Thing,
    View,
    Wrapped,
    linear_order,
)  # fmt: skip

SLOTS: dict[type, tuple[str, ...]] = {
    Scope: ("vars", "parent"), Module: ("name", "vars"), Instance: ("cls", "vars"), Bound: ("function", "of"), Native: ("name",),
    Super: ("after", "of"), Wrapped: ("kind", "functions"), Generator: ("frame", "state"), Iterator: ("items", "of", "at", "size"),
    Set: ("members", "frozen"), View: ("kind", "of"), Huge: ("kind", "unit", "size"), Thing: ("kind", "vars"),
    Class: ("name", "bases", "vars", "native"), Function: ("code", "defaults", "kwdefaults", "scope", "module", "name", "owner", "vars"),
    Frame: ("code", "scope", "module", "function", "kind", "owner", "pc", "target", "stack", "blocks", "caught", "memo"),
    Thread: ("ident", "name", "of", "frames", "daemon", "park", "seen"),
}  # fmt: skip
KINDS = {kind.__name__: kind for kind in SLOTS}
FACTS = ("changes", "number", "bytes", "bytes_seen")


class _Writer:
    def __init__(self) -> None:
        self.rows: list[Any] = []
        self.numbers: dict[int, int] = {}
        self.todo: list[Any] = []
        self.sources: dict[str, Source] = {}

    def put(self, value: Any) -> Any:
        """A value as JSON: numbers, text and nothing as they are, everything else as [number]."""
        kind = type(value)
        if value is None or kind in (bool, str) or (kind is int and abs(value) < 1 << 53):
            return value
        found = self.numbers.get(id(value))
        if found is None:
            found = self.numbers[id(value)] = len(self.rows)
            self.rows.append(None)
            self.todo.append((found, value))
        return [found]

    def all(self) -> None:
        while self.todo:
            number, value = self.todo.pop()
            self.rows[number] = self.row(value)

    def row(self, value: Any) -> list[Any]:
        kind = type(value)
        if kind is int:
            return ["int", hex(value)]
        if kind is float:
            return ["float", value.hex()]
        if kind is bytes:
            return ["bytes", base64.b64encode(value).decode()]
        if kind in (list, tuple):
            return [kind.__name__, *[self.put(one) for one in value]]
        if kind is dict:
            return ["dict", *[self.put(one) for pair in value.items() for one in pair]]
        if kind is range:
            return ["range", *[self.put(one) for one in (value.start, value.stop, value.step)]]
        if kind is slice:
            return ["slice", *[self.put(one) for one in (value.start, value.stop, value.step)]]
        if value is Ellipsis or value is NotImplemented:
            return ["word", str(value)]
        if value is MAIN:
            return ["idle"]
        if isinstance(value, Class) and CLASSES.get(value.name) is value:
            return ["builtin", value.name]
        return [kind.__name__, *[self.part(value, name) for name in SLOTS[kind]]]

    def part(self, value: Any, name: str) -> Any:
        found = getattr(value, name)
        if name == "code":
            if found is IDLE:
                return None
            self.sources[found.source.key] = found.source
            return [found.source.key, found.index]
        return self.put(found)


def frozen(m: Machine) -> Data:
    """All that a machine remembers, as plain data."""
    assert isinstance(m, Interpreter)
    writer = _Writer()
    roots = [writer.put(one) for one in (m.builtins, m.modules, m.threads, m.facts, m.kinds, m.kept, [m.numbers[id(one)] for one in m.kept])]
    writer.all()
    marks = {key: source.mark for key, source in writer.sources.items()}
    texts = {key: [source.file, source.text] for key, source in writer.sources.items() if not key.startswith("lib:")}
    texts.update({key: [source.file, source.text] for key, source in m.texts.items()})
    return {"rows": writer.rows, "roots": roots, "marks": marks, "texts": texts, **{name: getattr(m, name) for name in FACTS}}


class _Reader:
    def __init__(self, rows: list[Any], sources: dict[str, Source]) -> None:
        self.rows, self.sources = rows, sources
        self.made: list[Any] = [None] * len(rows)
        self.known = [False] * len(rows)
        self.later: list[tuple[Any, list[Any]]] = []

    def get(self, value: Any) -> Any:
        return self.object(value[0]) if isinstance(value, list) else value

    def object(self, number: int) -> Any:
        waiting = [number]
        while waiting:  # tuples in tuples may be as deep as a program likes: the inner ones first, without recursion
            last = waiting[-1]
            inner = [] if self.known[last] or self.rows[last][0] != "tuple" else [
                one[0] for one in self.rows[last][1:] if isinstance(one, list) and not self.known[one[0]]]
            if inner:
                waiting.extend(inner)
                continue
            waiting.pop()
            if not self.known[last]:
                self.known[last] = True
                self.made[last] = self.build(self.rows[last])
        return self.made[number]

    def build(self, row: list[Any]) -> Any:
        kind = row[0]
        if kind == "int":
            return int(row[1], 16)
        if kind == "float":
            return float.fromhex(row[1])
        if kind == "bytes":
            return base64.b64decode(row[1])
        if kind == "tuple":
            return tuple(self.get(one) for one in row[1:])
        if kind == "range":
            return range(*[self.get(one) for one in row[1:]])
        if kind == "slice":
            return slice(*[self.get(one) for one in row[1:]])
        if kind == "word":
            return Ellipsis if row[1] == "Ellipsis" else NotImplemented
        if kind == "idle":
            return MAIN
        if kind == "builtin":
            return CLASSES[row[1]]
        made: Any = [] if kind == "list" else {} if kind == "dict" else object.__new__(KINDS[kind])
        self.later.append((made, row))
        return made

    def fill(self) -> None:
        """What may point back to itself is filled in once it exists; dicts last, whose keys must be whole."""
        dicts: list[tuple[dict[Any, Any], list[Any]]] = []
        at = 0
        while at < len(self.later):
            made, row = self.later[at]
            at += 1
            if row[0] == "list":
                made.extend(self.get(one) for one in row[1:])
            elif row[0] == "dict":
                for one in row[1:]:
                    self.get(one)
                dicts.append((made, row))
            else:
                for name, one in zip(SLOTS[KINDS[row[0]]], row[1:], strict=True):
                    setattr(made, name, self.code(one) if name == "code" else self.get(one))
        for plain in (True, False):  # a date or an instance that is a key has a dict of its own, which must be whole before
            for made, row in dicts:
                if plain == all(type(one) is not list for one in row[1::2]):
                    for index in range(1, len(row), 2):
                        made[self.get(row[index])] = self.get(row[index + 1])
        for made, row in self.later:
            if row[0] == "Class":
                made.mro = []
        classes = [made for made, row in self.later if row[0] == "Class"]
        for one in classes:
            self.order(one)

    def order(self, cls: Class) -> None:
        for base in cls.bases:
            if not base.mro:
                self.order(base)
        if not cls.mro:
            cls.mro = linear_order(cls)

    def code(self, value: Any) -> Any:
        return IDLE if value is None else self.sources[value[0]].bodies[value[1]]


def thawed(image: Data, proc: Process, sys: Sys) -> Interpreter | None:
    """The machine of a checkpoint; None when its steps are no longer the same."""
    texts = {key: compiled(key, file, text) for key, (file, text) in image["texts"].items()}
    sources = dict(texts)
    for key, mark in image["marks"].items():
        source = sources.get(key) or library(key[4:])
        if source is None or source.mark != mark:
            return None
        sources[key] = source
    m = machine_for(proc, sys, texts)
    reader = _Reader(image["rows"], sources)
    roots = [reader.get(one) for one in image["roots"]]
    reader.fill()
    m.builtins, m.modules, m.threads, m.facts, m.kinds, m.kept, numbers = roots
    m.numbers = {id(one): number for one, number in zip(m.kept, numbers, strict=True)}
    for name in FACTS:
        setattr(m, name, image[name])
    return m


# ---- what it holds


SAMPLE = 256
"""Items of a long list or dict that are looked at: the others are taken to be like them."""


def _sample(items: list[Any]) -> tuple[list[Any], float]:
    """(some of the items, how many items each stands for). The same object over and over stands for itself."""
    if len(items) <= SAMPLE:
        return items, 1.0
    some = items[:: len(items) // SAMPLE]
    return some, len(items) / len(some) if len({id(one) for one in some}) > len(some) // 2 else 1.0


def weight(m: Machine, most: int = 30_000) -> tuple[int, int]:
    """(bytes that the program's objects take, those of them that this process really holds), near enough: `most` objects are looked at, and
    those that are left are taken to be like them."""
    seen: set[int] = set()
    todo: list[tuple[Any, float]] = [(thread.frames, 1.0) for thread in m.threads]
    todo += [(one.vars, 1.0) for one in m.modules.values() if "__podlab__" not in one.vars]
    total = huge = 0.0
    looked = 0
    while todo and looked < most:
        value, times = todo.pop()
        kind = type(value)
        looked += 1
        if kind in (str, bytes):
            total += (49 + len(value)) * times
            continue
        if kind in (int, float, bool, type(None), Native, Module):
            total += 28 * times if kind in (int, float) else 0
            continue
        if id(value) in seen:
            continue
        seen.add(id(value))
        inner: list[Any] = []
        if kind is Huge:
            huge += value.size * (8 if value.kind == "list" else 1) * times
        elif kind in (list, tuple):
            total += (56 + 8 * len(value)) * times
            if value and type(value[0]) not in (int, float, bool, type(None)):  # a list of numbers is taken to be one throughout
                inner = list(value)
        elif kind is dict:
            total += (64 + 100 * len(value)) * times
            inner = [*value, *value.values()]
        elif kind in SLOTS:
            total += 64 * times
            inner = [getattr(value, name) for name in SLOTS[kind] if name not in ("code", "name", "kind")]
        some, each = _sample(inner)
        todo.extend((one, times * each) for one in some)
    m.sys.charge(looked)
    total *= 1 + len(todo) / max(1, looked)
    return int(total + huge), int(total)
