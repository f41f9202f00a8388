"""Garbage collector: dependents follow their owners, in the background, before the owner (foreground), or not at all (orphan).

Source: pkg/controller/garbagecollector/garbagecollector.go, graph_builder.go. The store's index of owners is the graph.
"""

from __future__ import annotations

from typing import Any

from ..apiserver.errors import ApiError
from ..cause import Cause
from ..component import Controller
from ..etcd import OWNED, Change, key_of
from ..objects import Map

EVERY_MS = 25  # a request takes about so long, and the collector's workers share one client
FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
ABSENT_MAX = 500  # NewReferenceCache(500)
ORPHANING = "orphan "  # prefix of the keys of owners that let their dependents go


def _finalizers(obj: Map) -> Any:
    return obj["metadata"].get("finalizers") or ()


def _waits_for_dependents(obj: Map) -> bool:
    """isDeletingDependents."""
    return bool(obj["metadata"].get("deletionTimestamp")) and FOREGROUND in _finalizers(obj)


class GarbageCollector(Controller):
    name = "garbage-collector"
    latency_ms = 14

    def __init__(self, cluster: Any) -> None:
        super().__init__(cluster)
        self.state["free_at"] = 0  # ms at which the next object may be attended to
        self.state["absent"] = {}  # uids of custom objects that went and left dependents: their kind may go too

    def restore(self) -> None:
        self.cluster.etcd.subscribe("*", self._on_change, OWNED)

    def _on_change(self, change: Change) -> None:
        obj, metadata = change.object, change.object["metadata"]
        if change.type == "DELETED":
            self._enqueue_dependents(change)
            if "." in change.plural and self.cluster.etcd.owned(metadata["uid"]):
                absent = self.state.setdefault("absent", {})  # checkpoints of before have none
                absent[metadata["uid"]] = 0
                if len(absent) > ABSENT_MAX:
                    del absent[next(iter(absent))]
            for reference in metadata.get("ownerReferences") or ():
                owner = self._owner(reference, metadata.get("namespace"))
                if owner is not None and _waits_for_dependents(owner):
                    self._ask(owner, change)
            return
        if metadata.get("deletionTimestamp") and (finalizers := _finalizers(obj)):
            was = _finalizers(change.old) if change.old is not None and change.old["metadata"].get("deletionTimestamp") else ()
            if ORPHAN in finalizers and ORPHAN not in was:
                self.enqueue(f"{ORPHANING}{change.plural} {change.key}", because=change.cause)
            if FOREGROUND in finalizers and FOREGROUND not in was:
                self._enqueue_dependents(change)
                self._attend(obj, change.cause)
        references = metadata.get("ownerReferences")
        before = change.old["metadata"].get("ownerReferences") if change.old is not None else None
        if before == references:
            return
        if before:
            self._enqueue_unblocked(before, references or (), change)
        if not references:
            return
        if any(self._is_gone(reference, metadata.get("namespace")) for reference in references):
            self.enqueue(f"{change.plural} {change.key}", because=change.cause)

    def _enqueue_unblocked(self, before: Any, references: Any, change: Change) -> None:
        """addUnblockedOwnersToDeleteQueue: owners that waited for this object and need not any more."""
        blocked = {reference["uid"] for reference in references if reference.get("blockOwnerDeletion")}
        for reference in before:
            if reference.get("blockOwnerDeletion") and reference["uid"] not in blocked:
                owner = self._owner(reference, change.object["metadata"].get("namespace"))
                if owner is not None and _waits_for_dependents(owner):
                    self._ask(owner, change)

    def _enqueue_dependents(self, change: Change) -> None:
        for dependent in self.cluster.etcd.owned(change.object["metadata"]["uid"]):
            self._ask(dependent, change)

    def _ask(self, obj: Map, change: Change) -> None:
        self._attend(obj, change.cause)

    def _attend(self, obj: Map, because: int | None = None) -> None:
        """Queue an object behind the others."""
        metadata = obj["metadata"]
        key = f"{self._plural(obj)} {key_of(metadata.get('namespace'), metadata['name'])}"
        if key not in self.state["queue"]:
            at = max(self.now + self.latency_ms, self.state["free_at"])
            self.state["free_at"] = at + EVERY_MS
            self.enqueue(key, at - self.now, because=because)

    def _owner(self, reference: Map, namespace: str | None) -> Map | None:
        resource = self.cluster.server.resource_of(reference.get("apiVersion") or "", reference["kind"])
        if resource is None:
            return None
        owner = self.cluster.etcd.get(resource.plural, key_of(namespace if resource.namespaced else None, reference["name"]))
        return owner if owner is not None and owner["metadata"]["uid"] == reference["uid"] else None

    def _is_gone(self, reference: Map, namespace: str | None) -> bool:
        """Whether an owner is known not to be there. Of a kind that is not served nothing is known (a REST mapping error, tried again), but
        for owners that were seen to go (absentOwnerCache)."""
        if reference["uid"] in self.state.get("absent", ()):
            return True
        served = self.cluster.server.resource_of(reference.get("apiVersion") or "", reference["kind"]) is not None
        return served and self._owner(reference, namespace) is None

    def _plural(self, obj: Map) -> str:
        """The table of a stored object. One whose definition has just gone is in none."""
        resource = self.cluster.server.resource_of(obj["apiVersion"], obj["kind"])
        return resource.plural if resource is not None else ""

    # ---- one object at a time

    def reconcile(self, key: str) -> int | None:
        if key.startswith(ORPHANING):
            return self._orphan(*key.removeprefix(ORPHANING).split(" ", 1))
        plural, _, name = key.partition(" ")
        obj = self.cluster.etcd.get(plural, name)
        if obj is None:
            return None
        if obj["metadata"].get("deletionTimestamp"):
            if _waits_for_dependents(obj):
                self._delete_dependents(plural, obj)
            return None
        self._attempt_to_delete(plural, obj)
        return None

    def _attempt_to_delete(self, plural: str, obj: Map) -> None:
        """attemptToDeleteItem: an object lives while one of its owners does."""
        references = obj["metadata"].get("ownerReferences") or ()
        solid, dangling, waiting = self._classify(references, obj["metadata"].get("namespace"))
        if not references or (solid and not dangling and not waiting):
            return
        if solid:
            self._set_owners(plural, obj, solid, Cause("gc-dangling-reference",
                                                       {"owners": [r["name"] for r in (*dangling, *waiting)]}))
            return
        owner = (waiting or dangling)[0]
        facts = {"owner": f"{owner['kind']}/{owner['name']}"}
        finalizers = _finalizers(obj)
        dependents = self.cluster.etcd.owned(obj["metadata"]["uid"]) if waiting else ()
        if dependents:
            policy = "Foreground"
            if any(_waits_for_dependents(one) for one in dependents):
                self._unblock_owners(plural, obj, facts)
        else:
            policy = "Orphan" if ORPHAN in finalizers else "Foreground" if FOREGROUND in finalizers else "Background"
        metadata = obj["metadata"]
        self._forgiving(lambda: self.client.delete(plural, metadata["name"], metadata.get("namespace"), propagation=policy,
                                                   uid=metadata["uid"],
                                                   cause=Cause("gc-foreground" if waiting else "gc-owner-gone", facts)))

    def _unblock_owners(self, plural: str, obj: Map, facts: dict[str, Any]) -> None:
        """unblockOwnerReferencesStrategicMergePatch: owners in a circle would wait for one another, so this one's wait for it no longer."""
        references = [{**reference, "blockOwnerDeletion": False} if reference.get("blockOwnerDeletion") else reference
                      for reference in obj["metadata"]["ownerReferences"]]
        self._set_owners(plural, obj, references, Cause("gc-circle", facts))

    def _classify(self, references: Any, namespace: str | None) -> tuple[list[Map], list[Map], list[Map]]:
        solid: list[Map] = []
        dangling: list[Map] = []
        waiting: list[Map] = []
        for reference in references:
            owner = self._owner(reference, namespace)
            if owner is None:
                (dangling if self._is_gone(reference, namespace) else solid).append(reference)
            elif _waits_for_dependents(owner):
                waiting.append(reference)
            else:
                solid.append(reference)
        return solid, dangling, waiting

    def _delete_dependents(self, plural: str, owner: Map) -> None:
        """processDeletingDependentsItem: the finalizer goes when no dependent blocks any more."""
        uid = owner["metadata"]["uid"]
        blocking = [one for one in self.cluster.etcd.owned(uid)
                    if any(r["uid"] == uid and r.get("blockOwnerDeletion") for r in one["metadata"]["ownerReferences"])]
        if not blocking:
            self._drop_finalizer(plural, owner, FOREGROUND, Cause("gc-dependents-gone"))
        for dependent in blocking:
            if not dependent["metadata"].get("deletionTimestamp"):
                self._attend(dependent)

    def _orphan(self, plural: str, name: str) -> int | None:
        """attemptToOrphan: dependents lose the reference first; the owner goes when the store shows none."""
        owner = self.cluster.etcd.get(plural, name)
        if owner is None or ORPHAN not in _finalizers(owner):
            return None
        uid = owner["metadata"]["uid"]
        dependents = self.cluster.etcd.owned(uid)
        for one in dependents:
            rest = [r for r in one["metadata"]["ownerReferences"] if r["uid"] != uid]
            self._set_owners(self._plural(one), one, rest,
                             Cause("gc-orphan", {"owner": f"{owner['kind']}/{owner['metadata']['name']}"}))
        if dependents:
            return self.latency_ms
        self._drop_finalizer(plural, owner, ORPHAN, Cause("gc-orphaned"))
        return None

    def _set_owners(self, plural: str, obj: Map, references: list[Any], cause: Cause) -> None:
        metadata = obj["metadata"]
        body = {"metadata": {"uid": metadata["uid"], "ownerReferences": references or None}}
        self._forgiving(lambda: self.client.patch(plural, metadata["name"], body, metadata.get("namespace"), cause=cause))

    def _drop_finalizer(self, plural: str, obj: Map, finalizer: str, cause: Cause) -> None:
        metadata = obj["metadata"]
        rest = [name for name in _finalizers(obj) if name != finalizer]
        body = {"metadata": {"uid": metadata["uid"], "finalizers": rest or None}}
        self._forgiving(lambda: self.client.patch(plural, metadata["name"], body, metadata.get("namespace"), cause=cause))

    @staticmethod
    def _forgiving(write: Any) -> None:
        """Do a write; that the object has gone, or is another one by now, is as good."""
        try:
            write()
        except ApiError as error:
            if error.code not in (404, 409):
                raise
