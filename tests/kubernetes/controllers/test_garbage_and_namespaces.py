from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from podlab.kubernetes.apiserver import account_tokens
from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.times import rfc3339

from .support import admin, alive, condition, create, pod, pods, workload


def test_dependents_follow_their_owner(cluster: Cluster) -> None:
    create(cluster, "deployments", workload("Deployment", replicas=2))
    cluster.run_for(3)
    admin(cluster).delete("deployments", "web", "default", propagation="Background")
    assert admin(cluster).find("deployments", "web", "default") is None
    cluster.run_for(2)
    assert not pods(cluster) and not admin(cluster).list("replicasets", "default")


def test_foreground_keeps_the_owner_until_its_dependents_have_gone(make_cluster: Any) -> None:
    cluster = make_cluster(stop_ms=5000)
    create(cluster, "deployments", workload("Deployment", replicas=2))
    cluster.run_for(3)
    admin(cluster).delete("deployments", "web", "default", propagation="Foreground")
    cluster.run_for(4)
    assert admin(cluster).get("deployments", "web", "default")["metadata"]["finalizers"] == ["foregroundDeletion"]
    assert not alive(cluster) and len(pods(cluster)) == 2
    cluster.run_for(3)
    assert not pods(cluster) and admin(cluster).find("deployments", "web", "default") is None


def test_owners_in_a_circle_do_not_wait_for_one_another(cluster: Cluster) -> None:
    made = [create(cluster, "pods", pod(f"pod{n}", terminationGracePeriodSeconds=0)) for n in range(3)]
    for n, owner in ((0, 2), (1, 0), (2, 1)):
        reference = {"apiVersion": "v1", "kind": "Pod", "name": f"pod{owner}", "uid": made[owner]["metadata"]["uid"], "controller": True,
                     "blockOwnerDeletion": True}
        admin(cluster).patch("pods", f"pod{n}", {"metadata": {"ownerReferences": [reference]}}, "default")
    cluster.run_for(5)
    admin(cluster).delete("pods", "pod0", "default", propagation="Foreground")
    cluster.run_for(5)
    assert pods(cluster) == []


def test_an_owner_goes_when_the_last_dependent_has_another_owner(cluster: Cluster) -> None:
    stays, goes = (create(cluster, "configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}) for name in ("stays", "goes"))
    references = [{"apiVersion": "v1", "kind": "ConfigMap", "name": one["metadata"]["name"], "uid": one["metadata"]["uid"],
                   "blockOwnerDeletion": True} for one in (stays, goes)]
    create(cluster, "secrets", {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "shared", "ownerReferences": references}})
    admin(cluster).delete("configmaps", "goes", "default", propagation="Foreground")
    cluster.run_for(2)
    assert admin(cluster).find("configmaps", "goes", "default") is None
    assert [one["name"] for one in admin(cluster).get("secrets", "shared", "default")["metadata"]["ownerReferences"]] == ["stays"]


def test_a_dependent_that_blocks_nobody_goes_before_its_owner_too(cluster: Cluster) -> None:
    root = create(cluster, "configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "root"}})
    for name, blocks in (("stuck", True), ("free", False)):
        reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "root", "uid": root["metadata"]["uid"], "blockOwnerDeletion": blocks}
        create(cluster, "secrets", {"apiVersion": "v1", "kind": "Secret", "metadata": {
            "name": name, "ownerReferences": [reference], **({"finalizers": ["example.com/hold"]} if blocks else {})}})
    admin(cluster).delete("configmaps", "root", "default", propagation="Foreground")
    cluster.run_for(2)
    assert [one["metadata"]["name"] for one in admin(cluster).list("secrets", "default")] == ["stuck"]
    assert admin(cluster).find("configmaps", "root", "default") is not None


def test_orphans_stay_without_their_owner(cluster: Cluster) -> None:
    create(cluster, "replicasets", workload("ReplicaSet", replicas=2))
    cluster.run_for(3)
    before = alive(cluster)
    admin(cluster).delete("replicasets", "web", "default", propagation="Orphan")
    cluster.run_for(3)
    assert alive(cluster) == before and admin(cluster).find("replicasets", "web", "default") is None
    assert all(not p["metadata"].get("ownerReferences") for p in pods(cluster))


def test_an_object_whose_owner_never_was_goes(cluster: Cluster) -> None:
    reference = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "nobody", "uid": "none", "controller": True}
    create(cluster, "pods", {**pod("stray"), "metadata": {"name": "stray", "ownerReferences": [reference]}})
    cluster.run_for(3)
    assert not pods(cluster)


