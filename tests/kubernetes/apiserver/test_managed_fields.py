"""metadata.managedFields as apimachinery's fieldmanager keeps them: what GET shows, what requests may state, what holds whatever happens."""

from __future__ import annotations

import json

import pytest

from podlab.kubernetes.apiserver import schema
from podlab.kubernetes.apiserver.ownership import fields, records, typed, types
from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.objects import thaw
from podlab.kubernetes.resources import BY_KIND
from tests.kubernetes.apiserver.field_owners import Json, World, config_map, deployment, refused


@pytest.fixture
def world() -> World:
    return World()


# ---- what GET shows


def test_a_created_deployment_is_owned_by_its_creator_field_by_field_but_for_the_structs_that_are_always_there(world: World) -> None:
    world.request("create", "deployments", body=deployment(replicas=1), fieldManager="kubectl-create")
    [entry] = world.owners("deployments")
    assert {key: entry[key] for key in entry if key != "fieldsV1"} == {
        "manager": "kubectl-create", "operation": "Update", "apiVersion": "apps/v1", "time": "2026-11-21T00:00:00Z", "fieldsType": "FieldsV1"}
    container = {".": {}, **{f"f:{name}": {} for name in ("image", "imagePullPolicy", "name", "resources", "terminationMessagePath",
                                                         "terminationMessagePolicy")}}
    assert entry["fieldsV1"] == {"f:spec": {
        "f:progressDeadlineSeconds": {}, "f:replicas": {}, "f:revisionHistoryLimit": {}, "f:selector": {},
        "f:strategy": {"f:rollingUpdate": {".": {}, "f:maxSurge": {}, "f:maxUnavailable": {}}, "f:type": {}},
        "f:template": {"f:metadata": {"f:labels": {".": {}, "f:app": {}}}, "f:spec": {
            "f:containers": {'k:{"name":"nginx"}': container}, "f:dnsPolicy": {}, "f:restartPolicy": {}, "f:schedulerName": {},
            "f:securityContext": {}, "f:terminationGracePeriodSeconds": {}}}}}


def test_components_own_what_they_write_and_a_binding_nothing(world: World) -> None:
    world.request("create", "deployments", body=deployment(replicas=1), fieldManager="kubectl-create")
    world.cluster.run_for(20)
    [pod] = world.cluster.etcd.list("pods")
    made, status = world.owners("pods", pod["metadata"]["name"])
    assert (made["manager"], made["operation"]) == ("kube-controller-manager", "Update")
    assert (status["manager"], status["subresource"], list(status["fieldsV1"])) == ("kubelet", "status", ["f:status"])
    paths = list(fields.paths(made["fieldsV1"]))
    assert ".spec.nodeName" not in paths and ".spec.serviceAccountName" not in paths and ".spec.tolerations" not in paths
    assert '.metadata.ownerReferences[uid="' in "".join(paths)
    assert [(one["manager"], one.get("subresource")) for one in world.owners("deployments")] == [
        ("kubectl-create", None), ("kube-controller-manager", "status")]


def test_an_update_takes_what_it_changed_from_its_former_owner(world: World) -> None:
    world.request("create", "deployments", body=deployment(replicas=1), fieldManager="kubectl-create")
    world.request("patch", "deployments", "web", {"spec": {"replicas": 3}}, fieldManager="kubectl-edit")
    assert world.owned("kubectl-edit") == [".spec.replicas"]
    assert ".spec.replicas" not in world.owned("kubectl-create")


def test_scaling_is_owned_as_a_write_to_the_scale_subresource(world: World) -> None:
    world.request("create", "deployments", body=deployment(replicas=1), fieldManager="kubectl-create")
    world.request("patch", "deployments", "web", {"spec": {"replicas": 3}}, "scale", fieldManager="kubectl")
    [entry] = [one for one in world.owners("deployments") if one["manager"] == "kubectl"]
    assert (entry["subresource"], entry["fieldsV1"]) == ("scale", {"f:spec": {"f:replicas": {}}})


# ---- managers that requests state


def test_an_empty_list_of_managers_forgets_them_until_somebody_applies(world: World) -> None:
    world.apply(config_map({"a": "1"}), "first")
    world.request("patch", "configmaps", "web", {"metadata": {"managedFields": [{}]}}, fieldManager="x")
    assert world.owners("configmaps") == []
    world.request("patch", "configmaps", "web", {"data": {"b": "1"}}, fieldManager="x")
    assert world.owners("configmaps") == []
    world.apply(config_map({"c": "1"}), "second")
    assert [(one["manager"], one["operation"]) for one in world.owners("configmaps")] == [
        ("second", "Apply"), ("before-first-apply", "Update")]
    assert refused(lambda: world.apply(config_map({"a": "9"}), "second")).message.endswith('"before-first-apply" using v1: .data.a')


