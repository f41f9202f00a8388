"""kubectl port-forward and kubectl proxy."""

from __future__ import annotations

from typing import Any

from ...objects import Map, dig
from ...resources import BY_PLURAL
from ..builder import Target, targets
from ..containers import pod_of
from ..flags import Flag
from ..terminal import Command, KubectlError, Wait
from ..verbs import Call, verb


@verb("port-forward", Flag("address", "list"), Flag("pod-running-timeout", "duration", default=60_000),
      summary="Forward one or more local ports to a pod", usage="port-forward TYPE/NAME [options] [LOCAL_PORT:]REMOTE_PORT "
      "[...[LOCAL_PORT_N:]REMOTE_PORT_N]")
def port_forward(call: Call) -> Command:
    if len(call.arguments) < 2:
        raise call.usage_error("TYPE/NAME and list of ports are required for port-forward")
    named, pairs = call.arguments[0], call.arguments[1:]
    target = targets([named])[0] if "/" in named else Target(BY_PLURAL["pods"], named)
    service = call.request("get", target.resource, target.name, call.namespace) if target.resource.plural == "services" else None
    pod = yield from pod_of(call, target, call.flags["pod-running-timeout"])
    if dig(pod, "status.phase") != "Running":
        raise KubectlError(f"error: unable to forward port because pod is not running. Current "
                           f"status={dig(pod, 'status.phase')}\n")
    ports = [_ports(pair, pod, service) for pair in pairs]
    forward = call.terminal.forward
    for local, remote, _ in ports:
        call.terminal.out(f"Forwarding from 127.0.0.1:{local} -> {remote}\nForwarding from [::1]:{local} -> {remote}\n")
        if forward is not None:
            forward(local, {"namespace": pod["metadata"]["namespace"], "pod": pod["metadata"]["name"],
                            "uid": pod["metadata"]["uid"], "port": remote})
    try:
        while True:
            live = call.terminal.api.client.find("pods", pod["metadata"]["name"], pod["metadata"]["namespace"])
            if live is None or live["metadata"]["uid"] != pod["metadata"]["uid"]:
                raise KubectlError("error: lost connection to pod\n")
            yield Wait()
    finally:
        if forward is not None:
            for local, _, _ in ports:
                forward(local, None)


def _ports(pair: str, pod: Map, service: Any) -> tuple[int, int, str]:
    """(local, the container's port) of `8080:80`, `80`, `:80` or `8080:http`."""
    left, colon, right = pair.partition(":")
    remote_text = right if colon else left
    remote = _remote(remote_text, pod, service)
    if not left:
        local = 20_000 + remote
    elif left.isdigit():
        local = int(left)
    elif colon:
        raise KubectlError(f"error: error parsing local port '{left}': strconv.ParseUint: parsing \"{left}\": invalid syntax\n")
    else:
        local = _service_port(left, service, pod)
    if not 0 < local < 65536:
        raise KubectlError(f"error: error parsing local port '{left}': strconv.ParseUint: parsing \"{left}\": value out of range\n")
    return local, remote, remote_text


def _service_port(text: str, service: Any, pod: Map) -> int:
    if service is not None:
        for port in dig(service, "spec.ports", ()):
            if port.get("name") == text:
                return int(port["port"])
    return _named_port(text, pod)


def _remote(text: str, pod: Map, service: Any) -> int:
    if service is not None:  # a Service's port leads to its target port
        for port in dig(service, "spec.ports", ()):
            if str(port["port"]) == text or port.get("name") == text:
                wanted = port.get("targetPort", port["port"])
                return wanted if isinstance(wanted, int) else _named_port(wanted, pod)
        name = service["metadata"]["name"]
        raise KubectlError(f"error: Service {name} does not have a service port {text}\n" if text.isdigit() else
                           f"error: Service '{name}' does not have a named port '{text}'\n")
    return int(text) if text.isdigit() else _named_port(text, pod)


def _named_port(text: str, pod: Map) -> int:
    for container in pod["spec"]["containers"]:
        for port in container.get("ports") or ():
            if port.get("name") == text:
                return int(port["containerPort"])
    raise KubectlError(f"error: Pod '{pod['metadata']['name']}' does not have a named port '{text}'\n")


@verb("proxy", Flag("port", "int", short="p", default=8001), summary="Run a proxy to the Kubernetes API server",
      usage="proxy [--port=PORT]")
def proxy(call: Call) -> None:
    raise KubectlError("error: kubectl proxy is not available here: use kubectl get --raw PATH\n")
