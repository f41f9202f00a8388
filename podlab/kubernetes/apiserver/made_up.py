"""Objects that are stored nowhere, because they follow from others or are the same in every cluster, and parts of objects likewise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..objects import Map
from . import ip_addresses, leases, priority_and_fairness

if TYPE_CHECKING:
    from ..ground import Ground

KINDS = frozenset({"ipaddresses", *priority_and_fairness.KINDS})
# plural -> what its stored objects are when they are read
READ: dict[str, Callable[[Ground, Map], Map]] = {"leases": leases.as_read, "flowschemas": priority_and_fairness.as_read}


def find(cluster: Ground, plural: str, name: str) -> Map | None:
    """One that is not stored, or None."""
    if plural == "ipaddresses":
        return ip_addresses.find(cluster.etcd.list("services"), cluster.random, name)
    return priority_and_fairness.find(cluster, plural, name) if plural in KINDS else None


def together(cluster: Ground, plural: str, stored: Sequence[Map]) -> list[Map]:
    """Those that are stored and those that are not, by name."""
    if plural == "ipaddresses":
        return ip_addresses.together(stored, cluster.etcd.list("services"), cluster.random)
    found = {obj["metadata"]["name"]: obj for obj in (*priority_and_fairness.all_of(cluster, plural), *stored)}
    return [found[name] for name in sorted(found)]
