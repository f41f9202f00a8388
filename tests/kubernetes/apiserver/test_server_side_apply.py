"""Server-side apply as structured-merge-diff and apimachinery's fieldmanager have them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podlab.kubernetes.apiserver.ownership import fields, records, typed, types
from podlab.kubernetes.objects import dig
from tests.kubernetes.apiserver.field_owners import Json, World, config_map, deployment, refused


@pytest.fixture
def world() -> World:
    return World()


# ---- applying


def test_applying_creates_and_owns_just_what_was_said(world: World) -> None:
    world.apply(deployment(replicas=2))
    [entry] = world.owners("deployments")
    assert (entry["manager"], entry["operation"]) == ("one", "Apply")
    assert entry["fieldsV1"] == {"f:spec": {"f:replicas": {}, "f:selector": {}, "f:template": {
        "f:metadata": {"f:labels": {"f:app": {}}},
        "f:spec": {"f:containers": {'k:{"name":"nginx"}': {".": {}, "f:image": {}, "f:name": {}}}}}}}


def test_a_conflict_names_manager_version_and_field(world: World) -> None:
    world.request("create", "deployments", body=deployment(replicas=1), fieldManager="kubectl-client-side-apply")
    error = refused(lambda: world.apply(deployment(replicas=2)))
    assert (error.code, error.reason) == (409, "Conflict")
    assert error.message == ('Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas')
    assert error.details == {"causes": [{"reason": "FieldManagerConflict", "field": ".spec.replicas",
                                         "message": 'conflict with "kubectl-client-side-apply" using apps/v1'}]}


def test_several_conflicts_are_listed_by_manager(world: World) -> None:
    world.apply(config_map({"a": "1", "b": "1"}), "first")
    world.request("patch", "configmaps", "web", {"data": {"c": "1"}}, fieldManager="second")
    error = refused(lambda: world.apply(config_map({"a": "2", "b": "2", "c": "2"})))
    assert error.message == ('Apply failed with 3 conflicts: conflicts with "first":\n- .data.a\n- .data.b\n'
                             'conflicts with "second" using v1:\n- .data.c')


def test_a_conflict_with_a_subresource_says_so(world: World) -> None:
    world.apply(deployment(replicas=1))
    world.request("patch", "deployments", "web", {"spec": {"replicas": 3}}, "scale", fieldManager="hpa")
    assert refused(lambda: world.apply(deployment(replicas=1))).message == (
        'Apply failed with 1 conflict: conflict with "hpa" with subresource "scale" using apps/v1: .spec.replicas')


def test_force_takes_the_field_away(world: World) -> None:
    world.apply(config_map({"a": "1"}), "first")
    world.apply(config_map({"a": "2"}), "second", force=True)
    assert world.get("configmaps")["data"] == {"a": "2"}
    assert world.owned("first", "configmaps") == [] and world.owned("second", "configmaps") == [".data.a"]


def test_the_same_value_is_shared_and_stays_while_one_of_its_owners_wants_it(world: World) -> None:
    world.apply(config_map({"a": "1", "b": "1"}), "first")
    world.apply(config_map({"a": "1"}), "second")
    world.apply(config_map({"b": "1"}), "first")
    assert world.get("configmaps")["data"] == {"a": "1", "b": "1"}
    world.apply(config_map({}), "second")
    assert world.get("configmaps")["data"] == {"b": "1"}


def test_what_an_applier_no_longer_says_goes_and_the_default_comes_back(world: World) -> None:
    world.apply(deployment(replicas=3, minReadySeconds=5))
    world.apply(deployment())
    spec = world.get("deployments")["spec"]
    assert (spec["replicas"], "minReadySeconds" in spec) == (1, False)


def test_what_an_applier_never_said_stays(world: World) -> None:
    world.apply(config_map({"a": "1"}))
    world.request("patch", "configmaps", "web", {"data": {"b": "2"}, "metadata": {"labels": {"x": "y"}}}, fieldManager="editor")
    world.apply(config_map({}))
    assert world.get("configmaps")["data"] == {"b": "2"}
    assert world.get("configmaps")["metadata"]["labels"] == {"x": "y"}


def test_containers_merge_by_name_and_ports_by_number_and_protocol(world: World) -> None:
    world.apply(deployment([{"name": "nginx", "image": "nginx:1.14.2", "ports": [{"containerPort": 80}]},
                            {"name": "side", "image": "busybox"}]))
    world.apply({**deployment(), "spec": {"template": {"spec": {"containers": [
        {"name": "nginx", "ports": [{"containerPort": 80, "name": "http"}, {"containerPort": 81}]}]}}}}, "two")
    first, second = world.get("deployments")["spec"]["template"]["spec"]["containers"]
    assert [(port["containerPort"], port.get("name")) for port in first["ports"]] == [(80, "http"), (81, None)]
    assert (first["image"], second["name"]) == ("nginx:1.14.2", "side")
    world.apply(deployment())
    assert [one["name"] for one in world.get("deployments")["spec"]["template"]["spec"]["containers"]] == ["nginx"]
    assert [port["containerPort"] for port in world.get("deployments")["spec"]["template"]["spec"]["containers"][0]["ports"]] == [80, 81]


def test_finalizers_are_a_set_of_which_each_applier_owns_its_own(world: World) -> None:
    world.apply(config_map(finalizers=["example.com/a"]), "first")
    world.apply(config_map(finalizers=["example.com/b"]), "second")
    assert world.get("configmaps")["metadata"]["finalizers"] == ["example.com/a", "example.com/b"]
    world.apply(config_map(), "first")
    assert world.get("configmaps")["metadata"]["finalizers"] == ["example.com/b"]


def test_an_atomic_selector_is_owned_and_replaced_whole(world: World) -> None:
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
               "spec": {"selector": {"app": "a", "tier": "b"}, "ports": [{"port": 80}]}}
    world.apply(service)
    assert world.owned("one", "services") == ['.spec.ports[port=80,protocol="TCP"]', '.spec.ports[port=80,protocol="TCP"].port',
                                              ".spec.selector"]
    world.apply({**service, "spec": {**service["spec"], "selector": {"app": "c"}}})
    assert world.get("services")["spec"]["selector"] == {"app": "c"}


def test_the_applied_order_of_a_list_holds_and_others_keep_their_place() -> None:
    kind = types.of_struct("io.k8s.api.core.v1.PodSpec")

    def names(live: str, config: str) -> str:
        merged = typed.merge({"containers": [{"name": one} for one in live]}, {"containers": [{"name": one} for one in config]}, kind)
        return "".join(one["name"] for one in merged["containers"])
    assert [names("abc", "ca"), names("xay", "ab"), names("", "ab"), names("ab", ""), names("abc", "abc"), names("axb", "ba")] == [
        "bca", "xayb", "ab", "ab", "abc", "xba"]


def test_status_is_not_owned_by_who_applies_the_whole(world: World) -> None:
    world.apply({**deployment(replicas=1), "status": {"replicas": 7}})
    assert not any(path.startswith(".status") for path in world.owned("one"))
    assert world.get("deployments")["status"].get("replicas") is None


def test_status_can_be_applied(world: World) -> None:
    world.apply(deployment(replicas=0))
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
            "status": {"conditions": [{"type": "Mine", "status": "True"}]}}
    world.apply(body, "operator", subresource="status")
    entry = next(one for one in world.owners("deployments") if one["manager"] == "operator")
    assert (entry["operation"], entry["subresource"]) == ("Apply", "status")
    assert dig(world.get("deployments"), "status.conditions.0.type") == "Mine"
    assert list(fields.paths(entry["fieldsV1"])) == ['.status.conditions[type="Mine"]', '.status.conditions[type="Mine"].status',
                                                     '.status.conditions[type="Mine"].type']


def test_scale_can_be_applied(world: World) -> None:
    world.apply(deployment())
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"}, "spec": {"replicas": 4}}
    world.apply(scale, "scaler", resource="deployments", subresource="scale")
    assert world.get("deployments")["spec"]["replicas"] == 4
    assert world.owned("scaler") == [".spec.replicas"]


def test_a_dry_run_changes_nothing_and_shows_the_owners(world: World) -> None:
    world.apply(config_map({"a": "1"}))
    before = world.cluster.etcd.revision
    shown = records.shown(world.apply(config_map({"a": "2"}), dryRun="All"))
    assert shown["data"] == {"a": "2"} and shown["metadata"]["managedFields"][0]["manager"] == "one"
    assert (world.cluster.etcd.revision, world.get("configmaps")["data"]) == (before, {"a": "1"})


# ---- refusals


@pytest.mark.parametrize(("body", "code", "message"), [
    ({"metadata": {"name": "web", "managedFields": []}}, 400, "metadata.managedFields must be nil"),
    ({"apiVersion": "apps/v1beta1"}, 400, "Incorrect version specified in apply patch. Specified patch version: apps/v1beta1, expected: apps/v1"),
    ({"spec": {"replica": 1}}, 400,
     "failed to create typed patch object (default/web; apps/v1, Kind=Deployment): .spec.replica: field not declared in schema"),
    ({"spec": {"template": {"spec": {"containers": [{"name": "a"}, {"name": "a"}]}}}}, 400,
     "failed to create typed patch object (default/web; apps/v1, Kind=Deployment): .spec.template.spec.containers: duplicate entries for key "
     '[name="a"]'),
    ({"spec": {"template": {"spec": {"containers": [{"image": "a"}]}}}}, 400,
     "failed to create typed patch object (default/web; apps/v1, Kind=Deployment): .spec.template.spec.containers: element 0: associative list "
     'with keys has an element that omits key field "name" (and doesn\'t have default value)'),
    ({"spec": {"paused": "yes"}}, 400, "failed to create typed patch object (default/web; apps/v1, Kind=Deployment): .spec.paused: expected "
     'boolean, got &value.valueUnstructured{Value:"yes"}'),
])
def test_what_is_no_configuration_is_refused_in_the_servers_words(world: World, body: dict[str, Json], code: int, message: str) -> None:
    error = refused(lambda: world.apply({**deployment(), **body}))
    assert (error.code, error.message) == (code, message)


def test_applying_needs_a_manager(world: World) -> None:
    error = refused(lambda: world.request("patch", "configmaps", "web", config_map(), patchType="application/apply-patch+yaml"))
    assert error.message == 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'


# ---- whatever happens


KEYS = st.sampled_from("abc")
DATA = st.dictionaries(KEYS, st.sampled_from("12"), min_size=1, max_size=3)
CONTAINERS = st.lists(st.sampled_from("xyz"), unique=True, max_size=3)
ACTS = st.lists(st.tuples(st.sampled_from(("one", "two")), DATA, st.booleans()), min_size=1, max_size=6)


@settings(max_examples=25, deadline=None)
@given(ACTS)
def test_whoever_applies_by_force_wins_applies_twice_in_vain_and_owns_only_what_is_there(acts: list[tuple[str, dict[str, str], bool]]) -> None:
    world = World()
    for manager, data, by_applying in acts:
        body = config_map(data)
        if by_applying:
            done = world.apply(body, manager, force=True)
            assert {key: done["data"][key] for key in data} == data
            assert world.apply(body, manager)["metadata"]["resourceVersion"] == done["metadata"]["resourceVersion"]
        elif world.cluster.etcd.get("configmaps", "default/web") is not None:
            world.request("patch", "configmaps", "web", {"data": data}, fieldManager=manager)
        found = world.cluster.etcd.get("configmaps", "default/web")
        if found is not None:
            there = {f".data.{key}" for key in found.get("data") or {}} | {".data"}
            for one in ("one", "two"):
                assert set(world.owned(one, "configmaps")) <= there


@settings(max_examples=40, deadline=None)
@given(CONTAINERS, CONTAINERS)
def test_sets_of_fields_obey_the_laws_of_sets(one: list[str], other: list[str]) -> None:
    kind = types.of_struct("io.k8s.api.core.v1.PodSpec")

    def of(names: list[str]) -> Json:
        return typed.fields_of({"containers": [{"name": name, "image": name} for name in names], "hostname": "h"}, kind)
    a, b = of(one), of(other)
    members = dict.fromkeys((*fields.paths(a), *fields.paths(b)))
    assert sorted(fields.paths(fields.union(a, b))) == sorted(members)
    assert set(fields.paths(fields.intersection(a, b))) == set(fields.paths(a)) & set(fields.paths(b))
    assert set(fields.paths(fields.difference(a, b))) == set(fields.paths(a)) - set(fields.paths(b))
