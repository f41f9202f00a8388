"""The built-in functions and what the types make of their arguments.

Past 400 lines: it is one table of small entries."""

from __future__ import annotations

from typing import Any
from zlib import crc32

from . import operators, tracebacks
from .classes import CLASSES, problem
from .machine import SWITCH, Machine
from .operators import LONG
from .types import NATIVES, native, pairs, sorted_items
from .values import MISSING, Bound, Class, Function, Generator, Huge, Instance, Iterator, Module, Native, Set, Super, Unknown, Wrapped, type_name

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


# ---- numbers


@native("new.int")
def _int(m: Machine, value: Any = 0, base: Any = MISSING) -> Any:
    if type(value) in (str, bytes):
        if base is not MISSING:
            return int(value, base)
        return int(value)
    if type(value) in (int, float, bool):
        return int(value)
    for name in ("__int__", "__index__"):
        found = operators.special(m, value, name)
        if found is not MISSING:
            return found
    raise problem("TypeError", f"int() argument must be a string, a bytes-like object or a real number, not '{type_name(value)}'")


@native("new.float")
def _float(m: Machine, value: Any = 0.0) -> Any:
    if type(value) in (int, float, bool, str, bytes):
        return float(value)
    found = operators.special(m, value, "__float__")
    if found is not MISSING:
        return found
    raise problem("TypeError", f"float() argument must be a string or a real number, not '{type_name(value)}'")


@native("new.bool")
def _bool(m: Machine, value: Any = False) -> bool:
    return m.truth(value)


@native("builtin.abs")
def _abs(m: Machine, value: Any) -> Any:
    if type(value) in (int, float, bool):
        return abs(value)
    found = operators.special(m, value, "__abs__")
    if found is MISSING:
        raise problem("TypeError", f"bad operand type for abs(): '{type_name(value)}'")
    return found


@native("builtin.round")
def _round(m: Machine, value: Any, digits: Any = None) -> Any:
    if type(value) not in (int, float, bool):
        raise problem("TypeError", f"type {type_name(value)} doesn't define __round__ method")
    return round(value) if digits is None else round(value, max(-10_000, min(10_000, digits)))


@native("builtin.divmod")
def _divmod(m: Machine, a: Any, b: Any) -> Any:
    return (operators.binary(m, "FloorDiv", a, b), operators.binary(m, "Mod", a, b))


@native("builtin.pow")
def _pow(m: Machine, a: Any, b: Any, mod: Any = None) -> Any:
    if mod is None:
        return operators.binary(m, "Pow", a, b)
    if max(one.bit_length() for one in (a, b, mod)) > 4096:
        raise problem("MemoryError")
    m.spend(200)
    return pow(a, b, mod)


for _name, _host in (("bin", bin), ("oct", oct), ("hex", hex), ("chr", chr)):
    NATIVES[f"builtin.{_name}"] = lambda m, value, _host=_host: _host(value)


@native("builtin.ord")
def _ord(m: Machine, value: Any) -> int:
    return ord(value)


# ---- containers


@native("new.str")
def _str(m: Machine, value: Any = "", encoding: Any = None, errors: str = "strict") -> Any:
    if encoding is not None:
        return NATIVES["bytes.decode"](m, value, encoding, errors)
    return value if type(value) is Huge and value.kind == "str" else m.str(value)


@native("new.bytes", "new.bytearray")
def _bytes(m: Machine, value: Any = b"", encoding: Any = None, errors: str = "strict") -> Any:
    if type(value) is str:
        if encoding is None:
            raise problem("TypeError", "string argument without an encoding")
        return NATIVES["str.encode"](m, value, encoding, errors)
    if type(value) is int:
        m.made(value)
        return Huge("bytes", b"\0", value) if value > LONG else bytes(value)
    if type(value) is Huge:
        return Huge("bytes", b"\0", value.size)
    return value if type(value) is bytes else bytes(m.items(value))


@native("new.list")
def _list(m: Machine, value: Any = ()) -> Any:
    if type(value) is range and len(value) > LONG:
        m.made(36 * len(value))
        return Huge("list", value[0], len(value))
    items = m.items(value)
    m.made(8 * len(items) + 56)
    return list(items)


@native("new.tuple")
def _tuple(m: Machine, value: Any = ()) -> Any:
    return tuple(m.items(value))


@native("new.dict")
def _dict(m: Machine, value: Any = None, /, **kwargs: Any) -> Any:
    made: dict[Any, Any] = {}
    for name, one in pairs(m, value, kwargs):
        operators.set_item(m, made, name, one)
    return made


@native("new.set")
def _set(m: Machine, value: Any = ()) -> Any:
    return Set([operators.key(m, one) for one in m.items(value)])


