from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.controllers_common import job_indexes
from podlab.kubernetes.controllers_common.job_policies import backoff_left

from .conftest import new_cluster
from .support import admin, alive, condition, create, events, job, pods, status

READY = {"ready_ms": 100, "stop_ms": 100}


def end_all(cluster: Cluster, phase: str = "Succeeded", code: int = 0) -> None:
    hands: Any = cluster.components["hands"]
    for pod in pods(cluster):
        if pod["status"]["phase"] == "Running":
            hands.end(pod, phase, code)


@pytest.mark.parametrize(("indexes", "text"), [
    pytest.param({0, 1, 2}, "0-2", id="three make a range"), pytest.param({0, 1}, "0,1", id="two do not"),
    pytest.param({7}, "7", id="one"), pytest.param({0, 2, 3, 4, 9}, "0,2-4,9", id="mixed"), pytest.param(set(), "", id="none"),
])
def test_indexes_are_written_as_intervals(indexes: set[int], text: str) -> None:
    assert job_indexes.format_(indexes) == text and job_indexes.parse(text, 100) == indexes


@pytest.mark.parametrize(("failures", "seconds"), [(0, 0), (1, 10), (2, 20), (3, 40), (7, 600), (50, 600)])
def test_each_failure_doubles_the_wait(failures: int, seconds: int) -> None:
    assert backoff_left(failures, 1_000_000, 1_000_000) == seconds * 1000


def test_a_job_completes_after_its_completions(make_cluster: Any) -> None:
    cluster = make_cluster(**READY)
    create(cluster, "jobs", job(completions=3, parallelism=2))
    cluster.run_for(2)
    assert len(alive(cluster)) == 2 and status(cluster, "jobs", "j")["ready"] == 2
    end_all(cluster)
    cluster.run_for(2)
    assert status(cluster, "jobs", "j")["succeeded"] == 2 and status(cluster, "jobs", "j")["active"] == 1
    end_all(cluster)
    cluster.run_for(2)
    held = status(cluster, "jobs", "j")
    assert [c["type"] for c in held["conditions"]] == ["SuccessCriteriaMet", "Complete"] and held["succeeded"] == 3
    assert held.get("active") is None and held["completionTime"] and events(cluster, "Completed") == ["Job completed"]
    assert all(not p["metadata"].get("finalizers") for p in pods(cluster))


def test_pod_changes_are_gathered_for_a_second(make_cluster: Any) -> None:
    cluster = make_cluster(**READY)
    create(cluster, "jobs", job())
    cluster.run_for(3)
    end_all(cluster)
    cluster.run_for(0.95)
    assert condition(cluster, "jobs", "j", "Complete") is None
    cluster.run_for(0.1)
    assert condition(cluster, "jobs", "j", "Complete") == "True:CompletionsReached"


def test_a_failed_pod_is_replaced_after_ten_seconds_until_the_limit(make_cluster: Any) -> None:
    cluster = make_cluster(**READY)
    create(cluster, "jobs", job(backoffLimit=1))
    cluster.run_for(3)
    end_all(cluster, "Failed", 1)
    cluster.run_for(9.5)
    assert len(pods(cluster)) == 1 and status(cluster, "jobs", "j")["failed"] == 1
    cluster.run_for(1.5)
    assert len(pods(cluster)) == 2
    cluster.run_for(2)
    end_all(cluster, "Failed", 1)
    cluster.run_for(3)
    assert condition(cluster, "jobs", "j", "Failed") == "True:BackoffLimitExceeded"
    assert events(cluster, "BackoffLimitExceeded") == ["Job has reached the specified backoff limit"]


def test_the_deadline_ends_it_when_its_pods_have_gone(make_cluster: Any) -> None:
    cluster = make_cluster(ready_ms=100, stop_ms=3000)
    create(cluster, "jobs", job(activeDeadlineSeconds=8))
    cluster.run_for(9)
    assert condition(cluster, "jobs", "j", "FailureTarget") == "True:DeadlineExceeded" and not alive(cluster)
    assert condition(cluster, "jobs", "j", "Failed") is None  # a Pod is still terminating
    cluster.run_for(5)
    assert condition(cluster, "jobs", "j", "Failed") == "True:DeadlineExceeded"


