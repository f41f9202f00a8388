from __future__ import annotations

from typing import Any

import pytest

from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.controllers.disruption import numbers
from podlab.kubernetes.controllers_common.metrics import Groups, MetricError, Rules, limit_down, limit_up, replicas_for

from .support import admin, condition, create, events, pod, pods, status, template, workload


@pytest.mark.parametrize(("spec", "pods_", "scale", "healthy", "allowed"), [
    pytest.param({"minAvailable": 2}, 3, 3, 3, 1, id="one may go above the minimum"),
    pytest.param({"minAvailable": 2}, 2, 2, 2, 0, id="at the minimum none may go"),
    pytest.param({"minAvailable": "50%"}, 3, 3, 3, 1, id="half of three is rounded up to two"),
    pytest.param({"maxUnavailable": "50%"}, 3, 3, 3, 2, id="so is half of three that may be missing"),
    pytest.param({"maxUnavailable": 1}, 3, 3, 2, 0, id="one is missing already"),
    pytest.param({"minAvailable": 0}, 0, 0, 0, 0, id="nobody there, nobody may go"),
])
def test_budget_numbers(spec: dict[str, Any], pods_: int, scale: int, healthy: int, allowed: int) -> None:
    assert numbers(spec, [None] * pods_, scale, healthy).allowed == allowed


def budget(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "web"},
            "spec": {"selector": {"matchLabels": {"app": "web"}}, **spec}}


def test_a_second_eviction_is_refused_until_a_new_pod_is_ready(cluster: Cluster) -> None:
    create(cluster, "deployments", workload("Deployment", replicas=3))
    create(cluster, "poddisruptionbudgets", budget(minAvailable=2))
    cluster.run_for(5)
    assert status(cluster, "poddisruptionbudgets", "web")["disruptionsAllowed"] == 1
    first, second = (p["metadata"]["name"] for p in pods(cluster)[:2])

    def evict(name: str) -> dict[str, Any]:
        return {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    admin(cluster).create("pods", evict(first), "default", name=first, subresource="eviction")
    with pytest.raises(ApiError) as refused:
        admin(cluster).create("pods", evict(second), "default", name=second, subresource="eviction")
    assert refused.value.code == 429
    cluster.run_for(3)
    admin(cluster).create("pods", evict(second), "default", name=second, subresource="eviction")


def test_a_budget_without_pods_says_so(cluster: Cluster) -> None:
    create(cluster, "poddisruptionbudgets", budget(minAvailable=1))
    cluster.run_for(1)
    assert events(cluster, "NoPods") == ["No matching pods found"]
    assert condition(cluster, "poddisruptionbudgets", "web", "DisruptionAllowed") == "False:InsufficientPods"


def test_a_quota_writes_down_what_is_used(cluster: Cluster) -> None:
    hard = {"pods": "5", "requests.cpu": "2"}
    create(cluster, "resourcequotas", {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"},
                                       "spec": {"hard": hard}})
    containers = [{"name": "c", "image": "nginx", "resources": {"requests": {"cpu": "250m"}}}]
    create(cluster, "pods", pod("p", containers=containers))
    cluster.run_for(1)
    assert status(cluster, "resourcequotas", "q") == {"hard": hard, "used": {"pods": "1", "requests.cpu": "250m"}}


def test_a_budget_of_pods_whose_owner_has_no_scale_allows_nothing_and_says_why(cluster: Cluster) -> None:
    create(cluster, "daemonsets", workload("DaemonSet"))
    cluster.run_for(3)
    create(cluster, "poddisruptionbudgets", budget(maxUnavailable=1))
    cluster.run_for(1)
    why = "daemonsets.apps does not implement the scale subresource"
    assert events(cluster, "CalculateExpectedPodCountFailed") == [f"Failed to calculate the number of expected pods: {why}"]
    held = status(cluster, "poddisruptionbudgets", "web")
    assert held["disruptionsAllowed"] == 0 and [(c["reason"], c["message"]) for c in held["conditions"]] == [("SyncFailed", why)]


# ---- volumes

def claim(name: str = "data", **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, **spec}}


