"""What a teacher sends to many happens to each exactly once, whatever happens to the server."""

from __future__ import annotations

import json
from typing import Any

import pytest
from channels.db import database_sync_to_async

from podlab.classroom import steering
from podlab.classroom.models import Classroom, Delivered, Directive
from podlab.kubernetes.apiserver.errors import ApiError
from podlab.labs.births import EPOCH_MS
from podlab.labs.live import CLUSTERS, LiveCluster
from podlab.labs.models import Cluster, JournalEntry
from podlab.labs.storage import ENGINE_VERSION
from tests.classroom.conftest import seat

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("plain_lessons")]


class Killed(BaseException):
    """The process is no more."""


def with_cluster(classroom: Classroom, name: str) -> Cluster:
    return Cluster.objects.create(learner=seat(classroom, name).learner, lesson="any", seed=1, epoch_ms=EPOCH_MS, now_ms=EPOCH_MS,
                                  engine_version=ENGINE_VERSION)


@pytest.fixture
def clusters(classroom: Classroom) -> list[Cluster]:
    return [with_cluster(classroom, name) for name in "가나다라"]


def send(classroom: Classroom, clusters: list[Cluster], kind: str = "power", **payload: Any) -> Directive:
    return steering.store(classroom, "any", kind, payload or {"node": "node-1", "power": "off"}, [c.learner_id for c in clusters])


def faults(cluster: Cluster) -> int:
    return sum(json.loads(row.request)["do"] == "fault" for row in JournalEntry.objects.filter(cluster=cluster))


async def test_a_fault_reaches_everybody_once(classroom: Classroom, clusters: list[Cluster]) -> None:
    directive = await database_sync_to_async(send)(classroom, clusters)
    assert await steering.carry_out(directive) == 0
    assert await steering.carry_out(directive) == 0
    assert await database_sync_to_async(lambda: [faults(c) for c in clusters])() == [1, 1, 1, 1]
    live = await CLUSTERS.get(clusters[0].id)
    live.engine.run_for(60)
    ready = next(c for c in live.engine.etcd.get("nodes", "node-1")["status"]["conditions"] if c["type"] == "Ready")
    assert ready["status"] == "Unknown"


