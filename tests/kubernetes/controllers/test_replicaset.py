from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.controllers_common.pods import pods_to_delete
from podlab.kubernetes.controllers_common.replicas import plan
from podlab.kubernetes.objects import freeze
from podlab.kubernetes.times import rfc3339

from .conftest import EPOCH_MS, new_cluster
from .support import admin, alive, counts, create, events, pod, pods, scale, set_image, status, workload

NOW = EPOCH_MS + 1_000_000


def a_pod(name: str, *, node: str = "n", phase: str = "Running", ready_for: int | None = 100, age: int = 200,
          cost: int | None = None,
          restarts: int = 0) -> Any:
    ready = {"type": "Ready", "status": "True" if ready_for is not None else "False",
             "lastTransitionTime": rfc3339(NOW - (ready_for or 0) * 1000)}
    annotations = {"controller.kubernetes.io/pod-deletion-cost": str(cost)} if cost is not None else {}
    return freeze({"metadata": {"name": name, "uid": name, "creationTimestamp": rfc3339(NOW - age * 1000),
                                "annotations": annotations},
                   "spec": {"nodeName": node, "containers": [{"name": "c"}]},
                   "status": {"phase": phase, "conditions": [ready],
                              "containerStatuses": [{"name": "c", "restartCount": restarts}]}})


@pytest.mark.parametrize(("replicas", "have", "create_", "delete"), [
    pytest.param(3, 3, 0, 0, id="enough Pods change nothing"),
    pytest.param(3, 1, 2, 0, id="missing Pods are made"),
    pytest.param(1, 3, 0, 2, id="surplus Pods go"),
    pytest.param(1000, 0, 500, 0, id="no more than 500 are made in one turn"),
    pytest.param(0, 600, 0, 500, id="no more than 500 are deleted in one turn"),
])
def test_plan(replicas: int, have: int, create_: int, delete: int) -> None:
    todo = plan(replicas, [a_pod(f"p{i}") for i in range(have)], [], NOW)
    assert (todo.create, len(todo.delete)) == (create_, delete)


@pytest.mark.parametrize(("first", "second"), [
    pytest.param(a_pod("z", node=""), a_pod("a"), id="one without node before a placed one"),
    pytest.param(a_pod("z", phase="Pending"), a_pod("a"), id="a Pending one before a Running one"),
    pytest.param(a_pod("z", ready_for=None), a_pod("a"), id="an unready one before a ready one"),
    pytest.param(a_pod("z", cost=-1), a_pod("a"), id="the one with the lower deletion cost"),
    pytest.param(a_pod("z", ready_for=10), a_pod("a", ready_for=100), id="the one that has been ready for less time"),
    pytest.param(a_pod("z", restarts=3), a_pod("a"), id="the one with more restarts"),
    pytest.param(a_pod("z", age=10, ready_for=None), a_pod("a", age=100, ready_for=None), id="the younger one"),
    pytest.param(a_pod("a", ready_for=100), a_pod("z", ready_for=101),
                 id="of ages alike in logarithm the one with the lower uid"),
])
def test_scale_down_takes_first(first: Any, second: Any) -> None:
    assert pods_to_delete([second, first], [], 1, NOW) == [first]


def test_scale_down_takes_first_from_the_crowded_node() -> None:
    alone, together, other = a_pod("a", node="n1"), a_pod("z", node="n2"), a_pod("y", node="n2")
    assert pods_to_delete([alone, together], [alone, together, other], 1, NOW) == [together]


def test_replicaset_replaces_a_deleted_pod(cluster: Cluster) -> None:
    create(cluster, "replicasets", workload("ReplicaSet", replicas=3))
    cluster.run_for(3)
    victim = alive(cluster)[0]
    admin(cluster).delete("pods", victim, "default")
    cluster.run_for(3)
    assert len(alive(cluster)) == 3 and victim not in alive(cluster)


def test_status_counts_pass_through_every_step(cluster: Cluster) -> None:
    seen = counts(cluster, "replicasets")
    create(cluster, "replicasets", workload("ReplicaSet", replicas=2))
    cluster.run_for(3)
    admin(cluster).delete("pods", alive(cluster)[0], "default")
    cluster.run_for(3)
    one, two = {"replicas": 1, "readyReplicas": 1, "availableReplicas": 1}, {"replicas": 2, "readyReplicas": 2,
                                                                             "availableReplicas": 2}
    assert [numbers for _, numbers in seen] == [{}, {"replicas": 2}, two, one,
                                                {"replicas": 2, "readyReplicas": 1, "availableReplicas": 1}, two]


