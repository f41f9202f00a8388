"""kubectl as a program of containers, `kubectl proxy`, and the images that are made of it."""

from __future__ import annotations

import re

from .. import api_client, control_plane, http
from ..http import text_answer
from ..image import VERSIONS, Entry, Image, Tree, add
from ..linear import compiled
from ..process import INT, TERM, Errno, Process
from ..program import MEBIBYTE, Event, Program, register
from ..serving import Answer, Late, ends_at_once, listen_on, serve_http
from ..sockets import namespace, network
from ..system import Sys
from .base import PATH, base_tree

SIZE = 58_605_752  # of the executable, v1.36
KUBECTL = Entry(program="kubectl", size=SIZE)
PROXY_MS = 4  # of a request through a kubectl proxy to the server and back
HOSTS = r"localhost$|127\.0\.0\.1$|\[::1\]$"  # DefaultHostAcceptRE, kubectl/pkg/proxy/proxy_server.go
PATHS = r"/api/.*/pods/.*/exec|/api/.*/pods/.*/attach"  # DefaultPathRejectRE


def _run(proc: Process, sys: Sys, event: Event) -> int:
    from ...kubectl import in_pod  # only where somebody runs it: the commands are many
    if "proxy" in proc["argv"][1:2]:
        return _proxy(proc, sys)
    return in_pod.turn(proc, sys)


def _flag(proc: Process, name: str, otherwise: str) -> str:
    words = proc["argv"]
    for at, word in enumerate(words):
        if word.startswith(f"--{name}="):
            return word.partition("=")[2]
        if word == f"--{name}" and at + 1 < len(words):
            return str(words[at + 1])
    short = {"port": "-p"}.get(name)
    return next((words[at + 1] for at, word in enumerate(words[:-1]) if word == short), otherwise)


def _proxy(proc: Process, sys: Sys) -> int:
    if "listening" not in proc["data"]:
        port, address = _flag(proc, "port", "8001"), _flag(proc, "address", "127.0.0.1")
        if not port.isdigit():
            sys.err(f'error: invalid argument "{port}" for "-p, --port" flag: strconv.ParseInt: parsing "{port}": invalid syntax\n')
            return 1
        try:
            listen_on(proc, sys, [int(port)], address)
        except Errno as error:
            sys.err(f"error: listen tcp {address}:{port}: bind: {error.text.lower()}\n")
            return 1
        proc["data"]["server"] = api_client.configured(sys)
        sys.out(f"Starting to serve on {address if address != '0.0.0.0' else '[::]'}:{port}\n")
    return serve_http(proc, sys, _pass_on)


def _pass_on(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> Answer:
    """What the API server says to the request with the account's token (NewFilterServer and NewProxyHandler)."""
    host = request.get("Host").rpartition(":")[0] or request.get("Host")
    try:
        hosts = compiled(_flag(proc, "accept-hosts", "") or HOSTS)
    except re.error:
        hosts = compiled(HOSTS)
    free = "--disable-filter" in proc["argv"] or "--disable-filter=true" in proc["argv"]
    if not free and (not hosts.match(host) or compiled(PATHS).match(request.path)):
        return text_answer("Forbidden", 403)
    server = proc["data"]["server"]
    way = network(sys).routes.way(namespace(sys), server[0], server[1], "proxy") if server else None
    if way is None or way.error:
        where = f"{server[0]}:{server[1]}" if server else "localhost:8080"
        return text_answer(f"Error trying to reach service: 'dial tcp {where}: connect: connection refused'", 502)
    headers = [(name, value) for name, value in request.headers if name.lower() not in ("authorization", "connection")]
    asked = http.Message(request.start, [*headers, ("Authorization", f"Bearer {api_client.kept(sys, 'token')}")], request.body)
    found = control_plane.respond(network(sys).cluster, asked)
    return Late(PROXY_MS + control_plane.work(found), found)


def _signalled(proc: Process, sys: Sys, n: int) -> bool:
    from ...kubectl import in_pod
    if n in (TERM, INT):
        in_pod.stopped(proc, sys)
    return ends_at_once(proc, sys, n)


register(Program("kubectl", lambda proc, sys: _run(proc, sys, None), _run, _signalled, 30 * MEBIBYTE))

IMAGES = ("docker.io/bitnami/kubectl", "docker.io/bitnamilegacy/kubectl", "registry.k8s.io/kubectl", "docker.io/alpine/kubectl",
          "docker.io/rancher/kubectl", "docker.io/lachlanevenson/k8s-kubectl")  # fmt: skip
PROXIES = ("docker.io/luksa/kubectl-proxy", "docker.io/k8spatterns/kubeapi-proxy")
ENV = {"PATH": PATH}


def _fill() -> None:
    tree: Tree = base_tree("debian", {"bin": {"kubectl": KUBECTL}}, extra=("curl", "jq"))
    for repository in IMAGES:
        add(Image(repository, (VERSIONS,), tree, SIZE, entrypoint=("kubectl",), cmd=("--help",), env=ENV,
                  user="1001" if "bitnami" in repository else ""))
    for repository in PROXIES:
        add(Image(repository, (VERSIONS,), tree, SIZE, entrypoint=("kubectl", "proxy", "--port=8001"), env=ENV, ports=(8001,)))
    alpine: Tree = base_tree("alpine", {"bin": {"kubectl": KUBECTL}}, extra=("curl", "jq"))
    add(Image("docker.io/alpine/k8s", (VERSIONS,), alpine, SIZE, cmd=("sh",), env=ENV))


_fill()
