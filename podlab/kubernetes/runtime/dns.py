"""Names of the cluster: what CoreDNS answers for Services, headless Services and Pods, and how a Pod's resolver searches.

Source: the DNS specification for Services and Pods (dns.md of kubernetes/dns), resolv.conf(5). Of the names outside the cluster the nodes'
own are known, as where CoreDNS forwards to the machines' DNS (kind, the clouds), and the hosts of the small Internet (internet.py). Those last
are all that a public name server (dnsPolicy Default, dnsConfig) knows.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..etcd import key_of
from ..objects import Map, dig
from .internet_hosts import HOSTS as OUTSIDE_HOSTS
from .internet_hosts import RESOLVERS

if TYPE_CHECKING:
    from ..ground import Ground

DOMAIN = "cluster.local"
SERVER = "10.96.0.10"  # kubeadm's cluster DNS address
SERVERS = (SERVER, *RESOLVERS)  # no other can be reached
Record = tuple[str, str, str]
"""(name, type, value): ("web.default.svc.cluster.local", "A", "10.96.1.2")."""


@dataclass(frozen=True)
class Resolver:
    """/etc/resolv.conf."""

    servers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    ndots: int = 1
    blocked: bool = False  # a NetworkPolicy keeps the Pod from asking

    @classmethod
    def parse(cls, text: str) -> Resolver:
        servers: list[str] = []
        searches: tuple[str, ...] = ()
        ndots = 1
        for line in text.splitlines():
            words = line.split("#")[0].split()
            if words[:1] == ["nameserver"]:
                servers += words[1:2]
            elif words[:1] == ["search"]:
                searches = tuple(words[1:])
            elif words[:1] == ["options"]:
                for word in words[1:]:
                    if word.startswith("ndots:") and word[6:].isdigit():
                        ndots = int(word[6:])
        return cls(tuple(servers), searches, ndots)

    @property
    def answers(self) -> bool:
        """Whether the first name server can be reached."""
        return self.servers[:1] != () and self.servers[0] in SERVERS and not self.blocked

    def candidates(self, name: str) -> list[str]:
        """The full names to try, in order."""
        if name.endswith("."):
            return [name.rstrip(".")]
        searched = [f"{name}.{domain}" for domain in self.searches]
        return [name, *searched] if name.count(".") >= self.ndots else [*searched, name]


def is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def resolve(cluster: Ground, name: str, hosts: str, resolver: Resolver) -> tuple[str, list[str]]:
    """(full name, addresses) by /etc/hosts' text, then by DNS; no addresses: no such name."""
    if is_address(name):
        return name, [name]
    for line in hosts.splitlines():
        words = line.split("#")[0].split()
        if name in words[1:] and ":" not in words[0]:
            return name, [words[0]]
    return search(cluster, name, resolver) if resolver.answers else (name, [])


def search(cluster: Ground, name: str, resolver: Resolver) -> tuple[str, list[str]]:
    """The first candidate that has addresses."""
    for candidate in resolver.candidates(name):
        found = [value for _, kind, value in query(cluster, candidate, server=resolver.servers[0])[1] if kind == "A"]
        if found:
            return candidate, found
    return name, []


