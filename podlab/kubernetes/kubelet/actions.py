"""What a sync of a Pod has to do: a pure function of its spec and of what is known of its containers.

Source: pkg/kubelet/kuberuntime/kuberuntime_manager.go (computePodActions) and
kuberuntime_container.go (computeInitContainerActions).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..objects import Map
from . import restarts
from .podspec import APP, EPHEMERAL, SIDECAR, Part, apps, inits, part, parts
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
    if cause := restarts.restart_all_asked(worker, everyone):
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
    if not keep and not any(name for name in actions.start if part(pod, name).kind == APP):
        actions.kill_pod = True  # of what a failed probe would have stopped too: the words are those of a Pod's end
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
    """computeInitContainerActions: whether main containers may run. From the last init container backwards: the first that has a run says
    how far initialization has come; before it only sidecars are looked after, so that one that crashes keeps nothing after it back."""
    order = inits(pod)
    if not order:
        return True
    # main containers that have all ended say nothing: a node's restart ends them too
    done = any((run := newest(worker, one.name)) and run["id"] and run["state"] != "exited" for one in apps(pod))
    known, todo = done, []
    for index in range(len(order) - 1, -1, -1):
        one = order[index]
        run = _here(worker, one.name)
        after = order[index + 1].name if index + 1 < len(order) else None
        if run is None:
            if known and one.kind == SIDECAR:
                todo.append(one.name)
            continue
        if known and one.kind != SIDECAR:
            continue
        if run["state"] == "running":
            if one.kind == SIDECAR:
                started = _has_started(worker, one, run)
                if started and after is None:
                    done = True
                elif started and not known and after is not None:
                    todo.append(after)
                if _replace_sidecar(worker, one, run, started, actions):
                    todo.append(one.name)
        elif one.kind == SIDECAR or run["state"] == "created":
            todo.append(one.name)
        elif run["exitCode"] != 0 or run["reason"] == "OOMKilled":
            if not restarts.may_restart(pod, one, run["exitCode"] or 1):
                actions.kill_pod = True
                return False
            todo.append(one.name)
        elif after is None:
            done = True
        else:
            todo.append(after)
        known = True
    actions.start += todo[::-1] if known else [order[0].name]
    return done


def _here(worker: Worker, name: str) -> dict[str, Any] | None:
    """An init container's latest run, if it was in the sandbox that is there now: with a new one they all begin anew (purgeInitContainers)."""
    run = newest(worker, name)
    if run is None or not run["id"]:
        return None
    return None if run["state"] == "exited" and run["finished"] < worker["sandbox"]["at"] else run


def _has_started(worker: Worker, one: Part, run: dict[str, Any]) -> bool:
    probe = worker["probes"].get(f"{one.name}/startup")
    return probe is None or (probe["id"] == run["id"] and probe["result"] == "success")


RESIZED = "Container {} resize requires restart"  # it says nothing of the restart (computePodResizeAction, kuberuntime_manager.go)


def _replace_sidecar(worker: Worker, one: Part, run: dict[str, Any], started: bool, actions: Actions) -> bool:
    """Whether a running sidecar has to be killed to start anew; notes it, in words of its own that say nothing of the restart."""
    if not started:
        rule, why = "startup", "Init container {} failed startup probe" if _failed(worker, one, "startup", run) else ""
    elif run["spec"] != one.spec["image"]:
        rule, why = "definition", "Init container {} definition changed"
    elif _failed(worker, one, "liveness", run):
        rule, why = "liveness", "Init container {} failed liveness probe"
    else:
        rule, why = "resize", RESIZED if one.name in worker["resize-restart"] else ""
    if why:
        actions.kill.append((one.name, rule, why.format(one.name)))
    return bool(why)


def _replace_running(worker: Worker, pod: Map, one: Part, run: dict[str, Any], actions: Actions) -> bool:
    """Whether a running main container has to be killed; notes it, and that it starts again where it may."""
    again = restarts.after_kill(pod, one)
    if run["spec"] != one.spec["image"]:
        why, again = f"Container {one.name} definition changed", True
        rule = "definition"
    elif one.name in worker["resize-restart"]:
        actions.start.append(one.name)
        actions.kill.append((one.name, "resize", RESIZED.format(one.name)))
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
    probe = worker["probes"].get(f"{one.name}/{which}")
    return probe is not None and probe["id"] == run["id"] and probe["result"] == "failure"
