"""sys and os: what a program asks of the (simulated) machine."""

from __future__ import annotations

import posixpath
from typing import Any

from ...process import Errno
from ...procfs import KERNEL_VERSION
from ..base import PATH
from .classes import problem
from .machine import Machine
from .natives import native
from .objects import size_of
from .values import Ended, Huge, Instance, Thing

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
