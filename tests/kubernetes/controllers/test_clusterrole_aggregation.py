"""ClusterRoles that gather the rules of others."""

import time

import pytest

from podlab.kubernetes.cluster import Cluster


def test_a_role_gathers_the_rules_of_those_that_its_labels_name() -> None:
    cluster = Cluster.create(1, 1_780_000_000_000, strict=True)
    client = cluster.client("kubernetes-admin")
    rule = {"apiGroups": ["stable.example.com"], "resources": ["crontabs"], "verbs": ["get"]}
    labels = {"rbac.authorization.k8s.io/aggregate-to-view": "true"}
    client.create("clusterroles", {"metadata": {"name": "crontabs", "labels": labels}, "rules": [rule]})
    cluster.run_for(1)
    assert rule in client.get("clusterroles", "view")["rules"]
    assert rule in client.get("clusterroles", "edit")["rules"]  # which gathers view
    assert rule in client.get("clusterroles", "admin")["rules"]
    client.delete("clusterroles", "crontabs")
    cluster.run_for(1)
    assert rule not in client.get("clusterroles", "admin")["rules"]


def test_the_roles_of_a_new_cluster_are_gathered_already() -> None:
    cluster = Cluster.create(1, 1_780_000_000_000, strict=True)
    before = cluster.etcd.revision
    cluster.run_for(5)
    assert cluster.etcd.revision == before


@pytest.mark.slow
def test_thousands_of_rules_are_gathered_soon_and_no_more_than_etcd_takes() -> None:
    cluster = Cluster.create(1, 1_780_000_000_000, strict=True)
    client = cluster.client("kubernetes-admin")
    began = time.process_time()
    for number in range(5):
        rules = [{"apiGroups": [f"g{number % 4}"], "resources": [f"r{count}"], "verbs": ["get"]} for count in range(1_000)]
        client.create("clusterroles", {"metadata": {"name": f"r{number}", "labels": {"a": "b"}}, "rules": rules})
    selectors = [{"matchLabels": {"a": "b"}}] * 3_000
    client.create("clusterroles", {"metadata": {"name": "all"}, "aggregationRule": {"clusterRoleSelectors": selectors}})
    cluster.run_for(1)
    assert len(client.get("clusterroles", "all")["rules"]) == 4_000
    rules = [{"apiGroups": ["x" * 50_000], "resources": [f"r{count}"], "verbs": ["get"]} for count in range(16)]
    for number in range(2):
        rules = [{**rule, "resources": [f"r{number}{count}"]} for count, rule in enumerate(rules)]
        client.create("clusterroles", {"metadata": {"name": f"s{number}", "labels": {"a": "b"}}, "rules": rules})
        cluster.run_for(1)
    assert len(client.get("clusterroles", "all")["rules"]) == 4_016  # the second was too much
    assert time.process_time() - began < 4
