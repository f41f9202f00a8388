"""Claims that controllers make and clear away, and which evictions a budget lets through.

Sources: pkg/controller/volume/ephemeral, pkg/controller/resourceclaim (podResourceClaimAnnotation), pkg/controller/statefulset
(PersistentVolumeClaimRetentionPolicy), pkg/registry/core/pod/storage/eviction.go (UnhealthyPodEvictionPolicy), pkg/controller/job
(success_policy.go).
"""

from __future__ import annotations

from typing import Any

import pytest

from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.cluster import Cluster

from .support import admin, alive, create, events, pod, pods, scale, status, workload

ASKS = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}


def names(cluster: Cluster, plural: str) -> list[str]:
    return [one["metadata"]["name"] for one in admin(cluster).list(plural, "default")]


def test_a_pod_with_an_ephemeral_volume_has_a_claim_of_its_own_that_goes_with_it(cluster: Cluster) -> None:
    template = {"metadata": {"labels": {"for": "scratch"}}, "spec": ASKS}
    create(cluster, "pods", pod("p", volumes=[{"name": "scratch", "ephemeral": {"volumeClaimTemplate": template}}]))
    cluster.run_for(2)
    made = admin(cluster).get("persistentvolumeclaims", "p-scratch", "default")
    assert made["metadata"]["labels"] == {"for": "scratch"}
    assert [(one["kind"], one["name"], one["controller"]) for one in made["metadata"]["ownerReferences"]] == [("Pod", "p", True)]
    admin(cluster).delete("pods", "p", "default")
    cluster.run_for(5)
    assert names(cluster, "persistentvolumeclaims") == []


def test_an_ephemeral_volumes_claim_is_made_once_another_of_its_name_has_gone(cluster: Cluster) -> None:
    foreign = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "a-p-scratch"}, "spec": {**ASKS, "storageClassName": ""}}
    create(cluster, "persistentvolumeclaims", foreign)
    scratch = {"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"spec": ASKS}}}
    create(cluster, "pods", pod("a-p", volumes=[scratch]))
    cluster.run_for(2)
    assert "ownerReferences" not in admin(cluster).get("persistentvolumeclaims", "a-p-scratch", "default")["metadata"]
    admin(cluster).delete("persistentvolumeclaims", "a-p-scratch", "default")
    admin(cluster).patch("persistentvolumeclaims", "a-p-scratch", {"metadata": {"finalizers": None}}, "default")
    cluster.run_for(2)
    assert admin(cluster).get("persistentvolumeclaims", "a-p-scratch", "default")["metadata"]["ownerReferences"][0]["name"] == "a-p"


def device_template() -> dict[str, Any]:
    return {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceClaimTemplate",
        "metadata": {"name": "gpu"},
        "spec": {"spec": {"devices": {"requests": [{"name": "one", "exactly": {"deviceClassName": "gpu.example.com"}}]}}},
    }


def test_a_pod_that_names_a_template_has_a_resource_claim_made_and_written_into_its_status(cluster: Cluster) -> None:
    create(cluster, "pods", pod("p", resourceClaims=[{"name": "card", "resourceClaimTemplateName": "gpu"}]))
    cluster.run_for(1)
    assert events(cluster, "FailedResourceClaimCreation") == [
        'PodResourceClaim card: resource claim template "gpu": resourceclaimtemplate.resource.k8s.io "gpu" not found'
    ]
    create(cluster, "resourceclaimtemplates", device_template())
    cluster.run_for(1)
    (made,) = admin(cluster).list("resourceclaims", "default")
    assert made["metadata"]["name"].startswith("p-card-") and made["spec"]["devices"]["requests"][0]["exactly"]["count"] == 1
    assert made["metadata"]["annotations"] == {"resource.kubernetes.io/pod-claim-name": "card"}
    assert status(cluster, "pods", "p")["resourceClaimStatuses"] == [{"name": "card", "resourceClaimName": made["metadata"]["name"]}]


RETENTION: list[tuple[str, str, str, list[str], list[str]]] = [  # whenScaled, whenDeleted, claims after scaling to one, and after deletion
    ("kept always (the default)", "Retain", "Retain", ["data-db-0", "data-db-1"], ["data-db-0", "data-db-1"]),
    ("those of Pods scaled away go", "Delete", "Retain", ["data-db-0"], ["data-db-0"]),
    ("they go with the set alone", "Retain", "Delete", ["data-db-0", "data-db-1"], []),
    ("they go either way", "Delete", "Delete", ["data-db-0"], []),
]


@pytest.mark.parametrize(("scaled", "deleted", "after_scaling", "after_deletion"), [row[1:] for row in RETENTION], ids=[row[0] for row in RETENTION])
def test_claims_of_a_statefulset(cluster: Cluster, scaled: str, deleted: str, after_scaling: list[str], after_deletion: list[str]) -> None:
    create(cluster, "statefulsets", workload("StatefulSet", "db", serviceName="db", replicas=2, volumeClaimTemplates=[
        {"metadata": {"name": "data"}, "spec": ASKS}],
        persistentVolumeClaimRetentionPolicy={"whenScaled": scaled, "whenDeleted": deleted}))  # fmt: skip
    cluster.run_for(5)
    scale(cluster, "statefulsets", "db", 1)
    cluster.run_for(5)
    assert names(cluster, "persistentvolumeclaims") == after_scaling
    admin(cluster).delete("statefulsets", "db", "default")
    cluster.run_for(10)
    assert (names(cluster, "persistentvolumeclaims"), pods(cluster)) == (after_deletion, [])


EVICTIONS: list[tuple[str, str | None, int, int, bool]] = [  # policy, minAvailable, Pods that are ready of two, whether an unready one may go
    ("the budget is met: an unready one may go", None, 1, 1, True),
    ("the budget is not met: nobody may go", None, 2, 1, False),
    ("the same, said explicitly", "IfHealthyBudget", 2, 1, False),
    ("an unready one may always go", "AlwaysAllow", 2, 1, True),
]


@pytest.mark.parametrize(("policy", "least", "ready", "may"), [row[1:] for row in EVICTIONS], ids=[row[0] for row in EVICTIONS])
def test_an_unready_pod_and_its_budget(make_cluster: Any, policy: str | None, least: int, ready: int, may: bool) -> None:
    cluster = make_cluster(ready_ms=None)
    create(cluster, "replicasets", workload("ReplicaSet", replicas=2))
    cluster.run_for(1)
    hands = cluster.components["hands"]
    held = pods(cluster)
    for number, one in enumerate(held):
        hands.ready(one) if number < ready else hands.ready(one, False)
    spec = {"minAvailable": least, "selector": {"matchLabels": {"app": "web"}}, **({"unhealthyPodEvictionPolicy": policy} if policy else {})}
    create(cluster, "poddisruptionbudgets", {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "b"}, "spec": spec})
    cluster.run_for(1)
    victim = held[-1]["metadata"]["name"]
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": victim, "namespace": "default"}}
    try:
        cluster.apply({"at": cluster.now, "do": "request", "verb": "create", "resource": "pods", "name": victim, "namespace": "default",
                       "subresource": "eviction", "body": eviction})  # fmt: skip
        gone = True
    except ApiError as error:
        assert error.code == 429
        gone = False
    assert gone is may and (victim not in alive(cluster)) is may
