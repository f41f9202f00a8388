"""A cluster is a pure function of its seed and journal: replays, checkpoints and other processes give the same history."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.objects import dig
from podlab.kubernetes.resources import RESOURCES
from tests.kubernetes.worlds import create, deployment, fresh, journal, live, lives, names, patch

Life = list[tuple[int, dict[str, Any]]]
EXAMPLES = settings(max_examples=15, deadline=None)


def text(cluster: Cluster) -> str:
    return json.dumps(cluster.checkpoint(), sort_keys=False)


@EXAMPLES
@given(lives)
def test_a_journal_replayed_gives_the_same_state_to_the_byte(life: Life) -> None:
    first, second = fresh(), fresh()
    entries = journal(first, life)
    assert live(first, copy.deepcopy(entries)) == live(second, json.loads(json.dumps(entries)))
    assert text(first) == text(second)


@EXAMPLES
@given(lives, st.integers(0, 120_000))
def test_a_checkpoint_taken_anywhere_has_the_same_future_to_the_byte(life: Life, at: int) -> None:
    cluster = fresh()
    entries = journal(cluster, life)
    moment = cluster.now + at
    before, after = [e for e in entries if e["at"] <= moment], [e for e in entries if e["at"] > moment]
    live(cluster, before, then_seconds=0)
    cluster.run_until(moment)
    restored = Cluster.restore(json.loads(text(cluster)), strict=True)
    assert text(restored) == text(cluster)
    assert live(restored, copy.deepcopy(after), 90) == live(cluster, after, 90)
    assert text(restored) == text(cluster)


LIFE_IN_ANOTHER_PROCESS = """
import hashlib, json, sys
from tests.kubernetes.worlds import fresh, journal, live
cluster = fresh()
live(cluster, journal(cluster, json.load(sys.stdin)))
print(hashlib.sha256(json.dumps(cluster.checkpoint()).encode()).hexdigest())
"""

pytestmark = pytest.mark.slow

@pytest.mark.parametrize("life", [[
    [500, create("deployments", deployment("a", 3, "nginx:1.14.2"))], [9_000, patch("deployments", "a", {"spec": {"replicas": 5}})],
    [2_000, {"do": "fault", "node": "node-1", "power": "off"}], [80_000, {"do": "fault", "node": "node-1", "power": "on"}]]])
def test_two_processes_with_different_hash_seeds_agree(life: list[Any]) -> None:
    root = Path(__file__).resolve().parents[2]
    digests = set()
    for hash_seed in ("0", "1", "4242"):
        run = subprocess.run([sys.executable, "-c", LIFE_IN_ANOTHER_PROCESS], input=json.dumps(life), text=True, capture_output=True, check=True,
                             cwd=root, env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(root)})
        digests.add(run.stdout)
    assert len(digests) == 1


@EXAMPLES
@given(lives)
def test_no_reader_can_change_what_is_stored(life: Life) -> None:
    cluster = fresh()
    live(cluster, journal(cluster, life), 20)
    before = text(cluster)
    tried = 0
    for resource in RESOURCES:
        for obj in cluster.etcd.list(resource.plural):
            for vandal in (lambda o: o.__setitem__("x", 1), lambda o: o["metadata"].update(name="y"), lambda o: o.pop("kind"),
                           lambda o: o["metadata"].setdefault("labels", {}).clear() if "labels" in o["metadata"] else o.clear()):
                with pytest.raises(TypeError):
                    vandal(obj)
                tried += 1
    assert tried
    assert text(cluster) == before


@EXAMPLES
@given(lives)
def test_every_replicaset_has_its_pods_once_the_faults_stop(life: Life) -> None:
    cluster = fresh()
    live(cluster, journal(cluster, life), 0)
    for node in ("node-1", "node-2"):
        cluster.apply({"at": cluster.now, "do": "fault", "node": node, "power": "on"})
    cluster.run_for(900)
    for replicaset in cluster.etcd.list("replicasets"):
        wished = replicaset["spec"]["replicas"]
        mine = [p for p in cluster.etcd.owned(replicaset["metadata"]["uid"], "pods") if "deletionTimestamp" not in p["metadata"]]
        alive = [p for p in mine if dig(p, "status.phase") in ("Pending", "Running")]
        assert len(alive) == wished, (replicaset["metadata"]["name"], [dig(p, "status.phase") for p in mine])


@EXAMPLES
@given(lives, names)
def test_an_act_that_is_refused_changes_nothing(life: Life, name: str) -> None:
    cluster = fresh()
    live(cluster, journal(cluster, life), 5)
    before = text(cluster)
    wrong = create("pods", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [], "no": 1}})
    assert live(cluster, [{"at": cluster.now, **wrong}], 0)[0].startswith("Pod in version")
    assert text(cluster) == before
