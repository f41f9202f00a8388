"""Between the kubelet and the machine it runs: the runtime's host, and the few calls whose form may differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..apiserver import account_tokens
from ..runtime.host import Random
from ..runtime.node import Node
from . import pressure

if TYPE_CHECKING:
    from .agent import Agent


class Machine:
    """The runtime's host (runtime/host.py): its timers are the kubelet's, its reports become the kubelet's work."""

    def __init__(self, kubelet: Agent) -> None:
        self._kubelet = kubelet

    @property
    def now(self) -> int:
        return self._kubelet.now

    @property
    def random(self) -> Random:
        return self._kubelet.cluster.random

    @property
    def cluster(self) -> Any:
        """For the network, which spans the machines."""
        return self._kubelet.cluster

    def after(self, ms: int, payload: dict[str, Any]) -> int:
        return self._kubelet.after(ms, ["cri", payload])

    def cancel(self, timer: Any) -> None:
        self._kubelet.cancel(timer)

    def on_exit(self, pod_uid: str, container_id: str) -> None:
        self._kubelet.container_ended(pod_uid, container_id)

    def on_output(self, pod_uid: str, container_id: str) -> None:
        """Logs are read when somebody asks."""

    def promised(self, promise: list[Any]) -> str:
        """The only content that is promised is an account's token."""
        return account_tokens.written(self._kubelet.cluster, promise)[0]

    def on_memory(self) -> None:
        pressure.notice(self._kubelet)

    def on_exec_output(self, exec_id: str) -> None:
        self._kubelet.sessions_output(exec_id)

    def on_exec_exit(self, exec_id: str, payload: Any) -> None:
        self._kubelet.exec_ended(exec_id, payload)

    def on_foreign(self, process: str, event: str, detail: Any) -> None:
        """No program of a Pod is run by the kubelet."""


def new_node(kubelet: Agent, state: dict[str, Any] | None, cpu: int, memory: int, disk: int) -> Node:
    """The machine of a kubelet; `state` from a checkpoint. cpu in millicores, memory and disk in bytes."""
    return Node(Machine(kubelet), state, cpu=cpu, memory=memory, disk=disk)


def run_sandbox(machine: Node, uid: str, **options: Any) -> None:
    """RunPodSandbox. A second one for a Pod, after a reboot, leaves the dead containers of the first to be looked at."""
    before = machine.state["sandboxes"].get(uid)
    machine.run_sandbox(uid, **options)
    if before is not None:
        machine.state["sandboxes"][uid]["containers"] = before["containers"]
        for volume in before["volumes"].values():
            if volume["own"] and volume["fs"] in machine.state["filesystems"] and machine.in_memory(volume["fs"]):
                machine.state["filesystems"].pop(volume["fs"])  # memory does not outlive a reboot


def set_limits(machine: Node, container_id: str, limits: dict[str, int]) -> None:
    """UpdateContainerResources: new limits for a container that runs."""
    machine.state["containers"][container_id]["limits"] = dict(limits)
