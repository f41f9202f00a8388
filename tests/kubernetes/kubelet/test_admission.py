"""What a kubelet refuses to run although it was bound to its node, in its own words.

Sources: pkg/kubelet/lifecycle/predicate.go, pkg/kubelet/sysctl/allowlist.go (SafeSysctlAllowlist), pkg/kubelet/kubelet.go (rejectPod).
"""

from __future__ import annotations

from typing import Any

import pytest

from .given import pod, sh, world

FOREVER = "while true; do sleep 60; done"

PORT = {"ports": [{"containerPort": 80, "hostPort": 8080}]}
TABLE: list[tuple[str, dict[str, Any], dict[str, Any], str, str]] = [  # options of the container, of the Pod; reason, message
    ("more cpu than is left", {"resources": {"requests": {"cpu": "1900m"}}}, {}, "OutOfcpu",
     "Node didn't have enough resource: cpu, requested: 1900, used: 500, capacity: 2000"),
    ("a label that the node lacks", {}, {"nodeSelector": {"disk": "ssd"}}, "NodeAffinity",
     "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"),
    ("a port of the node that is taken", PORT, {}, "NodePorts",
     "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports"),
    ("a kernel parameter that is not safe", {}, {"securityContext": {"sysctls": [{"name": "kernel.msgmax", "value": "65536"}]}}, "SysctlForbidden",
     'forbidden sysctl: "kernel.msgmax" not allowlisted'),
    ("another system than the node's", {}, {"os": {"name": "windows"}}, "PodOSNotSupported",
     "Failed to admit pod as the OS field doesn't match node OS"),
    ("huge pages, of which there are none", {"resources": {"limits": {"cpu": "1m", "memory": "1Mi", "hugepages-2Mi": "4Mi"}}}, {},
     "OutOfhugepages-2Mi", "Node didn't have enough resource: hugepages-2Mi, requested: 4194304, used: 0, capacity: 0"),
]  # fmt: skip


@pytest.mark.parametrize(("container", "spec", "reason", "message"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_a_pod_is_rejected(container: dict[str, Any], spec: dict[str, Any], reason: str, message: str) -> None:
    it = world()
    it.create(pod(sh(FOREVER, resources={"requests": {"cpu": "500m"}}, **PORT), name="first"))
    it.run(2)
    it.create(pod(sh(FOREVER, **container), nodeName="node-1", **spec))
    it.run(2)
    held = it.pod()["status"]
    assert (held["phase"], held["reason"], held["message"]) == ("Failed", reason, f"Pod was rejected: {message}")
    assert it.pod("first")["status"]["phase"] == "Running"


def test_the_place_of_a_pod_that_was_deleted_at_once_is_free_at_once() -> None:
    it = world()
    big = sh("trap '' TERM; " + FOREVER, resources={"requests": {"cpu": "1500m"}}, **PORT)
    it.create(pod(big, name="first"))
    it.run(2)
    it.delete("first", gracePeriodSeconds=0)
    it.create(pod(big, nodeName="node-1"))
    it.run(3)
    assert it.phase() == "Running"


def test_safe_parameters_are_let_in() -> None:
    it = world()
    it.create(pod(sh(FOREVER), securityContext={"sysctls": [{"name": "net/ipv4/ping_group_range", "value": "0 1000"}]}))
    it.run(2)
    assert it.phase() == "Running"


def test_a_seccomp_profile_that_lies_on_no_node_keeps_the_container_from_being_made() -> None:
    it = world()
    it.create(pod(sh(FOREVER, securityContext={"seccompProfile": {"type": "Localhost", "localhostProfile": "p.json"}})))
    it.run(2)
    assert it.container()["state"]["waiting"] == {
        "reason": "CreateContainerError",
        "message": 'failed to create containerd container: cannot load seccomp profile "/var/lib/kubelet/seccomp/p.json": '
        "open /var/lib/kubelet/seccomp/p.json: no such file or directory",
    }


def test_what_others_advertise_as_a_node_s_capacity_may_be_allocated_when_its_kubelet_next_looks() -> None:
    it = world()

    def foo() -> tuple[str | None, str | None]:
        node = it.cluster.etcd.get("nodes", "node-1")
        assert node is not None
        return node["status"]["capacity"].get("example.com/foo"), node["status"]["allocatable"].get("example.com/foo")

    it.patch("node-1", {"status": {"capacity": {"example.com/foo": "3"}}}, subresource="status", plural="nodes")
    it.run(11)
    assert foo() == ("3", "3")
    wanted = {"requests": {"example.com/foo": "2"}, "limits": {"example.com/foo": "2"}}
    it.create(pod(sh(FOREVER, resources=wanted)))
    it.run(3)
    assert it.phase() == "Running"
    it.patch("node-1", {"status": {"capacity": {"example.com/foo": None}}}, subresource="status", plural="nodes")
    it.run(11)
    assert foo() == (None, None)
