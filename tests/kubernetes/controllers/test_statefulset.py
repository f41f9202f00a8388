from __future__ import annotations

from typing import Any

import pytest

from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.controllers.statefulset import plan
from podlab.kubernetes.objects import freeze
from podlab.kubernetes.times import rfc3339

from .conftest import EPOCH_MS
from .support import admin, alive, counts, create, events, pods, scale, set_image, status, workload

NOW = EPOCH_MS


def owner(replicas: int, **spec: Any) -> Any:
    return freeze({"metadata": {"name": "db"}, "spec": {"replicas": replicas, **spec}})


def member(number: int, ready: bool = True, phase: str = "Running", deleting: bool = False, revision: str = "new") -> Any:
    ends = {"deletionTimestamp": rfc3339(NOW)} if deleting else {}
    labels = {"controller-revision-hash": revision, "statefulset.kubernetes.io/pod-name": f"db-{number}"}
    return freeze({"metadata": {"name": f"db-{number}", "labels": labels, **ends}, "spec": {},
                   "status": {
        "phase": phase, "conditions": [{"type": "Ready", "status": str(ready), "lastTransitionTime": rfc3339(NOW)}]}})


PARALLEL = {"podManagementPolicy": "Parallel"}


@pytest.mark.parametrize(("replicas", "spec", "pods_", "steps"), [
    pytest.param(3, {}, [], ["create 0"], id="the first Pod alone"),
    pytest.param(3, {}, [member(0, ready=False)], ["wait 0"], id="waits until the one before is ready"),
    pytest.param(3, {}, [member(0)], ["create 1"], id="then the next"),
    pytest.param(3, PARALLEL, [], ["create 0", "create 1", "create 2"], id="Parallel makes all at once"),
    pytest.param(2, {}, [member(0, phase="Failed"), member(1)], ["restart 0"], id="an ended Pod is deleted to be made again"),
    pytest.param(1, {}, [member(0), member(1), member(2)], ["scale-down 2"], id="the highest ordinal goes first"),
    pytest.param(1, {}, [member(0), member(1), member(2, deleting=True)], ["wait 2"], id="one at a time on the way down"),
    pytest.param(1, {}, [member(0), member(1, ready=False), member(2)], ["scale-down 2"],
                 id="a healthy one above an unhealthy one may go"),
    pytest.param(0, PARALLEL, [member(0), member(1)], ["scale-down 1", "scale-down 0"], id="Parallel takes all down at once"),
    pytest.param(1, PARALLEL, [member(0, revision="old"), member(1, revision="old")], ["scale-down 1", "update 0"],
                 id="Parallel takes down and updates in one turn"),
    pytest.param(2, {}, [member(0, revision="old"), member(1, revision="old")], ["update 1"], id="an update begins at the top"),
    pytest.param(2, {}, [member(0, revision="old"), member(1)], ["update 0"], id="and goes down when the upper one is ready"),
    pytest.param(2, {"updateStrategy": {"rollingUpdate": {"partition": 1}}}, [member(0, revision="old"), member(1)], [],
                 id="below the partition nothing is updated"),
    pytest.param(1, {"updateStrategy": {"type": "OnDelete"}}, [member(0, revision="old")], [],
                 id="OnDelete leaves it to the user"),
    pytest.param(2, {"ordinals": {"start": 5}}, [], ["create 5"], id="ordinals may start elsewhere"),
    pytest.param(1, {}, [member(0)], [], id="nothing to do"),
])
def test_plan(replicas: int, spec: dict[str, Any], pods_: list[Any], steps: list[str]) -> None:
    assert [repr(step) for step in plan(owner(replicas, **spec), pods_, "new", NOW)] == steps


def test_two_thousand_million_replicas_are_planned_a_hundred_at_a_time() -> None:
    assert len(plan(owner(2_000_000_000, **PARALLEL), [member(0), member(7)], "new", NOW)) == 100


def test_pods_start_in_order_and_keep_their_names(cluster: Cluster) -> None:
    create(cluster, "statefulsets", workload("StatefulSet", "db", serviceName="db", replicas=3))
    for number in (1, 2, 3):
        cluster.run_for(0.4)
        assert len(alive(cluster)) == number
        cluster.run_for(0.13)
    cluster.run_for(1)
    first = admin(cluster).get("pods", "db-1", "default")
    assert first["spec"]["hostname"] == "db-1" and first["spec"]["subdomain"] == "db"
    assert first["metadata"]["labels"]["apps.kubernetes.io/pod-index"] == "1"
    admin(cluster).delete("pods", "db-1", "default")
    cluster.run_for(3)
    assert alive(cluster) == ["db-0", "db-1", "db-2"]
    assert "Create Pod db-1 in StatefulSet db successful" in events(cluster, "SuccessfulCreate")


