"""The methods of built-in types: a closed table, "type.method" to a function of (machine, value, arguments).

Past 400 lines: it is one table of small entries, a heading for each type."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from . import operators
from .classes import problem
from .machine import SWITCH, Machine
from .operators import LONG, WIDTHS
from .values import MISSING, Class, Generator, Huge, Instance, Iterator, Set, View, Wrapped, type_name

CODECS = ("utf-8", "utf8", "ascii", "us-ascii", "latin-1", "latin1", "iso-8859-1", "utf-16", "utf-32", "cp1252", "euc-kr", "cp949")
NATIVES: dict[str, Callable[..., Any]] = {}


def native(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Puts a function into the table."""

    def put(function: Callable[..., Any]) -> Callable[..., Any]:
        for name in names:
            NATIVES[name] = function
        return function

    return put


# ---- text and bytes: Python's own methods, where what they make is bounded

PLAIN = (
    "capitalize", "casefold", "count", "endswith", "find", "index", "isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "isidentifier",
    "islower", "isnumeric", "isprintable", "isspace", "istitle", "isupper", "lower", "lstrip", "partition", "removeprefix", "removesuffix", "rfind",
    "rindex", "rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip", "swapcase", "title", "upper", "center",
    "ljust", "rjust", "zfill", "replace", "expandtabs",
)  # fmt: skip


def _text_method(kind: type, name: str) -> Callable[..., Any]:
    host = getattr(kind, name)

    def method(m: Machine, value: Any, /, *args: Any, **kwargs: Any) -> Any:
        for one in (*args, *kwargs.values()):
            if type(one) not in (str, bytes, int, bool, type(None), tuple):
                raise problem("TypeError", f"a {kind.__name__}-like object is required, not '{type_name(one)}'" if kind is bytes else
                              f"{name}() argument must be str, not {type_name(one)}")  # fmt: skip
        if name in WIDTHS and args and type(args[0]) is int and args[0] > LONG:
            raise m.full()
        if name == "expandtabs" and value.count("\t" if kind is str else b"\t") * (args[0] if args else 8) > LONG:
            raise m.full()
        if name == "replace" and len(args) > 1 and len(value) + value.count(args[0]) * len(args[1]) > LONG:
            raise m.full()
        m.spend(1 + (len(value) >> 9))
        found = host(value, *args, **kwargs)
        m.made(len(found) * (50 if type(found) is list else 1) if type(found) in (str, bytes, list) else 8)
        return found

    return method


for _kind in (str, bytes):
    for _name in PLAIN:
        if hasattr(_kind, _name):
            NATIVES[f"{_kind.__name__}.{_name}"] = _text_method(_kind, _name)


@native("str.join", "bytes.join")
def _join(m: Machine, value: Any, parts: Any) -> Any:
    items = m.items(parts, "can only join an iterable")
    size = 0
    for index, one in enumerate(items):
        if type(one) is not type(value):
            raise problem("TypeError", f"sequence item {index}: expected {type_name(value)} instance, {type_name(one)} found")
        size += len(one) + len(value)
    if size > LONG:
        raise m.full()
    m.made(size)
    m.spend(size >> 9)
    return value.join(items)


@native("str.encode")
def _encode(m: Machine, value: str, encoding: str = "utf-8", errors: str = "strict") -> bytes:
    m.made(len(value))
    return value.encode(_codec(encoding), errors)


@native("bytes.decode")
def _decode(m: Machine, value: bytes, encoding: str = "utf-8", errors: str = "strict") -> str:
    m.made(len(value))
    return value.decode(_codec(encoding), errors)


def _codec(name: str) -> str:
    if name.lower().replace("_", "-") not in CODECS:
        raise problem("LookupError", f"unknown encoding: {name}")
    return name


@native("bytes.hex")
def _hex(m: Machine, value: bytes) -> str:
    return value.hex()


