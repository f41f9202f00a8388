"""kubectl before Pods that have no node, are over or do not run, and before Services that lead nowhere."""

from __future__ import annotations

import pytest

from podlab.kubernetes.cluster import Cluster
from tests.kubernetes.frozen import thawed
from tests.kubernetes.kubectl.given import Screen, cluster, kubectl, with_web

OBJECTS = """
{apiVersion: v1, kind: Pod, metadata: {name: big}, spec: {containers: [{name: c, image: "nginx:1.14.2", resources: {requests: {cpu: "100"}}}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: over}, spec: {restartPolicy: Never, containers: [{name: c, image: "busybox:1.36", command: ["true"]}]}}
---
apiVersion: v1
kind: Pod
metadata: {name: half, labels: {app: half}}
spec:
  containers:
  - {name: dead, image: "busybox:1.36", command: [sh, -c, exit 3]}
  - {name: alive, image: "nginx:1.14.2", ports: [{containerPort: 80, name: http}, {containerPort: 53, name: dns, protocol: UDP}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: asleep}
spec: {suspend: true, template: {spec: {restartPolicy: Never, containers: [{name: c, image: x}]}}}
---
{apiVersion: v1, kind: Service, metadata: {name: away}, spec: {type: ExternalName, externalName: example.com}}
---
apiVersion: v1
kind: Service
metadata: {name: half}
spec: {selector: {app: half}, ports: [{name: web, port: 8000, targetPort: http}, {name: dns, port: 53, protocol: UDP}]}
---
apiVersion: v1
kind: Service
metadata: {name: headless}
spec: {clusterIP: None, selector: {app: half}, ports: [{name: web, port: 8000, targetPort: nothing}]}
"""
OVER = "error: cannot exec into a container in a completed pod; current phase is Succeeded\n"
HOMELESS = "Error from server (BadRequest): pod big does not have a host assigned\n"
DEAD = 'error: Internal error occurred: unable to upgrade connection: container not found ("dead")\n'
RECORDED = ("All commands and output from this session will be recorded in container logs, including credentials and sensitive information "
            "passed through the command prompt.\nIf you don't see a command prompt, try pressing enter.\n")
SELECTORLESS = "*v1.Service: invalid service 'away': Service is defined without a selector\n"


def unlucky() -> Cluster:
    return thawed("kubectl's unlucky", _begin)


def _begin() -> Cluster:
    made = cluster()
    kubectl(made, "apply -f all.yaml", files={"all.yaml": OBJECTS})
    made.run_for(5)
    return made


@pytest.mark.parametrize(("command", "err"), [
    ("exec big -- ls", HOMELESS),
    ("cp big:/x y", HOMELESS),
    ("attach big", RECORDED + HOMELESS),
    ("attach big -q", HOMELESS),
    ("exec over -- ls", OVER),
    ("cp over:/x y", OVER),
    ("attach over", "error: cannot attach a container in a completed pod; current phase is Succeeded\n"),
    ("exec half -c dead -- ls", DEAD),
    ("cp half:/x y -c dead", DEAD),
    ("attach half -c dead", RECORDED + DEAD),
    ("logs svc/away", "error: cannot get the logs from " + SELECTORLESS),
    ("attach svc/away", "error: cannot attach to " + SELECTORLESS),
    ("port-forward svc/away 80", "error: cannot attach to " + SELECTORLESS),
    ("port-forward big 80", "error: unable to forward port because pod is not running. Current status=Pending\n"),
    ("port-forward half dns", "error: UDP protocol is not supported for dns\n"),
    ("port-forward half 80:53", "error: UDP protocol is not supported for 53\n"),
    ("port-forward svc/half dns", "error: UDP protocol is not supported for dns\n"),
    ("port-forward svc/half nope", "error: Service 'half' does not have a named port 'nope'\n"),
    ("port-forward svc/half 80", "error: Service half does not have a service port 80\n"),
    ("port-forward half nope", "error: Pod 'half' does not have a named port 'nope'\n"),
    ("port-forward half 0", "error: remote port must be > 0\n"),
    ("port-forward half 70000:80", "error: error parsing local port '70000': strconv.ParseUint: parsing \"70000\": value out of range\n"),
    ("port-forward half x:80", "error: error parsing local port 'x': strconv.ParseUint: parsing \"x\": invalid syntax\n"),
    ("rollout status job/asleep", "error: no status viewer has been implemented for Job.batch\n"),
    ("rollout status pod/half", "error: no status viewer has been implemented for Pod\n"),
])
def test_kubectl_says_why_not(command: str, err: str) -> None:
    assert kubectl(unlucky(), command) == (1, "", err)


