"""A server that speaks no protocol of its own: it refuses to start, initialises its directory, takes its time, listens and stays silent."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..image import Entry, Image, add
from ..process import INT, QUIT, TERM, Data, Errno, Process
from ..program import Event, Program, register
from ..serving import listen_on, serve
from ..system import Sys
from .base import PATH, base_tree

ENV = {"PATH": PATH}
Says = Callable[[Process, Sys], str]


def add_server(
    name: str,
    port: int,
    refuses: Callable[[Process, Sys], str],
    marker: str,
    initialise: Says,
    ready: Says,
    bye: str,
    *,
    init_ms: int,
    start_ms: int,
    memory: int,
) -> None:
    """Registers a server: `refuses` gives the complaint for which it ends with code 1 (when its directory is empty), `marker` the file
    that shows an initialised directory ("" none), `initialise` and `ready` what it logs, `bye` what it says on TERM."""

    def run(proc: Process, sys: Sys, event: Event) -> int:
        data = proc["data"]
        if "until" not in data:
            fresh = not marker or sys.find(marker) is None
            complaint = refuses(proc, sys) if fresh else ""
            if complaint:
                sys.err(complaint)
                return 1
            if fresh and marker:
                sys.out(initialise(proc, sys))
            data.update(until=sys.now + (init_ms if fresh and marker else 0) + start_ms, fresh=fresh)
        if "listening" not in data:
            if sys.now < data["until"]:
                sys.sleep(data["until"] - sys.now)
            if data["fresh"] and marker:
                try:
                    if sys.find(marker.rpartition("/")[0]) is None:
                        sys.mkdir(marker.rpartition("/")[0])
                    sys.write_file(marker, "1\n")
                except Errno as error:
                    sys.err(f'{name}: could not create file "{marker}": {error.text}\n')
                    return 1
            try:
                listen_on(proc, sys, [port_of(proc, port)])
            except Errno as error:
                sys.err(f"{name}: could not bind to port {port_of(proc, port)}: {error.text}\n")
                return 1
            sys.out(ready(proc, sys))
        return serve(proc, sys, _silent)

    def signal(proc: Process, sys: Sys, n: int) -> bool:
        if n in (TERM, INT, QUIT):
            if bye:
                sys.out(bye)
            sys.exit(0)
        return False

    register(Program(name, lambda proc, sys: run(proc, sys, None), run, signal, memory))


def port_of(proc: Process, port: int) -> int:
    words = proc["argv"]
    for option in ("-p", "--port", "--bind_port"):
        if option in words[:-1] and words[words.index(option) + 1].isdigit():
            return int(words[words.index(option) + 1])
    return port


def _silent(proc: Process, sys: Sys, fd: int, connection: Data, closed: bool) -> bool:
    connection["buffer"] = ""
    return True


def nothing(proc: Process, sys: Sys) -> str:
    return ""


def add_image(
    name: str,
    tags: tuple[str, ...],
    program: str,
    size: int,
    port: int,
    data: Mapping[str, object],
    *,
    tools: tuple[str, ...] = (),
    user: tuple[str, int] = ("", 0),
    stop: str = "SIGTERM",
    env: dict[str, str] | None = None,
    alpine: bool = False,
) -> None:
    """The entry point is a script of the image's own; here the server does its work, and anything else is run as given."""
    entry = f'#!/bin/sh\nset -e\nif [ "${{1#-}}" != "$1" ]; then set -- {program} "$@"; fi\nexec "$@"\n'
    tree = base_tree(
        "alpine" if alpine else "debian",
        {
            "usr": {
                "local": {
                    "bin": {
                        program: Entry(program=program, size=9_000_000),
                        "docker-entrypoint.sh": Entry(entry, mode=0o755),
                        **{one: Entry(program=one, size=200_000) for one in tools},
                    }
                }
            },
            **data,
        },
        users={user[0]: user[1]} if user[0] else {},
    )
    add(
        Image(
            f"docker.io/library/{name}",
            tags,
            tree,
            size,
            ("docker-entrypoint.sh",),
            (program,),
            {**ENV, **(env or {})},
            ports=(port,),
            stop_signal=stop,
        )
    )
