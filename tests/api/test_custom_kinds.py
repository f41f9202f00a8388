"""Kinds that people defined, and field ownership, over HTTP."""

import json
from typing import Any

import pytest

from podlab.api import application
from podlab.labs.models import Cluster
from tests.api.client import Client, configmap
from tests.kubernetes.apiserver.crontabs import crontab, definition

pytestmark = pytest.mark.django_db(transaction=True)
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
TABS = "/apis/stable.example.com/v1/namespaces/default/crontabs"
MAPS = "/api/v1/namespaces/default/configmaps"
APPLY, MERGE = "application/apply-patch+yaml", "application/merge-patch+json"


async def defined(client: Client, cluster: Cluster, crd: dict[str, Any]) -> None:
    """A definition that is established: its cluster's clock stands still but for this second."""
    answer = await client.create(DEFINITIONS, crd)
    assert answer.status == 201, answer.body
    async with (await application.CLUSTERS.get(cluster.id)).turn(quiet=True) as engine:
        engine.run_for(1)


async def test_a_defined_kind_appears_in_every_document(client: Client, cluster: Cluster) -> None:
    before = (await client.get("/openapi/v3")).json["paths"]
    await defined(client, cluster, definition())
    assert "stable.example.com" in [one["name"] for one in (await client.get("/apis")).json["groups"]]
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    items = (await client.get("/apis", accept=accept)).json["items"]
    assert items[-1]["metadata"]["name"] == "stable.example.com"
    assert items[-1]["versions"][0]["resources"][0]["resource"] == "crontabs"
    assert (await client.get("/apis/stable.example.com")).json["preferredVersion"]["version"] == "v1"
    assert (await client.get("/apis/stable.example.com/v1")).json["resources"][0]["shortNames"] == ["ct"]
    paths = (await client.get("/openapi/v3")).json["paths"]
    assert {name: address for name, address in paths.items() if name != "apis/stable.example.com/v1"} == before
    address = paths["apis/stable.example.com/v1"]["serverRelativeURL"].removeprefix(f"/k8s/{client.token}")
    document = (await client.get(address)).json
    assert document["components"]["schemas"]["com.example.stable.v1.CronTab"]["properties"]["spec"]["required"] == ["cronSpec"]
    patch = document["paths"][TABS.replace("default", "{namespace}") + "/{name}"]["patch"]
    assert "application/strategic-merge-patch+json" not in patch["requestBody"]["content"]


async def test_a_custom_object_lives_through_every_verb_and_is_watched(client: Client, cluster: Cluster) -> None:
    await defined(client, cluster, definition(subresources={"status": {}}))
    async with client.watch(f"{TABS}?watch=true") as stream:
        made = await client.create(TABS, crontab(replicas=2))
        assert (made.status, made.json["metadata"]["generation"]) == (201, 1)
        assert (await client.ask("PATCH", f"{TABS}/my", {"spec": {"replicas": 3}}, content_type=MERGE)).json["spec"]["replicas"] == 3
        whole = (await client.get(f"{TABS}/my")).json
        assert (await client.ask("PUT", f"{TABS}/my/status", {**whole, "status": {"replicas": 1}})).json["status"] == {"replicas": 1}
        assert (await client.get(TABS)).json["kind"] == "CronTabList"
        table = (await client.get(TABS, accept="application/json;as=Table;v=v1;g=meta.k8s.io")).json
        assert table["rows"][0]["cells"][0] == "my"
        gone = (await client.ask("DELETE", f"{TABS}/my")).json
        assert (gone["status"], gone["details"]["kind"]) == ("Success", "crontabs")
        assert await stream.named(4) == [("ADDED", "my"), ("MODIFIED", "my"), ("MODIFIED", "my"), ("DELETED", "my")]


