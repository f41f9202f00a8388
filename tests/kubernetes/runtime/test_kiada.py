"""The images of Kubernetes in Action: the application's versions, its TLS proxy, and what runs beside them."""

from __future__ import annotations

from typing import Any

import pytest

from .certificates import PLAIN, PLAIN_KEY
from .lab import Lab


@pytest.fixture(scope="module")
def lab() -> Lab:
    lab = Lab(1)
    lab.client("client", "curlimages/curl:latest", node="node-1")
    lab.pod("first", "luksa/kiada:0.1")
    lab.pod("fourth", "luksa/kiada:0.4", args=["--listen-port", "9090"], env=[{"name": "POD_NAME", "value": "someone"}])
    lab.pod("profiled", "luksa/kiada:0.4", command=["node", "--cpu-prof", "app.js"])
    lab.pod("failing", "luksa/kiada:0.8", env=[{"name": "FAIL_AFTER_SECONDS", "value": "5"}])
    lab.pod("alone", "luksa/kiada:0.6")
    lab.pod("whole", "luksa/kiada:0.9", env=[{"name": "QUOTE_URL", "value": "http://quote/quote"}, {"name": "QUIZ_URL", "value": "http://nowhere"},
                                             {"name": "NODE_AGENT_URL", "value": "http://agent"}])  # fmt: skip
    lab.pod("agent", "luksa/node-agent:0.1", env=[{"name": "NODE_NAME", "value": "node-x"}])
    lab.pod("quote", containers=[
        {"name": "writer", "image": "luksa/quote-writer:0.1", "volumeMounts": [{"name": "v", "mountPath": "/var/local/output"}]},
        {"name": "web", "image": "nginx:alpine", "volumeMounts": [{"name": "v", "mountPath": "/usr/share/nginx/html"}]},
    ], spec={"volumes": [{"name": "v", "emptyDir": {}}]})  # fmt: skip
    probe: dict[str, Any] = {"httpGet": {"port": 8443, "path": "/healthz/ready", "scheme": "HTTPS"}}
    lab.pod("sealed", containers=[{"name": "kiada", "image": "luksa/kiada:0.5"},
                                  {"name": "proxy", "image": "luksa/kiada-ssl-proxy:0.1", "readinessProbe": probe}])  # fmt: skip
    lab.pod("plain", "nginx:alpine", readinessProbe={"httpGet": {"port": 80, "scheme": "HTTPS"}})
    lab.pod("checked", spec={"initContainers": [{"name": "check", "image": "luksa/network-connectivity-checker:0.1", "args": ["no.such.host"]}]})
    lab.pod("said", "luksa/static-http-server:0.1", args=["--response-code=404", "--response-text=Not here."])
    lab.service("quote", "quote")
    lab.service("agent", "agent")
    lab.settle(150)
    return lab


@pytest.mark.parametrize("image, set_to, asks", [
    ("luksa/kiada:0.2", "Status message set to: ready", "Enter new status message and press ENTER."),
    ("luksa/kubia:1.0-stdin", "Greeting set to: ready", "Enter new greeting and press ENTER."),
])
def test_lines_typed_to_it_are_heard_whole_until_the_input_ends(image: str, set_to: str, asks: str) -> None:
    lab = Lab(1)
    lab.pod("typed", image, stdin=True)
    lab.settle(20)
    machine, container = lab._held("typed")
    typing = machine.attach(container)
    for piece in ("rea", "dy\n", "\nhalf a line"):
        machine.write_stdin(typing, piece)
        lab.settle(1)
    machine.close_stdin(typing)
    lab.settle(1)
    first, second = lab.logs("typed").splitlines()[-2:]
    assert first.endswith(set_to) and second.endswith(asks)
    assert lab.status("typed")["phase"] == "Running"


def curl(lab: Lab, words: str) -> str:
    return lab.out("client", f"curl -s {words}")


def events(lab: Lab) -> list[Any]:
    entry = {"at": lab.cluster.now, "do": "request", "verb": "list", "resource": "events", "namespace": "default"}
    return list(lab.cluster.apply(entry)["items"])


def test_the_first_version_says_who_it_is_and_who_asks(lab: Lab) -> None:
    assert curl(lab, f"{lab.ip('first')}:8080") == f'Kiada version 0.1. Request processed by "first". Client IP: ::ffff:{lab.ip("client")}\n'
    assert curl(lab, f"{lab.ip('first')}:8080/nothing") == "/nothing not found"


def test_the_fourth_version_takes_a_port_and_what_the_environment_tells(lab: Lab) -> None:
    text = curl(lab, f"{lab.ip('fourth')}:9090")
    assert 'running in pod "someone" on node "unknown-node"' in text and "This is the default status message" in text


