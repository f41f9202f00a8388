"""A full disk and broken rows: nothing is shown as done that is not stored, what can be read is revived, and the others notice nothing."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings as site
from django.db import OperationalError
from django.test import Client

from podlab.labs import births, reconciler, rewind, storage
from podlab.labs.births import EPOCH_MS, Birth
from podlab.labs.live import CLUSTERS, Clusters, LiveCluster
from podlab.labs.models import Checkpoint, Cluster, JournalEntry, Learner
from podlab.labs.storage import ENGINE_VERSION

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def plain_lessons() -> Any:
    found = births._find
    births.register(lambda lesson: Birth(seed=1, settle_seconds=1))
    yield
    births.register(found)
    CLUSTERS._awake.clear()


@pytest.fixture
def row() -> Cluster:
    learner = Learner.objects.create(nickname="초록고래", resume_code_hash="x")
    return Cluster.objects.create(learner=learner, lesson="any", seed=1, epoch_ms=EPOCH_MS, now_ms=EPOCH_MS, engine_version=ENGINE_VERSION)


async def make(live: LiveCluster, name: str) -> None:
    async with live.turn():
        live.apply({"do": "request", "verb": "create", "resource": "configmaps", "namespace": "default",
                    "body": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}})


def made(live: LiveCluster) -> list[str]:
    return [one["metadata"]["name"] for one in live.engine.etcd.list("configmaps", "default") if one["metadata"]["name"] != "kube-root-ca.crt"]


def full(*arguments: Any) -> None:
    raise OperationalError("database or disk is full")


def break_checkpoints(row: Cluster, **how: Any) -> None:
    Checkpoint.objects.filter(cluster=row).update(**how)


@pytest.mark.parametrize(("state", "version"), [(b"", ENGINE_VERSION), (b"nonsense", "9999-99-99"), (storage.pack({"seed": 1}), "0"),
                                                (storage.compress("[1]"), ENGINE_VERSION), (storage.compress("{}")[:-3], ENGINE_VERSION)])
async def test_a_checkpoint_that_cannot_be_read_costs_a_replay_of_what_stands(row: Cluster, state: bytes, version: str) -> None:
    live = await Clusters().get(row.id)
    await make(live, "undone")
    async with live.turn():
        await rewind.reset(live, "any")
    await make(live, "a")
    await live.save()
    await make(live, "b")
    await live.writer.call(lambda: break_checkpoints(row, state=state, engine_version=version))
    again = await Clusters().get(row.id)
    assert (made(again), again.mended) == (["a", "b"], True)
    await make(again, "c")
    assert made(again) == ["a", "b", "c"]


async def test_the_last_state_that_can_be_read_is_gone_on_from(row: Cluster) -> None:
    """Nothing replays what came from elsewhere: a state that the teacher sent."""
    live, other = await Clusters().get(row.id), births.build(Birth(seed=2, settle_seconds=1))
    other.apply({"at": other.now, "do": "request", "verb": "create", "resource": "configmaps", "namespace": "default",
                 "body": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "sent"}}})
    async with live.turn():
        await rewind.stand_at(live, other)
    await make(live, "a")
    live.engine.run_for(5)
    await live.save()
    await live.writer.call(lambda: Checkpoint.objects.filter(cluster=row, sequence=2).update(state=b"nonsense"))
    again = await Clusters().get(row.id)
    assert (made(again), again.mended) == (["a", "sent"], True)


@pytest.mark.parametrize("request_text", ["", "{", "[]", "5", "null", '{"do": "nonsense"}', '{"do": "request"}', '{"do": "session"}'])
async def test_an_entry_of_the_journal_that_is_none_costs_itself_and_nothing_else(row: Cluster, request_text: str) -> None:
    live = await Clusters().get(row.id)
    for name in ("a", "b", "c"):
        await make(live, name)
    await live.writer.call(lambda: JournalEntry.objects.filter(cluster=row, sequence=2).update(request=request_text))
    again = await Clusters().get(row.id)
    assert (made(again), again.mended) == (["a", "c"], True)
    await make(again, "d")
    assert made(await Clusters().get(row.id)) == ["a", "c", "d"]
    async with again.turn():
        assert await rewind.undo(again)
    assert made(again) == ["a", "c"]


async def test_an_act_is_done_when_only_its_checkpoint_cannot_be_written(row: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    live = await Clusters().get(row.id)
    live._unsaved = 1_000
    monkeypatch.setattr(storage, "save_checkpoint", full)
    await make(live, "a")
    assert not live.gone
    assert made(await Clusters().get(row.id)) == ["a"]


async def test_whoever_looks_on_hears_of_an_act_that_could_not_be_stored_and_the_untrue_state_is_forgotten(
        row: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    clusters, told = Clusters(), asyncio.Event()
    live = await clusters.get(row.id)
    page = type("Page", (), {"hint": lambda self: told.set()})()
    live.viewers.add(page)
    with monkeypatch.context() as disk:
        disk.setattr(storage, "append", full)
        with pytest.raises(OperationalError):
            await make(live, "a")
    assert told.is_set()
    live.leave(page)
    await clusters.sleep(live)
    assert clusters.awake() == []
    assert made(await clusters.get(row.id)) == []


async def test_a_cluster_that_cannot_be_put_to_sleep_holds_up_no_other(row: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    clusters, ticked = Clusters(), asyncio.Event()
    stuck = await clusters.get(row.id)
    stuck.unwatched_since = -1e9
    seen: list[int] = []

    async def tick(live: LiveCluster) -> None:
        seen.append(live.id)
        if len(seen) > 2:
            ticked.set()

    other = LiveCluster(row.id + 1, stuck.engine, 0, 1.0, clusters.writer)
    other.viewers.add(type("Page", (), {"hint": lambda self: None})())
    clusters._awake[other.id] = other
    monkeypatch.setattr(storage, "save_checkpoint", full)
    monkeypatch.setattr(reconciler, "_tick", tick)
    monkeypatch.setattr(reconciler, "_companions", [])
    running = asyncio.ensure_future(reconciler.run(clusters))
    await asyncio.wait_for(ticked.wait(), 20)
    assert not running.done()
    running.cancel()
    assert set(seen) == {other.id}


def cookie() -> str:
    client = Client()
    client.post("/start/", {"nickname": "초록고래"})
    return client.cookies[site.SESSION_COOKIE_NAME].value


async def test_what_a_command_printed_is_taken_back_when_it_could_not_be_stored(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from podlab.asgi import site as application

    settings.ALLOWED_HOSTS = ["127.0.0.1", "testserver"]
    value = await database_sync_to_async(cookie)()
    headers = [(b"cookie", f"{site.SESSION_COOKIE_NAME}={value}".encode()), (b"origin", b"http://127.0.0.1"), (b"host", b"127.0.0.1")]
    line = WebsocketCommunicator(application, "/ws/lessons/one-ip/", headers=headers)

    async def said(text: str, command: str) -> str:
        await line.send_to(json.dumps({"action": "terminal", "line": command}))
        shown = ""
        while text not in shown:
            shown += await line.receive_from(timeout=60)
        return shown

    assert (await line.connect(timeout=60))[0]
    await said("configmap/first created", "kubectl create configmap first")
    with monkeypatch.context() as disk:
        disk.setattr(storage, "append", full)
        shown = await said("없던 일이 되었습니다", "kubectl create configmap second")
    assert "second created" not in shown
    shown = await said("configmap/third created", "kubectl create configmap third; kubectl get configmaps -o name")
    while "configmap/third\n" not in shown:
        shown += await line.receive_from(timeout=60)
    assert "configmap/first\n" in shown
    assert "configmap/second" not in shown
    await line.disconnect()
