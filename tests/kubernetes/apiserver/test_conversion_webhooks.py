"""Conversion webhooks: the conformance tests of test/e2e/apimachinery/crd_conversion_webhook.go, and every way by which an object is converted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from podlab.kubernetes.apiserver import rbac
from podlab.kubernetes.apiserver.rest import addresses, listing, requests, shapes, watching
from podlab.kubernetes.apiserver.rest.call import Call
from podlab.kubernetes.apiserver.rest.clocks import Clock
from podlab.kubernetes.kubectl.run import run_to_end
from podlab.kubernetes.runtime.control_plane import Desk
from tests.kubernetes.apiserver.webhook_lab import CA, CONVERTER, WebhookLab, hook, of, version, whole

pytestmark = pytest.mark.slow
Object = dict[str, Any]
TEST, GROUP = "e2etests.stable.example.com", "stable.example.com"
TEXT = {"type": "string"}
V1, V2 = {"hostPort": TEXT}, {"host": TEXT, "port": TEXT}


def versions(stored: str = "v1") -> list[Object]:
    return [version("v1", storage=stored == "v1", properties=V1), version("v2", storage=stored == "v2", properties=V2)]


def conversion(service: str = CONVERTER, **members: Any) -> Object:
    config = {"caBundle": CA, "service": {"namespace": "default", "name": service, "path": "/crdconvert", "port": 8443}}
    return {"strategy": "Webhook", "webhook": {"clientConfig": config, "conversionReviewVersions": ["v1", "v1beta1"], **members}}


@pytest.fixture(scope="module")
def _lab() -> WebhookLab:
    return WebhookLab()


@pytest.fixture
def lab(_lab: WebhookLab) -> Iterator[WebhookLab]:
    _lab.definition(versions(), conversion())
    yield _lab
    if _lab.cluster.etcd.get("services", f"default/{CONVERTER}") is None:
        _lab.create("services", of("Service", CONVERTER, spec={"selector": {"app": CONVERTER}, "ports": [{"port": 8443, "targetPort": 8444}]}))
        _lab.cluster.run_for(2)
    _lab.forget()


def v1(name: str, host_port: str = "localhost:8080") -> Object:
    return of("E2eTest", name, f"{GROUP}/v1", hostPort=host_port)


def rest(lab: WebhookLab, method: str, at: str, name: str = "", body: Any = None, kind: str = "application/json") -> Any:
    """(status, JSON) of a request over the API's paths, in one of its versions."""
    path = ["apis", GROUP, at, "namespaces", "default", "e2etests", *([name] if name else [])]
    call = Call(method, path, {}, {"content-type": kind, "accept": "application/json"})
    target = addresses.resolve(call, lab.cluster.server.customs.served())
    user = rbac.User("kubernetes-admin", ("system:masters",))
    status, make = requests.perform(lab.cluster, Desk(lab.cluster, user), call, user, target, body, [])
    return status, json.loads(json.dumps(make()))


def spec_of(obj: Any) -> Any:
    return {name: value for name, value in obj.items() if name not in ("kind", "metadata")}


AS_V1 = {"apiVersion": f"{GROUP}/v1", "hostPort": "localhost:8080"}
AS_V2 = {"apiVersion": f"{GROUP}/v2", "host": "localhost", "port": "8080"}


# ---- the conformance tests


def test_what_was_created_as_v1_is_read_as_v2(lab: WebhookLab) -> None:
    rest(lab, "POST", "v1", body=v1("cr-instance-1"))
    assert spec_of(rest(lab, "GET", "v2", "cr-instance-1")[1]) == AS_V2
    assert spec_of(rest(lab, "GET", "v1", "cr-instance-1")[1]) == AS_V1


