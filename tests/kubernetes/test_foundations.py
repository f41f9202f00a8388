"""The engine's small words: frozen objects, quantities, selectors, times, chance, the clock, the store, causes, events."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podlab.kubernetes import quantity, selectors
from podlab.kubernetes.cause import KEPT, Cause, Causes
from podlab.kubernetes.clock import Clock
from podlab.kubernetes.component import Controller, own_key
from podlab.kubernetes.etcd import BORN, GONE, OWNED, RESHAPED, RESHAPED_OR_ENDED, UNCONTROLLED, Etcd, key_of_object
from podlab.kubernetes.objects import Map, dig, freeze, memo, replace, thaw, without
from podlab.kubernetes.randomness import ALPHANUMS, Randomness
from podlab.kubernetes.times import human_duration, parse_rfc3339, rfc3339
from tests.kubernetes.worlds import fresh, live, pod

leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=4)
keys = st.text(max_size=3)
json_values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=8)
objects = st.dictionaries(keys, json_values, max_size=4)


# ---- objects

@pytest.mark.slow
@settings(deadline=None)
@given(objects)
def test_freezing_keeps_the_value_and_thawing_gives_an_equal_copy(value: dict[str, Any]) -> None:
    frozen = freeze(value)
    assert frozen == value == thaw(frozen)
    assert json.dumps(frozen) == json.dumps(value)
    assert freeze(frozen) is frozen


def test_a_changed_copy_shares_what_it_did_not_touch() -> None:
    old = freeze({"spec": {"containers": [1]}, "status": {"phase": "Pending"}})
    new = freeze(replace(old, "status.phase", "Running"))
    assert new["spec"] is old["spec"]
    assert (old["status"]["phase"], new["status"]["phase"]) == ("Pending", "Running")
    assert without(new, "status.phase")["status"] == {}


def test_a_fact_is_computed_once_an_object() -> None:
    calls = []
    obj: Map = freeze({"a": 1})
    for _ in range(3):
        assert memo(obj, "fact", lambda o: calls.append(o) or 7) == 7
    assert len(calls) == 1


@pytest.mark.parametrize(("path", "found"), [("a.b", 1), ("a.c.0", "x"), ("a.c.5", None), ("a.b.c", None), ("z", None)])
def test_digging_finds_members_or_nothing(path: str, found: Any) -> None:
    assert dig({"a": {"b": 1, "c": ["x"]}}, path) == found


# ---- quantities, selectors, times

@pytest.mark.parametrize(("text", "canonical"), [
    ("1000m", "1"), ("0.5", "500m"), ("1024Ki", "1Mi"), ("1.5Gi", "1536Mi"), ("1e3", "1e3"), ("0", "0"), ("100M", "100M"), ("1500m", "1500m"),
    ("24581684Ki", "24581684Ki"), ("-3", "-3"), ("0.1", "100m"), (".5", "500m"), ("1.250", "1.250"), ("+5", "+5"), ("01", "01"), ("1E3", "1E3"),
    ("Mi", "0")])
def test_quantities_are_stored_in_their_canonical_form(text: str, canonical: str) -> None:
    assert quantity.canonical(text) == canonical
    assert quantity.parse(quantity.canonical(text)) == quantity.parse(text)


@pytest.mark.parametrize("text", ["", "abc", "1x", "1.2.3", "--1"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(quantity.QuantityError):
        quantity.parse(text)


@pytest.mark.parametrize(("text", "labels", "picked"), [
    ("app=web", {"app": "web"}, True), ("app==web", {"app": "db"}, False), ("app!=web", {}, True), ("tier in (a,b)", {"tier": "b"}, True),
    ("tier notin (a,b)", {"tier": "a"}, False), ("app", {"app": ""}, True), ("!app", {"app": "x"}, False), ("n>3", {"n": "4"}, True),
    ("app=web,!old", {"app": "web"}, True), ("", {}, True)])
def test_label_selectors_pick_as_kubectl_means_them(text: str, labels: dict[str, str], picked: bool) -> None:
    assert selectors.matches(selectors.parse(text), labels) is picked


def test_a_missing_selector_picks_nothing_and_an_empty_one_everything() -> None:
    assert not selectors.selects(None, {"a": "b"})
    assert selectors.selects({}, {"a": "b"})
    assert not selectors.selects_plain({}, {"a": "b"})


@pytest.mark.parametrize(("seconds", "text"), [
    (-2, "<invalid>"), (-0.5, "0s"), (119, "119s"), (120, "2m"), (599, "9m59s"), (600, "10m"), (10_799, "179m"), (10_800, "3h"), (28_799, "7h59m"),
    (28_800, "8h"), (172_799, "47h"), (172_800, "2d"), (691_199, "7d23h"), (691_200, "8d"), (63_072_000, "2y")])
def test_ages_read_as_in_tables(seconds: float, text: str) -> None:
    assert human_duration(round(seconds * 1000)) == text


@settings(deadline=None)
@given(st.integers(0, 4_000_000_000))
def test_times_survive_their_text(seconds: int) -> None:
    assert parse_rfc3339(rfc3339(seconds * 1000 + 999)) == seconds * 1000


# ---- chance and time

def test_the_same_key_draws_the_same_number_whatever_was_drawn_before() -> None:
    one, two = Randomness(7), Randomness(7)
    two.bits("something", "else")
    assert one.integer("x", 1, below=100) == two.integer("x", 1, below=100)
    assert one.uid("x") == two.uid("x") != Randomness(8).uid("x")
    assert set(one.name(200, "n")) <= set(ALPHANUMS)
    assert 0 <= one.fraction("f") < 1


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 9)), max_size=40))
def test_timers_fire_by_time_then_priority_then_the_order_in_which_they_were_set(wishes: list[tuple[int, int]]) -> None:
    clock = Clock(0)
    for number, (at, priority) in enumerate(wishes):
        clock.set(at, "c", number, None, priority)
    fired = []
    while clock.next_at() is not None:
        fired.append(clock.pop().payload)
    assert fired == [n for _, _, n in sorted((at, priority, n) for n, (at, priority) in enumerate(wishes))]


def test_a_cancelled_timer_never_fires_and_a_restored_clock_goes_on() -> None:
    clock = Clock(1000)
    gone = clock.set(2000, "a", None, None)
    clock.set(1500, "b", {"x": 1}, 7)
    clock.cancel(gone)
    clock.cancel(gone)
    again = Clock.restore(json.loads(json.dumps(clock.checkpoint())))
    timer = again.pop()
    assert (timer.component, timer.payload, timer.because, again.now) == ("b", {"x": 1}, 7, 1500)
    assert again.next_at() is None


# ---- the store

def config(name: str, **labels: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default", "labels": labels}}


def test_watchers_hear_of_every_write_once_in_order_with_what_was_before() -> None:
    store, heard = Etcd(), []
    store.subscribe("configmaps", heard.append)
    store.put("configmaps", "default/a", config("a"), 0, 1)
    store.put("configmaps", "default/a", config("a", x="y"), 1, 2)
    store.put("secrets", "default/a", config("a"), 2, 3)
    store.remove("configmaps", "default/a", 3, 4)
    assert [(c.type, c.revision, c.cause) for c in heard] == [("ADDED", 1, 1), ("MODIFIED", 2, 2), ("DELETED", 4, 4)]
    assert heard[1].old is heard[0].object
    assert heard[2].object["metadata"]["resourceVersion"] == "4"


def test_listeners_hear_only_of_the_changes_that_they_heed() -> None:
    """A write that leaves spec and metadata as they are is one of the status: those who heed shapes are not told, those who heed ends only
    of a Pod that has ended."""
    store = Etcd()
    heard: dict[str, list[int]] = {"all": [], "owned": [], "uncontrolled": [], "reshaped": [], "ended": [], "born": [], "gone": []}
    for name, heed in (("all", None), ("owned", OWNED), ("uncontrolled", UNCONTROLLED), ("reshaped", RESHAPED), ("ended", RESHAPED_OR_ENDED),
                       ("born", BORN), ("gone", GONE)):
        store.subscribe("pods", lambda change, name=name: heard[name].append(change.revision), heed)
    pod = store.put("pods", "default/a", {**config("a"), "spec": {"nodeName": ""}, "status": {"phase": "Pending"}}, 0, 0)
    pod = store.put("pods", "default/a", {**pod, "status": {"phase": "Running"}}, 0, 0)
    pod = store.put("pods", "default/a", {**pod, "metadata": {**pod["metadata"], "labels": {"x": "y"}}}, 0, 0)
    pod = store.put("pods", "default/a", {**pod, "metadata": {**pod["metadata"], "ownerReferences": [{"uid": "u"}]}}, 0, 0)
    pod = store.put("pods", "default/a", {**pod, "status": {"phase": "Succeeded"}}, 0, 0)
    store.put("pods", "default/a", {**pod, "status": {"phase": "Running"}}, 0, 0)
    store.remove("pods", "default/a", 0, 0)
    controlled, loose = config("b"), config("c")
    controlled["metadata"]["ownerReferences"], loose["metadata"]["ownerReferences"] = [{"uid": "u", "controller": True}], [{"uid": "u"}]
    for obj in (controlled, loose):
        obj["spec"] = {}
    store.put("pods", "default/b", controlled, 0, 0)
    store.put("pods", "default/c", loose, 0, 0)
    assert heard == {"all": [1, 2, 3, 4, 5, 6, 7, 8, 9], "owned": [4, 7, 8, 9], "uncontrolled": [1, 4, 7, 9], "reshaped": [1, 3, 4, 7, 8, 9],
                     "ended": [1, 3, 4, 5, 6, 7, 8, 9], "born": [1, 8, 9], "gone": [7]}


def test_history_is_kept_for_those_a_little_behind_and_compaction_is_told() -> None:
    store = Etcd()
    for number in range(5):
        store.put("configmaps", f"default/c{number}", config(f"c{number}"), number * 10_000, number)
    assert [c.revision for c in store.since(2)] == [3, 4, 5]
    store.compact(45_000)
    assert store.compacted == 4
    assert [c.revision for c in store.since(4)] == [5]


def test_a_restored_store_lists_and_indexes_the_same() -> None:
    store = Etcd()
    owned = config("child")
    owned["metadata"]["ownerReferences"] = [{"uid": "u1", "controller": True}]
    for obj in (config("b"), config("a"), owned):
        store.put("configmaps", key_of_object(obj), obj, 0, 0)
    again = Etcd.restore(json.loads(json.dumps(store.checkpoint())))
    assert again.list("configmaps", "default") == store.list("configmaps", "default")
    assert [o["metadata"]["name"] for o in again.owned("u1")] == ["child"]
    assert (again.revision, again.compacted) == (3, 3)


# ---- causes and queues

def test_causes_form_a_chain_and_old_links_are_forgotten() -> None:
    causes = Causes()
    first = causes.add(0, "user", Cause("request"), None, "pods/default/a", 1)
    second = causes.add(5, "kubelet", Cause("kubelet-status", {"x": 1}), first, "pods/default/a", 2)
    assert causes.latest("pods/default/a") == [second, first]
    assert causes.record(second) == {"id": 2, "at": 5, "component": "kubelet", "rule": "kubelet-status", "facts": {"x": 1}, "because": 1,
                                     "object": "pods/default/a", "revision": 2}
    for number in range(KEPT):
        causes.add(number, "c", Cause("r"), None, None, None)
    assert causes.record(first) is None
    assert causes.latest("pods/default/a") == []


class Failing(Controller):
    name = "failing"
    watches = {"configmaps": own_key}

    def reconcile(self, key: str) -> int | None:
        from podlab.kubernetes.apiserver.errors import ApiError
        self.state.setdefault("tries", []).append(self.now)
        raise ApiError(409, "Conflict", "again")


def test_a_key_that_fails_is_tried_again_with_doubling_back_off_and_many_changes_are_one_try() -> None:
    cluster = fresh()
    controller = Failing(cluster)
    cluster.components["failing"] = controller
    controller.restore()
    began = cluster.now
    for text in ("1", "2"):
        live(cluster, [{"at": cluster.now, "do": "request", "verb": "create" if text == "1" else "patch", "resource": "configmaps",
                        "namespace": "default", **({} if text == "1" else {"name": "c"}),
                        "body": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"k": text}}}], 0)
    cluster.run_for(1)
    tries = [at - began for at in controller.state["tries"]]
    gaps = [b - a for a, b in pairwise(tries)]
    assert tries[0] == Controller.latency_ms
    assert gaps[:4] == [5, 10, 20, 40]  # workqueue.DefaultTypedControllerRateLimiter


# ---- events

def test_a_repeated_event_is_counted_and_an_hour_later_it_is_gone() -> None:
    cluster = fresh()
    live(cluster, [{"at": cluster.now, "do": "request", "verb": "create", "resource": "pods", "namespace": "default",
                    "body": pod("crash", "exit 1")}], 60)
    backoffs = [e for e in cluster.etcd.list("events") if e["reason"] == "BackOff"]
    assert len(backoffs) == 1
    assert backoffs[0]["count"] > 1
    live(cluster, [{"at": cluster.now, "do": "request", "verb": "delete", "resource": "pods", "namespace": "default", "name": "crash"}], 3700)
    assert not [e for e in cluster.etcd.list("events") if e["involvedObject"]["name"] == "crash"]


def test_the_tenth_different_message_of_one_reason_is_combined_with_its_like() -> None:
    cluster = fresh()
    node = cluster.etcd.list("nodes")[0]
    for number in range(12):
        cluster.client("somebody").event(node, "Normal", "Same", f"message {number}")
    messages = [e["message"] for e in cluster.etcd.list("events") if e["reason"] == "Same"]
    assert len(messages) == 10
    assert [m for m in messages if m.startswith("(combined from similar events): ")] == ["(combined from similar events): message 11"]


def test_a_source_may_write_25_events_of_each_type_about_an_object_and_one_more_every_5_minutes() -> None:
    """defaultSpamBurst, defaultSpamQPS, getEventSpamKey: source, object, type. What is held back counts (eventObserve is first)."""
    cluster = fresh()
    node = cluster.etcd.list("nodes")[0]

    def counts() -> dict[str, int]:
        return {e["reason"]: e["count"] for e in cluster.etcd.list("events") if (e.get("source") or {}).get("component") == "somebody"}

    def say(type: str, reason: str, times: int) -> dict[str, int]:
        for _ in range(times):
            cluster.client("somebody").event(node, type, reason, "again")
        return counts()

    assert say("Normal", "Pulled", 25) == {"Pulled": 25}
    assert say("Normal", "Pulled", 3) == {"Pulled": 25}
    assert say("Normal", "Created", 2) == {"Pulled": 25}
    assert say("Warning", "Unhealthy", 25) == {"Pulled": 25, "Unhealthy": 25}
    cluster.run_for(299)
    assert say("Normal", "Created", 1) == {"Pulled": 25, "Unhealthy": 25}
    cluster.run_for(1)
    assert say("Normal", "Created", 1) == {"Pulled": 25, "Unhealthy": 25, "Created": 4}
    cluster.run_for(300)
    assert say("Normal", "Pulled", 1) == {"Pulled": 29, "Unhealthy": 25, "Created": 4}


def test_an_idle_cluster_is_silent() -> None:
    cluster = fresh()
    cluster.run_for(120)
    live(cluster, [{"at": cluster.now, "do": "request", "verb": "create", "resource": "pods", "namespace": "default",
                    "body": pod("quiet", "sleep 360000")}], 120)
    before = cluster.etcd.revision
    fired = 0
    end = cluster.now + 600_000
    while (due := cluster.clock.next_at()) is not None and due <= end:
        cluster.step()
        fired += 1
    assert cluster.etcd.revision == before
    assert fired <= 2


@pytest.mark.parametrize("text", ["1e99999999", "1E+999999999999", "9" * 5000, "0." + "0" * 5000 + "1"])
def test_a_quantity_that_would_count_for_ever_is_refused(text: str) -> None:
    with pytest.raises(quantity.QuantityError, match="unable to parse numeric part of quantity"):
        quantity.parse(text)


def test_a_quantity_too_small_or_too_big_is_the_least_or_the_most_there_is() -> None:
    assert [quantity.canonical(text) for text in ("1e-99999999", "8Ei", "16Ei")] == ["1n", "9223372036854775807", "9223372036854775807"]
