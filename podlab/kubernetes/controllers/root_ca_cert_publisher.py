"""The ConfigMap `kube-root-ca.crt` of each namespace (pkg/controller/certificates/rootcacertpublisher/publisher.go)."""

from __future__ import annotations

from collections.abc import Iterable

from ..cause import Cause
from ..component import Controller, own_key
from ..controllers_common.root_ca import root_ca
from ..etcd import Change

NAME = "kube-root-ca.crt"


def _of_configmap(_: Controller, change: Change) -> Iterable[str]:
    metadata = change.object["metadata"]
    return (metadata["namespace"],) if metadata["name"] == NAME else ()


class RootCACertPublisher(Controller):
    name = "root-ca-certificate-publisher"
    latency_ms = 4
    watches = {"namespaces": own_key, "configmaps": _of_configmap}

    def reconcile(self, key: str) -> int | None:
        namespace = self.cluster.etcd.get("namespaces", key)
        if namespace is None or namespace["metadata"].get("deletionTimestamp"):
            return None
        held, right = self.client.find("configmaps", NAME, key), root_ca(key)
        if held is None:
            self.client.create("configmaps", right, key, cause=Cause("root-ca-published"))
        elif held.get("data") != right["data"]:
            self.client.update("configmaps", {**held, "data": right["data"]}, cause=Cause("root-ca-published"))
        return None
