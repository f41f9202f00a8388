"""Who has to go. Criteria in the order of pickOneNodeForPreemption."""

from __future__ import annotations

from typing import Any

from podlab.kubernetes.objects import Map

from .given import decide, node, pod


def victims(subject: Map, *objects: Map, **others: list[dict[str, Any]]) -> tuple[str, list[str]]:
    found = decide(subject, *objects, **others).preemption
    assert found is not None
    return found.node, [victim["metadata"]["name"] for victim in found.victims]


def at(second: int) -> dict[str, Any]:
    return {"startTime": f"2026-01-01T00:00:{second:02}Z"}


def test_no_more_victims_than_needed_the_least_important_first() -> None:
    cluster = [node("n"), pod("a", cpu="1", on="n", priority=1), pod("b", cpu="500m", on="n", priority=2),
               pod("c", cpu="500m", on="n", priority=3)]
    assert victims(pod(cpu="1", priority=9), *cluster) == ("n", ["a"])


def test_the_younger_of_equals_goes() -> None:
    cluster = [node("n"), pod("old", cpu="1", on="n", status=at(1)), pod("young", cpu="1", on="n", status=at(2))]
    assert victims(pod(cpu="1", priority=9), *cluster) == ("n", ["young"])


def test_a_budget_is_spared_if_others_can_go() -> None:
    budget = {"metadata": {"name": "b", "namespace": "default"}, "spec": {"selector": {"matchLabels": {"app": "db"}}},
              "status": {"disruptionsAllowed": 0}}
    cluster = [node("n"), pod("db", cpu="1", on="n", labels={"app": "db"}), pod("web", cpu="1", on="n", priority=5)]
    assert victims(pod(cpu="1", priority=9), *cluster, poddisruptionbudgets=[budget]) == ("n", ["web"])
    assert victims(pod(cpu="1", priority=9), *cluster) == ("n", ["db"]), "without a budget the lesser one goes"


def test_a_node_without_broken_budgets_is_chosen() -> None:
    budget = {"metadata": {"name": "b", "namespace": "default"}, "spec": {"selector": {"matchLabels": {"app": "db"}}},
              "status": {"disruptionsAllowed": 0}}
    cluster = [node("m"), node("n"), pod("db", cpu="2", on="m", labels={"app": "db"}), pod("web", cpu="2", on="n", priority=5)]
    assert victims(pod(cpu="1", priority=9), *cluster, poddisruptionbudgets=[budget]) == ("n", ["web"])


def test_the_node_with_the_least_important_victims_is_chosen() -> None:
    assert victims(pod(cpu="1", priority=9), node("m"), node("n"), pod("a", cpu="2", on="m", priority=2),
                   pod("b", cpu="2", on="n", priority=1)) == ("n", ["b"])
    assert victims(pod(cpu="2", priority=9), node("m"), node("n"), pod("a", cpu="1", on="m"), pod("b", cpu="1", on="m"),
                   pod("c", cpu="2", on="n")) == ("n", ["c"]), "fewer victims of the same kind"
    assert victims(pod(cpu="1", priority=9), node("m"), node("n"), pod("a", cpu="2", on="m", status=at(1)),
                   pod("b", cpu="2", on="n", status=at(2))) == ("n", ["b"]), "who started last"


def test_equal_or_higher_priority_is_never_evicted() -> None:
    decision = decide(pod(cpu="2", priority=5), node("n"), pod("a", cpu="1", on="n", priority=5))
    assert decision.preemption is None
    assert decision.message.endswith("1 No preemption victims found for incoming pod.")


def test_no_second_round_while_the_victims_are_leaving() -> None:
    leaving = pod("low", cpu="1", on="n", metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"}, status={"conditions": [
        {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}]})
    subject = pod(cpu="2", priority=9, status={"nominatedNodeName": "n"})
    decision = decide(subject, node("n"), leaving)
    assert decision.preemption is None
    assert decision.message.endswith("preemption: not eligible due to a terminating pod on the nominated node.")


def test_room_promised_to_a_more_important_pod_is_not_taken() -> None:
    waiting = pod("vip", cpu="2", priority=9, status={"nominatedNodeName": "n"})
    assert decide(pod(cpu="1"), node("n"), waiting).message.startswith("0/1 nodes are available: 1 Insufficient cpu.")
    assert decide(pod(cpu="1", priority=10), node("n"), waiting).node == "n"
