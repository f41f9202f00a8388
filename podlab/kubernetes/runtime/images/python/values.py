"""What a simulated Python program is made of. Numbers, text, bytes, lists, tuples, dicts, ranges and slices are this process's own;
everything else is one of the classes below. No program ever holds anything else, so nothing it does reaches the host.

All of it can be written down as plain data (freezing.py): a program that waits survives a checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Place = tuple[int, int, int, int]


class Code:
    """A compiled body: `steps` are (operation, argument), `places` the (line, column, end line, end column) of each."""

    __slots__ = ("coroutine", "doc", "failing", "generator", "index", "keywords", "kwarg", "local", "name", "parameters", "places", "source", "steps",
                 "vararg")

    def __init__(self, source: Source, index: int, name: str) -> None:
        self.source, self.index, self.name = source, index, name
        self.parameters: list[str] = []
        self.keywords: list[str] = []
        self.vararg = self.kwarg = ""
        self.generator = self.coroutine = False
        self.doc: str | None = None
        self.steps: list[tuple[Callable[[Any, Frame, Any], Any], Any]] = []
        self.places: list[Place] = []
        self.failing: dict[int, Place] = {}  # step that raises for an assert -> the whole statement

    def place(self, pc: int, minor: int) -> Place:
        """Of the step before `pc`. An assert that fails points at what it tests; in 3.12 alone at all of it (Python/compile.c, compiler_assert)."""
        step = max(0, pc - 1)
        return self.failing.get(step, self.places[step]) if minor == 12 else self.places[step]


class Source:
    """One text and the bodies in it; bodies[0] is the module's own."""

    __slots__ = ("bodies", "file", "key", "lines", "mark", "text")

    def __init__(self, key: str, file: str, text: str) -> None:
        self.key, self.file, self.text = key, file, text
        self.lines = text.split("\n")
        self.bodies: list[Code] = []
        self.mark = 0  # tells two compilations apart


class Scope:
    """The variables of one run of a body, and of the body around it."""

    __slots__ = ("parent", "vars")

    def __init__(self, variables: dict[str, Any], parent: Scope | None = None) -> None:
        self.vars, self.parent = variables, parent


class Module:
    __slots__ = ("name", "vars")

    def __init__(self, name: str, variables: dict[str, Any]) -> None:
        self.name, self.vars = name, variables


class Frame:
    """A body that runs. `kind`: what is done with its result (call, drop, init, class, import, for, next, throw)."""

    __slots__ = ("blocks", "caught", "code", "function", "kind", "memo", "module", "owner", "pc", "scope", "stack", "target")

    def __init__(self, code: Code, scope: Scope, module: Module, function: Any = None, kind: str = "call", owner: Any = None) -> None:
        self.code, self.scope, self.module, self.function, self.kind, self.owner = code, scope, module, function, kind, owner
        self.pc = self.target = 0
        self.stack: list[Any] = []
        self.blocks: list[list[int]] = []  # [where a handler begins, height of the stack, exceptions being handled]
        self.caught: list[Any] = []
        self.memo: dict[str, Any] = {}  # of the call that waits


class Class:
    """`native`: the name of the built-in type that it is, or ""."""

    __slots__ = ("bases", "mro", "name", "native", "vars")

    def __init__(self, name: str, bases: list[Class], variables: dict[str, Any], native: str = "") -> None:
        self.name, self.bases, self.vars, self.native = name, bases, variables, native
        self.mro: list[Class] = []
        self.mro = linear_order(self)

    def find(self, name: str) -> Any:
        """An attribute of the class or of those it comes from; MISSING without one."""
        for one in self.mro:
            if name in one.vars:
                return one.vars[name]
        return MISSING

    def is_a(self, other: Class) -> bool:
        return other in self.mro


def linear_order(cls: Class) -> list[Class]:
    """The method resolution order (C3). Raises ValueError when there is none."""
    rows = [list(base.mro) for base in cls.bases] + [list(cls.bases)]
    out = [cls]
    while any(rows):
        for row in rows:
            if row and not any(row[0] in other[1:] for other in rows):
                head = row[0]
                break
        else:
            raise ValueError("Cannot create a consistent method resolution")
        out.append(head)
        for row in rows:
            if row and row[0] is head:
                del row[0]
    return out


