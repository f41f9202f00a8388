"""kubectl port-forward and kubectl proxy."""

from __future__ import annotations

import re
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
    _refuse_udp(pairs, pod, service)
    wanted = [_translated(pair, pod, service) for pair in pairs]
    if dig(pod, "status.phase") != "Running":
        raise KubectlError(f"error: unable to forward port because pod is not running. Current "
                           f"status={dig(pod, 'status.phase')}\n")
    ports = [_numbers(*pair) for pair in wanted]
    forward = call.terminal.forward
    for local, remote in ports:
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
            for local, _ in ports:
                forward(local, None)


NUMBER = re.compile(r"[+-]?\d+")  # what strconv.Atoi reads


def _split(pair: str) -> tuple[str, str]:
    """(local, remote) of `8080:80` and `80`; of more parts the first counts alone (splitPort)."""
    parts = pair.split(":")
    return (parts[0], parts[1]) if len(parts) == 2 else (parts[0], parts[0])


def _refuse_udp(pairs: list[str], pod: Map, service: Any) -> None:
    """Raises KubectlError where a remote port is UDP's and not TCP's too (checkUDPPorts)."""
    if service is not None:
        held = [(port.get("protocol", "TCP"), port["port"]) for port in dig(service, "spec.ports", ())]
    else:
        held = [(port.get("protocol", "TCP"), port["containerPort"]) for one in pod["spec"]["containers"] for port in one.get("ports") or ()]
    tcp = {number for protocol, number in held if protocol == "TCP"}
    udp = {number for protocol, number in held if protocol == "UDP"} - tcp
    for pair in pairs:
        text = _split(pair)[1]
        number = int(text) if NUMBER.fullmatch(text) else _service_port(text, service) if service is not None else _named_port(text, pod)
        if number in udp:
            raise KubectlError(f"error: UDP protocol is not supported for {text}\n")


def _translated(pair: str, pod: Map, service: Any) -> tuple[str, str]:
    """The two ports as numbers of the Pod's (translateServicePortToTargetPort, convertPodNamedPortToNumber)."""
    local, remote = _split(pair)
    if service is None:
        number = remote if NUMBER.fullmatch(remote) else str(_named_port(remote, pod))
        return number if local == remote else local, number
    port = int(remote) if NUMBER.fullmatch(remote) else _service_port(remote, service)
    return str(port) if local == remote else local, str(_target(port, pod, service))


def _numbers(local: str, remote: str) -> tuple[int, int]:
    """The listening port, one of this laptop's where none is given, and the remote one. Raises KubectlError (client-go's parsePorts)."""
    here, there = (_parsed(side, text) for side, text in (("local", local or "0"), ("remote", remote)))
    if not there:
        raise KubectlError("error: remote port must be > 0\n")
    return here or 20_000 + there, there


def _parsed(side: str, text: str) -> int:
    """strconv.ParseUint(text, 10, 16)."""
    wrong = "" if text.isdigit() and int(text) < 65536 else "value out of range" if text.isdigit() else "invalid syntax"
    if wrong:
        raise KubectlError(f"error: error parsing {side} port '{text}': strconv.ParseUint: parsing \"{text}\": {wrong}\n")
    return int(text)


def _service_port(name: str, service: Map) -> int:
    for port in dig(service, "spec.ports", ()):
        if port.get("name", "") == name:
            return int(port["port"])
    raise KubectlError(f"error: Service '{service['metadata']['name']}' does not have a named port '{name}'\n")


def _target(number: int, pod: Map, service: Map) -> int:
    """Where a Service's port leads in a Pod; a headless one's is the Pod's own (LookupContainerPortNumberByServicePort)."""
    if dig(service, "spec.clusterIP") == "None":
        return number
    for port in dig(service, "spec.ports", ()):
        if port["port"] == number:
            wanted = port.get("targetPort") or number
            return wanted if isinstance(wanted, int) else _named_port(wanted, pod)
    raise KubectlError(f"error: Service {service['metadata']['name']} does not have a service port {number}\n")


def _named_port(text: str, pod: Map) -> int:
    for container in pod["spec"]["containers"]:
        for port in container.get("ports") or ():
            if port.get("name", "") == text:
                return int(port["containerPort"])
    raise KubectlError(f"error: Pod '{pod['metadata']['name']}' does not have a named port '{text}'\n")


@verb("proxy", Flag("port", "int", short="p", default=8001), summary="Run a proxy to the Kubernetes API server",
      usage="proxy [--port=PORT]")
def proxy(call: Call) -> None:
    raise KubectlError("error: kubectl proxy is not available here: use kubectl get --raw PATH\n")
