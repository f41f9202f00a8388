"""What is broken on purpose, and what follows by itself: power, memory, disk, processes; and what the node refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.kubelet import sessions
from tests.kubernetes.kubelet.given import World, config_map, pod, sh, world

FOREVER = "trap 'exit 0' TERM; while true; do sleep 1; done"


def test_a_rebooted_node_starts_its_pods_again_in_new_sandboxes() -> None:
    it = world()
    it.create(
        pod(
            sh("echo x >> /v/file; cat /v/file | wc -l; sleep 3600", volumeMounts=[{"name": "v", "mountPath": "/v"}]),
            volumes=[{"name": "v", "emptyDir": {}}],
        )
    )
    it.run(3)
    before = it.pod()["status"]["podIP"]
    it.fault(node="node-1", power="off")
    it.run(10)
    assert it.state() == "running#0", "nobody is there to say otherwise"
    it.fault(node="node-1", power="on")
    it.run(5)
    assert it.state() == "running#1" and it.phase() == "Running"
    assert it.container()["lastState"]["terminated"]["exitCode"] == 255
    assert it.container()["lastState"]["terminated"]["reason"] == "Unknown"
    assert it.events("SandboxChanged") == ["Pod sandbox changed, it will be killed and re-created."]
    assert it.pod()["status"]["podIP"] != before
    assert [text.strip() for text in it.logs()] == ["2"], "an emptyDir outlives a reboot"


def test_after_a_reboot_each_init_container_runs_once_more() -> None:
    mount = [{"name": "v", "mountPath": "/v"}]
    inits = [sh(f"echo {name} >> /v/file", name=name, volumeMounts=mount) for name in ("one", "two", "three")]
    it = world()
    it.create(pod(sh("cat /v/file; sleep 3600", volumeMounts=mount), init=inits, volumes=[{"name": "v", "emptyDir": {}}]))
    it.run(6)
    for power in ("off", "on"):
        it.fault(node="node-1", power=power)
        it.run(8)
    assert [text.strip() for text in it.logs()] == ["one", "two", "three"] * 2


def test_power_lost_while_a_container_is_stopped_is_found_whatever_comes_between() -> None:
    it = world()
    it.create(pod(terminationGracePeriodSeconds=20))
    it.run(3)
    it.delete()
    it.run(1)
    for power in ("off", "silent", "on"):
        it.fault(node="node-1", power=power)
        it.run(1)
    it.run(5)
    assert it.gone()
    rebooted = [event["message"] for event in it.cluster.etcd.list("events") if event["reason"] == "Rebooted"]
    node = it.cluster.etcd.get("nodes", "node-1")
    assert node is not None and rebooted == [f"Node node-1 has been rebooted, boot id: {node['status']['nodeInfo']['bootID']}"]


def test_a_node_tells_that_it_is_cordoned_and_that_it_no_longer_is_within_ten_seconds() -> None:
    it = world()
    told = "Node node-1 status is now: Node{}Schedulable"
    for cordoned, wanted in ((True, [told.format("Not")]), (True, [told.format("Not")]), (False, [told.format("Not"), told.format("")])):
        it.patch("node-1", {"spec": {"unschedulable": cordoned}}, plural="nodes")
        it.run(10)
        assert [event["message"] for event in it.cluster.etcd.list("events") if "Schedulable" in event["reason"]] == wanted


def test_a_node_that_boots_tells_of_itself_as_a_kubelet_does_that_registers() -> None:
    it = world()
    it.patch("node-1", {"spec": {"unschedulable": True}}, plural="nodes")
    it.run(10)
    it.fault(node="node-1", power="off")
    it.run(120)
    it.fault(node="node-1", power="on")
    it.run(1)
    assert sorted((event["reason"], event["count"]) for event in it.cluster.etcd.list("events") if event["source"]["component"] == "kubelet") == [
        ("NodeAllocatableEnforced", 1), ("NodeHasNoDiskPressure", 2), ("NodeHasSufficientMemory", 2), ("NodeHasSufficientPID", 2),
        ("NodeNotSchedulable", 2), ("NodeReady", 1), ("Rebooted", 1), ("Starting", 1),
    ]  # fmt: skip


def test_a_machine_that_boots_knows_nothing_of_a_pull_that_would_have_ended_meanwhile() -> None:
    it = world()
    it.create(pod(sh("sleep 3600", image="mysql:8.0")))
    it.run(1)
    assert it.cluster.kubelet("node-1").state["pulls"]
    for power, seconds in (("off", 0), ("silent", 60), ("on", 60)):
        it.fault(node="node-1", power=power)
        it.run(seconds)
    assert it.state() == "running#0"


def test_a_rebooted_node_does_not_run_a_never_pod_again() -> None:
    it = world()
    it.create(pod(sh("sleep 3600"), restartPolicy="Never"))
    it.run(3)
    it.fault(node="node-1", power="off")
    it.run(5)
    it.fault(node="node-1", power="on")
    it.run(5)
    assert it.phase() == "Failed" and it.container()["restartCount"] == 0


def test_a_silent_kubelet_does_nothing_while_its_containers_run_on() -> None:
    it = world()
    it.create(pod(sh("while true; do echo tick; sleep 1; done")))
    it.run(3)
    it.fault(node="node-1", power="silent")
    silent = it.cluster.now
    it.run(5)
    it.delete(gracePeriodSeconds=1)
    it.run(20)
    assert not it.gone() and it.state() == "running#0"
    assert it.cluster.heartbeat("node-1") == silent
    with pytest.raises(ApiError):
        it.logs()
    it.fault(node="node-1", power="on")
    it.run(6)
    assert it.gone() and it.cluster.heartbeat("node-1") == it.cluster.now


def test_a_container_that_ended_while_the_kubelet_was_silent_is_found_afterwards() -> None:
    it = world()
    it.create(pod(sh("sleep 5; exit 1")))
    it.run(3)
    it.fault(node="node-1", power="silent")
    it.run(30)
    assert it.state() == "running#0"
    it.fault(node="node-1", power="on")
    it.run(3)
    assert it.container()["restartCount"] == 1


def test_a_pod_removed_while_the_node_was_off_leaves_no_trace() -> None:
    it = world()
    uid = it.create(pod())["metadata"]["uid"]
    it.run(3)
    it.fault(node="node-1", power="off")
    it.delete(gracePeriodSeconds=0)
    it.run(3)
    it.fault(node="node-1", power="on")
    it.run(5)
    assert uid not in it.cluster.kubelet("node-1").state["pods"]


def test_a_killed_process_ends_its_container() -> None:
    it = world()
    it.create(pod())
    it.run(2)
    it.fault(pod="default/p", container="c", signal="KILL")
    it.run(2)
    assert it.container()["lastState"]["terminated"]["exitCode"] == 137 and it.state() == "running#1"


@pytest.mark.slow
def test_memory_pressure_evicts_who_uses_more_than_it_asked_for() -> None:
    it = world()
    it.create(pod(sh(FOREVER, resources={"requests": {"memory": "64Mi"}}), name="modest"))
    it.create(pod(sh(FOREVER), name="greedy"))
    it.run(3)
    it.fault(node="node-1", fill="memory", percent=99)
    it.run(15)
    assert it.phase("greedy") == "Failed" and it.pod("greedy")["status"]["reason"] == "Evicted"
    assert it.pod("greedy")["status"]["message"].startswith(
        "The node was low on resource: memory. Threshold quantity: 100Mi, available: "
    )
    assert it.condition("DisruptionTarget", "greedy") == "True:TerminationByKubelet"
    node = it.cluster.etcd.get("nodes", "node-1")
    assert node is not None
    assert [one["status"] for one in node["status"]["conditions"] if one["type"] == "MemoryPressure"] == ["True"]
    it.fault(node="node-1", fill="memory", percent=0)
    it.run(330)
    node = it.cluster.etcd.get("nodes", "node-1")
    assert node is not None
    assert [one["status"] for one in node["status"]["conditions"] if one["type"] == "MemoryPressure"] == ["False"]


def test_a_node_short_of_disk_deletes_images_that_nobody_uses_before_it_evicts() -> None:
    it = world()
    it.create(pod(sh(FOREVER)))
    it.run(130)
    it.fault(node="node-1", fill="disk", percent=88)
    it.run(10)
    node = it.cluster.etcd.get("nodes", "node-1")
    assert node is not None and [one["status"] for one in node["status"]["conditions"] if one["type"] == "DiskPressure"] == ["True"]
    assert [image["names"][1] for image in node["status"]["images"]] == ["docker.io/library/busybox:1.36"]
    assert "Attempting to reclaim ephemeral-storage" in it.events("EvictionThresholdMet")
    assert it.pod()["status"]["reason"] == "Evicted"


def test_a_program_that_fills_the_node_is_evicted_though_nobody_broke_anything() -> None:
    it = world()
    size = it.cluster.kubelet("node-1").capacity("memory") - (60 << 20)
    fill = ["stress", "--vm", "1", "--vm-bytes", str(size), "--vm-hang", "0"]
    it.create(pod(sh(FOREVER), name="small"))
    it.create(pod({"name": "c", "image": "polinux/stress", "command": fill}, name="hog"))
    it.run(30)
    assert it.pod("hog")["status"].get("reason") == "Evicted" and it.phase("small") == "Running"


def test_an_empty_dir_over_its_limit_evicts() -> None:
    it = world()
    it.create(
        pod(
            sh(
                "sleep 2; dd if=/dev/zero of=/v/big bs=1M count=3 2>/dev/null; sleep 3600",
                volumeMounts=[{"name": "v", "mountPath": "/v"}],
            ),
            volumes=[{"name": "v", "emptyDir": {"sizeLimit": "1Mi"}}],
        )
    )
    it.run(25)
    assert it.phase() == "Running", "volumes are measured once a minute, so half a minute after the start on the average"
    it.run(20)
    assert it.phase() == "Failed"
    assert it.pod()["status"]["message"] == 'Usage of EmptyDir volume "v" exceeds the limit "1Mi". '


def test_a_pod_that_does_not_fit_is_rejected_by_the_kubelet() -> None:
    it = world()
    it.create(pod(sh("sleep 60", resources={"requests": {"cpu": "1500m"}}), name="a"))
    it.run(3)
    it.create(pod(sh("sleep 60", resources={"requests": {"cpu": "1500m"}}), name="b", nodeName="node-1"))
    it.run(3)
    refused = it.pod("b")["status"]
    assert (refused["phase"], refused["reason"]) == ("Failed", "OutOfcpu")
    assert (
        refused["message"]
        == "Pod was rejected: Node didn't have enough resource: cpu, requested: 1500, used: 1500, capacity: 2000"
    )


def test_a_resize_takes_effect_without_a_restart_or_with_one() -> None:
    it = world()
    again = [{"resourceName": "memory", "restartPolicy": "RestartContainer"}]
    it.create(pod(sh(FOREVER, resources={"requests": {"cpu": "100m", "memory": "64Mi"}}, resizePolicy=again)))
    it.run(3)
    it.patch("p", {"spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "200m"}}}]}}, subresource="resize")
    it.run(2)
    assert it.container()["allocatedResources"]["cpu"] == "200m" and it.container()["restartCount"] == 0
    it.patch("p", {"spec": {"containers": [{"name": "c", "resources": {"requests": {"memory": "128Mi"}}}]}}, subresource="resize")
    it.run(4)
    assert it.container()["allocatedResources"]["memory"] == "128Mi" and it.container()["restartCount"] == 1
    said = [(change["reason"], change["message"]) for _, kind, plural, change in it.history if plural == "events" and "Resize" in change["reason"]]
    asked = '{"containers":[{"name":"c","resources":{"requests":{"cpu":"200m","memory":"%s"}}}],"generation":%d}'
    assert said == [
        (f"Resize{word.capitalize()}", f"Pod resize {word}: {asked % (memory, generation)}")
        for memory, generation in (("64Mi", 2), ("128Mi", 3))
        for word in ("started", "completed")
    ]  # podResizeMessage, pkg/kubelet/events


def test_a_resize_of_the_whole_pod_reaches_the_containers_that_have_no_limit_of_their_own() -> None:
    """The task page on Pod-level resizes and KEP-5419: resizePolicy says who starts anew; who has a limit of its own is left alone."""
    it = world()

    def container(name: str, policy: str, **more: Any) -> dict[str, Any]:
        return sh(FOREVER, name=name, resizePolicy=[{"resourceName": "cpu", "restartPolicy": policy}], **more)

    own = {"limits": {"cpu": "100m"}, "requests": {"cpu": "100m"}}
    it.create(pod(container("keeps", "NotRequired"), container("again", "RestartContainer"), container("own", "RestartContainer", resources=own),
                  resources={"requests": {"cpu": "200m"}, "limits": {"cpu": "200m"}}))  # fmt: skip
    it.run(3)

    def limits() -> dict[str, int]:
        kubelet = it.cluster.kubelet("node-1")
        worker = next(iter(kubelet.state["pods"].values()))
        return {name: kubelet.machine.state["containers"][runs[-1]["id"]]["limits"]["cpu"] for name, runs in worker["runs"].items()}

    assert limits() == {"keeps": 200, "again": 200, "own": 100}
    it.patch("p", {"spec": {"resources": {"requests": {"cpu": "300m"}, "limits": {"cpu": "300m"}}}}, subresource="resize")
    it.run(5)
    status = it.pod()["status"]
    assert {one["name"]: one["restartCount"] for one in status["containerStatuses"]} == {"again": 1, "keeps": 0, "own": 0}
    assert limits() == {"keeps": 300, "again": 300, "own": 100}
    assert (status["resources"]["limits"]["cpu"], status["allocatedResources"]["cpu"]) == ("300m", "300m")
    said = [change["reason"] for _, kind, plural, change in it.history if plural == "events" and "Resize" in change["reason"]]
    assert said == ["ResizeStarted", "ResizeCompleted"]


def test_a_resize_that_the_node_can_never_give_is_refused_and_one_that_it_no_longer_can_is_infeasible() -> None:
    it = world()
    for name, cpu in (("p", "100m"), ("big", "1")):
        it.create(pod(sh(FOREVER, resources={"requests": {"cpu": cpu}}), name=name))
    it.run(3)

    def ask(cpu: str) -> None:
        it.patch("p", {"spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": cpu}}}]}}, subresource="resize")

    with pytest.raises(ApiError) as refused:
        ask("64")
    assert refused.value.message == 'pods "p" is forbidden: node didn\'t have enough allocatable resources: cpu, requested: 64000, allocatable: 2000'
    assert refused.value.details is not None and refused.value.details["causes"] == [{"reason": "NodeCapacity"}]
    ask("1500m")
    it.run(1)
    assert it.condition("PodResizePending") == "True:Deferred"
    it.patch("node-1", {"status": {"allocatable": {"cpu": "1"}}}, "status", "nodes")
    it.delete("big")
    it.run(40)
    assert it.condition("PodResizePending") == "True:Infeasible"
    told = [change["message"] for _, _, plural, change in it.history if plural == "events" and change["reason"] == "ResizeInfeasible"]
    assert len(told) == 1 and told[0].startswith("Pod resize Infeasible: ") and '"error":"Node didn\'t have enough capacity: cpu' in told[0]
    assert it.container()["allocatedResources"]["cpu"] == "100m"


def test_a_session_is_written_to_and_read_and_ends() -> None:
    it = world()
    it.create(pod())
    it.run(2)
    uid = it.pod()["metadata"]["uid"]
    act = {"at": it.cluster.now, "do": "session", "node": "node-1"}
    session = it.cluster.apply({**act, "act": "open", "pod": uid, "container": "c", "command": ["cat"], "stdin": True})
    it.cluster.apply({**act, "act": "write", "session": session, "data": "hello\n"})
    it.run(1)
    kubelet = it.cluster.kubelet("node-1")
    assert sessions.read(kubelet, session) == ([["stdout", "hello\n"]], None)
    it.cluster.apply({**act, "at": it.cluster.now, "act": "eof", "session": session})
    it.run(1)
    assert sessions.read(kubelet, session, 1) == ([], 0)
    with pytest.raises(ApiError, match="container not found"):
        it.cluster.apply(
            {**act, "at": it.cluster.now, "act": "open", "pod": uid, "container": "c", "command": ["nope"]}
        ) if not it.cluster.kubelet("node-1").machine.signal(it.container()["containerID"], "KILL") else None


def test_words_for_logs_that_are_not_there() -> None:
    it = world()
    it.create(pod({"name": "c", "image": "nginx:no-such-tag"}, sh("sleep 60", name="ok")))
    it.run(20)
    for container, options, words in [
        ("c", {}, 'container "c" in pod "p" is waiting to start: trying and failing to pull image'),
        ("ok", {"previous": True}, 'previous terminated container "ok" in pod "p" not found'),
        ("none", {}, "container none is not valid for pod p"),
    ]:
        with pytest.raises(ApiError) as refused:
            it.logs(container, **options)
        assert refused.value.message == words


def test_facts_for_the_diagram() -> None:
    it = world()
    it.create(
        pod(
            {"name": "web", "image": "nginx:1.14.2"},
            sh("sleep 1; exit 1"),
            sh("sleep 60", name="deaf"),
            terminationGracePeriodSeconds=20,
        )
    )
    it.run(6)
    uid = it.pod()["metadata"]["uid"]
    facts = it.cluster.facts(uid)
    assert facts["ports"]["web"][0]["port"] == 80
    assert facts["waits"]["c"]["what"] == "backoff" and facts["waits"]["c"]["until"] > it.cluster.now
    it.delete()
    it.run(0.02)
    assert it.cluster.facts(uid)["deadline"] <= it.cluster.now + 20_000
    assert it.cluster.kubelet("node-1").node_facts()["power"] == "on"


def test_after_a_reboot_a_pod_waits_for_a_config_map_that_went_away() -> None:
    it = world()
    it.create(config_map("conf", mode="teach"))
    it.create(pod(volumes=[{"name": "v", "configMap": {"name": "conf"}}]))
    it.run(3)
    it.fault(node="node-1", power="off")
    it.request(verb="delete", resource="configmaps", namespace="default", name="conf")
    it.fault(node="node-1", power="on")
    it.run(10)
    assert it.container()["restartCount"] == 0
    assert it.events("FailedMount") == ['MountVolume.SetUp failed for volume "v" : configmap "conf" not found']
    it.create(config_map("conf", mode="teach"))
    it.run(20)
    assert it.state() == "running#1"


def test_a_full_disk_refuses_writes() -> None:
    it = world()
    it.create(pod(sh("sleep 3; echo x > /file || echo full; sleep 60")))
    it.run(2)
    it.fault(node="node-1", fill="disk", percent=100)
    it.run(3)
    assert it.logs()[-1] == "full"


def test_a_node_that_boots_again_and_again_keeps_counting() -> None:
    it = world()
    it.create(pod())
    for _ in range(4):
        it.run(40)
        it.fault(node="node-1", power="off")
        it.run(5)
        it.fault(node="node-1", power="on")
    it.run(80)  # 40 s of back-off, and the worker looks again within 15 s (backOffPeriod with its jitter)
    assert it.state() == "running#4"
    it.delete(gracePeriodSeconds=0)
    it.run(10)
    assert it.cluster.kubelet("node-1").machine.state["containers"] == {}


def test_a_checkpoint_of_a_broken_node_goes_on_as_it_was() -> None:
    it = world()
    it.create(pod())
    it.run(3)
    it.fault(node="node-1", power="silent")
    it.run(2)
    again = World(Cluster.restore(json.loads(json.dumps(it.cluster.checkpoint())), strict=True))
    for one in (it, again):
        one.fault(node="node-1", power="on")
        one.delete()
        one.run(40)
    assert json.dumps(it.cluster.checkpoint()) == json.dumps(again.cluster.checkpoint())


def test_a_pod_that_was_deleted_before_a_kubelet_turned_it_away_is_gone_then() -> None:
    it = world()
    it.fault(node="node-1", power="silent")
    it.create(pod(sh("sleep 3600"), nodeName="node-1", nodeSelector={"no": "where"}))
    it.run(1)
    it.delete()
    it.run(1)
    it.fault(node="node-1", power="on")
    it.run(10)
    assert it.cluster.etcd.get("pods", "default/p") is None