def volume(name: str, size: str = "1Gi", **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name},
            "spec": {"capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/data"}, **spec}}


def test_the_default_class_makes_a_volume(cluster: Cluster) -> None:
    create(cluster, "persistentvolumeclaims", claim())
    cluster.run_for(2)
    held = admin(cluster).get("persistentvolumeclaims", "data", "default")
    assert held["status"]["phase"] == "Bound" and held["status"]["capacity"] == {"storage": "1Gi"}
    made = admin(cluster).get("persistentvolumes", held["spec"]["volumeName"])
    assert made["status"]["phase"] == "Bound" and made["spec"]["claimRef"]["name"] == "data"
    name = f"pvc-{held['metadata']['uid']}"
    assert events(cluster, "ProvisioningSucceeded") == [f"Successfully provisioned volume {name} using kubernetes.io/host-path"]
    assert made["metadata"]["name"] == name and made["spec"]["hostPath"]["path"].split("/")[-2] == "hostpath_pv"
    assert made["metadata"]["finalizers"] == ["kubernetes.io/pv-controller", "kubernetes.io/pv-protection"]
    assert made["metadata"]["annotations"] == {"kubernetes.io/createdby": "hostpath-dynamic-provisioner",
                                               "pv.kubernetes.io/bound-by-controller": "yes",
                                               "pv.kubernetes.io/provisioned-by": "kubernetes.io/host-path"}
    assert held["metadata"]["annotations"]["volume.kubernetes.io/storage-provisioner"] == "kubernetes.io/host-path"
    revision = cluster.etcd.revision
    cluster.controller("persistentvolume-controller").reconcile("default/data")
    assert cluster.etcd.revision == revision


def test_the_smallest_volume_that_fits_is_taken(cluster: Cluster) -> None:
    for name, size in (("big", "9Gi"), ("fits", "2Gi"), ("small", "500Mi")):
        create(cluster, "persistentvolumes", volume(name, size), "")
    create(cluster, "persistentvolumeclaims", claim(storageClassName=""))
    cluster.run_for(2)
    assert admin(cluster).get("persistentvolumeclaims", "data", "default")["spec"]["volumeName"] == "fits"
    assert admin(cluster).get("persistentvolumes", "big")["status"]["phase"] == "Available"


@pytest.mark.parametrize(("asked", "reason", "words"), [
    ({"resources": {"requests": {"storage": "9Gi"}}}, "VolumeMismatch", "requested PV is too small"),
    ({"storageClassName": "other"}, "VolumeMismatch", "storageClassName does not match"),
    ({"volumeMode": "Block"}, "VolumeMismatch", "incompatible volumeMode"),
    ({"accessModes": ["ReadWriteMany"]}, "VolumeMismatch", "incompatible accessMode"),
    ({}, "FailedBinding", 'volume "mine" already bound to a different claim.'),
])
def test_a_claim_that_asks_for_a_volume_by_name_is_told_why_it_is_not_for_it(
        cluster: Cluster, asked: dict[str, Any], reason: str, words: str) -> None:
    create(cluster, "persistentvolumes", volume("mine"), "")
    if not asked:
        create(cluster, "persistentvolumeclaims", {**claim(storageClassName="", volumeName="mine"), "metadata": {"name": "first"}})
        cluster.run_for(1)
    create(cluster, "persistentvolumeclaims", claim(**{"storageClassName": "", "volumeName": "mine", **asked}))
    cluster.run_for(20)
    told = [event for event in cluster.etcd.list("events", "default") if event["reason"] == reason]
    assert status(cluster, "persistentvolumeclaims", "data")["phase"] == "Pending"
    assert [(event["message"], event["count"]) for event in told] == [
        (words if reason == "FailedBinding" else f'Cannot bind to requested volume "mine": {words}', 2)]