def test_a_list_of_objects_stored_in_two_versions_is_of_one(lab: WebhookLab) -> None:
    rest(lab, "POST", "v1", body=v1("cr-instance-1"))
    lab.ask("patch", "customresourcedefinitions", TEST, {"spec": {"versions": versions("v2")}}, namespace="")
    rest(lab, "POST", "v1", body=v1("cr-instance-2"))
    assert [one["apiVersion"] for one in lab.cluster.etcd.list(TEST, "default")] == [f"{GROUP}/v1", f"{GROUP}/v2"]
    for at, shown in (("v2", AS_V2), ("v1", AS_V1)):
        assert [spec_of(one) for one in rest(lab, "GET", at)[1]["items"]] == [shown, shown]


# ---- every way


def test_writes_in_another_version_are_converted_to_the_stored_one_and_back(lab: WebhookLab) -> None:
    made = rest(lab, "POST", "v2", body=of("E2eTest", "x", f"{GROUP}/v2", host="a", port="1"))[1]
    assert (made["host"], lab.cluster.etcd.get(TEST, "default/x")["hostPort"]) == ("a", "a:1")
    changed = rest(lab, "PATCH", "v2", "x", {"port": "2"}, "application/merge-patch+json")[1]
    assert (changed["host"], changed["port"], lab.cluster.etcd.get(TEST, "default/x")["hostPort"]) == ("a", "2", "a:2")
    assert rest(lab, "PUT", "v2", "x", {**changed, "port": "3"})[1]["port"] == "3"
    revision = lab.cluster.etcd.revision
    rest(lab, "PATCH", "v2", "x", {"port": "3"}, "application/merge-patch+json")
    assert lab.cluster.etcd.revision == revision  # what changes nothing is not written
    assert lab.cluster.etcd.get(TEST, "default/x")["metadata"]["generation"] == 3
    rest(lab, "DELETE", "v2", "x")
    assert lab.cluster.etcd.get(TEST, "default/x") is None


def test_an_object_stored_in_an_older_version_moves_with_its_next_write(lab: WebhookLab) -> None:
    rest(lab, "POST", "v1", body=v1("x"))
    lab.ask("patch", "customresourcedefinitions", TEST, {"spec": {"versions": versions("v2")}}, namespace="")
    rest(lab, "PATCH", "v1", "x", {"metadata": {"labels": {"a": "b"}}}, "application/merge-patch+json")
    held = lab.cluster.etcd.get(TEST, "default/x")
    assert (spec_of(held), held["metadata"]["labels"]) == (AS_V2, {"a": "b"})


def test_kubectl_shows_a_version_and_says_why_it_cannot(lab: WebhookLab) -> None:
    assert run_to_end(lab.cluster, ["apply", "-f", "x.yaml"], files={"x.yaml": json.dumps(v1("x"))})[:2] == (0, f"e2etest.{GROUP}/x created\n")
    asked = ["get", f"e2etests.v2.{GROUP}", "x", "-o", "jsonpath={.apiVersion} {.host} {.port}"]
    assert run_to_end(lab.cluster, asked)[1] == f"{GROUP}/v2 localhost 8080"
    lab.ask("delete", "services", CONVERTER)
    assert run_to_end(lab.cluster, asked)[2] == (
        f"Error from server: conversion webhook for {GROUP}/v1, Kind=E2eTest failed: "
        f'Post "https://{CONVERTER}.default.svc:8443/crdconvert?timeout=30s": service "{CONVERTER}" not found\n')
    assert run_to_end(lab.cluster, ["get", f"e2etests.v1.{GROUP}", "x", "-o", "name"])[0] == 0


def test_the_webhooks_own_words_are_given(lab: WebhookLab) -> None:
    rest(lab, "POST", "v1", body=v1("x", "no port"))
    with pytest.raises(Exception, match=f"conversion webhook for {GROUP}/v1, Kind=E2eTest failed: invalid hostPort value `no port`"):
        rest(lab, "GET", "v2", "x")


def test_an_admission_webhook_for_v2_sees_objects_of_v1_converted(lab: WebhookLab) -> None:
    seen = hook("only-v2", "/always-deny", resource="e2etests", group=GROUP, versions=("v2",),
                matchConditions=[{"name": "converted", "expression": "object.host == 'localhost'"}])
    lab.register("w", seen)
    assert "denied the request" in lab.refused("create", TEST, body=v1("x")).message
    lab.create(TEST, v1("y", "elsewhere:1"))


