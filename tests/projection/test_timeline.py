"""The time track's dots when they are kept between looks."""

from __future__ import annotations

import pytest

from podlab.kubernetes.cluster import Cluster
from podlab.projection.timeline import Past, timeline

EPOCH_MS = 1_795_219_200_000
SPEC = {"nodes": [{"name": "node-1", "cpu": "4", "memory": "8Gi", "pods": "110"}]}
POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {"containers": [
    {"name": "web", "image": "busybox", "command": ["sh", "-c", "sleep 2; exit 1"]}]}}


@pytest.mark.slow
def test_dots_that_are_kept_between_looks_are_those_that_a_new_look_finds() -> None:
    cluster, past = Cluster.create(1, EPOCH_MS, SPEC, strict=True), Past()
    cluster.apply({"at": cluster.now, "do": "request", "verb": "create", "resource": "pods", "namespace": "default", "body": POD})
    for turn in range(40):
        cluster.run_for(1.7)
        if turn % 9 == 8:
            cluster.etcd.compact(cluster.now + 60_000)  # history is gone: all Events are read again
        assert past.timeline(cluster) == timeline(cluster)
    assert any(dot.severity == "bad" for dot in past.timeline(cluster))


def test_nothing_is_kept_of_time_that_was_wound_back() -> None:
    cluster, past = Cluster.create(1, EPOCH_MS, SPEC, strict=True), Past()
    cluster.apply({"at": cluster.now, "do": "request", "verb": "create", "resource": "pods", "namespace": "default", "body": POD})
    cluster.run_for(20)
    assert past.timeline(cluster)
    anew = Cluster.create(1, EPOCH_MS, SPEC, strict=True)
    assert past.timeline(anew) == timeline(anew)
