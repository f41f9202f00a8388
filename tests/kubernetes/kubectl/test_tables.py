"""Tables as the server makes them and as kubectl lays them out, where the recordings have no example."""

from __future__ import annotations

from typing import Any

import pytest

from podlab.kubernetes import times
from podlab.kubernetes.apiserver.tables import table
from podlab.kubernetes.kubectl.output import join_kinds, print_table
from podlab.kubernetes.kubectl.output.tabwriter import align
from podlab.kubernetes.objects import Map, freeze
from podlab.kubernetes.resources import BY_PLURAL, Resource

NOW = times.parse_rfc3339("2026-11-21T01:00:00Z")
PODS = BY_PLURAL["pods"]


def pod(name: str = "p", *, status: dict[str, Any] | None = None, spec: dict[str, Any] | None = None, **metadata: Any) -> Map:
    obj: Map = freeze({"metadata": {"name": name, "namespace": "shop", "creationTimestamp": "2026-11-21T00:59:00Z", **metadata},
                       "spec": {"containers": [{"name": "a"}, {"name": "b"}], **(spec or {})}, "status": status or {}})
    return obj


def running(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "ready": True, "started": True, "restartCount": 0, "state": {"running": {}}, **more}


def ended(name: str, code: int, **more: Any) -> dict[str, Any]:
    return {"name": name, "ready": False, "restartCount": 0, "state": {"terminated": {"exitCode": code, **more}}}


def waiting(name: str, reason: str) -> dict[str, Any]:
    return {"name": name, "ready": False, "restartCount": 0, "state": {"waiting": {"reason": reason}}}


READY = [{"type": "Ready", "status": "True"}]
SIDECAR = {"initContainers": [{"name": "s", "restartPolicy": "Always"}, {"name": "i"}]}


