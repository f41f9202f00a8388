"""What a ValidatingAdmissionPolicy's status says of the types of its expressions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.kubectl.run import run_to_end

pytestmark = pytest.mark.slow  # boots clusters of its own
PODS = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
APPS = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["replicasets", "deployments"]}


def checked(cluster: Cluster, expression: str, rule: dict[str, Any], **spec: Any) -> list[str]:
    policy_body = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": "p"},
                   "spec": {"matchConstraints": {"resourceRules": [rule]}, "validations": [{"expression": expression}], **spec}}  # fmt: skip
    code, _, err = run_to_end(cluster, ["apply", "-f", "-"], namespace="default", stdin=json.dumps(policy_body))
    assert code == 0, err
    cluster.run_for(1)
    policy = cluster.etcd.get("validatingadmissionpolicies", "p")
    assert policy is not None
    assert policy["status"]["observedGeneration"] == 1
    return [one["warning"] for one in policy["status"]["typeChecking"].get("expressionWarnings", ())]


@pytest.fixture
def cluster() -> Cluster:
    return Cluster.create(1, 1_795_219_200_000, {"nodes": []}, strict=True)


def test_a_field_that_no_schema_has_is_shown_for_each_kind_in_the_manuals_words(cluster: Cluster) -> None:
    shown = "ERROR: <input>:1:7: undefined field 'replicas'\n | object.replicas > 1\n | ......^"
    assert checked(cluster, "object.replicas > 1", APPS) == [f"apps/v1, Kind=Deployment: {shown}\napps/v1, Kind=ReplicaSet: {shown}"]


@pytest.mark.parametrize(("expression", "words"), [
    ("object.spec.hostNetwork > 1", "1:25: found no matching overload for '_>_' applied to '(bool, int)'"),
    ("object.spec.containers.all(c, c.imag == 'x')", "1:32: undefined field 'imag'"),
    ("variables.all.all(c, c.nam == 'x')", "1:23: undefined field 'nam'"),
    ("object.metadata.generation.startsWith('x')", "1:38: found no matching overload for 'startsWith' applied to 'int.(string)'"),
    ("object.metadata.name.x == 1", "1:21: type 'string' does not support field selection"),
    ("params.dat.x == 'y'", "1:7: undefined field 'dat'"),
    ("true &&\n object.nothing == 'y'", "2:8: undefined field 'nothing'"),
])  # fmt: skip
def test_an_expression_of_wrong_types_is_told_where(cluster: Cluster, expression: str, words: str) -> None:
    params = {"paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}, "variables": [{"name": "all", "expression": "object.spec.containers"}]}
    assert checked(cluster, expression, PODS, **params)[0].startswith(f"/v1, Kind=Pod: ERROR: <input>:{words}\n | ")


@pytest.mark.parametrize("expression", [
    "object.metadata.labels['x'] == 'y' && has(object.spec.nodeName) && size(object.spec.containers) < 3 && object.spec.priority > 0.5",
    "object.spec.containers.all(c, !has(c.resources.limits) || quantity(c.resources.limits['cpu']).isLessThan(quantity('1')))",
    "object.spec.?securityContext.?runAsUser.orValue(1) == 1 && 'a' in object.metadata.annotations && request.userInfo.username != ''",
])  # fmt: skip
def test_what_fits_leaves_an_empty_list(cluster: Cluster, expression: str) -> None:
    assert checked(cluster, expression, PODS) == []
