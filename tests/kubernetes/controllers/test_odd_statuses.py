"""A status that somebody wrote, complete or not: no controller and no kubelet stumbles over it."""

from __future__ import annotations

from typing import Any

import pytest

from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.apiserver.request import Request
from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.cron import parse
from tests.kubernetes.frozen import created

from .support import job, pod, template

EPOCH_MS = 1_795_219_200_000
CRONJOB = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "x"}, "spec": {
    "schedule": "* * * * *", "concurrencyPolicy": "Replace", "jobTemplate": {"spec": job("j")["spec"]}}}
CONTROLLER = {"apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": "x"},
              "spec": {"selector": {"app": "x"}, "template": template("x")}}


def lab() -> Cluster:
    return created(1, EPOCH_MS, {"nodes": [{"name": "node-1"}]})


def send(cluster: Cluster, verb: str, plural: str, body: Any, subresource: str = "") -> None:
    cluster.server.perform(Request(verb, plural, "default", "" if verb == "create" else "x", subresource, body,
                                   {"patchType": "application/merge-patch+json"} if verb == "patch" else {}))


@pytest.mark.parametrize(("plural", "obj", "status"), [
    ("cronjobs", CRONJOB, {"active": [{}]}),
    ("cronjobs", CRONJOB, {"active": [{"kind": "Job"}, {"name": "x"}], "lastScheduleTime": "0001-01-01T00:00:00Z"}),
    ("cronjobs", CRONJOB, {"lastScheduleTime": "9999-12-31T23:59:59Z"}),
    ("cronjobs", CRONJOB, {"lastScheduleTime": "0000-01-01T00:00:00Z"}),
    ("pods", pod("x"), {"podIP": "10.9.9.9", "podIPs": None}),
    ("replicationcontrollers", CONTROLLER, {"replicas": 1, "availableReplicas": 2, "readyReplicas": None}),
], ids=["active without uid", "active without name", "a last time that is to come", "a last time before all", "one address of two",
        "counts that are none"])
def test_a_status_with_gaps_stops_nobody(plural: str, obj: dict[str, Any], status: dict[str, Any]) -> None:
    cluster = lab()
    send(cluster, "create", plural, {**obj, "metadata": {"name": "x"}})
    try:
        send(cluster, "patch", plural, {"status": status}, "status")
    except ApiError as refused:
        assert refused.code == 422
    cluster.run_for(130)


def test_a_job_ends_although_somebody_took_the_finalizer_of_its_pod() -> None:
    cluster = lab()
    send(cluster, "create", "jobs", job("x"))
    cluster.run_for(1)
    for one in cluster.etcd.list("pods"):
        cluster.server.perform(Request("patch", "pods", "default", one["metadata"]["name"], body={"metadata": {"finalizers": None}},
                                       options={"patchType": "application/merge-patch+json"}))
        send(cluster, "delete", "jobs", None)
    cluster.run_for(60)
    assert not cluster.etcd.list("jobs")


def test_a_schedule_after_the_last_year_has_no_next_time() -> None:
    assert parse("* * * * *").next(253_402_300_799_000) is None
