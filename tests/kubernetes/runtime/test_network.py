"""The network: whom a process reaches, by which address, and what stands in the way."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from podlab.kubernetes.runtime import visits
from tests.kubernetes.runtime.lab import Lab

NGINX = "nginx:1.14.2"


@pytest.fixture(scope="module")
def lab() -> Lab:
    """Two web Pods on two nodes behind a Service, a client, and a Pod of two containers. Tests only look."""
    lab = Lab()
    lab.pod("web-1", NGINX, node="node-1", labels={"app": "web"})
    lab.pod("web-2", NGINX, node="node-2", labels={"app": "web"})
    lab.pod("pair", containers=[{"name": "app", "image": NGINX}, {"name": "helper", "image": "busybox:1.36", "command": ["sleep", "100000"]}])
    lab.pod("inner", "busybox:1.36", node="node-1", command=["sh", "-c", "echo home > index.html; httpd -f -p 127.0.0.1:8080"])
    lab.client()
    lab.service("web", "web")
    lab.service("one", "web", sessionAffinity="ClientIP")
    lab.service("outer", "web", type="NodePort")
    lab.service("none", "nothing")
    lab.settle()
    return lab


def test_containers_of_one_pod_reach_each_other_on_localhost(lab: Lab) -> None:
    assert "Welcome to nginx!" in lab.out("pair", "wget -qO- localhost", "helper")
    assert "Welcome to nginx!" in lab.out("pair", f"wget -qO- {lab.ip('pair')}", "helper")


def test_what_listens_on_loopback_only_is_closed_to_other_pods(lab: Lab) -> None:
    assert lab.out("inner", "wget -qO- 127.0.0.1:8080") == "home\n"
    ip = lab.ip("inner")
    assert lab.run("client", f"wget -q {ip}:8080") == ("", f"wget: can't connect to remote host ({ip}): Connection refused\n", 1)


def test_a_second_container_cannot_have_the_port_of_the_first() -> None:
    lab = Lab(1)
    lab.pod("clash", containers=[{"name": "web", "image": NGINX}, {"name": "web2", "image": NGINX}])
    lab.settle(8)
    assert lab.logs("clash", "web2") == "nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)\n"
    states = {status["name"]: status for status in lab.status("clash")["containerStatuses"]}
    assert "running" in states["web"]["state"]
    ended = states["web2"]["state"].get("terminated") or states["web2"]["lastState"]["terminated"]
    assert ended["exitCode"] == 1
    assert '"network-port-in-use"' in json.dumps(lab.cluster.causes.checkpoint())


def test_a_port_is_free_again_when_its_process_has_ended(lab: Lab) -> None:
    script = "echo a | nc -l -p 7000 & sleep 1; nc localhost 7000 </dev/null; sleep 1; echo b | nc -l -p 7000 & sleep 3; nc localhost 7000 </dev/null"
    assert lab.out("client", script) == "a\nb\n"


def test_what_was_sent_before_a_slow_server_looked_is_not_lost(lab: Lab) -> None:
    exec_id = lab.begin("client", "nc -l -p 7100 & sleep 0.1; kill -STOP $!; sleep 2; kill -CONT $!; wait")
    lab.settle(0.5)
    other = lab.begin("pair", f"echo patience | nc {lab.ip('client')} 7100", "helper")
    assert lab.end("client", exec_id)[0] == "patience\n"
    assert lab.end("pair", other)[2] == 0


def test_a_server_hangs_up_when_it_was_asked_to(lab: Lab) -> None:
    ask = "printf 'GET / HTTP/1.1\\r\\nHost: x\\r\\nConnection: {}\\r\\n\\r\\n'; sleep 60"
    for wish, ended in (("close", "gone\n"), ("keep-alive", "")):
        script = f"rm -f gone; ({ask.format(wish)}) | (nc web 80 > /dev/null; echo gone > gone) & sleep 1; cat gone 2>/dev/null"
        assert lab.out("client", script) == ended


def test_pods_on_different_nodes_reach_each_other_by_their_addresses(lab: Lab) -> None:
    assert lab.run("client", f"wget -qO /dev/null {lab.ip('web-1')}") == ("", "", 0)
    client = lab.ip("client")
    assert f"{client} - - [" in lab.logs("web-1")


def test_a_service_spreads_connections_over_its_pods(lab: Lab) -> None:
    before = [lab.logs(pod).count('"Wget"') for pod in ("web-1", "web-2")]
    lab.run("client", "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do wget -qO /dev/null web; done")
    rise = [lab.logs(pod).count('"Wget"') - count for pod, count in zip(("web-1", "web-2"), before, strict=True)]
    assert sum(rise) == 12
    assert min(rise) >= 2


def test_session_affinity_keeps_a_client_with_one_pod(lab: Lab) -> None:
    before = [lab.logs(pod).count('"Wget"') for pod in ("web-1", "web-2")]
    lab.run("client", "for i in 1 2 3 4 5 6; do wget -qO /dev/null one; done")
    rise = [lab.logs(pod).count('"Wget"') - count for pod, count in zip(("web-1", "web-2"), before, strict=True)]
    assert sorted(rise) == [0, 6]


@pytest.mark.slow
def test_session_affinity_ends_when_nothing_has_come_for_its_timeout() -> None:
    lab = Lab(1)
    for number in range(1, 6):
        lab.pod(f"web-{number}", NGINX, labels={"app": "web"})
    lab.client(node="node-1")
    lab.service("short", "web", sessionAffinity="ClientIP", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 10}})
    lab.settle()

    def answering() -> str:
        before = {f"web-{n}": lab.logs(f"web-{n}").count('"Wget"') for n in range(1, 6)}
        lab.run("client", "wget -qO /dev/null short")
        return next(name for name, count in before.items() if lab.logs(name).count('"Wget"') > count)
    first = answering()
    for _ in range(3):
        lab.settle(9)
        assert answering() == first
    others = set()
    for _ in range(6):
        lab.settle(11)
        others.add(answering())
    assert len(others) > 1


def test_a_service_without_ready_pods_refuses(lab: Lab) -> None:
    out, err, code = lab.run("client", "wget -q none")
    assert (out, code) == ("", 1)
    assert err.endswith("): Connection refused\n")


def test_a_port_that_the_service_does_not_have_is_silence(lab: Lab) -> None:
    assert lab.run("client", "wget -q -T 5 web:81") == ("", "wget: download timed out\n", 1)


def test_an_address_nobody_has_ends_without_a_route(lab: Lab) -> None:
    began = lab.cluster.now
    assert lab.run("client", "wget -q 10.244.0.200")[1] == "wget: can't connect to remote host (10.244.0.200): No route to host\n"
    assert lab.cluster.now - began == 3_000


def test_a_node_port_is_open_on_every_node(lab: Lab) -> None:
    service = lab.cluster.etcd.get("services", "default/outer")
    assert service is not None
    port = service["spec"]["ports"][0]["nodePort"]
    for address in ("172.30.255.1", "172.30.255.2"):
        assert "Welcome" in lab.out("client", f"wget -qO- {address}:{port}")


def callers(lab: Lab, pod: str) -> list[str]:
    """The addresses that a web server's log names, in order."""
    return [line.split()[0] for line in lab.logs(pod).splitlines() if line.split()[0].count(".") == 3]


