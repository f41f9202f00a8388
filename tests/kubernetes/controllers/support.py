"""Objects and questions for controller tests, in a sentence each."""

from __future__ import annotations

from typing import Any

from podlab.kubernetes.client import Client
from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.objects import Map, dig


def admin(cluster: Cluster) -> Client:
    return cluster.client("kubernetes-admin")


def template(app: str = "web", image: str = "nginx:1.14.2", **spec: Any) -> dict[str, Any]:
    return {"metadata": {"labels": {"app": app}}, "spec": {"containers": [{"name": "c", "image": image}], **spec}}


def workload(kind: str, name: str = "web", **spec: Any) -> dict[str, Any]:
    versions = {"ReplicationController": "v1", "Job": "batch/v1"}
    selector = {"app": name} if kind == "ReplicationController" else {"matchLabels": {"app": name}}
    body = {"selector": selector, "template": template(name), **spec}
    return {"apiVersion": versions.get(kind, "apps/v1"), "kind": kind, "metadata": {"name": name, "labels": {"app": name}},
            "spec": body}


def job(name: str = "j", **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name},
            "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox:1.36"}]}},
                     **spec}}


def pod(name: str, labels: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels or {}},
            "spec": {"containers": [{"name": "c", "image": "nginx:1.14.2"}], **spec}}


def create(cluster: Cluster, plural: str, obj: dict[str, Any], namespace: str = "default") -> Map:
    return admin(cluster).create(plural, obj, namespace)


def pods(cluster: Cluster, namespace: str = "default", labels: str | None = None) -> list[Map]:
    return admin(cluster).list("pods", namespace, labels=labels)


def alive(cluster: Cluster, labels: str | None = None) -> list[str]:
    return [p["metadata"]["name"] for p in pods(cluster, labels=labels) if not p["metadata"].get("deletionTimestamp")]


def scale(cluster: Cluster, plural: str, name: str, replicas: int) -> None:
    admin(cluster).patch(plural, name, {"spec": {"replicas": replicas}}, "default", subresource="scale")


def set_image(cluster: Cluster, plural: str, name: str, image: str) -> None:
    body = {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": image}]}}}}
    admin(cluster).patch(plural, name, body, "default", type="strategic")


def status(cluster: Cluster, plural: str, name: str) -> Any:
    return admin(cluster).get(plural, name, "default").get("status") or {}


def condition(cluster: Cluster, plural: str, name: str, kind: str) -> str | None:
    namespace = None if plural in ("nodes", "namespaces") else "default"
    held = dig(admin(cluster).get(plural, name, namespace), "status.conditions", [])
    return next((f"{c['status']}:{c.get('reason', '')}" for c in held if c["type"] == kind), None)


def events(cluster: Cluster, reason: str, namespace: str = "default") -> list[str]:
    return [e["message"] for e in admin(cluster).list("events", namespace) if e["reason"] == reason]


def counts(cluster: Cluster, plural: str) -> list[tuple[str, dict[str, int]]]:
    """A list that grows with every status of a kind: (name, its numbers)."""
    seen: list[tuple[str, dict[str, int]]] = []

    def note(change: Any) -> None:
        numbers = {k: v for k, v in (change.object.get("status") or {}).items()
                   if isinstance(v, int) and v and k not in ("observedGeneration", "terminatingReplicas", "fullyLabeledReplicas")}
        entry = (change.object["metadata"]["name"], numbers)
        if change.type != "DELETED" and [e for e in seen if e[0] == entry[0]][-1:] != [entry]:
            seen.append(entry)
    cluster.etcd.subscribe(plural, note)
    return seen