def test_managers_sent_back_as_they_were_change_nothing(world: World) -> None:
    shown = thaw(records.shown(world.apply(config_map({"a": "1"}), "first")))
    assert world.request("update", "configmaps", "web", shown, fieldManager="x")["metadata"]["resourceVersion"] == \
        shown["metadata"]["resourceVersion"]
    world.request("update", "configmaps", "web", {**shown, "data": {"a": "2"}}, fieldManager="x")
    assert (world.owned("first", "configmaps"), world.owned("x", "configmaps")) == ([], [".data.a"])


def test_stated_managers_must_be_sound(world: World) -> None:
    world.apply(config_map({"a": "1"}))
    body = {"metadata": {"managedFields": [{"manager": "x", "operation": "Take", "fieldsType": "FieldsV2"}]}}
    error = refused(lambda: world.request("patch", "configmaps", "web", body))
    assert [cause["message"] for cause in error.details["causes"]] == [
        'Invalid value: "Take": must be `Apply` or `Update`', 'Invalid value: "FieldsV2": must be `FieldsV1`']


def test_kubectls_own_annotation_settles_the_conflict_with_its_client_side_apply(world: World) -> None:
    manifest = config_map({"a": "1"}, annotations={})
    annotation = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps(manifest) + "\n"}
    world.request("create", "configmaps", body=config_map({"a": "1"}, annotations=annotation), fieldManager="kubectl-client-side-apply")
    world.apply(config_map({"a": "2"}), "kubectl")
    found = world.get("configmaps")
    assert found["data"] == {"a": "2"}
    assert json.loads(found["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"])["data"] == {"a": "2"}


def test_of_more_than_ten_updaters_the_oldest_become_one(world: World) -> None:
    world.request("create", "configmaps", body=config_map({"k": "v"}), fieldManager="m00")
    for at in range(1, 13):
        world.cluster.run_for(1)
        world.request("patch", "configmaps", "web", {"data": {f"k{at}": "v"}}, fieldManager=f"m{at:02}")
    names = [one["manager"] for one in world.owners("configmaps")]
    assert len(names) == 10 and names[0] == "ancient-changes" and names[-1] == "m12"


# ---- whatever happens


@pytest.mark.slow
def test_it_makes_no_difference_when_ownership_is_looked_at_nor_whether_a_checkpoint_lies_between() -> None:
    def play(look: bool, sleep: bool) -> Json:
        world = World()
        world.request("create", "deployments", body=deployment(replicas=2), fieldManager="kubectl-create")
        for at in range(6):
            world.cluster.run_for(2)
            world.request("patch", "deployments", "web", {"spec": {"replicas": 1 + at % 3}}, fieldManager=f"m{at % 2}")
            if look:
                for plural in world.cluster.etcd.plurals():
                    for obj in world.cluster.etcd.list(plural):
                        records.shown(obj)
            if sleep:
                world.cluster = Cluster.restore(json.loads(json.dumps(world.cluster.checkpoint())), strict=True)
        return json.dumps(world.cluster.checkpoint()["etcd"], sort_keys=True)
    assert play(False, False) == play(True, False)
    plain, slept = json.loads(play(False, False)), json.loads(play(False, True))

    def owners(state: Json) -> Json:
        return {plural: [[[*row[:5], state["sets"][row[5]]] for row in rows] for rows in objects] for plural, objects in state["owned"].items()}
    assert owners(plain) == owners(slept)


@pytest.mark.slow
def test_after_a_rollout_no_set_names_a_field_that_is_not_there(world: World) -> None:
    world.request("create", "deployments", body=deployment(replicas=2), fieldManager="kubectl-create")
    world.cluster.run_for(10)
    change = {"spec": {"template": {"spec": {"containers": [{"name": "nginx", "image": "nginx:1.16.1"}]}}}}
    world.request("patch", "deployments", "web", change, patchType="application/strategic-merge-patch+json", fieldManager="kubectl-edit")
    world.cluster.run_for(30)
    for plural in world.cluster.etcd.plurals():
        for obj in world.cluster.etcd.list(plural):
            kind = types.of_struct(schema.type_of(BY_KIND[obj["kind"]]))
            there = set(fields.paths(typed.everything(obj, kind)))
            for one in records.shown(obj)["metadata"].get("managedFields", ()):
                assert set(fields.paths(one["fieldsV1"])) <= there, (plural, obj["metadata"]["name"], one["manager"])
