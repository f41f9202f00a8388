"""EndpointSlices: which Pods a Service's traffic may go to (pkg/controller/endpointslice, S/endpointslice)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..cause import Cause
from ..component import own_key
from ..controllers_common.endpoints import ServiceController, managed_labels, should_be_listed, target_ports
from ..controllers_common.endpointslices import CHANGED, MANAGED_BY, SERVICE_NAME, SliceKeeper, plan
from ..controllers_common.owners import reference
from ..controllers_common.pods import facts, is_deleting
from ..objects import EMPTY, Map, freeze, memo
from ..times import rfc3339

ME = "endpointslice-controller.k8s.io"


HINTED = ("PreferClose", "PreferSameZone", "PreferSameNode")  # values of trafficDistribution
ZONE = "topology.kubernetes.io/zone"


def _endpoint(pod: Map, service: Map, zone: str) -> Map:
    metadata, spec, known = pod["metadata"], pod["spec"], facts(pod)
    deleting, publish = is_deleting(pod), bool(service["spec"].get("publishNotReadyAddresses"))
    made: dict[str, Any] = {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {"ready": publish or (known.ready and not deleting), "serving": known.ready, "terminating": deleting}}
    if spec.get("hostname") and spec.get("subdomain") == service["metadata"]["name"]:
        made["hostname"] = spec["hostname"]
    made["targetRef"] = {"kind": "Pod", "namespace": metadata["namespace"], "name": metadata["name"], "uid": metadata["uid"]}
    made["nodeName"] = known.node
    if zone:
        made["zone"] = zone
    if made["conditions"]["ready"] and (hints := _hints(service["spec"].get("trafficDistribution"), known.node, zone)):
        made["hints"] = hints
    frozen: Map = freeze(made)
    return frozen


def _hints(distribution: str | None, node: str, zone: str) -> dict[str, Any]:
    """For whom an endpoint is the nearest (trafficdist.ReconcileHints)."""
    hints: dict[str, Any] = {}
    if distribution in HINTED and zone:
        hints["forZones"] = [{"name": zone}]
    if distribution == "PreferSameNode":
        hints["forNodes"] = [{"name": node}]
    return hints


def wanted(service: Map, pods: Iterable[Map], zones: Mapping[str, str]) -> dict[Any, list[Map]]:
    """Endpoints by port mapping (Pods may give one port name different numbers), in the order of the Pods; `zones` by Node."""
    groups: dict[Any, list[Map]] = {}
    note = f"endpoint/{service['metadata']['uid']}/{service['metadata']['resourceVersion']}"

    def listed(pod: Map) -> tuple[Any, Map] | None:
        if not should_be_listed(pod):
            return None
        return target_ports(service, pod), _endpoint(pod, service, zones.get(facts(pod).node, ""))
    for pod in pods:
        found = memo(pod, note + zones.get(facts(pod).node, ""), listed)
        if found is not None:
            groups.setdefault(found[0], []).append(found[1])
    return groups


class EndpointSliceController(SliceKeeper, ServiceController):
    name, manager = "endpoint-slice-controller", ME
    watches = {"services": own_key}

    def reconcile(self, key: str) -> int | None:
        service = self.cluster.etcd.get("services", key)
        if service is None or not service["spec"].get("selector") or service["spec"].get("type") == "ExternalName":
            return None
        if service["metadata"].get("deletionTimestamp"):
            return None
        pods = self.pods_of(service)
        held = [one for one in self.cluster.etcd.owned(service["metadata"]["uid"], "endpointslices")
                if (one["metadata"].get("labels") or EMPTY).get(MANAGED_BY) == ME and not is_deleting(one)]
        labels = {**managed_labels(service), MANAGED_BY: ME, SERVICE_NAME: service["metadata"]["name"]}
        changed = self.trigger_time(service, pods)
        zones = {node["metadata"]["name"]: zone for node in self.cluster.etcd.list("nodes")
                 if (zone := (node["metadata"].get("labels") or EMPTY).get(ZONE))}
        todo = plan(held, wanted(service, pods, zones))
        touched = {one["metadata"]["uid"] for one, _, _ in todo if one is not None}
        todo += [(one, list(one.get("ports") or ()), list(one.get("endpoints") or ())) for one in held
                 if one["metadata"].get("labels") != labels and one["metadata"]["uid"] not in touched]
        self.writing = True
        try:
            for one, ports, endpoints in todo:
                self._write(service, one, ports, endpoints, labels, changed)
        finally:
            self.writing = False
        return None

    def _write(self, service: Map, one: Map | None, ports: list[Any], endpoints: list[Map] | None, labels: dict[str, str],
               changed: int | None) -> None:
        namespace = service["metadata"]["namespace"]
        ready = sum(1 for entry in endpoints or () if entry["conditions"]["ready"])
        cause = Cause("endpointslice-sync", {"service": service["metadata"]["name"], "ready": ready,
                                             "not_ready": len(endpoints or ()) - ready})
        if one is not None and endpoints is None:
            self.client.delete("endpointslices", one["metadata"]["name"], namespace, cause=cause)
            return
        others = one["metadata"].get("annotations") or EMPTY if one is not None and endpoints else EMPTY  # a placeholder is a new one
        marks = {**{name: text for name, text in others.items() if name != CHANGED},
                 **({CHANGED: rfc3339(changed)} if changed is not None else {})}
        annotations = {"annotations": marks} if marks else {}
        body: dict[str, Any] = {"addressType": "IPv4", "endpoints": endpoints or None, "ports": ports or None}
        if one is None:
            name = service["metadata"]["name"]
            metadata = {"generateName": f"{name}-", "namespace": namespace, "labels": labels,
                        "ownerReferences": [reference(service)], **annotations}
            self.client.create("endpointslices", {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
                                                  "metadata": metadata, **body},
                               namespace, cause=cause)
            return
        metadata = {key: value for key, value in one["metadata"].items() if key != "annotations"}
        self.client.update("endpointslices", {**one, **body, "metadata": {**metadata, "labels": labels, **annotations}},
                           cause=cause)
