"""What can be broken on purpose, so that learners see what follows by itself.

{"node", "power": "off" | "on" | "silent"}      off: the machine stops; silent: only the kubelet does; on: back again
{"node", "fill": "memory" | "disk", "percent": n}   so much of it is used by something else; 0 mends it
{"node", "registry": host or "*", "slow": factor, "broken": True or an error text}   neither mends it
{"pod": "ns/name", "container", "signal": name}   a signal to a container's first process, from outside
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..apiserver.errors import bad_request
from ..times import go_duration
from . import ending, node_status, pressure, report
from . import worker as pod_worker
from .state import Worker

if TYPE_CHECKING:
    from .agent import Agent

PLEG_THRESHOLD_MS = 180_000  # genericPlegRelistThreshold


def apply(kubelet: Agent, fault: dict[str, Any]) -> None:
    if "power" in fault:
        power(kubelet, fault["power"])
    elif "fill" in fault:
        kind = fault["fill"]
        kubelet.state["fill"][kind] = kubelet.capacity(kind) * int(fault.get("percent", 100)) // 100
        if not kubelet.state["fill"][kind]:
            del kubelet.state["fill"][kind]
        kubelet.machine.state["disk_other"] = kubelet.state["fill"].get("disk", 0)
        pressure.watch(kubelet)
    elif "registry" in fault:
        entry = {key: fault[key] for key in ("slow", "broken") if fault.get(key)}
        kubelet.state["registries"].pop(fault["registry"], None)
        if entry:
            kubelet.state["registries"][fault["registry"]] = entry
    elif "signal" in fault:
        _signal(kubelet, fault)
    else:
        raise bad_request(f"unknown fault: {sorted(fault)}")


def _signal(kubelet: Agent, fault: dict[str, Any]) -> None:
    namespace, _, name = fault["pod"].partition("/")
    for worker in kubelet.state["pods"].values():
        if (worker["namespace"], worker["name"]) == (namespace, name) and worker["gone"] is None:
            run = report.running(kubelet, worker, fault["container"])
            kubelet.machine.signal(run["id"], fault["signal"])
            return


def power(kubelet: Agent, wanted: str) -> None:
    before = kubelet.state["power"]
    if wanted == before:
        return
    if wanted not in ("on", "off", "silent"):
        raise bad_request(f"unknown power state: {wanted}")
    if before == "on":
        kubelet.state["silent_at"] = kubelet.now
        kubelet.state["missed"] = []
    if wanted == "off":
        _off(kubelet)
    kubelet.state.update(power=wanted, since=kubelet.now)
    if wanted == "on":
        rebooted, kubelet.state["dark"] = kubelet.state["dark"], False
        _on(kubelet, rebooted=rebooted)


def missed(kubelet: Agent, payload: list[Any]) -> None:
    """A timer of a kubelet that does not run: a stopped one finds it when it goes on, a dead one never."""
    if kubelet.state["power"] == "silent" and payload[0] not in ("pod",):
        kubelet.state["missed"].append(payload)


def _off(kubelet: Agent) -> None:
    """The machine loses power: every process dies, what was on disk stays."""
    kubelet.state["dark"] = True
    for worker in kubelet.state["pods"].values():
        for runs in worker["runs"].values():
            if runs and runs[-1]["state"] == "running":
                runs[-1]["lost"] = True
    for uid in list(kubelet.state["pods"]):
        kubelet.machine.stop_sandbox(uid)
        sandbox = kubelet.state["pods"][uid]["sandbox"]
        if sandbox and not sandbox["host"]:
            kubelet.network.remove_host(sandbox["ip"])
    kubelet.state["sessions"] = {}


def _on(kubelet: Agent, *, rebooted: bool) -> None:
    kubelet.state["wakes"], kubelet.state["pleg"], kubelet.state["node_timer"] = {}, None, None
    kubelet.state["evict_timer"] = None
    if kubelet.state["pressure"] or kubelet.state["fill"]:
        pressure.watch(kubelet)
    quiet = kubelet.now - kubelet.state["silent_at"]
    pending = kubelet.state.pop("missed", [])
    if rebooted:
        pending = []  # of a process that is no more
        _forget_runtime(kubelet)
        node_status.booted(kubelet)
    elif quiet > PLEG_THRESHOLD_MS:
        node_status.write(
            kubelet,
            "False",
            "KubeletNotReady",
            f"PLEG is not healthy: pleg was last seen active {go_duration(quiet)} ago; threshold is 3m0s",
            pressures=False,
        )
        kubelet.state["node_timer"] = kubelet.after(node_status.PERIOD_MS, ["node-status", ""])
    else:
        node_status.report(kubelet)
    for payload in pending:
        kubelet.on_timer(payload)
    for worker in list(kubelet.state["pods"].values()):
        _catch_up(kubelet, worker, rebooted)
    known = set(kubelet.state["pods"])
    for pod in kubelet.cluster.etcd.pods_on(kubelet.node):
        if pod["metadata"]["uid"] not in known or pod["metadata"].get("deletionTimestamp"):
            kubelet.wake(pod, kubelet.cluster.because, 1000)


def _forget_runtime(kubelet: Agent) -> None:
    """After a boot: containers that ran are found dead (containerd shows 255, Unknown), sandboxes are gone."""
    for worker in kubelet.state["pods"].values():
        ending.abort(kubelet, worker)
        for runs in worker["runs"].values():
            if runs and runs[-1].pop("lost", False):
                runs[-1].update(state="exited", exitCode=255, reason="Unknown", message="", finished=kubelet.now)
        worker.update(ended=[], kills={}, hooks={}, stir=False, grace=None)
        for probe in worker["probes"].values():
            probe.update(busy=None)
        if worker["mode"] == "terminating":
            worker["mode"] = "run"
        if worker["sandbox"]:
            worker["sandbox"].update(ready=False)


def _catch_up(kubelet: Agent, worker: Worker, rebooted: bool) -> None:
    """Statuses that the control plane changed meanwhile are put right; a deleted Pod is seen to be gone."""
    pod = kubelet.client.find("pods", worker["name"], worker["namespace"])
    if pod is None or pod["metadata"]["uid"] != worker["uid"]:
        pod_worker.pod_changed(kubelet, worker, None)
        return
    if rebooted:
        for key, probe in worker["probes"].items():
            probe["timer"] = kubelet.after(1000, ["probe", worker["uid"], key])
        if worker["mode"] == "run" and not pod["metadata"].get("deletionTimestamp"):
            kubelet.after(100, ["sync", worker["uid"]])
    else:
        for probe in worker["probes"].values():
            probe["busy"] = None
        kubelet.write_status(worker)
