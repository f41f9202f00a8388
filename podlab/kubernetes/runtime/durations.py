"""Go's way to write a duration (time.ParseDuration), for the configuration of programs that are written in Go."""

from __future__ import annotations

import re

PART = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s)")
UNITS = {"h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}


def milliseconds(text: str) -> int | None:
    """Of `24h`, `1h30m` or `0`; None for what is no duration."""
    parts = PART.findall(text[:100])
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return 0 if text == "0" else None
    return round(sum(float(number) * UNITS[unit] for number, unit in parts))
