"""The images: what they say, answer, want and do when they are asked to stop."""

from __future__ import annotations

from typing import Any

import pytest

from podlab.kubernetes.runtime import image
from podlab.kubernetes.runtime.filling import image_layer
from podlab.kubernetes.runtime.images import base
from podlab.kubernetes.runtime.images.languages import pi_digits
from podlab.kubernetes.runtime.program import PROGRAMS
from tests.kubernetes.runtime.lab import Lab


@pytest.fixture(scope="module")
def lab() -> Lab:
    """One Pod of each server, and a client with curl."""
    lab = Lab()
    agnhost = "registry.k8s.io/e2e-test-images/agnhost:2.40"
    pods: dict[str, tuple[str, dict[str, Any]]] = {
        "httpd": ("httpd:2.4", {}), "echo": ("hashicorp/http-echo", {"args": ["-text=hi there", "-listen=:80"]}),
        "silent": ("hashicorp/http-echo", {}), "hello": ("gcr.io/google-samples/hello-app:2.0", {}), "whoami": ("traefik/"
                                                                                                                "whoami", {}),
        "kubia": ("luksa/kubia", {}), "python": ("python:3-slim", {"command": ["python", "-m", "http.server", "8000", "--directory", "/etc"]}),
        "netexec": (agnhost, {"args": ["netexec"]}), "live": (agnhost, {"args": ["liveness"]}),
        "tester": (agnhost, {"args": ["entrypoint-tester", "a", "b"]}),
        "name": (agnhost, {"args": ["serve-hostname"]}), "web": ("podlab/web:v2", {"env": [{"name": "PORT", "value": "9090"}]}),
        "pi": ("perl:5.34.0", {"command": ["perl", "-Mbignum=bpi", "-wle", "print bpi(2000)"]}),
        "postgres": ("postgres:16", {}), "mysql": ("mysql:8.4", {}),
        "bootcamp": ("gcr.io/google-samples/kubernetes-bootcamp:v1", {}), "pause": ("registry.k8s.io/pause:3.9", {}),
        "database": ("postgres:16", {"env": [{"name": "POSTGRES_PASSWORD", "value": "x"}],
                                      "readinessProbe": {"exec": {"command": ["pg_isready"]}, "periodSeconds": 1}}),
    }  # fmt: skip
    for name, (reference, options) in pods.items():
        lab.pod(name, reference, **options)
    lab.client("client", "nicolaka/netshoot")
    lab.settle(120)
    return lab


def get(lab: Lab, pod: str, port: int = 80, path: str = "/", options: str = "-s") -> str:
    return lab.out("client", f"curl {options} '{lab.ip(pod)}:{port}{path}'")


def test_every_image_can_be_found_by_each_of_its_tags_and_starts_something_that_exists() -> None:
    for name, variants in image.CATALOGUE.items():
        if name.startswith("docker.io/test/"):
            continue
        tags = [tag for variant in variants for tag in variant.tags]
        assert len(tags) == len(set(tags)), name
        for variant in variants:
            found = image.find(f"{name}:{variant.tags[0]}")
            assert found is not None and (found.name, found.tags) == (name, variant.tags)
            assert 10_000 < variant.size < 600_000_000
            assert variant.entrypoint or variant.cmd, name


def test_a_name_without_a_tag_means_latest() -> None:
    assert image.find("nginx") is image.find("docker.io/library/nginx:latest")
    assert image.find("nginx:1.99") is None
    assert image.find("podlab/nothing") is None


def test_the_old_registry_of_kubernetes_serves_what_the_new_one_does() -> None:
    new = image.find("registry.k8s.io/redis:e2e")
    assert new is not None and image.find("k8s.gcr.io/redis:e2e") == new == image.find("gcr.io/google_containers/redis:e2e")
    assert image.find("k8s.gcr.io/nothing:1") is None and image.find("quay.io/redis:e2e") is None


def test_alpine_has_its_own_users_and_groups() -> None:
    etc = image.find("nginx:alpine").tree["etc"]
    assert "guest:x:405:100:guest:/dev/null:/sbin/nologin\n" in etc["passwd"] and "nginx:x:101:101:" in etc["passwd"]
    assert "users:x:100:games\n" in etc["group"] and "www-data" not in etc["passwd"]


def test_mongo_has_its_old_shell_up_to_5_only() -> None:
    tools = {tag: [name for name in ("mongo", "mongosh") if name in image.find(f"mongo:{tag}").tree["usr"]["bin"]] for tag in ("5", "6", "latest")}
    assert tools == {"5": ["mongo", "mongosh"], "6": ["mongosh"], "latest": ["mongosh"]}