def test_it_ends_in_reverse(cluster: Cluster) -> None:
    create(cluster, "statefulsets", workload("StatefulSet", "db", serviceName="db", replicas=3))
    cluster.run_for(5)
    scale(cluster, "statefulsets", "db", 1)
    cluster.run_for(0.2)
    assert alive(cluster) == ["db-0", "db-1"] and len(pods(cluster)) == 3
    cluster.run_for(3)
    assert alive(cluster) == ["db-0"]


def test_an_update_with_a_partition_leaves_the_lower_ones(cluster: Cluster) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}
    create(cluster, "statefulsets", workload("StatefulSet", "db", serviceName="db", replicas=2, updateStrategy=strategy))
    cluster.run_for(4)
    set_image(cluster, "statefulsets", "db", "nginx:1.16.1")
    cluster.run_for(5)
    images = [p["spec"]["containers"][0]["image"] for p in pods(cluster)]
    assert images == ["nginx:1.14.2", "nginx:1.16.1"]
    held = status(cluster, "statefulsets", "db")
    assert (held["currentReplicas"], held["updatedReplicas"]) == (1, 1) and held["currentRevision"] != held["updateRevision"]


def stuck_update(cluster: Cluster, replicas: int) -> Cluster:
    """In an update whose first Pod is made anew and never becomes ready."""
    create(cluster, "statefulsets", workload("StatefulSet", "db", serviceName="db", replicas=replicas, **PARALLEL))
    cluster.run_for(2)
    cluster.components["hands"].state["ready_ms"] = None
    set_image(cluster, "statefulsets", "db", "nginx:1.16.1")
    cluster.run_for(2)
    return cluster


def test_a_pod_taken_for_an_update_is_one_less_of_the_current_revision_until_the_next_look(make_cluster: Any) -> None:
    cluster = stuck_update(make_cluster(), 2)
    seen = counts(cluster, "statefulsets")
    set_image(cluster, "statefulsets", "db", "nginx:1.14.2")
    cluster.run_for(0.05)
    assert [numbers.get("currentReplicas", 0) for _, numbers in seen] == [1, 0, 1, 2]


def test_what_would_be_less_than_none_of_the_current_revision_is_never_written(make_cluster: Any) -> None:
    cluster = stuck_update(make_cluster(), 1)
    seen = counts(cluster, "statefulsets")
    set_image(cluster, "statefulsets", "db", "nginx:1.15.4")
    cluster.run_for(2)
    assert min(numbers.get("currentReplicas", 0) for _, numbers in seen) == 0 and status(cluster, "statefulsets", "db")["updatedReplicas"] == 1


def test_each_pod_has_claims_that_outlive_it(cluster: Cluster) -> None:
    claim = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"],
                                                    "resources": {"requests": {"storage": "1Gi"}}}}
    create(cluster, "statefulsets", workload("StatefulSet", "db", serviceName="db", replicas=2, volumeClaimTemplates=[claim]))
    cluster.run_for(5)
    claims = [one["metadata"]["name"] for one in admin(cluster).list("persistentvolumeclaims", "default")]
    assert claims == ["data-db-0", "data-db-1"]
    scale(cluster, "statefulsets", "db", 0)
    cluster.run_for(5)
    assert len(admin(cluster).list("persistentvolumeclaims", "default")) == 2 and not pods(cluster)


CLAIM = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}


def _with_claims(cluster: Cluster, replicas: int, **policy: str) -> None:
    create(cluster, "statefulsets", workload("StatefulSet", "db", serviceName="db", replicas=replicas, volumeClaimTemplates=[CLAIM],
                                             persistentVolumeClaimRetentionPolicy=policy))
    cluster.run_for(5)


def _claims(cluster: Cluster) -> dict[str, list[str]]:
    return {one["metadata"]["name"]: [ref["kind"] for ref in one["metadata"].get("ownerReferences", ())]
            for one in admin(cluster).list("persistentvolumeclaims", "default")}