def test_a_volume_that_somebody_made_is_deleted_where_its_plugin_can_and_fails_where_it_cannot(cluster: Cluster) -> None:
    def source(path: str) -> dict[str, Any]:
        return {"hostPath": {"path": path}, "persistentVolumeReclaimPolicy": "Delete", "storageClassName": path[1:4]}

    for name, path in (("gone", "/data/tmp/a"), ("kept", "/mnt/a")):
        create(cluster, "persistentvolumes", volume(name, **source(path)), "")
        create(cluster, "persistentvolumeclaims", {**claim(storageClassName=path[1:4]), "metadata": {"name": name}})
    cluster.run_for(1)
    for name in ("gone", "kept"):
        admin(cluster).delete("persistentvolumeclaims", name, "default", cause=_cause())
    cluster.run_for(20)
    words = "host_path deleter only supports /tmp/.+ but received provided /mnt/a"
    assert admin(cluster).find("persistentvolumes", "gone") is None
    kept = admin(cluster).get("persistentvolumes", "kept")["status"]
    assert (kept["phase"], kept["message"]) == ("Failed", words)
    told = [event for event in cluster.etcd.list("events", "default") if event["reason"] == "VolumeFailedDelete"]
    assert [(event["message"], event["count"]) for event in told] == [(words, 1)]


def test_a_waiting_claim_is_looked_at_and_told_of_every_15_seconds(cluster: Cluster) -> None:
    create(cluster, "persistentvolumeclaims", claim(storageClassName="nowhere"))
    create(cluster, "persistentvolumeclaims", {**claim(storageClassName=""), "metadata": {"name": "none"}})
    cluster.run_for(2)
    create(cluster, "persistentvolumes", volume("mine", "2Gi"), "")
    cluster.run_for(5)
    assert status(cluster, "persistentvolumeclaims", "none")["phase"] == "Pending"  # no watch tells the claim of a new volume
    cluster.run_for(10)
    assert status(cluster, "persistentvolumeclaims", "none")["phase"] == "Bound"  # PVClaimBinderSyncPeriod
    cluster.run_for(30)
    told = [event for event in cluster.etcd.list("events", "default") if event["reason"] == "ProvisioningFailed"]
    assert [(event["message"], event["count"]) for event in told] == [('storageclass.storage.k8s.io "nowhere" not found', 4)]


@pytest.mark.parametrize(("provisioner", "asked", "words"), [
    ("kubernetes.io/host-path", {"volumeMode": "Block"},
     'Failed to provision volume with StorageClass "some": kubernetes.io/host-path does not support block volume provisioning'),
    ("kubernetes.io/host-path", {"dataSource": {"kind": "PersistentVolumeClaim", "name": "other"}},
     'plugin "kubernetes.io/host-path" is not a CSI plugin. Only CSI plugin can provision a claim with a datasource'),
    ("kubernetes.io/host-path", {}, 'Mount options are not supported by the provisioner but StorageClass "some" has mount options [ro noatime]'),
    ("kubernetes.io/no-provisioner", {}, "no volume plugin matched name: kubernetes.io/no-provisioner"),
    ("kubernetes.io/local-volume", {}, "no provisionable volume plugin matched"),
])
def test_a_volume_that_no_plugin_makes_is_told_of(cluster: Cluster, provisioner: str, asked: dict[str, Any], words: str) -> None:
    create(cluster, "storageclasses", {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "some"},
                                       "provisioner": provisioner, **({} if asked else {"mountOptions": ["ro", "noatime"]})}, "")
    create(cluster, "persistentvolumeclaims", claim(storageClassName="some", **asked))
    cluster.run_for(100)
    told = [(event["message"], event["count"]) for event in cluster.etcd.list("events", "default") if event["reason"] == "ProvisioningFailed"]
    assert told == [(words, 7 if words.startswith("no ") else 6)]  # the operation's waits grow past the resync of 15 s
    assert status(cluster, "persistentvolumeclaims", "data")["phase"] == "Pending" and not admin(cluster).list("persistentvolumes")


def test_the_plugin_of_a_cloud_is_a_csi_driver_outside(cluster: Cluster) -> None:
    create(cluster, "storageclasses", {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "gce"},
                                       "provisioner": "kubernetes.io/gce-pd"}, "")
    create(cluster, "persistentvolumeclaims", claim(storageClassName="gce"))
    cluster.run_for(1)
    assert "external provisioner 'pd.csi.storage.gke.io' or manually" in events(cluster, "ExternalProvisioning")[0]


