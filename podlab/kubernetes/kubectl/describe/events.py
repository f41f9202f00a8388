"""The events about an object, as every description ends with them."""

from __future__ import annotations

from typing import Protocol

from ...apiserver.tables.texts import Obj, moment, since
from ...objects import Map
from ..output.go_sort import go_sort
from .writer import Page

MIRROR_ANNOTATION = "kubernetes.io/config.mirror"


class Reader(Protocol):
    """The reading half of `client.Client`."""

    def get(self, plural: str, name: str, namespace: str | None = None) -> Map: ...

    def find(self, plural: str, name: str, namespace: str | None = None) -> Map | None: ...

    def list(self, plural: str, namespace: str | None = None, labels: str | None = None,
             fields: str | None = None) -> list[Map]: ...


def events_of(client: Reader, obj: Obj, kind: str, uid: str | None = None) -> list[Map]:
    """Events about an object: its name, namespace, uid, and kind ("" for any) must fit (searchEvents)."""
    metadata = obj["metadata"]
    name, namespace, wanted = metadata["name"], metadata.get("namespace", ""), uid or metadata.get("uid")
    found = []
    for event in client.list("events", namespace or None):
        about = event.get("involvedObject") or {}
        if about.get("name") == name and about.get("namespace", "") == namespace and (not kind or about.get("kind") == kind) \
                and (not wanted or about.get("uid") == wanted):
            found.append(event)
    return found


def describe_events(page: Page, events: list[Map]) -> None:
    """The table of events, by last time; events that have none, the scheduler's, come first."""
    if not events:
        page.field("Events", "<none>")
        return

    def last(event: Map) -> int:
        return moment(event["lastTimestamp"]) if event.get("lastTimestamp") else -1
    page.flush()
    page.line(0, "Events:\n  Type\tReason\tAge\tFrom\tMessage")
    page.line(1, "----\t------\t----\t----\t-------")
    for event in go_sort(events, lambda a, b: last(a) < last(b)):
        source = (event.get("source") or {}).get("component") or event.get("reportingComponent") or ""
        message, path = event.get("message", "").strip(), event["involvedObject"].get("fieldPath")
        page.line(1, "\t".join((event.get("type", ""), event.get("reason", ""), _interval(event, page.now), source,
                                f"{path}: {message}" if path else message)))


def _interval(event: Obj, now: int) -> str:
    first = since(event.get("eventTime") or event.get("firstTimestamp"), now)
    series, count = event.get("series"), event.get("count") or 0
    if series:
        return f"{since(series.get('lastObservedTime'), now)} (x{series.get('count', 0)} over {first})"
    return f"{since(event.get('lastTimestamp'), now)} (x{count} over {first})" if count > 1 else first
