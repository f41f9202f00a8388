"""linkerd's sidecar: whom it intercepts, who it says it is, and what a Service's annotations make it do; and the rules of a Pod's network."""

from __future__ import annotations

import pytest

from tests.kubernetes.runtime.lab import Lab
from tests.kubernetes.runtime.mesh import LABELS, LINKERD_INIT, chaos, linkerd_proxy, meshed

CLIENT = {"image": "nicolaka/netshoot", "command": ["sleep", "1000000"]}
ORDERS = {"image": "podlab/order-service:1.0"}
SHOP = "shop.default.serviceaccount.identity.linkerd.cluster.local"
VAULT = "vault.default.serviceaccount.identity.linkerd.cluster.local"


def accounts(lab: Lab, *names: str) -> None:
    for name in names:
        lab.create("serviceaccounts", {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}})


@pytest.fixture(scope="module")
def lab() -> Lab:
    """A meshed shop and vault, a vault that takes only who proves a name, a plain Pod."""
    lab = Lab()
    accounts(lab, "shop", "vault")
    meshed(lab, "shop", CLIENT, "shop")
    meshed(lab, "vault", ORDERS, "vault")
    meshed(lab, "strict", ORDERS, "vault", LINKERD2_PROXY_INBOUND_DEFAULT_POLICY="all-authenticated")
    lab.pod("plain", "nicolaka/netshoot", node="node-2", command=["sleep", "1000000"])
    lab.pod("open", "podlab/order-service:1.0")
    for name in ("vault", "strict", "open"):
        lab.service(name, name, 80, 8080)
    lab.settle(25)
    return lab


def test_an_app_that_says_http_is_heard_over_mtls_and_the_other_side_knows_who_it_is(lab: Lab) -> None:
    assert f'"caller": "{SHOP}"' in lab.out("shop", "curl -s http://vault/", "app")
    hops = [entry for entry in lab.cluster.traffic(0) if entry["host"] == "vault"][-3:]
    assert len({entry["trace"] for entry in hops}) == 1
    told = sorted((entry["hop"], entry["by"], entry["at"], entry.get("tls")) for entry in hops)
    assert told == [(0, "app", "linkerd-proxy", None), (1, "linkerd-proxy", "linkerd-proxy", [SHOP, VAULT]), (2, "linkerd-proxy", "app", None)]


@pytest.mark.parametrize(
    ("source", "target", "status"),
    [
        ("shop", "vault", 200),
        ("shop", "strict", 200),
        ("shop", "open", 200),
        ("plain", "vault", 200),
        ("plain", "strict", 403),
        ("plain", "open", 200),
    ],
)
def test_the_inbound_policy_decides_who_may_ask(lab: Lab, source: str, target: str, status: int) -> None:
    assert lab.out(source, f"curl -s -o /dev/null -w '%{{http_code}}' http://{target}/", "app" if source == "shop" else "") == str(status)


def test_a_capture_reads_plain_text_and_nothing_of_tls_but_the_name_asked_for(lab: Lab) -> None:
    script = "(tcpdump -n -A -c {} {} &); sleep 1; curl -s http://{}/ > /dev/null; sleep 1"
    plain = lab.out("plain", script.format(4, "port 80", "open"))
    assert "HTTP: GET / HTTP/1.1\nGET / HTTP/1.1\nHost: open\n" in plain
    assert '"served_by": "open"' in plain
    ciphered = lab.out("shop", script.format(8, "port 8080", "vault"), "app")
    assert VAULT in ciphered
    assert "served_by" not in ciphered
    assert "GET /" not in ciphered
    assert lab.cluster.network.state["taps"] == {}


def test_metrics_and_readiness_stand_at_the_admin_port(lab: Lab) -> None:
    lab.out("shop", "curl -s http://vault/", "app")
    assert lab.out("shop", "curl -s localhost:4191/ready", "app") == "ready\n"
    metrics = lab.out("shop", "curl -s localhost:4191/metrics", "app")
    labels = f'direction="outbound",authority="vault.default.svc.cluster.local:80",tls="true",server_id="{VAULT}",status_code="200"'
    assert f"response_total{{{labels}" in metrics


