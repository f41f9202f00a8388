"""sys, os, time, signal, subprocess and the threads: what a program asks of the (simulated) machine, and how it waits there.

Past 400 lines: it is one table of small system calls, a heading for each module."""

from __future__ import annotations

import posixpath
from datetime import UTC, datetime
from typing import Any

from ...process import Errno
from ...procfs import KERNEL_VERSION
from ..base import PATH
from .classes import os_error, problem
from .files import file_of
from .machine import Machine, Thread
from .types import native, size_of
from .values import Ended, Huge, Instance, Park, Thing, type_name

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


# ---- sys


@native("sys.exit")
def _exit(m: Machine, code: Any = None) -> None:
    raise problem("SystemExit", *([] if code is None else [code]))


@native("sys.exc_info")
def _exc_info(m: Machine) -> Any:
    value = m.being_handled()
    return (None, None, None) if value is None else (value.cls, value, None)


@native("sys.getsizeof")
def _getsizeof(m: Machine, value: Any) -> int:
    return size_of(m, value)


@native("sys.getrecursionlimit")
def _limit(m: Machine) -> int:
    return 1000


@native("sys.setrecursionlimit", "sys.setswitchinterval")
def _set_limit(m: Machine, value: Any) -> None:
    """The limit stays what it is."""


@native("sys._getframe")
def _getframe(m: Machine, depth: int = 0) -> Thing:
    frame = m.current.frames[-1 - depth]
    return Thing("frame", {"f_lineno": frame.code.places[max(0, frame.pc - 1)][0]})


# ---- os


@native("os.getenv")
def _getenv(m: Machine, name: str, default: Any = None) -> Any:
    return m.modules["os"].vars["environ"].vars["_data"].get(name, default)


def _pathlike(m: Machine, path: Any) -> str:
    return path if type(path) is str else m.str(path)


@native("os.getpid", "os.getppid")
def _getpid(m: Machine) -> int:
    return m.proc["pid"]


@native("os.getuid", "os.geteuid")
def _getuid(m: Machine) -> int:
    return m.proc["uid"]


@native("os.getgid", "os.getegid")
def _getgid(m: Machine) -> int:
    return m.proc["gid"]


@native("os.getcwd")
def _getcwd(m: Machine) -> str:
    return m.proc["cwd"]


@native("os.chdir")
def _chdir(m: Machine, path: Any) -> None:
    _named(m.sys.chdir, m, path)


def _named(call: Any, m: Machine, path: Any, *args: Any) -> Any:
    """A call on a path; an error tells the path."""
    text = _pathlike(m, path)
    try:
        return call(text, *args)
    except Errno as error:
        raise Errno(error.name, text) from None


@native("os.listdir")
def _listdir(m: Machine, path: Any = ".") -> list[str]:
    found = _named(m.sys.look, m, path)
    if not found.is_dir:
        raise Errno("ENOTDIR", _pathlike(m, path))
    return list(_named(m.sys.listdir, m, path))


@native("os.mkdir")
def _mkdir(m: Machine, path: Any, mode: int = 0o777) -> None:
    _named(m.sys.mkdir, m, path, mode)


@native("os.remove", "os.unlink")
def _remove(m: Machine, path: Any) -> None:
    _named(m.sys.unlink, m, path)


@native("os.rmdir")
def _rmdir(m: Machine, path: Any) -> None:
    _named(m.sys.rmdir, m, path)


@native("os.rename", "os.replace")
def _rename(m: Machine, old: Any, new: Any) -> None:
    try:
        m.sys.rename(_pathlike(m, old), _pathlike(m, new))
    except Errno as error:
        raise Errno(error.name, _pathlike(m, old)) from None


@native("os.symlink")
def _symlink(m: Machine, target: Any, path: Any) -> None:
    _named(lambda text: m.sys.symlink(_pathlike(m, target), text), m, path)


@native("os.chmod")
def _chmod(m: Machine, path: Any, mode: int) -> None:
    _named(lambda text: m.sys.change(text, m=mode), m, path)


@native("os.stat")
def _stat(m: Machine, path: Any) -> Thing:
    found = _named(m.sys.look, m, path)
    inode = found.inode
    plain = inode["t"] == "f" and found.fsid not in ("proc", "sys")
    size = len(m.sys.read_file(_pathlike(m, path)).encode("utf-8", "surrogateescape")) if plain else 4096
    kind = {"d": 0o040000, "f": 0o100000}.get(inode["t"], 0o020000)
    at = inode["mt"] / 1000
    return Thing("stat_result", {"st_mode": kind | inode["m"], "st_size": size, "st_uid": inode["u"], "st_gid": inode["g"], "st_mtime": at,
                                 "st_ctime": at, "st_atime": at, "st_ino": found.ino})  # fmt: skip


@native("os._exists")
def _exists(m: Machine, path: Any) -> str:
    """ "" missing, "d" a directory, "f" a file, or another kind's letter."""
    found = m.sys.find(_pathlike(m, path))
    return "" if found is None else "d" if found.is_dir else str(found.inode["t"])


@native("os._islink")
def _islink(m: Machine, path: Any) -> bool:
    found = m.sys.find(_pathlike(m, path), follow=False)
    return found is not None and found.inode["t"] == "l"


