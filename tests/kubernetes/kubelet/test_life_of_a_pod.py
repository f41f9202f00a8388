"""A Pod's way through its life: start, end, restart, phase, deletion."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kubernetes.kubelet.given import pod, sh, world


def test_a_pod_runs_and_is_ready_within_a_second() -> None:
    it = world()
    it.create(pod())
    it.run(1)
    assert (it.phase(), it.state(), it.condition("Ready")) == ("Running", "running#0", "True")
    assert it.pod()["status"]["podIP"].startswith("10.244.0.")
    assert it.states() == ["waiting:ContainerCreating", "running#0"]
    assert it.events("Created") == ["Container created"] and it.events("Started") == ["Container started"]


def test_the_address_is_told_once_the_container_runs_and_not_while_it_is_made() -> None:
    it = world()
    it.create(pod())
    it.run(0.46)
    assert it.condition("PodReadyToStartContainers") == "True"
    assert "podIP" not in it.pod()["status"]
    it.run(0.2)
    assert it.pod()["status"]["podIPs"] == [{"ip": it.pod()["status"]["podIP"]}]


def test_a_pod_on_its_machines_network_has_its_address_at_once() -> None:
    it = world()
    it.create(pod(hostNetwork=True))
    it.run(0.1)
    assert it.pod()["status"]["podIP"] == it.pod()["status"]["hostIP"] and it.state() == "waiting:ContainerCreating"


def test_the_first_restart_is_immediate_and_the_second_waits_ten_seconds_from_the_end() -> None:
    it = world()
    it.create(pod(sh("sleep 2; exit 1")))
    it.run(5)
    assert it.container()["restartCount"] == 1
    it.run(3)
    ended = it.cluster.kubelet("node-1").state["pods"][it.pod()["metadata"]["uid"]]["runs"]["c"][-1]["finished"]
    it.cluster.run_until(ended + 9_999)
    assert it.container()["restartCount"] == 1
    assert it.state() == "waiting:CrashLoopBackOff"
    assert it.container()["state"]["waiting"]["message"].startswith("back-off 10s restarting failed container=c pod=p_default(")
    it.cluster.run_until(ended + 17_000)  # 10 s, half as much jitter, the tick, the start
    assert it.container()["restartCount"] == 2


def test_crash_loop_back_off_is_shown_about_a_second_after_the_end() -> None:
    it = world()
    it.create(pod(sh("sleep 2; exit 1")))
    it.run(10)
    assert it.when("waiting:CrashLoopBackOff") - it.when("running#1") < 3_600
    assert "terminated:Error:1" in it.states()


def test_waits_double_and_are_announced_each_time() -> None:
    it = world()
    it.create(pod(sh("exit 1")))
    it.run(200)
    messages = []
    for _, _, plural, obj in it.history:
        if plural == "pods":
            for one in obj["status"].get("containerStatuses", ()):
                text = one["state"].get("waiting", {}).get("message", "").split(" restarting")[0]
                if text and text not in messages:
                    messages.append(text)
    assert messages[:4] == ["back-off 10s", "back-off 20s", "back-off 40s", "back-off 1m20s"]


@pytest.mark.parametrize(
    ("policy", "lines", "phase"),
    [
        ("Never", ["exit 0", "exit 3"], "Failed"),
        ("Never", ["exit 0", "exit 0"], "Succeeded"),
        ("OnFailure", ["exit 0", "exit 0"], "Succeeded"),
        ("OnFailure", ["exit 0", "exit 3"], "Running"),
        ("Always", ["exit 0", "exit 0"], "Running"),
    ],
)
def test_phase_after_the_end_follows_policy_and_codes(policy: str, lines: list[str], phase: str) -> None:
    it = world()
    it.create(pod(*(sh(f"sleep 1; {line}", name=f"c{number}") for number, line in enumerate(lines)), restartPolicy=policy))
    it.run(8)
    assert it.phase() == phase


def test_a_finished_pod_stays_running_until_its_containers_are_known_to_be_gone() -> None:
    it = world()
    it.create(pod(sh("sleep 1"), restartPolicy="Never"))
    it.run(10)
    told = [
        (obj["status"]["phase"], obj["status"]["conditions"][2].get("reason"))
        for _, _, plural, obj in it.history
        if plural == "pods" and obj["status"].get("conditions", ())[2:]
    ]
    assert ("Running", "PodCompleted") in told
    assert told.index(("Running", "PodCompleted")) < told.index(("Succeeded", "PodCompleted"))


def test_a_deleted_pod_gets_term_and_kill_thirty_seconds_later() -> None:
    it = world()
    it.create(pod())  # sleep, as process 1, does not hear TERM
    it.run(2)
    it.delete()
    it.run(29.9)
    assert it.state() == "running#0" and it.pod()["metadata"]["deletionTimestamp"]
    it.run(0.5)
    assert (it.state(), it.phase()) == ("terminated:Error:137", "Failed")
    it.run(1.5)
    assert it.gone()
    assert it.events("Killing") == ["Stopping container c"]


def test_a_shorter_grace_period_comes_too_late_once_the_containers_are_being_stopped() -> None:
    it = world()
    it.create(pod())
    it.run(2)
    it.delete()
    it.run(5)
    it.delete(gracePeriodSeconds=3)
    it.run(24)
    assert it.state() == "running#0"
    it.run(3)
    assert it.gone()


@pytest.mark.parametrize(
    ("main", "sooner", "later", "words"),
    [
        ({"image": "mysql:8.0.32", "env": [{"name": "MYSQL_ROOT_PASSWORD", "value": "x"}]}, 4, 20, ["Created", "Started", "Killing"]),
        ({**sh("trap 'exit 0' TERM; while true; do sleep 1; done"), "lifecycle": {"postStart": {"sleep": {"seconds": 9}}}}, 8, 4, ["Killing"]),
    ],
    ids=["an image is pulled, and the container made and started", "a hook ends"],
)
def test_a_deletion_waits_until_the_sync_under_way_is_over(main: dict[str, Any], sooner: float, later: float, words: list[str]) -> None:
    it = world()
    it.create(pod({"name": "c", **main}))
    it.run(1)
    before = len(it.events())
    it.delete(gracePeriodSeconds=5)
    it.run(sooner)
    assert it.pod()["metadata"]["deletionTimestamp"] and not it.events("Killing")
    it.run(later)
    assert it.gone()
    reasons = [event["reason"] for event in it.cluster.etcd.list("events", "default")]
    assert len(it.events()) > before and set(words) <= set(reasons)


def test_a_forced_delete_removes_the_object_at_once_and_the_container_two_seconds_later() -> None:
    it = world()
    uid = it.create(pod())["metadata"]["uid"]
    it.run(2)
    it.delete(gracePeriodSeconds=0)
    assert it.gone()
    it.run(1.9)
    assert uid in it.cluster.kubelet("node-1").machine.state["sandboxes"]
    it.run(2)
    assert uid not in it.cluster.kubelet("node-1").state["pods"]
    assert uid not in it.cluster.kubelet("node-1").machine.state["sandboxes"]


def test_a_pod_deleted_before_it_ran_fails_and_goes() -> None:
    it = world()
    it.create(pod({"name": "c", "image": "no.such.registry/x"}))
    it.create(pod(name="waits", init=[sh("sleep 60", name="i")]))
    it.run(3)
    it.delete()
    it.delete("waits", gracePeriodSeconds=1)
    it.run(6)
    assert it.gone() and it.gone("waits")
    last = {
        obj["metadata"]["name"]: obj["status"] for _, kind, plural, obj in it.history if plural == "pods" and kind == "DELETED"
    }
    assert last["p"]["phase"] == "Failed"
    assert last["p"]["containerStatuses"][0]["state"]["terminated"]["reason"] == "ContainerStatusUnknown"
    assert last["waits"]["initContainerStatuses"][0]["state"]["terminated"]["exitCode"] == 137
    assert "waiting" in last["waits"]["containerStatuses"][0]["state"]


def test_active_deadline_fails_a_running_pod() -> None:
    it = world()
    it.create(pod(sh("trap 'exit 0' TERM; while true; do sleep 1; done"), activeDeadlineSeconds=5))
    it.run(4)
    assert it.phase() == "Running"
    it.run(8)
    assert (it.phase(), it.pod()["status"]["reason"]) == ("Failed", "DeadlineExceeded")
    assert it.pod()["status"]["message"] == "Pod was active on the node longer than the specified deadline"


def test_what_never_began_is_said_to_have_failed_where_its_pod_is_past_its_deadline() -> None:
    it = world()
    it.create(pod({"name": "c", "image": "no-such-image:1"}, activeDeadlineSeconds=3))
    it.run(8)
    assert (it.phase(), it.pod()["status"]["reason"], it.state()) == ("Failed", "DeadlineExceeded", "terminated:ContainerStatusUnknown:137")


def test_an_idle_pod_sets_no_timer() -> None:
    it = world()
    it.create(pod(sh("sleep infinity")))
    it.run(30)
    mine = [timer for timer in it.cluster.clock.timers() if timer.component.startswith("kubelet")]
    assert mine == []


def test_a_changed_image_restarts_the_container_whatever_the_policy() -> None:
    it = world(images=["busybox:1.36", "busybox:1.28", "busybox:latest"])
    it.create(pod(sh("trap 'exit 0' TERM; while true; do sleep 1; done"), restartPolicy="Never"))
    it.run(3)
    it.patch("p", {"spec": {"containers": [{"name": "c", "image": "busybox:latest"}]}})
    it.run(3)
    assert it.events("Killing") == ["Container c definition changed, will be restarted"]
    assert it.state() == "running#1"
    assert it.container()["image"] == "docker.io/library/busybox:latest"


def test_out_of_memory_is_named() -> None:
    it = world()
    it.create(pod(sh("sleep 1; tail /dev/zero", resources={"limits": {"memory": "32Mi"}}), restartPolicy="Never"))
    it.run(6)
    assert it.state() == "terminated:OOMKilled:137"


def test_a_command_that_is_not_there() -> None:
    it = world()
    it.create(pod({"name": "c", "image": "busybox:1.36", "command": ["nope"]}))
    it.run(1.6)
    assert it.state() == "waiting:RunContainerError"
    assert it.container()["lastState"]["terminated"]["exitCode"] == 128
    assert it.container()["lastState"]["terminated"]["reason"] == "StartError"


def test_termination_message_from_file_and_from_the_log() -> None:
    it = world()
    it.create(
        pod(
            sh("echo bye > /dev/termination-log; exit 1", name="a"),
            sh("echo last words; exit 1", name="b", terminationMessagePolicy="FallbackToLogsOnError"),
            restartPolicy="Never",
        )
    )
    it.run(4)
    assert it.container("a")["state"]["terminated"]["message"] == "bye\n"
    assert it.container("b")["state"]["terminated"]["message"] == "last words\n"


def test_ephemeral_container_joins_a_running_pod_and_is_never_restarted() -> None:
    it = world()
    it.create(pod())
    it.run(2)
    it.patch("p", {"spec": {"ephemeralContainers": [sh("echo hi; sleep 1", name="dbg")]}}, subresource="ephemeralcontainers")
    it.run(0.5)
    assert it.state("dbg") == "running#0"
    it.run(5)
    assert it.state("dbg") == "terminated:Completed:0"
    assert it.logs("dbg") == ["hi"] and it.phase() == "Running"
