"""What may be mounted and where, whose word makes a Pod ready, and which runtimes a node has."""

from __future__ import annotations

import json
from typing import Any

import pytest

from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.objects import thaw
from tests.kubernetes.kubelet.given import World, pod, sh, world


def at(*names: str, **mount: Any) -> list[dict[str, Any]]:
    return [{"name": "v", "mountPath": f"/{name}", **(mount if name == names[0] else {})} for name in names]


def shared(command: str, **container: Any) -> dict[str, Any]:
    """A Pod with an emptyDir `v`."""
    return pod(sh(command, **container), volumes=[{"name": "v", "emptyDir": {}}])


@pytest.mark.parametrize(("value", "words"), [
    ("..", "unable to provision SubPath `..`: must not contain '..'"),
    ("/var/x", "error SubPath `/var/x` must not be an absolute path"),
    ("", "missing value for PLACE"),
])
def test_a_subpath_of_variables_stays_inside_its_volume(value: str, words: str) -> None:
    it = world()
    it.create(shared("sleep 60", env=[{"name": "PLACE", "value": value}], volumeMounts=at("data", subPathExpr="$(PLACE)")))
    it.run(3)
    assert it.state() == "waiting:CreateContainerConfigError" and it.container()["state"]["waiting"]["message"] == words


def test_a_container_starts_once_its_subpath_can_be_had() -> None:
    it = world()
    env = [{"name": "PLACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.annotations['place']"}}}]
    it.create(shared("touch /data/file; ls /whole/here; sleep 600", env=env, volumeMounts=at("data", "whole", subPathExpr="$(PLACE)")))
    it.run(3)
    assert it.state() == "waiting:CreateContainerConfigError"
    it.patch("p", {"metadata": {"annotations": {"place": "here"}}})
    it.run(3)
    assert it.state() == "running#0" and it.logs() == ["file"]


def test_a_memory_volume_is_open_to_all_and_sticky_and_so_is_what_is_made_in_it_for_a_subpath() -> None:
    it = world()
    volume = {"name": "v", "emptyDir": {"medium": "Memory"}}
    command = sh("stat -c '%a %u %g' /sub; stat -c '%a' /whole", volumeMounts=at("sub", "whole", subPath="a"))
    it.create(pod(command, volumes=[volume], restartPolicy="Never", securityContext={"fsGroup": 123, "runAsUser": 1001}))
    it.run(5)
    assert it.logs() == ["3777 0 123", "3777"]


def hosts_of(it: World) -> tuple[list[str], list[str]]:
    it.run(5)
    lines = it.logs()
    cut = lines.index("--")
    return lines[:cut], lines[cut + 1:]


def test_a_machines_hosts_file_is_what_a_pod_on_its_network_has_below_a_heading() -> None:
    it = world()
    volume = {"name": "v", "hostPath": {"path": "/etc/hosts", "type": "FileOrCreate"}}
    own = sh("cat /etc/hosts; echo --; cat /original", volumeMounts=at("original"))
    it.create(pod(own, volumes=[volume], hostNetwork=True))
    managed, original = hosts_of(it)
    assert managed == ["# Kubernetes-managed hosts file (host network).", *original] and "127.0.0.1\tlocalhost" in original


def test_a_container_that_mounts_its_own_hosts_file_keeps_it() -> None:
    it = world()
    volume = {"name": "v", "hostPath": {"path": "/etc/hosts", "type": "FileOrCreate"}}
    it.create(pod(sh("cat /etc/hosts; echo --; cat /original", volumeMounts=at("etc/hosts", "original")), volumes=[volume]))
    held, original = hosts_of(it)
    assert held == original and original


def test_a_hostpath_file_is_made_where_there_is_none() -> None:
    it = world()
    volume = {"name": "v", "hostPath": {"path": "/var/lib/note", "type": "FileOrCreate"}}
    it.create(pod(sh("test -f /note && echo written > /note && cat /note", volumeMounts=at("note")), volumes=[volume]))
    it.run(5)
    assert it.logs()[:1] == ["written"]


def test_who_writes_a_gates_condition_makes_the_pod_ready_or_not_at_once() -> None:
    it = world()
    it.create(pod(sh("sleep 600"), readinessGates=[{"conditionType": "example.com/one"}, {"conditionType": "example.com/two"}]))
    it.run(4)

    def say(gate: str, status: str) -> str:
        it.patch("p", {"status": {"conditions": [{"type": f"example.com/{gate}", "status": status}]}}, "status")
        it.run(2)
        return it.condition("Ready")

    assert it.condition("Ready") == "False:ReadinessGatesNotReady"
    assert say("one", "True") == "False:ReadinessGatesNotReady"
    assert say("two", "True") == "True"
    assert say("one", "False") == "False:ReadinessGatesNotReady"


def runtime_class(it: World, name: str, handler: str) -> None:
    it.create({"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": name}, "handler": handler})


