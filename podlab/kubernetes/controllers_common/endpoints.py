"""What the EndpointSlice and the Endpoints controllers share: which Pods a Service selects, their ports, the trigger time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..component import Controller
from ..etcd import Change, Etcd
from ..objects import EMPTY, Map, memo
from ..selectors import selects_plain
from ..times import parse_rfc3339
from .pods import facts, is_deleting

HEADLESS = "service.kubernetes.io/headless"
NOT_COPIED = ("endpointslice.kubernetes.io/managed-by", "kubernetes.io/service-name", HEADLESS)


def _endpoint_facts(pod: Map) -> Any:
    """podEndpointsChanged: what of a Pod its Services' endpoints depend on."""
    known = facts(pod)
    status = pod.get("status") or EMPTY
    return (status.get("podIP"), known.ready, is_deleting(pod), known.phase in ("Succeeded", "Failed"), known.node,
            pod["spec"].get("hostname"), pod["spec"].get("subdomain"))


def pod_keys(controller: Controller, change: Change) -> Iterable[str]:
    """Services that select a Pod, before or after the change."""
    new, old = change.object, change.old
    labels = new["metadata"].get("labels") or EMPTY
    before = (old["metadata"].get("labels") or EMPTY) if old is not None else labels
    if change.type == "MODIFIED" and old is not None and labels == before \
            and memo(old, "endpoint-facts", _endpoint_facts) == memo(new, "endpoint-facts", _endpoint_facts):
        return ()
    namespace = new["metadata"]["namespace"]
    return [f"{namespace}/{service['metadata']['name']}" for service in controller.cluster.etcd.list("services", namespace)
            if selects_plain(service["spec"].get("selector"), labels) or selects_plain(service["spec"].get("selector"), before)]


def selected_pods(etcd: Etcd, service: Map) -> list[Map]:
    selector = service["spec"].get("selector")
    return [pod for pod in etcd.list("pods", service["metadata"]["namespace"])
            if selects_plain(selector, pod["metadata"].get("labels"))]


def should_be_listed(pod: Map) -> bool:
    """ShouldPodBeInEndpoints, with terminating Pods."""
    return facts(pod).phase not in ("Succeeded", "Failed") and bool((pod.get("status") or EMPTY).get("podIP"))


def target_ports(service: Map, pod: Map) -> tuple[tuple[tuple[str, Any], ...], ...]:
    """The Service's ports as this Pod has them: ((("name", n), ("protocol", p), ("port", number)), ...); unknown: left out."""
    found = []
    for port in service["spec"].get("ports") or ():
        target = port.get("targetPort") or port["port"]
        number = target if isinstance(target, int) else _named_port(pod, target, port.get("protocol", "TCP"))
        if number:
            app = (("appProtocol", port["appProtocol"]),) if port.get("appProtocol") else ()
            found.append((("name", port.get("name", "")), ("protocol", port.get("protocol", "TCP")), ("port", number), *app))
    return tuple(found)


def _named_port(pod: Map, name: str, protocol: str) -> int | None:
    """FindPort: containers, and sidecars among the init containers."""
    sidecars = [c for c in pod["spec"].get("initContainers") or () if c.get("restartPolicy") == "Always"]
    for container in (*pod["spec"]["containers"], *sidecars):
        for port in container.get("ports") or ():
            if port.get("name") == name and port.get("protocol", "TCP") == protocol:
                number: int = port["containerPort"]
                return number
    return None


def managed_labels(service: Map) -> dict[str, str]:
    """The Service's own labels, and the headless mark."""
    labels = {key: value for key, value in (service["metadata"].get("labels") or EMPTY).items() if key not in NOT_COPIED}
    return {**labels, HEADLESS: ""} if service["spec"].get("clusterIP") == "None" else labels


def change_time(service: Map, pods: Iterable[Map], written: Iterable[Map]) -> int | None:
    """The trigger time (TriggerTimeTracker): the Service's creation for a first write, else the latest Ready change of a Pod.

    None when nothing shows what triggered the change, such as a new selector or a deleted Pod.
    """
    mark = "endpoints.kubernetes.io/last-change-trigger-time"
    before = [(one["metadata"].get("annotations") or EMPTY).get(mark) for one in written]
    born = parse_rfc3339(service["metadata"]["creationTimestamp"])
    latest = max((facts(pod).ready_since for pod in pods), default=0)
    if not before:
        return max(born, latest)
    known = max((parse_rfc3339(text) for text in before if text), default=0)
    return latest if latest >= known and latest > born else None
