"""ReplicaSet: keeps a number of equal Pods alive (pkg/controller/replicaset; the loop itself is in replicas.py)."""

from __future__ import annotations

from ..component import own_key, owner_key
from ..controllers_common.owners import selecting, several
from ..controllers_common.pods import counting
from ..controllers_common.replicas import ReplicaController
from ..objects import Map
from ..selectors import selects


def _selects(rs: Map, pod: Map) -> bool:
    return selects(rs["spec"]["selector"], pod["metadata"].get("labels"))


_of_pod = several(owner_key("ReplicaSet"), selecting("replicasets", _selects))


class ReplicaSetController(ReplicaController):
    name = "replicaset-controller"
    plural, rule, counts_terminating = "replicasets", "replicaset", True
    watches = {"replicasets": own_key, "pods": _of_pod}
    heeds = {"pods": counting("ReplicaSet")}

    def matches(self, owner: Map, pod: Map) -> bool:
        return _selects(owner, pod)
