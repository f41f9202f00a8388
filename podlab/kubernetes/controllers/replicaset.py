"""ReplicaSet: keeps a number of equal Pods alive (pkg/controller/replicaset; the loop itself is in replicas.py)."""

from __future__ import annotations

from collections.abc import Iterable

from ..component import Controller, own_key, owner_key
from ..controllers_common.owners import selecting, several
from ..controllers_common.pods import unchanged
from ..controllers_common.replicas import ReplicaController
from ..etcd import Change
from ..objects import Map
from ..selectors import selects


def _selects(rs: Map, pod: Map) -> bool:
    return selects(rs["spec"]["selector"], pod["metadata"].get("labels"))


_of_pod = several(owner_key("ReplicaSet"), selecting("replicasets", _selects))


def _pod_keys(controller: Controller, change: Change) -> Iterable[str]:
    return () if unchanged(change) else _of_pod(controller, change)


class ReplicaSetController(ReplicaController):
    name = "replicaset-controller"
    plural, rule, counts_terminating = "replicasets", "replicaset", True
    watches = {"replicasets": own_key, "pods": _pod_keys}

    def matches(self, owner: Map, pod: Map) -> bool:
        return _selects(owner, pod)
