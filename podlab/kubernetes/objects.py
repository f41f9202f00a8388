"""Immutable API objects: JSON values that cannot be changed once stored, and share what they have in common.

A stored object is a `Map` (a dict) of strings, numbers, booleans, None, `Map` and `List` values. It reads and
serialises like the plain thing, and every attempt to change it raises `TypeError`, so no reader can harm the store.
To change one, either build a new dict that reuses unchanged parts (`{**pod, "status": status}`, or `replace`) and
`freeze` it, which costs only the parts that are new, or `thaw` it into an ordinary deep copy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from operator import is_
from typing import Any, TypeVar

Json = Any
T = TypeVar("T")


def _refuse(self: Any, *args: Any, **kwargs: Any) -> Any:
    raise TypeError("API objects are immutable: build a new one, or thaw() a copy")


class Map(dict[str, Any]):
    """A frozen dict. `notes` is scratch for memoised facts about it (see `memo`), never part of its value."""

    __slots__ = ("notes",)
    notes: dict[str, Any]

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = __ior__ = _refuse

    def __copy__(self) -> Map:
        return self

    def __deepcopy__(self, _: dict[int, Any]) -> Map:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return freeze, (dict(self),)

    __hash__ = object.__hash__  # type: ignore[assignment]


class Stored(Map):
    """An object as the store holds it. `owned` says who owns its fields (apiserver/ownership/records.py); it is no part of its value."""

    __slots__ = ("owned",)
    owned: Any


class List(list[Any]):
    """A frozen list."""

    __slots__ = ()

    __setitem__ = __delitem__ = append = extend = insert = pop = remove = clear = sort = reverse = _refuse
    __iadd__ = __imul__ = _refuse

    def __copy__(self) -> List:
        return self

    def __deepcopy__(self, _: dict[int, Any]) -> List:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return freeze, (list(self),)

    __hash__ = object.__hash__  # type: ignore[assignment]


EMPTY = Map()
EMPTY_LIST = List()


_OPEN = frozenset((dict, list, tuple))
_put = dict.__setitem__  # into a Map that nobody else has seen yet
SHARED_LENGTH = 8  # longer ones (a Pod's spec, a node's status) are hardly ever alike
_SLOTS = 1 << 14
_shared: list[Any] = [((), None)] * _SLOTS  # frozen parts that were met twice, by their hash: (their own parts, they)
_met: list[int] = [0] * _SLOTS  # hashes met once


def freeze(value: Json) -> Json:
    """The frozen form of a JSON value; parts already frozen are shared, not copied, and so are small ones that are often alike."""
    kind = type(value)
    if kind is dict:
        if not _OPEN.isdisjoint(map(type, value.values())):
            value = {key: freeze(item) if type(item) in _OPEN else item for key, item in value.items()}
        return _share(Map, value, (*value, *value.values())) if 0 < len(value) <= SHARED_LENGTH else Map(value) or EMPTY
    if kind is list or kind is tuple:
        row = [freeze(item) if type(item) in _OPEN else item for item in value]
        return _share(List, row, (*row,)) if 0 < len(row) <= SHARED_LENGTH else List(row) or EMPTY_LIST
    return value


def stored(obj: dict[str, Any], owned: Any, revision: int | None = None) -> Stored:
    """The frozen form of a whole object, for the store; with the resourceVersion of a `revision`."""
    made = Stored(obj)
    for key, item in obj.items():
        if key == "metadata" and revision is not None:
            metadata = Map(item)
            if type(item) is not Map:
                for name, part in item.items():
                    if type(part) in _OPEN:
                        _put(metadata, name, freeze(part))
            _put(metadata, "resourceVersion", str(revision))
            _put(made, key, metadata)
        elif type(item) in _OPEN:
            _put(made, key, freeze(item))
    made.owned = owned
    return made


def _share(kind: type[Map] | type[List], value: Json, parts: tuple[Any, ...]) -> Json:
    """The one frozen Map or List (`kind`) that stands for all that are equal to `value`, once it was met twice. Its `parts` (keys, values)
    are frozen and shared before it, so the marks of equal ones agree. Only memory depends on what is found here, never a value."""
    mark = hash(parts)
    slot = mark % _SLOTS
    known, found = _shared[slot]
    # hardly any differ that are found here, and hardly any part is equal without being the same one
    if len(known) == len(parts) and type(found) is kind and (all(map(is_, parts, known)) or _alike(known, parts)):
        return found
    made = kind(value)
    if _met[slot] == mark:
        _shared[slot] = parts, made
    else:
        _met[slot] = mark
    return made


def _alike(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Whether the parts of two Maps or Lists, of one number, are equal and written alike: 1 == True == 1.0. Parts that are frozen must be
    the same ones."""
    for a, b in zip(one, other):  # noqa: B905  (of one length)
        if a is not b:
            kind = type(a)
            if kind is not type(b) or a != b or kind is Map or kind is List or kind is float:
                return False
    return True


