"""ValidatingAdmissionPolicy: rules that people write themselves (apiserver/pkg/admission/plugin/policy/validating)."""

from __future__ import annotations

import time
from typing import Any

import pytest

from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.apiserver.request import Request
from podlab.kubernetes.cluster import Cluster
from tests.kubernetes.frozen import created

EPOCH_MS = 1_795_219_200_000
Object = dict[str, Any]


class World:
    """A cluster without nodes, with one policy, bound once."""

    def __init__(self, *, actions: tuple[str, ...] = ("Deny",), binding: Object | None = None, **policy: Any) -> None:
        self.cluster = created(1, EPOCH_MS)
        self.cluster.run_for(1)
        rules = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"]}]
        spec = {"matchConstraints": {"resourceRules": rules}, **policy}
        self.make("ValidatingAdmissionPolicy", "validatingadmissionpolicies", "few", "", spec=spec)
        bound = {"policyName": "few", "validationActions": list(actions), **(binding or {})}
        self.make("ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", "here", "", spec=bound)

    def send(self, verb: str, plural: str, name: str, body: Object | None = None, namespace: str = "default", **options: Any) -> Any:
        return self.cluster.server.perform(Request(verb, plural, namespace, "" if verb == "create" else name, body=body, options=options))

    def make(self, kind: str, plural: str, name: str, namespace: str = "default", **members: Any) -> Any:
        version = "admissionregistration.k8s.io/v1" if "admission" in plural else "v1"
        metadata = {"name": name, **members.pop("metadata", {})}
        return self.send("create", plural, name, {"apiVersion": version, "kind": kind, "metadata": metadata, **members}, namespace)

    def config(self, name: str, namespace: str = "default", labels: Object | None = None, **data: str) -> Any:
        return self.make("ConfigMap", "configmaps", name, namespace, data=data, metadata={"labels": labels} if labels else {})


def refused(world: World, name: str, **given: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        world.config(name, **given)
    return caught.value


def test_what_a_rule_denies_is_refused_with_its_words_and_reason() -> None:
    world = World(validations=[{"expression": "size(object.data) < 2", "message": "too many keys"}])
    world.config("one", a="1")
    error = refused(world, "two", a="1", b="2")
    text = "ValidatingAdmissionPolicy 'few' with binding 'here' denied request: too many keys"
    assert (error.code, error.reason, error.message) == (422, "Invalid", f'configmaps "two" is forbidden: {text}')
    assert (error.details or {})["causes"] == [{"message": text}]


def test_a_rule_may_name_its_reason_and_work_out_its_message() -> None:
    world = World(validations=[{"expression": "variables.keys == 1", "messageExpression": "'it has ' + string(variables.keys)",
                                "reason": "Forbidden"}],
                  variables=[{"name": "keys", "expression": "size(object.data)"}])  # fmt: skip
    error = refused(world, "two", a="1", b="2")
    assert (error.code, error.reason) == (403, "Forbidden")
    assert error.message.endswith("denied request: it has 2")


def test_without_a_message_the_expression_speaks() -> None:
    world = World(validations=[{"expression": "'a' in object.data"}])
    assert refused(world, "x", b="1").message.endswith("denied request: failed expression: 'a' in object.data")


def test_an_update_is_judged_and_sees_the_old_object_and_other_kinds_are_left_alone() -> None:
    world = World(validations=[{"expression": "oldObject == null || object.data.a >= oldObject.data.a"}])
    world.config("x", a="5")
    with pytest.raises(ApiError, match="failed expression"):
        world.send("patch", "configmaps", "x", {"data": {"a": "4"}})
    world.send("patch", "configmaps", "x", {"data": {"a": "6"}})
    world.send("delete", "configmaps", "x")
    world.make("Secret", "secrets", "s")


def test_a_binding_that_warns_lets_the_request_pass() -> None:
    world = World(actions=("Warn", "Audit"), validations=[{"expression": "false", "message": "hm"}])
    world.config("x", a="1")
    assert world.cluster.server.warnings == ["Validation failed for ValidatingAdmissionPolicy 'few' with binding 'here': hm"]
    world.send("get", "configmaps", "x")
    assert world.cluster.server.warnings == []


def test_namespaces_and_labels_choose_what_is_judged() -> None:
    world = World(binding={"matchResources": {"namespaceSelector": {"matchLabels": {"strict": "yes"}},
                                              "objectSelector": {"matchLabels": {"tier": "front"}}}},
                  validations=[{"expression": "namespaceObject.metadata.labels['strict'] == 'no'"}])  # fmt: skip
    world.make("Namespace", "namespaces", "hard", "", metadata={"labels": {"strict": "yes"}})
    world.config("x", labels={"tier": "front"})
    world.config("x", "hard")
    assert refused(world, "y", namespace="hard", labels={"tier": "front"}).reason == "Invalid"


def test_match_conditions_leave_requests_out() -> None:
    world = World(matchConditions=[{"name": "not-mine", "expression": "!('system:masters' in request.userInfo.groups)"}],
                  validations=[{"expression": "false"}])  # fmt: skip
    world.config("x")


@pytest.mark.parametrize(("policy", "stored"), [("Fail", False), ("Ignore", True)])
def test_an_expression_that_fails_counts_as_the_failure_policy_says(policy: str, stored: bool) -> None:
    world = World(failurePolicy=policy, validations=[{"expression": "object.spec.size > 1"}])
    if stored:
        world.config("x")
    else:
        assert refused(world, "x").message.endswith("expression 'object.spec.size > 1' resulted in error: no such key: spec")


def test_parameters_are_read_when_the_request_comes() -> None:
    world = World(paramKind={"apiVersion": "v1", "kind": "Secret"}, validations=[{"expression": "object.data.a == params.type"}],
                  binding={"paramRef": {"name": "wanted", "namespace": "default", "parameterNotFoundAction": "Deny"}})  # fmt: skip
    assert refused(world, "x", a="Opaque").message.endswith(
        "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction")
    world.make("Secret", "secrets", "wanted")
    world.config("x", a="Opaque")
    assert refused(world, "y", a="other").message.endswith("failed expression: object.data.a == params.type")


def test_a_kind_of_parameter_that_is_not_served_is_said() -> None:
    world = World(paramKind={"apiVersion": "rules.example.com/v1", "kind": "Limit"}, validations=[{"expression": "true"}],
                  binding={"paramRef": {"name": "x", "parameterNotFoundAction": "Allow"}})  # fmt: skip
    assert refused(world, "x").message.endswith(
        "failed to configure policy: failed to find resource referenced by paramKind: 'rules.example.com/v1, Kind=Limit'")


def test_deletions_are_judged_by_the_old_object_and_the_rules_never_bind_the_rules() -> None:
    every = [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["DELETE"], "resources": ["*"]}]
    world = World(matchConstraints={"resourceRules": every}, validations=[{"expression": "!has(oldObject.metadata.labels)"}])
    world.config("kept", labels={"keep": "yes"})
    world.config("free")
    with pytest.raises(ApiError, match="denied request"):
        world.send("delete", "configmaps", "kept")
    world.send("delete", "configmaps", "free")
    world.send("delete", "validatingadmissionpolicies", "few", namespace="")


