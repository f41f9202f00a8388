"""Events and causes as dots on the time track, merged where they would lie on each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from podlab.kubernetes.objects import dig
from podlab.kubernetes.times import parse_rfc3339

from .korean import kind
from .reasons import EVENTS, PEOPLE, actor, quiet, severity, tell
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
    dots = [dot for dot in (*_events(view), *_causes(view)) if _shown(dot.ref, namespaces)]
    dots.sort(key=lambda d: (d.t, d.kind, d.ref, d.label))
    return merge(dots, view.start, view.now, slots)


def _shown(ref: str, namespaces: Sequence[str] | None) -> bool:
    parts = ref.split("/")
    if len(parts) < 3:
        return True
    return parts[1] in namespaces if namespaces is not None else not parts[1].startswith("kube-")


def _events(view: View) -> list[Dot]:
    out = []
    for event in view.objects("events"):
        about = event.get("involvedObject") or event.get("regarding") or {}
        told = event.get("lastTimestamp") or event.get("eventTime") or dig(event, "metadata.creationTimestamp")
        if not told:
            continue
        plural = (about.get("kind") or "").lower() + "s"
        ref = "/".join(filter(None, (plural, about.get("namespace"), about.get("name"))))
        reason = event.get("reason") or ""
        if reason == "Failed":  # one reason for two troubles; the message tells them apart
            reason = "FailedPull" if "mage" in (event.get("message") or "") else "FailedStart"
        label, mood = EVENTS.get(reason, (reason, "warn" if event.get("type") == "Warning" else "info"))
        out.append(Dot(parse_rfc3339(told), "event", ref, f"{kind(plural)} {about.get('name', '')}: {label}", mood, 1))
    return out


def _causes(view: View) -> list[Dot]:
    out = []
    for record in view.causes.since(0):
        person = record.get("rule") in PEOPLE
        if person or (severity(record) in ("warn", "bad") and not quiet(record)):
            out.append(
                Dot(
                    record["at"],
                    "person" if person else "cause",
                    record.get("object") or "",
                    f"{actor(record)}: {tell(record)}",
                    severity(record),
                )
            )
    return out


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
