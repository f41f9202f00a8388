"""Times in JSON, and what Go's time package says of what is none (time/format.go; meta/v1/time.go, micro_time.go)."""

from __future__ import annotations

import contextlib
import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta

from .errors import show

SECONDS, MICROSECONDS = "2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05.000000Z07:00"  # time.RFC3339, metav1.RFC3339Micro
TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d?):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))\Z", re.ASCII)
# What a layout is made of: how Go writes the part, what a text must begin with, the least and the most, the name of what is out of range
PARTS = (("2006", r"\d{4}", 0, 9999, ""), ("-", "-", 0, 0, ""), ("01", r"\d\d", 1, 12, "month"), ("-", "-", 0, 0, ""), ("02", r"\d\d", 0, 99, ""),
         ("T", "T", 0, 0, ""), ("15", r"\d\d?", 0, 23, "hour"), (":", ":", 0, 0, ""), ("04", r"\d\d", 0, 59, "minute"), (":", ":", 0, 0, ""),
         ("05", r"\d\d", 0, 59, "second"))  # fmt: skip
FRACTION = re.compile(r"[.,]\d+", re.ASCII)
ZONE = re.compile(r"Z|[+-](\d\d):(\d\d)", re.ASCII)


class TimeError(ValueError):
    """Not a time; the text is Go's."""


def in_utc(text: str, micro: bool) -> str:
    """A time as the server writes it again: in UTC, with six digits of a second or none. Raises TimeError."""
    if complaint := _complaint(text, MICROSECONDS if micro else SECONDS):
        raise TimeError(f"parsing time {show(text)}{complaint}")
    match = TIME.match(text)
    if match is None:
        return text
    year, month, day, hour, minute, second = (int(match[i]) for i in range(1, 7))
    at = datetime(max(1, year), month, day if year else 1, hour, minute, second, tzinfo=UTC)
    if match[8]:
        apart = timedelta(hours=int(match[9]), minutes=int(match[10]))
        with contextlib.suppress(OverflowError):  # the zone leads out of the years that there are: Go's reach further than anybody's clock
            at = at - apart if match[8] == "+" else at + apart
    return at.isoformat()[:19] + (f".{match[7][:6]}" if micro and match[7] else "") + "Z"


def _complaint(value: str, layout: str) -> str:
    """What time.Parse says behind the text, nothing where it is a time."""
    found: list[int] = []
    for part, begins, least, most, name in PARTS:
        match = re.match(begins, value, re.ASCII)
        if match is None:
            while len(part) == 1 and value[:1] == part:
                value = value[1:]
            return f" as {show(layout)}: cannot parse {show(value)} as {show(part)}"
        value = value[match.end():]
        if part.isdigit():
            found.append(int(match[0]))
            if not least <= found[-1] <= most:
                return f": {name} out of range"
    fraction = FRACTION.match(value)
    if layout == MICROSECONDS and (fraction is None or fraction.end() < 7):
        return f' as {show(layout)}: cannot parse {show(value)} as ".000000"'
    if fraction is not None:
        value = value[7 if layout == MICROSECONDS else fraction.end():]
    zone = ZONE.match(value)
    if zone is None:
        return f' as {show(layout)}: cannot parse {show(value)} as "Z07:00"'
    for i, (most, name) in enumerate(((24, "hour"), (60, "minute")), 1):
        if zone[i] and int(zone[i]) > most:
            return f": time zone offset {name} out of range"
    if rest := value[zone.end():]:
        return f": extra text: {show(rest)}"
    year, month, day = found[:3]
    return "" if 1 <= day <= (monthrange(year, month)[1] if year else 31) else ": day out of range"
