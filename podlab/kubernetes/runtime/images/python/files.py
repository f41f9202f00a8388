"""open, print, input, sys.stdin and the rest: files with Python's buffering. What is printed to a pipe or a log waits in a buffer of 8 KiB
unless -u or PYTHONUNBUFFERED is given, as everybody learns who looks at `kubectl logs` of an unbuffered-looking program.
"""

from __future__ import annotations

from typing import Any

from ...process import Errno
from .classes import problem
from .machine import Machine
from .natives import native
from .operators import LONG
from .values import Huge, Instance, Park, Thing, Unknown, type_name

BUFFER = 8192


def standard(m: Machine, fd: int) -> Thing:
    """sys.stdin, stdout and stderr."""
    at_once = fd == 2 or bool(m.facts.get("unbuffered")) or m.sys.is_tty(fd)
    return file_of(fd, ("r", "w", "w")[fd], ("<stdin>", "<stdout>", "<stderr>")[fd], line=at_once)


def file_of(fd: int, mode: str, name: Any, *, line: bool = False) -> Thing:
    return Thing("file", {"_fd": fd, "mode": mode, "name": name, "_out": "", "_in": "", "_line": line, "closed": False, "encoding": "utf-8",
                          "_eof": False})  # fmt: skip


@native("builtin.open", "io.open")
def _open(m: Machine, path: Any, mode: str = "r", buffering: int = -1, encoding: Any = None, errors: Any = None, newline: Any = None) -> Thing:
    kind = mode.replace("b", "").replace("t", "")
    if kind.rstrip("+") not in ("r", "w", "a", "x"):
        raise problem("ValueError", f"invalid mode: '{mode}'")
    if type(path) is not str:
        path = m.str(path)
    try:
        if kind == "r+":
            m.sys.look(path)
        if kind[0] != "r" and (found := m.sys.find(path)) is not None and found.is_dir:
            raise Errno("EISDIR")
        fd = m.sys.open(path, {"r": "r", "r+": "rw", "w+": "w", "a+": "a", "x+": "x"}.get(kind, kind))
        if kind == "r" and m.sys.look(path).is_dir:
            m.sys.close(fd)
            raise Errno("EISDIR")
    except Errno as error:
        raise Errno(error.name, path) from None
    made = file_of(fd, mode, path, line=buffering in (0, 1))
    m.facts.setdefault("files", []).append(made)
    if len(m.facts["files"]) > 1024:
        m.facts["files"] = [one for one in m.facts["files"] if not one.vars["closed"]]
    return made


def flush(m: Machine, file: Thing) -> None:
    text, file.vars["_out"] = file.vars["_out"], ""
    if text:
        m.sys.write(file.vars["_fd"], text)


@native("file.flush")
def _flush(m: Machine, file: Thing) -> None:
    _open_still(file)
    flush(m, file)


def _open_still(file: Thing) -> None:
    if file.vars["closed"]:
        raise problem("ValueError", "I/O operation on closed file.")


@native("file.write")
def write(m: Machine, file: Thing, value: Any) -> int:
    _open_still(file)
    binary = "b" in file.vars["mode"]
    if type(value) is Huge and (value.kind == "bytes") == binary:
        flush(m, file)
        m.sys.zeros(file.vars["_fd"], value.size)
        return value.size
    if type(value) is not (bytes if binary else str):
        raise problem("TypeError", f"a bytes-like object is required, not '{type_name(value)}'" if binary else
                      f"write() argument must be str, not {type_name(value)}")  # fmt: skip
    if "r" in file.vars["mode"] and "+" not in file.vars["mode"]:
        raise problem("OSError", "not writable")
    put(m, file, value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value))
    return len(value)


def put(m: Machine, file: Thing, text: str) -> None:
    """Text into a file's buffer, and on when it is full, or a line ends where lines are not held back."""
    held = file.vars["_out"] + text
    if len(held) >= BUFFER or file.vars["_line"]:
        file.vars["_out"] = ""
        m.sys.write(file.vars["_fd"], held)
    else:
        file.vars["_out"] = held


@native("file.writelines")
def _writelines(m: Machine, file: Thing, lines: Any) -> None:
    for one in m.items(lines):
        write(m, file, one)


def _more(m: Machine, file: Thing, until: str | int) -> str:
    """What has been read, up to a line's end or so many characters (-1: to the end). Raises Park."""
    _open_still(file)
    if "r" not in file.vars["mode"] and "+" not in file.vars["mode"]:
        raise problem("OSError", "not readable")
    fd = file.vars["_fd"]
    flush(m, file)
    while not file.vars["_eof"]:
        held = file.vars["_in"]
        if (until == "\n" and "\n" in held) or (isinstance(until, int) and 0 <= until <= len(held)):
            break
        if not m.sys.readable(fd):
            raise Park(fds=(fd,))
        piece = m.sys.read(fd)
        file.vars["_in"] = held + piece
        file.vars["_eof"] = not piece
        m.made(len(piece))
        if len(held) > 4 * LONG:
            raise m.full()
    held = file.vars["_in"]
    size = held.find("\n") + 1 if until == "\n" else until if isinstance(until, int) and until >= 0 else len(held)
    size = size or (len(held) if until == "\n" else 0)
    file.vars["_in"] = held[size:]
    if file.vars["_eof"] and not file.vars["_in"]:
        file.vars["_eof"] = fd != 0
    return str(held[:size])


