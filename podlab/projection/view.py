"""What the projection needs to know of a cluster, and nothing more. The engine's adapter and the tests' recordings satisfy it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from podlab.kubernetes.objects import Map


class Causes(Protocol):
    """The records that writes and runtime happenings leave.

    A record is `{"id", "at" ms, "component", "rule", "facts", "because": id or None, "object": "pods/default/web" or None,
    "revision"}`; cluster-scoped objects have refs of two parts, `nodes/node-1`.
    """

    def record(self, id: Any) -> Mapping[str, Any] | None:
        """The record with this id, or None where it is no longer kept."""
        ...

    def latest(self, object_ref: str) -> Sequence[Any]:
        """Ids of records about an object, newest first."""
        ...

    def since(self, record_id: int) -> Sequence[Mapping[str, Any]]:
        """Records after an id, oldest first; 0 for all that are kept."""
        ...


class View(Protocol):
    """A cluster at one moment. All times are int milliseconds of virtual time."""

    @property
    def now(self) -> int: ...

    @property
    def start(self) -> int:
        """When the cluster's clock began: T+0."""
        ...

    @property
    def causes(self) -> Causes: ...

    def objects(self, plural: str, namespace: str | None = None) -> Sequence[Map]:
        """The stored objects of a kind, in the store's order; all namespaces for None."""
        ...

    def changed(self, plural: str, since: int) -> tuple[int, Sequence[tuple[str, Map | None]] | None]:
        """(the present revision, what was written of a kind after revision `since`, oldest first, as (key, object; None where it is
        gone)). None for the latter where that is no longer known: read `objects`."""
        ...

    def facts(self, pod_uid: str) -> Mapping[str, Any]:
        """What the API objects do not say about a Pod; every key may be missing.

        ports: {container: [{"port", "protocol", "address"}]}, listening now
        clashes: {container: [{"port", "protocol", "holder"}]}, refused binds; holder a container or ""
        waits: {container: {"what": "pull" | "backoff" | "create", "since", "until"}}; until None where unknown
        probes: {container: {"liveness" | "readiness" | "startup": {"ok": bool or None, "failures", "last"}}}
        volumes: {name: {"files": their names, or how many, "bytes"}}
        deadline: ms of the forced kill of a Pod that is terminating
        """
        ...

    def node_facts(self, name: str) -> Mapping[str, Any]:
        """`{"power": "on" | "off" | "silent" | ..., "since": ms}`; both optional."""
        ...

    def traffic(self, since: int) -> Sequence[Mapping[str, Any]]:
        """Requests begun at or after `since`, oldest first.

        `{"t", "from": pod uid or "outside" or "kubelet", "to": pod uid, "via": "namespace/service" or None, "method", "path", "status", "ms"}`,
        and of requests that go through proxies hop by hop what `Network.traffic` says: "trace", "hop", "try", "by", "at", "host", "tls", "wanted".
        """
        ...
