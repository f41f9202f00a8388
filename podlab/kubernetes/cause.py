"""Why things happened: every write and every happening in a container leaves a record that names what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from sys import intern
from typing import Any

from .objects import freeze

KEPT = 3000  # records a cluster remembers; older links of a chain are cut
KEPT_PER_OBJECT = 24


@dataclass(frozen=True, slots=True)
class Cause:
    """What a component says of its own act: a rule code (kebab-case) and the facts it weighed (plain data)."""

    rule: str
    facts: dict[str, Any] = field(default_factory=dict)


UNSAID = Cause("write")


MEMBERS = ("id", "at", "component", "rule", "facts", "because", "object", "revision")


class Causes:
    """The records of one cluster, read as maps of MEMBERS and kept as tuples in that order: a live cluster has thousands."""

    def __init__(self) -> None:
        self.last = 0  # id of the newest record
        self._records: list[tuple[Any, ...]] = []  # the newest is the one with the id `last`, without gaps
        self._of: dict[str, list[int]] = {}

    def add(self, at: int, component: str, cause: Cause, because: int | None, obj: str | None, revision: int | None) -> int:
        """Remember one. `obj` is `plural/namespace/name` or `plural/name`. Returns its id."""
        self.last += 1
        if obj is not None:
            obj = intern(obj)
        self._records.append((self.last, at, component, cause.rule, freeze(cause.facts), because, obj, revision))
        if obj is not None:
            ids = self._of.setdefault(obj, [])
            ids.append(self.last)
            if len(ids) > KEPT_PER_OBJECT:
                del ids[0]
        if len(self._records) > KEPT:
            self._forget(self._records.pop(0))
        return self.last

    def _forget(self, old: tuple[Any, ...]) -> None:
        record_id, obj = old[0], old[6]
        if obj is not None:
            ids = self._of.get(obj, [])
            if record_id in ids:
                ids.remove(record_id)
            if not ids:
                self._of.pop(obj, None)

    def record(self, record_id: int | None) -> dict[str, Any] | None:
        if record_id is None or not self.last - len(self._records) < record_id <= self.last:
            return None
        return dict(zip(MEMBERS, self._records[record_id - self.last - 1], strict=True))

    def latest(self, obj: str) -> list[int]:
        """Ids of what was done to an object, newest first."""
        return self._of.get(obj, [])[::-1]

    def since(self, record_id: int) -> list[dict[str, Any]]:
        """Records after an id, oldest first."""
        first = max(record_id + 1, self.last - KEPT + 1)
        return [found for i in range(first, self.last + 1) if (found := self.record(i)) is not None]

    def checkpoint(self) -> dict[str, Any]:
        return {"last": self.last, "records": self._records, "of": self._of}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Causes:
        causes = cls()
        causes.last = state["last"]
        causes._records = [tuple(freeze(member) for member in record) for record in state["records"]]
        causes._of = state["of"]
        return causes
