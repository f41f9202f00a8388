"""What others may know of a node's Pods: the diagram's facts, logs, usage; and the API server's words where it is not to be had.

Sources of the words: pkg/registry/core/pod/strategy.go (LogLocation), pkg/kubelet/kubelet_pods.go (validateContainerLogStatus),
pkg/kubelet/server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..apiserver.errors import ApiError, bad_request
from ..objects import EMPTY, Map
from ..runtime.logs import LogLine
from .podspec import APP, EPHEMERAL, INIT, SIDECAR, Part, parts
from .runs import runs_now
from .state import Worker, newest

if TYPE_CHECKING:
    from .agent import Agent

STATUSES = {
    INIT: "initContainerStatuses", SIDECAR: "initContainerStatuses", APP: "containerStatuses", EPHEMERAL: "ephemeralContainerStatuses",
}  # fmt: skip
NO_IMAGE = {"ErrImagePull": "image can't be pulled", "ImagePullBackOff": "trying and failing to pull image"}  # validateContainerLogStatus


def reachable(kubelet: Agent) -> None:
    """Raises ApiError where the kubelet does not answer."""
    if kubelet.state["power"] != "on":
        words = "connect: no route to host" if kubelet.state["power"] == "off" else "i/o timeout"
        raise ApiError(500, "InternalError", f'Get "https://{kubelet.host_ip}:10250/": dial tcp {kubelet.host_ip}:10250: {words}')


def held(kubelet: Agent, uid: str) -> Worker:
    """The worker of a Pod. Raises ApiError."""
    worker = kubelet.state["pods"].get(uid)
    if worker is None:
        raise ApiError(404, "NotFound", "pod does not exist")
    found: Worker = worker
    return found


def running(kubelet: Agent, worker: Worker, name: str) -> dict[str, Any]:
    """The run of a container that an exec may join. Raises ApiError."""
    pod = kubelet.pod(worker)
    if not any(one.name == name for one in parts(pod)):
        raise bad_request(f"container {name} is not valid for pod {worker['name']}")
    run = newest(worker, name)
    if run is None or not runs_now(kubelet, worker, name):
        raise ApiError(
            500, "InternalError", f'Internal error occurred: unable to upgrade connection: container not found ("{name}")'
        )
    return run


def logs(
    kubelet: Agent,
    uid: str,
    container: str,
    *,
    previous: bool = False,
    tail: int | None = None,
    since: int = 0,
    offset: int = 0,
    limit: int | None = None,
) -> list[LogLine]:
    """Lines of a container's log, oldest first. `since`: virtual ms; `offset`: go on after a line's offset. Raises ApiError."""
    reachable(kubelet)
    worker = kubelet.state["pods"].get(uid)
    if worker is None:
        pod = next((p for p in kubelet.cluster.etcd.pods_on(kubelet.node) if p["metadata"]["uid"] == uid), None)
        name = pod["metadata"]["name"] if pod else uid
        raise bad_request(f'container "{container}" in pod "{name}" is waiting to start: ContainerCreating')
    pod, name = kubelet.pod(worker), worker["name"]
    one = next((one for one in parts(pod) if one.name == container), None)
    if one is None:
        raise bad_request(f"container {container} is not valid for pod {name}")
    runs = [run for run in worker["runs"].get(container, ()) if run["id"]]
    if previous:
        ended = runs[:-1] if runs and (runs[-1]["state"] != "exited" or container not in worker["reasons"]) else runs
        if not ended:
            raise bad_request(f'previous terminated container "{container}" in pod "{name}" not found')
        run = ended[-1]
    else:
        run = runs[-1] if runs else None
        if run is not None and run["state"] == "created":
            run = runs[-2] if len(runs) > 1 else None
    if run is None:
        reason = (_told(pod, one)["state"].get("waiting") or EMPTY).get("reason", "ContainerCreating")
        text = f'container "{container}" in pod "{name}" is waiting to start: {NO_IMAGE.get(reason, reason)}'
        raise bad_request(text)
    return kubelet.machine.logs(run["id"], offset=offset, since=since, tail=tail, limit=limit)


def _told(pod: Map, one: Part) -> Map:
    """A container's status as it was last written: what has happened since is not known to the status manager before the next sync."""
    statuses = pod["status"].get(STATUSES[one.kind]) or ()
    return next((status for status in statuses if status["name"] == one.name), Map(state=EMPTY))


