"""IPAddresses: for each address of a Service there is one, which the allocator makes and takes away with it. They follow from the Services
alone, so none is stored: they are made up when they are read. One that somebody changes is stored from then on; one that somebody deletes
is there again at once, as the repair controller would have it.

Source: pkg/registry/core/service/ipallocator/ipallocator.go (createIPAddress) and pkg/registry/core/service/ipallocator/controller.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..objects import Map, freeze

if TYPE_CHECKING:
    from ..etcd import Change
    from ..randomness import Randomness

MANAGED = "ipaddress.kubernetes.io/managed-by", "ipallocator.k8s.io"
FAMILY = "ipaddress.kubernetes.io/ip-family"


def addresses(service: Map) -> list[str]:
    return [text for text in service["spec"].get("clusterIPs") or () if text and text != "None"]


def _of(service: Map, random: Randomness) -> dict[str, Map]:
    metadata, found = service["metadata"], {}
    for address in addresses(service):
        labels = {FAMILY: "IPv6" if ":" in address else "IPv4", MANAGED[0]: MANAGED[1]}
        parent = {"group": "", "resource": "services", "namespace": metadata["namespace"], "name": metadata["name"]}
        made: Any = {"apiVersion": "networking.k8s.io/v1", "kind": "IPAddress",
                     "metadata": {"name": address, "labels": labels, "uid": random.uid("ip-address", address, metadata["uid"]),
                                  "creationTimestamp": metadata["creationTimestamp"], "resourceVersion": metadata["resourceVersion"]},
                     "spec": {"parentRef": {name: value for name, value in parent.items() if value}}}
        found[address] = freeze(made)
    return found


def find(services: Iterable[Map], random: Randomness, name: str) -> Map | None:
    return next((_of(service, random)[name] for service in services if name in addresses(service)), None)


def together(stored: Sequence[Map], services: Iterable[Map], random: Randomness) -> list[Map]:
    """All of them, by name."""
    found = {address: obj for service in services for address, obj in _of(service, random).items()}
    found.update({obj["metadata"]["name"]: obj for obj in stored})
    return [found[name] for name in sorted(found)]


def told(change: Change, random: Randomness) -> tuple[str, Map] | None:
    """What a Service's change means to who watches IPAddresses: (ADDED or DELETED, object). Services here have one address at most."""
    after = {} if change.type == "DELETED" else _of(change.object, random)
    before = _of(change.old, random) if change.old is not None else _of(change.object, random) if change.type == "DELETED" else {}
    for address, obj in after.items():
        if address not in before:
            return "ADDED", obj
    for address, obj in before.items():
        if address not in after:
            metadata = {**obj["metadata"], "resourceVersion": change.object["metadata"]["resourceVersion"]}
            gone: Any = freeze({**obj, "metadata": metadata})
            return "DELETED", gone
    return None
