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
    api_free     when the API server will have done what it was asked, once somebody asked
    nat          {namespace: packet rules (nat.py)}       taps      {namespace: [[node, desc]]} of programs that capture packets
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..addresses import CONTROL_PLANE_NAMESPACE
from . import api_streams, control_plane, datagrams, exchanges, internet, internet_hosts, nat, taps, tls, traffic
from .exchanges import Wire
from .fabric import Fabric
from .hosts import OTHER, container_name
from .process import Data, Errno, Process
from .routes import FAR_MS, Routes

if TYPE_CHECKING:
    from ..ground import Ground
    from .kernel import Kernel
    from .system import Sys


class Network(Fabric):
    """Hosts, listeners, connections and exchanges of one cluster."""

    name = "network"

    def __init__(self, cluster: Ground) -> None:
        super().__init__(cluster)
        self.state = {"next": 0, "hosts": {}, "listeners": {}, "connections": {}, "exchanges": {}, "traffic": [], "visits": {}, "nat": {}, "taps": {}}
        self.routes = Routes(self)
        self.listens = False  # to the store, for watches of clients inside
        self.told = 0  # requests recorded since this engine was made, probes left out: tells who draws them that there is something new
        self._kernels = {}

    def restore(self) -> None:
        self.state.setdefault("nat", {})  # a checkpoint of an engine that had none
        self.state.setdefault("taps", {})
        self.routes.restore()
        api_streams.listen(self)

    def attach(self, node: str, kernel: Kernel) -> None:
        """A node's kernel joins; its sockets go through here from now on."""
        kernel.network, kernel.node_name = self, node
        self._kernels[node] = kernel

    # ---- sockets, for sockets.py and the kernels

    def connect(self, sys: Sys, desc: str, namespace: str, address: str, port: int, timeout_ms: int | None) -> None:
        """Starts a connection; its outcome comes to the description's `state`: "open" or an errno's name."""
        client = {"node": sys.kernel.node_name, "desc": desc, "namespace": namespace, "container": container_name(sys)}
        connection = self.open_connection(client, address, port, sys.proc)
        sys.kernel.state["files"][desc].update(connection=connection, end="client")
        if timeout_ms is not None:
            self.state["connections"][connection]["timer"] = self.after(timeout_ms, {"expire": connection})

    def accept(self, sys: Sys, connection: str) -> str:
        """The server's description of a connection that has come in."""
        held = self.state["connections"].get(connection)
        key = sys.kernel.describe({"kind": "socket", "rbuf": "", "eof": held is None, "state": "open", "connection": connection, "end": "server"})
        if held is not None:
            held["server"].update(node=sys.kernel.node_name, desc=key, container=container_name(sys))
            stored = sys.kernel.state["files"][key]
            stored["rbuf"], held["early"] = held["early"], ""
            stored["eof"] = bool(held["client"].get("fin"))
        return key

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
        self.send(held, desc["end"], data=text)
        traffic.sniff(self, held, desc["end"], text)

    def shutdown(self, desc: Data) -> None:
        """No more will be written (SHUT_WR); reading goes on."""
        held = self.state["connections"].get(desc.get("connection", ""))
        if held is not None and not held[desc["end"]].get("shut"):
            held[desc["end"]]["shut"] = True
            self.send(held, desc["end"], fin=True)

    def socket_closed(self, desc_key: str, desc: Data) -> None:
        """A description's last reference is gone."""
        if "tap" in desc:
            taps.close_tap(self, desc["tap"], desc_key)
            return
        if "listen" not in desc:
            held = self.state["connections"].get(desc.get("connection", ""))
            if held is not None and desc.get("end") == "client":
                traffic.gave_up(self, held)
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
                self.send(waiting, "server", reset=True)

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
            packet = {"dst": way.address, "src": way.seen or own, "port": way.port, "in": "eth0"}
            to = nat.redirected(self.state["nat"][way.namespace], "PREROUTING", packet)
            if to is not None:
                original, way = [way.address, way.port], replace(way, port=to)
        client.update(ip=own, port=32768 + self.cluster.random.integer("ephemeral-port", connection, below=28232))
        if way.seen:
            client["seen"] = way.seen
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

    def send(self, held: Data, sender: str, **packet: Any) -> None:
        if self.state["taps"]:
            taps.note(self, held, sender, taps.FLAGS.get(packet.get("established", next(iter(packet))), "F."), packet.get("data", ""))
        self.after(held["wait"], {"packet": held["id"], "to": OTHER[sender], **packet})

    def on_timer(self, payload: Any) -> None:
        if "late" in payload:
            exchanges.answer(self, payload["late"], error="timeout")
        elif "expire" in payload:
            held = self.state["connections"].get(payload["expire"])
            if held is not None and held["state"] == "connecting":
                self._settle(held, "ETIMEDOUT")
        elif "captured" in payload:
            node, desc = payload["captured"]
            self._kernels[node].wake("sock:" + desc, {"on": "fd"})
            self._kernels[node].run()
        elif "datagram" in payload:
            datagrams.arrive(self, payload["to"], payload["datagram"], payload["from"])
        elif "api" in payload:
            held = self.state["connections"].get(payload["api"])
            if held is not None:
                due, keep, ms = control_plane.serve(self, held)
                self.state["api_free"] = max(self.now, self.state.get("api_free", 0)) + ms
                self.attended(held, due, keep)
        elif "stream" in payload:
            held = self.state["connections"].get(payload["stream"])
            if held is not None:
                api_streams.go_on(self, held)
        elif "told" in payload:
            api_streams.tell(self)
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
            self.send(held, "server", established="open")
            return
        if server["namespace"] == internet_hosts.NAMESPACE and internet_hosts.listens(server["ip"], server["port"]):
            internet.opened(server)
            self.send(held, "server", established="open")
            return
        listener = self.listener(server["namespace"], server["port"], server["ip"])
        if listener is None:
            self.send(held, "server", established="ECONNREFUSED")
            return
        kernel = self._kernels[listener["node"]]
        kernel.state["files"][listener["desc"]]["accept"].append(held["id"])
        self.send(held, "server", established="open")
        kernel.wake("sock:" + listener["desc"], {"on": "fd"})
        kernel.run()

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
            traffic.record(self, held, [method, path, self.now, [trace, depth, attempt], host], 0)
        if "exchange" in client:
            exchange = self.state["exchanges"].get(client["exchange"])
            if exchange is None:
                return
            if state != "open":
                exchanges.answer(self, client["exchange"], error=state)
            elif exchange["message"] is None:
                exchanges.answer(self, client["exchange"], ok=True)
            elif "secure" in exchange:
                exchange["secure"] = tls.client(Wire(self, held), 0, {})
            else:
                self.send(held, "client", data=exchange["message"])
                traffic.sniff(self, held, "client", exchange["message"])
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
                exchanges.secured(self, held, end["exchange"], exchange, text)
            elif exchange is not None:
                exchange["buffer"] += text
                exchanges.parse(self, end["exchange"], exchange, closed=False)
        elif "serves" in end:
            self.attended(held, *control_plane.received(Wire(self, held, "server"), end, text))
        elif "site" in end:
            self.attended(held, due=False, keep=internet.received(self, held, text))
        elif "desc" not in end:
            held["early"] += text
        else:
            kernel = self._kernels[end["node"]]
            desc = kernel.state["files"].get(end["desc"])
            if desc is None:
                self.send(held, to, reset=True)
                return
            desc["rbuf"] += text
            kernel.wake("sock:" + end["desc"], {"on": "fd"})
            kernel.run()

    def attended(self, held: Data, due: bool, keep: bool) -> None:
        """The API server (or a host outside) has looked at its end of a connection: it answers what is `due` in a moment, or hangs up."""
        if due:
            self.state["api_free"] = max(self.now, self.state.get("api_free", 0)) + control_plane.WORK_MS
            self.after(self.state["api_free"] - self.now, {"api": held["id"]})
        elif not keep and not held["server"].get("shut"):
            held["server"]["shut"] = True
            self.send(held, "server", fin=True)

    def _finish(self, held: Data, to: str, reset: bool) -> None:
        """The other end has closed, or does not want what was sent."""
        end = held[to]
        if reset:
            held[to]["fin"] = True
        if "exchange" in end:
            exchange = self.state["exchanges"].get(end["exchange"])
            if exchange is not None:
                exchanges.parse(self, end["exchange"], exchange, closed=True)
        elif "serves" in end or "site" in end:
            self.attended(held, due=False, keep=False)
        elif "desc" in end:
            kernel = self._kernels[end["node"]]
            desc = kernel.state["files"].get(end["desc"])
            if desc is not None:
                desc["eof"] = True
                if reset:
                    desc["state"] = "ECONNRESET"
                kernel.wake("sock:" + end["desc"], {"on": "fd"})
                kernel.run()

    def traffic(self, since: int) -> list[Data]:
        """Hops of requests begun at or after `since` (virtual ms) that have ended, in the order of their ends.

        `from`: a Pod uid, "outside", "kubelet". `trace` is the same for all hops of a request, `hop` counts from 0, `by` and `at`
        are the containers, `host` is the Host header, `try` (where a proxy sent it) which attempt, `tls` the identities [client's, server's]
        where the hop was TLS, `wanted` the [address, port] that the sender meant where its Pod's or the target's rules redirected it.
        """
        return [entry for entry in self.state["traffic"] if entry["t"] >= since]

    def on_reply(self, payload: str, result: Data) -> None:
        if payload in self.state["visits"]:
            self.state["visits"][payload] = result