def usage(kubelet: Agent, uid: str) -> dict[str, Any]:
    """{container: {"cpu_nanocores", "memory_bytes", ...}} of the containers that run."""
    worker = kubelet.state["pods"].get(uid)
    if worker is None or kubelet.state["power"] == "off":
        return {}
    return {
        name: kubelet.machine.usage(runs[-1]["id"])
        for name, runs in worker["runs"].items()
        if runs and runs_now(kubelet, worker, name)
    }


def facts(kubelet: Agent, uid: str) -> dict[str, Any]:
    """See podlab/projection/view.py, View.facts."""
    worker = kubelet.state["pods"].get(uid)
    if worker is None:
        return {}
    pod = kubelet.pod(worker)
    found: dict[str, Any] = {}
    ports: dict[str, list[dict[str, Any]]] = {}
    for listener in kubelet.network.ports(uid):
        ports.setdefault(listener["container"], []).append({key: listener[key] for key in ("port", "protocol", "address")})
    if ports:
        found["ports"] = ports
    if waits := _waits(worker):
        found["waits"] = waits
    probes: dict[str, dict[str, Any]] = {}
    for key, probe in worker["probes"].items():
        name, _, kind = key.rpartition("/")
        known = probe["result"] if probe["at"] else "unknown"
        probes.setdefault(name, {})[kind] = {
            "ok": {"success": True, "failure": False}.get(known),
            "failures": probe["bad"],
            "last": probe["at"] or None,
        }
    if probes:
        found["probes"] = probes
    if volumes := _volumes(kubelet, worker, pod):
        found["volumes"] = volumes
    if worker["kills"] and worker["mode"] == "terminating":
        found["deadline"] = max(kill["deadline"] for kill in worker["kills"].values())
    return found


def _waits(worker: Worker) -> dict[str, Any]:
    """A back-off is over when the worker comes back, which is a little after it has run out."""
    found = {}
    for name, wait in worker["waits"].items():
        until = wait["until"]
        if wait["what"] == "backoff" and worker["requeue"] is not None and until is not None:
            until = max(until, worker["due"])
        found[name] = {**wait, "until": until}
    return found


UNASKED = "kube-api-access-"  # the volume that every Pod gets (ServiceAccount admission): nobody asks how many files it has


def _volumes(kubelet: Agent, worker: Worker, pod: Map) -> dict[str, Any]:
    if not worker["sandbox"] or worker["sandbox"].get("stopped") or worker["uid"] not in kubelet.machine.state["sandboxes"]:
        return {}
    held_volumes = kubelet.machine.state["sandboxes"][worker["uid"]]["volumes"]
    return {
        volume["name"]: {
            "files": kubelet.machine.volume_files(worker["uid"], volume["name"]),
            "bytes": kubelet.machine.volume_usage(worker["uid"], volume["name"])["bytes"],
        }
        for volume in pod["spec"].get("volumes") or ()
        if volume["name"] in held_volumes and not volume["name"].startswith(UNASKED)
    }


def node_facts(kubelet: Agent) -> dict[str, Any]:
    """{"power", "since", "usage": {"cpu" milli, "memory" bytes, "disk" bytes}, "pressure"}."""
    cpu = memory = 0
    if kubelet.state["power"] != "off":
        for uid in kubelet.state["pods"]:
            for used in usage(kubelet, uid).values():
                cpu += used.get("cpu_nanocores", 0) // 1_000_000
                memory += used.get("memory_bytes", 0)
    return {
        "power": kubelet.state["power"],
        "since": kubelet.state["since"],
        "pressure": sorted(kubelet.state["pressure"]),
        "usage": {"cpu": cpu, "memory": memory + kubelet.state["fill"].get("memory", 0)},
    }
