"""agnhost, the image that Kubernetes' own tests run in."""

import base64
import json
from typing import Any

import pytest

from tests.kubernetes.runtime.lab import Lab

IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.57"


@pytest.fixture(scope="module")
def lab() -> Lab:
    lab = Lab()
    claims: dict[str, Any] = {"volumes": [{"name": "v", "emptyDir": {"medium": "Memory"}}]}
    pods: dict[str, tuple[list[str], dict[str, Any]]] = {
        "netexec": (["netexec"], {}),
        "porter": (["porter", "--json-response"], {"env": [{"name": "SERVE_PORT_80", "value": "foo"}, {"name": "SERVE_PORT_81", "value": "bar"}]}),
        "mounts": (["mounttest", "--fs_type=/v", "--new_file_0644=/v/file", "--file_perm=/v/file", "--file_owner=/v/file"],
                   {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}),
        "missing": (["mounttest", "--file_content_in_loop=/none", "--retry_time=5"], {}),
        "hosts": (["etc-hosts"], {}), "suffix": (["dns-suffix"], {}), "servers": (["dns-server-list"], {}),
        "agnhost-primary": (["guestbook", "--http-port", "6379"], {}),
    }
    for name, (args, options) in pods.items():
        lab.pod(name, IMAGE, args=args, spec={"restartPolicy": "Never", **(claims if name == "mounts" else {})}, **options)
    for role in ("primary", "replica"):
        lab.service(f"agnhost-{role}", f"agnhost-{role}", 6379, 6379)
    lab.pod("agnhost-replica", IMAGE, args=["guestbook", "--replicaof", "agnhost-primary", "--http-port", "6379"])
    lab.pod("frontend", IMAGE, args=["guestbook", "--backend-port", "6379"])
    lab.client("client", "nicolaka/netshoot")
    lab.settle(120)
    return lab


def get(lab: Lab, pod: str, port: int, path: str) -> str:
    return lab.out("client", f"curl -s '{lab.ip(pod)}:{port}{path}'")


def test_netexec_dials_others_as_often_as_asked(lab: Lab) -> None:
    dialled = json.loads(get(lab, "netexec", 8080, f"/dial?host={lab.ip('netexec')}&port=8080&request=hostname&tries=2"))
    assert dialled == {"responses": ["netexec", "netexec"]}
    refused = json.loads(get(lab, "netexec", 8080, f"/dial?host={lab.ip('client')}&port=81&request=hostname"))
    assert "connection refused" in refused["errors"][0]
    assert get(lab, "netexec", 8080, "/serverport") == "8080"
    assert get(lab, "netexec", 8080, "/echo?msg=poststart") == "poststart"
    assert "GET /echo?msg=poststart&code=\n" in lab.logs("netexec")


def test_netexec_speaks_udp_also_through_a_service(lab: Lab) -> None:
    ip = lab.ip("netexec")
    assert json.loads(get(lab, "netexec", 8080, f"/dial?host={ip}&port=8081&request=hostname&protocol=udp&tries=2")) == {
        "responses": ["netexec", "netexec"]}
    lab.service("words", "netexec", ports=[{"name": "words", "port": 90, "targetPort": 8081, "protocol": "UDP"}])
    lab.settle(3)
    assert lab.out("client", "echo 'echo hi there' | nc -u -w 1 words 90").strip() == "hi there"
    assert lab.out("client", f"echo clientip | nc -u -w 1 {ip} 8081").startswith(lab.ip("client") + ":")
    assert lab.out("client", f"echo nothing | nc -u -w 1 {ip} 8082") == ""
    lost = json.loads(get(lab, "netexec", 8080, f"/dial?host={ip}&port=8082&request=hostname&protocol=udp"))
    assert "i/o timeout" in lost["errors"][0]


def test_netexec_runs_commands_and_keeps_files(lab: Lab) -> None:
    assert json.loads(get(lab, "netexec", 8080, "/shell?shellCommand=echo%20hi;%20echo%20no%20%3E%262")) == {"output": "hi\nno\n"}
    assert json.loads(get(lab, "netexec", 8080, "/shell?cmd=sleep%201;%20exit%203")) == {"error": "exit status 3"}
    body = "--xx\\r\\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\\r\\n\\r\\nkept\\r\\n--xx--\\r\\n"
    send = f"printf '{body}' > /tmp/b; curl -s -H 'Content-Type: multipart/form-data; boundary=xx' --data-binary @/tmp/b"
    path = json.loads(lab.out("client", f"{send} {lab.ip('netexec')}:8080/upload"))["output"]
    assert lab.out("netexec", f"cat {path}; stat -c %a {path}") == "kept700\n"


def test_porter_says_what_its_environment_says(lab: Lab) -> None:
    assert json.loads(get(lab, "porter", 80, "/any/path")) == {"Method": "GET", "Body": "foo"}
    assert json.loads(lab.out("client", f"curl -s -X PUT {lab.ip('porter')}:81")) == {"Method": "PUT", "Body": "bar"}


