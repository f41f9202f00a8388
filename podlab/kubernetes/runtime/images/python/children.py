"""subprocess: a child process, its pipes and its end."""

from __future__ import annotations

from typing import Any

from ...process import Errno
from .files import file_of
from .machine import Machine
from .natives import native
from .values import Park
from .waiting import wait_until

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
