"""memcached as a plausible server: it listens and stays, and a connection stays silent: its protocol is not spoken here."""

from __future__ import annotations

from functools import partial

from ..image import Entry, Image, add
from ..process import Data, Errno, Process
from ..program import MEBIBYTE, Event, Program, register
from ..serving import ends_at_once, listen_on, serve
from ..system import Sys
from .base import PATH, base_tree

PORT = 11211


def run(proc: Process, sys: Sys, event: Event) -> int:
    words = proc["argv"]
    asked = next((words[words.index(one) + 1] for one in ("-p", "--port") if one in words[:-1]), "")
    port = int(asked) if asked.isdigit() else PORT
    try:
        listen_on(proc, sys, [port])
    except Errno as error:
        sys.err(f"bind(): {error.text}\nfailed to listen on TCP port {port}: {error.text}\n")
        return 71  # EX_OSERR
    return serve(proc, sys, _silent)


def _silent(proc: Process, sys: Sys, fd: int, connection: Data, closed: bool) -> bool:
    connection["buffer"] = ""
    return True


register(Program("memcached", partial(run, event=None), run, ends_at_once, 3 * MEBIBYTE))

ENTRYPOINT = '#!/bin/sh\nset -e\nif [ "${1#-}" != "$1" ]; then set -- memcached "$@"; fi\nexec "$@"\n'
FILES = {"usr": {"local": {"bin": {"memcached": Entry(program="memcached", size=9_000_000),
                                   "docker-entrypoint.sh": Entry(ENTRYPOINT, mode=0o755)}}}}  # fmt: skip
TAGS = ("latest", "1", "1.4", "1.5", "1.6", "1.6.39")
ALPINE = ("alpine", "1-alpine", "1.4-alpine", "1.5-alpine", "1.6-alpine")
for _tags, _size, _kind in ((TAGS, 34_040_000, "debian"), (ALPINE, 4_260_000, "alpine")):
    add(Image("docker.io/library/memcached", _tags, base_tree(_kind, FILES, users={"memcache": PORT}), _size, ("docker-entrypoint.sh",),
              ("memcached",), {"PATH": PATH}, ports=(PORT,)))  # fmt: skip