def test_mounttest_tells_what_files_are(lab: Lab) -> None:
    assert lab.logs("mounts").splitlines() == [
        'mount type of "/v": tmpfs', 'content of file "/v/file": mount-tester new file', "", 'perms of file "/v/file": -rw-r--r--',
        'owner UID of "/v/file": 0', 'owner GID of "/v/file": 0']
    assert lab.logs("missing").count("Error reading file /none") == 3


def test_resolver_and_hosts_are_told(lab: Lab) -> None:
    assert lab.logs("suffix") == "default.svc.cluster.local,svc.cluster.local,cluster.local\n"
    assert lab.logs("servers") == "10.96.0.10\n"
    assert f"{lab.ip('hosts')}\thosts" in lab.logs("hosts")


def test_the_guestbook_goes_by_the_primary_to_its_replicas(lab: Lab) -> None:
    assert json.loads(get(lab, "frontend", 80, "/guestbook?cmd=set&key=messages&value=TestEntry")) == {"message": "Updated"}
    assert json.loads(get(lab, "frontend", 80, "/guestbook?cmd=get&key=messages")) == {"data": "TestEntry"}
    assert json.loads(get(lab, "agnhost-primary", 6379, "/get")) == {"data": {"messages": "TestEntry"}}
    assert get(lab, "frontend", 80, "/guestbook?cmd=drop&key=messages") == "unsupported cmd: 'drop'\n"
    assert get(lab, "agnhost-primary", 6379, "/set?value=1") == "cannot set with empty key.\n"


@pytest.fixture(scope="module")
def servers() -> Lab:
    lab = Lab()
    env = [{"name": "SERVE_PORT_80", "value": '<a href="/x">test</a>'}, {"name": "SERVE_TLS_PORT_443", "value": "over TLS"}]
    lab.pod("porter", IMAGE, args=["porter"], env=env)
    lab.pod("web", "registry.k8s.io/e2e-test-images/agnhost:2.63.0", args=["test-webserver"])
    lab.pod("nettest", IMAGE, args=["nettest"])
    lab.pod("secure", IMAGE, args=["netexec", "--tls-cert-file", "/localhost.crt", "--tls-private-key-file", "/localhost.key"])
    lab.pod("hostname", IMAGE, args=["serve-hostname"])
    lab.pod("kitten", "registry.k8s.io/e2e-test-images/kitten:1.8")
    pair = {"tls.crt": "a certificate", "tls.key": "its key"}
    lab.create("secrets", {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "pair"}, "stringData": pair})
    probe = {"httpGet": {"scheme": "HTTPS", "port": 8444, "path": "/readyz"}, "periodSeconds": 1}
    args = ["webhook", "--tls-cert-file=/c/tls.crt", "--tls-private-key-file=/c/tls.key", "--port=8444"]
    lab.pod("webhook", IMAGE, args=args, readinessProbe=probe, volumeMounts=[{"name": "c", "mountPath": "/c"}],
            spec={"volumes": [{"name": "c", "secret": {"secretName": "pair"}}]})
    lab.pod("bare", IMAGE, args=["webhook", "--tls-cert-file=/none"], spec={"restartPolicy": "Never"})
    lab.client("client", "nicolaka/netshoot")
    lab.settle(60)
    return lab


def test_porter_serves_its_tls_ports_over_tls_and_knows_markup(servers: Lab) -> None:
    assert servers.out("client", f"curl -sk https://{servers.ip('porter')}") == "over TLS"
    assert "TLS" in servers.run("client", f"curl -v https://{servers.ip('porter')}:80")[1]
    assert "Content-Type: text/html" in servers.out("client", f"curl -si {servers.ip('porter')}")


def test_the_test_webserver_reads_paths_as_browsers_write_them_and_lists_directories(servers: Lab) -> None:
    servers.out("web", "mkdir /results; echo OK > '/results/udp@a b'")
    assert get(servers, "web", 80, "/results/udp%40a%20b") == "OK\n"
    assert get(servers, "web", 80, "/results/") == '<pre>\n<a href="udp%40a%20b">udp@a b</a>\n</pre>\n'


def test_netexec_with_a_certificate_speaks_tls_and_asks_others_without(servers: Lab) -> None:
    dialled = f"dial?host={servers.ip('hostname')}&port=9376&request=x"
    assert json.loads(servers.out("client", f"curl -sk 'https://{servers.ip('secure')}:8080/{dialled}'")) == {"responses": ["hostname"]}


def test_nettest_tells_who_reported_to_it(servers: Lab) -> None:
    assert servers.out("client", f"curl -s -d '{{\"Source\": \"prestop\"}}' {servers.ip('nettest')}:8080/write") == '{"Hostname":"nettest"}\n'
    assert json.loads(get(servers, "nettest", 8080, "/read"))["Received"] == {"prestop": 1}


def test_what_is_no_request_is_refused_at_once(servers: Lab) -> None:
    said = servers.out("client", f"echo hostName | nc -w 2 {servers.ip('hostname')} 9376")
    assert said.startswith("HTTP/1.1 400 Bad Request\r\n") and said.endswith("\r\n\r\n400 Bad Request")


