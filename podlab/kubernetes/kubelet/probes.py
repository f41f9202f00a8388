"""Liveness, readiness and startup probes.

worker["probes"]: {"container/kind": {"id": container id that the result is about, "result": success | failure | unknown,
"ok", "bad": results in a row, "timer", "busy": exec id, "net" or None, "again": asked for while busy, "hold": no more until a
new container, "at": ms of the latest}}.

Sources: pkg/kubelet/prober/worker.go (doProbe), prober_manager.go (AddPod, UpdatePodStatus), prober.go; pkg/probe/*.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from ..objects import EMPTY, Map
from ..runtime import grpc_health, http
from ..runtime.container_status import ExecError
from . import hooks
from .podspec import EPHEMERAL, INIT, Part, has_probe, part, parts
from .runs import runs_now
from .state import Worker, newest
from .status import is_started

if TYPE_CHECKING:
    from .agent import Agent

INITIAL = {"readiness": "failure", "liveness": "success", "startup": "unknown"}
KINDS = ("startup", "liveness", "readiness")
TRIGGER_MS = 5
OUTPUT_BYTES = 10_240  # maxRespBodyLength, maxReadLength
SAID_BYTES = 1024
REDIRECTS = 10  # redirectChecker
NO_GRPC = "timeout: failed to connect service"


def watch(kubelet: Agent, worker: Worker, pod: Map) -> None:
    """AddPod: a worker for each probe, from the first sync on."""
    if worker["probing"]:
        return
    worker["probing"] = True
    for one in parts(pod):
        if one.kind in (INIT, EPHEMERAL) or not has_probe(one):
            continue
        for kind in KINDS:
            if one.spec.get(f"{kind}Probe"):
                key = f"{one.name}/{kind}"
                worker["probes"][key] = {
                    "id": "",
                    "result": INITIAL[kind],
                    "ok": 0,
                    "bad": 0,
                    "busy": None,
                    "again": False,
                    "hold": False,
                    "at": 0,
                    "timer": kubelet.after(_period(one, kind), ["probe", worker["uid"], key]),
                }


def _spec(one: Part, kind: str) -> Map:
    found: Map = one.spec[f"{kind}Probe"]
    return found


def _period(one: Part, kind: str) -> int:
    return int(_spec(one, kind).get("periodSeconds") or 10) * 1000


def stop(kubelet: Agent, worker: Worker, kinds: tuple[str, ...]) -> None:
    for key, probe in worker["probes"].items():
        if key.rpartition("/")[2] in kinds:
            kubelet.cancel(probe["timer"])
            probe.update(timer=None, hold=True)


def tick(kubelet: Agent, worker: Worker, key: str) -> None:
    name, _, kind = key.rpartition("/")
    probe = worker["probes"][key]
    probe["timer"] = kubelet.after(_period(part(kubelet.pod(worker), name), kind), ["probe", worker["uid"], key])
    _attempt(kubelet, worker, key)


def after_status(kubelet: Agent, worker: Worker, pod: Map) -> None:
    """UpdatePodStatus: a container that has started and is not ready is probed at once, and its ticker begins anew."""
    for key, probe in worker["probes"].items():
        name, _, kind = key.rpartition("/")
        if kind != "readiness" or probe["hold"]:
            continue
        run = newest(worker, name)
        if run is None or run["state"] != "running" or (probe["id"] == run["id"] and probe["result"] == "success"):
            continue
        if not is_started(worker, part(pod, name), run):
            continue
        if probe["busy"]:
            probe["again"] = True
        else:
            kubelet.cancel(probe["timer"])
            probe["timer"] = kubelet.after(TRIGGER_MS, ["probe", worker["uid"], key])


def _told(pod: Map, run: dict[str, Any]) -> bool:
    """Whether the Pod's status tells that a container runs: the prober reads it there, and not before the sync that started it is over."""
    status: Map = pod.get("status") or EMPTY
    return any(
        one.get("containerID") == run["id"] and "running" in one["state"]
        for member in ("containerStatuses", "initContainerStatuses")
        for one in status.get(member) or ()
    )


