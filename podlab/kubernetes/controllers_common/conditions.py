"""Conditions in statuses, and small arithmetic that strategies share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..objects import EMPTY


def find(obj: Mapping[str, Any], kind: str) -> Mapping[str, Any] | None:
    """The condition of a type in an object's status."""
    return of((obj.get("status") or EMPTY).get("conditions") or (), kind)


def of(conditions: Iterable[Mapping[str, Any]], kind: str) -> Mapping[str, Any] | None:
    return next((condition for condition in conditions if condition["type"] == kind), None)


def is_true(obj: Mapping[str, Any], kind: str) -> bool:
    condition = find(obj, kind)
    return condition is not None and condition["status"] == "True"


def int_or_percent(value: int | str | None, total: int, *, up: bool) -> int:
    """intstr.GetScaledValueFromIntOrPercent: `25%` of `total`, rounded up or down; a number as it is; None is 0."""
    if value is None:
        return 0
    if isinstance(value, int):
        return value
    percent = int(value.rstrip("%"))
    return -(-percent * total // 100) if up else percent * total // 100


def drop_zeros(status: dict[str, Any], *kept: str) -> dict[str, Any]:
    """`omitempty`: without members that are 0, "", None or empty, except those named."""
    return {key: value for key, value in status.items() if key in kept or (value is not None and value not in (0, "", [], {}))}
