"""Who owns what: owner references, adoption and release (pkg/controller/controller_ref_manager.go), and an index of orphans."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..apiserver.errors import ApiError
from ..cause import Cause
from ..client import Client
from ..component import Controller
from ..etcd import UNCONTROLLED, Change, Etcd, controller_uid
from ..objects import Map, memo


def reference(owner: Map) -> dict[str, Any]:
    """metav1.NewControllerRef."""
    metadata = owner["metadata"]
    return {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": metadata["name"], "uid": metadata["uid"],
            "controller": True, "blockOwnerDeletion": True}


def controller_of(obj: Map) -> Map | None:
    """The reference to the owner that controls an object."""
    found: Map | None = next((r for r in obj["metadata"].get("ownerReferences") or () if r.get("controller")), None)
    return found


class Orphans:
    """Objects of one kind that no owner controls, by namespace. Made anew in `restore`, since it follows from the store."""

    def __init__(self, etcd: Etcd, plural: str) -> None:
        self._etcd, self._plural = etcd, plural
        self._keys: dict[str, dict[str, None]] = {}
        for obj in etcd.list(plural):
            self._note(obj["metadata"].get("namespace", ""), f"{obj['metadata'].get('namespace', '')}/{obj['metadata']['name']}",
                       obj)
        etcd.subscribe(plural, self._on_change, UNCONTROLLED)

    def _on_change(self, change: Change) -> None:
        self._note(change.object["metadata"].get("namespace", ""), change.key, change.object if change.type != "DELETED"
                   else None)

    def _note(self, namespace: str, key: str, obj: Map | None) -> None:
        if obj is not None and controller_uid(obj) is None:
            self._keys.setdefault(namespace, {})[key] = None
        elif namespace in self._keys:
            self._keys[namespace].pop(key, None)

    def of(self, namespace: str) -> list[Map]:
        """In key order."""
        found = (self._etcd.get(self._plural, key) for key in sorted(self._keys.get(namespace, ())))
        return [obj for obj in found if obj is not None]


def claim(client: Client, owner: Map, plural: str, owned: Iterable[Map], orphans: Iterable[Map],
          matches: Callable[[Map], bool]) -> list[Map]:
    """What an owner holds: its own objects that it still selects, and orphans that it adopts (ClaimObject). Others it lets go."""
    held, deleting = [], owner["metadata"].get("deletionTimestamp")
    for obj in owned:
        if matches(obj):
            held.append(obj)
        elif not deleting:
            _release(client, owner, plural, obj)
    if not deleting:
        for obj in orphans:
            if matches(obj) and not obj["metadata"].get("deletionTimestamp") and (adopted := _adopt(client, owner, plural, obj)):
                held.append(adopted)
    return held


def controlled(uid: str, objects: Iterable[Map]) -> list[Map]:
    """Those of an owner's dependents that it controls."""
    return [obj for obj in objects if memo(obj, "controller", controller_uid) == uid]


def _adopt(client: Client, owner: Map, plural: str, obj: Map) -> Map | None:
    references = [*(obj["metadata"].get("ownerReferences") or ()), reference(owner)]
    return _write(client, plural, obj, references, Cause("adopt", {"owner": f"{owner['kind']}/{owner['metadata']['name']}"}))


def _release(client: Client, owner: Map, plural: str, obj: Map) -> None:
    references = [r for r in obj["metadata"].get("ownerReferences") or () if r["uid"] != owner["metadata"]["uid"]]
    _write(client, plural, obj, references, Cause("release", {"owner": f"{owner['kind']}/{owner['metadata']['name']}"}))


def _write(client: Client, plural: str, obj: Map, references: list[Any], cause: Cause) -> Map | None:
    metadata = obj["metadata"]
    try:
        return client.patch(plural, metadata["name"],
                            {"metadata": {"uid": metadata["uid"], "ownerReferences": references or None}},
                            metadata.get("namespace"), cause=cause)
    except ApiError as error:
        if error.code == 404:
            return None
        raise


def selecting(plural: str, matches: Callable[[Map, Map], bool]) -> Callable[[Controller, Change], Iterable[str]]:
    """Keys of the owners of a kind that would adopt an object that has no controller now."""
    def keys(controller: Controller, change: Change) -> Iterable[str]:
        obj = change.object
        if change.type == "DELETED" or controller_uid(obj) is not None:
            return ()
        namespace = obj["metadata"].get("namespace")
        return [f"{namespace}/{owner['metadata']['name']}" for owner in controller.cluster.etcd.list(plural, namespace)
                if matches(owner, obj)]
    return keys


def several(*functions: Callable[[Controller, Change], Iterable[str]]) -> Callable[[Controller, Change], Iterable[str]]:
    """The keys of all of them, each once."""
    def keys(controller: Controller, change: Change) -> Iterable[str]:
        found = [key for function in functions for key in function(controller, change)]
        return dict.fromkeys(found) if len(found) > 1 else found
    return keys
