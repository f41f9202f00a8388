"""Columns of Services, their endpoints, Ingresses and network policies."""

from __future__ import annotations

from typing import Any

from .texts import Obj, age, format_labels, format_selector, join_host_port, load_balancer_addresses, with_more

SHOWN = 3  # formatEndpoints, formatDiscoveryPorts, formatHosts: max
DEFAULT_CLASS = "ingressclass.kubernetes.io/is-default-class"  # AnnotationIsDefaultIngressClass


def service_cells(obj: Obj, now: int) -> list[Any]:
    spec = obj["spec"]
    ips = spec.get("clusterIPs") or ([spec["clusterIP"]] if spec.get("clusterIP") else [])
    ports = ",".join(f"{p['port']}{':' + str(p['nodePort']) if p.get('nodePort') else ''}/{p.get('protocol', 'TCP')}"
                     for p in spec.get("ports") or ())
    return [obj["metadata"]["name"], spec.get("type", "ClusterIP"), ips[0] if ips else "<none>", _external(obj),
            ports or "<none>", age(obj, now), format_labels(spec.get("selector"))]


def _external(service: Obj) -> str:
    """getServiceExternalIP, wide: the server never clips it."""
    spec = service["spec"]
    kind, own = spec.get("type", "ClusterIP"), list(spec.get("externalIPs") or ())
    if kind == "ExternalName":
        return str(spec.get("externalName", ""))
    if kind != "LoadBalancer":
        return ",".join(own) or "<none>"
    balanced = load_balancer_addresses(service)
    return ",".join(([balanced] if balanced else []) + own) or "<pending>"


def endpoints_cells(obj: Obj, now: int) -> list[Any]:
    items = []
    for subset in obj.get("subsets") or ():
        addresses = [a["ip"] for a in subset.get("addresses") or ()]
        if not subset.get("ports"):
            items += addresses
        for port in subset.get("ports") or ():
            items += [join_host_port(ip, port["port"]) for ip in addresses]
    text = with_more(items[:SHOWN], len(items), SHOWN) if obj.get("subsets") else "<none>"
    return [obj["metadata"]["name"], text, age(obj, now)]


def endpointslice_cells(obj: Obj, now: int) -> list[Any]:
    ports = [str(p["port"]) if p.get("port") is not None else p.get("name") or "*" for p in obj.get("ports") or ()]
    addresses = [address for endpoint in obj.get("endpoints") or () for address in endpoint["addresses"]]
    return [obj["metadata"]["name"], obj["addressType"], with_more(ports[:SHOWN], len(ports), SHOWN) or "<unset>",
            with_more(addresses[:SHOWN], len(addresses), SHOWN) or "<unset>", age(obj, now)]


def ingress_cells(obj: Obj, now: int) -> list[Any]:
    spec = obj.get("spec") or {}
    rules = spec.get("rules") or ()
    hosts = [rule["host"] for rule in rules if rule.get("host")]
    text = with_more(hosts[:SHOWN], len(rules) if len(hosts) >= SHOWN else 0, SHOWN) or "*"
    return [obj["metadata"]["name"], spec.get("ingressClassName") or "<none>", text, load_balancer_addresses(obj),
            "80, 443" if spec.get("tls") else "80", age(obj, now)]


def ingressclass_cells(obj: Obj, now: int) -> list[Any]:
    spec = obj.get("spec") or {}
    given, text = spec.get("parameters"), "<none>"
    if given:
        text = given["kind"] + (f".{given['apiGroup']}" if given.get("apiGroup") else "") + "/" + given["name"]
    default = (obj["metadata"].get("annotations") or {}).get(DEFAULT_CLASS) == "true"
    return [obj["metadata"]["name"] + (" (default)" if default else ""), spec.get("controller", ""), text, age(obj, now)]


def networkpolicy_cells(obj: Obj, now: int) -> list[Any]:
    return [obj["metadata"]["name"], format_selector((obj.get("spec") or {}).get("podSelector")), age(obj, now)]
