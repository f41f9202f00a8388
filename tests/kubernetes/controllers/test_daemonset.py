from __future__ import annotations

from typing import Any

from podlab.kubernetes.cause import UNSAID
from podlab.kubernetes.cluster import Cluster

from .support import admin, alive, create, events, pods, set_image, status, workload


def places(cluster: Cluster) -> list[str]:
    def pinned(pod: Any) -> str:
        required = pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        return str(required["nodeSelectorTerms"][0]["matchFields"][0]["values"][0])
    return sorted(pinned(pod) for pod in pods(cluster))


def daemon(**spec: Any) -> dict[str, Any]:
    return workload("DaemonSet", "agent", **spec)


def bind_where_pinned(cluster: Cluster) -> None:
    """`Hands` binds to node-1; daemons go where their affinity says."""
    hands: Any = cluster.components["hands"]
    for pod in pods(cluster):
        if not pod["spec"].get("nodeName"):
            required = pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
            node = required["nodeSelectorTerms"][0]["matchFields"][0]["values"][0]
            cluster.server.store("pods", {**pod, "spec": {**pod["spec"], "nodeName": node}}, UNSAID)
            hands.ready(admin(cluster).get("pods", pod["metadata"]["name"], "default"))


def test_one_pod_on_each_node(make_cluster: Any) -> None:
    cluster = make_cluster(ready_ms=None)
    create(cluster, "daemonsets", daemon())
    cluster.run_for(1)
    assert places(cluster) == ["node-1", "node-2"]
    assert status(cluster, "daemonsets", "agent")["desiredNumberScheduled"] == 2


def test_a_cordoned_node_keeps_its_daemon_and_a_foreign_taint_keeps_new_ones_away(make_cluster: Any) -> None:
    cluster = make_cluster(ready_ms=None)
    admin(cluster).patch("nodes", "node-1", {"spec": {"unschedulable": True}})
    admin(cluster).patch("nodes", "node-2", {"spec": {"taints": [{"key": "gpu", "effect": "NoSchedule"}]}})
    create(cluster, "daemonsets", daemon())
    cluster.run_for(1)
    assert places(cluster) == ["node-1"]


def test_a_node_that_no_longer_matches_loses_its_daemon(make_cluster: Any) -> None:
    cluster = make_cluster(ready_ms=None)
    admin(cluster).patch("nodes", "node-1", {"metadata": {"labels": {"disk": "ssd"}}})
    body = daemon()
    body["spec"]["template"]["spec"]["nodeSelector"] = {"disk": "ssd"}
    create(cluster, "daemonsets", body)
    cluster.run_for(1)
    assert places(cluster) == ["node-1"]
    bind_where_pinned(cluster)
    admin(cluster).patch("nodes", "node-1", {"metadata": {"labels": {"disk": None}}})
    cluster.run_for(1)
    assert not alive(cluster)


def test_a_taint_that_a_running_daemon_may_stay_under_is_counted_at_the_next_look(make_cluster: Any) -> None:
    cluster = make_cluster(nodes=1)
    create(cluster, "daemonsets", daemon())
    cluster.run_for(2)
    admin(cluster).patch("nodes", "node-1", {"spec": {"taints": [{"key": "gpu", "effect": "NoSchedule"}]}})
    cluster.run_for(1)
    assert status(cluster, "daemonsets", "agent")["desiredNumberScheduled"] == 1
    admin(cluster).patch("daemonsets", "agent", {"metadata": {"annotations": {"look": "again"}}}, "default")
    cluster.run_for(1)
    held = status(cluster, "daemonsets", "agent")
    assert (held["desiredNumberScheduled"], held["numberMisscheduled"]) == (0, 1)
    admin(cluster).patch("nodes", "node-1", {"spec": {"taints": None}})
    cluster.run_for(1)
    assert status(cluster, "daemonsets", "agent")["desiredNumberScheduled"] == 1


def test_an_update_replaces_one_node_after_the_other(make_cluster: Any) -> None:
    cluster = make_cluster(ready_ms=None, stop_ms=200)
    create(cluster, "daemonsets", daemon())
    cluster.run_for(1)
    bind_where_pinned(cluster)
    cluster.run_for(1)
    set_image(cluster, "daemonsets", "agent", "busybox:1.36")
    cluster.run_for(2)
    images = sorted(p["spec"]["containers"][0]["image"] for p in pods(cluster))
    assert images == ["busybox:1.36", "nginx:1.14.2"]  # the first new one is not ready yet
    bind_where_pinned(cluster)
    cluster.run_for(2)
    assert {p["spec"]["containers"][0]["image"] for p in pods(cluster)} == {"busybox:1.36"}


def test_a_failed_daemon_is_replaced_with_a_growing_delay(make_cluster: Any) -> None:
    cluster = make_cluster(ready_ms=None, nodes=1, stop_ms=10)
    hands: Any = cluster.components["hands"]
    create(cluster, "daemonsets", daemon())
    cluster.run_for(0.5)
    for _ in range(2):
        hands.end(pods(cluster)[0], "Failed", 1)
        cluster.run_for(0.5)
    assert pods(cluster)[0]["status"]["phase"] == "Failed"  # the second has to wait
    cluster.run_for(1)
    assert pods(cluster)[0]["status"]["phase"] == "Pending"
    assert any("Found failed daemon pod" in text for text in events(cluster, "FailedDaemonPod"))


def test_a_daemon_that_has_ended_is_replaced_before_it_is_gone(make_cluster: Any) -> None:
    """recorded/ds.json: the next daemon comes with the status that shows the end, not with the deletion."""
    cluster = make_cluster(ready_ms=None, stop_ms=None)
    create(cluster, "daemonsets", daemon())
    cluster.run_for(1)
    bind_where_pinned(cluster)
    cluster.run_for(1)
    ending = pods(cluster)[0]
    admin(cluster).delete("pods", ending["metadata"]["name"], "default")
    cluster.run_for(1)
    assert len(pods(cluster)) == 2
    cluster.components["hands"].end(admin(cluster).get("pods", ending["metadata"]["name"], "default"))
    cluster.run_for(1)
    assert len(pods(cluster)) == 3
    assert status(cluster, "daemonsets", "agent")["currentNumberScheduled"] == 2


def test_a_surging_daemonset_does_not_flood_a_node_that_turns_its_pods_away(make_cluster: Any) -> None:
    cluster = make_cluster(ready_ms=None)
    surge = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    create(cluster, "daemonsets", daemon(updateStrategy=surge))
    for _ in range(200):  # what a kubelet under disk pressure does
        cluster.run_for(0.05)
        for pod in pods(cluster):
            if pod["status"].get("phase") == "Pending":
                cluster.components["hands"].end(pod, "Failed", 1)
    made = [change for change in cluster.etcd.history if change.plural == "pods" and change.type == "ADDED"]
    assert len(pods(cluster)) == 2 and len(made) <= 12
