"""datetime: dates, times and spans. A moment is kept as text of its parts, reckoned with Python's own calendar.

now() and today() are the cluster's clock; the container's zone is UTC.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from .classes import problem
from .machine import Machine
from .natives import NATIVES, native
from .operators import HOST
from .values import Thing, type_name

PARTS = ("year", "month", "day", "hour", "minute", "second", "microsecond")


def _span(value: timedelta) -> Thing:
    return Thing("datetime.timedelta", {"days": value.days, "seconds": value.seconds, "microseconds": value.microseconds})


def _moment(value: datetime | date, kind: str = "datetime.datetime") -> Thing:
    if isinstance(value, datetime):
        zone = None if value.tzinfo is None else _zone(value.tzinfo)
        return Thing(kind, {**{name: getattr(value, name) for name in PARTS}, "tzinfo": zone})
    return Thing("datetime.date", {name: getattr(value, name) for name in PARTS[:3]})


def _zone(value: Any) -> Thing:
    offset = value.utcoffset(None)
    return Thing("datetime.timezone", {"_minutes": int(offset.total_seconds() // 60)})


def host(value: Any) -> Any:
    """This process's own date of a simulated one."""
    if type(value) is not Thing:
        return value
    if value.kind == "datetime.timedelta":
        return timedelta(**value.vars)
    if value.kind == "datetime.timezone":
        minutes = value.vars["_minutes"]
        return UTC if minutes == 0 else timezone(timedelta(minutes=minutes))
    if value.kind == "datetime.date":
        return date(**value.vars)
    if value.kind == "datetime.datetime":
        return datetime(**{name: value.vars[name] for name in PARTS}, tzinfo=host(value.vars["tzinfo"]))
    return value


def ours(value: Any) -> Any:
    if isinstance(value, (datetime, date)):
        return _moment(value)
    return _span(value) if isinstance(value, timedelta) else value


# ---- making


@native("new.datetime.datetime")
def _datetime(m: Machine, *args: Any, tzinfo: Any = None, **kwargs: Any) -> Thing:
    return _moment(datetime(*args, **{**kwargs, "tzinfo": host(tzinfo)}))


@native("new.datetime.date")
def _date(m: Machine, year: int, month: int, day: int) -> Thing:
    return _moment(date(year, month, day))


@native("new.datetime.timedelta")
def _timedelta(m: Machine, days: Any = 0, seconds: Any = 0, microseconds: Any = 0, milliseconds: Any = 0, minutes: Any = 0, hours: Any = 0,
               weeks: Any = 0) -> Thing:  # fmt: skip
    return _span(timedelta(days, seconds, microseconds, milliseconds, minutes, hours, weeks))


@native("new.datetime.timezone")
def _timezone(m: Machine, offset: Any, name: Any = None) -> Thing:
    return _zone(timezone(host(offset)))


@native("class datetime.datetime.now", "class datetime.datetime.today")
def _now(m: Machine, tz: Any = None) -> Thing:
    at = datetime.fromtimestamp(m.sys.now / 1000, UTC)
    return _moment(at.replace(tzinfo=None) if tz is None else at.astimezone(host(tz)))


@native("class datetime.datetime.utcnow")
def _utcnow(m: Machine) -> Thing:
    return _moment(datetime.fromtimestamp(m.sys.now / 1000, UTC).replace(tzinfo=None))


@native("class datetime.date.today")
def _today(m: Machine) -> Thing:
    return _moment(datetime.fromtimestamp(m.sys.now / 1000, UTC).date())


@native("class datetime.datetime.fromtimestamp")
def _fromtimestamp(m: Machine, value: float, tz: Any = None) -> Thing:
    at = datetime.fromtimestamp(value, UTC)
    return _moment(at.replace(tzinfo=None) if tz is None else at.astimezone(host(tz)))


@native("class datetime.datetime.fromisoformat")
def _fromisoformat(m: Machine, text: str) -> Thing:
    return _moment(datetime.fromisoformat(text))


@native("class datetime.date.fromisoformat")
def _date_fromisoformat(m: Machine, text: str) -> Thing:
    return _moment(date.fromisoformat(text))


@native("class datetime.datetime.strptime")
def _strptime(m: Machine, text: str, form: str) -> Thing:
    if len(text) + len(form) > 400:
        raise m.full()
    return _moment(datetime.strptime(text, form))


# ---- methods


def _method(kind: str, name: str) -> None:
    def method(m: Machine, value: Thing, *args: Any, **kwargs: Any) -> Any:
        if any(type(one) is str and len(one) > 2000 for one in args):
            raise m.full()
        given = {key: host(one) for key, one in kwargs.items()}
        return ours(getattr(host(value), name)(*[host(one) for one in args], **given))

    NATIVES[f"{kind}.{name}"] = method


for _name in ("isoformat", "strftime", "timestamp", "date", "replace", "weekday", "isoweekday", "astimezone", "ctime", "toordinal", "utcoffset"):
    _method("datetime.datetime", _name)
for _name in ("isoformat", "strftime", "replace", "weekday", "isoweekday", "ctime", "toordinal"):
    _method("datetime.date", _name)
_method("datetime.timedelta", "total_seconds")


def _sign(kind: str, name: str, sign: str, swapped: bool = False) -> None:
    def method(m: Machine, value: Thing, other: Any) -> Any:
        if (type(other) is Thing and not other.kind.startswith("datetime.")) or type(other) not in (Thing, int, float):
            return NotImplemented
        a, b = (host(other), host(value)) if swapped else (host(value), host(other))
        try:
            return ours(HOST[sign](a, b))
        except TypeError:
            raise problem("TypeError", f"unsupported operand type(s): '{type_name(value)}' and '{type_name(other)}'") from None

    NATIVES[f"{kind}.__{name}__"] = method


for _kind in ("datetime.datetime", "datetime.date", "datetime.timedelta"):
    for _name, _op in (("add", "Add"), ("sub", "Sub"), ("lt", "Lt"), ("le", "LtE"), ("gt", "Gt"), ("ge", "GtE"), ("eq", "Eq"), ("mul", "Mult"),
                       ("truediv", "Div"), ("floordiv", "FloorDiv")):  # fmt: skip
        _sign(_kind, _name, _op)
    _sign(_kind, "radd", "Add", swapped=True)
    _sign(_kind, "rmul", "Mult", swapped=True)


def _written(kind: str) -> None:
    def text(m: Machine, value: Thing) -> str:
        return str(host(value))

    def shown(m: Machine, value: Thing) -> str:
        return repr(host(value)).replace("datetime.UTC", "datetime.timezone.utc")

    def formatted(m: Machine, value: Thing, spec: str) -> str:
        return format(host(value), spec[:200])

    made: dict[str, Callable[..., Any]] = {"__str__": text, "__repr__": shown, "__format__": formatted}
    for name, function in made.items():
        NATIVES[f"{kind}.{name}"] = function


for _kind in ("datetime.datetime", "datetime.date", "datetime.timedelta", "datetime.timezone"):
    _written(_kind)


@native("datetime.timedelta.__bool__")
def _bool(m: Machine, value: Thing) -> bool:
    return bool(host(value))
