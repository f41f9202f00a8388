"""What a server in the cluster would answer now: one HTTPS request to a copy of its machine, for a caller that cannot wait (at_once.py).

The copy is made of what is looked at, when it is looked at. Only the process that listens has turns there, on a clock of its own that
begins at the present; it starts no others, becomes no other program, and what it sends to anybody but the caller goes nowhere. Then the
copy is forgotten: in the cluster nothing has happened. docs/decisions/webhooks-at-once.md says why.
"""

from __future__ import annotations

import copy
import heapq
from typing import Any

from . import http, logs, tls
from .at_once import PLAIN, Failed, Given
from .http import Message
from .network import Network
from .node import Node
from .process import Data, Errno, Process
from .program import PROGRAMS, Event
from .routes import Routes
from .system import Sys

CPU_MAX_US = 100_000
"""CPU time that one answer may take. A handler takes some thousands; what takes more would hold the whole server, so it never answers."""
CONNECTION = "at-once"


class _Copies(dict[str, Any]):
    """A table of plain data whose entries are copied when they are first taken out."""

    def __init__(self, source: dict[str, Any]) -> None:
        super().__init__(source)
        self.own: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        found = super().__getitem__(key)
        if key not in self.own:
            self[key] = found = self.copied(found)
        return found

    def __setitem__(self, key: str, value: Any) -> None:
        self.own.add(key)
        super().__setitem__(key, value)

    def get(self, key: str, default: Any = None) -> Any:
        try:
            return self[key]
        except KeyError:
            return default

    def setdefault(self, key: str, default: Any = None) -> Any:
        if key not in self:
            self[key] = default
        return self[key]

    def copied(self, value: Any) -> Any:
        return copy.deepcopy(value)


class _Containers(_Copies):
    """Containers, with logs in which nothing stands yet."""

    def copied(self, value: Any) -> Any:
        return {**{key: copy.deepcopy(held) for key, held in value.items() if key != "log"}, "log": logs.new_log()}


class _World:
    """The copy's host (host.py): its own clock, and nobody whom anything is reported to."""

    def __init__(self, host: Any) -> None:
        self.host, self.random, self.now = host, host.random, int(host.now)
        self.due: list[tuple[int, int, Data]] = []
        self.count = 0

    def after(self, ms: int, payload: dict[str, Any]) -> int:
        self.count += 1
        heapq.heappush(self.due, (self.now + max(0, ms), self.count, payload))
        return self.count

    def cancel(self, timer: Any) -> None:
        self.due = [one for one in self.due if one[1] != timer]
        heapq.heapify(self.due)

    def promised(self, promise: list[Any]) -> str:
        return str(self.host.promised(promise))

    def on_exit(self, pod_uid: str, container_id: str) -> None:
        """Nobody is told, here and below."""

    def on_output(self, pod_uid: str, container_id: str) -> None: ...

    def on_memory(self) -> None: ...

    def on_exec_output(self, exec_id: str) -> None: ...

    def on_exec_exit(self, exec_id: str, payload: Any) -> None: ...

    def on_foreign(self, process: str, event: str, detail: Any) -> None: ...


class _Machine(Node):
    """The copy, on which one process goes on."""

    def __init__(self, world: _World, real: Any, proc: Process, data: Data) -> None:
        made: Data = {name: _Copies(held) if isinstance(held, dict) else copy.copy(held) for name, held in real.state.items()}
        super().__init__(world, {**made, "containers": _Containers(real.state["containers"]), "ready": [], "resting": False})
        self.node_name, self.key, self.program = real.node_name, proc["key"], proc["program"]
        bare = copy.copy(proc)
        bare["data"], bare["queued"] = {}, False  # whose turn it is on the real machine says nothing here
        self.state["processes"][proc["key"]] = found = copy.deepcopy(bare)
        found["data"] = {key: held if proc["key"] in real.live and held is not proc["data"].get(key) else copy.deepcopy(held)
                         for key, held in data.items()}

    def turn(self, proc: Process, event: Event) -> None:
        if proc["key"] == self.key and proc["program"] == self.program:
            super().turn(proc, event)

    def new_process(self, ns: str, container: str, pod: str, **fields: Any) -> Process:
        raise Errno("EAGAIN")

    def output(self, desc: Data, text: str) -> None:
        """Logs and terminals stay as they are."""


def _written(real: Any, proc: Process) -> Data:
    """What the process remembers, with what its program keeps as objects written down: those are only read."""
    made = copy.copy(proc)
    made["data"] = dict(proc["data"])
    memory, settle = real.live.get(proc["key"]), PROGRAMS[proc["program"]].settle
    if memory is not None and settle is not None:
        settle(made, memory)
    return made["data"]


