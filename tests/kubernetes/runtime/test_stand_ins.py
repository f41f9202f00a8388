"""Images of kubernetes/examples and the books start as their manifests start them and pass their probes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from podlab.kubernetes.runtime import image

from .lab import Lab


def http(path: str, port: int) -> dict[str, Any]:
    return {"httpGet": {"path": path, "port": port}, "periodSeconds": 1}


def tcp(port: int) -> dict[str, Any]:
    return {"tcpSocket": {"port": port}, "periodSeconds": 1}


VLLM = "vllm/vllm-openai@sha256:05a31dc4185b042e91f4d2183689ac8a87bd845713d5c3f987563c5899878271"
PODS: dict[str, tuple[str, dict[str, Any]]] = {
    "hub": ("selenium/hub:3.11", {"readinessProbe": http("/grid/console", 4444)}),
    "chrome": ("selenium/node-chrome-debug:3.141", {"readinessProbe": tcp(5900)}),
    "hazelcast": ("quay.io/pires/hazelcast-kubernetes:3.8_1", {"readinessProbe": tcp(5701)}),
    "rethinkdb": ("k8s.gcr.io/rethinkdb:1.16.0_1", {"readinessProbe": http("/", 8080)}),
    "spark": ("registry.k8s.io/spark:1.5.2_v1", {"command": ["/start-worker"], "readinessProbe": http("/", 8081)}),
    "zeppelin": ("gcr.io/google_containers/zeppelin:v0.5.6_v1", {"readinessProbe": http("/", 8080)}),
    "storm": ("mattf/storm-worker", {"readinessProbe": tcp(6703)}),
    "openshift": ("openshift/origin", {"args": ["start", "master", "--config=/config/master-config.yaml"], "readinessProbe": tcp(8443)}),
    "explorer": ("registry.k8s.io/explorer:1.0", {"args": ["-port=8080"], "readinessProbe": http("/", 8080)}),
    "serving": ("tensorflow/serving:2.19.0", {"args": ["--port=8500", "--rest_api_port=8501"], "readinessProbe": http("/v1/models/m", 8501)}),
    "vllm": (VLLM, {"command": ["python3", "-m", "vllm.entrypoints.openai.api_server"], "args": ["--port=8080"], "readinessProbe": http("/", 8080)}),
    "minio": ("minio/minio:RELEASE.2017-05-05T01-14-51Z", {"args": ["server", "/storage"], "readinessProbe": http("/minio/health/ready", 9000)}),
    "monolith": ("kelseyhightower/monolith:1.0.0", {"args": ["-http=0.0.0.0:80", "-health=0.0.0.0:81"], "readinessProbe": http("/readiness", 81)}),
    "book": ("nigelpoulton/k8sbook:1.0", {"readinessProbe": http("/", 8080)}),
    "coin": ("dockercoins/rng:v0.1", {"readinessProbe": http("/", 80)}),
    "cart": ("us-central1-docker.pkg.dev/google-samples/microservices-demo/cartservice:v0.10.1",
             {"readinessProbe": {"grpc": {"port": 7070}, "periodSeconds": 1}}),
    "podinfo": ("ghcr.io/stefanprodan/podinfo:6.1.1", {"command": ["./podinfo", "--port=9898", "--port-metrics=9797", "--grpc-port=9999"],
                "livenessProbe": tcp(9797), "readinessProbe": {"exec": {"command": ["podcli", "check", "http", "localhost:9898/readyz"]}}}),
    "kiali": ("quay.io/kiali/kiali:v2.5", {"command": ["/opt/kiali/kiali", "-config", "/c.yaml"], "securityContext": {"runAsNonRoot": True},
              "readinessProbe": http("/kiali/healthz", 20001)}),
    "counting": ("hashicorp/counting-service:0.0.2", {"env": [{"name": "PORT", "value": "9001"}], "readinessProbe": http("/health", 9001)}),
    "k8s-demo": ("wardviaene/k8s-demo", {"command": ["node", "index-db.js"], "readinessProbe": http("/", 3000)}),
    "fleetman": ("richardchesterwood/k8s-fleetman-webapp-angular:release0-5", {"readinessProbe": http("/", 80)}),
    "echo": ("docker.io/istio/tcp-echo-server:1.3", {"args": ["9000,9001", "hello"], "readinessProbe": tcp(9001)}),
    "hello-v1": ("registry.istio.io/release/examples-helloworld-v1:1.0", {"readinessProbe": http("/hello", 5000)}),
    "webhook": ("quay.io/jetstack/cert-manager-webhook:v1.16.2", {"args": ["--secure-port=10250"], "securityContext": {"runAsNonRoot": True},
                "readinessProbe": http("/healthz", 6080)}),
    "argocd": ("quay.io/argoproj/argocd:v2.13.1", {"args": ["/usr/local/bin/argocd-server"], "readinessProbe": http("/healthz?full=true", 8080)}),
    "calico": ("docker.io/calico/node:v3.29.1", {"readinessProbe": {"exec": {"command": ["/bin/calico-node", "-felix-ready"]}}}),
    "flannel": ("ghcr.io/flannel-io/flannel:v0.26.1", {"command": ["/opt/bin/flanneld"], "args": ["--ip-masq", "--kube-subnet-mgr"]}),
    "kitten": ("gcr.io/google_containers/update-demo:kitten", {"readinessProbe": http("/data.json", 80)}),
}


@pytest.mark.slow
def test_the_images_of_kubernetes_examples_are_ready_when_their_manifests_say_so() -> None:
    lab = Lab(2)
    for name, (reference, options) in PODS.items():
        lab.pod(name, reference, **options)
    volume = {"volumes": [{"name": "app", "emptyDir": {}}]}
    mounts = [{"name": "app", "mountPath": "/app"}]
    war = {"name": "war", "image": "resouer/sample:v2", "command": ["cp", "/sample.war", "/app"], "volumeMounts": mounts}
    home = Path("/", "root", "apache-tomcat-7.0.42-v2")  # in the image
    tomcat = {"name": "tomcat", "image": "resouer/mytomcat:7.0", "command": ["sh", "-c", f"{home}/bin/start.sh"], "readinessProbe": tcp(8080),
              "volumeMounts": [{"name": "app", "mountPath": f"{home}/webapps"}]}  # fmt: skip
    lab.pod("tomcat", containers=[tomcat], spec={"initContainers": [war], **volume})
    lab.settle(60)
    waiting = {name: lab.status(name) for name in (*PODS, "tomcat") if not lab.status(name)["containerStatuses"][0]["ready"]}
    assert waiting == {}


@pytest.mark.slow
def test_redis_with_its_sentinel_finds_the_master_by_the_service() -> None:
    lab = Lab(1)
    roles = [{"name": name.lower(), "image": "k8s.gcr.io/redis:v1", "env": [{"name": name, "value": "true"}]} for name in ("MASTER", "SENTINEL")]
    lab.pod("redis-master", containers=roles, labels={"app": "redis-sentinel"})
    lab.service("redis-sentinel", "redis-sentinel", 26379, 26379)
    lab.settle(30)
    lab.pod("redis", "registry.k8s.io/redis:v1")
    lab.settle(30)
    lab.out("redis-master", "redis-cli set a 1", "master")
    assert lab.out("redis", "redis-cli get a; redis-cli role | head -1") == "1\nslave\n"


def test_official_images_have_a_tag_for_each_release_of_a_branch() -> None:
    for reference in ("postgres:10.4", "postgres:14.5-alpine3.16", "redis:6.2.14", "redis:bullseye", "mariadb:10.6.4-focal", "httpd:2.4.41",
                      "python:3.11.4-slim", "public.ecr.aws/docker/library/redis:7.0.5", "gcr.io/google_samples/node-hello:1.0"):  # fmt: skip
        assert image.find(reference) is not None, reference
    for reference in ("curlimages/curl:7.78.0", "fluent/fluentd:v1.14.6-debian-1.1", "timberio/vector:0.34.0-debian", "busybox:1.25.1-musl",
                      "ghcr.io/dexidp/dex:v2.37.0-alpine", "quay.io/oauth2-proxy/oauth2-proxy:v7.1.3"):  # fmt: skip
        assert image.find(reference) is not None, reference
    for reference in ("curlimages/curl:nope", "fluent/fluentd:v1.14.6-windows", "busybox:1.99", "nginx:1.161", "nginx:1.91", "python:3.9.999",
                      "postgres:42", "postgres:nope", "redis:17b"):  # fmt: skip
        assert image.find(reference) is None, reference
    assert image.release("postgres:10.4") == "10.4" and image.release("postgres:13") == "13.22"


@pytest.mark.slow
def test_kuard_makes_keys_draws_work_from_its_queue_and_fails_its_probes_when_told() -> None:
    lab = Lab(1)
    options = ["--keygen-enable", "--keygen-exit-on-complete"]
    lab.pod("kuard", "gcr.io/kuar-demo/kuard-amd64:blue", livenessProbe=http("/healthy", 8080), readinessProbe=http("/ready", 8080))
    lab.service("queue", "kuard", 8080, 8080)
    once: dict[str, Any] = {"restartPolicy": "Never"}
    lab.pod("oneshot", "gcr.io/kuar-demo/kuard-amd64:1", args=[*options, "--keygen-num-to-gen=3", "--keygen-exit-code=4"], spec=once)
    lab.settle(25)
    assert lab.status("oneshot")["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 4
    assert [line.split(") ")[1][:9] for line in lab.logs("oneshot").splitlines() if "(ID 0 " in line] == ["Item done"] * 3
    lab.client(node="node-1")
    lab.settle(5)
    queue = "queue:8080/memq/server/queues/work"
    lab.pod("maker", "curlimages/curl", spec=once,
            command=["sh", "-c", f"curl -sX PUT {queue}; for one in a b; do curl -s {queue}/enqueue -d $one; done"])  # fmt: skip
    lab.settle(10)
    lab.pod("worker", "gcr.io/kuar-demo/kuard-amd64:1", spec=once,
            args=[*options, "--keygen-memq-server=http://queue:8080/memq/server", "--keygen-memq-queue=work"])  # fmt: skip
    lab.settle(30)
    assert lab.status("worker")["phase"] == "Succeeded" and lab.logs("worker").count("Item done") == 2
    assert '"depth":0,"enqueued":2,"dequeued":2' in lab.out("client", "wget -qO- queue:8080/memq/server/stats")
    lab.out("kuard", "printf 'PUT /healthy/api HTTP/1.0\\r\\nContent-Length: 16\\r\\n\\r\\n{\"failNext\": -1}' | nc localhost 8080")
    lab.settle(8)
    assert lab.status("kuard")["containerStatuses"][0]["restartCount"] == 1


@pytest.mark.slow
def test_httpbin_tells_what_it_was_asked_and_the_demo_of_cloud_native_devops_greets_as_it_is_told() -> None:
    lab = Lab(1)
    lab.pod("python", "docker.io/kennethreitz/httpbin")
    lab.pod("go", "mccutchen/go-httpbin:v2.15.0", args=["/bin/go-httpbin", "-port", "8081"])
    env = [{"name": "GREETING", "value": "Buongiorno"}]
    lab.pod("demo", "cloudnatived/demo:hello-config-args", args=["-greeting", "$(GREETING)"], env=env)
    lab.pod("file", "cloudnatived/demo:hello-config-file")
    lab.pod("client", "curlimages/curl", command=["sleep", "1000"])
    lab.settle(20)
    python, go, demo = (lab.ip(name) for name in ("python", "go", "demo"))
    assert '"args": {\n    "a": "1"\n  }' in lab.out("client", f"curl -s '{python}/get?a=1'")
    assert '"data": "x"' in lab.out("client", f"curl -s {python}/post -H 'Content-Type: text/plain' -d x")
    assert lab.out("client", f"curl -s -o /dev/null -w '%{{http_code}}' {python}/status/418") == "418"
    assert '"X-A": [\n      "b"\n    ]' in lab.out("client", f"curl -s {go}:8081/headers -H 'X-A: b'")
    assert lab.out("client", f"curl -s -o /dev/null -w '%{{time_total}}' {go}:8081/delay/2")[:2] == "2."
    assert lab.out("client", f"curl -s {demo}:8888") == "Buongiorno, 世界\n"
    dial = f"exec 3<>/dev/tcp/{demo}/8888; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; tail -1 <&3; : > /dev/tcp/{demo}/9"
    said, wrong, code = lab.run("python", f"bash -c \"{dial}\"")
    assert (said, code) == ("Buongiorno, 世界\n", 1) and wrong.endswith(f"/dev/tcp/{demo}/9: Connection refused\n")
    assert "open /config/demo.yaml: no such file or directory" in lab.logs("file")


@pytest.mark.slow
def test_git_sync_links_what_it_fetched_and_a_tcp_echo_server_puts_its_word_before_each_line() -> None:
    lab = Lab(1)
    env = [{"name": "GIT_SYNC_REPO", "value": "https://github.com/nigelpoulton/ps-sidecar.git"}, {"name": "GIT_SYNC_DEST", "value": "html"}]
    mounts = ({"name": "html", "mountPath": "/usr/share/nginx"}, {"name": "html", "mountPath": str(Path("/", "tmp", "git"))})
    web = {"name": "web", "image": "nginx", "volumeMounts": [mounts[0]]}
    sync = {"name": "sync", "image": "registry.k8s.io/git-sync/git-sync:v4.1.0", "env": env, "volumeMounts": [mounts[1]]}
    lab.pod("site", containers=[web, sync], spec={"volumes": [{"name": "html", "emptyDir": {}}]})
    lab.pod("echo", "docker.io/istio/tcp-echo-server:1.3", args=["9000", "hello"])
    lab.settle(25)
    assert "ps-sidecar.git" in lab.out("site", "curl -s localhost", "web")
    assert lab.out("echo", "sh -c 'echo world | ncat localhost 9000'") == "hello world\n"


@pytest.mark.slow
def test_a_clone_of_the_small_internet_says_what_it_is_and_an_unknown_host_is_told() -> None:
    lab = Lab(1)
    lab.pod("clone", "alpine/git", args=["clone", "--depth", "1", "https://github.com/some/site.git"], spec={"restartPolicy": "Never"})
    lab.pod("wrong", "alpine/git", args=["clone", "https://no.such.host/site"], spec={"restartPolicy": "Never"})
    lab.pod("install", "alpine:3.20", command=["sh", "-c", "apk add git && git clone https://github.com/a/b /tmp/b && head -1 /tmp/b/README.md"],
            spec={"restartPolicy": "Never"})  # fmt: skip
    lab.settle(25)
    assert lab.status("clone")["phase"] == "Succeeded" and lab.logs("clone") == "Cloning into 'site'...\n"
    assert lab.status("wrong")["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 128
    assert "fatal: unable to access 'https://no.such.host/site': Could not resolve host: no.such.host" in lab.logs("wrong")
    assert lab.logs("install").endswith("# b\n")
