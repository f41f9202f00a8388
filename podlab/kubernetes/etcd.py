"""The store: every object at its latest revision, a short history for watchers, and indices that readers need.

One revision a write, strictly rising. Objects go in frozen and come out as they are, so a listing costs no copy.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from sys import intern
from typing import Any, NamedTuple

from .apiserver.ownership import records
from .objects import EMPTY, Map, freeze, pack, stored, unpack

# A real etcd keeps 5 minutes (DefaultCompactInterval). Here by count, and `compact` drops what is older than a watcher may be behind:
# one that falls further back gets 410 and lists again.
HISTORY = 1000
HISTORY_MS = 10_000
HEAVY = 1_000_000  # names and values of objects that people wrote again: of more than these history keeps no older forms (some 100 MB)
PACKED = "events"  # by far the most objects, and seldom read: kept packed


ENDED = frozenset({"Succeeded", "Failed"})  # phases of Pods that do not run any more


@dataclass(slots=True)
class Change:
    """One write. `type` is ADDED, MODIFIED or DELETED; a DELETED object carries the revision of its deletion. `status_only`: the object's
    spec and metadata are the very ones that it had (only its revision is another), as after most writes of the cluster's components."""

    revision: int
    at: int
    type: str
    plural: str
    key: str
    object: Map
    old: Map | None
    cause: int
    status_only: bool = False


Subscriber = Callable[[Change], None]


class Heed(NamedTuple):
    """What a subscriber looks at, so that it is not told of what it would ignore: `sort` names a change's class, once for all
    subscribers that sort alike, and `wants` says whether the subscriber is to hear of a class."""

    sort: Callable[[Change], str]
    wants: Callable[[str], bool]


def course(change: Change) -> str:
    """Sorts changes by what they are in an object's life: its last as DELETED, its first as ADDED where somebody controls it, else as ADDED_LOOSE
    or (nobody owns it) ADDED_ALONE, "owners" when its owners changed or it is on its way out, "ended" for the status of a Pod that has ended (or
    had), "status" for one of anything else, "changed" for the rest."""
    old, new = change.old, change.object
    if change.status_only and old is not None:
        ended = change.plural == "pods" and (new["status"].get("phase") in ENDED or (old.get("status") or EMPTY).get("phase") in ENDED)
        return "ended" if ended else "status"
    if change.type == "MODIFIED" and old is not None:
        before, after = old["metadata"], new["metadata"]
        return "owners" if after.get("deletionTimestamp") or before.get("ownerReferences") != after.get("ownerReferences") else "changed"
    if change.type == "DELETED":
        return "DELETED"
    return "ADDED_ALONE" if not new["metadata"].get("ownerReferences") else "ADDED" if controller_uid(new) is not None else "ADDED_LOOSE"


BORN, GONE = Heed(course, frozenset({"ADDED", "ADDED_LOOSE", "ADDED_ALONE"}).__contains__), Heed(course, "DELETED".__eq__)
OWNED = Heed(course, frozenset({"ADDED", "ADDED_LOOSE", "owners", "DELETED"}).__contains__)  # for whoever follows the owners
UNCONTROLLED = Heed(course, frozenset({"ADDED_LOOSE", "ADDED_ALONE", "owners", "DELETED"}).__contains__)  # and whoever knows what has none
RESHAPED = Heed(course, frozenset({"ADDED", "ADDED_LOOSE", "ADDED_ALONE", "owners", "changed", "DELETED"}).__contains__)  # all but statuses
RESHAPED_OR_ENDED = Heed(course, "status".__ne__)  # and the statuses of Pods that have ended
CLASSES_MAX = 256  # combinations of classes whose listeners are remembered: of Pods, one a node and kind of owner


Maps = list[Map]  # inside the class, `list` is a method
Names = list[str]


def key_of(namespace: str | None, name: str) -> str:
    return intern(f"{namespace}/{name}") if namespace else name  # many remember it


def key_of_object(obj: Mapping[str, Any]) -> str:
    metadata = obj["metadata"]
    return key_of(metadata.get("namespace"), metadata["name"])


