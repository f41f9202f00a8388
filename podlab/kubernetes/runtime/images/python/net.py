"""socket and select, over the Pod's (simulated) network. Addresses are IPv4; names are asked of the cluster's DNS."""

from __future__ import annotations

from typing import Any

from ... import sockets
from ...process import Errno
from . import secure
from .classes import CLASSES, problem
from .machine import Machine
from .natives import native
from .values import Class, Instance, Park, Raised, Thing, Unknown

CHUNK = 65_536


@native("_socket._socket")
def _socket(m: Machine, family: int, kind: int) -> Thing:
    if family not in (2, 10):
        raise Unknown("sockets other than AF_INET")
    return Thing("socket", {"family": family, "type": kind, "_fd": -1, "_state": "new", "_timeout": None, "_address": None, "_in": ""})


def _error(m: Machine, name: str, text: str) -> Raised:
    """socket.gaierror and socket.timeout, which the module defines."""
    cls = m.modules["socket"].vars.get(name)
    if isinstance(cls, Class):
        made = Instance(cls, {"args": (-2, text), "errno": -2, "strerror": text, "filename": None})
        return Raised(made)
    return problem("OSError", text)


@native("socket._resolve")
def resolve(m: Machine, name: str) -> str:
    if name in ("", "0.0.0.0"):
        return name or "0.0.0.0"
    if name == "localhost":
        return "127.0.0.1"
    if name.replace(".", "").isdigit():
        return name
    found = sockets.resolve(m.sys, name)[1]
    if not found:
        raise _error(m, "gaierror", "Name or service not known")
    return str(found[0])


@native("socket.gethostname")
def _hostname(m: Machine) -> str:
    return m.sys.hostname


@native("socket.gethostbyname")
def _by_name(m: Machine, name: str) -> Any:
    return resolve(m, name)


@native("socket._addresses")
def _addresses(m: Machine, name: str) -> list[str]:
    return [name] if name.replace(".", "").isdigit() else list(sockets.resolve(m.sys, name)[1])


@native("socket.bind")
def _bind(m: Machine, s: Thing, address: Any) -> None:
    s.vars["_address"] = [address[0], int(address[1])]
    if s.vars["type"] == 2:
        s.vars.update(_fd=sockets.bind_datagrams(m.sys, int(address[1]), address[0] or "0.0.0.0"), _state="bound")


@native("socket.listen")
def _listen(m: Machine, s: Thing, backlog: int = 128) -> None:
    if s.vars["_state"] == "listening":
        return
    host, port = s.vars["_address"] or ["0.0.0.0", 0]
    s.vars.update(_fd=sockets.listen(m.sys, port, resolve(m, host)), _state="listening")


def _waiting(m: Machine, s: Thing, text: str = "timed out", **wait: Any) -> None:
    """Waits for a socket as long as its timeout allows. Raises Park, TimeoutError, BlockingIOError."""
    timeout = s.vars["_timeout"]
    if timeout is None:
        raise Park(**wait)
    if timeout == 0:
        raise Errno("EAGAIN")
    memo = m.current.frames[-1].memo
    until = memo.setdefault("until", m.sys.now + round(timeout * 1000))
    if m.sys.now >= until:
        raise problem("TimeoutError", text)
    raise Park(until=until, **wait)


def _fd(s: Thing) -> int:
    if s.vars["_fd"] < 0:
        raise Errno("EBADF" if s.vars["_state"] == "closed" else "ENOTCONN")
    return int(s.vars["_fd"])


@native("socket.accept")
def _accept(m: Machine, s: Thing) -> Any:
    fd = _fd(s)
    if "accepted" in m.current.frames[-1].memo:
        return _handshaken(m, m.current.frames[-1].memo["accepted"])
    if not m.sys.readable(fd):
        _waiting(m, s, fds=(fd,))
    new = sockets.accept(m.sys, fd)
    made = Thing("socket", {**s.vars, "_fd": new, "_state": "open", "_timeout": None, "_in": ""})
    if "_tls" in made.vars:
        secure.begin(m, made)
        m.current.frames[-1].memo["accepted"] = made
        return _handshaken(m, made)
    return (made, sockets.peer(m.sys, new))


