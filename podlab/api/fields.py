"""Which fields a field selector may name (the conversion functions of each kind, pkg/apis/*/v1/conversion.go)."""

from __future__ import annotations

from podlab.kubernetes import selectors
from podlab.kubernetes.apiserver.errors import bad_request
from podlab.kubernetes.resources import Resource

EVERY = ("metadata.name", "metadata.namespace")
OF_KIND: dict[str, tuple[str, ...]] = {
    "pods": ("spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork", "status.phase",
             "status.podIP", "status.podIPs", "status.nominatedNodeName"),
    "nodes": ("spec.unschedulable",),
    "namespaces": ("name", "status.phase"),
    "secrets": ("type",),
    "services": ("spec.clusterIP", "spec.type"),
    "replicationcontrollers": ("status.replicas",),
    "replicasets": ("status.replicas",),
    "jobs": ("status.successful",),
    "events": ("involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid", "involvedObject.apiVersion",
               "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason", "reportingComponent", "source", "type"),
}


def check(resource: Resource, text: str) -> None:
    """Raises ApiError 400 for a selector that does not parse or names a field that cannot be selected by."""
    try:
        terms = selectors.parse_fields(text)
    except selectors.SelectorError as error:
        raise bad_request(str(error)) from None
    for path, _, _ in terms:
        if path not in EVERY and path not in OF_KIND.get(resource.plural, ()):
            raise bad_request(f"field label not supported: {path}")
