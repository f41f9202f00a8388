"""CustomResourceDefinitions and the objects of the kinds that they define, as apiextensions-apiserver has them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podlab.kubernetes.apiserver.customresources import structural, values
from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.apiserver.ownership import fields, records
from podlab.kubernetes.apiserver.tables import table
from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.objects import Map, dig, thaw
from tests.kubernetes.apiserver.crontabs import EPOCH, KEY, SCHEMA, SPEC, Json, World, crontab, definition, refusal


@pytest.fixture
def world() -> World:
    return World(definition(subresources={"status": {}, "scale": {"specReplicasPath": ".spec.replicas",
                                                                  "statusReplicasPath": ".status.replicas",
                                                                  "labelSelectorPath": ".status.labelSelector"}}))


# ---- definitions


def test_a_definition_is_accepted_and_established_and_only_then_served() -> None:
    world = World()
    world.request("create", "customresourcedefinitions", body=definition(), namespace="")
    assert refusal(lambda: world.create(crontab())) == "the server could not find the requested resource"
    world.cluster.run_for(1)
    assert world.conditions() == {"NamesAccepted": "True NoConflicts", "Established": "True InitialNamesAccepted"}
    crd = world.request("get", "customresourcedefinitions", KEY, namespace="")
    assert (crd["status"]["storedVersions"], crd["status"]["acceptedNames"]["listKind"]) == (["v1"], "CronTabList")
    assert world.create(crontab())["metadata"]["generation"] == 1


def test_names_that_another_definition_of_the_group_has_are_not_accepted() -> None:
    world = World(definition())
    other = definition(name="others.stable.example.com")
    other["spec"]["names"] = {"plural": "others", "kind": "CronTab", "shortNames": ["ct"]}
    world.define(other)
    assert world.conditions("others.stable.example.com") == {"NamesAccepted": "False ListKindConflict", "Established": "False NotAccepted"}
    world.request("delete", "customresourcedefinitions", KEY, namespace="")
    world.cluster.run_for(5)
    assert world.conditions("others.stable.example.com")["Established"] == "True InitialNamesAccepted"


PREFIX = f'CustomResourceDefinition.apiextensions.k8s.io "{KEY}" is invalid: '
VALIDATION = "spec.validation.openAPIV3Schema"


@pytest.mark.parametrize(("schema", "message"), [
    ({"properties": {"spec": {"type": "object"}}}, f"{VALIDATION}.type: Required value: must not be empty at the root"),
    ({"type": "string"}, f'{VALIDATION}.type: Invalid value: "string": must be object at the root'),
    ({"type": "object", "properties": {"spec": {}}}, f"{VALIDATION}.properties[spec].type: Required value: must not be empty for specified "
     "object fields"),
    ({"type": "object", "properties": {"a": {"type": "array"}}}, f"{VALIDATION}.properties[a].items: Required value: must be specified"),
    ({"type": "object", "properties": {"a": {"type": "object", "properties": {"b": {"type": "string"}}, "additionalProperties":
                                             {"type": "string"}}}},
     f"{VALIDATION}.properties[a].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive"),
    ({"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string"}, "uniqueItems": True}}},
     f"{VALIDATION}.properties[a].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic"),
    ({"type": "object", "properties": {"a": {"type": "array", "x-kubernetes-list-type": "map", "items": {"type": "object"}}}},
     f"{VALIDATION}.properties[a].x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map"),
    ({"type": "object", "properties": {"a": {"type": "integer", "default": "x"}}},
     f'{VALIDATION}.properties[a].default: Invalid value: "string": {VALIDATION}.properties[a].default in body must be of type integer: "string"'),
    ({"type": "object", "x-kubernetes-validations": [{"rule": "self.spec.when < timestamp('2020-01-01T00:00:00Z')"}]},
     f"{VALIDATION}.x-kubernetes-validations[0].rule: Invalid value: " '{"Rule":"self.spec.when \\u003c timestamp(\'2020-01-01T00:00:00Z\')",'
     '"Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: compilation failed: '
     "ERROR: <input>: undeclared reference to 'timestamp' (in this cluster)"),
])
def test_a_schema_that_is_not_structural_is_refused_in_the_servers_words(schema: dict[str, Json], message: str) -> None:
    world = World()
    assert refusal(lambda: world.define(definition(schema))) == PREFIX + message


def test_a_definition_must_be_named_after_its_plural_and_group() -> None:
    assert refusal(lambda: World().define(definition(name="x.stable.example.com"))).endswith(
        'metadata.name: Invalid value: "x.stable.example.com": must be spec.names.plural+"."+spec.group')


def test_a_group_of_the_community_needs_its_approval() -> None:
    crd = definition(name="crontabs.batch.k8s.io")
    crd["spec"]["group"] = "batch.k8s.io"
    assert 'Required value: protected groups must have approval annotation "api-approved.kubernetes.io"' in refusal(lambda: World().define(crd))
    crd["metadata"]["annotations"] = {"api-approved.kubernetes.io": "unapproved, a test"}
    World().define(crd)


def test_a_stored_version_may_not_vanish_from_a_definition(world: World) -> None:
    crd = thaw(world.request("get", "customresourcedefinitions", KEY, namespace=""))
    crd["spec"]["versions"][0]["name"] = "v2"
    assert "status.storedVersions[0]: Invalid value: \"v1\": missing from spec.versions; v1 was previously a storage version" in refusal(
        lambda: world.request("update", "customresourcedefinitions", KEY, crd, namespace=""))


# ---- objects


@pytest.mark.parametrize(("spec", "message"), [
    ({"cronSpec": "x"}, 'spec.cronSpec: Invalid value: "x": spec.cronSpec in body should match '
     r"'^(\d+|\*)(/\d+)?(\s+(\d+|\*)(/\d+)?){4}$'"),
    ({"replicas": "two"}, 'spec.replicas: Invalid value: "string": spec.replicas in body must be of type integer: "string"'),
    ({"replicas": 0}, "spec.replicas: Invalid value: 0: spec.replicas in body should be greater than or equal to 1"),
    ({"replicas": 11}, "spec.replicas: Invalid value: 11: spec.replicas in body should be less than or equal to 10"),
    ({"mode": "x"}, 'spec.mode: Unsupported value: "x": supported values: "fast", "slow"'),
    ({"image": None}, ""),
    ({"note": None}, ""),
    ({"replicas": None}, 'spec.replicas: Invalid value: "null": spec.replicas in body must be of type integer: "null"'),
    ({"port": 80}, ""),
    ({"port": "http"}, ""),
    ({"port": True}, 'spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"'),
    ({"tags": ["a", "a"]}, 'spec.tags[1]: Duplicate value: "a"'),
    ({"tags": ["a", "b", "c", "d"]}, "spec.tags: Too many: 4: must have at most 3 items"),
    ({"parts": [{"name": "a"}, {"name": "a"}]}, 'spec.parts[1]: Duplicate value: {"name":"a"}'),
    ({"parts": [{}]}, "spec.parts[0].name: Required value"),
    ({"limits": {"a": "b"}}, 'spec.limits.a: Invalid value: "string": spec.limits.a in body must be of type integer: "string"'),
])
def test_an_object_that_does_not_fit_is_refused_in_the_servers_words(world: World, spec: dict[str, Json], message: str) -> None:
    if message:
        assert refusal(lambda: world.create(crontab(**spec))) == f'CronTab.stable.example.com "my" is invalid: {message}'
    else:
        world.create(crontab(**spec))


def test_a_required_field_that_is_missing_is_named(world: World) -> None:
    assert refusal(lambda: world.create({**crontab(), "spec": {}})) == 'CronTab.stable.example.com "my" is invalid: spec.cronSpec: Required value'


def test_unknown_fields_are_refused_when_strict_and_pruned_otherwise(world: World) -> None:
    body = crontab(colour="red", anything={"goes": {"here": 1}})
    assert refusal(lambda: world.create(body)).endswith('strict decoding error: unknown field "spec.colour"')
    made = world.create(body, fieldValidation="Ignore")
    assert "colour" not in made["spec"] and made["spec"]["anything"] == {"goes": {"here": 1}}


def test_defaults_are_set_at_every_depth_and_in_place_of_null(world: World) -> None:
    made = world.create(crontab(image=None, parts=[{"name": "a"}]))
    assert (made["spec"]["image"], made["spec"]["parts"]) == ("busybox", [{"name": "a", "size": 1}])


def test_status_is_written_at_its_own_address_only(world: World) -> None:
    made = world.create({**crontab(replicas=2), "status": {"replicas": 1}})
    assert "status" not in made
    updated = world.request("update", KEY, "my", {**thaw(made), "spec": {"cronSpec": "x"}, "status": {"replicas": 2}}, "status")
    assert (updated["status"], updated["spec"]["cronSpec"], updated["metadata"]["generation"]) == ({"replicas": 2}, "* * * * */5", 1)
    changed = world.request("patch", KEY, "my", {"spec": {"replicas": 3}, "status": {"replicas": 9}})
    assert (changed["status"], changed["metadata"]["generation"]) == ({"replicas": 2}, 2)


def test_scale_reads_and_writes_what_the_paths_name(world: World) -> None:
    world.create(crontab(replicas=2))
    assert world.request("get", KEY, "my", subresource="scale")["spec"] == {"replicas": 2}
    world.request("patch", KEY, "my", {"spec": {"replicas": 5}}, "scale", fieldManager="kubectl")
    found = world.request("get", KEY, "my")
    assert found["spec"]["replicas"] == 5
    [entry] = [one for one in records.shown(found)["metadata"]["managedFields"] if one.get("subresource") == "scale"]
    assert list(fields.paths(entry["fieldsV1"])) == [".spec.replicas"]


def test_strategic_merge_is_not_for_custom_objects(world: World) -> None:
    world.create(crontab())
    assert "unknown format" in refusal(lambda: world.request("patch", KEY, "my", {}, patchType="application/strategic-merge-patch+json"))


def test_an_unknown_object_is_told_with_plural_and_group(world: World) -> None:
    assert refusal(lambda: world.request("get", KEY, "none")) == f'{KEY} "none" not found'
    world.create(crontab())
    assert refusal(lambda: world.create(crontab())) == f'{KEY} "my" already exists'


def test_applying_merges_lists_by_their_keys_and_removes_what_is_no_longer_said(world: World) -> None:
    def apply(body: dict[str, Json], manager: str, **options: Json) -> Map:
        return world.request("patch", KEY, "my", body, patchType="application/apply-patch+yaml", fieldManager=manager, **options)
    apply(crontab(replicas=2, parts=[{"name": "a"}], tags=["x"]), "one")
    body = crontab()
    body["spec"] = {"parts": [{"name": "b", "size": 5}], "tags": ["y"]}
    apply(body, "two")
    found = world.request("get", KEY, "my")
    assert (found["spec"]["parts"], found["spec"]["tags"]) == ([{"name": "a", "size": 1}, {"name": "b", "size": 5}], ["x", "y"])
    body["spec"] = {"replicas": 4}
    assert refusal(lambda: apply(body, "two")) == 'Apply failed with 1 conflict: conflict with "one": .spec.replicas'
    apply(crontab(), "one")
    found = world.request("get", KEY, "my")
    assert ("replicas" in found["spec"], [part["name"] for part in found["spec"]["parts"]], found["spec"]["tags"]) == (False, ["b"], ["y"])
    body["spec"] = {"colour": "red"}
    assert refusal(lambda: apply(body, "two")) == (
        "failed to create typed patch object (default/my; stable.example.com/v1, Kind=CronTab): .spec.colour: field not declared in schema")


def test_every_served_version_shows_the_same_object() -> None:
    crd = definition()
    crd["spec"]["versions"].append({**crd["spec"]["versions"][0], "name": "v1beta1", "storage": False})
    world = World(crd)
    assert world.create(crontab(version="v1beta1"))["apiVersion"] == "stable.example.com/v1beta1"
    assert world.request("get", KEY, "my")["apiVersion"] == "stable.example.com/v1"
    assert [one.version for one in world.cluster.server.customs.served()] == ["v1", "v1beta1"]


def test_columns_come_from_the_definition() -> None:
    columns = [{"name": "Spec", "type": "string", "jsonPath": ".spec.cronSpec"}, {"name": "Replicas", "type": "integer", "priority": 1,
                                                                                 "jsonPath": ".spec.replicas"},
               {"name": "First", "type": "string", "jsonPath": '.spec.parts[?(@.name=="b")].size'},
               {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}]
    world = World(definition(additionalPrinterColumns=columns))
    obj = world.create(crontab(replicas=2, parts=[{"name": "a"}, {"name": "b", "size": 7}]))
    world.cluster.run_for(90)
    resource = world.cluster.server.customs.find(KEY)
    assert resource is not None
    made = table(resource, [obj], world.cluster.now)
    assert [one["name"] for one in made["columnDefinitions"]] == ["Name", "Spec", "Replicas", "First", "Age"]
    assert made["rows"][0]["cells"] == ["my", "* * * * */5", 2, "7", "90s"]


def test_a_cluster_scoped_kind_has_no_namespace() -> None:
    world = World(definition(scope="Cluster"))
    world.request("create", KEY, body=crontab(), namespace="")
    assert "namespace" not in world.request("get", KEY, "my", namespace="")["metadata"]


# ---- going away


def test_deleting_a_definition_deletes_its_objects_first() -> None:
    world = World(definition())
    world.create(crontab())
    world.create({**crontab("held"), "metadata": {"name": "held", "finalizers": ["example.com/wait"]}})
    world.request("delete", "customresourcedefinitions", KEY, namespace="")
    world.cluster.run_for(3)
    assert world.conditions()["Terminating"] == "True InstanceDeletionInProgress"
    assert [one["metadata"]["name"] for one in world.cluster.etcd.list(KEY)] == ["held"]
    assert refusal(lambda: world.create(crontab("late"))) == "create not allowed while custom resource definition is terminating"
    world.request("patch", KEY, "held", {"metadata": {"finalizers": None}})
    world.cluster.run_for(3)
    assert world.cluster.etcd.get("customresourcedefinitions", KEY) is None
    assert refusal(lambda: world.request("list")) == "the server could not find the requested resource"


def test_a_namespace_takes_its_custom_objects_along() -> None:
    world = World(definition())
    world.request("create", "namespaces", body={"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}}, namespace="")
    world.request("create", KEY, body=crontab(), namespace="team")
    world.request("delete", "namespaces", "team", namespace="")
    world.cluster.run_for(30)
    assert world.cluster.etcd.list(KEY) == [] and world.cluster.etcd.get("namespaces", "team") is None


def test_what_a_custom_object_owns_goes_with_it() -> None:
    world = World(definition())
    owner = world.create(crontab())
    reference = {"apiVersion": "stable.example.com/v1", "kind": "CronTab", "name": "my", "uid": owner["metadata"]["uid"]}
    world.request("create", "configmaps", body={"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "child",
                                                                                                       "ownerReferences": [reference]}})
    world.cluster.run_for(5)
    assert world.cluster.etcd.get("configmaps", "default/child") is not None
    world.request("delete", KEY, "my")
    world.cluster.run_for(5)
    assert world.cluster.etcd.get("configmaps", "default/child") is None


def test_what_custom_objects_own_goes_even_when_their_definition_goes() -> None:
    world = World(definition())
    owner = world.create(crontab())
    reference = {"apiVersion": "stable.example.com/v1", "kind": "CronTab", "name": "my", "uid": owner["metadata"]["uid"]}
    unknown = {**reference, "kind": "Nobody", "name": "x", "uid": "11111111-1111-1111-1111-111111111111"}
    for name, owners in (("child", [reference]), ("odd", [unknown])):
        world.request("create", "configmaps", body={"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "ownerReferences": owners}})
    world.request("delete", "customresourcedefinitions", KEY, namespace="")
    world.cluster.run_for(10)
    assert world.cluster.etcd.get("customresourcedefinitions", KEY) is None
    assert world.cluster.etcd.get("configmaps", "default/child") is None
    assert world.cluster.etcd.get("configmaps", "default/odd") is not None  # nothing is known of a kind that is not served


def test_a_checkpoint_keeps_definitions_objects_and_owners() -> None:
    world = World(definition())
    world.create(crontab(), fieldManager="kubectl-create")
    before = records.shown(world.request("get", KEY, "my"))
    world.cluster = Cluster.restore(json.loads(json.dumps(world.cluster.checkpoint())), strict=True)
    assert records.shown(world.request("get", KEY, "my")) == before
    world.create(crontab("second"))
    assert refusal(lambda: world.create(crontab("third", replicas=0))).startswith("CronTab.stable.example.com")


def test_a_journal_replayed_makes_the_same_definitions_and_objects() -> None:
    journal = [
        {"at": EPOCH + at, "do": "request", **entry}
        for at, entry in (
            (100, {"verb": "create", "resource": "customresourcedefinitions", "body": definition()}),
            (2000, {"verb": "create", "resource": KEY, "namespace": "default", "body": crontab(), "options": {"fieldManager": "kubectl-create"}}),
            (
                3000,
                {
                    "verb": "patch",
                    "resource": KEY,
                    "namespace": "default",
                    "name": "my",
                    "body": crontab(replicas=3),
                    "options": {"patchType": "application/apply-patch+yaml", "fieldManager": "kubectl", "force": True},
                },
            ),
            (4000, {"verb": "patch", "resource": KEY, "namespace": "default", "name": "my", "body": {"spec": {"replicas": 4}}}),
        )
    ]

    def play() -> str:
        cluster = Cluster.create(1, EPOCH, strict=True)
        for entry in json.loads(json.dumps(journal)):
            cluster.apply(entry)
        return json.dumps(cluster.checkpoint(), sort_keys=True)

    assert play() == play()
    assert '"replicas": 4' in play()


# ---- what is no definition


@pytest.mark.parametrize("schema", ["x", {"type": 1}, {"properties": []}, {"type": "object", "required": "a"}, {"type": "object", "items": 3}])
def test_a_schema_of_the_wrong_types_is_no_schema(schema: Json) -> None:
    with pytest.raises(ApiError) as caught:
        World().define(definition(schema))
    assert caught.value.code == 400 and "cannot unmarshal" in caught.value.message


# ---- whatever is sent

JSON_VALUES = st.recursive(st.none() | st.booleans() | st.integers(-20, 20) | st.text("ab*/ 5", max_size=9),
                           lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*SPEC["properties"], "name", "x"]), inner,
                                                                                      max_size=4), max_leaves=12)


@settings(max_examples=60, deadline=None)
@given(JSON_VALUES)
def test_what_is_pruned_and_filled_stays_so_and_validation_never_fails_otherwise(value: Json) -> None:
    obj = {"spec": value}
    structural.prune(SCHEMA, obj)
    structural.fill(SCHEMA, obj)
    once = json.dumps(obj)
    assert structural.prune(SCHEMA, obj) == []
    structural.fill(SCHEMA, obj)
    assert json.dumps(obj) == once
    values.validate(SCHEMA, obj, "")
    assert dig(obj, "spec.image") is None or not isinstance(value, dict) or "image" in obj["spec"]