async def test_unknown_fields_are_refused_warned_of_or_dropped_as_the_client_wishes(client: Client, cluster: Cluster) -> None:
    await defined(client, cluster, definition())
    strict = await client.create(TABS + "?fieldValidation=Strict", crontab(colour="red"))
    assert strict.status == 400 and 'unknown field "spec.colour"' in strict.json["message"]
    warned = await client.create(TABS, crontab(colour="red"))
    assert warned.status == 201 and 'unknown field \\"spec.colour' in warned.headers["warning"][0]
    assert "colour" not in warned.json["spec"]


async def test_fields_that_may_be_selected_select(client: Client, cluster: Cluster) -> None:
    await defined(client, cluster, definition(selectableFields=[{"jsonPath": ".spec.image"}]))
    await client.create(TABS, crontab("one", image="a"))
    await client.create(TABS, crontab("two", image="b"))
    assert [one["metadata"]["name"] for one in (await client.get(TABS + "?fieldSelector=spec.image=b")).json["items"]] == ["two"]
    assert (await client.get(TABS + "?fieldSelector=spec.mode=x")).json["message"] == "field label not supported: spec.mode"


async def test_answers_name_the_managers_and_a_conflict_its_causes(client: Client) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "it"}, "data": {"a": "1"}}
    made = await client.ask("PATCH", f"{MAPS}/it?fieldManager=one", body, content_type=APPLY)
    assert made.status == 201
    [entry] = made.json["metadata"]["managedFields"]
    assert (entry["manager"], entry["operation"], entry["fieldsV1"]) == ("one", "Apply", {"f:data": {"f:a": {}}})
    again = await client.ask("PATCH", f"{MAPS}/it?fieldManager=one", body, content_type=APPLY)
    assert (again.status, again.json["metadata"]["resourceVersion"]) == (200, made.json["metadata"]["resourceVersion"])
    refused = await client.ask("PATCH", f"{MAPS}/it?fieldManager=two", {**body, "data": {"a": "2"}}, content_type=APPLY)
    assert (refused.status, refused.json["reason"], refused.json["details"]["causes"][0]["field"]) == (409, "Conflict", ".data.a")
    forced = await client.ask("PATCH", f"{MAPS}/it?fieldManager=two&force=true", {**body, "data": {"a": "2"}}, content_type=APPLY)
    assert [one["manager"] for one in forced.json["metadata"]["managedFields"]] == ["two"]


async def test_an_object_sent_back_as_it_was_read_keeps_its_managers(client: Client) -> None:
    await client.create(MAPS + "?fieldManager=maker", configmap("it", a="1"))
    whole = (await client.get(f"{MAPS}/it")).json
    whole["data"]["a"] = "2"
    answer = (await client.ask("PUT", f"{MAPS}/it?fieldManager=editor", whole)).json
    owned = {one["manager"]: one["fieldsV1"] for one in answer["metadata"]["managedFields"]}
    assert owned == {"maker": {"f:data": {}}, "editor": {"f:data": {"f:a": {}}}}
    reset = await client.ask("PATCH", f"{MAPS}/it", {"metadata": {"managedFields": [{}]}}, content_type=MERGE)
    assert "managedFields" not in reset.json["metadata"]


@pytest.mark.parametrize("managed", [1, [1], [{"manager": 1}], [{"operation": "Apply", "fieldsV1": {"f:a": 1}}], [{"fieldsV1": "x"}], {"a": 1}])
async def test_odd_managers_are_refused_or_harmless(client: Client, managed: Any) -> None:
    await client.create(MAPS, configmap("it", a="1"))
    for kind, body in ((MERGE, {"metadata": {"managedFields": managed}}),
                       ("application/json-patch+json", [{"op": "add", "path": "/metadata/managedFields", "value": managed}])):
        answer = await client.ask("PATCH", f"{MAPS}/it", json.dumps(body).encode(), content_type=kind)
        assert answer.status < 500, answer.body
        assert (await client.get(f"{MAPS}/it")).status == 200