@native("class bytes.fromhex")
def _from_hex(m: Machine, text: str) -> bytes:
    return bytes.fromhex(text)


@native("str.format")
def _format(m: Machine, text: str, /, *args: Any, **kwargs: Any) -> str:
    out: list[str] = []
    count = numbered = 0

    def field(found: re.Match[str]) -> str:
        nonlocal count, numbered
        whole = found[0]
        if whole in ("{{", "}}"):
            return whole[0]
        name, _, spec = whole[1:-1].partition(":")
        name, _, conversion = name.partition("!")
        at = min((index for index, char in enumerate(name) if char in ".["), default=len(name))
        head, rest = name[:at], name[at:]
        if head == "" or head.isdigit():
            if numbered and numbered != (head != "") + 1:
                ways = ("automatic field numbering", "manual field specification")
                raise problem("ValueError", f"cannot switch from {ways[head == '']} to {ways[head != '']}")
            numbered = (head != "") + 1
        if head == "":
            head = str(count)
            count += 1
        if head.isdigit():
            if int(head) >= len(args):
                raise problem("IndexError", f"Replacement index {head} out of range for positional args tuple")
            value = args[int(head)]
        elif head in kwargs:
            value = kwargs[head]
        else:
            raise problem("KeyError", head)
        for step in re.findall(r"\.(\w+)|\[([^\]]*)\]", rest):
            value = m.attribute(value, step[0]) if step[0] else operators.item(m, value, int(step[1]) if step[1].isdigit() else step[1])
        if "{" in spec:
            spec = re.sub(r"\{[^{}]*\}", field, spec)
        value = m.repr(value) if conversion == "r" else m.str(value) if conversion == "s" else value
        return m.format(value, spec)

    size = 0
    at = 0
    for found in re.finditer(r"\{\{|\}\}|\{(?:[^{}]|\{[^{}]*\})*\}", text):
        piece = text[at : found.start()] + field(found)
        size += len(piece)
        if size > LONG:
            raise m.full()
        out.append(piece)
        at = found.end()
    m.made(size)
    return "".join(out) + text[at:]


@native("str.format_map")
def _format_map(m: Machine, text: str, values: Any) -> Any:
    return _format(m, text, **values)


@native("class str.maketrans")
def _maketrans(m: Machine, one: Any, two: Any = None, three: Any = None) -> Any:
    return str.maketrans(one) if two is None else str.maketrans(one, two) if three is None else str.maketrans(one, two, three)


@native("str.translate")
def _translate(m: Machine, value: str, table: Any) -> str:
    if type(table) is not dict or any(type(one) is str and len(one) > 10 for one in table.values()):
        raise m.full()
    return value.translate(table)


# ---- numbers


@native("int.bit_length")
def _bit_length(m: Machine, value: int) -> int:
    return value.bit_length()


@native("int.to_bytes")
def _to_bytes(m: Machine, value: int, length: int = 1, byteorder: str = "big", *, signed: bool = False) -> bytes:
    if length > LONG:
        raise m.full()
    return value.to_bytes(length, "little" if byteorder == "little" else "big", signed=signed)


@native("class int.from_bytes")
def _from_bytes(m: Machine, data: bytes, byteorder: str = "big", *, signed: bool = False) -> int:
    return int.from_bytes(data[:20_000], "little" if byteorder == "little" else "big", signed=signed)


@native("float.is_integer", "int.is_integer")
def _is_integer(m: Machine, value: float) -> bool:
    return float(value).is_integer()


# ---- lists


def _grow(m: Machine, value: list[Any], more: int) -> None:
    if len(value) + more > LONG:
        raise m.full()
    m.made(40 * more)


@native("list.append")
def _append(m: Machine, value: list[Any], one: Any) -> None:
    _grow(m, value, 1)
    value.append(one)


@native("list.extend")
def _extend(m: Machine, value: list[Any], more: Any) -> None:
    items = m.items(more)
    _grow(m, value, len(items))
    value.extend(items)


