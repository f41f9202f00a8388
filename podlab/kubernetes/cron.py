"""Cron schedules as robfig/cron's standard parser reads and refuses them (github.com/robfig/cron/v3, parser.go, spec.go): five fields, names,
steps, @descriptors, @every. The API server validates with it, the CronJob controller asks it for the next time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .times import parse_go_duration

MINUTE_MS = 60_000
LAST_MS = 250_000_000_000_000  # in the year 9892: no calendar goes far beyond
LONGEST = 10_000  # characters: each piece between two commas takes 4 us, at every look; a real one has no end
YEARS = 5  # SpecSchedule.Next gives up after five years
MONTHS = {name: i + 1 for i, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split())}
DAYS = {name: i for i, name in enumerate("sun mon tue wed thu fri sat".split())}
FIELDS: tuple[tuple[int, int, dict[str, int]], ...] = ((0, 59, {}), (0, 23, {}), (1, 31, {}), (1, 12, MONTHS), (0, 6, DAYS))
DESCRIPTORS = {"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
               "@daily": "0 0 * * *",
               "@midnight": "0 0 * * *", "@hourly": "0 * * * *"}


class ScheduleError(ValueError):
    """A schedule that does not parse, in robfig/cron's words."""


@dataclass(frozen=True)
class Schedule:
    """Either an interval (`every_ms`) or five sets of numbers in a time zone."""

    every_ms: int = 0
    fields: tuple[frozenset[int], ...] = ()
    star: tuple[bool, bool] = (False, False)  # whether day-of-month and day-of-week are any, without a step
    zone: str = "UTC"

    def next(self, after: int) -> int | None:
        """The first time after a moment (ms); None when there is none within five years."""
        if after > LAST_MS:
            return None
        if self.every_ms:
            return after // 1000 * 1000 + self.every_ms
        zone = UTC if self.zone == "UTC" else ZoneInfo(self.zone)
        minutes, hours, _, months, _ = self.fields
        at = after // MINUTE_MS * MINUTE_MS + MINUTE_MS
        limit = after + YEARS * 366 * 86_400_000
        while at < limit:
            local = datetime.fromtimestamp(at // 1000, zone)
            if local.month not in months or not self._on_day(local):
                midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, fold=0)
                at = max(round(midnight.timestamp()) * 1000, at + MINUTE_MS)
            elif local.hour not in hours:
                at += (60 - local.minute) * MINUTE_MS
            elif local.minute not in minutes:
                at += MINUTE_MS
            else:
                return at
        return None

    def _on_day(self, local: datetime) -> bool:
        """dayMatches: when both day fields are restricted, either may match."""
        in_month, in_week = local.day in self.fields[2], (local.weekday() + 1) % 7 in self.fields[4]
        return (in_month and in_week) if any(self.star) else (in_month or in_week)


def parse(text: str, zone: str = "UTC") -> Schedule:
    """Raises ScheduleError; `zone`, which must exist, counts where the text names none of its own."""
    if not text:
        raise ScheduleError("empty spec string")
    if len(text) > LONGEST:
        raise ScheduleError(f"more than {LONGEST} characters")
    if text.startswith(("TZ=", "CRON_TZ=")):
        named, _, rest = text.partition(" ")
        zone = named.partition("=")[2]
        if problem := bad_zone(zone):
            raise ScheduleError(f"provided bad location {zone}: {problem}")
        zone, text = zone if zone not in ("", "Local") else "UTC", rest.strip()
    if text.startswith("@every "):
        return Schedule(every_ms=max(1000, _duration(text) // 1000 * 1000), zone=zone)
    if text.startswith("@"):
        if text not in DESCRIPTORS:
            raise ScheduleError(f"unrecognized descriptor: {text}")
        text = DESCRIPTORS[text]
    parts = text.split()
    if len(parts) != len(FIELDS):
        raise ScheduleError(f"expected exactly 5 fields, found {len(parts)}: [{' '.join(parts)}]")
    found = [_field(part, *bounds) for part, bounds in zip(parts, FIELDS, strict=True)]
    return Schedule(fields=tuple(numbers for numbers, _ in found), star=(found[2][1], found[4][1]), zone=zone)


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


def _duration(text: str) -> int:
    """Milliseconds of `@every DURATION`, which is one of Go's."""
    try:
        return parse_go_duration(text.removeprefix("@every "))
    except ValueError as error:
        raise ScheduleError(f"failed to parse duration {text}: {error}") from None


def _field(part: str, low: int, high: int, names: dict[str, int]) -> tuple[frozenset[int], bool]:
    """(its numbers, whether one of its pieces is any number)."""
    ranges = [_range(piece, low, high, names) for piece in part.split(",") if piece]
    return frozenset(number for numbers, _ in ranges for number in numbers), any(star for _, star in ranges)


def _range(piece: str, low: int, high: int, names: dict[str, int]) -> tuple[range, bool]:
    ranged, *steps = piece.split("/")
    ends = ranged.split("-")
    single = len(ends) == 1
    star = ends[0] in ("*", "?")
    if star:
        first, last = low, high
    else:
        first = _number(ends[0], names)
        if len(ends) > 2:
            raise ScheduleError(f"too many hyphens: {piece}")
        last = first if single else _number(ends[1], names)
    step = 1
    if len(steps) > 1:
        raise ScheduleError(f"too many slashes: {piece}")
    if steps:
        step = _number(steps[0], {})
        last = high if single else last
        star = star and step <= 1
    if first < low:
        raise ScheduleError(f"beginning of range ({first}) below minimum ({low}): {piece}")
    if last > high:
        raise ScheduleError(f"end of range ({last}) above maximum ({high}): {piece}")
    if first > last:
        raise ScheduleError(f"beginning of range ({first}) beyond end of range ({last}): {piece}")
    if step == 0:
        raise ScheduleError(f"step of range should be a positive number: {piece}")
    return range(first, last + 1, step), star


def _number(text: str, names: dict[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not re.match(r"[-+]?[0-9]+\Z", text):
        raise ScheduleError(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax')
    if len(text.lstrip("-+0")) > 18:
        raise ScheduleError(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": value out of range')
    if int(text) < 0:
        raise ScheduleError(f"negative number ({int(text)}) not allowed: {text}")
    return int(text)
