"""Probes on their instants; hooks and the grace period that they use up."""

from __future__ import annotations

import itertools

import pytest

from tests.kubernetes.kubelet.given import pod, sh, world

OK = {"exec": {"command": ["cat", "/ok"]}}
STUBBORN = "sleep 3600"  # process 1 without a handler does not hear TERM


def test_liveness_kills_at_the_third_failure_and_the_container_starts_again_after_its_grace_period() -> None:
    it = world()
    it.create(
        pod(
            sh(f"touch /ok; sleep 10; rm /ok; {STUBBORN}", livenessProbe={**OK, "periodSeconds": 2}),
            terminationGracePeriodSeconds=4,
        )
    )
    it.run(14.6)
    assert it.events("Killing") == [] and it.count("Unhealthy") == 2
    it.run(2.2)
    assert it.events("Killing") == ["Container c failed liveness probe, will be restarted"]
    assert it.state() == "running#0"
    it.run(4.2)
    assert it.state() == "running#1"
    assert it.container()["lastState"]["terminated"]["exitCode"] == 137
    assert it.events("Unhealthy")[0] == "Liveness probe failed: cat: can't open '/ok': No such file or directory\n"


def test_under_never_a_failed_probe_of_the_only_container_ends_the_pod_and_beside_others_the_container() -> None:
    probe = {"exec": {"command": ["false"]}, "periodSeconds": 1, "failureThreshold": 1, "terminationGracePeriodSeconds": 1}
    it = world()
    it.create(pod(sh("sleep 60", livenessProbe=probe), name="alone", restartPolicy="Never", terminationGracePeriodSeconds=4))
    it.create(pod(sh("sleep 60", livenessProbe=probe), sh("sleep 60", name="d"), name="two", restartPolicy="Never"))
    it.run(5)
    assert sorted(it.events("Killing")) == ["Container c failed liveness probe", "Stopping container c"]
    assert it.state("c", "two") == "terminated:Error:137" and it.state("c", "alone") == "running#0", "the Pod's own grace period counts"


def test_a_probe_s_own_grace_period_comes_before_the_pod_s() -> None:
    it = world()
    it.create(
        pod(sh(STUBBORN, livenessProbe={**OK, "periodSeconds": 1, "failureThreshold": 1, "terminationGracePeriodSeconds": 2}))
    )
    it.run(5)
    assert it.container()["restartCount"] == 1


def test_readiness_follows_the_probe_and_keeps_the_container() -> None:
    it = world()
    it.create(
        pod(
            sh(
                f"sleep 4; touch /ok; sleep 8; rm /ok; {STUBBORN}",
                readinessProbe={**OK, "periodSeconds": 1, "failureThreshold": 2},
            )
        )
    )
    it.run(4)
    assert it.condition("Ready") == "False:ContainersNotReady"
    it.run(2)
    assert it.condition("Ready") == "True"
    it.run(9)
    assert it.condition("Ready") == "False:ContainersNotReady"
    assert it.container()["restartCount"] == 0


def test_a_container_that_is_being_stopped_is_not_probed_at_once_when_it_turns_out_not_to_be_ready() -> None:
    it = world()
    probe = {**OK, "periodSeconds": 3, "failureThreshold": 1}
    it.create(pod(sh(f"touch /ok; sleep 4; rm /ok; {STUBBORN}", livenessProbe={**probe, "periodSeconds": 1}, readinessProbe=probe)))
    it.run(12)
    failed = [at for at, kind, plural, obj in it.history if plural == "events" and obj["message"].startswith("Readiness")]
    assert len(failed) >= 2 and all(2900 < later - sooner < 3100 for sooner, later in itertools.pairwise(failed))


def test_a_container_is_probed_once_its_status_tells_that_it_runs() -> None:
    it = world()
    hook = {"postStart": {"sleep": {"seconds": 6}}}
    it.create(pod(sh(STUBBORN, lifecycle=hook, livenessProbe={**OK, "periodSeconds": 1}, readinessProbe={**OK, "periodSeconds": 1})))
    it.run(6.4)
    assert (it.count("Unhealthy"), it.state()) == (0, "waiting:ContainerCreating")
    it.run(3)
    assert it.count("Unhealthy") >= 4


def test_a_grpc_probe_of_a_port_that_nobody_hears_fails_when_its_time_is_over() -> None:
    it = world()
    it.create(pod(sh(STUBBORN, livenessProbe={"grpc": {"port": 9}, "periodSeconds": 4, "timeoutSeconds": 2})))
    it.run(6)
    assert it.events("Unhealthy") == []
    it.run(0.6)
    assert it.events("Unhealthy") == ['Liveness probe failed: timeout: failed to connect service "10.244.0.2:9" within 2s: context deadline exceeded']


def test_initial_delay_holds_the_first_probe_back() -> None:
    it = world()
    it.create(pod(sh(STUBBORN, livenessProbe={**OK, "periodSeconds": 1, "initialDelaySeconds": 5, "failureThreshold": 60})))
    it.run(4.5)
    assert it.count("Unhealthy") == 0
    it.run(2.5)
    assert it.count("Unhealthy") >= 1


def test_a_startup_probe_holds_the_others_back_and_makes_the_container_started() -> None:
    it = world()
    it.create(
        pod(
            sh(
                f"sleep 5; touch /ok; {STUBBORN}",
                startupProbe={**OK, "periodSeconds": 1, "failureThreshold": 30},
                livenessProbe={**OK, "periodSeconds": 1, "failureThreshold": 1},
            )
        )
    )
    it.run(4)
    assert it.container()["started"] is False and it.condition("Ready") == "False:ContainersNotReady"
    it.run(4)
    assert it.container()["started"] is True and it.condition("Ready") == "True"
    assert it.events("Killing") == []