def test_options_of_node_before_the_script_are_nodes_own(lab: Lab) -> None:
    assert "Kiada 0.4" in curl(lab, f"{lab.ip('profiled')}:8080")


def test_a_page_has_the_services_answers_and_says_which_could_not_be_asked(lab: Lab) -> None:
    text = curl(lab, f"{lab.ip('whole')}:8080")
    assert "ERROR: getaddrinfo ENOTFOUND nowhere" in text
    assert "Node info: node-x uptime: " in text and "load average: " in text
    tip = text.partition("==== TIP OF THE MINUTE\n")[2].partition("\n")[0]
    assert tip and tip in curl(lab, "http://quote/quote")


def test_a_promise_that_nobody_catches_ends_the_program(lab: Lab) -> None:
    curl(lab, f"{lab.ip('alone')}:8080/proxy/quote")
    lab.settle(3)
    assert lab.status("alone")["containerStatuses"][0]["restartCount"] == 1


def test_the_eighth_version_fails_after_its_time(lab: Lab) -> None:
    assert curl(lab, f"-i {lab.ip('failing')}:8080/healthz/ready").startswith("HTTP/1.1 500")


def test_a_probe_over_https_shakes_hands_and_is_refused_by_plain_http(lab: Lab) -> None:
    ready = {name: [one["ready"] for one in lab.status(name)["containerStatuses"]] for name in ("sealed", "plain")}
    assert ready == {"sealed": [True, True], "plain": [False]}
    message = next(one["message"] for one in events(lab) if one["reason"] == "Unhealthy" and one["involvedObject"]["name"] == "plain")
    assert message == f'Readiness probe failed: Get "https://{lab.ip("plain")}:80/": http: server gave HTTP response to HTTPS client'


def test_curl_over_tls_wants_a_reason_to_trust_unless_told_otherwise(lab: Lab) -> None:
    address = lab.ip("sealed")
    assert "Kiada 0.5" in curl(lab, f"-k https://{address}:8443/")
    _, err, code = lab.run("client", f"curl -sS --resolve example.com:8443:{address} https://example.com:8443/")
    assert code == 60 and "self-signed certificate" in err
    assert lab.run("client", f"curl -sk https://{lab.ip('said')}:8080/")[2] == 35


def test_a_name_that_does_not_exist_keeps_the_pod_in_its_init_containers(lab: Lab) -> None:
    assert lab.status("checked")["phase"] == "Pending"
    assert "Host unreachable!" in lab.logs("checked", "check")


def test_a_static_server_says_what_it_is_told(lab: Lab) -> None:
    found = curl(lab, f"-i {lab.ip('said')}:8080/any")
    assert found.startswith("HTTP/1.1 404") and found.endswith("Not here.")


def test_nginx_serves_tls_with_the_certificate_that_its_configuration_names() -> None:
    lab = Lab(1)
    files = {"tls.conf": "server {\n  listen 80;\n  listen 443 ssl;\n  ssl_certificate certs/a.crt;\n  ssl_certificate_key certs/a.key;\n"
                         "  location / { return 200 'sealed'; }\n}\n"}  # fmt: skip
    pem = {"a.crt": PLAIN, "a.key": PLAIN_KEY}
    for name, data in (("conf", files), ("certs", pem)):
        lab.create("configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
    volumes = [{"name": name, "configMap": {"name": name}} for name in ("conf", "certs")]
    conf = {"name": "conf", "mountPath": "/etc/nginx/conf.d"}
    certs = {"name": "certs", "mountPath": "/certs"}
    lab.client("client", "curlimages/curl:latest", node="node-1", volumeMounts=[certs], spec={"volumes": volumes})
    lab.pod("web", "nginx:alpine", volumeMounts=[conf, {"name": "certs", "mountPath": "/etc/nginx/certs"}], spec={"volumes": volumes})
    lab.pod("bare", "nginx:alpine", volumeMounts=[conf], spec={"volumes": volumes, "restartPolicy": "Never"})
    lab.settle(40)
    assert curl(lab, f"-k https://{lab.ip('web')}/") == curl(lab, lab.ip("web")) == "sealed"
    trusting = f"curl -sS --cacert /certs/a.crt --resolve plain:443:{lab.ip('web')} --resolve other:443:{lab.ip('web')}"
    assert lab.out("client", f"{trusting} https://plain/") == "sealed"  # a certificate without alternative names is known by its common name
    wrong = "curl: (60) SSL: certificate subject name 'plain' does not match target hostname 'other'"
    assert lab.run("client", f"{trusting} https://other/")[1].startswith(wrong)
    assert lab.status("bare")["phase"] == "Failed"
    assert 'cannot load certificate "/etc/nginx/certs/a.crt": BIO_new_file() failed' in lab.logs("bare")
