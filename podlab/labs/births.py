"""How a cluster of a lesson begins. The lessons app says what is in it; labs only asks."""

from __future__ import annotations

import marshal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from podlab.kubernetes.bootstrap import DEFAULT_SPEC
from podlab.kubernetes.cluster import Cluster as Engine
from podlab.kubernetes.kubectl.run import run_to_end
from podlab.labs import limits, storage

EPOCH_MS = 1_795_219_200_000  # every cluster is born at 2026-11-21T00:00:00Z: a class sees the same dates and ages


@dataclass(frozen=True)
class Birth:
    """The beginning of a lesson's cluster. `spec` as `Cluster.create` takes it; `manifests` is YAML applied at the start."""

    seed: int
    spec: dict[str, Any] | None = None
    manifests: str = ""
    settle_seconds: float = 30.0  # virtual time that passes before the learner comes
    files: dict[str, str] = field(default_factory=dict)  # on the learner's machine


NEW_SECONDS = 60.0  # a row that was made longer ago may have been used by another process meanwhile

_new: dict[int, tuple[str, float]] = {}  # cluster id -> (lesson, when its row was made), until somebody wakes it


def came(cluster_id: int, lesson: str) -> None:
    """The row of a cluster was made by this process just now. Nobody need ask other tables of it, nor of its learner's progress in the
    lesson, which only an open page writes."""
    for old in [one for one, (_, at) in list(_new.items()) if time.monotonic() - at > NEW_SECONDS]:
        _new.pop(old, None)
    _new[cluster_id] = lesson, time.monotonic()


def is_new(cluster_id: int) -> bool:
    return time.monotonic() - _new.get(cluster_id, ("", float("-inf")))[1] <= NEW_SECONDS


def lesson_of_new(cluster_id: int) -> str | None:
    """The lesson of a cluster that `is_new`, which it is no more after this; None: its rows have to be looked at."""
    lesson = _new[cluster_id][0] if is_new(cluster_id) else None
    _new.pop(cluster_id, None)
    return lesson


def _plain(lesson: str) -> Birth:
    return Birth(seed=1)


_find: Callable[[str], Birth] = _plain


def register(find: Callable[[str], Birth]) -> None:
    """The lessons app says how each lesson's cluster begins. `find` raises LookupError for a lesson that does not exist."""
    global _find
    _find = find
    forget()


def birth(lesson: str) -> Birth:
    return _find(lesson)


_templates: dict[str, tuple[dict[str, Any], bytes]] = {}
_pictures: dict[str, dict[Any, Any]] = {}


def template(lesson: str) -> tuple[dict[str, Any], bytes]:
    """The first state of a lesson's cluster, made once a process: every learner starts from the same moment. What is frozen is shared by
    all of them; the rest is marshalled, the fastest copy of plain data that there is."""
    if lesson not in _templates:
        state = build(birth(lesson)).checkpoint()
        store = state.pop("etcd")
        _templates[lesson] = store, marshal.dumps(storage.unpack(storage.pack(state)))
    return _templates[lesson]


def is_known(lesson: str) -> bool:
    """Whether `begin` takes a millisecond; a lesson's first takes half a second, and is no work for the event loop."""
    return lesson in _templates


def pictures(lesson: str) -> dict[Any, Any]:
    """What was drawn of the lesson's first moment (panels.rendered): the same for all of its clusters."""
    return _pictures.setdefault(lesson, {})


def forget() -> None:
    """Make every template anew at the next occasion."""
    _templates.clear()
    _pictures.clear()


def build(birth: Birth) -> Engine:
    engine = Engine.create(birth.seed, EPOCH_MS, {**(birth.spec or DEFAULT_SPEC), "limits": limits.of_cluster()})
    if birth.manifests:
        code, _, errors = run_to_end(engine, ["apply", "-f", "-"], stdin=birth.manifests)
        if code:
            raise ValueError(f"the lesson's manifests are refused: {errors}")
    engine.run_for(birth.settle_seconds)
    return engine


def begin(lesson: str) -> Engine:
    """A new learner's engine for a lesson."""
    store, rest = template(lesson)
    return Engine.restore({**marshal.loads(rest), "etcd": store})  # noqa: S302  (our own bytes, made in this process)
