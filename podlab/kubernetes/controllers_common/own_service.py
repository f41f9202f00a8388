"""The API server's own Service `kubernetes` and its endpoints (pkg/controlplane/controller/kubernetesservice, pkg/controlplane/reconcilers)."""

from __future__ import annotations

from typing import Any

from ..addresses import CONTROL_PLANE

NAME, NAMESPACE = "kubernetes", "default"


def objects() -> dict[str, dict[str, Any]]:
    """By plural, as the API server makes them, with all that the server would give out."""
    metadata, port = {"name": NAME, "namespace": NAMESPACE}, {"name": "https", "port": 6443, "protocol": "TCP"}
    return {
        "services": {"apiVersion": "v1", "kind": "Service", "metadata": {**metadata, "labels": {"component": "apiserver", "provider": "kubernetes"}},
                     "spec": {"clusterIP": "10.96.0.1", "clusterIPs": ["10.96.0.1"], "internalTrafficPolicy": "Cluster",
                              "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack", "sessionAffinity": "None", "type": "ClusterIP",
                              "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}]},
                     "status": {"loadBalancer": {}}},
        "endpoints": {"apiVersion": "v1", "kind": "Endpoints",
                      "metadata": {**metadata, "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}},
                      "subsets": [{"addresses": [{"ip": CONTROL_PLANE}], "ports": [port]}]},
        "endpointslices": {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
                           "metadata": {**metadata, "labels": {"kubernetes.io/service-name": NAME}}, "addressType": "IPv4",
                           "endpoints": [{"addresses": [CONTROL_PLANE], "conditions": {"ready": True}}], "ports": [port]}}