@pytest.mark.parametrize(("given", "ready", "shown"), [
    (pod(status={"phase": "Pending"}), "0/2", "Pending"),
    (pod(status={"phase": "Failed", "reason": "Evicted"}), "0/2", "Evicted"),
    (pod(status={"phase": "Running", "containerStatuses": [waiting("a", "CrashLoopBackOff"), running("b")]}),
     "1/2", "CrashLoopBackOff"),
    (pod(status={"phase": "Running", "containerStatuses": [waiting("a", "ErrImagePull"), waiting("b", "CrashLoopBackOff")]}),
     "0/2", "ErrImagePull"),
    (pod(status={"phase": "Running", "containerStatuses": [ended("a", 0, reason="Completed"), running("b")]}), "1/2", "NotReady"),
    (pod(status={"phase": "Running", "conditions": READY,
                 "containerStatuses": [ended("a", 0, reason="Completed"), running("b")]}), "1/2", "Running"),
    (pod(status={"phase": "Failed", "containerStatuses": [ended("a", 0, reason="Completed"), ended("b", 1, reason="Error")]}),
     "0/2", "Error"),
    (pod(status={"phase": "Failed", "containerStatuses": [ended("a", 137, signal=9), ended("b", 2)]}), "0/2", "Signal:9"),
    (pod(status={"phase": "Failed", "containerStatuses": [ended("a", 3), ended("b", 0)]}), "0/2", "ExitCode:3"),
    (pod(spec=SIDECAR, status={"phase": "Pending", "initContainerStatuses": [running("s"), running("i", started=False)]}),
     "1/3", "Init:1/2"),
    (pod(spec=SIDECAR, status={"phase": "Pending", "initContainerStatuses": [running("s"), ended("i", 1, reason="Error")]}),
     "1/3", "Init:Error"),
    (pod(spec=SIDECAR, status={"phase": "Pending", "initContainerStatuses": [waiting("s", "ErrImagePull"), waiting("i", "x")]}),
     "0/3", "Init:ErrImagePull"),
    (pod(spec=SIDECAR, status={"phase": "Running", "initContainerStatuses": [running("s"), ended("i", 0)],
                               "containerStatuses": [running("a"), running("b")]}), "3/3", "Running"),
    (pod(status={"phase": "Running", "containerStatuses": [running("a")]}, deletionTimestamp="2026-11-21T00:59:30Z"),
     "1/2", "Terminating"),
    (pod(status={"phase": "Succeeded", "containerStatuses": [ended("a", 0, reason="Completed")]},
         deletionTimestamp="2026-11-21T00:59:30Z"), "0/2", "Completed"),
    (pod(status={"phase": "Running", "reason": "NodeLost"}, deletionTimestamp="2026-11-21T00:59:30Z"), "0/2", "Unknown"),
    (pod(status={"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]}),
     "0/2", "SchedulingGated"),
], ids=[
    "a new Pod shows its phase", "a reason of the Pod's own replaces the phase", "what a container waits for is shown",
    "the first container in the list wins", "one ended well and one runs, not ready", "one ended well and one runs, ready",
    "an error is shown before a good end", "an end by signal without a reason", "an exit code without a reason",
    "init containers are counted, sidecars among them", "a failed init container", "a sidecar whose image fails",
    "a started sidecar counts as ready", "a Pod that is being deleted", "a finished Pod that is being deleted",
    "a deleted Pod of a lost node", "a gated Pod",
])
def test_ready_and_status_of_a_pod(given: Map, ready: str, shown: str) -> None:
    assert table(PODS, [given], NOW)["rows"][0]["cells"][1:3] == [ready, shown]


def test_restarts_say_how_long_ago_the_newest_was() -> None:
    last = {"terminated": {"exitCode": 1, "finishedAt": "2026-11-21T00:59:50Z"}}
    given = pod(status={"phase": "Running", "containerStatuses": [running("a", restartCount=2, lastState=last), running("b")]})
    assert table(PODS, [given], NOW)["rows"][0]["cells"][3] == "2 (10s ago)"


def test_restarts_of_plain_init_containers_are_forgotten_once_the_pod_runs() -> None:
    given = pod(spec=SIDECAR, status={
        "phase": "Running", "containerStatuses": [running("a"), running("b", restartCount=1)],
        "initContainerStatuses": [running("s", restartCount=4), {**ended("i", 0), "restartCount": 7}]})
    assert table(PODS, [given], NOW)["rows"][0]["cells"][3] == "5"


def test_rows_carry_the_metadata_and_finished_pods_a_condition() -> None:
    row = table(PODS, [pod(status={"phase": "Succeeded"})], NOW)["rows"][0]
    assert row["object"]["kind"] == "PartialObjectMetadata"
    assert row["object"]["metadata"]["namespace"] == "shop"
    assert row["conditions"][0]["type"] == "Completed"


def test_custom_resources_show_their_name_and_age() -> None:
    widgets = Resource("example.com", "v1", "widgets", "Widget")
    assert print_table(table(widgets, [pod("w")], NOW)) == "NAME   AGE\nw      60s\n"


def test_the_default_class_for_ingresses_is_marked_as_that_for_storage_is() -> None:
    held = {"ingressclass.kubernetes.io/is-default-class": "true"}
    classes = [freeze({"metadata": {"name": "a", "annotations": held}}), freeze({"metadata": {"name": "b"}})]
    assert [row["cells"][0] for row in table(BY_PLURAL["ingressclasses"], classes, NOW)["rows"]] == ["a (default)", "b"]


def test_a_table_without_rows_prints_nothing() -> None:
    assert print_table(table(PODS, [], NOW)) == ""


def test_namespaces_labels_and_kinds_are_columns_of_their_own() -> None:
    given = table(PODS, [pod("p", labels={"app": "web", "tier": "x"}), pod("q")], NOW)
    assert print_table(given, with_namespace=True, with_kind_prefix=PODS, show_labels=True,
                       label_columns=["example.com/app", "app"]) == (
        "NAMESPACE   NAME    READY   STATUS   RESTARTS   AGE   APP   APP   LABELS\n"
        "shop        pod/p   0/2              0          60s         web   app=web,tier=x\n"
        "shop        pod/q   0/2              0          60s               <none>\n")
    assert print_table(given, no_headers=True) == "p     0/2         0     60s\nq     0/2         0     60s\n"


def test_a_cell_ends_at_its_first_line_break() -> None:
    given = {"columnDefinitions": [{"name": "Message", "type": "string"}],
             "rows": [{"cells": ["one\ntwo"]}, {"cells": ["\x1b[1m"]}]}
    assert print_table(given) == "MESSAGE\none...\n^[[1m\n"


def test_tables_of_several_kinds_have_an_empty_line_between() -> None:
    assert join_kinds(["a\n", "", "b\n"]) == "a\n\nb\n"


def test_rows_of_a_watch_keep_the_widths_of_the_rows_before() -> None:
    remembered: list[int] = []
    first = print_table(table(PODS, [pod("a-long-name")], NOW), remembered=remembered)
    later = print_table(table(PODS, [pod("p")], NOW), no_headers=True, remembered=remembered)
    assert (first, later) == ("NAME          READY   STATUS   RESTARTS   AGE\na-long-name   0/2              0          60s\n",
                              "p             0/2              0          60s\n")


@pytest.mark.parametrize(("text", "expected"), [
    ("a\tb\nccc\td\n", "a    b\nccc  d\n"),
    ("a\tb\nplain\nccc\td\n", "a  b\nplain\nccc  d\n"),
    ("a\tb\tc\nlong\t\n", "a     b  c\nlong  \n"),
    ("k:\t\n\tv\n", "k:  \n    v\n"),
    ("no end\tx", "no end  x"),
    ("", ""),
], ids=["a column is as wide as its widest cell", "a line without a tab ends the columns", "columns nest",
        "an empty first cell is padded", "a last line without an end", "nothing"])
def test_cells_are_aligned_as_by_gos_tab_writer(text: str, expected: str) -> None:
    assert align(text, 0, 2) == expected
