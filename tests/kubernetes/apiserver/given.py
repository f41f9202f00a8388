"""A cluster as the object pipeline sees it: plain objects, fixed names, addresses and ports."""

from __future__ import annotations

from typing import Any

from podlab.kubernetes.apiserver import cel, create
from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.objects import Map, freeze
from podlab.kubernetes.resources import BY_KIND, Resource

NOW = 1795222659000  # 2026-11-21T00:57:39Z, when the recordings were taken
DEFAULT_CLASS = {"storageclass.kubernetes.io/is-default-class": "true"}
UID = "59ff375e-fa60-4c7f-9232-4d956f16f663"


class Ctx:
    """The pipeline's context over a dict of objects."""

    user = "kubernetes-admin"
    dry = False
    now = NOW

    def __init__(self, *objects: dict[str, Any], namespace: str = "refusals") -> None:
        self.objects: dict[tuple[str, str | None, str], Map] = {}
        self.node_port = 30000
        self.add("Namespace", namespace)
        self.add("ServiceAccount", "default", namespace)
        self.add("StorageClass", "standard", annotations=DEFAULT_CLASS)
        self.add("PriorityClass", "system-node-critical", value=2000001000)
        self.add("PriorityClass", "system-cluster-critical", value=2000000000)
        for obj in objects:
            self.put(obj)

        self.cost = cel.Cost()

    def add(self, kind: str, name: str, namespace: str | None = None, annotations: dict[str, str] | None = None,
            **members: Any) -> None:
        metadata = {"name": name, **({"namespace": namespace} if namespace else {}),
                    **({"annotations": annotations} if annotations else {})}
        self.put({"kind": kind, "metadata": metadata, **members})

    def put(self, obj: dict[str, Any]) -> None:
        metadata = obj["metadata"]
        self.objects[BY_KIND[obj["kind"]].plural, metadata.get("namespace"), metadata["name"]] = freeze(obj)

    def find(self, plural: str, name: str, namespace: str | None = None) -> Map | None:
        return self.objects.get((plural, namespace, name))

    def list(self, plural: str, namespace: str | None = None) -> list[Map]:
        return [obj for (kind, where, _), obj in self.objects.items() if kind == plural and namespace in (None, where)]

    def random_name(self, length: int, *key: str | int) -> str:
        return "bcdfghjkl"[:length]

    def uid(self, *key: str | int) -> str:
        return UID

    def resource_of(self, api_version: str, kind: str) -> Resource | None:
        return BY_KIND.get(kind)

    def warn(self, text: str) -> bool:
        raise AssertionError(text)

    def allocate_cluster_ip(self, requested: str | None = None) -> str:
        return requested or "10.96.0.10"

    def allocate_node_port(self, requested: int | None = None, given: Any = ()) -> int:
        self.node_port += 1
        return requested or self.node_port


def admit(manifest: dict[str, Any], ctx: Ctx | None = None, namespace: str = "refusals") -> dict[str, Any]:
    """The stored form of a manifest. Raises ApiError."""
    resource = create.resource_of(manifest)
    assert resource is not None, create.no_match(manifest["apiVersion"], manifest["kind"])
    return create.admit(resource, manifest, namespace, ctx or Ctx(), strict=True)


def refusal(manifest: dict[str, Any], ctx: Ctx | None = None) -> str:
    """The words with which a manifest is refused; '' where it is taken."""
    try:
        admit(manifest, ctx)
    except ApiError as error:
        return error.message
    return ""


def pod(name: str = "p", containers: list[dict[str, Any]] | None = None, **spec: Any) -> dict[str, Any]:
    containers = containers if containers is not None else [container()]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": containers, **spec}}


def container(name: str = "c", **members: Any) -> dict[str, Any]:
    return {"name": name, "image": "nginx:1.14.2", **members}


def deployment(**spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [container()]}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"},
            "spec": {"selector": {"matchLabels": {"app": "a"}}, "template": template, **spec}}


def job(**spec: Any) -> dict[str, Any]:
    template = {"spec": {"containers": [container()], "restartPolicy": "Never"}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": {"template": template, **spec}}
