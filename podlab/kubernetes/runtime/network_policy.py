"""NetworkPolicy between Pods: a Pod that some policy selects accepts (or sends) only what a policy allows.

Source: the NetworkPolicy documentation; traffic from a Pod's own node (kubelet probes) is always allowed, policies know Pods only.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from ..objects import Map, dig
from ..selectors import selects

if TYPE_CHECKING:
    from ..cluster import Cluster


def allows(cluster: Cluster, source: Map | None, target: Map | None, port: int) -> bool:
    """Whether a connection may pass. A None Pod is the outside, a node or a host-network process."""
    if cluster.etcd.count("networkpolicies") == 0:
        return True
    return (_direction(cluster, "Egress", source, target, port) if source is not None else True) and \
        (_direction(cluster, "Ingress", target, source, port) if target is not None and source is not None else True)


def _direction(cluster: Cluster, direction: str, subject: Map, other: Map | None, port: int) -> bool:
    policies = [policy for policy in cluster.etcd.list("networkpolicies", subject["metadata"]["namespace"])
                if direction in _types(policy) and selects(policy["spec"].get("podSelector") or {}, subject["metadata"].get("labels"))]
    if not policies:
        return True
    member, peers = ("egress", "to") if direction == "Egress" else ("ingress", "from")
    target = other if direction == "Egress" else subject
    return any(_rule(cluster, policy, rule, peers, other, target, port) for policy in policies for rule in policy["spec"].get(member) or ())


def _types(policy: Map) -> list[str]:
    return list(policy["spec"].get("policyTypes") or ["Ingress", *(["Egress"] if "egress" in policy["spec"] else [])])


def _rule(cluster: Cluster, policy: Map, rule: Map, peers: str, other: Map | None, target: Map | None, port: int) -> bool:
    ports = rule.get("ports")
    if ports and not any(_port(entry, target, port) for entry in ports):
        return False
    return not rule.get(peers) or any(_peer(cluster, policy, peer, other) for peer in rule[peers])


def _port(entry: Map, target: Map | None, port: int) -> bool:
    wanted: Any = entry.get("port")
    if wanted is None:
        return True
    if isinstance(wanted, int):
        return wanted <= port <= entry.get("endPort", wanted)
    containers = target["spec"]["containers"] if target is not None else ()
    return any(p.get("name") == wanted and p["containerPort"] == port for c in containers for p in c.get("ports") or ())


def _peer(cluster: Cluster, policy: Map, peer: Map, other: Map | None) -> bool:
    if "ipBlock" in peer:
        address = dig(other, "status.podIP")
        block = peer["ipBlock"]
        return address is not None and _within(address, block["cidr"]) and not any(_within(address, cidr) for cidr in block.get("except") or ())
    if other is None:
        return False
    namespace = other["metadata"]["namespace"]
    if "namespaceSelector" in peer:
        labels = dig(cluster.etcd.get("namespaces", namespace), "metadata.labels", {})
        if not selects(peer["namespaceSelector"] or {}, labels):
            return False
    elif namespace != policy["metadata"]["namespace"]:
        return False
    return "podSelector" not in peer or selects(peer["podSelector"] or {}, other["metadata"].get("labels"))


def _within(address: str, cidr: str) -> bool:
    return ipaddress.ip_address(address) in ipaddress.ip_network(cidr, strict=False)
