"""ControllerRevisions: the templates that StatefulSets and DaemonSets had (pkg/controller/history/controller_history.go)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..cause import Cause
from ..client import Client
from ..objects import EMPTY, Map
from .owners import Orphans, claim, controlled, reference
from .templates import template_hash

HASH = "controller-revision-hash"


def data_of(owner: Map) -> dict[str, Any]:
    """getPatch: what a revision remembers of its owner."""
    return {"spec": {"template": {**owner["spec"]["template"], "$patch": "replace"}}}


def of_owner(client: Client, owner: Map, orphans: Orphans, matches: Any) -> list[Map]:
    """An owner's revisions, oldest first, adopting those without owner that it selects."""
    uid = owner["metadata"]["uid"]
    owned = controlled(uid, client.cluster.etcd.owned(uid, "controllerrevisions"))
    found = claim(client, owner, "controllerrevisions", owned, orphans.of(owner["metadata"]["namespace"]), matches)
    return sorted(found, key=lambda one: (one["revision"], one["metadata"]["creationTimestamp"], one["metadata"]["name"]))


def ensure(client: Client, owner: Map, held: list[Map], labels: dict[str, str], collisions: int | None) -> Map:
    """The revision of the owner's present template: found, moved to the top again, or created."""
    data = data_of(owner)
    equal = [one for one in held if one["data"] == data]
    number = max((one["revision"] for one in held), default=0) + 1
    if equal and equal[-1] is held[-1]:
        return equal[-1]
    if equal:
        return client.update("controllerrevisions", {**equal[-1], "revision": number},
                             cause=Cause("revision-again", {"revision": number}))
    digest = template_hash(owner["spec"]["template"], collisions)
    metadata = {"name": f"{owner['metadata']['name']}-{digest}", "namespace": owner["metadata"]["namespace"],
                "labels": {**labels, HASH if owner["kind"] == "DaemonSet" else "controller.kubernetes.io/hash": digest},
                "annotations": dict(owner["metadata"].get("annotations") or EMPTY), "ownerReferences": [reference(owner)]}
    if not metadata["annotations"]:
        del metadata["annotations"]
    body = {"apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": metadata, "data": data, "revision": number}
    return client.create("controllerrevisions", body, metadata["namespace"], cause=Cause("revision-new", {"revision": number}))


def truncate(client: Client, held: Iterable[Map], live: Iterable[str], limit: int) -> None:
    """Delete the oldest revisions that nothing uses, beyond the limit. `live`: names in use."""
    used = set(live)
    spare = [one for one in held if one["metadata"]["name"] not in used]
    for one in spare[:max(0, len(spare) - limit)]:
        client.delete("controllerrevisions", one["metadata"]["name"], one["metadata"]["namespace"],
                      cause=Cause("revision-history", {"limit": limit}))
