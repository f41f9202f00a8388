"""The learner's browser: a page asked for from outside the cluster, or through a port-forward."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import dns, http
from .process import Data
from .routes import OUTSIDE

if TYPE_CHECKING:
    from .network import Network


VISIT_MS = 30_000
VISITS_KEPT = 8  # answers that stay however large they are
ANSWERS_MAX, ANSWERS_BYTES = 64, 1 << 20  # answers that stay until whoever asked has looked: many ask at once through a proxy
ASKED_MAX = 1024  # that wait for theirs
PAGE_RESOLVER = dns.Resolver((dns.SERVER,), (f"default.svc.{dns.DOMAIN}", f"svc.{dns.DOMAIN}", dns.DOMAIN), 5)


def visit(network: Network, url: str, method: str = "GET", headers: list[list[str]] | None = None, body: str = "", pod: str = "") -> str:
    """Starts a page load from outside, or (port-forward) from inside the Pod whose uid `pod` is, where 127.0.0.1 is the Pod's own.

    The host may be an address, a node's name or a Service's. Gives the visit's id; `state["visits"][id]` is None, then the result.
    """
    scheme, host, port, target = http.split_url(url)
    sent = [(k, v) for k, v in headers or []]
    named = next((v for k, v in sent if k.lower() == "host"), host if port == 80 else f"{host}:{port}")
    message = http.request(method, target, named, [one for one in sent if one[0].lower() != "host"], body)
    visits: Data = network.state["visits"]
    visit = f"v{network.state['next'] + 1}"
    visits[visit] = None
    _forget(visits)
    addresses = [host] if dns.is_address(host) else addresses_of(network, host)
    if addresses:
        network.request(pod or OUTSIDE, addresses[0], port, message.text(), VISIT_MS, (network.name, visit), scheme == "https")
    else:
        network.state["next"] += 1
        visits[visit] = {
            "ok": False,
            "status": 0,
            "headers": [],
            "body": "",
            "error": "no such host",
            "connected": False,
            "ms": 0,
        }
    return visit


def _forget(visits: Data) -> None:
    """Old answers go, and the oldest of too many that are awaited still: what is awaited ends by itself after VISIT_MS."""
    answered = [number for number, result in visits.items() if result is not None]
    total = 0
    for place, number in enumerate(reversed(answered)):
        total += len(visits[number]["body"])
        if place >= ANSWERS_MAX or (place >= VISITS_KEPT and total > ANSWERS_BYTES):
            del visits[number]
    for number in list(visits)[:-ASKED_MAX]:
        del visits[number]


def addresses_of(network: Network, host: str) -> list[str]:
    """Of a node, of localhost, or of what the cluster's DNS knows by that name."""
    node = network.cluster.etcd.get("nodes", host)
    if node is not None:
        return [a["address"] for a in node["status"]["addresses"] if a["type"] == "InternalIP"]
    return ["127.0.0.1"] if host == "localhost" else dns.search(network.cluster, host, PAGE_RESOLVER)[1]
