"""The way of an address: loopback, Service, node, host port or Pod, and whether packets pass there.

kube-proxy's rules (CONSTANTS 4.4; the Service documentation): a Service's address goes to one ready endpoint, serving ones that are
terminating only when none is ready; without any it is refused. internalTrafficPolicy and externalTrafficPolicy Local keep to one node
and drop what has no endpoint there. A Pod address goes straight to its Pod, over nodes without translation. Who is called through a
node's port, or calls itself through a Service, sees the node that passed it on (masquerading); who is called by a node, the address of
that node on the way: its bridge's to its own Pods (recorded/http-probe.json), its InternalIP to others'.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..addresses import CONTROL_PLANE, CONTROL_PLANE_NAMESPACE
from ..etcd import Change, key_of
from ..objects import Map, dig
from . import internet_hosts
from .network_policy import allows

if TYPE_CHECKING:
    from .hosts import Hosts

NEAR_MS, FAR_MS = 0, 1  # one way within a node, and between two
SILENT_MS = 127_000  # Linux gives a SYN up after 6 retries (tcp_syn_retries): about 127 s
NO_ROUTE_MS = 3_000  # an address of the Pod range that nobody holds: ARP fails after three tries
AFFINITIES = 4096  # of clients to Services that are remembered at once, before those that are over are forgotten
OUTSIDE = "outside"  # the learner's own machine
OUTSIDE_ADDRESS = "192.0.2.1"


@dataclass(frozen=True)
class Way:
    """Where a SYN goes: to a port of a network namespace after `ms`, or to an errno's name. `via` is the Service's key, `seen` the
    address that it comes from for who is called; "": the caller's own."""

    ms: int
    error: str = ""
    namespace: str = ""
    address: str = ""
    port: int = 0
    via: str | None = None
    seen: str = ""


