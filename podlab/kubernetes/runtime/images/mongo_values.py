"""JavaScript's values as mongosh has them: truth, numbers, dates within the years 1 to 9999, and how each is shown."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

LEAST_MS, MOST_MS = -62_135_596_800_000, 253_402_300_799_999  # of the years that a date has here, 1 to 9999


WIDE = 72  # characters of an object on one line (util.inspect's breakLength)
LONG = 200_000  # characters or items of one value
DAYS, MONTHS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), ("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec").split()


class Thrown(Exception):
    """A JavaScript exception."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


def problem(name: str, message: str, **more: Any) -> Thrown:
    return Thrown({"$error": name, "message": message, **more})


def _date(value: Any) -> int | None:
    return int(value["$date"]) if isinstance(value, dict) and "$date" in value else None


def said(value: Any, raw: bool = False) -> str:
    """String(value)."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, list):
        return ",".join("" if one is None else said(one) for one in value)
    if isinstance(value, dict):
        if (ms := _date(value)) is not None:
            if not LEAST_MS <= ms <= MOST_MS:
                return "Invalid Date"
            when = datetime.fromtimestamp(ms / 1000, UTC)
            return f"{DAYS[when.weekday()]} {MONTHS[when.month - 1]} {when:%d %Y %H:%M:%S} GMT+0000 (Coordinated Universal Time)"
        if "$error" in value:
            code = f"[{value['codeName']}]" if raw and value.get("codeName") else ""
            return f"{value['$error']}{code}: {value['message']}"
        return str(value["$oid"]) if "$oid" in value else "[object Object]"
    return str(value)


def iso_date(ms: int) -> str:
    if not LEAST_MS <= ms <= MOST_MS:
        raise problem("RangeError", "Invalid time value")
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


def inspect(value: Any, indent: int = 0) -> str:
    """A value as the shell shows it."""
    if isinstance(value, str) and not indent:
        return value
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"
    if isinstance(value, dict) and "$cursor" in value:
        return inspect(value["$cursor"][value["at"] : value["at"] + 20], indent)
    if isinstance(value, dict):
        if (ms := _date(value)) is not None:
            return f'ISODate("{iso_date(ms)}")' if LEAST_MS <= ms <= MOST_MS else "Invalid Date"
        if "$oid" in value:
            return f"ObjectId('{value['$oid']}')"
        if "$error" in value or "$function" in value:
            return said(value, True) if "$error" in value else "[Function]"
        if "$collection" in value or "$db" in value:
            return f"{value['$db']}.{value['$collection']}" if "$collection" in value else str(value["$db"])
        inner = [f"{key if key.isidentifier() else repr(key)}: {inspect(one, indent + 2)}" for key, one in value.items()]
        return _fold("{", inner, "}", indent)
    if isinstance(value, list):
        return _fold("[", [inspect(one, indent + 2) for one in value], "]", indent)
    return said(value)


def _fold(left: str, inner: list[str], right: str, indent: int) -> str:
    line = f"{left} {', '.join(inner)} {right}" if inner else left + right
    if len(line) <= WIDE and "\n" not in line:
        return line
    pad = " " * (indent + 2)
    return f"{left}\n{pad}" + f",\n{pad}".join(inner) + f"\n{' ' * indent}{right}"


def jsonable(value: Any) -> Any:
    if isinstance(value, dict):
        ms = _date(value)
        return iso_date(ms) if ms is not None else value["$oid"] if "$oid" in value else {key: jsonable(one) for key, one in value.items()}
    if isinstance(value, list):
        return [jsonable(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else int(value) if isinstance(value, float) and value.is_integer() else value


def is_true(value: Any) -> bool:
    return value is not None and value is not False and value != "" and value != 0 and not (isinstance(value, float) and math.isnan(value))


def as_number(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return int(bool(value))
    if isinstance(value, (int, float)):
        return value
    if (ms := _date(value)) is not None:
        return ms
    try:
        number = float(str(value).strip() or 0)
        return int(number) if number.is_integer() else number
    except (ValueError, OverflowError):
        return math.nan
