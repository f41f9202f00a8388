"""Events and causes as dots on the time track, merged where they would lie on each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from podlab.kubernetes.objects import dig
from podlab.kubernetes.times import parse_rfc3339

from .korean import kind
from .reasons import actor, quiet, severity, tell
from .rules import EVENTS, PEOPLE
from .view import View

ORDER = ("info", "good", "warn", "bad")


@dataclass(frozen=True, slots=True)
class Dot:
    t: int  # ms
    kind: str  # "person" (a request or a fault), "event" or "cause"
    ref: str
    label: str
    severity: str
    count: int = 1  # how many dots it stands for


def timeline(view: View, namespaces: Sequence[str] | None = None, slots: int = 120) -> tuple[Dot, ...]:
    """The dots of a cluster's past, oldest first, at most `slots`. Namespaces that begin with kube- are left out unless named."""
    return Past().timeline(view, namespaces, slots)


class Past:
    """The dots of one cluster, kept between looks: only what is new since the last one is told again. Of time that was wound back
    (another engine, or fewer causes than before) nothing is kept."""

    def __init__(self) -> None:
        self._forget(None)

    def _forget(self, view: View | None) -> None:
        self._view = view
        self._revision = self._last = 0
        self._events: dict[str, Dot] = {}  # "namespace/name" -> what is shown of that Event
        self._causes: list[tuple[int, Dot]] = []  # by id

    def timeline(self, view: View, namespaces: Sequence[str] | None = None, slots: int = 120) -> tuple[Dot, ...]:
        """See `timeline`."""
        if view is not self._view:
            self._forget(view)
        self._look_at_events(view)
        self._look_at_causes(view)
        dots = [dot for dot in (*self._events.values(), *(dot for _, dot in self._causes)) if _shown(dot.ref, namespaces)]
        dots.sort(key=lambda d: (d.t, d.kind, d.ref, d.label))
        return merge(dots, view.start, view.now, slots)

    def _look_at_events(self, view: View) -> None:
        revision, changed = view.changed("events", self._revision)
        if changed is None:
            self._events = {}
            changed = [(_key(event), event) for event in view.objects("events")]
        for key, event in changed:
            dot = _event(event) if event is not None else None
            if dot is None:
                self._events.pop(key, None)
            else:
                self._events[key] = dot
        self._revision = revision

    def _look_at_causes(self, view: View) -> None:
        for record in view.causes.since(self._last):
            self._last = record["id"]
            if (dot := _cause(record)) is not None:
                self._causes.append((self._last, dot))
        while self._causes and view.causes.record(self._causes[0][0]) is None:
            del self._causes[0]


def _shown(ref: str, namespaces: Sequence[str] | None) -> bool:
    parts = ref.split("/")
    if len(parts) < 3:
        return True
    return parts[1] in namespaces if namespaces is not None else not parts[1].startswith("kube-")


def _key(event: Mapping[str, Any]) -> str:
    return f"{dig(event, 'metadata.namespace', '')}/{dig(event, 'metadata.name', '')}"


def _event(event: Mapping[str, Any]) -> Dot | None:
    about = event.get("involvedObject") or event.get("regarding") or {}
    told = event.get("lastTimestamp") or event.get("eventTime") or dig(event, "metadata.creationTimestamp")
    if not told:
        return None
    plural = (about.get("kind") or "").lower() + "s"
    ref = "/".join(filter(None, (plural, about.get("namespace"), about.get("name"))))
    reason = event.get("reason") or ""
    if reason == "Failed":  # one reason for two troubles; the message tells them apart
        reason = "FailedPull" if "mage" in (event.get("message") or "") else "FailedStart"
    label, mood = EVENTS.get(reason, (reason, "warn" if event.get("type") == "Warning" else "info"))
    return Dot(parse_rfc3339(told), "event", ref, f"{kind(plural)} {about.get('name', '')}: {label}", mood, 1)


def _cause(record: Mapping[str, Any]) -> Dot | None:
    person, mood = record.get("rule") in PEOPLE, severity(record)
    if not person and (mood not in ("warn", "bad") or quiet(record)):
        return None
    return Dot(record["at"], "person" if person else "cause", record.get("object") or "", f"{actor(record)}: {tell(record)}", mood)


def merge(dots: Sequence[Dot], start: int, end: int, slots: int) -> tuple[Dot, ...]:
    """At most one dot in each of `slots` equal spans: the gravest speaks for the rest; a person's act is never swallowed."""
    span = max((end - start) / max(slots, 1), 1)
    out: list[Dot] = []
    places: dict[tuple[int, bool], int] = {}
    for dot in dots:
        slot = (int((dot.t - start) / span), dot.kind == "person")
        if slot not in places:
            places[slot] = len(out)
            out.append(dot)
            continue
        held = out[places[slot]]
        loud = dot if ORDER.index(dot.severity) > ORDER.index(held.severity) else held
        out[places[slot]] = Dot(held.t, held.kind, loud.ref, loud.label, loud.severity, held.count + 1)
    return tuple(out)
