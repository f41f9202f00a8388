"""The cluster's flat network: one port space a Pod, connections between processes, Services, node ports and policies on the way.

A connection has two ends. An end is a socket of a process (`node` and `desc`, an open file description in that node's kernel) or an
exchange of the network's own (`exchange`: a kubelet's probe, the learner's browser). Bytes arrive a moment after they were sent, so no
kernel is ever entered from within another one's turn. All state is plain data in `Network.state`.

Ways of an address (kube-proxy's, CONSTANTS 4.4): loopback and the own IP stay in the Pod; a ClusterIP goes to a ready endpoint, or is
refused when there is none; a node's IP to its node port or host network; a Pod IP straight there, over nodes without translation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..component import Component
from ..etcd import Change, key_of
from ..objects import Map, dig
from . import http
from .network_policy import allows
from .process import Errno

if TYPE_CHECKING:
    from ..cluster import Cluster
    from .kernel import Kernel
    from .system import Sys

NEAR_MS, FAR_MS = 0, 1  # one way within a node, and between two
SILENT_MS = 127_000  # Linux gives a SYN up after 6 retries (tcp_syn_retries): about 127 s
NO_ROUTE_MS = 3_000  # an address of the node's own range that nobody holds: ARP fails after three tries
TRAFFIC_KEPT = 60
OUTSIDE = "outside"  # the learner's own machine
DEFAULT_PROBE_MS = 1_000

Data = dict[str, Any]


class Network(Component):
    """Hosts, listeners, connections and exchanges of one cluster."""

    name = "network"

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        # hosts: ip -> [network namespace, node]; listeners: "namespace port/protocol" -> {...}; traffic: newest last
        self.state = {"next": 0, "hosts": {}, "listeners": {}, "connections": {}, "exchanges": {}, "traffic": []}
        self._kernels: dict[str, Kernel] = {}
        self._services: dict[str, str] | None = None  # ClusterIP -> Service key, rebuilt after changes

    def restore(self) -> None:
        self.cluster.etcd.subscribe("services", self._on_service)

    def _on_service(self, change: Change) -> None:
        self._services = None

    # ---- machines and Pods

    def attach(self, node: str, kernel: Kernel) -> None:
        """A node's kernel joins; its sockets go through here from now on."""
        kernel.network, kernel.node_name = self, node
        self._kernels[node] = kernel

    def node_of(self, kernel: Kernel) -> str:
        return kernel.node_name

    def add_host(self, ip: str, namespace: str, node: str) -> None:
        """A Pod's sandbox is up: `namespace` is its uid."""
        self.state["hosts"][ip] = [namespace, node]

    def remove_host(self, ip: str) -> None:
        self.state["hosts"].pop(ip, None)

    def ports(self, namespace: str) -> list[Data]:
        """What listens in a Pod: [{"port", "protocol", "address", "container", "process"}], by port."""
        prefix = namespace + " "
        found = [listener for key, listener in self.state["listeners"].items() if key.startswith(prefix)]
        return sorted(({k: one[k] for k in ("port", "protocol", "address", "container", "process")} for one in found),
                      key=lambda one: (one["port"], one["protocol"]))

    def address_of(self, namespace: str) -> str:
        return next((ip for ip, (held, _) in self.state["hosts"].items() if held == namespace), "")

    # ---- sockets, for sockets.py and the kernels

    def listen(self, sys: Sys, desc: str, namespace: str, port: int, address: str, protocol: str) -> None:
        """Raises EADDRINUSE, EACCES."""
        key = f"{namespace} {port}/{protocol}"
        holder = self.state["listeners"].get(key)
        if holder is not None:
            container = sys.proc["container"]
            facts = {"port": port, "container": _container_name(sys, container), "holder": holder["container"]}
            self.note("network-port-in-use", facts, _pod_ref(sys))
            raise Errno("EADDRINUSE")
        if port < 1024 and sys.proc["uid"] != 0 and not sys.container.get("net_bind", True):
            raise Errno("EACCES")
        self.state["listeners"][key] = {"port": port, "protocol": protocol, "address": address, "node": self.node_of(sys.kernel), "desc": desc,
                                        "container": _container_name(sys, sys.proc["container"]), "process": sys.proc["argv"][0]}

    def connect(self, sys: Sys, desc: str, namespace: str, address: str, port: int, timeout_ms: int | None) -> None:
        """Start a connection; its outcome comes to the description: state "open" or an errno's name."""
        end = {"node": self.node_of(sys.kernel), "desc": desc, "namespace": namespace}
        connection = self._open(end, address, port)
        sys.kernel.state["files"][desc].update(connection=connection, end="client")
        if timeout_ms is not None:
            self.after(timeout_ms, {"expire": connection})

    def accept(self, sys: Sys, connection: str) -> str:
        """The server's description of a connection that has come in."""
        held = self.state["connections"].get(connection)
        desc = {"kind": "socket", "rbuf": "", "eof": held is None, "state": "open", "connection": connection, "end": "server"}
        key = sys.kernel.describe(desc)
        if held is not None:
            held["server"].update(node=self.node_of(sys.kernel), desc=key)
            stored = sys.kernel.state["files"][key]
            stored["rbuf"], held["early"] = held["early"], ""
            stored["eof"] = held["closed"] == "client"
        return key

    def peer(self, desc: Data) -> tuple[str, int]:
        held = self.state["connections"].get(desc.get("connection", ""))
        if held is None:
            return "", 0
        other = held["server" if desc["end"] == "client" else "client"]
        return other.get("ip", ""), other.get("port", 0)

    def socket_write(self, desc: Data, text: str) -> None:
        """Raises EPIPE on a connection that is gone."""
        held = self.state["connections"].get(desc.get("connection", ""))
        if held is None or desc.get("state") != "open":
            raise Errno("EPIPE")
        self._send(held, desc["end"], {"data": text})
        self._sniff(held, desc["end"], text)

    def socket_closed(self, desc_key: str, desc: Data) -> None:
        if "listen" in desc:
            namespace, port, protocol = desc["listen"]
            key = f"{namespace} {port}/{protocol}"
            if self.state["listeners"].get(key, {}).get("desc") == desc_key:
                del self.state["listeners"][key]
            for connection in desc["accept"]:
                if held := self.state["connections"].get(connection):
                    self._send(held, "server", {"fin": True})
            return
        held = self.state["connections"].get(desc.get("connection", ""))
        if held is not None:
            self._send(held, desc["end"], {"fin": True})

    # ---- exchanges: one request of somebody who is not a process

    def request(self, namespace: str, address: str, port: int, message: str | None, timeout_ms: int, reply_to: tuple[str, Any]) -> str:
        """Connect from `namespace` ("host/<node>", "outside" or a Pod uid), send an HTTP message (None: only connect) and await the answer.

        The component named in `reply_to` gets `on_reply(payload, result)`: {"ok", "status", "headers", "body", "error", "ms"}; `error` is an
        errno's name, "timeout" or "closed".
        """
        self.state["next"] += 1
        exchange = str(self.state["next"])
        end = {"node": "", "exchange": exchange, "namespace": namespace}
        head = message is not None and message.startswith("HEAD ")
        self.state["exchanges"][exchange] = {"message": message, "buffer": "", "reply": list(reply_to), "began": self.now, "head": head,
                                             "timer": self.after(timeout_ms, {"late": exchange})}
        self.state["exchanges"][exchange]["connection"] = self._open(end, address, port)
        return exchange

    def _answer(self, exchange: str, **result: Any) -> None:
        held = self.state["exchanges"].pop(exchange, None)
        if held is None:
            return
        self.cancel(held["timer"])
        if connection := self.state["connections"].get(held["connection"]):
            self._send(connection, "client", {"fin": True})
        component, payload = held["reply"]
        whole = {"ok": False, "status": 0, "headers": [], "body": "", "error": "", **result, "ms": self.now - held["began"]}
        target: Any = self.cluster.components[component]
        target.on_reply(payload, whole)

    # ---- ways

    def _open(self, client: Data, address: str, port: int) -> str:
        self.state["next"] += 1
        connection = f"c{self.state['next']}"
        source = client["namespace"]
        client.update(ip=self._source_address(source), port=32768 + self.cluster.random.integer("ephemeral-port", connection, below=28232))
        held: Data = {"id": connection, "client": client, "server": {"ip": address, "port": port}, "early": "", "closed": "", "via": None,
                      "opened": self.now, "state": "connecting", "wait": FAR_MS}
        self.state["connections"][connection] = held
        target = self._route(held, source, address, port)
        self.after(target.pop("ms"), {"syn": connection, **target})
        return connection

    def _source_address(self, namespace: str) -> str:
        if namespace.startswith("host/"):
            node = self.cluster.etcd.get("nodes", namespace[5:])
            return next((a["address"] for a in dig(node, "status.addresses", ()) if a["type"] == "InternalIP"), "")
        return "192.0.2.1" if namespace == OUTSIDE else self.address_of(namespace)

    def _route(self, held: Data, source: str, address: str, port: int) -> Data:
        """Where a SYN goes: {"ms", "to": [namespace, node, port]} or {"ms", "error"}."""
        if address.startswith("127.") or address in ("::1", "0.0.0.0"):
            return {"ms": NEAR_MS, "to": [source, "", port]}
        service = self._service_of(address)
        if service is not None:
            return self._to_service(held, source, service, port, "port")
        host = self.state["hosts"].get(address)
        if host is not None:
            return self._to_host(held, source, host[0], host[1], port)
        for node in self.cluster.etcd.list("nodes"):
            if any(a["address"] == address for a in dig(node, "status.addresses", ())):
                for candidate in self.cluster.etcd.list("services"):
                    if any(p.get("nodePort") == port for p in candidate["spec"].get("ports") or ()):
                        return self._to_service(held, source, candidate, port, "nodePort")
                return self._to_host(held, source, f"host/{node['metadata']['name']}", node["metadata"]["name"], port)
        if address.startswith("10.244."):
            return {"ms": NO_ROUTE_MS, "error": "EHOSTUNREACH"}
        return {"ms": SILENT_MS, "error": "ETIMEDOUT"}

    def _service_of(self, address: str) -> Map | None:
        if self._services is None:
            self._services = {ip: key_of(s["metadata"]["namespace"], s["metadata"]["name"]) for s in self.cluster.etcd.list("services")
                              for ip in (*(s["spec"].get("clusterIPs") or ()), *(s["spec"].get("externalIPs") or ()))
                              if ip and ip != "None"}
        key = self._services.get(address)
        return self.cluster.etcd.get("services", key) if key else None

    def _to_service(self, held: Data, source: str, service: Map, port: int, member: str) -> Data:
        metadata, spec = service["metadata"], service["spec"]
        held["via"] = key_of(metadata["namespace"], metadata["name"])
        wanted = next((p for p in spec.get("ports") or () if p.get(member) == port), None)
        if wanted is None:
            return {"ms": SILENT_MS, "error": "ETIMEDOUT"} if member == "port" else {"ms": FAR_MS, "error": "ECONNREFUSED"}
        ready = self.backends(service, wanted)
        if not ready:
            facts = {"service": metadata["name"], "port": port}
            self.note("network-no-endpoints", facts, f"services/{held['via']}")
            return {"ms": NEAR_MS, "error": "ECONNREFUSED"}
        if spec.get("sessionAffinity") == "ClientIP":
            pick = self.cluster.random.integer("affinity", source, held["via"], below=len(ready))
        else:
            pick = self.cluster.random.integer("endpoint", held["id"], below=len(ready))
        address, target_port = ready[pick]
        held["server"] = {"ip": address, "port": target_port}
        host = self.state["hosts"].get(address)
        if host is None:
            return {"ms": NO_ROUTE_MS, "error": "EHOSTUNREACH"}
        return self._to_host(held, source, host[0], host[1], target_port)

    def backends(self, service: Map, wanted: Map) -> list[tuple[str, int]]:
        """(address, port) of each endpoint that kube-proxy would use: the ready ones, else serving ones that are terminating."""
        name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
        ready, terminating = [], []
        for piece in self.cluster.etcd.list("endpointslices", namespace):
            if dig(piece, "metadata.labels", {}).get("kubernetes.io/service-name") != name:
                continue
            port = next((p.get("port") for p in piece.get("ports") or () if (p.get("name") or "") == (wanted.get("name") or "")), None)
            if port is None:
                continue
            for endpoint in piece.get("endpoints") or ():
                conditions = endpoint.get("conditions") or {}
                entries = [(address, port) for address in endpoint["addresses"]]
                if conditions.get("ready", True):
                    ready += entries
                elif conditions.get("serving") and conditions.get("terminating"):
                    terminating += entries
        return sorted(ready) or sorted(terminating)

    def _to_host(self, held: Data, source: str, namespace: str, node: str, port: int) -> Data:
        source_node = self._node_of_namespace(source)
        if not self._reachable(source_node, node):
            return {"ms": SILENT_MS, "error": "ETIMEDOUT"}
        if source != namespace and not allows(self.cluster, self._pod(source), self._pod(namespace), port):
            self.note("network-policy-dropped", {"port": port}, self._ref(namespace))
            return {"ms": SILENT_MS, "error": "ETIMEDOUT"}
        distance = NEAR_MS if source_node == node else FAR_MS
        held["wait"] = distance
        return {"ms": distance, "to": [namespace, node, port]}

    def _node_of_namespace(self, namespace: str) -> str:
        if namespace.startswith("host/"):
            return namespace[5:]
        return next((node for held, node in self.state["hosts"].values() if held == namespace), "")

    def _reachable(self, source: str, node: str) -> bool:
        """Whether packets pass: both machines on, neither cut off from the network (within one machine they always do)."""
        if source == node:
            return True
        for name in (source, node):
            kubelet: Any = self.cluster.components.get(f"kubelet/{name}")
            if kubelet is not None and not kubelet.on_network():
                return False
        return True

    def _pod(self, namespace: str) -> Map | None:
        node = self._node_of_namespace(namespace)
        return next((pod for pod in self.cluster.etcd.pods_on(node) if pod["metadata"]["uid"] == namespace), None) if node else None

    def _ref(self, namespace: str) -> str | None:
        pod = self._pod(namespace)
        return f"pods/{key_of(pod['metadata']['namespace'], pod['metadata']['name'])}" if pod is not None else None

    # ---- packets

    def _send(self, held: Data, sender: str, packet: Data) -> None:
        receiver = "server" if sender == "client" else "client"
        self.after(held["wait"], {"packet": held["id"], "to": receiver, **packet})

    def on_timer(self, payload: Any) -> None:
        if "late" in payload:
            self._answer(payload["late"], error="timeout")
            return
        if "expire" in payload:
            held = self.state["connections"].get(payload["expire"])
            if held is not None and held["state"] == "connecting":
                self._settle(held, "ETIMEDOUT")
            return
        held = self.state["connections"].get(payload.get("syn") or payload.get("packet"))
        if held is None:
            return
        if "syn" in payload:
            self._arrive(held, payload)
        elif "established" in payload:
            self._settle(held, payload["established"])
        elif "data" in payload:
            self._deliver(held, payload["to"], payload["data"])
        else:
            self._finish(held, payload["to"])

    def _arrive(self, held: Data, payload: Data) -> None:
        """The SYN is there: a listener takes it, or it is refused."""
        if "error" in payload:
            self._settle(held, payload["error"])
            return
        namespace, _, port = payload["to"]
        listener = self.state["listeners"].get(f"{namespace} {port}/tcp")
        local = held["client"]["namespace"] == namespace
        if listener is None or (listener["address"].startswith("127.") and not local):
            self._send(held, "server", {"established": "ECONNREFUSED"})
            return
        held["server"]["namespace"] = namespace
        kernel = self._kernels[listener["node"]]
        kernel.state["files"][listener["desc"]]["accept"].append(held["id"])
        self._send(held, "server", {"established": "open"})
        kernel.wake("sock:" + listener["desc"], {"on": "fd"})
        kernel.run()

    def _settle(self, held: Data, state: str) -> None:
        """The client learns how its connect ended."""
        held["state"] = state
        client = held["client"]
        if state != "open":
            del self.state["connections"][held["id"]]
            self._record(held, "", "", 0)
        if "exchange" in client:
            exchange = self.state["exchanges"].get(client["exchange"])
            if exchange is None:
                return
            if state != "open":
                self._answer(client["exchange"], error=state)
            elif exchange["message"] is None:
                self._answer(client["exchange"], ok=True)
            else:
                self._send(held, "client", {"data": exchange["message"]})
                self._sniff(held, "client", exchange["message"])
            return
        kernel = self._kernels[client["node"]]
        desc = kernel.state["files"].get(client["desc"])
        if desc is not None:
            desc["state"] = state
            kernel.wake("sock:" + client["desc"], {"on": "fd"})
            kernel.run()

    def _deliver(self, held: Data, to: str, text: str) -> None:
        end = held[to]
        if "exchange" in end:
            exchange = self.state["exchanges"].get(end["exchange"])
            if exchange is not None:
                exchange["buffer"] += text
                self._parse(end["exchange"], exchange, closed=False)
            return
        if "desc" not in end:
            held["early"] += text
            return
        kernel = self._kernels[end["node"]]
        desc = kernel.state["files"].get(end["desc"])
        if desc is not None:
            desc["rbuf"] += text
            kernel.wake("sock:" + end["desc"], {"on": "fd"})
            kernel.run()

    def _parse(self, key: str, exchange: Data, *, closed: bool) -> None:
        message, _ = http.take(exchange["buffer"], closed=closed, head_only=exchange["head"])
        if message is not None:
            self._answer(key, ok=200 <= message.status < 400, status=message.status, headers=[list(h) for h in message.headers],
                         body=message.body)
        elif closed:
            self._answer(key, error="closed")

    def _finish(self, held: Data, to: str) -> None:
        """The other end has closed."""
        end = held[to]
        if held["closed"] and held["closed"] != ("client" if to == "server" else "server"):
            self.state["connections"].pop(held["id"], None)
        held["closed"] = "client" if to == "server" else "server"
        if "exchange" in end:
            exchange = self.state["exchanges"].get(end["exchange"])
            if exchange is not None:
                self._parse(end["exchange"], exchange, closed=True)
            self.state["connections"].pop(held["id"], None)
            return
        if "desc" not in end:
            return
        kernel = self._kernels[end["node"]]
        desc = kernel.state["files"].get(end["desc"])
        if desc is None:
            self.state["connections"].pop(held["id"], None)
            return
        desc["eof"] = True
        kernel.wake("sock:" + end["desc"], {"on": "fd"})
        kernel.run()

    # ---- what the diagram shows

    def _sniff(self, held: Data, sender: str, text: str) -> None:
        """Note requests and answers of HTTP that pass by, for the picture and for "왜?"."""
        if sender == "client":
            line = text.split("\r\n", 1)[0].split("\n", 1)[0]
            if line.count(" ") == 2 and "HTTP/" in line:
                held["asked"] = [*line.split(" ")[:2], self.now]
        elif "asked" in held and text.startswith("HTTP/"):
            method, path, at = held.pop("asked")
            status = text.split(" ", 2)[1]
            self._record(held, method, path, int(status) if status.isdigit() else 0, self.now - at)

    def _record(self, held: Data, method: str, path: str, status: int, ms: int = 0) -> None:
        source = held["client"]["namespace"]
        entry = {"t": self.now, "from": "kubelet" if source.startswith("host/") else source, "to": held["server"].get("namespace", ""),
                 "via": held["via"], "method": method, "path": path, "status": status, "ms": ms,
                 "error": "" if held["state"] == "open" else held["state"], "port": held["server"]["port"]}
        traffic = self.state["traffic"]
        traffic.append(entry)
        if len(traffic) > TRAFFIC_KEPT:
            del traffic[0]

    def traffic(self, since: int) -> list[Data]:
        """Requests answered (or refused) after `since` (virtual ms), oldest first. `from` is a Pod uid, "outside" or "kubelet"."""
        return [entry for entry in self.state["traffic"] if entry["t"] > since]

    # ---- the learner's browser

    def visit(self, url: str, method: str = "GET", headers: list[list[str]] | None = None, body: str = "") -> str:
        """Start a page load from outside. The answer is kept as `visits[id]` for whoever asked. Returns the id."""
        _, host, port, target = http.split_url(url)
        message = http.request(method, target, f"{host}:{port}" if port != 80 else host, [(k, v) for k, v in headers or []], body)
        visits = self.state.setdefault("visits", {})
        visit = str(self.state["next"] + 1)
        visits[visit] = None
        for old in list(visits)[:-8]:
            del visits[old]
        self.request(OUTSIDE, host, port, message.text(), 30_000, (self.name, visit))
        return visit

    def on_reply(self, payload: str, result: Data) -> None:
        if payload in self.state.get("visits", {}):
            self.state["visits"][payload] = result


def _container_name(sys: Sys, container: str) -> str:
    return str(sys.kernel.state["containers"][container]["name"]) if container else ""


def _pod_ref(sys: Sys) -> str:
    return f"pods/{sys.sandbox['namespace']}/{sys.sandbox['name']}"
