"""Stopping containers: preStop, TERM, the grace period, KILL; and the order in which a Pod's containers end.

worker["kills"]: {container: {"stage": hook | order | term, "grace": ms, "since": ms, "timer", "ordered": bool}}.

Sources: pkg/kubelet/kuberuntime/kuberuntime_container.go (killContainer, setTerminationGracePeriod, executePreStopHook),
kuberuntime_termination_order.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..objects import EMPTY, Map
from . import hooks, starting, steps
from .podspec import APP, EPHEMERAL, INIT, SIDECAR, Part, grace_ms, inits, part, parts
from .runs import runs_now
from .state import WAIT, Worker, newest
from .status import RESTARTING

if TYPE_CHECKING:
    from .agent import Agent

FLOOR_MS = 2000  # minimumGracePeriodInSeconds
SANDBOX_STOP_MS = 120  # recorded
REMOVED = "The container is removed because RestartAllContainers in place"


# ---- steps


def step_stop(kubelet: Agent, worker: Worker, name: str, why: str, message: str) -> int | None:
    """Stop one container of a Pod that goes on."""
    one = part(kubelet.pod(worker), name)
    begin(kubelet, worker, [one], _grace_of(kubelet.pod(worker), one, why), why, message, ordered=False)
    worker["did"] = True
    worker["steps"].insert(1, ["stopping"])
    return None


def _grace_of(pod: Map, one: Part, why: str) -> int:
    """A probe may carry a grace period of its own."""
    if why in ("liveness", "startup"):
        seconds = (one.spec.get(f"{why}Probe") or EMPTY).get("terminationGracePeriodSeconds")
        if seconds is not None:
            return int(seconds) * 1000
    return grace_ms(pod)


def step_stop_all(kubelet: Agent, worker: Worker, seconds: int | None = None) -> int | None:
    """Stop every container that runs, side by side; sidecars wait for the others."""
    pod = kubelet.pod(worker)
    if seconds is None and worker["mode"] == "terminating":
        seconds = worker["grace"]
    grace = grace_ms(pod) if seconds is None else seconds * 1000
    begin(kubelet, worker, list(parts(pod)), grace, "pod", "Stopping container {}", ordered=True)
    worker["did"] = True
    worker["steps"].insert(1, ["stopping"])
    return None


def step_stopping(kubelet: Agent, worker: Worker) -> int | None:
    return WAIT if worker["kills"] else None


def step_stop_sandbox(kubelet: Agent, worker: Worker) -> int | None:
    if worker["sandbox"] is None or worker["sandbox"].get("stopped"):
        return None
    starting.stop_sandbox(kubelet, worker)
    return starting.sandbox_turn(kubelet) + SANDBOX_STOP_MS


def restart_all(kubelet: Agent, worker: Worker, pod: Map, trigger: str) -> list[list[Any]]:
    """RestartAllContainers: all are killed at once and forgotten; sandbox, address and volumes stay."""
    kubelet.tell(worker, "kubelet-restart-all", container=trigger)
    worker["restarting"] = True
    return [["stop-all", 0], ["forget-runs"]]


def step_forget_runs(kubelet: Agent, worker: Worker) -> int | None:
    """Keep a place for the next run of each container: its count goes on, init containers run again. Of the removed one nothing is left
    but what convertToAPIContainerStatuses says of all of them (kubelet_pods.go)."""
    for one in parts(kubelet.pod(worker)):
        runs = worker["runs"].get(one.name)
        if not runs or one.kind == EPHEMERAL:
            continue
        last = runs[-1]
        for run in runs:
            if run["id"]:
                kubelet.machine.remove_container(run["id"])
        gone = {**last, "id": "", "state": "exited", "exitCode": 137, "reason": RESTARTING, "message": REMOVED, "started": 0, "finished": 0}
        runs[:] = [gone, {**last, "id": "", "attempt": last["attempt"] + 1, "state": "created"}]
        worker["reasons"][one.name] = [RESTARTING, REMOVED]
    worker["restart"] = {}
    worker["ended"] = []
    return None


# ---- one container


def begin(kubelet: Agent, worker: Worker, stopping: list[Part], grace: int, why: str, message: str, *, ordered: bool) -> None:
    """killContainer of several at once: their events, then hooks, order, TERM and KILL. What runs no more is left alone."""
    stopping = [one for one in stopping if one.name not in worker["kills"] and runs_now(kubelet, worker, one.name)]
    for one in stopping:
        kubelet.tell(worker, "kubelet-killing", container=one.name, why=why, grace=grace // 1000)
        kubelet.record(worker, "Normal", "Killing", message.format(one.name), one.path)
        worker["kills"][one.name] = {"stage": "hook", "grace": grace, "since": kubelet.now, "timer": None, "ordered": ordered,
                                     "deadline": kubelet.now + max(grace, FLOOR_MS)}  # fmt: skip
    for one in stopping:
        handler = (one.spec.get("lifecycle") or EMPTY).get("preStop")
        if handler and grace > 0:
            kubelet.tell(worker, "kubelet-prestop", container=one.name)
            worker["kills"][one.name]["timer"] = kubelet.after(grace, ["kill", worker["uid"], one.name])
            hooks.run(kubelet, worker, one, "preStop", handler)
        else:
            _wait_turn(kubelet, worker, one.name)


def hook_done(kubelet: Agent, worker: Worker, name: str, error: str | None) -> None:
    """preStop is over, or was cut off with its container."""
    one = part(kubelet.pod(worker), name)
    if error is not None:
        kubelet.tell(worker, "kubelet-prestop-failed", container=name, message=error)
        kubelet.record(worker, "Warning", "FailedPreStopHook", "PreStopHook failed", one.path)
    kill = worker["kills"].get(name)
    if kill is not None and kill["stage"] == "hook":
        _wait_turn(kubelet, worker, name)


def _left(kubelet: Agent, kill: dict[str, Any]) -> int:
    """What is left of the grace period: whole seconds spent are taken off."""
    spent: int = (kubelet.now - kill["since"]) // 1000 * 1000
    return max(0, int(kill["grace"]) - spent)


def _wait_turn(kubelet: Agent, worker: Worker, name: str) -> None:
    """A sidecar lets the main containers and the sidecars after it end first, while there is time."""
    kill = worker["kills"][name]
    kubelet.cancel(kill["timer"])
    left = _left(kubelet, kill)
    if left and kill["ordered"] and _goes_before(kubelet, worker, name):
        kill["stage"] = "order"
        kill["timer"] = kubelet.after(left, ["kill", worker["uid"], name])
        return
    _term(kubelet, worker, name)


def _goes_before(kubelet: Agent, worker: Worker, name: str) -> list[str]:
    """Containers still alive that end before a sidecar does."""
    pod = kubelet.pod(worker)
    one = part(pod, name)
    if one.kind != SIDECAR:
        return []
    order = [other.name for other in inits(pod)]
    return [
        other.name
        for other in parts(pod)
        if other.name in worker["kills"]
        and other.name != name
        and (other.kind in (APP, INIT) or (other.kind == SIDECAR and order.index(other.name) > order.index(name)))
    ]


def _term(kubelet: Agent, worker: Worker, name: str) -> None:
    kill, run = worker["kills"][name], worker["runs"][name][-1]
    left = max(_left(kubelet, kill), FLOOR_MS)
    kill["stage"], kill["deadline"] = "term", kubelet.now + left
    kill["timer"] = kubelet.after(left, ["kill", worker["uid"], name])
    kubelet.machine.signal(run["id"], kubelet.machine.stop_signal(run["id"]))


def kill_timer(kubelet: Agent, worker: Worker, name: str) -> None:
    """A stage has used up its time: a hook or a wait gives way to TERM, TERM to KILL."""
    kill, run = worker["kills"].get(name), newest(worker, name)
    if kill is None or run is None:
        return
    kill["timer"] = None
    if kill["stage"] == "term":
        kubelet.tell(worker, "kubelet-kill-forced", container=name)
        kubelet.machine.signal(run["id"], "KILL")
    else:
        kill["grace"] = 0
        _term(kubelet, worker, name)


def ended(kubelet: Agent, worker: Worker, name: str) -> None:
    """A container that was being stopped is dead."""
    kill = worker["kills"].pop(name, None)
    if kill is None:
        return
    kubelet.cancel(kill["timer"])
    for other, waiting in list(worker["kills"].items()):
        if waiting["stage"] == "order" and not _goes_before(kubelet, worker, other):
            kubelet.cancel(waiting["timer"])
            _term(kubelet, worker, other)
    if not worker["kills"] and steps.waits_for(worker, "stopping"):
        steps.advance(kubelet, worker)
