"""What a tile says at a glance."""

from typing import Any

import pytest

from podlab.classroom.miniature import draw
from podlab.classroom.signals import Rule, Work, Worst, stuck, worst

RULE = Rule(minutes=8, checks=3, hints=2, errors=5)
CALM = Work(seconds_on_step=60, finished=False, failed_checks=0, hints=0, errors_in_a_row=0)


@pytest.mark.parametrize(("change", "told"), [
    ({}, []),
    ({"seconds_on_step": 479.0}, []),
    ({"seconds_on_step": 480.0}, ["이 걸음에 8분째"]),
    ({"failed_checks": 3}, ["확인 3번 실패"]),
    ({"hints": 2}, ["힌트 2개"]),
    ({"errors_in_a_row": 5}, ["오류 5번 잇따라"]),
    ({"failed_checks": 4, "errors_in_a_row": 6}, ["확인 4번 실패", "오류 6번 잇따라"]),
    ({"seconds_on_step": 9999.0, "finished": True}, []),
])
def test_a_learner_is_stuck_from_each_limit_on(change: dict[str, Any], told: list[str]) -> None:
    facts = {name: getattr(CALM, name) for name in CALM.__slots__}
    assert stuck(Work(**{**facts, **change}), RULE) == told


def test_a_signal_of_zero_is_switched_off() -> None:
    assert stuck(Work(9999, False, 9, 3, 9), Rule(0, 0, 0, 0)) == []


def pod(reason: str, *, ready: bool = False, phase: str = "Running", node: str = "node-1", **more: Any) -> dict[str, Any]:
    return {"name": "p", "reason": reason, "ready": ready, "phase": phase, "node_name": node, "deleting": False, "restarts": 0,
            "created_ms": 0, **more}


UP, DOWN = {"name": "node-1", "ready": True, "schedulable": True}, {"name": "node-2", "ready": False, "schedulable": True}


@pytest.mark.parametrize(("nodes", "pods", "found"), [
    ([UP], [], Worst("good", "Pod 0")),
    ([UP], [pod("Running", ready=True)] * 2, Worst("good", "Pod 2")),
    ([UP], [pod("Pending", phase="Pending", node="")], Worst("wait", "Pending")),
    ([UP], [pod("CrashLoopBackOff"), pod("CrashLoopBackOff"), pod("Pending")], Worst("bad", "CrashLoopBackOff ×2")),
    ([UP], [pod("Init:CrashLoopBackOff")], Worst("bad", "CrashLoopBackOff")),
    ([UP, DOWN], [pod("CrashLoopBackOff")], Worst("bad", "node-2 NotReady")),
    ([UP], [pod("Completed", phase="Succeeded")], Worst("good", "Pod 1")),
])
def test_the_worst_of_a_cluster_is_told_first(nodes: list[Any], pods: list[Any], found: Worst) -> None:
    assert worst(nodes, pods) == found


def test_a_picture_of_a_thousand_pods_shows_how_many_it_leaves_out() -> None:
    pods = [pod("Running", ready=True, name=f"p{n}") for n in range(1000)]
    drawn = draw([UP], pods)
    shown = drawn.count('class="m-pod')
    assert f">+{1000 - shown}<" in drawn


def test_names_in_a_picture_stay_text() -> None:
    assert "<script" not in draw([{**UP, "name": "<script>"}], [pod("<script>")])
