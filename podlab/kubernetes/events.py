"""Events as client-go's recorders write them: counted when repeated, aggregated when alike, filtered when spammed, gone after an hour.

Sources: S/client-go/tools/record/events_cache.go; S/client-go/tools/events/event_broadcaster.go (the scheduler's newer style).
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from .cause import Cause
from .component import Component
from .etcd import Change, key_of
from .objects import EMPTY, Map
from .times import parse_rfc3339, rfc3339, rfc3339_micro

if TYPE_CHECKING:
    from .ground import Ground

SIMILAR_MAX = 10  # defaultAggregateMaxEvents: so many different messages of one reason stand alone
SIMILAR_WINDOW_MS = 600_000  # defaultAggregateIntervalInSeconds
SPAM_BURST = 25  # defaultSpamBurst, for each source, object and type (getEventSpamKey; the recorded http-probe shows 28 of one Pod)
SPAM_REFILL_MS = 300_000  # defaultSpamQPS: one token each 5 minutes
TTL_MS = 3_600_000  # --event-ttl
SERIES_WINDOW_MS = 360_000  # finishTime: an events.k8s.io series ends after 6 quiet minutes
COMBINED = "(combined from similar events): "
WROTE = Cause("event")


class EventRecorder(Component):
    """Every component's recorder. State: what client-go keeps in its caches, under string keys."""

    name = "event-recorder"

    def __init__(self, cluster: Ground) -> None:
        super().__init__(cluster)
        # seen: event key -> [event key in the store or "", count, first ms, last ms]; similar: key -> [last ms, marks of distinct
        # messages ...]; spam: source, object and type -> [tokens left, last refill ms]; timer: the one that expires events
        self.state = {"seen": {}, "similar": {}, "spam": {}, "timer": None}

    def restore(self) -> None:
        self.cluster.etcd.subscribe("events", self._on_event)

    def _on_event(self, change: Change) -> None:
        if change.type == "ADDED" and self.state["timer"] is None:
            self.state["timer"] = self.after(TTL_MS, None)

    def on_timer(self, payload: Any) -> None:
        """Expire what has not been written for an hour, then sleep until the next may be due."""
        self.state["timer"] = None
        due = None
        for event in self.cluster.etcd.list("events"):
            written = self.state["seen"].get(_written_key(event))
            at = (written or self._last(event)) + TTL_MS
            if at <= self.now:
                self.cluster.server.drop("events", event, WROTE)
                self.state["seen"].pop(_written_key(event), None)
            elif due is None or at < due:
                due = at
        for cache, last in (("seen", -1), ("similar", 0), ("spam", -1)):
            self.state[cache] = {key: entry for key, entry in self.state[cache].items()
                                 if isinstance(entry, int) or entry[last] + TTL_MS > self.now}
        if due is not None:
            self.state["timer"] = self.after(due - self.now, None)

    def _last(self, event: Map) -> int:
        return parse_rfc3339(event["metadata"]["creationTimestamp"])

    def record(self, source: str, obj: Map, type: str, reason: str, message: str, field_path: str | None, related: Map | None) -> None:
        """One happening. `source` is a component's name, `kubelet/node-1` for a kubelet."""
        by = _source(source)
        component = by["component"]
        metadata = obj["metadata"]
        about = _about(obj, field_path)
        message = message[:1024]  # NoteLengthLimit
        subject = metadata["uid"] or metadata["name"]  # the taint manager's Events name no uid
        who = f"{source}|{subject}|{field_path or ''}"
        if component == "default-scheduler":
            self._record_series(component, about, type, reason, message, who)
            return
        key = f"{who}|{type}|{reason}"
        key, message = self._aggregate(key, message)
        # eventObserve counts before the filter looks: what is held back shows in the count of the next that is written
        at = self.now
        seen = self.state["seen"].get(key)
        if seen is None:
            seen = self.state["seen"][key] = ["", 1, at, at]
        else:
            seen[1] += 1
            seen[-1] = at
        if not self._may_send(f"{source}|{subject}|{type}", at):
            return
        now = rfc3339(at)
        if seen[0] and (old := self.cluster.etcd.get("events", seen[0])):
            self.cluster.server.store("events", {**old, "count": seen[1], "lastTimestamp": now, "message": message}, WROTE)
            self.state["seen"][_written_key(old)] = at
            return
        event = self._new(about, reason, message, type)
        event.update(source=by, firstTimestamp=now if seen[2] == at else rfc3339(seen[2]), lastTimestamp=now, count=seen[1], eventTime=None,
                     reportingComponent=component, reportingInstance=by.get("host", ""))
        if related is not None:
            event["related"] = {"kind": related["kind"], "namespace": related["metadata"].get("namespace", ""),
                                "name": related["metadata"]["name"], "uid": related["metadata"]["uid"]}
        if stored := self._store_new(event):
            seen[0] = stored

    def _record_series(self, component: str, about: Map, type: str, reason: str, message: str, who: str) -> None:
        """The scheduler's events: the note of the first stays; the second one opens a series; later ones only count in memory."""
        # getKey holds the whole reference, resourceVersion too
        key = _short(f"series|{who}|{reason}|{about.get('resourceVersion')}")
        seen = self.state["seen"].get(key)
        if seen and self.now - seen[2] < SERIES_WINDOW_MS and (old := self.cluster.etcd.get("events", seen[0])):
            seen[1] += 1
            seen[2] = self.now
            if seen[1] == 2:
                series = {"count": 2, "lastObservedTime": rfc3339_micro(self.now)}
                self.cluster.server.store("events", {**old, "series": series}, WROTE)
            return
        event = self._new(about, reason, message, type)
        action = {"Scheduled": "Binding", "FailedScheduling": "Scheduling", "Preempted": "Preempting"}.get(reason, reason)
        event.update(source=EMPTY, firstTimestamp=None, lastTimestamp=None, eventTime=rfc3339_micro(self.now), action=action,
                     reportingComponent=component, reportingInstance=f"{component}-control-plane")
        if stored := self._store_new(event):
            self.state["seen"][key] = [stored, 1, self.now]

    def _store_new(self, event: dict[str, Any]) -> str | None:
        """Its key in the store. Nothing new comes into a namespace that ends or is gone (NamespaceLifecycle); a recorder gives such an Event up."""
        namespace = self.cluster.etcd.get("namespaces", event["metadata"]["namespace"])
        if namespace is None or namespace["metadata"].get("deletionTimestamp"):
            return None
        stored = self.cluster.server.store_new("events", event, WROTE)
        return key_of(stored["metadata"]["namespace"], stored["metadata"]["name"])

    def _new(self, about: Map, reason: str, message: str, type: str) -> dict[str, Any]:
        nanoseconds = self.now * 1_000_000 + self.cluster.etcd.revision % 1_000_000  # names sort as the events came, as in reality
        namespace = about.get("namespace") or "default"  # events about cluster-scoped objects live in `default`
        return {"kind": "Event", "apiVersion": "v1", "metadata": {"name": f"{about['name']}.{nanoseconds:x}", "namespace": namespace},
                "involvedObject": about, "reason": reason, "message": message, "type": type}

    def _aggregate(self, key: str, message: str) -> tuple[str, str]:
        """EventAggregator.EventAggregate: the cache key (short) and the message to write."""
        hashed = _KEY.copy()
        hashed.update(key.encode("utf-8", "surrogatepass"))
        short, mark = hashed.hexdigest(), _mark(message)
        similar = self.state["similar"].get(short)
        if similar is None or self.now - similar[0] > SIMILAR_WINDOW_MS:
            similar = self.state["similar"][short] = [self.now, mark]
        elif mark not in similar[1:]:
            similar.append(mark)
        similar[0] = self.now
        if len(similar) - 1 < SIMILAR_MAX:
            hashed.update(f"|{message}".encode("utf-8", "surrogatepass"))
            return hashed.hexdigest(), message
        similar.pop()
        return short, COMBINED + message

    def _may_send(self, key: str, now: int) -> bool:
        """EventSourceObjectSpamFilter: a token bucket for each key."""
        bucket = self.state["spam"].setdefault(key, [SPAM_BURST, now])
        refill = (now - bucket[1]) // SPAM_REFILL_MS
        if refill:
            bucket[0] = min(SPAM_BURST, bucket[0] + refill)
            bucket[1] += refill * SPAM_REFILL_MS
        if bucket[0] < 1:
            return False
        bucket[0] -= 1
        return True


