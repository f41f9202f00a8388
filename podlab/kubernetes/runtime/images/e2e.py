"""Public images under the names by which Kubernetes' own tests pull them: test/images in the Kubernetes tree keeps copies."""

from __future__ import annotations

from dataclasses import replace

from ..image import VERSIONS, Entry, Image, add, find
from ..process import Process
from ..program import Event, Program, register
from ..system import Sys
from . import agnhost, busybox, httpd, languages, nginx, redis_images  # noqa: F401  (these fill the catalogue with what is copied)
from .base import PATH, base_tree

COPIES = {"busybox": "busybox:1.36", "httpd": "httpd:2.4-alpine", "nginx": "nginx:alpine", "perl": "perl:5.26", "redis": "redis:5.0.5-alpine"}

for _name, _original in COPIES.items():
    if (_found := find(_original)) is not None:
        add(replace(_found, name=f"registry.k8s.io/e2e-test-images/{_name}", tags=(VERSIONS,)))


# ---- nonewprivs: a program of root's with the set-user-ID bit, which no_new_privs makes powerless (test/images/nonewprivs)


def _nnp(proc: Process, sys: Sys, event: Event) -> int:
    effective = proc["uid"] if sys.container.get("no_new_privs") else 0
    sys.out(f"Effective uid: {effective}\n")
    return 0


register(Program("nnp", lambda proc, sys: _nnp(proc, sys, None), _nnp))
add(
    Image(
        "registry.k8s.io/e2e-test-images/nonewprivs",
        ("1.2", "1.3", "1.4"),
        base_tree("busybox", {"nnp": Entry(program="nnp", mode=0o4755, size=800_000)}),
        3_200_000,
        entrypoint=("/nnp",),
        env={"PATH": PATH},
    )
)


# ---- nonroot: its image says that it runs as user 1234 (test/images/nonroot)

add(
    Image(
        "registry.k8s.io/e2e-test-images/nonroot",
        tuple(f"1.{n}" for n in range(1, 8)),
        base_tree("busybox", users={"default-user": 1234}),
        4_300_000,
        cmd=("id", "-u"),
        env={"PATH": PATH},
        user="1234",
    )
)


# ---- kitten and nautilus: a web server's files beside which one tells the picture's name (test/images/kitten, test/images/nautilus)

for _name in ("kitten", "nautilus"):
    add(
        Image(
            f"registry.k8s.io/e2e-test-images/{_name}",
            tuple(f"1.{n}" for n in range(1, 10)),
            base_tree(
                "alpine",
                {
                    "agnhost": Entry(program="agnhost", size=50_000_000),
                    "data.json": f'{{\n"image":"{_name}.jpg"\n}}\n',
                    f"{_name}.jpg": Entry(size=8_900),
                },
            ),
            40_500_000,
            entrypoint=("/agnhost", "test-webserver"),
            env={"PATH": PATH},
            ports=(80,),
        )
    )
