"""What holds in every cluster at every moment, whatever people do and whatever breaks (watch.py, storms.py); here it is also shown to be noticed."""

from __future__ import annotations

from typing import Any

import pytest

from podlab.kubernetes.cause import UNSAID
from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.objects import thaw

from .storms import SPEC, Storm
from .watch import Broken, Watch
from .worlds import EPOCH_MS, create, deployment

SHORT = [(seed, 4) for seed in (1, 2, 3)]
LONG = [(100 * turn, 10) for turn in range(1, 11)]  # 10 seeds of 10 hours each


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "hours"), SHORT)
def test_a_storm_breaks_no_invariant(seed: int, hours: float) -> None:
    Storm(seed, hours).blow()


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "hours"), LONG)
def test_a_thousand_hours_of_storms_break_no_invariant(seed: int, hours: float) -> None:
    for number in range(seed, seed + 10):
        Storm(number, hours).blow()


# ---- the watch notices


def calm() -> tuple[Cluster, Watch]:
    """A cluster with two running Pods, and somebody who watches."""
    cluster = Cluster.create(1, EPOCH_MS, SPEC, strict=True)
    watch = Watch(cluster)
    cluster.apply({"at": cluster.now, **create("deployments", deployment("a", 2, "nginx:1.14.2"))})
    cluster.run_for(60)
    watch.look()
    watch.look_at_rest()
    return cluster, watch


def put(cluster: Cluster, plural: str, index: int, **status: Any) -> None:
    obj = cluster.etcd.list(plural)[index]
    cluster.server.store(plural, {**obj, "status": {**obj["status"], **status}}, UNSAID)


def test_two_running_pods_with_one_address_are_noticed() -> None:
    cluster, watch = calm()
    cluster.run_for(60)
    put(cluster, "pods", 0, podIP="10.244.0.9")
    put(cluster, "pods", 1, podIP="10.244.0.9")
    with pytest.raises(Broken, match=r"both have 10\.244\.0\.9"):
        watch.look()


def test_a_pod_that_moves_or_runs_in_two_places_is_noticed() -> None:
    cluster, watch = calm()
    pod = cluster.etcd.list("pods")[0]
    elsewhere = next(name for name in ("node-1", "node-2") if name != pod["spec"]["nodeName"])
    cluster.server.store("pods", {**pod, "spec": {**pod["spec"], "nodeName": elsewhere}}, UNSAID)
    with pytest.raises(Broken, match=r"(?s)moved from .*bound to"):
        watch.look()


def test_containers_of_a_pod_that_is_gone_are_noticed() -> None:
    cluster, watch = calm()
    pod = cluster.etcd.list("pods")[0]
    kubelet = cluster.kubelet(pod["spec"]["nodeName"])
    heard = cluster.etcd._subscribers["pods"]
    cluster.etcd._subscribers["pods"] = [one for one in heard if getattr(one[0], "__self__", None) is not kubelet]
    cluster.etcd._routes.clear()
    cluster.server.drop("pods", pod, UNSAID)
    cluster.run_for(120)
    with pytest.raises(Broken, match=r"runs on .* after the Pod went"):
        watch.look()


@pytest.mark.parametrize(("status", "words"), [({"observedGeneration": 9}, "observed generation 9 of 1"), ({"readyReplicas": -1}, "is -1")])
def test_counts_that_cannot_be_are_noticed(status: dict[str, int], words: str) -> None:
    cluster, watch = calm()
    put(cluster, "replicasets", 0, **status)
    with pytest.raises(Broken, match=words):
        watch.look()


def test_an_object_that_goes_with_its_finalizer_is_noticed() -> None:
    cluster, watch = calm()
    pod = thaw(cluster.etcd.list("pods")[0])
    pod["metadata"]["finalizers"] = ["a/b"]
    cluster.server.drop("pods", cluster.server.store("pods", pod, UNSAID), UNSAID)
    with pytest.raises(Broken, match="gone with finalizers"):
        watch.look()


def test_dependents_that_outlive_their_owner_are_noticed() -> None:
    cluster, watch = calm()
    cluster.server.drop("replicasets", cluster.etcd.list("replicasets")[0], UNSAID)
    with pytest.raises(Broken, match="outlives its owners"):
        watch.look_at_rest()


def test_a_set_that_does_not_come_to_rest_is_noticed() -> None:
    cluster, watch = calm()
    cluster.server.drop("pods", cluster.etcd.list("pods")[0], UNSAID)
    with pytest.raises(Broken, match="2 wanted, 1 alive"):
        watch.look_at_rest()


def test_a_pod_beyond_its_quota_is_noticed() -> None:
    cluster, watch = calm()
    cluster.apply({"at": cluster.now, **create("resourcequotas", {
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": {"pods": "2"}}})})
    cluster.run_for(5)
    pod = thaw(cluster.etcd.list("pods")[0])
    pod["metadata"].update(name="third", uid="third")
    cluster.server.store_new("pods", pod, UNSAID)
    with pytest.raises(Broken, match="the 3th Pod under quota q of 2"):
        watch.look()
