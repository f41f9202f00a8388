"""Times as Kubernetes writes them. Virtual time is an int of milliseconds since the Unix epoch of the cluster's world."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

UNITS_MS = {"ns": 1e-6, "us": 1e-3, "µs": 1e-3, "μs": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4, "h": 3.6e6}  # unitMap, time/format.go
LONGEST_MS = 2**63 / 1e6  # a duration is an int64 of nanoseconds
PART = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)([^0-9.]*)")


@lru_cache(maxsize=1024)  # whole bursts of writes share a second, and then its text too
def _second(seconds: int, end: str = "") -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S") + end


def rfc3339(ms: int) -> str:
    """`2026-11-21T02:37:00Z`: metav1.Time, whole seconds, cut not rounded."""
    return _second(ms // 1000, "Z")


def rfc3339_micro(ms: int) -> str:
    """`2026-11-21T02:37:00.123000Z`: metav1.MicroTime."""
    return f"{_second(ms // 1000)}.{ms % 1000:03d}000Z"


@lru_cache(maxsize=2048)  # the times of a status are read again with each write of it
def parse_rfc3339(text: str) -> int:
    """Milliseconds of an RFC 3339 time. Raises ValueError."""
    return round(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def go_duration(ms: int) -> str:
    """A duration as Go prints it: `10s`, `1m20s`, `5m0s`, `62ms`, `1.234s`."""
    if ms < 1000:
        return f"{ms}ms"
    minutes, rest = divmod(ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest // 1000}" + (f".{rest % 1000:03d}".rstrip("0") if rest % 1000 else "") + "s"
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + seconds


def parse_go_duration(text: str) -> int:
    """Milliseconds of `1m30s`, `0`, `500ms`, `-1.5h` (time.ParseDuration). Raises ValueError in Go's words."""
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if rest == "0":
        return 0
    total, at = 0.0, 0
    while part := PART.match(rest, at):
        number, unit = part.groups()
        if unit not in UNITS_MS:
            raise ValueError(f"time: unknown unit {_quoted(unit)} in duration {_quoted(text)}" if unit else
                             f"time: missing unit in duration {_quoted(text)}")
        total += float(number) * UNITS_MS[unit]
        at = part.end()
    if not rest or at < len(rest) or total >= LONGEST_MS:
        raise ValueError(f"time: invalid duration {_quoted(text)}")
    return sign * round(total)


def _quoted(text: str) -> str:
    """As the package time quotes what it could not read: the bytes of what is no plain ASCII as \\xXX."""
    return '"' + "".join("\\" + char if char in '"\\' else char if " " <= char < "\x80" else
                         "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogateescape")) for char in text) + '"'


def human_duration(ms: int) -> str:
    """An age in two units at most, as tables show it (HumanDuration, apimachinery/pkg/util/duration/duration.go)."""
    seconds = int(ms / 1000)
    if seconds < -1:
        return "<invalid>"
    if seconds < 0:
        return "0s"
    if seconds < 120:
        return f"{seconds}s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 10:
        return f"{minutes}m" + (f"{seconds % 60}s" if seconds % 60 else "")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h" + (f"{minutes % 60}m" if minutes % 60 else "")
    if hours < 48:
        return f"{hours}h"
    if hours < 192:
        return f"{days}d" + (f"{hours % 24}h" if hours % 24 else "")
    if days < 365 * 2:
        return f"{days}d"
    years = days // 365
    if days < 365 * 8:
        return f"{years}y" + (f"{days % 365}d" if days % 365 else "")
    return f"{years}y"


def http_date(ms: int) -> str:
    """`Sat, 21 Nov 2026 02:37:00 GMT`."""
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")


def clf_time(ms: int) -> str:
    """`21/Nov/2026:02:37:00 +0000`, the common log format's."""
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")


def stamp(ms: int, form: str) -> str:
    """A time in a program's log, strftime's way."""
    return _stamp(ms if "%f" in form else ms - ms % 1000, form)


@lru_cache(maxsize=256)  # a program that starts writes many lines in one second
def _stamp(ms: int, form: str) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime(form)
