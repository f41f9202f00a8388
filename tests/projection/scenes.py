"""Scenes with everything in them, to look at and to measure: the still of the lab page, and crowds."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from .given import Given, at, container, ended, endpoints, node, owner, pod, running, service, waiting, when


def still() -> Given:
    """Three nodes, a Deployment behind a Service, a port clash, a sidecar, a dead node."""
    api = owner("Deployment", "api", replicas=3, ready=2)
    rs = owner("ReplicaSet", "api-6f9c", replicas=3, ready=2, by=api, revision="1")
    first, second = (
        pod(
            f"api-6f9c-{end}",
            running("api"),
            node="node-2",
            ip=ip,
            owner=rs,
            labels={"app": "api"},
            created=2,
            containers=[container("api", "ghcr.io/podlab/api:2.1")],
        )
        for end, ip in (("x2k4p", "10.244.1.5"), ("8wq7n", "10.244.1.6"))
    )
    third = pod(
        "api-6f9c-t5m2z",
        waiting("api", "ContainerCreating"),
        node="node-2",
        ip="",
        phase="Pending",
        owner=rs,
        labels={"app": "api"},
        created=99,
    )
    shared: Any = [{"name": "shared", "emptyDir": {}}]
    mounts = [{"name": "shared", "mountPath": "/data"}]
    web = pod(
        "web",
        running("web-a"),
        waiting("web-b", "CrashLoopBackOff", restarts=3, code=1),
        created=1,
        volumes=shared,
        labels={"run": "web"},
        containers=[container("web-a", volumeMounts=mounts), container("web-b", volumeMounts=mounts)],
    )
    shop = pod(
        "shop",
        running("app"),
        ip="10.244.0.4",
        created=3,
        containers=[container("app", "shop:1.0")],
        inits=[
            container("migrate", "busybox:1.36"),
            container("log-agent", "fluentd:v1.16", restartPolicy="Always", volumeMounts=mounts),
        ],
        init_statuses=[ended("migrate"), running("log-agent")],
        volumes=[*shared, {"name": "conf", "configMap": {"name": "fluentd-conf"}}],
    )
    facts = {
        first["metadata"]["uid"]: {"ports": {"api": [{"port": 8080}]}},
        second["metadata"]["uid"]: {"ports": {"api": [{"port": 8080}]}},
        third["metadata"]["uid"]: {"waits": {"api": {"what": "pull", "since": at(99), "until": at(103)}}},
        "u-web": {
            "ports": {"web-a": [{"port": 80}]},
            "clashes": {"web-b": [{"port": 80, "holder": "web-a"}]},
            "waits": {"web-b": {"what": "backoff", "since": at(90), "until": at(114)}},
            "volumes": {"shared": {"files": 1, "bytes": 10}},
        },
        "u-shop": {"ports": {"app": [{"port": 3000}], "log-agent": [{"port": 24231, "address": "127.0.0.1"}]}},
    }
    records = [
        {
            "at": at(0),
            "component": "user",
            "rule": "request",
            "facts": {"verb": "create", "command": "kubectl apply -f web.yaml"},
            "object": "pods/default/web",
        },
        {
            "at": at(89),
            "component": "network",
            "rule": "network-port-in-use",
            "facts": {"container": "web-b", "port": 80, "holder": "web-a"},
            "object": "pods/default/web",
            "because": 1,
        },
        {
            "at": at(90),
            "component": "kubelet/node-1",
            "rule": "kubelet-container-exited",
            "facts": {"container": "web-b", "exitCode": 1, "reason": "Error"},
            "object": "pods/default/web",
            "because": 2,
        },
        {
            "at": at(90),
            "component": "kubelet/node-1",
            "rule": "kubelet-backoff",
            "facts": {"container": "web-b", "seconds": 40, "restarts": 3},
            "object": "pods/default/web",
            "because": 3,
        },
    ]
    return Given(
        102,
        nodes=[node("node-1"), node("node-2"), node("node-3")],
        pods=[web, shop, first, second, third],
        deployments=[api],
        replicasets=[rs],
        services=[service("api-svc", selector={"app": "api"})],
        endpointslices=[endpoints("api-svc", first, second)],
        facts=facts,
        node_facts={"node-3": {"power": "off", "since": at(64)}},
        records=records,
        traffic=[
            {
                "t": at(101),
                "from": "outside",
                "to": first["metadata"]["uid"],
                "via": "default/api-svc",
                "method": "GET",
                "path": "/",
                "status": 200,
                "ms": 3,
            },
            {
                "t": at(101.5),
                "from": "u-shop",
                "to": second["metadata"]["uid"],
                "via": None,
                "method": "GET",
                "path": "/orders",
                "status": 503,
                "ms": 9,
            },
        ],
    )


@lru_cache(maxsize=8)
def crowd(count: int, nodes: int = 3) -> Given:
    """Many Pods of one Deployment, some in trouble."""
    api = owner("Deployment", "web", replicas=count, ready=count - count // 9)
    rs = owner("ReplicaSet", "web-7d84cd4b9c", replicas=count, ready=count - count // 9, by=api, revision="1")
    pods = []
    for i in range(count):
        status = waiting("c", "CrashLoopBackOff", restarts=2, code=1) if i % 9 == 4 else running("c")
        side = running("log") if i % 2 else None
        pods.append(
            pod(
                f"web-7d84cd4b9c-{i:05d}",
                *filter(None, (status, side)),
                node=f"node-{i % nodes + 1}",
                ip=f"10.244.{i % nodes}.{i % 250}",
                owner=rs,
                labels={"app": "web"},
                created=i // 10,
            )
        )
    return Given(
        200,
        nodes=[node(f"node-{i + 1}", cpu="8") for i in range(nodes)],
        pods=pods,
        deployments=[api],
        replicasets=[rs],
        services=[service("web", selector={"app": "web"})],
        endpointslices=[endpoints("web", *pods)],
    )


def ending() -> Given:
    """Pods on their way out, one without a place, one blocked, one with a debug container, names that are hostile or long."""
    going = pod("web-going", running("app"), deleted=120, created=1)
    stuck = pod(
        "p",
        node="",
        ip="",
        phase="Pending",
        containers=[container("c")],
        conditions=[
            {
                "type": "PodScheduled",
                "status": "False",
                "reason": "Unschedulable",
                "message": "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint {dedicated: gpu}. "
                "preemption: 0/3 nodes are available",
            }
        ],
    )
    evil = pod("<script>alert(1)</script>&\"'", running("</text><b>"), created=2)
    long = pod(
        "a-very-long-pod-name-that-somebody-thought-would-be-a-good-idea-0123456789",
        running("container-with-a-rather-long-name"),
        waiting("second", "CreateContainerConfigError", message='configmap "settings" not found'),
        created=3,
        containers=[
            container(
                "container-with-a-rather-long-name", "registry.example.com/team/project/really-long-image-name:2026.11.21-rc1"
            ),
            container("second"),
        ],
    )
    probed = pod(
        "probed",
        running("app", ready=False),
        created=4,
        containers=[container("app", readinessProbe={"httpGet": {}}, livenessProbe={"exec": {}})],
    )
    debug = pod("debugged", running("app"), created=5)
    debug["spec"]["ephemeralContainers"] = [container("debugger-x7", "busybox:1.36")]
    debug["status"]["ephemeralContainerStatuses"] = [running("debugger-x7", ready=False)]
    return Given(
        100,
        nodes=[
            node("node-1"),
            node("gpu-1", taints=[{"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}], unschedulable=True),
        ],
        pods=[going, stuck, evil, long, probed, debug],
        facts={
            "u-web-going": {"deadline": at(120)},
            "u-probed": {"probes": {"app": {"readiness": {"ok": False, "failures": 4, "last": at(99)}}}},
        },
        services=[service("front", selector={"app": "none"})],
    )


SCENES = {
    "still": still,
    "crowd20": lambda: crowd(20),
    "crowd60": lambda: crowd(60),
    "crowd1000": lambda: crowd(1000),
    "ending": ending,
}
__all__ = ["SCENES", "crowd", "ending", "still", "when"]