def _given(file: Thing, text: str) -> Any:
    return text.encode("utf-8", "surrogateescape") if "b" in file.vars["mode"] else text.replace("\r\n", "\n")


@native("file.read")
def _read(m: Machine, file: Thing, size: Any = -1) -> Any:
    return _given(file, _more(m, file, -1 if size is None else size))


@native("file.readline")
def _readline(m: Machine, file: Thing) -> Any:
    return _given(file, _more(m, file, "\n"))


@native("file.readlines")
def _readlines(m: Machine, file: Thing) -> Any:
    return _given(file, _more(m, file, -1)).splitlines(True)


@native("file.__next__")
def _next(m: Machine, file: Thing) -> Any:
    line = _readline(m, file)
    if not line:
        raise problem("StopIteration")
    return line


@native("file.__iter__", "file.__enter__", "file.detach")
def _self(m: Machine, file: Thing) -> Thing:
    return file


@native("file.close")
def close(m: Machine, file: Thing) -> None:
    if not file.vars["closed"]:
        flush(m, file)
        file.vars["closed"] = True
        m.sys.close(file.vars["_fd"])


@native("file.__exit__")
def _exit(m: Machine, file: Thing, *args: Any) -> None:
    close(m, file)


@native("file.fileno")
def _fileno(m: Machine, file: Thing) -> int:
    return int(file.vars["_fd"])


@native("file.isatty")
def _isatty(m: Machine, file: Thing) -> bool:
    return m.sys.is_tty(file.vars["_fd"])


@native("file.readable", "file.writable", "file.seekable")
def _yes(m: Machine, file: Thing) -> bool:
    return True


@native("file.seek")
def _seek(m: Machine, file: Thing, at: int, whence: int = 0) -> int:
    flush(m, file)
    desc = m.sys.kernel.state["files"][m.proc["fds"][str(file.vars["_fd"])]]
    if desc["kind"] != "file" or whence == 1 or (whence == 2 and at):
        raise Unknown("this seek")
    file.vars.update(_in="", _eof=False)
    desc["off"] = at if whence == 0 else m.sys.look(desc["path"]).inode.get("size", len(m.sys.read_file(desc["path"])))
    return int(desc["off"])


@native("file.tell")
def _tell(m: Machine, file: Thing) -> int:
    desc = m.sys.kernel.state["files"][m.proc["fds"][str(file.vars["_fd"])]]
    return int(desc.get("off", 0)) - len(file.vars["_in"]) + len(file.vars["_out"])


@native("file.truncate")
def _truncate(m: Machine, file: Thing, size: int = 0) -> int:
    flush(m, file)
    m.sys.truncate(file.vars["name"], size)
    return size


@native("file.reconfigure")
def _reconfigure(m: Machine, file: Thing, *, line_buffering: Any = None, write_through: Any = None, encoding: Any = None) -> None:
    file.vars["_line"] = bool(line_buffering or write_through) or file.vars["_line"]


@native("file.__getattr__")
def _attribute(m: Machine, file: Thing, name: str) -> Any:
    if name == "buffer":
        return Thing("file", {**file.vars, "mode": file.vars["mode"] + "b", "_out": "", "_line": True})
    return m.attribute(None, name)


@native("file.__repr__")
def _repr(m: Machine, file: Thing) -> str:
    return f"<_io.TextIOWrapper name={m.repr(file.vars['name'])} mode='{file.vars['mode']}' encoding='UTF-8'>"


@native("builtin.print")
def _print(m: Machine, *values: Any, sep: Any = " ", end: Any = "\n", file: Any = None, flush: Any = False) -> None:
    text = (" " if sep is None else sep).join([m.str(one) for one in values]) + ("\n" if end is None else end)
    if len(text) > LONG:
        raise m.full()
    m.made(len(text))
    m.spend(len(text) >> 6)
    target = m.modules["sys"].vars["stdout"] if file is None else file
    if type(target) is Thing and target.kind == "file":
        _open_still(target)
        put(m, target, text)
        if flush:
            _flush(m, target)
    elif isinstance(target, Instance):
        m.call(m.attribute(target, "write"), [text])
    elif target is not None:
        raise problem("AttributeError", f"'{type_name(target)}' object has no attribute 'write'")


@native("builtin.input")
def _input(m: Machine, prompt: Any = "") -> str:
    memo = m.current.frames[-1].memo
    out = m.modules["sys"].vars["stdout"]
    if "asked" not in memo:
        memo["asked"] = True
        put(m, out, m.str(prompt))
        flush(m, out)
    line = _more(m, m.modules["sys"].vars["stdin"], "\n")
    if not line:
        raise problem("EOFError", "EOF when reading a line")
    return line.removesuffix("\n")


def close_all(m: Machine) -> None:
    """At the program's end: what is still in a buffer is written."""
    for file in [*m.facts.get("files", []), m.modules["sys"].vars.get("stdout")]:
        if type(file) is Thing and file.kind == "file" and not file.vars["closed"]:
            try:
                flush(m, file)
            except Errno:
                continue