def test_volumes_of_a_cluster_that_knows_the_plugin_by_its_earlier_name_come_and_go(cluster: Cluster) -> None:
    create(cluster, "storageclasses", {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "old"},
                                       "provisioner": "podlab.io/host-path"}, "")
    made = volume("made", storageClassName="old", hostPath={"path": "/var/lib/x"}, persistentVolumeReclaimPolicy="Delete")
    made["metadata"]["annotations"] = {"pv.kubernetes.io/provisioned-by": "podlab.io/host-path"}
    create(cluster, "persistentvolumes", made, "")
    cluster.run_for(1)
    for name in ("first", "second"):
        create(cluster, "persistentvolumeclaims", {**claim(storageClassName="old"), "metadata": {"name": name}})
        cluster.run_for(1)
        assert status(cluster, "persistentvolumeclaims", name)["phase"] == "Bound"
    assert admin(cluster).get("persistentvolumeclaims", "first", "default")["spec"]["volumeName"] == "made"
    for name in ("first", "second"):
        admin(cluster).delete("persistentvolumeclaims", name, "default", cause=_cause())
    cluster.run_for(1)
    assert not admin(cluster).list("persistentvolumes")


def test_a_volume_keeps_the_plugin_s_finalizer_as_long_as_it_is_to_be_deleted(cluster: Cluster) -> None:
    create(cluster, "persistentvolumeclaims", claim())
    cluster.run_for(1)
    name = admin(cluster).get("persistentvolumeclaims", "data", "default")["spec"]["volumeName"]
    for policy, held in (("Retain", ["kubernetes.io/pv-protection"]), ("Delete", ["kubernetes.io/pv-protection", "kubernetes.io/pv-controller"])):
        admin(cluster).patch("persistentvolumes", name, {"spec": {"persistentVolumeReclaimPolicy": policy}}, "", cause=_cause())
        cluster.run_for(1)
        assert admin(cluster).get("persistentvolumes", name)["metadata"]["finalizers"] == held


def test_a_claim_that_is_older_than_the_default_class_gets_it(cluster: Cluster) -> None:
    mark = "storageclass.kubernetes.io/is-default-class"
    admin(cluster).patch("storageclasses", "standard", {"metadata": {"annotations": {mark: "false"}}}, "", cause=_cause())
    create(cluster, "persistentvolumeclaims", claim())
    cluster.run_for(2)
    assert events(cluster, "FailedBinding")
    admin(cluster).patch("storageclasses", "standard", {"metadata": {"annotations": {mark: "true"}}}, "", cause=_cause())
    cluster.run_for(15)
    assert admin(cluster).get("persistentvolumeclaims", "data", "default")["spec"]["storageClassName"] == "standard"
    assert status(cluster, "persistentvolumeclaims", "data")["phase"] == "Bound"


def test_a_node_whose_volume_cannot_be_made_is_given_back_to_the_scheduler(cluster: Cluster) -> None:
    create(cluster, "storageclasses", {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "late"},
                                       "provisioner": "kubernetes.io/host-path", "volumeBindingMode": "WaitForFirstConsumer"}, "")
    create(cluster, "persistentvolumeclaims", claim(storageClassName="late", volumeMode="Block"))
    selected = {"metadata": {"annotations": {"volume.kubernetes.io/selected-node": "node-2"}}}
    admin(cluster).patch("persistentvolumeclaims", "data", selected, "default")
    cluster.run_for(1)
    assert "volume.kubernetes.io/selected-node" not in admin(cluster).get("persistentvolumeclaims", "data", "default")["metadata"]["annotations"]
    assert len(events(cluster, "ProvisioningFailed")) == 1 and events(cluster, "WaitForFirstConsumer")


