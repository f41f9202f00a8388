"""What a sync of a Pod has to do: a pure function of its spec and of what is known of its containers.

Source: pkg/kubelet/kuberuntime/kuberuntime_manager.go (computePodActions) and
kuberuntime_container.go (computeInitContainerActions).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..objects import Map
from . import restarts
from .podspec import APP, EPHEMERAL, INIT, SIDECAR, Part, apps, inits, part, parts
from .state import Worker, newest


@dataclass
class Actions:
    """`kill` holds (container, why, message of the event); `start` container names, in order."""

    kill_pod: bool = False
    sandbox: bool = False
    changed: bool = False  # a sandbox is there and has to go first
    kill: list[tuple[str, str, str]] = field(default_factory=list)
    start: list[str] = field(default_factory=list)
    restart_all: str | None = None


def compute(worker: Worker, pod: Map) -> Actions:
    actions = Actions()
    everyone = parts(pod)
    if not worker["sandbox"] or not worker["sandbox"]["ready"]:
        return _with_new_sandbox(worker, pod, actions)
    if cause := restarts.restart_all_asked(worker, pod, everyone):
        actions.restart_all = cause
        return actions
    for one in everyone:
        if one.kind == EPHEMERAL and not worker["runs"].get(one.name):
            actions.start.append(one.name)
    initialized = _initialize(worker, pod, actions)
    if actions.kill_pod or not initialized:
        return actions
    keep = 0
    for one in apps(pod):
        run = newest(worker, one.name)
        if run is None or run["state"] != "running":
            if restarts.should_start(worker, pod, one):
                actions.start.append(one.name)
            continue
        if not _replace_running(worker, pod, one, run, actions):
            keep += 1
    if not keep and not any(name for name in actions.start if part(pod, name).kind == APP) and not actions.kill:
        actions.kill_pod = True
        actions.start.clear()
    return actions


def _with_new_sandbox(worker: Worker, pod: Map, actions: Actions) -> Actions:
    ran = any(worker["runs"].get(one.name) for one in parts(pod))
    actions.changed = worker["sandbox"] is not None
    if ran and worker["attempt"] and pod["spec"].get("restartPolicy") == "Never":
        actions.kill_pod = True  # what ran once must not run again
        return actions
    ended = [one for one in apps(pod) if (run := newest(worker, one.name)) and run["state"] == "exited" and run["exitCode"] == 0]
    wanted = [one.name for one in apps(pod) if one not in ended or pod["spec"].get("restartPolicy") != "OnFailure"]
    if not wanted:
        actions.kill_pod = True
        return actions
    actions.sandbox = True
    first = inits(pod)
    actions.start = [one.name for one in parts(pod) if one.kind == EPHEMERAL and not worker["runs"].get(one.name)]
    actions.start += [first[0].name] if first else wanted
    return actions


def _initialize(worker: Worker, pod: Map, actions: Actions) -> bool:
    """Init containers and sidecars: whether main containers may run."""
    begun = any((run := newest(worker, one.name)) and run["state"] != "created" for one in apps(pod))
    for one in inits(pod):
        run = newest(worker, one.name)
        if one.kind == SIDECAR:
            if run is None or run["state"] != "running":
                actions.start.append(one.name)
                if not begun:
                    return False
            elif (_replace_running(worker, pod, one, run, actions) and not begun) or (
                not begun and not _has_started(worker, one, run)
            ):
                return False
            continue
        if begun:
            continue
        if run is None or run["state"] == "created":
            actions.start.append(one.name)
            return False
        if run["state"] == "running":
            _replace_running(worker, pod, one, run, actions)
            return False
        if run["exitCode"] != 0 or run["reason"] == "OOMKilled":
            if restarts.may_restart(pod, one, run["exitCode"] or 1):
                actions.start.append(one.name)
            else:
                actions.kill_pod = True
            return False
    return True


def _has_started(worker: Worker, one: Part, run: dict[str, Any]) -> bool:
    probe = worker["probes"].get(f"{one.name}/startup")
    return probe is None or (probe["id"] == run["id"] and probe["result"] == "success")


def _replace_running(worker: Worker, pod: Map, one: Part, run: dict[str, Any], actions: Actions) -> bool:
    """Whether a running container has to be killed; notes it, and that it starts again where it may."""
    again = restarts.after_kill(pod, one)
    if run["spec"] != one.spec["image"] and one.kind != EPHEMERAL:
        why, again = f"Container {one.name} definition changed", True
        rule = "definition"
    elif one.name in worker["resize-restart"]:
        # the one message that says nothing of the restart (computePodResizeAction, kuberuntime_manager.go)
        actions.start.append(one.name)
        actions.kill.append((one.name, "resize", f"Container {one.name} resize requires restart"))
        return True
    elif _failed(worker, one, "liveness", run):
        why, rule = f"Container {one.name} failed liveness probe", "liveness"
    elif _failed(worker, one, "startup", run):
        why, rule = f"Container {one.name} failed startup probe", "startup"
    else:
        return False
    if again:
        why += ", will be restarted"
        actions.start.append(one.name)
    actions.kill.append((one.name, rule, why))
    return True


def _failed(worker: Worker, one: Part, which: str, run: dict[str, Any]) -> bool:
    if one.kind == INIT:
        return False
    probe = worker["probes"].get(f"{one.name}/{which}")
    return probe is not None and probe["id"] == run["id"] and probe["result"] == "failure"
