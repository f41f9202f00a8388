"""Scenarios in the recordings' format: what a step that cannot be done costs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from podlab.kubernetes import scenario

CONF = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conf"}, "data": {"mode": "teach"}}


@pytest.mark.parametrize(("fault", "said"), [
    ({"moon": "full"}, "unknown fault: ['moon']\n"),
    ({"node": "node-1", "power": "half"}, "unknown power state: half\n"),
    ({"pod": "odd/p", "container": "c", "signal": "KILL"}, 'pods "p" not found\n'),
])
def test_a_fault_that_we_have_not_is_a_step_that_failed_and_the_scenario_goes_on(fault: dict[str, str], said: str) -> None:
    steps = [{"at": 1, "sh": "something odd", "fault": fault}, {"at": 2, "do": "get configmap conf -o name"}]
    trace = scenario.run({"name": "odd", "manifests": [CONF], "steps": steps, "until": 3})
    assert [(step["rc"], step["stdout"], step["stderr"]) for step in trace["steps"]] == [
        (0, "configmap/conf created\n", ""), (1, "", said), (0, "configmap/conf\n", "")]


def test_a_scenario_that_cannot_be_run_costs_its_own_trace_alone(tmp_path: Path) -> None:
    good = {"name": "good", "manifests": [CONF], "steps": [], "until": 1}
    for name, wanted in (("bad", {**good, "name": "bad", "steps": [{"at": 0}]}), ("good", good)):
        (tmp_path / f"{name}.yaml").write_text(json.dumps(wanted), encoding="utf-8")
    with pytest.raises(CommandError, match=r"not run: .*bad\.yaml$"):
        call_command("run_scenario", tmp_path / "bad.yaml", tmp_path / "good.yaml", out=tmp_path / "out")
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["good.json"]
