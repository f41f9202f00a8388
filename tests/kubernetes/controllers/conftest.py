"""A cluster with controllers only. `Hands` stands in for scheduler and kubelets: Pods run, end and go when a test says so."""

from __future__ import annotations

from typing import Any

import pytest

from podlab.kubernetes import components
from podlab.kubernetes.cause import Cause
from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.component import Component
from podlab.kubernetes.controllers import CONTROLLERS
from podlab.kubernetes.etcd import Change
from podlab.kubernetes.objects import Map, dig
from podlab.kubernetes.times import rfc3339
from tests.kubernetes.frozen import thawed

EPOCH_MS = 1_795_219_200_000
DID = Cause("test")


class Hands(Component):
    """Binds each new Pod, makes it Ready after `ready_ms`, and lets a deleted one go after `stop_ms`. None: never by itself."""

    name = "hands"

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self.state = {"ready_ms": 500, "stop_ms": 300, "silent": {}, "ip": 1}

    def restore(self) -> None:
        self.cluster.etcd.subscribe("pods", self._on_pod)

    def _on_pod(self, change: Change) -> None:
        uid = change.object["metadata"]["uid"]
        if change.type == "ADDED" and self.state["ready_ms"] is not None:
            self.after(self.state["ready_ms"], ["ready", change.key, uid])
        gone = change.type == "MODIFIED" and change.object["metadata"].get("deletionTimestamp")
        before = change.old["metadata"] if change.old is not None else {}
        if gone and not before.get("deletionTimestamp") and self.state["stop_ms"] is not None:
            self.after(self.state["stop_ms"], ["stop", change.key, uid])

    def on_timer(self, payload: Any) -> None:
        what, key, uid = payload
        pod = self.cluster.etcd.get("pods", key)
        if pod is None or pod["metadata"]["uid"] != uid:
            return
        if what == "stop":
            self.client.delete("pods", pod["metadata"]["name"], pod["metadata"]["namespace"], grace=0)
        elif not pod["metadata"].get("deletionTimestamp"):
            self.ready(pod)

    def ready(self, pod: Map, value: bool = True) -> Map:
        if not pod["spec"].get("nodeName"):
            pod = self.cluster.server.store("pods", {**pod, "spec": {**pod["spec"], "nodeName": "node-1"}}, DID)
        self.state["ip"] += 1
        number = self.state["ip"]
        text = "True" if value else "False"
        ip = dig(pod, "status.podIP") or f"10.244.{number // 256}.{number % 256}"
        status = {**pod["status"], "phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}],
                  "conditions": [{"type": "Ready", "status": text, "lastTransitionTime": rfc3339(self.now)}],
                  "containerStatuses": [{"name": c["name"], "restartCount": 0, "ready": value, "state": {"running": {}}}
                                        for c in pod["spec"]["containers"]]}
        return self.cluster.server.store("pods", {**pod, "status": status}, DID)

    def end(self, pod: Map, phase: str = "Succeeded", code: int = 0) -> Map:
        state = {"terminated": {"exitCode": code, "finishedAt": rfc3339(self.now), "reason": "Completed" if not code
                                else "Error"}}
        status = {**pod["status"], "phase": phase,
                  "conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": rfc3339(self.now)}],
                  "containerStatuses": [{"name": c["name"], "restartCount": 0, "ready": False, "state": state}
                                        for c in pod["spec"]["containers"]]}
        return self.cluster.server.store("pods", {**pod, "status": status}, DID)


class FakeKubelet(Component):
    """Only a heart: `silence` stops it."""

    def __init__(self, cluster: Cluster, node: str) -> None:
        self.name = f"kubelet/{node}"
        super().__init__(cluster)
        self.state = {"since": None}

    def heartbeat(self) -> int:
        return self.now if self.state["since"] is None else int(self.state["since"])

    def fault(self, fault: dict[str, Any]) -> None:
        self.state["since"] = None if fault["power"] == "on" else self.now


def new_cluster(monkeypatch: pytest.MonkeyPatch, nodes: int = 2, **hands: Any) -> Cluster:
    spec = {"nodes": [{"name": f"node-{i + 1}", "cpu": "2", "memory": "4Gi"} for i in range(nodes)]}
    monkeypatch.setattr(components, "components", lambda cluster: [
        cluster.events, *(controller(cluster) for controller in CONTROLLERS), Hands(cluster),
        *(FakeKubelet(cluster, node["name"]) for node in spec["nodes"])])

    def begin() -> Cluster:
        made = Cluster.create(1, EPOCH_MS, spec, strict=True)
        made.components["hands"].state.update(hands)
        made.run_for(1)
        return made

    return thawed(f"controllers only {nodes} {hands}", begin)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    return new_cluster(monkeypatch)


@pytest.fixture
def make_cluster(monkeypatch: pytest.MonkeyPatch) -> Any:
    return lambda **hands: new_cluster(monkeypatch, **hands)
