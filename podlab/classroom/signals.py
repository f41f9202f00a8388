"""What a tile tells of a learner at a glance: whether they are stuck, by a rule that the teacher sees and tunes, and the worst of their cluster.

Pure: values in, values out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Rule:
    """From how much on each signal counts; 0 switches it off."""

    minutes: int  # on one step
    checks: int  # failed, of the present exercise
    hints: int  # opened, of the present exercise
    errors: int  # commands in a row that failed


@dataclass(frozen=True, slots=True)
class Work:
    """What a learner has been through since their step began."""

    seconds_on_step: float
    finished: bool  # the step is done
    failed_checks: int
    hints: int
    errors_in_a_row: int


def stuck(work: Work, rule: Rule) -> list[str]:
    """Why the learner counts as stuck, as short Korean phrases; empty if they do not."""
    if work.finished:
        return []
    signals = ((rule.minutes, int(work.seconds_on_step // 60), "이 걸음에 {}분째"), (rule.checks, work.failed_checks, "확인 {}번 실패"),
               (rule.hints, work.hints, "힌트 {}개"), (rule.errors, work.errors_in_a_row, "오류 {}번 잇따라"))
    return [text.format(amount) for limit, amount, text in signals if limit and amount >= limit]


# The worst first. Words of kubectl's STATUS column; what is not listed and not ready is only on its way.
BAD = ("CrashLoopBackOff", "OOMKilled", "Error", "ImagePullBackOff", "ErrImagePull", "InvalidImageName", "CreateContainerConfigError",
       "CreateContainerError", "RunContainerError", "Evicted", "UnexpectedAdmissionError")


@dataclass(frozen=True, slots=True)
class Worst:
    """`mood`: good, wait or bad. `text`: what stands there, in kubectl's own words."""

    mood: str
    text: str


def worst(nodes: Iterable[Mapping[str, Any]], pods: Iterable[Mapping[str, Any]]) -> Worst:
    """Of projection rows as mappings: a dead node before a broken Pod before one that waits."""
    down = [node["name"] for node in nodes if not node["ready"]]
    if down:
        return Worst("bad", f"{down[0]} NotReady")
    reasons = [str(pod["reason"]) for pod in pods]
    for bad in BAD:
        count = sum(bad in reason for reason in reasons)
        if count:
            return Worst("bad", bad + (f" ×{count}" if count > 1 else ""))
    waiting = sum(reason in ("Pending", "Terminating", "Unknown") for reason in reasons)
    if waiting:
        word = next(reason for reason in ("Unknown", "Pending", "Terminating") if reason in reasons)
        return Worst("wait", word + (f" ×{waiting}" if waiting > 1 else ""))
    return Worst("good", f"Pod {len(reasons)}")


def mood_of(pod: Mapping[str, Any]) -> str:
    """good, wait, bad or done, of one Pod's row."""
    reason = str(pod["reason"])
    if any(bad in reason for bad in BAD):
        return "bad"
    if pod["phase"] == "Succeeded":
        return "done"
    return "good" if pod["ready"] and not pod["deleting"] else "wait"
