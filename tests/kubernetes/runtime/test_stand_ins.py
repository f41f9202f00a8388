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
    for reference in ("nginx:1.161", "nginx:1.91", "python:3.9.999", "postgres:42", "postgres:nope", "redis:17b"):
        assert image.find(reference) is None, reference
    assert image.release("postgres:10.4") == "10.4" and image.release("postgres:13") == "13.22"
