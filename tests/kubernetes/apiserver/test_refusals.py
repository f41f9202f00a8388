"""172 manifests, good and broken, held against the answers of a real Kubernetes 1.36."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from podlab.kubernetes.apiserver import create
from podlab.kubernetes.apiserver.errors import ApiError

from .given import Ctx

FOLDER = Path(os.environ.get("PODLAB_RECORDINGS") or Path(__file__).parents[4] / "shared" / "kubernetes")
GENERATED = ((re.compile(r"kube-api-access-\w{5}"), "kube-api-access"),
             (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "<uid>"),
             (re.compile(r'"10\.96\.\d+\.\d+"'), '"<ip>"'), (re.compile(r'"nodePort": \d+'), '"nodePort": 0'),
             (re.compile(r'"lastPhaseTransitionTime": "[^"]*"'), '"lastPhaseTransitionTime": ""'))


def recorded() -> list[dict[str, Any]]:
    file = FOLDER / "refusals.json"
    if not file.exists():
        return [{"name": "recordings are missing"}]
    entries: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return entries


def plain(value: Any) -> Any:
    """Without what differs from one server to the next."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    for pattern, instead in GENERATED:
        text = pattern.sub(instead, text)
    return json.loads(text)


def answer(manifest: dict[str, Any]) -> dict[str, Any]:
    resource = create.resource_of(manifest)
    if resource is None:
        return {"no_match": create.no_match(manifest["apiVersion"], manifest["kind"])}
    try:
        accepted = create.admit(resource, manifest, "refusals", Ctx(), strict=True)
    except ApiError as error:
        return {"refused": {"code": error.code, "reason": error.reason, "message": error.message, "details": error.details}}
    accepted["metadata"].pop("uid", None)
    return {"accepted": accepted}


@pytest.mark.parametrize("entry", recorded(), ids=lambda entry: entry["name"])
def test_the_server_answers_as_the_real_one_did(entry: dict[str, Any]) -> None:
    assert "object" in entry, (f"refusals.json is not in {FOLDER}: set PODLAB_RECORDINGS to the folder of the recordings "
                               "of a real cluster; without them nothing here is proved")
    expected = {key: entry[key] for key in ("accepted", "refused", "no_match") if key in entry}
    assert plain(answer(entry["object"])) == plain(expected)
