"""The projection rows: Node, Pod and Container as tables, for screens and teachers. Rebuilt from the engine at any time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import models, transaction

from podlab.kubernetes import quantity
from podlab.kubernetes.apiserver.tables import table
from podlab.kubernetes.cluster import Cluster as Engine
from podlab.kubernetes.objects import Map, dig
from podlab.kubernetes.resources import BY_PLURAL
from podlab.kubernetes.times import parse_rfc3339
from podlab.labs.models import Cluster, Container, Node, Pod


@dataclass(frozen=True)
class Projection:
    """What the tables should hold of one cluster. `containers` maps a Pod's uid to its containers' fields."""

    nodes: list[dict[str, Any]]
    pods: list[dict[str, Any]]
    containers: dict[str, list[dict[str, Any]]]


NOTHING = Projection([], [], {})


def project(engine: Engine) -> Projection:
    pods = [pod for pod in engine.etcd.list("pods") if not pod["metadata"]["namespace"].startswith("kube-")]
    return Projection([_node(node) for node in engine.etcd.list("nodes")], [_pod(engine, pod) for pod in pods],
                      {pod["metadata"]["uid"]: _containers(pod) for pod in pods})


def _node(node: Map) -> dict[str, Any]:
    ready = next((c["status"] for c in dig(node, "status.conditions", ()) if c["type"] == "Ready"), "Unknown")
    allocatable = dig(node, "status.allocatable", {})
    return {"name": node["metadata"]["name"], "ready": ready == "True", "schedulable": not node["spec"].get("unschedulable"),
            "cpu_milli": quantity.milli(allocatable.get("cpu")), "memory_bytes": quantity.value(allocatable.get("memory"))}


def _pod(engine: Engine, pod: Map) -> dict[str, Any]:
    metadata, status = pod["metadata"], pod.get("status") or {}
    cells = table(BY_PLURAL["pods"], [pod], engine.now)["rows"][0]["cells"]  # NAME READY STATUS RESTARTS AGE ...
    ready, _, total = str(cells[1]).partition("/")
    owner = next((o for o in metadata.get("ownerReferences") or () if o.get("controller")), {})
    statuses = [*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())]
    return {"uid": metadata["uid"], "namespace": metadata["namespace"], "name": metadata["name"], "node_name": pod["spec"].get("nodeName", ""),
            "ip": status.get("podIP", ""), "phase": status.get("phase", "Pending"), "reason": str(cells[2])[:120],
            "ready": any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions") or ()),
            "ready_containers": int(ready or 0), "total_containers": int(total or 0), "restarts": sum(s.get("restartCount", 0) for s in statuses),
            "owner_kind": owner.get("kind", ""), "owner_name": owner.get("name", ""),
            "created_ms": parse_rfc3339(metadata["creationTimestamp"]), "deleting": "deletionTimestamp" in metadata}


def _containers(pod: Map) -> list[dict[str, Any]]:
    found = []
    status = pod.get("status") or {}
    for kind, specs, statuses in (("init", "initContainers", "initContainerStatuses"), ("app", "containers", "containerStatuses"),
                                  ("ephemeral", "ephemeralContainers", "ephemeralContainerStatuses")):
        told = {s["name"]: s for s in status.get(statuses) or ()}
        for spec in pod["spec"].get(specs) or ():
            one = told.get(spec["name"], {})
            state = next(iter(one.get("state") or {"waiting": {}}))
            detail = (one.get("state") or {}).get(state) or {}
            ended = detail if state == "terminated" else dig(one, "lastState.terminated", {})
            found.append({"name": spec["name"], "kind": "sidecar" if kind == "init" and spec.get("restartPolicy") == "Always" else kind,
                          "image": spec["image"][:512], "state": state, "reason": detail.get("reason", "")[:120],
                          "ready": bool(one.get("ready")), "started": bool(one.get("started")), "restarts": one.get("restartCount", 0),
                          "exit_code": ended.get("exitCode")})
    return found


@dataclass(frozen=True)
class Change:
    """What the tables are to hold of one cluster. `before` is what they hold already; None: nobody knows."""

    cluster_id: int
    now: Projection
    before: Projection | None = None

    def nodes(self) -> list[dict[str, Any]]:
        return [{"cluster_id": self.cluster_id, **fields} for fields in self.now.nodes if self.before is None or fields not in self.before.nodes]

    def pods(self) -> list[dict[str, Any]]:
        return [{"cluster_id": self.cluster_id, **fields} for fields in self.now.pods if self.before is None or fields not in self.before.pods]

    def containers(self) -> dict[str, list[dict[str, Any]]]:
        """{Pod's uid: fields}."""
        return {uid: group for uid, group in self.now.containers.items() if self.before is None or self.before.containers.get(uid) != group}

    def delete_gone(self) -> None:
        names = {fields["name"] for fields in self.now.nodes}
        if self.before is None or any(fields["name"] not in names for fields in self.before.nodes):
            Node.objects.filter(cluster_id=self.cluster_id).exclude(name__in=sorted(names)).delete()
        if self.before is None or any(uid not in self.now.containers for uid in self.before.containers):
            Pod.objects.filter(cluster_id=self.cluster_id).exclude(uid__in=list(self.now.containers)).delete()


def save(changes: list[Change]) -> None:
    """Make the tables say what the projections say, in one transaction with a few statements for all: upserts of what differs, and deletes
    of what is gone. A cluster that was deleted meanwhile is left out. Keep the list short: the journal waits meanwhile."""
    standing = set(Cluster.objects.filter(id__in=[change.cluster_id for change in changes]).values_list("id", flat=True))
    changes = [change for change in changes if change.cluster_id in standing]
    containers = {(change.cluster_id, uid): group for change in changes for uid, group in change.containers().items()}
    with transaction.atomic():
        _upsert(Node, ["cluster", "name"], [fields for change in changes for fields in change.nodes()])
        _upsert(Pod, ["cluster", "uid"], [fields for change in changes for fields in change.pods()])
        for change in changes:
            change.delete_gone()
        if containers:
            held = Pod.objects.filter(cluster_id__in={cluster_id for cluster_id, _ in containers}, uid__in={uid for _, uid in containers})
            ids = {(cluster_id, uid): pk for cluster_id, uid, pk in held.values_list("cluster_id", "uid", "id")}
            _upsert(Container, ["pod", "name"], [{"pod_id": ids[key], **fields} for key, group in containers.items() for fields in group])


def _upsert(model: type[models.Model], unique: list[str], fields: list[dict[str, Any]]) -> None:
    if fields:
        names = [name for name in fields[0] if name.removesuffix("_id") not in unique]
        model._default_manager.bulk_create([model(**one) for one in fields], update_conflicts=True, unique_fields=unique, update_fields=names)


def read(cluster_ids: list[int]) -> dict[int, tuple[list[dict[str, Any]], list[dict[str, Any]]]]:
    """{cluster id: (nodes, pods)} as last saved, in the form of `project`: for screens that show sleeping clusters."""
    found: dict[int, tuple[list[dict[str, Any]], list[dict[str, Any]]]] = {cluster_id: ([], []) for cluster_id in cluster_ids}
    for place, model in enumerate((Node, Pod)):
        for row in model._default_manager.filter(cluster_id__in=cluster_ids).order_by("id").values():
            found[row["cluster_id"]][place].append(row)
    return found
