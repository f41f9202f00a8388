from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.controllers.cronjob import most_recent
from podlab.kubernetes.cron import ScheduleError, parse
from podlab.kubernetes.times import parse_rfc3339, rfc3339

from .support import admin, create, events, pods, status


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(("schedule", "zone", "after", "expected"), [
    pytest.param("* * * * *", "UTC", "2026-11-21T10:00:00", "2026-11-21T10:01:00", id="each minute"),
    pytest.param("*/15 * * * *", "UTC", "2026-11-21T10:16:30", "2026-11-21T10:30:00", id="each quarter"),
    pytest.param("0 9 * * mon-fri", "UTC", "2026-11-20T09:00:00", "2026-11-23T09:00:00", id="work days, over a week-end"),
    pytest.param("0 0 29 2 *", "UTC", "2026-03-01T00:00:00", "2028-02-29T00:00:00", id="a leap day"),
    pytest.param("0 0 13 * fri", "UTC", "2026-11-01T00:00:00", "2026-11-06T00:00:00", id="day of month or day of week"),
    pytest.param("0 0 */10 * fri", "UTC", "2026-11-01T00:00:00", "2026-11-06T00:00:00", id="a day of month with a step or day of week"),
    pytest.param("TZ=Asia/Seoul 0 9 * * *", "UTC", "2026-11-21T00:30:00", "2026-11-22T00:00:00", id="a zone of its own"),
    pytest.param("@daily", "UTC", "2026-11-21T10:00:00", "2026-11-22T00:00:00", id="a descriptor"),
    pytest.param("@every 90s", "UTC", "2026-11-21T10:00:00", "2026-11-21T10:01:30", id="an interval"),
    pytest.param("0 9 * * *", "Asia/Seoul", "2026-11-21T00:30:00", "2026-11-22T00:00:00", id="nine in Seoul is midnight in UTC"),
    pytest.param("30 2 * * *", "America/New_York", "2026-03-08T05:00:00", "2026-03-09T06:30:00",
                 id="an hour that summer time skips"),
    pytest.param("5/20 * * * *", "UTC", "2026-11-21T10:26:00", "2026-11-21T10:45:00", id="a start with a step"),
])
def test_the_next_time(schedule: str, zone: str, after: str, expected: str) -> None:
    found = parse(schedule, zone).next(at(after))
    assert found is not None and rfc3339(found) == expected + "Z"


@pytest.mark.parametrize("text", ["", "* * * *", "60 * * * *", "* * * * mon-sun", "1-2-3 * * * *", "1/2/3 * * * *", "TZ=Nowhere/X * * * * *",
                                  "*/0 * * * *", "a * * * *", "@often",
                                  "@every x"])
def test_what_is_no_schedule(text: str) -> None:
    with pytest.raises(ScheduleError):
        parse(text)


def test_only_the_last_of_the_missed_slots_counts() -> None:
    slot, missed = most_recent(parse("*/10 * * * *"), at("2026-11-21T10:00:00"), at("2026-11-21T10:35:00"))
    assert slot == at("2026-11-21T10:30:00") and missed == 3


def cronjob(**spec: Any) -> dict[str, Any]:
    template = {"spec": {"template": {"spec": {"restartPolicy": "Never",
                                               "containers": [{"name": "c", "image": "busybox:1.36"}]}}}}
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "tick"},
            "spec": {"schedule": "* * * * *", "jobTemplate": template, **spec}}


def jobs(cluster: Cluster) -> list[str]:
    return [one["metadata"]["name"] for one in admin(cluster).list("jobs", "default")]


def finish(cluster: Cluster) -> None:
    hands: Any = cluster.components["hands"]
    for pod in pods(cluster):
        if pod["status"]["phase"] == "Running":
            hands.end(pod)
    cluster.run_for(3)


def to_the_next_minute(cluster: Cluster, beyond_ms: int) -> None:
    cluster.run_until((cluster.now // 60_000 + 1) * 60_000 + beyond_ms)


def test_a_job_starts_a_tenth_of_a_second_after_its_slot(cluster: Cluster) -> None:
    create(cluster, "cronjobs", cronjob())
    cluster.run_for(0.1)
    to_the_next_minute(cluster, 90)
    assert jobs(cluster) == []
    cluster.run_for(0.1)
    slot = cluster.now // 60_000
    assert jobs(cluster) == [f"tick-{slot}"] and status(cluster, "cronjobs", "tick")["active"][0]["name"] == f"tick-{slot}"
    assert parse_rfc3339(status(cluster, "cronjobs", "tick")["lastScheduleTime"]) == slot * 60_000


def test_history_keeps_the_last_successful_ones(cluster: Cluster) -> None:
    create(cluster, "cronjobs", cronjob(successfulJobsHistoryLimit=1))
    for _ in range(3):
        to_the_next_minute(cluster, 2000)
        finish(cluster)
    assert len(jobs(cluster)) == 1 and status(cluster, "cronjobs", "tick").get("active") is None
    assert any(text.endswith("condition: Complete") for text in events(cluster, "SawCompletedJob"))


@pytest.mark.parametrize(("policy", "running"), [("Allow", 2), ("Forbid", 1), ("Replace", 1)])
def test_an_unfinished_job_and_the_next_slot(cluster: Cluster, policy: str, running: int) -> None:
    create(cluster, "cronjobs", cronjob(concurrencyPolicy=policy))
    to_the_next_minute(cluster, 2000)
    first = jobs(cluster)
    to_the_next_minute(cluster, 5000)
    assert len(jobs(cluster)) == running
    assert (first[0] in jobs(cluster)) == (policy != "Replace")


def test_a_forbidden_slot_is_made_up_for_when_the_running_job_ends(cluster: Cluster) -> None:
    create(cluster, "cronjobs", cronjob(concurrencyPolicy="Forbid"))
    to_the_next_minute(cluster, 2000)
    to_the_next_minute(cluster, 2000)
    finish(cluster)
    assert len(jobs(cluster)) == 2


def test_a_suspended_one_does_nothing(cluster: Cluster) -> None:
    create(cluster, "cronjobs", cronjob(suspend=True))
    cluster.run_for(130)
    assert jobs(cluster) == []


def test_another_schedule_begins_with_its_next_slot(cluster: Cluster) -> None:
    create(cluster, "cronjobs", cronjob(schedule="0 0 1 1 *"))
    to_the_next_minute(cluster, 60_000)
    admin(cluster).patch("cronjobs", "tick", {"spec": {"schedule": "* * * * *"}}, "default")
    cluster.run_for(30)
    assert not jobs(cluster)  # a minute that the new schedule would have missed is not made up for
    to_the_next_minute(cluster, 200)
    assert len(jobs(cluster)) == 1


def test_one_that_goes_on_after_its_deadline_waits_for_the_next_slot(cluster: Cluster) -> None:
    create(cluster, "cronjobs", cronjob(suspend=True, startingDeadlineSeconds=20))
    to_the_next_minute(cluster, 40_000)
    admin(cluster).patch("cronjobs", "tick", {"spec": {"suspend": False}}, "default")
    cluster.run_for(10)
    assert not jobs(cluster)
    to_the_next_minute(cluster, 200)
    assert len(jobs(cluster)) == 1
