"""port-forward: raw connections from outside into a Pod's own network, as acts that a journal can keep (CRI PortForward).

    {"act": "dial", "pod": uid, "port": n} -> session id       {"act": "send", "session": id, "data": text, "seen": n}
    {"act": "end", "session": id}: no more is sent             {"act": "close", "session": id}

The near end is a socket in the node's kernel that no process holds, dialled from inside the Pod's network, as the container runtime does.
`read(kubelet, id, offset)` is no act: it changes nothing. `seen` is how much of the answer the client has: that is let go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..runtime.process import Errno
from . import report

if TYPE_CHECKING:
    from .agent import Agent

ACTS = ("dial", "send", "end")


def act(kubelet: Agent, order: dict[str, Any]) -> Any:
    """Do one act. Raises ApiError where the Pod cannot be reached."""
    if order["act"] == "dial":
        return _dial(kubelet, order["pod"], int(order["port"]))
    held = kubelet.state["sessions"].get(order["session"])
    desc = kubelet.machine.state["files"].get(held["line"]) if held is not None and "line" in held else None
    if held is None or desc is None:
        return None
    network = kubelet.network
    if order["act"] == "send":
        _let_go(held, desc, int(order.get("seen", 0)))
        try:
            network.socket_write(desc, order["data"])
        except Errno:
            desc["eof"] = True
    elif order["act"] == "end":
        network.shutdown(desc)
    elif order["act"] == "close":
        del kubelet.state["sessions"][order["session"]]
        kubelet.machine.close(held["line"])
    return None


def _dial(kubelet: Agent, uid: str, port: int) -> str:
    report.reachable(kubelet)
    report.held(kubelet, uid)
    kernel, network = kubelet.machine, kubelet.network
    session = f"{kubelet.node}/{kubelet.cluster.clock.now}/{len(kubelet.state['sessions'])}/{kubelet.machine.number()}"
    key = kernel.grab(kernel.describe({"kind": "socket", "rbuf": "", "eof": False, "state": "connecting", "end": "client"}))
    kernel.state["files"][key]["connection"] = network.open_connection({"node": kubelet.node, "desc": key, "namespace": uid}, "127.0.0.1", port)
    kubelet.state["sessions"][session] = {"exec": "", "line": key, "gone": 0}
    return session


def _let_go(held: dict[str, Any], desc: dict[str, Any], seen: int) -> None:
    count = min(max(seen - held["gone"], 0), len(desc["rbuf"]))
    desc["rbuf"] = desc["rbuf"][count:]
    held["gone"] += count


def read(kubelet: Agent, session: str, offset: int) -> tuple[str, str]:
    """(what came after `offset` characters, how the connection stands: "connecting", "open", "closed" or an errno's name)."""
    held = kubelet.state["sessions"].get(session)
    desc = kubelet.machine.state["files"].get(held["line"]) if held is not None else None
    if held is None or desc is None:
        return "", "ECONNRESET"
    return desc["rbuf"][max(offset - held["gone"], 0):], "closed" if desc["eof"] and desc["state"] == "open" else desc["state"]