class Routes:
    """Looks addresses up for the network. Everything here is derived: rebuilt from the store and the network's hosts."""

    def __init__(self, network: Hosts) -> None:
        self.network, self.cluster = network, network.cluster
        self._services: dict[str, str] | None = None  # address -> Service key
        self._node_ports: dict[int, str] = {}
        self._nodes: dict[str, str] | None = None  # address -> node name
        self._cidrs: list[tuple[ipaddress.IPv4Network, str]] = []
        self._bridges: dict[str, str] = {}  # node -> its own address among its Pods', the first of their range
        self._backends: dict[tuple[str, str], list[tuple[str, int, str]]] = {}
        self.where: dict[str, list[str]] = {}  # namespace -> [address, node]
        self._silent = False  # whether a way is only looked for: nothing is noted

    def restore(self) -> None:
        self.where = {namespace: [ip, node] for ip, (namespace, node) in self.network.state["hosts"].items()}
        self.cluster.etcd.subscribe("services", self._on_service)
        self.cluster.etcd.subscribe("nodes", self._on_node)
        self.cluster.etcd.subscribe("endpointslices", self._on_slice)

    def _on_service(self, change: Change) -> None:
        self._services = None
        self._backends.clear()

    def _on_node(self, change: Change) -> None:
        if change.type != "MODIFIED":
            self._nodes = None

    def _on_slice(self, change: Change) -> None:
        if self._backends:
            self._backends.clear()

    # ---- who is where

    def node_at(self, address: str) -> str | None:
        """The node of an InternalIP."""
        if self._nodes is None:
            self._nodes, self._cidrs, self._bridges = {}, [], {}
            for node in self.cluster.etcd.list("nodes"):
                name = node["metadata"]["name"]
                self._nodes.update({a["address"]: name for a in dig(node, "status.addresses", ()) if a["type"] == "InternalIP"})
                cidrs = [ipaddress.IPv4Network(cidr) for cidr in node["spec"].get("podCIDRs") or ()]
                self._cidrs += [(cidr, name) for cidr in cidrs]
                self._bridges |= {name: str(cidrs[0][1])} if cidrs else {}
        return self._nodes.get(address)

    def node_of(self, namespace: str) -> str:
        """The node of a network namespace; "" for the outside."""
        if namespace.startswith("host/"):
            return namespace[5:]
        return self.where[namespace][1] if namespace in self.where else ""

    def address_of(self, namespace: str) -> str:
        """The address that a namespace's packets come from."""
        if namespace.startswith("host/"):
            self.node_at("")
            assert self._nodes is not None
            return next((address for address, node in self._nodes.items() if node == namespace[5:]), OUTSIDE_ADDRESS)
        if namespace == CONTROL_PLANE_NAMESPACE:
            return CONTROL_PLANE
        return OUTSIDE_ADDRESS if namespace == OUTSIDE else self.where[namespace][0] if namespace in self.where else "127.0.0.1"

    def _facing(self, node: str, target: str) -> str:
        """The address of a node towards a machine, or its Pods."""
        self.node_at("")
        own = self._bridges.get(node, "") if node == target else ""
        return own or self.address_of(f"host/{node}")

    def pod(self, namespace: str) -> Map | None:
        """The Pod whose namespace it is; None for nodes and the outside."""
        if namespace not in self.where:
            return None
        return next((pod for pod in self.cluster.etcd.pods_on(self.where[namespace][1]) if pod["metadata"]["uid"] == namespace), None)

    def reachable(self, source: str, target: str) -> bool:
        """Whether packets pass between two nodes ("": the outside): both machines are on. Within one machine they always do."""
        return source == target or not (self._off(source) or self._off(target))

    def _off(self, node: str) -> bool:
        kubelet: Any = self.cluster.components.get(f"kubelet/{node}")
        return kubelet is not None and kubelet.state["power"] == "off"

    # ---- ways

    def look(self, source: str, address: str, port: int, draw: str) -> Way:
        """The way of a connection that is not made: what stands against it becomes no cause."""
        self._silent = True
        try:
            return self.way(source, address, port, draw)
        finally:
            self._silent = False

    def _note(self, rule: str, facts: dict[str, Any], obj: str | None) -> None:
        if not self._silent:
            self.network.note(rule, facts, obj)

    def way(self, source: str, address: str, port: int, draw: str, protocol: str = "TCP") -> Way:
        """From a namespace to an address and port; `draw` names the connection, for the choice of an endpoint."""
        if address.startswith("127.") or address in ("::1", "0.0.0.0"):
            if source.startswith("host/") and (way := self._host_port(source, source.removeprefix("host/"), address, port, protocol)) is not None:
                return way  # the portmap plugin also turns what the machine sends to itself
            return Way(NEAR_MS, namespace=source, address=address, port=port)
        service = self.service_at(address)
        if service is not None:
            return self._service(source, service, port, "port", draw, protocol=protocol)
        if address in self.network.state["hosts"] or address == CONTROL_PLANE:
            return self._to(source, address, port)
        node = self.node_at(address)
        if node is not None:
            return self._node(source, node, address, port, draw, protocol)
        return self._internet(source, address, port) if address in internet_hosts.NAMES else self._nobody(source, address)

    def echo(self, source: str, address: str) -> Way:
        """The way of a ping: as a connection's, but a Service's address answers none (iptables mode has no rule for it)."""
        return Way(SILENT_MS, "ETIMEDOUT") if self.service_at(address) is not None else self.way(source, address, -1, "")

    def service_at(self, address: str) -> Map | None:
        """The Service that has the address (cluster, external or load balancer's)."""
        if self._services is None:
            self._services, self._node_ports = {}, {}
            for service in self.cluster.etcd.list("services"):
                spec = service["spec"]
                key = key_of(service["metadata"]["namespace"], service["metadata"]["name"])
                balancer = [entry.get("ip") for entry in dig(service, "status.loadBalancer.ingress", ()) or ()]
                for ip in (*(spec.get("clusterIPs") or [spec.get("clusterIP")]), *(spec.get("externalIPs") or ()), *balancer):
                    if ip and ip != "None":
                        self._services[ip] = key
                for entry in spec.get("ports") or ():
                    if entry.get("nodePort"):
                        self._node_ports[entry["nodePort"]] = key
        key = self._services.get(address, "")
        return self.cluster.etcd.get("services", key) if key else None

    def _service(self, source: str, service: Map, port: int, member: str, draw: str, node: str = "", protocol: str = "TCP") -> Way:
        metadata, spec = service["metadata"], service["spec"]
        via = key_of(metadata["namespace"], metadata["name"])
        wanted = next((entry for entry in spec.get("ports") or () if entry.get(member) == port and entry.get("protocol", "TCP") == protocol), None)
        if wanted is None:
            # no rule of kube-proxy's (iptables mode, the default) claims it: it leaves the node and is lost
            return Way(SILENT_MS if member == "port" else NEAR_MS, "ETIMEDOUT" if member == "port" else "ECONNREFUSED", via=via)
        ready = self.backends(service, wanted)
        if not ready:
            self._note("network-no-endpoints", {"service": metadata["name"], "port": port}, f"services/{via}")
            return Way(NEAR_MS, "ECONNREFUSED", via=via)
        by, near = node, ""
        if spec.get("externalTrafficPolicy") == "Local":
            by, near = "", node if self.node_of(source) != node else ""  # to what a node sends itself all endpoints are open
        if member == "port" and spec.get("internalTrafficPolicy") == "Local":
            near = self.node_of(source)
        if near:
            ready = [entry for entry in ready if entry[2] == near]
            if not ready:
                return Way(SILENT_MS, "ETIMEDOUT", via=via)
        random = self.cluster.random
        if spec.get("sessionAffinity") == "ClientIP":
            began = self._affinity(self.address_of(source), via, spec)
            picked = max(ready, key=lambda entry: random.bits("affinity", self.address_of(source), via, began, entry[0]))
        else:
            picked = ready[random.integer("endpoint", draw, below=len(ready))]
        return self._to(source, picked[0], picked[1], via, by)

    def _affinity(self, address: str, via: str, spec: Map) -> int:
        """When the affinity of a client to a Service began: it ends when nothing has come for so long (kube-proxy, `-m recent --reap`)."""
        held, now = self.network.state.setdefault("affinity", {}), self.network.now
        timeout = dig(spec, "sessionAffinityConfig.clientIP.timeoutSeconds", 10_800) * 1000  # DefaultClientIPServiceAffinitySeconds
        began, until = held.get(f"{address} {via}") or (now, now)
        began = began if now <= until else now
        if self._silent:
            return int(began)
        if len(held) >= AFFINITIES:
            self.network.state["affinity"] = held = {key: one for key, one in held.items() if now <= one[1]}
        held[f"{address} {via}"] = [began, now + timeout]
        return int(began)

    def backends(self, service: Map, wanted: Map) -> list[tuple[str, int, str]]:
        """(address, port, node) of each endpoint that kube-proxy uses for a Service port: the ready ones, else the serving ones that end."""
        name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
        key = (key_of(namespace, name), wanted.get("name") or "")
        found = self._backends.get(key)
        if found is None:
            found = self._backends[key] = self._endpoints(namespace, name, key[1])
        return found

    def _endpoints(self, namespace: str, name: str, port_name: str) -> list[tuple[str, int, str]]:
        ready, terminating = [], []
        for piece in self.cluster.etcd.list("endpointslices", namespace):
            if dig(piece, "metadata.labels", {}).get("kubernetes.io/service-name") != name:
                continue
            port = next((p.get("port") for p in piece.get("ports") or () if (p.get("name") or "") == port_name), None)
            if port is None:
                continue
            for endpoint in piece.get("endpoints") or ():
                conditions = endpoint.get("conditions") or {}
                entries = [(address, port, endpoint.get("nodeName", "")) for address in endpoint["addresses"]]
                if conditions.get("ready", True):
                    ready += entries
                elif conditions.get("serving") and conditions.get("terminating"):
                    terminating += entries
        return sorted(ready) or sorted(terminating)

    def _node(self, source: str, node: str, address: str, port: int, draw: str, protocol: str) -> Way:
        """A node's own address: a node port, a Pod's hostPort, or what listens on the node."""
        if not self.reachable(self.node_of(source), node):
            return Way(SILENT_MS, "ETIMEDOUT")
        self.service_at("")
        if port in self._node_ports:
            service = self.cluster.etcd.get("services", self._node_ports[port])
            assert service is not None
            return self._service(source, service, port, "nodePort", draw, node, protocol)
        return self._host_port(source, node, address, port, protocol) or self._to(source, address, port)

    def _host_port(self, source: str, node: str, address: str, port: int, protocol: str) -> Way | None:
        """To the Pod whose hostPort it is on this address of the node's, where nothing of the node's own listens there."""
        if port in self.network.taken(f"host/{node}", protocol.lower()):
            return None
        for pod in self.cluster.etcd.pods_on(node):
            for container in pod["spec"]["containers"]:
                for entry in container.get("ports") or ():
                    meant = entry.get("hostPort") == port and entry.get("protocol", "TCP") == protocol
                    meant = meant and entry.get("hostIP", "") in ("", "0.0.0.0", "::", address)
                    if meant and dig(pod, "status.podIP") and not pod["spec"].get("hostNetwork"):
                        return self._to(source, pod["status"]["podIP"], entry["containerPort"])
        return None

    def _to(self, source: str, address: str, port: int, via: str | None = None, by: str = "") -> Way:
        """To the holder of a Pod's or node's address; `by`: the node that passes it on as if it came from itself."""
        host = self.network.state["hosts"].get(address)
        node = host[1] if host is not None else "" if address == CONTROL_PLANE else self.node_at(address)
        if node is None:
            nobody = self._nobody(source, address)
            return Way(nobody.ms, nobody.error, via=via)
        target = host[0] if host is not None else f"host/{node}" if node else CONTROL_PLANE_NAMESPACE
        here = self.node_of(source)
        if not self.reachable(here, node):
            return Way(SILENT_MS, "ETIMEDOUT", via=via)
        if source != target and self.cluster.etcd.count("networkpolicies") and not self._allowed(source, target, port):
            return Way(SILENT_MS, "ETIMEDOUT", via=via)
        if not by and (via if source == target else source.startswith("host/")):
            by = here
        seen = self._facing(by, node if host is not None else "") if by else ""
        return Way(NEAR_MS if here == node else FAR_MS, namespace=target, address=address, port=port, via=via, seen=seen)

    def _allowed(self, source: str, target: str, port: int) -> bool:
        to = self.pod(target)
        if source == f"host/{self.node_of(target)}" or allows(
            self.cluster, self.pod(source), to, self.address_of(source), self.address_of(target), port
        ):
            return True
        ref = f"pods/{key_of(to['metadata']['namespace'], to['metadata']['name'])}" if to is not None else None
        self._note("network-policy-dropped", {"port": port}, ref)
        return False

    def _internet(self, source: str, address: str, port: int) -> Way:
        """Out through the node's uplink, where the Pod's egress rules let it."""
        if not self.reachable(self.node_of(source), ""):
            return Way(SILENT_MS, "ETIMEDOUT")
        if self.cluster.etcd.count("networkpolicies") and not allows(
            self.cluster, self.pod(source), None, self.address_of(source), address, port
        ):
            self._note("network-policy-dropped", {"port": port}, None)
            return Way(SILENT_MS, "ETIMEDOUT")
        return Way(internet_hosts.WAY_MS, namespace=internet_hosts.NAMESPACE, address=address, port=port)

    def _nobody(self, source: str, address: str) -> Way:
        """An address without a holder: no such host on a node's Pod range, silence from a node that is off and from everywhere else."""
        self.node_at("")
        try:
            parsed = ipaddress.IPv4Address(address)
        except ValueError:
            return Way(NEAR_MS, "ENETUNREACH")
        for cidr, node in self._cidrs:
            if parsed in cidr:
                return Way(NO_ROUTE_MS, "EHOSTUNREACH") if self.reachable(self.node_of(source), node) else Way(SILENT_MS, "ETIMEDOUT")
        return Way(SILENT_MS, "ETIMEDOUT")
