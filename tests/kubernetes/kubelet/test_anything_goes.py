"""Whatever people and faults do to Pods, nothing crashes, and once all are deleted their nodes are clean."""

from __future__ import annotations

import contextlib
import json
import random
from typing import Any

import pytest

from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.cluster import Cluster
from tests.kubernetes.kubelet.given import World, config_map, pod, sh, world

LINES = [
    "sleep 3600",
    "sleep 2; exit 1",
    "exit 0",
    "trap 'exit 0' TERM; while true; do sleep 1; done",
    "touch /ok; sleep 8; rm /ok; sleep 30",
]
OK = {"exec": {"command": ["cat", "/ok"]}, "periodSeconds": 1, "failureThreshold": 3}
PRE_STOP: list[dict[str, Any]] = [{"sleep": {"seconds": 3}}, {"exec": {"command": ["sleep", "5"]}}, {"httpGet": {"port": 1}}]
POST_START: list[dict[str, Any]] = [{"sleep": {"seconds": 1}}, {"exec": {"command": ["sh", "-c", "sleep 2; exit 1"]}}]
VOLUMES: list[dict[str, Any]] = [{"emptyDir": {}}, {"configMap": {"name": "conf"}}, {"hostPath": {"path": "/x"}}]
RULE = {"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [1]}}


def some_container(chance: random.Random, name: str) -> dict[str, Any]:
    one = sh(chance.choice(LINES), name=name)
    extras: list[dict[str, Any]] = [
        {"livenessProbe": OK},
        {"readinessProbe": {"tcpSocket": {"port": 80}, "periodSeconds": 2}},
        {"startupProbe": OK},
        {"lifecycle": {"preStop": chance.choice(PRE_STOP), "postStart": chance.choice(POST_START)}},
        {"lifecycle": {"preStop": chance.choice(PRE_STOP)}},
        {"image": "nginx:nope"},
        {"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "conf", "key": "k"}}}]},
        {"restartPolicy": "Never", "restartPolicyRules": [RULE]},
        {"volumeMounts": [{"name": "v", "mountPath": "/v"}]},
        {"resources": {"requests": {"cpu": "10m"}}},
    ]
    for extra in extras:
        if chance.random() < 0.2:
            one.update(extra)
    return one


def some_pod(chance: random.Random, number: int) -> dict[str, Any]:
    init = []
    for index in range(chance.choice([0, 0, 1, 2])):
        one = some_container(chance, f"i{index}")
        one.pop("restartPolicyRules", None)
        one["restartPolicy"] = "Always"
        init.append(one)
    return pod(
        *[some_container(chance, f"c{index}") for index in range(chance.choice([1, 1, 2]))],
        name=f"p{number}",
        init=init,
        restartPolicy=chance.choice(["Always", "OnFailure", "Never"]),
        terminationGracePeriodSeconds=chance.choice([0, 1, 5, 30]),
        volumes=[{"name": "v", **chance.choice(VOLUMES)}],
    )


def some_act(it: World, chance: random.Random, number: int) -> None:
    names = [one["metadata"]["name"] for one in it.cluster.etcd.list("pods", "default")] or ["none"]
    name, kind = chance.choice(names), chance.random()
    if kind < 0.45:
        it.create(some_pod(chance, number))
    elif kind < 0.6:
        it.delete(name, gracePeriodSeconds=chance.choice([0, 1, 10]))
    elif kind < 0.7:
        it.fault(node=chance.choice(["node-1", "node-2"]), power=chance.choice(["on", "on", "off", "silent"]))
    elif kind < 0.75:
        it.fault(pod=f"default/{name}", container="c0", signal=chance.choice(["KILL", "TERM"]))
    elif kind < 0.82:
        if it.cluster.etcd.get("configmaps", "default/conf"):
            it.request(verb="delete", resource="configmaps", namespace="default", name="conf")
        else:
            it.create(config_map("conf", k=str(number)))
    elif kind < 0.88:
        it.patch(name, {"spec": {"containers": [{"name": "c0", "image": "busybox:latest"}]}})
    elif kind < 0.94:
        it.patch(name, {"spec": {"ephemeralContainers": [sh("sleep 2", name=f"e{number}")]}}, subresource="ephemeralcontainers")
    else:
        it.fault(node="node-1", fill="memory", percent=chance.choice([0, 100]))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 4))
def test_nodes_are_clean_after_everything(seed: int) -> None:
    chance = random.Random(seed)
    it = world(nodes=2, seed=seed)
    for number in range(32):
        with contextlib.suppress(ApiError):
            some_act(it, chance, number)
        it.run(chance.choice([0.1, 0.5, 1.3, 4, 12]))
        if number == 16:
            it = World(Cluster.restore(json.loads(json.dumps(it.cluster.checkpoint())), strict=True))
    for node in ("node-1", "node-2"):
        it.fault(node=node, power="on")
    it.fault(node="node-1", fill="memory", percent=0)
    it.run(40)
    for one in it.cluster.etcd.list("pods", "default"):
        it.delete(one["metadata"]["name"])
    it.run(120)  # a sync that stops a container and starts it anew comes first
    assert it.cluster.etcd.list("pods", "default") == []
    for node in ("node-1", "node-2"):
        kubelet = it.cluster.kubelet(node)
        assert (kubelet.state["pods"], kubelet.state["pulls"]) == ({}, [])
        machine = kubelet.machine.state
        assert (machine["sandboxes"], machine["containers"], machine["execs"], machine["processes"]) == ({}, {}, {}, {})
    assert it.cluster.network.state["hosts"] == {}