@pytest.mark.parametrize(("plural", "name"), [("serviceaccounts", "default"), ("configmaps", "kube-root-ca.crt")])
def test_each_namespace_gets(cluster: Cluster, plural: str, name: str) -> None:
    admin(cluster).create("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}})
    cluster.run_for(1)
    assert admin(cluster).find(plural, name, "x") is not None
    admin(cluster).delete(plural, name, "x")
    cluster.run_for(1)
    assert admin(cluster).find(plural, name, "x") is not None


def test_a_namespace_goes_pods_first_and_tells_what_remains(make_cluster: Any) -> None:
    cluster = make_cluster(stop_ms=2000)
    admin(cluster).create("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}})
    cluster.run_for(1)
    create(cluster, "configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}, "x")
    create(cluster, "replicasets", workload("ReplicaSet", replicas=2), "x")
    cluster.run_for(2)
    admin(cluster).delete("namespaces", "x")
    cluster.run_for(4.9)
    assert len(pods(cluster, "x")) == 2 and condition(cluster, "namespaces", "x", "NamespaceContentRemaining") is None
    cluster.run_for(1)  # namespaceDeletionGracePeriod is over
    assert condition(cluster, "namespaces", "x", "NamespaceContentRemaining") == "True:SomeResourcesRemain"
    assert admin(cluster).find("configmaps", "c", "x") is not None
    cluster.run_for(3.9)
    assert not pods(cluster, "x") and admin(cluster).find("namespaces", "x") is not None
    cluster.run_for(1)  # its own change of status had it looked at again after five seconds
    assert admin(cluster).find("namespaces", "x") is None and not admin(cluster).list("configmaps", "x")


def test_pods_that_outlive_their_grace_are_a_failure_of_the_namespace_until_they_go(make_cluster: Any) -> None:
    cluster = make_cluster(stop_ms=8000)
    admin(cluster).create("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}})
    cluster.run_for(1)
    create(cluster, "pods", pod("slow", terminationGracePeriodSeconds=3), "x")
    cluster.run_for(2)
    admin(cluster).delete("namespaces", "x")
    cluster.run_for(7)
    held = admin(cluster).get("namespaces", "x")["status"]["conditions"]
    assert [c["message"] for c in held if c["type"] == "NamespaceDeletionContentFailure"] == [
        "Failed to delete all resource types, 1 remaining: unexpected items still remain in namespace: x for gvr: /v1, Resource=pods"]
    cluster.run_for(12)
    assert admin(cluster).find("namespaces", "x") is None


@pytest.mark.slow
def test_a_checkpoint_in_the_middle_of_everything_gives_the_same_future(cluster: Cluster) -> None:
    create(cluster, "deployments", workload("Deployment", replicas=3))
    create(cluster, "statefulsets", workload("StatefulSet", "db", serviceName="db", replicas=2))
    cluster.run_for(0.5)
    copy = Cluster.restore(json.loads(json.dumps(cluster.checkpoint())), strict=True)
    for one in (cluster, copy):
        one.run_for(1)
        admin(one).delete("deployments", "web", "default", propagation="Foreground")
        one.run_for(5)
    assert json.dumps(cluster.checkpoint()["etcd"], sort_keys=True) == json.dumps(copy.checkpoint()["etcd"], sort_keys=True)


def test_what_a_part_that_is_no_more_had_still_to_do_is_left_undone(cluster: Cluster) -> None:
    state = json.loads(json.dumps(cluster.checkpoint()))
    state["clock"]["timers"].append([state["clock"]["now"] + 1, 0, state["clock"]["sequence"], "host-path-provisioner", "default/a", None])
    state["clock"]["sequence"] += 1
    Cluster.restore(state, strict=True).run_for(1)


def token_secret(account: str) -> dict[str, Any]:
    metadata = {"name": "kept", "annotations": {"kubernetes.io/service-account.name": account}}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "kubernetes.io/service-account-token"}


def test_a_token_secret_is_filled_for_its_account_whose_bearer_is_known_until_either_goes(cluster: Cluster) -> None:
    create(cluster, "serviceaccounts", {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot"}})
    create(cluster, "secrets", token_secret("robot"))
    cluster.run_for(1)
    data = admin(cluster).get("secrets", "kept", "default")["data"]
    assert sorted(data) == ["ca.crt", "namespace", "token"] and base64.b64decode(data["namespace"]) == b"default"
    token = base64.b64decode(data["token"]).decode()
    assert account_tokens.user_info(account_tokens.check(cluster, token))["username"] == "system:serviceaccount:default:robot"
    admin(cluster).delete("serviceaccounts", "robot", "default")
    cluster.run_for(1)
    assert admin(cluster).find("secrets", "kept", "default") is None
    with pytest.raises(account_tokens.BadToken):
        account_tokens.check(cluster, token)


def test_a_token_secret_for_nobody_goes_at_once(cluster: Cluster) -> None:
    create(cluster, "secrets", token_secret("nobody"))
    cluster.run_for(1)
    assert admin(cluster).find("secrets", "kept", "default") is None


def bootstrap_token(cluster: Cluster, name: str, namespace: str = "kube-system", **data: str) -> None:
    create(cluster, "secrets", {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "type": "bootstrap.kubernetes.io/token",
                                "stringData": data}, namespace)


def test_a_bootstrap_token_goes_when_its_time_is_over(cluster: Cluster) -> None:
    bootstrap_token(cluster, "soon", expiration=rfc3339(cluster.now + 5_000))
    bootstrap_token(cluster, "unreadable", expiration="tomorrow")
    bootstrap_token(cluster, "endless")
    bootstrap_token(cluster, "elsewhere", "default", expiration=rfc3339(cluster.now - 5_000))
    left = []
    for seconds in (3, 3):
        cluster.run_for(seconds)
        left.append([one["metadata"]["name"] for one in admin(cluster).list("secrets")])
    assert left == [["elsewhere", "endless", "soon"], ["elsewhere", "endless"]]
