"""ServiceCIDRs are marked ready, and kept while Services have addresses that no other holds (pkg/controller/servicecidrs/servicecidrs_controller.go).

Addresses are read from the Services themselves, as IPAddresses are (apiserver/ip_addresses.py). One that somebody has changed is stored, and goes
with its Service.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any

from ..apiserver import ip_addresses
from ..cause import Cause
from ..component import Controller
from ..controllers_common import conditions
from ..controllers_common.pods import is_deleting
from ..etcd import Change
from ..objects import EMPTY, Map
from ..times import parse_rfc3339, rfc3339

FINALIZER = "networking.k8s.io/service-cidr-finalizer"  # ServiceCIDRProtectionFinalizer
ADDRESS = "address/"  # before the name of an IPAddress, in the queue
GRACE_MS = 10_000  # deletionGracePeriod
READY = "Kubernetes Service CIDR is ready"
KEPT = "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _all(controller: Controller, change: Change) -> Iterable[str]:
    """Where one comes or goes, others may be let go."""
    named = {change.object["metadata"]["name"]: None}
    if change.type != "MODIFIED":
        named |= {other["metadata"]["name"]: None for other in controller.cluster.etcd.list("servicecidrs")}
    return named


def _deleting(controller: Controller, change: Change) -> Iterable[str]:
    if change.type != "DELETED" or not change.object["spec"].get("clusterIPs"):
        return ()
    etcd = controller.cluster.etcd
    changed = [f"{ADDRESS}{text}" for text in change.object["spec"]["clusterIPs"] if etcd.get("ipaddresses", text) is not None]
    return changed + [cidr["metadata"]["name"] for cidr in controller.cluster.etcd.list("servicecidrs") if is_deleting(cidr)]


def networks(cidr: Map) -> list[Network]:
    return [ipaddress.ip_network(text) for text in cidr["spec"].get("cidrs") or ()]


class ServiceCIDRController(Controller):
    name = "service-cidr-controller"
    watches = {"servicecidrs": _all, "services": _deleting}

    def reconcile(self, key: str) -> int | None:
        if key.startswith(ADDRESS):
            self._let_go(key.removeprefix(ADDRESS))
            return None
        cidr = self.cluster.etcd.get("servicecidrs", key)
        if cidr is None:
            return None
        held = list(cidr["metadata"].get("finalizers") or ())
        if not is_deleting(cidr):
            if FINALIZER not in held:
                self._patch(key, {"metadata": {"finalizers": [*held, FINALIZER]}}, "service-cidr-ready")
            self._tell(cidr, "True", "", READY)
            return None
        if not self._free(cidr):
            self._tell(cidr, "False", "Terminating", KEPT)
            return None
        wait = GRACE_MS - (self.now - parse_rfc3339(cidr["metadata"]["deletionTimestamp"]))
        if wait > 0:
            return wait
        if FINALIZER in held:
            self._patch(key, {"metadata": {"finalizers": [name for name in held if name != FINALIZER] or None}}, "service-cidr-unused")
        return None

    def _let_go(self, address: str) -> None:
        held = self.cluster.etcd.get("ipaddresses", address)
        used = any(address in (service["spec"].get("clusterIPs") or ()) for service in self.cluster.etcd.list("services"))
        if held is not None and not used and (held["metadata"].get("labels") or {}).get(ip_addresses.MANAGED[0]) == ip_addresses.MANAGED[1]:
            self.client.delete("ipaddresses", address, cause=Cause("service-address-released"))

    def _free(self, cidr: Map) -> bool:
        """Whether every address of a Service in it would still be in another."""
        others = [net for other in self.cluster.etcd.list("servicecidrs") if other is not cidr for net in networks(other)]
        for service in self.cluster.etcd.list("services"):
            for text in service["spec"].get("clusterIPs") or ():
                if text in ("", "None"):
                    continue
                address = ipaddress.ip_address(text)
                if any(address in net for net in networks(cidr)) and not any(address in net for net in others):
                    return False
        return True

    def _tell(self, cidr: Map, status: str, reason: str, message: str) -> None:
        before = conditions.find(cidr, "Ready") or EMPTY
        if (before.get("status"), before.get("reason", "")) == (status, reason):
            return
        condition = {"type": "Ready", "status": status, "lastTransitionTime": rfc3339(self.now), "reason": reason, "message": message}
        rule = "service-cidr-ready" if status == "True" else "service-cidr-kept"
        self._patch(cidr["metadata"]["name"], {"status": {"conditions": [condition]}}, rule, subresource="status")

    def _patch(self, name: str, body: dict[str, Any], rule: str, **options: Any) -> None:
        self.client.patch("servicecidrs", name, body, cause=Cause(rule), **options)