async def test_version_two_of_openapi_tells_of_a_custom_kind_and_is_fetched_once(client: Client, cluster: Cluster) -> None:
    before = await client.get("/openapi/v2")
    assert before.json["swagger"] == "2.0" and "io.k8s.api.core.v1.Pod" in before.json["definitions"]
    await defined(client, cluster, definition())
    answer = await client.get("/openapi/v2")
    kind = answer.json["definitions"]["com.example.stable.v1.CronTab"]
    assert kind["properties"]["spec"]["required"] == ["cronSpec"]
    assert kind["properties"]["metadata"]["$ref"] == "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
    assert TABS.replace("default", "{namespace}") in answer.json["paths"]
    again = await client.get("/openapi/v2", if_none_match=answer.headers["etag"][0])
    assert (again.status, again.body) == (304, b"")
    assert (await client.get("/openapi/v2", if_none_match=before.headers["etag"][0])).status == 200


async def test_a_kind_that_keeps_unknown_fields_has_no_members_in_version_two(client: Client, cluster: Cluster) -> None:
    loose = {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"spec": {"type": "object"}}}
    crd = definition()
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = loose
    await defined(client, cluster, crd)
    kind = (await client.get("/openapi/v2")).json["definitions"]["com.example.stable.v1.CronTab"]
    assert sorted(kind) == ["type", "x-kubernetes-group-version-kind"]


async def test_an_object_is_read_by_the_schema_of_today(client: Client, cluster: Cluster) -> None:
    crd = definition()
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["note"] = {"type": "string"}
    await defined(client, cluster, crd)
    await client.create(TABS, {**crontab(), "note": "kept"})
    schema = "/spec/versions/0/schema/openAPIV3Schema/properties"
    changes = [{"op": "add", "path": schema + "/shade", "value": {"type": "string", "default": "dark"}}, {"op": "remove", "path": schema + "/note"}]
    patched = await client.ask("PATCH", f"{DEFINITIONS}/crontabs.stable.example.com", changes, content_type="application/json-patch+json")
    assert patched.status == 200, patched.body
    for found in ((await client.get(f"{TABS}/my")).json, (await client.get(TABS)).json["items"][0]):
        assert found["shade"] == "dark" and "note" not in found
    async with client.watch(f"{TABS}?watch=true") as stream:
        assert (await stream.next())["object"]["shade"] == "dark"
    assert (await client.create(TABS, crontab("younger"))).json["shade"] == "dark"


async def test_any_qualified_name_is_a_finalizer_of_a_custom_object(client: Client, cluster: Cluster) -> None:
    await defined(client, cluster, definition())
    held = crontab()
    held["metadata"]["finalizers"] = ["mine"]
    assert (await client.create(TABS, held)).status == 201
    refused = await client.create(MAPS, {**configmap("held"), "metadata": {"name": "held", "finalizers": ["mine"]}})
    assert refused.status == 422 and "neither a standard finalizer name" in refused.json["message"]


async def test_a_key_that_comes_twice_in_yaml_is_told_with_its_line(client: Client, cluster: Cluster) -> None:
    text = b"\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: twice\ndata:\n  a: '1'\n  a: '2'\n"
    address = f"{MAPS}/twice?fieldManager=me&fieldValidation=Strict"
    refused = await client.ask("PATCH", address, text, content_type=APPLY)
    assert refused.status == 400
    assert refused.json["message"] == ("error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n"
                                       '  line 8: key "a" already set in map')
    assert (await client.ask("PATCH", address.replace("Strict", "Ignore"), text, content_type=APPLY)).json["data"] == {"a": "2"}


async def test_an_autoscaler_is_applied_in_its_older_version(client: Client, cluster: Cluster) -> None:
    hpas = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers/web?fieldManager=me"
    wish = {"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"}, "spec": {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, "maxReplicas": 3, "targetCPUUtilizationPercentage": 50}}
    made = await client.ask("PATCH", hpas, json.dumps(wish).encode(), content_type=APPLY)
    assert (made.status, made.json["spec"]["targetCPUUtilizationPercentage"]) == (201, 50), made.body
    assert made.json["status"] == {"currentReplicas": 0, "desiredReplicas": 0}  # clients of that version want both
