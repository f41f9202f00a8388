"""ReplicationController: the ReplicaSet's elder, with a plain selector (pkg/controller/replication; see replicas.py)."""

from __future__ import annotations

from ..component import own_key, owner_key
from ..controllers_common.owners import selecting, several
from ..controllers_common.pods import counting
from ..controllers_common.replicas import ReplicaController
from ..objects import Map
from ..selectors import selects_plain


def _selects(rc: Map, pod: Map) -> bool:
    return selects_plain(rc["spec"].get("selector"), pod["metadata"].get("labels"))


_of_pod = several(owner_key("ReplicationController"), selecting("replicationcontrollers", _selects))


class ReplicationControllerController(ReplicaController):
    name = "replication-controller"
    plural, rule = "replicationcontrollers", "replicationcontroller"
    watches = {"replicationcontrollers": own_key, "pods": _of_pod}
    heeds = {"pods": counting("ReplicationController")}

    def matches(self, owner: Map, pod: Map) -> bool:
        return _selects(owner, pod)