def test_a_name_that_is_not_the_service_account_s_gets_no_certificate() -> None:
    lab = Lab(1)
    accounts(lab, "vault")
    spec = {"initContainers": [LINKERD_INIT]}
    lab.pod("thief", containers=[{"name": "app", **CLIENT}, linkerd_proxy("vault")], labels={"app": "thief", **LABELS}, spec=spec)
    lab.settle(20)
    assert "requested identity did not match provided token" in lab.logs("thief", "linkerd-proxy")
    assert lab.out("thief", "curl -s localhost:4191/ready", "app") == "not ready\n"


def test_a_service_s_annotations_ask_for_retries_and_time_limits() -> None:
    lab = Lab()
    meshed(lab, "shop", CLIENT)
    lab.pod("order", "podlab/order-service:1.0", env=[{"name": "FAIL_EVERY", "value": "2"}])
    for name, wishes in (
        ("plain", {}),
        ("patient", {"retry.linkerd.io/http": "5xx", "retry.linkerd.io/limit": "2"}),
        ("hurried", {"timeout.linkerd.io/request": "300ms"}),
    ):
        body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "annotations": wishes}}
        lab.create("services", {**body, "spec": {"selector": {"app": "order"}, "ports": [{"port": 80, "targetPort": 8080}]}})
    lab.settle(20)
    ask = "for i in 1 2 3 4; do curl -s -o /dev/null -w '%{{http_code}} ' http://{}/; done"
    assert lab.out("shop", ask.format("plain"), "app").split() == ["200", "503", "200", "503"]
    assert lab.out("shop", ask.format("patient"), "app").split() == ["200"] * 4
    chaos(lab, "order", "?latency=310&fail_every=0")
    began = lab.cluster.now
    assert lab.out("shop", "curl -s -o /dev/null -w '%{http_code}' http://hurried/", "app") == "504"
    assert 300 <= lab.cluster.now - began < 340
    chaos(lab, "order", "?latency=290")
    assert lab.out("shop", "curl -s -o /dev/null -w '%{http_code}' http://hurried/", "app") == "200"


def test_consecutive_failures_open_an_endpoint_s_breaker_until_its_penalty_is_over() -> None:
    lab = Lab()
    meshed(lab, "shop", CLIENT)
    lab.pod("order", "podlab/order-service:1.0", env=[{"name": "FAIL_EVERY", "value": "1"}])
    prefix = "balancer.linkerd.io/failure-accrual"
    wishes = {prefix: "consecutive", f"{prefix}-consecutive-max-failures": "3", f"{prefix}-consecutive-min-penalty": "10s"}
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "order", "annotations": wishes}}
    lab.create("services", {**body, "spec": {"selector": {"app": "order"}, "ports": [{"port": 80, "targetPort": 8080}]}})
    lab.settle(20)
    ask = "curl -si http://order/ | grep -c fail-fast"
    assert [lab.out("shop", ask, "app") for _ in range(5)] == ["0\n", "0\n", "0\n", "1\n", "1\n"]
    chaos(lab, "order", "/reset")
    lab.settle(11)
    assert lab.out("shop", ask, "app") == "0\n"
    assert '"order"' in lab.out("shop", "curl -s http://order/", "app")


@pytest.mark.slow
def test_a_proxy_whose_own_traffic_is_redirected_runs_in_a_circle_that_ends() -> None:
    lab = Lab(1)
    proxy = {**linkerd_proxy(), "securityContext": {"runAsUser": 0}}
    lab.pod("loop", containers=[{"name": "app", **CLIENT}, proxy], labels={"app": "loop", **LABELS}, spec={"initContainers": [LINKERD_INIT]})
    lab.pod("open", "podlab/order-service:1.0")
    lab.service("open", "open", 80, 8080)
    lab.settle(20)
    out, _, code = lab.run("loop", "curl -s -m 5 -o /dev/null -w '%{http_code}' http://open/", "app")
    assert code is not None
    assert out.startswith(("50", "000"))
    assert len(lab.cluster.network.state["connections"]) < 40


