"""Clusters that many tests begin with: built once, then restored, which takes half the time or less and has the same future (test_checkpoint.py)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from podlab.kubernetes.cluster import Cluster

_frozen: dict[str, tuple[dict[str, Any], str]] = {}


def thawed(name: str, build: Callable[[], Cluster]) -> Cluster:
    """A cluster of one's own in the state that `build` leaves it in. `name` says all that `build` depends on.

    What the store holds is frozen and shared; it begins without history: a watch from before the present is told that it is too old."""
    if name not in _frozen:
        state = build().checkpoint()
        store = state.pop("etcd")
        _frozen[name] = store, json.dumps(state)
    store, rest = _frozen[name]
    return Cluster.restore({**json.loads(rest), "etcd": store}, strict=True)


def created(seed: int, epoch_ms: int, spec: dict[str, Any] | None = None) -> Cluster:
    """`Cluster.create`, strict."""
    return thawed(f"created {seed} {epoch_ms} {spec}", lambda: Cluster.create(seed, epoch_ms, spec, strict=True))
