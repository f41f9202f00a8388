"""Where this cluster differs from a real one, for the places of the page where a learner could be misled (fidelity.yaml)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

UNENFORCED = ("capabilities", "seccompProfile", "appArmorProfile", "seLinuxOptions")  # members of a securityContext
FILE = Path(__file__).with_suffix(".yaml")


@cache
def features() -> list[dict[str, Any]]:
    """Every feature with its area: {"area", "name", "is": exact | simplified | absent, "differs", "recordings", "tests", "for"}."""
    areas = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return [{"area": area["area"], **feature} for area in areas for feature in area["features"]]


class Note(NamedTuple):
    """How something here differs from a real cluster, and where the page of all such things says so (an element's id)."""

    text: str
    anchor: str


def anchor(number: int) -> str:
    """The id of a feature on that page, from its place in `features()`."""
    return f"feature-{number}"


@cache
def _notes() -> dict[str, Note]:
    return {word: Note(feature["differs"], anchor(number)) for number, feature in enumerate(features()) for word in feature.get("for", ())}


def notes_of(obj: Mapping[str, Any]) -> list[Note]:
    """What a learner who looks at this object should know, without repetition."""
    found = [note for word in _words(obj) if (note := _notes().get(word)) is not None]
    return list(dict.fromkeys(found))


def _words(obj: Mapping[str, Any]) -> Iterator[str]:
    """The kind, and what in the object stands for something that is not quite as in a real cluster."""
    yield str(obj.get("kind") or "")
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    if obj.get("kind") == "Service":
        yield str(spec.get("type") or "")
    if obj.get("kind") != "Pod":
        return
    yield str(status.get("reason") or "")
    for one in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        yield str(((one.get("state") or {}).get("waiting") or {}).get("reason") or "")
    for one in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        if any((one.get(probe) or {}).get("grpc") for probe in ("livenessProbe", "readinessProbe", "startupProbe")):
            yield "grpc"
        if any((one.get("securityContext") or {}).get(member) for member in UNENFORCED):
            yield "securityContext"