def _handshaken(m: Machine, made: Thing) -> Any:
    """accept() of a socket of TLS gives a connection whose handshake is over. Raises Park, SSLError."""
    if not secure.shaken(m, made):
        raise Park(fds=(made.vars["_fd"],))
    return (made, sockets.peer(m.sys, made.vars["_fd"]))


@native("socket.connect")
def _connect(m: Machine, s: Thing, address: Any) -> None:
    timeout = s.vars["_timeout"]
    if "_session" in s.vars:
        do_handshake(m, s)
        return
    if s.vars["type"] == 2:
        s.vars["_peer"] = [resolve(m, address[0]), int(address[1])]
        return
    if s.vars["_state"] == "new":
        s.vars["_fd"] = sockets.dial(m.sys, resolve(m, address[0]), int(address[1]), None if timeout is None else round(timeout * 1000))
        s.vars["_state"] = "connecting"
    state = sockets.dialed(m.sys, s.vars["_fd"])
    if state == "connecting":
        _waiting(m, s, objs=("sock:" + m.proc["fds"][str(s.vars["_fd"])],))
    if state != "open":
        m.sys.close(s.vars["_fd"])
        s.vars.update(_fd=-1, _state="new")
        if state == "ETIMEDOUT" and timeout is not None:
            raise problem("TimeoutError", "timed out")
        raise Errno(state)
    s.vars["_state"] = "open"
    if "_tls" in s.vars:
        do_handshake(m, s)


@native("socket.do_handshake")
def do_handshake(m: Machine, s: Thing) -> None:
    """A client's, on a connection that is there. Raises Park, SSLError."""
    fd = _fd(s)
    if "_session" not in s.vars:
        secure.begin(m, s)
    if not secure.shaken(m, s):
        _waiting(m, s, "_ssl.c:1000: The handshake operation timed out", fds=(fd,))


@native("socket.connect_ex")
def _connect_ex(m: Machine, s: Thing, address: Any) -> int:
    try:
        _connect(m, s, address)
    except Errno as error:
        return {"ECONNREFUSED": 111, "EHOSTUNREACH": 113, "ETIMEDOUT": 110, "EAGAIN": 115}.get(error.name, 5)
    except Raised as error:
        if error.value.cls.is_a(CLASSES["TimeoutError"]):
            return 11
        raise
    return 0


@native("socket.recv")
def _recv(m: Machine, s: Thing, size: int, flags: int = 0) -> bytes:
    fd = _fd(s)
    if s.vars["type"] == 2:
        data: bytes = _recvfrom(m, s, size)[0]
        return data
    if "_session" in s.vars:
        while not s.vars["_plain"]:
            if not m.sys.readable(fd):
                _waiting(m, s, "The read operation timed out", fds=(fd,))
            if not secure.take(m, s):
                break
        plain: bytes = s.vars["_plain"].encode("utf-8", "surrogateescape")
        s.vars["_plain"] = plain[size:].decode("utf-8", "surrogateescape")
        return plain[:size]
    if not m.sys.readable(fd):
        _waiting(m, s, fds=(fd,))
    raw = m.sys.read(fd, min(size, CHUNK)).encode("utf-8", "surrogateescape")
    if len(raw) > size:  # characters of several bytes: the rest is read first the next time
        desc = m.sys.kernel.state["files"][m.proc["fds"][str(fd)]]
        desc["rbuf"] = raw[size:].decode("utf-8", "surrogateescape") + desc.get("rbuf", "")
        raw = raw[:size]
    m.made(len(raw))
    return raw


@native("socket.recvfrom")
def _recvfrom(m: Machine, s: Thing, size: int) -> Any:
    fd = _fd(s)
    if not m.sys.readable(fd):
        _waiting(m, s, fds=(fd,))
    text, sender = sockets.receive(m.sys, fd)
    s.vars["_senders"] = sender
    return (text.encode("utf-8", "surrogateescape")[:size], tuple(sender[:2]))


