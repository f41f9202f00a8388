"""Names: what the cluster's DNS answers, and how a Pod's resolver asks."""

from __future__ import annotations

import pytest

from podlab.kubernetes.runtime import dns
from tests.kubernetes.runtime.lab import Lab


@pytest.fixture(scope="module")
def lab() -> Lab:
    lab = Lab()
    lab.pod("web-1", "nginx:1.14.2", node="node-1", labels={"app": "web"}, spec={"hostname": "first", "subdomain": "crowd"})
    lab.pod("web-2", "nginx:1.14.2", node="node-2", labels={"app": "web"})
    lab.pod("late", "nginx:1.14.2", node="node-2", labels={"app": "web"}, readinessProbe={"exec": {"command": ["false"]}})
    lab.service("web", "web", ports=[{"name": "http", "port": 80, "targetPort": 80}])
    lab.service("crowd", "web", clusterIP="None", ports=[{"name": "http", "port": 80, "targetPort": 80}])
    lab.service("alone", "nobody", clusterIP="None")
    lab.create(
        "services",
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "alias"},
            "spec": {"type": "ExternalName", "externalName": "web.default.svc.cluster.local"},
        },
    )
    lab.client()
    lab.client("foreign", spec={"dnsPolicy": "Default"})
    lab.client("mapped", spec={"hostAliases": [{"ip": "10.0.0.9", "hostnames": ["old-db"]}]})
    lab.settle()
    return lab


def addresses(lab: Lab, name: str) -> list[str]:
    return sorted(value for _, kind, value in dns.query(lab.cluster, name)[1] if kind == "A")


def test_a_service_has_its_cluster_ip(lab: Lab) -> None:
    service = lab.cluster.etcd.get("services", "default/web")
    assert service is not None
    assert addresses(lab, "web.default.svc.cluster.local") == [service["spec"]["clusterIP"]]


def test_a_headless_service_has_the_addresses_of_its_ready_pods(lab: Lab) -> None:
    assert addresses(lab, "crowd.default.svc.cluster.local") == sorted([lab.ip("web-1"), lab.ip("web-2")])


def test_a_pod_with_hostname_and_subdomain_has_a_name_of_its_own(lab: Lab) -> None:
    assert addresses(lab, "first.crowd.default.svc.cluster.local") == [lab.ip("web-1")]
    assert addresses(lab, lab.ip("web-2").replace(".", "-") + ".crowd.default.svc.cluster.local") == [lab.ip("web-2")]


def test_a_headless_service_without_pods_has_no_name(lab: Lab) -> None:
    assert dns.query(lab.cluster, "alone.default.svc.cluster.local") == ("NXDOMAIN", [])


def test_an_external_name_is_an_alias(lab: Lab) -> None:
    code, records = dns.query(lab.cluster, "alias.default.svc.cluster.local")
    assert (code, records[0]) == ("NOERROR", ("alias.default.svc.cluster.local", "CNAME", "web.default.svc.cluster.local"))
    assert "Welcome" in lab.out("client", "wget -qO- alias")


def test_a_service_port_has_an_srv_record(lab: Lab) -> None:
    _, records = dns.query(lab.cluster, "_http._tcp.web.default.svc.cluster.local", "SRV")
    assert [value for _, _, value in records] == ["0 100 80 web.default.svc.cluster.local"]


def test_an_endpoint_has_its_name_under_a_service_with_an_address_too(lab: Lab) -> None:
    address = lab.ip("web-1")
    assert dns.query(lab.cluster, f"{address.replace('.', '-')}.web.default.svc.cluster.local")[1][0][2] == address
    assert dns.query(lab.cluster, "nobody.web.default.svc.cluster.local") == ("NXDOMAIN", [])


def test_a_name_exists_without_having_an_ipv6_address(lab: Lab) -> None:
    assert dns.query(lab.cluster, "web.default.svc.cluster.local", "AAAA") == ("NOERROR", [])


def test_addresses_lead_back_to_names(lab: Lab) -> None:
    backwards = ".".join(reversed(lab.ip("web-1").split(".")))
    assert dns.query(lab.cluster, f"{backwards}.in-addr.arpa", "PTR")[1][0][2] == "first.crowd.default.svc.cluster.local"


@pytest.mark.parametrize("name", ["web", "web.default", "web.default.svc", "web.default.svc.cluster.local", "web.default.svc.cluster.local."])
def test_a_pod_searches_its_namespace_and_the_cluster(lab: Lab, name: str) -> None:
    assert "Welcome" in lab.out("client", f"wget -qO- {name}")


def test_another_namespace_needs_its_name() -> None:
    lab = Lab(1)
    lab.create("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}, None)
    lab.create("services", {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "till"}, "spec": {"ports": [{"port": 80}]}}, "shop")
    lab.client(node="node-1")
    lab.settle()
    assert lab.run("client", "wget -q till")[1] == "wget: bad address 'till'\n"
    assert lab.run("client", "wget -q till.shop")[1].endswith("Connection refused\n")


def test_the_nodes_dns_policy_knows_no_services(lab: Lab) -> None:
    assert lab.run("foreign", "wget -q web")[1] == "wget: bad address 'web'\n"
    unknown = "** server can't find web: NXDOMAIN\n\n"
    assert lab.run("foreign", "nslookup web") == ("Server:\t\t8.8.8.8\nAddress:\t8.8.8.8:53\n\n" + 2 * unknown, "", 1)


def test_host_aliases_come_before_dns(lab: Lab) -> None:
    assert lab.run("mapped", "nc -w 1 -v old-db 80 </dev/null")[1] == "nc: old-db (10.0.0.9:80): Connection timed out\n"


def test_ndots_decides_what_is_tried_first() -> None:
    resolver = dns.Resolver.parse("search a.b c.d\nnameserver 10.96.0.10\noptions ndots:2\n")
    assert resolver.candidates("x") == ["x.a.b", "x.c.d", "x"]
    assert resolver.candidates("x.y.z") == ["x.y.z", "x.y.z.a.b", "x.y.z.c.d"]
    assert resolver.candidates("x.") == ["x"]
