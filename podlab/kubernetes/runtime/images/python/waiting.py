"""time, signals and threads: how a program waits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from .arguments import frame_of
from .classes import os_error, problem
from .frames import Thread
from .machine import Machine
from .natives import native
from .values import Park, Thing, type_name

THREADS_MAX = 200


def now_s(m: Machine) -> float:
    """time.time(): the cluster's clock, and what this turn has computed so far."""
    return int(m.sys.now) / 1000


def wait_until(m: Machine, ms: float, **more: Any) -> bool:
    """Waits so long, once for the call that is going on; False when the time is over. Raises Park."""
    memo = m.current.frames[-1].memo
    until = memo.setdefault("until", m.sys.now + max(0, round(ms)))
    if m.sys.now >= until:
        return False
    raise Park(until=until, **more)


@native("time.sleep")
def _sleep(m: Machine, seconds: Any) -> None:
    if type(seconds) not in (int, float, bool):
        raise problem("TypeError", f"'{type_name(seconds)}' object cannot be interpreted as an integer")
    if seconds < 0:
        raise problem("ValueError", "sleep length must be non-negative")
    wait_until(m, min(seconds, 10**9) * 1000)


@native("time.time")
def _time(m: Machine) -> float:
    return now_s(m)


@native("time.monotonic", "time.perf_counter", "time.process_time", "time.thread_time")
def _monotonic(m: Machine) -> float:
    return (m.sys.now - int(m.sys.kernel.state["booted"])) / 1000


@native("time.time_ns", "time.monotonic_ns", "time.perf_counter_ns")
def _time_ns(m: Machine) -> int:
    return m.sys.now * 1_000_000


def _moment(m: Machine, value: Any) -> datetime:
    if isinstance(value, Thing):
        fields = value.vars["_fields"]
        year, month, day, hour, minute, second = fields[:6]
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    return datetime.fromtimestamp(now_s(m) if value is None else value, UTC)


@native("time.strftime")
def _strftime(m: Machine, form: str, value: Any = None) -> str:
    if len(form) > 2000:
        raise m.full()
    return _moment(m, value).strftime(form)


@native("time.localtime", "time.gmtime")
def _localtime(m: Machine, value: Any = None) -> Thing:
    at = _moment(m, value)
    fields = [at.year, at.month, at.day, at.hour, at.minute, at.second, at.weekday(), at.timetuple().tm_yday, 0]
    names = ("tm_year", "tm_mon", "tm_mday", "tm_hour", "tm_min", "tm_sec", "tm_wday", "tm_yday", "tm_isdst")
    return Thing("struct_time", {**dict(zip(names, fields, strict=True)), "_fields": fields})


@native("time.ctime", "time.asctime")
def _ctime(m: Machine, value: Any = None) -> str:
    return _moment(m, value).strftime("%a %b %e %H:%M:%S %Y")


@native("time.mktime")
def _mktime(m: Machine, value: Any) -> float:
    return _moment(m, value).timestamp()


# ---- signals


@native("signal._set")
def _signal(m: Machine, n: int, handler: Any) -> Any:
    if m.current is not m.threads[0]:
        raise problem("ValueError", "signal only works in main thread of the main interpreter")
    if not 1 <= n <= 64 or n in (9, 19):
        raise os_error("EINVAL", "Invalid argument")
    handlers = m.facts.setdefault("handlers", {})
    before = handlers.get(str(n), 0)
    handlers[str(n)] = handler
    if handler == 1:
        m.sys.ignore(n)
    else:
        m.sys.ignore(n, False)
    return before


@native("signal.pause")
def _pause(m: Machine) -> None:
    memo = m.current.frames[-1].memo
    seen = memo.setdefault("seen", m.facts.get("delivered", 0))
    if m.facts.get("delivered", 0) == seen:
        raise Park(others=True)


@native("signal.alarm")
def _alarm(m: Machine, seconds: int) -> int:
    m.facts["alarm"] = m.sys.now + seconds * 1000 if seconds else 0
    return 0


# ---- threads


@native("_thread._start")
def _start(m: Machine, of: Any, name: str, daemon: bool) -> int:
    if len(m.threads) >= THREADS_MAX:
        raise problem("RuntimeError", "can't start new thread")
    ident = int(m.facts.get("threads", 0)) + 1
    m.facts["threads"] = ident
    frame = frame_of(m.attribute(of, "_bootstrap").function, [of], {})
    frame.kind = "drop"
    made = Thread(ident, name, frame, of)
    made.daemon = bool(daemon)
    m.threads.append(made)
    m.made(8 << 10)
    m.sys.charge(500)
    return ident


@native("_thread._alive")
def _alive(m: Machine, ident: int) -> bool:
    return any(one.ident == ident for one in m.threads)


@native("_thread._join")
def _join(m: Machine, ident: int, timeout: Any = None) -> None:
    if not _alive(m, ident):
        return
    if timeout is None:
        raise Park(others=True)
    wait_until(m, timeout * 1000, others=True)


@native("_thread._current")
def _current(m: Machine) -> Any:
    return m.current.of


@native("_thread.get_ident")
def _ident(m: Machine) -> int:
    return 140_000_000_000_000 + int(m.current.ident)


@native("builtin._wait")
def _wait(m: Machine, box: Any, timeout: Any = None) -> bool:
    """Waits until there is something in the box; False when time is over first."""
    if box:
        return True
    if timeout is None:
        raise Park(others=True)
    return wait_until(m, timeout * 1000, others=True)


@native("builtin._take")
def _take(m: Machine, box: Any, timeout: Any = None) -> bool:
    """As _wait, and takes one out of it."""
    if not box:
        return bool(_wait(m, box, timeout))
    box.pop()
    return True
