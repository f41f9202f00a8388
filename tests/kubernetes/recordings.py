"""The recordings of a real cluster: where they lie, and the judge that lies beside them."""

from __future__ import annotations

import importlib.util
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ.get("PODLAB_RECORDINGS") or Path(__file__).parents[3] / "shared" / "kubernetes")
MISSING = (f"no recordings in {FOLDER}: set PODLAB_RECORDINGS to the folder of the recordings of a real cluster (compare.py, "
           "refusals.json and recorded/*.json in it), or put it at shared/kubernetes beside the repository; without them nothing "
           "here is proved")


@cache
def judge() -> Any:
    """compare.py as a module."""
    assert (FOLDER / "compare.py").exists(), MISSING
    spec = importlib.util.spec_from_file_location("recordings_compare", FOLDER / "compare.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def names() -> list[str]:
    return sorted(path.stem for path in (FOLDER / "recorded").glob("*.json"))


def recording(name: str) -> Any:
    return json.loads((FOLDER / "recorded" / f"{name}.json").read_text(encoding="utf-8"))


@cache
def judged(name: str) -> tuple[float, str]:
    """(score from 0 to 100, what differs) of our run of a recorded scenario. One run a process."""
    from podlab.kubernetes import scenario

    recorded = recording(name)
    simulated = json.loads(json.dumps(scenario.run(recorded["scenario"])))
    facets, differences = judge().compare(recorded, simulated)
    return judge().total(facets), "\n".join(differences)
