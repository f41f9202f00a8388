"""Nodes, with their Pods and what those have asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fractions import Fraction

from ... import quantity
from ...apiserver.errors import ApiError
from ...apiserver.tables.texts import Obj, node_roles, rfc1123z, since
from ...objects import Map
from .events import Reader, describe_events
from .writer import Page

LEASE_NAMESPACE = "kube-node-lease"
# IsStandardContainerResourceName (kubectl/pkg/util/resource), and the Pod count, are not extended resources
STANDARD = ("cpu", "memory", "ephemeral-storage", "pods")
# the Pod-level resources that replace the containers' sum (IsSupportedPodLevelResource)
POD_LEVEL = re.compile(r"cpu\Z|memory\Z|hugepages-")
INFO = (("Machine ID", "machineID"), ("System UUID", "systemUUID"), ("Boot ID", "bootID"), ("Kernel Version", "kernelVersion"),
        ("OS Image", "osImage"), ("Operating System", "operatingSystem"), ("Architecture", "architecture"),
        ("Container Runtime Version", "containerRuntimeVersion"), ("Kubelet Version", "kubeletVersion"))


class Amounts:
    """Sums of quantities by name; each keeps the notation (binary, decimal) of its first part that is not zero."""

    def __init__(self) -> None:
        self.held: dict[str, tuple[Fraction, bool]] = {}

    def add(self, more: Mapping[str, str] | None, only: Iterable[str] | None = None) -> None:
        for name, text in (more or {}).items():
            if only is None or name in only:
                self._put(name, self.of(name) + quantity.parse(str(text)), text)

    def at_least(self, other: Amounts | Mapping[str, str] | None) -> None:
        """The larger of both, name by name."""
        for name, text in (other.texts() if isinstance(other, Amounts) else other or {}).items():
            if name not in self.held or quantity.parse(str(text)) > self.of(name):
                self.held[name] = quantity.parse(str(text)), _binary(str(text))

    def replace(self, other: Mapping[str, str] | None) -> None:
        for name, text in (other or {}).items():
            if POD_LEVEL.match(name):
                self.held[name] = quantity.parse(str(text)), _binary(str(text))

    def _put(self, name: str, amount: Fraction, text: str) -> None:
        before = self.held.get(name)
        self.held[name] = amount, before[1] if before and before[0] else _binary(str(text))

    def of(self, name: str) -> Fraction:
        return self.held.get(name, (Fraction(0), False))[0]

    def text(self, name: str) -> str:
        amount, binary = self.held.get(name, (Fraction(0), False))
        return quantity.format_binary(amount) if binary else quantity.format_decimal(amount)

    def texts(self) -> dict[str, str]:
        return {name: self.text(name) for name in self.held}


def _binary(text: str) -> bool:
    return text.endswith("i")


def pod_amounts(pod: Obj, field: str, *, with_status: bool) -> Amounts:
    """A Pod's `requests` or `limits` as the scheduler counts them (component-helpers/resource, PodRequests and PodLimits):
    its containers and sidecars together, or one init container with the sidecars before it if that is more."""
    spec, status = pod["spec"], pod.get("status") or {}
    statuses = {c["name"]: c for c in (*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ()))}
    total, sidecars, initial = Amounts(), Amounts(), Amounts()

    def own(container: Obj) -> dict[str, str]:
        amounts = Amounts()
        amounts.add((container.get("resources") or {}).get(field))
        held = statuses.get(container["name"]) if with_status else None
        if held:
            amounts.at_least((held.get("resources") or {}).get(field))
            if field == "requests":
                amounts.at_least(held.get("allocatedResources"))
        return amounts.texts()

    for container in spec["containers"]:
        total.add(own(container))
    for container in spec.get("initContainers") or ():
        needed = Amounts()
        if container.get("restartPolicy") == "Always":
            total.add(own(container))
            sidecars.add(own(container))
        else:
            needed.add(own(container))
        needed.add(sidecars.texts())
        initial.at_least(needed)
    total.at_least(initial)
    total.replace((spec.get("resources") or {}).get(field))
    overhead = spec.get("overhead")
    total.add(overhead, only=None if field == "requests" else list(total.held))
    return total


def describe_node(page: Page, client: Reader, node: Map, show_events: bool) -> None:
    metadata, spec, status = node["metadata"], node.get("spec") or {}, node.get("status") or {}
    page.field("Name", metadata["name"])
    page.field("Roles", ",".join(node_roles(node)) or "<none>")
    page.labels("Labels", metadata.get("labels"))
    page.annotations("Annotations", metadata.get("annotations"))
    page.field("CreationTimestamp", rfc1123z(metadata["creationTimestamp"]))
    page.taints("Taints", spec.get("taints"))
    page.field("Unschedulable", str(bool(spec.get("unschedulable"))).lower())
    _lease(page, client, metadata["name"])
    _conditions(page, status)
    page.line(0, "Addresses:")
    for address in status.get("addresses") or ():
        page.field(address["type"], address["address"], 1)
    for title, field in (("Capacity", "capacity"), ("Allocatable", "allocatable")):
        if status.get(field):
            page.line(0, title + ":")
            for name, amount in sorted(status[field].items()):
                page.field(name, amount, 1)
    page.line(0, "System Info:")
    for title, field in INFO:
        page.field(title, (status.get("nodeInfo") or {}).get(field, ""), 1)
    if spec.get("podCIDR"):
        page.field("PodCIDR", spec["podCIDR"])
    if spec.get("podCIDRs"):
        page.field("PodCIDRs", ",".join(spec["podCIDRs"]))
    if spec.get("providerID"):
        page.field("ProviderID", spec["providerID"])
    _pods(page, client, node)
    if show_events:
        describe_events(page, node_events(client, node))


def node_events(client: Reader, node: Map) -> list[Map]:
    """Controllers name a node by its uid, kubelets by its name (NodeDescriber). A node has no namespace, its events have one."""
    name, uid = node["metadata"]["name"], node["metadata"].get("uid")
    about = [event for event in client.list("events") if (event.get("involvedObject") or {}).get("kind") == "Node"
             and event["involvedObject"].get("name") == name and not event["involvedObject"].get("namespace")]
    return [event for wanted in (uid, name) for event in about if event["involvedObject"].get("uid") == wanted]


def _lease(page: Page, client: Reader, name: str) -> None:
    try:
        lease = client.get("leases", name, LEASE_NAMESPACE)
    except ApiError as error:
        page.field("Lease", f"Failed to get lease: {error.message}")
        return
    spec = lease.get("spec") or {}
    page.line(0, "Lease:")
    page.field("HolderIdentity", spec.get("holderIdentity", "<unset>"), 1)
    for title, field in (("AcquireTime", "acquireTime"), ("RenewTime", "renewTime")):
        page.field(title, rfc1123z(spec[field]) if spec.get(field) else "<unset>", 1)


def _conditions(page: Page, status: Obj) -> None:
    if status.get("conditions"):
        page.line(0, "Conditions:\n  Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage")
        page.line(1, "----\t------\t-----------------\t------------------\t------\t-------")
        for held in status["conditions"]:
            page.line(1, f"{held['type']} \t{held['status']} \t{rfc1123z(held.get('lastHeartbeatTime'))} "
                         f"\t{rfc1123z(held.get('lastTransitionTime'))} \t{held.get('reason', '')} \t{held.get('message', '')}")


def _pods(page: Page, client: Reader, node: Map) -> None:
    status, name = node.get("status") or {}, node["metadata"]["name"]
    allocatable = status.get("allocatable") or status.get("capacity") or {}
    pods = [pod for pod in client.list("pods") if pod["spec"].get("nodeName") == name
            and (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")]
    page.field("Non-terminated Pods", f"({len(pods)} in total)")
    page.line(1, "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge")
    page.line(1, "---------\t----\t\t------------\t----------\t---------------\t-------------\t---")
    requests, limits = Amounts(), Amounts()
    for pod in pods:
        asked, capped = pod_amounts(pod, "requests", with_status=True), pod_amounts(pod, "limits", with_status=True)
        cells = [_share(amounts, resource, allocatable) for resource in ("cpu", "memory") for amounts in (asked, capped)]
        page.line(1, "\t".join((pod["metadata"]["namespace"], pod["metadata"]["name"], "", *cells,
                                since(pod["metadata"]["creationTimestamp"], page.now))))
        requests.add(pod_amounts(pod, "requests", with_status=False).texts())
        limits.add(pod_amounts(pod, "limits", with_status=False).texts())
    page.line(0, "Allocated resources:\n  (Total limits may be over 100 percent, i.e., overcommitted.)")
    page.line(1, "Resource\tRequests\tLimits")
    page.line(1, "--------\t--------\t------")
    pages = sorted(name for name in allocatable if name.startswith("hugepages-"))
    for name in ("cpu", "memory", "ephemeral-storage", *pages):
        page.line(1, f"{name}\t{_share(requests, name, allocatable)}\t{_share(limits, name, allocatable)}")
    for name in sorted(name for name in allocatable if name not in STANDARD and name not in pages):
        page.line(1, f"{name}\t{requests.text(name)}\t{limits.text(name)}")


def _share(amounts: Amounts, name: str, allocatable: Mapping[str, str]) -> str:
    """`250m (12%)`, the percentage cut, of the node's allocatable."""
    whole = quantity.parse(str(allocatable.get(name, "0")))
    return f"{amounts.text(name)} ({int(amounts.of(name) / whole * 100) if whole else 0}%)"
