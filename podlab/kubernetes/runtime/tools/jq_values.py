"""JSON values as jq sees them: their order, their text, their arithmetic; and how much work may be done with them."""

from __future__ import annotations

import json
import math
from typing import Any

from ..program import TEXT_MAX

ORDER = ("null", "false", "true", "number", "string", "array", "object")
SHOWN_MAX = 11  # characters of a value in a message (ERRORMAX_TRUNC_LEN of jq 1.7)
EXACT = 1 << 53
ITEMS_MAX = 200_000


WORK_MAX = 2_000_000
"""What a program may do with one input: each filter counts four, each item that is copied one,
that is written four, that is compared six. Half a second or so."""
_left = [WORK_MAX]


class Endless(Exception):
    """More work than one input may make."""


def renew() -> None:
    _left[0] = WORK_MAX


def spend(count: int) -> None:
    """Counts work. Raises Endless."""
    _left[0] -= count
    if _left[0] < 0:
        raise Endless


def spent() -> int:
    return WORK_MAX - _left[0]


class JqError(Exception):
    """What a program raises, and `try` catches: a value."""

    def __init__(self, value: Any) -> None:
        super().__init__(value if isinstance(value, str) else text(value))
        self.value = value


def kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def number(value: float) -> int | float:
    """Whole numbers are ints as far as a double is exact."""
    if isinstance(value, int):
        return value if abs(value) <= EXACT else float(value) if abs(value) < 10**300 else math.inf
    return int(value) if value == value and abs(value) < EXACT and value == int(value) else value


def rank(value: Any) -> int:
    return ORDER.index("true" if value is True else "false" if value is False else kind(value))


def key(value: Any) -> Any:
    """What to sort by."""
    spend(6 + (len(value) >> 8 if isinstance(value, str) else 0))
    if isinstance(value, list):
        return (rank(value), [key(item) for item in value])
    if isinstance(value, dict):
        return (rank(value), sorted(value), [key(value[name]) for name in sorted(value)])
    return (rank(value), value if isinstance(value, str | int | float) and not isinstance(value, bool) else 0)


def equal(a: Any, b: Any) -> bool:
    return rank(a) == rank(b) and (a == b if not isinstance(a, list | dict) else key(a) == key(b))


def _plain(value: Any) -> Any:
    """A value that json writes as jq does: no nan, no infinity, no 1.0."""
    if isinstance(value, float):
        return None if value != value else math.copysign(1.7976931348623157e308, value) if math.isinf(value) else number(value)
    if isinstance(value, str):
        spend(2 + (len(value) >> 4))
        return value
    spend(4)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return {name: _plain(held) for name, held in value.items()} if isinstance(value, dict) else value


def text(value: Any, indent: int | str | None = None, *, ascii_only: bool = False, sort: bool = False) -> str:
    separators = (",", ":") if indent is None else (",", ": ")
    said = json.dumps(_plain(value), ensure_ascii=ascii_only, separators=separators, indent=indent, sort_keys=sort)
    return said.replace("\x7f", "\\u007f")


def short(value: Any) -> str:
    said = text(value)
    return said if len(said) <= SHOWN_MAX else said[: SHOWN_MAX - 3] + "..."


def told(value: Any) -> str:
    """`number (3)`, as messages have it."""
    return f"{kind(value)} ({short(value)})"


def field(value: Any, name: Any) -> Any:
    """value[name]."""
    if value is None and (name is None or isinstance(name, str | int | float | dict)):
        return None
    if isinstance(value, dict) and isinstance(name, str):
        return value.get(name)
    if isinstance(value, list) and isinstance(name, int | float) and not isinstance(name, bool):
        at = math.floor(name) if name == name else len(value)
        return value[at] if -len(value) <= at < len(value) else None
    if isinstance(value, list) and isinstance(name, list):
        return indices(value, name)
    if isinstance(value, list | str | None) and isinstance(name, dict):
        return piece(value, name.get("start"), name.get("end"))
    if isinstance(value, dict | list) and not isinstance(name, str):
        raise JqError(f"Cannot index {kind(value)} with {kind(name)}")
    raise JqError(f"Cannot index {kind(value)} with " + (json.dumps(name) if isinstance(name, str) else kind(name)))