def test_a_server_sees_the_node_whose_port_was_called_and_under_local_the_caller() -> None:
    """The tutorial on source IPs: packets to a node port are translated to the node's address, unless they may only stay there."""
    lab = Lab(3)
    lab.pod("web", NGINX, node="node-2", labels={"app": "web"})
    for node in ("node-1", "node-2"):
        lab.client(f"on-{node}", node=node)
    lab.service("any", "web", type="NodePort")
    lab.service("local", "web", type="NodePort", externalTrafficPolicy="Local")
    lab.settle()
    ports = {service["metadata"]["name"]: service["spec"]["ports"][0].get("nodePort") for service in lab.cluster.etcd.list("services", "default")}

    def from_outside(node: int, service: str) -> list[str]:
        before = len(callers(lab, "web"))
        lab.cluster.apply({"at": lab.cluster.now, "do": "visit", "url": f"http://172.30.255.{node}:{ports[service]}/"})
        lab.settle(1)
        return callers(lab, "web")[before:]

    assert from_outside(1, "any") == ["172.30.255.1"]
    assert from_outside(2, "any") == ["10.244.1.1"]  # its own Pods see a node at the bridge between them
    assert from_outside(2, "local") == ["192.0.2.1"]
    assert from_outside(3, "local") == []
    lab.run("on-node-1", f"wget -qO- 172.30.255.3:{ports['any']}; wget -qO- any; wget -qO- 172.30.255.1:{ports['local']}")
    assert callers(lab, "web")[-3:] == ["172.30.255.3", lab.ip("on-node-1"), lab.ip("on-node-1")]  # to itself a node's port is open