def controller_uid(obj: Map) -> str | None:
    """UID of the owner that controls an object (metav1.GetControllerOf)."""
    for reference in obj["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            return str(reference["uid"])
    return None


def controller_kind(obj: Map) -> str:
    """Kind of the owner that controls an object; "" without one."""
    for reference in obj["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            return str(reference["kind"])
    return ""


class Etcd:
    def __init__(self) -> None:
        self.revision = 0
        self.compacted = 0  # watches may start from here on
        self.shed = 0  # what is older was dropped for its weight: nobody else should keep it either
        self._weight = 0
        self._tables: dict[str, dict[str, Any]] = {}  # key -> Map, or a packed one
        self._sorted: dict[tuple[str, str], list[str]] = {}  # (plural, namespace or "") -> keys in order
        self._owned: dict[str, dict[tuple[str, str], None]] = {}  # owner uid -> (plural, key)
        self._on_node: dict[str, dict[str, None]] = {}  # node name -> pod keys
        self._subscribers: dict[str, list[tuple[Subscriber, Heed | None]]] = {}
        self._sorts: dict[str, tuple[Callable[[Change], str], ...]] = {}  # plural -> what its subscribers sort by
        self._routes: dict[tuple[str, ...], tuple[Subscriber, ...]] = {}  # (plural, classes) -> whom to tell
        self.history: deque[Change] = deque(maxlen=HISTORY)

    # ---- reading

    def get(self, plural: str, key: str) -> Map | None:
        table = self._tables.get(plural)
        if table is None:
            return None
        found = table.get(key)
        return unpack(found) if found is not None and plural == PACKED else found

    def list(self, plural: str, namespace: str | None = None) -> Maps:
        """Objects in key order, as etcd lists them."""
        table = self._tables.get(plural)
        if not table:
            return []
        scope = (plural, namespace or "")
        keys = self._sorted.get(scope)
        if keys is None:
            prefix = f"{namespace}/" if namespace else ""
            keys = self._sorted[scope] = sorted(key for key in table if key.startswith(prefix))
        return [unpack(table[key]) for key in keys] if plural == PACKED else [table[key] for key in keys]

    def count(self, plural: str) -> int:
        return len(self._tables.get(plural, ()))

    def total(self) -> int:
        return sum(map(len, self._tables.values()))

    def plurals(self) -> Names:
        return sorted(plural for plural, table in self._tables.items() if table)

    def owned(self, uid: str, plural: str | None = None) -> Maps:
        """Objects that name `uid` among their owners, in order of kind and key."""
        held = self._owned.get(uid, ())
        if plural is None:
            return [self._stored(kind, key) for kind, key in sorted(held)]
        table, keys = self._tables.get(plural, {}), sorted([key for kind, key in held if kind == plural])
        return [unpack(table[key]) for key in keys] if plural == PACKED else [table[key] for key in keys]

    def _stored(self, plural: str, key: str) -> Map:
        found = self._tables[plural][key]
        return unpack(found) if plural == PACKED else found

    def pods_on(self, node: str) -> Maps:
        table = self._tables.get("pods", {})
        return [table[key] for key in sorted(self._on_node.get(node, ()))]

    def since(self, revision: int) -> Iterator[Change]:
        """Changes after a revision, oldest first. Check `compacted` before."""
        return (change for change in self.history if change.revision > revision)

    def weigh(self, values: int) -> None:
        """Somebody writes an object of so many names and values again: each older form is kept by history as long as it lasts."""
        self._weight += values
        if self._weight > HEAVY:
            self._weight, self.shed = 0, self.revision
            self._drop(lambda change: True)

    def compact(self, now: int) -> None:
        """Drop history that no watcher should need any more. Whoever drives the clock calls it now and then."""
        self._drop(lambda change: change.at < now - HISTORY_MS)

    def _drop(self, old: Callable[[Change], bool]) -> None:
        while self.history and old(self.history[0]):
            change = self.history.popleft()
            self.compacted = change.revision
            if change.plural != PACKED and change.key in self._tables.get(change.plural, ()):
                records.settle(change.object)  # its notes keep older objects alive

    # ---- writing: only the API server does

    def put(self, plural: str, key: str, obj: dict[str, Any], at: int, cause: int, owned: Any = None) -> Map:
        """Store an object (ADDED or MODIFIED) with a new resourceVersion, and tell the subscribers. `key`: its `key_of_object`; `owned`:
        see ownership/records.py."""
        self.revision += 1
        new = stored(obj, owned, self.revision)
        table = self._tables.setdefault(plural, {})
        old = self.get(plural, key)
        table[key] = pack(new) if plural == PACKED else new
        if old is None:
            self._forget_order(plural, new)
            self._index(plural, key, None, new)
            self._tell(Change(self.revision, at, "ADDED", plural, key, new, None, cause))
            return new
        status_only = obj["metadata"] is old["metadata"] and "status" in obj and obj.get("spec") is old.get("spec")
        if not status_only:
            self._index(plural, key, old, new)
        self._tell(Change(self.revision, at, "MODIFIED", plural, key, new, old, cause, status_only))
        return new

    def remove(self, plural: str, key: str, at: int, cause: int) -> Map:
        self.revision += 1
        old = self._stored(plural, key)
        del self._tables[plural][key]
        last = stored(old, records.note(old, None, at), self.revision)
        self._forget_order(plural, old)
        self._index(plural, key, old, None)
        self._tell(Change(self.revision, at, "DELETED", plural, key, last, old, cause))
        return last

    def subscribe(self, plural: str, subscriber: Subscriber, heed: Heed | None = None) -> None:
        """Be told of every change of a kind ("*": of all), or of those that are heeded, at once, in the order of revisions.
        Subscribers only take notes."""
        self._subscribers.setdefault(plural, []).append((subscriber, heed))
        self._sorts.clear()
        self._routes.clear()

    def _tell(self, change: Change) -> None:
        if len(self.history) == HISTORY:
            self.compacted = self.history[0].revision
        self.history.append(change)
        sorts = self._sorts.get(change.plural)
        if sorts is None:
            sorts = self._sorts[change.plural] = tuple(dict.fromkeys(heed.sort for _, heed in self._told_of(change.plural) if heed))
        classes = (change.plural, *[sort(change) for sort in sorts])
        try:
            listeners = self._routes[classes]
        except KeyError:
            listeners = self._route(classes, sorts)
        for subscriber in listeners:
            subscriber(change)

    def _route(self, classes: tuple[str, ...], sorts: tuple[Callable[[Change], str], ...]) -> tuple[Subscriber, ...]:
        """Whom to tell of the changes of some classes, worked out once."""
        if len(self._routes) >= CLASSES_MAX:
            self._routes.clear()
        named = dict(zip(sorts, classes[1:], strict=True))
        listeners = self._routes[classes] = tuple(
            subscriber for subscriber, heed in self._told_of(classes[0]) if heed is None or heed.wants(named[heed.sort]))
        return listeners

    def _told_of(self, plural: str) -> tuple[tuple[Subscriber, Heed | None], ...]:
        return (*self._subscribers.get(plural, ()), *self._subscribers.get("*", ()))

    def _forget_order(self, plural: str, obj: Map) -> None:
        self._sorted.pop((plural, ""), None)
        self._sorted.pop((plural, obj["metadata"].get("namespace") or ""), None)

    def _index(self, plural: str, key: str, old: Map | None, new: Map | None) -> None:
        before = old["metadata"].get("ownerReferences") if old else None
        after = new["metadata"].get("ownerReferences") if new else None
        if before is not after and before != after:
            for reference in before or ():
                self._discard(self._owned, reference["uid"], (plural, key))
            for reference in after or ():
                self._owned.setdefault(reference["uid"], {})[plural, key] = None
        if plural == "pods":
            was = old["spec"].get("nodeName") if old else None
            is_ = new["spec"].get("nodeName") if new else None
            if was != is_:
                if was:
                    self._discard(self._on_node, was, key)
                if is_:
                    self._on_node.setdefault(is_, {})[key] = None

    @staticmethod
    def _discard(index: dict[str, dict[Any, None]], name: str, entry: Any) -> None:
        bucket = index.get(name)
        if bucket is not None:
            bucket.pop(entry, None)
            if not bucket:
                del index[name]

    # ---- checkpoints

    def checkpoint(self) -> dict[str, Any]:
        sets: dict[str, int] = {}
        tables = {plural: self.list(plural) for plural in self.plurals()}
        owned = {plural: records.to_plain(objects, sets) for plural, objects in tables.items() if plural != PACKED}
        return {"revision": self.revision, "tables": tables, "owned": owned, "sets": list(sets)}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Etcd:
        store = cls()
        store.revision = store.compacted = state["revision"]
        sets = [intern(text) for text in state.get("sets") or ()]
        for plural, objects in state["tables"].items():
            table = store._tables.setdefault(plural, {})
            owned = (state.get("owned") or {}).get(plural) or [()] * len(objects)
            for plain, rows in zip(objects, owned, strict=True):
                obj: Map = freeze(plain) if plural == PACKED else stored(plain, records.from_plain(rows, sets))
                key = key_of_object(obj)
                table[key] = pack(obj) if plural == PACKED else obj
                store._index(plural, key, None, obj)
        return store
