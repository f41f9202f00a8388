"""A cluster whose requests say who makes them, for tests of who owns which field; the objects that they write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.apiserver.ownership import fields, records
from podlab.kubernetes.objects import Map
from tests.kubernetes.frozen import created

Json = Any
EPOCH = 1_795_219_200_000


class World:
    """A cluster and the requests of these tests, each in namespace default."""

    def __init__(self) -> None:
        self.cluster = created(1, EPOCH)

    def request(self, verb: str, resource: str, name: str = "", body: Json = None, subresource: str = "", **options: Json) -> Map:
        answer: Map = self.cluster.request(verb=verb, resource=resource, namespace="default", name=name, subresource=subresource, body=body,
                                           options=options)
        return answer

    def apply(self, body: dict[str, Json], manager: str = "one", *, resource: str = "", subresource: str = "", **options: Json) -> Map:
        plural = resource or body["kind"].lower() + "s"
        return self.request("patch", plural, body["metadata"]["name"], body, subresource, patchType="application/apply-patch+yaml",
                            fieldManager=manager, **options)

    def get(self, resource: str, name: str = "web") -> Map:
        return self.request("get", resource, name)

    def owners(self, resource: str, name: str = "web") -> list[dict[str, Json]]:
        found: list[dict[str, Json]] = records.shown(self.get(resource, name))["metadata"].get("managedFields", [])
        return found

    def owned(self, manager: str, resource: str = "deployments", name: str = "web") -> list[str]:
        return [path for one in self.owners(resource, name) if one["manager"] == manager for path in fields.paths(one["fieldsV1"])]


def config_map(data: Mapping[str, Json] | None = None, **metadata: Json) -> dict[str, Json]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web", **metadata}, **({} if data is None else {"data": dict(data)})}


def deployment(containers: list[dict[str, Json]] | None = None, **spec: Json) -> dict[str, Json]:
    made = containers or [{"name": "nginx", "image": "nginx:1.14.2"}]
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
            "spec": {"selector": {"matchLabels": {"app": "web"}},
                     "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": made}}, **spec}}


def refused(act: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        act()
    return caught.value
