from __future__ import annotations

from typing import Any

import pytest

from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.controllers_common import rollout
from podlab.kubernetes.controllers_common.templates import template_hash
from podlab.kubernetes.objects import freeze

from .support import admin, alive, condition, counts, create, events, pods, scale, set_image, status, template, workload


def deployment(replicas: int, surge: Any = "25%", unavailable: Any = "25%") -> Any:
    return freeze({"metadata": {"name": "web"}, "spec": {"replicas": replicas, "template": template(), "strategy": {
        "type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}},
        "status": {"replicas": replicas}})


def rs(name: str, size: int, available: int | None = None, *, desired: int | None = None, maximum: int | None = None,
       revision: int = 1) -> Any:
    annotations = {rollout.REVISION: str(revision), rollout.DESIRED: str(desired or size), rollout.MAX: str(maximum or size)}
    return freeze({"metadata": {"name": name, "uid": name, "creationTimestamp": f"2026-11-21T00:00:{revision:02}Z",
                                "annotations": annotations},
                   "spec": {"replicas": size, "template": template(image=name)},
                   "status": {"replicas": size, "availableReplicas": size if available is None else available}})


@pytest.mark.parametrize(("replicas", "surge", "unavailable", "expected"), [
    pytest.param(10, "30%", "20%", (3, 2), id="percents of the size"),
    pytest.param(3, "25%", "25%", (1, 0), id="surge is rounded up, unavailable down"),
    pytest.param(1, 0, "25%", (0, 1), id="both zero would never move, so one may be missing"),
    pytest.param(4, 2, 1, (2, 1), id="plain numbers stand"),
])
def test_fenceposts(replicas: int, surge: Any, unavailable: Any, expected: tuple[int, int]) -> None:
    assert rollout.fenceposts(deployment(replicas, surge, unavailable)) == expected


@pytest.mark.parametrize(("old", "new", "size"), [
    pytest.param(10, 0, 3, id="as many new Pods as the surge allows"),
    pytest.param(8, 3, 5, id="room made by the old set is taken"),
    pytest.param(2, 9, 10, id="never more than asked for"),
    pytest.param(13, 0, 0, id="no room, no growth"),
])
def test_new_size(old: int, new: int, size: int) -> None:
    sets = [rs("old", old), rs("new", new, revision=2)]
    assert rollout.new_size(deployment(10, "30%", "20%"), sets, sets[1]) == size


@pytest.mark.parametrize(("replicas", "old", "new", "steps"), [
    pytest.param(10, [rs("a", 10)], rs("n", 3, 0), [("a", 8)], id="down to the minimum that must stay available"),
    pytest.param(10, [rs("a", 8)], rs("n", 5, 0), [], id="no budget while the new Pods are not there"),
    pytest.param(8, [rs("a", 5, 3)], rs("n", 5, 5), [("a", 3), ("a", 2)], id="unhealthy Pods go before healthy ones"),
    pytest.param(8, [rs("a", 2), rs("b", 3, revision=2)], rs("n", 8), [("a", 0), ("b", 0)], id="the oldest set first"),
])
def test_shrink_plan(replicas: int, old: list[Any], new: Any, steps: list[tuple[str, int]]) -> None:
    assert rollout.shrink_plan(deployment(replicas, "30%", "20%"), old, new) == steps


def test_scaling_amid_a_rollout_keeps_proportions() -> None:
    old, new = rs("old", 6, desired=10, maximum=13), rs("new", 7, desired=10, maximum=13, revision=2)
    assert dict(rollout.scale_plan(deployment(20, "30%"), new, [old])) == {"new": 14, "old": 12}


def test_hash_looks_like_kubernetes_and_depends_on_the_template_only() -> None:
    first = template_hash(freeze(template()))
    assert 1 <= len(first) <= 10 and set(first) <= set("456789bcdf")
    assert first == template_hash(template()) != template_hash(template(image="other")) != template_hash(template(), 1)


def test_rollout_passes_through_the_recorded_counts(cluster: Cluster) -> None:
    create(cluster, "deployments", workload("Deployment", replicas=3))
    cluster.run_for(3)
    seen = counts(cluster, "deployments")
    set_image(cluster, "deployments", "web", "nginx:1.16.1")
    cluster.run_for(10)
    rows = [(n.get("replicas", 0), n.get("readyReplicas", 0), n.get("updatedReplicas", 0), n.get("unavailableReplicas", 0))
            for _, n in seen]
    step = [[(4, 3, n, 1), (4, 4, n, 0), (3, 3, n, 1)] for n in (1, 2, 3)]
    assert rows == [(3, 3, 3, 0), (3, 3, 0, 1), *step[0], *step[1], (4, 3, 3, 1), (4, 4, 3, 0), (3, 3, 3, 0)]
    assert condition(cluster, "deployments", "web", "Progressing") == "True:NewReplicaSetAvailable"
    assert {p["spec"]["containers"][0]["image"] for p in pods(cluster)} == {"nginx:1.16.1"}


def test_the_first_rollout_is_told_in_events_and_revisions(cluster: Cluster) -> None:
    create(cluster, "deployments", workload("Deployment", replicas=2))
    cluster.run_for(3)
    made = admin(cluster).list("replicasets", "default")[0]
    assert events(cluster, "ScalingReplicaSet") == [f"Scaled up replica set {made['metadata']['name']} from 0 to 2"]
    held = admin(cluster).get("deployments", "web", "default")
    assert held["metadata"]["annotations"][rollout.REVISION] == made["metadata"]["annotations"][rollout.REVISION] == "1"
    assert held["metadata"]["generation"] == 1 == held["status"]["observedGeneration"]


def test_going_back_uses_the_old_set_again_under_a_new_revision(cluster: Cluster) -> None:
    create(cluster, "deployments", workload("Deployment", replicas=1))
    cluster.run_for(3)
    set_image(cluster, "deployments", "web", "nginx:1.16.1")
    cluster.run_for(5)
    set_image(cluster, "deployments", "web", "nginx:1.14.2")
    cluster.run_for(5)
    sets = {one["spec"]["template"]["spec"]["containers"][0]["image"]: one
            for one in admin(cluster).list("replicasets", "default")}
    assert len(sets) == 2 and sets["nginx:1.14.2"]["spec"]["replicas"] == 1
    assert sets["nginx:1.14.2"]["metadata"]["annotations"][rollout.REVISION] == "3"
    assert sets["nginx:1.14.2"]["metadata"]["annotations"][rollout.HISTORY] == "1"


def test_recreate_waits_for_the_last_old_pod(make_cluster: Any) -> None:
    cluster = make_cluster(stop_ms=4000)
    create(cluster, "deployments", workload("Deployment", replicas=2, strategy={"type": "Recreate"}))
    cluster.run_for(3)
    set_image(cluster, "deployments", "web", "nginx:1.16.1")
    cluster.run_for(3.9)
    assert not alive(cluster) and len(pods(cluster)) == 2
    cluster.run_for(1)
    assert len(alive(cluster)) == 2


def test_a_rollout_that_cannot_finish_times_out_at_its_deadline(cluster: Cluster) -> None:
    create(cluster, "deployments", workload("Deployment", replicas=2, progressDeadlineSeconds=20))
    cluster.run_for(5)
    cluster.components["hands"].state["ready_ms"] = None
    set_image(cluster, "deployments", "web", "nginx:no-such-tag")
    cluster.run_for(19)
    assert condition(cluster, "deployments", "web", "Progressing") == "True:ReplicaSetUpdated"
    cluster.run_for(4)
    assert condition(cluster, "deployments", "web", "Progressing") == "False:ProgressDeadlineExceeded"
    assert condition(cluster, "deployments", "web", "Available") == "True:MinimumReplicasAvailable"


def test_a_paused_deployment_scales_but_does_not_roll(cluster: Cluster) -> None:
    create(cluster, "deployments", workload("Deployment", replicas=2))
    cluster.run_for(3)
    admin(cluster).patch("deployments", "web", {"spec": {"paused": True}}, "default")
    set_image(cluster, "deployments", "web", "nginx:1.16.1")
    scale(cluster, "deployments", "web", 3)
    cluster.run_for(3)
    assert {p["spec"]["containers"][0]["image"] for p in pods(cluster)} == {"nginx:1.14.2"} and len(alive(cluster)) == 3
    assert condition(cluster, "deployments", "web", "Progressing") == "Unknown:DeploymentPaused"
    admin(cluster).patch("deployments", "web", {"spec": {"paused": None}}, "default")
    cluster.run_for(6)
    assert {p["spec"]["containers"][0]["image"] for p in pods(cluster)} == {"nginx:1.16.1"}


def told(cluster: Cluster) -> list[str]:
    """A list that grows with what the Deployment controller writes: sizes of sets, and reasons, revisions and counts of Deployments."""
    seen: list[str] = []

    def note(change: Any) -> None:
        held, old = change.object, change.old
        if change.plural == "replicasets" and (old is None or held["spec"] != old["spec"]):
            seen.append(f"size {held['spec']['replicas']}")
        elif change.plural == "deployments" and old is not None and held["spec"] == old["spec"]:
            mine, before = ((one["metadata"].get("annotations") or {}).get(rollout.REVISION) for one in (held, old))
            reason = next(c["reason"] for c in held["status"]["conditions"] if c["type"] == "Progressing")
            seen.append(f"{reason}{' revision ' + mine if mine != before else ''} missing {held['status'].get('unavailableReplicas', 0)}")
    cluster.etcd.subscribe("replicasets", note)
    cluster.etcd.subscribe("deployments", note)
    return seen


def test_a_sync_that_wrote_the_deployment_leaves_the_status_to_the_next(cluster: Cluster) -> None:
    create(cluster, "deployments", workload("Deployment", replicas=4))
    cluster.run_for(3)
    cluster.components["hands"].state["ready_ms"] = None
    seen = told(cluster)
    set_image(cluster, "deployments", "web", "nginx:none")
    cluster.run_for(0.045)  # both sets are sized before the status counts the sizes that it read: 3 + 1, then 3 + 2
    assert seen == ["size 1", "NewReplicaSetCreated revision 2 missing 0", "size 3", "size 2", "NewReplicaSetCreated missing 0",
                    "NewReplicaSetCreated missing 1", "ReplicaSetUpdated missing 2"]
    cluster.run_for(3)
    seen.clear()
    set_image(cluster, "deployments", "web", "nginx:1.14.2")
    cluster.run_for(0.045)
    assert seen[:4] == ["ReplicaSetUpdated revision 3 missing 2", "size 0", "size 4", "ReplicaSetUpdated missing 0"]


def test_a_resumed_deployment_forgets_that_it_made_a_set(cluster: Cluster) -> None:
    create(cluster, "deployments", workload("Deployment", replicas=2))
    cluster.run_for(3)
    admin(cluster).patch("deployments", "web", {"spec": {"paused": True}}, "default")
    set_image(cluster, "deployments", "web", "nginx:1.16.1")
    cluster.run_for(3)
    seen = told(cluster)
    admin(cluster).patch("deployments", "web", {"spec": {"paused": None}}, "default")
    cluster.run_for(0.05)
    assert seen[:3] == ["DeploymentResumed missing 0", "size 1", "DeploymentResumed revision 2 missing 0"]


def test_old_sets_beyond_the_history_limit_go(cluster: Cluster) -> None:
    create(cluster, "deployments", workload("Deployment", replicas=1, revisionHistoryLimit=1))
    for version in ("1", "2", "3"):
        cluster.run_for(4)
        set_image(cluster, "deployments", "web", f"nginx:{version}")
    cluster.run_for(5)
    assert len(admin(cluster).list("replicasets", "default")) == 2


def test_a_second_look_changes_nothing(cluster: Cluster) -> None:
    create(cluster, "deployments", workload("Deployment", replicas=3))
    cluster.run_for(5)
    revision = cluster.etcd.revision
    cluster.controller("deployment-controller").reconcile("default/web")
    assert cluster.etcd.revision == revision
    assert status(cluster, "deployments", "web")["availableReplicas"] == 3
