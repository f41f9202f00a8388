"""A View of objects written down in a test, and short makers of such objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from podlab.kubernetes.objects import Map, freeze
from podlab.kubernetes.times import rfc3339

START = 1_800_000_000_000


class Given:
    """`objects` by plural; `facts` by Pod uid; `nodes_facts` by node; `records` of causes in their order."""

    def __init__(
        self,
        seconds: float = 100,
        *,
        facts: Mapping[str, Any] | None = None,
        node_facts: Mapping[str, Any] | None = None,
        records: Sequence[Mapping[str, Any]] = (),
        traffic: Sequence[Mapping[str, Any]] = (),
        **objects: Sequence[Any],
    ) -> None:
        self.start, self.now = START, START + round(seconds * 1000)
        self.causes = GivenCauses(records)
        self._objects = {plural: [freeze(o) for o in many] for plural, many in objects.items()}
        self._facts, self._node_facts, self._traffic = facts or {}, node_facts or {}, traffic

    def objects(self, plural: str, namespace: str | None = None) -> list[Map]:
        return [o for o in self._objects.get(plural, []) if namespace is None or o["metadata"].get("namespace") == namespace]

    def changed(self, plural: str, since: int) -> tuple[int, None]:
        return 0, None  # a cluster without a history

    def facts(self, pod_uid: str) -> Mapping[str, Any]:
        return self._facts.get(pod_uid, {})

    def node_facts(self, name: str) -> Mapping[str, Any]:
        return self._node_facts.get(name, {})

    def traffic(self, since: int) -> list[Mapping[str, Any]]:
        return [item for item in self._traffic if item["t"] >= since]


class GivenCauses:
    def __init__(self, records: Sequence[Mapping[str, Any]]) -> None:
        self.records = [
            {"id": i, "because": None, "object": None, "revision": None, "facts": {}, **r} for i, r in enumerate(records, 1)
        ]

    def record(self, id: Any) -> Mapping[str, Any] | None:
        return self.records[id - 1] if id and id <= len(self.records) else None

    def latest(self, object_ref: str) -> list[int]:
        return [r["id"] for r in reversed(self.records) if r["object"] == object_ref]

    def since(self, record_id: int) -> list[Mapping[str, Any]]:
        return self.records[record_id:]


def at(seconds: float) -> int:
    return START + round(seconds * 1000)


def when(seconds: float) -> str:
    return rfc3339(at(seconds))


def node(name: str, *, ready: str = "True", cpu: str = "2", memory: str = "4Gi", **spec: Any) -> dict[str, Any]:
    return {
        "kind": "Node",
        "metadata": {"name": name, "uid": f"node-{name}"},
        "spec": spec,
        "status": {
            "allocatable": {"cpu": cpu, "memory": memory, "pods": "110"},
            "conditions": [{"type": "Ready", "status": ready}],
        },
    }


def container(name: str, image: str = "nginx:1.14.2", **spec: Any) -> dict[str, Any]:
    return {"name": name, "image": image, **spec}


def running(name: str, *, ready: bool = True, restarts: int = 0) -> dict[str, Any]:
    return {"name": name, "ready": ready, "started": True, "restartCount": restarts, "state": {"running": {"startedAt": when(1)}}}


def waiting(name: str, reason: str, *, restarts: int = 0, code: int | None = None, message: str = "") -> dict[str, Any]:
    last = {"terminated": {"exitCode": code, "reason": "Error"}} if code is not None else {}
    return {
        "name": name,
        "ready": False,
        "started": False,
        "restartCount": restarts,
        "state": {"waiting": {"reason": reason, "message": message}},
        "lastState": last,
    }


def ended(name: str, code: int = 0, reason: str = "") -> dict[str, Any]:
    return {
        "name": name,
        "ready": False,
        "started": False,
        "restartCount": 0,
        "state": {"terminated": {"exitCode": code, "reason": reason or ("Error" if code else "Completed")}},
    }


def pod(
    name: str,
    *statuses: dict[str, Any],
    node: str = "node-1",
    ip: str = "10.244.0.9",
    phase: str = "Running",
    namespace: str = "default",
    containers: Sequence[dict[str, Any]] | None = None,
    inits: Sequence[dict[str, Any]] = (),
    init_statuses: Sequence[dict[str, Any]] = (),
    owner: dict[str, Any] | None = None,
    labels: dict[str, str] | None = None,
    created: float = 1,
    volumes: Sequence[dict[str, Any]] = (),
    deleted: float | None = None,
    **status: Any,
) -> dict[str, Any]:
    names = containers if containers is not None else [container(s["name"]) for s in statuses]
    meta: dict[str, Any] = {
        "name": name,
        "namespace": namespace,
        "uid": f"u-{name}",
        "creationTimestamp": when(created),
        "labels": labels or {},
    }
    if owner:
        meta["ownerReferences"] = [
            {"kind": owner["kind"], "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"], "controller": True}
        ]
    if deleted is not None:
        meta |= {"deletionTimestamp": when(deleted), "deletionGracePeriodSeconds": 30}
    return {
        "kind": "Pod",
        "metadata": meta,
        "spec": {
            "containers": list(names),
            "volumes": list(volumes),
            **({"initContainers": list(inits)} if inits else {}),
            **({"nodeName": node} if node else {}),
        },
        "status": {
            "phase": phase,
            **({"podIP": ip, "podIPs": [{"ip": ip}]} if ip else {}),
            "containerStatuses": list(statuses),
            **({"initContainerStatuses": list(init_statuses)} if init_statuses else {}),
            **status,
        },
    }


def owner(
    kind: str,
    name: str,
    *,
    replicas: int = 1,
    ready: int = 0,
    by: dict[str, Any] | None = None,
    revision: str = "",
    **status: Any,
) -> dict[str, Any]:
    meta: dict[str, Any] = {"name": name, "namespace": "default", "uid": f"u-{kind}-{name}"}
    if revision:
        meta["annotations"] = {"deployment.kubernetes.io/revision": revision}
    if by:
        meta["ownerReferences"] = [
            {"kind": by["kind"], "name": by["metadata"]["name"], "uid": by["metadata"]["uid"], "controller": True}
        ]
    return {
        "kind": kind,
        "metadata": meta,
        "spec": {"replicas": replicas, "template": {"spec": {"containers": [container("c", f"nginx:{revision or 1}")]}}},
        "status": {"replicas": replicas, "readyReplicas": ready, "updatedReplicas": replicas, **status},
    }


def service(name: str, *, selector: dict[str, str] | None = None, port: int = 80) -> dict[str, Any]:
    return {
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default", "uid": f"u-svc-{name}"},
        "spec": {
            "type": "ClusterIP",
            "clusterIP": "10.96.31.7",
            "selector": selector or {},
            "ports": [{"port": port, "targetPort": port}],
        },
    }


def endpoints(service_name: str, *pods: dict[str, Any], ready: bool = True) -> dict[str, Any]:
    return {
        "kind": "EndpointSlice",
        "metadata": {"name": f"{service_name}-x", "namespace": "default", "labels": {"kubernetes.io/service-name": service_name}},
        "endpoints": [
            {"addresses": ["10.244.0.9"], "conditions": {"ready": ready}, "targetRef": {"uid": p["metadata"]["uid"]}}
            for p in pods
        ],
    }
