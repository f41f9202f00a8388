from __future__ import annotations

from typing import Any

from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.controllers_common.endpointslices import plan
from podlab.kubernetes.objects import freeze

from .support import admin, alive, create, pod, pods, scale, workload

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


def test_an_empty_slice_says_so_with_nulls(cluster: Cluster) -> None:
    create(cluster, "services", service())
    cluster.run_for(1)
    [held] = admin(cluster).list("endpointslices", "default", labels="kubernetes.io/service-name=web")
    assert (held["endpoints"], held["ports"]) == (None, None)


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


def _mirrored(cluster: Cluster) -> list[Any]:
    return [one for one in cluster.etcd.list("endpointslices", "default")
            if one["metadata"]["labels"].get("endpointslice.kubernetes.io/managed-by") == "endpointslicemirroring-controller.k8s.io"]


def test_endpoints_that_people_write_become_slices_of_their_service(cluster: Cluster) -> None:
    own = {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "web", "labels": {"tier": "old"}},
           "subsets": [{"addresses": [{"ip": "192.0.2.1"}], "notReadyAddresses": [{"ip": "192.0.2.2"}], "ports": [{"port": 9376}]}]}
    create(cluster, "services", {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}})
    create(cluster, "endpoints", own)
    cluster.run_for(1)
    (one,) = _mirrored(cluster)
    assert one["metadata"]["name"].startswith("web-") and one["metadata"]["ownerReferences"][0]["kind"] == "Endpoints"
    assert one["metadata"]["labels"]["kubernetes.io/service-name"] == "web" and one["metadata"]["labels"]["tier"] == "old"
    assert [(entry["addresses"], entry["conditions"]) for entry in one["endpoints"]] == [
        (["192.0.2.1"], {"ready": True}), (["192.0.2.2"], {"ready": False})]  # addressToEndpoint
    assert [port["port"] for port in one["ports"]] == [9376]
    admin(cluster).patch("endpoints", "web", {"subsets": [{"addresses": [{"ip": "192.0.2.3"}], "ports": [{"port": 9376}]}]}, "default")
    cluster.run_for(1)
    assert [entry["addresses"] for entry in _mirrored(cluster)[0]["endpoints"]] == [["192.0.2.3"]]
    admin(cluster).delete("services", "web", "default")
    cluster.run_for(1)
    assert not _mirrored(cluster)


def test_a_service_that_gets_a_selector_loses_its_mirrored_slices(cluster: Cluster) -> None:
    create(cluster, "services", {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}})
    create(cluster, "endpoints", {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "web"},
                                  "subsets": [{"addresses": [{"ip": "192.0.2.1"}], "ports": [{"port": 80}]}]})
    cluster.run_for(1)
    assert len(_mirrored(cluster)) == 1
    admin(cluster).patch("services", "web", {"spec": {"selector": {"app": "web"}}}, "default")
    cluster.run_for(1)
    assert not _mirrored(cluster)


def test_endpoints_that_ask_not_to_be_mirrored_are_not(cluster: Cluster) -> None:
    create(cluster, "services", {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}})
    create(cluster, "endpoints", {"apiVersion": "v1", "kind": "Endpoints",
                                  "metadata": {"name": "web", "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}},
                                  "subsets": [{"addresses": [{"ip": "192.0.2.1"}], "ports": [{"port": 80}]}]})
    cluster.run_for(1)
    assert not _mirrored(cluster)


def test_a_service_that_is_no_balancer_any_more_forgets_what_a_balancer_gave(cluster: Cluster) -> None:
    create(cluster, "services", service(type="LoadBalancer", loadBalancerClass="x.io/y"))
    given = {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}}
    admin(cluster).patch("services", "web", given, "default", subresource="status")
    admin(cluster).patch("services", "web", {"spec": {"type": "NodePort"}}, "default")
    found = admin(cluster).get("services", "web", "default")
    assert "loadBalancerClass" not in found["spec"] and found["status"] == {"loadBalancer": {}}


