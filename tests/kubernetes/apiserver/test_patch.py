"""JSON Patch, merge patch and strategic merge patch."""

from __future__ import annotations

import time
from typing import Any

import pytest

from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.apiserver.patch import apply_patch
from podlab.kubernetes.objects import freeze
from podlab.kubernetes.resources import BY_KIND

from .given import container, deployment

DEPLOYMENT, SERVICE = BY_KIND["Deployment"], BY_KIND["Service"]


def patched(body: Any, kind: str, *containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    manifest = deployment(**spec)
    if containers:
        manifest["spec"]["template"]["spec"]["containers"] = [*containers]
    return apply_patch(DEPLOYMENT, freeze(manifest), body, kind)


def in_template(**pod_spec: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": pod_spec}}}


def containers_of(obj: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = obj["spec"]["template"]["spec"]["containers"]
    return found


def test_merge_replaces_lists_and_null_removes() -> None:
    obj = patched({"spec": {"replicas": 3, "paused": None, **in_template(containers=[{"name": "d"}])["spec"]}}, "merge",
                  paused=True)
    assert (obj["spec"]["replicas"], "paused" in obj["spec"], containers_of(obj)) == (3, False, [{"name": "d"}])


def test_strategic_merges_containers_by_name_and_adds_new_ones() -> None:
    obj = patched(in_template(containers=[{"name": "c", "image": "nginx:2"}, {"name": "d", "image": "busybox"}]), "strategic")
    assert containers_of(obj) == [{"name": "c", "image": "nginx:2"}, {"name": "d", "image": "busybox"}]


@pytest.mark.parametrize(("held", "given", "left"), [
    ("a", "b", "ba"),  # as the manual's example of a sidecar that is patched in shows
    ("abc", "ca", "bca"), ("abc", "d", "dabc"), ("abc", "bd", "abdc"), ("ab", "ab", "ab"),
])
def test_strategic_places_what_the_patch_names_before_all_that_did_not_stand_before_it(held: str, given: str, left: str) -> None:
    obj = patched(in_template(containers=[container(name) for name in given]), "strategic", *map(container, held))
    assert "".join(one["name"] for one in obj["spec"]["template"]["spec"]["containers"]) == left


def test_strategic_deletes_an_item_or_replaces_a_list_on_demand() -> None:
    obj = patched(in_template(containers=[{"name": "d", "$patch": "delete"}]), "strategic", container("c"), container("d"))
    assert [one["name"] for one in containers_of(obj)] == ["c"]
    obj = patched(in_template(containers=[{"$patch": "replace"}, {"name": "x"}]), "strategic", container("c"), container("d"))
    assert containers_of(obj) == [{"name": "x"}]


def test_strategic_keeps_the_order_that_the_client_asks_for() -> None:
    body = in_template(**{"$setElementOrder/containers": [{"name": "d"}, {"name": "c"}],
                          "containers": [{"name": "c", "tty": True}]})
    obj = patched(body, "strategic", container("c"), container("d"))
    assert [one["name"] for one in containers_of(obj)] == ["d", "c"]
    assert containers_of(obj)[1]["tty"] is True


def test_strategic_retains_only_the_named_keys_of_a_union() -> None:
    obj = patched({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}, "strategic",
                  strategy={"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}})
    assert obj["spec"]["strategy"] == {"type": "Recreate"}


def test_strategic_takes_scalars_out_of_a_set() -> None:
    manifest = {**deployment(), "metadata": {"name": "d", "finalizers": ["a/b", "c/d"]}}
    obj = apply_patch(DEPLOYMENT, freeze(manifest),
                      {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a/b"], "finalizers": ["e/f"]}},
                      "strategic")
    assert obj["metadata"]["finalizers"] == ["e/f", "c/d"]


def test_an_item_without_its_merge_key_is_refused() -> None:
    with pytest.raises(ApiError) as caught:
        patched(in_template(containers=[{"image": "nginx:2"}]), "strategic")
    assert caught.value.message == "map: map[image:nginx:2] does not contain declared merge key: name"


def test_json_patch_adds_replaces_moves_and_removes() -> None:
    base = "/spec/template/spec/containers"
    obj = patched([{"op": "add", "path": f"{base}/-", "value": {"name": "d"}},
                   {"op": "replace", "path": f"{base}/0/image", "value": "nginx:2"},
                   {"op": "test", "path": f"{base}/1/name", "value": "d"},
                   {"op": "add", "path": "/metadata/labels", "value": {"a/b": "c"}},
                   {"op": "remove", "path": "/metadata/labels/a~1b"}], "json")
    assert containers_of(obj) == [{"name": "c", "image": "nginx:2"}, {"name": "d"}]
    assert obj["metadata"]["labels"] == {}


@pytest.mark.parametrize("operation", [
    {"op": "replace", "path": "/spec/ghost", "value": 1}, {"op": "remove", "path": "/spec/ghost"},
    {"op": "test", "path": "/spec/replicas", "value": 9}, {"op": "add", "path": "/spec/template/spec/containers/7", "value": {}}])
def test_a_json_patch_that_does_not_fit_is_refused_whole(operation: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as caught:
        patched([operation], "json", replicas=1)
    assert (caught.value.code, caught.value.message) == (422, "the server rejected our request due to an error in our request")


GROWING = [{"op": "copy", "from": "/metadata", "path": f"/metadata/annotations/x{number}"} for number in range(25)]
SINKING = [{"op": "add", "path": "/b", "value": {}}, {"op": "add", "path": "/a", "value": {}}] + [
    one for _ in range(400) for one in ({"op": "move", "from": "/b", "path": "/a/b"}, {"op": "add", "path": "/b", "value": {}},
                                        {"op": "move", "from": "/a", "path": "/b/a"}, {"op": "add", "path": "/a", "value": {}})]


@pytest.mark.parametrize("operations", [[{"op": "add", "path": "/metadata/annotations", "value": {"a": "b" * 100}}, *GROWING], SINKING,
                                        [{"op": "remove", "path": "/spec/template/spec/containers/" + "9" * 5000}],
                                        [{"op": "remove", "path": "/spec/template/spec/containers/--1"}]])
def test_a_json_patch_that_grows_without_end_is_refused(operations: list[dict[str, Any]]) -> None:
    with pytest.raises(ApiError) as caught:
        patched(operations, "json")
    assert caught.value.code == 422
    with pytest.raises(ApiError, match="allowed maximum operations in a JSON patch is 10000, got 10001"):
        patched([{"op": "test", "path": "/kind", "value": "Deployment"}] * 10_001, "json")


def test_the_original_is_never_changed() -> None:
    manifest = freeze(deployment())
    apply_patch(DEPLOYMENT, manifest, in_template(containers=[{"name": "c", "image": "x"}]), "strategic")
    assert manifest == deployment()


def test_lists_of_thousands_are_merged_in_order_without_looking_through_them_for_each() -> None:
    many = 3_000
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "finalizers": [f"a.b/{n}" for n in range(many)]},
               "spec": {"ports": [{"port": n} for n in range(many)]}}
    patch = {"metadata": {"$deleteFromPrimitiveList/finalizers": [f"a.b/{n}" for n in range(1, many)]},
             "spec": {"$setElementOrder/ports": [{"port": many - n} for n in range(many)],
                      "ports": [{"port": n, "name": f"p{n}"} for n in range(2, many)] + [{"$patch": "delete", "port": 1}]}}
    began = time.process_time()
    found = apply_patch(SERVICE, service, patch, "strategic")
    assert time.process_time() - began < 1  # 0.1 s; it was 6
    assert found["metadata"]["finalizers"] == ["a.b/0"]
    assert [one["port"] for one in found["spec"]["ports"]] == [0, *range(many - 1, 1, -1)]
