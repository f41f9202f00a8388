"""Keeps the API server's own Service and its endpoints (pkg/controlplane/controller/kubernetesservice/controller.go)."""

from __future__ import annotations

from collections.abc import Iterable

from ..cause import Cause
from ..component import Controller
from ..controllers_common import own_service
from ..etcd import GONE, Change

EVERY_MS = 10_000  # DefaultEndpointReconcilerInterval


def _own(controller: Controller, change: Change) -> Iterable[str]:
    """What is gone is made again in the next round."""
    if change.key == f"{own_service.NAMESPACE}/{own_service.NAME}":
        controller.enqueue(change.key, EVERY_MS - controller.now % EVERY_MS, change.cause)
    return ()


class KubernetesServiceController(Controller):
    name = "apiserver"
    watches = dict.fromkeys(own_service.objects(), _own)
    heeds = dict.fromkeys(own_service.objects(), GONE)

    def reconcile(self, key: str) -> int | None:
        for plural, obj in own_service.objects().items():
            if self.cluster.etcd.get(plural, key) is None:
                self.client.create(plural, obj, own_service.NAMESPACE, cause=Cause("own-service-kept"))
        return None
