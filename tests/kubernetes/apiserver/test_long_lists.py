"""What is long: lists of thousands are checked in a time that grows as they do, and too much that is wrong is not all told."""

from __future__ import annotations

import time
from typing import Any

import pytest

from podlab.kubernetes.apiserver.cel import CelError, Expression
from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.apiserver.rest import clocks, shapes
from podlab.kubernetes.apiserver.rest.call import dumps, pieces
from podlab.kubernetes.apiserver.timestamps import in_utc
from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.resources import BY_PLURAL
from podlab.kubernetes.times import parse_rfc3339
from tests.kubernetes.apiserver.crontabs import Json, World, crontab, definition
from tests.kubernetes.apiserver.given import container, deployment, refusal

MANY = 20_000  # names, of which comparing each with all before it takes seconds
NAMES = [f"n{number}" for number in range(MANY)]
POLICY = "admissionregistration.k8s.io/v1"


def thing(version: str, kind: str, **members: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "x"}, **members}


def template(**spec: Any) -> dict[str, Any]:
    return deployment(template={"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [container()], **spec}})


LONG = {
    "resize rules": template(containers=[container(resizePolicy=[{"resourceName": name, "restartPolicy": "NotRequired"} for name in NAMES])]),
    "drivers of a node": thing("storage.k8s.io/v1", "CSINode", spec={"drivers": [{"name": name, "nodeID": "n"} for name in NAMES]}),
    "audiences": thing("storage.k8s.io/v1", "CSIDriver", spec={"tokenRequests": [{"audience": name} for name in NAMES]}),
    "topologies": thing("storage.k8s.io/v1", "StorageClass", provisioner="a/b", allowedTopologies=[
        {"matchLabelExpressions": [{"key": name, "values": ["a"]}]} for name in NAMES[:4_000]]),
    "usages": thing("certificates.k8s.io/v1", "CertificateSigningRequest", spec={"request": "LS0t", "signerName": "a.b/c", "usages": NAMES}),
    "scopes of a quota": thing("v1", "ResourceQuota", spec={"scopes": NAMES}),
    "names of a rule": thing(POLICY, "ValidatingAdmissionPolicyBinding", spec={"policyName": "p", "validationActions": ["Deny"], "matchResources": {
        "resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["pods"], "resourceNames": NAMES}]}}),
    "families": thing("v1", "Service", spec={"ports": [{"port": 80}], "ipFamilies": NAMES}),
    "claims nobody has": template(containers=[container(resources={"claims": [{"name": f"c{name}"} for name in NAMES]})],
                                  resourceClaims=[{"name": name, "resourceClaimName": "c"} for name in NAMES]),
}


@pytest.mark.slow
@pytest.mark.parametrize("manifest", LONG.values(), ids=LONG)
def test_a_list_of_thousands_is_checked_soon_and_answered_in_few_words(manifest: dict[str, Any]) -> None:
    began = time.process_time()
    assert len(refusal(manifest)) < 2_000_000
    assert time.process_time() - began < 1.2


@pytest.mark.slow
def test_a_definition_of_thousands_of_versions_is_judged_soon() -> None:
    versions = [{"name": f"v{number}", "served": True, "storage": number == 1, "schema": {"openAPIV3Schema": {"type": "object"}}}
                for number in range(1, 3_000)]
    whole = definition()
    began = time.process_time()
    World({**whole, "spec": {**whole["spec"], "versions": versions}})
    assert time.process_time() - began < 3


@pytest.mark.slow
@pytest.mark.parametrize(("schema", "value"), [
    ({"type": "array", "items": {"type": "string", "enum": NAMES}}, ["x"] * MANY),
    ({"type": "array", "items": {"x-kubernetes-preserve-unknown-fields": True, "anyOf": [{"minimum": n + 2} for n in range(2_000)]}}, [1] * MANY),
], ids=["values that none of thousands is", "values against thousands of alternatives"])
def test_many_values_against_a_large_schema_end(schema: Json, value: Json) -> None:
    spec = {"type": "object", "properties": {"cronSpec": {"type": "string"}, "a": schema}}
    world = World(definition({"type": "object", "properties": {"spec": spec}}))
    began = time.process_time()
    with pytest.raises(ApiError) as refused:
        world.create(crontab(a=value))
    assert refused.value.code in (422, 504) and len(refused.value.message) < 2_000_000
    assert time.process_time() - began < 3


def test_a_policy_of_more_expressions_than_anybody_could_judge_is_too_large() -> None:
    spec = {"matchConstraints": {"resourceRules": []}, "validations": [{"expression": "true"}] * 1_600}
    assert refusal(thing(POLICY, "ValidatingAdmissionPolicy", spec=spec)) == "etcdserver: request is too large"


def test_a_long_chain_of_and_is_shallow_and_a_long_chain_of_plus_is_refused() -> None:
    assert Expression(" && ".join(["self == 1"] * 900)).holds({"self": 1})
    assert not Expression("self == 1 && " * 400 + "self == 2 && " + "self == 1 && " * 400 + "true").holds({"self": 1})
    for text in ("1 + " * 900 + "1 > 0", "self" + ".a" * 900 + " == 1", "self" + "[0]" * 900 + " == 1"):
        with pytest.raises(CelError, match="recursion limit"):
            Expression(text)


@pytest.mark.parametrize(("text", "said"), [
    ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"), ("0000-02-30T00:00:00Z", "0001-02-01T00:00:00Z"),
    ("9999-12-31T23:59:59-23:00", "9999-12-31T23:59:59Z"), ("0001-01-01T00:00:00+23:59", "0001-01-01T00:00:00Z")])
def test_a_time_beyond_the_calendar_is_one_that_can_be_read_again(text: str, said: str) -> None:
    assert in_utc(text, micro=False) == said
    assert parse_rfc3339(said)


@pytest.mark.slow
def test_thousands_of_node_ports_are_all_different_and_soon_given() -> None:
    ports = [{"name": f"p{number}", "port": number + 1} for number in range(2_000)]
    began = time.process_time()
    cluster = Cluster.create(1, 1_780_000_000_000, strict=True)
    made = cluster.client("kubernetes-admin").create("services", thing("v1", "Service", spec={"type": "NodePort", "ports": ports}), "default")
    assert len({port["nodePort"] for port in made["spec"]["ports"]}) == 2_000
    assert time.process_time() - began < 1.2


@pytest.mark.parametrize("pretty", [False, True])
@pytest.mark.parametrize("shape", [
    shapes.Shape(), shapes.Shape(shapes.PARTIAL), shapes.Shape(shapes.TABLE), shapes.Shape(shapes.TABLE, "v1", "Object")])
@pytest.mark.parametrize("plural", ["pods", "configmaps", "nodes", "events", "crontabs.stable.example.com"])
def test_a_list_that_is_written_a_member_at_a_time_is_the_same_text(plural: str, shape: shapes.Shape, *, pretty: bool) -> None:
    world = World(definition())
    world.request("create", body=crontab())
    world.request("create", "pods", body={"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [
        {"name": "a", "image": "nginx", "command": ["a", '"@"\n']}]}})
    world.cluster.run_for(20)
    resource = BY_PLURAL.get(plural) or world.cluster.server.customs.find(plural)
    assert resource is not None
    many = shapes.Many(resource, world.cluster.etcd.list(plural), shape, world.cluster.now, clocks.Clock(), {"resourceVersion": "7"})
    assert many.objects
    assert b"".join(pieces(many.head(), many.name, many.members(), pretty=pretty)) == dumps(many(), pretty=pretty)


def test_a_schedule_of_very_many_minutes_is_not_looked_at() -> None:
    began = time.process_time()
    assert "more than 10000 characters" in refusal(thing("batch/v1", "CronJob", spec={"schedule": "0," * 700_000 + "0 * * * *", "jobTemplate": {
        "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [container()]}}}}}))
    assert time.process_time() - began < 0.5