@native("socket.sendto")
def _sendto(m: Machine, s: Thing, data: bytes, address: Any) -> int:
    if s.vars["_fd"] < 0:
        s.vars.update(_fd=sockets.bind_datagrams(m.sys), _state="bound")
    held = s.vars.get("_senders")
    target = held if held is not None and tuple(held[:2]) == tuple(address) else [resolve(m, address[0]), int(address[1])]
    sockets.send(m.sys, s.vars["_fd"], data.decode("utf-8", "surrogateescape"), target)
    return len(data)


@native("socket.send", "socket.sendall")
def _send(m: Machine, s: Thing, data: Any, flags: int = 0) -> int:
    if type(data) is not bytes:
        raise problem("TypeError", f"a bytes-like object is required, not '{type(data).__name__}'")
    if s.vars["type"] == 2 and "_peer" in s.vars:
        return int(_sendto(m, s, data, s.vars["_peer"]))
    fd, text = _fd(s), data.decode("utf-8", "surrogateescape")
    if "_session" in s.vars:
        secure.send(m, s, text)
    else:
        m.sys.write(fd, text)
    return len(data)


@native("socket.close", "socket.detach")
def _close(m: Machine, s: Thing) -> None:
    if s.vars["_fd"] >= 0 and str(s.vars["_fd"]) in m.proc["fds"]:
        m.sys.close(s.vars["_fd"])
    s.vars.update(_fd=-1, _state="closed")


@native("socket.shutdown")
def _shutdown(m: Machine, s: Thing, how: int = 2) -> None:
    if how and s.vars["_state"] == "open":
        sockets.shutdown(m.sys, _fd(s))


@native("socket.settimeout")
def _settimeout(m: Machine, s: Thing, seconds: Any) -> None:
    s.vars["_timeout"] = seconds


@native("socket.gettimeout")
def _gettimeout(m: Machine, s: Thing) -> Any:
    return s.vars["_timeout"]


@native("socket.setblocking")
def _setblocking(m: Machine, s: Thing, on: Any) -> None:
    s.vars["_timeout"] = None if on else 0


@native("socket.setsockopt", "socket.set_inheritable")
def _setsockopt(m: Machine, s: Thing, *args: Any) -> None:
    """Options change nothing here."""


@native("socket.getsockopt")
def _getsockopt(m: Machine, s: Thing, *args: Any) -> int:
    return 0


@native("socket.fileno")
def _fileno(m: Machine, s: Thing) -> int:
    return int(s.vars["_fd"])


@native("socket.getpeername")
def _getpeername(m: Machine, s: Thing) -> Any:
    return sockets.peer(m.sys, _fd(s))


@native("socket.getsockname")
def _getsockname(m: Machine, s: Thing) -> Any:
    if s.vars["_state"] == "open":
        return sockets.local(m.sys, _fd(s))
    if s.vars["_state"] == "listening":
        return (s.vars["_address"][0], sockets.port_of(m.sys, _fd(s)))
    return tuple(s.vars["_address"] or ("0.0.0.0", 0))


@native("socket.__enter__")
def _enter(m: Machine, s: Thing) -> Thing:
    return s


@native("socket.__exit__")
def _exit(m: Machine, s: Thing, *args: Any) -> None:
    _close(m, s)


def _descriptor(m: Machine, one: Any) -> int:
    if type(one) is int:
        return one
    if type(one) is Thing and "_fd" in one.vars:
        return int(one.vars["_fd"])
    return int(m.call(m.attribute(one, "fileno"), []))


@native("select.select")
def _select(m: Machine, readers: Any, writers: Any, errors: Any, timeout: Any = None) -> Any:
    readers, writers = m.items(readers), m.items(writers)
    fds = [_descriptor(m, one) for one in readers]
    if any(fd < 0 for fd in fds):
        raise problem("ValueError", "file descriptor cannot be a negative integer (-1)")
    ready = [one for one, fd in zip(readers, fds, strict=True) if m.sys.readable(fd) or (type(one) is Thing and one.vars.get("_plain"))]
    if ready or writers:
        return (ready, list(writers), [])
    memo = m.current.frames[-1].memo
    if timeout is None:
        raise Park(fds=tuple(fds))
    until = memo.setdefault("until", m.sys.now + round(timeout * 1000))
    if m.sys.now >= until:
        return ([], [], [])
    raise Park(until=until, fds=tuple(fds))
