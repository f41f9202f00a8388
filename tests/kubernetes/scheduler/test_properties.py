"""What holds for every cluster: nothing is overcommitted, nobody goes where a filter forbids, and chance is only the seed's."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podlab.kubernetes.objects import Map
from podlab.kubernetes.randomness import Randomness
from podlab.kubernetes.scheduler.cluster_view import count_matching
from podlab.kubernetes.scheduler.schedule_one import Decision, feasible_on, schedule

from .given import node, pod, view

TAINT = {"key": "k", "value": "v", "effect": "NoSchedule"}
ZONES = st.sampled_from([{}, {"zone": "a"}, {"zone": "b"}])
NODES = st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 5), ZONES, st.booleans(), st.booleans()),
                 min_size=1, max_size=5)
SPREAD = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule",
          "labelSelector": {"matchLabels": {"app": "x"}}}
APART = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
    {"labelSelector": {"matchLabels": {"app": "x"}}, "topologyKey": "kubernetes.io/hostname"}]}}
WISHES = st.sampled_from([{}, {"nodeSelector": {"zone": "a"}}, {"tolerations": [{"operator": "Exists"}]}, {"affinity": APART},
                          {"topologySpreadConstraints": [SPREAD]}])
PODS = st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 2048), st.integers(0, 3), st.sampled_from(["x", "y"]), WISHES,
                          st.booleans()), max_size=14)


def build(nodes: list[Any], pods: list[Any]) -> tuple[list[Map], list[Map]]:
    built = [node(f"n{i}", str(cpu), f"{memory}Gi", most, zone, [TAINT] if tainted else None, cordoned and i > 0)
             for i, (cpu, memory, most, zone, tainted, cordoned) in enumerate(nodes)]
    waiting = [pod(f"p{i}", f"{cpu}m", f"{memory}Mi", priority=priority, labels={"app": app},
                   ports=[{"containerPort": 80, "hostPort": 80}] if port else None, **wish)
               for i, (cpu, memory, priority, app, wish, port) in enumerate(pods)]
    return built, waiting


def run(nodes: list[Map], pods: list[Map]) -> tuple[Any, list[Decision]]:
    cluster, random, decisions = view(*nodes), Randomness(1), []
    for subject in pods:
        uid = subject["metadata"]["uid"]
        decision = schedule(subject, cluster, lambda n, uid=uid: random.integer("scheduler", uid, below=n))
        if decision.node is not None:
            assert feasible_on(subject, cluster, decision.node), "the chosen node passes every filter"
            assert not decision.scores or decision.scores[decision.node] == max(decision.scores.values())
            cluster.add_pod(subject, decision.node)
        else:
            assert not any(feasible_on(subject, cluster, name) for name in cluster.nodes), "nobody is refused who would fit"
        decisions.append(decision)
    return cluster, decisions


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(NODES, PODS)
def test_nothing_is_bound_beyond_what_is_allocatable(nodes: list[Any], pods: list[Any]) -> None:
    cluster, _ = run(*build(nodes, pods))
    for info in cluster.ordered:
        assert info.cpu <= info.cpu_allocatable
        assert info.memory <= info.memory_allocatable
        assert len(info.pods) <= info.pods_allocatable
        assert all(count == 1 for count in info.ports.values())


@settings(max_examples=30, deadline=None)
@given(NODES, PODS)
def test_decisions_depend_on_nothing_but_the_cluster(nodes: list[Any], pods: list[Any]) -> None:
    built, waiting = build(nodes, pods)
    assert run(built, waiting)[1] == run(built[::-1], waiting)[1], "not even on the order in which nodes were met"


@settings(max_examples=30, deadline=None)
@given(NODES, PODS)
def test_counts_kept_up_to_date_are_the_counts(nodes: list[Any], pods: list[Any]) -> None:
    built, waiting = build(nodes, pods)
    cluster = view(*built)
    requirements = (("app", "In", ("x",)),)
    cluster.counts("default", requirements)
    for i, subject in enumerate(waiting):
        cluster.add_pod(subject, f"n{i % len(built)}")
    for i, subject in enumerate(waiting[::2]):
        cluster.remove_pod(f"default/{subject['metadata']['name']}", f"n{2 * i % len(built)}")
    kept = cluster.counts("default", requirements)
    assert {n.name: kept.get(n.name, 0) for n in cluster.ordered} \
        == {n.name: count_matching(n, "default", requirements) for n in cluster.ordered}
