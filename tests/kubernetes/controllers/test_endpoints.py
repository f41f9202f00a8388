from __future__ import annotations

from typing import Any

from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.controllers.endpointslice import plan
from podlab.kubernetes.objects import freeze

from .support import admin, alive, create, pods, scale, workload

HTTP = ((("name", ""), ("protocol", "TCP"), ("port", 80)),)


def service(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}], **spec}}


def entry(number: int, ready: bool = True) -> Any:
    return freeze({"addresses": [f"10.0.{number // 250}.{number % 250}"], "conditions": {"ready": ready},
                   "targetRef": {"uid": f"u{number}"}})


def a_slice(name: str, entries: list[Any]) -> Any:
    return freeze({"metadata": {"name": name, "uid": name}, "endpoints": entries, "ports": [dict(port) for port in HTTP]})


def shape(todo: list[Any]) -> list[tuple[str | None, int | None]]:
    return [(one and one["metadata"]["name"], None if entries is None else len(entries)) for one, _, entries in todo]


def test_a_slice_holds_a_hundred() -> None:
    assert shape(plan([], {HTTP: [entry(i) for i in range(250)]})) == [(None, 100), (None, 100), (None, 50)]


def test_what_stays_the_same_is_not_written() -> None:
    assert plan([a_slice("a", [entry(1), entry(2)])], {HTTP: [entry(2), entry(1)]}) == []


def test_only_the_slice_with_the_changed_pod_is_written() -> None:
    slices = [a_slice("a", [entry(1)]), a_slice("b", [entry(2)])]
    assert shape(plan(slices, {HTTP: [entry(1), entry(2, ready=False)]})) == [("b", 1)]


def test_an_empty_service_keeps_one_empty_slice() -> None:
    assert shape(plan([], {})) == [(None, 0)]
    assert shape(plan([a_slice("a", [entry(1)]), a_slice("b", [entry(2)])], {})) == [("a", 0), ("b", None)]


def test_only_ready_pods_are_ready_endpoints(cluster: Cluster) -> None:
    hands: Any = cluster.components["hands"]
    create(cluster, "services", service())
    create(cluster, "replicasets", workload("ReplicaSet", replicas=2))
    cluster.run_for(3)
    hands.ready(pods(cluster)[0], False)
    cluster.run_for(1)
    one = admin(cluster).list("endpointslices", "default", labels="kubernetes.io/service-name=web")[0]
    assert sorted(e["conditions"]["ready"] for e in one["endpoints"]) == [False, True]
    mirror = admin(cluster).get("endpoints", "web", "default")["subsets"][0]
    assert len(mirror["addresses"]) == len(mirror["notReadyAddresses"]) == 1
    assert mirror["ports"] == [{"port": 80, "protocol": "TCP"}]


def test_a_terminating_pod_still_serves_but_is_not_ready(make_cluster: Any) -> None:
    cluster = make_cluster(stop_ms=5000)
    create(cluster, "services", service())
    create(cluster, "replicasets", workload("ReplicaSet", replicas=2))
    cluster.run_for(3)
    scale(cluster, "replicasets", "web", 1)
    cluster.run_for(1)
    one = admin(cluster).list("endpointslices", "default", labels="kubernetes.io/service-name=web")[0]
    assert {"ready": False, "serving": True, "terminating": True} in [e["conditions"] for e in one["endpoints"]]
    assert len(admin(cluster).get("endpoints", "web", "default")["subsets"][0]["addresses"]) == 1


def test_a_selector_that_picks_nobody_empties_the_slice(cluster: Cluster) -> None:
    create(cluster, "services", service())
    create(cluster, "replicasets", workload("ReplicaSet", replicas=2))
    cluster.run_for(3)
    admin(cluster).patch("services", "web", {"spec": {"selector": {"app": "other"}}}, "default")
    cluster.run_for(1)
    one = admin(cluster).list("endpointslices", "default", labels="kubernetes.io/service-name=web")
    assert len(one) == 1 and not one[0].get("endpoints") and len(alive(cluster)) == 2


def test_a_pod_has_its_number_for_a_named_port(cluster: Cluster) -> None:
    body = workload("ReplicaSet", replicas=1)
    body["spec"]["template"]["spec"]["containers"][0]["ports"] = [{"name": "http", "containerPort": 8080}]
    create(cluster, "replicasets", body)
    create(cluster, "services", service(ports=[{"name": "web", "port": 80, "targetPort": "http"}]))
    cluster.run_for(3)
    one = admin(cluster).list("endpointslices", "default", labels="kubernetes.io/service-name=web")[0]
    assert one["ports"] == [{"name": "web", "protocol": "TCP", "port": 8080}]


def test_the_service_takes_its_slices_along(cluster: Cluster) -> None:
    create(cluster, "services", service())
    cluster.run_for(1)
    admin(cluster).delete("services", "web", "default")
    cluster.run_for(1)
    assert not admin(cluster).list("endpointslices", "default", labels="kubernetes.io/service-name=web")
    assert admin(cluster).find("endpoints", "web", "default") is None
