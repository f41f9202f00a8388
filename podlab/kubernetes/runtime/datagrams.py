"""UDP: one packet from a socket to a socket, of which nobody is told when it is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .routes import FAR_MS, NEAR_MS

if TYPE_CHECKING:
    from .fabric import Fabric


DATAGRAMS_MAX = 256  # that wait at a socket: net.core.rmem_default's 208 KiB of small ones


def send(network: Fabric, namespace: str, source: tuple[str, int], target: list[Any], text: str) -> None:
    """One UDP packet from a socket bound at `source`. `target`: [address, port], or the sender that a datagram came with, [address, port,
    namespace], whom it goes back to as kube-proxy's connection tracking would have it. Nobody is told when it does not arrive."""
    network.state["next"] += 1
    own = source[0] if source[0] not in ("", "0.0.0.0") else network.routes.address_of(namespace)
    if target[0].startswith("127."):
        own = "127.0.0.1"
    if len(target) == 3:
        here, there = network.routes.node_of(namespace), network.routes.node_of(target[2])
        if network.routes.reachable(here, there):
            packet = {"datagram": text, "to": [target[2], target[1], target[0]], "from": [own, source[1], namespace]}
            network.after(NEAR_MS if here == there else FAR_MS, packet)
        return
    way = network.routes.way(namespace, target[0], target[1], f"u{network.state['next']}", "UDP")
    if not way.error:
        packet = {"datagram": text, "to": [way.namespace, way.port, way.address], "from": [own, source[1], namespace]}
        network.after(way.ms, packet)


def arrive(network: Fabric, to: list[Any], text: str, sender: list[Any]) -> None:
    """A datagram is there: a socket takes it, or it is lost, as it is when too many wait."""
    listener = network.listener(to[0], to[1], to[2], "udp")
    if listener is None:
        return
    kernel = network.kernel(listener["node"])
    waiting = kernel.state["files"][listener["desc"]]["datagrams"]
    if len(waiting) < DATAGRAMS_MAX:
        waiting.append([text, sender])
        kernel.wake("sock:" + listener["desc"], {"on": "fd"})
        kernel.run()