def test_kitten_says_which_picture_it_is(servers: Lab) -> None:
    assert json.loads(get(servers, "kitten", 80, "/data.json")) == {"image": "kitten.jpg"}


def reviewed(servers: Lab, path: str, **request: Any) -> Any:
    """The response to an AdmissionReview."""
    review = json.dumps({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": {"uid": "u", **request}})
    answer = json.loads(servers.out("client", f"curl -sk https://{servers.ip('webhook')}:8444{path} -d '{review}'"))
    assert answer["response"].pop("uid") == "u"
    return answer["response"]


def test_the_webhook_server_is_ready_over_tls_and_judges_reviews(servers: Lab) -> None:
    assert servers.status("webhook")["containerStatuses"][0]["ready"]
    denied = reviewed(servers, "/configmaps", operation="CREATE", object={"data": {"webhook-e2e-test": "webhook-disallow"}})
    assert (denied["allowed"], denied["status"]["message"]) == (False, "the configmap contains unwanted key and value")
    assert reviewed(servers, "/configmaps", operation="CREATE", object={"data": {}}) == {"allowed": True}
    changed = reviewed(servers, "/mutating-configmaps", operation="CREATE", object={"data": {"mutation-start": "yes"}})
    assert json.loads(base64.b64decode(changed["patch"])) == [{"op": "add", "path": "/data/mutation-stage-1", "value": "yes"}]
    assert servers.status("bare")["phase"] == "Failed"


@pytest.mark.slow
def test_small_trials_of_the_network() -> None:
    lab = Lab()
    trials: dict[str, tuple[list[str], dict[str, str]]] = {
        "raw": (["serve-hostname", "--http=false", "--tcp", "--udp"], {}), "both": (["serve-hostname", "--tcp"], {}), "git": (["fake-gitserver"], {}),
        "forward": (["port-forward-tester"], {"BIND_PORT": "80", "EXPECTED_CLIENT_DATA": "abc", "CHUNKS": "3", "CHUNK_SIZE": "4",
                                              "CHUNK_INTERVAL": "100"}),
        "snat": (["no-snat-test"], {"NODE_IP": "172.30.255.1"}), "proxy": (["no-snat-test-proxy"], {}), "homeless": (["no-snat-test"], {}),
        "reset": (["tcp-reset"], {}), "ill": (["liveness"], {}),
    }
    for name, (args, env) in trials.items():
        variables: list[dict[str, Any]] = [{"name": key, "value": value} for key, value in env.items()]
        if own := {"snat": "POD_IP", "forward": "BIND_ADDRESS"}.get(name):
            variables.append({"name": own, "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}})
        lab.pod(name, IMAGE, args=args, env=variables, spec={"restartPolicy": "Never"})
    lab.pod("tool", IMAGE, args=["pause"])
    lab.client("client", "nicolaka/netshoot")
    lab.settle(60)
    lab.run("ill", "kill 1")
    lab.settle(1)
    assert lab.status("ill")["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 2  # Go's own end of process 1
    raw = lab.ip("raw")
    assert lab.out("client", f"nc -w 1 {raw} 9376 < /dev/null") == "raw"
    assert lab.out("client", f"echo x | nc -u -w 1 {raw} 9376") == "raw"
    assert f"TCP request from {lab.ip('client')}:" in lab.logs("raw")
    assert "at the same time" in lab.logs("both")
    assert get(lab, "git", 8000, "/") == "I am a fake git server"
    assert lab.out("client", f"printf abc | nc -w 2 {lab.ip('forward')} 80") == "x" * 12
    lab.settle(2)
    assert lab.logs("forward") == "Accepted client connection\nReceived expected client data\nShutting down connection\nDone\n"
    assert lab.out("client", f"curl -s -o /dev/null -w '%{{http_code}}' '{lab.ip('snat')}:8080/checknosnat?ips={lab.ip('snat')}:8080'") == "200"
    assert get(lab, "proxy", 31235, f"/checknosnat?target={lab.ip('snat')}:8080&ips={lab.ip('snat')}:8080") == ""
    assert "NODE_IP" in lab.logs("homeless") or "POD_IP" in lab.logs("homeless")
    assert lab.out("client", f"echo 12 | nc -w 1 {lab.ip('reset')} 8080") == ""
    for words, told in ((f"--timeout=2s {raw}:9376", ""), (f"--timeout=2s {raw}:1", "REFUSED"), ("--timeout=2s nowhere", "UNKNOWN: address nowhere"),
                        ("--timeout=2s nowhere:80", "DNS: "), (f"--timeout=2s --protocol=udp {raw}:9376", ""),
                        (f"--timeout=2s --protocol=sctp {raw}:9376", "OTHER: ")):
        assert lab.out("tool", f"/agnhost connect {words} 2>&1").startswith(told)
        assert bool(lab.out("tool", f"/agnhost connect {words} 2>&1")) == bool(told)
