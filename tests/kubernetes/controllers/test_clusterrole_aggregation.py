"""ClusterRoles that gather the rules of others."""

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
