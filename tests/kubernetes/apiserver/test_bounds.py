"""An object grows no further than a write of it can be afforded, whoever makes it grow and however little at a time."""

from __future__ import annotations

import time
from typing import Any

import pytest

from podlab.kubernetes.apiserver import bounds
from podlab.kubernetes.apiserver.errors import ETCD_REQUEST_MAX, ApiError
from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.etcd import HEAVY
from tests.kubernetes.apiserver.crontabs import KEY, World, crontab, definition

pytestmark = pytest.mark.slow
TOO_LARGE = "etcdserver: request is too large"
MERGE, APPLY = "application/merge-patch+json", "application/apply-patch+yaml"


def patch(cluster: Cluster, plural: str, name: str, body: object, how: str = MERGE, **options: object) -> None:
    cluster.request(verb="patch", resource=plural, namespace="default", name=name, body=body, options={"patchType": how, **options})


def configmap(cluster: Cluster, keys: int) -> None:
    cluster.request(verb="create", resource="configmaps", namespace="default", body={
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {f"k{number:05}": "" for number in range(keys)}})


@pytest.fixture
def cluster() -> Cluster:
    return Cluster.create(seed=1, epoch_ms=1_700_000_000_000, strict=True)


def test_patches_make_an_object_grow_to_an_end(cluster: Cluster) -> None:
    configmap(cluster, 1)
    with pytest.raises(ApiError, match=TOO_LARGE):
        for number in range(10):
            patch(cluster, "configmaps", "c", {"data": {f"x{number}-{key}": "" for key in range(bounds.VALUES_MAX // 8)}})
    stored = cluster.etcd.get("configmaps", "default/c")
    assert stored is not None
    assert bounds.VALUES_MAX // 4 < 2 * len(stored["data"]) <= bounds.VALUES_MAX


def test_text_counts_by_its_bytes(cluster: Cluster) -> None:
    configmap(cluster, 1)
    for number in range(6):
        patch(cluster, "configmaps", "c", {"metadata": {"annotations": {f"a{number}": "한" * 14_000}}})
    held = cluster.etcd.get("configmaps", "default/c")
    assert held is not None
    large = {**held, "data": {"x": "한" * (ETCD_REQUEST_MAX // 3)}}
    with pytest.raises(ApiError, match=TOO_LARGE):
        bounds.check(large, None)


def test_who_owns_the_fields_counts_too() -> None:
    world = World(definition())
    cluster = world.cluster
    fields = {f"x{number:05}": "" for number in range(15_000)}
    thing = crontab("c", anything=fields)
    with pytest.raises(ApiError, match=TOO_LARGE):
        for number in range(12):
            patch(cluster, KEY, "c", thing, APPLY, fieldManager=f"m{number}", force=True)


def test_history_keeps_few_forms_of_a_heavy_object(cluster: Cluster) -> None:
    configmap(cluster, 15_000)
    before = cluster.etcd.revision
    for number in range(HEAVY // 30_000 + 3):
        patch(cluster, "configmaps", "c", {"data": {"k00000": str(number)}})
    assert cluster.etcd.shed > before
    assert sum(2 * len(change.object["data"]) for change in cluster.etcd.history if change.plural == "configmaps") < HEAVY


def test_a_write_of_the_largest_object_takes_no_longer_than_others_can_wait(cluster: Cluster) -> None:
    configmap(cluster, bounds.VALUES_MAX // 2 - 100)
    began = time.process_time()
    patch(cluster, "configmaps", "c", {"data": {"k00000": "1"}})
    assert time.process_time() - began < 0.8, "0.2 s on an idle machine"


def tree(depth: int) -> dict[str, Any]:
    """The schema of an object of 30 properties, four of which are such objects again: 23,900 lines of YAML at depth 4."""
    properties: dict[str, Any] = {f"leaf{number}": {"type": "string"} for number in range(26)}
    properties["labels"] = {"type": "object", "additionalProperties": {"type": "string"}}
    properties["list"] = {"type": "array", "items": {"type": "object", "properties": {"key": {"type": "string"}, "value": {"type": "string"}}}}
    if depth:
        properties |= {name: tree(depth - 1) for name in ("source", "sources", "helm", "kustomize")}
    return {"type": "object", "properties": properties}


def test_the_largest_definitions_that_people_apply_are_taken(cluster: Cluster) -> None:
    thing = definition()
    thing["spec"]["versions"][0]["schema"] = {"openAPIV3Schema": {"type": "object", "properties": {"spec": tree(4)}}}
    cluster.request(verb="create", resource="customresourcedefinitions", body=thing, options={})
    assert cluster.etcd.get("customresourcedefinitions", thing["metadata"]["name"]) is not None