@pytest.mark.parametrize(("expression", "allowed"), [
    ("authorizer.group('').resource('pods').namespace('default').check('delete').allowed()", True),  # of whoever asks: the administrator
    ("authorizer.requestResource.check('create').allowed()", True),
    ("authorizer.path('/healthz').check('get').allowed()", True),
    ("authorizer.serviceAccount('default', 'mine').group('').resource('pods').namespace('default').check('list').allowed()", False),
    ("authorizer.serviceAccount('default', 'mine').group('').resource('configmaps').namespace('default').check('list').reason()"
     ".contains('RoleBinding \"r/default\"')", True),
    ("authorizer.check('get').errored()", False),
])  # fmt: skip
def test_expressions_ask_what_somebody_may_do(expression: str, allowed: bool) -> None:
    world = World(validations=[{"expression": expression}])
    rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}
    for plural, kind, rest in (("roles", "Role", {"rules": [rule]}), ("rolebindings", "RoleBinding", {
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
            "subjects": [{"kind": "ServiceAccount", "name": "mine", "namespace": "default"}]})):
        body = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": "r"}, **rest}
        world.cluster.server.perform(Request("create", plural, "default", "r", body=body))
    if allowed:
        world.config("a")
    else:
        with pytest.raises(ApiError, match="denied request"):
            world.config("a")


@pytest.mark.slow
def test_a_controller_whose_every_pod_meets_heavy_rules_holds_nobody_up() -> None:
    cluster = Cluster.create(1, 1_795_219_200_000, {"nodes": [{"name": "node-1", "cpu": "4", "memory": "8Gi"}]}, strict=True)

    def request(resource: str, body: dict[str, Any], namespace: str = "") -> None:
        cluster.apply({"at": cluster.now, "do": "request", "verb": "create", "resource": resource, "namespace": namespace, "body": body})
    nine = "[1, 2, 3, 4, 5, 6, 7, 8, 9].all(%s, "
    rule = "".join(nine % name for name in "abcde") + "true" + ")" * 5
    for number in range(5):
        constraints = {"resourceRules": [{"apiGroups": [""], "apiVersions": ["*"], "operations": ["CREATE"], "resources": ["pods"]}]}
        request("validatingadmissionpolicies", {"metadata": {"name": f"v{number}"}, "spec": {
            "failurePolicy": "Ignore", "matchConstraints": constraints, "validations": [{"expression": rule}]}})
        request("validatingadmissionpolicybindings", {"metadata": {"name": f"b{number}"}, "spec": {
            "policyName": f"v{number}", "validationActions": ["Deny"]}})
    labels = {"app": "many"}
    request("replicasets", {"metadata": {"name": "many"}, "spec": {"replicas": 30, "selector": {"matchLabels": labels}, "template": {
        "metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "busybox"}]}}}}, "default")
    longest, until = 0.0, cluster.now + 3_000
    while (due := cluster.clock.next_at()) is not None and due <= until:
        began = time.process_time()
        cluster.step()
        longest = max(longest, time.process_time() - began)
    assert len(cluster.etcd.list("pods", "default")) == 30
    assert longest < 1.5