class Missing:
    """No value at all."""

    __slots__ = ()


MISSING = Missing()


class Running:
    """The machine whose turn it is: dicts and comparisons of this process ask an instance's own __eq__ and __hash__ through it."""

    call: Callable[..., Any] | None = None


class Instance:
    __slots__ = ("cls", "vars")

    def __init__(self, cls: Class, variables: dict[str, Any] | None = None) -> None:
        self.cls = cls
        self.vars: dict[str, Any] = {} if variables is None else variables

    def __eq__(self, other: object) -> bool:
        own = self.cls.find("__eq__")
        if self is other or own is MISSING or Running.call is None:
            return self is other
        found = Running.call(own, [self, other])
        return found is not NotImplemented and bool(found)

    def __hash__(self) -> int:
        own = self.cls.find("__hash__")
        if type(self.vars.get("_data")) in (str, int) and type(own) is Function and own.module.name == "builtins":
            return hash(self.vars["_data"])
        if Running.call is None or own is MISSING:
            if own is MISSING and self.cls.find("__eq__") is not MISSING:
                raise TypeError(f"unhashable type: '{self.cls.name}'")
            return object.__hash__(self)
        return hash(Running.call(own, [self]))

    def __lt__(self, other: Any) -> bool:
        own = self.cls.find("__lt__")
        if own is MISSING or Running.call is None:
            raise TypeError(f"'<' not supported between instances of '{self.cls.name}' and '{type_name(other)}'")
        return bool(Running.call(own, [self, other]))


class Function:
    __slots__ = ("code", "defaults", "kwdefaults", "module", "name", "owner", "scope", "vars")

    def __init__(self, code: Code, defaults: list[Any], kwdefaults: dict[str, Any], scope: Scope | None, module: Module) -> None:
        self.code, self.defaults, self.kwdefaults, self.scope, self.module = code, defaults, kwdefaults, scope, module
        self.name = code.name
        self.owner: Class | None = None
        self.vars: dict[str, Any] = {}


class Bound:
    """A method together with what it is of."""

    __slots__ = ("function", "of")

    def __init__(self, function: Any, of: Any) -> None:
        self.function, self.of = function, of

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bound) and other.of is self.of and other.function == self.function

    def __hash__(self) -> int:
        return hash(id(self.of))


class Native:
    """A function of ours, by its name in the table of natives."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Native) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)


class Super:
    __slots__ = ("after", "of")

    def __init__(self, after: Class, of: Any) -> None:
        self.after, self.of = after, of


class Wrapped:
    """A property, staticmethod or classmethod: kind and functions."""

    __slots__ = ("functions", "kind")

    def __init__(self, kind: str, functions: list[Any]) -> None:
        self.kind, self.functions = kind, functions


class Generator:
    """`state`: new, waiting, running or done."""

    __slots__ = ("frame", "state")

    def __init__(self, frame: Frame) -> None:
        self.frame, self.state = frame, "new"


class Iterator:
    """Goes through a sequence; a dict's keys are those it had when it began."""

    __slots__ = ("at", "items", "of", "size")

    def __init__(self, items: Any, of: Any = None) -> None:
        self.items, self.of, self.at = items, of, 0
        self.size = -1 if of is None else len(of)


class Set:
    """A set, or with `frozen` a frozenset. Keeps the order in which members came, whatever the hash seed; of numbers, Python's own."""

    __slots__ = ("frozen", "members")

    def __init__(self, members: Any = (), frozen: bool = False) -> None:
        self.members: dict[Any, None] = dict.fromkeys(members)
        self.frozen = frozen

    def items(self) -> list[Any]:
        if self.members and all(type(one) is int for one in self.members):
            return list(set(self.members))
        return list(self.members)

    def __len__(self) -> int:
        return len(self.members)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Set) and self.members.keys() == other.members.keys()

    def __hash__(self) -> int:
        if not self.frozen:
            raise TypeError("unhashable type: 'set'")
        return hash(frozenset(self.members))

    def __lt__(self, other: Any) -> bool:
        return bool(self.members.keys() < other.members.keys())

    def __le__(self, other: Any) -> bool:
        return bool(self.members.keys() <= other.members.keys())

    def __gt__(self, other: Any) -> bool:
        return bool(self.members.keys() > other.members.keys())

    def __ge__(self, other: Any) -> bool:
        return bool(self.members.keys() >= other.members.keys())


