"""The steps of a sync, one after another.

A sync is a list of steps in `worker["steps"]`, plain data, so that a checkpoint can be taken in the middle of one. A step's
function returns None when it is done, a number of ms to wait before the next, or WAIT for an event that will `advance` it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .state import WAIT, Worker

if TYPE_CHECKING:
    from .agent import Agent


def wait_ms(kubelet: Agent, worker: Worker, ms: int) -> None:
    """Let the present step last so long."""
    kubelet.cancel(worker["timer"])
    worker["turn"] += 1
    worker["timer"] = kubelet.after(ms, ["step", worker["uid"], worker["turn"]])


def step_timer(kubelet: Agent, worker: Worker, turn: int) -> None:
    if turn == worker["turn"] and worker["timer"] is not None:
        worker["timer"] = None
        advance(kubelet, worker)


def advance(kubelet: Agent, worker: Worker) -> None:
    """The step that was waited for is over."""
    if worker["timer"] is not None:
        kubelet.cancel(worker["timer"])
        worker["timer"] = None
    if worker["steps"]:
        worker["steps"].pop(0)
        go(kubelet, worker)


def go(kubelet: Agent, worker: Worker) -> None:
    while worker["steps"]:
        step = worker["steps"][0]
        wait = kubelet.steps[step[0]](kubelet, worker, *step[1:])
        if wait == WAIT:
            return
        if wait is not None:
            wait_ms(kubelet, worker, wait)
            return
        if worker["steps"] and worker["steps"][0] is step:
            worker["steps"].pop(0)


def waits_for(worker: Worker, kind: str) -> bool:
    return bool(worker["steps"]) and worker["steps"][0][0] == kind
