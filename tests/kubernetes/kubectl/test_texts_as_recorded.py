"""Every text that kubectl printed of a real cluster, made again from the recorded objects, letter by letter.

A recording says when its texts were begun, not when each was printed: they came one after another, so each is looked for
from the moment of the one before it, for a few seconds on, in steps of 50 ms.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from podlab.kubernetes import times
from podlab.kubernetes.apiserver.tables import table
from podlab.kubernetes.kubectl.describe import describe
from podlab.kubernetes.kubectl.output import join_kinds, print_table
from podlab.kubernetes.resources import BY_PLURAL, Resource, by_any_name

from .reader import Store

FOLDER = Path(os.environ.get("PODLAB_RECORDINGS") or Path(__file__).parents[4] / "shared" / "kubernetes")
RECORDINGS = sorted(path.stem for path in (FOLDER / "recorded").glob("*.json"))
MISSING = (f"no recordings in {FOLDER / 'recorded'}: set PODLAB_RECORDINGS to the folder of the recordings of a real cluster "
           "(recorded/*.json in it), or put it at shared/kubernetes beside the repository")
ALL = ("pods", "replicationcontrollers", "services", "daemonsets", "deployments", "replicasets", "statefulsets",
       "horizontalpodautoscalers", "cronjobs", "jobs")  # `get all`, in the order of discovery
STEP, LONGEST = 50, 8000  # ms
UNSEEN = ("pdb", "node node-1")  # the recordings do not watch what these show; tests below make it by hand
Text = Callable[[Store, int], str]


class Cluster:
    """The objects of a recording as they were at a moment; time only goes forward."""

    def __init__(self, recording: dict[str, Any]) -> None:
        self.changes = sorted(recording["watch"], key=lambda change: change["t"])
        self.start = times.parse_rfc3339(recording["t0"])
        self.store, self.seen, self.at = Store(), 0, 0

    def move(self, at: int) -> None:
        """To `at` milliseconds after the start."""
        self.at = max(at, self.at)
        while self.seen < len(self.changes) and self.changes[self.seen]["t"] * 1000 <= self.at:
            change = self.changes[self.seen]
            self.seen += 1
            (self.store.drop if change["type"] == "DELETED" else self.store.put)(change["resource"], change["object"])

    def until_it_says(self, wanted: str, text: Text, at: float) -> str:
        """Our text, at the first moment from `at` on when it is the wanted one, else as it was at first."""
        self.move(round(at * 1000))
        first = ours = text(self.store, self.start + self.at)
        began = self.at
        while ours != wanted and self.at < began + LONGEST:
            self.move(self.at + STEP)
            ours = text(self.store, self.start + self.at)
        return ours if ours == wanted else first


def tables_text(plurals: tuple[str, ...], namespace: str, *, names: tuple[str, ...] = (), wide: bool = False) -> Text:
    resources = [BY_PLURAL[plural] for plural in plurals]

    def one(resource: Resource, store: Store, now: int) -> str:
        found = store.list(resource.plural, namespace if resource.namespaced else None)
        found = [obj for obj in found if not names or obj["metadata"]["name"] in names]
        return print_table(table(resource, found, now), wide=wide, with_kind_prefix=resource if len(plurals) > 1 else None)

    def text(store: Store, now: int) -> str:
        nothing = f"No resources found in {namespace} namespace.\n"
        return join_kinds([one(resource, store, now) for resource in resources]) or nothing
    return text


def command_text(command: str, namespace: str) -> Text | None:
    """What prints the answer to a `get` or `describe` command, None for other commands and formats."""
    words = shlex.split(command)[1:]
    if words[0] not in ("get", "describe") or any(word in command for word in UNSEEN) or "jsonpath" in command:
        return None
    resources = [by_any_name(word) for word in words[1].split(",")]
    plurals = ALL if words[1] == "all" else tuple(resource.plural for resource in resources if resource is not None)
    if words[0] == "describe":
        return lambda store, now: describe(store, BY_PLURAL[plurals[0]], words[2], namespace, now)
    wide = words[-2:] == ["-o", "wide"]
    return tables_text(plurals, namespace, names=tuple(words[2:-2] if wide else words[2:]), wide=wide)


def texts_of(recording: dict[str, Any]) -> Iterator[tuple[str, float, str, Text]]:
    """Each recorded text: the command, when it ran (s), what it said, what prints ours."""
    namespace = recording["name"]
    for step in recording["steps"]:
        text = command_text(step["cmd"], namespace) if str(step["cmd"]).startswith("kubectl ") else None
        if text is not None:
            yield step["cmd"], step["t"], step["stdout"], text
    final = recording["final"]
    for command, said in final.items():
        text = command_text("kubectl " + command, namespace) if command.startswith("get ") else None
        if text is not None:
            yield command, final["t"], "\n".join(line for line in said.split("\n") if not line.startswith("Warning: ")), text
    for name, said in final["describe"].items():
        text = command_text("kubectl describe " + name.replace("/", " "), namespace)
        assert text is not None
        yield "describe " + name, final["t"], said, text


def load(name: str) -> dict[str, Any]:
    assert name in RECORDINGS, MISSING
    recording: dict[str, Any] = json.loads((FOLDER / "recorded" / f"{name}.json").read_text())
    return recording


def test_the_recordings_are_there() -> None:
    assert RECORDINGS, MISSING


@pytest.mark.slow
@pytest.mark.parametrize("name", RECORDINGS)
def test_tables_and_descriptions_are_those_of_the_real_cluster(name: str) -> None:
    recording = load(name)
    cluster, compared = Cluster(recording), 0
    for command, at, said, text in texts_of(recording):
        assert cluster.until_it_says(said, text, at) == said, command
        compared += 1
    assert compared >= 5


def test_a_node_is_described_with_its_pods_and_conditions_as_recorded() -> None:
    recording = load("node-failure")
    step = next(step for step in recording["steps"] if step["cmd"] == "kubectl describe node node-1")
    cluster = Cluster(recording)
    cluster.move(round(step["t"] * 1000))
    cluster.store.put("leases", {"metadata": {"name": "node-1", "namespace": "kube-node-lease"},
                                 "spec": {"holderIdentity": "node-1", "renewTime": "2026-11-21T02:24:20.000000Z"}})
    node = cluster.store.get("nodes", "node-1")
    cluster.store.put("nodes", {**node, "status": {**node["status"], "conditions": [
        {**held, "lastHeartbeatTime": "2026-11-21T02:22:40Z"} for held in node["status"]["conditions"]]}})
    for line in step["stdout"].split("\n"):  # other namespaces' Pods were not watched: as old as the text says
        cells = line.split()
        if line.startswith("  test-"):
            age = cells[-1]
            minutes, seconds = (int(age[:-1]), 30) if age.endswith("m") else (0, int(age[:-1]))
            born = cluster.start + cluster.at - (minutes * 60 + seconds) * 1000
            metadata = {"name": cells[1], "namespace": cells[0], "creationTimestamp": times.rfc3339(born)}
            cluster.store.put("pods", {"metadata": metadata, "spec": {"nodeName": "node-1", "containers": []},
                                       "status": {"phase": "Running"}})
    cluster.store.put("events", {  # in namespace default, which was not watched either
        "metadata": {"name": "node-1.1", "namespace": "default"}, "type": "Normal", "reason": "NodeNotReady", "count": 1,
        "message": "Node node-1 status is now: NodeNotReady", "source": {"component": "node-controller"},
        "involvedObject": {"kind": "Node", "name": "node-1", "uid": node["metadata"]["uid"]},
        "firstTimestamp": times.rfc3339(cluster.start + cluster.at - 17500)})
    ours = cluster.until_it_says(
        step["stdout"], lambda store, now: describe(store, BY_PLURAL["nodes"], "node-1", None, now), 0)
    assert ours.split("\n") == step["stdout"].split("\n")


def test_a_disruption_budget_is_shown_and_described_as_recorded() -> None:
    recording = load("pdb-evict")
    steps = {step["cmd"]: step for step in recording["steps"]}
    cluster = Cluster(recording)
    manifest = next(obj for obj in recording["scenario"]["manifests"] if obj["kind"] == "PodDisruptionBudget")
    about = next(change["object"]["involvedObject"] for change in recording["watch"] if change["resource"] == "events"
                 and change["object"]["involvedObject"]["kind"] == "PodDisruptionBudget")
    cluster.store.put("poddisruptionbudgets", {
        **manifest,
        "metadata": {"name": "web", "namespace": "pdb-evict", "uid": about["uid"], "creationTimestamp": recording["t0"]},
        "status": {"disruptionsAllowed": 0, "currentHealthy": 2, "desiredHealthy": 2, "expectedPods": 2}})
    for command in ("kubectl get pdb", "kubectl describe pdb web"):
        resource = BY_PLURAL["poddisruptionbudgets"]
        text: Text = tables_text(("poddisruptionbudgets",), "pdb-evict") if "get" in command else \
            lambda store, now, resource=resource: describe(store, resource, "web", "pdb-evict", now)
        assert cluster.until_it_says(steps[command]["stdout"], text, steps[command]["t"]) == steps[command]["stdout"]
