"""A hook is over: what follows for its container and for the sync that waited for it.

Source: pkg/kubelet/lifecycle/handlers.go; pkg/kubelet/kuberuntime/kuberuntime_container.go (startContainer, executePreStopHook).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..objects import EMPTY
from . import hooks, steps, termination
from .podspec import full_name, part
from .state import Worker, fail

if TYPE_CHECKING:
    from .agent import Agent


def exec_done(kubelet: Agent, worker: Worker, name: str, which: str, exec_id: str) -> None:
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


def slept(kubelet: Agent, worker: Worker, name: str, which: str, error: str | None) -> None:
    done(kubelet, worker, name, which, error)


def replied(kubelet: Agent, worker: Worker, name: str, which: str, result: dict[str, Any]) -> None:
    """An httpGet hook fails when nobody answers; whatever the answer is, its status is not looked at (runHTTPHandler)."""
    error = None
    if not result["ok"]:
        one = part(kubelet.pod(worker), name)
        get = one.spec["lifecycle"][which]["httpGet"]
        host, port, _ = hooks.get_request(worker, one, get)
        said = "EOF" if result["error"] == "closed" else result["error"] if ":" in result["error"] else \
            f"dial tcp {host}:{port}: {hooks.words(result['error'])}"
        error = f'Get "{hooks.get_url(worker, one, get)}": {said}'
    done(kubelet, worker, name, which, error)


def done(kubelet: Agent, worker: Worker, name: str, which: str, error: str | None) -> None:
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
        fail(worker, one, "PostStartHookError", message)
        worker["steps"].insert(1, ["stop", name, "post-start", "FailedPostStartHook"])
    steps.advance(kubelet, worker)