def test_the_tools_of_busybox_are_all_there() -> None:
    for name in ("sh", "ls", "sed", "awk", "wget", "nc", "nslookup", "ping", "telnet", "httpd", "netstat", "traceroute", "ps", "top", "vi", "xargs"):
        assert name in base.APPLETS
    assert "curl" not in base.APPLETS
    assert list(base.APPLETS) == sorted(base.APPLETS)
    assert all(name in PROGRAMS for name in base.APPLETS)


def test_an_images_files_are_built_once_and_shared() -> None:
    one, other = image.find("busybox:1.36"), image.find("busybox:1.28")
    assert one is not None and other is not None
    assert image_layer(one.tree) is image_layer(other.tree)


def test_slim_images_lack_what_the_real_ones_lack(lab: Lab) -> None:
    for command in ("ps", "wget x", "ip addr", "ping x"):
        assert lab.run("python", command) == ("", f"sh: 1: {command.split()[0]}: not found\n", 127)


def test_apache_answers_that_it_works(lab: Lab) -> None:
    assert get(lab, "httpd") == "<html><body><h1>It works!</h1></body></html>\n"
    assert "<title>404 Not Found</title>" in get(lab, "httpd", path="/none")
    assert "AH00489: Apache/2.4.65 (Unix) configured -- resuming normal operations" in lab.logs("httpd")


def test_http_echo_says_its_text_and_wants_one(lab: Lab) -> None:
    assert get(lab, "echo") == "hi there\n"
    assert lab.logs("silent") == "Missing -text option!\n"
    status = lab.status("silent")["containerStatuses"][0]
    ended = status["lastState"].get("terminated") or status["state"]["terminated"]
    assert ended["exitCode"] == 127


def test_sample_servers_answer_as_their_manuals_say(lab: Lab) -> None:
    assert get(lab, "hello", 8080) == "Hello, world!\nVersion: 2.0.0\nHostname: hello\n"
    assert get(lab, "kubia", 8080) == "You've hit kubia\n"
    assert get(lab, "bootcamp", 8080) == "Hello Kubernetes bootcamp! | Running on: bootcamp | v=1\n"
    assert get(lab, "python", 8000, "/hostname") == "python\n"
    assert get(lab, "whoami").splitlines()[:4] == ["Hostname: whoami", "IP: 127.0.0.1", "IP: ::1", f"IP: {lab.ip('whoami')}"]
    assert lab.out("client", "whoami").strip() == "root"  # the tool of that name is another program


def test_agnhost_does_what_its_sub_commands_say(lab: Lab) -> None:
    assert get(lab, "netexec", 8080, "/hostname") == "netexec"
    assert get(lab, "netexec", 8080, "/echo?msg=yes&code=202", "-s -w ' %{http_code}'") == "yes 202"
    assert get(lab, "name", 9376) == "name"
    assert lab.logs("tester") == "[/agnhost entrypoint-tester a b]\n"
    assert get(lab, "live", 8080, "/healthz", "-s -o /dev/null -w '%{http_code}'") == "500"
    assert lab.run("netexec", "/agnhost connect --timeout=1s 172.30.255.254:1")[1] == "REFUSED\n"


def test_the_web_app_can_be_broken_and_mended(lab: Lab) -> None:
    page = get(lab, "web", 9090)
    assert f"<h1>web</h1>\n<p>{lab.ip('web')}</p>\n<p>version 2</p>" in page
    assert get(lab, "web", 9090, "/healthz") == "ok\n"
    assert get(lab, "web", 9090, "/ready", "-s -w '%{http_code}'") == "ready\n200"
    assert get(lab, "web", 9090, "/toggle") == "not ready\n"
    assert get(lab, "web", 9090, "/ready", "-s -w '%{http_code}'") == "not ready\n503"
    assert "PORT=9090\n" in get(lab, "web", 9090, "/env")
    assert get(lab, "web", 9090, "/slow?ms=1500", "-s -w '%{time_total}'").startswith("slow\n1.50")
    assert lab.logs("web").splitlines()[1].endswith("GET / 200")
    assert lab.run("client", f"curl -s {lab.ip('web')}:9090/crash")[2] == 52
    lab.settle(3)
    status = lab.status("web")["containerStatuses"][0]
    assert (status["restartCount"], status["lastState"]["terminated"]["exitCode"]) == (1, 1)


