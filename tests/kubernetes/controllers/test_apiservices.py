"""An APIService that names a Service: the conditions that say whether its server answers, and what it then serves."""

import base64
import json
from typing import Any

import pytest

from podlab.kubernetes.apiserver import aggregation
from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.apiserver.request import Request
from podlab.kubernetes.apiserver.rest import requests
from podlab.kubernetes.apiserver.rest.call import Call
from podlab.kubernetes.apiserver.webhook_client import CallError
from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.runtime import http
from podlab.kubernetes.runtime.at_once import Given
from tests.kubernetes.frozen import created
from tests.kubernetes.runtime.certificates import CA, WEBHOOK, WEBHOOK_CA, WEBHOOK_KEY

START = 1_795_219_200_000  # 2026-11-21T00:00:00Z
NAME, SERVICE = "v1alpha1.wardle.example.com", "e2e-test-webhook"  # whom the certificate is for
FLUNDERS = "flunders.wardle.example.com"
Object = dict[str, Any]


class Wardle:
    def __init__(self) -> None:
        self.cluster = created(7, START, {"nodes": [{"name": "node-1", "cpu": "4", "memory": "8Gi"}]})
        self.cluster.run_for(2)
        self.create("secrets", {"metadata": {"name": "pair"}, "stringData": {"tls.crt": WEBHOOK, "tls.key": WEBHOOK_KEY}})

    def ask(self, verb: str, plural: str, name: str = "", body: Any = None, **options: Any) -> Any:
        return self.cluster.server.perform(Request(verb, plural, "default", name, "", body, options))

    def create(self, plural: str, body: Object) -> Any:
        return self.ask("create", plural, body=body)

    def pod(self, name: str) -> None:
        container = {"name": "c", "image": "registry.k8s.io/e2e-test-images/sample-apiserver:1.29.2",
                     "args": ["--tls-cert-file=/c/tls.crt", "--tls-private-key-file=/c/tls.key"], "volumeMounts": [{"name": "c", "mountPath": "/c"}]}
        spec = {"terminationGracePeriodSeconds": 0, "containers": [container], "volumes": [{"name": "c", "secret": {"secretName": "pair"}}]}
        self.create("pods", {"metadata": {"name": name, "labels": {"app": "wardle"}}, "spec": spec})
        self.cluster.run_for(5)

    def service(self) -> None:
        spec = {"selector": {"app": "wardle"}, "ports": [{"port": 7443, "targetPort": 443}]}
        self.create("services", {"metadata": {"name": SERVICE}, "spec": spec})
        self.cluster.run_for(1)

    def register(self, version: str = "v1alpha1", port: int = 7443, ca: str = WEBHOOK_CA) -> None:
        where = {"namespace": "default", "name": SERVICE, "port": port}
        spec = {"group": "wardle.example.com", "version": version, "groupPriorityMinimum": 2000, "versionPriority": 200, "service": where,
                "caBundle": base64.b64encode(ca.encode()).decode()}
        self.create("apiservices", {"metadata": {"name": f"{version}.wardle.example.com"}, "spec": spec})
        self.cluster.run_for(1)

    def available(self, name: str = NAME) -> tuple[str, str]:
        found = next(one for one in self.ask("get", "apiservices", name)["status"]["conditions"] if one["type"] == "Available")
        return found["reason"], found["message"]


class Program:
    """Somebody's own server, by what it answers at the two paths: the kinds and their schemas."""

    def __init__(self, kinds: Any, schemas: Any) -> None:
        self.bodies = {"/apis": {"resources": kinds}, "/openapi": {"components": {"schemas": schemas}}}

    def ask(self, source: str, address: str, port: int, request: http.Message, draw: str, limit_ms: int) -> Given:
        return Given("", http.response(200, json.dumps(self.bodies["/" + request.target.split("/")[1]])))

    def said(self, wardle: Wardle) -> list[Object]:
        wardle.service()
        wardle.cluster.trials = self
        service = {"namespace": "default", "name": SERVICE, "port": 7443}
        spec = {"group": "g.example.com", "version": "v1", "service": service, "insecureSkipTLSVerify": True}
        return aggregation.kinds_of(wardle.cluster, {"metadata": {"name": "v1.g.example.com"}, "spec": spec})