def test_reading_through_a_webhook_changes_nothing_in_the_cluster(lab: WebhookLab) -> None:
    rest(lab, "POST", "v1", body=v1("x"))
    before = whole(lab.cluster.checkpoint())
    rest(lab, "GET", "v2")
    assert whole(lab.cluster.checkpoint()) == before


def test_a_watcher_of_v2_is_told_of_v2(lab: WebhookLab) -> None:
    rest(lab, "POST", "v1", body=v1("x"))
    resource = lab.cluster.server.customs.find(TEST, "v2")
    assert resource is not None
    obj = lab.cluster.etcd.get(TEST, "default/x")
    assert obj is not None
    assert spec_of(shapes.one(resource, obj, shapes.Shape(), lab.cluster.now, Clock())) == AS_V2


def chosen(lab: WebhookLab, at: str, selector: str, method: str = "GET") -> Any:
    """Names in a list by a field selector of one version."""
    call = Call(method, ["apis", GROUP, at, "namespaces", "default", "e2etests"], {"fieldSelector": [selector]}, {"accept": "application/json"})
    target = addresses.resolve(call, lab.cluster.server.customs.served())
    user = rbac.User("kubernetes-admin", ("system:masters",))
    _, make = requests.perform(lab.cluster, Desk(lab.cluster, user), call, user, target, None, [])
    return [one["metadata"]["name"] for one in json.loads(json.dumps(make()))["items"]]


def told(lab: WebhookLab, at: str, selector: str, since: int) -> list[tuple[str, str]]:
    """What a watch by a field selector of one version has said since."""
    call = Call("GET", ["apis", GROUP, at, "namespaces", "default", "e2etests"], {"fieldSelector": [selector], "watch": ["1"]}, {})
    target = addresses.resolve(call, lab.cluster.server.customs.served())
    picks = listing.picks_of({name: values[0] for name, values in call.query.items()}, target)
    events = [watching.event(change, target, picks) for change in lab.cluster.etcd.history if change.revision > since]
    return [(event[0], event[1]["metadata"]["name"]) for event in events if event]


def test_fields_of_either_version_select_whatever_is_stored(lab: WebhookLab) -> None:  # crd_selectable_fields.go
    of_v1, of_v2 = versions()
    lab.forget()
    lab.definition([{**of_v1, "selectableFields": [{"jsonPath": ".hostPort"}]},
                    {**of_v2, "selectableFields": [{"jsonPath": ".host"}, {"jsonPath": ".port"}]}], conversion())
    since = lab.cluster.etcd.revision
    for name, fields in (("a", {"host": "host1", "port": "80"}), ("b", {"host": "host1", "port": "8080"}), ("c", {"host": "host2"})):
        rest(lab, "POST", "v2", body=of("E2eTest", name, f"{GROUP}/v2", **fields))
    assert chosen(lab, "v2", "host=host1") == ["a", "b"]
    assert chosen(lab, "v2", "host=host1,port=80") == chosen(lab, "v1", "hostPort=host1:80") == ["a"]
    assert chosen(lab, "v1", "hostPort=host1:8080") == ["b"]
    assert chosen(lab, "v2", "host=host1,port=80", "DELETE") == ["a"]
    changed = rest(lab, "GET", "v2", "b")[1]
    rest(lab, "PUT", "v2", "b", {**changed, "host": "host2"})
    assert chosen(lab, "v2", "host=host1") == []
    assert told(lab, "v2", "host=host1", since) == [("ADDED", "a"), ("ADDED", "b"), ("DELETED", "a"), ("DELETED", "b")]
    assert told(lab, "v2", "host=host1,port=80", since) == told(lab, "v1", "hostPort=host1:80", since) == [("ADDED", "a"), ("DELETED", "a")]
    words = ["get", "e2etests.v2.stable.example.com", "-o", "name", "--field-selector", "port=8080"]
    assert run_to_end(lab.cluster, words)[:2] == (0, f"e2etest.{GROUP}/b\n")