def test_a_node_and_a_pod_that_calls_itself_come_from_the_bridge() -> None:
    lab = Lab(2)
    lab.pod("web", "nginx", node="node-1", labels={"app": "web"}, readinessProbe={"httpGet": {"port": 80}, "periodSeconds": 100})
    lab.pod("host", "busybox:1.36", node="node-2", command=["sleep", "100000"], spec={"hostNetwork": True})
    lab.service("site", "web")
    lab.settle()
    assert callers(lab, "web") == ["10.244.0.1"]  # kube-probe, as recorded in http-probe.json
    lab.run("web", "curl -s site")
    lab.run("host", f"wget -qO- {lab.ip('web')}")
    assert callers(lab, "web")[1:] == ["10.244.0.1", "172.30.255.2"]


def test_a_browser_outside_gets_an_answer_and_the_picture_a_trace(lab: Lab) -> None:
    began = lab.cluster.now
    visit = lab.cluster.apply({"at": lab.cluster.now, "do": "visit", "url": "http://web.default.svc.cluster.local/"})
    assert lab.cluster.network.state["visits"][visit] is None
    lab.settle(0.1)
    answer = lab.cluster.network.state["visits"][visit]
    assert (answer["ok"], answer["status"]) == (True, 200)
    assert "Welcome to nginx!" in answer["body"]
    trace = lab.cluster.traffic(began)[-1]
    assert (trace["from"], trace["via"], trace["method"], trace["path"], trace["status"]) == ("outside", "default/web", "GET", "/", 200)
    assert trace["to"] in [lab.cluster.etcd.get("pods", f"default/{pod}")["metadata"]["uid"] for pod in ("web-1", "web-2")]


def test_port_forward_enters_the_pod_where_localhost_is_its_own(lab: Lab) -> None:
    pod = lab.cluster.etcd.get("pods", "default/inner")
    assert pod is not None
    visit = visits.visit(lab.cluster.network, "http://127.0.0.1:8080/", pod=pod["metadata"]["uid"])
    lab.settle(0.1)
    assert lab.cluster.network.state["visits"][visit]["body"] == "home\n"


def test_many_who_ask_at_once_each_get_their_answer_and_old_answers_go(lab: Lab) -> None:
    network = lab.cluster.network
    asked = [visits.visit(network, "http://web.default.svc.cluster.local/") for _ in range(20)]
    lab.settle(0.2)
    assert [network.state["visits"][visit]["status"] for visit in asked] == [200] * 20
    for _ in range(6):
        latest = [visits.visit(network, "http://web.default.svc.cluster.local/") for _ in range(20)]
        lab.settle(0.2)
    assert len(network.state["visits"]) < 90 and set(latest) <= set(network.state["visits"])


def test_idle_servers_set_no_timers(lab: Lab) -> None:
    lab.settle(130)
    timers = [timer for timer in lab.cluster.clock.timers() if timer.component == "network" or "wake" in str(timer.payload)]
    assert timers, "the clients sleep"
    assert all(_is_of_a_sleep(lab, timer.payload) for timer in timers)
    assert lab.cluster.network.state["connections"] == {}
    assert lab.cluster.network.state["exchanges"] == {}


def _is_of_a_sleep(lab: Lab, payload: Any) -> bool:
    """Whether a machine's timer belongs to a `sleep`."""
    procs = [kubelet.machine.state["processes"].get(payload[1]["wake"]) for kubelet in lab.cluster.kubelets()]
    return any(proc is not None and proc["argv"][0] == "sleep" for proc in procs)


