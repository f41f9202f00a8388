"""What exec and attach ask for, judged before anything is opened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from podlab.kubernetes.apiserver.errors import ApiError, bad_request, not_found
from podlab.kubernetes.apiserver.rest import logs
from podlab.kubernetes.apiserver.rest.addresses import Target
from podlab.kubernetes.apiserver.rest.call import Call
from podlab.kubernetes.cluster import Cluster as Engine
from podlab.kubernetes.kubelet import report


def order_of(engine: Engine, call: Call, target: Target) -> dict[str, Any]:
    """The act that opens a session. Raises ApiError where there is nothing to hold."""
    pod = engine.etcd.get("pods", f"{target.namespace}/{target.name}")
    if pod is None:
        raise not_found("", "pods", target.name)
    attach = target.subresource == "attach"
    streams = {name: call.flag(name) for name in ("stdin", "stdout", "stderr")}
    if not any(streams.values()):
        raise bad_request("you must specify at least 1 of stdin, stdout, stderr")
    command = call.query.get("command", [])
    if not command and not attach:
        raise bad_request("you must specify at least one command for the container")
    container = logs.container_of(pod, call.one("container"))
    if not pod["spec"].get("nodeName"):
        raise bad_request(f"pod {target.name} does not have a host assigned")
    kubelet = engine.kubelet(pod["spec"]["nodeName"])
    report.reachable(kubelet)
    report.running(kubelet, report.held(kubelet, pod["metadata"]["uid"]), container)
    tty = _has_terminal(pod["spec"], container) if attach else call.flag("tty")
    return {"node": pod["spec"]["nodeName"], "act": "open", "pod": pod["metadata"]["uid"], "container": container,
            "command": list(command), "stdin": streams["stdin"], "tty": tty, "attach": attach}


def _has_terminal(spec: Mapping[str, Any], name: str) -> bool:
    """Whether whoever attaches gets a terminal: what they ask for changes nothing about the container."""
    groups = [spec.get(group) or () for group in ("containers", "initContainers", "ephemeralContainers")]
    return any(one["name"] == name and one.get("tty", False) for group in groups for one in group)


def refusal(engine: Engine, call: Call, target: Target) -> ApiError:
    """Why a plain request for a session gets none: what is wrong with it, or that it asks for no other protocol (UpgradeAwareHandler)."""
    if target.subresource != "portforward":
        order_of(engine, call, target)
    elif engine.etcd.get("pods", f"{target.namespace}/{target.name}") is None:
        return not_found("", "pods", target.name)
    return bad_request("Upgrade request required")
