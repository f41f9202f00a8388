"""Small images around a shell: busybox, alpine and their kin, Debian and Ubuntu, and the bare pause image."""

from __future__ import annotations

from ..image import Entry, Image, add
from ..process import INT, TERM, Process
from ..program import Program, register
from ..system import Sys
from .base import PATH, base_tree

ENV = {"PATH": PATH}
BUSYBOX = base_tree("busybox")
LAST_PATCH = {22: 1, 23: 2, 24: 2, 25: 1, 26: 2, 27: 2, 28: 4, 29: 3, 30: 1, 31: 1, 32: 1, 33: 1, 34: 1, 35: 0, 36: 1, 37: 0}
"""The last release of each 1.N that has a tag (docker-library/busybox, its history)."""
RELEASES = tuple(tag for minor, last in LAST_PATCH.items() for tag in (f"1.{minor}", *(f"1.{minor}.{patch}" for patch in range(last + 1))))
ALPINE = base_tree("alpine")
DEBIAN = base_tree("debian")
UBUNTU = base_tree("ubuntu")


def _pause(proc: Process, sys: Sys) -> int:
    sys.pause()
    return 0


def _ended(proc: Process, sys: Sys, n: int) -> bool:
    """INT and TERM end it with code 0 (build/pause/linux/pause.c)."""
    if n in (INT, TERM):
        sys.err("Shutting down, got signal: " + ("Interrupt\n" if n == INT else "Terminated\n"))
        sys.exit(0)
    return False


register(Program("pause", _pause, lambda proc, sys, event: _pause(proc, sys), _ended))


HELLO = """
Hello from Docker!
This message shows that your installation appears to be working correctly.

To generate this message, Docker took the following steps:
 1. The Docker client contacted the Docker daemon.
 2. The Docker daemon pulled the "hello-world" image from the Docker Hub.
    (amd64)
 3. The Docker daemon created a new container from that image which runs the
    executable that produces the output you are currently reading.
 4. The Docker daemon streamed that output to the Docker client, which sent it
    to your terminal.

To try something more ambitious, you can run an Ubuntu container with:
 $ docker run -it ubuntu bash

Share images, automate workflows, and more with a free Docker ID:
 https://hub.docker.com/

For more examples and ideas, visit:
 https://docs.docker.com/get-started/

"""


def _hello(proc: Process, sys: Sys) -> int:
    sys.out(HELLO)
    return 0


register(Program("hello-world", _hello))
add(
    Image(
        "docker.io/library/hello-world", ("latest", "linux"), {"hello": Entry(program="hello-world", size=13_256)}, 10_072, cmd=("/hello",), env=ENV
    )
)
add(
    Image(
        "docker.io/library/busybox",
        ("latest", "1", *RELEASES, "stable", "unstable", "glibc", "stable-glibc", *(f"{tag}-glibc" for tag in RELEASES)),
        BUSYBOX,
        2_219_949,
        cmd=("sh",),
        env=ENV,
    )
)
add(
    Image(
        "docker.io/library/busybox",
        ("musl", "uclibc", "stable-musl", "stable-uclibc", *(f"{tag}-{name}" for tag in RELEASES for name in ("musl", "uclibc"))),
        BUSYBOX,
        777_536,
        cmd=("sh",),
        env=ENV,
    )
)
for _name in ("registry.k8s.io/busybox", "k8s.gcr.io/busybox", "gcr.io/google_containers/busybox"):
    add(Image(_name, ("latest", "1.24", "1.27", "1.27.2"), BUSYBOX, 715_210, cmd=("sh",), env=ENV))
add(
    Image(
        "docker.io/library/alpine",
        (
            "latest",
            "3",
            "3.6",
            "3.7",
            "3.8",
            "3.9",
            "3.10",
            "3.11",
            "3.12",
            "3.13",
            "3.14",
            "3.15",
            "3.16",
            "3.17",
            "3.18",
            "3.19",
            "3.20",
            "3.20.3",
            "3.21",
            "3.22",
            "3.22.2",
            "edge",
        ),
        ALPINE,
        3_626_897,
        cmd=("/bin/sh",),
        env=ENV,
    )
)
add(
    Image(
        "docker.io/library/debian",
        ("latest", "13", "trixie", "12", "bookworm", "11", "bullseye", "10", "9", "8", "stable", "testing"),
        DEBIAN,
        49_279_123,
        cmd=("bash",),
        env=ENV,
    )
)
add(
    Image(
        "docker.io/library/debian",
        ("stable-slim", "trixie-slim", "13-slim", "bookworm-slim", "12-slim", "bullseye-slim", "11-slim",
         "buster-slim", "10-slim", "stretch-slim", "9-slim"),
        DEBIAN,
        28_231_455,
        cmd=("bash",),
        env=ENV,
    )
)
add(
    Image(
        "docker.io/library/ubuntu",
        ("latest", "24.04", "noble", "22.04", "jammy", "20.04", "focal", "18.04", "16.04", "14.04", "25.04", "rolling", "devel"),
        UBUNTU,
        29_723_147,
        cmd=("/bin/bash",),
        env=ENV,
    )
)
add(
    Image(
        "docker.io/library/bash",
        ("latest", "5", "5.2", "5.1", "4.4", "5.2-alpine3.20"),
        base_tree("alpine", extra=("bash",)),
        6_512_004,
        entrypoint=("bash",),
        cmd=(),
        env=ENV,
    )
)
for _name in (
    "registry.k8s.io/pause",
    "k8s.gcr.io/pause",
    "gcr.io/google_containers/pause",
    "gcr.io/google_containers/pause-amd64",
):
    add(
        Image(
            _name,
            ("latest", "0.8.0", "1.0", "2.0", "3.0", "3.1", "3.2", "3.3", "3.4.1", "3.5", "3.6", "3.7", "3.8", "3.9", "3.10", "3.10.1", "3.10.2"),
            {"pause": Entry(program="pause", size=742_472)},
            319_178,
            entrypoint=("/pause",),
            env=ENV,
            user="65535:65535",
        )
    )
