"""Where this cluster differs from a real one, for the places of the page where a learner could be misled (fidelity.yaml)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).with_suffix(".yaml")


@cache
def features() -> list[dict[str, Any]]:
    """Every feature with its area: {"area", "name", "is": exact | simplified | absent, "differs", "recordings", "tests", "for"}."""
    areas = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return [{"area": area["area"], **feature} for area in areas for feature in area["features"]]


@cache
def _notes() -> dict[str, str]:
    return {word: feature["differs"] for feature in features() for word in feature.get("for", ())}


def fidelity_note(word: str) -> str | None:
    """How what a kind ("Ingress"), a reason ("CrashLoopBackOff") or a rule names differs from a real cluster: one Korean sentence or two."""
    return _notes().get(word)