def _attempt(kubelet: Agent, worker: Worker, key: str) -> None:
    """doProbe up to the check itself."""
    name, _, kind = key.rpartition("/")
    pod, probe = kubelet.pod(worker), worker["probes"][key]
    one, run = part(pod, name), newest(worker, name)
    if probe["busy"] or run is None or run["state"] != "running" or not runs_now(kubelet, worker, name) or not _told(pod, run):
        return
    if probe["id"] != run["id"]:
        # a new container: the first result is the initial one; readiness is then looked at once more by the sync that follows
        probe.update(
            id=run["id"],
            ok=0,
            bad=0,
            result=INITIAL[kind],
            hold=worker["mode"] != "run" and kind != "readiness",
            again=kind == "readiness",
        )
    if probe["hold"] or (kind == "startup" and probe["result"] == "success"):
        return
    spec = _spec(one, kind)
    early = (kubelet.now - run["started"] // 1000 * 1000) // 1000 < int(spec.get("initialDelaySeconds") or 0)
    if early or (kind != "startup" and not is_started(worker, one, run)):
        probe["again"] = False  # the sync that follows a new container asks in vain too
        return
    probe["at"] = kubelet.now
    timeout = int(spec.get("timeoutSeconds") or 1) * 1000
    if command := (spec.get("exec") or EMPTY).get("command"):
        try:
            probe["busy"] = kubelet.machine.exec(
                run["id"], list(command), payload=["probed", worker["uid"], key], timeout=timeout
            )
        except ExecError as error:
            _errored(kubelet, worker, key, f"{hooks.RPC}{error}")
        return
    named = (spec.get("httpGet") or spec.get("tcpSocket") or EMPTY).get("port")
    if named is not None and not hooks.port_number(one, named):
        _errored(kubelet, worker, key, hooks.not_a_port(named))
        return
    probe["busy"] = "net"
    reply = (kubelet.name, ["probe", worker["uid"], key, run["id"]])
    source = f"host/{kubelet.node}"
    if get := spec.get("httpGet"):
        host, port, message = hooks.get_request(worker, one, get)
        kubelet.network.request(source, host, port, message, timeout, reply, get.get("scheme") == "HTTPS")
    elif grpc := spec.get("grpc"):
        host, port = worker["sandbox"]["ip"], int(grpc["port"])
        message = grpc_health.question(host, port, grpc.get("service") or "")
        kubelet.network.request(source, host, port, message, timeout, reply)
    else:
        socket = spec.get("tcpSocket") or EMPTY
        host = socket.get("host") or worker["sandbox"]["ip"]
        kubelet.network.request(source, host, hooks.port_number(one, socket.get("port")), None, timeout, reply)


def exec_done(kubelet: Agent, worker: Worker, key: str, exec_id: str) -> None:
    """An exec probe's command has ended."""
    probe = worker["probes"].get(key)
    if probe is None or probe["busy"] != exec_id:
        return
    status = kubelet.machine.exec_status(exec_id)
    out, err = kubelet.machine.read_exec(exec_id)
    kubelet.machine.forget_exec(exec_id)
    name, _, kind = key.rpartition("/")
    run = newest(worker, name)
    if run is None or run["id"] != probe["id"] or not runs_now(kubelet, worker, name):
        probe["busy"] = None
        return
    text = (out + err)[:OUTPUT_BYTES]
    if status["timed_out"]:
        spec = _spec(part(kubelet.pod(worker), name), kind)
        text = f'command timed out: "{" ".join(spec["exec"]["command"])}" timed out after {spec.get("timeoutSeconds") or 1}s'
    _result(kubelet, worker, key, status["exit_code"] == 0 and not status["timed_out"], text)


def replied(kubelet: Agent, worker: Worker, key: str, container_id: str, *rest: Any) -> None:
    """An HTTP or TCP probe has its answer, the last of `rest`; before it, where it was sent on, the URL asked and how many were."""
    result: dict[str, Any] = rest[-1]
    probe = worker["probes"].get(key)
    if probe is None or probe["busy"] != "net" or probe["id"] != container_id:
        return
    name, _, kind = key.rpartition("/")
    one = part(kubelet.pod(worker), name)
    spec = _spec(one, kind)
    get = spec.get("httpGet")
    if spec.get("grpc"):
        text = _grpc_complaint(worker, spec, result)
        left = probe["at"] + int(spec.get("timeoutSeconds") or 1) * 1000 - kubelet.now
        if text.startswith(NO_GRPC) and left > 0:  # the dialler tries again until its time is over (grpc.WithBlock)
            kubelet.after(left, ["redialled", worker["uid"], key, container_id, {"ok": False, "error": "timeout"}])
            return
        _result(kubelet, worker, key, not text, text)
        return
    if get is None:
        socket = spec.get("tcpSocket") or EMPTY
        where = f"{socket.get('host') or worker['sandbox']['ip']}:{hooks.port_number(one, socket.get('port'))}"
        text = "" if result["ok"] else f"dial tcp {where}: {hooks.words(result['error'])}"
        _result(kubelet, worker, key, bool(result["ok"]), text)
        return
    host, port, _ = hooks.get_request(worker, one, get)
    url = hooks.get_url(worker, one, get)
    if result["ok"]:
        asked, times = rest[:-1] or (url, 1)
        if 300 <= result["status"] < 400 and _follow(kubelet, worker, key, container_id, spec, asked, times, result):
            return
        good = 200 <= result["status"] < 400
        _result(
            kubelet, worker, key, good, "" if good else f"HTTP probe failed with statuscode: {result['status']}"
        )
    elif result["error"] == "timeout":
        _result(
            kubelet,
            worker,
            key,
            False,
            f'Get "{url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
        )
    elif result["error"] == "closed":
        _result(kubelet, worker, key, False, f'Get "{url}": EOF')
    elif ":" in result["error"]:  # the TLS handshake's
        _result(kubelet, worker, key, False, f'Get "{url}": {result["error"]}')
    else:
        _result(kubelet, worker, key, False, f'Get "{url}": dial tcp {host}:{port}: {hooks.words(result["error"])}')


def _follow(
    kubelet: Agent, worker: Worker, key: str, container_id: str, spec: Map, url: str, asked: int, result: dict[str, Any]
) -> bool:
    """An answer that sends the probe on: it goes where the same host is meant; elsewhere it ends well, with a warning (redirectChecker and
    DoHTTPProbe, pkg/probe/http/http.go). Whether it is under way."""
    name, _, kind = key.rpartition("/")
    where = next((value for title, value in result["headers"] if title.lower() == "location"), "")
    to = urljoin(url, where)
    if where and asked < REDIRECTS and urlsplit(to).hostname == urlsplit(url).hostname:
        scheme, host, port, target = http.split_url(to)
        message = http.request("GET", target, f"{host}:{port}", [("User-Agent", "kube-probe/1.36"), ("Accept", "*/*"), ("Connection", "close")])
        reply = (kubelet.name, ["probe", worker["uid"], key, container_id, to, asked + 1])
        timeout = int(spec.get("timeoutSeconds") or 1) * 1000
        kubelet.network.request(f"host/{kubelet.node}", host, port, message.text(), timeout, reply, scheme == "https")
        return True
    text = f"{kind.capitalize()} probe warning: Probe terminated redirects, Response body: {result['body']}"
    kubelet.record(worker, "Warning", "ProbeWarning", text, part(kubelet.pod(worker), name).path)
    return False


def _grpc_complaint(worker: Worker, spec: Map, result: dict[str, Any]) -> str:
    """What is wrong with a gRPC service's answer; "" when it is SERVING (pkg/probe/grpc/grpc.go, Probe)."""
    within = f"{spec.get('timeoutSeconds') or 1}s"
    headers = {name.lower(): value for name, value in result.get("headers") or ()}
    if not result["ok"] or headers.get("content-type") != grpc_health.CONTENT_TYPE:
        if result["error"] == "timeout" and result.get("connected"):
            return f"timeout: health rpc did not complete within {within}"
        return f'{NO_GRPC} "{worker["sandbox"]["ip"]}:{spec["grpc"]["port"]}" within {within}: context deadline exceeded'
    code = int(headers["grpc-status"])
    if code == 12:
        return f"error: this server does not implement the grpc health protocol (grpc.health.v1.Health): {headers.get('grpc-message', '')}"
    if code:
        said = f"rpc error: code = {grpc_health.CODES.get(code, 'Unknown')} desc = {headers.get('grpc-message', '')}"
        return f"error: health rpc probe failed: {said}"
    return "" if result["body"] == "SERVING" else f'service unhealthy (responded with "{result["body"]}")'


def _errored(kubelet: Agent, worker: Worker, key: str, error: str) -> None:
    """The prober itself failed, thrice over (maxProbeRetries, prober.go): the result is thrown away and no threshold is touched."""
    name, _, kind = key.rpartition("/")
    probe = worker["probes"][key]
    probe["busy"] = None
    text = f"{kind.capitalize()} probe errored and resulted in unknown state: {error}"
    kubelet.record(worker, "Warning", "Unhealthy", text, part(kubelet.pod(worker), name).path)
    _look_again(kubelet, worker, key)


def _look_again(kubelet: Agent, worker: Worker, key: str) -> None:
    """The manual trigger that came while a probe was busy (manualTriggerCh holds one)."""
    probe = worker["probes"][key]
    if probe["again"]:
        probe["again"] = False
        if probe["result"] != "success":
            kubelet.cancel(probe["timer"])
            probe["timer"] = kubelet.after(TRIGGER_MS, ["probe", worker["uid"], key])


def _result(kubelet: Agent, worker: Worker, key: str, good: bool, text: str) -> None:
    """One result; it counts when there are enough of its kind in a row."""
    name, _, kind = key.rpartition("/")
    probe = worker["probes"][key]
    one = part(kubelet.pod(worker), name)
    spec = _spec(one, kind)
    probe["busy"] = None
    threshold = int(spec.get("successThreshold") or 1) if good else int(spec.get("failureThreshold") or 3)
    probe["ok"], probe["bad"] = (probe["ok"] + 1, 0) if good else (0, probe["bad"] + 1)
    new = "success" if good else "failure"
    if not good:
        kubelet.tell(
            worker,
            "kubelet-probe-failed",
            container=name,
            probe=kind,
            message=text[:SAID_BYTES],
            failures=probe["bad"],
            threshold=threshold,
        )
        kubelet.record(worker, "Warning", "Unhealthy", f"{kind.capitalize()} probe failed: {text}", one.path)
    reached = probe["ok"] >= threshold or probe["bad"] >= threshold
    changed = reached and probe["result"] != new
    if changed:
        probe["result"] = new
        if good:
            kubelet.tell(worker, "kubelet-probe-succeeded", container=name, probe=kind)
        elif kind != "readiness":
            probe["hold"] = True
    _look_again(kubelet, worker, key)
    if changed:
        if worker["mode"] == "run":
            kubelet.ask(worker)
            if worker["steps"]:
                kubelet.tell_status(worker)  # SetContainerReadiness, SetContainerStartup: told even while a sync is under way
        elif worker["mode"] == "terminating":
            kubelet.tell_status(worker)