def test_claims_of_a_pod_that_is_scaled_away_are_its_own_from_then_on(cluster: Cluster) -> None:
    _with_claims(cluster, 3, whenScaled="Delete", whenDeleted="Retain")
    assert _claims(cluster) == {"data-db-0": [], "data-db-1": [], "data-db-2": []}
    scale(cluster, "statefulsets", "db", 1)
    cluster.run_for(0.1)
    assert _claims(cluster) == {"data-db-0": [], "data-db-1": ["Pod"], "data-db-2": ["Pod"]}
    scale(cluster, "statefulsets", "db", 2)  # db-1 comes with a claim of its own, after the former one's has gone
    cluster.run_for(10)
    assert _claims(cluster) == {"data-db-0": [], "data-db-1": []} and alive(cluster) == ["db-0", "db-1"]


def test_claims_follow_a_policy_that_comes_later(cluster: Cluster) -> None:
    _with_claims(cluster, 1)
    admin(cluster).patch("statefulsets", "db", {"spec": {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"}}}, "default")
    cluster.run_for(1)
    assert _claims(cluster) == {"data-db-0": ["StatefulSet"]}
    assert events(cluster, "SuccessfulUpdate") == ["Update Pod db-0 in StatefulSet db successful"]
    admin(cluster).delete("statefulsets", "db", "default")
    cluster.run_for(5)
    assert _claims(cluster) == {}


def test_a_claim_that_another_controls_is_let_alone_with_a_warning(cluster: Cluster) -> None:
    other = create(cluster, "replicasets", workload("ReplicaSet", "other", replicas=0))
    mine = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "other", "uid": other["metadata"]["uid"], "controller": True}
    body = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data-db-0", "ownerReferences": [mine]}}
    create(cluster, "persistentvolumeclaims", {**body, "spec": CLAIM["spec"]})
    _with_claims(cluster, 1, whenScaled="Retain", whenDeleted="Delete")
    assert _claims(cluster) == {"data-db-0": ["ReplicaSet"]} and len(events(cluster, "ConflictingController")) == 1


def test_what_claims_fail_at_is_said_of_the_pod_too(cluster: Cluster) -> None:
    create(cluster, "resourcequotas", {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"},
                                       "spec": {"hard": {"persistentvolumeclaims": "0"}}})
    cluster.run_for(1)
    _with_claims(cluster, 1)
    said = events(cluster, "FailedCreate")
    assert said[0].startswith("Create Claim data-db-0 for Pod db-0 in StatefulSet db failed error: persistentvolumeclaims")
    assert said[1].startswith("Create Pod db-0 in StatefulSet db failed error: failed to create PVC data-db-0: persistentvolumeclaims")


def test_a_pod_gets_its_name_label_back(cluster: Cluster) -> None:
    create(cluster, "statefulsets", workload("StatefulSet", "db", serviceName="db", replicas=1))
    cluster.run_for(3)
    admin(cluster).patch("pods", "db-0", {"metadata": {"labels": {"statefulset.kubernetes.io/pod-name": None}}}, "default")
    cluster.run_for(1)
    assert pods(cluster)[0]["metadata"]["labels"]["statefulset.kubernetes.io/pod-name"] == "db-0"


def test_availability_is_noted_when_it_comes_whatever_happens_in_between(cluster: Cluster) -> None:
    create(cluster, "statefulsets", workload("StatefulSet", "db", serviceName="db", replicas=2, minReadySeconds=6, **PARALLEL))
    cluster.run_for(4)
    admin(cluster).delete("pods", "db-1", "default", grace=0)
    cluster.run_for(2.9)
    assert status(cluster, "statefulsets", "db")["availableReplicas"] == 1


def test_max_unavailable_is_left_out_whoever_writes_it(cluster: Cluster) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 2}}
    create(cluster, "statefulsets", workload("StatefulSet", "db", serviceName="db", replicas=0, updateStrategy=strategy))
    admin(cluster).patch("statefulsets", "db", {"spec": {"updateStrategy": strategy}}, "default")
    assert admin(cluster).get("statefulsets", "db", "default")["spec"]["updateStrategy"]["rollingUpdate"] == {"partition": 0}


def test_a_second_look_changes_nothing(cluster: Cluster) -> None:
    create(cluster, "statefulsets", workload("StatefulSet", "db", serviceName="db", replicas=2))
    cluster.run_for(5)
    revision = cluster.etcd.revision
    cluster.controller("statefulset-controller").reconcile("default/db")
    assert cluster.etcd.revision == revision
