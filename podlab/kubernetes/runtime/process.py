"""A process as plain data, and the words the kernel and its programs share: signals, errors, waiting.

A process is a dict (`Process`) inside `Node.state["processes"]`, under the key `"<pid namespace>:<pid>"`. Everything a program
remembers between two of its turns lives in `proc["data"]`: JSON values only. Nothing else of a program exists between turns.
"""

from __future__ import annotations

from typing import Any, TypedDict

Data = dict[str, Any]


class Process(TypedDict):
    """One process. `Node.processes(container_id)` lists them; programs get their own as `proc`."""

    key: str  # "<ns>:<pid>", unique on the node for ever
    pid: int  # in its own pid namespace
    ppid: int  # 0: started from outside the namespace (process 1, exec)
    ns: str  # pid namespace: one a container, or one a Pod when shareProcessNamespace is on
    pgid: int  # process group, for Ctrl-C and kill -PGID
    container: str  # container id; "" for the Pod's pause process
    pod: str  # pod uid
    exec_id: str  # exec session that it belongs to, "" for the container's own
    program: str  # name in program.PROGRAMS
    argv: list[str]
    env: dict[str, str]
    cwd: str
    uid: int
    gid: int
    groups: list[int]  # rising, the gid among them, as getgroups(2) has them
    umask: int
    fds: dict[str, str]  # fd number -> open file description id (Node.state["files"])
    data: Data  # the program's own memory
    wait: Data | None  # what it waits for (see kernel.py); None: in the run queue, or stopped
    state: str  # "running" (or sleeping), "stopped", "zombie"
    stall: str  # pipe that its output has overfilled, "" if none
    children: list[str]  # keys
    status: int  # exit code once a zombie; 128+n when signal n killed it
    killed: int  # that signal, or 0
    orphan: bool  # its parent has ended; it goes without being waited for
    queued: bool  # has a turn coming
    ignored: list[int]  # signals set to be ignored (inherited)
    memory: int  # bytes resident
    burn: int  # millicores it uses steadily until it says otherwise (a CPU-bound program without steps)
    debt: int  # microseconds of CPU used but not yet paid for in virtual time
    cpu_us: int  # microseconds of CPU in its whole life
    started: int  # ms


SIGNALS: dict[str, int] = {
    "HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "TRAP": 5, "ABRT": 6, "BUS": 7, "FPE": 8, "KILL": 9, "USR1": 10, "SEGV": 11,
    "USR2": 12,
    "PIPE": 13, "ALRM": 14, "TERM": 15, "STKFLT": 16, "CHLD": 17, "CONT": 18, "STOP": 19, "TSTP": 20, "TTIN": 21, "TTOU": 22,
    "URG": 23,
    "XCPU": 24, "XFSZ": 25, "VTALRM": 26, "PROF": 27, "WINCH": 28, "IO": 29, "PWR": 30, "SYS": 31,
}  # fmt: skip
"""Linux's numbers, signal(7)."""
SIGNAL_NAMES = {number: name for name, number in SIGNALS.items()}
HUP, INT, QUIT, KILL, USR1, USR2, PIPE, ALRM, TERM, CHLD, CONT, STOP, TSTP, WINCH = (
    1,
    2,
    3,
    9,
    10,
    12,
    13,
    14,
    15,
    17,
    18,
    19,
    20,
    28,
)
IGNORED_BY_DEFAULT = (CHLD, CONT, 23, WINCH)


def signal_number(name: str) -> int | None:
    """`TERM`, `SIGTERM`, `15` or `RTMIN+3` -> number (case-insensitive); None when there is no such signal."""
    if name.isascii() and name.isdigit():
        return int(name) if len(name) < 9 and int(name) <= 64 else None
    name = name.upper().removeprefix("SIG")
    if name.startswith("RTMIN"):
        more = name[6:]
        return 34 + int(more) if more.isascii() and more.isdigit() and len(more) < 3 else 34
    return 0 if name == "EXIT" else SIGNALS.get(name)


ERRORS: dict[str, str] = {
    "ENOENT": "No such file or directory", "EACCES": "Permission denied", "EEXIST": "File exists", "ENOTDIR": "Not a directory",
    "EISDIR": "Is a directory", "EINVAL": "Invalid argument", "ENOSPC": "No space left on device",
    "EROFS": "Read-only file system",
    "ENOTEMPTY": "Directory not empty", "EBADF": "Bad file descriptor", "EPERM": "Operation not permitted",
    "ESRCH": "No such process",
    "ELOOP": "Too many levels of symbolic links", "EBUSY": "Device or resource busy", "EXDEV": "Invalid cross-device link",
    "ECHILD": "No child processes", "EADDRINUSE": "Address already in use", "ECONNREFUSED": "Connection refused",
    "EHOSTUNREACH": "No route to host", "ETIMEDOUT": "Connection timed out", "ENETUNREACH": "Network is unreachable",
    "ECONNRESET": "Connection reset by peer", "EPIPE": "Broken pipe", "ENOEXEC": "Exec format error",
    "ENOMEM": "Cannot allocate memory", "ENAMETOOLONG": "File name too long", "ENOTTY": "Inappropriate ioctl for device",
    "ENXIO": "No such device or address", "EIO": "Input/output error", "EINTR": "Interrupted system call",
    "EAGAIN": "Resource temporarily unavailable",
    "E2BIG": "Argument list too long",
}  # fmt: skip
"""glibc's strerror texts (the default busybox image is the glibc one)."""


class Errno(Exception):
    """A system call that failed, as errno would tell. `name` is ENOENT ..., `text` what strerror prints."""

    def __init__(self, name: str, path: str = "") -> None:
        super().__init__(name, path)
        self.name, self.path, self.text = name, path, ERRORS.get(name, name)


class Blocked(Exception):
    """The call cannot go on now. Programs let it fly: the kernel calls their `resume` when it is worth trying again."""


class Exited(Exception):
    """The process has ended (exit, exec of another program, or a signal it raised itself). Programs let it fly."""


class Replaced(Exited):
    """The process has become another program, whose first turn comes now."""
