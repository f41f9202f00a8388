"""A request to the API server as data: what the journal holds of people, and what components send."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

ADMIN = "kubernetes-admin"


@dataclass(slots=True)
class Request:
    """One call of the Kubernetes API.

    `verb` is get, list, create, update, patch, delete or deletecollection; `resource` a plural; `options` the query and
    body options under their API names (dryRun, fieldValidation, patchType, fieldManager, force, labelSelector, fieldSelector,
    gracePeriodSeconds, propagationPolicy, preconditions, command: what the person typed).
    """

    verb: str
    resource: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    body: Any = None
    options: dict[str, Any] = field(default_factory=dict)
    user: str = ADMIN

    def to_json(self) -> dict[str, Any]:
        whole = {"verb": self.verb, "resource": self.resource, "namespace": self.namespace, "name": self.name,
                 "subresource": self.subresource, "body": self.body, "options": self.options, "user": self.user}
        # an empty patch is a body all the same
        return {key: value for key, value in whole.items() if value not in ("", None, {}) or (key == "body" and value is not None)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Request:
        """Raises TypeError for unknown members."""
        return cls(**data)

    @property
    def mutates(self) -> bool:
        return self.verb not in ("get", "list", "watch")
