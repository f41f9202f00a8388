"""/docker-entrypoint-initdb.d of the database images: what lies there is done once, in the order of names, by a server that nobody outside can
reach yet.

`data["scripts"]` are the names left, `data["todo"]` the statements left of one, a turn's worth at a time; a shell script is a child that talks to
the server over the Pod's own address. Source: docker-entrypoint.sh of docker-library's postgres and mysql (docker_process_init_files,
docker_temp_server_start).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .. import sockets
from ..process import Process
from ..serving import Waits, listen_on
from ..system import Sys

DIRECTORY = "/docker-entrypoint-initdb.d"
A_TURN_MS = 1  # between two turns of statements


@dataclass(frozen=True)
class Does:
    """What a kind of server does with a script."""

    say: Callable[[str, str], None]  # (path, "running", "sourcing" or "ignoring")
    read: Callable[[str], None]  # puts a file's statements into data["todo"]
    turn: Callable[[], None]  # does some of data["todo"]


def begin(proc: Process, sys: Sys, port: int) -> None:
    """Notes the names and listens where only this Pod reaches it. Raises Errno."""
    held = sys.listdir(DIRECTORY) if sys.find(DIRECTORY) is not None else []
    proc["data"].update(scripts=[name for name in held if name[0] != "."], todo=[])
    listen_on(proc, sys, [port], "127.0.0.1")


def go_on(proc: Process, sys: Sys, does: Does, env: dict[str, str]) -> Waits | None:
    """Does the next; what to wait for before it is called again, None when all is done. Ends the server with a script's own code when that fails.
    Raises Errno and what `does` raises."""
    data = proc["data"]
    while data["scripts"] or data["todo"] or "script" in data:
        if data["todo"]:
            does.turn()
            return Waits(ms=A_TURN_MS)
        if "script" in data:
            waits = _child(proc, sys)
            if waits is not None:
                return waits
            continue
        path = f"{DIRECTORY}/{data['scripts'].pop(0)}"
        runs = bool(sys.look(path).inode["m"] & 0o111)
        if path.endswith(".sql"):
            does.say(path, "running")
            does.read(path)
        elif path.endswith(".sh"):
            does.say(path, "running" if runs else "sourcing")
            _begin_child(proc, sys, path, runs, env)
        else:
            does.say(path, "ignoring")
    return None


def _begin_child(proc: Process, sys: Sys, path: str, runs: bool, env: dict[str, str]) -> None:
    reading, writing = sys.pipe()
    fd = sockets.lowest_free(sys)
    sys.assign(fd, reading)
    shell = "/bin/bash" if sys.find("/bin/bash") is not None else "/bin/sh"
    pid = sys.spawn([path] if runs else [shell, path], env=env, fds={1: writing, 2: writing, fd: None})
    proc["data"]["script"] = {"fd": fd, "pid": pid}


def _child(proc: Process, sys: Sys) -> Waits | None:
    """Passes on what the script says; None once it has ended well."""
    script = proc["data"]["script"]
    fd = int(script["fd"])
    while sys.readable(fd):
        text = sys.read(fd)
        sys.out(text)
        if not text:
            break
    else:
        return Waits(fds=(fd,))
    ended = sys.wait(script["pid"], block=False)
    if ended is None:  # it has closed its output, and goes on
        return Waits(ms=100)
    sys.close(fd)
    del proc["data"]["script"]
    if ended[1] or ended[2]:
        sys.exit(ended[1] or 128 + ended[2])
    return None


def open_to_all(proc: Process, sys: Sys, port: int, address: str) -> None:
    """From now on everybody reaches the server. Raises Errno."""
    listening = proc["data"]["listening"]
    sys.close(listening.pop(str(port)))
    listening[str(port)] = sockets.listen(sys, port, address)
    del proc["data"]["scripts"], proc["data"]["todo"]
