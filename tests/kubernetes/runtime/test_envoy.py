"""Envoy: what its configuration makes of a request, and its words for a configuration that it does not take."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kubernetes.runtime import certificates as certs
from tests.kubernetes.runtime.lab import Lab
from tests.kubernetes.runtime.mesh import (
    TYPES,
    address,
    bootstrap,
    chaos,
    cluster,
    envoy,
    listener,
    manager,
    orders,
    secret,
    simple,
)

ROUTES: list[dict[str, Any]] = [
    {"match": {"path": "/hello"}, "direct_response": {"status": 418, "body": {"inline_string": "tea\n"}}},
    {"match": {"prefix": "/old"}, "redirect": {"path_redirect": "/new"}},
    {"match": {"prefix": "/", "headers": [{"name": "x-team", "string_match": {"exact": "red"}}]}, "direct_response": {"status": 299}},
    {"match": {"safe_regex": {"regex": "/n[0-9]+"}}, "direct_response": {"status": 298}},
    {"match": {"prefix": "/api"}, "route": {"cluster": "orders", "prefix_rewrite": "/orders"}},
    {"match": {"prefix": "/gone"}, "route": {"cluster": "nobody"}},
    {"match": {"prefix": "/shut"}, "route": {"cluster": "shut"}},
    {"match": {"prefix": "/slow"}, "route": {"cluster": "orders", "prefix_rewrite": "/", "timeout": "1s"}},
]


@pytest.fixture(scope="module")
def lab() -> Lab:
    """An Envoy with many routes, orders, and a client. Tests only look, or mend what they break."""
    lab = Lab()
    orders(lab, 1)
    clusters = [cluster("orders", "order-pods"), cluster("nobody", "nobody-here"), cluster("shut", "127.0.0.1", 7, "STATIC")]
    host = {"domains": ["edge", "edge:80"], "include_attempt_count_in_response": True}
    envoy(lab, "edge", bootstrap([listener(80, manager(ROUTES, host=host))], clusters))
    lab.service("edge", "edge")
    lab.client("client", "nicolaka/netshoot")
    lab.settle(20)
    return lab


@pytest.mark.parametrize(
    ("ask", "status", "body", "flags"),
    [
        ("edge/hello", 418, "tea\n", "-"),
        ("edge/old/x", 301, "", "-"),
        ("edge/n12", 298, "", "-"),
        ("-H 'x-team: red' edge/anything", 299, "", "-"),
        ("edge/nothing", 404, "", "NR"),
        ("-H 'Host: other' edge/hello", 404, "", "NR"),
        ("edge/gone", 503, "no healthy upstream", "UH"),
        (
            "edge/shut",
            503,
            "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure, transport failure reason: "
            "delayed connect error: Connection refused",
            "UF",
        ),
    ],
)
def test_a_request_takes_the_first_route_that_matches(lab: Lab, ask: str, status: int, body: str, flags: str) -> None:
    assert lab.out("client", f"curl -s -w '%{{http_code}}' {ask}") == f"{body}{status}"
    assert f'" {status} {flags} ' in lab.logs("edge", "envoy").splitlines()[-1]


def test_an_answer_carries_envoys_headers_and_the_upstream_the_request_s(lab: Lab) -> None:
    out = lab.out("client", "curl -si edge/api")
    head, _, body = out.partition("\r\n\r\n")
    assert [line.partition(":")[0] for line in head.split("\r\n")[1:]] == [
        "content-type", "content-length", "date", "server", "x-envoy-upstream-service-time", "x-envoy-attempt-count",
    ]  # fmt: skip
    assert "server: envoy" in head
    assert '"served_by": "order-1"' in body
    assert "GET /orders from" in lab.logs("order-1")
    line = lab.logs("edge", "envoy").splitlines()[-1]
    assert line.endswith(f'"edge" "{lab.ip("order-1")}:8080"')
    assert line.startswith("[2026-11-21T00:00:")


def test_a_route_s_time_limit_is_kept_to_the_millisecond(lab: Lab) -> None:
    for latency, status in ((980, "200"), (1001, "504")):
        chaos(lab, "order-1", f"?latency={latency}")
        assert lab.out("client", "curl -s -o out -w '%{http_code}' edge/slow; cat out").startswith(status)
    chaos(lab, "order-1", "/reset")
    assert lab.out("client", "cat out") == "upstream request timeout"
    assert '" 504 UT 0 24 1000 ' in lab.logs("edge", "envoy").splitlines()[-1]


def test_the_admin_port_tells_statistics_readiness_and_hosts(lab: Lab) -> None:
    lab.out("client", "curl -s edge/hello")
    stats = lab.out("client", f"curl -s '{lab.ip('edge')}:9901/stats?filter=http.in.rq_direct'")
    assert stats.startswith("http.in.rq_direct_response: ")
    assert int(stats.split()[-1]) >= 1
    for path, found in (
        ("ready", "LIVE\n"),
        ("listeners", "l80::0.0.0.0:80\n"),
        ("stats/prometheus", 'envoy_cluster_membership_healthy{envoy_cluster_name="orders"} 1\n'),
        ("clusters", f"orders::{lab.ip('order-1')}:8080::health_flags::healthy\n"),
    ):
        assert found in lab.out("client", f"curl -s {lab.ip('edge')}:9901/{path}")
    assert lab.out("client", f"curl -s -o /dev/null -w '%{{http_code}}' {lab.ip('edge')}:9901/quitquitquit") == "405"


@pytest.mark.slow
def test_failed_requests_are_sent_again_and_the_last_answer_is_passed_on() -> None:
    lab = Lab()
    orders(lab, 2, FAIL_EVERY="3")
    envoy(lab, "patient", simple({"retry_policy": {"retry_on": "5xx", "num_retries": 2}}))
    envoy(lab, "hasty", simple({"retry_policy": {"retry_on": "connect-failure,retriable-status-codes", "retriable_status_codes": [429]}}))
    lab.settle(20)
    script = "for i in $(seq 30); do curl -s -o /dev/null -w '%{http_code} ' localhost; done"
    assert lab.out("patient", script, "app") == "200 " * 30
    assert "503" in lab.out("hasty", script, "app")
    for pod in ("order-1", "order-2"):
        chaos(lab, pod, "?fail_every=1")
    assert "locked" in lab.out("patient", "curl -s localhost", "app")
    assert '" 503 URX ' in lab.logs("patient", "envoy").splitlines()[-1]
    stats = lab.out("patient", "curl -s 'localhost:9901/stats?filter=retry'", "app")
    assert "cluster.orders.upstream_rq_retry_limit_exceeded: 1\n" in stats


@pytest.mark.slow
def test_a_host_that_keeps_failing_is_left_out_for_a_while_and_longer_each_time() -> None:
    lab = Lab()
    orders(lab, 2)
    detection = {"consecutive_5xx": 3, "interval": "5s", "base_ejection_time": "20s", "max_ejection_percent": 50}
    envoy(lab, "edge", simple(outlier_detection=detection))
    lab.settle(20)
    chaos(lab, "order-2", "?fail_every=1")
    assert lab.out("edge", "for i in 1 2 3 4 5 6 7 8; do curl -s -o /dev/null -w '%{http_code} ' localhost; done", "app").count("503") == 3
    flags = "curl -s localhost:9901/clusters | grep -c failed_outlier_check"
    ejected = lab.cluster.now
    assert lab.out("edge", flags, "app") == "1\n"
    assert any(record["rule"] == "proxy-host-ejected" for record in lab.cluster.causes.since(0))
    lab.cluster.run_until(ejected + 19_000)
    assert lab.out("edge", flags, "app") == "1\n"
    lab.cluster.run_until(ejected + 25_500)
    assert lab.out("edge", flags, "app") == "0\n"
    lab.out("edge", "for i in 1 2 3 4 5 6 7; do curl -s -o /dev/null localhost; done", "app")
    again = lab.cluster.now
    lab.cluster.run_until(again + 39_000)
    assert lab.out("edge", flags, "app") == "1\n"
    lab.cluster.run_until(again + 46_000)
    assert lab.out("edge", flags, "app") == "0\n"


def test_a_breaker_lets_no_more_through_than_its_thresholds() -> None:
    lab = Lab()
    orders(lab, 1, LATENCY_MS="1000")
    limits = {"thresholds": [{"max_connections": 1, "max_pending_requests": 1}]}
    envoy(lab, "edge", simple(circuit_breakers=limits))
    lab.settle(20)
    began = lab.cluster.now
    out = lab.out("edge", "for i in 1 2 3 4; do curl -s -w '%{http_code}\\n' localhost & sleep 0.1; done; wait", "app")
    assert sorted(line for line in out.splitlines() if line[-3:] in ("200", "503")) == sorted(
        ["200", "200", *["upstream connect error or disconnect/reset before headers. reset reason: overflow503"] * 2]
    )
    assert 2_000 <= lab.cluster.now - began < 2_400  # the second waited for the first one's connection
    assert lab.logs("edge", "envoy").count('" 503 UO ') == 2
    assert lab.out("edge", "curl -s 'localhost:9901/stats?filter=pending_overflow'", "app") == "cluster.orders.upstream_rq_pending_overflow: 2\n"


def test_names_are_looked_up_again_and_new_pods_get_their_share() -> None:
    lab = Lab()
    orders(lab, 1)
    envoy(lab, "edge", simple())
    lab.settle(20)
    lab.pod("order-9", "podlab/order-service:1.0", labels={"app": "order"})
    lab.settle(20)
    assert {"order-1", "order-9"} <= set(lab.out("edge", "for i in 1 2 3 4; do curl -s localhost; done", "app").replace('"', " ").split())


def test_health_checks_take_a_host_out_before_a_request_finds_it_ill() -> None:
    lab = Lab()
    orders(lab, 2)
    check = {"timeout": "1s", "interval": "2s", "unhealthy_threshold": 2, "healthy_threshold": 1, "no_traffic_interval": "2s",
             "http_health_check": {"path": "/healthz"}}  # fmt: skip
    envoy(lab, "edge", simple(health_checks=[check]))
    lab.settle(20)
    chaos(lab, "order-2", "?down=true")
    lab.settle(5)
    assert lab.out("edge", "for i in 1 2 3 4; do curl -s localhost; done", "app").count("order-1") == 4
    assert "/failed_active_hc" in lab.out("edge", "curl -s localhost:9901/clusters", "app")


def _tls(kind: str, name: str, **more: Any) -> dict[str, Any]:
    files = {"certificate_chain": {"filename": "/etc/certs/tls.crt"}, "private_key": {"filename": "/etc/certs/tls.key"}}
    sans = [{"san_type": "URI", "matcher": {"exact": f"spiffe://cluster.local/ns/default/sa/{name}"}}]
    validation = {"trusted_ca": {"filename": "/etc/certs/ca.crt"}, "match_typed_subject_alt_names": sans}
    common = {"tls_certificates": [files], "validation_context": validation}
    config = {"@type": f"{TYPES}transport_sockets.tls.v3.{kind}TlsContext", "common_tls_context": common, **more}
    return {"name": "envoy.transport_sockets.tls", "typed_config": config}


@pytest.mark.slow
def test_two_envoys_prove_to_each_other_who_they_are_and_strangers_get_nowhere() -> None:
    lab = Lab()
    secret(lab, "orders", ca_crt=certs.CA, tls_crt=certs.ORDERS, tls_key=certs.ORDERS_KEY)
    for name, certificate, key in (
        ("shop", certs.SHOP, certs.SHOP_KEY),
        ("stranger", certs.STRANGER, certs.STRANGER_KEY),
        ("old", certs.OLD, certs.OLD_KEY),
    ):
        secret(lab, name, ca_crt=certs.CA, tls_crt=certificate, tls_key=key)
        route = [{"match": {"prefix": "/"}, "route": {"cluster": "vault"}}]
        config = bootstrap([listener(80, manager(route))], [cluster("vault", "vault", 443, transport_socket=_tls("Upstream", "orders"))])
        envoy(lab, name, config, name)
    direct = [{"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "open"}}}]
    door = listener(8443, manager(direct), transport_socket=_tls("Downstream", "shop", require_client_certificate=True))
    envoy(lab, "vault", bootstrap([door], []), "orders")
    lab.service("vault", "vault", 443, 8443)
    lab.settle(20)
    assert lab.out("shop", "curl -s localhost", "app") == "open"
    trace = [entry for entry in lab.cluster.traffic(0) if "tls" in entry][-1]
    assert trace["tls"] == ["spiffe://cluster.local/ns/default/sa/shop", "spiffe://cluster.local/ns/default/sa/orders"]
    for name, said in (("stranger", "TLSV1_ALERT_UNKNOWN_CA"), ("old", "SSLV3_ALERT_CERTIFICATE_EXPIRED")):
        answer = lab.out(name, "curl -s localhost", "app")
        assert answer.startswith("upstream connect error or disconnect/reset before headers. reset reason: connection termination, transport failure")
        assert said in answer
    assert lab.run("shop", "curl -s http://vault:443", "app")[2] in (52, 56)  # plain text at a TLS port: hung up on


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("static_resources: {clusters: [{name: a, hosts: []}]}", "no such field: 'hosts') has unknown fields"),
        ("static_resources: {clusters: [{name: ''}]}", "Proto constraint validation failed (ClusterValidationError.Name: value length must be"),
        ("static_resources: {clusters: [{name: a, connect_timeout: 5}]}", "duration must end with a single 's'"),
        ("static_resources: {clusters: [{name: a, type: DNS}]}", "unknown enum value: 'DNS'"),
        ("static_resources: {clusters: [{name: a}, {name: a}]}", "cluster manager: duplicate cluster 'a'"),
        (simple().replace("prefix: /", "safe_regex: {regex: '('}"), "Invalid regex '('"),
        (simple(outlier_detection={"interval": "0s"}), "(OutlierDetectionValidationError.Interval: value must be greater than 0s)"),
        ("a: [", "Unable to convert YAML as JSON"),
        (simple().replace("cluster: orders", "cluster: other"), "route: unknown cluster 'other'"),
        (simple().replace("filters.http.router.v3.Router", "filters.http.lua.v3.Lua"), "not part of this simulation"),
        (bootstrap([listener(8443, manager(ROUTES[:1]), transport_socket=_tls("Downstream", "x"))], []), "unable to read file: /etc/certs/tls.crt"),
        (bootstrap([{"address": address("0.0.0.0", 80)}], []), "error adding listener '0.0.0.0:80': no filter chains specified"),  # noqa: S104
    ],
)
def test_a_bad_configuration_ends_envoy_with_its_words(refusing: Lab, config: str, said: str) -> None:
    _, err, code = refusing.run("bare", "cat > envoy.yaml; envoy -c envoy.yaml", stdin=config)
    assert code == 1
    assert said in err
    assert "][critical][main] [source/server/server.cc:414] error initializing configuration 'envoy.yaml': " in err


@pytest.fixture(scope="module")
def refusing() -> Lab:
    lab = Lab(1)
    lab.pod("bare", "envoyproxy/envoy:v1.33-latest", command=["sleep", "1000000"])
    lab.settle(20)
    return lab


@pytest.mark.slow
def test_envoy_goes_on_after_a_checkpoint_in_the_midst_of_requests_and_idles_without_timers() -> None:
    lab = Lab()
    orders(lab, 2, LATENCY_MS="700", FAIL_EVERY="2")
    envoy(lab, "edge", simple({"retry_policy": {"retry_on": "5xx", "num_retries": 3}}))
    lab.settle(20)
    exec_id = lab.begin("edge", "for i in 1 2 3 4; do curl -s localhost; done", "app")
    lab.settle(1.2)
    other = lab.restored()
    assert lab.end("edge", exec_id) == other.end("edge", exec_id)
    assert lab.cluster.now == other.cluster.now
    lab.settle(200)
    assert not [timer for timer in lab.cluster.clock.timers() if timer.component == "network"]
    assert lab.cluster.network.state["connections"] == {}