@pytest.mark.slow
def test_a_request_through_a_service_costs_little(lab: Lab) -> None:
    exec_id = lab.begin("client", "while true; do wget -qO /dev/null web; done")
    lab.settle(0.1)
    before = len(lab.logs("web-1").splitlines()) + len(lab.logs("web-2").splitlines())
    began = time.process_time()
    lab.settle(0.5)
    spent = time.process_time() - began
    done = len(lab.logs("web-1").splitlines()) + len(lab.logs("web-2").splitlines()) - before
    machine, container = lab._held("client")
    for proc in machine.of_container(container):
        if proc["exec_id"]:
            machine.send(proc, 9, outside=True)
    lab.end("client", exec_id, 5)
    assert done > 50
    assert spent / done < 0.005  # a shell's loop, a fork and an exec are in it; alone it is well under 1 ms


# ---- things that change the cluster


def test_only_ready_pods_get_a_services_connections() -> None:
    lab = Lab()
    for number in (1, 2):
        lab.pod(
            f"web-{number}",
            "podlab/web:v1",
            labels={"app": "web"},
            readinessProbe={"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 1, "failureThreshold": 1},
        )
    lab.client()
    lab.service("web", "web", 80, 8080)
    lab.settle()
    lab.run("client", f"wget -qO- {lab.ip('web-1')}:8080/toggle")
    lab.settle(4)
    pages = lab.out("client", "for i in 1 2 3 4 5 6 7 8; do wget -qO- web | grep '<h1>'; done")
    assert pages == "<h1>web-2</h1>\n" * 8
    lab.run("client", f"wget -qO- {lab.ip('web-2')}:8080/toggle")
    lab.settle(4)
    assert lab.run("client", "wget -qO- web")[1].endswith("Connection refused\n")


def test_a_node_switched_off_makes_connections_time_out() -> None:
    lab = Lab()
    lab.pod("web", NGINX, node="node-1")
    lab.client()
    lab.settle()
    ip = lab.ip("web")
    lab.cluster.apply({"at": lab.cluster.now, "do": "fault", "node": "node-1", "power": "off"})
    assert lab.run("client", f"wget -q -T 4 {ip}") == ("", "wget: download timed out\n", 1)
    assert lab.run("client", f"nc -v {ip} 80 </dev/null", seconds=200) == ("", f"nc: {ip} ({ip}:80): Connection timed out\n", 1)


def test_a_network_policy_drops_what_it_does_not_allow() -> None:
    lab = Lab()
    lab.pod("web", NGINX, node="node-1")
    lab.client("friend", labels={"role": "friend"})
    lab.client("stranger", labels={"role": "stranger"})
    lab.create(
        "networkpolicies",
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "friends"},
            "spec": {
                "podSelector": {"matchLabels": {"app": "web"}},
                "policyTypes": ["Ingress"],
                "ingress": [{"from": [{"podSelector": {"matchLabels": {"role": "friend"}}}], "ports": [{"port": 80}]}],
            },
        },
    )
    lab.settle()
    ip = lab.ip("web")
    assert "Welcome" in lab.out("friend", f"wget -qO- -T 3 {ip}")
    assert lab.run("stranger", f"wget -qO- -T 3 {ip}") == ("", "wget: download timed out\n", 1)
    assert lab.run("friend", f"nc -w 2 {ip} 81 </dev/null")[2] == 1
    assert lab.run("stranger", f"ping -c 1 -W 1 {ip}")[2] == 1


def test_an_egress_policy_holds_a_pod_in() -> None:
    lab = Lab()
    lab.pod("web", NGINX, node="node-1")
    lab.client()
    lab.create(
        "networkpolicies",
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "shut"},
            "spec": {"podSelector": {"matchLabels": {"app": "client"}}, "policyTypes": ["Egress"]},
        },
    )
    lab.settle()
    assert lab.run("client", f"wget -qO- -T 3 {lab.ip('web')}") == ("", "wget: download timed out\n", 1)


