"""Live clusters: what was acknowledged is in the journal, a restart stands where it stood, two owners cannot both write, time can go back."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest
from channels.db import database_sync_to_async

from podlab.kubernetes.apiserver.errors import ApiError
from podlab.labs import births, panels, rewind, rows, storage
from podlab.labs import live as live_module
from podlab.labs.births import EPOCH_MS, Birth
from podlab.labs.limits import Writes
from podlab.labs.live import LARGE, STATE_MAX, Clusters, LiveCluster
from podlab.labs.models import Checkpoint, Cluster, Container, JournalEntry, Learner, Node, Pod
from podlab.labs.page import Page
from podlab.labs.storage import ENGINE_VERSION, Fenced
from podlab.labs.terminal import TerminalSession
from podlab.projection import regions
from podlab.projection.board import Options

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def plain_lessons() -> Any:
    found = births._find
    births.register(lambda lesson: Birth(seed=1, settle_seconds=1))
    yield
    births.register(found)


@pytest.fixture
def row() -> Cluster:
    learner = Learner.objects.create(nickname="초록고래", resume_code_hash="x")
    return Cluster.objects.create(learner=learner, lesson="any", seed=1, epoch_ms=EPOCH_MS, now_ms=EPOCH_MS, engine_version=ENGINE_VERSION)


@database_sync_to_async
def another_row() -> Cluster:
    """Another learner's."""
    learner = Learner.objects.create(nickname="파란고래", resume_code_hash="y")
    return Cluster.objects.create(learner=learner, lesson="any", seed=1, epoch_ms=EPOCH_MS, now_ms=EPOCH_MS, engine_version=ENGINE_VERSION)


def pod(name: str) -> dict[str, Any]:
    return {"do": "request", "verb": "create", "resource": "pods", "namespace": "default", "body": {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {"containers": [{"name": "c", "image": "busybox", "command": ["sleep", "3600"]}]}}}


async def act(live: LiveCluster, *entries: dict[str, Any]) -> None:
    async with live.turn():
        for entry in entries:
            live.apply(entry)


def names(live: LiveCluster) -> list[str]:
    return [p["metadata"]["name"] for p in live.engine.etcd.list("pods", "default")]


async def journal_of(live: LiveCluster) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await live.writer.call(
        lambda: [json.loads(e.request) for e in JournalEntry.objects.filter(cluster_id=live.id).order_by("sequence")])
    return found


async def test_an_act_is_in_the_journal_before_its_turn_ends(row: Cluster) -> None:
    live = await Clusters().get(row.id)
    await act(live, pod("a"))
    assert [entry["body"]["metadata"]["name"] for entry in await journal_of(live)] == ["a"]


async def test_another_process_finds_the_same_cluster_by_replay(row: Cluster) -> None:
    first = await Clusters().get(row.id)
    first.rate = 0
    await act(first, pod("a"))
    await act(first, pod("b"), {"do": "request", "verb": "delete", "resource": "pods", "namespace": "default", "name": "a",
                                "options": {"gracePeriodSeconds": 0}})
    second = await Clusters().get(row.id)
    second.engine.run_until(first.engine.now)
    first.engine.run_until(second.engine.now)
    assert json.dumps(second.engine.checkpoint()) == json.dumps(first.engine.checkpoint())


async def test_a_refused_act_is_part_of_history_too(row: Cluster) -> None:
    live = await Clusters().get(row.id)
    with pytest.raises(ApiError):
        await act(live, pod("Not-A-Name"))
    await act(live, pod("a"))
    again = await Clusters().get(row.id)
    assert names(again) == ["a"]


async def test_of_two_owners_the_second_writer_is_fenced_and_reloads(row: Cluster) -> None:
    ours, theirs = Clusters(), Clusters()
    mine, other = await ours.get(row.id), await theirs.get(row.id)
    await act(mine, pod("mine"))
    with pytest.raises(Fenced):
        await act(other, pod("other"))
    assert other.gone
    fresh = await theirs.get(row.id)
    assert fresh is not other
    assert names(fresh) == ["mine"]
    await act(fresh, pod("other"))
    assert len(await journal_of(fresh)) == 2


