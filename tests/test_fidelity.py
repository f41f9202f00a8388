"""docs/fidelity.md says how true each feature is; here every line of it is held to its proof."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

from podlab.projection.fidelity import features, notes_of

from .kubernetes.recordings import FOLDER, MISSING, judged

ROOT = Path(__file__).resolve().parents[1]
LEAST = 95


def renderer() -> Any:
    spec = importlib.util.spec_from_file_location("fidelity_page", ROOT / "tools" / "fidelity.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_its_source_says() -> None:
    page = ROOT / "docs" / "fidelity.md"
    assert page.read_text(encoding="utf-8") == renderer().render(features()), "stale: run make fidelity"


@pytest.mark.parametrize("feature", features(), ids=lambda one: str(one["name"]))
def test_a_feature_says_what_differs_and_what_proves_it(feature: dict[str, Any]) -> None:
    assert set(feature) <= {"area", "name", "is", "differs", "recordings", "tests", "for"}
    assert feature["is"] in ("exact", "simplified", "absent")
    assert ("differs" in feature) == (feature["is"] != "exact")
    assert feature["is"] != "exact" or feature.get("recordings") or feature.get("tests"), "an exact feature needs a proof"
    assert "for" not in feature or "differs" in feature
    for test in feature.get("tests", ()):
        file, _, name = test.partition("::")
        assert (ROOT / file).exists(), test
        assert re.search(rf"^(async )?def {re.escape(name)}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE), test


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({name for feature in features() for name in feature.get("recordings", ())}))
def test_a_recording_that_proves_a_feature_is_matched(name: str) -> None:
    assert (FOLDER / "recorded" / f"{name}.json").exists(), MISSING
    score, differences = judged(name)
    assert score >= LEAST, differences


def test_the_lab_page_is_told_what_differs_where_it_matters() -> None:
    waiting = {"kind": "Pod", "status": {"containerStatuses": [{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}}
    assert "1초" in notes_of(waiting)[0].text
    assert "인그레스 컨트롤러" in notes_of({"kind": "Ingress"})[0].text
    assert notes_of({"kind": "Pod"}) == []


def test_an_object_is_told_of_by_its_kind_its_state_and_what_it_asks_for() -> None:
    waiting = {"kind": "Pod", "status": {"containerStatuses": [{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}] * 2},
               "spec": {"containers": [{"readinessProbe": {"grpc": {"port": 1}}, "securityContext": {"capabilities": {"add": ["NET_ADMIN"]}}}]}}
    told = {word: feature["differs"] for feature in features() for word in feature.get("for", ())}
    assert [note.text for note in notes_of(waiting)] == [told[word] for word in ("CrashLoopBackOff", "grpc", "securityContext")]
    assert [note.text for note in notes_of({"kind": "Service", "spec": {"type": "LoadBalancer"}})] == [told["LoadBalancer"]]
    assert notes_of({"kind": "Pod", "spec": {"containers": [{}]}}) == [] and notes_of({"kind": "Service", "spec": {"type": "ClusterIP"}}) == []