def test_perl_prints_two_thousand_digits_of_pi(lab: Lab) -> None:
    digits = lab.logs("pi").split()[0]
    assert len(digits) == 2001
    assert digits.startswith("3.14159265358979323846264338327950288419716939937510")
    assert digits.endswith("275901")
    assert pi_digits(5) == "3.1416"


def test_databases_want_a_password(lab: Lab) -> None:
    assert lab.logs("postgres").startswith("Error: Database is uninitialized and superuser password is not specified.\n")
    assert "[ERROR] [Entrypoint]: Database is uninitialized and password option is not specified\n" in lab.logs("mysql")
    for pod in ("postgres", "mysql"):
        status = lab.status(pod)["containerStatuses"][0]
        assert (status["lastState"].get("terminated") or status["state"]["terminated"])["exitCode"] == 1


def test_a_database_takes_connections_when_it_says_so(lab: Lab) -> None:
    assert "database system is ready to accept connections" in lab.logs("database")
    assert lab.status("database")["containerStatuses"][0]["ready"]
    assert lab.run("client", f"nc -z {lab.ip('database')} 5432")[2] == 0
    assert lab.run("database", "pg_isready -h 127.0.0.1 -p 1") == ("127.0.0.1:1 - no response\n", "", 2)


def test_a_database_that_finds_its_files_starts_without_asking() -> None:
    lab = Lab(1)
    volume = {"volumes": [{"name": "data", "emptyDir": {}}]}
    one = {"image": "postgres:16", "volumeMounts": [{"name": "data", "mountPath": "/var/lib/postgresql/data"}]}
    lab.pod("db", containers=[{"name": "db", "env": [{"name": "POSTGRES_PASSWORD", "value": "x"}], **one}], spec=volume)
    lab.settle(30)
    lab.cluster.apply({"at": lab.cluster.now, "do": "fault", "pod": "default/db", "container": "db", "signal": "INT"})
    lab.settle(30)
    assert "Skipping initialization" in lab.logs("db")


@pytest.mark.parametrize("reference, options, code", [
    ("nginx:1.14.2", {}, 0), ("httpd", {}, 0), ("redis", {}, 0), ("podlab/web", {}, 0), ("traefik/"
                                                                                         "whoami", {}, 0), ("memcached", {}, 0),
    ("registry.k8s.io/pause:3.9", {}, 0), ("luksa/kubia", {}, 137), ("python:3", {"command": ["python", "-m", "http.server"]}, 0),
    ("busybox", {"command": ["sleep", "1000"]}, 137),
])  # fmt: skip
def test_servers_stop_as_the_real_ones_do(reference: str, options: dict[str, Any], code: int) -> None:
    lab = Lab(1)
    lab.pod("one", reference, **options)
    lab.settle(30)
    machine, container = lab._held("one")
    began = lab.cluster.now
    lab.cluster.apply({"at": lab.cluster.now, "do": "request", "verb": "delete", "resource": "pods", "namespace": "default", "name": "one"})
    ended = None
    while ended is None:
        lab.cluster.step()
        status = machine.status(container)
        ended = status if status.state == "exited" else None
    assert ended.exit_code == code
    assert (lab.cluster.now - began > 29_000) == (code == 137)


def test_a_load_maker_is_killed_at_its_memory_limit() -> None:
    lab = Lab(1)
    lab.pod(
        "eater",
        "polinux/stress",
        command=["stress"],
        args=["--vm", "1", "--vm-bytes", "250M", "--vm-hang", "1"],
        resources={"limits": {"memory": "100Mi"}},
    )
    lab.pod(
        "slow-eater",
        "vish/stress",
        args=["-mem-total", "150Mi", "-mem-alloc-size", "10Mi", "-mem-alloc-sleep", "1s"],
        resources={"limits": {"memory": "64Mi"}},
    )
    lab.settle(40)
    for pod in ("eater", "slow-eater"):
        status = lab.status(pod)["containerStatuses"][0]
        ended = status["lastState"].get("terminated") or status["state"]["terminated"]
        assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)


@pytest.mark.parametrize("hang, millicores", [([], 1000), (["--vm-hang", "0"], 0)])
def test_a_load_maker_that_hangs_on_its_memory_uses_no_cpu(hang: list[str], millicores: int) -> None:
    lab = Lab(1)
    lab.pod("eater", "polinux/stress", command=["stress"], args=["--vm", "1", "--vm-bytes", "64M", *hang])
    lab.settle(40)
    machine, container = lab._held("eater")
    used = machine.usage(container)
    assert used["memory_bytes"] >= 64 << 20 and round(used["cpu_nanocores"] / 1_000_000, -2) == millicores