_KEY, _MESSAGE = blake2b(digest_size=9), blake2b(digest_size=6)  # copied for each hash: half the cost of making one


def _short(key: str) -> str:
    """A cache key of fixed size: messages are long, and a live cluster remembers many."""
    hashed = _KEY.copy()
    hashed.update(key.encode("utf-8", "surrogatepass"))
    return hashed.hexdigest()


@lru_cache(maxsize=256)
def _source(source: str) -> Map:
    """An Event's `source`: the component, and the host of one that has a node."""
    component, _, host = source.partition("/")
    return Map(component=component, host=host) if host else Map(component=component)


def _about(obj: Map, field_path: str | None) -> Map:
    """The reference of an Event to what it is about; what is unset is left out."""
    metadata = obj["metadata"]
    about = {"kind": obj["kind"], "namespace": metadata.get("namespace"), "name": metadata["name"], "uid": metadata["uid"],
             "apiVersion": obj["apiVersion"], "resourceVersion": metadata.get("resourceVersion"), "fieldPath": field_path}
    return Map(about) if all(about.values()) else Map({key: value for key, value in about.items() if value})


def _mark(text: str) -> int:
    """A number that stands for a message."""
    hashed = _MESSAGE.copy()
    hashed.update(text.encode("utf-8", "surrogatepass"))
    return int.from_bytes(hashed.digest(), "big")


def _written_key(event: Map) -> str:
    return "written|" + key_of(event["metadata"]["namespace"], event["metadata"]["name"])

