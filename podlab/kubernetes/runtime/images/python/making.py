"""What the types make of their arguments, int(...) to dict(...), and the built-in functions of numbers and containers."""

from __future__ import annotations

from typing import Any

from . import operators
from .classes import problem
from .containers import by_program, pairs, sorted_items
from .machine import Machine
from .natives import NATIVES, native
from .operators import LONG
from .values import MISSING, Call, Class, Generator, Huge, Instance, Iterator, Native, Set, Unknown, Wrapped, type_name

ITEMS_MAX = 100_000  # that any and all look at

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
    if key is not None and by_program(key):
        return Call(m.builtins["_keyed"], [Native("builtin._best"), items, key, sign])
    return _best(m, items, items if key is None else [m.call(key, [one]) for one in items], sign)


@native("builtin._best")
def _best(m: Machine, items: list[Any], keys: list[Any], sign: str) -> Any:
    m.spend(len(items) >> 2)
    best, best_key = items[0], keys[0]
    for one, found in zip(items[1:], keys[1:], strict=True):
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
    return 0 not in values if type(values) is range else not _meets(m, values, wanted=False)


@native("builtin.any")
def _any(m: Machine, values: Any) -> bool:
    return any(values[:2]) if type(values) is range else _meets(m, values, wanted=True)


def _meets(m: Machine, values: Any, *, wanted: bool) -> bool:
    """Whether one of the values is true, or false. What never ends is given up: nothing else runs meanwhile."""
    it = m.iterator(values)
    for _ in range(ITEMS_MAX):
        one = m.next_of(it)
        if one is MISSING:
            return False
        m.spend(1)
        if m.truth(one) is wanted:
            return True
    raise Unknown(f"more than {ITEMS_MAX:,} items in any(...) or all(...)")


@native("builtin.iter")
def _iter(m: Machine, value: Any, sentinel: Any = MISSING) -> Any:
    if sentinel is not MISSING:
        return m.call(m.builtins["_until"], [value, sentinel])
    return m.iterator(value)


@native("builtin.next")
def _next(m: Machine, it: Any, default: Any = MISSING) -> Any:
    if type(it) is Generator and default is MISSING:
        return NATIVES["generator.__next__"](m, it)
    if type(it) in (Generator, Instance):
        if default is not MISSING:
            return Call(m.builtins["_next_or"], [it, default])
        if (own := m.special_method(it, "__next__")) is not MISSING:
            return Call(own, [])
    found = m.next_of(it)
    if found is MISSING:
        if default is MISSING:
            raise problem("StopIteration")
        return default
    return found