def test_a_runtime_that_the_node_has_not_got_makes_no_sandbox() -> None:
    it = world()
    runtime_class(it, "sandboxed", "runsc")
    it.create(pod(sh("sleep 600"), runtimeClassName="sandboxed"))
    it.run(4)
    assert it.state() == "waiting:ContainerCreating"
    words = 'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox runtime: no runtime for "runsc" is configured'
    assert it.events("FailedCreatePodSandBox") == [words]
    it.run(60)
    assert it.count("FailedCreatePodSandBox") > 1


def test_a_runtime_that_the_node_has_runs_the_pod() -> None:
    it = world()
    runtime_class(it, "usual", "runc")
    it.create(pod(sh("sleep 600"), runtimeClassName="usual"))
    it.run(4)
    assert it.state() == "running#0"


def listening(name: str, address: str, protocol: str = "TCP") -> dict[str, Any]:
    made = pod(sh("sleep 600", ports=[{"containerPort": 80, "hostPort": 8080, "hostIP": address, "protocol": protocol}]), nodeName="node-1")
    made["metadata"]["name"] = name
    return made


def test_two_pods_may_have_one_host_port_on_different_addresses_or_protocols() -> None:
    it = world()
    for name, address, protocol in (("a", "127.0.0.1", "TCP"), ("b", "172.30.255.1", "TCP"), ("c", "172.30.255.1", "UDP"), ("d", "127.0.0.1", "TCP")):
        it.create(listening(name, address, protocol))
        it.run(3)
    it.create(listening("e", ""))
    it.run(3)
    assert [it.phase(name) for name in "abcde"] == ["Running", "Running", "Running", "Failed", "Failed"]


def test_a_privileged_container_adds_and_takes_away_a_device() -> None:
    it = world()
    command = "ip link add dummy0 type dummy && ip link | grep -c dummy0; ip link add dummy0 type dummy; ip link del dummy0; ip link del dummy0; true"
    it.create(pod(sh(command, securityContext={"privileged": True}), restartPolicy="Never"))
    it.run(4)
    assert it.logs() == ["1", "ip: RTNETLINK answers: File exists", "ip: can't find device 'dummy0'"]


def probed(where: str) -> World:
    """A Pod whose liveness probe, each second, is sent on to `where`; its server says at /healthz for ten seconds that it is well."""
    it = world(images=[AGNHOST])
    probe = {"httpGet": {"path": f"/redirect?loc={where}", "port": 8080}, "periodSeconds": 1, "failureThreshold": 1, "initialDelaySeconds": 5}
    it.create(pod({"name": "c", "image": AGNHOST, "args": ["liveness"], "livenessProbe": probe}))
    it.run(60)
    return it


AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.63.0"


def test_a_probe_goes_where_its_own_host_sends_it() -> None:
    it = probed("%2Fhealthz")
    assert it.container()["restartCount"] > 0 and not it.events("ProbeWarning")


def test_a_probe_that_is_sent_to_another_host_ends_well_with_a_warning() -> None:
    it = probed("http%3A%2F%2F0.0.0.0%2F")
    assert it.container()["restartCount"] == 0
    assert it.events("ProbeWarning") == ["Liveness probe warning: Probe terminated redirects, Response body: "]


def test_a_resize_is_seen_in_the_containers_own_cgroup() -> None:
    it = world()
    look = "mount -t cgroup2 | cut -d' ' -f3,5; cd /sys/fs/cgroup; while true; do cat cpu.weight cpu.max memory.max; sleep 5; done"
    before, after = {"cpu": "5m", "memory": "35Mi"}, {"cpu": "1500m", "memory": "40Mi"}
    it.create(pod(sh(look, resources={"requests": before, "limits": before})))
    it.run(8)
    assert it.logs()[:4] == ["/sys/fs/cgroup cgroup2", "1", "1000 100000", str(35 << 20)]
    it.patch("p", {"spec": {"containers": [{"name": "c", "resources": {"requests": after, "limits": after}}]}}, "resize")
    it.run(8)
    assert it.logs()[-3:] == ["59", "150000 100000", str(40 << 20)] and it.container()["restartCount"] == 0
    it.create(pod(sh(look), resources={"limits": {"cpu": "1", "memory": "64Mi"}, "requests": {"cpu": "5m", "memory": "8Mi"}}, name="whole"))
    it.run(3)
    assert it.logs(pod="whole")[-2:] == ["100000 100000", str(64 << 20)]  # without limits of its own, the Pod's


@pytest.mark.parametrize("how", ["leaves", "shrinks"])
def test_a_resize_that_waits_for_room_is_done_as_soon_as_another_pod_makes_some(how: str) -> None:
    it = world()
    it.create(pod(sh("trap 'exit 0' TERM; while true; do sleep 1; done", resources={"requests": {"cpu": "1"}}), name="big"))
    it.create(pod(sh("sleep 600", resources={"requests": {"cpu": "100m"}})))
    it.run(3)

    def ask(name: str, cpu: str) -> None:
        it.patch(name, {"spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": cpu}}}]}}, "resize")
        it.run(3)
    ask("p", "1500m")
    assert it.condition("PodResizePending") == "True:Deferred"
    if how == "leaves":
        it.delete("big")
        it.run(3)
    else:
        ask("big", "500m")
    assert it.condition("PodResizePending") == "" and it.container()["resources"]["requests"]["cpu"] == "1500m"


