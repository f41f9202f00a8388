"""Names of the cluster: what CoreDNS answers for Services, headless Services and Pods, and how a Pod's resolver searches.

Source: the DNS specification for Services and Pods; dnsPolicy ClusterFirst gives search domains and ndots:5.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from ..etcd import key_of
from ..objects import dig

if TYPE_CHECKING:
    from ..cluster import Cluster

DOMAIN = "cluster.local"
SERVER = "10.96.0.10"  # kubeadm's cluster DNS address
NDOTS = 5


def search_domains(namespace: str) -> list[str]:
    return [f"{namespace}.svc.{DOMAIN}", f"svc.{DOMAIN}", DOMAIN]


def is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def resolve(cluster: Cluster, namespace: str, name: str, hosts: str = "") -> tuple[str, list[str]]:
    """(full name, addresses) as a process in `namespace` gets them; ([] addresses: no such name). `hosts` is /etc/hosts' text."""
    if is_address(name):
        return name, [name]
    for line in hosts.splitlines():
        words = line.split("#")[0].split()
        if name in words[1:]:
            return name, [words[0]]
    if name == "localhost":
        return name, ["127.0.0.1"]
    searched = [f"{name}.{domain}" for domain in search_domains(namespace)]
    absolute = name.rstrip(".")
    candidates = [absolute] if name.endswith(".") else [absolute, *searched] if name.count(".") >= NDOTS else [*searched, absolute]
    for candidate in candidates:
        found = lookup(cluster, candidate)
        if found:
            return candidate, found
    return absolute, []


def lookup(cluster: Cluster, name: str, depth: int = 0) -> list[str]:
    """Addresses of a fully qualified name; [] when there are none."""
    labels = name.lower().rstrip(".").split(".")
    zone = DOMAIN.split(".")
    if depth > 4 or labels[-len(zone):] != zone:
        return []
    labels = labels[: -len(zone)]
    if len(labels) >= 3 and labels[-1] == "svc":
        return _service(cluster, labels[-2], labels[-3], labels[:-3], depth)
    if len(labels) == 3 and labels[-1] == "pod":
        address = labels[0].replace("-", ".")
        return [address] if is_address(address) else []
    return []


def _service(cluster: Cluster, namespace: str, name: str, host: list[str], depth: int) -> list[str]:
    service = cluster.etcd.get("services", key_of(namespace, name))
    if service is None:
        return []
    spec = service["spec"]
    if spec.get("type") == "ExternalName":
        return lookup(cluster, spec.get("externalName", ""), depth + 1)
    if spec.get("clusterIP") not in (None, "", "None"):
        return [spec["clusterIP"]] if not host else []
    found = []
    for piece in cluster.etcd.list("endpointslices", namespace):
        if dig(piece, "metadata.labels", {}).get("kubernetes.io/service-name") != name:
            continue
        for endpoint in piece.get("endpoints") or ():
            if not dig(endpoint, "conditions.ready", True):
                continue
            for address in endpoint["addresses"]:
                if not host or host[-1] in (endpoint.get("hostname"), address.replace(".", "-")):
                    found.append(address)
    return found
