"""How every part of the cluster, kubectl and the pages read and write: requests to the API server, objects back."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from . import selectors
from .apiserver.made_up import KINDS as MADE_UP
from .apiserver.request import Request
from .cause import UNSAID, Cause
from .etcd import key_of
from .ground import Ground
from .objects import Map
from .sight import Sight

PATCH_TYPES = {"json": "application/json-patch+json", "merge": "application/merge-patch+json",
               "strategic": "application/strategic-merge-patch+json", "apply": "application/apply-patch+yaml"}


S = TypeVar("S", bound=Sight)


class Reader(Generic[S]):
    """Looks for one component (or person). Answers are frozen objects; refusals are raised as ApiError."""

    def __init__(self, cluster: S, user: str) -> None:
        self.cluster = cluster
        self.user = user

    # ---- reading costs no request: what a component would find in its informers' caches

    def find(self, plural: str, name: str, namespace: str | None = None) -> Map | None:
        return self.cluster.etcd.get(plural, key_of(namespace, name))

    def get(self, plural: str, name: str, namespace: str | None = None) -> Map:
        """Raises ApiError 404."""
        return self._do(Request("get", plural, namespace or "", name))

    def list(self, plural: str, namespace: str | None = None, labels: str | None = None, fields: str | None = None) -> list[Map]:
        """Objects in key order; `labels` and `fields` are selectors as typed after -l and --field-selector."""
        if plural in MADE_UP:  # most of them are stored nowhere
            found: list[Map] = self._do(Request("list", plural))["items"]
        else:
            found = self.cluster.etcd.list(plural, namespace)
        if labels:
            wanted = selectors.parse(labels)
            found = [obj for obj in found if selectors.matches(wanted, obj["metadata"].get("labels") or {})]
        if fields:
            picked = selectors.field_matcher(fields, self.cluster.server.field)
            found = [obj for obj in found if picked(obj)]
        return found

    def _do(self, request: Request, cause: Cause = UNSAID) -> Map:
        answer: Map = self.cluster.server.perform(request, cause)
        return answer


class Client(Reader[Ground]):
    """Speaks for one component."""

    # ---- writing

    def create(self, plural: str, obj: dict[str, Any], namespace: str | None = None, *, name: str = "", subresource: str = "",
               cause: Cause = UNSAID, **options: Any) -> Map:
        if namespace is None:
            namespace = (obj.get("metadata") or {}).get("namespace") or ""
        return self._do(Request("create", plural, namespace, name, subresource, obj, options, self.user), cause)

    def update(self, plural: str, obj: dict[str, Any], *, subresource: str = "", cause: Cause = UNSAID, **options: Any) -> Map:
        metadata = obj["metadata"]
        return self._do(Request("update", plural, metadata.get("namespace") or "", metadata["name"], subresource, obj, options,
                                self.user), cause)

    def patch(self, plural: str, name: str, body: Any, namespace: str | None = None, *, type: str = "merge",
              subresource: str = "", cause: Cause = UNSAID, **options: Any) -> Map:
        return self._do(Request("patch", plural, namespace or "", name, subresource, body,
                                {"patchType": PATCH_TYPES[type], **options}, self.user), cause)

    def delete(self, plural: str, name: str, namespace: str | None = None, *, grace: int | None = None,
               propagation: str | None = None, uid: str | None = None, resource_version: str | None = None,
               cause: Cause = UNSAID, **options: Any) -> Map:
        """`grace` in seconds; `propagation` Background, Foreground or Orphan; `uid` and `resource_version` are preconditions."""
        if grace is not None:
            options["gracePeriodSeconds"] = grace
        if propagation is not None:
            options["propagationPolicy"] = propagation
        preconditions = {k: v for k, v in (("uid", uid), ("resourceVersion", resource_version)) if v is not None}
        if preconditions:
            options["preconditions"] = preconditions
        return self._do(Request("delete", plural, namespace or "", name, "", None, options, self.user), cause)

    def event(self, obj: Map, type: str, reason: str, message: str, *, field_path: str | None = None,
              related: Map | None = None) -> None:
        """Record an Event about `obj` as client-go's recorder does, counted and aggregated."""
        self.cluster.events.record(self.user, obj, type, reason, message, field_path, related)
