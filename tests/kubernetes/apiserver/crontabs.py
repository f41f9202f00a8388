"""The CronTab of the documentation for tests: its CustomResourceDefinition, its objects, a cluster that takes requests about them."""

from __future__ import annotations

from typing import Any

import pytest

from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.objects import Map
from tests.kubernetes.frozen import created

Json = Any
EPOCH = 1_795_219_200_000
KEY = "crontabs.stable.example.com"
SPEC = {"type": "object", "required": ["cronSpec"], "properties": {
    "cronSpec": {"type": "string", "pattern": r"^(\d+|\*)(/\d+)?(\s+(\d+|\*)(/\d+)?){4}$"},
    "image": {"type": "string", "default": "busybox"},
    "replicas": {"type": "integer", "minimum": 1, "maximum": 10},
    "mode": {"type": "string", "enum": ["fast", "slow"]},
    "port": {"x-kubernetes-int-or-string": True},
    "note": {"type": "string", "nullable": True},
    "anything": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}, "maxItems": 3},
    "parts": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
              "items": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "size": {"type": "integer",
                                                                                                                  "default": 1}}}},
    "limits": {"type": "object", "additionalProperties": {"type": "integer"}},
}}
SCHEMA = {"type": "object", "properties": {"spec": SPEC, "status": {"type": "object", "properties": {
    "replicas": {"type": "integer"}, "labelSelector": {"type": "string"}}}}}


def definition(schema: dict[str, Json] | None = None, *, scope: str = "Namespaced", name: str = "", **version: Json) -> dict[str, Json]:
    made = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": SCHEMA if schema is None else schema}, **version}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": name or KEY},
            "spec": {"group": "stable.example.com", "scope": scope, "versions": [made],
                     "names": {"plural": "crontabs", "singular": "crontab", "kind": "CronTab", "shortNames": ["ct"], "categories": ["all"]}}}


def crontab(name: str = "my", version: str = "v1", **spec: Json) -> dict[str, Json]:
    return {"apiVersion": f"stable.example.com/{version}", "kind": "CronTab", "metadata": {"name": name},
            "spec": {"cronSpec": "* * * * */5", **spec}}


class World:
    def __init__(self, crd: dict[str, Json] | None = None) -> None:
        self.cluster = created(1, EPOCH)
        if crd is not None:
            self.define(crd)

    def request(self, verb: str, resource: str = KEY, name: str = "", body: Json = None, subresource: str = "", namespace: str = "default",
                **options: Json) -> Map:
        answer: Map = self.cluster.request(verb=verb, resource=resource, namespace=namespace, name=name, subresource=subresource, body=body,
                                           options=options)
        return answer

    def define(self, crd: dict[str, Json]) -> Map:
        made = self.request("create", "customresourcedefinitions", body=crd, namespace="")
        self.cluster.run_for(1)
        return made

    def create(self, body: dict[str, Json], **options: Json) -> Map:
        return self.request("create", body=body, **options)

    def conditions(self, name: str = KEY) -> dict[str, str]:
        crd = self.request("get", "customresourcedefinitions", name, namespace="")
        return {one["type"]: f"{one['status']} {one['reason']}" for one in crd["status"]["conditions"]}


def refusal(act: Any) -> str:
    with pytest.raises(ApiError) as caught:
        act()
    return caught.value.message