def test_waiting_for_the_first_consumer_is_said(cluster: Cluster) -> None:
    create(cluster, "storageclasses", {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "late"},
                                       "provisioner": "kubernetes.io/host-path", "volumeBindingMode": "WaitForFirstConsumer"}, "")
    create(cluster, "persistentvolumeclaims", claim(storageClassName="late"))
    cluster.run_for(2)
    assert status(cluster, "persistentvolumeclaims", "data")["phase"] == "Pending"
    assert events(cluster, "WaitForFirstConsumer") == ["waiting for first consumer to be created before binding"]
    selected = {"metadata": {"annotations": {"volume.kubernetes.io/selected-node": "node-2"}}}
    admin(cluster).patch("persistentvolumeclaims", "data", selected, "default")
    cluster.run_for(2)
    held = admin(cluster).get("persistentvolumeclaims", "data", "default")
    made = admin(cluster).get("persistentvolumes", held["spec"]["volumeName"])
    assert held["status"]["phase"] == "Bound" and "nodeAffinity" not in made["spec"]  # the plugin minds no node


def test_a_claim_in_use_stays_until_its_pod_has_gone_and_its_volume_goes_with_it(cluster: Cluster) -> None:
    create(cluster, "persistentvolumeclaims", claim())
    create(cluster, "pods", pod("p", volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]))
    cluster.run_for(3)
    admin(cluster).delete("persistentvolumeclaims", "data", "default")
    cluster.run_for(2)
    assert admin(cluster).find("persistentvolumeclaims", "data", "default") is not None
    ended = admin(cluster).get("pods", "p", "default")
    cluster.server.store("pods", {**ended, "status": {**ended["status"], "phase": "Succeeded"}}, _cause())
    cluster.run_for(1)
    assert admin(cluster).find("persistentvolumeclaims", "data", "default") is not None  # a Pod that has ended holds it too
    admin(cluster).delete("pods", "p", "default")
    cluster.run_for(40)
    assert admin(cluster).find("persistentvolumeclaims", "data", "default") is None
    assert not admin(cluster).list("persistentvolumes")


def test_a_retained_volume_is_released_not_removed(cluster: Cluster) -> None:
    create(cluster, "persistentvolumes", volume("kept", persistentVolumeReclaimPolicy="Retain"), "")
    create(cluster, "persistentvolumeclaims", claim(storageClassName=""))
    cluster.run_for(2)
    admin(cluster).delete("persistentvolumeclaims", "data", "default")
    cluster.run_for(2)
    now = admin(cluster).get("persistentvolumes", "kept")
    assert now["status"]["phase"] == "Released" and now["status"]["lastPhaseTransitionTime"] > now["metadata"]["creationTimestamp"]


# ---- autoscaling

@pytest.mark.parametrize(("use", "missing", "unready", "expected"), [
    pytest.param([100, 100], [], [], 4, id="twice the target doubles"),
    pytest.param([52, 54], [], [], 2, id="within ten percent nothing changes"),
    pytest.param([20, 20], [], [], 1, id="less than half halves"),
    pytest.param([100], ["b"], [], 2, id="on the way up a missing sample counts as nothing"),
    pytest.param([10], ["b"], [], 2, id="on the way down it counts as all of the request"),
    pytest.param([150], [], ["b"], 3, id="an unready Pod slows the way up"),
])
def test_replicas_for_a_target_of_fifty_percent(use: list[int], missing: list[str], unready: list[str], expected: int) -> None:
    samples = dict(zip("abc", use, strict=False))
    groups = Groups(len(use), unready, missing)
    assert replicas_for(2, groups, samples, {"a": 100, "b": 100, "c": 100}, 50)[0] == expected


def test_without_samples_there_is_no_advice() -> None:
    with pytest.raises(MetricError, match="did not receive metrics"):
        replicas_for(2, Groups(), {}, {}, 50)


def test_behavior_limits_the_pace() -> None:
    rule = Rules(0, "Max", (("Pods", 2, 60_000), ("Percent", 100, 60_000)))
    assert limit_up(3, rule, [], 100_000) == 6 and limit_up(6, rule, [[90_000, 3]], 100_000) == 6
    assert limit_down(10, rule, [], 0) == 0 and limit_down(10, Rules(0, "Min", rule.policies), [], 0) == 8
    assert limit_down(10, Rules(0, "Disabled", ()), [], 0) == 10


