"""What every part of a cluster stands on: its clock, store, causes and chance, and a narrow sight of the parts beside it.

The API server, the components and the runtime are given a `Ground`, which names none of them; `engine.py` is the whole above them.
"""

from __future__ import annotations

from typing import Any

from .apiserver.errors import ApiError
from .cause import Cause, Causes
from .clock import Clock
from .etcd import Etcd
from .randomness import Randomness
from .sight import NetworkSight, Recorder, Server, TrialSight


class Ground:
    """One cluster as its parts know it. `spec` is plain data: {"nodes": [{"name", "cpu", "memory", "pods", ...}], ...}."""

    server: Server
    network: NetworkSight
    trials: TrialSight
    events: Recorder

    def __init__(self, seed: int, spec: dict[str, Any], clock: Clock, etcd: Etcd, causes: Causes) -> None:
        self.seed, self.spec, self.clock, self.etcd, self.causes = seed, spec, clock, etcd, causes
        self.random = Randomness(seed)
        self.because: int | None = None  # id of the cause under which the engine acts just now
        self.components: dict[str, Any] = {}  # by name: component.Component

    @property
    def now(self) -> int:
        """Virtual milliseconds since the Unix epoch."""
        return self.clock.now

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

    def session(self, **act: Any) -> Any:
        """A person's hold on a container (exec, attach): {"act": "open"|"write"|"close"|..., ...}; see kubelet sessions."""
        node = act.pop("node")
        if act["act"] == "open":
            self.server.connect(node, act)
        return self.kubelet(node).session(act)

    def kubelets(self) -> list[Any]:
        return [component for name, component in self.components.items() if name.startswith("kubelet/")]

    def heartbeat(self, node: str) -> int:
        """When a node's kubelet last renewed its lease: virtual ms; the present while it lives. Computed when read."""
        kubelet = self.components.get(f"kubelet/{node}")
        return int(kubelet.heartbeat()) if kubelet is not None else 0

    def node_facts(self, name: str) -> dict[str, Any]:
        kubelet = self.components.get(f"kubelet/{name}")
        return kubelet.node_facts() if kubelet is not None else {}

    def pod_usage(self, pod: Any) -> dict[str, Any]:
        """{container: {"cpu_nanocores", "memory_bytes"}} of a running Pod, as a metrics server would have it."""
        kubelet = self.components.get(f"kubelet/{pod['spec'].get('nodeName')}")
        return dict(kubelet.usage(pod["metadata"]["uid"])) if kubelet is not None else {}