def test_pull_errors_are_the_registrys() -> None:
    lab = Lab(1)
    for name, reference in (("nobody", "no-such-image-anywhere"), ("untagged", "nginx:no-such-tag"), ("nowhere", "registry.example.test/app:1")):
        lab.pod(name, reference)
    lab.settle(6)
    said = {
        event["involvedObject"]["name"]: event["message"]
        for event in lab.cluster.etcd.list("events")
        if event["reason"] == "Failed" and event["message"].startswith("Failed to pull image")
    }
    assert (
        said["nobody"] == 'Failed to pull image "no-such-image-anywhere": failed to pull and unpack image "docker.io/library/'
        'no-such-image-anywhere:latest": '
        "failed to resolve image: pull access denied, repository does not exist or may require authorization: server message: "
        "insufficient_scope: authorization failed"
    )
    assert said["untagged"].endswith("docker.io/library/nginx:no-such-tag: not found")
    assert "registry.example.test" in said["nowhere"]
    assert said["nowhere"].endswith("no such host")


@pytest.mark.parametrize(("reference", "release"), [
    ("nginx:1.14.2", "Debian GNU/Linux 9 (stretch)"), ("nginx:1.16.1", "Debian GNU/Linux 10 (buster)"), ("nginx", "Debian GNU/Linux 13 (trixie)"),
    ("nginx:1.27", "Debian GNU/Linux 12 (bookworm)"), ("nginx:1.27-alpine", "Alpine Linux v3.21"), ("alpine:3.15", "Alpine Linux v3.15"),
    ("debian:11-slim", "Debian GNU/Linux 11 (bullseye)"), ("ubuntu:22.04", "Ubuntu 22.04.5 LTS"), ("ubuntu", "Ubuntu 24.04.3 LTS"),
    ("redis:5.0.4", "Debian GNU/Linux 9 (stretch)"), ("fedora:41", "Fedora Linux 41 (Container Image)"), ("centos:7", "CentOS Linux 7 (Core)"),
    ("python:3.12-slim-bookworm", "Debian GNU/Linux 12 (bookworm)"), ("mysql:8.0", "Oracle Linux Server 9.6"), ("busybox", ""),
])  # fmt: skip
def test_a_tag_says_which_release_it_is_built_on(reference: str, release: str) -> None:
    found = image.find(reference)
    assert found is not None
    assert (f'PRETTY_NAME="{release}"' in found.tree["etc"]["os-release"]) if release else "os-release" not in found.tree["etc"]


@pytest.mark.parametrize(("reference", "number"), [
    ("nginx:1.14.2", "1.14.2"), ("nginx:1.14", "1.14.2"), ("nginx:stable-alpine", "1.28.0"), ("redis:6.0.5", "6.0.5"), ("redis:5", "5.0.14"),
    ("redis", "8.2.1"), ("mysql:5.7", "5.7.44"), ("mysql:8.0", "8.0.43"), ("mysql", "9.4.0"), ("httpd:2.4", "2.4.65"), ("busybox:1.36", "")])
def test_a_tag_says_which_release_of_its_program_runs(reference: str, number: str) -> None:
    assert image.release(reference) == number


@pytest.mark.slow
def test_a_loop_of_wget_loads_kubia_so_that_an_autoscaler_sees_it() -> None:
    lab = Lab(1)
    lab.pod("kubia", "luksa/kubia")
    lab.settle(30)
    lab.pod("load", command=["sh", "-c", f"while true; do wget -O - -q {lab.ip('kubia')}:8080; done"])
    lab.settle(20)
    used = lab.cluster.pod_usage(lab.cluster.etcd.get("pods", "default/kubia"))["kubia"]["cpu_nanocores"] // 1_000_000
    assert used >= 50  # Kubernetes in Action, chapter 15: 108 % of 100m, more than the 30 % that its autoscaler aims at


@pytest.mark.slow
def test_node_without_a_script_ends_with_its_standard_input_and_waits_at_a_terminal() -> None:
    lab = Lab(1)
    lab.pod("plain", "node:20", spec={"restartPolicy": "Never"})
    lab.pod("terminal", "node:20", stdin=True, tty=True)
    lab.settle(30)
    assert lab.status("plain")["phase"] == "Succeeded" and lab.logs("plain") == ""
    assert lab.status("terminal")["phase"] == "Running" and lab.logs("terminal").startswith("Welcome to Node.js v20.19.5.")
