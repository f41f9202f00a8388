"""Admission webhooks: the conformance tests of test/e2e/apimachinery/webhook.go, one by one and in their order, and what goes wrong beside them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.apiserver.request import Request
from podlab.kubernetes.kubectl.run import run_to_end
from tests.kubernetes.apiserver.webhook_lab import CA, SERVICE, WebhookLab, configmap, hook, of, version, whole

pytestmark = pytest.mark.slow
Object = dict[str, Any]
BAD = {"webhook_e2e_test": "webhook-disallow"}
UNWANTED = 'admission webhook "deny-configmap.k8s.io" denied the request: the configmap contains unwanted key and value'
PAUSE = "registry.k8s.io/pause:3.10"
TEST = "e2etests.stable.example.com"


@pytest.fixture(scope="module")
def _lab() -> WebhookLab:
    return WebhookLab()


@pytest.fixture
def lab(_lab: WebhookLab) -> Iterator[WebhookLab]:
    yield _lab
    _lab.forget()


def deny_configmap(*operations: str, **members: Any) -> Object:
    return hook("deny-configmap", "/configmaps", *(operations or ("CREATE", "UPDATE", "DELETE")), **members)


def stage(number: int, **members: Any) -> Object:
    return hook(f"adding-configmap-data-stage-{number}", "/mutating-configmaps", **members)


def pod(name: str, container: str = "c", **labels: str) -> Object:
    made = of("Pod", name, spec={"containers": [{"name": container, "image": PAUSE}]})
    made["metadata"]["labels"] = {key.replace("_", "-"): value for key, value in labels.items()}
    return made


def custom(name: str, at: str = "v1", **data: str) -> Object:
    return of("E2eTest", name, f"stable.example.com/{at}", data={key.replace("_", "-"): value for key, value in data.items()})


def deadline(path: str, seconds: int) -> str:
    return f'Post "https://{SERVICE}.default.svc:8443{path}?timeout={seconds}s": context deadline exceeded'


# ---- the conformance tests


def test_webhook_resources_are_in_the_discovery_documents(lab: WebhookLab) -> None:
    out = run_to_end(lab.cluster, ["get", "--raw", "/apis/admissionregistration.k8s.io/v1"])[1]
    assert '"name":"mutatingwebhookconfigurations"' in out and '"name":"validatingwebhookconfigurations"' in out
    assert '"admissionregistration.k8s.io/v1"' in run_to_end(lab.cluster, ["get", "--raw", "/apis"])[1]
    assert '"admissionregistration.k8s.io/v1"' in run_to_end(lab.cluster, ["get", "--raw", "/apis/admissionregistration.k8s.io"])[1]


def test_pods_and_configmaps_are_denied_on_create_update_and_patch(lab: WebhookLab) -> None:
    lab.register("w", hook("deny-pod", "/pods", resource="pods"),
                 deny_configmap(namespaceSelector={"matchLabels": {"e2e": "true"},
                                                   "matchExpressions": [{"key": "skip", "operator": "NotIn", "values": ["yes"]}]}),
                 hook("fail-open", "/configmaps", ca=None, failurePolicy="Ignore"))
    found = lab.refused("create", "pods", body=pod("disallowed-pod", "webhook-disallow", webhook_e2e_test="webhook-disallow"))
    assert found.message == ('admission webhook "deny-pod.k8s.io" denied the request: the pod contains unwanted label; '
                             "the pod contains unwanted container name;")
    hanging = lab.refused("create", "pods", body=pod("hanging-pod", webhook_e2e_test="wait-forever"))
    assert hanging.message.endswith(deadline("/pods", 10)) and lab.refused("get", "pods", "hanging-pod").code == 404
    assert lab.refused("create", "configmaps", body=configmap("disallowed-configmap", **BAD)).message == UNWANTED
    lab.create("configmaps", configmap("allowed-configmap", admit="this"))
    assert lab.refused("update", "configmaps", "allowed-configmap", configmap("allowed-configmap", **BAD)).message == UNWANTED
    patch = {"data": {"webhook-e2e-test": "webhook-disallow"}}
    assert lab.refused("patch", "configmaps", "allowed-configmap", patch, patchType="application/strategic-merge-patch+json").message == UNWANTED
    exempt = of("Namespace", "exempted")
    exempt["metadata"]["labels"] = {"e2e": "true", "skip": "yes"}
    lab.create("namespaces", exempt, namespace="")
    lab.create("configmaps", configmap("disallowed-configmap", **BAD), namespace="exempted")


def test_attaching_to_a_pod_is_denied(lab: WebhookLab) -> None:
    lab.create("pods", pod("to-be-attached-pod", "container1"))
    lab.cluster.run_for(20)
    lab.register("w", hook("deny-attaching-pod", "/pods/attach", "CONNECT", resource="pods/attach"))
    code, _, err = run_to_end(lab.cluster, ["attach", "to-be-attached-pod", "-i", "-c=container1"], stdin="x")
    assert code == 1
    assert err.endswith('Error from server: admission webhook "deny-attaching-pod.k8s.io" denied the request: '
                        "attaching to pod 'to-be-attached-pod' is not allowed\n")


def test_custom_resources_are_denied_on_create_update_and_delete(lab: WebhookLab) -> None:
    lab.definition([version("v1", storage=True)])
    lab.register("w", hook("deny-custom", "/custom-resource", "CREATE", "UPDATE", "DELETE", resource="e2etests", group="stable.example.com"))
    assert "the custom resource contains unwanted data" in lab.refused("create", TEST, body=custom("cr-1", **BAD)).message
    lab.create(TEST, custom("cr-2", webhook_e2e_test="webhook-nondeletable"))
    assert "the custom resource contains unwanted data" in lab.refused("update", TEST, "cr-2", custom("cr-2", **BAD)).message
    words = "the custom resource cannot be deleted because it contains unwanted key and value"
    assert words in lab.refused("delete", TEST, "cr-2").message
    lab.ask("update", TEST, "cr-2", custom("cr-2", webhook_e2e_test="webhook-allow"))
    lab.ask("delete", TEST, "cr-2")


def test_a_webhook_that_cannot_be_called_and_fails_closed_rejects_everything(lab: WebhookLab) -> None:
    lab.register("w", deny_configmap("CREATE", ca=None, failurePolicy="Fail"))
    found = lab.refused("create", "configmaps", body=configmap("foo"))
    assert (found.code, found.reason) == (500, "InternalError")
    assert found.message == ('Internal error occurred: failed calling webhook "deny-configmap.k8s.io": failed to call webhook: '
                             f'Post "https://{SERVICE}.default.svc:8443/configmaps?timeout=10s": '
                             "tls: failed to verify certificate: x509: certificate signed by unknown authority")


def test_webhooks_mutate_a_configmap_one_after_another(lab: WebhookLab) -> None:
    lab.register("w", stage(1), stage(2), mutating=True)
    assert lab.create("configmaps", configmap("c", mutation_start="yes"))["data"] == {
        "mutation-start": "yes", "mutation-stage-1": "yes", "mutation-stage-2": "yes"}


def test_a_pod_is_mutated_and_gets_its_defaults_afterwards(lab: WebhookLab) -> None:
    lab.register("w", hook("adding-init-container", "/mutating-pods", resource="pods"), mutating=True)
    added = lab.create("pods", pod("webhook-to-be-mutated"))["spec"]["initContainers"]
    assert [one["name"] for one in added] == ["webhook-added-init-container"] and added[0]["terminationMessagePolicy"] == "File"
    assert added[0]["volumeMounts"][0]["mountPath"] == "/var/run/secrets/kubernetes.io/serviceaccount"  # its own plugins have run once more


def test_webhook_configurations_themselves_are_neither_mutated_nor_kept_from_deletion(lab: WebhookLab) -> None:
    both = {"apiGroups": ["admissionregistration.k8s.io"], "apiVersions": ["*"],
            "resources": ["validatingwebhookconfigurations", "mutatingwebhookconfigurations"]}
    lab.register("blocking", hook("deny", "/always-deny", rules=[{**both, "operations": ["DELETE"]}], namespaceSelector={}))
    lab.register("blocking", hook("label", "/add-label", rules=[{**both, "operations": ["CREATE"]}], namespaceSelector={}), mutating=True)
    for mutating, plural in ((False, "validatingwebhookconfigurations"), (True, "mutatingwebhookconfigurations")):
        made = lab.register("dummy", hook("dummy", "", resource="invalid", ca=None, failurePolicy="Ignore"), mutating=mutating)
        assert "labels" not in made["metadata"]
        lab.ask("delete", plural, "dummy", namespace="")


def custom_stage(number: int, *operations: str) -> Object:
    return hook(f"mutate-custom-stage-{number}", "/mutating-custom-resource", *operations, resource="e2etests", group="stable.example.com",
                versions=("v1", "v2"))


def test_a_custom_resource_is_mutated(lab: WebhookLab) -> None:
    lab.definition([version("v1", storage=True)])
    lab.register("w", custom_stage(1, "CREATE", "UPDATE"), custom_stage(2), mutating=True)
    assert len(lab.create(TEST, custom("cr-1", mutation_start="yes"))["data"]) == 3


def test_the_creation_of_a_definition_is_denied(lab: WebhookLab) -> None:
    lab.register("w", hook("deny-crd", "/crd", resource="customresourcedefinitions", group="apiextensions.k8s.io", namespaceSelector={},
                           objectSelector={"matchLabels": {"e2e": "true"}}))
    names = {"singular": "deny", "kind": "Deny", "listKind": "DenyList", "plural": "denies"}
    body = of("CustomResourceDefinition", "denies.webhook.example.com", "apiextensions.k8s.io/v1",
              spec={"group": "webhook.example.com", "names": names, "scope": "Namespaced", "versions": [version("v1", storage=True)]})
    body["metadata"]["labels"] = {"e2e": "true", "webhook-e2e-test": "webhook-disallow"}
    assert "the crd contains unwanted label" in lab.refused("create", "customresourcedefinitions", body=body, namespace="").message


def test_a_custom_resource_with_another_stored_version_is_mutated(lab: WebhookLab) -> None:
    lab.definition([version("v1", storage=True), version("v2")])
    lab.register("w", custom_stage(1, "CREATE", "UPDATE"), custom_stage(2, "CREATE"), mutating=True)
    lab.create(TEST, custom("cr-1", mutation_start="yes"))
    lab.ask("patch", "customresourcedefinitions", TEST, {"spec": {"versions": [version("v1"), version("v2", storage=True)]}}, namespace="")
    changed = lab.ask("patch", TEST, "cr-1", [{"op": "add", "path": "/dummy", "value": "test"}], patchType="application/json-patch+json",
                      apiVersion="stable.example.com/v2")
    assert (changed["apiVersion"], changed["dummy"], len(changed["data"])) == ("stable.example.com/v2", "test", 3)


def test_what_the_schema_lacks_is_pruned_from_a_mutated_custom_resource(lab: WebhookLab) -> None:
    data = {"data": {"type": "object", "properties": {"mutation-start": {"type": "string"}, "mutation-stage-1": {"type": "string"}}}}
    lab.definition([version("v1", storage=True, properties=data), version("v2", properties=data)])
    lab.register("w", custom_stage(1, "CREATE", "UPDATE"), custom_stage(2, "CREATE"), mutating=True)
    assert lab.create(TEST, custom("cr-1", mutation_start="yes"))["data"] == {"mutation-start": "yes", "mutation-stage-1": "yes"}


@pytest.mark.parametrize(("seconds", "policy", "admitted"), [(1, "Fail", False), (1, "Ignore", True), (10, "Fail", True), (None, "Fail", True)])
def test_a_webhooks_timeout_is_honoured(lab: WebhookLab, seconds: int | None, policy: str, admitted: bool) -> None:
    slow = hook("slow", "/always-allow-delay-5s", failurePolicy=policy, **({"timeoutSeconds": seconds} if seconds else {}))
    lab.register("w", slow)
    if admitted:
        lab.create("configmaps", configmap("slow"))
    else:
        assert lab.refused("create", "configmaps", body=configmap("slow")).message.endswith(deadline("/always-allow-delay-5s", 1))


CREATES = [{"op": "replace", "path": "/webhooks/0/rules/0/operations", "value": ["CREATE"]}]


def test_updating_and_patching_a_validating_webhook_works(lab: WebhookLab) -> None:
    held = whole(lab.register("w", deny_configmap()))
    assert "denied" in lab.refused("create", "configmaps", body=configmap("a", **BAD)).message
    held["webhooks"][0]["rules"][0]["operations"] = ["UPDATE"]
    lab.ask("update", "validatingwebhookconfigurations", "w", held, namespace="")
    lab.create("configmaps", configmap("b", **BAD))
    lab.ask("patch", "validatingwebhookconfigurations", "w", CREATES, namespace="", patchType="application/json-patch+json")
    assert "denied" in lab.refused("create", "configmaps", body=configmap("c", **BAD)).message


def test_updating_and_patching_a_mutating_webhook_works(lab: WebhookLab) -> None:
    held = whole(lab.register("w", stage(1), mutating=True))
    held["webhooks"][0]["rules"][0]["operations"] = ["UPDATE"]
    lab.ask("update", "mutatingwebhookconfigurations", "w", held, namespace="")
    assert "mutation-stage-1" not in lab.create("configmaps", configmap("a", mutation_start="yes"))["data"]
    lab.ask("patch", "mutatingwebhookconfigurations", "w", CREATES, namespace="", patchType="application/json-patch+json")
    assert "mutation-stage-1" in lab.create("configmaps", configmap("b", mutation_start="yes"))["data"]


@pytest.mark.parametrize("mutating", [False, True])
def test_webhook_configurations_are_listed_and_deleted_by_their_label(lab: WebhookLab, mutating: bool) -> None:
    plural = "mutatingwebhookconfigurations" if mutating else "validatingwebhookconfigurations"
    for number in range(10):
        lab.register(f"w{number}", stage(1) if mutating else deny_configmap(), mutating=mutating)
        lab.ask("patch", plural, f"w{number}", {"metadata": {"labels": {"list": "x"}}}, namespace="")
    assert len(lab.ask("list", plural, namespace="", labelSelector="list=x")["items"]) == 10
    if mutating:
        assert "mutation-stage-1" in lab.create("configmaps", configmap("a", mutation_start="yes"))["data"]
    else:
        assert "denied" in lab.refused("create", "configmaps", body=configmap("a", **BAD)).message
    lab.ask("deletecollection", plural, namespace="", labelSelector="list=x")
    assert "mutation-stage-1" not in lab.create("configmaps", configmap("b", mutation_start="yes", **BAD))["data"]


@pytest.mark.parametrize("mutating", [False, True])
def test_match_conditions_are_stored_updated_and_checked(lab: WebhookLab, mutating: bool) -> None:
    plural = "mutatingwebhookconfigurations" if mutating else "validatingwebhookconfigurations"
    first, second = ({"name": f"expression-{n}", "expression": f"object.metadata.namespace == '{where}'"} for n, where in
                     ((1, "production"), (2, "staging")))
    held = whole(lab.register("w", hook("conditional", "/always-deny", matchConditions=[first]), mutating=mutating))
    held["webhooks"][0]["matchConditions"] = [first, second]
    lab.ask("update", plural, "w", held, namespace="")
    assert lab.ask("get", plural, "w", namespace="")["webhooks"][0]["matchConditions"] == [first, second]
    bad = hook("conditional", "/always-deny", matchConditions=[{"name": "bad", "expression": "... [] bad expression"}])
    with pytest.raises(ApiError, match="compilation failed"):
        lab.register("bad", bad, mutating=mutating)


def test_everything_but_skip_me_is_mutated(lab: WebhookLab) -> None:
    lab.register("w", stage(1, matchConditions=[{"name": "skip-me", "expression": "object.metadata.name != 'skip-me'"}]), mutating=True)
    assert len(lab.create("configmaps", configmap("other", mutation_start="yes"))["data"]) == 2
    assert len(lab.create("configmaps", configmap("skip-me", mutation_start="yes"))["data"]) == 1


# ---- beside them: what can go wrong, and whom it concerns


@pytest.mark.parametrize(("config", "words"), [
    ({"service": {"name": "none"}}, 'Post "https://none.default.svc:8443/configmaps?timeout=10s": service "none" not found'),
    ({"service": {"port": 444}}, f'no service port 444 found for service "{SERVICE}"'),
    ({"service": {"path": "/nothing"}}, "failed to call webhook: the server could not find the requested resource"),
    ({"service": {"name": "plain", "port": 80}}, "http: server gave HTTP response to HTTPS client"),
    ({"service": {"name": "empty", "port": 80}}, ":80: connect: connection refused"),
    ({"service": {"name": "other", "port": 8443}}, "x509: certificate is valid for e2e-test-webhook.default.svc, "
     "e2e-test-crd-conversion-webhook.default.svc, not other.default.svc"),
    ({"service": None, "url": "https://example.com/check"},
     'Post "https://example.com/check?timeout=10s": dial tcp: lookup example.com: no such host'),
])
def test_what_goes_wrong_is_told_in_the_servers_words(lab: WebhookLab, config: Object, words: str) -> None:
    if not lab.cluster.etcd.get("services", "default/plain"):
        nginx = of("Pod", "plain", spec={"containers": [{"name": "c", "image": "nginx:1.27"}]})
        nginx["metadata"]["labels"] = {"app": "plain"}
        lab.create("pods", nginx)
        for name, app, port in (("plain", "plain", 80), ("empty", "nobody", 80), ("other", SERVICE, 8444)):
            ports = [{"port": 8443 if port == 8444 else 80, "targetPort": port}]
            lab.create("services", of("Service", name, spec={"selector": {"app": app}, "ports": ports}))
        lab.cluster.run_for(30)
    whole_hook = deny_configmap("CREATE")
    client = whole_hook["clientConfig"]
    if config["service"] is None:
        whole_hook["clientConfig"] = {"url": config["url"], "caBundle": CA}
    else:
        client["service"].update(config["service"])
    lab.register("w", whole_hook)
    assert lab.refused("create", "configmaps", body=configmap("c")).message.endswith(words)


def test_a_policy_that_shuts_the_webhook_off_makes_its_call_time_out(lab: WebhookLab) -> None:
    lab.register("w", deny_configmap())
    lab.create("networkpolicies", of("NetworkPolicy", "shut", "networking.k8s.io/v1", spec={"podSelector": {}, "policyTypes": ["Ingress"]}))
    assert lab.refused("create", "configmaps", body=configmap("c")).message.endswith(deadline("/configmaps", 10))


def test_a_dry_run_asks_only_webhooks_without_side_effects(lab: WebhookLab) -> None:
    lab.register("w", stage(1, sideEffects="NoneOnDryRun"), mutating=True)
    assert "mutation-stage-1" in lab.create("configmaps", configmap("c", mutation_start="yes"), dryRun="All")["data"]
    lab.register("x", deny_configmap(sideEffects="None"))
    assert lab.refused("create", "configmaps", body=configmap("c", **BAD), dryRun="All").message == UNWANTED
    assert lab.cluster.etcd.get("configmaps", "default/c") is None


def test_a_replicaset_says_why_its_pods_are_not_created(lab: WebhookLab) -> None:
    lab.register("w", hook("no-pods", "/always-deny", resource="pods"))
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": PAUSE}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    lab.create("replicasets", of("ReplicaSet", "web", "apps/v1", spec=spec))
    lab.cluster.run_for(2)
    told = [one["message"] for one in lab.cluster.etcd.list("events", "default") if one["reason"] == "FailedCreate"]
    assert told == ['Error creating: admission webhook "no-pods.k8s.io" denied the request: this webhook denies all requests']
    lab.ask("delete", "replicasets", "web")


def test_an_eviction_is_asked_about_before_the_pod_goes(lab: WebhookLab) -> None:
    lab.create("pods", pod("to-be-evicted"))
    lab.register("w", hook("no-eviction", "/always-deny", resource="pods/eviction", matchConditions=[
        {"name": "drained", "expression": "request.kind.kind == 'Eviction' && request.kind.group == 'policy'"}]))
    asked = Request("create", "pods", "default", "to-be-evicted", "eviction", of("Eviction", "to-be-evicted", "policy/v1"))
    with pytest.raises(ApiError, match="no-eviction"):
        lab.cluster.server.perform(asked)
    assert "deletionTimestamp" not in lab.ask("get", "pods", "to-be-evicted")["metadata"]
    lab.forget()
    lab.cluster.server.perform(asked)


def test_a_webhook_is_called_again_where_a_later_one_changed_something(lab: WebhookLab) -> None:
    data, label = stage(1), hook("label", "/add-label")  # asked twice, the first one adds its second key too
    for name, policy, keys in (("a", "IfNeeded", 3), ("b", "Never", 2)):
        lab.register("w", {**data, "reinvocationPolicy": policy}, label, mutating=True)
        made = lab.create("configmaps", configmap(name, mutation_start="yes"))
        assert (len(made["data"]), made["metadata"]["labels"]) == (keys, {"added-label": "yes"})
        lab.ask("delete", "mutatingwebhookconfigurations", "w", namespace="")


@pytest.mark.parametrize(("policy", "told"), [("IfNeeded", "2"), ("Never", "1")])
def test_a_mutating_policy_looks_once_more_where_a_webhook_changed_something(lab: WebhookLab, policy: str, told: str) -> None:
    rules = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}]
    counts = 'Object{metadata: Object.metadata{annotations: {"keys": string(size(object.data))}}}'
    group = "admissionregistration.k8s.io/v1"
    lab.create("mutatingadmissionpolicies", of("MutatingAdmissionPolicy", "p", group, spec={
        "matchConstraints": {"resourceRules": rules}, "reinvocationPolicy": policy,
        "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": counts}}]}), namespace="")
    lab.create("mutatingadmissionpolicybindings", of("MutatingAdmissionPolicyBinding", "b", group, spec={"policyName": "p"}), namespace="")
    lab.register("w", stage(1), mutating=True)
    assert lab.create("configmaps", configmap("c", mutation_start="yes"))["metadata"]["annotations"] == {"keys": told}


def test_what_a_sidecar_webhook_adds_is_validated_like_anything(lab: WebhookLab) -> None:
    lab.register("w", hook("sidecar", "/mutating-pods-sidecar", resource="pods"), mutating=True)
    made = lab.create("pods", pod("with-sidecar"))
    assert [one["name"] for one in made["spec"]["containers"]] == ["c", "webhook-added-sidecar"]
    assert made["spec"]["containers"][1]["image"] == PAUSE and made["spec"]["containers"][1]["imagePullPolicy"] == "IfNotPresent"


def test_kubectl_prints_a_refusal_as_the_real_one_does(lab: WebhookLab) -> None:
    lab.register("w", deny_configmap())
    manifest = "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {webhook-e2e-test: webhook-disallow}}"
    assert run_to_end(lab.cluster, ["create", "-f", "c.yaml"], files={"c.yaml": manifest})[2] == (
        f'Error from server: error when creating "c.yaml": {UNWANTED}\n')
    assert run_to_end(lab.cluster, ["create", "configmap", "c", "--from-literal=webhook-e2e-test=webhook-disallow"])[2] == (
        f"error: failed to create configmap: {UNWANTED}\n")


def test_a_webhook_for_one_version_sees_requests_for_the_others_in_it(lab: WebhookLab) -> None:
    lab.definition([version("v1", storage=True), version("v2")])
    only = hook("deny-custom", "/custom-resource", resource="e2etests", group="stable.example.com", versions=("v2",))
    lab.register("w", only)
    assert "unwanted data" in lab.refused("create", TEST, body=custom("cr", **BAD)).message
    lab.forget()
    lab.definition([version("v1", storage=True), version("v2")])
    lab.register("w", {**only, "matchPolicy": "Exact"})
    lab.create(TEST, custom("cr", **BAD))


def test_a_dry_run_that_asks_a_webhook_changes_nothing_in_the_cluster(lab: WebhookLab) -> None:
    lab.register("w", deny_configmap())
    before = whole(lab.cluster.checkpoint())
    lab.refused("create", "configmaps", body=configmap("c", **BAD), dryRun="All")
    lab.create("configmaps", configmap("c"), dryRun="All")
    assert whole(lab.cluster.checkpoint()) == before