def test_an_indexed_job_gives_each_pod_its_index(make_cluster: Any) -> None:
    cluster = make_cluster(**READY)
    create(cluster, "jobs", job(completions=3, parallelism=3, completionMode="Indexed"))
    cluster.run_for(2)
    assert sorted(p["spec"]["hostname"] for p in pods(cluster)) == ["j-0", "j-1", "j-2"]
    end_all(cluster)
    cluster.run_for(2)
    assert status(cluster, "jobs", "j")["completedIndexes"] == "0-2"


def test_an_index_fails_alone_with_a_limit_per_index(make_cluster: Any) -> None:
    cluster = make_cluster(**READY)
    hands: Any = cluster.components["hands"]
    create(cluster, "jobs", job(completions=2, parallelism=2, completionMode="Indexed", backoffLimitPerIndex=0))
    cluster.run_for(2)
    for pod in pods(cluster):
        bad = pod["spec"]["hostname"] == "j-0"
        hands.end(pod, "Failed" if bad else "Succeeded", int(bad))
    cluster.run_for(5)
    held = status(cluster, "jobs", "j")
    assert (held["completedIndexes"], held["failedIndexes"]) == ("1", "0")
    assert condition(cluster, "jobs", "j", "Failed") == "True:FailedIndexes"


def test_what_an_ignore_rule_leaves_uncounted_still_delays_its_index(make_cluster: Any) -> None:
    cluster = make_cluster(**READY)
    rule = {"action": "Ignore", "onExitCodes": {"operator": "In", "values": [7]}}
    create(cluster, "jobs", job(completions=1, parallelism=1, completionMode="Indexed", backoffLimitPerIndex=0,
                                podFailurePolicy={"rules": [rule]}))
    for seconds in (13, 25):  # DefaultJobPodFailureBackOff 10 s, then 20 s
        cluster.run_for(2)
        end_all(cluster, "Failed", 7)
        cluster.run_for(seconds)
    notes = {p["metadata"]["annotations"].get(job_indexes.IGNORED): p["metadata"]["annotations"][job_indexes.FAILURES] for p in pods(cluster)}
    assert notes == {None: "0", "1": "0", "2": "0"} and not status(cluster, "jobs", "j").get("failedIndexes")


