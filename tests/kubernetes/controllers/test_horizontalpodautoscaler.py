"""HorizontalPodAutoscaler: the sum, its pace, and what it says when it cannot be done."""

from __future__ import annotations

from typing import Any

import pytest

from podlab.kubernetes.cause import UNSAID
from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.controllers_common.metrics import Groups, MetricError, Rules, limit_down, limit_up, replicas_for

from .support import admin, condition, create, events, pods, status, template, workload


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


def warm(cluster: Cluster) -> None:
    """The Deployment `web`, whose Pod has run for long enough to be measured."""
    body = workload("Deployment", replicas=1)
    body["spec"]["template"] = template(containers=[{"name": "c", "image": "nginx", "resources": {"requests": {"cpu": "100m"}}}])
    create(cluster, "deployments", body)
    cluster.run_for(400)
    for one in pods(cluster):
        cluster.server.store("pods", {**one, "status": {**one["status"], "startTime": one["metadata"]["creationTimestamp"]}}, UNSAID)


def test_load_brings_more_replicas_and_calm_fewer_after_five_minutes(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    use = {"percent": 100}
    monkeypatch.setattr(type(cluster), "pod_usage", lambda self,
                        pod: {"c": {"cpu_nanocores": use["percent"] * 1_000_000, "memory_bytes": 0}})
    warm(cluster)
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
    assert held["currentMetrics"] == [{"type": ""}] and (held["currentReplicas"], held["desiredReplicas"]) == (1, 0)


def test_an_autoscaler_of_none_tells_no_current_replicas(cluster: Cluster) -> None:
    create(cluster, "deployments", workload("Deployment", replicas=0))
    create(cluster, "horizontalpodautoscalers", hpa())
    cluster.run_for(20)
    held = status(cluster, "horizontalpodautoscalers", "web")
    assert "currentReplicas" not in held and held["desiredReplicas"] == 0
    assert condition(cluster, "horizontalpodautoscalers", "web", "ScalingActive") == "False:ScalingDisabled"


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
        cluster.server.store("pods", {**held, "status": {**held["status"], "startTime": held["metadata"]["creationTimestamp"]}}, UNSAID)
    create(cluster, "horizontalpodautoscalers", hpa(metrics=[one, {"type": "Pods", **METRICS[0][1]}]))
    cluster.run_for(16)
    assert admin(cluster).get("deployments", "web", "default")["spec"]["replicas"] == 2
    assert condition(cluster, "horizontalpodautoscalers", "web", "ScalingActive") == "True:ValidMetricFound"
    shown = status(cluster, "horizontalpodautoscalers", "web")["currentMetrics"]
    assert [metric["type"] for metric in shown] == ["ContainerResource", ""]


def test_what_many_metrics_ask_for_is_measured_once_a_round(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def usage(_: Cluster, pod: Any) -> dict[str, Any]:
        asked.append(pod["metadata"]["name"])
        return {"c": {"cpu_nanocores": 50_000_000, "memory_bytes": 0}}

    monkeypatch.setattr(type(cluster), "pod_usage", usage)
    body = workload("Deployment", replicas=2)
    body["spec"]["template"] = template(containers=[{"name": "c", "image": "nginx", "resources": {"requests": {"cpu": "100m"}}}])
    create(cluster, "deployments", body)
    cluster.run_for(30)
    goals = [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50 + n}}} for n in range(20)]
    create(cluster, "horizontalpodautoscalers", hpa(metrics=goals))
    cluster.run_for(1)
    asked.clear()
    cluster.run_for(15)
    assert sorted(asked) == sorted(pod["metadata"]["name"] for pod in pods(cluster))


def test_two_autoscalers_of_one_pod_both_stop_and_name_each_other_until_one_goes(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(cluster), "pod_usage", lambda self, pod: {"c": {"cpu_nanocores": 50_000_000, "memory_bytes": 0}})
    warm(cluster)
    create(cluster, "horizontalpodautoscalers", hpa())
    cluster.run_for(20)
    assert condition(cluster, "horizontalpodautoscalers", "web", "ScalingActive") == "True:ValidMetricFound"
    create(cluster, "horizontalpodautoscalers", {**hpa(), "metadata": {"name": "again"}})
    cluster.run_for(40)
    said = "pods by selector app=web are controlled by multiple HPAs: [default/again default/web]"
    assert set(events(cluster, "AmbiguousSelector")) == set(events(cluster, "FailedComputeMetricsReplicas")) == {said}
    for name in ("web", "again"):
        assert condition(cluster, "horizontalpodautoscalers", name, "ScalingActive") == "False:AmbiguousSelector"
        assert status(cluster, "horizontalpodautoscalers", name)["currentMetrics"] is None
    admin(cluster).delete("horizontalpodautoscalers", "again", "default")
    cluster.run_for(16)
    assert condition(cluster, "horizontalpodautoscalers", "web", "ScalingActive") == "True:ValidMetricFound"


def test_a_metric_that_fails_is_no_longer_shown_as_it_was(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(cluster), "pod_usage", lambda self, pod: {"c": {"cpu_nanocores": 1_000_000, "memory_bytes": 0}})
    warm(cluster)
    create(cluster, "horizontalpodautoscalers", hpa())
    cluster.run_for(20)
    assert status(cluster, "horizontalpodautoscalers", "web")["currentMetrics"][0]["resource"]["current"]["averageUtilization"] == 1
    monkeypatch.setattr(type(cluster), "pod_usage", lambda self, pod: {})
    cluster.run_for(20)
    assert status(cluster, "horizontalpodautoscalers", "web")["currentMetrics"] == [{"type": ""}]
