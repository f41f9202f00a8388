"""Why things happened: every write and every happening in a container leaves a record that names what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

KEPT = 3000  # records a cluster remembers; older links of a chain are cut
KEPT_PER_OBJECT = 24


@dataclass(frozen=True, slots=True)
class Cause:
    """What a component says of its own act: a rule code (kebab-case) and the facts it weighed (plain data)."""

    rule: str
    facts: dict[str, Any] = field(default_factory=dict)


UNSAID = Cause("write")


class Causes:
    """The records of one cluster: {id, at, component, rule, facts, because, object, revision}."""

    def __init__(self) -> None:
        self.last = 0  # id of the newest record
        self._records: dict[int, dict[str, Any]] = {}
        self._of: dict[str, list[int]] = {}

    def add(self, at: int, component: str, cause: Cause, because: int | None, obj: str | None, revision: int | None) -> int:
        """Remember one. `obj` is `plural/namespace/name` or `plural/name`. Returns its id."""
        self.last += 1
        self._records[self.last] = {"id": self.last, "at": at, "component": component, "rule": cause.rule, "facts": cause.facts,
                                     "because": because, "object": obj, "revision": revision}
        if obj is not None:
            ids = self._of.setdefault(obj, [])
            ids.append(self.last)
            if len(ids) > KEPT_PER_OBJECT:
                del ids[0]
        if self.last > KEPT:
            self._forget(self.last - KEPT)
        return self.last

    def _forget(self, record_id: int) -> None:
        old = self._records.pop(record_id, None)
        if old and old["object"] is not None:
            ids = self._of.get(old["object"], [])
            if record_id in ids:
                ids.remove(record_id)
            if not ids:
                self._of.pop(old["object"], None)

    def record(self, record_id: int | None) -> dict[str, Any] | None:
        return self._records.get(record_id) if record_id is not None else None

    def latest(self, obj: str) -> list[int]:
        """Ids of what was done to an object, newest first."""
        return self._of.get(obj, [])[::-1]

    def since(self, record_id: int) -> list[dict[str, Any]]:
        """Records after an id, oldest first."""
        return [self._records[i] for i in range(max(record_id + 1, self.last - KEPT + 1), self.last + 1) if i in self._records]

    def checkpoint(self) -> dict[str, Any]:
        return {"last": self.last, "records": list(self._records.values()), "of": self._of}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Causes:
        causes = cls()
        causes.last = state["last"]
        causes._records = {record["id"]: record for record in state["records"]}
        causes._of = state["of"]
        return causes
