"""The cluster's flat network: one port space a Pod, and connections between processes as data.

A connection has two ends, "client" and "server". An end is a socket of a process (`node` and `desc`, an open file description in that
node's kernel) or an exchange of the network's own (`exchange`: a kubelet's probe, the learner's browser). Packets are timers, so no
kernel is ever entered from within another one's turn; idle connections cost nothing. Which way an address leads is routes.py's.

All state is plain data in `Network.state`:

    hosts        {address: [namespace, node]}         namespace: a Pod's uid, or "host/<node>"
    listeners    {namespace: {"80/tcp": [{"port", "protocol", "address", "node", "desc", "container", "process"}]}}
    connections  {id: {"client": end, "server": end, "state", "wait" (ms one way), "early", "via", "trace"?, "tls"?, "original"?, ...}}
    exchanges    {id: {"message", "buffer", "reply", ...}}
    traffic      the last HTTP requests, newest last      visits    {id: answer or None}
    nat          {namespace: packet rules (nat.py)}       taps      {namespace: [[node, desc]]} of programs that capture packets
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..component import Component
from . import control_plane, dns, http, nat, taps, tls
from .process import Errno, Process
from .routes import CONTROL_PLANE_NAMESPACE, FAR_MS, NEAR_MS, OUTSIDE, Routes

if TYPE_CHECKING:
    from ..cluster import Cluster
    from .kernel import Kernel
    from .system import Sys

TRAFFIC_KEPT = 160
PROBES_KEPT = 40  # of them, the kubelet's at most
VISIT_MS = 30_000
VISITS_KEPT = 8
PAGE_RESOLVER = dns.Resolver((dns.SERVER,), (f"default.svc.{dns.DOMAIN}", f"svc.{dns.DOMAIN}", dns.DOMAIN), 5)
DATAGRAMS_MAX = 256  # that wait at a socket: net.core.rmem_default's 208 KiB of small ones
PACKET = 1_460  # characters of a message that are looked at for its first line

Data = dict[str, Any]
OTHER = {"client": "server", "server": "client"}


class Network(Component):
    """Hosts, listeners, connections and exchanges of one cluster."""

    name = "network"

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self.state = {"next": 0, "hosts": {}, "listeners": {}, "connections": {}, "exchanges": {}, "traffic": [], "visits": {}, "nat": {}, "taps": {}}
        self.routes = Routes(self)
        self.told = 0  # requests recorded since this engine was made, probes left out: tells who draws them that there is something new
        self._kernels: dict[str, Kernel] = {}

    def restore(self) -> None:
        self.state.setdefault("nat", {})  # a checkpoint of an engine that had none
        self.state.setdefault("taps", {})
        self.routes.restore()

    # ---- machines and Pods

    def attach(self, node: str, kernel: Kernel) -> None:
        """A node's kernel joins; its sockets go through here from now on."""
        kernel.network, kernel.node_name = self, node
        self._kernels[node] = kernel

    def node_of(self, kernel: Kernel) -> str:
        return kernel.node_name

    def kernel(self, node: str) -> Kernel:
        return self._kernels[node]

    def add_host(self, ip: str, namespace: str, node: str) -> None:
        """A Pod's sandbox is up: `namespace` is its uid."""
        self.state["hosts"][ip] = [namespace, node]
        self.routes.where[namespace] = [ip, node]

    def remove_host(self, ip: str) -> None:
        host = self.state["hosts"].pop(ip, None)
        if host is not None:
            self.routes.where.pop(host[0], None)
            self.state["nat"].pop(host[0], None)
            self.state["taps"].pop(host[0], None)

    def ports(self, namespace: str) -> list[Data]:
        """What listens in a Pod: [{"port", "protocol", "address", "container", "process"}], by port."""
        found = [one for held in self.state["listeners"].get(namespace, {}).values() for one in held]
        return sorted(
            ({k: one[k] for k in ("port", "protocol", "address", "container", "process")} for one in found),
            key=lambda one: (one["port"], one["protocol"]),
        )

    def taken(self, namespace: str, protocol: str = "tcp") -> list[int]:
        """Ports of a protocol that something listens on in a namespace."""
        return [int(key.partition("/")[0]) for key in self.state["listeners"].get(namespace, ()) if key.endswith("/" + protocol)]

    def connections_of(self, namespace: str) -> list[tuple[str, str, str, str]]:
        """(local address:port, remote address:port, state, name of the description's id) of a Pod's connections, for netstat."""
        found = []
        for held in self.state["connections"].values():
            for side in ("client", "server"):
                end, other = held[side], held[OTHER[side]]
                if end.get("namespace") == namespace and "desc" in end:
                    state = "SYN_SENT" if held["state"] == "connecting" else "CLOSE_WAIT" if other.get("fin") else "ESTABLISHED"
                    found.append((f"{end['ip']}:{end['port']}", f"{other['ip']}:{other['port']}", state, end["desc"]))
        return found

    # ---- sockets, for sockets.py and the kernels

    def listen(self, sys: Sys, desc: str, namespace: str, port: int, address: str, protocol: str) -> int:
        """Binds and listens; port 0 means any. Gives the port. Raises EADDRINUSE."""
        held = self.state["listeners"].setdefault(namespace, {})
        if port == 0:
            port = next(free for free in range(32768, 61000) if f"{free}/{protocol}" not in held)
        entries = held.setdefault(f"{port}/{protocol}", [])
        container = _container_name(sys)
        for other in entries:
            if address == other["address"] or "0.0.0.0" in (address, other["address"]):
                facts = {"port": port, "container": container, "holder": other["container"]}
                self.note("network-port-in-use", facts, f"pods/{sys.sandbox['namespace']}/{sys.sandbox['name']}")
                raise Errno("EADDRINUSE")
        entries.append(
            {
                "port": port,
                "protocol": protocol,
                "address": address,
                "node": sys.kernel.node_name,
                "desc": desc,
                "container": container,
                "process": sys.proc["argv"][0],
            }
        )
        return port

    def connect(self, sys: Sys, desc: str, namespace: str, address: str, port: int, timeout_ms: int | None) -> None:
        """Starts a connection; its outcome comes to the description's `state`: "open" or an errno's name."""
        client = {"node": sys.kernel.node_name, "desc": desc, "namespace": namespace, "container": _container_name(sys)}
        connection = self.open_connection(client, address, port, sys.proc)
        sys.kernel.state["files"][desc].update(connection=connection, end="client")
        if timeout_ms is not None:
            self.state["connections"][connection]["timer"] = self.after(timeout_ms, {"expire": connection})

    def accept(self, sys: Sys, connection: str) -> str:
        """The server's description of a connection that has come in."""
        held = self.state["connections"].get(connection)
        key = sys.kernel.describe({"kind": "socket", "rbuf": "", "eof": held is None, "state": "open", "connection": connection, "end": "server"})
        if held is not None:
            held["server"].update(node=sys.kernel.node_name, desc=key, container=_container_name(sys))
            stored = sys.kernel.state["files"][key]
            stored["rbuf"], held["early"] = held["early"], ""
            stored["eof"] = bool(held["client"].get("fin"))
        return key

    def send_datagram(self, namespace: str, source: tuple[str, int], target: list[Any], text: str) -> None:
        """One UDP packet from a socket bound at `source`. `target`: [address, port], or the sender that a datagram came with, [address, port,
        namespace], whom it goes back to as kube-proxy's connection tracking would have it. Nobody is told when it does not arrive."""
        self.state["next"] += 1
        own = source[0] if source[0] not in ("", "0.0.0.0") else self.routes.address_of(namespace)
        if target[0].startswith("127."):
            own = "127.0.0.1"
        if len(target) == 3:
            here, there = self.routes.node_of(namespace), self.routes.node_of(target[2])
            if self.routes.reachable(here, there):
                packet = {"datagram": text, "to": [target[2], target[1], target[0]], "from": [own, source[1], namespace]}
                self.after(NEAR_MS if here == there else FAR_MS, packet)
            return
        way = self.routes.way(namespace, target[0], target[1], f"u{self.state['next']}", "UDP")
        if not way.error:
            packet = {"datagram": text, "to": [way.namespace, way.port, way.address], "from": [own, source[1], namespace]}
            self.after(way.ms, packet)

    def _datagram(self, to: list[Any], text: str, sender: list[Any]) -> None:
        """A datagram is there: a socket takes it, or it is lost, as it is when too many wait."""
        listener = self._listener(to[0], to[1], to[2], "udp")
        if listener is None:
            return
        kernel = self._kernels[listener["node"]]
        waiting = kernel.state["files"][listener["desc"]]["datagrams"]
        if len(waiting) < DATAGRAMS_MAX:
            waiting.append([text, sender])
            kernel.wake("sock:" + listener["desc"], {"on": "fd"})
            kernel.run()

    def ends(self, desc: Data) -> tuple[str, int, str, int]:
        """(own address, own port, the other's address, its port) of a connected description; empty ones when it is gone."""
        held = self.state["connections"].get(desc.get("connection", ""))
        if held is None:
            return "", 0, "", 0
        mine, other = held[desc["end"]], held[OTHER[desc["end"]]]
        return mine["ip"], mine["port"], other["ip"], other["port"]

    def original(self, desc: Data) -> tuple[str, int] | None:
        """Where a connection that has come in was bound for before the Pod's rules redirected it (SO_ORIGINAL_DST); None: here."""
        held = self.state["connections"].get(desc.get("connection", ""))
        found = held.get("original") if held is not None else None
        return (found[0], found[1]) if found else None

    def depth(self, desc: Data) -> int:
        """How many proxies what comes in on `desc` has passed."""
        return int(self.state["connections"].get(desc.get("connection", ""), {}).get("depth", 0))

    def follow(self, desc: Data, request: Data, attempt: int) -> None:
        """The connection `desc` carries on the request that has come in on `request`: one more hop of the same trace, at its `attempt`."""
        held = self.state["connections"].get(desc.get("connection", ""))
        before = self.state["connections"].get(request.get("connection", ""))
        if held is None or before is None:
            return
        held["depth"] = before.get("depth", 0) + 1
        if "asked" in before:
            method, path, _, trace, host = before["asked"]
            held["trace"] = [trace[0], trace[1] + 1, attempt, method, path, host]

    def socket_write(self, desc: Data, text: str) -> None:
        """Raises EPIPE on a connection that is gone or shut down."""
        held = self.state["connections"].get(desc.get("connection", ""))
        if held is None or desc.get("state") != "open" or held[desc["end"]].get("shut"):
            raise Errno("EPIPE")
        self._send(held, desc["end"], data=text)
        self._sniff(held, desc["end"], text)

    def shutdown(self, desc: Data) -> None:
        """No more will be written (SHUT_WR); reading goes on."""
        held = self.state["connections"].get(desc.get("connection", ""))
        if held is not None and not held[desc["end"]].get("shut"):
            held[desc["end"]]["shut"] = True
            self._send(held, desc["end"], fin=True)

    def socket_closed(self, desc_key: str, desc: Data) -> None:
        """A description's last reference is gone."""
        if "tap" in desc:
            taps.close_tap(self, desc["tap"], desc_key)
            return
        if "listen" not in desc:
            held = self.state["connections"].get(desc.get("connection", ""))
            if held is not None and desc.get("end") == "client":
                self._gave_up(held)
            self.shutdown(desc)
            return
        namespace, port, protocol = desc["listen"]
        held = self.state["listeners"].get(namespace, {})
        entries = [one for one in held.get(f"{port}/{protocol}", ()) if one["desc"] != desc_key]
        if entries:
            held[f"{port}/{protocol}"] = entries
        else:
            held.pop(f"{port}/{protocol}", None)
            if not held:
                self.state["listeners"].pop(namespace, None)
        for connection in desc.get("accept", ()):
            if waiting := self.state["connections"].get(connection):
                self._send(waiting, "server", reset=True)

    # ---- exchanges: one request of somebody who is not a process

    def request(
        self, namespace: str, address: str, port: int, message: str | None, timeout_ms: int, reply_to: tuple[str, Any], secure: bool = False
    ) -> str:
        """Connects from `namespace` ("host/<node>", "outside" or a Pod uid), sends an HTTP message (None: only connects), awaits the answer.

        `secure`: over TLS, with whatever certificate the server has (a kubelet's probe and a browser told to go on do not judge it).

        The component named in `reply_to` gets `on_reply(payload, result)`: {"ok": an answer came, whatever its status (without a message:
        the connection was made), "status", "headers", "body", "error", "ms"}; `error` is an errno's name, "timeout" (`connected` tells
        whether the connection had been made) or "closed".
        """
        self.state["next"] += 1
        exchange = f"x{self.state['next']}"
        head = message is not None and message.startswith("HEAD ")
        self.state["exchanges"][exchange] = {
            "message": message,
            "buffer": "",
            "reply": list(reply_to),
            "began": self.now,
            "head": head,
            "timer": self.after(timeout_ms, {"late": exchange}),
            **({"secure": {}} if secure else {}),
        }
        near = {"node": "", "exchange": exchange, "namespace": namespace}
        self.state["exchanges"][exchange]["connection"] = self.open_connection(near, address, port)
        return exchange

    def _answer(self, exchange: str, **result: Any) -> None:
        """The exchange is over: its end of the connection closes and whoever asked is told."""
        held = self.state["exchanges"].pop(exchange, None)
        if held is None:
            return
        self.cancel(held["timer"])
        connection = self.state["connections"].get(held["connection"])
        connected = connection is None or connection["state"] == "open"
        if connection is not None:
            connection["client"]["shut"] = True
            if connection["state"] == "connecting":
                del self.state["connections"][connection["id"]]
                connection["state"] = "ETIMEDOUT"
                self._record(connection, ["", "", held["began"], [connection["id"], 0, 0], ""], 0)
            else:
                self._send(connection, "client", fin=True)
                if "asked" in connection:
                    self._record(connection, connection.pop("asked"), 0, result.get("error", ""))
        component, payload = held["reply"]
        whole = {
            "ok": False,
            "status": 0,
            "headers": [],
            "body": "",
            "error": "",
            "connected": connected,
            **result,
            "ms": self.now - held["began"],
        }
        target: Any = self.cluster.components[component]
        target.on_reply(payload, whole)

    # ---- packets

    def open_connection(self, client: Data, address: str, port: int, proc: Process | None = None) -> str:
        """Sets out to connect; gives the connection's id. `client`: {"node", "namespace", and "desc" or "exchange"}, the near end."""
        self.state["next"] += 1
        connection = f"c{self.state['next']}"
        source = client["namespace"]
        original, wanted = None, (address, port)
        own = "127.0.0.1" if address.startswith("127.") or address in ("0.0.0.0", "::1") else self.routes.address_of(source)
        if source in self.state["nat"]:
            lo = "lo" if own == "127.0.0.1" or address == own else "eth0"
            uid, gid = (proc["uid"], proc["gid"]) if proc is not None else (0, 0)
            packet = {"dst": address, "src": own, "port": port, "uid": uid, "gid": gid, "out": lo}
            to = nat.redirected(self.state["nat"][source], "OUTPUT", packet)
            if to is not None:
                original, wanted = [address, port], ("127.0.0.1", to)
        way = self.routes.way(source, *wanted, connection)
        if way.namespace in self.state["nat"] and way.namespace != source:
            packet = {"dst": way.address, "src": own, "port": way.port, "in": "eth0"}
            to = nat.redirected(self.state["nat"][way.namespace], "PREROUTING", packet)
            if to is not None:
                original, way = [way.address, way.port], replace(way, port=to)
        client.update(ip=own, port=32768 + self.cluster.random.integer("ephemeral-port", connection, below=28232))
        self.state["connections"][connection] = {
            "id": connection,
            "client": client,
            "server": {"ip": way.address or wanted[0], "port": way.port or wanted[1], "namespace": way.namespace},
            "early": "",
            "via": way.via,
            "state": "connecting",
            "wait": way.ms if not way.error else FAR_MS,
            **({"original": original} if original else {}),
        }
        if self.state["taps"]:
            if way.via:
                self.state["connections"][connection]["front"] = [address, port]
            taps.note(self, self.state["connections"][connection], "client", "S")
        self.after(way.ms, {"syn": connection, "error": way.error})
        return connection

    def _send(self, held: Data, sender: str, **packet: Any) -> None:
        if self.state["taps"]:
            taps.note(self, held, sender, taps.FLAGS.get(packet.get("established", next(iter(packet))), "F."), packet.get("data", ""))
        self.after(held["wait"], {"packet": held["id"], "to": OTHER[sender], **packet})

    def on_timer(self, payload: Any) -> None:
        if "late" in payload:
            self._answer(payload["late"], error="timeout")
        elif "expire" in payload:
            held = self.state["connections"].get(payload["expire"])
            if held is not None and held["state"] == "connecting":
                self._settle(held, "ETIMEDOUT")
        elif "captured" in payload:
            node, desc = payload["captured"]
            self._kernels[node].wake("sock:" + desc, {"on": "fd"})
            self._kernels[node].run()
        elif "datagram" in payload:
            self._datagram(payload["to"], payload["datagram"], payload["from"])
        elif "api" in payload:
            held = self.state["connections"].get(payload["api"])
            if held is not None:
                self._attended(held, *control_plane.serve(self.cluster, _Wire(self, held, "server"), held["server"]))
        elif "syn" in payload:
            held = self.state["connections"].get(payload["syn"])
            if held is not None and held["state"] == "connecting":
                self._arrive(held, payload["error"])
        else:
            held = self.state["connections"].get(payload["packet"])
            if held is not None:
                self._packet(held, payload["to"], payload)

    def _arrive(self, held: Data, error: str) -> None:
        """The SYN is there: a listener takes it, or it is refused."""
        if error:
            self._settle(held, error)
            return
        server = held["server"]
        if server["namespace"] == CONTROL_PLANE_NAMESPACE and server["port"] == control_plane.PORT:
            control_plane.opened(server)
            self._send(held, "server", established="open")
            return
        listener = self._listener(server["namespace"], server["port"], server["ip"])
        if listener is None:
            self._send(held, "server", established="ECONNREFUSED")
            return
        kernel = self._kernels[listener["node"]]
        kernel.state["files"][listener["desc"]]["accept"].append(held["id"])
        self._send(held, "server", established="open")
        kernel.wake("sock:" + listener["desc"], {"on": "fd"})
        kernel.run()

    def _listener(self, namespace: str, port: int, address: str, protocol: str = "tcp") -> Data | None:
        entries = self.state["listeners"].get(namespace, {}).get(f"{port}/{protocol}", ())
        wanted = ("0.0.0.0", "127.0.0.1", "localhost") if address in ("0.0.0.0", "::1") else ("0.0.0.0", address)
        return next((one for one in entries if one["address"] in wanted), None)

    def _packet(self, held: Data, to: str, packet: Data) -> None:
        nodes = [self.routes.node_of(held[side].get("namespace", "")) for side in ("client", "server")]
        lost = not self.routes.reachable(*nodes)
        if "established" in packet:
            if not lost and held["state"] == "connecting":
                self._settle(held, packet["established"])
        elif "data" in packet:
            if not lost:
                self._deliver(held, to, packet["data"])
        else:
            held[OTHER[to]]["fin"] = True
            if not lost:
                self._finish(held, to, "reset" in packet)
            if held[to].get("fin"):  # both have closed
                self.state["connections"].pop(held["id"], None)

    def _settle(self, held: Data, state: str) -> None:
        """The client learns how its connect ended."""
        held["state"] = state
        self.cancel(held.pop("timer", None))
        client = held["client"]
        if state != "open":
            del self.state["connections"][held["id"]]
            trace, depth, attempt, method, path, host = held.get("trace", [held["id"], 0, 0, "", "", ""])
            self._record(held, [method, path, self.now, [trace, depth, attempt], host], 0)
        if "exchange" in client:
            exchange = self.state["exchanges"].get(client["exchange"])
            if exchange is None:
                return
            if state != "open":
                self._answer(client["exchange"], error=state)
            elif exchange["message"] is None:
                self._answer(client["exchange"], ok=True)
            elif "secure" in exchange:
                exchange["secure"] = tls.client(_Wire(self, held), 0, {})
            else:
                self._send(held, "client", data=exchange["message"])
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
            if exchange is not None and "secure" in exchange:
                self._secured(held, end["exchange"], exchange, text)
            elif exchange is not None:
                exchange["buffer"] += text
                self._parse(end["exchange"], exchange, closed=False)
        elif "serves" in end:
            self._attended(held, *control_plane.received(_Wire(self, held, "server"), end, text))
        elif "desc" not in end:
            held["early"] += text
        else:
            kernel = self._kernels[end["node"]]
            desc = kernel.state["files"].get(end["desc"])
            if desc is None:
                self._send(held, to, reset=True)
                return
            desc["rbuf"] += text
            kernel.wake("sock:" + end["desc"], {"on": "fd"})
            kernel.run()

    def _attended(self, held: Data, due: bool, keep: bool) -> None:
        """The API server has looked at its end of a connection: it answers what is `due` in a moment, or hangs up."""
        if due:
            self.after(control_plane.WORK_MS, {"api": held["id"]})
        elif not keep and not held["server"].get("shut"):
            held["server"]["shut"] = True
            self._send(held, "server", fin=True)

    def _secured(self, held: Data, key: str, exchange: Data, text: str) -> None:
        """What has come in over TLS; once the handshake is over the message is sent."""
        session, wire = exchange["secure"], _Wire(self, held)
        before = session["state"]
        exchange["buffer"] += tls.feed(wire, 0, session, text, {})
        if session["state"] == "failed":
            plain = text.startswith("HTTP/")
            self._answer(key, error="http: server gave HTTP response to HTTPS client" if plain else f"remote error: tls: {session['error']}")
        elif session["state"] == "open":
            if before != "open":
                tls.write(wire, 0, session, exchange["message"])
                self._sniff(held, "client", exchange["message"])
            self._parse(key, exchange, closed=False)

    def _parse(self, key: str, exchange: Data, *, closed: bool) -> None:
        message, _ = http.take(exchange["buffer"], closed=closed, head_only=exchange["head"])
        if message is not None:
            self._answer(key, ok=True, status=message.status, headers=[list(h) for h in message.headers], body=message.body)
        elif closed:
            self._answer(key, error="closed")

    def _finish(self, held: Data, to: str, reset: bool) -> None:
        """The other end has closed, or does not want what was sent."""
        end = held[to]
        if reset:
            held[to]["fin"] = True
        if "exchange" in end:
            exchange = self.state["exchanges"].get(end["exchange"])
            if exchange is not None:
                self._parse(end["exchange"], exchange, closed=True)
        elif "serves" in end:
            self._attended(held, due=False, keep=False)
        elif "desc" in end:
            kernel = self._kernels[end["node"]]
            desc = kernel.state["files"].get(end["desc"])
            if desc is not None:
                desc["eof"] = True
                if reset:
                    desc["state"] = "ECONNRESET"
                kernel.wake("sock:" + end["desc"], {"on": "fd"})
                kernel.run()

    # ---- what the diagram shows

    def _sniff(self, held: Data, sender: str, text: str) -> None:
        """Notes requests and answers of HTTP that pass by, and who proves who it is, for the picture and for "왜?"."""
        if text[:1] in ("\x16", "\x17"):
            proof = tls.handshake(text)
            if proof is not None:
                held.setdefault("tls", {})[proof[0]] = proof[1]
            text = tls.opened(text)
        if sender == "client":
            line = text[:PACKET].split("\n", 1)[0].rstrip("\r")
            if line.count(" ") == 2 and "HTTP/" in line:
                count = held["count"] = held.get("count", 0) + 1
                trace = held["trace"][:3] if "trace" in held else [f"{held['id']}.{count}", 0, 0]
                held["asked"] = [*line.split(" ")[:2], self.now, trace, _host(text[:PACKET])]
        elif "asked" in held and text.startswith("HTTP/"):
            status = text[:PACKET].split(None, 2)[1] if text.count(" ") else ""
            self._record(held, held.pop("asked"), int(status) if status.isdigit() else 0)

    def _gave_up(self, held: Data) -> None:
        """The client closes: if it has no answer, that is how the hop has ended."""
        if "asked" in held:
            self._record(held, held.pop("asked"), 0, "closed" if held["server"].get("fin") else "abandoned")
        elif "trace" in held and "count" not in held and held["state"] == "open":  # a proxy's, for which TLS could not be agreed on
            trace, depth, attempt, method, path, host = held["trace"]
            self._record(held, [method, path, self.now, [trace, depth, attempt], host], 0, "tls" if "tls" in held else "closed")

    def _record(self, held: Data, asked: list[Any], status: int, error: str = "") -> None:
        """One hop has ended. `asked`: [method, path, when it began, [trace, depth, attempt], host]."""
        client, server = held["client"], held["server"]
        method, path, began, (trace, depth, attempt), host = asked
        traffic: list[Data] = self.state["traffic"]
        found = {
            "t": began,
            "from": "kubelet" if client["namespace"].startswith("host/") else client["namespace"],
            "to": server["namespace"],
            "via": held["via"],
            "method": method,
            "path": path,
            "status": status,
            "ms": self.now - began,
            "error": error or ("" if held["state"] == "open" else held["state"]),
            "port": server["port"],
            "trace": trace,
            "hop": depth,
            "by": client.get("container", ""),
            "at": server.get("container", ""),
            "host": host,
        }
        if attempt:
            found["try"] = attempt
        if "tls" in held:
            found["tls"] = [held["tls"].get("client", ""), held["tls"].get("server", "")]
        if "original" in held:
            found["wanted"] = held["original"]
        traffic.append(found)
        self.told += found["from"] != "kubelet"
        if len(traffic) > TRAFFIC_KEPT:
            probes = sum(entry["from"] == "kubelet" for entry in traffic)
            drop = next(i for i, entry in enumerate(traffic) if entry["from"] == "kubelet") if probes > PROBES_KEPT else 0
            del traffic[drop]

    def traffic(self, since: int) -> list[Data]:
        """Hops of requests begun at or after `since` (virtual ms) that have ended, in the order of their ends.

        `from`: a Pod uid, "outside", "kubelet". `trace` is the same for all hops of a request, `hop` counts from 0, `by` and `at`
        are the containers, `host` is the Host header, `try` (where a proxy sent it) which attempt, `tls` the identities [client's, server's]
        where the hop was TLS, `wanted` the [address, port] that the sender meant where its Pod's or the target's rules redirected it.
        """
        return [entry for entry in self.state["traffic"] if entry["t"] >= since]

    # ---- the learner's browser

    def visit(self, url: str, method: str = "GET", headers: list[list[str]] | None = None, body: str = "", pod: str = "") -> str:
        """Starts a page load from outside, or (port-forward) from inside the Pod whose uid `pod` is, where 127.0.0.1 is the Pod's own.

        The host may be an address, a node's name or a Service's. Gives the visit's id; `state["visits"][id]` is None, then the result.
        """
        scheme, host, port, target = http.split_url(url)
        sent = [(k, v) for k, v in headers or []]
        named = next((v for k, v in sent if k.lower() == "host"), host if port == 80 else f"{host}:{port}")
        message = http.request(method, target, named, [one for one in sent if one[0].lower() != "host"], body)
        visits: Data = self.state["visits"]
        visit = f"v{self.state['next'] + 1}"
        visits[visit] = None
        for old in list(visits)[:-VISITS_KEPT]:
            del visits[old]
        addresses = [host] if dns.is_address(host) else self._named(host)
        if addresses:
            self.request(pod or OUTSIDE, addresses[0], port, message.text(), VISIT_MS, (self.name, visit), scheme == "https")
        else:
            self.state["next"] += 1
            visits[visit] = {
                "ok": False,
                "status": 0,
                "headers": [],
                "body": "",
                "error": "no such host",
                "connected": False,
                "ms": 0,
            }
        return visit

    def _named(self, host: str) -> list[str]:
        node = self.cluster.etcd.get("nodes", host)
        if node is not None:
            return [a["address"] for a in node["status"]["addresses"] if a["type"] == "InternalIP"]
        return ["127.0.0.1"] if host == "localhost" else dns.search(self.cluster, host, PAGE_RESOLVER)[1]

    def on_reply(self, payload: str, result: Data) -> None:
        if payload in self.state["visits"]:
            self.state["visits"][payload] = result


def _host(head: str) -> str:
    """The Host header of a request."""
    at = head.find("ost:")
    return head[at + 4 : head.find("\r", at)].strip() if at > 0 else ""


def _container_name(sys: Sys) -> str:
    return str(sys.container["name"]) if sys.proc["container"] else ""


class _Wire:
    """An end of a connection that is no process's, as tls.py writes to it."""

    def __init__(self, network: Network, held: Data, side: str = "client") -> None:
        self.network, self.held, self.side = network, held, side

    @property
    def now(self) -> int:
        return self.network.now

    def write(self, fd: int, text: str) -> None:
        self.network._send(self.held, self.side, data=text)
        if self.side == "server":
            self.network._sniff(self.held, "server", text)

    def charge(self, us: int) -> None:
        """Whoever asks is no process of a node."""
