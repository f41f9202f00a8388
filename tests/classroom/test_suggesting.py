"""A cluster taken, mended and sent back: nothing of the learner's changes until they accept."""

from __future__ import annotations

from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User

from podlab.classroom import suggesting
from podlab.classroom.models import Classroom, Desk, Membership
from podlab.labs import births, panels, rewind
from podlab.labs.births import EPOCH_MS
from podlab.labs.live import CLUSTERS
from podlab.labs.models import Cluster
from podlab.projection.board import Options
from tests.classroom.conftest import cookie, cookie_of, seat, signed_in
from tests.classroom.test_grid import LESSON, Page, lab

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def hosts(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "testserver"]


async def ready(classroom: Classroom, teacher: User) -> tuple[Membership, Page, Page]:
    """A learner's page with a Pod of their own, and the teacher's page with the fork."""
    member = await database_sync_to_async(seat)(classroom, "하늘")
    learner = await lab(member)
    await learner.send(action="terminal", line="kubectl run mine --image=ngins")
    await learner.until("pod/mine created")
    await database_sync_to_async(signed_in)(teacher)  # makes the desk
    await suggesting.fork(classroom, member.learner_id, LESSON)
    desk = await database_sync_to_async(lambda: Desk.objects.select_related("learner").get(teacher=teacher).learner)()
    teachers = await Page(f"/ws/lessons/{LESSON}/", await database_sync_to_async(cookie_of)(desk)).open()
    await teachers.until("님의 클러스터 사본")
    return member, learner, teachers


async def images(member: Membership) -> dict[str, str]:
    row = await database_sync_to_async(Cluster.objects.get)(learner=member.learner, lesson=LESSON)
    live = await CLUSTERS.get(row.id)
    return {pod["metadata"]["name"]: pod["spec"]["containers"][0]["image"] for pod in live.engine.etcd.list("pods", "default")}


async def mend(teachers: Page) -> None:
    await teachers.send(action="terminal", line="kubectl set image pod/mine mine=nginx:1.27")
    await teachers.until("image updated")


async def test_commands_are_typed_in_the_learner_s_terminal_when_they_accept(classroom: Classroom, teacher: User) -> None:
    member, learner, teachers = await ready(classroom, teacher)
    await mend(teachers)
    await teachers.send(action="send_back", what="commands")
    html = await learner.until("선생님의 제안")
    assert "kubectl set image pod/mine mine=nginx:1.27" in html
    assert (await images(member))["mine"] == "ngins"
    number = int(html.split('id="suggestion-')[1].split('"')[0])
    await learner.send(action="suggestion", id=number, take=True)
    await learner.until("image updated")
    assert (await images(member))["mine"] == "nginx:1.27"
    for page in (learner, teachers):
        await page.line.disconnect()


async def test_a_state_is_taken_over_when_they_accept_and_work_goes_on_from_it(classroom: Classroom, teacher: User) -> None:
    member, learner, teachers = await ready(classroom, teacher)
    await mend(teachers)
    await teachers.send(action="send_back", what="state")
    html = await learner.until("선생님의 제안")
    number = int(html.split('id="suggestion-')[1].split('"')[0])
    await learner.send(action="suggestion", id=number, take=True)
    await learner.until("고친 클러스터를 받았습니다")
    assert (await images(member))["mine"] == "nginx:1.27"
    await learner.send(action="terminal", line="kubectl run next --image=nginx")
    await learner.until("pod/next created")
    CLUSTERS._awake.clear()  # as after a restart
    assert set(await images(member)) >= {"mine", "next"}
    for page in (learner, teachers):
        await page.line.disconnect()