class _Wire(Network):
    """The copy's network: one connection, whose far end is the caller."""

    def __init__(self, real: Network, world: _World, machine: _Machine) -> None:
        self.cluster, self.client, self.world, self.machine = real.cluster, real.client, world, machine
        self.state = {**real.state, "listeners": copy.deepcopy(real.state["listeners"]), "connections": {}, "exchanges": {}, "traffic": [],
                      "visits": {}, "nat": {}, "taps": {}}
        self.routes = Routes(self)
        self.routes.where = real.routes.where
        self.listens, self.told, self._kernels = False, 0, {machine.node_name: machine}
        machine.network = self
        self.came, self.over = "", False

    @property
    def now(self) -> int:
        return self.world.now

    def after(self, ms: int, payload: Any, priority: int = 0) -> int:
        return 0  # whatever else would travel goes nowhere

    def cancel(self, timer_id: int | None) -> None:
        """Nothing was set."""

    def note(self, rule: str, facts: dict[str, Any], obj: str | None = None) -> int:
        return 0

    def connect(self, sys: Sys, desc: str, namespace: str, address: str, port: int, timeout_ms: int | None) -> None:
        """Nobody out there answers."""

    def socket_write(self, desc: Data, text: str) -> None:
        held = self.state["connections"].get(desc.get("connection", ""))
        if held is None or held["server"].get("shut"):
            raise Errno("EPIPE")
        self.send(held, "server", data=text)

    def send(self, held: Data, sender: str, **packet: Any) -> None:
        """What the server says is kept until the caller looks (`came`)."""
        self.came += packet.get("data", "")
        self.over = self.over or "fin" in packet or "reset" in packet

    # ---- the caller's end, as tls.py writes to it

    def write(self, fd: int, text: str) -> None:
        self._deliver(self.state["connections"][CONNECTION], "server", text)

    def charge(self, us: int) -> None:
        """The caller is no process of the machine."""


class Trials:
    """Asks servers of one cluster. See `sight.TrialSight`."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.written: tuple[Any, Data] = (None, {})  # what the process asked last remembers, as data, while it has had no turn since

    def ask(self, source: str, address: str, port: int, request: Message, draw: str, limit_ms: int) -> Given | Failed:
        """One HTTPS request from a network namespace to an address. `draw` names the connection, for the choice of an endpoint; the caller
        waits for `limit_ms`."""
        way = self.network.routes.look(source, address, port, draw)
        if way.error:
            return Failed(way.error, way.ms)
        listener = self.network.listener(way.namespace, way.port, way.address)
        if listener is None:
            return Failed("ECONNREFUSED", way.ms)
        real: Any = self.network.kernel(listener["node"])
        held = real.state["processes"].values()
        proc = next((one for one in held if listener["desc"] in one["fds"].values()), None)
        if proc is None or proc["state"] != "running":
            return Failed("ETIMEDOUT", 1 << 31)  # a stopped process takes no connection
        world = _World(real.host)
        mark = (listener["node"], proc["key"], proc["cpu_us"])
        if self.written[0] != mark:
            self.written = mark, _written(real, proc)
        machine = _Machine(world, real, proc, self.written[1])
        wire = _Wire(self.network, world, machine)
        ends = {"client": {"ip": self.network.routes.address_of(source), "port": 40000, "namespace": source},
                "server": {"ip": way.address, "port": way.port, "namespace": way.namespace}}
        wire.state["connections"][CONNECTION] = {"id": CONNECTION, **ends, "early": "", "via": way.via, "state": "open", "wait": 0}
        machine.state["files"][listener["desc"]]["accept"].append(CONNECTION)
        return _talk(wire, machine, request, limit_ms)


def _talk(wire: _Wire, machine: _Machine, request: Message, limit_ms: int) -> Given | Failed:
    """Lets the server do what it does until it has answered, or until the caller no longer waits."""
    world, proc = wire.world, machine.state["processes"][machine.key]
    began, spent = world.now, proc["cpu_us"]
    session = tls.client(wire, 0, {"sni": request.get("Host").partition(":")[0]})
    machine.ready(proc, {"on": "turn"})
    text, sent = "", False
    while True:
        machine.run()
        if proc["cpu_us"] - spent > CPU_MAX_US:
            return Failed("ETIMEDOUT", limit_ms, chain=_chain(session) if sent else None)
        if wire.came or wire.over:
            came, wire.came = wire.came, ""
            text += tls.feed(wire, 0, session, came, {})
            if session["state"] == "failed":
                return Failed("", world.now - began, PLAIN if came.startswith("HTTP/") else _tls_words(str(session["error"])))
            if session["state"] == "open" and not sent:
                sent = True
                tls.write(wire, 0, session, request.text())
            answer = http.take(text, closed=wire.over)[0]
            if answer is not None:
                return Given(_chain(session), answer, world.now - began)
            if wire.over and not wire.came:
                return Failed("", world.now - began, "EOF", _chain(session) if sent else None)
            if came:
                continue
        if not world.due or world.due[0][0] - began >= limit_ms:
            return Failed("ETIMEDOUT", limit_ms, chain=_chain(session) if sent else None)
        at, _, payload = heapq.heappop(world.due)
        world.now = max(world.now, at)
        machine.on_timer(payload)


def _chain(session: Data) -> str:
    return str((session["peer"] or {}).get("chain", ""))


def _tls_words(error: str) -> str:
    """Go's words for a handshake that did not come to its end."""
    if "ALERT" not in error:
        return "tls: first record does not look like a TLS handshake"
    return "remote error: tls: " + error.partition("ALERT_")[2].lower().replace("_", " ")
