"""What admission and the kinds' strategies may ask of the cluster: the present objects, names, addresses, ports."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from ..controllers_common.conditions import is_true
from ..etcd import key_of
from ..objects import Map, dig
from ..resources import Resource
from . import cel, rbac, webhook_client
from .customresources import conversion
from .errors import ApiError, FieldError

if TYPE_CHECKING:
    from ..ground import Ground

SERVICE_RANGE = ipaddress.ip_network("10.96.0.0/12")  # kubeadm's --service-cluster-ip-range
NODE_PORTS = range(30000, 32768)  # DefaultServiceNodePortRange
LOWER_BAND = 256  # pkg/registry/core/service/ipallocator, calculateRangeOffset: automatic addresses come from above it
WARNINGS_MAX, WARNING_CUT = 4096, 256  # characters: truncateAtTotalRunes, truncateItemRunes (apiserver/pkg/endpoints/filters/warning.go)
LOWER_PORTS = 86  # pkg/registry/core/service/portallocator, calculateRangeOffset


class AllocationError(Exception):
    """An address or port that cannot be had; `error` says why, for the field that asked."""

    def __init__(self, error: FieldError) -> None:
        super().__init__(str(error))
        self.error = error


class Context:
    """One request's view of the cluster. `dry`: whether it is a dry run."""

    def __init__(self, cluster: Ground, user: str, dry: bool = False) -> None:
        self._cluster, self.user, self.dry, self.cost = cluster, user, dry, cel.Cost()
        self._ports: set[int | None] = set()  # what others' Services hold, once it was asked

    @property
    def now(self) -> int:
        return self._cluster.clock.now

    def find(self, plural: str, name: str, namespace: str | None = None) -> Map | None:
        return self._cluster.etcd.get(plural, key_of(namespace, name))

    def list(self, plural: str, namespace: str | None = None) -> list[Map]:
        return self._cluster.etcd.list(plural, namespace)

    def resource_of(self, api_version: str, kind: str) -> Resource | None:
        """The served kind of that name, people's own kinds among them; None where there is no such kind."""
        return self._cluster.server.resource_of(api_version, kind)

    def versions_of(self, resource: Resource) -> tuple[Resource, ...]:
        """The other served versions of a kind, to which its objects can be converted."""
        return tuple(one for one in self._cluster.server.customs.served() if one.plural == resource.plural and one.version != resource.version) \
            if resource.custom is not None else ()

    def converted(self, resource: Resource, obj: Mapping[str, Any]) -> Mapping[str, Any]:
        """A custom object in a version of its kind. Raises ApiError where its webhook cannot."""
        return conversion.in_version(resource, obj)

    def ask(self, config: Mapping[str, Any], review: Mapping[str, Any], seconds: int) -> Any:
        """What the webhook of a clientConfig answers. Raises CallError."""
        return webhook_client.ask(self._cluster, config, review, seconds, happens=not self.dry)

    def verdict(self, user: rbac.User, wanted: dict[str, Any]) -> dict[str, Any]:
        """The status of an access review."""
        return rbac.verdict(self._cluster, user, wanted)

    def warn(self, text: str) -> bool:
        """A Warning header of the answer: kubectl shows it, and the request goes on. The same one is said once (warning.Recorder).

        Returns False where the answer has more than it can tell already: nothing is added then, and no more need be sought."""
        told = self._cluster.server.warnings
        if sum(min(len(one), WARNING_CUT) for one in told) > WARNINGS_MAX:
            return False
        if text not in told:
            told.append(text)
        return True

    def random_name(self, length: int, *key: str | int) -> str:
        return self._cluster.random.name(length, *key, self._cluster.etcd.revision)

    def uid(self, *key: str | int) -> str:
        return self._cluster.random.uid(*key, self._cluster.etcd.revision)

    def allocate_cluster_ip(self, requested: str | None = None) -> str:
        """A free Service address, or the requested one. Raises AllocationError."""
        used = {ip for service in self.list("services") for ip in service["spec"].get("clusterIPs") or ()}
        used.update(obj["metadata"]["name"] for obj in self.list("ipaddresses"))  # whoever made one holds that address
        if requested:
            meant = ipaddress.ip_address(".".join(str(int(part)) for part in requested.split(".")))  # zeros before a number mean nothing
            if meant not in SERVICE_RANGE and not any(meant in ipaddress.ip_network(cidr) for cidr in self._ready_cidrs()):
                raise AllocationError(FieldError.invalid(
                    "spec.clusterIPs", [requested], f"failed to allocate IP {requested}: the provided IP ({meant}) is not in the "
                    f"valid range. The range of valid IPs is {SERVICE_RANGE}"))
            if requested in used:
                raise AllocationError(FieldError.invalid(
                    "spec.clusterIPs", [requested], f"failed to allocate IP {requested}: provided IP is already allocated"))
            return requested
        size, base = SERVICE_RANGE.num_addresses - LOWER_BAND - 1, int(SERVICE_RANGE.network_address) + LOWER_BAND
        offset = self._cluster.random.integer("cluster-ip", self._cluster.etcd.revision, below=size)
        while (address := str(ipaddress.ip_address(base + offset))) in used:
            offset = (offset + 1) % size
        return address

    def _ready_cidrs(self) -> tuple[str, ...]:
        """Ranges that the cluster's people have added."""
        return tuple(cidr for obj in self.list("servicecidrs") if not obj["metadata"].get("deletionTimestamp") and is_true(obj, "Ready")
                     for cidr in obj["spec"].get("cidrs") or ())

    def allocate_node_port(self, requested: int | None = None, given: Collection[int] = ()) -> int:
        """A free node port, not among those `given` to the same Service just now, or the requested one. Raises AllocationError, ApiError."""
        used = self._ports = self._ports or {
            dig(service, "spec.healthCheckNodePort") for service in self.list("services")} | {
            port.get("nodePort") for service in self.list("services") for port in service["spec"].get("ports") or ()}
        if requested:
            if requested not in NODE_PORTS:
                raise AllocationError(FieldError.invalid(
                    "spec.ports[0].nodePort", requested,
                    f"provided port is not in the valid range. The range of valid ports is {NODE_PORTS[0]}-{NODE_PORTS[-1]}"))
            if requested in used:
                raise AllocationError(FieldError.invalid("spec.ports[0].nodePort", requested, "provided port is already allocated"))
            return requested
        size = len(NODE_PORTS) - LOWER_PORTS
        offset = self._cluster.random.integer("node-port", self._cluster.etcd.revision, *([len(given)] if given else []), below=size)
        taken = set(given)
        for tried in range(len(NODE_PORTS)):  # the upper ones first, and the lower ones when those are gone
            at = LOWER_PORTS + (offset + tried) % size if tried < size else tried - size
            if (port := NODE_PORTS[at]) not in used and port not in taken:
                return port
        # initNodePorts; portallocator.ErrFull
        raise ApiError(500, "InternalError", "Internal error occurred: failed to allocate a nodePort: range is full")
