"""What a watcher is told: where it begins, what a change in the store means to it (apiserver/pkg/storage/etcd3/watcher.go), bookmarks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ... import selectors
from ...etcd import Change
from ..customresources.conversion import in_version
from ..errors import ApiError, bad_request, gone
from ..server import ApiServer
from . import listing, shapes
from .addresses import Target
from .call import Call, dumps

Picks = Callable[[Any], bool]
LONGEST = 3000  # seconds of a watch that names no end: between minRequestTimeout and twice that, as the server has it
INITIAL_END = {"k8s.io/initial-events-end": "true"}


def beginning(call: Call) -> tuple[bool, bool, int]:
    """(whether all that there is comes first, whether a bookmark ends it, the version that the client knows or 0). Raises ApiError."""
    initial, wanted = call.one("sendInitialEvents"), listing.version(call.one("resourceVersion"))
    if initial and call.one("resourceVersionMatch") != "NotOlderThan":
        raise ApiError(422, "Invalid", 'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires '
                       "setting resourceVersionMatch to NotOlderThan")
    return call.flag("sendInitialEvents") or (not initial and wanted == 0), bool(initial), wanted


def seconds(call: Call) -> int:
    """How long a watch may last. Raises ApiError 400."""
    return min(call.number("timeoutSeconds") or LONGEST, 24 * 3600)


def text(kind: str, obj: Any) -> bytes:
    """One event as a line."""
    return dumps({"type": kind, "object": obj})


def bookmark(target: Target, shape: shapes.Shape, revision: int, annotations: dict[str, str] | None = None) -> bytes:
    metadata: dict[str, Any] = {"resourceVersion": str(revision), "creationTimestamp": None}
    if annotations:
        metadata["annotations"] = annotations
    if shape.kind == shapes.TABLE:
        return text("BOOKMARK", {"kind": "Table", "apiVersion": f"meta.k8s.io/{shape.version}", "metadata": metadata,
                                 "columnDefinitions": None, "rows": []})
    obj = {"kind": target.resource.kind, "apiVersion": target.resource.api_version, "metadata": metadata}
    return text("BOOKMARK", shapes.partial(obj, shape) if shape.kind else obj)


def expired(wanted: int, revision: int) -> bytes:
    return text("ERROR", gone(f"too old resource version: {wanted} ({revision})").status())


def picks_of(options: dict[str, str], target: Target) -> Picks:
    """Whether an object is among those that are watched. Raises ApiError 400."""
    tests: list[Picks] = []
    try:
        if text := options.get("labelSelector"):
            wanted = selectors.parse(text)
            tests.append(lambda obj: selectors.matches(wanted, obj["metadata"].get("labels") or {}))
        if text := options.get("fieldSelector"):
            picked = selectors.field_matcher(text, ApiServer.field)
            tests.append(lambda obj: picked(in_version(target.resource, obj) if target.resource.custom is not None else obj))
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
