"""What the kubelet reads from a Pod's spec, computed once for each spec and remembered on it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

from .. import quantity
from ..objects import EMPTY, Map, memo

INIT, SIDECAR, APP, EPHEMERAL = "init", "sidecar", "app", "ephemeral"
POD = ""  # stands among the names of containers for the Pod as a whole


class Part(NamedTuple):
    """One container of a Pod. `kind` is init, sidecar, app or ephemeral; `path` is the fieldPath of its events."""

    name: str
    kind: str
    spec: Map
    path: str


def parts(pod: Map) -> tuple[Part, ...]:
    """All containers of a Pod: init ones and sidecars, main ones, ephemeral ones, each in the order of the spec."""
    return memo(pod["spec"], "kubelet-parts", _parts)


def _parts(spec: Map) -> tuple[Part, ...]:
    found = []
    for one in spec.get("initContainers") or ():
        kind = SIDECAR if one.get("restartPolicy") == "Always" else INIT
        found.append(Part(one["name"], kind, one, f"spec.initContainers{{{one['name']}}}"))
    found += [Part(one["name"], APP, one, f"spec.containers{{{one['name']}}}") for one in spec["containers"]]
    found += [
        Part(one["name"], EPHEMERAL, one, f"spec.ephemeralContainers{{{one['name']}}}")
        for one in spec.get("ephemeralContainers") or ()
    ]
    return tuple(found)


def part(pod: Map, name: str) -> Part:
    """The container called `name`. Raises KeyError."""
    return memo(pod["spec"], "kubelet-part-by-name", lambda _: {one.name: one for one in parts(pod)})[name]


def inits(pod: Map) -> tuple[Part, ...]:
    """Init containers and sidecars, in order."""
    return memo(pod["spec"], "kubelet-inits", lambda _: tuple(p for p in parts(pod) if p.kind in (INIT, SIDECAR)))


def apps(pod: Map) -> tuple[Part, ...]:
    return memo(pod["spec"], "kubelet-apps", lambda _: tuple(p for p in parts(pod) if p.kind == APP))


def grace_ms(pod: Map) -> int:
    """spec.terminationGracePeriodSeconds in ms; 2 s where unset (minimumGracePeriodInSeconds)."""
    seconds = pod["spec"].get("terminationGracePeriodSeconds")
    return 2000 if seconds is None else int(seconds) * 1000


def pod_resources(spec: Map) -> tuple[Map | None, Map]:
    """(allocatedResources, resources) of status: what the Pod as a whole asks for and is limited to.

    Source: S/component-helpers/resource (PodRequests, PodLimits): sum of main containers and sidecars, and no less than any
    init container together with the sidecars before it; pod-level values stand where given.
    """
    return memo(spec, "kubelet-pod-resources", _pod_resources)


def _pod_resources(spec: Map) -> tuple[Map | None, Map]:
    if not (spec.get("resources") or spec.get("initContainers") or any(one.get("resources") for one in spec["containers"])):
        return None, EMPTY
    requests, limits = _total(spec, "requests"), _total(spec, "limits")
    resources = {key: Map(value) for key, value in (("limits", limits), ("requests", requests)) if value}
    return (Map(requests) if requests else None), Map(resources)


def _total(spec: Map, which: str) -> dict[str, str]:
    sums: dict[str, int] = {}
    running: dict[str, int] = {}
    peak: dict[str, int] = {}
    originals: dict[str, set[str]] = {}
    everywhere = which == "requests"
    mains = list(spec["containers"])
    sidecars = [one for one in spec.get("initContainers") or () if one.get("restartPolicy") == "Always"]
    for one in [*mains, *sidecars]:
        for name, text in ((one.get("resources") or {}).get(which) or {}).items():
            sums[name] = sums.get(name, 0) + quantity.milli(text)
            originals.setdefault(name, set()).add(text)
    for one in spec.get("initContainers") or ():
        wanted = {name: quantity.milli(text) for name, text in ((one.get("resources") or {}).get(which) or {}).items()}
        for name, text in ((one.get("resources") or {}).get(which) or {}).items():
            originals.setdefault(name, set()).add(text)
        if one.get("restartPolicy") == "Always":
            for name, amount in wanted.items():
                running[name] = running.get(name, 0) + amount
            wanted = {}
        for name in {**running, **wanted}:
            peak[name] = max(peak.get(name, 0), running.get(name, 0) + wanted.get(name, 0))
    for name, amount in peak.items():
        sums[name] = max(sums.get(name, 0), amount)
    level = (spec.get("resources") or {}).get(which) or {}
    if not everywhere:  # a limit of the whole exists only where every main container has one
        sums = {
            name: amount
            for name, amount in sums.items()
            if all(name in ((one.get("resources") or {}).get("limits") or {}) for one in mains)
        }
    texts = {name: _text(name, amount, originals.get(name, set())) for name, amount in sums.items()}
    return dict(sorted({**texts, **level}.items()))


def _text(name: str, milli: int, originals: set[str]) -> str:
    """A sum as the quantities it was made of would be written."""
    for text in sorted(originals):
        if quantity.milli(text) == milli:
            return text
    if milli % 1000 == 0 and name != "cpu":
        return quantity.format_binary(milli // 1000)
    return quantity.format_decimal(Fraction(milli, 1000))


def request(spec: Map, name: str) -> int:
    """What a Pod asks for, in thousandths."""
    allocated, _ = pod_resources(spec)
    return quantity.milli(allocated.get(name)) if allocated else 0


def allocated_spec(worker: dict[str, Any], spec: Map) -> Map:
    """A Pod's spec with the resources that its node has given it: not those that a resize asks for in vain (UpdatePodFromAllocation)."""
    return _with_resources(spec, worker["allocated"]) if "allocated" in worker else spec


def actual_spec(worker: dict[str, Any], spec: Map) -> Map:
    """A Pod's spec with the resources that its containers run with."""
    return _with_resources(spec, worker["actual"]) if worker["resizing"] else spec


def _with_resources(spec: Map, actual: dict[str, Map]) -> Map:
    changed = {
        member: tuple(Map({**one, "resources": actual.get(one["name"], one.get("resources") or EMPTY)}) for one in spec[member])
        for member in ("initContainers", "containers")
        if spec.get(member)
    }
    whole = {"resources": actual[POD]} if POD in actual else {}
    return Map({**spec, **changed, **whole})


def has_probe(one: Part) -> bool:
    return any(one.spec.get(member) for member in ("livenessProbe", "readinessProbe", "startupProbe"))


def full_name(pod: Map) -> str:
    """`name_namespace(uid)`, as the kubelet's messages name a Pod (format.Pod)."""
    metadata: Any = pod["metadata"]
    return f"{metadata['name']}_{metadata['namespace']}({metadata['uid']})"
