"""The small Internet beyond the cluster, as Pods meet it."""

from __future__ import annotations

import pytest

from tests.kubernetes.runtime.lab import Lab, own

pytestmark = pytest.mark.slow  # boots clusters of its own


def furnished() -> Lab:
    lab = Lab()
    lab.client(image="curlimages/curl:8.6.0")
    lab.client("kept", image="curlimages/curl:8.6.0", labels={"kept": "in"})
    lab.client("debian", image="debian:12")
    lab.client("outward", image="busybox:1.28", spec={"dnsPolicy": "Default"})
    lab.client("alpine", image="alpine:3.20")
    lab.create("services", {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "time-api"},
                            "spec": {"type": "ExternalName", "externalName": "worldtimeapi.org"}})  # fmt: skip
    lab.create("networkpolicies", {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "kept"},
                                   "spec": {"podSelector": {"matchLabels": {"kept": "in"}}, "policyTypes": ["Egress"],
                                            "egress": [{"to": [{"ipBlock": {"cidr": "203.0.113.1/32"}}]}]}})  # fmt: skip
    lab.settle()
    return lab


@pytest.fixture
def lab() -> Lab:
    return own(furnished)


@pytest.mark.parametrize(("what", "said"), [
    ("curl -s http://info.cern.ch", "first website"), ("curl -sS https://example.com", "Example Domain"),
    ("curl -sSL http://kubernetes.io", "Kubernetes"), ("curl -s http://kubernetes.io -o /dev/null -w %{http_code}", "301"),
    ("curl -s http://time-api/api/timezone/CET", '"timezone":"CET"'), ("curl -s https://time-api/", ""),
    ("curl -s http://example.com/nothing -o /dev/null -w %{http_code}", "404"),
])  # fmt: skip
def test_a_well_known_host_answers_a_pod_over_http_and_https(lab: Lab, what: str, said: str) -> None:
    out, _, code = lab.run("client", what)
    assert said in out
    assert (code == 0) == bool(said)  # the alias is no name of the host's certificate


def test_a_pod_with_the_nodes_resolver_knows_the_hosts_outside_and_no_service(lab: Lab) -> None:
    assert "first website" in lab.out("outward", "wget -qO- http://info.cern.ch")
    assert "Name:      example.com\nAddress 1: 203.0.113.2\n" in lab.out("outward", "nslookup example.com")
    assert lab.run("outward", "wget -qO- http://time-api")[1] == "wget: bad address 'time-api'\n"


def test_a_name_that_is_not_listed_does_not_exist(lab: Lab) -> None:
    assert lab.run("client", "curl -sS http://nowhere.example.dev")[1:] == ("curl: (6) Could not resolve host: nowhere.example.dev\n", 6)


def test_an_egress_rule_keeps_a_pod_from_hosts_that_it_does_not_name(lab: Lab) -> None:
    assert lab.run("kept", "curl -s -m 2 http://203.0.113.1")[2] == 0
    assert lab.run("kept", "curl -s -m 2 http://203.0.113.2")[2] == 28


def test_apt_installs_what_the_mirror_has_once_the_lists_are_there(lab: Lab) -> None:
    assert lab.run("debian", "dig +short example.com")[2] == 127
    assert lab.run("debian", "apt-get install -y dnsutils")[1:] == ("E: Unable to locate package dnsutils\n", 100)
    assert lab.run("debian", "apt-get update && apt-get install -y dnsutils ca-certificates")[2] == 0
    assert lab.out("debian", "dig +short example.com") == "203.0.113.2\n"
    assert lab.run("debian", "apt-get install -y no-such-thing")[1].startswith("E: Unable to locate package no-such-thing\n")


@pytest.mark.parametrize(("what", "said"), [
    ("ps aux", "USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\nroot           1  0.0  0.0   1024   512 ?        Ss   "),
    ("ps -ef", "UID          PID    PPID  C STIME TTY          TIME CMD\nroot           1       0  0 00:00 ?        00:00:00 sleep 1000000\n"),
    ("ps -elf", "F S UID          PID    PPID  C PRI  NI ADDR SZ WCHAN  STIME TTY          TIME CMD\n4 S root           1       0  0  80   0 -  "),
    ("ps -p 1", "    PID TTY          TIME CMD\n      1 ?        00:00:00 sleep\n"), ("ps -o pid,args", "PID   COMMAND\n    1 sleep 1000000\n"),
])  # fmt: skip
def test_the_installed_ps_prints_procps_columns(lab: Lab, what: str, said: str) -> None:
    assert lab.run("debian", "apt-get update && apt-get install -y procps")[2] == 0
    assert lab.out("debian", what).startswith(said)


def test_apk_adds_what_the_mirror_has(lab: Lab) -> None:
    assert "(1/1) Installing curl\n" in lab.out("alpine", "apk add --no-cache curl")
    assert lab.run("alpine", "curl -sS https://example.com")[2] == 0
    assert lab.out("alpine", "apk add fortune >/dev/null && fortune | wc -l").strip() != "0"
    assert lab.run("alpine", "apk add nothing")[1].startswith("ERROR: unable to select packages:\n  nothing (no such package):\n")
