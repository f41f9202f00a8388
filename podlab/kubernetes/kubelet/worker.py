"""The pod worker: syncs one Pod at a time, step after step, and is told of nothing else while it does.

A sync is a list of steps in `worker["steps"]`, plain data, so that a checkpoint can be taken in the middle of one. A step's
function returns None when it is done, a number of ms to wait before the next, or WAIT for an event that will `advance` it.

Sources: pkg/kubelet/pod_workers.go, pkg/kubelet/kubelet.go (SyncPod, SyncTerminatingPod, SyncTerminatedPod),
pkg/kubelet/kuberuntime/kuberuntime_manager.go (SyncPod). Durations of runtime calls are those of the recordings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..cause import Cause
from ..objects import Map
from ..times import parse_rfc3339
from . import actions, hooks, images, probes, resize, starting, status, termination, volumes
from .backoff import FIRST_MS
from .state import WAIT, Worker, find_run, read_end

if TYPE_CHECKING:
    from .kubelet import Kubelet

RESYNC_MS = 60_000  # SyncFrequency
ERROR_MS = FIRST_MS  # backOffPeriod: 10 s
JITTER = 0.5  # workerResyncIntervalJitterFactor, workerBackOffPeriodJitterFactor
SANDBOX_MS = 110
RELIST_MS = 10  # what the relist of one Pod takes (PLEGOnDemandRelist)
UNMOUNT_MS = 100
FINISH_APART_MS = 10  # the status manager writes for one Pod after another: recorded DELETED are 9 to 13 ms apart (endpoints.json)
SHOW_MS = 1000  # CrashLoopBackOff is shown so long after the exit, as up to 1.34; see docs/fidelity.md


# ---- what asks for a sync


def pod_changed(kubelet: Kubelet, worker: Worker, pod: Map | None) -> None:
    """The Pod is new, was changed or is gone from the API server."""
    if pod is None:
        if worker["mode"] == "terminated":
            forget(kubelet, worker)
        else:
            terminate(kubelet, worker, 0)
        return
    if pod["metadata"].get("deletionTimestamp"):
        if worker["mode"] == "terminated" and not worker["steps"]:
            finish(kubelet, worker)
            return
        terminate(kubelet, worker, int(pod["metadata"].get("deletionGracePeriodSeconds") or 0))
        return
    set_deadline(kubelet, worker, pod)
    ask(kubelet, worker)


def ask(kubelet: Kubelet, worker: Worker) -> None:
    """A sync is wanted: now, or when the one under way is over."""
    if worker["steps"]:
        worker["again"] = kubelet.cluster.because or 0
    elif worker["mode"] == "run":
        sync(kubelet, worker)
        go(kubelet, worker)


def requeued(kubelet: Kubelet, worker: Worker) -> None:
    worker["requeue"] = None
    ask(kubelet, worker)


def relisted(kubelet: Kubelet, worker: Worker) -> None:
    """A relist has found changes in this Pod."""
    look(kubelet, worker, periodic=True)
    if worker["mode"] == "run":
        ask(kubelet, worker)


def look(kubelet: Kubelet, worker: Worker, *, periodic: bool) -> None:
    """Take over what the runtime says (a relist). What ended within the last moments is found by the next one."""
    from .kubelet import UNSEEN_MS

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


def container_ended(kubelet: Kubelet, worker: Worker, container_id: str) -> None:
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


def dead(kubelet: Kubelet, worker: Worker, name: str) -> None:
    """A container that is being stopped has ended."""
    termination.ended(kubelet, worker, name)


# ---- running steps


def wait_ms(kubelet: Kubelet, worker: Worker, ms: int) -> None:
    """Let the present step last so long."""
    kubelet.cancel(worker["timer"])
    worker["turn"] += 1
    worker["timer"] = kubelet.after(ms, ["step", worker["uid"], worker["turn"]])


def step_timer(kubelet: Kubelet, worker: Worker, turn: int) -> None:
    if turn == worker["turn"] and worker["timer"] is not None:
        worker["timer"] = None
        advance(kubelet, worker)


def advance(kubelet: Kubelet, worker: Worker) -> None:
    """The step that was waited for is over."""
    if worker["timer"] is not None:
        kubelet.cancel(worker["timer"])
        worker["timer"] = None
    if worker["steps"]:
        worker["steps"].pop(0)
        go(kubelet, worker)


def go(kubelet: Kubelet, worker: Worker) -> None:
    while worker["steps"]:
        step = worker["steps"][0]
        wait = STEPS[step[0]](kubelet, worker, *step[1:])
        if wait == WAIT:
            return
        if wait is not None:
            wait_ms(kubelet, worker, wait)
            return
        if worker["steps"] and worker["steps"][0] is step:
            worker["steps"].pop(0)


def waits_for(worker: Worker, kind: str) -> bool:
    return bool(worker["steps"]) and worker["steps"][0][0] == kind


def abort(kubelet: Kubelet, worker: Worker) -> None:
    """Drop the sync under way (its context is cancelled)."""
    for member in ("timer", "requeue", "show"):
        kubelet.cancel(worker[member])
        worker[member] = None
    worker["steps"], worker["again"] = [], None
    images.cancel(kubelet, worker)


# ---- SyncPod


def sync(kubelet: Kubelet, worker: Worker) -> None:
    """Write the status and lay out the steps; whoever calls it goes on to `go`."""
    kubelet.cancel(worker["requeue"])
    kubelet.cancel(worker["show"])
    worker.update(requeue=None, show=None, again=None, errors=[], did=False, syncs=worker["syncs"] + 1)
    pod = kubelet.pod(worker)
    check_deadline(kubelet, worker, pod)
    resize.consider(kubelet, worker, pod)
    if worker.get("restarting") and all(runs[-1]["id"] for runs in worker["runs"].values()):
        del worker["restarting"]  # every container that was forgotten has a run again
    kubelet.write_status(worker)
    if worker["phase"] in status.TERMINAL:
        _become_terminal(kubelet, worker)
        return
    worker["steps"] = [["mount"], ["plan"]]


def _become_terminal(kubelet: Kubelet, worker: Worker) -> None:
    """SyncPod found the Pod finished: the worker takes up the end at the next tick, once PLEG has relisted."""
    at = max(kubelet.next_tick(kubelet.now + 1), kubelet.next_relist(kubelet.now + 1))
    worker["steps"] = [["ending"]]
    kubelet.after(at - kubelet.now, ["terminate", worker["uid"]])


def step_plan(kubelet: Kubelet, worker: Worker) -> int | None:
    pod = kubelet.pod(worker)
    probes.watch(kubelet, worker, pod)
    volumes.refresh_if_due(kubelet, worker, pod)
    todo = actions.compute(worker, pod)
    steps: list[list[Any]] = []
    if todo.restart_all is not None:
        steps += termination.restart_all(kubelet, worker, pod, todo.restart_all)
    elif todo.kill_pod:
        steps += [["stop-all"], ["stop-sandbox"]]
    elif todo.sandbox and worker["attempt"] and not volumes.ready(kubelet, worker, pod):
        worker["mounted"], worker["mount"] = False, None  # a source went away meanwhile
        worker["steps"][1:] = [["mount"], ["plan"]]
        return None
    else:
        if todo.changed:
            kubelet.record(worker, "Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.")
            steps += [["stop-all"]]
        steps += [["stop", name, why, message] for name, why, message in todo.kill]
        if todo.sandbox:
            steps.append(["sandbox"])
        steps += [["container", name] for name in todo.start]
    steps.append(["end"])
    worker["steps"][1:] = steps
    return None


def step_sandbox(kubelet: Kubelet, worker: Worker) -> int | None:
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


def step_sandboxed(kubelet: Kubelet, worker: Worker) -> int | None:
    pod = kubelet.pod(worker)
    starting.run_sandbox(kubelet, worker, pod)
    worker["sandbox"]["ready"] = True
    worker["attempt"] += 1
    worker["did"] = worker["stir"] = True
    kubelet.write_status(worker, Cause("kubelet-sandbox", {"ip": worker["sandbox"]["ip"]}))
    return None


def step_end(kubelet: Kubelet, worker: Worker) -> int | None:
    """The sync is over: look at once after a success that did something, else come back later."""
    if worker["did"] and not worker["errors"]:
        worker["steps"][1:] = [["relist"]]
        return RELIST_MS
    worker["steps"] = []
    after_sync(kubelet, worker)
    return None


def step_relist(kubelet: Kubelet, worker: Worker) -> int | None:
    look(kubelet, worker, periodic=False)
    worker["steps"] = []
    if worker["mode"] == "run":
        sync(kubelet, worker)
    return None


def after_sync(kubelet: Kubelet, worker: Worker) -> None:
    """completeWork: when the worker comes back by itself."""
    worker["synced"] = kubelet.now
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


def _show_later(kubelet: Kubelet, worker: Worker) -> None:
    ends = [
        runs[-1]["finished"]
        for name, runs in worker["runs"].items()
        if worker["reasons"].get(name, [""])[0] == "CrashLoopBackOff"
    ]
    if ends:
        at = max(max(ends) + SHOW_MS, kubelet.now + SHOW_MS // 5)
        worker["show"] = kubelet.after(at - kubelet.now, ["show", worker["uid"]])


def show(kubelet: Kubelet, worker: Worker) -> None:
    """Write the status that shows a back-off, without a sync."""
    worker["show"] = None
    if worker["mode"] == "run" and not worker["steps"]:
        kubelet.write_status(worker)


# ---- the end of a Pod


def check_deadline(kubelet: Kubelet, worker: Worker, pod: Map) -> None:
    """activeDeadlineSeconds: each status that is made after it brings the event again, as in reality."""
    at = worker["deadline"]
    if at is not None and kubelet.now >= at[0]:
        message = "Pod was active on the node longer than the specified deadline"
        kubelet.record(worker, "Normal", "DeadlineExceeded", message)
        worker["failed"] = worker["failed"] or ["DeadlineExceeded", message]


def set_deadline(kubelet: Kubelet, worker: Worker, pod: Map) -> None:
    seconds = pod["spec"].get("activeDeadlineSeconds")
    if seconds is None or worker["mode"] != "run":
        return
    began = pod["status"].get("startTime")
    at = (parse_rfc3339(began) if began else kubelet.now // 1000 * 1000) + seconds * 1000
    if worker["deadline"] is not None:
        if worker["deadline"][0] == at:
            return
        kubelet.cancel(worker["deadline"][1])
    timer = kubelet.after(kubelet.next_tick(max(at, kubelet.now)) - kubelet.now, ["deadline", worker["uid"]])
    worker["deadline"] = [at, timer]


def deadline(kubelet: Kubelet, worker: Worker) -> None:
    kubelet.tell(worker, "kubelet-deadline", seconds=kubelet.pod(worker)["spec"].get("activeDeadlineSeconds"))
    ask(kubelet, worker)


def terminate(kubelet: Kubelet, worker: Worker, grace: int) -> None:
    """The Pod is to end within `grace` seconds. A period that runs already can only become shorter."""
    grace = max(grace, 1)  # calculateEffectiveGracePeriod
    if worker["mode"] == "terminated":
        return
    if worker["mode"] == "terminating":
        if worker["grace"] is None or grace < worker["grace"]:
            worker["grace"] = grace
            termination.shorten(kubelet, worker, grace)
        return
    worker["grace"] = grace
    begin_terminating(kubelet, worker)


def begin_terminating(kubelet: Kubelet, worker: Worker) -> None:
    """SyncTerminatingPod."""
    if worker["mode"] != "run":
        return
    abort(kubelet, worker)
    pod = kubelet.pod(worker)
    worker["mode"] = "terminating"
    worker["resizing"], worker["waits"] = {}, {}
    probes.stop(kubelet, worker, ("liveness", "startup"))
    check_deadline(kubelet, worker, pod)
    worker["steps"] = [["stop-all"], ["stop-sandbox"], ["ended"]]
    kubelet.write_status(worker)
    go(kubelet, worker)


def step_ended(kubelet: Kubelet, worker: Worker) -> int | None:
    """All containers are dead: the last status with the true phase, then at the next tick the rest."""
    probes.stop(kubelet, worker, ("readiness",))
    look(kubelet, worker, periodic=True)
    check_deadline(kubelet, worker, kubelet.pod(worker))
    worker["mode"] = "terminated"
    worker["steps"] = []
    kubelet.write_status(worker)
    at = max(kubelet.next_tick(kubelet.now + 1) + UNMOUNT_MS, kubelet.state["finish_at"])
    kubelet.state["finish_at"] = at + FINISH_APART_MS
    kubelet.after(at - kubelet.now, ["terminated", worker["uid"]])
    return None


def finish(kubelet: Kubelet, worker: Worker) -> None:
    """SyncTerminatedPod: nothing of the Pod is left on the node; if it is to be deleted, it goes now."""
    if worker["mode"] != "terminated":
        return
    pod = kubelet.pod(worker)
    if worker["gone"] is not None:
        forget(kubelet, worker)
        return
    if worker["deadline"] is not None and not worker.get("finished"):
        check_deadline(kubelet, worker, pod)
    worker["finished"] = True
    if worker["phase"] not in status.TERMINAL:
        worker["unknown"] = True
        kubelet.write_status(worker)
    if pod["metadata"].get("deletionTimestamp"):
        kubelet.client.delete(
            "pods", worker["name"], worker["namespace"], grace=0, uid=worker["uid"], cause=Cause("kubelet-pod-done")
        )


def forget(kubelet: Kubelet, worker: Worker) -> None:
    """The Pod is gone from the API server: its containers, their logs and its volumes go too."""
    for member in ("timer", "requeue", "show", "refresh"):
        kubelet.cancel(worker[member])
    probes.stop(kubelet, worker, ("liveness", "readiness", "startup"))
    volumes.forget(kubelet, worker)
    starting.remove_sandbox(kubelet, worker)
    kubelet.state["pods"].pop(worker["uid"], None)


def step_nothing(kubelet: Kubelet, worker: Worker) -> int | None:
    return WAIT


STEPS: dict[str, Any] = {
    "mount": volumes.step_mount,
    "mounted": volumes.step_mounted,
    "plan": step_plan,
    "sandbox": step_sandbox,
    "sandboxed": step_sandboxed,
    "container": starting.step_container,
    "pull": images.step_pull,
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
    "ended": step_ended,
    "ending": step_nothing,
}
