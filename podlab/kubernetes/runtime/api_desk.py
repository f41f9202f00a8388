"""The API's way into the cluster for somebody inside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..apiserver import rbac
from ..apiserver.request import Request
from ..apiserver.rest.clocks import Clock
from ..cause import Cause

if TYPE_CHECKING:
    from ..ground import Ground

CLOCK = Clock()  # whoever is inside has the cluster's own


@dataclass
class Desk:
    """rest.call.Desk. `user` is who asks."""

    engine: Ground
    user: rbac.User

    def clock(self) -> Clock:
        return CLOCK

    def submit(self, entry: dict[str, Any]) -> Any:
        """The write answers whatever made the client ask, and says who did."""
        request = Request.from_json({key: value for key, value in entry.items() if key != "do"})
        request.user = self.user.name
        command = {"command": request.options["command"]} if "command" in request.options else {}
        facts: dict[str, Any] = {"verb": request.verb, "account": self.user.name, **command}
        return self.engine.server.perform(request, Cause("account-request", facts))

    def keep(self, key: Any, objects: list[Any]) -> None:
        """Nothing is kept: a list that changes while it is read in pieces has to be read again (410)."""

    def kept(self, key: Any) -> list[Any] | None:
        return None
