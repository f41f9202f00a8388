"""Container images: what a name in `image:` stands for. The catalogue is filled by the modules in images/.

A file system tree is a nested dict: a directory is a dict of names, a file is a str (its content), anything else is an
`Entry`. Trees are immutable and shared by all containers of the image; a container writes to its own layer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from . import releases

Tree = Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """A file or directory with more than content. `program` makes it an executable that runs that program (program.py)."""

    content: str = ""
    program: str = ""
    link: str = ""  # symbolic link to
    mode: int | None = None  # default: 0o644, executables 0o755, directories 0o755
    uid: int = 0
    gid: int = 0
    size: int = 0  # bytes that ls and du show, for binaries; default: the content's
    children: Tree | None = None  # a directory


@dataclass(frozen=True)
class Image:
    """One image. `name` is canonical (`docker.io/library/nginx`), `tags` those that exist at the registry (or VERSIONS); `size` bytes of a
    pull."""

    name: str
    tags: tuple[str, ...]
    tree: Tree
    size: int
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    working_dir: str = "/"
    user: str = ""
    ports: tuple[int, ...] = ()
    stop_signal: str = "SIGTERM"


VERSIONS = "*"
"""In `tags`: every tag that looks like a version, a release name or a build."""
LIKE_A_VERSION = re.compile(r"(?:latest|stable|main|edge|lts|canary|blue|green|purple|v?[0-9][\w.-]*)")

CATALOGUE: dict[str, list[Image]] = {}
"""Name -> its variants, which have tags of their own (`nginx:1.27` and `nginx:1.27-alpine` differ in more than size)."""


@lru_cache(maxsize=1024)
def canonical(reference: str) -> tuple[str, str, str]:
    """`nginx` -> (`docker.io/library/nginx`, `latest`, ""): name, tag, digest, by Docker's rules (distribution/reference
    normalize.go)."""
    reference, _, digest = reference.partition("@")
    head, slash, rest = reference.partition("/")
    if not slash or not ("." in head or ":" in head or head == "localhost"):
        head, rest = "docker.io", reference
    if head in ("docker.io", "index.docker.io"):
        head, rest = "docker.io", rest if "/" in rest else "library/" + rest
    path, _, tag = rest.partition(":")
    return f"{head}/{path}", tag or ("" if digest else "latest"), digest


def add(image: Image) -> Image:
    """Puts an image in the catalogue, in place of a variant of the same name with the same tags."""
    others = [other for other in CATALOGUE.get(image.name, ()) if other.tags != image.tags]
    CATALOGUE[image.name] = [*others, image]
    find.cache_clear()
    _found.cache_clear()
    return image


OLD_REGISTRIES = ("k8s.gcr.io/", "gcr.io/google_containers/", "gcr.io/google-containers/")
"""Names under which registry.k8s.io's images were first served, and still are (k8s.gcr.io-freeze-announcement)."""


def variants(name: str) -> Sequence[Image]:
    """The images of a repository, () where there is none: "docker.io/library/nginx"."""
    old = next((old for old in OLD_REGISTRIES if name.startswith(old)), "")
    return CATALOGUE.get(name) or (CATALOGUE.get("registry.k8s.io/" + name.removeprefix(old)) if old else None) or ()


@lru_cache(maxsize=1024)
def find(reference: str) -> Image | None:
    """The image that a reference names, or None: no such name, or no such tag. A digest is taken on trust."""
    return _found(*canonical(reference))


@lru_cache(maxsize=1024)
def _found(name: str, tag: str, digest: str) -> Image | None:
    found = next((image for image in variants(name) if digest or tag in image.tags
                  or (VERSIONS in image.tags and LIKE_A_VERSION.fullmatch(tag))), None)  # fmt: skip
    if found is None:
        return None
    if number := releases.number(name, tag):
        found = replace(found, env={key: number if key.endswith("_VERSION") else value for key, value in found.env.items()})
    held = found.tree.get("etc")
    etc = releases.etc(name, tag, held) if isinstance(held, Mapping) else held
    return found if etc is held else replace(found, tree={**found.tree, "etc": etc})


@lru_cache(maxsize=256)
def release(reference: str, otherwise: str = "") -> str:
    """The version of the program that an image is made for, of its tag; `otherwise` where releases.py lists none."""
    name, tag, _ = canonical(reference)
    return releases.number(name, tag) or otherwise
