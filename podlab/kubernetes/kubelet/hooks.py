"""postStart and preStop: exec, httpGet or sleep. worker["hooks"]: {"container/postStart": exec id, or ""}.

Source: pkg/kubelet/lifecycle/handlers.go; pkg/kubelet/kuberuntime/kuberuntime_container.go (startContainer).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..objects import EMPTY, Map
from ..runtime import http
from ..runtime.container_status import ExecError
from .podspec import Part, full_name, part
from .state import WAIT, Worker, fail

if TYPE_CHECKING:
    from .kubelet import Kubelet

EXEC_MS = 30  # what starting an exec takes, as recorded
RPC = "rpc error: code = Unknown desc = "  # how gRPC tells what the runtime answers
HTTP_MS = 60_000  # a hook's request has no timeout of its own; the client gives up


def step_post_start(kubelet: Kubelet, worker: Worker, name: str) -> int | None:
    one = part(kubelet.pod(worker), name)
    run(kubelet, worker, one, "postStart", one.spec["lifecycle"]["postStart"])
    return WAIT


def run(kubelet: Kubelet, worker: Worker, one: Part, which: str, handler: Map) -> None:
    """Start a hook; `done` is called when it is over."""
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


def exec_done(kubelet: Kubelet, worker: Worker, name: str, which: str, exec_id: str) -> None:
    """A hook's command has ended, or its container has."""
    if worker["hooks"].get(f"{name}/{which}") not in (exec_id, ""):
        return
    code = kubelet.machine.exec_status(exec_id)["exit_code"]
    out, err = kubelet.machine.read_exec(exec_id)
    kubelet.machine.forget_exec(exec_id)
    one = part(kubelet.pod(worker), name)
    command = " ".join((one.spec["lifecycle"][which].get("exec") or EMPTY).get("command") or ())
    error = f"command '{command}' exited with {code}: {err}, message: \"{_quoted(out + err)}\"" if code else None
    done(kubelet, worker, name, which, error)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def slept(kubelet: Kubelet, worker: Worker, name: str, which: str, error: str | None) -> None:
    done(kubelet, worker, name, which, error)


def replied(kubelet: Kubelet, worker: Worker, name: str, which: str, result: dict[str, Any]) -> None:
    """An httpGet hook fails when nobody answers; whatever the answer is, its status is not looked at (runHTTPHandler)."""
    error = None
    if not result["ok"]:
        one = part(kubelet.pod(worker), name)
        get = one.spec["lifecycle"][which]["httpGet"]
        host, port, _ = get_request(worker, one, get)
        said = "EOF" if result["error"] == "closed" else result["error"] if ":" in result["error"] else \
            f"dial tcp {host}:{port}: {words(result['error'])}"
        error = f'Get "{get_url(worker, one, get)}": {said}'
    done(kubelet, worker, name, which, error)


def done(kubelet: Kubelet, worker: Worker, name: str, which: str, error: str | None) -> None:
    from . import termination
    from . import worker as pod_worker

    if worker["hooks"].pop(f"{name}/{which}", None) is None:
        return
    if which == "preStop":
        termination.hook_done(kubelet, worker, name, error)
        return
    if not (worker["steps"] and worker["steps"][0] == ["post-start", name]):
        return
    if error is not None:
        pod = kubelet.pod(worker)
        one = part(pod, name)
        kind = "Exec" if one.spec["lifecycle"]["postStart"].get("exec") else "HTTP"
        what = (
            f"([{' '.join(one.spec['lifecycle']['postStart']['exec']['command'])}])"
            if kind == "Exec"
            else f"({one.spec['lifecycle']['postStart'].get('httpGet', EMPTY).get('path', '')})"
        )
        message = f'{kind} lifecycle hook {what} for Container "{name}" in Pod "{full_name(pod)}" failed - error: {error}'
        kubelet.tell(worker, "kubelet-poststart-failed", container=name, message=error)
        kubelet.record(worker, "Warning", "FailedPostStartHook", "PostStartHook failed", one.path)
        fail(kubelet, worker, one, "PostStartHookError", message)
        worker["steps"].insert(1, ["stop", name, "post-start", "FailedPostStartHook"])
    pod_worker.advance(kubelet, worker)
