"""Public images under the names by which Kubernetes' own tests pull them: test/images in the Kubernetes tree keeps copies."""

from __future__ import annotations

from dataclasses import replace

from ..image import VERSIONS, add, find
from . import busybox, httpd, nginx  # noqa: F401  (these fill the catalogue with what is copied)

COPIES = {"busybox": "busybox:1.36", "httpd": "httpd:2.4-alpine", "nginx": "nginx:alpine"}

for _name, _original in COPIES.items():
    if (_found := find(_original)) is not None:
        add(replace(_found, name=f"registry.k8s.io/e2e-test-images/{_name}", tags=(VERSIONS,)))
