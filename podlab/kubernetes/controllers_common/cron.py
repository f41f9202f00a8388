"""Cron schedules as robfig/cron's standard parser reads them: five fields, names, steps, @descriptors, @every."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

MINUTE_MS = 60_000
YEARS = 5  # SpecSchedule.Next gives up after five years
MONTHS = {name: i + 1 for i, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split())}
DAYS = {name: i for i, name in enumerate("sun mon tue wed thu fri sat".split())}
FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (("minute", 0, 59, {}), ("hour", 0, 23, {}),
                                                            ("day-of-month", 1, 31, {}), ("month", 1, 12, MONTHS),
                                                            ("day-of-week", 0, 6, DAYS))
DESCRIPTORS = {"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
               "@daily": "0 0 * * *",
               "@midnight": "0 0 * * *", "@hourly": "0 * * * *"}
UNITS_MS = {"ns": 1e-6, "us": 1e-3, "µs": 1e-3, "ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}


class ScheduleError(ValueError):
    """A schedule that does not parse, in robfig/cron's words."""


@dataclass(frozen=True)
class Schedule:
    """Either an interval (`every_ms`) or five sets of numbers in a time zone."""

    every_ms: int = 0
    fields: tuple[frozenset[int], ...] = ()
    star: tuple[bool, bool] = (False, False)  # whether day-of-month and day-of-week were * or ?
    zone: str = "UTC"

    def next(self, after: int) -> int | None:
        """The first time after a moment (ms); None when there is none within five years."""
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
    """Raises ScheduleError; the zone must exist."""
    if not text:
        raise ScheduleError("empty spec string")
    if text.startswith("@every "):
        return Schedule(every_ms=max(1000, _duration(text.removeprefix("@every ")) // 1000 * 1000), zone=zone)
    if text.startswith("@"):
        if text not in DESCRIPTORS:
            raise ScheduleError(f"unrecognized descriptor: {text}")
        text = DESCRIPTORS[text]
    parts = text.split()
    if len(parts) != len(FIELDS):
        raise ScheduleError(f"expected exactly 5 fields, found {len(parts)}: [{' '.join(parts)}]")
    fields = tuple(_field(part, low, high, names) for part, (_, low, high, names) in zip(parts, FIELDS, strict=True))
    return Schedule(fields=fields, star=(_is_star(parts[2]), _is_star(parts[4])), zone=zone)


def _is_star(part: str) -> bool:
    return any(piece.partition("/")[0] in ("*", "?") for piece in part.split(","))


def _duration(text: str) -> int:
    found = re.findall(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)", text)
    if not found or "".join(number + unit for number, unit in found) != text:
        raise ScheduleError(f'failed to parse duration @every {text}: time: invalid duration "{text}"')
    return round(sum(float(number) * UNITS_MS[unit] for number, unit in found))


def _field(part: str, low: int, high: int, names: dict[str, int]) -> frozenset[int]:
    found: set[int] = set()
    for piece in part.split(","):
        found |= _range(piece, low, high, names)
    return frozenset(found)


def _range(piece: str, low: int, high: int, names: dict[str, int]) -> set[int]:
    span, slash, step_text = piece.partition("/")
    first_text, dash, last_text = span.partition("-")
    if first_text in ("*", "?"):
        first, last = low, high
    else:
        first = _number(first_text, names, piece)
        last = _number(last_text, names, piece) if dash else high if slash else first
    step = _number(step_text, {}, piece) if slash else 1
    if first < low:
        raise ScheduleError(f"beginning of range ({first}) below minimum ({low}): {piece}")
    if last > high:
        raise ScheduleError(f"end of range ({last}) above maximum ({high}): {piece}")
    if first > last:
        raise ScheduleError(f"beginning of range ({first}) beyond end of range ({last}): {piece}")
    if step == 0:
        raise ScheduleError(f"step of range should be a positive number: {piece}")
    return set(range(first, last + 1, step))


def _number(text: str, names: dict[str, int], piece: str) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not text.isdigit():
        raise ScheduleError(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax')
    return int(text)
