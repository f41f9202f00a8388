"""EndpointSlices for the Endpoints that people write themselves, of Services without selector (pkg/controller/endpointslicemirroring)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..cause import Cause
from ..component import Controller
from ..controllers_common.endpointslices import CHANGED, MANAGED_BY, SERVICE_NAME, SliceKeeper, plan
from ..controllers_common.owners import reference
from ..controllers_common.pods import is_deleting
from ..etcd import Change
from ..objects import EMPTY, Map, freeze

ME = "endpointslicemirroring-controller.k8s.io"  # ControllerName
SKIP = "endpointslice.kubernetes.io/skip-mirror"
LEADER = "control-plane.alpha.kubernetes.io/leader"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
BY_US = "endpoints.kubernetes.io/managed-by"  # on Endpoints that their own controller keeps


def _labels(obj: Map) -> Map:
    return obj["metadata"].get("labels") or EMPTY


def _of_service(_: Controller, change: Change) -> Iterable[str]:
    """A Service without selector, or one that just got or lost it."""
    plain = all(obj is None or obj["spec"].get("selector") for obj in (change.object, change.old))
    return () if plain else (change.key,)


def _of_endpoints(_: Controller, change: Change) -> Iterable[str]:
    return () if BY_US in _labels(change.object) else (change.key,)


def _endpoint(address: Map, ready: bool) -> Map:
    """addressToEndpoint: a mirrored endpoint says only whether it is ready."""
    kept = {member: address[member] for member in ("hostname", "targetRef", "nodeName") if address.get(member)}
    made: Map = freeze({"addresses": [address["ip"]], "conditions": {"ready": ready}, **kept})
    return made


def groups(endpoints: Map) -> dict[Any, list[Map]]:
    """Endpoints by the ports of their subset."""
    found: dict[Any, list[Map]] = {}
    for subset in endpoints.get("subsets") or ():
        ports = tuple(tuple((key, value) for key, value in (("name", port.get("name", "")), ("protocol", port.get("protocol", "TCP")),
                                                             ("port", port["port"]), ("appProtocol", port.get("appProtocol"))) if value is not None)
                      for port in subset.get("ports") or ())
        held = found.setdefault(ports, [])
        for member, ready in (("addresses", True), ("notReadyAddresses", False)):
            held += [_endpoint(address, ready) for address in subset.get(member) or () if ":" not in address["ip"]]
    return {ports: held for ports, held in found.items() if held}


class EndpointSliceMirroringController(SliceKeeper):
    name, manager = "endpoint-slice-mirroring-controller", ME
    watches = {"services": _of_service, "endpoints": _of_endpoints}

    def reconcile(self, key: str) -> int | None:
        service, endpoints = self.cluster.etcd.get("services", key), self.cluster.etcd.get("endpoints", key)
        namespace, _, name = key.partition("/")
        held = [one for one in self.cluster.etcd.list("endpointslices", namespace)
                if _labels(one).get(MANAGED_BY) == ME and _labels(one).get(SERVICE_NAME) == name and not is_deleting(one)]
        mirrored = endpoints is not None and service is not None and not service["spec"].get("selector") and _may_be_mirrored(endpoints)
        todo = plan(held, groups(endpoints)) if endpoints is not None and mirrored else [(one, [], None) for one in held]
        self.writing = True
        try:
            for one_or_none, ports, listed in todo:
                self._write(name, endpoints, one_or_none, ports, listed)
        finally:
            self.writing = False
        return None

    def _write(self, service: str, endpoints: Map | None, one: Map | None, ports: list[Any], listed: list[Map] | None) -> None:
        ready = sum(1 for entry in listed or () if entry["conditions"]["ready"])
        cause = Cause("endpointslice-sync", {"service": service, "ready": ready, "not_ready": len(listed or ()) - ready})
        if one is not None and listed is None:
            self.client.delete("endpointslices", one["metadata"]["name"], one["metadata"]["namespace"], cause=cause)
            return
        assert endpoints is not None
        annotations = {name: text for name, text in (endpoints["metadata"].get("annotations") or EMPTY).items()
                       if name not in (CHANGED, LAST_APPLIED)}
        marks: dict[str, Any] = {"labels": {**_labels(endpoints), SERVICE_NAME: service, MANAGED_BY: ME},
                                 **({"annotations": annotations} if annotations else {})}
        body: dict[str, Any] = {"addressType": "IPv4", "endpoints": listed or None, "ports": ports or None}
        namespace = endpoints["metadata"]["namespace"]
        if one is None:
            metadata = {"generateName": f"{service}-", "namespace": namespace, "ownerReferences": [reference(endpoints)], **marks}
            self.client.create("endpointslices", {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata,
                                                  **body}, namespace, cause=cause)
            return
        kept = {member: value for member, value in one["metadata"].items() if member != "annotations"}
        self.client.update("endpointslices", {**one, **body, "metadata": {**kept, **marks}}, cause=cause)


def _may_be_mirrored(endpoints: Map) -> bool:
    """shouldMirror."""
    return _labels(endpoints).get(SKIP) != "true" and LEADER not in (endpoints["metadata"].get("annotations") or EMPTY)
