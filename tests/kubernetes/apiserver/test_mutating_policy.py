"""MutatingAdmissionPolicy: what people's own expressions make of other people's objects."""

from __future__ import annotations

from typing import Any

import pytest

from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.apiserver.request import Request
from podlab.kubernetes.cluster import Cluster
from tests.kubernetes.frozen import created

Object = dict[str, Any]
ANNOTATE = 'Object{metadata: Object.metadata{annotations: {"mutated-by": "a-policy"}}}'


def made(plural: str, obj: Object, cluster: Cluster) -> Any:
    return cluster.server.perform(Request("create", plural, "default", body=obj))


def policy(cluster: Cluster, *mutations: Object, resource: str = "configmaps", **spec: Any) -> None:
    rules = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": [resource]}]
    made("mutatingadmissionpolicies", {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicy", "metadata": {"name": "p"},
                                       "spec": {"matchConstraints": {"resourceRules": rules}, "reinvocationPolicy": "Never",
                                                "mutations": list(mutations), **spec}}, cluster)
    made("mutatingadmissionpolicybindings", {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicyBinding",
                                             "metadata": {"name": "b"}, "spec": {"policyName": "p"}}, cluster)


def applied(expression: str) -> Object:
    return {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}}


def patched(expression: str) -> Object:
    return {"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}


def configmap(name: str = "c", **data: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "annotations": {"own": "1"}}, "data": data}


@pytest.fixture
def cluster() -> Cluster:
    found = created(1, 1_795_219_200_000)
    found.run_for(1)
    return found


def test_an_applied_configuration_is_merged_into_a_new_object_and_an_updated_one(cluster: Cluster) -> None:
    policy(cluster, applied(ANNOTATE))
    assert made("configmaps", configmap(), cluster)["metadata"]["annotations"] == {"own": "1", "mutated-by": "a-policy"}
    changed = cluster.server.perform(Request("update", "configmaps", "default", "c", body=configmap(a="1")))
    assert (changed["metadata"]["annotations"]["mutated-by"], changed["data"]) == ("a-policy", {"a": "1"})


def test_lists_are_merged_by_their_keys_and_defaults_follow(cluster: Cluster) -> None:
    extra = 'Object.spec.initContainers{name: "first", image: "busybox"}'
    policy(cluster, applied(f"Object{{spec: Object.spec{{initContainers: [{extra}]}}}}"), resource="pods")
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    spec = made("pods", pod, cluster)["spec"]
    assert [one["name"] for one in spec["containers"]] == ["c"]
    assert spec["initContainers"][0]["terminationMessagePolicy"] == "File" and spec["initContainers"][0]["imagePullPolicy"] == "Always"


def test_json_patches_see_what_the_mutation_before_them_made(cluster: Cluster) -> None:
    value = 'object.metadata.annotations["mutated-by"] + variables.end'
    policy(cluster, applied(ANNOTATE), patched(f'[JSONPatch{{op: "add", path: "/data/copy", value: {value}}}]'),
           variables=[{"name": "end", "expression": "'!'"}])
    assert made("configmaps", configmap(a="1"), cluster)["data"] == {"a": "1", "copy": "a-policy!"}


def test_match_conditions_leave_objects_as_they_are(cluster: Cluster) -> None:
    policy(cluster, applied(ANNOTATE), matchConditions=[{"name": "not-me", "expression": "object.metadata.name != 'skip-me'"}])
    assert made("configmaps", configmap("skip-me"), cluster)["metadata"]["annotations"] == {"own": "1"}
    assert "mutated-by" in made("configmaps", configmap("other"), cluster)["metadata"]["annotations"]


@pytest.mark.parametrize("mutation", [applied("Object{nothing: 1}"), applied("object.metadata.labels.none"), applied('Object{kind: "Pod"}'),
                                      patched('[JSONPatch{op: "remove", path: "/none"}]')])
def test_a_mutation_that_fails_refuses_or_is_passed_over_as_the_policy_says(cluster: Cluster, mutation: Object) -> None:
    policy(cluster, mutation)
    with pytest.raises(ApiError) as refused:
        made("configmaps", configmap(), cluster)
    assert "policy 'p' with binding 'b' denied request: " in refused.value.message
    cluster.server.perform(Request("patch", "mutatingadmissionpolicies", "", "p", body={"spec": {"failurePolicy": "Ignore"}}))
    assert made("configmaps", configmap(), cluster)["metadata"]["annotations"] == {"own": "1"}


def test_what_is_no_expression_is_refused_with_its_place(cluster: Cluster) -> None:
    hook = {"name": "a.example.com", "sideEffects": "None", "admissionReviewVersions": ["v1"], "clientConfig": {"url": "https://a.example.com/"},
            "matchConditions": [{"name": "odd", "expression": "... [] no expression"}]}
    config = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": {"name": "w"},
              "webhooks": [hook]}
    with pytest.raises(ApiError) as refused:
        made("validatingwebhookconfigurations", config, cluster)
    assert "webhooks[0].matchConditions[0].expression: Invalid value" in refused.value.message and "compilation failed" in refused.value.message
    hook["matchConditions"] = [{"name": "even", "expression": "authorizer.path('/x').check('get').allowed()"}]
    assert made("validatingwebhookconfigurations", config, cluster)["webhooks"][0]["matchConditions"][0]["name"] == "even"
