"""Where a kubectl command runs: its streams, files and connection to the cluster. kubectl is a client, outside the cluster."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..apiserver.request import ADMIN, Request
from ..client import Client

if TYPE_CHECKING:
    from ..cluster import Cluster


@dataclass(frozen=True, slots=True)
class Wait:
    """What a running command yields: wake me at the next change in the cluster (or input), or after `ms` of virtual time.

    `ms` None: only a change or input wakes me.
    """

    ms: int | None = None


Command = Generator[Wait, None, int]
"""A running command: yields Waits, returns its exit code. `close()` it to interrupt (Ctrl-C)."""


class KubectlError(Exception):
    """Ends a command: `text` goes to stderr as it is (with its `error: ` or `Error from server` in front), exit `code`."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.text, self.code = text, code


class Api:
    """The cluster as a command sees it. Reads look at the present; what changes something goes through `submit` (the journal)."""

    def __init__(self, cluster: Cluster, submit: Callable[[dict[str, Any]], Any], user: str = ADMIN) -> None:
        self.cluster, self._submit, self.user = cluster, submit, user
        self.client = Client(cluster, user)  # for describe and the like: get, find, list

    @property
    def now(self) -> int:
        """Virtual ms."""
        return self.cluster.clock.now

    def perform(self, request: Request) -> Any:
        """One API request. Raises ApiError."""
        request.user = self.user
        if not request.mutates:
            return self.cluster.server.perform(request)
        return self._submit({"do": "request", **request.to_json()})

    def session(self, **act: Any) -> Any:
        """Open, write to or close a hold on a container; see `Cluster.session`."""
        return self._submit({"do": "session", **act})


@dataclass
class Terminal:
    """One command's surroundings. `write` gets (1 or 2, text); `typed` gives what was typed since it was last asked (interactive input)."""

    api: Api
    write: Callable[[int, str], None]
    namespace: str = "default"
    files: Mapping[str, str] = field(default_factory=dict)  # the learner's files, for -f NAME
    stdin: str | None = None  # what was piped in; None: nothing was
    typed: Callable[[], str] | None = None  # interactive input; None: there is no keyboard
    tty: bool = False
    line: str = ""  # what the person typed, for the journal and "왜?"

    def out(self, text: str) -> None:
        self.write(1, text)

    def err(self, text: str) -> None:
        self.write(2, text)
