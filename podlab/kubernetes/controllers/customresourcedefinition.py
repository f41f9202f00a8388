"""What becomes of a CustomResourceDefinition: its names are accepted, it is established, and when it goes its objects go first.

Sources: apiextensions-apiserver/pkg/controller/status/naming_controller.go, establish/establishing_controller.go, finalizer/crd_finalizer.go.
In a real cluster these three are part of the API server.
"""

from __future__ import annotations

from typing import Any

from ..apiserver.customresources.definitions import CLEANUP
from ..apiserver.errors import ApiError
from ..cause import Cause
from ..component import Controller, own_key
from ..controllers_common import conditions
from ..objects import Map
from ..times import rfc3339

AGAIN_MS = 1000  # between two looks whether all objects have gone


class CustomResourceDefinitionController(Controller):
    name = "crd-controller"
    watches = {"customresourcedefinitions": own_key}

    def reconcile(self, key: str) -> int | None:
        definition = self.cluster.etcd.get("customresourcedefinitions", key)
        if definition is None:
            self._look_again(key)
            return None
        if definition["metadata"].get("deletionTimestamp"):
            return self._finish(definition)
        status = definition.get("status") or {}
        accepted, named = self._accept(definition)
        held = [one for one in status.get("conditions") or () if one["type"] not in ("NamesAccepted", "Established")]
        established = named["status"] == "True" or any(
            one["type"] == "Established" and one["status"] == "True" for one in status.get("conditions") or ())
        ready = ("True", "InitialNamesAccepted", "the initial names have been accepted") if established else \
            ("False", "NotAccepted", "not all names are accepted")
        found = [self._condition(definition, "NamesAccepted", named["status"], named["reason"], named["message"]),
                 self._condition(definition, "Established", *ready)]
        self._write(definition, {**status, "conditions": [*held, *found], "acceptedNames": accepted}, "crd-established" if established
                    else "crd-names-refused")
        return None

    def _look_again(self, key: str) -> None:
        """Names that are free again may be what others of the group wait for."""
        group = key.partition(".")[2]
        for other in self.cluster.etcd.list("customresourcedefinitions"):
            if other["spec"]["group"] == group:
                self.enqueue(other["metadata"]["name"])

    def _accept(self, definition: Map) -> tuple[dict[str, Any], dict[str, str]]:
        """(the names that are free or its own, the condition NamesAccepted)."""
        taken: dict[str, None] = {}
        kinds: dict[str, None] = {}
        for other in self.cluster.etcd.list("customresourcedefinitions"):
            if other["metadata"]["name"] == definition["metadata"]["name"] or other["spec"]["group"] != definition["spec"]["group"]:
                continue
            names = (other.get("status") or {}).get("acceptedNames") or {}
            taken.update(dict.fromkeys((str(names.get("plural")), str(names.get("singular")), *(names.get("shortNames") or ()))))
            kinds.update(dict.fromkeys((str(names.get("kind")), str(names.get("listKind")))))
        wanted = definition["spec"]["names"]
        accepted: dict[str, Any] = dict((definition.get("status") or {}).get("acceptedNames") or {"plural": "", "kind": ""})
        wrong = ("True", "NoConflicts", "no conflicts found")
        for member, reason, held in (("plural", "PluralConflict", taken), ("singular", "SingularConflict", taken),
                                     ("shortNames", "ShortNamesConflict", taken), ("kind", "KindConflict", kinds),
                                     ("listKind", "ListKindConflict", kinds)):
            value = wanted.get(member)
            if value is None:
                accepted.pop(member, None)
                continue
            clash = [one for one in (value if member == "shortNames" else [value]) if one in held]
            if clash:
                wrong = ("False", reason, "; ".join(f'"{one}" is already in use' for one in clash))
            else:
                accepted[member] = value
        if "categories" in wanted:
            accepted["categories"] = wanted["categories"]
        return accepted, dict(zip(("status", "reason", "message"), wrong, strict=True))

    def _finish(self, definition: Map) -> int | None:
        """Delete the objects; when there is none left, the definition may go."""
        if CLEANUP not in (definition["metadata"].get("finalizers") or ()):
            return None
        key = definition["metadata"]["name"]
        status = definition.get("status") or {}
        begun = self._condition(definition, "Terminating", "True", "InstanceDeletionInProgress", "CustomResource deletion is in progress")
        definition = self._write(definition, {**status, "conditions": self._with(status, begun)}, "crd-deleting")
        served = conditions.of(status.get("conditions") or (), "Established")
        present = self.cluster.etcd.list(key)
        if served is not None and served["status"] == "True":
            for obj in present:
                metadata = obj["metadata"]
                if not metadata.get("deletionTimestamp"):
                    self._forgiving(key, metadata)
        if present:
            return AGAIN_MS
        done = self._condition(definition, "Terminating", "False", "InstanceDeletionCompleted", "removed all instances")
        definition = self._write(definition, {**status, "conditions": self._with(status, done)}, "crd-deleting")
        rest = [name for name in definition["metadata"]["finalizers"] if name != CLEANUP]
        self.client.patch("customresourcedefinitions", key, {"metadata": {"finalizers": rest or None}}, cause=Cause("crd-emptied"))
        return None

    def _forgiving(self, key: str, metadata: Any) -> None:
        try:
            self.client.delete(key, metadata["name"], metadata.get("namespace"), uid=metadata["uid"], cause=Cause("crd-deleting"))
        except ApiError as error:
            if error.code not in (404, 409):
                raise

    @staticmethod
    def _with(status: Any, one: dict[str, Any]) -> list[Any]:
        return [*(held for held in status.get("conditions") or () if held["type"] != one["type"]), one]

    def _condition(self, definition: Map, kind: str, status: str, reason: str, message: str) -> dict[str, Any]:
        old = conditions.of((definition.get("status") or {}).get("conditions") or (), kind)
        since = old["lastTransitionTime"] if old is not None and old["status"] == status else rfc3339(self.now)
        return {"type": kind, "status": status, "lastTransitionTime": since, "reason": reason, "message": message}

    def _write(self, definition: Map, status: dict[str, Any], rule: str) -> Map:
        if status == definition.get("status"):
            return definition
        return self.client.update("customresourcedefinitions", {**definition, "status": status}, subresource="status", cause=Cause(rule))
