"""Which container may start again: the Pod's policy, a container's own policy and its rules.

Sources: pkg/kubelet/container/helpers.go (ShouldContainerBeRestarted), pkg/api/v1/pod/util.go (ContainerShouldRestart,
FindMatchingContainerRestartRule); feature ContainerRestartRules, on in 1.36.
"""

from __future__ import annotations

from ..objects import Map
from .podspec import APP, EPHEMERAL, INIT, SIDECAR, Part
from .state import Worker


def rule_for(one: Part, code: int) -> Map | None:
    """The first of restartPolicyRules that matches an exit code."""
    for rule in one.spec.get("restartPolicyRules") or ():
        codes = rule.get("exitCodes") or {}
        listed = code in (codes.get("values") or ())
        if (codes.get("operator") == "In" and listed) or (codes.get("operator") == "NotIn" and not listed):
            found: Map = rule
            return found
    return None


def has_restart_all(one: Part) -> bool:
    return any(rule.get("action") == "RestartAllContainers" for rule in one.spec.get("restartPolicyRules") or ())


def policy(pod: Map, one: Part) -> str:
    """The policy in force for a container, its own before the Pod's. An init container treats Always as OnFailure does."""
    return str(one.spec.get("restartPolicy") or pod["spec"].get("restartPolicy") or "Always")


def may_restart(pod: Map, one: Part, code: int) -> bool:
    """Whether a container that ended with `code` starts again while its Pod lives."""
    if one.kind == EPHEMERAL:
        return False
    if one.kind == SIDECAR:
        return True
    if rule_for(one, code) is not None:
        return True
    wanted = policy(pod, one)
    if one.kind == INIT:
        return wanted != "Never" and code != 0
    return wanted == "Always" or (wanted == "OnFailure" and code != 0)


def after_kill(pod: Map, one: Part) -> bool:
    """Whether a container that the kubelet kills for a failed probe starts again: policies only, no rules."""
    return one.kind == SIDECAR or policy(pod, one) != "Never"


def should_start(worker: Worker, pod: Map, one: Part) -> bool:
    """ShouldContainerBeRestarted: it has not run yet, or has ended and may run again."""
    if pod["metadata"].get("deletionTimestamp") or worker["mode"] != "run":
        return False
    runs = worker["runs"].get(one.name)
    if not runs:
        return True
    run = runs[-1]
    if run["state"] == "running":
        return False
    if run["state"] != "exited":
        return True
    return may_restart(pod, one, run["exitCode"])


def restart_all_asked(worker: Worker, everyone: tuple[Part, ...]) -> str | None:
    """The container whose end asks for all of them to be restarted, by the rule RestartAllContainers."""
    for one in everyone:
        runs = worker["runs"].get(one.name)
        if one.kind in (APP, INIT, SIDECAR) and runs and runs[-1]["state"] == "exited":
            rule = rule_for(one, runs[-1]["exitCode"])
            if rule is not None and rule.get("action") == "RestartAllContainers":
                return one.name
    return None
