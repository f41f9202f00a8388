"""Stand-ins for public images that books and the documentation name: each starts, listens where the real one does, and stays.

What runs inside is one small program, told by the table what it says and where it listens, or a shell script where the real image
is one. A stand-in answers every HTTP request with its one sentence and keeps any other connection open. The tags are not listed:
whatever looks like a version is there (`VERSIONS` in image.py).
"""

from __future__ import annotations

from typing import NamedTuple

from ...times import stamp
from .. import grpc_health, http
from ..http import text_answer
from ..image import VERSIONS, Entry, Image, Tree, add, canonical, find
from ..process import Data, Errno, Process
from ..program import MEBIBYTE, Program, register
from ..serving import Answer, ends_at_once, feed_http, listen_on, secured, serve
from ..system import Sys
from .base import PATH, base_tree, merge
from .stand_in_files import ENTRY, SCRIPTS, TOOLS
from .stand_in_table import NAMED_TAGS, SERVERS, SHELLS, USERS

ENV = {"PATH": PATH}
SIZE = 60_000_000  # of a pull, about a slim image with one program
SECURE = {port: {"name": "localhost"} for port in (443, 10250, 10257, 10259)}
"""Where Kubernetes' own components and an ingress controller speak TLS, with a certificate that nobody has a reason to trust."""
GRPC = (2379,)  # etcd's client port answers health checks
EXTRA = ("curl", "ncat", "mysqladmin", "mysql")
LISTENING = ("--listen-address", "--listen-port", "--port", "--http-port", "--agent-port", "--admin-port", "--health-port", "--admin-server-port",
             "--health-server-port", "--rest_api_port", "-port", "--http_port", "-http", "-health", "--port-metrics", "--grpc-port")  # fmt: skip


class Kind(NamedTuple):
    """What one stand-in does."""

    name: str
    ports: tuple[int, ...]
    says: str


STAND_INS: dict[str, Kind] = {}
"""By repository."""


def _answer(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> Answer:
    if grpc_health.is_check(request):
        return grpc_health.reply() if port in GRPC or _kind(sys).says == "grpc" else text_answer("404 page not found\n", 404)
    text = _kind(sys).says.format(host=sys.hostname, ip=sys.sandbox["ip"], peer=peer, tag=canonical(sys.container["image"])[1])
    return text_answer(text + "\n", kind="application/json" if text.startswith("{") else "text/plain; charset=utf-8")


def _kind(sys: Sys) -> Kind:
    """What the container's image does; nothing but its name where a volume brought the program into another image."""
    found = find(sys.container["image"])  # under its own name, whatever registry's name it was asked for by
    name = found.name if found is not None else canonical(sys.container["image"])[0]
    return STAND_INS.get(name) or Kind(str(sys.proc["argv"][0]).rpartition("/")[2], (), "")


def _ports(proc: Process, sys: Sys) -> list[int]:
    """The image's ports, or those that the command line (--listen-address :80, --port=8080) or the environment (PORT, LISTEN_ADDR) asks for."""
    told = [proc["env"].get(name, "").rpartition(":")[2] for name in ("PORT", "LISTEN_ADDR")]
    asked: dict[int, None] = {int(port): None for port in told if port.isdigit() and 0 < int(port) < 65536}
    for at, word in enumerate(proc["argv"][1:], start=1):
        option, _, value = word.partition("=")
        value = value or (proc["argv"][at + 1] if at + 1 < len(proc["argv"]) else "")
        port = value.rpartition(":")[2]
        if option in LISTENING and port.isdigit() and 0 < int(port) < 65536:
            asked[int(port)] = None
    return list(asked) or list(_kind(sys).ports)


def _run(proc: Process, sys: Sys, event: Data | None) -> int:
    if "listening" not in proc["data"]:
        ports = _ports(proc, sys)
        try:
            listen_on(proc, sys, ports)
        except Errno as error:
            sys.err(f"listen tcp: bind: {error.text.lower()}\n")
            return 1
        shown = f", listening on {', '.join(str(port) for port in ports)}" if ports else ""
        sys.out(f"{stamp(sys.now, '%Y/%m/%d %H:%M:%S')} {_kind(sys).name} started{shown}\n")
    return serve(proc, sys, secured(lambda proc, sys, fd, connection, closed: feed_http(proc, sys, fd, connection, _answer), SECURE))


register(Program(ENTRY, lambda proc, sys: _run(proc, sys, None), _run, ends_at_once, 24 * MEBIBYTE))

def _fill() -> None:
    # shared, for their directories weigh most
    bases = {distribution: base_tree(distribution, extra=EXTRA) for distribution in dict.fromkeys(("debian", *SHELLS.values()))}
    with_git = base_tree("debian", extra=(*EXTRA, "git"))
    for line in SERVERS.strip().splitlines():
        repositories, ports, says = (part.strip() for part in line.split("|", 2))
        for repository in repositories.split():
            name = repository.rpartition("/")[2]
            found = STAND_INS[repository] = Kind(name, tuple(int(port) for port in ports.split()), says)
            program = Entry(program=ENTRY, size=20_000_000)
            own: Tree = {name: program, "usr": {"local": {"bin": {name: program}}}}  # images of one Go program have it in /
            tree = merge(merge(bases["debian"], own), TOOLS.get(repository, {}))
            tags = (VERSIONS, *NAMED_TAGS.get(repository, ()))
            add(Image(repository, tags, tree, SIZE, entrypoint=(name,), env=ENV, user=USERS.get(repository, ""), ports=found.ports))
    for repository, script in SCRIPTS.items():
        name = repository.rpartition("/")[2]
        own = {"bin": {name: Entry(f"#!/bin/sh\n{script}", mode=0o755)}}
        tree = merge(merge(with_git, own), TOOLS.get(repository, {}))
        add(Image(repository, (VERSIONS,), tree, SIZE, entrypoint=(f"/bin/{name}",), env=ENV))
    for repository, distribution in SHELLS.items():
        tree = merge(bases[distribution], TOOLS.get(repository, {}))
        add(Image(repository, (VERSIONS,), tree, SIZE, cmd=("sh",), env=ENV))


add(Image("docker.io/alpine/git", (VERSIONS,), base_tree("alpine", extra=(*EXTRA, "git")), SIZE, entrypoint=("git",), cmd=("--help",), env=ENV,
          working_dir="/git"))  # fmt: skip
# The artifact that the documentation of image volumes mounts: files without a program
ARTIFACT: Tree = {"dir": {"file": "1\n"}, "file": "2\n"}
add(Image("quay.io/crio/artifact", (VERSIONS,), ARTIFACT, 20_480, cmd=("none",), env={}))
_fill()
