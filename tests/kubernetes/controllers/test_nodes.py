from __future__ import annotations

from typing import Any

import pytest

from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.controllers.node_lifecycle import taint_steps
from podlab.kubernetes.controllers.taint_eviction import seconds_left, used_tolerations
from podlab.kubernetes.objects import dig

from .support import admin, alive, condition, create, events, pod, pods, workload

UNREACHABLE = {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}


@pytest.mark.parametrize(("tolerations", "seconds"), [
    pytest.param([], 0, id="not tolerated: at once"),
    pytest.param([{"operator": "Exists"}], None, id="tolerated for ever"),
    pytest.param([{"key": UNREACHABLE["key"], "operator": "Exists", "tolerationSeconds": 300}], 300, id="for five minutes"),
    pytest.param([{"key": UNREACHABLE["key"], "operator": "Exists", "tolerationSeconds": -5}], 0, id="a negative time is none"),
    pytest.param([{"key": UNREACHABLE["key"], "operator": "Exists", "effect": "NoSchedule"}], 0,
                 id="another effect does not help"),
])
def test_how_long_a_pod_may_stay(tolerations: list[Any], seconds: float | None) -> None:
    assert seconds_left(used_tolerations([UNREACHABLE], tolerations)) == seconds


def test_a_new_taint_is_added_before_the_old_one_goes() -> None:
    held = [{"key": "node.kubernetes.io/unreachable", "effect": "NoSchedule"}]
    steps = taint_steps(held, ["node.kubernetes.io/not-ready"], "NoSchedule",
                        ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"), 0)
    assert [(rule, len(taints)) for rule, _, taints in steps] == [("node-taint", 2), ("node-untaint", 1)]


def silence(cluster: Cluster, power: str = "silent", node: str = "node-1") -> None:
    cluster.apply({"at": cluster.now, "do": "fault", "node": node, "power": power})


def test_nothing_happens_on_its_own_while_all_is_well(cluster: Cluster) -> None:
    create(cluster, "replicasets", workload("ReplicaSet", replicas=1))
    cluster.run_for(5)
    revision = cluster.etcd.revision
    due = cluster.clock.next_at()
    assert cluster.etcd.revision == revision and (due is None or due > cluster.now + 1_000_000)


def test_a_silent_node_becomes_unknown_its_pods_unready_and_taints_say_so(cluster: Cluster) -> None:
    create(cluster, "pods", pod("p"))
    cluster.run_for(3)
    seen = {"status": {"conditions": [{"type": "Ready", "status": "True", "observedGeneration": 1}]}}
    admin(cluster).patch("pods", "p", seen, "default", type="strategic", subresource="status")
    silence(cluster)
    cluster.run_for(39)
    assert condition(cluster, "nodes", "node-1", "Ready") == "True:KubeletReady"
    cluster.run_for(17)
    assert condition(cluster, "nodes", "node-1", "Ready") == "Unknown:NodeStatusUnknown"
    assert condition(cluster, "pods", "p", "Ready") == "False:" and events(cluster, "NodeNotReady")
    told = [c.get("observedGeneration") for c in admin(cluster).get("pods", "p", "default")["status"]["conditions"] if c["type"] == "Ready"]
    assert told == [1]
    taints = [(t["key"].split("/")[1], t["effect"]) for t in admin(cluster).get("nodes", "node-1")["spec"]["taints"]]
    assert taints == [("unreachable", "NoSchedule"), ("unreachable", "NoExecute")]
    assert condition(cluster, "nodes", "node-2", "Ready") == "True:KubeletReady"


def test_pods_leave_after_their_five_minutes(cluster: Cluster) -> None:
    create(cluster, "replicasets", workload("ReplicaSet", replicas=1))
    cluster.run_for(3)
    first = alive(cluster)
    admin(cluster).patch("pods", first[0], {"metadata": {"finalizers": ["a.example/keep"]}}, "default")
    silence(cluster)
    while not [t for t in dig(admin(cluster).get("nodes", "node-1"), "spec.taints", []) if t["effect"] == "NoExecute"]:
        cluster.run_for(0.1)
    cluster.run_for(299)
    assert alive(cluster) == first
    cluster.run_for(2)
    assert first[0] not in alive(cluster) and len(alive(cluster)) == 1
    target, = (c for c in admin(cluster).get("pods", first[0], "default")["status"]["conditions"] if c["type"] == "DisruptionTarget")
    assert (target["observedGeneration"], target["reason"]) == (1, "DeletionByTaintManager")
    assert events(cluster, "TaintManagerEviction")[0] == f"Marking for deletion Pod default/{first[0]}"


def test_a_node_that_comes_back_cancels_what_was_planned(cluster: Cluster) -> None:
    create(cluster, "pods", pod("p"))
    cluster.run_for(3)
    silence(cluster)
    cluster.run_for(70)
    silence(cluster, "on")
    node = admin(cluster).get("nodes", "node-1")
    healthy = [{**c, "status": "True" if c["type"] == "Ready" else "False", "reason": "KubeletReady"}
               for c in node["status"]["conditions"]]
    cluster.components["kubelet/node-1"].client.update("nodes", {**node, "status": {**node["status"], "conditions": healthy}},
                                                       subresource="status")
    cluster.run_for(6)
    assert not admin(cluster).get("nodes", "node-1")["spec"].get("taints")
    cluster.run_for(400)
    assert alive(cluster) == ["p"] and "Cancelling deletion of Pod default/p" in events(cluster, "TaintManagerEviction")


@pytest.mark.parametrize(("second", "gone_after", "said"), [
    pytest.param("b", 22, ["Marking for deletion Pod default/p"], id="a second taint tolerated for less: the first plan stands"),
    pytest.param("d", 22, ["Marking for deletion Pod default/p"], id="a second taint tolerated for no time: the first plan stands"),
    pytest.param("c", 6, ["Cancelling deletion of Pod default/p", "Marking for deletion Pod default/p"],
                 id="a second taint not tolerated: the plan is cancelled and the Pod goes"),
])
def test_a_planned_eviction_and_a_second_taint(cluster: Cluster, second: str, gone_after: float, said: list[str]) -> None:
    tolerations = [{"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": seconds}
                   for key, seconds in (("a", 20), ("b", 5), ("d", 0))]
    create(cluster, "pods", pod("p", nodeName="node-1", tolerations=tolerations))
    cluster.run_for(1)
    admin(cluster).patch("nodes", "node-1", {"spec": {"taints": [{"key": "a", "effect": "NoExecute"}]}})
    cluster.run_for(4)
    admin(cluster).patch("nodes", "node-1", {"spec": {"taints": [{"key": key, "effect": "NoExecute"} for key in ("a", second)]}})
    cluster.run_for(gone_after - 6)
    assert alive(cluster) == ["p"]
    cluster.run_for(2)
    assert (alive(cluster), events(cluster, "TaintManagerEviction")) == ([], said)


def test_when_every_node_is_silent_nobody_is_evicted(cluster: Cluster) -> None:
    create(cluster, "pods", pod("p"))
    cluster.run_for(3)
    silence(cluster)
    silence(cluster, node="node-2")
    cluster.run_for(500)
    assert alive(cluster) == ["p"]


def test_a_cordon_is_a_taint(cluster: Cluster) -> None:
    admin(cluster).patch("nodes", "node-1", {"spec": {"unschedulable": True}})
    cluster.run_for(1)
    assert [t["key"] for t in admin(cluster).get("nodes", "node-1")["spec"]["taints"]] == ["node.kubernetes.io/unschedulable"]
    admin(cluster).patch("nodes", "node-1", {"spec": {"unschedulable": None}})
    cluster.run_for(1)
    assert not admin(cluster).get("nodes", "node-1")["spec"].get("taints")


def test_pods_of_a_vanished_node_go_after_the_quarantine(make_cluster: Any) -> None:
    cluster = make_cluster(stop_ms=None)
    create(cluster, "pods", pod("p"))
    cluster.run_for(3)
    admin(cluster).delete("nodes", "node-1")
    cluster.run_for(39)
    assert alive(cluster) == ["p"]
    cluster.run_for(30)
    assert not pods(cluster)


def test_nodes_that_come_and_go_are_told_of_and_one_of_which_nobody_tells_is_unknown_after_a_minute(cluster: Cluster) -> None:
    assert events(cluster, "RegisteredNode") == []  # the nodes that a cluster begins with have long been known
    create(cluster, "nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "paper"}}, "")
    cluster.run_for(6)
    assert events(cluster, "RegisteredNode") == ["Node paper event: Registered Node paper in Controller"]
    cluster.run_for(53)
    assert "taints" not in admin(cluster).get("nodes", "paper")["spec"] and not dig(admin(cluster).get("nodes", "paper"), "status.conditions")
    cluster.run_for(15)
    held = admin(cluster).get("nodes", "paper")
    assert {(c["type"], c["status"], c["reason"], c["message"]) for c in held["status"]["conditions"]} == {
        (kind, "Unknown", "NodeStatusNeverUpdated", "Kubelet never posted node status.")
        for kind in ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
    }
    assert sorted(taint["effect"] for taint in held["spec"]["taints"]) == ["NoExecute", "NoSchedule"]
    admin(cluster).delete("nodes", "paper")
    cluster.run_for(6)
    assert events(cluster, "RemovingNode") == ["Node paper event: Removing Node paper from Controller"]