async def test_a_server_that_died_half_way_goes_on_with_the_rest(classroom: Classroom, clusters: list[Cluster],
                                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    directive = await database_sync_to_async(send)(classroom, clusters)
    deliver, given = steering._deliver, []

    async def dies(found: Directive, learner_id: Any) -> None:
        if len(given) == 2:
            raise Killed
        given.append(learner_id)
        await deliver(found, learner_id)

    monkeypatch.setattr(steering, "_deliver", dies)
    with pytest.raises(Killed):
        await steering.carry_out(directive)
    monkeypatch.setattr(steering, "_deliver", deliver)
    CLUSTERS._awake.clear()  # nothing of the dead process is left but the rows
    await steering.resume()
    assert await database_sync_to_async(lambda: [faults(c) for c in clusters])() == [1, 1, 1, 1]
    assert await database_sync_to_async(Delivered.objects.count)() == 4


async def test_neither_the_entry_nor_the_note_is_written_without_the_other(classroom: Classroom, clusters: list[Cluster],
                                                                           monkeypatch: pytest.MonkeyPatch) -> None:
    directive = await database_sync_to_async(send)(classroom, clusters[:1])

    def full(row: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Delivered._default_manager, "bulk_create", full)
    monkeypatch.setattr(steering, "TRIES", 1)
    assert await steering.carry_out(directive) == 1
    assert await database_sync_to_async(faults)(clusters[0]) == 0
    monkeypatch.undo()
    assert await steering.carry_out(directive) == 0
    assert await database_sync_to_async(faults)(clusters[0]) == 1


async def test_who_has_nothing_that_could_break_is_noted_with_the_reason(classroom: Classroom, clusters: list[Cluster]) -> None:
    nobody = await database_sync_to_async(seat)(classroom, "마")
    for kind in ("kill", "image"):
        directive = await database_sync_to_async(steering.store)(classroom, "any", kind, {}, [clusters[0].learner_id, nobody.learner_id])
        assert await steering.carry_out(directive) == 0
    outcomes = await database_sync_to_async(lambda: list(Delivered.objects.order_by("id").values_list("outcome", flat=True)))()
    absent = "이 단원의 클러스터가 아직 없습니다."
    assert outcomes == ["돌고 있는 컨테이너가 없습니다.", absent, "디플로이먼트가 없습니다.", absent]


async def with_web(cluster: Cluster) -> LiveCluster:
    live = await CLUSTERS.get(cluster.id)
    spec = {"containers": [{"name": "web", "image": "nginx:1.14.2"}]}
    async with live.turn():
        live.apply({"do": "request", "verb": "create", "resource": "deployments", "namespace": "default", "body": {
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {
                "selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}}, "spec": spec}}}})
        live.engine.run_for(20)
    return live


async def test_an_image_goes_bad_and_a_process_dies_in_a_cluster_that_has_them(classroom: Classroom, clusters: list[Cluster]) -> None:
    live = await with_web(clusters[0])
    for kind in ("kill", "image"):
        directive = await database_sync_to_async(steering.store)(classroom, "any", kind, {}, [clusters[0].learner_id])
        assert await steering.carry_out(directive) == 0
    live.engine.run_for(20)
    pods = live.engine.etcd.list("pods", "default")
    statuses = [pod["status"]["containerStatuses"][0] for pod in pods]
    assert sorted(status["restartCount"] for status in statuses) == [0, 1]
    assert any(status["image"].endswith(":no-such-tag") for status in statuses)


async def test_a_registry_turns_slow_or_breaks_and_a_disk_fills_up_where_one_can_see_it(classroom: Classroom, clusters: list[Cluster]) -> None:
    for cluster, facts in zip(clusters, ({"registry": "well"}, {"registry": "slow"}, {"registry": "broken"}, {"fill": "disk", "percent": 97}),
                              strict=True):
        kind, payload = steering.read({"kind": next(iter(facts)), **facts})
        directive = await database_sync_to_async(steering.store)(classroom, "any", kind, payload, [cluster.learner_id])
        assert await steering.carry_out(directive) == 0
        await with_web(cluster)

    def seen(cluster: Cluster) -> tuple[str, set[str]]:
        engine = next(live for live in CLUSTERS.awake() if live.id == cluster.id).engine
        pressed = {node["metadata"]["name"] for node in engine.etcd.list("nodes")
                   if any(one["type"] == "DiskPressure" and one["status"] == "True" for one in node["status"]["conditions"])}
        pods = [pod for pod in engine.etcd.list("pods", "default") if (pod.get("status") or {}).get("containerStatuses")]
        states = [pod["status"]["containerStatuses"][0]["state"] for pod in pods]
        reasons = {state.get("waiting", {}).get("reason", "running" if "running" in state else "") for state in states}
        return ",".join(sorted(reasons)), pressed

    assert seen(clusters[0]) == ("running", set())
    assert seen(clusters[1]) == ("ContainerCreating", set()), "twenty seconds are not enough"
    assert seen(clusters[2])[0] in ("ErrImagePull", "ImagePullBackOff")
    assert len(seen(clusters[3])[1]) > 0


async def test_a_reset_goes_back_to_the_beginning_once(classroom: Classroom, clusters: list[Cluster]) -> None:
    live = await with_web(clusters[0])
    directive = await database_sync_to_async(steering.store)(classroom, "any", "reset", {}, [clusters[0].learner_id])
    await steering.carry_out(directive)
    assert live.engine.etcd.list("deployments", "default") == []
    live = await with_web(clusters[0])
    await steering.carry_out(directive)
    assert len(live.engine.etcd.list("deployments", "default")) == 1, "not a second time"


@pytest.mark.parametrize("message", [
    {"kind": "nonsense"}, {"kind": "power", "power": "sideways"}, {"kind": "fill", "fill": "soul"}, {"kind": "fill", "fill": "disk", "percent": 900},
    {"kind": "registry", "registry": 1}, {}, {"kind": ["power"]}, {"kind": "power", "power": "off", "node": 3},
])
def test_a_directive_that_makes_no_sense_is_refused(message: dict[str, Any]) -> None:
    with pytest.raises(ApiError):
        steering.read(message)
