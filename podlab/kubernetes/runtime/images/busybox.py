"""Small images around a shell: busybox, alpine, and the bare pause image."""

from __future__ import annotations

from ..image import Entry, Image, add
from ..process import Process
from ..program import Program, register
from ..system import Sys
from .base import base_tree

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def _pause(proc: Process, sys: Sys) -> int | None:
    sys.pause()
    return 0


register(Program("pause", _pause, lambda proc, sys, event: _pause(proc, sys), lambda proc, sys, n: n in (2, 15) and _end(sys)))


def _end(sys: Sys) -> bool:
    sys.exit(0)
    return True


add(Image("docker.io/library/busybox", ("latest", "1", "1.28", "1.28.4", "1.31", "1.32", "1.33", "1.34", "1.35", "1.36", "1.36.1", "1.37", "1.37.0",
                                        "stable", "glibc", "musl", "uclibc", "1.36-glibc"),
          base_tree("busybox"), size=2_219_949, cmd=("sh",), env={"PATH": PATH}))
add(Image("docker.io/library/alpine", ("latest", "3", "3.12", "3.14", "3.16", "3.17", "3.18", "3.19", "3.20", "3.21", "3.22", "edge"),
          base_tree("alpine", {"etc": {"alpine-release": "3.22.2\n"}}), size=3_626_897, cmd=("/bin/sh",), env={"PATH": PATH}))
add(Image("registry.k8s.io/pause", ("3.9", "3.10", "3.10.2", "latest"), {"pause": Entry(program="pause", size=700_000)}, size=307_470,
          entrypoint=("/pause",)))