@native("os._normpath")
def _normpath(m: Machine, path: Any) -> str:
    return posixpath.normpath(_pathlike(m, path))


@native("os._exit")
def _hard_exit(m: Machine, code: int) -> None:
    raise Ended(code & 255)


@native("os.abort")
def _abort(m: Machine) -> None:
    m.sys.kill(m.proc["pid"], 6)
    raise Ended(134)


@native("os.kill")
def _kill(m: Machine, pid: int, n: Any) -> None:
    m.sys.kill(pid, int(m.attribute(n, "value") if isinstance(n, Instance) else n))


@native("os._uname")
def _uname(m: Machine) -> list[str]:
    return ["Linux", m.sys.hostname, KERNEL_VERSION, "#1 SMP PREEMPT_DYNAMIC", "x86_64"]


@native("os.cpu_count")
def _cpu_count(m: Machine) -> int:
    return int(m.sys.kernel.state["cpu"] // 1000)


@native("os.urandom")
def _urandom(m: Machine, count: int) -> Any:
    if count > 65_536:
        m.made(count)
        return Huge("bytes", b"\x9d", count)
    return bytes(m.sys.random(256) for _ in range(min(count, 1024))) + bytes(max(0, count - 1024))


@native("os.access")
def _access(m: Machine, path: Any, mode: int) -> bool:
    return m.sys.find(_pathlike(m, path)) is not None if mode == 0 else m.sys.access(_pathlike(m, path), mode)


@native("os.write")
def _write(m: Machine, fd: int, data: bytes) -> int:
    m.sys.write(fd, data.decode("utf-8", "surrogateescape"))
    return len(data)


@native("os.pipe")
def _pipe(m: Machine) -> Any:
    ends = []
    for key in m.sys.pipe():
        fd = next(number for number in range(3, 4096) if str(number) not in m.proc["fds"])
        m.sys.assign(fd, key)
        ends.append(fd)
    return tuple(ends)


@native("os.getloadavg")
def _load(m: Machine) -> Any:
    return tuple(float(one) for one in m.sys.read_file("/proc/loadavg").split()[:3])


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
    frame = m.frame_of(m.attribute(of, "_bootstrap").function, [of], {})
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


# ---- subprocess


@native("subprocess._spawn")
def _spawn(m: Machine, argv: list[str], env: Any, cwd: Any, out: int, err: int, given: int) -> Any:
    """Starts a child: (pid, its output's descriptor, its error's, its input's). 0: shared, -1: a pipe, -2: as output, -3: nowhere."""
    sys = m.sys
    ends: dict[int, str | None] = {}
    mine: list[int] = []

    def free(key: str) -> int:
        fd = next(number for number in range(3, 4096) if str(number) not in m.proc["fds"])
        sys.assign(fd, key)
        return fd

    opened: list[int] = []
    for fd, wish in ((1, out), (2, err)):
        mine.append(-1)
        if wish == -1:
            read, write = sys.pipe()
            mine[-1] = free(read)
            opened.append(free(write))
            ends[fd] = write
        elif wish == -2:
            ends[fd] = ends.get(1, m.proc["fds"].get("1"))
        elif wish == -3:
            ends[fd] = None
    mine.append(-1)
    if given:
        read, write = sys.pipe()
        mine[-1] = free(write)
        opened.append(free(read))
        ends[0] = read
    for fd in mine:
        if fd >= 0:
            ends[fd] = None
    for fd in opened:
        ends[fd] = None
    try:
        pid = sys.spawn(argv, env=env, fds=ends, cwd=cwd)
    except Errno as error:
        for fd in (*mine, *opened):
            if fd >= 0:
                sys.close(fd)
        raise Errno(error.name, argv[0]) from None
    for fd in opened:
        sys.close(fd)
    return (pid, *[file_of(fd, "wb" if index == 2 else "rb", fd, line=True) if fd >= 0 else None for index, fd in enumerate(mine)])


@native("subprocess._poll")
def _poll(m: Machine, pid: int, block: bool, timeout: Any = None) -> Any:
    """A child's code: negative when a signal ended it; None while it runs."""
    found = m.sys.wait(pid, block=False)
    if found is None:
        if not block:
            return None
        if timeout is None:
            raise Park(child=True)
        wait_until(m, timeout * 1000, child=True)
        return None
    return -found[2] if found[2] else found[1]


@native("os._environ")
def _environ(m: Machine) -> Any:
    return dict(m.proc["env"])


@native("os._put")
def _put(m: Machine, name: str, value: Any) -> None:
    env = dict(m.proc["env"])
    if value is None:
        env.pop(name, None)
    else:
        env[name] = value
    m.proc["env"] = env


@native("os.execvp", "os.execv")
def _exec(m: Machine, path: str, argv: Any) -> None:
    m.sys.exec([str(one) for one in m.items(argv)], path=path if "/" in path else None)


@native("os.umask")
def _umask(m: Machine, mask: int) -> int:
    before, m.proc["umask"] = m.proc["umask"], mask
    return before


@native("shutil.which")
def _which(m: Machine, name: str) -> Any:
    try:
        return m.sys.which(name, m.proc["env"].get("PATH", PATH))
    except Errno:
        return None