def query(cluster: Ground, name: str, kind: str = "A", server: str = SERVER) -> tuple[str, list[Record]]:
    """The name server's answer: ("NOERROR" or "NXDOMAIN", records). Kinds: A, AAAA, SRV, PTR, CNAME, TXT, ANY;
    a CNAME comes with what it leads to."""
    name = name.lower().rstrip(".")
    if server != SERVER:
        known = name in OUTSIDE_HOSTS
        return ("NOERROR" if known else "NXDOMAIN"), [(name, "A", OUTSIDE_HOSTS[name])] if known and kind in ("A", "ANY") else []
    if name.endswith(".in-addr.arpa"):
        found = _pointer(cluster, ".".join(reversed(name.removesuffix(".in-addr.arpa").split("."))))
        return ("NOERROR" if found else "NXDOMAIN"), ([(name, "PTR", found)] if found and kind in ("PTR", "ANY") else [])
    labels = name.split(".")
    if labels[-2:] != DOMAIN.split("."):
        node = cluster.etcd.get("nodes", name)
        found_at = [a["address"] for a in dig(node, "status.addresses", ()) if a["type"] == "InternalIP"] if node is not None else []
        if name in OUTSIDE_HOSTS:
            found_at = [OUTSIDE_HOSTS[name]]
        return ("NOERROR" if found_at else "NXDOMAIN"), [(name, "A", address) for address in found_at] if kind in ("A", "ANY") else []
    labels = labels[:-2]
    if len(labels) == 3 and labels[2] == "pod":
        address = labels[0].replace("-", ".")
        return ("NOERROR", [(name, "A", address)] if kind in ("A", "ANY") else []) if is_address(address) else ("NXDOMAIN", [])
    if labels[-1:] != ["svc"] or len(labels) < 3:
        known = labels in ([], ["svc"]) or (len(labels) == 2 and labels[1] == "svc" and cluster.etcd.get("namespaces", labels[0]) is not None)
        return ("NOERROR" if known else "NXDOMAIN"), []
    if labels == ["kube-dns", "kube-system", "svc"]:  # the DNS server is part of the network and no Service's Pod
        return "NOERROR", [(name, "A", SERVER)] if kind in ("A", "ANY") else []
    service = cluster.etcd.get("services", key_of(labels[-2], labels[-3]))
    return _service(cluster, name, service, labels[:-3], kind) if service is not None else ("NXDOMAIN", [])


def _service(cluster: Ground, name: str, service: Map, host: list[str], kind: str) -> tuple[str, list[Record]]:
    spec = service["spec"]
    if spec.get("type") == "ExternalName":
        if host:
            return "NXDOMAIN", []
        target = spec.get("externalName", "").rstrip(".")
        return "NOERROR", [
            (name, "CNAME", target),
            *(query(cluster, target, kind)[1] if target != name and kind in ("A", "AAAA") else []),
        ]
    full = f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc.{DOMAIN}"
    port = next(
        (
            p
            for p in spec.get("ports") or ()
            if len(host) == 2 and host[0] == f"_{p.get('name')}" and host[1] == f"_{p.get('protocol', 'TCP').lower()}"
        ),
        None,
    )
    addresses = [(full, spec["clusterIP"])]
    if spec.get("clusterIP") in (None, "", "None") or len(host) == 1:  # an endpoint has its name under any Service (CoreDNS: findServices)
        addresses = [(f"{label}.{full}", address) for label, address in _endpoints(cluster, service)]
        if len(host) == 1:
            addresses = [entry for entry in addresses if entry[0] == f"{host[0]}.{full}"]
            host = [] if addresses else host
    if host and port is None:
        return "NXDOMAIN", []
    if kind == "SRV" or port is not None:
        ports = [port] if port is not None else list(spec.get("ports") or ())
        return "NOERROR", [
            (name, "SRV", f"0 {100 // max(1, len(addresses))} {p['port']} {target}") for p in ports for target, _ in addresses
        ] if kind in ("SRV", "ANY") else []
    if not addresses:
        return "NXDOMAIN", []
    return "NOERROR", [(name, "A", address) for _, address in addresses] if kind in ("A", "ANY") else []


def _endpoints(cluster: Ground, service: Map) -> list[tuple[str, str]]:
    """(first label of its name, address) of each ready endpoint."""
    found = []
    for piece in cluster.etcd.list("endpointslices", service["metadata"]["namespace"]):
        if dig(piece, "metadata.labels", {}).get("kubernetes.io/service-name") == service["metadata"]["name"]:
            for endpoint in piece.get("endpoints") or ():
                if dig(endpoint, "conditions.ready", True):
                    found += [(endpoint.get("hostname") or address.replace(".", "-"), address) for address in endpoint["addresses"]]
    return found


def _pointer(cluster: Ground, address: str) -> str:
    """The name of a Service's address, or of a headless Service's endpoint."""
    if address == SERVER:
        return f"kube-dns.kube-system.svc.{DOMAIN}"
    for service in cluster.etcd.list("services"):
        full = f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc.{DOMAIN}"
        if service["spec"].get("clusterIP") == address:
            return full
        if service["spec"].get("clusterIP") == "None":
            for label, one in _endpoints(cluster, service):
                if one == address:
                    return f"{label}.{full}"
    return ""
