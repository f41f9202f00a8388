"""Which fields a field selector may name (the conversion functions of each kind, pkg/apis/*/v1/conversion.go)."""

from __future__ import annotations

from .. import selectors
from ..resources import Resource
from . import versions
from .errors import bad_request

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
    "certificatesigningrequests": ("spec.signerName",),
    "resourceslices": ("spec.driver", "spec.nodeName"),
    "events": ("involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid", "involvedObject.apiVersion",
               "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason", "reportingComponent", "source", "type"),
}
# What an unset field is taken for: its Go type is no pointer, and a bool or a number is formatted
ZERO = {"spec.unschedulable": "false", "spec.hostNetwork": "false", "status.replicas": "0", "status.successful": "0"}


def checked(resource: Resource, text: str) -> str:
    """A selector with its paths as the stored version has them. Raises ApiError 400 where it does not parse or names no such field."""
    try:
        terms = selectors.parse_fields(text)
    except selectors.SelectorError as error:
        raise bad_request(str(error)) from None
    found = [(versions.stored_field(resource, path), operator, value) for path, operator, value in terms]
    for (path, _, _), (asked, _, _) in zip(found, terms, strict=True):
        known = resource.custom.selectable if resource.custom is not None else OF_KIND.get(resource.plural, ())
        if path not in EVERY and path not in known:
            raise bad_request(f"field label not supported: {asked}")
    return ",".join(path + operator + value for path, operator, value in found)


def chosen(resource: Resource, text: str) -> dict[str, str]:
    """A selector as options of a Request, with the version whose fields it means where that is not the stored one. Raises ApiError 400."""
    beside = resource.custom is not None and not resource.custom.storage
    return {"fieldSelector": checked(resource, text), **({"apiVersion": resource.api_version} if beside else {})}
