"""activeDeadlineSeconds of a Pod (pkg/kubelet/active_deadline.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..objects import Map
from ..times import parse_rfc3339
from .state import Worker

if TYPE_CHECKING:
    from .agent import Agent


def check(kubelet: Agent, worker: Worker, pod: Map) -> None:
    """activeDeadlineSeconds: each status that is made after it brings the event again, as in reality."""
    at = worker["deadline"]
    if at is not None and kubelet.now >= at[0]:
        message = "Pod was active on the node longer than the specified deadline"
        kubelet.record(worker, "Normal", "DeadlineExceeded", message)
        worker["failed"] = worker["failed"] or ["DeadlineExceeded", message]


def watch(kubelet: Agent, worker: Worker, pod: Map) -> None:
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


def passed(kubelet: Agent, worker: Worker) -> None:
    kubelet.tell(worker, "kubelet-deadline", seconds=kubelet.pod(worker)["spec"].get("activeDeadlineSeconds"))
    kubelet.ask(worker)
