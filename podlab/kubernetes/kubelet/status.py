"""A Pod's status as its kubelet writes it: container statuses, phase, the whole. Pure functions of Pod, worker and time.

Sources: pkg/kubelet/kubelet_pods.go (convertToAPIContainerStatuses, getPhase, generateAPIPodStatus),
pkg/kubelet/status/status_manager.go (mergePodStatus, TerminatePod).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ..objects import EMPTY, List, Map, freeze, memo
from ..times import rfc3339
from . import conditions, restarts
from .podspec import APP, EPHEMERAL, INIT, SIDECAR, Part, actual_spec, allocated_spec, apps, parts, pod_resources
from .state import Worker

TERMINAL = ("Succeeded", "Failed")
RESTARTING = "RestartingAllContainers"


# ---- containers


def container_status(worker: Worker, pod: Map, one: Part) -> dict[str, Any]:
    """One entry of containerStatuses and its siblings."""
    runs: list[dict[str, Any]] = worker["runs"].get(one.name) or []
    run = runs[-1] if runs else None
    status: dict[str, Any] = {
        "name": one.name,
        "state": _state(run, pod),
        "lastState": EMPTY,
        "ready": False,
        "restartCount": run["attempt"] if run else 0,
        "image": run["image"] if run else one.spec["image"],
        "imageID": run["imageID"] if run else "",
    }
    if run and run["id"]:
        status["containerID"] = run["id"]
    if len(runs) > 1:
        status["lastState"] = Map({"terminated": terminated(runs[-2])})
    started = is_started(worker, one, run)
    if one.kind != EPHEMERAL:
        status["started"] = started
    waiting = _waiting(worker, pod, one, run)
    if waiting is not None:
        if "terminated" in status["state"]:
            status["lastState"] = status["state"]
        status["state"] = Map({"waiting": waiting})
    if run:
        status.update(_resources(worker, one))
    if mounts := _mounts(one):
        status["volumeMounts"] = mounts
    if run:
        status["user"] = _user(run)
    status["ready"] = is_ready(worker, one, run, started)
    return status


def _state(run: dict[str, Any] | None, pod: Map) -> Map:
    if run is None or run["state"] == "created":
        return INITIALIZING if pod["spec"].get("initContainers") else CREATING
    if run["state"] == "running":
        return _running(rfc3339(run["started"]))
    return Map({"terminated": terminated(run)})


@lru_cache(maxsize=512)
def _running(since: str) -> Map:
    return Map(running=Map(startedAt=since))


CREATING: Map = freeze({"waiting": {"reason": "ContainerCreating"}})
INITIALIZING: Map = freeze({"waiting": {"reason": "PodInitializing"}})


def terminated(run: dict[str, Any]) -> Map:
    ended: dict[str, Any] = {"exitCode": run["exitCode"]}
    if run["reason"]:
        ended["reason"] = run["reason"]
    if run["message"]:
        ended["message"] = run["message"]
    if not run["id"]:  # it was removed before its end was read
        return Map({**ended, "startedAt": None, "finishedAt": None})
    return Map({**ended, "startedAt": rfc3339(run["started"]), "finishedAt": rfc3339(run["finished"]), "containerID": run["id"]})


def _waiting(worker: Worker, pod: Map, one: Part, run: dict[str, Any] | None) -> Map | None:
    """A container that could not be started shows why (the kubelet's reason cache)."""
    reason = worker["reasons"].get(one.name)
    if reason is None or (one.kind == INIT and run and run["state"] == "exited" and run["exitCode"] == 0):
        return None
    if not restarts.should_start(worker, pod, one):
        return None
    return Map({"reason": reason[0], "message": reason[1]}) if reason[1] else Map({"reason": reason[0]})


def is_started(worker: Worker, one: Part, run: dict[str, Any] | None) -> bool:
    if run is None or run["state"] != "running":
        return False
    probe = worker["probes"].get(f"{one.name}/startup")
    return probe is None or (probe["id"] == run["id"] and probe["result"] == "success")


def is_ready(worker: Worker, one: Part, run: dict[str, Any] | None, started: bool) -> bool:
    if one.kind == INIT:
        return bool(run and run["state"] == "exited" and run["exitCode"] == 0)
    if one.kind == EPHEMERAL or not started or run is None:
        return False
    probe = worker["probes"].get(f"{one.name}/readiness")
    return probe is None or (probe["id"] == run["id"] and probe["result"] == "success")


def _resources(worker: Worker, one: Part) -> dict[str, Any]:
    wanted = worker["actual"].get(one.name) or one.spec.get("resources") or EMPTY
    allocated = worker.get("allocated", EMPTY).get(one.name, wanted) if "PodResizeInProgress" in worker["resizing"] else wanted
    shown = {}
    if allocated.get("requests"):
        shown["allocatedResources"] = allocated["requests"]
    shown["resources"] = freeze({key: wanted[key] for key in ("limits", "requests") if wanted.get(key)})
    return shown


def _mounts(one: Part) -> List:
    return memo(one.spec, "kubelet-mounts", _mounts_of)


def _mounts_of(spec: Map) -> List:
    found: List = freeze([
        {
            "name": mount["name"],
            "mountPath": mount["mountPath"],
            **(
                {"readOnly": True, "recursiveReadOnly": mount.get("recursiveReadOnly", "Disabled")}
                if mount.get("readOnly")
                else {}
            ),
        }
        for mount in spec.get("volumeMounts") or ()
    ])  # fmt: skip
    return found


ROOT: Map = freeze({"linux": {"uid": 0, "gid": 0, "supplementalGroups": [0]}})


def _user(run: dict[str, Any]) -> Map:
    """Who the container's first process is; a run keeps it where it is not root alone: [uid, gid, groups...]."""
    if "user" not in run:
        return ROOT
    uid, gid, *groups = run["user"]
    found: Map = freeze({"linux": {"uid": uid, "gid": gid, "supplementalGroups": groups}})
    return found


# ---- phase


def phase(worker: Worker, pod: Map, statuses: dict[str, dict[str, Any]], terminal: bool) -> str:
    """getPhase. `terminal`: no container will be started any more."""
    pending_init = pending_sidecar = failed_init = 0
    unknown = running = waiting = stopped = succeeded = 0
    restartable = False
    for one in parts(pod):
        status = statuses[one.name]
        state, last = status["state"], status["lastState"].get("terminated")
        if one.kind == INIT:
            if "terminated" in state:
                ended = state["terminated"]
            else:
                ended = last if "waiting" in state else None
                pending_init += ended is None
            if ended is not None and ended["exitCode"] != 0 and not _again(pod, one, ended):
                failed_init += 1
        elif one.kind == SIDECAR:
            if "running" in state:
                pending_sidecar += not status["started"]
                running += 1
            elif "waiting" in state and last is None:
                pending_sidecar += 1
                waiting += 1
        elif one.kind == APP:
            if "running" in state:
                running += 1
            elif "terminated" in state or last is not None:
                ended = state.get("terminated") or last
                stopped += 1
                succeeded += "terminated" in state and ended["exitCode"] == 0
                restartable = restartable or _again(pod, one, ended)
            else:
                waiting += 1
    if failed_init:
        return "Failed"
    initialized = any(worker["runs"].get(one.name) for one in apps(pod))
    if pending_init or (pending_sidecar and not initialized) or waiting:
        return "Pending"
    if running and not unknown:
        return "Running"
    if stopped and not unknown:
        if terminal or not restartable:
            return "Succeeded" if stopped == succeeded else "Failed"
        return "Running"
    return "Pending"


def _again(pod: Map, one: Part, ended: Map) -> bool:
    return ended.get("reason") == RESTARTING or restarts.may_restart(pod, one, ended["exitCode"])


# ---- the whole


def generate(worker: Worker, pod: Map, host_ip: str, now: int) -> dict[str, Any]:
    """The status to store. What must not be told yet (a terminal phase while containers may still run) is kept back."""
    old: Map = pod.get("status") or EMPTY
    everyone = parts(pod)
    statuses = {one.name: container_status(worker, pod, one) for one in everyone}
    true_phase = phase(worker, pod, statuses, worker["mode"] != "run")
    if worker["failed"]:
        true_phase = "Failed"
    if worker["phase"] in TERMINAL:
        true_phase = worker["phase"]  # sticky
    worker["phase"] = true_phase
    finished = worker["mode"] == "terminated" or worker.get("rejected")
    shown_phase = true_phase if finished or true_phase not in TERMINAL else old.get("phase") or "Pending"
    status: dict[str, Any] = {}
    if (generation := pod["metadata"].get("generation")) is not None:
        status["observedGeneration"] = generation
    status["phase"] = shown_phase
    status["conditions"] = conditions.of_pod(worker, pod, statuses, true_phase, now)
    if worker.get("unknown"):
        if true_phase not in TERMINAL:
            status["phase"] = worker["phase"] = "Failed"
        _mark_unknown(pod, statuses)
    if worker["failed"] and shown_phase == "Failed":
        status["reason"], status["message"] = worker["failed"]
    if old.get("nominatedNodeName"):
        status["nominatedNodeName"] = old["nominatedNodeName"]
    status["hostIP"] = host_ip
    status["hostIPs"] = _addresses(host_ip)
    sandbox = worker["sandbox"]
    if sandbox and sandbox["seen"]:
        status["podIP"] = sandbox["ip"]
        status["podIPs"] = _addresses(sandbox["ip"])
    elif old.get("podIP"):  # both, but anybody may write a status
        status["podIP"], status["podIPs"] = old["podIP"], old.get("podIPs") or _addresses(old["podIP"])
    elif pod["spec"].get("hostNetwork"):  # known before there is a sandbox
        status["podIP"], status["podIPs"] = host_ip, _addresses(host_ip)
    status["startTime"] = old.get("startTime") or rfc3339(now)
    for member, names in memo(pod["spec"], "kubelet-members", _members):
        before = {one["name"]: one for one in old.get(member) or ()}
        status[member] = List([_same(statuses[name], before) for name in names])
    status["qosClass"] = old.get("qosClass", "BestEffort")
    allocated, resources = pod_resources(pod["spec"])
    if worker["resizing"]:
        allocated, resources = pod_resources(allocated_spec(worker, pod["spec"]))[0], pod_resources(actual_spec(worker, pod["spec"]))[1]
    if allocated:
        status["allocatedResources"] = allocated
    status["resources"] = resources
    return status


UNKNOWN: Map = freeze(
    {
        "terminated": {
            "exitCode": 137,
            "reason": "ContainerStatusUnknown",
            "startedAt": None,
            "finishedAt": None,
            "message": "The container could not be located when the pod was terminated",
        }
    }
)


def _mark_unknown(pod: Map, statuses: dict[str, dict[str, Any]]) -> None:
    """TerminatePod: what has no end to show is said to have failed; not what its init containers kept from beginning."""
    begun = []
    for one in parts(pod):
        status = statuses[one.name]
        begun.append("waiting" not in status["state"] or bool(status["lastState"]))
    initializing = [index for index, one in enumerate(parts(pod)) if one.kind in (INIT, SIDECAR)]
    apps = [index for index, one in enumerate(parts(pod)) if one.kind == APP]
    last = max((index for index in initializing if begun[index]), default=-1)
    initialized = not initializing or any(begun[index] for index in apps) or _done(statuses[parts(pod)[initializing[-1]].name])
    for index, one in enumerate(parts(pod)):
        touched = index <= last if one.kind in (INIT, SIDECAR) else initialized and one.kind == APP
        if touched and "terminated" not in statuses[one.name]["state"]:
            statuses[one.name].update(state=UNKNOWN, ready=False, started=False)


def _done(status: dict[str, Any]) -> bool:
    """Whether an init container ended well, or a sidecar has started."""
    ends = [status["state"].get("terminated"), status["lastState"].get("terminated")]
    return bool(status["started"]) or any(end is not None and end["exitCode"] == 0 for end in ends)


def _members(spec: Map) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The lists of container statuses that a Pod has, with the names of their entries in order: the main ones' is sorted."""
    everyone = parts(Map(spec=spec))
    found = (
        ("initContainerStatuses", tuple(one.name for one in everyone if one.kind in (INIT, SIDECAR))),
        ("containerStatuses", tuple(sorted(one.name for one in everyone if one.kind == APP))),
        ("ephemeralContainerStatuses", tuple(one.name for one in everyone if one.kind == EPHEMERAL)),
    )
    return tuple((member, names) for member, names in found if names)


@lru_cache(maxsize=512)
def _addresses(ip: str) -> List:
    """hostIPs or podIPs of one address."""
    return List([Map(ip=ip)])


def _same(status: dict[str, Any], before: dict[str, Any]) -> Map:
    """The stored container status where it says the same, else this one, whose members are frozen. `before`: those stored, by name."""
    one: Map | None = before.get(status["name"])
    return one if one is not None and one == status else Map(status)


def rejection(pod: Map, reason: str, message: str, generation_now: int) -> dict[str, Any]:
    """The status of a Pod that the kubelet would not admit (rejectPod)."""
    old: Map = pod.get("status") or EMPTY
    return {
        **old,
        "observedGeneration": pod["metadata"].get("generation", 1),
        "phase": "Failed",
        "reason": reason,
        "message": f"Pod was rejected: {message}",
        "startTime": rfc3339(generation_now),
    }
