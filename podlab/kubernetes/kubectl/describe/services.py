"""Services, endpoints, Ingresses and network policies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...apiserver.tables.texts import Obj, format_labels, format_selector, join_host_port, load_balancer_addresses
from ...objects import Map
from .events import Reader, describe_events, events_of
from .writer import Page

SERVICE_LABEL = "kubernetes.io/service-name"
SHOWN = 3  # formatEndpointSlices: max


def _head(page: Page, obj: Obj) -> None:
    page.field("Name", obj["metadata"]["name"])
    if obj["metadata"].get("namespace"):
        page.field("Namespace", obj["metadata"]["namespace"])
    page.labels("Labels", obj["metadata"].get("labels"))
    page.annotations("Annotations", obj["metadata"].get("annotations"))


def describe_service(page: Page, client: Reader, obj: Map, show_events: bool) -> None:
    spec = obj["spec"]
    _head(page, obj)
    page.field("Selector", format_labels(spec.get("selector")))
    page.field("Type", spec.get("type", ""))
    if spec.get("ipFamilyPolicy"):
        page.field("IP Family Policy", spec["ipFamilyPolicy"])
    page.field("IP Families", ",".join(spec.get("ipFamilies") or ()) or "<none>")
    page.field("IP", spec.get("clusterIP", ""))
    page.field("IPs", ",".join(spec.get("clusterIPs") or ()) or "<none>")
    if spec.get("externalIPs"):
        page.field("External IPs", ",".join(spec["externalIPs"]))
    for title, field in (("Desired LoadBalancer IP", "loadBalancerIP"), ("External Name", "externalName")):
        if spec.get(field):
            page.field(title, spec[field])
    ingress = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress")
    if ingress:
        page.field("LoadBalancer Ingress", ", ".join(_ingress_point(point) for point in ingress))
    slices = endpoint_slices(client, obj["metadata"]["namespace"], obj["metadata"]["name"])
    for port in spec.get("ports") or ():
        _port(page, port, slices)
    page.field("Session Affinity", spec.get("sessionAffinity", ""))
    for title, field in (("External Traffic Policy", "externalTrafficPolicy"),
                         ("Internal Traffic Policy", "internalTrafficPolicy"), ("HealthCheck NodePort", "healthCheckNodePort")):
        if spec.get(field):
            page.field(title, spec[field])
    if spec.get("loadBalancerSourceRanges"):
        page.field("LoadBalancer Source Ranges", ",".join(spec["loadBalancerSourceRanges"]))
    if spec.get("trafficDistribution"):
        page.field("Traffic Distribution", spec["trafficDistribution"])
    if show_events:
        describe_events(page, events_of(client, obj, "Service"))


def _ingress_point(point: Obj) -> str:
    if not point.get("ip"):
        return str(point.get("hostname", ""))
    return str(point["ip"]) + (f" ({point['ipMode']})" if point.get("ipMode") else "")


def _port(page: Page, port: Obj, slices: list[Map]) -> None:
    name, protocol = port.get("name") or "<unset>", port.get("protocol", "TCP")
    page.field("Port", f"{name}\t{port['port']}/{protocol}")
    page.field("TargetPort", f"{port.get('targetPort', port['port'])}/{protocol}")
    if port.get("appProtocol"):
        page.field("AppProtocol", port["appProtocol"])
    if port.get("nodePort"):
        page.field("NodePort", f"{name}\t{port['nodePort']}/{protocol}")
    page.field("Endpoints", slices_text(slices, port.get("name") or ""))


def endpoint_slices(client: Reader, namespace: str, service: str) -> list[Map]:
    return client.list("endpointslices", namespace, labels=f"{SERVICE_LABEL}={service}")


def slices_text(slices: Sequence[Obj], port_name: str) -> str:
    """`10.0.0.1:80,...`: ready endpoints of a port, three at most, `<none>` only where there is no slice at all."""
    if not slices:
        return "<none>"
    items: list[str] = []
    seen, more = 0, False
    for endpoints in slices:
        ports: list[Any] = [None]  # a headless Service may have none
        if endpoints.get("ports"):
            ports = [p for p in endpoints["ports"] if (p.get("name") or "") == port_name]
        for port in ports:
            for endpoint in endpoints.get("endpoints") or ():
                more = more or len(items) == SHOWN
                if (endpoint.get("conditions") or {}).get("ready", True) is False:
                    continue
                seen += 1
                if not more:
                    address = endpoint["addresses"][0]
                    items.append(address if port is None else join_host_port(address, port["port"]))
    return ",".join(items) + (f" + {seen - SHOWN} more..." if more else "")


def describe_endpoints(page: Page, client: Reader, obj: Map, show_events: bool) -> None:
    _head(page, obj)
    page.line(0, "Subsets:")
    for subset in obj.get("subsets") or ():
        for title, field in (("Addresses", "addresses"), ("NotReadyAddresses", "notReadyAddresses")):
            page.field(title, ",".join(a["ip"] for a in subset.get(field) or ()) or "<none>", 1)
        if subset.get("ports"):
            page.line(1, "Ports:")
            page.line(2, "Name\tPort\tProtocol")
            page.line(2, "----\t----\t--------")
            for port in subset["ports"]:
                page.line(2, f"{port.get('name') or '<unset>'}\t{port['port']}\t{port.get('protocol', 'TCP')}")
        page.line(0, "")
    if show_events:
        describe_events(page, events_of(client, obj, "Endpoints"))


def describe_endpointslice(page: Page, client: Reader, obj: Map, show_events: bool) -> None:
    _head(page, obj)
    page.field("AddressType", obj["addressType"])
    if obj.get("ports"):
        page.line(0, "Ports:")
        page.line(1, "Name\tPort\tProtocol")
        page.line(1, "----\t----\t--------")
        for port in obj["ports"]:
            page.line(1, f"{port.get('name') or '<unset>'}\t{port.get('port', '<unset>')}\t{port.get('protocol', 'TCP')}")
    else:
        page.line(0, "Ports: <unset>")
    if obj.get("endpoints"):
        page.line(0, "Endpoints:")
        for endpoint in obj["endpoints"]:
            _endpoint(page, endpoint)
    else:
        page.line(0, "Endpoints: <none>")
    if show_events:
        describe_events(page, events_of(client, obj, "EndpointSlice"))


def _endpoint(page: Page, endpoint: Obj) -> None:
    ready = (endpoint.get("conditions") or {}).get("ready")
    page.line(1, f"- Addresses:\t{', '.join(endpoint['addresses']) or '<none>'}")
    page.line(2, "Conditions:")
    page.field("Ready", "<unset>" if ready is None else str(ready).lower(), 3)
    page.field("Hostname", endpoint.get("hostname", "<unset>"), 2)
    if endpoint.get("targetRef"):
        page.field("TargetRef", f"{endpoint['targetRef']['kind']}/{endpoint['targetRef']['name']}", 2)
    page.field("NodeName", endpoint.get("nodeName", "<unset>"), 2)
    page.field("Zone", endpoint.get("zone", "<unset>"), 2)


def describe_ingress(page: Page, client: Reader, obj: Map, show_events: bool) -> None:
    metadata, spec = obj["metadata"], obj.get("spec") or {}
    namespace, given = metadata["namespace"], spec.get("defaultBackend")
    page.field("Name", metadata["name"])
    page.labels("Labels", metadata.get("labels"))
    page.field("Namespace", namespace)
    page.field("Address", load_balancer_addresses(obj))
    page.field("Ingress Class", spec.get("ingressClassName", "<none>"))
    default = _backend(client, namespace, given) if given else "<default>"
    page.field("Default backend", default)
    if spec.get("tls"):
        page.line(0, "TLS:")
        for tls in spec["tls"]:
            hosts = ",".join(tls.get("hosts") or ())
            page.line(1, f"{tls['secretName']} terminates {hosts}" if tls.get("secretName") else f"SNI routes {hosts}")
    page.line(0, "Rules:\n  Host\tPath\tBackends")
    page.line(1, "----\t----\t--------")
    rules = [rule for rule in spec.get("rules") or () if rule.get("http")]
    for rule in rules:
        page.line(1, f"{rule.get('host') or '*'}\t")
        for path in rule["http"]["paths"]:
            page.line(2, f"\t{path.get('path', '')} \t{_backend(client, namespace, path['backend'])}")
    if not rules:
        page.line(1, f"*\t*\t{default}")
    page.annotations("Annotations", metadata.get("annotations"))
    if show_events:
        describe_events(page, events_of(client, obj, "Ingress"))


def _backend(client: Reader, namespace: str, backend: Obj) -> str:
    """`web:80 (10.0.0.1:80)`; a missing Service shows as an error."""
    target = backend.get("service")
    if not target:
        reference = backend.get("resource")
        if not reference:
            return ""
        return f"APIGroup: {reference.get('apiGroup', '<none>')}, Kind: {reference['kind']}, Name: {reference['name']}"
    port = target.get("port") or {}
    text = f"{target['name']}:{port.get('number') or port.get('name', '')}"
    service = client.find("services", target["name"], namespace)
    if service is None:
        return f"{text} (<error: services \"{target['name']}\" not found>)"
    name = ""
    for held in service["spec"].get("ports") or ():
        if held["port"] == port.get("number") or (port.get("name") and held.get("name") == port["name"]):
            name = held.get("name") or ""
    return f"{text} ({slices_text(endpoint_slices(client, namespace, target['name']), name)})"


def describe_ingressclass(page: Page, client: Reader, obj: Map, show_events: bool) -> None:
    spec = obj.get("spec") or {}
    _head(page, obj)
    page.field("Controller", spec.get("controller", ""))
    given = spec.get("parameters")
    if given:
        page.line(0, "Parameters:")
        if given.get("apiGroup"):
            page.field("APIGroup", given["apiGroup"], 1)
        page.field("Kind", given["kind"], 1)
        page.field("Name", given["name"], 1)
    if show_events:
        describe_events(page, events_of(client, obj, "IngressClass"))


def describe_networkpolicy(page: Page, client: Reader, obj: Map, show_events: bool) -> None:
    metadata, spec = obj["metadata"], obj["spec"]
    page.field("Name", metadata["name"])
    page.field("Namespace", metadata["namespace"])
    page.field("Created on", metadata["creationTimestamp"].replace("T", " ").replace("Z", " +0000 UTC"))  # Go's Time.String
    page.labels("Labels", metadata.get("labels"))
    page.annotations("Annotations", metadata.get("annotations"))
    page.line(0, "Spec:")
    selector = format_selector(spec.get("podSelector"))
    # the selector is written at level 2 on the line that level 1 began: hence the wide gap
    page.line(1, "PodSelector:     " + (selector if selector != "<none>" else
                                        "<none> (Allowing the specific traffic to all pods in this namespace)"))
    kinds = spec.get("policyTypes") or ()
    for kind, word, side, title, anyone in (("Ingress", "ingress", "from", "From", "source"),
                                            ("Egress", "egress", "to", "To", "destination")):
        if kind in kinds:
            page.line(1, f"Allowing {word} traffic:")
            _rules(page, spec.get(word) or (), word, side, title, anyone)
        else:
            page.line(1, f"Not affecting {word} traffic")
    page.line(1, f"Policy Types: {', '.join(kinds) or '<none>'}")


def _rules(page: Page, rules: Sequence[Obj], word: str, side: str, title: str, anyone: str) -> None:
    if not rules:
        page.line(2, f"<none> (Selected pods are isolated for {word} connectivity)")
    for i, rule in enumerate(rules):
        if not rule.get("ports"):
            page.line(2, "To Port: <any> (traffic allowed to all ports)")
        for port in rule.get("ports") or ():
            number, protocol = port.get("port", "<nil>"), port.get("protocol", "TCP")
            page.line(2, f"To Port Range: {number}-{port['endPort']}/{protocol}" if port.get("endPort")
                      else f"To Port: {number}/{protocol}")
        if not rule.get(side):
            page.line(2, f"{title}: <any> (traffic not restricted by {anyone})")
        for peer in rule.get(side) or ():
            page.line(2, f"{title}:")
            _peer(page, peer)
        if i < len(rules) - 1:
            page.line(2, "----------")


def _peer(page: Page, peer: Obj) -> None:
    for name, field in (("NamespaceSelector", "namespaceSelector"), ("PodSelector", "podSelector")):
        if peer.get(field) is not None:
            page.line(3, f"{name}: {format_selector(peer[field])}")
    block = peer.get("ipBlock")
    if block:
        page.line(3, "IPBlock:")
        page.line(4, f"CIDR: {block['cidr']}")
        page.line(4, f"Except: {', '.join(block.get('except') or ())}")
