"""Where a kubectl command runs: its streams, files and connection to the cluster. kubectl is a client, outside the cluster."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..apiserver.errors import ApiError
from ..apiserver.rbac import OWNER, User, rules_of, verdict
from ..apiserver.request import ADMIN, Request
from ..apiserver.rest import virtual
from ..client import Reader
from ..objects import Map
from ..resources import Resource
from ..sight import Sight

if TYPE_CHECKING:
    from ..ground import Ground


@dataclass(frozen=True, slots=True)
class Wait:
    """What a running command yields: wake me at the next change in the cluster (or input), or after `ms` of virtual time.

    `ms` None: only a change or input wakes me. Being woken for nothing is allowed: look, then wait again.
    """

    ms: int | None = None
    stir: bool = False  # wake me whenever anything at all happened: sessions and logs change without a write to the store
    busy: bool = False  # not waiting but working for `ms`: nothing else wakes me, and on a paused cluster it takes no time


# What one request of a command with several takes, between two objects, as recorded: apply asks and creates 9 to 13 ms apart
# (endpoints.json, qos.json, headless.json), and 27 to 59 ms where a Pod is the first of its kind or comes before one that is
# (unschedulable.json, readiness.json, node-failure.json); deletes are 35 to 60 ms apart (rs-heal.json, template-cookie.json)
APPLYING, APPLYING_BY_PODS, DELETING = Wait(12, busy=True), Wait(28, busy=True), Wait(40, busy=True)


Command = Generator[Wait, None, int]
"""A running command: yields Waits, returns its exit code. `close()` it to interrupt (Ctrl-C)."""


class KubectlError(Exception):
    """Ends a command: `text` goes to stderr as it is (with its `error: ` or `Error from server` in front), exit `code`.

    `printed` goes to stdout before.
    """

    def __init__(self, text: str, code: int = 1, printed: str = "") -> None:
        super().__init__(text)
        self.text, self.code, self.printed = text, code, printed


class Api:
    """The cluster as a command sees it. Reads look at the present; what changes something goes through `submit` (the journal)."""

    def __init__(self, cluster: Ground, submit: Callable[[dict[str, Any]], Any], user: str = ADMIN) -> None:
        self.engine, self.submit, self.user = cluster, submit, user
        self.cluster: Sight = cluster
        self.identity = OWNER
        self.client: Reader[Sight] = Reader(cluster, user)  # for describe and the like: get, find, list

    @property
    def now(self) -> int:
        """Virtual ms."""
        return self.engine.now

    def perform(self, request: Request) -> Any:
        """One API request. Raises ApiError. A dry run changes nothing, so it is no part of history."""
        request.user = self.user
        if not request.mutates or request.options.get("dryRun"):
            return self.engine.server.perform(request)
        return self.submit({"do": "request", **request.to_json()})

    def verdict(self, user: User, wanted: dict[str, Any]) -> dict[str, Any]:
        """Whether somebody may do something (rbac.verdict)."""
        return verdict(self.engine, user, wanted)

    def rules(self, user: User, namespace: str) -> list[dict[str, Any]]:
        return rules_of(self.engine, user, namespace)

    def metrics(self, resource: Resource, namespace: str, name: str, labels: str) -> list[Any]:
        """PodMetrics or NodeMetrics, as a metrics server has them. Raises ApiError."""
        if not self.engine.spec.get("metricsServer", True):
            raise ApiError(404, "NotFound", "the server could not find the requested resource")
        found = virtual.metrics(self.engine, resource, namespace, name, labels)
        return [Map({"kind": resource.kind, "apiVersion": resource.api_version, **one}) for one in found.get("items", [found])]

    def session(self, **act: Any) -> Any:
        """Open, write to or close a hold on a container; see `Cluster.session`."""
        return self.submit({"do": "session", **act})

    def visit(self, **visit: Any) -> str:
        """Ask an HTTP server of the cluster from outside; see `Cluster.visit`. Gives the visit's id."""
        found: str = self.submit({"do": "visit", **visit})
        return found


class Config:
    """The learner's kubeconfig: one cluster, its administrator and users known by a token, and contexts, each with a user and the namespace that
    commands mean when they name none."""

    def __init__(self, namespace: str = "default", context: str = "podlab") -> None:
        self.context = context  # the current one; "" for none
        self.contexts = {context: "" if namespace == "default" else namespace}
        self.users: dict[str, str] = {}  # tokens of others than the administrator, by the users' names in this file
        self.users_of: dict[str, str] = {}  # by context; one that is not here is the administrator's

    @property
    def namespace(self) -> str:
        return self.contexts.get(self.context) or "default"


class Input:
    """Standard input of a command."""

    def read(self) -> str | None:
        """What there is: "" at the end, None while there is nothing yet."""
        return ""


class Text(Input):
    """Input that was there from the start."""

    def __init__(self, text: str) -> None:
        self._text = text

    def read(self) -> str | None:
        text, self._text = self._text, ""
        return text


@dataclass
class Terminal:
    """One command's surroundings. `write` gets (1 or 2, text)."""

    api: Api
    write: Callable[[int, str], None]
    config: Config = field(default_factory=Config)
    files: Mapping[str, str] = field(default_factory=dict)  # the learner's files by path, for -f NAME
    stdin: Input | None = None  # None: nothing to read (/dev/null)
    tty: bool = False  # the input is a keyboard
    raw: Callable[[bool], None] = lambda on: None  # keys go to the command as they are, Ctrl-C too (exec -it)
    save: Callable[[str, str], None] | None = None  # write a file of the learner's (cp)
    edit: Callable[[str, str], Generator[Wait, None, str]] | None = None  # (path of a file that it makes, text) -> edited text; None: no editor
    remove: Callable[[str], None] | None = None  # a file that `edit` made
    forward: Callable[[int, dict[str, Any] | None], None] | None = None  # port-forward: local port -> where it leads (None: over)
    line: str = ""  # what the person typed, for the journal and "왜?"
    width: int = 80
    environ: Mapping[str, str] = field(default_factory=dict)  # the process's environment

    def out(self, text: str) -> None:
        self.write(1, text)

    def err(self, text: str) -> None:
        self.write(2, text)

    def read_all(self) -> Generator[Wait, None, str]:
        """The whole standard input; waits for its end."""
        text = ""
        while self.stdin is not None and (piece := self.stdin.read()) != "":
            if piece is None:
                yield Wait()
            else:
                text += piece
        return text