def test_a_pod_that_a_quota_refuses_is_tried_again_after_a_second_then_two(make_cluster: Any) -> None:
    cluster = make_cluster(**READY)
    create(cluster, "resourcequotas", {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": {"pods": "0"}}})
    create(cluster, "jobs", job())
    tries = []
    for _ in range(4):
        cluster.run_for(1)
        tries.append(len(events(cluster, "FailedCreate")))
    assert tries == [1, 2, 2, 3]  # DefaultJobApiBackOff, doubled


def test_a_fatal_exit_code_fails_the_job_at_once(make_cluster: Any) -> None:
    cluster = make_cluster(**READY)
    rule = {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}}
    create(cluster, "jobs", job(podFailurePolicy={"rules": [rule]}))
    cluster.run_for(2)
    end_all(cluster, "Failed", 42)
    cluster.run_for(3)
    assert condition(cluster, "jobs", "j", "Failed") == "True:PodFailurePolicy"


def test_a_container_that_begins_anew_and_anew_without_ever_being_ready_uses_up_the_limit(make_cluster: Any) -> None:
    cluster = make_cluster(ready_ms=1_000_000)
    spec = job()["spec"]["template"]["spec"]
    create(cluster, "jobs", job(backoffLimit=2, template={"spec": {**spec, "restartPolicy": "OnFailure",
                                                                   "initContainers": [{"name": "i", "image": "busybox:1.36"}]}}))
    cluster.run_for(2)
    for restarts in (1, 2):
        assert condition(cluster, "jobs", "j", "FailureTarget") is None
        admin(cluster).patch("pods", pods(cluster)[0]["metadata"]["name"], {"status": {"initContainerStatuses": [
            {"name": "i", "ready": False, "restartCount": restarts, "image": "", "imageID": ""}]}}, "default", subresource="status")
        cluster.run_for(2)
    assert condition(cluster, "jobs", "j", "FailureTarget") == "True:BackoffLimitExceeded"


def test_suspension_takes_the_pods_and_resuming_brings_them_back(make_cluster: Any) -> None:
    cluster = make_cluster(**READY)
    create(cluster, "jobs", job())
    cluster.run_for(2)
    admin(cluster).patch("jobs", "j", {"spec": {"suspend": True}}, "default")
    cluster.run_for(3)
    assert not pods(cluster) and condition(cluster, "jobs", "j", "Suspended") == "True:JobSuspended"
    admin(cluster).patch("jobs", "j", {"spec": {"suspend": False}}, "default")
    cluster.run_for(1)
    assert len(alive(cluster)) == 1 and condition(cluster, "jobs", "j", "Suspended") == "False:JobResumed"


def test_a_deleted_job_lets_its_pods_go(make_cluster: Any) -> None:
    cluster = make_cluster(**READY)
    create(cluster, "jobs", job())
    cluster.run_for(2)
    admin(cluster).delete("jobs", "j", "default", propagation="Background")
    cluster.run_for(3)
    assert not pods(cluster)


def test_a_finished_job_goes_after_its_time_to_live(make_cluster: Any) -> None:
    cluster = make_cluster(**READY)
    create(cluster, "jobs", job(ttlSecondsAfterFinished=10))
    cluster.run_for(2)
    end_all(cluster)
    cluster.run_for(9.5)
    assert admin(cluster).find("jobs", "j", "default") is not None
    cluster.run_for(3)
    assert admin(cluster).find("jobs", "j", "default") is None and not pods(cluster)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(outcomes=st.lists(st.booleans(), min_size=1, max_size=6), completions=st.integers(1, 3))
def test_every_pod_is_counted_exactly_once(monkeypatch: pytest.MonkeyPatch, outcomes: list[bool], completions: int) -> None:
    cluster = new_cluster(monkeypatch, **READY)
    hands: Any = cluster.components["hands"]
    create(cluster, "jobs", job(completions=completions, parallelism=2, backoffLimit=20))
    for good in outcomes:
        cluster.run_for(2)
        for pod in pods(cluster):
            if pod["status"]["phase"] == "Running":
                hands.end(pod, "Succeeded" if good else "Failed", int(not good))
                break
    cluster.run_for(3)
    held, phases = status(cluster, "jobs", "j"), [p["status"]["phase"] for p in pods(cluster)]
    assert (held.get("succeeded", 0), held.get("failed", 0)) == (phases.count("Succeeded"), phases.count("Failed"))
    assert held["uncountedTerminatedPods"] == {}


def test_pods_that_the_job_itself_takes_away_are_not_counted_as_failed(make_cluster: Any) -> None:
    cluster = make_cluster(**READY)
    create(cluster, "jobs", job(completions=3, parallelism=3))
    cluster.run_for(2)
    admin(cluster).patch("jobs", "j", {"spec": {"parallelism": 1}}, "default")
    cluster.run_for(4)
    assert len(alive(cluster)) == 1 and not status(cluster, "jobs", "j").get("failed")
    admin(cluster).patch("jobs", "j", {"spec": {"suspend": True}}, "default")
    cluster.run_for(4)
    assert not alive(cluster) and not status(cluster, "jobs", "j").get("failed")  # deleteJobPods takes the finalizer first
    admin(cluster).patch("jobs", "j", {"spec": {"suspend": False}}, "default")
    cluster.run_for(1)
    assert len(alive(cluster)) == 1  # and no back-off holds the next one


def test_a_job_that_is_managed_by_another_controller_is_left_to_it(make_cluster: Any) -> None:
    cluster = make_cluster(**READY)
    create(cluster, "jobs", job(managedBy="example.com/queue"))
    create(cluster, "jobs", {**job(managedBy="kubernetes.io/job-controller"), "metadata": {"name": "own"}})
    cluster.run_for(2)
    assert [one["metadata"]["labels"]["job-name"] for one in pods(cluster)] == ["own"]  # JobControllerName, spec.managedBy
    assert "startTime" not in status(cluster, "jobs", "j")
