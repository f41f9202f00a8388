"""The cluster's certificate as every namespace has it."""

from __future__ import annotations

from typing import Any

from ..apiserver.certificates import AUTHORITY


def root_ca(namespace: str) -> dict[str, Any]:
    """The ConfigMap that every namespace has (rootcacertpublisher)."""
    return {"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "kube-root-ca.crt", "namespace": namespace, "annotations": {
                "kubernetes.io/description": "Contains a CA bundle that can be used to verify the kube-apiserver when using "
                "internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed "
                "across distributions of Kubernetes clusters."}},
            "data": {"ca.crt": AUTHORITY}}