def test_replicaset_adopts_a_bare_pod_and_lets_one_go_whose_label_changes(cluster: Cluster) -> None:
    create(cluster, "pods", pod("loner", {"app": "web"}))
    create(cluster, "replicasets", workload("ReplicaSet", replicas=2))
    cluster.run_for(3)
    assert len(alive(cluster)) == 2 and "loner" in alive(cluster)
    admin(cluster).patch("pods", "loner", {"metadata": {"labels": {"app": "debug"}}}, "default")
    cluster.run_for(3)
    assert len(alive(cluster, "app=web")) == 2
    assert not admin(cluster).get("pods", "loner", "default")["metadata"].get("ownerReferences")


def test_a_changed_template_leaves_living_pods_alone(cluster: Cluster) -> None:
    create(cluster, "replicasets", workload("ReplicaSet", replicas=2))
    cluster.run_for(3)
    before = alive(cluster)
    set_image(cluster, "replicasets", "web", "nginx:1.16.1")
    cluster.run_for(3)
    assert alive(cluster) == before


def test_a_refused_pod_is_said_and_tried_again_until_it_is_let_in(cluster: Cluster) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": {"hard": {"pods": "1"}}}
    create(cluster, "resourcequotas", quota)
    create(cluster, "replicasets", workload("ReplicaSet", replicas=2))
    cluster.run_for(5)
    assert len(alive(cluster)) == 1
    assert [c["reason"] for c in status(cluster, "replicasets", "web")["conditions"]] == ["FailedCreate"]
    assert any("exceeded quota: few" in text for text in events(cluster, "FailedCreate"))
    admin(cluster).delete("resourcequotas", "few", "default")
    cluster.run_for(20)
    assert len(alive(cluster)) == 2 and not status(cluster, "replicasets", "web").get("conditions")


def test_minreadyseconds_holds_availability_back_until_the_very_second(make_cluster: Any) -> None:
    cluster = make_cluster(ready_ms=1000)
    create(cluster, "replicasets", workload("ReplicaSet", replicas=1, minReadySeconds=5))
    cluster.run_for(5.9)
    assert status(cluster, "replicasets", "web").get("availableReplicas") is None
    cluster.run_for(0.2)
    assert status(cluster, "replicasets", "web")["availableReplicas"] == 1


def test_a_second_look_changes_nothing(cluster: Cluster) -> None:
    create(cluster, "replicasets", workload("ReplicaSet", replicas=3))
    create(cluster, "replicationcontrollers", workload("ReplicationController", "old", replicas=2))
    cluster.run_for(5)
    revision = cluster.etcd.revision
    cluster.controller("replicaset-controller").reconcile("default/web")
    cluster.controller("replication-controller").reconcile("default/old")
    assert cluster.etcd.revision == revision


def test_a_replicationcontroller_scales(cluster: Cluster) -> None:
    create(cluster, "replicationcontrollers", workload("ReplicationController", replicas=1))
    cluster.run_for(2)
    scale(cluster, "replicationcontrollers", "web", 3)
    cluster.run_for(2)
    assert len(alive(cluster)) == 3


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(st.tuples(st.sampled_from(["delete", "scale", "unready", "end", "wait"]), st.integers(0, 5)), max_size=12))
def test_every_replicaset_converges_when_the_faults_stop(monkeypatch: pytest.MonkeyPatch, acts: list[tuple[str, int]]) -> None:
    cluster = new_cluster(monkeypatch)
    hands: Any = cluster.components["hands"]
    create(cluster, "replicasets", workload("ReplicaSet", replicas=3))
    wanted = 3
    for act, number in acts:
        cluster.run_for(0.01 + number / 10)
        held = [p for p in pods(cluster) if not p["metadata"].get("deletionTimestamp")]
        if act == "scale":
            wanted = number
            scale(cluster, "replicasets", "web", number)
        elif held and act == "delete":
            admin(cluster).delete("pods", held[number % len(held)]["metadata"]["name"], "default")
        elif held and act == "unready":
            hands.ready(held[number % len(held)], False)
        elif held and act == "end":
            hands.end(held[number % len(held)], "Failed", 1)
    cluster.run_for(10)
    living = [p for p in pods(cluster) if p["status"]["phase"] == "Running" and not p["metadata"].get("deletionTimestamp")]
    assert len(living) == wanted == status(cluster, "replicasets", "web")["replicas"]
    before = cluster.etcd.revision
    cluster.controller("replicaset-controller").reconcile("default/web")
    assert cluster.etcd.revision == before
