"""The ServiceAccount `default` of each namespace (pkg/controller/serviceaccount/serviceaccounts_controller.go)."""

from __future__ import annotations

from collections.abc import Iterable

from ..cause import Cause
from ..component import Controller, own_key
from ..etcd import Change


def _of_account(_: Controller, change: Change) -> Iterable[str]:
    return (change.object["metadata"]["namespace"],) if change.type == "DELETED" else ()


class ServiceAccountController(Controller):
    name = "service-account-controller"
    latency_ms = 4
    watches = {"namespaces": own_key, "serviceaccounts": _of_account}

    def reconcile(self, key: str) -> int | None:
        namespace = self.cluster.etcd.get("namespaces", key)
        if namespace is None or namespace["metadata"].get("deletionTimestamp"):
            return None
        if self.client.find("serviceaccounts", "default", key) is None:
            account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": key}}
            self.client.create("serviceaccounts", account, key, cause=Cause("serviceaccount-default"))
        return None
