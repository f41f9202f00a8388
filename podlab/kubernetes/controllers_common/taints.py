"""Taints and tolerations as controllers weigh them (S/component-helpers/scheduling/corev1/helpers.go)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def tolerates(toleration: Any, taint: Any) -> bool:
    """Toleration.ToleratesTaint."""
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    if toleration.get("operator", "Equal") == "Exists":
        return True
    return bool(toleration.get("key")) and toleration.get("value", "") == taint.get("value", "")


def all_tolerated(taints: Iterable[Any], tolerations: Iterable[Any], effects: tuple[str, ...]) -> bool:
    """Whether every taint with one of these effects is tolerated."""
    held = list(tolerations)
    return all(any(tolerates(t, taint) for t in held) for taint in taints if taint["effect"] in effects)
