"""The methods of lists, dicts and sets, each bounded in what it may make."""

from __future__ import annotations

from typing import Any

from . import operators
from .classes import problem
from .machine import Machine
from .natives import NATIVES, native
from .operators import LONG
from .values import MISSING, Bound, Call, Class, Function, Instance, Native, Set, Thing, View

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


def by_program(value: Any) -> bool:
    """Is a call of it code of the program's own?"""
    return type(value) in (Function, Instance) or (type(value) is Bound and type(value.function) is Function) or (
        type(value) is Class and value.native == "object")  # fmt: skip


def sorted_items(m: Machine, items: Any, key: Any, reverse: Any, into: Any = None) -> Any:
    """sorted(): by `key`, stable. With `into` the list that is sorted in place. What calls the program's own code is done by steps."""
    if key is not None and by_program(key):
        return Call(m.builtins["_keyed"], [Native("builtin._ordered"), list(items), key, reverse, into])
    return _ordered(m, items, items if key is None else [m.call(key, [one]) for one in items], reverse, into)


@native("builtin._ordered")
def _ordered(m: Machine, items: Any, keys: Any, reverse: Any = False, into: Any = None) -> Any:
    rows = list(items)
    m.spend(len(rows) // 2)
    m.made(8 * len(rows))
    kinds = {type(one) for one in keys}
    if Instance in kinds:
        return Call(m.builtins["_sorted_slowly"], [rows, keys, m.truth(reverse), into])
    if not (kinds <= {int, float, bool} or (len(kinds) == 1 and kinds <= {str, bytes})):
        for one in keys:
            operators.weigh(one, 2000)
        for one in keys[1:]:
            operators.compare(m, "Lt", one, keys[0])
    if Thing in kinds:
        keys = [_Ranked(m, one) for one in keys]
    order = sorted(range(len(rows)), key=lambda index: keys[index], reverse=m.truth(reverse))
    found = [rows[index] for index in order]
    if into is None:
        return found
    into[:] = found
    return None


class _Ranked:
    """A key that is a date or the like: compared by its natives."""

    def __init__(self, m: Machine, of: Any) -> None:
        self.m, self.of = m, of

    def __lt__(self, other: _Ranked) -> bool:
        return self.m.truth(operators.compare(self.m, "Lt", self.of, other.of))


@native("list.sort")
def _sort(m: Machine, value: list[Any], *, key: Any = None, reverse: Any = False) -> Any:
    return sorted_items(m, value, key, reverse, value)


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


@native("dict.__getitem__", "list.__getitem__", "str.__getitem__")
def _getitem(m: Machine, value: Any, at: Any) -> Any:
    return operators.item(m, value, at)


@native("dict.__setitem__", "list.__setitem__")
def _setitem(m: Machine, value: Any, at: Any, one: Any) -> None:
    operators.set_item(m, value, at, one)


@native("dict.__delitem__", "list.__delitem__")
def _delitem(m: Machine, value: Any, at: Any) -> None:
    operators.delete_item(m, value, at)


@native("dict.__contains__", "list.__contains__", "str.__contains__")
def _contains(m: Machine, value: Any, one: Any) -> bool:
    return operators.contains(m, value, one)


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
