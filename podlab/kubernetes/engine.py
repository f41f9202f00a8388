"""The engine of a cluster: time passes, people's journal entries are done, and whoever looks sees the present.

It knows the API server, the network and the recorder of Events. Which other components run is said above it, in cluster.py.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from .apiserver import cel, webhook_client
from .apiserver.errors import ApiError
from .apiserver.request import Request
from .apiserver.server import ApiServer
from .cause import Cause, Causes
from .client import Client
from .clock import Clock
from .component import Component, Controller
from .etcd import Etcd
from .events import EventRecorder
from .ground import Ground
from .objects import Map
from .runtime import linear, visits
from .runtime.network import Network
from .runtime.trial import Trials

CRASHES_KEPT = 20  # the newest: what fails at every turn must not fill the memory
Entry = dict[str, Any]
"""One line of the journal: `{"at": ms, "do": kind, ...}` with the members that the kind's method takes."""


class Engine(Ground):
    """Everything of one learner's cluster but its components, which `components` is filled with."""

    server: ApiServer
    network: Network
    events: EventRecorder
    components: dict[str, Component]

    def __init__(self, seed: int, spec: dict[str, Any], clock: Clock, etcd: Etcd, causes: Causes, *, strict: bool = False) -> None:
        super().__init__(seed, spec, clock, etcd, causes)
        self.strict = strict  # raise what a component throws, as tests want, instead of noting it and going on
        self.crashes: list[str] = []
        self._epoch = clock.now
        self.author = ""  # of the present journal entry, where several people share the cluster
        self.server = ApiServer(self)
        self.network = Network(self)
        self.trials = Trials(self.network)
        self.events = EventRecorder(self)

    # ---- time

    def step(self) -> None:
        """Let the next timer fire. Call only when `clock.next_at()` is not None."""
        timer = self.clock.pop()
        linear.taken()
        cel.begin_turn()
        webhook_client.begin_turn()
        self.because = timer.because
        try:
            self.components[timer.component].on_timer(timer.payload)
        except Exception:  # a component that fails must not take the learner's cluster with it (HandleCrash)
            if self.strict:
                raise
            self.crashes.append(f"{timer.component} {timer.payload!r}\n{traceback.format_exc()}")
            del self.crashes[:-CRASHES_KEPT]
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
        webhook_client.begin_turn()
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
            self.controller("node-controller").enqueue(fault["node"])
        elif "pod" not in fault:
            raise ApiError(400, "BadRequest", f"unknown fault: {sorted(fault)}")
        else:
            namespace, _, name = fault["pod"].partition("/")
            pod = self.etcd.get("pods", f"{namespace}/{name}")
            if pod is None or not pod["spec"].get("nodeName"):
                raise ApiError(404, "NotFound", f'pods "{name}" not found')
            self.because = self.note("user", Cause("fault", {**fault, **self._authored()}), f"pods/{fault['pod']}")
            self.kubelet(pod["spec"]["nodeName"]).fault(fault)

    def visit(self, **visit: Any) -> Any:
        """A person's browser asks a Service, Pod or node port: {"url", "method", "headers", "body", "follow"}."""
        return visits.visit(self.network, **visit)

    def rate(self, **rate: Any) -> None:
        """The pace of time changed. It concerns whoever drives the clock; the journal keeps it so that a replay can show it."""

    def mark(self, **mark: Any) -> None:
        """A moment to come back to (`name`). It concerns whoever keeps the journal."""

    ACTS: dict[str, Callable[..., Any]] = {"request": request, "fault": fault, "session": Ground.session, "visit": visit, "rate": rate,
                                           "mark": mark}

    # ---- what components and pages share

    def client(self, user: str) -> Client:
        return Client(self, user)

    def controller(self, name: str) -> Controller:
        found = self.components[name]
        assert isinstance(found, Controller)
        return found

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
                found: dict[str, Any] = kubelet.facts(pod_uid)
                return found
        return {}

    def traffic(self, since: int) -> list[dict[str, Any]]:
        return self.network.traffic(since)
