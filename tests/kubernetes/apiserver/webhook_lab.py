"""A cluster with agnhost's webhooks behind Services, as Kubernetes' end-to-end tests of webhooks deploy them."""

from __future__ import annotations

import base64
import json
from typing import Any

from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.apiserver.request import Request
from podlab.kubernetes.cluster import Cluster
from tests.kubernetes.frozen import created
from tests.kubernetes.runtime.certificates import WEBHOOK, WEBHOOK_CA, WEBHOOK_KEY

Object = dict[str, Any]
START = 1_795_219_200_000  # 2026-11-21T00:00:00Z
IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.63.0"
CA = base64.b64encode(WEBHOOK_CA.encode()).decode()
MINE = {"matchLabels": {"e2e": "true"}}
SERVICE, CONVERTER = "e2e-test-webhook", "e2e-test-crd-conversion-webhook"


def of(kind: str, name: str, api_version: str = "v1", **members: Any) -> Object:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, **members}


class WebhookLab:
    """The namespace default is the test's own; its label e2e=true picks it."""

    def __init__(self, cluster: Cluster | None = None) -> None:
        if cluster is not None:
            self.cluster = cluster
            return
        self.cluster = created(7, START, {"nodes": [{"name": f"node-{n}", "cpu": "4", "memory": "8Gi"} for n in (1, 2)]})
        self.cluster.run_for(2)
        self.ask("patch", "namespaces", "default", {"metadata": {"labels": {"e2e": "true"}}}, namespace="")
        self.create("secrets", of("Secret", "pair", stringData={"tls.crt": WEBHOOK, "tls.key": WEBHOOK_KEY}))
        self.serve(SERVICE, "webhook", "--sidecar-image=registry.k8s.io/pause:3.10")
        self.serve(CONVERTER, "crd-conversion-webhook")
        self.cluster.run_for(30)

    def serve(self, name: str, *args: str) -> None:
        """A Deployment with one replica, and its Service 8443 -> 8444."""
        probe = {"httpGet": {"scheme": "HTTPS", "port": 8444, "path": "/readyz"}, "periodSeconds": 1, "failureThreshold": 30}
        container = {"name": "server", "image": IMAGE, "readinessProbe": probe, "ports": [{"containerPort": 8444}],
                     "args": [*args, "--tls-cert-file=/c/tls.crt", "--tls-private-key-file=/c/tls.key", "--port=8444", "-v=4"],
                     "volumeMounts": [{"name": "c", "mountPath": "/c", "readOnly": True}]}
        spec = {"containers": [container], "volumes": [{"name": "c", "secret": {"secretName": "pair"}}]}
        labels = {"app": name}
        self.create("deployments", of("Deployment", name, "apps/v1", spec={
            "replicas": 1, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": spec}}))
        self.create("services", of("Service", name, spec={"selector": labels, "ports": [{"port": 8443, "targetPort": 8444}]}))

    def ask(self, verb: str, plural: str, name: str = "", body: Any = None, namespace: str = "default", **options: Any) -> Any:
        return self.cluster.server.perform(Request(verb, plural, namespace, name, "", body, options))

    def create(self, plural: str, body: Object, **options: Any) -> Any:
        return self.ask("create", plural, body=body, **options)

    def refused(self, verb: str, plural: str, name: str = "", body: Any = None, **options: Any) -> ApiError:
        """The refusal of what must be refused."""
        try:
            self.ask(verb, plural, name, body, **options)
        except ApiError as error:
            return error
        raise AssertionError("it was admitted")

    def register(self, name: str, *hooks: Object, mutating: bool = False) -> Any:
        kind = "MutatingWebhookConfiguration" if mutating else "ValidatingWebhookConfiguration"
        return self.create(kind.lower() + "s", of(kind, name, "admissionregistration.k8s.io/v1", webhooks=list(hooks)), namespace="")

    def forget(self) -> None:
        """Take away what a test has registered and made."""
        for plural in ("validatingwebhookconfigurations", "mutatingwebhookconfigurations", "mutatingadmissionpolicybindings",
                       "mutatingadmissionpolicies"):
            self.ask("deletecollection", plural, namespace="")
        for plural in ("customresourcedefinitions", "networkpolicies"):
            self.ask("deletecollection", plural, namespace="default" if plural == "networkpolicies" else "")
        for one in self.cluster.etcd.list("configmaps", "default"):
            if one["metadata"]["name"] != "kube-root-ca.crt":
                self.ask("delete", "configmaps", one["metadata"]["name"])
        self.cluster.run_for(3)

    def definition(self, versions: list[Object], conversion: Object | None = None, group: str = "stable.example.com") -> None:
        names = {"plural": "e2etests", "kind": "E2eTest"}
        spec = {"group": group, "names": names, "scope": "Namespaced", "versions": versions, **({"conversion": conversion} if conversion else {})}
        made = of("CustomResourceDefinition", f"e2etests.{group}", "apiextensions.k8s.io/v1", spec=spec)
        self.create("customresourcedefinitions", made, namespace="")
        self.cluster.run_for(2)


def hook(name: str, path: str, *operations: str, resource: str = "configmaps", service: str = SERVICE, port: int = 8443, ca: str | None = CA,
         group: str = "", versions: tuple[str, ...] = ("v1",), **members: Any) -> Object:
    """One webhook, for the namespace default unless `members` say otherwise."""
    config = {"service": {"namespace": "default", "name": service, "path": path, "port": port}, **({"caBundle": ca} if ca else {})}
    rules = [{"operations": list(operations or ("CREATE",)), "apiGroups": [group], "apiVersions": list(versions), "resources": [resource]}]
    return {"name": f"{name}.k8s.io", "rules": rules, "clientConfig": config, "sideEffects": "None", "admissionReviewVersions": ["v1", "v1beta1"],
            "namespaceSelector": MINE, **members}


def configmap(name: str, **data: str) -> Object:
    return of("ConfigMap", name, data={key.replace("_", "-"): value for key, value in data.items()})


def version(name: str, *, storage: bool = False, properties: Object | None = None) -> Object:
    """A served version; without properties anything goes."""
    schema: Object = {"type": "object", **({"properties": properties} if properties is not None else {"x-kubernetes-preserve-unknown-fields": True})}
    return {"name": name, "served": True, "storage": storage, "schema": {"openAPIV3Schema": schema}}


def whole(value: Any) -> Any:
    return json.loads(json.dumps(value))