def test_a_pod_that_may_not_ask_for_names_knows_none() -> None:
    """The trap of every first egress policy: DNS is egress too."""
    lab = Lab()
    lab.pod("web", NGINX, node="node-1")
    lab.service("web", "web")
    lab.client()
    rules = [{"to": [{"podSelector": {"matchLabels": {"app": "web"}}}]}]
    policy = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "shut"},
              "spec": {"podSelector": {"matchLabels": {"app": "client"}}, "policyTypes": ["Egress"], "egress": rules}}  # fmt: skip
    lab.create("networkpolicies", policy)
    lab.settle()
    assert "Welcome" in lab.out("client", f"wget -qO- -T 3 {lab.ip('web')}")
    assert lab.run("client", "wget -qO- -T 3 web")[1] == "wget: bad address 'web'\n"
    assert lab.run("client", "nslookup web")[0] == ";; connection timed out; no servers could be reached\n\n"
    names = {"to": [{"namespaceSelector": {}}], "ports": [{"port": 53, "protocol": "UDP"}]}
    lab.create("networkpolicies", {**policy, "metadata": {"name": "names"}, "spec": {**policy["spec"], "egress": [names]}})
    assert "Welcome" in lab.out("client", "wget -qO- -T 3 web")


def test_a_pod_on_the_nodes_network_has_the_nodes_address_and_ports() -> None:
    lab = Lab()
    lab.pod("agent", NGINX, node="node-1", spec={"hostNetwork": True}, labels={"app": "agent"})
    lab.pod("mapped", NGINX, node="node-1", ports=[{"containerPort": 80, "hostPort": 8088}])
    lab.client()
    lab.service("agent", "agent")
    lab.settle()
    assert "Welcome" in lab.out("client", "wget -qO- 172.30.255.1")
    assert "Welcome" in lab.out("client", "wget -qO- agent")
    assert "Welcome" in lab.out("client", "wget -qO- 172.30.255.1:8088")


def test_probes_fail_in_the_kubelets_words() -> None:
    lab = Lab(1)
    probes: dict[str, Any] = {
        "refused": {"httpGet": {"path": "/", "port": 81}},
        "missing": {"httpGet": {"path": "/no", "port": 8080}},
        "slow": {"httpGet": {"path": "/slow?ms=3000", "port": 8080}},
        "closed": {"tcpSocket": {"port": 82}},
        "good": {"tcpSocket": {"port": 8080}},
    }
    for name, probe in probes.items():
        lab.pod(name, "podlab/web", readinessProbe=probe)
    lab.settle(20)
    said = {event["involvedObject"]["name"]: event["message"] for event in lab.cluster.etcd.list("events") if event["reason"] == "Unhealthy"}
    ip = {name: lab.ip(name) for name in probes}
    assert said == {
        "refused": f'Readiness probe failed: Get "http://{ip["refused"]}:81/": dial tcp {ip["refused"]}:81: connect: connection refused',
        "missing": "Readiness probe failed: HTTP probe failed with statuscode: 404",
        "slow": f'Readiness probe failed: Get "http://{ip["slow"]}:8080/slow?ms=3000": context deadline exceeded '
        f"(Client.Timeout exceeded while awaiting headers)",
        "closed": f"Readiness probe failed: dial tcp {ip['closed']}:82: connect: connection refused",
    }
    assert lab.status("good")["containerStatuses"][0]["ready"]


def test_a_request_survives_a_checkpoint_in_its_middle() -> None:
    lab = Lab()
    lab.pod("web", "podlab/web", node="node-1")
    lab.client()
    lab.service("web", "web", 80, 8080)
    lab.settle()
    exec_id = lab.begin("client", "wget -qO- 'web/slow?ms=2000'")
    lab.settle(1)
    assert len(lab.cluster.network.state["connections"]) == 1
    other = lab.restored()
    assert other.end("client", exec_id) == ("slow\n", "", 0)
    assert lab.end("client", exec_id) == ("slow\n", "", 0)
    assert other.cluster.now == lab.cluster.now


@pytest.mark.slow
@pytest.mark.parametrize("ms", range(8))
def test_a_request_survives_a_checkpoint_at_every_step(ms: int, lab: Lab) -> None:
    exec_id = lab.begin("client", "wget -qO- web | wc -c")
    lab.settle(ms / 1000)
    assert lab.restored().end("client", exec_id) == ("612\n", "", 0)
    assert lab.end("client", exec_id) == ("612\n", "", 0)
