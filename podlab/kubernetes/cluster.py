"""A cluster: the store, the clock, and the components that act on them. A pure function of seed, spec and journal.

    cluster = Cluster.create(seed=7, epoch_ms=...)      a fresh cluster, bootstrapped
    cluster.apply({"at": ms, "do": "request", ...})     what a person did: the only way in from outside
    cluster.run_until(ms)                               let virtual time pass
    Cluster.restore(cluster.checkpoint())               the same future, to the byte
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from . import bootstrap
from .apiserver import cel
from .apiserver.errors import ApiError
from .apiserver.request import Request
from .apiserver.server import ApiServer
from .cause import Cause, Causes
from .client import Client
from .clock import Clock
from .component import Component
from .etcd import Etcd
from .events import EventRecorder
from .objects import Map
from .randomness import Randomness
from .runtime import linear, visits
from .runtime.network import Network

ENGINE_VERSION = "4"  # named by checkpoints; raise it whenever a replay could give another history

Entry = dict[str, Any]
"""One line of the journal: `{"at": ms, "do": kind, ...}` with the members that the kind's method takes."""


class Cluster:
    """Everything of one learner's cluster. `spec` is plain data: {"nodes": [{"name", "cpu", "memory", "pods", ...}], ...}."""

    def __init__(self, seed: int, spec: dict[str, Any], clock: Clock, etcd: Etcd, causes: Causes, *, strict: bool = False) -> None:
        self.seed, self.spec, self.clock, self.etcd, self.causes = seed, spec, clock, etcd, causes
        self.strict = strict  # raise what a component throws, as tests want, instead of noting it and going on
        self.crashes: list[str] = []
        self._epoch = clock.now
        self.random = Randomness(seed)
        self.because: int | None = None  # id of the cause under which the engine acts just now
        self.author = ""  # of the present journal entry, where several people share the cluster
        self.server = ApiServer(self)
        self.network = Network(self)
        self.events = EventRecorder(self)
        self.components: dict[str, Component] = {}
        for component in bootstrap.components(self):
            self.components[component.name] = component

    # ---- beginnings

    @classmethod
    def create(cls, seed: int, epoch_ms: int, spec: dict[str, Any] | None = None, *, strict: bool = False) -> Cluster:
        """A new cluster at virtual time `epoch_ms`, with its nodes Ready and the standard namespaces and classes."""
        cluster = cls(seed, spec or bootstrap.DEFAULT_SPEC, Clock(epoch_ms), Etcd(), Causes(), strict=strict)
        for component in cluster.components.values():
            component.restore()
        bootstrap.fill(cluster)
        for component in cluster.components.values():
            component.start()
        return cluster

    def checkpoint(self) -> dict[str, Any]:
        """The whole state as plain data (JSON)."""
        for component in self.components.values():
            component.settle()
        return {"engine": ENGINE_VERSION, "seed": self.seed, "spec": self.spec, "epoch": self._epoch, "clock": self.clock.checkpoint(),
                "etcd": self.etcd.checkpoint(), "causes": self.causes.checkpoint(),
                "components": {name: component.state for name, component in self.components.items()}}

    @classmethod
    def restore(cls, state: dict[str, Any], *, strict: bool = False) -> Cluster:
        """The cluster of a checkpoint, which it may keep and change: hand over a copy (a fresh json.loads)."""
        cluster = cls(state["seed"], state["spec"], Clock.restore(state["clock"]), Etcd.restore(state["etcd"]),
                      Causes.restore(state["causes"]), strict=strict)
        cluster._epoch = state["epoch"]
        for name, component in cluster.components.items():
            component.state = state["components"].get(name, component.state)  # a component that the checkpoint's engine did not have begins
        for component in cluster.components.values():
            component.restore()
        return cluster

    # ---- time

    @property
    def now(self) -> int:
        """Virtual milliseconds since the Unix epoch."""
        return self.clock.now

    def step(self) -> None:
        """Let the next timer fire. Call only when `clock.next_at()` is not None."""
        timer = self.clock.pop()
        linear.taken()
        cel.begin_turn()
        self.because = timer.because
        try:
            self.components[timer.component].on_timer(timer.payload)
        except Exception:  # a component that fails must not take the learner's cluster with it (HandleCrash)
            if self.strict:
                raise
            self.crashes.append(f"{timer.component} {timer.payload!r}\n{traceback.format_exc()}")
        finally:
            self.because = None

    def run_until(self, at: int, max_steps: int | None = None) -> bool:
        """Let time pass to `at`. False when `max_steps` timers fired before that; call again to go on."""
        steps = 0
        while (due := self.clock.next_at()) is not None and due <= at:
            if max_steps is not None and steps >= max_steps:
                return False
            self.step()
            steps += 1
        self.clock.now = max(self.clock.now, at)
        return True

    def run_for(self, seconds: float) -> None:
        self.run_until(self.clock.now + round(seconds * 1000))

    # ---- people

    def apply(self, entry: Entry) -> Any:
        """Do what a journal entry says, at its time. Raises ApiError when the cluster refuses; the refusal is part of history.

        `by` and `scene` say whose act it was and of which larger act it is a part: the cluster does the same without them.
        """
        self.run_until(entry["at"])
        linear.taken()
        cel.begin_turn()
        self.because = None
        self.author = entry.get("by", "")
        act = self.ACTS[entry["do"]]
        try:
            return act(self, **{key: value for key, value in entry.items() if key not in ("at", "do", "by", "scene")})
        finally:
            self.because, self.author = None, ""

    def _authored(self) -> dict[str, Any]:
        """Who acts, as a fact of the cause: only where a cluster has more than one person. Nothing else depends on it."""
        return {"by": self.author} if self.author else {}

    def request(self, **request: Any) -> Any:
        """A request to the API server by a person (members of `Request`)."""
        parsed = Request.from_json(request)
        facts = {"verb": parsed.verb, **({"command": parsed.options["command"]} if "command" in parsed.options else {}), **self._authored()}
        return self.server.perform(parsed, Cause("request", facts))

    def fault(self, **fault: Any) -> None:
        """Something breaks: {"node": name, "power": "off"|"on"|"silent"}, {"pod": "ns/name", "container", "signal"}, ..."""
        if "node" in fault:
            kubelet = self.kubelet(fault["node"])
            self.because = self.note("user", Cause("fault", {**fault, **self._authored()}), f"nodes/{fault['node']}")
            kubelet.fault(fault)
            # the node lifecycle controller looks at a node only when something happened to it
            self.components["node-controller"].enqueue(fault["node"])  # type: ignore[attr-defined]
        else:
            namespace, _, name = fault["pod"].partition("/")
            pod = self.etcd.get("pods", f"{namespace}/{name}")
            if pod is None or not pod["spec"].get("nodeName"):
                raise ApiError(404, "NotFound", f'pods "{name}" not found')
            self.because = self.note("user", Cause("fault", {**fault, **self._authored()}), f"pods/{fault['pod']}")
            self.kubelet(pod["spec"]["nodeName"]).fault(fault)

    def session(self, **act: Any) -> Any:
        """A person's hold on a container (exec, attach): {"act": "open"|"write"|"close"|..., ...}; see kubelet sessions."""
        node = act.pop("node")
        if act["act"] == "open":
            self.server.connect(node, act)
        return self.kubelet(node).session(act)

    def visit(self, **visit: Any) -> Any:
        """A person's browser asks a Service, Pod or node port: {"url", "method", "headers", "body", "follow"}."""
        return visits.visit(self.network, **visit)

    def rate(self, **rate: Any) -> None:
        """The pace of time changed. It concerns whoever drives the clock; the journal keeps it so that a replay can show it."""

    ACTS: dict[str, Callable[..., Any]] = {"request": request, "fault": fault, "session": session, "visit": visit, "rate": rate}

    # ---- what components and pages share

    def client(self, user: str) -> Client:
        return Client(self, user)

    def note(self, component: str, cause: Cause, obj: str | None = None) -> int:
        """Record a happening that is no write; what the engine does next in this turn answers it."""
        self.because = self.causes.add(self.clock.now, component, cause, self.because, obj, None)
        return self.because

    def kubelet(self, node: str) -> Any:
        """The kubelet of a node. Raises ApiError 404."""
        kubelet = self.components.get(f"kubelet/{node}")
        if kubelet is None:
            raise ApiError(404, "NotFound", f'nodes "{node}" not found')
        return kubelet

    def heartbeat(self, node: str) -> int:
        """When a node's kubelet last renewed its lease: virtual ms; the present while it lives. Computed when read."""
        kubelet: Any = self.components.get(f"kubelet/{node}")
        return int(kubelet.heartbeat()) if kubelet is not None else 0

    # ---- what the projection looks at (projection/view.py)

    @property
    def start(self) -> int:
        """When this cluster's clock began, virtual ms."""
        return self._epoch

    def objects(self, plural: str, namespace: str | None = None) -> list[Map]:
        return self.etcd.list(plural, namespace)

    def changed(self, plural: str, since: int) -> tuple[int, list[tuple[str, Map | None]] | None]:
        """(the present revision, what was written of a kind after `since`; None where history no longer reaches that far back)."""
        if since < self.etcd.compacted:
            return self.etcd.revision, None
        found: list[tuple[str, Map | None]] = []
        for change in reversed(self.etcd.history):
            if change.revision <= since:
                break
            if change.plural == plural:
                found.append((change.key, None if change.type == "DELETED" else change.object))
        return self.etcd.revision, found[::-1]

    def facts(self, pod_uid: str) -> dict[str, Any]:
        """What the diagram shows of a Pod beyond its API object; {} for one that no kubelet holds."""
        for kubelet in self.kubelets():
            if pod_uid in kubelet.state["pods"]:
                return kubelet.facts(pod_uid)  # type: ignore[no-any-return]
        return {}

    def node_facts(self, name: str) -> dict[str, Any]:
        kubelet: Any = self.components.get(f"kubelet/{name}")
        return kubelet.node_facts() if kubelet is not None else {}

    def traffic(self, since: int) -> list[dict[str, Any]]:
        return self.network.traffic(since)

    def kubelets(self) -> list[Any]:
        return [component for name, component in self.components.items() if name.startswith("kubelet/")]

    def pod_usage(self, pod: Any) -> dict[str, Any]:
        """{container: {"cpu_nanocores", "memory_bytes"}} of a running Pod, as a metrics server would have it."""
        kubelet: Any = self.components.get(f"kubelet/{pod['spec'].get('nodeName')}")
        return dict(kubelet.usage(pod["metadata"]["uid"])) if kubelet is not None else {}