@native("new.frozenset")
def _frozenset(m: Machine, value: Any = ()) -> Any:
    return Set([operators.key(m, one) for one in m.items(value)], True)


@native("new.range")
def _range(m: Machine, *args: Any) -> Any:
    for one in args:
        if type(one) not in (int, bool):
            raise problem("TypeError", f"'{type_name(one)}' object cannot be interpreted as an integer")
    made = range(*args)
    if max((abs(one) for one in args), default=0) >= 1 << 62:
        raise Unknown("a range past 2**62")
    return made


@native("new.slice")
def _slice(m: Machine, *args: Any) -> Any:
    return slice(*args)


@native("new.type")
def _type(m: Machine, value: Any, *rest: Any) -> Any:
    if rest:
        bases, variables = rest
        made = Class(value, m.bases_of(list(bases)), {"__module__": "__main__", **variables}, "object")
        return made
    return m.class_of(value)


@native("new.property")
def _property(m: Machine, getter: Any = None, setter: Any = None) -> Wrapped:
    return Wrapped("property", [getter, setter])


@native("new.staticmethod", "new.classmethod")
def _static(m: Machine, function: Any) -> Wrapped:
    return Wrapped("staticmethod", [function])


NATIVES["new.classmethod"] = lambda m, function: Wrapped("classmethod", [function])
NATIVES["functools._cached_property"] = lambda m, function: Wrapped("cached_property", [function, m.attribute(function, "__name__")])


@native("builtin.len")
def _len(m: Machine, value: Any) -> Any:
    if type(value) in (str, bytes, list, tuple, dict, range) or (hasattr(type(value), "__len__") and not isinstance(value, Instance)):
        return len(value)
    found = operators.special(m, value, "__len__")
    if found is MISSING:
        raise problem("TypeError", f"object of type '{type_name(value)}' has no len()")
    return found


@native("builtin.sorted")
def _sorted(m: Machine, value: Any, *, key: Any = None, reverse: Any = False) -> Any:
    return sorted_items(m, m.items(value), key, reverse)


@native("builtin.reversed")
def _reversed(m: Machine, value: Any) -> Any:
    found = operators.special(m, value, "__reversed__")
    return found if found is not MISSING else Iterator(list(m.items(value))[::-1])


def _extreme(m: Machine, name: str, sign: str, values: tuple[Any, ...], key: Any, default: Any) -> Any:
    items = list(values) if len(values) > 1 else list(m.items(values[0]))
    if not items:
        if default is MISSING:
            raise problem("ValueError", f"{name}() arg is an empty sequence")
        return default
    m.spend(len(items) >> 2)
    best, best_key = items[0], items[0] if key is None else m.call(key, [items[0]])
    for one in items[1:]:
        found = one if key is None else m.call(key, [one])
        if m.truth(operators.compare(m, sign, found, best_key)):
            best, best_key = one, found
    return best


@native("builtin.max")
def _max(m: Machine, *values: Any, key: Any = None, default: Any = MISSING) -> Any:
    return _extreme(m, "max", "Gt", values, key, default)


@native("builtin.min")
def _min(m: Machine, *values: Any, key: Any = None, default: Any = MISSING) -> Any:
    return _extreme(m, "min", "Lt", values, key, default)


@native("builtin.sum")
def _sum(m: Machine, values: Any, start: Any = 0) -> Any:
    if type(values) is range and type(start) is int:
        return start + len(values) * (values[0] + values[-1]) // 2 if values else start
    total = start
    for one in m.items(values):
        m.spend(1)
        total = operators.binary(m, "Add", total, one)
    return total


@native("builtin.all")
def _all(m: Machine, values: Any) -> bool:
    it = m.iterator(values)
    while (one := m.next_of(it)) is not MISSING:
        if not m.truth(one):
            return False
    return True


@native("builtin.any")
def _any(m: Machine, values: Any) -> bool:
    it = m.iterator(values)
    while (one := m.next_of(it)) is not MISSING:
        if m.truth(one):
            return True
    return False


@native("builtin.iter")
def _iter(m: Machine, value: Any, sentinel: Any = MISSING) -> Any:
    if sentinel is not MISSING:
        return m.call(m.builtins["_until"], [value, sentinel])
    return m.iterator(value)


@native("builtin.next")
def _next(m: Machine, it: Any, default: Any = MISSING) -> Any:
    if type(it) is Generator and default is MISSING:
        return NATIVES["generator.__next__"](m, it)
    found = m.next_of(it)
    if found is MISSING:
        if default is MISSING:
            raise problem("StopIteration")
        return default
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
    if type(value) is tuple:
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
