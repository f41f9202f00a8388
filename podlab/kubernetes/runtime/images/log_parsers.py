"""How a line of a log becomes a record: what the agents' parsers share."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from ...times import stamp
from ..linear import Regex, TooComplex
from ..process import Data

NGINX = (
    r'^(?<remote>[^ ]*) (?<host>[^ ]*) (?<user>[^ ]*) \[(?<time>[^\]]*)\] "(?<method>\S+)(?: +(?<path>[^"]*?)(?: +\S*)?)?" '
    r'(?<code>[^ ]*) (?<size>[^ ]*)(?: "(?<referer>[^"]*)" "(?<agent>[^"]*)")?'
)
"""The combined log format, with the names that Fluentd and Fluent Bit give its parts."""
NGINX_TIME = "%d/%b/%Y:%H:%M:%S %z"


def parse_json(text: str) -> Data | None:
    """The object that a line is, or None."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


PAIR = re.compile(r"(?<![\w.-])([\w.-]+)=(?:\"((?:[^\"\\]|\\.)*)\"|(\S*))")


def parse_pairs(text: str) -> dict[str, str]:
    """`a=1 b="two words"`, as logfmt has it."""
    return {name: quoted or plain for name, quoted, plain in PAIR.findall(text)}


def parse_named(pattern: Regex, names: list[str], text: str) -> Data | None:
    """The named groups of a pattern that are in a line; None when it does not match."""
    try:
        found = pattern.search(text)
    except TooComplex:
        return None
    if found is None:
        return None
    groups = found.groups()
    return {name: groups[at] for at, name in enumerate(names) if name and groups[at] is not None}


def time_ms(value: Any, form: str = "") -> int | None:
    """A time in a record in ms since the epoch: by strptime's `form` (%L and %N are fractions), ISO 8601, or a number of seconds."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return round(value * 1000) if abs(value) < 1e11 else None
    try:
        if form and form != "%iso8601":
            form = form.replace("%L", "%f").replace("%N", "%f").replace("%9N", "%f").replace("%3N", "%f").replace("%T", "%H:%M:%S")
            found = datetime.strptime(re.sub(r"(\.\d{6})\d+", r"\1", str(value)), form.replace("%F", "%Y-%m-%d"))
        else:
            found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", str(value).replace("Z", "+00:00")))
        return round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError, OSError, re.error):
        return None


def iso(ms: int, digits: int = 3, end: str = "Z") -> str:
    """`2026-11-21T02:37:00.123Z`; more digits are zeros, for a clock of milliseconds."""
    return stamp(ms, "%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}".ljust(digits, "0")[:digits] + end


def dig(record: Any, path: list[str]) -> Any:
    """The value under keys, one below the other; None when there is none."""
    for name in path:
        if not isinstance(record, dict):
            return None
        record = record.get(name)
    return record
