"""The end of a Pod: it is terminated within a grace period, then nothing of it is left on the node, then it is deleted.

Sources: pkg/kubelet/pod_workers.go, pkg/kubelet/kubelet.go (SyncTerminatingPod, SyncTerminatedPod).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..cause import Cause
from ..objects import EMPTY, Map
from . import deadline, images, probes, runs, starting, status, steps, volumes
from .state import Worker

if TYPE_CHECKING:
    from .agent import Agent

UNMOUNT_MS = 100
FINISH_APART_MS = 10  # the status manager writes for one Pod after another: recorded DELETED are 9 to 13 ms apart (endpoints.json)


CUT_OFF = ("mount", "mounted", "ending")  # steps that hear of it: waiting for volumes, and for the end of what ended by itself


def terminate(kubelet: Agent, worker: Worker, grace: int) -> None:
    """The Pod is to end within `grace` seconds: when the sync under way is over, for the runtime's part of it is not cut off (SyncPod calls the
    runtime WithoutCancel). A period can become shorter until it runs, and no more then: SyncTerminatingPod does not hear of it."""
    grace = max(grace, 1)  # calculateEffectiveGracePeriod
    if worker["mode"] != "run":
        return
    if worker["grace"] is not None:
        worker["grace"] = min(worker["grace"], grace)
        return
    worker["grace"] = grace
    if not worker["steps"] or worker["steps"][0][0] in CUT_OFF:
        begin_terminating(kubelet, worker)


def abort(kubelet: Agent, worker: Worker) -> None:
    """Drop the sync under way: it waits for volumes, or its kubelet is no more."""
    for member in ("timer", "requeue", "show"):
        kubelet.cancel(worker[member])
        worker[member] = None
    worker["steps"], worker["again"] = [], None
    images.cancel(kubelet, worker)


def begin_terminating(kubelet: Agent, worker: Worker) -> None:
    """SyncTerminatingPod."""
    if worker["mode"] != "run":
        return
    abort(kubelet, worker)
    pod = kubelet.pod(worker)
    worker["mode"] = "terminating"
    worker["waits"] = {}
    probes.stop(kubelet, worker, ("liveness", "startup"))
    deadline.check(kubelet, worker, pod)
    worker["steps"] = [["stop-all"], ["stop-sandbox"], ["ended"]]
    kubelet.write_status(worker)
    steps.go(kubelet, worker)


def step_ended(kubelet: Agent, worker: Worker) -> int | None:
    """All containers are dead: the last status with the true phase, then at the next tick the rest."""
    probes.stop(kubelet, worker, ("readiness",))
    runs.look(kubelet, worker, periodic=True)
    deadline.check(kubelet, worker, kubelet.pod(worker))
    worker["mode"] = "terminated"
    worker["steps"] = []
    kubelet.write_status(worker)
    at = max(kubelet.next_tick(kubelet.now + 1) + UNMOUNT_MS, kubelet.state["finish_at"])
    kubelet.state["finish_at"] = at + FINISH_APART_MS
    kubelet.after(at - kubelet.now, ["terminated", worker["uid"]])
    return None


def finish(kubelet: Agent, worker: Worker) -> None:
    """SyncTerminatedPod: nothing of the Pod is left on the node; if it is to be deleted, it goes now."""
    if worker["mode"] != "terminated":
        return
    pod = kubelet.pod(worker)
    if worker["gone"] is not None:
        forget(kubelet, worker)
        return
    if worker["deadline"] is not None and not worker.get("finished"):
        deadline.check(kubelet, worker, pod)
    worker["finished"] = True
    if worker["phase"] not in status.TERMINAL or any("terminated" not in one["state"] for one in _shown(pod)):
        worker["unknown"] = True  # TerminatePod (status_manager.go): whatever has no end to show is said to have failed
        kubelet.write_status(worker)
    if pod["metadata"].get("deletionTimestamp"):
        kubelet.client.delete(
            "pods", worker["name"], worker["namespace"], grace=0, uid=worker["uid"], cause=Cause("kubelet-pod-done")
        )


def _shown(pod: Map) -> tuple[Map, ...]:
    told = pod.get("status") or EMPTY
    return (*told.get("initContainerStatuses", ()), *told.get("containerStatuses", ()))


def forget(kubelet: Agent, worker: Worker) -> None:
    """The Pod is gone from the API server: its containers, their logs and its volumes go too."""
    for member in ("timer", "requeue", "show", "refresh"):
        kubelet.cancel(worker[member])
    probes.stop(kubelet, worker, ("liveness", "readiness", "startup"))
    volumes.forget(kubelet, worker)
    starting.remove_sandbox(kubelet, worker)
    kubelet.state["pods"].pop(worker["uid"], None)
