"""The machine's own pid namespace, into which a Pod with hostPID looks: every process of the machine is in it too, under another number.

Processes of hostPID containers and the machine's daemons really live in it. Those of other containers are shown as copies that
carry their host number; a number is given when a process is first looked at and stays its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from .process import Data, Process

if TYPE_CHECKING:
    from .kernel import Kernel

HOST = "host"
DAEMONS = {
    1: "/sbin/init",
    412: "/usr/bin/containerd",
    655: "/usr/bin/kubelet --config=/var/lib/kubelet/config.yaml --kubeconfig=/etc/kubernetes/kubelet.conf",
}
"""What runs on every machine besides containers, by pid. They do nothing here: the kubelet and the runtime are this simulator's own."""
FIRST = 1000


def boot(kernel: Kernel) -> None:
    """Fills the namespace with the daemons, once."""
    if HOST in kernel.state["namespaces"]:
        return
    for pid, command in DAEMONS.items():
        kernel.state["namespaces"].setdefault(HOST, {"next": 1, "pids": [], "of": {}})["next"] = pid
        kernel.new_process(HOST, "", "", program="pause", argv=command.split(), wait={"objs": [], "timer": None, "seq": 0},
                           started=kernel.state["booted"])  # fmt: skip
    kernel.state["namespaces"][HOST]["next"] = FIRST


def elsewhere(state: Data) -> list[Process]:
    """The processes of other namespaces, each as a copy with the pid, parent and group that it has in the host's, by pid."""
    space, processes = state["namespaces"][HOST], state["processes"]
    known: dict[str, int] = {key: pid for key, pid in space["of"].items() if key in processes}
    for key, proc in processes.items():
        if proc["ns"] != HOST and key not in known:
            known[key] = space["next"]
            space["next"] += 1
    space["of"] = known
    return [
        cast("Process", {**processes[key], "pid": pid, "ppid": known.get(f"{processes[key]['ns']}:{processes[key]['ppid']}", 1),
                         "pgid": known.get(f"{processes[key]['ns']}:{processes[key]['pgid']}", pid)})
        for key, pid in known.items()
    ]  # fmt: skip
