"""What the EndpointSlice and the Endpoints controllers share: which Pods a Service selects, their ports, the trigger time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..component import Controller
from ..etcd import Change, Heed, key_of_object
from ..objects import EMPTY, Map, memo
from ..selectors import selects_plain
from ..times import parse_rfc3339
from .pods import facts, is_deleting

PODS_A_MS = 20  # how many Pods a sync reads in a millisecond, about
HEADLESS = "service.kubernetes.io/headless"
NOT_COPIED = ("endpointslice.kubernetes.io/managed-by", "kubernetes.io/service-name", HEADLESS)


def _shown(pod: Map) -> Any:
    return memo(pod, "endpoint-facts", _endpoint_facts)


def _endpoint_facts(pod: Map) -> Any:
    """podEndpointsChanged: what of a Pod its Services' endpoints depend on."""
    known = facts(pod)
    status = pod.get("status") or EMPTY
    return (status.get("podIP"), known.ready, is_deleting(pod), known.phase in ("Succeeded", "Failed"), known.node,
            pod["spec"].get("hostname"), pod["spec"].get("subdomain"))


def _listing(change: Change) -> str:
    """Sorts the changes of Pods: "" for one that no Service's endpoints can show."""
    new, old = change.object, change.old
    same = (change.type == "MODIFIED" and old is not None and _shown(old) == _shown(new)
            and (change.status_only or (new["metadata"].get("labels") or EMPTY) == (old["metadata"].get("labels") or EMPTY)))
    return "" if same else "shown"


class ServiceController(Controller):
    """The base of both endpoint controllers: knows which Pods each Service selects, without asking all Pods each time."""

    def restore(self) -> None:
        self.members: dict[str, dict[str, None]] = {}  # service key -> keys of its Pods; made anew from the store
        for service in self.cluster.etcd.list("services"):
            self._gather(key_of_object(service), service)
        self.cluster.etcd.subscribe("services", self._on_service)
        self.cluster.etcd.subscribe("pods", self._on_pod, Heed(_listing, bool))
        super().restore()

    def enqueue(self, key: str, after_ms: int | None = None, because: int | None = None) -> None:
        """A sync of a large Service takes longer, so that more changes fall into the next one."""
        if after_ms is None:
            after_ms = self.latency_ms + len(self.members.get(key, ())) // PODS_A_MS
        super().enqueue(key, after_ms, because)

    def pods_of(self, service: Map) -> list[Map]:
        """The Pods that a Service selects, in key order."""
        etcd = self.cluster.etcd
        return [pod for key in sorted(self.members.get(key_of_object(service), ())) if (pod := etcd.get("pods", key)) is not None]

    def trigger_time(self, service: Map, pods: Iterable[Map]) -> int | None:
        """The time of what brought this sync about (TriggerTimeTracker), to be asked in every sync, for it notes what it was asked of: a
        new Service's creation, else the earliest Ready change among the Pods whose last one is later than in the sync before.

        None when nothing shows it, such as a new selector, a deleted Pod, or a second change within one second.
        """
        seen: dict[str, dict[str, int]] = self.state.setdefault("seen", {})
        key = key_of_object(service)
        before, now = seen.get(key), {pod["metadata"]["name"]: since for pod in pods if (since := facts(pod).ready_since)}
        seen[key] = now
        if before is None:
            return parse_rfc3339(service["metadata"]["creationTimestamp"])
        return min((since for name, since in now.items() if since > before.get(name, 0)), default=None)

    def _gather(self, key: str, service: Map) -> None:
        selector, pods = service["spec"].get("selector"), self.cluster.etcd.list("pods", service["metadata"]["namespace"])
        self.members[key] = {key_of_object(pod): None for pod in pods if selects_plain(selector, pod["metadata"].get("labels"))}

    def _on_service(self, change: Change) -> None:
        if change.type == "DELETED":
            self.members.pop(change.key, None)
            self.state.get("seen", {}).pop(change.key, None)
        elif change.old is None or change.old["spec"].get("selector") != change.object["spec"].get("selector"):
            self._gather(change.key, change.object)

    def _on_pod(self, change: Change) -> None:
        labels = change.object["metadata"].get("labels") or EMPTY
        namespace = change.object["metadata"]["namespace"]
        for service in self.cluster.etcd.list("services", namespace):
            key = key_of_object(service)
            held = self.members.setdefault(key, {})
            selected = change.type != "DELETED" and selects_plain(service["spec"].get("selector"), labels)
            if selected or change.key in held:
                if selected:
                    held[change.key] = None
                else:
                    del held[change.key]
                self.enqueue(key, because=change.cause)


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
