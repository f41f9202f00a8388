"""A container's runs held against the runtime: what is alive in truth, what a relist finds, how a run ended.

Sources: pkg/kubelet/pleg/generic.go, pkg/kubelet/kuberuntime/kuberuntime_container.go (getTerminationMessage).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..objects import EMPTY
from .podspec import part, parts
from .state import Worker, find_run, newest

if TYPE_CHECKING:
    from ..runtime.container_status import ContainerStatus
    from .agent import Agent

UNSEEN_MS = 20  # a container this young is still running in the relist that its own start asked for
LOG_LINES, LOG_BYTES = 80, 2048  # MaxContainerTerminationMessageLogLines, ...LogLength
MESSAGE_BYTES, POD_MESSAGE_BYTES = 4096, 12288  # MaxContainerTerminationMessageLength, MaxPodTerminationMessageLogLength


def runs_now(kubelet: Agent, worker: Worker, name: str) -> bool:
    """Whether a container runs in truth, seen or not."""
    run = newest(worker, name)
    return bool(run and run["id"]) and run is not None and kubelet.machine.status(run["id"]).state == "running"


def read_end(kubelet: Agent, worker: Worker, name: str, run: dict[str, Any]) -> None:
    """Fill a run's record with how it ended."""
    if run["state"] != "running":
        return
    ended = kubelet.machine.status(run["id"])
    if ended.state != "exited":
        return
    run.update(
        state="exited",
        exitCode=ended.exit_code,
        reason=ended.reason,
        finished=ended.finished_at,
        message=termination_message(kubelet, worker, name, run, ended),
    )


def termination_message(kubelet: Agent, worker: Worker, name: str, run: dict[str, Any], ended: ContainerStatus) -> str:
    """What terminated.message says: the termination log, or the end of the log after an error where the policy wants it."""
    pod = kubelet.pod(worker)
    spec = part(pod, name).spec if any(one.name == name for one in parts(pod)) else EMPTY
    text = ended.message
    if not text and ended.exit_code and spec.get("terminationMessagePolicy") == "FallbackToLogsOnError":
        lines = kubelet.machine.logs(run["id"], tail=LOG_LINES)
        text = "".join(line.text + ("" if line.partial else "\n") for line in lines)
        text = text.encode()[-LOG_BYTES:].decode("utf-8", "replace")
    allowed = min(MESSAGE_BYTES, POD_MESSAGE_BYTES // max(1, len(parts(pod))))
    return text.encode()[-allowed:].decode("utf-8", "replace") if len(text) > allowed // 4 else text


def look(kubelet: Agent, worker: Worker, *, periodic: bool) -> None:
    """Take over what the runtime says (a relist). What ended within the last moments is found by the next one."""
    if worker["sandbox"] and worker["sandbox"]["ready"]:
        worker["sandbox"]["seen"] = True
    worker["stir"] = False
    later = []
    for name, container_id in worker["ended"]:
        run = find_run(worker, name, container_id)
        if run is None:
            continue
        if not periodic and kubelet.now - run["started"] < UNSEEN_MS and run["started"]:
            later.append([name, container_id])
            continue
        read_end(kubelet, worker, name, run)
    worker["ended"] = later
    if later:
        worker["stir"] = True
        kubelet.expect_relist()


def container_ended(kubelet: Agent, worker: Worker, container_id: str) -> None:
    """The runtime says that a container's first process is gone. Nobody looks yet, but it is known why."""
    name = next((name for name, runs in worker["runs"].items() if runs and runs[-1]["id"] == container_id), None)
    if name is None:
        return
    ended = kubelet.machine.status(container_id)
    facts = {"container": name, "exitCode": ended.exit_code, "reason": ended.reason}
    if ended.signal:
        facts["signal"] = ended.signal
    kubelet.tell(worker, "kubelet-container-exited", **facts)
    if ended.reason == "OOMKilled":
        kubelet.tell(worker, "kubelet-oom", container=name)
    worker["ended"].append([name, container_id])
    worker["stir"] = True
    if name in worker["kills"]:
        kubelet.after(5, ["dead", worker["uid"], name])
    kubelet.expect_relist()