def pack(obj: Map) -> Packed:
    """A frozen object in about a third of its room, for those that are kept in numbers and seldom read: its shape (shared by all that
    have the same members) and then the values of the object and of the Maps in it."""
    values: list[Any] = []
    shape = _take_apart(obj, values)
    return (_shapes.setdefault(shape, shape), *values)


def unpack(packed: Packed) -> Map:
    """The object of `pack`, equal to the byte."""
    values = iter(packed)
    return _put_together(next(values), values)


Packed = tuple[Any, ...]
_shapes: dict[Any, Any] = {}  # kinds of Events that differ in their members: a few dozen


def _take_apart(obj: Map, values: list[Any]) -> Packed:
    shape: list[Any] = []
    for key, item in obj.items():
        if type(item) is Map and len(item) > 2:
            shape.append((key, _take_apart(item, values)))
        else:
            shape.append(key)
            values.append(item)
    return tuple(shape)


def _put_together(shape: Packed, values: Iterator[Any]) -> Map:
    return Map({key if type(key) is str else key[0]: next(values) if type(key) is str else _put_together(key[1], values) for key in shape})


def thaw(value: Json) -> Json:
    """An ordinary, deep, mutable copy of a JSON value."""
    if isinstance(value, dict):
        return {key: thaw(item) if isinstance(item, (dict, list)) else item for key, item in value.items()}
    if isinstance(value, list):
        return [thaw(item) if isinstance(item, (dict, list)) else item for item in value]
    return value


def replace(obj: Mapping[str, Any], path: str, value: Json) -> dict[str, Any]:
    """A copy of `obj` with the member at a dotted `path` set; untouched branches are shared. Missing maps are made."""
    head, _, rest = path.partition(".")
    return {**obj, head: replace(obj.get(head) or {}, rest, value) if rest else value}


def without(obj: Mapping[str, Any], path: str) -> dict[str, Any]:
    """A copy of `obj` without the member at a dotted `path`; untouched branches are shared."""
    head, _, rest = path.partition(".")
    if head not in obj:
        return dict(obj)
    if rest:
        return {**obj, head: without(obj[head], rest)}
    return {key: item for key, item in obj.items() if key != head}


def dig(obj: Any, path: str, default: Any = None) -> Any:
    """The member at a dotted path, or `default` where any step is missing or None. Numbers index lists."""
    for step in path.split("."):
        if isinstance(obj, dict):
            obj = obj.get(step)
        elif isinstance(obj, list) and step.isdigit() and int(step) < len(obj):
            obj = obj[int(step)]
        else:
            return default
        if obj is None:
            return default
    return obj


def memo(obj: Map, key: str, compute: Callable[[Map], T]) -> T:
    """`compute(obj)`, remembered on the frozen object itself: facts about an object live exactly as long as it does.

    Only for functions of the object alone (not of the time, not of other objects), which return immutable values.
    """
    try:
        known: T = obj.notes[key]
        return known
    except AttributeError:
        obj.notes = {}
    except KeyError:
        pass
    found = obj.notes[key] = compute(obj)
    return found
