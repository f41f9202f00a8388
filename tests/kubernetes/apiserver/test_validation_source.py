"""Refusals that the recordings have no sample of, in the words of the server's own functions (named beside each)."""

from __future__ import annotations

from typing import Any

import pytest

from podlab.kubernetes.apiserver.errors import invalid
from podlab.kubernetes.apiserver.validation.reviews import access_review

from .given import admit, refusal
from .test_validation import only

TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "nginx:1"}]}}


def thing(api_version: str, kind: str, **members: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", **members.pop("metadata", {})}, **members}


def job(**spec: Any) -> dict[str, Any]:
    pod = {"restartPolicy": "Never", "containers": [{"name": "c", "image": "a:1"}]}
    return thing("batch/v1", "Job", spec={"template": {"spec": pod}, **spec})


def autoscaler(version: str = "v2", **spec: Any) -> dict[str, Any]:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}
    return thing(f"autoscaling/{version}", "HorizontalPodAutoscaler", spec={"scaleTargetRef": target, "maxReplicas": 3, **spec})


def ingress(backend: dict[str, Any], **more: Any) -> dict[str, Any]:
    return thing("networking.k8s.io/v1", "Ingress", spec={"defaultBackend": backend, **more})


def claim(**spec: Any) -> dict[str, Any]:
    return thing("v1", "PersistentVolumeClaim", spec={"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, **spec})


def volume(**spec: Any) -> dict[str, Any]:
    return thing("v1", "PersistentVolume", spec={"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, **spec})


SERVICE = {"service": {"name": "s", "port": {"number": 80}}}
CASES: list[tuple[str, dict[str, Any], str]] = [
    ("validateIngressBackend", ingress({}), 'spec.defaultBackend: Invalid value: "": resource or service backend is required'),
    ("ValidateIngressCreate", ingress(SERVICE, ingressClassName="a") | {"metadata": {"name": "x", "annotations": {
        "kubernetes.io/ingress.class": "b"}}},
     'annotations.kubernetes.io/ingress.class: Invalid value: "b": must match `ingressClassName` when both are specified'),
    ("validateIngressClassParametersReference", thing("networking.k8s.io/v1", "IngressClass", spec={
        "controller": "a.io/b", "parameters": {"kind": "K", "name": "n", "scope": "Namespace"}}),
     "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'"),
    ("ValidateNetworkPolicyPort", thing("networking.k8s.io/v1", "NetworkPolicy", spec={
        "podSelector": {}, "ingress": [{"ports": [{"protocol": "ICMP"}]}]}),
     'spec.ingress[0].ports[0].protocol: Unsupported value: "ICMP": supported values: "TCP", "UDP", "SCTP"'),
    ("validateRoleBindingSubject", thing("rbac.authorization.k8s.io/v1", "RoleBinding", roleRef={"kind": "Role", "name": "r"},
                                         subjects=[{"kind": "User"}]),
     "subjects[0].name: Required value"),
    ("ValidateDeploymentSpec", thing("apps/v1", "Deployment", spec={"template": TEMPLATE, "selector": {
        "matchExpressions": [{"key": "a", "operator": "Is"}]}}),
     '[spec.selector.matchExpressions[0].operator: Invalid value: "Is": not a valid selector operator, spec.selector: Invalid value: '
     '{"matchExpressions":[{"key":"a","operator":"Is"}]}: invalid label selector]'),
    ("ValidatePersistentVolumeClaimSpec", claim(dataSource={"kind": "PersistentVolumeClaim", "name": "a"},
                                                dataSourceRef={"kind": "PersistentVolumeClaim", "name": "b"}),
     "spec: Invalid value: {}: must match dataSourceRef"),
    ("validateCSIPersistentVolumeSource", volume(csi={"driver": "d"}), "spec.csi.volumeHandle: Required value"),
    ("validateBasicResource", volume(hostPath={"path": "/d"}, capacity={"storage": "-1Ki"}),
     '[spec.capacity[storage]: Invalid value: -1024: must be a valid resource quantity, '
     'spec.capacity[storage]: Invalid value: "-1Ki": must be greater than zero]'),
    ("validatePodFailurePolicyRule", job(podFailurePolicy={"rules": [{"action": "Ignore"}]}),
     "spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required"),
    ("validatePodFailurePolicyRuleOnExitCodes", job(podFailurePolicy={"rules": [{"action": "Ignore", "onExitCodes": {
        "operator": "In", "values": [3, 1, 1]}}]}),
     "[spec.podFailurePolicy.rules[0].onExitCodes.values[2]: Duplicate value: 1, "
     "spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [3,1,1]: must be ordered]"),
    ("validateIndexesFormat", job(completionMode="Indexed", completions=3, successPolicy={"rules": [{"succeededIndexes": "0-5"}]}),
     'spec.successPolicy.rules[0].succeededIndexes: Invalid value: "0-5": error parsing succeededIndexes: too large index: "5"'),
    ("validateJobSpec", job(managedBy="foo"),
     'spec.managedBy: Invalid value: "foo": must be a domain-prefixed path (such as "acme.io/foo")'),
    ("validateMetricSpec", autoscaler(metrics=[{}]),
     '[spec.metrics[0].type: Required value: must specify a metric source type, spec.metrics[0].type: Unsupported value: "": '
     'supported values: "ContainerResource", "External", "Object", "Pods", "Resource"]'),
    ("validateMetricTarget", autoscaler("v1", targetCPUUtilizationPercentage=0),
     "spec.metrics[0].resource.target.averageUtilization: Invalid value: 0: must be greater than 0"),
    ("validateScopedResourceSelectorRequirement", thing("v1", "ResourceQuota", spec={"hard": {"cpu": "1"}, "scopeSelector": {
        "matchExpressions": [{"scopeName": "BestEffort", "operator": "Exists"}]}}),
     'spec.scopeSelector.matchExpressions: Invalid value: {"MatchExpressions":[{"ScopeName":"BestEffort","Operator":"Exists",'
     '"Values":null}]}: unsupported scope applied to resource'),
    ("ValidateLimitRange", thing("v1", "LimitRange", spec={"limits": [{"type": "PersistentVolumeClaim"}]}),
     "spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided"),
    ("ValidateSecret", thing("v1", "Secret", type="kubernetes.io/dockerconfigjson", data={".dockerconfigjson": "W10="}),
     'data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": json: cannot unmarshal array into Go value of type '
     "map[string]interface {}"),
    ("IsFullyQualifiedDomainName", thing("discovery.k8s.io/v1", "EndpointSlice", addressType="FQDN", endpoints=[{"addresses": ["a"]}]),
     'endpoints[0].addresses[0]: Invalid value: "a": should be a domain with at least two segments separated by dots'),
    ("validateTopologySelectorLabelRequirement", thing("storage.k8s.io/v1", "StorageClass", provisioner="a/b", allowedTopologies=[
        {"matchLabelExpressions": [{"key": "a", "values": []}]}]),
     "allowedTopologies[0].matchLabelExpressions[0].values: Required value"),
    ("validateISCSIVolumeSource", volume(iscsi={"targetPortal": "p", "iqn": "eui.1", "lun": 0}),
     'spec.iscsi.iqn: Invalid value: "eui.1": must be valid format'),
    ("validateFCVolumeSource", volume(fc={"targetWWNs": ["a"], "lun": 300}),
     "spec.fc.lun: Invalid value: 300: must be between 0 and 255, inclusive"),
    ("validateFlexVolumeSource", volume(flexVolume={"driver": "d", "options": {"k8s.io/a": "b"}}),
     'spec.flexVolume.options[k8s.io/a]: Invalid value: "k8s.io/a": kubernetes.io and k8s.io namespaces are reserved'),
    ("json.Marshal", thing("rbac.authorization.k8s.io/v1", "Role", rules=[{"verbs": ["get"], "nonResourceURLs": ["/<a>"]}]),
     'rules[0].nonResourceURLs: Invalid value: ["/\\u003ca\\u003e"]: namespaced rules cannot apply to non-resource URLs'),
    ("ValidateNamespace", thing("v1", "Namespace", spec={"finalizers": ["foo"]}),
     'spec.finalizers: Invalid value: "foo": name is neither a standard finalizer name nor is it fully qualified'),
]


@pytest.mark.parametrize(("function", "manifest", "said"), CASES, ids=[case[0] for case in CASES])
def test_the_server_says_it_as_its_own_function_does(function: str, manifest: dict[str, Any], said: str) -> None:
    assert only(refusal(manifest)) == said


def test_an_ingress_may_name_its_class_twice_if_it_is_the_same_class() -> None:
    assert admit(ingress(SERVICE, ingressClassName="a") | {"metadata": {"name": "x", "annotations": {"kubernetes.io/ingress.class": "a"}}})


def test_a_metric_may_describe_a_thing_of_the_core_group() -> None:
    metric = {"metric": {"name": "m"}, "describedObject": {"apiVersion": "v1", "kind": "Service", "name": "s"}, "target": {
        "type": "Value", "value": "1"}}
    assert admit(autoscaler(metrics=[{"type": "Object", "object": metric}]))


REVIEWED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({}, {}, "[spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified, "
             'spec.user: Invalid value: "": at least one of user or group must be specified]'),
    ({"name": "a"}, {"user": "a", "resourceAttributes": {}}, 'metadata: Invalid value: {"name":"a"}: must be empty'),
]


@pytest.mark.parametrize(("metadata", "spec", "said"), REVIEWED)
def test_a_review_of_access_that_asks_nothing_is_refused(metadata: dict[str, Any], spec: dict[str, Any], said: str) -> None:
    errors = access_review("SubjectAccessReview", {"metadata": metadata, "spec": spec}, "")
    assert only(invalid("authorization.k8s.io", "SubjectAccessReview", "", errors).message) == said
