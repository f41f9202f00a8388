"""Watches: no event missed, none twice, none of others; and what a client is told when it cannot go on where it was."""

import asyncio
import contextlib
import gc
import json
import weakref
from typing import Any

import pytest

from podlab.api import hub as hubs
from podlab.api import watch, wire
from podlab.api.application import application
from podlab.labs.live import Clusters
from podlab.labs.models import Cluster
from tests.api.client import Client, configmap

pytestmark = pytest.mark.django_db(transaction=True)
MAPS = "/api/v1/namespaces/default/configmaps"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
MERGE = "application/merge-patch+json"


async def revision(client: Client) -> str:
    return str((await client.get(MAPS)).json["metadata"]["resourceVersion"])


async def test_a_watch_begins_with_what_is_there_and_goes_on_with_what_changes(client: Client) -> None:
    await client.create(MAPS, configmap("first"))
    async with client.watch(f"{MAPS}?watch=true") as stream:
        assert await stream.named(2) == [("ADDED", "first"), ("ADDED", "kube-root-ca.crt")]
        await client.create(MAPS, configmap("second"))
        await client.ask("PATCH", f"{MAPS}/second", {"data": {"a": "b"}}, content_type=MERGE)
        await client.ask("DELETE", f"{MAPS}/second")
        assert await stream.named(3) == [("ADDED", "second"), ("MODIFIED", "second"), ("DELETED", "second")]


async def test_a_watch_from_a_revision_tells_what_came_after_it_and_nothing_else(client: Client) -> None:
    since = await revision(client)
    await client.create(MAPS, configmap("one"))
    await client.create("/api/v1/namespaces/kube-system/configmaps", configmap("elsewhere"))
    await client.create("/api/v1/namespaces", {"metadata": {"name": "other-kind"}})
    await client.create(MAPS, configmap("two"))
    async with client.watch(f"{MAPS}?watch=true&resourceVersion={since}") as stream:
        assert await stream.named(2) == [("ADDED", "one"), ("ADDED", "two")]
        with pytest.raises(TimeoutError):
            await stream.next(0.2)


async def test_a_watch_resumes_from_the_last_event_without_repeating_it(client: Client) -> None:
    since = await revision(client)
    await client.create(MAPS, configmap("one"))
    await client.create(MAPS, configmap("two"))
    async with client.watch(f"{MAPS}?watch=true&resourceVersion={since}") as stream:
        last = (await stream.next())["object"]["metadata"]["resourceVersion"]
    async with client.watch(f"{MAPS}?watch=true&resourceVersion={last}") as stream:
        assert await stream.named(1) == [("ADDED", "two")]


async def test_an_object_enters_and_leaves_a_selection(client: Client) -> None:
    await client.create(MAPS, configmap("it"))
    since = await revision(client)
    async with client.watch(f"{MAPS}?watch=true&resourceVersion={since}&labelSelector=on=yes") as stream:
        for label in ("yes", "yes-no-more", "yes"):
            await client.ask("PATCH", f"{MAPS}/it", {"metadata": {"labels": {"on": label}}}, content_type=MERGE)
        await client.ask("DELETE", f"{MAPS}/it")
        events = [await stream.next() for _ in range(4)]
    assert [event["type"] for event in events] == ["ADDED", "DELETED", "ADDED", "DELETED"]
    assert events[1]["object"]["metadata"]["labels"] == {"on": "yes"}, "as the client last saw it"
    revisions = [int(event["object"]["metadata"]["resourceVersion"]) for event in events]
    assert revisions == sorted(set(revisions))


async def test_one_object_is_watched_by_its_name(client: Client) -> None:
    for path in (f"{MAPS}?watch=1&resourceVersion=0&fieldSelector=metadata.name=kube-root-ca.crt", f"{MAPS}/kube-root-ca.crt?watch=1"):
        async with client.watch(path) as stream:
            assert await stream.named(1) == [("ADDED", "kube-root-ca.crt")]