def bounds(value: Any, start: Any, end: Any) -> tuple[int, int]:
    for one in (start, end):
        if one is not None and (not isinstance(one, int | float) or isinstance(one, bool)):
            raise JqError("Start and end indices of an array slice must be numbers")
    length = len(value)
    low = 0 if start is None else math.floor(start)
    high = length if end is None else math.ceil(end)
    low, high = (max(0, one + length) if one < 0 else min(one, length) for one in (low, high))
    return low, max(low, high)


def piece(value: Any, start: Any, end: Any) -> Any:
    if value is None:
        return None
    if not isinstance(value, list | str):
        raise JqError(f"Cannot index {kind(value)} with object")
    low, high = bounds(value, start, end)
    spend((high - low) >> (6 if isinstance(value, str) else 1))
    return value[low:high]


def _bounded(value: Any) -> Any:
    if isinstance(value, str) and len(value) > TEXT_MAX:
        raise JqError("String too long")
    if isinstance(value, list) and len(value) > ITEMS_MAX:
        raise JqError("Array too long")
    spend(len(value) >> (6 if isinstance(value, str) else 1))
    return value


def arithmetic(sign: str, a: Any, b: Any) -> Any:
    """+ - * / % and the comparisons. Raises JqError."""
    if sign in ("==", "!="):
        return equal(a, b) == (sign == "==")
    if sign in ("<", "<=", ">", ">="):
        x, y = key(a), key(b)
        return x < y if sign == "<" else x <= y if sign == "<=" else x > y if sign == ">" else x >= y
    kinds = (kind(a), kind(b))
    if sign == "+":
        if a is None or b is None:
            return b if a is None else a
        if kinds in (("string", "string"), ("array", "array")):
            return _bounded(a + b)
        if kinds == ("object", "object"):
            spend(len(a) + len(b))
            return {**a, **b}
    if sign == "-" and kinds == ("array", "array"):
        gone = [key(other) for other in b]
        return [one for one in a if _keyed(one, gone)]
    if kinds == ("number", "number"):
        return _numbers(sign, a, b)
    if sign == "*" and set(kinds) == {"string", "number"}:
        said, times = (a, b) if isinstance(a, str) else (b, a)
        if times <= 0:
            return None
        if times != times or times * len(said) > TEXT_MAX:
            raise JqError("Repeat string result too long")
        return said * max(1, math.ceil(times))
    if sign == "*" and kinds == ("object", "object"):
        return _merged(a, b)
    if sign == "/" and kinds == ("string", "string"):
        return split(a, b)
    verb = {"+": "added", "-": "subtracted", "*": "multiplied"}.get(sign, "divided")
    raise JqError(f"{told(a)} and {told(b)} cannot be {verb}")


def _keyed(one: Any, others: list[Any]) -> bool:
    spend(len(others))
    return key(one) not in others


def _numbers(sign: str, a: Any, b: Any) -> Any:
    if sign in "+-*":
        return number(a + b if sign == "+" else a - b if sign == "-" else a * b)
    if sign == "%":
        a, b = (math.trunc(one) if math.isfinite(one) else 1 << 62 for one in (a, b))
    if b == 0:
        raise JqError(f"{told(a)} and {told(b)} cannot be divided because the divisor is zero")
    return number(a / b) if sign == "/" else int(math.fmod(a, abs(b))) if abs(a) < EXACT else (abs(a) % abs(b)) * (1 if a > 0 else -1)


def _merged(a: Any, b: Any) -> Any:
    spend(len(a) + len(b))
    made = dict(a)
    for name, held in b.items():
        made[name] = _merged(made[name], held) if isinstance(held, dict) and isinstance(made.get(name), dict) else held
    return made


def split(value: str, separator: str) -> list[str]:
    return [] if not value else list(value) if not separator else value.split(separator)


def indices(value: Any, wanted: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, list | str):
        spend(len(value))
    if isinstance(value, str) and isinstance(wanted, str):
        return [at for at in range(len(value)) if wanted and value.startswith(wanted, at)][:ITEMS_MAX]
    if isinstance(value, list) and isinstance(wanted, list):
        return [at for at in range(len(value)) if wanted and equal(value[at : at + len(wanted)], wanted)]
    if isinstance(value, list):
        return [at for at, one in enumerate(value) if equal(one, wanted)]
    raise JqError(f"Cannot determine indices of {kind(wanted)} in {kind(value)}")
