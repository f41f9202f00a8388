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
RELEASED = frozenset(
    "docker.io/curlimages/curl docker.io/nicolaka/netshoot docker.io/fluent/fluent-bit cr.fluentbit.io/fluent/fluent-bit docker.io/fluent/fluentd "
    "docker.io/grafana/loki docker.io/timberio/vector docker.io/envoyproxy/envoy quay.io/oauth2-proxy/oauth2-proxy docker.io/traefik/whoami "
    "docker.io/containous/whoami ghcr.io/dexidp/dex".split()
)
"""Repositories with more releases than those listed: whatever looks like a release has a tag, of the variant with the same ending."""
RELEASE_TAG = re.compile(r"(\d+(?:\.\d{1,2})*|(?=[a-z]))(-?[a-z][\w.-]*)?")  # none has come to a hundredth patch
RELEASE_LIKE = re.compile(r"v?\d+(?:\.\d+)+(-[a-z][a-z-]*)?(?:-?[\d.]+)?")
"""v1.16-debian-1, 0.34.0-alpine, 7.78.0, with what it is built on as its first group."""
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
    "quay.io/prometheus/busybox": "docker.io/library/busybox",
    "mcr.microsoft.com/oss/nginx/": "docker.io/library/",
    "ghcr.io/traefik/": "docker.io/traefik/",
    "docker.io/emilevauge/": "docker.io/traefik/",
    "docker.io/kubernetes/pause": "registry.k8s.io/pause",
    "docker.io/kubeguide/redis-master": "docker.io/library/redis",
    "gcr.io/kubernetes-e2e-test-images/": "registry.k8s.io/e2e-test-images/",
    "us-central1-docker.pkg.dev/google-samples/microservices-demo/": "gcr.io/google-samples/microservices-demo/",
    "registry.istio.io/release/": "docker.io/istio/",
    "gcr.io/istio-release/": "docker.io/istio/",
    "us-docker.pkg.dev/google-samples/containers/gke/": "gcr.io/google-samples/",
    "gcr.io/k8s-minikube/": "gcr.io/google-samples/",
    "quay.io/stefanprodan/": "docker.io/stefanprodan/",
    "mcr.microsoft.com/oss/bitnami/": "docker.io/bitnami/",
    "mcr.microsoft.com/cbl-mariner/busybox": "docker.io/library/busybox",
    "public.ecr.aws/amazonlinux/": "docker.io/library/",
    "public.ecr.aws/eks-distro/kubernetes/pause": "registry.k8s.io/pause",
    "docker.io/mysql/mysql-server": "docker.io/library/mysql",
    "docker.io/library/percona": "docker.io/library/mysql",
    "docker.io/lorel/docker-stress-ng": "docker.io/alexeiled/stress-ng",
    "docker.l5d.io/": "docker.io/",
    "docker.elastic.co/kibana/": "docker.io/library/",
    "docker.io/mirrorgooglecontainers/": "registry.k8s.io/",
    "docker.io/googlecontainer/": "registry.k8s.io/",
    "registry.cn-hangzhou.aliyuncs.com/google_containers/": "registry.k8s.io/",
    "registry.aliyuncs.com/google_containers/": "registry.k8s.io/",
    "docker.elastic.co/logstash/": "docker.io/library/",
    "ghcr.io/flannel-io/": "docker.io/flannel/",
    "docker.io/rancher/mirrored-flannelcni-": "docker.io/flannel/",
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
    if found is None and name in RELEASED and (like := RELEASE_LIKE.fullmatch(tag)):
        found = next((image for image in variants(name) for known in image.tags
                      if (one := RELEASE_LIKE.fullmatch(known)) and one[1] == like[1]), None)  # fmt: skip
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
