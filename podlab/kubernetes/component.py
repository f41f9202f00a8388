"""The parts of a cluster that act by themselves: components with timers, and controllers with a work queue."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from .apiserver.errors import ApiError
from .cause import Cause
from .client import Client
from .clock import NORMAL
from .etcd import Change, Heed

if TYPE_CHECKING:
    from .ground import Ground


class Component:
    """A part with a name, timers and plain-data `state`. Whatever is not in `state` is rebuilt in `restore`."""

    name: str = ""

    def __init__(self, cluster: Ground) -> None:
        self.cluster = cluster
        self.state: dict[str, Any] = {}
        self.client = Client(cluster, self.name)

    @property
    def now(self) -> int:
        return self.cluster.clock.now

    def start(self) -> None:
        """Called once in a new cluster's life."""

    def restore(self) -> None:
        """Called before `start`, and whenever a checkpoint was loaded: rebuild indices, subscribe to changes."""

    def settle(self) -> None:
        """Called before a checkpoint is taken: `state` must then say everything."""

    def on_timer(self, payload: Any) -> None:
        """One of this component's timers fired."""

    def after(self, ms: int, payload: Any, priority: int = NORMAL) -> int:
        """Set a timer `ms` from now; it fires under the cause that is current now."""
        return self.cluster.clock.set(self.now + ms, self.name, payload, self.cluster.because, priority)

    def cancel(self, timer_id: int | None) -> None:
        self.cluster.clock.cancel(timer_id)

    def note(self, rule: str, facts: dict[str, Any], obj: str | None = None) -> int:
        """Record a happening that is not a write (a process exited, a probe failed); what follows now answers it."""
        return self.cluster.note(self.name, Cause(rule, facts), obj)


class Controller(Component, ABC):
    """A level-triggered control loop: changes name keys, each key is reconciled `latency_ms` later, once for many changes.

    `latency_ms` stands for the time that a real watch, queue and API call take.
    """

    latency_ms: ClassVar[int] = 8
    retry_ms: ClassVar[tuple[int, int]] = (5, 1000_000)  # first and last wait for a failing key (workqueue.DefaultTypedControllerRateLimiter)
    watches: ClassVar[dict[str, Callable[[Any, Change], Iterable[str]]]] = {}
    heeds: ClassVar[dict[str, Heed]] = {}  # of which changes of a watched kind it is told; without one, of all

    def __init__(self, cluster: Ground) -> None:
        super().__init__(cluster)
        self.state = {"queue": {}, "failures": {}}  # key -> [timer id, due ms]; key -> failures in a row

    def restore(self) -> None:
        for plural, keys in self.watches.items():
            # a partial of the plain function: half the bytes of a closure, and there are eighty in every cluster
            self.cluster.etcd.subscribe(plural, partial(Controller._heard, self, keys), self.heeds.get(plural))

    def _heard(self, keys: Callable[[Any, Change], Iterable[str]], change: Change) -> None:
        for key in keys(self, change):
            self.enqueue(key, because=change.cause)

    def enqueue(self, key: str, after_ms: int | None = None, because: int | None = None) -> None:
        """Ask for a reconcile of `key`. Of several asks the earliest stands."""
        due = self.now + (self.latency_ms if after_ms is None else after_ms)
        queue: dict[str, list[int]] = self.state["queue"]
        waiting = queue.get(key)
        if waiting:
            if waiting[1] <= due:
                return
            self.cancel(waiting[0])
        timer = self.cluster.clock.set(due, self.name, key, because if because is not None else self.cluster.because)
        queue[key] = [timer, due]

    def on_timer(self, payload: Any) -> None:
        key: str = payload
        self.state["queue"].pop(key, None)
        failures: dict[str, int] = self.state["failures"]
        try:
            again = self.reconcile(key)
        except ApiError:
            count = failures[key] = failures.get(key, 0) + 1
            first, last = self.retry_ms
            self.enqueue(key, min(first << min(count - 1, 30), last))
            return
        failures.pop(key, None)
        if again is not None:
            self.enqueue(key, again)

    @abstractmethod
    def reconcile(self, key: str) -> int | None:
        """Read the present of `key` ("namespace/name") and move it one step to the wish. Run twice, it changes nothing.

        Returns ms until it must look again by itself, or None. An ApiError makes it try again with back-off.
        """


def own_key(_: Controller, change: Change) -> Iterable[str]:
    """For a controller's own kind: the object itself."""
    return (change.key,)


def owner_key(kind: str) -> Callable[[Controller, Change], Iterable[str]]:
    """For the children of a kind: the key of the controlling owner, before and after the change."""
    def keys(_: Controller, change: Change) -> Iterable[str]:
        found: list[str] = []
        before = None
        for obj in (change.object,) if change.status_only else (change.object, change.old):
            references = obj["metadata"].get("ownerReferences") if obj is not None else None
            if obj is None or not references or references is before:
                continue
            before = references
            for reference in references:
                if reference.get("controller") and reference["kind"] == kind:
                    key = f"{obj['metadata'].get('namespace', '')}/{reference['name']}".lstrip("/")
                    if key not in found:
                        found.append(key)
        return found
    return keys
