"""How large an object may become, whoever makes it grow and however little at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import ETCD_REQUEST_MAX, too_large_for_etcd
from .ownership.managers import Entries

# Names and values of one object. A write of it works on each of them several times, and 0.2 s is what others can wait; the largest that
# people really apply, Argo CD's definition of ApplicationSets, has some 50,000.
VALUES_MAX = 80_000
ENTRY_BYTES = 150  # of one of metadata.managedFields, but for its set


def check(obj: Mapping[str, Any], owned: Entries | None) -> int:
    """The number of names and values of an object that is about to be stored, with who owns its fields (None: whom it had, and the writer).

    Raises ApiError 500 as etcd does for one of too many bytes, and here also for one of too many values, which no real one is.
    """
    size = sum(ENTRY_BYTES + len(one.owned) for one in owned or ())
    count, todo = 0, [obj]
    while todo:
        one: Any = todo.pop()
        if isinstance(one, str):
            size += len(one) if one.isascii() else len(one.encode("utf-8", "surrogatepass"))
            continue
        if isinstance(one, Mapping):
            count += 2 * len(one)
            todo.extend(one)
            todo.extend(one.values())
        elif isinstance(one, list | tuple):
            count += len(one)
            todo.extend(one)
        if count > VALUES_MAX:
            break
    if count > VALUES_MAX or size > ETCD_REQUEST_MAX:
        raise too_large_for_etcd()
    return count
