"""The service of Kubernetes Patterns: it starts, answers, falls ill and ends as the book's examples tell."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .lab import Lab

IMAGE = "k8spatterns/random-generator:1.0"
READY = {"readinessProbe": {"exec": {"command": ["stat", "/opt/random-generator-ready"]}, "periodSeconds": 1}}
pytestmark = pytest.mark.slow


def env(**values: str) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]


def test_the_service_is_ready_once_its_file_is_there_and_tells_its_ambassador_and_its_adapter_of_each_number() -> None:
    lab = Lab(1)
    shared: dict[str, Any] = {"volumeMounts": [{"name": "logs", "mountPath": "/logs"}]}
    told = env(LOG_URL="http://localhost:9009", LOG_FILE="/logs/random.log", SEED="42", PATTERN="Ambassador", DELAY_STARTUP="20")
    lab.pod("rg", spec={"volumes": [{"name": "logs", "emptyDir": {}}]}, containers=[
        {"name": "main", "image": IMAGE, "env": told, **READY, **shared},
        {"name": "ambassador", "image": "k8spatterns/random-generator-log-ambassador"},
        {"name": "adapter", "image": "k8spatterns/random-generator-exporter", "env": env(LOG_FILE="/logs/random.log"), **shared}])  # fmt: skip
    lab.settle(38)
    assert not lab.status("rg")["containerStatuses"][2]["ready"] and lab.status("rg")["containerStatuses"][2]["name"] == "main"
    lab.settle(10)
    assert lab.status("rg")["containerStatuses"][2]["ready"]
    first = json.loads(lab.out("rg", "curl -s localhost:8080"))
    assert first["random"] == -1170105035  # what java.util.Random gives first for 42
    lab.settle(1)
    assert f">>> ID: {first['id']} -- Duration: " in lab.logs("rg", "ambassador")
    assert lab.logs("rg", "main").endswith("RandomGeneratorApplication  : Log delegate response: 200\n")
    assert lab.out("rg", "curl -s localhost:9889").startswith("random_generator_count 1\n")
    info = json.loads(lab.out("rg", "curl -s localhost:8080/info"))
    assert (info["pattern"], info["version"], info["logUrl"]) == ("Ambassador", "1.0", "http://localhost:9009")
    assert lab.out("rg", "curl -s localhost:8080/logs").endswith(",-1170105035")
    lab.out("rg", "curl -s localhost:8080/toggle-ready; curl -s localhost:8080/toggle-live")
    lab.settle(5)
    assert not lab.status("rg")["containerStatuses"][2]["ready"]
    assert lab.out("rg", "curl -s -w %{http_code} localhost:8080/actuator/health") == '{"status":"DOWN"}503'


def test_its_start_waits_for_the_hook_and_needs_memory_and_a_place_to_write() -> None:
    lab = Lab(1)
    hook = {"postStart": {"exec": {"command": ["sh", "-c", "sleep 30 && echo 'Wake up!' > /opt/postStart-done"]}},
            "preStop": {"httpGet": {"port": 8080, "path": "shutdown"}}}  # fmt: skip
    lab.pod("hooked", IMAGE, env=env(WAIT_FOR_POST_START="true"), lifecycle=hook)
    lab.pod("small", IMAGE, resources={"limits": {"memory": "30Mi"}})
    lab.pod("closed", IMAGE, securityContext={"readOnlyRootFilesystem": True})
    lab.pod("nobody", IMAGE, securityContext={"runAsNonRoot": True})
    lab.pod("somebody", IMAGE, securityContext={"runAsNonRoot": True, "runAsUser": 10000}, **READY)
    lab.settle(60)
    assert lab.logs("hooked").count("Waiting for postStart to be finished ....") == 3 and "postStart Message: Wake up!" in lab.logs("hooked")
    state = {name: lab.status(name)["containerStatuses"][0] for name in ("small", "closed", "nobody", "somebody")}
    assert state["small"]["lastState"]["terminated"]["reason"] == "OOMKilled"
    assert "Read-only file system" in lab.logs("closed") and state["closed"]["restartCount"] > 0
    assert state["nobody"]["state"]["waiting"]["reason"] == "CreateContainerConfigError"
    assert state["somebody"]["ready"]  # the directory is its group's, which is root's, as OpenShift wants it
    entry = {"at": lab.cluster.now, "do": "request", "verb": "delete", "resource": "pods", "namespace": "default", "name": "hooked"}
    machine = lab.cluster.kubelet("node-1").machine
    held = next(one for one, container in machine.state["containers"].items() if container["name"] == "hooked")
    lab.cluster.apply(entry)
    lab.settle(0.3)
    said = "".join(line.text + "\n" for line in machine.logs(held))
    assert "SHUTDOWN NOW" in said and said.endswith(">>>> SHUTDOWN HOOK called. Possibly because of a SIGTERM from Kubernetes\n")


def test_the_batch_class_writes_its_lines_or_says_what_it_cannot_find() -> None:
    lab = Lab(1)
    once = {"restartPolicy": "Never"}
    lab.pod("batch", IMAGE, spec=once, command=["sh", "-c", "java RandomRunner /tmp/random.log 1200 && wc -l < /tmp/random.log; java Nothing"])
    lab.settle(30)
    said = lab.logs("batch").splitlines()
    assert said[0] == "Starting to create 1200 random numbers and store in /tmp/random.log"
    assert said[1:3] == ["Finished after 6000 ms", "1200"]
    assert said[3] == "Error: Could not find or load main class Nothing"
