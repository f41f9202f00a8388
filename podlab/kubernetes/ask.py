"""Ask the API server about single manifests: what it would store, or how it refuses. Nothing is kept between two questions."""

from __future__ import annotations

from typing import Any

from .apiserver import create, decode, discovery, made_up, rbac
from .apiserver.context import Context
from .apiserver.errors import ApiError, already_exists, not_found
from .apiserver.request import ADMIN, Request
from .apiserver.rest import virtual
from .apiserver.rest.addresses import Target
from .apiserver.subresources import target_of
from .cluster import Cluster

NAMESPACE = "refusals"
EPOCH_MS = 1_795_219_200_000  # 2026-11-21T00:00:00Z


def cluster() -> Cluster:
    """A fresh cluster with the namespace that manifests are posted to."""
    fresh = Cluster.create(1, EPOCH_MS, strict=True)
    request = Request("create", "namespaces", body={"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    fresh.apply({"at": fresh.now, "do": "request", **request.to_json()})
    fresh.run_for(2)
    return fresh


def ask(asked: Cluster, called: str, manifest: dict[str, Any]) -> dict[str, Any]:
    """One answer in the form of refusals.json: `accepted` (the defaulted object), `refused` or `no_match`."""
    answer: dict[str, Any] = {"name": called, "object": manifest}
    resource = create.resource_of(manifest) or next((one for one in discovery.VIRTUAL if (one.api_version, one.kind) == (
        manifest.get("apiVersion"), manifest.get("kind")) and "create" in one.verbs), None)
    if resource is None:
        return {**answer, "no_match": create.no_match(str(manifest.get("apiVersion") or ""), str(manifest.get("kind") or ""))}
    namespace = NAMESPACE if resource.namespaced else ""
    try:
        if resource in discovery.VIRTUAL:
            decode.decode(resource, manifest, strict=True)
            made = virtual.reviewed(asked, Target("create", resource, namespace), manifest, rbac.OWNER)
        else:
            made = create.admit(resource, manifest, namespace, Context(asked, ADMIN), strict=True)
            name = made["metadata"].get("name") or ""
            held = asked.etcd.get(resource.plural, f"{namespace}/{name}" if namespace else name)
            if held is not None or (resource.plural in made_up.KINDS and made_up.find(asked, resource.plural, name) is not None):
                raise already_exists(resource.group, resource.plural, name)
        if resource.kind == "Binding":
            target_of(made)
            raise not_found("", "pods", made["metadata"]["name"])  # no Pod is here to be bound
    except ApiError as error:
        status = error.status()
        return {**answer, "refused": {key: status[key] for key in ("code", "reason", "message", "details") if key in status}}
    metadata = {key: value for key, value in made["metadata"].items() if key not in ("uid", "creationTimestamp", "managedFields", "resourceVersion")}
    return {**answer, "accepted": {"kind": resource.kind, "apiVersion": resource.api_version, **made, "metadata": metadata}}