@native("list.insert")
def _insert(m: Machine, value: list[Any], at: int, one: Any) -> None:
    _grow(m, value, 1)
    m.spend(len(value) >> 8)
    value.insert(at, one)


@native("list.pop")
def _pop(m: Machine, value: list[Any], at: int = -1) -> Any:
    if not value:
        raise problem("IndexError", "pop from empty list")
    m.spend((len(value) >> 8) if at != -1 else 0)
    return value.pop(at)


@native("list.remove")
def _remove(m: Machine, value: list[Any], one: Any) -> None:
    for index, each in enumerate(value):
        m.spend(index & 1)
        if m.truth(operators.compare(m, "Eq", each, one)):
            del value[index]
            return
    raise problem("ValueError", "list.remove(x): x not in list")


@native("list.clear", "dict.clear")
def _clear(m: Machine, value: Any) -> None:
    value.clear()


@native("list.copy", "dict.copy")
def _copy(m: Machine, value: Any) -> Any:
    m.made(8 * len(value))
    return value.copy()


@native("list.reverse")
def _reverse(m: Machine, value: list[Any]) -> None:
    value.reverse()


@native("list.index", "tuple.index")
def _index(m: Machine, value: Any, one: Any, start: int = 0) -> int:
    m.spend(len(value) >> 4)
    for index in range(start, len(value)):
        if m.truth(operators.compare(m, "Eq", value[index], one)):
            return index
    raise problem("ValueError", f"{m.repr(one)} is not in list" if type(value) is list else "tuple.index(x): x not in tuple")


@native("list.count", "tuple.count")
def _count(m: Machine, value: Any, one: Any) -> int:
    m.spend(len(value) >> 3)
    return sum(1 for each in value if m.truth(operators.compare(m, "Eq", each, one)))


