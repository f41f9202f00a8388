"""A cluster: the store, the clock, and the components that act on them. A pure function of seed, spec and journal.

    cluster = Cluster.create(seed=7, epoch_ms=...)      a fresh cluster, bootstrapped
    cluster.apply({"at": ms, "do": "request", ...})     what a person did: the only way in from outside
    cluster.run_until(ms)                               let virtual time pass
    Cluster.restore(cluster.checkpoint())               the same future, to the byte
"""

from __future__ import annotations

from typing import Any

from . import bootstrap, components
from .cause import Causes
from .clock import Clock
from .engine import Engine
from .etcd import Etcd

ENGINE_VERSION = "9"  # named by checkpoints; raise it whenever a replay could give another history


class Cluster(Engine):
    """The engine with Kubernetes' components. Made by `create` or `restore`."""

    def __init__(self, seed: int, spec: dict[str, Any], clock: Clock, etcd: Etcd, causes: Causes, *, strict: bool = False) -> None:
        super().__init__(seed, spec, clock, etcd, causes, strict=strict)
        for component in components.components(self):
            self.components[component.name] = component

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
        """The whole state as plain data (JSON), of which this cluster goes on changing parts: write it down before anything else happens."""
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
        for timer in cluster.clock.timers():
            if timer.component not in cluster.components:  # one that the checkpoint's engine had and this one has not
                cluster.clock.cancel(timer.sequence)
        for component in cluster.components.values():
            component.restore()
        return cluster