class View:
    """dict.keys(), values() and items()."""

    __slots__ = ("kind", "of")

    def __init__(self, kind: str, of: dict[Any, Any]) -> None:
        self.kind, self.of = kind, of

    def items(self) -> list[Any]:
        return list(self.of if self.kind == "dict_keys" else self.of.values() if self.kind == "dict_values" else self.of.items())

    def __len__(self) -> int:
        return len(self.of)


class Huge:
    """Text, bytes or a list too long to be held: only its length, and the first item, are known."""

    __slots__ = ("kind", "size", "unit")

    def __init__(self, kind: str, unit: Any, size: int) -> None:
        self.kind, self.unit, self.size = kind, unit, size

    def __len__(self) -> int:
        return self.size


class Thing:
    """Anything else that is built in (a file, a socket, a match): its kind names its methods, `vars` is what it remembers."""

    __slots__ = ("kind", "vars")

    def __init__(self, kind: str, variables: dict[str, Any]) -> None:
        self.kind, self.vars = kind, variables

    def __eq__(self, other: object) -> bool:
        return self is other or (type(other) is Thing and other.kind == self.kind in VALUED and other.vars == self.vars)

    def __hash__(self) -> int:
        return hash((self.kind, *self.vars.values())) if self.kind in VALUED else object.__hash__(self)


VALUED = ("datetime.datetime", "datetime.date", "datetime.timedelta", "datetime.timezone")
"""Kinds of which two with the same content are the same dict's key."""


NAMES: dict[type, str] = {
    type(None): "NoneType", bool: "bool", int: "int", float: "float", str: "str", bytes: "bytes", bytearray: "bytearray", list: "list",
    tuple: "tuple", dict: "dict", range: "range", slice: "slice", Function: "function", Bound: "method", Native: "builtin_function_or_method",
    Class: "type", Module: "module", Generator: "generator", Iterator: "iterator", Super: "super", type(Ellipsis): "ellipsis",
    type(NotImplemented): "NotImplementedType",
}  # fmt: skip
SCALARS = (int, float, str, bytes, bool, type(None))


def type_name(value: Any) -> str:
    """The name of a value's type, as messages give it."""
    name = NAMES.get(type(value))
    if name == "generator" and value.frame.code.coroutine:
        return "coroutine"
    if name is not None:
        return "builtin_function_or_method" if name == "method" and isinstance(value.function, Native) else name
    if isinstance(value, Instance):
        return value.cls.name
    if isinstance(value, Set):
        return "frozenset" if value.frozen else "set"
    return str(value.kind) if isinstance(value, (Thing, View, Huge, Wrapped)) else "object"


class Raised(Exception):
    """A Python exception of the program on its way: `value` is its instance."""

    def __init__(self, value: Instance) -> None:
        super().__init__()
        self.value = value


class Park(Exception):
    """The call cannot go on now: it is called again when any of these may have changed. `until` is virtual milliseconds."""

    def __init__(self, until: int | None = None, fds: tuple[int, ...] = (), objs: tuple[str, ...] = (), *, child: bool = False,
                 others: bool = False) -> None:  # fmt: skip
        super().__init__()
        self.until, self.fds, self.objs, self.child, self.others = until, fds, objs, child, others


class Unknown(Exception):
    """Something that this Python does not know; the program ends with one line that says so."""


class Ended(Exception):
    """The process ends at once with this code (os._exit)."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code


class Call:
    """What a native gives back to have a function called in its stead: that call's result is its own."""

    __slots__ = ("args", "function", "kwargs")

    def __init__(self, function: Any, args: list[Any], kwargs: dict[str, Any] | None = None) -> None:
        self.function, self.args, self.kwargs = function, args, kwargs or {}
