"""Attaching to a container's own streams, as kubectl attach, run -i and debug -i do (S/kubectl/pkg/cmd/attach)."""

from __future__ import annotations

from ..objects import Map, dig
from .containers import Refused, run_session
from .terminal import Command, KubectlError, Wait
from .verbs import Call

RECORDED = ("All commands and output from this session will be recorded in container logs, including credentials and sensitive "
            "information passed "
            "through the command prompt.\nIf you don't see a command prompt, try pressing enter.\n")


def wait_for_start(call: Call, pod: Map, container: str) -> Command:
    """Wait until a container runs or is over. Raises KubectlError when the Pod is gone or took longer than a minute."""
    deadline = call.now + call.flags.get("pod-running-timeout", 60_000)
    while True:
        live = call.terminal.api.client.find("pods", pod["metadata"]["name"], pod["metadata"]["namespace"])
        if live is None:
            raise KubectlError(f'Error from server (NotFound): pods "{pod["metadata"]["name"]}" not found\n')
        statuses = [status for member in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
                    for status in dig(live, "status." + member, ()) if status["name"] == container]
        if any("running" in (s.get("state") or {}) or "terminated" in (s.get("state") or {}) for s in statuses):
            return 0
        if dig(live, "status.phase") in ("Succeeded", "Failed"):
            return 0
        if call.now >= deadline:
            raise KubectlError("error: timed out waiting for the condition\n")
        yield Wait(deadline - call.now)


def show_log(call: Call, pod: Map, container: str) -> None:
    """What a container printed, whole."""
    lines = call.terminal.api.cluster.kubelet(pod["spec"]["nodeName"]).logs(pod["metadata"]["uid"], container)
    call.terminal.out("".join(line.text + ("" if line.partial else "\n") for line in lines))


def attach(call: Call, pod: Map, container: str) -> Command:
    """Hold a container's streams until it ends; the way back is told at the end of a terminal's session. Raises Refused."""
    flags = call.flags
    if not flags["quiet"]:
        call.terminal.err(RECORDED)
    yield from run_session(call, pod, container, command=None, stdin=flags["stdin"], tty=flags["tty"])
    if flags["stdin"] and flags["tty"] and call.terminal.tty and not flags["quiet"]:
        again = f"'kubectl attach {pod['metadata']['name']} -c {container} -n {pod['metadata']['namespace']} -i -t'"
        ephemeral = any(one["name"] == container for one in pod["spec"].get("ephemeralContainers") or ())
        call.terminal.out(f"Session ended, the ephemeral container will not be restarted but may be reattached using {again} if it is still "
                          "running\n" if ephemeral else f"Session ended, resume using {again} command\n")
    return 0


def attach_or_logs(call: Call, pod: Map, container: str) -> Command:
    """Attach; where the container is over already, show what it printed instead."""
    try:
        return (yield from attach(call, pod, container))
    except Refused as error:
        call.terminal.err(f"warning: couldn't attach to pod/{pod['metadata']['name']}, falling back to streaming logs: "
                          f"{error.why}\n")
        show_log(call, pod, container)
        return 0
