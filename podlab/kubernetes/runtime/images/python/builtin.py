"""The names that every program has, and the built-in functions that ask what a value is."""

from __future__ import annotations

from typing import Any
from zlib import crc32

from . import operators, tracebacks
from .classes import CLASSES, problem
from .frames import SWITCH
from .machine import Machine
from .natives import NATIVES, native
from .values import MISSING, VALUED, Bound, Class, Function, Instance, Module, Native, Super, Thing, Unknown, type_name

FUNCTIONS = ("abs", "all", "any", "ascii", "bin", "callable", "chr", "delattr", "dir", "divmod", "format", "getattr", "globals", "hasattr", "hash",
             "hex", "id",
             "input", "isinstance", "issubclass", "iter", "len", "locals", "max", "min", "next", "oct", "open", "ord", "pow", "print", "repr",
             "reversed", "round", "setattr", "sorted", "sum", "vars", "super", "__import__", "exit", "quit", "eval", "exec", "compile",
             "memoryview", "breakpoint", "_wait", "_take")  # fmt: skip


def builtins() -> dict[str, Any]:
    """The names that every program has, before the library's own (library/builtins.py.txt)."""
    found: dict[str, Any] = {name: Native(f"builtin.{name}") for name in FUNCTIONS if f"builtin.{name}" in NATIVES}
    found.update({name: cls for name, cls in CLASSES.items() if name not in ("NoneType", "function", "method", "module", "generator",
                                                                              "builtin_function_or_method")})  # fmt: skip
    found.update({"NotImplemented": NotImplemented, "Ellipsis": Ellipsis, "__debug__": True, "IOError": CLASSES["OSError"],
                  "EnvironmentError": CLASSES["OSError"]})  # fmt: skip
    return found


# ---- objects


@native("builtin.repr", "builtin.ascii")
def _repr(m: Machine, value: Any) -> str:
    return m.repr(value)


@native("builtin.format")
def _format(m: Machine, value: Any, spec: str = "") -> str:
    return m.format(value, spec)


@native("builtin.id")
def _id(m: Machine, value: Any) -> int:
    return 0x7F3A5C0D0000 + 48 * m.number_of(value)


@native("builtin.hash")
def _hash(m: Machine, value: Any) -> int:
    value = operators.key(m, value)
    if type(value) in (str, bytes):
        return crc32(value.encode("utf-8", "surrogatepass") if type(value) is str else value) * 2654435761 % (1 << 61)
    if type(value) in (list, dict):
        raise problem("TypeError", f"unhashable type: '{type_name(value)}'")
    if type(value) is tuple or (type(value) is Thing and value.kind in VALUED):
        return crc32(m.repr(value).encode("utf-8", "surrogatepass")) * 2654435761 % (1 << 61)
    if type(value) in (int, float, bool, type(None)) or (type(value) is Instance and m.has(value, "__hash__")):
        return hash(value)
    return m.number_of(value)


@native("builtin.super")
def _super(m: Machine, cls: Any = None, of: Any = None) -> Super:
    if not isinstance(cls, Class):
        raise problem("RuntimeError", "super(): no arguments")
    return Super(cls, of)


@native("builtin.callable")
def _callable(m: Machine, value: Any) -> bool:
    return isinstance(value, (Function, Native, Bound, Class)) or m.special_method(value, "__call__") is not MISSING


def is_instance(m: Machine, value: Any, kinds: Any) -> bool:
    if type(kinds) is tuple:
        return any(is_instance(m, value, one) for one in kinds)
    if not isinstance(kinds, Class):
        if type(kinds) is Native:
            return type_name(value) == kinds.name.rpartition(".")[2]
        raise problem("TypeError", "isinstance() arg 2 must be a type, a tuple of types, or a union")
    return m.class_of(value).is_a(kinds)


@native("builtin.isinstance")
def _isinstance(m: Machine, value: Any, kinds: Any) -> bool:
    return is_instance(m, value, kinds)


@native("builtin.issubclass")
def _issubclass(m: Machine, cls: Any, kinds: Any) -> bool:
    if not isinstance(cls, Class):
        raise problem("TypeError", "issubclass() arg 1 must be a class")
    return any(cls.is_a(one) for one in (kinds if type(kinds) is tuple else (kinds,)))


@native("builtin.getattr")
def _getattr(m: Machine, value: Any, name: Any, default: Any = MISSING) -> Any:
    if type(name) is not str:
        raise problem("TypeError", f"attribute name must be string, not '{type_name(name)}'")
    found = m.find_attribute(value, name)
    if found is MISSING:
        return m.attribute(value, name) if default is MISSING else default
    return found


@native("builtin.hasattr")
def _hasattr(m: Machine, value: Any, name: str) -> bool:
    return m.has(value, name)


@native("builtin.setattr")
def _setattr(m: Machine, value: Any, name: str, one: Any) -> None:
    m.set_attribute(value, name, one)


@native("builtin.delattr")
def _delattr(m: Machine, value: Any, name: str) -> None:
    m.attribute(value, name)
    if isinstance(value, (Instance, Class)):
        value.vars.pop(name, None)


@native("builtin.vars")
def _vars(m: Machine, value: Any = MISSING) -> Any:
    if value is MISSING:
        return m.current.frames[-1].scope.vars
    return m.attribute(value, "__dict__")


@native("builtin.globals")
def _globals(m: Machine) -> Any:
    return m.current.frames[-1].module.vars


@native("builtin.locals")
def _locals(m: Machine) -> Any:
    return {name: one for name, one in m.current.frames[-1].scope.vars.items() if not name.startswith(".")}


@native("builtin.dir")
def _dir(m: Machine, value: Any = MISSING) -> Any:
    if value is MISSING:
        return sorted(name for name in m.current.frames[-1].scope.vars if not name.startswith("."))
    names = dict.fromkeys(value.vars if isinstance(value, (Instance, Class, Module)) else ())
    for cls in (m.class_of(value) if not isinstance(value, Class) else value).mro:
        names.update(dict.fromkeys(cls.vars))
        names.update({one[len(cls.native) + 1 :]: None for one in NATIVES if one.startswith(f"{cls.native}.")})
    return sorted(names)


@native("builtin.exit", "builtin.quit")
def _exit(m: Machine, code: Any = None) -> None:
    raise problem("SystemExit", *([] if code is None else [code]))


@native("builtin.eval", "builtin.exec", "builtin.compile", "builtin.memoryview", "builtin.breakpoint")
def _evaluate(m: Machine, *args: Any, **kwargs: Any) -> None:
    raise Unknown("eval, exec, compile, memoryview and breakpoint")


@native("builtin.__import__")
def _import(m: Machine, name: str, *args: Any, **kwargs: Any) -> Any:
    frame = m.current.frames[-1]
    if name not in m.modules:
        m.imported(frame, name, False)
        return SWITCH
    return m.modules[name.split(".")[0]]


@native("collections._named")
def _named(m: Machine, cls: Class, name: str) -> Class:
    cls.name = name
    return cls


@native("datetime._kind")
def _kind(m: Machine, name: str) -> Class:
    """The class of a built-in thing."""
    return m.kinds.setdefault(name, Class(name, [CLASSES["object"]], {}, name))


@native("traceback._told")
def _told(m: Machine, value: Any) -> str:
    return tracebacks.told(m, value) if isinstance(value, Instance) else "NoneType: None\n"


@native("traceback._last")
def _last(m: Machine, value: Any) -> str:
    return tracebacks.last_line(m, value)