def sorted_items(m: Machine, items: Any, key: Any = None, reverse: Any = False) -> list[Any]:
    """sorted(): by `key`, stable."""
    rows = list(items)
    m.spend(len(rows) // 2)
    m.made(8 * len(rows))
    keys = rows if key is None else [m.call(key, [one]) for one in rows]
    kinds = {type(one) for one in keys}
    if not (kinds <= {int, float, bool} or (len(kinds) == 1 and kinds <= {str, bytes})):
        for one in keys:
            operators.weigh(one, 2000)
        for one in keys[1:]:
            operators.compare(m, "Lt", one, keys[0])
    order = sorted(range(len(rows)), key=lambda index: keys[index], reverse=m.truth(reverse))
    return [rows[index] for index in order]


@native("list.sort")
def _sort(m: Machine, value: list[Any], *, key: Any = None, reverse: Any = False) -> None:
    value[:] = sorted_items(m, value, key, reverse)


# ---- dicts


@native("dict.get")
def _get(m: Machine, value: dict[Any, Any], name: Any, default: Any = None) -> Any:
    return value.get(operators.key(m, name), default)


@native("dict.pop")
def _dict_pop(m: Machine, value: dict[Any, Any], name: Any, default: Any = MISSING) -> Any:
    if default is MISSING and operators.key(m, name) not in value:
        raise problem("KeyError", name)
    return value.pop(operators.key(m, name), default)


@native("dict.popitem")
def _popitem(m: Machine, value: dict[Any, Any]) -> Any:
    if not value:
        raise problem("KeyError", "popitem(): dictionary is empty")
    return value.popitem()


@native("dict.setdefault")
def _setdefault(m: Machine, value: dict[Any, Any], name: Any, default: Any = None) -> Any:
    if operators.key(m, name) not in value:
        operators.set_item(m, value, name, default)
    return value[name]


@native("dict.update")
def _update(m: Machine, value: dict[Any, Any], more: Any = None, /, **kwargs: Any) -> None:
    for name, one in pairs(m, more, kwargs):
        operators.set_item(m, value, name, one)


def pairs(m: Machine, more: Any, kwargs: dict[str, Any]) -> list[tuple[Any, Any]]:
    """What dict(...) and update(...) take."""
    if more is None:
        found: list[tuple[Any, Any]] = []
    elif type(more) is dict:
        found = list(more.items())
    elif type(more) is Instance and m.has(more, "keys"):
        found = [(one, operators.item(m, more, one)) for one in m.items(m.call(m.attribute(more, "keys"), []))]
    else:
        found = []
        for index, one in enumerate(m.items(more)):
            both = m.items(one, f"cannot convert dictionary update sequence element #{index} to a sequence")
            if len(both) != 2:
                raise problem("ValueError", f"dictionary update sequence element #{index} has length {len(both)}; 2 is required")
            found.append((both[0], both[1]))
    return [*found, *kwargs.items()]


@native("dict.keys")
def _keys(m: Machine, value: dict[Any, Any]) -> View:
    return View("dict_keys", value)


@native("dict.values")
def _values(m: Machine, value: dict[Any, Any]) -> View:
    return View("dict_values", value)


@native("dict.items")
def _items(m: Machine, value: dict[Any, Any]) -> View:
    return View("dict_items", value)


@native("class dict.fromkeys")
def _fromkeys(m: Machine, names: Any, value: Any = None) -> dict[Any, Any]:
    return {operators.key(m, one): value for one in m.items(names)}


# ---- sets


def _changing(name: str, sign: str) -> None:
    def method(m: Machine, value: Set, *others: Any) -> Set:
        found = value
        for one in others:
            found = operators.binary(m, sign, found, one if type(one) is Set else Set([operators.key(m, each) for each in m.items(one)]))
        return Set(found.members, value.frozen)

    NATIVES[f"set.{name}"] = NATIVES[f"frozenset.{name}"] = method


for _name, _sign in (("union", "BitOr"), ("intersection", "BitAnd"), ("difference", "Sub"), ("symmetric_difference", "BitXor")):
    _changing(_name, _sign)


@native("set.copy", "frozenset.copy")
def _set_copy(m: Machine, value: Set) -> Set:
    return Set(value.members, value.frozen)


@native("set.add")
def _add(m: Machine, value: Set, one: Any) -> None:
    if len(value) >= LONG:
        raise m.full()
    m.made(64)
    value.members[operators.key(m, one)] = None


@native("set.discard")
def _discard(m: Machine, value: Set, one: Any) -> None:
    value.members.pop(operators.key(m, one), None)


@native("set.remove")
def _set_remove(m: Machine, value: Set, one: Any) -> None:
    if operators.key(m, one) not in value.members:
        raise problem("KeyError", one)
    del value.members[one]


@native("set.pop")
def _set_pop(m: Machine, value: Set) -> Any:
    if not value.members:
        raise problem("KeyError", "pop from an empty set")
    one = value.items()[0]
    del value.members[one]
    return one


@native("set.clear")
def _set_clear(m: Machine, value: Set) -> None:
    value.members.clear()


@native("set.update")
def _set_update(m: Machine, value: Set, *others: Any) -> None:
    for other in others:
        for one in m.items(other):
            _add(m, value, one)


@native("set.issubset", "frozenset.issubset")
def _issubset(m: Machine, value: Set, other: Any) -> bool:
    return all(operators.contains(m, other, one) for one in value.members)


@native("set.issuperset", "frozenset.issuperset")
def _issuperset(m: Machine, value: Set, other: Any) -> bool:
    return all(one in value.members for one in m.items(other))


@native("set.isdisjoint", "frozenset.isdisjoint")
def _isdisjoint(m: Machine, value: Set, other: Any) -> bool:
    return not any(operators.key(m, one) in value.members for one in m.items(other))


# ---- generators, properties, exceptions, objects


@native("generator.__next__")
def _generator_next(m: Machine, value: Generator) -> Any:
    frame = m.current.frames[-1]
    _drop_call(frame)
    m.resume(value, "next")
    return SWITCH


def _drop_call(frame: Any) -> None:
    """The call that is going on leaves the stack: a generator's value takes its place."""
    if not frame.code.steps:
        frame.stack.clear()
        return
    step, arg = frame.code.steps[frame.pc - 1]
    if step.__name__ == "call":
        del frame.stack[len(frame.stack) - arg[0] - len(arg[1]) - 1 :]
    else:
        del frame.stack[-3:]


@native("generator.send")
def _send(m: Machine, value: Generator, one: Any) -> Any:
    frame = m.current.frames[-1]
    _drop_call(frame)
    m.resume(value, "next", sent=one)
    return SWITCH


@native("generator.throw")
def _throw(m: Machine, value: Generator, error: Any, second: Any = None, third: Any = None) -> Any:
    error = second if second is not None else error
    made = m.call(error, []) if isinstance(error, Class) else error
    frame = m.current.frames[-1]
    _drop_call(frame)
    if value.state in ("new", "done"):
        value.state = "done"
        m.raise_again(made)
    m.resume(value, "next")
    value.frame.stack.pop()
    m.unwind(m.current, made)
    return SWITCH


@native("generator.close")
def _close(m: Machine, value: Generator) -> None:
    if value.state == "waiting" and value.frame.blocks:
        try:
            m.call(m.builtins["_throw_exit"], [value])
        finally:
            value.state = "done"
    value.state = "done"


@native("generator.__iter__", "iterator.__iter__")
def _self(m: Machine, value: Any) -> Any:
    return value


@native("iterator.__next__")
def _iterator_next(m: Machine, value: Iterator) -> Any:
    found = m.next_of(value)
    if found is MISSING:
        raise problem("StopIteration")
    return found


@native("property.setter")
def _setter(m: Machine, value: Wrapped, function: Any) -> Wrapped:
    return Wrapped("property", [value.functions[0], function])


@native("exception.with_traceback", "exception.add_note")
def _noted(m: Machine, value: Instance, other: Any = None) -> Instance:
    return value


@native("exception.__init__")
def _exception_init(m: Machine, value: Instance, *args: Any, **kwargs: Any) -> None:
    value.vars["args"] = tuple(args)
    m.os_details(value, list(args))


@native("exception.__str__")
def _exception_str(m: Machine, value: Instance) -> str:
    return m.exception_text(value)


@native("object.__init__", "object.__init_subclass__")
def _object_init(m: Machine, value: Any, *args: Any, **kwargs: Any) -> None:
    """object's does nothing."""


@native("object.__setattr__")
def _object_setattr(m: Machine, value: Any, name: str, one: Any) -> None:
    value.vars[name] = one


@native("class object.__new__")
def _object_new(m: Machine, cls: Class, *args: Any, **kwargs: Any) -> Instance:
    return Instance(cls, {"args": tuple(args)} if cls.native == "exception" else None)


@native("object.__repr__", "object.__str__")
def _object_repr(m: Machine, value: Any) -> str:
    return f"<{value.cls.vars.get('__module__', '__main__')}.{value.cls.name} object at {m.address(value)}>"


@native("object.__eq__")
def _object_eq(m: Machine, value: Any, other: Any) -> Any:
    return value is other or NotImplemented


@native("object.__hash__")
def _object_hash(m: Machine, value: Any) -> int:
    return m.number_of(value)


@native("list.__len__", "dict.__len__", "str.__len__", "tuple.__len__")
def _length(m: Machine, value: Any) -> int:
    return len(value)


def size_of(m: Machine, value: Any) -> int:
    """sys.getsizeof, as far as sizes matter."""
    return len(value) + 49 if type(value) in (str, Huge) else 56 + 8 * len(value) if hasattr(value, "__len__") else 28
