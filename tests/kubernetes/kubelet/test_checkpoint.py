"""A kubelet's state is plain data: saved at any instant, it goes on exactly as if nothing had happened."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from podlab.kubernetes.cluster import Cluster
from tests.kubernetes.kubelet.given import EPOCH_MS, World, config_map, pod, sh, world

PROBE = {"exec": {"command": ["cat", "/ok"]}, "periodSeconds": 2, "failureThreshold": 2}


def busy_world(seed: int) -> World:
    """Pods that are in the middle of everything at all times."""
    it = world(nodes=2, seed=seed, images=["busybox:1.36"])
    it.create(pod(sh("sleep 2; exit 1"), name="crash"))
    it.create(
        pod(
            sh("touch /ok; sleep 9; rm /ok; sleep 60", livenessProbe=PROBE, readinessProbe=PROBE),
            name="probed",
            terminationGracePeriodSeconds=3,
        )
    )
    it.create(
        pod(
            sh("sleep 5"),
            name="order",
            restartPolicy="Never",
            init=[sh("sleep 2", name="one"), sh("trap 'exit 0' TERM; sleep 60 & wait", name="side", restartPolicy="Always")],
        )
    )
    it.create(pod({"name": "c", "image": "nginx:no-such-tag"}, name="pull"))
    it.create(
        pod(
            sh("cat /conf/mode; sleep 60", volumeMounts=[{"name": "v", "mountPath": "/conf"}]),
            name="config",
            volumes=[{"name": "v", "configMap": {"name": "conf"}}],
        )
    )
    it.create(
        pod(
            sh("sleep 60", lifecycle={"preStop": {"exec": {"command": ["sleep", "3"]}}}),
            name="hooked",
            terminationGracePeriodSeconds=6,
        )
    )
    return it


def later(it: World, seconds: float) -> list[Any]:
    """What happens from now on: every change, with its time."""
    seen: list[Any] = []
    it.cluster.etcd.subscribe("*", lambda change: seen.append([change.at, change.type, change.plural, change.object]))
    begun = it.cluster.now
    it.run(seconds / 2)
    if it.cluster.etcd.get("pods", "default/hooked") is not None:
        it.delete("hooked")
    if it.cluster.etcd.get("configmaps", "default/conf") is None:
        it.create(config_map("conf", mode="x"))
    it.cluster.run_until(begun + round(seconds * 1000))
    return seen


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 6))])
def test_a_restored_cluster_has_the_same_future(seed: int) -> None:
    moment = random.Random(seed).uniform(0.05, 20)
    it = busy_world(seed)
    it.run(moment)
    saved = json.dumps(it.cluster.checkpoint())
    again = World(Cluster.restore(json.loads(saved), strict=True))
    assert json.dumps(again.cluster.checkpoint()) == saved
    first, second = later(it, 25), later(again, 25)
    assert len(first) > 20
    assert first == second
    assert json.dumps(it.cluster.checkpoint()) == json.dumps(again.cluster.checkpoint()), (
        f"seed {seed}, moment {moment} after {EPOCH_MS}"
    )
