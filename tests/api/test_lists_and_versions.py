"""Lists that outlive what they were begun with, and kinds that are served in two versions."""

import base64
from typing import Any

import pytest

from podlab.api.hub import Hub
from tests.api.client import Client, configmap

pytestmark = pytest.mark.django_db(transaction=True)
MAPS = "/api/v1/namespaces/default/configmaps"
EVENTS = "/apis/events.k8s.io/v1/namespaces/default/events"
NEW: dict[str, Any] = {"metadata": {"name": "told"}, "regarding": {"kind": "Pod", "namespace": "default", "name": "x"}, "note": "it did",
                       "eventTime": "2026-11-21T00:00:00.000000Z", "action": "Do", "reason": "Done", "type": "Normal",
                       "reportingController": "example.com/controller", "reportingInstance": "one"}


async def test_an_old_list_goes_on_in_the_present_by_the_token_of_its_refusal(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abcd":
        await client.create(MAPS, configmap(name))
    page = await client.get(f"{MAPS}?limit=2")
    monkeypatch.setattr(Hub, "kept", lambda self, key: None)  # too many lists have been begun since
    await client.create(MAPS, configmap("e"))
    refused = await client.get(f"{MAPS}?limit=9&continue={page.json['metadata']['continue']}")
    assert (refused.status, refused.json["reason"]) == (410, "Expired")
    rest = await client.get(f"{MAPS}?limit=9&continue={refused.json['metadata']['continue']}")
    assert rest.items == ["c", "d", "e", "kube-root-ca.crt"]


async def test_a_token_of_nested_brackets_continues_no_list(client: Client) -> None:
    token = base64.urlsafe_b64encode(b"[" * 5000).decode().rstrip("=")
    refused = await client.get(f"{MAPS}?limit=1&continue={token}")
    assert (refused.status, refused.json["message"]) == (400, "continue key is not valid")


async def test_an_event_is_the_same_in_both_of_its_groups(client: Client) -> None:
    made = await client.create(EVENTS, NEW)
    assert (made.status, made.json["regarding"]["name"], made.json["note"]) == (201, "x", "it did")
    core = (await client.get("/api/v1/namespaces/default/events/told")).json
    assert (core["involvedObject"]["name"], core["message"], core["reportingComponent"]) == ("x", "it did", "example.com/controller")
    patched = await client.ask("PATCH", f"{EVENTS}/told", {"series": {"count": 2, "lastObservedTime": "2026-11-21T00:00:05.000000Z"}},
                               content_type="application/strategic-merge-patch+json")
    assert (patched.status, patched.json["series"]["count"]) == (200, 2)
    assert (await client.get(f"{EVENTS}?fieldSelector=reportingController%3Dexample.com/controller")).items == ["told"]
    await client.create("/api/v1/namespaces/default/events", {"metadata": {"name": "old"}, "involvedObject": {"namespace": "default"}})
    assert (await client.get("/api/v1/namespaces/default/events/old")).json["reportingInstance"] == ""
    assert not {"reportingInstance", "reportingController"} & set((await client.get(f"{EVENTS}/old")).json)  # omitempty in this version alone
    assert (await client.get(f"{EVENTS}?fieldSelector=regarding.name%3Dother")).items == []


async def test_what_is_unset_is_selected_by_its_zero(client: Client) -> None:
    for path, name in (("nodes?fieldSelector=spec.unschedulable%3Dfalse", ["n1"]), ("nodes?fieldSelector=spec.unschedulable%3Dtrue", [])):
        assert (await client.get(f"/api/v1/{path}")).items == name


async def test_a_new_event_must_say_who_and_what(client: Client) -> None:
    refused = await client.create(EVENTS, {key: value for key, value in NEW.items() if key not in ("action", "reportingInstance")})
    assert refused.status == 422
    assert "reportingInstance: Required value, action: Required value" in refused.json["message"]


async def test_a_review_is_no_table(client: Client) -> None:
    answer = await client.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {"spec": {"nonResourceAttributes": {"path": "/"}}},
                                 accept="application/json;as=Table;v=v1;g=meta.k8s.io")
    assert (answer.status, answer.json["reason"]) == (406, "NotAcceptable")


async def test_the_older_autoscaler_keeps_its_status(client: Client) -> None:
    where = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers"
    body = {"metadata": {"name": "hpa"}, "spec": {"maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"}}}
    await client.create(where, body)
    patched = await client.ask("PATCH", f"{where}/hpa/status", {"status": {"currentReplicas": 1, "desiredReplicas": 2}},
                               content_type="application/merge-patch+json")
    assert (patched.status, patched.json["status"]["currentReplicas"], patched.json["status"]["desiredReplicas"]) == (200, 1, 2)


async def test_ip_addresses_are_watched_as_services_come_and_go(client: Client) -> None:
    await client.create("/api/v1/namespaces/default/services", {"metadata": {"name": "old"}, "spec": {"ports": [{"port": 80}]}})
    async with client.watch("/apis/networking.k8s.io/v1/ipaddresses?watch=true") as stream:
        assert {kind for kind, _ in await stream.named(2)} == {"ADDED"}
        body = {"metadata": {"name": "web"}, "spec": {"clusterIP": "10.96.0.99", "ports": [{"port": 80}]}}
        await client.create("/api/v1/namespaces/default/services", body)
        assert await stream.named(1) == [("ADDED", "10.96.0.99")]
        await client.ask("DELETE", "/api/v1/namespaces/default/services/web")
        assert await stream.named(1) == [("DELETED", "10.96.0.99")]
