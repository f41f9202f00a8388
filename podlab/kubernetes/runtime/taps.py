"""What a capturing program sees: every packet of a Pod's connections as one line of JSON on the descriptor that it listens on.

Costs nothing while nobody captures. A line: {"t", "if", "way": In | Out, "src", "dst": "address.port", "flags", "seq", "ack", "data"}.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .fabric import Fabric

Data = dict[str, Any]
FLAGS = {"open": "S.", "ECONNREFUSED": "R.", "data": "P.", "fin": "F.", "reset": "R."}


def open_tap(network: Fabric, namespace: str, node: str, desc: str) -> None:
    network.state["taps"].setdefault(namespace, []).append([node, desc])


def close_tap(network: Fabric, namespace: str, desc: str) -> None:
    left = [one for one in network.state["taps"].get(namespace, ()) if one[1] != desc]
    network.state["taps"].update({namespace: left})
    if not left:
        del network.state["taps"][namespace]


def note(network: Fabric, held: Data, sender: str, flags: str, data: str = "") -> None:
    """A packet of the connection leaves its sender; whoever captures at one of its ends is told."""
    other = "server" if sender == "client" else "client"
    seen = held.setdefault("seen", {"client": 0, "server": 0})
    ends = {side: held[side] for side in ("client", "server")}
    inside = ends["client"].get("namespace") == ends["server"].get("namespace")
    for side, way in ((sender, "Out"), (other, "In")):
        namespace = ends[side].get("namespace", "")
        for node, desc in network.state["taps"].get(namespace, ()):
            kernel = network.kernel(node)
            held_desc = kernel.state["files"].get(desc)
            if held_desc is None or (inside and way == "In"):
                continue
            source, target = (_end(held, one, inside, side) for one in (sender, other))
            line = {
                "t": network.now, "if": "lo" if inside else "eth0", "way": way, "src": source, "dst": target, "flags": flags,
                "seq": seen[sender], "ack": seen[other], "data": data,
            }  # fmt: skip
            held_desc["rbuf"] += json.dumps(line) + "\n"
            network.after(0, {"captured": [node, desc]})
    seen[sender] += len(data)


def _end(held: Data, side: str, inside: bool, viewer: str) -> str:
    """`10.244.0.5.8080`. A client sees the Service's address that it called, for it is the node that puts a Pod's in its place; on eth0 a
    redirected connection still shows the port that was meant, on lo where it goes."""
    end = held[side]
    if side == "server" and not inside:
        shown = held.get("front") if viewer == "client" else None
        shown = shown or held.get("original")
        if shown:
            return f"{shown[0]}.{shown[1]}"
    seen = end.get("seen") if viewer == "server" else None
    return f"{seen or end['ip']}.{end['port']}"
