"""Defaults and what each kind's strategy adds at create and keeps at update."""

from __future__ import annotations

from typing import Any

import pytest

from podlab.kubernetes.apiserver import create, decode, strategy, validation
from podlab.kubernetes.apiserver.defaults import apply_defaults
from podlab.kubernetes.apiserver.defaults_pods import pull_policy
from podlab.kubernetes.objects import freeze, thaw
from podlab.kubernetes.resources import BY_KIND

from .given import Ctx, admit, container, deployment, job, pod

PULL_POLICIES = [("nginx", "Always"), ("nginx:latest", "Always"), ("nginx:1.14.2", "IfNotPresent"), ("host:5000/a/b", "Always"),
                 ("host:5000/a/b:1", "IfNotPresent"), ("nginx@sha256:" + "a" * 64, "IfNotPresent"),
                 ("Not An Image", "IfNotPresent")]


@pytest.mark.parametrize(("image", "policy"), PULL_POLICIES)
def test_the_tag_decides_the_pull_policy(image: str, policy: str) -> None:
    assert pull_policy(image) == policy


def test_limits_become_requests_in_a_pod_but_not_in_a_template() -> None:
    resources = {"limits": {"cpu": "1"}}
    stored = admit(pod(containers=[container(resources=resources)]))
    assert stored["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "1"}
    manifest = deployment()
    manifest["spec"]["template"]["spec"]["containers"] = [container(resources=resources)]
    assert "requests" not in admit(manifest)["spec"]["template"]["spec"]["containers"][0]["resources"]


def test_the_host_network_gives_ports_their_own_number() -> None:
    stored = admit(pod(containers=[container(ports=[{"containerPort": 80}])], hostNetwork=True))
    assert stored["spec"]["containers"][0]["ports"] == [{"containerPort": 80, "hostPort": 80, "protocol": "TCP"}]


def test_volumes_and_references_get_their_modes_and_versions() -> None:
    volumes = [{"name": "a", "configMap": {"name": "x"}}, {"name": "b", "hostPath": {"path": "/d"}}, {"name": "c"},
               {"name": "d", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}]
    env = [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]
    spec = admit(pod(containers=[container(env=env)], volumes=volumes, automountServiceAccountToken=False))["spec"]
    assert spec["volumes"] == [
        {"name": "a", "configMap": {"name": "x", "defaultMode": 420}}, {"name": "b", "hostPath": {"path": "/d", "type": ""}},
        {"name": "c", "emptyDir": {}},
        {"name": "d",
         "projected": {"sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 3600}}], "defaultMode": 420}}]
    assert spec["containers"][0]["env"][0]["valueFrom"]["fieldRef"]["apiVersion"] == "v1"


QOS = [
    ("nothing said", {}, "BestEffort"),
    ("requests alone", {"requests": {"cpu": "1"}}, "Burstable"),
    ("limits of one resource", {"limits": {"cpu": "1"}}, "Burstable"),
    ("limits of both", {"limits": {"cpu": "1", "memory": "1Gi"}}, "Guaranteed"),
    ("requests below limits", {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "1Gi"}}, "Burstable"),
    ("other resources only", {"limits": {"ephemeral-storage": "1Gi"}}, "BestEffort"),
]


@pytest.mark.parametrize(("resources", "expected"), [case[1:] for case in QOS], ids=[case[0] for case in QOS])
def test_the_quality_of_service_follows_from_requests_and_limits(resources: dict[str, Any], expected: str) -> None:
    assert admit(pod(containers=[container(resources=resources)]))["status"] == {"phase": "Pending", "qosClass": expected}


def test_a_gated_pod_says_so_from_the_start() -> None:
    condition = admit(pod(schedulingGates=[{"name": "example.com/wait"}]))["status"]["conditions"][0]
    assert (condition["type"], condition["status"], condition["reason"]) == ("PodScheduled", "False", "SchedulingGated")


def test_a_job_counts_itself_once_unless_told_otherwise() -> None:
    assert {key: admit(job())["spec"][key] for key in ("completions", "parallelism", "backoffLimit")} == {
        "completions": 1, "parallelism": 1, "backoffLimit": 6}
    assert "completions" not in admit(job(parallelism=3))["spec"]


def test_a_secrets_plain_text_is_encoded_and_forgotten() -> None:
    stored = admit({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"user": "kim"}})
    assert (stored["data"], stored["type"], "stringData" in stored) == ({"user": "a2lt"}, "Opaque", False)


def test_a_generated_name_is_made_before_a_jobs_labels() -> None:
    manifest = job()
    manifest["metadata"] = {"generateName": "pi-"}
    stored = admit(manifest)
    assert stored["metadata"]["name"] == "pi-bcdfg"
    assert stored["spec"]["template"]["metadata"]["labels"]["batch.kubernetes.io/job-name"] == "pi-bcdfg"


def test_one_frozen_template_is_defaulted_once_for_all_pods() -> None:
    spec = freeze(admit(deployment())["spec"]["template"]["spec"])
    made = []
    for _ in range(2):
        obj = decode.decode(BY_KIND["Pod"], {**pod(), "spec": spec}, strict=True)
        apply_defaults(BY_KIND["Pod"], obj)
        made.append(obj["spec"])
    assert made[0] is made[1]


def test_an_older_autoscaler_is_stored_as_the_new_one() -> None:
    spec = {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}, "maxReplicas": 5,
            "targetCPUUtilizationPercentage": 60}
    manifest = {"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "h"}, "spec": spec}
    stored = create.admit(BY_KIND["HorizontalPodAutoscaler"], manifest, "refusals", Ctx())
    assert stored["apiVersion"] == "autoscaling/v2"
    assert stored["spec"]["metrics"][0]["resource"]["target"] == {"type": "Utilization", "averageUtilization": 60}


# --- updates -------------------------------------------------------------------------------------------------------


def updated(kind: str, old: dict[str, Any], change: dict[str, Any], subresource: str = "") -> dict[str, Any]:
    new = thaw(old)
    for path, value in change.items():
        *steps, last = path.split(".")
        inner = new
        for step in steps:
            inner = inner.setdefault(step, {})
        inner[last] = value
    strategy.prepare_for_update(BY_KIND[kind], new, freeze(old), subresource, Ctx())
    return new


def test_a_new_wish_is_a_new_generation_and_a_new_status_is_none() -> None:
    old = admit(deployment())
    assert updated("Deployment", old, {"spec.replicas": 3})["metadata"]["generation"] == 2
    assert updated("Deployment", old, {"metadata.labels": {"a": "b"}})["metadata"]["generation"] == 1
    assert updated("Deployment", old, {"metadata.annotations": {"a": "b"}})["metadata"]["generation"] == 2
    assert updated("Deployment", old, {"status.replicas": 3}, "status")["metadata"]["generation"] == 1


def test_a_plain_update_cannot_write_status_and_a_status_update_nothing_else() -> None:
    old = admit(deployment())
    assert updated("Deployment", old, {"status.replicas": 9})["status"] == {}
    assert updated("Deployment", old, {"spec.replicas": 9, "status.replicas": 9}, "status")["spec"]["replicas"] == 1


def test_a_service_keeps_its_address_and_gains_a_node_port_with_its_type() -> None:
    old = admit({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}})
    new = updated("Service", old, {"spec.type": "NodePort", "spec.clusterIP": "", "spec.clusterIPs": []})
    assert new["spec"]["clusterIP"] == old["spec"]["clusterIP"]
    assert new["spec"]["ports"][0]["nodePort"] > 30000
    back = updated("Service", new, {"spec.type": "ClusterIP"})
    assert "nodePort" not in back["spec"]["ports"][0]


def test_a_service_that_was_a_name_only_gets_an_address_with_its_type() -> None:
    old = admit({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"type": "ExternalName", "externalName": "example.com"}})
    new = updated("Service", old, {"spec.type": "NodePort", "spec.externalName": "", "spec.ports": [{"port": 80}]})["spec"]
    assert new["clusterIPs"] == [new["clusterIP"]] and new["clusterIP"].startswith("10.")
    assert new["ports"][0]["nodePort"] > 30000 and new["ipFamilies"] == ["IPv4"]


