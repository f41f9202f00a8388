"""Whether a document's field is what a clause asks for: words, phrases, terms, ranges, wildcards."""

from __future__ import annotations

import fnmatch
import math
import re
from collections.abc import Callable
from typing import Any

from ..process import Data
from .elasticsearch_store import kind_of
from .log_parsers import time_ms

UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
Hit = tuple[str, str, Data]  # index, id, document
Test = Callable[[Hit], float]  # 0: no match, else a score


def words(text: Any) -> list[str]:
    """The standard analyzer's terms, roughly: runs of letters and digits, in lower case."""
    return re.findall(r"\w+(?:[.']\w+)*", str(text).lower())


def values(document: Data, name: str) -> list[Any]:
    """A field's values; `message.keyword` and `a.b` are understood."""
    name = name.removesuffix(".keyword")
    found: Any = document
    if name in document:
        found = document[name]
    else:
        for part in name.split("."):
            found = found.get(part) if isinstance(found, dict) else None
    return [] if found is None else found if isinstance(found, list) else [found]


def same(value: Any, wanted: Any) -> bool:
    """Exact equality, as a keyword, number, boolean or date field has it."""
    if isinstance(value, bool) or isinstance(wanted, bool):
        return str(value).lower() == str(wanted).lower()
    if isinstance(value, int | float) or isinstance(wanted, int | float):
        try:
            return float(value) == float(wanted)
        except (TypeError, ValueError):
            return False
    return str(value) == str(wanted)


def matching(field: str, text: Any, every: bool = False) -> Test:
    """Full text: any of the words (`every`: all). A keyword, number or boolean field must be equal."""
    wanted = words(text)

    def test(hit: Hit) -> float:
        found = 0.0
        for value in values(hit[2], field):
            if field.endswith(".keyword") or not isinstance(value, str) or kind_of(value) == "date":
                found = max(found, 1.0 if same(value, text) else 0.0)
                continue
            held = words(value)
            hits = sum(1 for word in wanted if word in held)
            if hits and (not every or hits == len(wanted)):
                found = max(found, hits / math.sqrt(len(held)))
        return found

    return test


def phrase(field: str, text: Any) -> Test:
    wanted = words(text)

    def test(hit: Hit) -> float:
        for value in values(hit[2], field):
            held = words(value)
            if wanted and any(held[at : at + len(wanted)] == wanted for at in range(len(held) - len(wanted) + 1)):
                return 1.0
        return 0.0

    return test


def anywhere(text: Any, exact: bool) -> Test:
    """Full text in any field."""

    def test(hit: Hit) -> float:
        names = flat(hit[2])
        return max(((phrase if exact else matching)(name, text)(hit) for name in names), default=0.0)

    return test


def flat(document: Data, prefix: str = "", depth: int = 0) -> list[str]:
    out: list[str] = []
    for name, value in document.items():
        out += flat(value, f"{prefix}{name}.", depth + 1) if isinstance(value, dict) and depth < 20 else [prefix + name]
    return out


def term(field: str, wanted: list[Any]) -> Test:
    """Not analysed: on a text field the value must be one of its words, so `ERROR` finds nothing there and `error` does."""

    def test(hit: Hit) -> float:
        for value in values(hit[2], field):
            text = isinstance(value, str) and not field.endswith(".keyword") and kind_of(value) == "text"
            if any(str(want) in words(value) if text else same(value, want) for want in wanted):
                return 1.0
        return 0.0

    return test


def moment(value: Any, now: int) -> int | None:
    """A date, or date maths such as `now-15m/m`, in ms."""
    found = re.fullmatch(r"now((?:[-+]\d{1,6}[smhdw])*)(?:/([smhd]))?", str(value))
    if found is None:
        return value if isinstance(value, int) and not isinstance(value, bool) else time_ms(value)
    at = now
    for sign, count, unit in re.findall(r"([-+])(\d+)([smhdw])", found[1]):
        at += (1 if sign == "+" else -1) * int(count) * UNITS[unit]
    return at // UNITS[found[2]] * UNITS[found[2]] if found[2] else at


def comparable(value: Any, now: int) -> float | str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return value
    at = moment(value, now)
    if at is not None:
        return at
    try:
        return float(value)
    except (TypeError, ValueError):
        return str(value)


def within(value: float | str, name: str, edge: float | str) -> bool:
    if isinstance(value, str) or isinstance(edge, str):
        value, edge = str(value), str(edge)
        return {"gt": value > edge, "gte": value >= edge, "lt": value < edge, "lte": value <= edge}[name]
    return {"gt": value > edge, "gte": value >= edge, "lt": value < edge, "lte": value <= edge}[name]


def wild(field: str, pattern: str) -> Test:
    def test(hit: Hit) -> float:
        for value in values(hit[2], field):
            text = not field.endswith(".keyword") and kind_of(value) == "text"
            if any(fnmatch.fnmatchcase(one, pattern) for one in (words(value) if text else [str(value)])):
                return 1.0
        return 0.0

    return test
