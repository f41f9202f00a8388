"""Public images under the names by which Kubernetes' own tests pull them: test/images in the Kubernetes tree keeps copies."""

from __future__ import annotations

from dataclasses import replace

from ..image import VERSIONS, Entry, Image, add, find
from ..process import Process
from ..program import Event, Program, register
from ..system import Sys
from . import busybox, httpd, nginx  # noqa: F401  (these fill the catalogue with what is copied)
from .base import PATH, base_tree

COPIES = {"busybox": "busybox:1.36", "httpd": "httpd:2.4-alpine", "nginx": "nginx:alpine"}

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
