"""Small nodes, Pods and clusters for scheduler tests."""

from __future__ import annotations

from typing import Any

from podlab.kubernetes.objects import Map, freeze
from podlab.kubernetes.scheduler.cluster_view import ClusterView
from podlab.kubernetes.scheduler.schedule_one import Decision, schedule


def node(name: str, cpu: str = "2", memory: str = "4Gi", pods: int = 110, labels: dict[str, str] | None = None,
         taints: list[dict[str, str]] | None = None, unschedulable: bool = False, images: dict[str, int] | None = None,
         **allocatable: str) -> Map:
    spec: dict[str, Any] = {"taints": taints} if taints else {}
    if unschedulable:
        spec["unschedulable"] = True
    allocatable = {"cpu": cpu, "memory": memory, "pods": str(pods), "ephemeral-storage": "100Gi",
                   **{key.replace("__", "/"): amount for key, amount in allocatable.items()}}
    return freeze({"apiVersion": "v1", "kind": "Node",
                   "metadata": {"name": name, "uid": name, "labels": {"kubernetes.io/hostname": name, **(labels or {})}},
                   "spec": spec, "status": {"allocatable": allocatable, "images": [
                       {"names": [image], "sizeBytes": size} for image, size in (images or {}).items()]}})


def pod(name: str = "p", cpu: str | None = None, memory: str | None = None, on: str | None = None, priority: int = 0,
        labels: dict[str, str] | None = None, namespace: str = "default", image: str = "nginx",
        status: dict[str, Any] | None = None, ports: list[dict[str, Any]] | None = None,
        metadata: dict[str, Any] | None = None, **spec: Any) -> Map:
    requests = {key: amount for key, amount in (("cpu", cpu), ("memory", memory)) if amount is not None}
    container: dict[str, Any] = {"name": "c", "image": image}
    if requests:
        container["resources"] = {"requests": requests}
    if ports:
        container["ports"] = ports
    whole = {"containers": [container], "priority": priority, "schedulerName": "default-scheduler", **spec}
    if on:
        whole["nodeName"] = on
    return freeze({"apiVersion": "v1", "kind": "Pod",
                   "metadata": {"name": name, "namespace": namespace, "uid": f"uid-{name}", "labels": labels or {},
                                **(metadata or {})},
                   "spec": whole, "status": {"phase": "Pending", **(status or {})}})


def view(*objects: Map, **others: list[dict[str, Any]]) -> ClusterView:
    """A cluster of nodes and Pods (bound ones run on their node), and other kinds by plural."""
    tables = {plural: [freeze(item) for item in items] for plural, items in others.items()}

    def find(plural: str, name: str, namespace: str | None) -> Map | None:
        return next((o for o in tables.get(plural, ()) if o["metadata"]["name"] == name
                     and o["metadata"].get("namespace") == namespace), None)

    def list_(plural: str, namespace: str | None) -> list[Map]:
        return [o for o in tables.get(plural, ()) if namespace is None or o["metadata"].get("namespace") == namespace]

    cluster = ClusterView(find, list_)
    for item in objects:
        if item["kind"] == "Node":
            cluster.set_node(item)
    for item in objects:
        if item["kind"] == "Pod":
            if item["spec"].get("nodeName"):
                cluster.add_pod(item, item["spec"]["nodeName"])
            elif item["status"].get("nominatedNodeName"):
                cluster.nominate(item)
    return cluster


def first(_: int) -> int:
    return 0


def decide(subject: Map, *objects: Map, **others: list[dict[str, Any]]) -> Decision:
    return schedule(subject, view(*objects, **others), first)
