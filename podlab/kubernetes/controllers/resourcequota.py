"""ResourceQuota status: what a namespace uses of what it may (pkg/controller/resourcequota/resource_quota_controller.go).

Admission counts for itself from the objects that exist; this only writes the count down, as soon as it changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from ..apiserver.admission.resource_quota import show, used_in
from ..apiserver.context import Context
from ..cause import Cause
from ..component import Controller, own_key
from ..etcd import RESHAPED_OR_ENDED, Change
from ..objects import EMPTY, Map


def _of_content(controller: Controller, change: Change) -> Iterable[str]:
    if not controller.cluster.etcd.count("resourcequotas"):  # most clusters have none, and every change comes by
        return ()
    namespace = change.object["metadata"].get("namespace")
    if change.plural in ("events", "resourcequotas") or not namespace:
        return ()
    if change.old is not None and change.type == "MODIFIED" and _asks(change.old) == _asks(change.object):
        return ()
    return [f"{namespace}/{quota['metadata']['name']}" for quota in controller.cluster.etcd.list("resourcequotas", namespace)]


def _asks(obj: Map) -> object:
    """What a change must touch to change an object's use: its spec, or that a Pod has ended."""
    return obj.get("spec"), (obj.get("status") or EMPTY).get("phase") in ("Succeeded", "Failed")


class ResourceQuotaController(Controller):
    name = "resourcequota-controller"
    watches = {"resourcequotas": own_key, "*": _of_content}
    heeds = {"*": RESHAPED_OR_ENDED}

    def reconcile(self, key: str) -> int | None:
        quota = self.cluster.etcd.get("resourcequotas", key)
        if quota is None:
            return None
        hard = quota["spec"].get("hard") or EMPTY
        found = used_in(quota["metadata"]["namespace"], quota, sorted(hard), Context(self.cluster, self.name))
        used = {name: show(name, found.get(name, Fraction(0))) for name in hard}
        status = {"hard": dict(hard), "used": used}
        if status != (quota.get("status") or EMPTY):
            self.client.update("resourcequotas", {**quota, "status": status}, subresource="status",
                               cause=Cause("quota-used", {"used": used}))
        return None