def test_readiness_is_looked_at_once_when_the_startup_probe_has_succeeded_and_then_each_period() -> None:
    probes = {"startupProbe": {"exec": {"command": ["true"]}, "initialDelaySeconds": 2, "periodSeconds": 3},
              "readinessProbe": {"exec": {"command": ["true"]}, "periodSeconds": 3, "successThreshold": 2}}  # fmt: skip
    it = world()
    it.create(pod(sh("sleep 60", **probes)))
    it.run(6)
    assert it.container()["started"] is True and it.container()["ready"] is False, "what a new container's first result asked for was in vain"
    it.run(2)
    assert it.container()["ready"] is True


def test_a_startup_probe_that_never_succeeds_restarts_the_container() -> None:
    it = world()
    it.create(pod(sh(STUBBORN, startupProbe={**OK, "periodSeconds": 1, "failureThreshold": 3}), terminationGracePeriodSeconds=2))
    it.run(7)
    assert it.events("Killing") == ["Container c failed startup probe, will be restarted"]
    assert it.container()["restartCount"] == 1


def test_an_exec_probe_that_takes_too_long_has_failed() -> None:
    it = world()
    it.create(pod(sh(STUBBORN, livenessProbe={"exec": {"command": ["sleep", "5"]}, "timeoutSeconds": 2, "failureThreshold": 9})))
    it.run(14)
    assert it.events("Unhealthy") == ['Liveness probe failed: command timed out: "sleep 5" timed out after 2s']


@pytest.mark.parametrize(
    ("probe", "message"),
    [
        (
            {"httpGet": {"port": 81}},
            'Liveness probe failed: Get "http://{ip}:81/": dial tcp {ip}:81: connect: connection refused',
        ),
        ({"tcpSocket": {"port": 81}}, "Liveness probe failed: dial tcp {ip}:81: connect: connection refused"),
    ],
)
def test_probes_over_the_network_say_what_go_says(probe: dict[str, object], message: str) -> None:
    it = world()
    it.create(pod(sh(STUBBORN, livenessProbe={**probe, "periodSeconds": 2})))
    it.run(4)
    assert it.events("Unhealthy") == [message.format(ip=it.pod()["status"]["podIP"])]


def test_pre_stop_runs_before_term_and_its_seconds_are_taken_off() -> None:
    it = world()
    it.create(pod(sh(STUBBORN, lifecycle={"preStop": {"exec": {"command": ["sleep", "3"]}}}), terminationGracePeriodSeconds=6))
    it.run(2)
    it.delete()
    it.run(5.8)
    assert it.state() == "running#0"
    it.run(0.6)
    assert it.state() == "terminated:Error:137"


def test_a_pre_stop_hook_longer_than_the_grace_period_leaves_two_seconds() -> None:
    it = world()
    it.create(pod(sh(STUBBORN, lifecycle={"preStop": {"exec": {"command": ["sleep", "60"]}}}), terminationGracePeriodSeconds=3))
    it.run(2)
    it.delete()
    it.run(4.9)
    assert it.state() == "running#0" and it.events("FailedPreStopHook") == []
    it.run(0.5)
    assert it.state() == "terminated:Error:137" and it.events("FailedPreStopHook") == ["PreStopHook failed"]


def test_a_sleep_hook_waits() -> None:
    it = world()
    it.create(pod(sh("trap 'exit 0' TERM; while true; do sleep 1; done", lifecycle={"preStop": {"sleep": {"seconds": 4}}})))
    it.run(2)
    it.delete()
    it.run(3.9)
    assert it.state() == "running#0"
    it.run(1.5)
    assert it.state() == "terminated:Completed:0"


def test_post_start_blocks_the_next_container_and_its_failure_kills() -> None:
    it = world()
    it.create(
        pod(
            sh(STUBBORN, name="a", lifecycle={"postStart": {"exec": {"command": ["sh", "-c", "sleep 3"]}}}),
            sh(STUBBORN, name="b", lifecycle={"postStart": {"exec": {"command": ["sh", "-c", "exit 1"]}}}),
            terminationGracePeriodSeconds=2,
        )
    )
    it.run(3)
    assert it.state("b") == "waiting:ContainerCreating"
    it.run(2)
    assert it.events("FailedPostStartHook") == ["PostStartHook failed"]
    it.run(1.9)
    assert "waiting:PostStartHookError" in it.states("b")
    message = next(
        one["state"]["waiting"]["message"]
        for _, _, plural, obj in it.history
        if plural == "pods"
        for one in obj["status"].get("containerStatuses", ())
        if one["state"].get("waiting", {}).get("reason") == "PostStartHookError"
    )
    assert message.startswith('Exec lifecycle hook ([sh -c exit 1]) for Container "b" in Pod "p_default(')
    assert message.endswith("failed - error: command 'sh -c exit 1' exited with 1: , message: \"\"")


def test_an_http_hook_that_nobody_answers_fails() -> None:
    it = world()
    it.create(
        pod(sh(STUBBORN, lifecycle={"postStart": {"httpGet": {"port": 8080, "path": "/up"}}}), terminationGracePeriodSeconds=1)
    )
    it.run(2)
    assert it.events("FailedPostStartHook") == ["PostStartHook failed"]