def test_pods_of_which_nothing_is_measured_are_told_of_as_too_young_or_by_name() -> None:
    it = unlucky()
    kubectl(it, "delete pod half --now")
    assert kubectl(it, "top pod") == (1, "", "error: metrics not available yet\n")
    assert kubectl(it, "top pod -l app=none") == (0, "", "No resources found in default namespace.\n")
    it.run_until(it.now + 125_000 - it.now % 1000)
    code, _, err = kubectl(it, "top pod")
    assert (code, err.partition(", age: ")[0]) == (1, "error: Metrics not available for pod default/big")
    assert err.partition(", age: ")[2].startswith("2m")


def test_the_words_for_a_missing_log_follow_the_status_that_is_shown() -> None:
    """What has happened since the last sync is not known to the status manager, of which kubectl's words are (GetPodStatus)."""
    it = cluster()
    kubectl(it, "run p --image=nginx:none")
    seen = set()
    for _ in range(120):
        it.run_for(0.5)
        shown = kubectl(it, "get pod p -o jsonpath={.status.containerStatuses[0].state.waiting.reason}")[1]
        seen.add((shown, kubectl(it, "logs p")[2].rpartition("start: ")[2].strip()))
    assert seen - {("ContainerCreating", "ContainerCreating")} == {
        ("ErrImagePull", "image can't be pulled"), ("ImagePullBackOff", "trying and failing to pull image"),
    }  # fmt: skip


@pytest.mark.parametrize(("flags", "asked"), [
    ("web", ""), ("-l app=web", "?tailLines=10"), ("web --tail=3 -p --timestamps", "?previous=true&tailLines=3&timestamps=true"),
    ("web -f --since=90s --limit-bytes=7", "?follow=true&limitBytes=7&sinceSeconds=90"),
    ("web --since-time=2026-11-21T00:00:00Z", "?sinceTime=2026-11-21T00%3A00%3A00Z"),
])  # fmt: skip
def test_the_log_of_a_node_without_power_is_asked_for_by_its_whole_address(flags: str, asked: str) -> None:
    it = with_web()
    it.apply({"at": it.now, "do": "fault", "node": "node-1", "power": "off"})
    host = it.etcd.get("nodes", "node-1")["status"]["addresses"][0]["address"]  # type: ignore[index]
    where = f"https://{host}:10250/containerLogs/default/web/c{asked}"
    assert kubectl(it, f"logs {flags}")[2] == f'Error from server: Get "{where}": dial tcp {host}:10250: connect: no route to host\n'


def test_a_pod_without_a_node_has_an_empty_log() -> None:
    assert kubectl(unlucky(), "logs big") == (0, "", "")


def test_logs_waits_for_a_workloads_first_pod_as_long_as_it_is_told() -> None:
    where = unlucky()
    began = where.now
    assert kubectl(where, "logs job/asleep") == (1, "", "error: timed out waiting for the condition\n")
    assert where.now - began == 20_000
    kubectl(where, "logs job/asleep --pod-running-timeout=3s")
    assert where.now - began == 23_000


@pytest.mark.parametrize(("line", "told"), [("half http", "127.0.0.1:80 -> 80"), ("svc/half web", "127.0.0.1:8000 -> 80"),
                                            ("svc/headless 8000", "127.0.0.1:8000 -> 8000"), ("half 80:81:82", "127.0.0.1:80 -> 80")])
def test_a_port_is_forwarded_where_its_name_leads(line: str, told: str) -> None:
    assert f"Forwarding from {told}\n" in Screen(unlucky()).type(f"kubectl port-forward {line}", 1)