def kind(**more: Any) -> Object:
    return {"name": "knots", "kind": "Knot", "namespaced": True, "verbs": ["create", "delete", "get", "list", "update"], **more}


@pytest.fixture
def wardle() -> Wardle:
    return Wardle()


def test_the_condition_names_what_is_missing_until_all_checks_pass(wardle: Wardle) -> None:
    wardle.register()
    assert wardle.available() == ("ServiceNotFound", 'service/e2e-test-webhook in "default" is not present')
    wardle.service()
    assert wardle.available()[0] == "MissingEndpoints"
    with pytest.raises(ApiError) as refused:
        requests.resolve(wardle.cluster, Call("GET", ["apis", "wardle.example.com", "v1alpha1", "flunders"], {}, {}))
    assert (refused.value.code, refused.value.reason) == (503, "ServiceUnavailable")
    wardle.pod("one")
    assert wardle.available() == ("Passed", "all checks passed")
    assert [(one.version, one.name) for one in wardle.cluster.server.customs.served()] == [("v1alpha1", "fischers"), ("v1alpha1", "flunders")]
    wardle.register("v1beta1", port=8443)
    assert wardle.available("v1beta1.wardle.example.com") == (
        "ServicePortError", 'service/e2e-test-webhook in "default" is not listening on port 8443')
    wardle.ask("delete", "apiservices", NAME)
    wardle.cluster.run_for(1)
    assert wardle.cluster.server.customs.served() == ()


def test_a_server_that_nobody_vouches_for_fails_its_discovery_check(wardle: Wardle) -> None:
    wardle.service()
    wardle.pod("one")
    wardle.register(ca=CA)
    reason, message = wardle.available()
    assert reason == "FailedDiscoveryCheck"
    assert message.startswith("failing or missing response from https://")
    assert message.endswith("x509: certificate signed by unknown authority")


def test_objects_are_kept_as_long_as_the_pod_that_holds_them(wardle: Wardle) -> None:
    wardle.service()
    wardle.pod("one")
    wardle.register()
    wardle.create(FLUNDERS, {"apiVersion": "wardle.example.com/v1alpha1", "kind": "Flunder", "metadata": {"name": "f"}, "spec": {"reference": "a"}})
    restored = Cluster.restore(json.loads(json.dumps(wardle.cluster.checkpoint())), strict=True)
    assert [one.name for one in restored.server.customs.served()] == ["fischers", "flunders"]
    assert wardle.ask("get", FLUNDERS, "f")["spec"] == {"reference": "a"}
    wardle.ask("delete", "pods", "one")
    wardle.cluster.run_for(2)
    assert wardle.available()[0] == "MissingEndpoints"
    wardle.pod("two")
    assert wardle.available()[0] == "Passed"
    assert wardle.ask("list", FLUNDERS)["items"] == []


def test_schemas_that_fan_out_or_are_none_are_read_as_far_as_they_go(wardle: Wardle) -> None:
    again = {"$ref": "#/components/schemas/knot"}
    knot = {"type": "object", "required": [{}], "properties": {"left": again, "right": again, "type": {"type": {}, "enum": 3}},
            "x-kubernetes-group-version-kind": [{"group": "g.example.com", "version": "v1", "kind": "Knot"}]}
    (found,) = Program([kind()], {"knot": knot, "none": 1}).said(wardle)
    schema = found["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert (schema["properties"]["left"]["properties"]["type"], "required" in schema) == ({}, False)
    assert json.dumps(schema).count("{") <= aggregation.PARTS_MAX + 1000
    wardle.cluster.server.customs.lend("v1.g.example.com", [found])
    assert [one.name for one in wardle.cluster.server.customs.served()] == ["knots"]


@pytest.mark.parametrize("odd", [{"name": 1}, {"kind": {}}, {"shortNames": [{}]}, {"categories": "all"}, {"verbs": 1}])
def test_a_list_of_kinds_that_is_none_fails_the_check(wardle: Wardle, odd: Object) -> None:
    with pytest.raises(CallError, match="no APIResourceList"):
        Program([kind(**odd)], {}).said(wardle)
