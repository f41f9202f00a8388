"""What a change in the store means to a watcher (apiserver/pkg/storage/etcd3/watcher.go, transform)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ... import selectors
from ...etcd import Change
from ..errors import bad_request
from ..server import ApiServer
from .addresses import Target

Picks = Callable[[Any], bool]


def picks_of(options: dict[str, str], target: Target) -> Picks:
    """Whether an object is among those that are watched. Raises ApiError 400."""
    tests: list[Picks] = []
    try:
        if text := options.get("labelSelector"):
            wanted = selectors.parse(text)
            tests.append(lambda obj: selectors.matches(wanted, obj["metadata"].get("labels") or {}))
        if text := options.get("fieldSelector"):
            tests.append(selectors.field_matcher(text, ApiServer.field))
    except selectors.SelectorError as error:
        raise bad_request(str(error)) from None
    if target.name:
        tests.append(lambda obj: obj["metadata"]["name"] == target.name)
    return lambda obj: all(test(obj) for test in tests)


def event(change: Change, target: Target, picks: Picks) -> tuple[str, Any] | None:
    """(ADDED, MODIFIED or DELETED, object) for whoever watches what `picks` picks; None for what is not theirs."""
    if change.plural != target.resource.plural or (target.namespace and not change.key.startswith(target.namespace + "/")):
        return None
    now = change.type != "DELETED" and picks(change.object)
    before = change.old is not None and picks(change.old)
    if now:
        return "MODIFIED" if before else "ADDED", change.object
    if not before:
        return None
    last: Any = change.object
    if change.type != "DELETED" and change.old is not None:  # it left the selection: the client sees it go as it last saw it
        metadata = change.object["metadata"]
        last = {**change.old, "metadata": {**change.old["metadata"], "resourceVersion": metadata["resourceVersion"]}}
    return "DELETED", last
