"""What is kept of requests, hop by hop, and how the list of recent requests tells it."""

from __future__ import annotations

import pytest

from podlab.projection.requests import Trace, requests, sentence, wire
from tests.kubernetes.runtime.lab import Lab
from tests.kubernetes.runtime.mesh import chaos, envoy, orders, simple

REDIRECT = {
    "name": "redirect",
    "image": "nicolaka/netshoot",
    "command": ["iptables", *"-t nat -A OUTPUT -p tcp --dport 80 -m owner ! --uid-owner 101 -j REDIRECT --to-ports 80".split()],
    "securityContext": {"capabilities": {"add": ["NET_ADMIN"]}},
}


@pytest.fixture(scope="module")
def lab() -> Lab:
    lab = Lab()
    orders(lab, 2)
    envoy(lab, "shop", simple({"retry_policy": {"retry_on": "5xx", "num_retries": 3}}), initContainers=[REDIRECT])
    lab.client()
    lab.pod("probed", "nginx:1.27", readinessProbe={"httpGet": {"path": "/", "port": 80}, "periodSeconds": 1})
    lab.settle(20)
    chaos(lab, "order-1", "?fail_every=2")
    lab.run("shop", "for i in 1 2 3 4; do curl -s http://order-service/; done", "app")
    lab.run("client", "wget -qO- order-service")
    lab.run("client", "wget -q 127.0.0.1:7")
    return lab


def traced(lab: Lab, source: str) -> list[Trace]:
    return [trace for trace in requests(lab.cluster) if trace.source == source]


def test_a_request_through_a_proxy_is_one_trace_with_every_try(lab: Lab) -> None:
    found = traced(lab, "shop/app")
    assert len(found) == 4
    again = next(trace for trace in found if trace.tries == 2)
    assert (again.what, again.said, again.mood) == ("GET order-service/", "200", "good")
    assert [(hop.source, hop.attempt, hop.said) for hop in again.hops] == [("shop/app", 0, "200"), ("shop/envoy", 1, "503"), ("shop/envoy", 2, "200")]
    assert again.hops[0].wanted.endswith(":80")
    assert again.ms >= again.hops[1].ms + again.hops[2].ms


def test_every_hop_is_a_sentence(lab: Lab) -> None:
    hops = next(trace for trace in traced(lab, "shop/app") if trace.tries == 2).hops
    assert sentence(hops[0]).startswith("shop/app이 shop/envoy의 80번 포트로 보냈습니다. 원래 가려던 곳은 10.")
    assert "2번째로 다시 보냈습니다" in sentence(hops[2])
    assert {wire(hop) for hop in hops} == {"평문"}


def test_a_request_without_a_proxy_is_one_hop_and_a_failed_one_says_why(lab: Lab) -> None:
    found = traced(lab, "client/client")
    assert [len(trace.hops) for trace in found] == [1] * len(found)
    assert any(trace.what == "GET order-service/" and trace.hops[0].attempt == 0 for trace in found)
    assert (found[0].what, found[0].said, found[0].mood) == ("포트 7에 연결", "답 없음: 연결 거부", "bad")


@pytest.mark.slow
def test_probes_are_not_listed_and_never_push_requests_out(lab: Lab) -> None:
    assert not any(trace.source == "kubelet" for trace in requests(lab.cluster))
    lab.settle(120)
    assert len(traced(lab, "shop/app")) == 4
    assert sum(entry["from"] == "kubelet" for entry in lab.cluster.network.state["traffic"]) >= 40
    lab.settle(60)
    assert len(lab.cluster.network.state["traffic"]) <= 160


def test_traces_survive_a_checkpoint(lab: Lab) -> None:
    assert requests(lab.restored().cluster) == requests(lab.cluster)


def test_an_answer_that_nobody_waits_for_any_more_is_told_as_given_up() -> None:
    lab = Lab()
    orders(lab, 1, LATENCY_MS="5000")
    lab.client()
    lab.settle(15)
    lab.run("client", "wget -q -T 1 order-service")
    assert [hop.said for trace in requests(lab.cluster) for hop in trace.hops] == ["답 없음: 기다리다 그만둠"]
