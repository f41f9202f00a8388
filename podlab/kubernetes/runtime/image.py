"""Container images: what a name in `image:` stands for. The catalogue is filled by the modules in images/.

A file system tree is a nested dict: a directory is a dict of names, a file is a str (its content), anything else is an
`Entry`. Trees are immutable and shared by all containers of the image; a container writes to its own layer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
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
LIKE_A_VERSION = re.compile(r"(?:latest|stable|main|edge|lts|canary|blue|green|purple|RELEASE\.[\w.-]+|v?[0-9][\w.-]*)")
BRANCHED = frozenset(f"docker.io/library/{name}" for name in "alpine debian httpd mariadb memcached mongo mysql node postgres python redis".split())
"""Repositories whose listed tags are branches: each of their releases has a tag too, with or without the name of the distribution's release
(postgres:10.4, redis:6.2.14-alpine3.18, mariadb:10.6.4-focal). nginx's releases are all listed: a tag that it has not is what manuals try."""
RELEASE_TAG = re.compile(r"(\d+(?:\.\d{1,2})*|(?=[a-z]))(-?[a-z][\w.-]*)?")  # none has come to a hundredth patch
CODENAMES = re.compile(r"-?(?:wheezy|jessie|stretch|buster|bullseye|bookworm|trixie|xenial|bionic|focal|jammy|noble|debian|oraclelinux\d|oracle)\b")

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


SAME = {
    "k8s.gcr.io/": "registry.k8s.io/",
    "gcr.io/google_containers/": "registry.k8s.io/",
    "gcr.io/google-containers/": "registry.k8s.io/",
    "gcr.io/google_samples/": "gcr.io/google-samples/",
    "public.ecr.aws/docker/library/": "docker.io/library/",
    "public.ecr.aws/nginx/nginx": "docker.io/library/nginx",
    "mirror.gcr.io/": "docker.io/",
    "quay.io/nginx/nginx-unprivileged": "docker.io/nginxinc/nginx-unprivileged",
    "docker.elastic.co/kibana/": "docker.io/library/",
    "docker.elastic.co/logstash/": "docker.io/library/",
}
"""Names under which the same images are served: those of registry.k8s.io were at k8s.gcr.io first (k8s.gcr.io-freeze-announcement), Google's
samples under an underscore, Docker's official ones at Amazon's and Google's mirrors."""


def variants(name: str) -> Sequence[Image]:
    """The images of a repository, () where there is none: "docker.io/library/nginx"."""
    old = next((old for old in SAME if name.startswith(old)), "")
    return CATALOGUE.get(name) or (CATALOGUE.get(SAME[old] + name.removeprefix(old)) if old else None) or ()


def _own(name: str) -> str:
    """The name that a repository has in the catalogue, whatever name it is asked for by."""
    return next((image.name for image in variants(name)), name)


def _branches(tag: str) -> Iterator[str]:
    """The branches that a release's tag may belong to, the nearest first: 6.2.14-alpine3.18 -> 6.2.14-alpine, 6.2-alpine, 6-alpine."""
    match = RELEASE_TAG.fullmatch(tag)
    if match:
        suffix = re.sub(r"alpine[\d.]+", "alpine", CODENAMES.sub("", match[2] or ""))
        parts = match[1].split(".")
        for count in range(len(parts), 0, -1):
            yield (".".join(parts[:count]) + suffix).lstrip("-") or "latest"


@lru_cache(maxsize=1024)
def find(reference: str) -> Image | None:
    """The image that a reference names, or None: no such name, or no such tag. A digest is taken on trust."""
    return _found(*canonical(reference))


@lru_cache(maxsize=1024)
def _found(name: str, tag: str, digest: str) -> Image | None:
    found = next((image for image in variants(name) if digest or tag in image.tags
                  or (VERSIONS in image.tags and LIKE_A_VERSION.fullmatch(tag))), None)  # fmt: skip
    name = _own(name)
    if found is None and name in BRANCHED:
        found = next((image for branch in _branches(tag) for image in variants(name) if branch in image.tags), None)
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
    return releases.number(_own(name), tag) or otherwise
