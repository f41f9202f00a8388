"""NetworkPolicy between Pods: a Pod that some policy selects accepts (or sends) only what a policy allows.

Source: the NetworkPolicy documentation; traffic from a Pod's own node (kubelet probes) is always allowed, policies know Pods only.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from ..objects import Map, dig, freeze
from ..selectors import selects
from .dns import SERVER as DNS_SERVER

if TYPE_CHECKING:
    from ..ground import Ground

DNS_POD: Map = freeze({"metadata": {"namespace": "kube-system", "name": "coredns", "labels": {"k8s-app": "kube-dns"}}, "spec": {"containers": []}})


def allows(cluster: Ground, source: Map | None, target: Map | None, source_ip: str, target_ip: str, port: int) -> bool:
    """Whether a TCP connection may pass. A None Pod is the outside, a node or a host-network process."""
    return (source is None or _direction(cluster, "Egress", source, target, target_ip, target, port)) and (
        target is None or _direction(cluster, "Ingress", target, source, source_ip, target, port)
    )


def allows_names(cluster: Ground, source: Map | None, server: str) -> bool:
    """Whether a Pod's egress policies let it ask a name server: the cluster's (UDP 53 of kube-system's k8s-app=kube-dns) or one outside."""
    target = DNS_POD if server == DNS_SERVER else None
    return source is None or _direction(cluster, "Egress", source, target, server, target, 53, "UDP")


def _direction(
    cluster: Ground, direction: str, subject: Map, other: Map | None, other_ip: str, target: Map | None, port: int, protocol: str = "TCP"
) -> bool:
    policies = [
        policy
        for policy in cluster.etcd.list("networkpolicies", subject["metadata"]["namespace"])
        if direction in _types(policy) and selects(policy["spec"].get("podSelector") or {}, subject["metadata"].get("labels"))
    ]
    if not policies:
        return True
    member, peers = ("egress", "to") if direction == "Egress" else ("ingress", "from")
    for policy in policies:
        for rule in policy["spec"].get(member) or ():
            ports, allowed = rule.get("ports"), rule.get(peers)
            if (not ports or any(_port(entry, target, port, protocol) for entry in ports)) and (
                not allowed or any(_peer(cluster, policy, peer, other, other_ip) for peer in allowed)
            ):
                return True
    return False


def _types(policy: Map) -> list[str]:
    return list(policy["spec"].get("policyTypes") or ["Ingress", *(["Egress"] if policy["spec"].get("egress") else [])])


def _port(entry: Map, target: Map | None, port: int, protocol: str) -> bool:
    wanted: Any = entry.get("port")
    if entry.get("protocol", "TCP") != protocol:
        return False
    if wanted is None:
        return True
    if isinstance(wanted, int):
        return wanted <= port <= int(entry.get("endPort", wanted))
    containers = target["spec"]["containers"] if target is not None else ()
    return any(p.get("name") == wanted and p["containerPort"] == port for c in containers for p in c.get("ports") or ())


def _peer(cluster: Ground, policy: Map, peer: Map, other: Map | None, address: str) -> bool:
    if "ipBlock" in peer:
        block = peer["ipBlock"]
        return _within(address, block["cidr"]) and not any(_within(address, cidr) for cidr in block.get("except") or ())
    if other is None:
        return False
    namespace = other["metadata"]["namespace"]
    if "namespaceSelector" in peer:
        labels = dig(cluster.etcd.get("namespaces", namespace), "metadata.labels", {})
        if not selects(peer["namespaceSelector"] or {}, labels):
            return False
    elif namespace != policy["metadata"]["namespace"]:
        return False
    return "podSelector" not in peer or bool(selects(peer["podSelector"] or {}, other["metadata"].get("labels")))


def _within(address: str, cidr: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        return False
