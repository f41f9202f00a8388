"""postStart and preStop: exec, httpGet or sleep. worker["hooks"]: {"container/postStart": exec id, or ""}.

Source: pkg/kubelet/lifecycle/handlers.go; pkg/kubelet/kuberuntime/kuberuntime_container.go (startContainer).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..objects import EMPTY, Map
from ..runtime import http
from ..runtime.container_status import ExecError
from .podspec import Part, part
from .state import WAIT, Worker

if TYPE_CHECKING:
    from .agent import Agent

EXEC_MS = 30  # what starting an exec takes, as recorded
RPC = "rpc error: code = Unknown desc = "  # how gRPC tells what the runtime answers
HTTP_MS = 60_000  # a hook's request has no timeout of its own; the client gives up


def step_post_start(kubelet: Agent, worker: Worker, name: str) -> int | None:
    one = part(kubelet.pod(worker), name)
    run(kubelet, worker, one, "postStart", one.spec["lifecycle"]["postStart"])
    return WAIT


def run(kubelet: Agent, worker: Worker, one: Part, which: str, handler: Map) -> None:
    """Start a hook; hook_ends.py is called when it is over."""
    key = f"{one.name}/{which}"
    worker["hooks"][key] = ""
    if command := (handler.get("exec") or EMPTY).get("command"):
        now = worker["runs"][one.name][-1]
        try:
            worker["hooks"][key] = kubelet.machine.exec(
                now["id"], list(command), payload=["hook", worker["uid"], one.name, which]
            )
        except ExecError as error:
            kubelet.after(EXEC_MS, ["hook-over", worker["uid"], one.name, which, f'{RPC}{error}, message: ""'])
    elif sleep := handler.get("sleep"):
        kubelet.after(int(sleep["seconds"]) * 1000, ["hook-over", worker["uid"], one.name, which, None])
    elif (get := handler.get("httpGet")) and not port_number(one, get.get("port")):
        kubelet.after(0, ["hook-over", worker["uid"], one.name, which, not_a_port(get["port"])])
    elif get:
        host, port, message = get_request(worker, one, get)
        reply = (kubelet.name, ["hook", worker["uid"], one.name, which])
        kubelet.network.request(f"host/{kubelet.node}", host, port, message, HTTP_MS, reply, get.get("scheme") == "HTTPS")
    else:
        kubelet.after(0, ["hook-over", worker["uid"], one.name, which, None])


def get_request(worker: Worker, one: Part, get: Map) -> tuple[str, int, str]:
    """(address, port, HTTP message) of an httpGet."""
    host = get.get("host") or worker["sandbox"]["ip"]
    port = port_number(one, get.get("port"))
    headers = [("User-Agent", "kube-probe/1.36"), ("Accept", "*/*"), ("Connection", "close")]
    name = f"{host}:{port}"
    for header in get.get("httpHeaders") or ():
        if header["name"].lower() == "host":
            name = header["value"]
        else:
            headers = [(k, v) for k, v in headers if k.lower() != header["name"].lower()] + [(header["name"], header["value"])]
    path = get.get("path") or "/"
    return host, port, http.request("GET", path if path.startswith("/") else "/" + path, name, headers).text()


def port_number(one: Part, port: Any) -> int:
    """A port by number or by its name in the container's ports; 0 when there is none of that name."""
    if isinstance(port, int):
        return port
    if port is None:
        return 80
    if str(port).isdigit():
        return int(port)
    return next((int(entry["containerPort"]) for entry in one.spec.get("ports") or () if entry.get("name") == port), 0)


def not_a_port(name: Any) -> str:
    """ResolveContainerPort (pkg/probe/util.go): no port has that name, and it is no number."""
    return f'strconv.Atoi: parsing "{name}": invalid syntax'


def get_url(worker: Worker, one: Part, get: Map) -> str:
    host, port, _ = get_request(worker, one, get)
    path = get.get("path") or "/"
    return f"{(get.get('scheme') or 'HTTP').lower()}://{host}:{port}{path if path.startswith('/') else '/' + path}"


def words(error: str) -> str:
    """How Go names a failed connection."""
    return {
        "timeout": "i/o timeout",
        "ETIMEDOUT": "i/o timeout",
        "ECONNREFUSED": "connect: connection refused",
        "EHOSTUNREACH": "connect: no route to host",
        "ENETUNREACH": "connect: network is unreachable",
        "ECONNRESET": "connect: connection reset by peer",
    }.get(error, error)
