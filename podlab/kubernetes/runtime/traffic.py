"""What is told of the HTTP requests that pass by: for the picture, and for "왜?"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import tls
from .numerals import is_whole
from .process import Data

if TYPE_CHECKING:
    from .fabric import Fabric


TRAFFIC_KEPT = 160
PROBES_KEPT = 40  # of them, the kubelet's at most
PACKET = 1_460  # characters of a message that are looked at for its first line


def sniff(network: Fabric, held: Data, sender: str, text: str) -> None:
    """Notes requests and answers of HTTP that pass by, and who proves who it is, for the picture and for "왜?"."""
    if text[:1] in ("\x16", "\x17"):
        proof = tls.handshake(text)
        if proof is not None:
            held.setdefault("tls", {})[proof[0]] = proof[1]
        text = tls.opened(text)
    if sender == "client":
        line = text[:PACKET].split("\n", 1)[0].rstrip("\r")
        if line.count(" ") == 2 and "HTTP/" in line:
            count = held["count"] = held.get("count", 0) + 1
            trace = held["trace"][:3] if "trace" in held else [f"{held['id']}.{count}", 0, 0]
            held["asked"] = [*line.split(" ")[:2], network.now, trace, _host(text[:PACKET])]
    elif "asked" in held and text.startswith("HTTP/"):
        _, status, *_ = *text[:PACKET].split(None, 2), "", ""
        record(network, held, held.pop("asked"), int(status) if is_whole(status) and len(status) <= 3 else 0)


def gave_up(network: Fabric, held: Data) -> None:
    """The client closes: if it has no answer, that is how the hop has ended."""
    if "asked" in held:
        record(network, held, held.pop("asked"), 0, "closed" if held["server"].get("fin") else "abandoned")
    elif "trace" in held and "count" not in held and held["state"] == "open":  # a proxy's, for which TLS could not be agreed on
        trace, depth, attempt, method, path, host = held["trace"]
        record(network, held, [method, path, network.now, [trace, depth, attempt], host], 0, "tls" if "tls" in held else "closed")


def record(network: Fabric, held: Data, asked: list[Any], status: int, error: str = "") -> None:
    """One hop has ended. `asked`: [method, path, when it began, [trace, depth, attempt], host]."""
    client, server = held["client"], held["server"]
    method, path, began, (trace, depth, attempt), host = asked
    traffic: list[Data] = network.state["traffic"]
    found = {
        "t": began,
        "from": "kubelet" if client["namespace"].startswith("host/") else client["namespace"],
        "to": server["namespace"],
        "via": held["via"],
        "method": method,
        "path": path,
        "status": status,
        "ms": network.now - began,
        "error": error or ("" if held["state"] == "open" else held["state"]),
        "port": server["port"],
        "trace": trace,
        "hop": depth,
        "by": client.get("container", ""),
        "at": server.get("container", ""),
        "host": host,
    }
    if attempt:
        found["try"] = attempt
    if "tls" in held:
        found["tls"] = [held["tls"].get("client", ""), held["tls"].get("server", "")]
    if "original" in held:
        found["wanted"] = held["original"]
    traffic.append(found)
    network.told += found["from"] != "kubelet"
    if len(traffic) > TRAFFIC_KEPT:
        probes = sum(entry["from"] == "kubelet" for entry in traffic)
        drop = next(i for i, entry in enumerate(traffic) if entry["from"] == "kubelet") if probes > PROBES_KEPT else 0
        del traffic[drop]


def _host(head: str) -> str:
    """The Host header of a request."""
    at = head.find("ost:")
    return head[at + 4 : head.find("\r", at)].strip() if at > 0 else ""
