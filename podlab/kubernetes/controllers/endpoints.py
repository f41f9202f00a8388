"""Endpoints: the older mirror of EndpointSlices, one object a Service (pkg/controller/endpoint/endpoints_controller.go)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..cause import Cause
from ..component import Controller, own_key
from ..controllers_common.endpoints import ServiceController, managed_labels, should_be_listed, target_ports
from ..controllers_common.pods import facts, is_deleting
from ..etcd import Change
from ..objects import EMPTY, Map, freeze, memo
from ..times import rfc3339

MAX_ADDRESSES = 1000  # maxCapacity
OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"
CHANGED = "endpoints.kubernetes.io/last-change-trigger-time"


Placed = tuple[tuple[int, ...], Map]  # an address and how it sorts


def _address(pod: Map, service: str) -> Placed:
    metadata, spec, ip = pod["metadata"], pod["spec"], pod["status"]["podIP"]
    named = {"hostname": spec["hostname"]} if spec.get("hostname") and spec.get("subdomain") == service else {}
    return tuple(map(int, ip.split("."))), freeze(
        {"ip": ip, **named, "nodeName": facts(pod).node,
         "targetRef": {"kind": "Pod", "namespace": metadata["namespace"], "name": metadata["name"], "uid": metadata["uid"]}})


def subsets(service: Map, pods: list[Map]) -> list[dict[str, Any]]:
    """RepackSubsets: addresses by port set, ready ones apart from the others, in order of IPs; no terminating Pods."""
    groups: dict[Any, dict[str, list[Placed]]] = {}
    publish = bool(service["spec"].get("publishNotReadyAddresses"))
    note = f"address/{service['metadata']['uid']}/{service['metadata']['resourceVersion']}"

    def listed(pod: Map) -> tuple[Any, str, Placed] | None:
        if not should_be_listed(pod) or (is_deleting(pod) and not publish):
            return None
        ports = target_ports(service, pod)
        if not ports and service["spec"].get("ports"):
            return None
        return ports, "addresses" if publish or facts(pod).ready else "notReadyAddresses", _address(pod, service["metadata"]["name"])
    for pod in pods:
        found = memo(pod, note, listed)
        if found is not None:
            groups.setdefault(found[0], {"addresses": [], "notReadyAddresses": []})[found[1]].append(found[2])
    made = []
    for ports, group in groups.items():
        named = [{key: value for key, value in (*port[2:3], *port[:2], *port[3:]) if value != ""} for port in ports]
        ordered = {key: [address for _, address in sorted(found, key=lambda placed: placed[0])]
                   for key, found in group.items() if found}
        made.append({**ordered, **({"ports": named} if named else {})})
    return made


def _truncated(found: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], bool]:
    total = sum(len(subset.get(kind, ())) for subset in found for kind in ("addresses", "notReadyAddresses"))
    if total <= MAX_ADDRESSES:
        return found, False
    left, cut = MAX_ADDRESSES, [dict(subset) for subset in found]
    for kind in ("addresses", "notReadyAddresses"):  # ready ones are kept first
        for subset in cut:
            subset[kind] = subset.get(kind, [])[:left]
            left -= len(subset[kind])
    return cut, True


def _deleted(_: Controller, change: Change) -> Iterable[str]:
    """What people write into its Endpoints stays until something else of the Service changes; what they delete is made again."""
    return (change.key,) if change.type == "DELETED" else ()


class EndpointsController(ServiceController):
    name = "endpoint-controller"
    watches = {"services": own_key, "endpoints": _deleted}

    def reconcile(self, key: str) -> int | None:
        service, held = self.cluster.etcd.get("services", key), self.cluster.etcd.get("endpoints", key)
        if service is None:
            if held is not None:  # those that people wrote too
                self.client.delete("endpoints", held["metadata"]["name"], held["metadata"]["namespace"],
                                   cause=Cause("endpoints-service-gone"))
            return None
        if not service["spec"].get("selector") or service["spec"].get("type") == "ExternalName":
            return None
        pods = self.pods_of(service)
        changed = self.trigger_time(service, pods)
        found, over = _truncated(subsets(service, pods))
        labels = {**managed_labels(service), "endpoints.kubernetes.io/managed-by": "endpoint-controller"}
        if held is not None and list(held.get("subsets") or ()) == found and held["metadata"].get("labels") == labels:
            return None
        others = held["metadata"].get("annotations") or EMPTY if held is not None else EMPTY
        annotations = {**{name: text for name, text in others.items() if name not in (CHANGED, OVER_CAPACITY)},
                       **({CHANGED: rfc3339(changed)} if changed is not None else {}),
                       **({OVER_CAPACITY: "truncated"} if over else {})}
        metadata = {**(held["metadata"] if held is not None
                       else {"name": service["metadata"]["name"], "namespace": service["metadata"]["namespace"]}),
                    "labels": labels, "annotations": annotations}
        if not annotations:
            del metadata["annotations"]
        body = {"kind": "Endpoints", "apiVersion": "v1", "metadata": metadata, **({"subsets": found} if found else {})}
        cause = Cause("endpoints-sync", {"ready": sum(len(subset.get("addresses", ())) for subset in found)})
        if held is None:
            self.client.create("endpoints", body, service["metadata"]["namespace"], cause=cause)
        else:
            self.client.update("endpoints", body, cause=cause)
        return None
