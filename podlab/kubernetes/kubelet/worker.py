"""The pod worker: syncs one Pod at a time, step after step, and is told of nothing else while it does.

A sync is a list of steps (steps.py); what each does is in the table at the end.

Sources: pkg/kubelet/pod_workers.go, pkg/kubelet/kubelet.go (SyncPod, SyncTerminatingPod, SyncTerminatedPod),
pkg/kubelet/kuberuntime/kuberuntime_manager.go (SyncPod). Durations of runtime calls are those of the recordings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..cause import Cause
from ..objects import Map
from . import actions, deadline, ending, hooks, images, probes, resize, runs, starting, status, steps, termination, volumes
from .backoff import FIRST_MS
from .state import WAIT, Worker

if TYPE_CHECKING:
    from .agent import Agent

RESYNC_MS = 60_000  # SyncFrequency
ERROR_MS = FIRST_MS  # backOffPeriod: 10 s
JITTER = 0.5  # workerResyncIntervalJitterFactor, workerBackOffPeriodJitterFactor
SANDBOX_MS = 110
RELIST_MS = 10  # what the relist of one Pod takes (PLEGOnDemandRelist)
SHOW_MS = 1000  # CrashLoopBackOff is shown so long after the exit, as up to 1.34; see docs/fidelity.md


# ---- what asks for a sync


def pod_changed(kubelet: Agent, worker: Worker, pod: Map | None) -> None:
    """The Pod is new, was changed or is gone from the API server."""
    if pod is None:
        if worker["mode"] == "terminated":
            ending.forget(kubelet, worker)
        else:
            ending.terminate(kubelet, worker, 0)
        resize.retry(kubelet)
        return
    if pod["metadata"].get("deletionTimestamp"):
        if worker["mode"] == "terminated" and not worker["steps"]:
            ending.finish(kubelet, worker)
            return
        ending.terminate(kubelet, worker, int(pod["metadata"].get("deletionGracePeriodSeconds") or 0))
        return
    deadline.watch(kubelet, worker, pod)
    ask(kubelet, worker)


def ask(kubelet: Agent, worker: Worker) -> None:
    """A sync is wanted: now, or when the one under way is over."""
    if worker["steps"]:
        worker["again"] = kubelet.cluster.because or 0
    elif worker["mode"] == "run":
        sync(kubelet, worker)
        steps.go(kubelet, worker)


def requeued(kubelet: Agent, worker: Worker) -> None:
    worker["requeue"] = None
    ask(kubelet, worker)


def relisted(kubelet: Agent, worker: Worker) -> None:
    """A relist has found changes in this Pod."""
    runs.look(kubelet, worker, periodic=True)
    if worker["mode"] == "run":
        ask(kubelet, worker)


def dead(kubelet: Agent, worker: Worker, name: str) -> None:
    """A container that is being stopped has ended."""
    termination.ended(kubelet, worker, name)


# ---- SyncPod


def sync(kubelet: Agent, worker: Worker) -> None:
    """Write the status and lay out the steps; whoever calls it goes on to `go`."""
    kubelet.cancel(worker["requeue"])
    kubelet.cancel(worker["show"])
    worker.update(requeue=None, show=None, again=None, errors=[], did=False, syncs=worker["syncs"] + 1)
    pod = kubelet.pod(worker)
    deadline.check(kubelet, worker, pod)
    resize.consider(kubelet, worker, pod)
    if worker.get("restarting") and all(runs[-1]["id"] for runs in worker["runs"].values()):
        del worker["restarting"]  # every container that was forgotten has a run again
    kubelet.write_status(worker)
    if worker.get("restarting"):  # told once: the next status finds nothing of them and says so as of a new Pod's
        worker["reasons"] = {name: why for name, why in worker["reasons"].items() if why[0] != status.RESTARTING}
    if worker["phase"] in status.TERMINAL:
        _become_terminal(kubelet, worker)
        return
    if worker["resizing"]:
        resize.actuate(kubelet, worker, pod)
    worker["steps"] = [["mount"], ["plan"]]


def _become_terminal(kubelet: Agent, worker: Worker) -> None:
    """SyncPod found the Pod finished: the worker takes up the end at the next tick, once PLEG has relisted."""
    at = max(kubelet.next_tick(kubelet.now + 1), kubelet.next_relist(kubelet.now + 1))
    worker["steps"] = [["ending"]]
    kubelet.after(at - kubelet.now, ["terminate", worker["uid"]])


def step_plan(kubelet: Agent, worker: Worker) -> int | None:
    pod = kubelet.pod(worker)
    images.tell_missing_secrets(kubelet, worker, pod)
    probes.watch(kubelet, worker, pod)
    volumes.refresh_if_due(kubelet, worker, pod)
    todo = actions.compute(worker, pod)
    plan: list[list[Any]] = []
    if todo.restart_all is not None:
        plan += termination.restart_all(kubelet, worker, pod, todo.restart_all)
    elif todo.kill_pod:
        plan += [["stop-all"], ["stop-sandbox"]]
    elif todo.sandbox and worker["attempt"] and not volumes.ready(kubelet, worker, pod):
        worker["mounted"], worker["mount"] = False, None  # a source went away meanwhile
        worker["steps"][1:] = [["mount"], ["plan"]]
        return None
    else:
        if todo.changed:
            kubelet.record(worker, "Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.")
            plan += [["stop-all"]]
        plan += [["stop", name, why, message] for name, why, message in todo.kill]
        if todo.sandbox:
            plan.append(["sandbox"])
        if todo.start and "unpulled" in worker:
            worker["unpulled"] = {}
            plan += [["pull-volume", volume["name"]] for volume in pod["spec"]["volumes"] if volume.get("image") is not None]
        plan += [["container", name] for name in todo.start]
    plan.append(["end"])
    worker["steps"][1:] = plan
    return None


def step_sandbox(kubelet: Agent, worker: Worker) -> int | None:
    """RunPodSandbox: namespaces and an address. OnPodSandboxReady writes the condition at once."""
    pod, now = kubelet.pod(worker), kubelet.now
    spec = pod["spec"]
    if (refused := starting.runtime_refuses(kubelet, spec)) is not None:
        kubelet.record(worker, "Warning", "FailedCreatePodSandBox", f"Failed to create pod sandbox: {refused}")
        worker["errors"].append(None)
        worker["steps"][1:] = [step for step in worker["steps"][1:] if step[0] == "end"]
        return None
    ip = kubelet.host_ip if spec.get("hostNetwork") else kubelet.new_address()
    worker["sandbox"] = {"ip": ip, "ready": False, "seen": False, "at": now, "host": bool(spec.get("hostNetwork"))}
    worker["steps"].insert(1, ["sandboxed"])
    return starting.sandbox_turn(kubelet) + SANDBOX_MS


def step_sandboxed(kubelet: Agent, worker: Worker) -> int | None:
    pod = kubelet.pod(worker)
    starting.run_sandbox(kubelet, worker, pod)
    worker["sandbox"]["ready"] = True
    worker["attempt"] += 1
    worker["did"] = worker["stir"] = True
    kubelet.write_status(worker, Cause("kubelet-sandbox", {"ip": worker["sandbox"]["ip"]}))
    return None


def step_end(kubelet: Agent, worker: Worker) -> int | None:
    """The sync is over: look at once after a success that did something, else come back later."""
    if worker["did"] and not worker["errors"]:
        worker["steps"][1:] = [["relist"]]
        return RELIST_MS
    worker["steps"] = []
    after_sync(kubelet, worker)
    return None


def step_relist(kubelet: Agent, worker: Worker) -> int | None:
    runs.look(kubelet, worker, periodic=False)
    worker["steps"] = []
    if worker["grace"] is not None:
        worker["steps"] = [["ending"]]
        kubelet.after(0, ["terminate", worker["uid"]])  # its own turn: these steps are being gone through
    elif worker["mode"] == "run":
        sync(kubelet, worker)
    return None


def after_sync(kubelet: Agent, worker: Worker) -> None:
    """completeWork: when the worker comes back by itself."""
    worker["synced"] = kubelet.now
    if worker["grace"] is not None:  # it was to end meanwhile: once a relist has told of what the sync did (GetNewerThan)
        worker["steps"] = [["ending"]]
        kubelet.after(kubelet.next_relist(kubelet.now + 1) - kubelet.now, ["terminate", worker["uid"]])
        return
    if worker["did"] and worker["errors"]:
        worker["stir"] = True
        kubelet.expect_relist()
    if worker["again"] is not None and worker["stir"]:
        worker["again"] = None  # GetNewerThan (pod_workers.go): the next sync waits for a relist, which stir brings
        return
    if worker["again"] is not None:
        because, worker["again"] = worker["again"], None
        kubelet.cluster.because = because or kubelet.cluster.because
        sync(kubelet, worker)
        return
    if not worker["errors"]:
        return
    expiries = [left for left in worker["errors"] if left is not None]
    if len(expiries) == len(worker["errors"]):
        wait = min(max(min(expiries), 0), RESYNC_MS)
        _show_later(kubelet, worker)
    else:
        wait = ERROR_MS
    wait += int(wait * JITTER * kubelet.cluster.random.fraction("kubelet-requeue", worker["uid"], worker["syncs"]))
    worker["due"] = kubelet.next_tick(kubelet.now + wait)
    worker["requeue"] = kubelet.after(worker["due"] - kubelet.now, ["sync", worker["uid"]])


def _show_later(kubelet: Agent, worker: Worker) -> None:
    ends = [
        runs[-1]["finished"]
        for name, runs in worker["runs"].items()
        if worker["reasons"].get(name, [""])[0] == "CrashLoopBackOff"
    ]
    if ends:
        at = max(max(ends) + SHOW_MS, kubelet.now + SHOW_MS // 5)
        worker["show"] = kubelet.after(at - kubelet.now, ["show", worker["uid"]])


def show(kubelet: Agent, worker: Worker) -> None:
    """Write the status that shows a back-off, without a sync."""
    worker["show"] = None
    if worker["mode"] == "run" and not worker["steps"]:
        kubelet.write_status(worker)


def step_nothing(kubelet: Agent, worker: Worker) -> int | None:
    return WAIT


STEPS: dict[str, Any] = {
    "mount": volumes.step_mount,
    "mounted": volumes.step_mounted,
    "plan": step_plan,
    "sandbox": step_sandbox,
    "sandboxed": step_sandboxed,
    "container": starting.step_container,
    "pull": images.step_pull,
    "pull-volume": images.step_pull_volume,
    "create": starting.step_create,
    "start": starting.step_start,
    "post-start": hooks.step_post_start,
    "stop": termination.step_stop,
    "stop-all": termination.step_stop_all,
    "stopping": termination.step_stopping,
    "stop-sandbox": termination.step_stop_sandbox,
    "forget-runs": termination.step_forget_runs,
    "end": step_end,
    "relist": step_relist,
    "ended": ending.step_ended,
    "ending": step_nothing,
}