async def test_the_copy_and_the_learner_s_own_live_on_apart(classroom: Classroom, teacher: User) -> None:
    member = await database_sync_to_async(seat)(classroom, "하늘")
    learner = await lab(member)
    await learner.send(action="terminal", line="kubectl run pulled --image=nginx")
    await learner.until("pod/pulled created")
    row = await database_sync_to_async(Cluster.objects.get)(learner=member.learner, lesson=LESSON)
    own = (await CLUSTERS.get(row.id)).engine
    await learner.line.disconnect()
    own.run_for(0.25)  # the image is on its way
    await database_sync_to_async(signed_in)(teacher)
    await suggesting.fork(classroom, member.learner_id, LESSON)
    copy, = (live.engine for live in CLUSTERS.awake() if live.id != row.id)
    copy.client("kubernetes-admin").delete("pods", "pulled", "default")
    for _ in range(600):
        own.run_for(0.1)
        copy.run_for(0.1)
    assert copy.etcd.get("pods", "default/pulled") is None
    pod = own.etcd.get("pods", "default/pulled")
    assert pod is not None and pod["status"]["phase"] == "Running"


async def test_a_suggestion_that_is_left_changes_nothing_and_is_not_asked_again(classroom: Classroom, teacher: User) -> None:
    member, learner, teachers = await ready(classroom, teacher)
    await mend(teachers)
    await teachers.send(action="send_back", what="state")
    html = await learner.until("선생님의 제안")
    number = int(html.split('id="suggestion-')[1].split('"')[0])
    await learner.send(action="suggestion", id=number, take=False)
    await learner.send(action="suggestion", id=number, take=True)
    await learner.send(action="terminal", line="echo end")
    await learner.until("end\n")
    assert (await images(member))["mine"] == "ngins"
    for page in (learner, teachers):
        await page.line.disconnect()


async def test_a_learner_answers_only_their_own_suggestions_and_sends_none(classroom: Classroom, teacher: User) -> None:
    member, learner, teachers = await ready(classroom, teacher)
    await mend(teachers)
    await teachers.send(action="send_back", what="state")
    html = await learner.until("선생님의 제안")
    number = int(html.split('id="suggestion-')[1].split('"')[0])
    other = await lab(await database_sync_to_async(seat)(classroom, "바다"))
    await other.send(action="suggestion", id=number, take=True)
    await other.send(action="send_back", what="state")
    await other.send(action="terminal", line="echo end")
    await other.until("end\n")
    assert "mine" not in await images(await database_sync_to_async(Membership.objects.select_related("learner").get)(name="바다"))
    assert (await images(member))["mine"] == "ngins"
    for page in (learner, teachers, other):
        await page.line.disconnect()


def test_taking_a_cluster_is_for_its_own_teacher(classroom: Classroom, teacher: User) -> None:
    member = seat(classroom, "하늘")
    stranger = signed_in(User.objects.create_user("lee", password="correct-horse-9"))
    assert stranger.post(f"/teacher/classes/{classroom.pk}/fork/{member.learner_id}/{LESSON}/").status_code == 404
    assert cookie(stranger)


async def test_a_fork_is_drawn_anew_although_the_teacher_s_own_past_had_as_many_revisions(classroom: Classroom, teacher: User) -> None:
    def make() -> int:
        found = seat(classroom, "하늘").learner
        return Cluster.objects.create(learner=found, lesson=LESSON, seed=1, epoch_ms=EPOCH_MS, now_ms=EPOCH_MS, engine_version="any").pk

    live = await CLUSTERS.get(await database_sync_to_async(make)())
    live.rate = 0.0
    other = births.begin(LESSON)
    for engine, name in ((live.engine, "mine"), (other, "theirs")):
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [{"name": "web", "image": "nginx"}]}}
        engine.apply({"at": engine.now, "do": "request", "verb": "create", "resource": "pods", "namespace": "default", "body": body})
    assert live.engine.etcd.revision == other.etcd.revision
    assert "mine" in panels.rendered(live, 960, Options()).fragments["diagram"]
    async with live.turn():
        await rewind.stand_at(live, other)
    assert "theirs" in panels.rendered(live, 960, Options()).fragments["diagram"]
