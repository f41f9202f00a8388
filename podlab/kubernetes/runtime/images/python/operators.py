"""Operators on values: arithmetic with bounds on what may grow, comparison, membership, items.

What would be too long to hold becomes `Huge` (only its length is known); what would take too long is refused as MemoryError.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from .asked import Asked
from .classes import problem
from .values import MISSING, Huge, Instance, Set, Thing, Unknown, View, type_name

WIDTHS = ("center", "ljust", "rjust", "zfill")
LONG = 262_144
"""Characters, bytes or items of one value that are really held."""
HUGE_MAX = 1 << 40
"""Bytes of the longest value there can be: more than any machine here has."""
BITS_MAX = 200_000
"""Bits of one number: multiplying two of these takes some 5 ms."""
DEEP = 200_000
"""Items that one comparison or hash may look at."""

SIGNS = {"Add": "+", "Sub": "-", "Mult": "*", "Div": "/", "FloorDiv": "//", "Mod": "%", "Pow": "** or pow()", "LShift": "<<", "RShift": ">>",
         "BitOr": "|", "BitAnd": "&", "BitXor": "^", "MatMult": "@", "Lt": "<", "LtE": "<=", "Gt": ">", "GtE": ">="}  # fmt: skip
HOST: dict[str, Callable[[Any, Any], Any]] = {
    "Add": operator.add, "Sub": operator.sub, "Mult": operator.mul, "Div": operator.truediv, "FloorDiv": operator.floordiv,
    "Mod": operator.mod, "Pow": operator.pow, "LShift": operator.lshift, "RShift": operator.rshift, "BitOr": operator.or_,
    "BitAnd": operator.and_, "BitXor": operator.xor, "Eq": operator.eq, "NotEq": operator.ne, "Lt": operator.lt, "LtE": operator.le,
    "Gt": operator.gt, "GtE": operator.ge,
}  # fmt: skip
METHODS = {"Add": "add", "Sub": "sub", "Mult": "mul", "Div": "truediv", "FloorDiv": "floordiv", "Mod": "mod", "Pow": "pow", "LShift": "lshift",
           "RShift": "rshift", "BitOr": "or", "BitAnd": "and", "BitXor": "xor", "MatMult": "matmul", "Eq": "eq", "NotEq": "ne", "Lt": "lt",
           "LtE": "le", "Gt": "gt", "GtE": "ge"}  # fmt: skip
SWAPPED = {"Lt": "gt", "LtE": "ge", "Gt": "lt", "GtE": "le", "Eq": "eq", "NotEq": "ne"}
TEXTS = (str, bytes)


def too_big() -> Exception:
    return problem("MemoryError")


def weigh(value: Any, left: int = DEEP) -> int:
    """How many items of `left` remain after all that is in a value was looked at, again wherever it stands again. Raises MemoryError."""
    kind = type(value)
    if kind in (list, tuple):
        left -= len(value)
        for one in value:
            if left < 0:
                raise too_big()
            if type(one) in (list, tuple, dict, Set):
                left = weigh(one, left)
    elif kind is dict:
        left -= len(value)
        for key, one in value.items():
            if left < 0:
                raise too_big()
            if type(key) is tuple:
                left = weigh(key, left)
            if type(one) in (list, tuple, dict, Set):
                left = weigh(one, left)
    elif kind is Set:
        left = weigh(tuple(value.members), left)
    return left


def key(m: Asked, value: Any) -> Any:
    """A value that is to be a dict's key or a set's member."""
    kind = type(value)
    if kind is tuple:
        m.spend((DEEP - weigh(value)) // 8)
    elif kind is int and not -(1 << 60) < value < 1 << 60:
        m.large += 1  # such numbers can be chosen so that each meets all that are there: each costs as much
        m.spend(m.large >> 3)
    elif kind in (Huge, View):
        raise too_big()
    elif kind is slice:
        raise problem("TypeError", "unhashable type: 'slice'")
    return value


def binary(m: Asked, name: str, a: Any, b: Any) -> Any:
    """a OP b."""
    x, y = type(a), type(b)
    if x in (int, bool) and y in (int, bool):
        sizes = a.bit_length(), b.bit_length()
        if max(sizes) > BITS_MAX:
            raise too_big()
        m.spend((sizes[0] * sizes[1]) >> 22)
        if name == "Mult":
            if a.bit_length() + b.bit_length() > BITS_MAX:
                raise too_big()
        elif name == "Pow":
            if b >= 0 and a.bit_length() * b > BITS_MAX and a not in (-1, 0, 1):
                raise too_big()
        elif name == "LShift" and a and a.bit_length() + b > BITS_MAX:
            raise too_big()
        if name != "MatMult":
            return HOST[name](a, b)
    elif x in (int, float, bool) and y in (int, float, bool) and name in ("Add", "Sub", "Mult", "Div", "FloorDiv", "Mod", "Pow"):
        found = HOST[name](a, b)
        if isinstance(found, complex):
            raise Unknown("complex numbers")
        return found
    elif name == "Add" and x is y and x in (str, bytes, list, tuple):
        return _joined(m, a, b)
    elif name == "Mult" and ((x in (str, bytes, list, tuple) and y in (int, bool)) or (y in (str, bytes, list, tuple) and x in (int, bool))):
        return _repeated(m, a, b) if x not in (int, bool) else _repeated(m, b, a)
    elif name == "Mod" and x in TEXTS:
        return m.percent(a, b)
    elif x is Huge or y is Huge:
        return _of_huge(m, name, a, b)
    elif name in ("BitOr", "BitAnd", "Sub", "BitXor") and x in (Set, View) and y in (Set, View):
        m.spend((len(a) + len(b)) >> 4)
        return _of_sets(name, a, b)
    elif name == "BitOr" and x is dict and y is dict:
        m.made(64 * (len(a) + len(b)))
        return a | b
    return _asked(m, name, a, b)


def _asked(m: Asked, name: str, a: Any, b: Any) -> Any:
    method = METHODS[name]
    found = special(m, a, f"__{method}__", b)
    if found is MISSING:
        found = special(m, b, f"__r{method}__", a)
    if found is not MISSING:
        return found
    if name == "Add" and type(a) in (str, bytes, list, tuple):
        if type(a) is bytes:
            raise problem("TypeError", f"can't concat {type_name(b)} to bytes")
        raise problem("TypeError", f'can only concatenate {type_name(a)} (not "{type_name(b)}") to {type_name(a)}')
    if name == "Mult" and (type(a) in (str, bytes, list, tuple) or type(b) in (str, bytes, list, tuple)):
        other = b if type(a) in (str, bytes, list, tuple) else a
        raise problem("TypeError", f"can't multiply sequence by non-int of type '{type_name(other)}'")
    raise problem("TypeError", f"unsupported operand type(s) for {SIGNS[name]}: '{type_name(a)}' and '{type_name(b)}'")


def special(m: Asked, of: Any, method: str, *args: Any) -> Any:
    """What an instance's own (or a built-in thing's) special method says; MISSING without one, or when it says NotImplemented."""
    if type(of) is Instance:
        own = of.cls.find(method)
        if own is MISSING or own is None:
            return MISSING
        found = m.call(own, [of, *args])
    elif type(of) is Thing:
        native = m.natives.get(f"{of.kind}.{method}")
        if native is None:
            return MISSING
        found = native(m, of, *args)
    else:
        return MISSING
    return MISSING if found is NotImplemented else found


def _joined(m: Asked, a: Any, b: Any) -> Any:
    size = len(a) + len(b)
    m.made(size if type(a) in TEXTS else 8 * size)
    m.spend(min(size, LONG) >> 10)
    if size > LONG:
        return Huge(type_name(a), (a or b)[0], size)
    return a + b


def _repeated(m: Asked, text: Any, times: int) -> Any:
    size = len(text) * max(0, times)
    if size > HUGE_MAX:
        raise m.full()
    m.made(size if type(text) in TEXTS else 8 * size)
    if size > LONG:
        return Huge(type_name(text), text[0], size)
    m.spend(size >> 10)
    return text * times


def _of_huge(m: Asked, name: str, a: Any, b: Any) -> Any:
    kind = a.kind if type(a) is Huge else b.kind
    if name == "Add" and type_name(a) == type_name(b) == kind:
        size = len(a) + len(b)
        if size > HUGE_MAX:
            raise m.full()
        m.made(size)
        return Huge(kind, a.unit if type(a) is Huge else b.unit, size)
    if name == "Mult" and type(a) is Huge and type(b) is int:
        size = a.size * max(0, b)
        if size > HUGE_MAX:
            raise m.full()
        m.made(size)
        return Huge(kind, a.unit, size)
    raise Unknown(f"{kind} of more than {LONG} items, other than by their length")


def _of_sets(name: str, a: Any, b: Any) -> Any:
    left, right = (one.members if type(one) is Set else dict.fromkeys(one.items()) for one in (a, b))
    if name == "BitOr":
        found = [*left, *right]
    elif name == "BitAnd":
        found = [one for one in left if one in right]
    elif name == "Sub":
        found = [one for one in left if one not in right]
    else:
        found = [one for one in left if one not in right] + [one for one in right if one not in left]
    return Set(found, type(a) is Set and a.frozen)


def binary_in_place(m: Asked, name: str, a: Any, b: Any) -> Any:
    """a OP= b: lists, sets and dicts change themselves."""
    if type(a) is list and name == "Add":
        items = m.items(b)
        if len(a) + len(items) > LONG:
            raise m.full()
        m.made(8 * len(items))
        a.extend(items)
        return a
    if type(a) is dict and name == "BitOr" and type(b) is dict:
        a.update(b)
        return a
    if type(a) is Set and not a.frozen and type(b) is Set and name in ("BitOr", "BitAnd", "Sub", "BitXor"):
        a.members = _of_sets(name, a, b).members
        return a
    if type(a) is Instance:
        found = special(m, a, f"__i{METHODS[name]}__", b)
        if found is not MISSING:
            return found
    return binary(m, name, a, b)


def compare(m: Asked, name: str, a: Any, b: Any) -> Any:
    """a OP b for comparisons, identity and membership."""
    if name == "Is":
        return a is b or (type(a) is type(b) and type(a) in (int, str, bytes, bool) and a == b)
    if name == "IsNot":
        return not compare(m, "Is", a, b)
    if name == "In":
        return contains(m, b, a)
    if name == "NotIn":
        return not contains(m, b, a)
    x, y = type(a), type(b)
    if x in (int, float, bool, str, bytes) and y in (int, float, bool, str, bytes):
        if name in ("Eq", "NotEq") or ((x in TEXTS) == (y in TEXTS) and not (x in TEXTS and x is not y)):
            return HOST[name](a, b)
    if x is Instance or y is Instance or x is Thing or y is Thing:
        found = special(m, a, f"__{METHODS[name]}__", b)
        if found is MISSING:
            found = special(m, b, f"__{SWAPPED[name]}__", a)
        if found is MISSING and name == "NotEq":
            found = special(m, a, "__eq__", b)
            found = found if found is MISSING else not m.truth(found)
        if found is not MISSING:
            return found
        if name in ("Eq", "NotEq"):
            return (a is b) == (name == "Eq")
    elif name in ("Eq", "NotEq"):
        if x in (list, tuple, dict) and x is y:
            m.spend((DEEP - min(weigh(a), weigh(b))) // 16)
        if x is Huge or y is Huge:
            return (type_name(a) == type_name(b) and len(a) == len(b)) == (name == "Eq")
        return HOST[name](a, b)
    elif x is y and x in (list, tuple, Set):
        m.spend((DEEP - min(weigh(a), weigh(b))) // 16)
        try:
            return HOST[name](a, b)
        except TypeError as error:
            raise problem("TypeError", str(error)) from None
    raise problem("TypeError", f"'{SIGNS[name]}' not supported between instances of '{type_name(a)}' and '{type_name(b)}'")


def contains(m: Asked, of: Any, one: Any) -> bool:
    kind = type(of)
    if kind is str:
        if type(one) is not str:
            raise problem("TypeError", f"'in <string>' requires string as left operand, not {type_name(one)}")
        m.spend(len(of) >> 10)
        return one in of
    if kind is dict:
        return key(m, one) in of
    if kind is Set:
        return key(m, one) in of.members
    if kind is View and of.kind == "dict_keys":
        return key(m, one) in of.of
    if kind is range:  # a float would be looked for number by number
        return (type(one) in (int, bool) or (type(one) is float and one.is_integer())) and int(one) in of
    if kind is bytes:
        return bool(one in of)
    if kind in (list, tuple):
        m.spend(len(of) >> 5)
        if type(one) in (list, tuple, dict):
            weigh(of, DEEP)
        return one in of
    if kind is Huge:
        return bool(one == of.unit)
    found = special(m, of, "__contains__", one)
    if found is not MISSING:
        return m.truth(found)
    return one in m.items(of)


def unary(m: Asked, name: str, value: Any) -> Any:
    if name == "Not":
        return not m.truth(value)
    if type(value) in (int, bool) or (type(value) is float and name != "Invert"):
        return -value if name == "USub" else +value if name == "UAdd" else ~int(value)
    found = special(m, value, {"USub": "__neg__", "UAdd": "__pos__", "Invert": "__invert__"}[name])
    if found is not MISSING:
        return found
    sign = {"USub": "-", "UAdd": "+", "Invert": "~"}[name]
    raise problem("TypeError", f"bad operand type for unary {sign}: '{type_name(value)}'")


def item(m: Asked, of: Any, at: Any) -> Any:
    """of[at]."""
    kind = type(of)
    if kind is dict:
        try:
            return of[key(m, at)]
        except KeyError:
            raise problem("KeyError", at) from None
    if kind in (list, tuple, str, bytes, range):
        if type(at) not in (int, bool, slice):
            at = _index(m, of, at)
        if type(at) is slice:
            m.made(len(of))
            if not all(one is None or type(one) in (int, bool) for one in (at.start, at.stop, at.step)):
                raise problem("TypeError", "slice indices must be integers or None or have an __index__ method")
            m.spend(len(of) >> 4)
        return of[at]
    if kind is Huge:
        if type(at) is slice:
            size = len(range(*at.indices(of.size)))
            return Huge(of.kind, of.unit, size) if size > LONG else ([of.unit] * size if of.kind == "list" else of.unit * size)
        return of.unit
    found = special(m, of, "__getitem__", at)
    if found is not MISSING:
        return found
    from_class = m.class_item(of, at)
    if from_class is not MISSING:
        return from_class
    raise problem("TypeError", f"'{type_name(of)}' object is not subscriptable")


def _index(m: Asked, of: Any, at: Any) -> int:
    found = special(m, at, "__index__")
    if type(found) is int:
        return found
    name = {"str": "string"}.get(type_name(of), type_name(of))
    if type(of) is bytes:
        name = "byte"
    tail = f", not '{type_name(at)}'" if type(of) is str else f", not {type_name(at)}"
    raise problem("TypeError", f"string indices must be integers{tail}" if type(of) is str else f"{name} indices must be integers or slices{tail}")


def set_item(m: Asked, of: Any, at: Any, value: Any) -> None:
    if type(of) is dict:
        name = key(m, at)
        if len(of) >= LONG and name not in of:
            raise m.full()
        m.made(100)
        of[name] = value
    elif type(of) is list:
        if type(at) is slice:
            items = m.items(value)
            if len(of) + len(items) > LONG:
                raise m.full()
            of[at] = items
            return
        try:
            of[at if type(at) in (int, bool) else _index(m, of, at)] = value
        except IndexError:
            raise problem("IndexError", "list assignment index out of range") from None
    elif special(m, of, "__setitem__", at, value) is MISSING and not m.has(of, "__setitem__"):
        raise problem("TypeError", f"'{type_name(of)}' object does not support item assignment")


def delete_item(m: Asked, of: Any, at: Any) -> None:
    if type(of) is dict:
        try:
            del of[key(m, at)]
        except KeyError:
            raise problem("KeyError", at) from None
    elif type(of) is list:
        try:
            del of[at if type(at) in (int, bool, slice) else _index(m, of, at)]
        except IndexError:
            raise problem("IndexError", "list assignment index out of range") from None
    elif special(m, of, "__delitem__", at) is MISSING and not m.has(of, "__delitem__"):
        raise problem("TypeError", f"'{type_name(of)}' object doesn't support item deletion")
