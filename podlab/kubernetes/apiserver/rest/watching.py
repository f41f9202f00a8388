"""What a watcher is told: where it begins, what a change in the store means to it (apiserver/pkg/storage/etcd3/watcher.go), bookmarks."""

from __future__ import annotations

from typing import Any

from ...etcd import Change
from ..errors import gone
from ..ownership import records
from . import listing, options, shapes
from .addresses import Target
from .call import Call, dumps

LONGEST = 3000  # seconds of a watch that names no end: between minRequestTimeout and twice that, as the server has it
INITIAL_END = {"k8s.io/initial-events-end": "true"}


def beginning(call: Call) -> tuple[bool, bool, int]:
    """(whether all that there is comes first, whether a bookmark ends it, the version that the client knows or 0). Raises ApiError."""
    options.check_watch(call)
    initial, wanted = call.one("sendInitialEvents"), listing.version(call.one("resourceVersion"))
    return call.flag("sendInitialEvents") or (not initial and wanted == 0), bool(initial), wanted


def seconds(call: Call) -> int:
    """How long a watch may last. Raises ApiError 400."""
    return min(call.number("timeoutSeconds") or LONGEST, 24 * 3600)


def text(kind: str, obj: Any) -> bytes:
    """One event as a line."""
    return dumps({"type": kind, "object": obj})


def bookmark(target: Target, shape: shapes.Shape, revision: int, annotations: dict[str, str] | None = None) -> bytes:
    metadata: dict[str, Any] = {"resourceVersion": str(revision)}
    if annotations:
        metadata["annotations"] = annotations
    if shape.kind == shapes.TABLE:
        return text("BOOKMARK", {"kind": "Table", "apiVersion": f"meta.k8s.io/{shape.version}", "metadata": metadata,
                                 "columnDefinitions": None, "rows": []})
    obj = {"kind": target.resource.kind, "apiVersion": target.resource.api_version, "metadata": metadata}
    return text("BOOKMARK", shapes.partial(obj, shape) if shape.kind else obj)


def expired(wanted: int, revision: int) -> bytes:
    return text("ERROR", gone(f"too old resource version: {wanted} ({revision})").status())


def event(change: Change, target: Target, picks: listing.Picks) -> tuple[str, Any] | None:
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
        seen = records.shown(change.old)
        last = {**seen, "metadata": {**seen["metadata"], "resourceVersion": change.object["metadata"]["resourceVersion"]}}
    return "DELETED", last
