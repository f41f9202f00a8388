"""ConfigMaps of thousands of keys, asked for thousands of times: they cost what they are, and what would fit on no node is refused."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from podlab.kubernetes.apiserver.request import Request
from podlab.kubernetes.cluster import Cluster
from tests.kubernetes.frozen import created

EPOCH_MS = 1_795_219_200_000
CONTAINER = {"name": "c", "image": "busybox", "command": ["sleep", "9999"]}


def _with(data: dict[str, str], spec: dict[str, Any]) -> Cluster:
    cluster = created(1, EPOCH_MS, {"nodes": [{"name": "node-1"}]})
    _create(cluster, "configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": data})
    _create(cluster, "pods", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [CONTAINER], **spec}})
    return cluster


def _create(cluster: Cluster, plural: str, body: dict[str, Any]) -> None:
    cluster.server.perform(Request("create", plural, "default", body=body))


def _pod(cluster: Cluster) -> Any:
    return cluster.etcd.get("pods", "default/p")


def _said(cluster: Cluster) -> str:
    return str([event["message"] for event in cluster.etcd.list("events", "default") if event["reason"] == "FailedMount"])


@pytest.mark.slow
@pytest.mark.parametrize("projected", [False, True])
def test_a_large_configmap_mounted_thousands_of_times_fits_on_no_node(projected: bool) -> None:
    source: dict[str, Any] = {"configMap": {"name": "m"}}
    if projected:
        source = {"projected": {"sources": [source] * 300}}
    volumes = [{"name": f"v{number}", **source} for number in range(12 if projected else 1_000)]
    began = time.process_time()
    cluster = _with({f"k{number}": "" for number in range(9_000)}, {"volumes": volumes})
    cluster.run_for(20)
    assert "no space left on device" in _said(cluster)
    assert _pod(cluster)["status"]["phase"] == "Pending"
    assert time.process_time() - began < 6  # 2.3 at the most, measured on a machine at work
    assert len(json.dumps(cluster.checkpoint())) < 10_000_000


def test_what_one_pod_holds_of_a_node_another_cannot_have() -> None:
    half = {"volumes": [{"name": f"v{number}", "configMap": {"name": "m"}} for number in range(17)]}
    cluster = _with({"k": "x" * 1_000_000}, half)
    _create(cluster, "pods", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "q"}, "spec": {"containers": [CONTAINER], **half}})
    cluster.run_for(20)
    assert _pod(cluster)["status"]["phase"] == "Running"
    assert "no space left on device" in _said(cluster)
    cluster.server.perform(Request("delete", "pods", "default", "p", options={"gracePeriodSeconds": 0}))
    cluster.run_for(60)
    other: Any = cluster.etcd.get("pods", "default/q")
    assert other["status"]["phase"] == "Running"


def test_files_that_would_not_fit_leave_the_old_ones() -> None:
    mounts = [{"name": f"v{number}", "mountPath": f"/v{number}"} for number in (0, 39)]
    looking = {**CONTAINER, "command": ["sh", "-c", "sleep 110; wc -c /v0/k /v39/k; sleep 999"], "volumeMounts": mounts}
    cluster = _with({"k": "old"}, {"containers": [looking], "volumes": [{"name": f"v{n}", "configMap": {"name": "m"}} for n in range(40)]})
    cluster.run_for(10)
    cluster.server.perform(Request("update", "configmaps", "default", "m", body={
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"k": "x" * 1_000_000}}))
    cluster.run_for(110)
    said = str(cluster.kubelet("node-1").logs(_pod(cluster)["metadata"]["uid"], "c"))
    assert "1000000 /v0/k" in said and "3 /v39/k" in said


@pytest.mark.parametrize("data", [{"k": "x" * 300_000}, {f"k{number}": "" for number in range(9_000)}])
def test_an_environment_longer_than_execve_takes_is_refused(data: dict[str, str]) -> None:
    sources = [{"prefix": f"p{number}_", "configMapRef": {"name": "m"}} for number in range(500 if len(data) > 1 else 8)]
    began = time.process_time()
    cluster = _with(data, {"containers": [{**CONTAINER, "envFrom": sources}]})
    cluster.run_for(5)
    assert _pod(cluster)["status"]["containerStatuses"][0]["state"]["waiting"]["message"] == "argument list too long"
    assert time.process_time() - began < 2