async def test_the_database_is_not_asked_of_a_cluster_that_was_only_just_made(row: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    births.came(row.id, "any")
    with monkeypatch.context() as unasked:
        unasked.setattr(storage, "load", None)
        live = await Clusters().get(row.id)
    await act(live, pod("a"))
    assert names(await Clusters().get(row.id)) == ["a"]  # of one that somebody has woken it is asked


async def test_the_first_picture_of_a_lesson_is_drawn_once_for_all_who_come(row: Cluster) -> None:
    other = await another_row()
    lives = []
    for one in (row, other):
        births.came(one.id, "any")
        lives.append(await Clusters().get(one.id))
    first, second = (panels.rendered(live, 960, Options()) for live in lives)
    assert first is second
    assert first.fragments == regions.render(lives[1].engine, Options(), 960).fragments
    await act(lives[0], pod("a"))
    assert "pods/default/a" in panels.rendered(lives[0], 960, Options()).fragments["diagram"]
    assert panels.rendered(lives[1], 960, Options()) is first


async def test_a_page_that_joins_anew_learns_that_no_command_waits_for_its_editor_any_more(row: Cluster) -> None:
    live = await Clusters().get(row.id)
    said: list[str] = []
    page, terminal = Page("any"), TerminalSession(live, {}, lambda stream, text: said.append(text))

    def told() -> list[str]:
        return [html for html in page.fragments(live, terminal) if "yaml-opened" in html]
    assert told() == []
    async with live.turn():
        terminal.feed("printf '<b>\"' > 'a\"b'; vi 'a\"b'")
    assert told() == ['<div id="yaml-opened" hidden hx-swap-oob="true" data-number="1" data-name="a&quot;b" data-text="&lt;b&gt;&quot;"></div>']
    assert said == ["↳ YAML 칸에서 a\"b 파일을 열었습니다. 닫으면 명령이 이어집니다.\n"]
    page.forget()
    assert told() == []  # it has the file: once more would throw away what was typed
    terminal.attach(live, {})
    page.forget()
    assert told() == ['<div id="yaml-opened" hidden hx-swap-oob="true" data-number="" data-name="" data-text=""></div>']


async def test_of_two_processes_that_both_think_a_cluster_new_the_second_writer_is_fenced_and_reloads(row: Cluster) -> None:
    ours, theirs = Clusters(), Clusters()
    births.came(row.id, "any")
    await act(await ours.get(row.id), pod("mine"))
    births.came(row.id, "any")
    with pytest.raises(Fenced):
        await act(await theirs.get(row.id), pod("other"))
    assert names(await theirs.get(row.id)) == ["mine"]


async def test_a_cluster_that_slept_wakes_where_it_stood_from_its_checkpoint(row: Cluster) -> None:
    clusters = Clusters()
    live = await clusters.get(row.id)
    await act(live, pod("a"))
    live.engine.run_for(60)
    stood = live.engine.now
    await clusters.sleep(live)
    assert clusters.awake() == []
    woken = await clusters.get(row.id)
    assert woken.engine.now == stood
    assert names(woken) == ["a"]
    assert woken.sequence == 1


async def test_a_restart_does_not_turn_the_clocks_back_that_were_noted(row: Cluster) -> None:
    live = await Clusters().get(row.id)
    live.engine.run_for(60)
    await live.writer.call(storage.save_clocks, {row.id: live.engine.now, row.id + 1: 7})  # the other was deleted meanwhile
    assert (await Clusters().get(row.id)).engine.now == live.engine.now


async def test_checkpoints_are_written_now_and_then_so_that_a_restart_replays_little(row: Cluster) -> None:
    live = await Clusters().get(row.id)
    for number in range(41):
        await act(live, pod(f"p{number}"))
    sequences = await live.writer.call(lambda: list(Checkpoint.objects.values_list("sequence", flat=True)))
    assert sequences == [40]


async def test_a_large_state_is_written_a_piece_at_a_time_and_is_the_same_text(row: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    live = await Clusters().get(row.id)
    await act(live, pod("a"))
    live.engine.run_for(30)
    live.engine.request(verb="create", resource="configmaps", namespace="default", body={
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "long"}, "data": {"x": 'a"한\n\\' * 120_000}})
    state = live.engine.checkpoint()
    parts = list(storage.pieces(state))
    assert "".join(parts) == storage.written(state)
    assert len(parts) > 100 and max(map(len, parts)) <= 2 * storage.LONG
    deep: dict[str, Any] = {"a file of a container": "x" * 3 * storage.LONG}
    for _ in range(8):
        deep = {"d": deep}
    assert max(map(len, storage.pieces(deep))) <= storage.LONG
    live.size = LARGE
    async with live.turn():
        await live.save()
    woken = await Clusters().get(row.id)
    assert woken.engine.checkpoint() == state
    assert woken.size == live.size == len(storage.written(state)), "so that its first checkpoint is written a piece at a time too"


def test_very_many_small_values_are_written_together() -> None:
    state = {"lists": [{} for _ in range(10_000)], "keys": {f"k{number}": "" for number in range(10_000)}, "한": [["a"] * 30, "x" * 600, 1, {2: 3}]}
    parts = list(storage.pieces(state))
    assert "".join(parts) == storage.written(state)
    assert len(parts) < 200


async def test_a_large_cluster_wakes_beside_the_event_loop(row: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    clusters, read_by = Clusters(), []
    live = await clusters.get(row.id)
    await act(live, pod("a"))
    await clusters.sleep(live)
    reading = live_module._restored

    def restored(text: str) -> Any:
        read_by.append(threading.current_thread())
        return reading(text)
    monkeypatch.setattr(live_module, "LARGE", 1)
    monkeypatch.setattr(live_module, "_restored", restored)
    assert names(await clusters.get(row.id)) == ["a"]
    assert read_by
    assert threading.main_thread() not in read_by


async def test_undo_lets_others_run_while_it_lives_through_the_time_again(row: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    live = await Clusters().get(row.id)
    await act(live, pod("a"))
    live.engine.run_for(120)
    await act(live, pod("b"))
    monkeypatch.setattr(live_module, "LONGEST_TURN", 0.0001)
    rounds = 0

    async def count() -> None:
        nonlocal rounds
        while True:
            rounds += 1
            await asyncio.sleep(0)
    counting = asyncio.ensure_future(count())
    turns = 0
    going = live_module.run_to

    async def run_to(engine: Any, at: int) -> None:
        nonlocal turns
        before = rounds
        await going(engine, at)
        turns = max(turns, rounds - before)
    monkeypatch.setattr(rewind, "run_to", run_to)
    async with live.turn():
        await rewind.undo(live)
    counting.cancel()
    assert names(live) == ["a"]
    assert turns > 2


async def test_a_cluster_that_holds_too_much_takes_nothing_but_deletions(row: Cluster) -> None:
    live = await Clusters().get(row.id)
    await act(live, pod("a"))
    live.size = STATE_MAX + 1
    submit = Writes(live.apply, "API", live.full)
    async with live.turn():
        with pytest.raises(ApiError, match="etcdserver: mvcc: database space exceeded"):
            submit(pod("b"))
        submit({"do": "request", "verb": "delete", "resource": "pods", "namespace": "default", "name": "a"})
    with pytest.raises(ApiError, match="Request entity too large: limit is 1572864"):
        Writes(live.apply, "API")({"do": "request", "verb": "create", "body": {"data": "x" * 2_000_000}})


async def test_a_program_that_writes_without_pause_is_not_held_up_by_a_checkpoint_every_forty_acts(row: Cluster) -> None:
    live = await Clusters().get(row.id)
    for _ in range(12):
        await act(live, *[{"do": "rate", "rate": 1.0}] * 40)
    sequences = await live.writer.call(lambda: list(Checkpoint.objects.values_list("sequence", flat=True)))
    assert sequences == [40, 440]


async def test_undo_takes_back_the_last_act_and_undo_again_the_one_before(row: Cluster) -> None:
    live = await Clusters().get(row.id)
    for name in ("a", "b", "c"):
        await act(live, pod(name))
    for left in (["a", "b"], ["a"], []):
        async with live.turn():
            assert await rewind.undo(live) is not None
        assert names(live) == left
    async with live.turn():
        assert await rewind.undo(live) is None


async def test_after_an_undo_new_acts_stand_on_what_was_left_and_survive_a_restart(row: Cluster) -> None:
    live = await Clusters().get(row.id)
    await act(live, pod("a"))
    await act(live, pod("b"))
    async with live.turn():
        await rewind.undo(live)
    await act(live, pod("c"))
    assert names(await Clusters().get(row.id)) == ["a", "c"]
    async with live.turn():
        await rewind.undo(live)
        await rewind.undo(live)
    assert names(live) == []


async def test_reset_goes_back_to_the_lessons_beginning(row: Cluster) -> None:
    live = await Clusters().get(row.id)
    began = live.engine.start
    await act(live, pod("a"))
    async with live.turn():
        await rewind.reset(live, "any")
    assert names(live) == []
    assert live.engine.now < began + 60_000
    assert names(await Clusters().get(row.id)) == []


async def test_a_turn_lets_nobody_in_between(row: Cluster) -> None:
    live = await Clusters().get(row.id)
    order: list[str] = []

    async def slow() -> None:
        async with live.turn():
            order.append("slow begins")
            await asyncio.sleep(0)
            live.apply(pod("slow"))
            order.append("slow ends")

    async def quick() -> None:
        async with live.turn():
            order.append("quick")
    await asyncio.gather(slow(), quick())
    assert order == ["slow begins", "slow ends", "quick"]


async def test_a_paused_cluster_still_answers_and_its_clock_stands(row: Cluster) -> None:
    live = await Clusters().get(row.id)
    async with live.turn():
        live.set_rate(0)
    stood = live.engine.now
    await act(live, pod("a"))
    assert (live.engine.now, names(live)) == (stood, ["a"])


async def test_to_the_next_event_jumps_no_further_than_the_next_thing_that_happens(row: Cluster) -> None:
    live = await Clusters().get(row.id)
    await act(live, pod("a"))
    async with live.turn():
        live.set_rate(0)
        before = live.engine.etcd.revision
        live.next_event()
    assert live.engine.etcd.revision > before


async def test_a_newer_engine_goes_on_from_an_older_one_s_checkpoint_without_re_running_what_lies_before(row: Cluster) -> None:
    live = await Clusters().get(row.id)
    await act(live, pod("a"))
    await live.save()
    await act(live, pod("b"))

    def older() -> None:
        Checkpoint.objects.filter(cluster=row).update(engine_version="0")
        JournalEntry.objects.filter(cluster=row, sequence=1).update(request="{}")  # it would stumble over this

    await live.writer.call(older)
    assert names(await Clusters().get(row.id)) == ["a", "b"]


async def test_a_checkpoint_that_a_newer_engine_cannot_read_costs_a_replay_and_no_work(row: Cluster) -> None:
    live = await Clusters().get(row.id)
    await act(live, pod("a"))
    await live.save()
    await act(live, pod("b"))
    await live.writer.call(lambda: Checkpoint.objects.filter(cluster=row).update(engine_version="0", state=storage.pack({"seed": 1})))
    assert names(await Clusters().get(row.id)) == ["a", "b"]


async def test_viewers_are_told_after_the_act_is_on_disk(row: Cluster) -> None:
    live = await Clusters().get(row.id)
    told: list[int] = []

    class Watcher:
        def hint(self) -> None:
            told.append(len(live._pending))

    live.viewers.add(Watcher())
    await act(live, pod("a"))
    assert told == [0]


def test_the_projection_rows_say_what_the_cluster_says_and_forget_what_is_gone(row: Cluster) -> None:
    engine = births.build(Birth(seed=1, settle_seconds=1))
    engine.apply({"at": engine.now, **pod("a")})
    engine.run_for(20)
    rows.save([rows.Change(row.id, rows.project(engine))])
    assert Node.objects.filter(cluster=row, ready=True).count() == 3
    assert [(p.name, p.phase, p.reason, p.ready) for p in Pod.objects.all()] == [("a", "Running", "Running", True)]
    assert [(c.name, c.kind, c.state) for c in Container.objects.all()] == [("c", "app", "running")]
    engine.apply({"at": engine.now, "do": "request", "verb": "delete", "resource": "pods", "namespace": "default", "name": "a",
                  "options": {"gracePeriodSeconds": 0}})
    rows.save([rows.Change(row.id, rows.project(engine))])
    assert not Pod.objects.exists()


def test_the_rows_of_several_clusters_are_saved_together_and_a_deleted_one_harms_nobody(row: Cluster) -> None:
    engine = births.build(Birth(seed=1, settle_seconds=1))
    engine.apply({"at": engine.now, **pod("a")})
    other = Cluster.objects.create(learner=row.learner, lesson="another", seed=1, epoch_ms=0, now_ms=0, engine_version="0")
    gone = Cluster.objects.create(learner=row.learner, lesson="gone", seed=1, epoch_ms=0, now_ms=0, engine_version="0")
    gone_id = gone.pk
    gone.delete()
    first = rows.project(engine)
    rows.save([rows.Change(one, first) for one in (row.pk, gone_id, other.pk)])
    assert sorted(Pod.objects.values_list("cluster_id", "phase")) == sorted([(row.pk, "Pending"), (other.pk, "Pending")])
    engine.run_for(20)
    rows.save([rows.Change(row.pk, rows.project(engine), first), rows.Change(other.pk, first, first)])
    assert dict(Pod.objects.values_list("cluster_id", "phase")) == {row.pk: "Running", other.pk: "Pending"}
    assert set(Container.objects.values_list("pod__cluster_id", "state")) == {(row.pk, "running"), (other.pk, "waiting")}


def test_what_stands_is_cut_back_by_each_rewind() -> None:
    entries = [(1, {"do": "request", "at": 1}), (2, {"do": "request", "at": 2}), (3, {"do": "rewind", "to": 1, "at": 1}),
               (4, {"do": "fault", "at": 3}), (5, {"do": "rate", "at": 4})]
    assert storage.standing(entries)[5] == [1, 4, 5]
    found = rewind.plan(entries)
    assert found is not None
    assert found[0] == 4


def test_a_checkpoint_is_compressed_json_that_comes_back_as_it_was() -> None:
    state = {"text": "한글 \udc80", "list": [1, None, True]}
    assert storage.unpack(storage.pack(state)) == state
