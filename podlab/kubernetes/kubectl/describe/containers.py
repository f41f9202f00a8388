"""Containers: state, resources, probes, environment, mounts (describeContainers)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from ... import quantity
from ...apiserver.tables.texts import Obj, join_host_port, print_bool, rfc1123z
from .volumes import go_list
from .writer import Page

# net/url's encodePath leaves these as they are
URL_PATH_SAFE = "$&+,/:;=@~-_."


def describe_containers(page: Page, title: str, containers: Sequence[Obj], statuses: Sequence[Obj] | None, pod: Obj | None,
                        level: int = 0) -> None:
    """`pod` is None inside a Pod template (then `level` is 1 and nothing has a state)."""
    by_name = {status["name"]: status for status in statuses or ()}
    page.line(level, title + ":" + ("" if containers else " <none>"))
    for container in containers:
        status = by_name.get(container["name"])
        page.line(1, " " * level + container["name"] + ":")
        _basics(page, container, status)
        _command(page, "Command", container.get("command"))
        _command(page, "Args", container.get("args"))
        if status is not None:
            _states(page, status)
        describe_resources(page, container.get("resources"), 2)
        for name, field in (("Liveness", "livenessProbe"), ("Readiness", "readinessProbe"), ("Startup", "startupProbe")):
            if container.get(field):
                page.field(name, probe_text(container[field]), 2)
        _environment_from(page, container)
        _environment(page, container, pod)
        _mounts(page, container)


def _basics(page: Page, container: Obj, status: Obj | None) -> None:
    if status is not None:
        page.field("Container ID", status.get("containerID", ""), 2)
    page.field("Image", container.get("image", ""), 2)
    if status is not None:
        page.field("Image ID", status.get("imageID", ""), 2)
    for title, field in (("Port", "containerPort"), ("Host Port", "hostPort")):
        ports = [f"{port.get(field, 0)}/{port.get('protocol', 'TCP')}" + (f" ({port['name']})" if port.get("name") else "")
                 for port in container.get("ports") or ()]
        page.field(title + ("s" if len(ports) > 1 else ""), ", ".join(ports) or "<none>", 2)
    seccomp = (container.get("securityContext") or {}).get("seccompProfile")
    if seccomp:
        page.field("SeccompProfile", seccomp["type"], 2)
        if seccomp["type"] == "Localhost":
            page.field("LocalhostProfile", seccomp.get("localhostProfile", ""), 3)


def _command(page: Page, title: str, words: Sequence[str] | None) -> None:
    if words:
        page.line(2, title + ":")
        for word in words:
            for line in word.split("\n"):
                page.line(3, line)


def _states(page: Page, status: Obj) -> None:
    _state(page, "State", status.get("state") or {})
    if (status.get("lastState") or {}).get("terminated"):
        _state(page, "Last State", status["lastState"])
    page.field("Ready", print_bool(bool(status.get("ready"))), 2)
    page.field("Restart Count", status.get("restartCount", 0), 2)


def _state(page: Page, title: str, state: Obj) -> None:
    if state.get("running") is not None:
        page.field(title, "Running", 2)
        page.field("Started", rfc1123z(state["running"].get("startedAt")), 3)
    elif state.get("terminated") is not None:
        ended = state["terminated"]
        page.field(title, "Terminated", 2)
        for name, field in (("Reason", "reason"), ("Message", "message")):
            if ended.get(field):
                page.field(name, ended[field], 3)
        page.field("Exit Code", ended.get("exitCode", 0), 3)
        if ended.get("signal"):
            page.field("Signal", ended["signal"], 3)
        page.field("Started", rfc1123z(ended.get("startedAt")), 3)
        page.field("Finished", rfc1123z(ended.get("finishedAt")), 3)
    else:
        page.field(title, "Waiting", 2)
        reason = (state.get("waiting") or {}).get("reason")
        if reason:
            page.field("Reason", reason, 3)


def describe_resources(page: Page, resources: Obj | None, level: int) -> None:
    for title, field in (("Limits", "limits"), ("Requests", "requests")):
        held = (resources or {}).get(field)
        if held:
            page.line(level, title + ":")
            for name, amount in sorted(held.items()):
                page.field(name, amount, level + 1)


def probe_text(probe: Obj) -> str:
    """`http-get http://:8080/ delay=0s timeout=1s period=10s #success=1 #failure=3` (DescribeProbe)."""
    times = (f"delay={probe.get('initialDelaySeconds', 0)}s timeout={probe.get('timeoutSeconds', 1)}s "
             f"period={probe.get('periodSeconds', 10)}s #success={probe.get('successThreshold', 1)} "
             f"#failure={probe.get('failureThreshold', 3)}")
    if probe.get("exec"):
        return f"exec {go_list(probe['exec'].get('command'))} {times}"
    if probe.get("httpGet"):
        get = probe["httpGet"]
        host, path = join_host_port(get.get("host", ""), get["port"]), quote(get.get("path", "/"), safe=URL_PATH_SAFE)
        slash = "" if path.startswith("/") or not path else "/"
        return f"http-get {get.get('scheme', 'HTTP').lower()}://{host}{slash}{path} {times}"
    if probe.get("tcpSocket"):
        return f"tcp-socket {probe['tcpSocket'].get('host', '')}:{probe['tcpSocket']['port']} {times}"
    if probe.get("grpc"):
        return f"grpc <pod>:{probe['grpc']['port']} {probe['grpc'].get('service', '')} {times}"
    return f"unknown {times}"


def _environment_from(page: Page, container: Obj) -> None:
    if not container.get("envFrom"):
        return
    page.line(2, "Environment Variables from:")
    for source in container["envFrom"]:
        kind = "ConfigMap" if source.get("configMapRef") else "Secret"
        reference = source.get("configMapRef") or source.get("secretRef") or {}
        prefix = f" with prefix '{source['prefix']}'" if source.get("prefix") else ""
        page.line(3, f"{reference.get('name', '')}\t{kind}{prefix}\tOptional: {_optional(reference)}")


def _environment(page: Page, container: Obj, pod: Obj | None) -> None:
    page.line(2, "Environment:" + ("" if container.get("env") else "\t<none>"))
    for variable in container.get("env") or ():
        source = variable.get("valueFrom")
        if source is None:
            head = variable["name"] + ":"
            for i, line in enumerate(str(variable.get("value", "")).split("\n")):
                page.line(3, f"{'' if i else head}\t{line}")
        elif source.get("fieldRef"):
            reference = source["fieldRef"]
            value = _pod_field(pod, reference["fieldPath"]) if pod is not None else ""
            page.line(3, f"{variable['name']}:\t{value} ({reference.get('apiVersion', 'v1')}:{reference['fieldPath']})")
        elif source.get("resourceFieldRef"):
            page.line(3, f"{variable['name']}:\t{_container_resource(container, source['resourceFieldRef'])} "
                         f"({source['resourceFieldRef']['resource']})")
        elif source.get("secretKeyRef"):
            key = source["secretKeyRef"]
            page.line(3, f"{variable['name']}:\t<set to the key '{key['key']}' in secret '{key.get('name', '')}'>"
                         f"\tOptional: {_optional(key)}")
        elif source.get("configMapKeyRef"):
            key = source["configMapKeyRef"]
            page.line(3, f"{variable['name']}:\t<set to the key '{key['key']}' of config map '{key.get('name', '')}'>"
                         f"\tOptional: {_optional(key)}")


def _optional(reference: Obj) -> str:
    return "true" if reference.get("optional") else "false"


def _pod_field(pod: Obj, path: str) -> str:
    """What kubectl can say of a field: it converts the two names alone (DefaultMetaV1FieldSelectorConversion)."""
    return str(pod["metadata"].get(path.removeprefix("metadata."), "")) if path in ("metadata.name", "metadata.namespace") else ""


def _container_resource(container: Obj, reference: Obj) -> str:
    """A limit or request in the wanted unit, rounded up (ExtractContainerResourceValue)."""
    which, _, name = reference["resource"].partition(".")
    amount = quantity.parse(str(((container.get("resources") or {}).get(which) or {}).get(name, "0")))
    divisor = quantity.parse(str(reference.get("divisor") or "1")) or 1
    value = str(-(-amount // divisor))
    return "node allocatable" if value == "0" and reference["resource"] in ("limits.cpu", "limits.memory") else value


def _mounts(page: Page, container: Obj) -> None:
    mounts = container.get("volumeMounts") or ()
    none = "" if mounts else "\t<none>"
    page.line(2, "Mounts:" + none)
    for mount in sorted(mounts, key=lambda m: m["mountPath"]):
        flags = "ro" if mount.get("readOnly") else "rw"
        if mount.get("subPath"):
            flags += f",path={json.dumps(mount['subPath'], ensure_ascii=False)}"
        page.line(3, f"{mount['mountPath']} from {mount['name']} ({flags})")
    devices: Sequence[Any] = container.get("volumeDevices") or ()
    if devices:
        page.line(2, "Devices:" + none)
        for device in sorted(devices, key=lambda d: d["devicePath"]):
            page.line(3, f"{device['devicePath']} from {device['name']}")
