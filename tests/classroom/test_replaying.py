"""What a learner did is played again from the journal, and ends where their cluster stands; lines between teacher and learner."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User

from podlab.classroom import chatting, replaying
from podlab.classroom.models import ChatLine, Classroom
from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.cluster import Cluster as Engine
from podlab.labs import births, rewind, storage
from podlab.labs.births import EPOCH_MS
from podlab.labs.live import CLUSTERS, LiveCluster
from podlab.labs.models import Checkpoint, Cluster
from podlab.labs.storage import ENGINE_VERSION
from tests.classroom.conftest import cookie, seat, signed_in
from tests.classroom.test_grid import LESSON, Page, lab, teacher_page

__all__ = ["teacher_page"]
pytestmark = pytest.mark.django_db(transaction=True)


def pod(name: str) -> dict[str, Any]:
    return {"do": "request", "verb": "create", "resource": "pods", "namespace": "default",
            "options": {"command": f"kubectl run {name} --image=nginx"},
            "body": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [{"name": name, "image": "nginx"}]}}}


async def live_of(classroom: Classroom) -> LiveCluster:
    def make() -> int:
        return Cluster.objects.create(learner=seat(classroom, "하늘").learner, lesson="any", seed=1, epoch_ms=EPOCH_MS, now_ms=EPOCH_MS,
                                      engine_version=ENGINE_VERSION).pk

    live = await CLUSTERS.get(await database_sync_to_async(make)())
    live.rate = 0.0
    return live


async def do(live: LiveCluster, entry: dict[str, Any], seconds: float = 7) -> None:
    async with live.turn():
        with suppress(ApiError):
            live.apply(entry)
        live.engine.run_for(seconds)


def same(one: Engine, other: Engine) -> bool:
    return json.dumps(one.checkpoint(), sort_keys=True) == json.dumps(other.checkpoint(), sort_keys=True)


async def played(live: LiveCluster, *, forgotten: bool = False) -> replaying.Replay:
    """The replay at its end, reached in small steps. `forgotten`: without the states that were stored."""
    def load() -> replaying.Replay:
        Cluster.objects.filter(pk=live.id).update(now_ms=live.engine.now)
        if forgotten:
            Checkpoint.objects.filter(cluster_id=live.id).delete()
        return replaying.load(Cluster.objects.get(pk=live.id))

    found = await database_sync_to_async(load)()
    while not found.ended:
        await found.advance(400)
    return found


@pytest.mark.usefixtures("plain_lessons")
@pytest.mark.parametrize("forgotten", [False, True])
async def test_a_replay_ends_where_the_cluster_stands(classroom: Classroom, forgotten: bool) -> None:
    live = await live_of(classroom)
    await do(live, pod("first"))
    await do(live, {"do": "fault", "node": "node-1", "power": "off"}, 60)
    async with live.turn():
        assert await rewind.undo(live) == "고장"
    await do(live, pod("second"))
    await do(live, pod("second"), 3)  # refused: it is there already
    found = await played(live, forgotten=forgotten)
    assert same(found.engine, live.engine)
    assert [act.text for act in replaying.acts(found.entries)][1:3] == ["고장: node-1 전원 off", "되돌리기"]
    async with live.turn():
        await rewind.reset(live, "any")
    await do(live, pod("third"))
    assert same((await played(live, forgotten=forgotten)).engine, live.engine)


@pytest.mark.usefixtures("plain_lessons")
async def test_a_state_from_elsewhere_is_followed_and_kept(classroom: Classroom) -> None:
    live = await live_of(classroom)
    await do(live, pod("mine"))
    other = births.begin("any")
    other.apply({"at": other.now, **pod("theirs")})
    other.run_for(5)
    async with live.turn():
        await rewind.stand_at(live, other)
    for number in range(storage.CHECKPOINTS_KEPT + 3):
        await do(live, pod(f"after-{number}"), 1)
        await live.save()
    found = await played(live)
    assert same(found.engine, live.engine)
    assert found.engine.etcd.get("pods", "default/theirs") is not None


@pytest.mark.usefixtures("plain_lessons")
async def test_a_replay_goes_to_any_act_and_back(classroom: Classroom) -> None:
    live = await live_of(classroom)
    for name in ("first", "second"):
        await do(live, pod(name))
    found = await played(live)
    first = replaying.acts(found.entries)[0]
    await found.go(first.position)
    assert [one["metadata"]["name"] for one in found.engine.etcd.list("pods", "default")] == ["first"]
    assert found.engine.now == first.at
    await found.go(0)
    assert found.engine.etcd.list("pods", "default") == []


async def test_a_replay_page_plays_and_stores_nothing(classroom: Classroom, teacher: User, teacher_page: Page) -> None:
    member = await database_sync_to_async(seat)(classroom, "하늘")
    learner = await lab(member)
    await learner.send(action="terminal", line="kubectl run <b>x</b> --image=nginx")
    await learner.send(action="terminal", line="kubectl run later --image=nginx")
    await learner.until("pod/later created")
    before = await database_sync_to_async(Checkpoint.objects.count)()
    page = await Page(f"/ws/classes/{classroom.pk}/replay/{member.learner_id}/{LESSON}/", await database_sync_to_async(cookie)(
        await database_sync_to_async(signed_in)(teacher))).open()
    await page.until('id="replay-acts"')
    await page.until("board-svg")
    assert "pods/default/later" not in page.html
    await page.send(action="next")
    await page.send(action="next")
    await page.until("pods/default/later")
    page.html = ""
    await page.send(action="goto", act=0)
    await page.until('data-act="0"')
    await page.send(action="rate", rate=16)
    await page.send(action="terminal", line="kubectl delete pod later")
    await page.send(action="goto", act="x")
    await page.until("숫자가 필요합니다")
    assert await database_sync_to_async(Checkpoint.objects.count)() == before
    await page.line.disconnect()
    stranger = await Page(f"/ws/classes/{classroom.pk}/replay/{member.learner_id}/{LESSON}/", "nothing").open()
    assert (await stranger.line.receive_output(timeout=60))["code"] == 4401
    await learner.line.disconnect()


async def test_lines_go_both_ways_as_text(classroom: Classroom, teacher: User, teacher_page: Page) -> None:
    member = await database_sync_to_async(seat)(classroom, "하늘")
    learner = await lab(member)
    await learner.until("class-bar")
    await learner.send(action="say", text="<b>안 됩니다</b>")
    await teacher_page.until("쪽지 1")
    looking = await Page(f"/ws/classes/{classroom.pk}/look/{member.learner_id}/{LESSON}/", await database_sync_to_async(cookie)(
        await database_sync_to_async(signed_in)(teacher))).open()
    await looking.until("&lt;b&gt;안 됩니다")
    assert "<b>안" not in looking.html + learner.html
    await looking.send(action="say", text="describe를 보세요")
    await learner.until("describe를 보세요")
    await looking.send(action="say", text="가" * 301)
    await looking.until("너무 깁니다")
    await looking.line.disconnect()
    await learner.line.disconnect()


def test_only_the_last_lines_are_kept(classroom: Classroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chatting, "LINES_KEPT", 3)
    member = seat(classroom, "하늘")
    for number in range(5):
        chatting.store(member.pk, str(number), from_teacher=False)
    assert list(ChatLine.objects.values_list("text", flat=True)) == ["2", "3", "4"]


async def test_everybody_is_called_to_a_step_with_its_time(classroom: Classroom, teacher_page: Page) -> None:
    from lessons import library

    step = library.get(LESSON).steps[1]
    learner = await lab(await database_sync_to_async(seat)(classroom, "하늘"))
    await learner.until("class-bar")
    await teacher_page.send(action="wish", lesson=LESSON, step=step.id, minutes=5)
    await learner.until(f"/lessons/{LESSON}/#step-{step.id}")
    assert "data-ends" in learner.html
    learner.html = ""
    await learner.send(action="step", step=step.id)
    await learner.until('class="call there"')
    await teacher_page.send(action="wish", lesson=LESSON, step=step.id, minutes=-1)
    await teacher_page.until("분까지 정할 수 있습니다")
    await learner.line.disconnect()
