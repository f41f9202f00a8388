"""The scheduler at work on the real API server; no kubelet is here, so Pods stay as they are bound."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from podlab.kubernetes import components
from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.objects import Map, thaw
from podlab.kubernetes.scheduler.scheduler import CYCLE_MS, LATENCY_MS, Scheduler
from tests.kubernetes.frozen import thawed

EPOCH = 1_790_000_010_500  # half a second past a multiple of 30 s
Make = Callable[..., Cluster]


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Make:
    def make(*nodes: dict[str, Any]) -> Cluster:
        spec = {"nodes": list(nodes)}
        return thawed(f"scheduler alone {spec}", lambda: Cluster.create(1, EPOCH, spec, strict=True))
    monkeypatch.setattr(components, "components", lambda cluster: [cluster.events, cluster.network, Scheduler(cluster)])
    return make


NODE = {"name": "n1", "cpu": "2", "memory": "4Gi"}


def create(cluster: Cluster, name: str, cpu: str = "", **spec: Any) -> Map:
    container: dict[str, Any] = {"name": "c", "image": "nginx"}
    if cpu:
        container["resources"] = {"requests": {"cpu": cpu}}
    return cluster.client("admin").create("pods", {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 30, **spec}})


def get(cluster: Cluster, name: str) -> Map:
    return cluster.client("admin").get("pods", name, "default")


def where(cluster: Cluster, name: str) -> str | None:
    return get(cluster, name)["spec"].get("nodeName")


def condition(cluster: Cluster, name: str, type_: str = "PodScheduled") -> Map | None:
    return next((c for c in get(cluster, name)["status"].get("conditions") or () if c["type"] == type_), None)


def events(cluster: Cluster, name: str) -> list[tuple[str, str]]:
    return [(e["reason"], e["message"]) for e in cluster.etcd.list("events", "default") if e["involvedObject"]["name"] == name]


def tries(cluster: Cluster, name: str) -> int:
    entry = cluster.components["default-scheduler"].state["pods"][f"default/{name}"]
    return int(entry["failures"] + entry["errors"])


def change_node(cluster: Cluster, name: str, change: Callable[[dict[str, Any]], None]) -> None:
    node = thaw(cluster.client("admin").get("nodes", name))
    change(node)
    cluster.client("admin").update("nodes", node)


def remove(cluster: Cluster, name: str) -> None:
    """What a kubelet does when all containers have stopped."""
    cluster.client("admin").delete("pods", name, "default", grace=0)


def test_a_pod_is_bound_one_latency_after_it_came(make: Make) -> None:
    cluster = make(NODE, {**NODE, "name": "n2"})
    change_node(cluster, "n2", lambda node: node["spec"].update(unschedulable=True))
    create(cluster, "p")
    cluster.run_for((LATENCY_MS - 1) / 1000)
    assert where(cluster, "p") is None
    cluster.run_for(0.001)
    assert where(cluster, "p") == "n1"
    assert events(cluster, "p") == [("Scheduled", "Successfully assigned default/p to n1")]
    record = cluster.causes.record(cluster.causes.latest("pods/default/p")[0])
    assert record is not None
    assert (record["rule"], record["facts"]) == ("scheduler-bound", {
        "node": "n1", "scores": {}, "feasible": 1, "reasons": {"n2": ["node(s) were unschedulable"]}})


def test_pods_go_one_by_one_the_important_first(make: Make) -> None:
    cluster = make({**NODE, "cpu": "1"})
    create(cluster, "low", "600m")
    cluster.client("admin").create("priorityclasses", {
        "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "high"}, "value": 10,
        "preemptionPolicy": "Never"})
    create(cluster, "high", "600m", priorityClassName="high")
    cluster.run_for((LATENCY_MS + CYCLE_MS) / 1000)
    assert (where(cluster, "low"), where(cluster, "high")) == (None, "n1")


def test_an_unschedulable_pod_says_so_and_goes_when_room_is_made(make: Make) -> None:
    """As recorded in unschedulable.json: event, condition with the same text, and binding once the other has gone."""
    cluster = make(NODE)
    create(cluster, "big", "1")
    cluster.run_for(1)
    create(cluster, "p", "1500m")
    cluster.run_for(1)
    message = ("0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: "
               "1 No preemption victims found for incoming pod.")
    assert events(cluster, "p") == [("FailedScheduling", message)]
    found = condition(cluster, "p")
    assert found == {"type": "PodScheduled", "observedGeneration": 1, "status": "False", "lastProbeTime": None,
                     "lastTransitionTime": get(cluster, "p")["status"]["conditions"][0]["lastTransitionTime"],
                     "reason": "Unschedulable", "message": message}
    cluster.run_for(100)
    assert tries(cluster, "p") == 1, "without a change it is not tried again"
    remove(cluster, "big")
    cluster.run_for(LATENCY_MS / 1000)
    assert where(cluster, "p") == "n1"
    found = condition(cluster, "p")
    assert found is not None
    assert found["status"] == "True"


def test_a_pod_that_has_ended_takes_no_room(make: Make) -> None:
    cluster = make(NODE)
    done = create(cluster, "done", "2")
    cluster.run_for(1)
    create(cluster, "p", "2")
    cluster.run_for(1)
    assert where(cluster, "p") is None
    done = get(cluster, "done")
    cluster.client("admin").update("pods", {**done, "status": {**done["status"], "phase": "Succeeded"}}, subresource="status")
    cluster.run_for(1)
    assert where(cluster, "p") == "n1"


def test_only_changes_that_may_help_wake_a_pod(make: Make) -> None:
    cluster = make(NODE)
    taint = {"key": "k", "value": "v", "effect": "NoSchedule"}
    create(cluster, "other")
    cluster.run_for(1)
    change_node(cluster, "n1", lambda node: node["spec"].update(taints=[taint]))
    create(cluster, "p")
    cluster.run_for(1)
    assert events(cluster, "p")[0][1].startswith("0/1 nodes are available: 1 node(s) had untolerated taint(s).")
    remove(cluster, "other")
    change_node(cluster, "n1", lambda node: node["metadata"]["labels"].update(new="label"))
    cluster.run_for(1)
    assert tries(cluster, "p") == 1
    change_node(cluster, "n1", lambda node: node["spec"].pop("taints"))
    cluster.run_for(1)
    assert where(cluster, "p") == "n1"


def test_a_parked_pod_is_tried_again_after_five_minutes_at_the_next_flush(make: Make) -> None:
    cluster = make(NODE)
    create(cluster, "p", nodeSelector={"no": "where"})
    cluster.run_until(EPOCH - 500 + 330_000 + LATENCY_MS - 1)  # 0.507 s + 300 s, on the 30 s grid: 330 s
    assert tries(cluster, "p") == 1
    cluster.run_for(0.001)
    assert tries(cluster, "p") == 2


def test_a_gated_pod_is_not_tried_until_its_gates_are_gone(make: Make) -> None:
    """As recorded in gates.json."""
    cluster = make(NODE)
    create(cluster, "p", schedulingGates=[{"name": "example.com/wait"}])
    cluster.run_for(60)
    assert events(cluster, "p") == []
    cluster.client("admin").patch("pods", "p", [{"op": "remove", "path": "/spec/schedulingGates"}], "default", type="json")
    cluster.run_for(LATENCY_MS / 1000)
    assert where(cluster, "p") == "n1"


def test_a_pod_whose_resource_claims_are_not_there_is_not_tried_and_nobody_is_told(make: Make) -> None:
    """DynamicResources.PreEnqueue; no driver offers devices here, so that the try ends in a refusal."""
    cluster = make(NODE)
    admin = cluster.client("admin")
    create(cluster, "shares", resourceClaims=[{"name": "card", "resourceClaimName": "gpu"}])
    create(cluster, "own", resourceClaims=[{"name": "card", "resourceClaimTemplateName": "gpus"}])
    cluster.run_for(600)
    assert [(events(cluster, name), condition(cluster, name)) for name in ("shares", "own")] == [([], None), ([], None)]

    def claim(name: str, **metadata: Any) -> dict[str, Any]:
        return {"apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaim", "metadata": {"name": name, "namespace": "default", **metadata},
                "spec": {"devices": {"requests": [{"name": "one", "exactly": {"deviceClassName": "gpu.example.com"}}]}}}

    admin.create("resourceclaims", claim("gpu"), "default")
    cluster.run_for(1)
    assert [reason for reason, _ in events(cluster, "shares")] == ["FailedScheduling"] and events(cluster, "own") == []
    uid = get(cluster, "own")["metadata"]["uid"]
    admin.create("resourceclaims", claim("own-card", ownerReferences=[
        {"apiVersion": "v1", "kind": "Pod", "name": "own", "uid": uid, "controller": True}]), "default")
    cluster.run_for(1)
    assert events(cluster, "own") == []
    admin.patch("pods", "own", {"status": {"resourceClaimStatuses": [{"name": "card", "resourceClaimName": "own-card"}]}}, "default",
                subresource="status")
    cluster.run_for(1)
    assert [message.split(". ")[0] for _, message in events(cluster, "own")] == ["0/1 nodes are available: 1 cannot allocate all claims"]


def test_without_nodes_it_backs_off_up_to_ten_seconds(make: Make) -> None:
    cluster = make()
    create(cluster, "p")
    cluster.run_for(0.1)
    assert events(cluster, "p") == [("FailedScheduling", "no nodes available to schedule pods")]
    # at 0.507 s, then whole seconds: 1 (0.507 + 1), 3 (1.007 + 2), 7, 15, 25 (15.007 + 10)
    for second, count in ((1, 1), (1.1, 2), (3, 2), (3.1, 3), (7.1, 4), (15.1, 5), (25, 5), (25.1, 6)):
        cluster.run_until(EPOCH - 500 + round(second * 1000))
        assert tries(cluster, "p") == count, second


def test_preemption_evicts_waits_and_takes_the_promised_node(make: Make) -> None:
    cluster = make(NODE)
    admin = cluster.client("admin")
    admin.create("priorityclasses", {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "high"},
                                     "value": 1000})
    create(cluster, "low", "1500m")
    cluster.run_for(1)
    vip = create(cluster, "vip", "1", priorityClassName="high")
    cluster.run_for(1)
    low = get(cluster, "low")
    assert low["metadata"]["deletionTimestamp"]
    assert low["metadata"]["deletionGracePeriodSeconds"] == 30
    target = condition(cluster, "low", "DisruptionTarget")
    assert target is not None
    assert (target["reason"], target["message"]) == (
        "PreemptionByScheduler", "default-scheduler: preempting to accommodate a higher priority pod")
    assert ("Preempted", f"Preempted by pod {vip['metadata']['uid']} on node n1") in events(cluster, "low")
    assert get(cluster, "vip")["status"]["nominatedNodeName"] == "n1"
    assert events(cluster, "vip") == [("FailedScheduling", "0/1 nodes are available: 1 Insufficient cpu.")]
    create(cluster, "late", "1")
    cluster.run_for(1)
    remove(cluster, "low")
    cluster.run_for(1)
    assert (where(cluster, "vip"), where(cluster, "late")) == ("n1", "n1")


def test_a_claim_that_waits_for_its_first_consumer_is_told_the_node(make: Make) -> None:
    cluster = make(NODE)
    admin = cluster.client("admin")
    admin.create("storageclasses", {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "late"},
                                    "provisioner": "example.com/disk", "volumeBindingMode": "WaitForFirstConsumer"})
    admin.create("persistentvolumeclaims", {
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "default"},
        "spec": {"storageClassName": "late", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}})
    create(cluster, "p", "1500m", volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}])
    cluster.run_for(1)
    claim = admin.get("persistentvolumeclaims", "data", "default")
    assert claim["metadata"]["annotations"]["volume.kubernetes.io/selected-node"] == "n1"
    assert where(cluster, "p") is None
    create(cluster, "q", "1")
    cluster.run_for(1)
    assert where(cluster, "q") is None, "the room is reckoned with already"
    cluster = Cluster.restore(json.loads(json.dumps(cluster.checkpoint())), strict=True)
    admin = cluster.client("admin")
    claim = thaw(admin.get("persistentvolumeclaims", "data", "default"))
    claim["spec"]["volumeName"] = "pv"
    claim["metadata"]["annotations"]["pv.kubernetes.io/bind-completed"] = "yes"
    admin.update("persistentvolumeclaims", claim)
    cluster.run_for(1)
    assert (where(cluster, "p"), where(cluster, "q")) == ("n1", None)


@pytest.mark.parametrize("made", [True, False])
def test_a_node_s_volumes_are_looked_for_once_a_second(make: Make, made: bool) -> None:
    cluster = make(NODE)
    admin = cluster.client("admin")
    admin.create("storageclasses", {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "late"},
                                    "provisioner": "example.com/disk", "volumeBindingMode": "WaitForFirstConsumer"})
    admin.create("persistentvolumeclaims", {
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "default"},
        "spec": {"storageClassName": "late", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}})
    create(cluster, "p", volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}])
    cluster.run_until(cluster.now + 100)
    claim = thaw(admin.get("persistentvolumeclaims", "data", "default"))
    if made:
        claim["spec"]["volumeName"] = "pv"
        claim["metadata"]["annotations"]["pv.kubernetes.io/bind-completed"] = "yes"
    else:
        del claim["metadata"]["annotations"]  # the provisioner gave up
    admin.update("persistentvolumeclaims", claim)
    cluster.run_until(cluster.now + 800)
    assert where(cluster, "p") is None
    cluster.run_until(cluster.now + 200)
    assert where(cluster, "p") == ("n1" if made else None)
    told = [event["message"] for event in cluster.etcd.list("events", "default") if event["reason"] == "FailedScheduling"]
    assert told == ([] if made else ['running PreBind plugin "VolumeBinding": binding volumes: provisioning failed for PVC "data"'])


def test_a_restored_scheduler_has_the_same_future(make: Make) -> None:
    cluster = make(NODE, {**NODE, "name": "n2"}, {**NODE, "name": "n3"})
    for i in range(9):
        create(cluster, f"p{i}", "700m")
    create(cluster, "nowhere", nodeSelector={"no": "where"})
    create(cluster, "gated", schedulingGates=[{"name": "example.com/wait"}])
    cluster.run_for((LATENCY_MS + 3 * CYCLE_MS) / 1000)
    copy = Cluster.restore(json.loads(json.dumps(cluster.checkpoint())), strict=True)
    for world in (cluster, copy):
        world.run_for(20)
        remove(world, "p1")
        world.run_for(400)
    assert json.dumps(cluster.checkpoint(), sort_keys=True) == json.dumps(copy.checkpoint(), sort_keys=True)
    assert sum(where(cluster, pod["metadata"]["name"]) is not None for pod in cluster.etcd.list("pods")) == 6


def test_replicas_are_spread_over_the_nodes(make: Make) -> None:
    cluster = make(NODE, {**NODE, "name": "n2"}, {**NODE, "name": "n3"})
    cluster.client("admin").create("services", {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}})
    for i in range(9):
        cluster.client("admin").create("pods", {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"w{i}", "namespace": "default", "labels": {"app": "web"}},
            "spec": {"containers": [{"name": "c", "image": "nginx"}]}})
    cluster.run_for(1)
    held = [where(cluster, f"w{i}") for i in range(9)]
    assert sorted(held.count(node) for node in ("n1", "n2", "n3")) == [3, 3, 3]
