"""Immutable API objects: JSON values that cannot be changed once stored, and share what they have in common.

A stored object is a `Map` (a dict) of strings, numbers, booleans, None, `Map` and `List` values. It reads and
serialises like the plain thing, and every attempt to change it raises `TypeError`, so no reader can harm the store.
To change one, either build a new dict that reuses unchanged parts (`{**pod, "status": status}`, or `replace`) and
`freeze` it, which costs only the parts that are new, or `thaw` it into an ordinary deep copy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

Json = Any
T = TypeVar("T")


def _refuse(self: Any, *args: Any, **kwargs: Any) -> Any:
    raise TypeError("API objects are immutable: build a new one, or thaw() a copy")


class Map(dict[str, Any]):
    """A frozen dict. `notes` is scratch for memoised facts about it (see `memo`), never part of its value."""

    __slots__ = ("notes",)

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = __ior__ = _refuse  # type: ignore[assignment]

    def __copy__(self) -> Map:
        return self

    def __deepcopy__(self, _: dict[int, Any]) -> Map:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return freeze, (dict(self),)

    def __hash__(self) -> int:  # type: ignore[override]
        return id(self)


class List(list[Any]):
    """A frozen list."""

    __slots__ = ()

    __setitem__ = __delitem__ = append = extend = insert = pop = remove = clear = sort = reverse = _refuse  # type: ignore[assignment]
    __iadd__ = __imul__ = _refuse  # type: ignore[assignment]

    def __copy__(self) -> List:
        return self

    def __deepcopy__(self, _: dict[int, Any]) -> List:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return freeze, (list(self),)


EMPTY = Map()
EMPTY_LIST = List()


def freeze(value: Json) -> Json:
    """The frozen form of a JSON value; parts already frozen are shared, not copied."""
    kind = type(value)
    if kind is dict:
        return Map({key: freeze(item) if isinstance(item, (dict, list, tuple)) else item for key, item in value.items()})
    if kind is list or kind is tuple:
        return List([freeze(item) if isinstance(item, (dict, list, tuple)) else item for item in value])
    return value


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
        notes: dict[str, Any] = obj.notes
    except AttributeError:
        notes = obj.notes = {}
    if key not in notes:
        notes[key] = compute(obj)
    return notes[key]  # type: ignore[no-any-return]
