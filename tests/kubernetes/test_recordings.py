"""Every recorded scenario of a real cluster is run here and held against its recording, facet by facet (issue 3's bars)."""

from __future__ import annotations

import contextlib
import io
import json
import re
import time
from statistics import mean

import pytest

from podlab.kubernetes.ask import ask, cluster

from .recordings import FOLDER, MISSING, judge, judged, names

MEAN, WORST, CPU_SECONDS = 97, 85, 60
SAME_REFUSALS, SAME_WORDS, SAME_OBJECTS = 95, 90, 95  # per cent


@pytest.mark.slow
def test_recorded_scenarios_run_here_as_they_ran_on_a_real_cluster() -> None:
    assert names(), MISSING
    began = time.process_time()
    scores = {name: judged(name)[0] for name in names()}
    assert time.process_time() - began < CPU_SECONDS
    table = "\n".join(f"{score:6.1f} {name}" for name, score in sorted(scores.items(), key=lambda item: item[1]))
    low = [name for name, score in scores.items() if score < WORST]
    assert not low, f"under {WORST}:\n" + "\n".join(f"{name}\n{judged(name)[1]}" for name in low)
    assert mean(scores.values()) >= MEAN, table


@pytest.mark.slow
def test_the_api_server_answers_single_manifests_as_the_real_one_did() -> None:
    assert (FOLDER / "refusals.json").exists(), MISSING
    expected = json.loads((FOLDER / "refusals.json").read_text(encoding="utf-8"))
    asked = cluster()
    answers = json.loads(json.dumps([ask(asked, entry["name"], entry["object"]) for entry in expected]))
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        judge().refusals(expected, answers, True)
    found = re.search(r"causes ([\d.]+) %, to the letter ([\d.]+) %, defaulted objects equal ([\d.]+) %", said.getvalue())
    assert found is not None, said.getvalue()
    causes, letter, objects = (float(part) for part in found.groups())
    assert (causes >= SAME_REFUSALS, letter >= SAME_WORDS, objects >= SAME_OBJECTS) == (True, True, True), said.getvalue()
