"""TTL after finished: deletes Jobs a while after they ended (pkg/controller/ttlafterfinished/ttlafterfinished_controller.go)."""

from __future__ import annotations

from ..apiserver.errors import ApiError
from ..cause import Cause
from ..component import Controller, own_key
from ..controllers_common import conditions
from ..controllers_common.pods import is_deleting
from ..objects import Map
from ..times import parse_rfc3339


def expires_at(job: Map) -> int | None:
    """When a Job may go (virtual ms); None while it runs or when it stays for ever."""
    ttl = job["spec"].get("ttlSecondsAfterFinished")
    ended = next((c for kind in ("Complete", "Failed") if (c := conditions.find(job, kind)) is not None
                  and c["status"] == "True"), None)
    return parse_rfc3339(ended["lastTransitionTime"]) + ttl * 1000 if ttl is not None and ended is not None else None


class TTLAfterFinishedController(Controller):
    name = "ttl-after-finished-controller"
    watches = {"jobs": own_key}

    def reconcile(self, key: str) -> int | None:
        job = self.cluster.etcd.get("jobs", key)
        due = expires_at(job) if job is not None and not is_deleting(job) else None
        if job is None or due is None:
            return None
        if due > self.now:
            return due - self.now
        try:
            self.client.delete("jobs", job["metadata"]["name"], job["metadata"]["namespace"], propagation="Foreground",
                               uid=job["metadata"]["uid"],
                               cause=Cause("ttl-expired", {"seconds": job["spec"]["ttlSecondsAfterFinished"]}))
        except ApiError as error:
            if error.code != 404:
                raise
        return None