def test_another_address_is_refused_not_given() -> None:
    old = admit({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}})
    new = updated("Service", old, {"spec.clusterIP": "10.96.0.77"})
    assert [str(error) for error in validation.validate_update(BY_KIND["Service"], new, old, "")] == [
        'spec.clusterIPs[0]: Invalid value: ["10.96.0.77"]: may not change once set']


def test_a_given_generation_stays_where_none_is_counted() -> None:
    assert admit({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "generation": 7}})["metadata"]["generation"] == 7
    assert admit({**pod(), "metadata": {"name": "p", "generation": 7}})["metadata"]["generation"] == 1


def test_a_bare_node_shows_the_structs_of_its_status() -> None:
    status = admit({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}})["status"]
    assert status["daemonEndpoints"] == {"kubeletEndpoint": {"Port": 0}}
    assert set(status["nodeInfo"].values()) == {""}


def test_a_headless_service_without_a_selector_may_have_both_families() -> None:
    spec = {"ports": [{"port": 80}], "clusterIP": "None"}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": spec}
    assert admit(service)["spec"]["ipFamilies"] == ["IPv4", "IPv6"]
    assert admit(service)["spec"]["ipFamilyPolicy"] == "RequireDualStack"
    assert admit({**service, "spec": {**spec, "selector": {"a": "b"}}})["spec"]["ipFamilies"] == ["IPv4"]


def test_a_balancers_address_is_its_own_unless_it_says_otherwise() -> None:
    old = admit({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}})
    new = {**old, "status": {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}, {"ip": "1.2.3.5", "ipMode": "Proxy"}, {"hostname": "a.b"}]}}}
    apply_defaults(BY_KIND["Service"], new)
    assert new["status"]["loadBalancer"]["ingress"] == [
        {"ip": "1.2.3.4", "ipMode": "VIP"}, {"ip": "1.2.3.5", "ipMode": "Proxy"}, {"hostname": "a.b"}]
