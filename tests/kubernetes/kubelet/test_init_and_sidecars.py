"""Init containers, native sidecars, container restart rules."""

from __future__ import annotations

import pytest

from tests.kubernetes.kubelet.given import pod, sh, world

FOREVER = "trap 'exit 0' TERM; while true; do sleep 1; done"


def test_init_containers_run_one_after_another() -> None:
    it = world()
    it.create(pod(init=[sh("sleep 2", name="one"), sh("sleep 2", name="two")]))
    it.run(2)
    assert (it.state("one"), it.state("two"), it.state()) == ("running#0", "waiting:PodInitializing", "waiting:PodInitializing")
    assert it.condition("Initialized") == "False:ContainersNotInitialized"
    it.run(6)
    assert (it.state("one"), it.state("two"), it.state()) == ("terminated:Completed:0", "terminated:Completed:0", "running#0")
    assert it.when("running#0", "two") >= it.when("terminated:Completed:0", "one")


def test_a_failing_init_container_is_retried_or_ends_the_pod() -> None:
    it = world()
    it.create(pod(init=[sh("exit 1", name="i")], name="again"))
    it.create(pod(init=[sh("exit 1", name="i")], name="never", restartPolicy="Never"))
    it.run(6)
    assert it.phase("again") == "Pending" and it.container("i", "again")["restartCount"] == 1
    assert it.phase("never") == "Failed" and it.state("c", "never") == "waiting:PodInitializing"


def test_a_sidecar_starts_before_the_main_container_and_ends_after_it() -> None:
    it = world()
    it.create(pod(sh("sleep 4"), init=[sh(FOREVER, name="side", restartPolicy="Always")], restartPolicy="Never"))
    it.run(3)
    assert it.when("running#0", "side") < it.when("running#0")
    it.run(8)
    assert (it.state(), it.state("side"), it.phase()) == ("terminated:Completed:0", "terminated:Completed:0", "Succeeded")
    assert it.events("Killing") == ["Stopping container side"]


def test_a_sidecar_is_restarted_even_under_never() -> None:
    it = world()
    it.create(pod(init=[sh("sleep 2; exit 1", name="side", restartPolicy="Always")], restartPolicy="Never"))
    it.run(5)
    assert it.container("side")["restartCount"] == 1 and it.phase() == "Running"


@pytest.mark.parametrize("kind", ["startup", "liveness"])
def test_a_sidecar_that_fails_a_probe_is_killed_in_words_of_its_own(kind: str) -> None:
    probe = {"exec": {"command": ["false"]}, "periodSeconds": 1, "failureThreshold": 2}
    it = world()
    it.create(pod(init=[sh("sleep 60", name="side", restartPolicy="Always", **{f"{kind}Probe": probe})], terminationGracePeriodSeconds=1))
    it.run(9)
    assert it.events("Killing")[0] == f"Init container side failed {kind} probe"
    assert it.container("side")["restartCount"] >= 1


def test_the_next_container_waits_for_the_sidecar_s_startup_probe() -> None:
    probe = {"exec": {"command": ["cat", "/up"]}, "periodSeconds": 1, "failureThreshold": 30}
    it = world()
    it.create(pod(init=[sh("sleep 4; touch /up; sleep 60", name="side", restartPolicy="Always", startupProbe=probe)]))
    it.run(4)
    assert it.state() == "waiting:PodInitializing"
    it.run(3)
    assert it.state() == "running#0"


def test_sidecars_are_stopped_after_the_main_containers_in_reverse_order() -> None:
    it = world()
    slow = "trap 'sleep 3; exit 0' TERM; while true; do sleep 1; done"
    it.create(
        pod(sh(slow), init=[sh(FOREVER, name="first", restartPolicy="Always"), sh(slow, name="second", restartPolicy="Always")])
    )
    it.run(3)
    it.delete()
    it.run(20)
    last = [obj for _, _, plural, obj in it.history if plural == "pods"][-1]["status"]
    ends = {
        one["name"]: one["state"]["terminated"]["finishedAt"]
        for one in [*last["containerStatuses"], *last["initContainerStatuses"]]
    }
    assert ends["c"] < ends["second"] <= ends["first"], "each waits for the one after it"


def test_a_restart_rule_brings_a_container_back_that_the_policy_would_leave() -> None:
    rule = {"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}
    it = world()
    it.create(
        pod(
            sh("sleep 1; exit 42", name="a", restartPolicy="Never", restartPolicyRules=[rule]),
            sh("sleep 60", name="b"),
            restartPolicy="Never",
        )
    )
    it.run(4)
    assert it.container("a")["restartCount"] == 1


def test_restart_all_containers_starts_the_pod_over_with_its_address_and_volumes() -> None:
    rule = {"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [88]}}
    mount = [{"name": "v", "mountPath": "/v"}]
    it = world()
    it.create(
        pod(
            sh(
                "test -e /v/once && sleep 60; touch /v/once; sleep 2; exit 88",
                name="a",
                restartPolicy="Never",
                volumeMounts=mount,
                restartPolicyRules=[rule],
            ),
            sh("sleep 60", name="b"),
            init=[sh("echo x >> /v/inits", name="i", volumeMounts=mount)],
            volumes=[{"name": "v", "emptyDir": {}}],
            restartPolicy="Never",
        )
    )
    it.run(3)
    address = it.pod()["status"]["podIP"]
    it.run(9)
    assert it.pod()["status"]["podIP"] == address
    assert (it.state("a"), it.state("b")) == ("running#1", "running#1")
    assert it.container("i")["restartCount"] == 1
    removed = {"exitCode": 137, "reason": "RestartingAllContainers", "startedAt": None, "finishedAt": None,
               "message": "The container is removed because RestartAllContainers in place"}  # fmt: skip
    assert [it.container(name)["lastState"] for name in "aib"] == [{"terminated": removed}] * 3
    assert it.condition("AllContainersRestarting") == "False"
    told = [
        one["status"]
        for _, _, plural, obj in it.history
        if plural == "pods"
        for one in obj["status"].get("conditions", ())
        if one["type"] == "AllContainersRestarting"
    ]
    assert "True" in told
