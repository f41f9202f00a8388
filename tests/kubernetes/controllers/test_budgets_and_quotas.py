"""Disruption budgets and quotas."""

from __future__ import annotations

from typing import Any

import pytest

from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.controllers.disruption import numbers

from .support import admin, condition, create, events, pod, pods, status, workload


@pytest.mark.parametrize(("spec", "pods_", "scale", "healthy", "allowed"), [
    pytest.param({"minAvailable": 2}, 3, 3, 3, 1, id="one may go above the minimum"),
    pytest.param({"minAvailable": 2}, 2, 2, 2, 0, id="at the minimum none may go"),
    pytest.param({"minAvailable": "50%"}, 3, 3, 3, 1, id="half of three is rounded up to two"),
    pytest.param({"maxUnavailable": "50%"}, 3, 3, 3, 2, id="so is half of three that may be missing"),
    pytest.param({"maxUnavailable": 1}, 3, 3, 2, 0, id="one is missing already"),
    pytest.param({"minAvailable": 0}, 0, 0, 0, 0, id="nobody there, nobody may go"),
])
def test_budget_numbers(spec: dict[str, Any], pods_: int, scale: int, healthy: int, allowed: int) -> None:
    assert numbers(spec, [None] * pods_, scale, healthy).allowed == allowed


def budget(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "web"},
            "spec": {"selector": {"matchLabels": {"app": "web"}}, **spec}}


def test_a_second_eviction_is_refused_until_a_new_pod_is_ready(cluster: Cluster) -> None:
    create(cluster, "deployments", workload("Deployment", replicas=3))
    create(cluster, "poddisruptionbudgets", budget(minAvailable=2))
    cluster.run_for(5)
    assert status(cluster, "poddisruptionbudgets", "web")["disruptionsAllowed"] == 1
    first, second = (p["metadata"]["name"] for p in pods(cluster)[:2])

    def evict(name: str) -> dict[str, Any]:
        return {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    admin(cluster).create("pods", evict(first), "default", name=first, subresource="eviction")
    with pytest.raises(ApiError) as refused:
        admin(cluster).create("pods", evict(second), "default", name=second, subresource="eviction")
    assert refused.value.code == 429
    cluster.run_for(3)
    admin(cluster).create("pods", evict(second), "default", name=second, subresource="eviction")


def test_a_budget_without_pods_says_so(cluster: Cluster) -> None:
    create(cluster, "poddisruptionbudgets", budget(minAvailable=1))
    cluster.run_for(1)
    assert events(cluster, "NoPods") == ["No matching pods found"]
    assert condition(cluster, "poddisruptionbudgets", "web", "DisruptionAllowed") == "False:InsufficientPods"


def test_a_quota_writes_down_what_is_used(cluster: Cluster) -> None:
    hard = {"pods": "5", "requests.cpu": "2"}
    create(cluster, "resourcequotas", {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"},
                                       "spec": {"hard": hard}})
    containers = [{"name": "c", "image": "nginx", "resources": {"requests": {"cpu": "250m"}}}]
    create(cluster, "pods", pod("p", containers=containers))
    cluster.run_for(1)
    assert status(cluster, "resourcequotas", "q") == {"hard": hard, "used": {"pods": "1", "requests.cpu": "250m"}}


def test_a_budget_of_pods_whose_owner_has_no_scale_allows_nothing_and_says_why(cluster: Cluster) -> None:
    create(cluster, "daemonsets", workload("DaemonSet"))
    cluster.run_for(3)
    create(cluster, "poddisruptionbudgets", budget(maxUnavailable=1))
    cluster.run_for(1)
    why = "daemonsets.apps does not implement the scale subresource"
    assert events(cluster, "CalculateExpectedPodCountFailed") == [f"Failed to calculate the number of expected pods: {why}"]
    held = status(cluster, "poddisruptionbudgets", "web")
    assert held["disruptionsAllowed"] == 0 and [(c["reason"], c["message"]) for c in held["conditions"]] == [("SyncFailed", why)]
    assert "observedGeneration" not in held["conditions"][0]  # no round has seen the budget yet
