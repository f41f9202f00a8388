"""The columns of a Pod: what STATUS and RESTARTS say (printPod, pkg/printers/internalversion/printers.go)."""

from __future__ import annotations

from typing import Any

from .texts import Obj, age, is_true, moment, since


def pod_cells(pod: Obj, now: int) -> list[Any]:
    spec, status = pod["spec"], pod.get("status") or {}
    ready, total, reason, restarts, last = pod_summary(pod)
    restarts_text = f"{restarts} ({since(last, now)} ago)" if restarts and last else str(restarts)
    ips = status.get("podIPs") or ()
    gates = spec.get("readinessGates") or ()
    gates_text = f"{sum(is_true(pod, g['conditionType']) for g in gates)}/{len(gates)}" if gates else "<none>"
    return [pod["metadata"]["name"], f"{ready}/{total}", reason, restarts_text, age(pod, now),
            (ips[0]["ip"] if ips else "") or "<none>", spec.get("nodeName") or "<none>",
            status.get("nominatedNodeName") or "<none>", gates_text]


def pod_summary(pod: Obj) -> tuple[int, int, str, int, str | None]:
    """Ready containers, all containers, STATUS, restarts, and when the newest of those ended."""
    spec, status = pod["spec"], pod.get("status") or {}
    phase = status.get("phase") or ""
    reason = status.get("reason") or phase
    if any(c["type"] == "PodScheduled" and c.get("reason") == "SchedulingGated" for c in status.get("conditions") or ()):
        reason = "SchedulingGated"
    sidecars = {c["name"] for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"}
    total = len(spec["containers"]) + len(sidecars)
    init = status.get("initContainerStatuses") or ()
    ready, seen, init_reason = _initializing(init, sidecars, len(spec.get("initContainers") or ()))
    if init_reason:
        reason = init_reason
    counted = init[:seen]
    if not init_reason or is_true(pod, "Initialized"):
        counted = [c for c in counted if c["name"] in sidecars]
        main = status.get("containerStatuses") or ()
        counted = [*counted, *main]
        main_ready, main_reason, error = _main(main)
        ready += main_ready
        reason = main_reason or reason
        if reason == "Completed":
            if main_ready and is_true(pod, "Ready"):
                reason = "Running"
            elif error or main_ready:
                reason = error or "NotReady"
    if pod["metadata"].get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            reason = "Unknown"
        elif phase not in ("Succeeded", "Failed"):
            reason = "Terminating"
    ends = [c["lastState"]["terminated"].get("finishedAt") for c in counted if (c.get("lastState") or {}).get("terminated")]
    last = max(filter(None, ends), key=moment, default=None)
    return ready, total, reason, sum(c.get("restartCount", 0) for c in counted), last


def _initializing(statuses: Any, sidecars: set[str], declared: int) -> tuple[int, int, str]:
    """Ready sidecars, how many statuses were looked at, and the reason of the init container that everything waits for."""
    ready = 0
    for i, container in enumerate(statuses):
        state = container.get("state") or {}
        terminated, waiting = state.get("terminated"), state.get("waiting")
        if terminated is not None and terminated.get("exitCode", 0) == 0:
            continue
        if container["name"] in sidecars and container.get("started"):
            ready += bool(container.get("ready"))
            continue
        if terminated is not None:
            return ready, i + 1, "Init:" + _end(terminated)
        if waiting and waiting.get("reason") and waiting["reason"] != "PodInitializing":
            return ready, i + 1, "Init:" + waiting["reason"]
        return ready, i + 1, f"Init:{i}/{declared}"
    return ready, len(statuses), ""


def _main(statuses: Any) -> tuple[int, str, str]:
    """Ready main containers, the first one's reason to be named, and the first reason of an exit that was not 0."""
    ready, reason, error = 0, "", ""
    for container in reversed(statuses):
        state = container.get("state") or {}
        terminated, waiting = state.get("terminated"), state.get("waiting")
        if waiting and waiting.get("reason"):
            reason = waiting["reason"]
        elif terminated is not None:
            reason = _end(terminated)
            if terminated.get("exitCode", 0) != 0:
                error = reason
        elif container.get("ready") and state.get("running") is not None:
            ready += 1
    return ready, reason, error


def _end(terminated: Obj) -> str:
    if terminated.get("reason"):
        return str(terminated["reason"])
    return f"Signal:{terminated['signal']}" if terminated.get("signal") else f"ExitCode:{terminated.get('exitCode', 0)}"