def hpa(**spec: Any) -> dict[str, Any]:
    metric = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"}, "spec": {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, "minReplicas": 1, "maxReplicas": 5,
        "metrics": [metric], **spec}}


def test_load_brings_more_replicas_and_calm_fewer_after_five_minutes(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    use = {"percent": 100}
    monkeypatch.setattr(type(cluster), "pod_usage", lambda self,
                        pod: {"c": {"cpu_nanocores": use["percent"] * 1_000_000, "memory_bytes": 0}})
    body = workload("Deployment", replicas=1)
    body["spec"]["template"] = template(containers=[{"name": "c", "image": "nginx", "resources": {"requests": {"cpu": "100m"}}}])
    create(cluster, "deployments", body)
    cluster.run_for(400)
    for one in pods(cluster):
        cluster.server.store("pods", {**one, "status": {**one["status"], "startTime": one["metadata"]["creationTimestamp"]}},
                             _cause())
    create(cluster, "horizontalpodautoscalers", hpa())
    cluster.run_for(14)
    assert admin(cluster).get("deployments", "web", "default")["spec"]["replicas"] == 1
    cluster.run_for(2)  # HorizontalPodAutoscalerSyncPeriod is over
    assert admin(cluster).get("deployments", "web", "default")["spec"]["replicas"] == 2
    why = "cpu resource utilization (percentage of request) above target"
    assert events(cluster, "SuccessfulRescale") == [f"New size: 2; reason: {why}"]
    use["percent"] = 10
    cluster.run_for(200)
    assert admin(cluster).get("deployments", "web", "default")["spec"]["replicas"] == 2
    assert condition(cluster, "horizontalpodautoscalers", "web", "AbleToScale") == "True:ScaleDownStabilized"
    cluster.run_for(200)
    assert admin(cluster).get("deployments", "web", "default")["spec"]["replicas"] == 1


def test_missing_requests_are_named(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(cluster), "pod_usage", lambda self, pod: {"c": {"cpu_nanocores": 1, "memory_bytes": 0}})
    create(cluster, "deployments", workload("Deployment", replicas=1))
    create(cluster, "horizontalpodautoscalers", hpa())
    cluster.run_for(20)
    assert condition(cluster, "horizontalpodautoscalers", "web", "ScalingActive") == "False:FailedGetResourceMetric"
    assert any("missing request for cpu in container c" in text for text in events(cluster, "FailedGetResourceMetric"))


def _cause() -> Any:
    from podlab.kubernetes.cause import UNSAID
    return UNSAID


CUSTOM = "unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered"
METRICS: list[tuple[str, dict[str, Any], str, str]] = [  # computeReplicasForMetric: reason, and what the event says
    ("Pods", {"pods": {"metric": {"name": "hits"}, "target": {"type": "AverageValue", "averageValue": "1k"}}}, "FailedGetPodsMetric",
     f"unable to get metric hits: {CUSTOM}"),
    ("Object", {"object": {"metric": {"name": "hits"}, "describedObject": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "front"},
                           "target": {"type": "Value", "value": "10"}}}, "FailedGetObjectMetric",
     f"unable to get metric hits: Deployment on default front/{CUSTOM}"),
    ("External", {"external": {"metric": {"name": "queue", "selector": {"matchLabels": {"q": "a"}}}, "target": {"type": "Value", "value": "3"}}},
     "FailedGetExternalMetric",
     "unable to get external metric default/queue/&LabelSelector{MatchLabels:map[string]string{q: a,},"
     "MatchExpressions:[]LabelSelectorRequirement{},}: "
     "unable to fetch metrics from external metrics API: the server could not find the requested resource (get queue.external.metrics.k8s.io)"),
]


