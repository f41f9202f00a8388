"""Cron schedules: whether one parses, and robfig/cron's words if not (github.com/robfig/cron/v3, parser.go)."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MONTHS = {name: i + 1 for i, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split())}
DAYS = {name: i for i, name in enumerate("sun mon tue wed thu fri sat".split())}
FIELDS: tuple[tuple[int, int, dict[str, int]], ...] = ((0, 59, {}), (0, 23, {}), (1, 31, {}), (1, 12, MONTHS), (0, 6, DAYS))
DESCRIPTORS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
DURATION = re.compile(r"[-+]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)\Z")


class ScheduleError(ValueError):
    """The text is the parser's."""


def check_schedule(spec: str) -> None:
    """Raises ScheduleError unless `spec` is a standard schedule: five fields, a descriptor, or one with a time zone before it."""
    if not spec:
        raise ScheduleError("empty spec string")
    if spec.startswith(("TZ=", "CRON_TZ=")):
        zone, _, rest = spec.partition(" ")
        name = zone.partition("=")[2]
        if problem := bad_zone(name):
            raise ScheduleError(f"provided bad location {name}: {problem}")
        spec = rest.strip()
    if spec.startswith("@"):
        _check_descriptor(spec)
        return
    fields = spec.split()
    if len(fields) != len(FIELDS):
        raise ScheduleError(f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]")
    for text, (low, high, names) in zip(fields, FIELDS, strict=True):
        for part in text.split(","):
            if part:
                _check_range(part, low, high, names)


def _check_descriptor(spec: str) -> None:
    if spec in DESCRIPTORS:
        return
    if spec.startswith("@every "):
        duration = spec.removeprefix("@every ")
        if DURATION.match(duration):
            return
        problem = "invalid duration" if not re.match(r"[-+]?[\d.]+\Z", duration) else "missing unit in duration"
        raise ScheduleError(f'failed to parse duration {spec}: time: {problem} "{duration}"')
    raise ScheduleError(f"unrecognized descriptor: {spec}")


def _check_range(expr: str, low: int, high: int, names: dict[str, int]) -> None:
    ranged, *steps = expr.split("/")
    ends = ranged.split("-")
    single = len(ends) == 1
    if ends[0] in ("*", "?"):
        start, end = low, high
    else:
        start = _number(ends[0], names)
        if len(ends) > 2:
            raise ScheduleError(f"too many hyphens: {expr}")
        end = start if single else _number(ends[1], names)
    step = 1
    if len(steps) > 1:
        raise ScheduleError(f"too many slashes: {expr}")
    if steps:
        step = _number(steps[0], {})
        if single:
            end = high
    if start < low:
        raise ScheduleError(f"beginning of range ({start}) below minimum ({low}): {expr}")
    if end > high:
        raise ScheduleError(f"end of range ({end}) above maximum ({high}): {expr}")
    if start > end:
        raise ScheduleError(f"beginning of range ({start}) beyond end of range ({end}): {expr}")
    if step == 0:
        raise ScheduleError(f"step of range should be a positive number: {expr}")


def _number(text: str, names: dict[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not re.match(r"[-+]?[0-9]+\Z", text):
        raise ScheduleError(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax')
    if int(text) < 0:
        raise ScheduleError(f"negative number ({int(text)}) not allowed: {text}")
    return int(text)


def bad_zone(name: str) -> str:
    """Why Go's time.LoadLocation would not load a zone, or ''."""
    if name in ("", "UTC", "Local"):
        return ""
    if ".." in name or name[0] in "/\\":
        return "time: invalid location name"
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return f"unknown time zone {name}"
    return ""