async def test_the_list_at_the_start_ends_with_a_bookmark_that_says_so(client: Client) -> None:
    query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    async with client.watch(f"{MAPS}?{query}") as stream:
        assert (await stream.next())["type"] == "ADDED"
        bookmark = await stream.next()
    assert bookmark["type"] == "BOOKMARK"
    assert bookmark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert bookmark["object"]["metadata"]["resourceVersion"] == await revision(client)


async def test_bookmarks_come_now_and_then_to_who_asks_for_them(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("podlab.api.watch.BOOKMARK_EVERY", 0.05)
    since = await revision(client)
    async with client.watch(f"{MAPS}?watch=1&resourceVersion={since}&allowWatchBookmarks=1") as stream:
        assert (await stream.next())["type"] == "BOOKMARK"
    async with client.watch(f"{MAPS}?watch=1&resourceVersion={since}") as stream:
        with pytest.raises(TimeoutError):
            await stream.next(0.3)


async def test_a_watch_ends_after_its_timeout(client: Client) -> None:
    async with client.watch(f"{MAPS}?watch=1&timeoutSeconds=1&resourceVersion={await revision(client)}") as stream:
        with pytest.raises(EOFError):
            await stream.next()


@pytest.mark.parametrize("wanted", ["1", "999999999"])
async def test_a_revision_that_is_not_remembered_is_gone(client: Client, wanted: str) -> None:
    for i in range(3):
        await client.create(MAPS, configmap(f"c{i}"))
    async with client.watch(f"{MAPS}?watch=1&resourceVersion={wanted}") as stream:
        event = await stream.next()
        assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")
        with pytest.raises(EOFError):
            await stream.next()


async def test_a_client_that_falls_behind_is_told_to_list_again(client: Client, monkeypatch: pytest.MonkeyPatch, cluster: Cluster,
                                                               own_clusters: Clusters) -> None:
    monkeypatch.setattr(hubs, "HISTORY", 5)
    async with client.watch(f"{MAPS}?watch=1&resourceVersion={await revision(client)}") as stream:
        await client.create(MAPS, configmap("seen"))
        await stream.named(1)
        live = own_clusters.find(cluster.pk)
        assert live is not None
        async with live.turn():
            for i in range(9):
                live.apply({"do": "request", "verb": "create", "resource": "configmaps", "namespace": "default", "body": configmap(f"c{i}")})
        assert (await stream.next())["object"]["code"] == 410


async def test_undo_tells_every_watch_to_list_again(client: Client, cluster: Cluster, own_clusters: Clusters) -> None:
    from podlab.labs import rewind

    async with client.watch(f"{MAPS}?watch=1&resourceVersion={await revision(client)}") as stream:
        await client.create(MAPS, configmap("undone"))
        assert await stream.named(1) == [("ADDED", "undone")]
        live = own_clusters.find(cluster.pk)
        assert live is not None
        async with live.turn():
            await rewind.undo(live)
        assert (await stream.next())["object"]["code"] == 410
    assert "undone" not in (await client.get(MAPS)).items


async def test_a_cluster_that_went_to_sleep_leaves_nothing_in_memory(client: Client, cluster: Cluster, own_clusters: Clusters) -> None:
    async with client.watch(f"{MAPS}?watch=1") as stream:
        await stream.named(1)
    live = own_clusters.find(cluster.pk)
    assert live is not None
    await own_clusters.sleep(live)
    forgotten = weakref.ref(live)
    del live
    gc.collect()
    assert forgotten() is None
    assert (await client.get(MAPS)).status == 200, "and it wakes again"


async def test_table_events_carry_one_row_and_the_columns_once(client: Client) -> None:
    async with client.watch(f"{MAPS}?watch=1&resourceVersion={await revision(client)}", accept=TABLE) as stream:
        await client.create(MAPS, configmap("a", x="1"))
        await client.create(MAPS, configmap("b"))
        first, second = await stream.next(), await stream.next()
    assert first["object"]["kind"] == "Table"
    assert [column["name"] for column in first["object"]["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert first["object"]["rows"][0]["cells"][:2] == ["a", 1]
    assert second["object"]["columnDefinitions"] is None


async def test_many_watches_see_every_write_once_and_in_order(client: Client) -> None:
    since = await revision(client)

    async def follow() -> list[str]:
        async with client.watch(f"{MAPS}?watch=1&resourceVersion={since}") as stream:
            return [json.dumps(await stream.named(1)) for _ in range(40)]
    followers = [asyncio.ensure_future(follow()) for _ in range(25)]
    for start in range(0, 40, 8):
        await asyncio.gather(*(client.create(MAPS, configmap(f"c{i:02}")) for i in range(start, start + 8)))
    seen = await asyncio.wait_for(asyncio.gather(*followers), 60)
    assert all(events == seen[0] for events in seen)
    assert len(set(seen[0])) == 40


async def test_nothing_is_told_before_it_is_on_disk(client: Client, own_clusters: Clusters, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("podlab.api.watch.BOOKMARK_EVERY", 0.02)  # the watch looks again and again while the row is being written
    written: list[Any] = []
    write = own_clusters.writer.write

    async def slow(rows: Any) -> None:
        await asyncio.sleep(0.3)
        await write(rows)
        written.extend(rows)
    async with client.watch(f"{MAPS}?watch=1&allowWatchBookmarks=1&resourceVersion={await revision(client)}") as stream:
        monkeypatch.setattr(own_clusters.writer, "write", slow)
        asking = asyncio.ensure_future(client.create(MAPS, configmap("late")))
        while (await stream.next())["type"] == "BOOKMARK":
            pass
        assert len(written) == 1
        await asking


async def test_a_watch_whose_client_does_not_read_is_let_go(client: Client, own_clusters: Clusters, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "STALLED", 0.05)
    reading = asyncio.Event()
    inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    inbox.put_nowait({"type": "http.request", "body": b""})

    async def send(message: dict[str, Any]) -> None:
        if message.get("body"):
            await reading.wait()  # for ever: the connection's buffer is full
    watching = asyncio.ensure_future(application(client.scope("GET", f"{MAPS}?watch=true", {}), inbox.get, send))
    with contextlib.suppress(ConnectionError):
        await asyncio.wait_for(watching, 60)
    assert hubs.hub_of(own_clusters.awake()[0]).streams == 0


async def test_what_was_told_is_kept_by_its_weight(client: Client, own_clusters: Clusters) -> None:
    """A megabyte that changes with each small patch would stay two thousand times."""
    await client.create(MAPS, {**configmap("large"), "data": {"text": "x" * 900_000}})
    async with client.watch(f"{MAPS}?watch=true&fieldSelector=metadata.name=large") as stream:
        for number in range(12):
            await client.ask("PATCH", f"{MAPS}/large", {"data": {"n": str(number)}}, content_type=MERGE)
        assert [name for _, name in await stream.named(13)] == ["large"] * 13
        hub = hubs.hub_of(own_clusters.awake()[0])
        assert 0 < hub.encoded.size <= hubs.TEXT_BYTES
        assert 0 < hub.told.size <= hubs.TEXT_BYTES


async def test_a_watch_that_has_much_to_tell_tells_it_in_several_rounds(client: Client, own_clusters: Clusters) -> None:
    await client.create(MAPS, {**configmap("large"), "data": {"text": "x" * 400_000}})
    since = await revision(client)
    async with client.watch(f"{MAPS}?watch=true&fieldSelector=metadata.name=nobody"):  # so that somebody remembers
        for number in range(9):
            await client.ask("PATCH", f"{MAPS}/large", {"data": {"n": str(number)}}, content_type=MERGE)
        async with client.watch(f"{MAPS}?watch=true&resourceVersion={since}") as stream:
            told = [(await stream.next())["object"]["data"]["n"] for _ in range(9)]
            assert told == [str(number) for number in range(9)]
            held = hubs.hub_of(own_clusters.awake()[0]).told
            assert max(size for _, size in held._held.values()) < 2 * watch.READ_BYTES