@pytest.mark.parametrize(("kind", "source", "reason", "said"), METRICS, ids=[row[0] for row in METRICS])
def test_a_metric_that_no_api_serves_is_named_in_condition_and_events(cluster: Cluster, kind: str, source: dict[str, Any], reason: str,
                                                                     said: str) -> None:  # fmt: skip
    create(cluster, "deployments", workload("Deployment", replicas=1))
    create(cluster, "horizontalpodautoscalers", hpa(metrics=[{"type": kind, **source}]))
    cluster.run_for(20)
    assert condition(cluster, "horizontalpodautoscalers", "web", "ScalingActive") == f"False:{reason}"
    assert events(cluster, reason) == [said]
    assert events(cluster, "FailedComputeMetricsReplicas")[0].startswith("invalid metrics (1 invalid out of 1), first error is: failed to get ")


@pytest.mark.parametrize(("target", "said"), [
    ({"apiVersion": "apps/v1", "kind": "Deployment", "name": "gone"}, 'deployments.apps "gone" not found'),
    ({"apiVersion": "batch/v1", "kind": "Job", "name": "web"}, "the server could not find the requested resource"),
    ({"apiVersion": "x.io/v1", "kind": "Thing", "name": "web"}, 'no matches for kind "Thing" in group "x.io"'),
])
def test_a_target_that_cannot_be_scaled_is_named_by_its_error(cluster: Cluster, target: dict[str, str], said: str) -> None:
    create(cluster, "horizontalpodautoscalers", hpa(scaleTargetRef=target))
    cluster.run_for(16)
    assert events(cluster, "FailedGetScale") == [said]
    assert condition(cluster, "horizontalpodautoscalers", "web", "AbleToScale") == "False:FailedGetScale"


def test_a_cluster_without_a_metrics_server_says_so_as_the_recorded_one_would() -> None:
    cluster = Cluster.create(1, 1_795_219_200_000, {"metricsServer": False, "nodes": [{"name": "node-1"}]}, strict=True)
    cluster.run_for(5)
    create(cluster, "deployments", workload("Deployment", replicas=1))
    create(cluster, "horizontalpodautoscalers", hpa())
    cluster.run_for(20)
    lacking = "unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the " \
        "requested resource (get pods.metrics.k8s.io)"
    assert events(cluster, "FailedGetResourceMetric") == [f"failed to get cpu utilization: {lacking}"]
    assert events(cluster, "FailedComputeMetricsReplicas") == [
        f"invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: failed to get cpu utilization: {lacking}"]
    held = status(cluster, "horizontalpodautoscalers", "web")
    assert held["currentMetrics"] is None and (held["currentReplicas"], held["desiredReplicas"]) == (1, 0)


def test_one_working_metric_is_enough_to_grow_and_one_container_may_be_measured(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(cluster), "pod_usage", lambda self, pod: {
        "c": {"cpu_nanocores": 100_000_000, "memory_bytes": 0}, "idle": {"cpu_nanocores": 0, "memory_bytes": 0}})
    body = workload("Deployment", replicas=1)
    asks = {"requests": {"cpu": "50m"}}
    body["spec"]["template"] = template(containers=[{"name": name, "image": "nginx:1.14.2" if name == "c" else "busybox:1.36", "resources": asks,
                                                     "command": ["sleep", "inf"]} for name in ("c", "idle")])  # fmt: skip
    create(cluster, "deployments", body)
    cluster.run_for(400)
    one = {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "c", "target": {"type": "Utilization",
                                                                                                        "averageUtilization": 100}}}
    for held in pods(cluster):
        cluster.server.store("pods", {**held, "status": {**held["status"], "startTime": held["metadata"]["creationTimestamp"]}}, _cause())
    create(cluster, "horizontalpodautoscalers", hpa(metrics=[one, {"type": "Pods", **METRICS[0][1]}]))
    cluster.run_for(16)
    assert admin(cluster).get("deployments", "web", "default")["spec"]["replicas"] == 2
    assert condition(cluster, "horizontalpodautoscalers", "web", "ScalingActive") == "True:ValidMetricFound"
    shown = status(cluster, "horizontalpodautoscalers", "web")["currentMetrics"]
    assert [metric["type"] for metric in shown] == ["ContainerResource", ""]