# ---- the rules of a Pod's network


@pytest.fixture(scope="module")
def tools() -> Lab:
    lab = Lab(1)
    lab.pod("admin", "nicolaka/netshoot", command=["sleep", "1000000"], securityContext={"capabilities": {"add": ["NET_ADMIN"]}})
    lab.pod("nobody", "nicolaka/netshoot", command=["sleep", "1000000"])
    lab.settle(15)
    return lab


def test_only_who_has_net_admin_may_change_the_rules(tools: Lab) -> None:
    out, err, code = tools.run("nobody", "iptables -t nat -A OUTPUT -p tcp --dport 80 -j REDIRECT --to-ports 1")
    assert (out, code) == ("", 4)
    assert err.endswith("Permission denied (you must be root)\n")


@pytest.mark.parametrize(
    ("rule", "arrives"),
    [
        ("-p tcp --dport 5000 -j REDIRECT --to-ports 6000", True),
        ("-p tcp --dport 5000:5001 -m owner --uid-owner 0 -j REDIRECT --to-ports 6000", True),
        ("-p tcp -m multiport --dports 80,5000 ! -d 10.0.0.0/8 -j REDIRECT --to-ports 6000", True),
        ("-p tcp --dport 5000 -m owner ! --uid-owner 0 -j REDIRECT --to-ports 6000", False),
        ("-p tcp --dport 5001 -j REDIRECT --to-ports 6000", False),
        ("-o lo -p tcp --dport 5000 -j REDIRECT --to-ports 6000", False),
    ],
)
def test_a_rule_redirects_what_it_matches_and_nothing_else(tools: Lab, rule: str, arrives: bool) -> None:
    ask = "echo here | nc -l -p 6000 & sleep 0.1; nc -w 1 192.0.2.9 5000 </dev/null; kill %1 2>/dev/null"
    assert tools.out("admin", f"iptables -t nat -F; iptables -t nat -A OUTPUT {rule}; {ask}") == ("here\n" if arrives else "")


def test_rules_are_listed_as_they_were_written_and_bad_ones_refused(tools: Lab) -> None:
    commands = ("-F", "-N MESH", "-A MESH -p tcp -j RETURN", "-A OUTPUT -j MESH", "-S")
    listed = tools.out("admin", "; ".join(f"iptables -t nat {command}" for command in commands)).splitlines()
    assert listed[-3:] == ["-N MESH", "-A OUTPUT -j MESH", "-A MESH -p tcp -j RETURN"]
    for rule, said in (
        ("-A OUTPUT -j NOWHERE", "Couldn't load target `NOWHERE'"),
        ("-A NOCHAIN -j RETURN", "No chain/target/match by that name."),
        ("-N MESH", "Chain already exists."),
        ("-X MESH", "Device or resource busy."),
        ("-A OUTPUT --dport x -j RETURN", "invalid port/service `x' specified"),
    ):
        assert said in tools.run("admin", f"iptables -t nat {rule}")[1]


@pytest.mark.parametrize(
    "text",
    ["\\x16\\x03\\x01nonsense", "\\x16\\x03\\x019:nonsense!", "\\x16\\x03\\x032:[]", "\\x17\\x03\\x03x", '\\x16\\x03\\x0313:{"ask":false}'],
)
def test_bytes_that_only_look_like_tls_hurt_nobody(lab: Lab, text: str) -> None:
    for port in (80, 4143):
        assert lab.run("plain", f"printf '{text}\\n' | nc -w 1 {lab.ip('vault')} {port}")[2] is not None
    assert f'"caller": "{SHOP}"' in lab.out("shop", "curl -s http://vault/", "app")
