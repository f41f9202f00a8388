"""Pods and Pod templates."""

from __future__ import annotations

from collections.abc import Sequence

from ... import quantity
from ...apiserver.tables.texts import Obj, condition, controller_of, format_selector, rfc1123z, since
from ...objects import Map
from .containers import describe_containers, describe_resources
from .events import MIRROR_ANNOTATION, Reader, describe_events, events_of
from .volumes import describe_volumes
from .writer import Page


def describe_pod(page: Page, client: Reader, pod: Map, show_events: bool) -> None:
    metadata, spec, status = pod["metadata"], pod["spec"], pod.get("status") or {}
    page.field("Name", metadata["name"])
    page.field("Namespace", metadata["namespace"])
    if spec.get("priority") is not None:
        page.field("Priority", spec["priority"])
    for title, name in (("Priority Class Name", "priorityClassName"), ("Runtime Class Name", "runtimeClassName"),
                        ("Service Account", "serviceAccountName")):
        if spec.get(name):
            page.field(title, spec[name])
    page.field("Node", f"{spec['nodeName']}/{status.get('hostIP', '')}" if spec.get("nodeName") else "<none>")
    if status.get("startTime"):
        page.field("Start Time", rfc1123z(status["startTime"]))
    page.labels("Labels", metadata.get("labels"))
    page.annotations("Annotations", metadata.get("annotations"))
    _status(page, pod)
    _network(page, pod)
    if spec.get("resources"):
        page.line(0, "Resources:")
        describe_resources(page, spec["resources"], 1)
    if spec.get("initContainers"):
        describe_containers(page, "Init Containers", spec["initContainers"], status.get("initContainerStatuses"), pod)
    describe_containers(page, "Containers", spec["containers"], status.get("containerStatuses"), pod)
    if spec.get("ephemeralContainers"):
        describe_containers(page, "Ephemeral Containers", spec["ephemeralContainers"],
                            status.get("ephemeralContainerStatuses"), pod)
    _conditions(page, pod)
    describe_volumes(page, spec.get("volumes"))
    page.field("QoS Class", status.get("qosClass") or qos_class(pod))
    page.labels("Node-Selectors", spec.get("nodeSelector"))
    page.tolerations("Tolerations", spec.get("tolerations"))
    _spread(page, spec.get("topologySpreadConstraints"))
    _scheduling_group(page, spec.get("schedulingGroup"))
    if show_events:
        describe_events(page, events_of(client, pod, "", (metadata.get("annotations") or {}).get(MIRROR_ANNOTATION)))


def _status(page: Page, pod: Obj) -> None:
    metadata, status = pod["metadata"], pod.get("status") or {}
    if metadata.get("deletionTimestamp") and status.get("phase") not in ("Failed", "Succeeded"):
        page.field("Status", f"Terminating (lasts {since(metadata['deletionTimestamp'], page.now)})")
        page.field("Termination Grace Period", f"{metadata.get('deletionGracePeriodSeconds', 0)}s")
    else:
        page.field("Status", status.get("phase", ""))
    for title, name in (("Reason", "reason"), ("Message", "message")):
        if status.get(name):
            page.field(title, status[name])
    seccomp = (pod["spec"].get("securityContext") or {}).get("seccompProfile")
    if seccomp:
        page.field("SeccompProfile", seccomp["type"])
        if seccomp["type"] == "Localhost":
            page.field("LocalhostProfile", seccomp.get("localhostProfile", ""))


def _network(page: Page, pod: Obj) -> None:
    status = pod.get("status") or {}
    page.field("IP", status.get("podIP", ""))
    if status.get("podIPs"):
        page.line(0, "IPs:")
        for ip in status["podIPs"]:
            page.field("IP", ip.get("ip", ""), 1)
    else:
        page.field("IPs", "<none>")
    controlled_by(page, pod)
    if status.get("nominatedNodeName"):
        page.field("NominatedNodeName", status["nominatedNodeName"])


def controlled_by(page: Page, obj: Obj) -> None:
    owner = controller_of(obj)
    if owner is not None:
        page.field("Controlled By", f"{owner['kind']}/{owner['name']}")


def _conditions(page: Page, pod: Obj) -> None:
    gates = pod["spec"].get("readinessGates")
    if gates:
        page.line(0, "Readiness Gates:\n  Type\tStatus")
        for gate in gates:
            found = condition(pod, gate["conditionType"])
            page.line(1, f"{gate['conditionType']} \t{found['status'] if found else '<none>'} ")
    conditions = (pod.get("status") or {}).get("conditions")
    if conditions:
        page.line(0, "Conditions:\n  Type\tStatus")
        for held in conditions:
            page.line(1, f"{held['type']} \t{held['status']} ")


def _spread(page: Page, constraints: Sequence[Obj] | None, level: int = 0) -> None:
    if not constraints:
        return
    texts = []
    for constraint in sorted(constraints, key=lambda c: c["topologyKey"]):
        text = f"{constraint['topologyKey']}:{constraint['whenUnsatisfiable']} when max skew {constraint['maxSkew']} is exceeded"
        if constraint.get("labelSelector") is not None:
            text += f" for selector {format_selector(constraint['labelSelector'])}"
        texts.append(text)
    page.listing("Topology Spread Constraints", texts, level)


def _scheduling_group(page: Page, group: Obj | None, level: int = 0) -> None:
    if group:
        page.line(level, "SchedulingGroup:")
        page.field("PodGroupName", group.get("podGroupName", ""), 1)


def describe_template(page: Page, template: Obj | None) -> None:
    """A Pod template, indented by one level."""
    page.line(0, "Pod Template:")
    if template is None:
        page.put("  <unset>")
        return
    metadata, spec = template.get("metadata") or {}, template.get("spec") or {}
    page.labels("  Labels", metadata.get("labels"))
    if metadata.get("annotations"):
        page.annotations("  Annotations", metadata["annotations"])
    if spec.get("serviceAccountName"):
        page.field("Service Account", spec["serviceAccountName"], 1)
    if spec.get("initContainers"):
        describe_containers(page, "Init Containers", spec["initContainers"], None, None, 1)
    describe_containers(page, "Containers", spec.get("containers") or (), None, None, 1)
    describe_volumes(page, spec.get("volumes"), 1)
    _spread(page, spec.get("topologySpreadConstraints"), 1)
    if spec.get("priorityClassName"):
        page.field("Priority Class Name", spec["priorityClassName"], 1)
    page.labels("  Node-Selectors", spec.get("nodeSelector"))
    page.tolerations("  Tolerations", spec.get("tolerations"))
    _scheduling_group(page, spec.get("schedulingGroup"), 1)


def qos_class(pod: Obj) -> str:
    """The class of a Pod whose status does not say it (kubectl/pkg/util/qos/qos.go)."""
    spec = pod["spec"]
    whole, guaranteed = False, True
    for container in [spec] if spec.get("resources") else [*(spec.get("initContainers") or ()), *spec["containers"]]:
        resources = container.get("resources") or {}
        limits, requests = resources.get("limits") or {}, resources.get("requests") or resources.get("limits") or {}
        for name in ("cpu", "memory"):
            limit, request = quantity.milli(limits.get(name)), quantity.milli(requests.get(name))
            whole = whole or limit > 0 or request > 0
            guaranteed = guaranteed and limit > 0 and limit == request
    return "BestEffort" if not whole else "Guaranteed" if guaranteed else "Burstable"