def test_every_port_of_a_service_has_a_node_port_of_its_own(cluster: Cluster) -> None:
    ports = [{"name": "a", "port": 80}, {"name": "b", "port": 443}, {"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "dns-tcp", "port": 53}]
    made = create(cluster, "services", service(type="NodePort", ports=ports))
    first, second, udp, tcp = (port["nodePort"] for port in made["spec"]["ports"])
    assert len({first, second, udp}) == 3 and udp == tcp  # initNodePorts: one number for one port of two protocols


def _own_slice(cluster: Cluster) -> Any:
    return admin(cluster).list("endpointslices", "default", labels="kubernetes.io/service-name=web")[0]


def test_the_trigger_time_is_the_earliest_new_ready_change_and_gone_where_no_pod_changed(cluster: Cluster) -> None:
    mark = "endpoints.kubernetes.io/last-change-trigger-time"
    create(cluster, "services", service())
    cluster.run_for(3)
    born = _own_slice(cluster)["metadata"]["creationTimestamp"]
    assert _own_slice(cluster)["metadata"]["annotations"] == {mark: born}
    create(cluster, "replicasets", workload("ReplicaSet", replicas=1))
    cluster.run_for(3)
    since = next(c for c in pods(cluster)[0]["status"]["conditions"] if c["type"] == "Ready")["lastTransitionTime"]
    for one in (_own_slice(cluster), admin(cluster).get("endpoints", "web", "default")):
        assert one["metadata"]["annotations"] == {mark: since} and since > born
    admin(cluster).patch("services", "web", {"spec": {"selector": {"app": "other"}}}, "default")
    cluster.run_for(1)
    assert "annotations" not in _own_slice(cluster)["metadata"]


def test_a_slice_that_somebody_deletes_or_changes_is_put_right_a_second_later(cluster: Cluster) -> None:
    create(cluster, "services", service())
    create(cluster, "replicasets", workload("ReplicaSet", replicas=1))
    cluster.run_for(3)
    admin(cluster).delete("endpointslices", _own_slice(cluster)["metadata"]["name"], "default")
    cluster.run_for(0.9)
    assert not admin(cluster).list("endpointslices", "default", labels="kubernetes.io/service-name=web")
    cluster.run_for(0.2)
    one = _own_slice(cluster)
    admin(cluster).patch("endpointslices", one["metadata"]["name"], {"endpoints": []}, "default")
    cluster.run_for(0.9)
    assert not _own_slice(cluster).get("endpoints")
    cluster.run_for(0.2)
    assert len(_own_slice(cluster)["endpoints"]) == 1
    admin(cluster).patch("endpointslices", one["metadata"]["name"], {"metadata": {"labels": {"a": "b"}}}, "default")
    assert _own_slice(cluster)["metadata"]["generation"] == 4  # labels count, and are the Service's
    cluster.run_for(1.1)
    assert "a" not in _own_slice(cluster)["metadata"]["labels"]


def test_what_people_write_into_a_services_endpoints_stays_until_its_pods_change(cluster: Cluster) -> None:
    create(cluster, "services", service())
    create(cluster, "replicasets", workload("ReplicaSet", replicas=1))
    cluster.run_for(3)
    admin(cluster).patch("endpoints", "web", {"subsets": [{"addresses": [{"ip": "192.0.2.3"}], "ports": [{"port": 9}]}]}, "default")
    cluster.run_for(3)
    assert admin(cluster).get("endpoints", "web", "default")["subsets"][0]["ports"] == [{"port": 9, "protocol": "TCP"}]
    for kind, name in (("endpoints", "web"), ("endpointslices", _own_slice(cluster)["metadata"]["name"])):
        admin(cluster).patch(kind, name, {"metadata": {"annotations": {"note": "ours"}}}, "default")
    scale(cluster, "replicasets", "web", 2)
    cluster.run_for(3)
    mirror = admin(cluster).get("endpoints", "web", "default")
    assert len(mirror["subsets"][0]["addresses"]) == 2
    assert mirror["metadata"]["annotations"]["note"] == _own_slice(cluster)["metadata"]["annotations"]["note"] == "ours"


def test_endpoints_name_a_pod_by_its_hostname_only_in_its_own_subdomain(cluster: Cluster) -> None:
    for name in ("web", "other"):
        create(cluster, "services", {**service(), "metadata": {"name": name}})
    create(cluster, "pods", pod("a", {"app": "web"}, hostname="h", subdomain="web"))
    cluster.run_for(3)
    named = [admin(cluster).get("endpoints", name, "default")["subsets"][0]["addresses"][0].get("hostname") for name in ("web", "other")]
    assert named == ["h", None]


def test_a_service_that_goes_takes_the_endpoints_of_its_name_along_even_those_that_people_wrote(cluster: Cluster) -> None:
    create(cluster, "services", {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}})
    create(cluster, "endpoints", {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "web"}})
    cluster.run_for(1)
    admin(cluster).delete("services", "web", "default")
    cluster.run_for(1)
    assert admin(cluster).find("endpoints", "web", "default") is None


def test_an_endpoint_tells_its_nodes_zone_and_whom_it_is_nearest_to(cluster: Cluster) -> None:
    create(cluster, "services", service(trafficDistribution="PreferSameNode"))
    create(cluster, "replicasets", workload("ReplicaSet", replicas=1))
    cluster.run_for(3)
    (found,) = _own_slice(cluster)["endpoints"]
    assert "zone" not in found and found["hints"] == {"forNodes": [{"name": found["nodeName"]}]}
    admin(cluster).patch("nodes", found["nodeName"], {"metadata": {"labels": {"topology.kubernetes.io/zone": "a"}}})
    admin(cluster).patch("services", "web", {"spec": {"trafficDistribution": "PreferClose"}}, "default")
    cluster.run_for(1)
    (found,) = _own_slice(cluster)["endpoints"]
    assert found["zone"] == "a" and found["hints"] == {"forZones": [{"name": "a"}]}


def test_the_api_servers_own_service_and_endpoints_come_back_in_its_next_round(cluster: Cluster) -> None:
    before = {plural: cluster.etcd.list(plural, "default")[0] for plural in ("services", "endpoints", "endpointslices")}
    admin(cluster).delete("services", "kubernetes", "default")
    admin(cluster).delete("endpointslices", "kubernetes", "default")
    cluster.run_for(1)
    assert not any(cluster.etcd.list(plural, "default") for plural in before)
    cluster.run_for(10)
    for plural, old in before.items():
        (new,) = cluster.etcd.list(plural, "default")
        assert new["metadata"]["uid"] != old["metadata"]["uid"] and new["metadata"].get("labels") == old["metadata"].get("labels")
        assert {**new, "metadata": None} == {**old, "metadata": None}