def test_a_resize_is_told_while_it_is_done_and_one_in_vain_takes_nobodys_room() -> None:
    it = world()
    for name in ("p", "vain"):
        it.create(pod(sh("sleep 600", resources={"requests": {"cpu": "500m"}}), name=name))
    it.run(3)
    for name, cpu in (("vain", "1800m"), ("p", "1")):
        it.patch(name, {"spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": cpu}}}]}}, "resize")
        it.run(2)
    assert it.condition("PodResizePending", "vain") == "True:Deferred"
    assert it.pod("vain")["status"]["allocatedResources"] == it.pod("vain")["status"]["resources"]["requests"] == {"cpu": "500m"}
    under_way = [
        (one["allocatedResources"]["cpu"], one["resources"]["requests"]["cpu"])
        for _, _, plural, obj in it.history if plural == "pods"
        for one in obj["status"].get("containerStatuses", ())
        if any(condition["type"] == "PodResizeInProgress" for condition in obj["status"]["conditions"])
    ]  # fmt: skip
    assert under_way == [("1", "500m")]
    assert (it.condition("PodResizeInProgress"), it.container()["resources"]) == ("", {"requests": {"cpu": "1"}})


def test_an_init_container_that_runs_is_resized_and_one_that_has_ended_stays_as_it_was() -> None:
    it = world()
    slow = {**sh("sleep 20", resources={"requests": {"cpu": "100m"}}), "name": "i"}
    it.create(pod(sh("sleep 600"), initContainers=[slow]))

    def ask(cpu: str) -> dict[str, str]:
        it.patch("p", {"spec": {"initContainers": [{"name": "i", "resources": {"requests": {"cpu": cpu}}}]}}, "resize")
        it.run(3)
        given: dict[str, str] = it.pod()["status"]["initContainerStatuses"][0]["resources"]["requests"]
        return given

    it.run(3)
    assert ask("150m") == {"cpu": "150m"} and len(it.events("ResizeCompleted")) == 1
    it.run(20)
    assert it.phase() == "Running" and ask("200m") == {"cpu": "150m"}


def test_a_container_that_waits_to_be_restarted_has_its_new_size_at_once() -> None:
    it = world()
    it.create(pod(sh("exit 1", resources={"requests": {"cpu": "500m"}})))
    it.run(6)
    assert it.state() == "waiting:CrashLoopBackOff"
    it.patch("p", {"spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "1"}}}]}}, "resize")
    it.run(2)
    assert it.state() == "waiting:CrashLoopBackOff" and it.container()["allocatedResources"] == {"cpu": "1"}
    assert (it.condition("PodResizeInProgress"), it.events("ResizeStarted")) == ("", [])


@pytest.mark.parametrize(("policy", "program", "asked", "given", "completed"), [
    pytest.param("NotRequired", "sleep 6; exit 1", ["1800m"], "500m", [], id="it ends by itself"),
    pytest.param("RestartContainer", "trap 'sleep 5; exit 1' TERM; while true; do sleep 1; done", ["600m", "1800m"], "600m", [2],
                 id="it is stopped for an earlier resize"),
])
def test_a_container_that_starts_anew_has_what_its_node_gave_it_and_not_what_its_spec_asks_in_vain(
        policy: str, program: str, asked: list[str], given: str, completed: list[int]) -> None:
    it = world()
    it.create(pod(sh("sleep 600", resources={"requests": {"cpu": "500m"}}), name="other"))
    it.create(pod(sh(program, resources={"requests": {"cpu": "500m"}}, resizePolicy=[{"resourceName": "cpu", "restartPolicy": policy}])))
    it.run(3)
    for cpu in asked:
        it.patch("p", {"spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": cpu}}}]}}, "resize")
        it.run(2)
    it.run(5)
    assert it.container()["restartCount"] == 1 and it.condition("PodResizePending") == "True:Deferred"
    assert it.container()["resources"]["requests"] == it.container()["allocatedResources"] == {"cpu": given}
    assert [json.loads(said.partition(": ")[2])["generation"] for said in it.events("ResizeCompleted")] == completed


@pytest.mark.parametrize(("names", "words"), [
    (["d", "c"], "spec.containers[0].name: Forbidden: containers may not be renamed or reordered on resize, "
                 "spec.containers[1].name: Forbidden: containers may not be renamed or reordered on resize"),
    (["c", "new"], "spec.containers[1].name: Forbidden: containers may not be renamed or reordered on resize"),
    (["c"], "spec.containers: Forbidden: containers may not be added or removed on resize"),
])
def test_a_resize_is_of_the_containers_that_there_are(names: list[str], words: str) -> None:
    it = world()
    it.create(pod(sh("sleep 600"), sh("sleep 600", name="d")))
    it.run(3)
    held: Any = thaw(it.pod())
    by_name = {one["name"]: one for one in held["spec"]["containers"]}
    held["spec"]["containers"] = [{**by_name.get(name, by_name["d"]), "name": name} for name in names]
    with pytest.raises(ApiError) as refused:
        it.request(verb="update", resource="pods", namespace="default", name="p", subresource="resize", body=held)
    assert words in refused.value.message
