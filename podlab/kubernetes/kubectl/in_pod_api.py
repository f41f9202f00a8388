"""The API of a kubectl in a container whose command may be begun again: what it has done already is not done twice.

`steps` is plain data that the process keeps: {"reads": [...] (edit), "done": [[chunks, exit code], ...] (cp: sessions that are over),
"open": {"node", "id"} or None (cp: the session that is held)}.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..apiserver import account_tokens, rbac
from ..apiserver.request import Request
from ..apiserver.rest import users
from ..apiserver.rest.call import READING
from ..etcd import Change
from ..kubelet import sessions
from ..objects import freeze, thaw
from ..runtime import api_client
from ..runtime.process import Data
from ..runtime.sockets import network
from ..runtime.system import Sys
from .account import AccountApi, Kubelet, Store, View

if TYPE_CHECKING:
    from ..ground import Ground


def user_of(sys: Sys) -> rbac.User:
    """Whom the account's token names, which the server has just taken."""
    try:
        return users.of_info(account_tokens.user_info(account_tokens.check(network(sys).cluster, api_client.kept(sys, "token"))))
    except account_tokens.BadToken:
        return users.NOBODY


class Held(Exception):
    """A command has opened a session, which its process now keeps."""

    def __init__(self, session: dict[str, Any]) -> None:
        super().__init__(session["id"])
        self.session = session


class Made(Exception):
    """`run` or `debug` has made the container to which it will be attached: the steps that follow are the process's."""

    def __init__(self, obj: Any, container: str) -> None:
        super().__init__(container)
        self.obj, self.container = obj, container


class Holder(AccountApi):
    """The API of a command that may hold a container or watch. `looked`: the kind, namespace and name that were last read. `news`: what a
    watch has told, which is then the whole of the past and the present. `attaches`: the command stays with what it makes."""

    def __init__(self, engine: Ground, user: rbac.User, news: list[Change] | None = None) -> None:
        super().__init__(engine, user)
        self.looked, self.news, self.attaches = ("", "", ""), news, False
        self.steps: Data | None = None
        self.reads = self.sessions = 0
        self.fresh = False  # whether the session of `steps` was opened by this run of the command
        if news is not None:
            view = View(self)
            view.etcd = News(self)
            self.cluster = view

    def keep(self, steps: Data) -> None:
        """Do again only what `steps` does not tell of."""
        self.steps = steps
        self.cluster = Replayed(self)

    def perform(self, request: Request) -> Any:
        if request.verb in READING and self.news is not None:
            return freeze({"items": []})
        self.looked = request.resource, request.namespace or "", request.name or ""
        if self.steps is not None and "reads" in self.steps and not request.mutates:
            if self.reads == len(self.steps["reads"]):
                self.steps["reads"].append(thaw(super().perform(request)))
            self.reads += 1
            return freeze(self.steps["reads"][self.reads - 1])
        found = super().perform(request)
        if self.attaches and request.resource == "pods" and (request.verb == "create" or request.subresource == "ephemeralcontainers"):
            raise Made(found, _held_container(found, request))
        return found

    def session(self, **act: Any) -> Any:
        """Raises Held for a session that is open now; ApiError."""
        if self.steps is not None:
            return self._step(act)
        if act["act"] != "open":
            return self.engine.session(**act)
        self._judge(act)
        kept = {"node": act["node"], "stdin": act["stdin"], "tty": act["tty"], "attach": act["attach"], "seen": 0, "echo": ""}
        raise Held({"id": self.engine.session(**act), **kept})

    def _judge(self, act: dict[str, Any]) -> None:
        pod = next(pod for pod in self.engine.etcd.pods_on(act["node"]) if pod["metadata"]["uid"] == act["pod"])
        self.judge("create", "pods", pod["metadata"]["namespace"], pod["metadata"]["name"], "attach" if act.get("attach") else "exec")

    def _step(self, act: dict[str, Any]) -> Any:
        """One of the sessions of a cp, one after another: those that are over are answered from memory."""
        steps: Data = self.steps or {}
        if act["act"] == "open":
            self.sessions += 1
            if self.sessions <= len(steps["done"]):
                return f"done/{self.sessions - 1}"
            if steps["open"] is None:
                self._judge(act)
                self.fresh = True
                steps["open"] = {"node": act["node"], "id": self.engine.session(**act)}
            return steps["open"]["id"]
        if str(act["session"]).startswith("done/"):
            return None
        if act["act"] != "close":
            return self.engine.session(**act) if self.fresh else None
        chunks, code = sessions.read(self.engine.kubelet(act["node"]), act["session"])
        if code is None:
            return None  # the command only pauses
        steps["done"].append([chunks, code])
        steps["open"], self.fresh = None, False
        return self.engine.session(**act)


def _held_container(obj: Any, request: Request) -> str:
    spec = obj["spec"]
    if request.subresource:
        return str(spec["ephemeralContainers"][-1]["name"])
    typed = [one["name"] for one in spec["containers"] if one.get("stdin")]
    return str(typed[-1] if typed else spec["containers"][0]["name"])


class Replayed(View):
    """What a command that is begun again looks at: the sessions that are over can still be read."""

    api: Holder

    def kubelet(self, node: str) -> Kubelet:
        found = super().kubelet(node)
        done = (self.api.steps or {}).get("done", ())
        over = {f"done/{index}": {"chunks": chunks, "code": code} for index, (chunks, code) in enumerate(done)}
        found.state = {**found.state, "sessions": {**found.state["sessions"], **over}}
        return found


class News(Store):
    """What a watch has told."""

    def __init__(self, api: Holder) -> None:
        super().__init__(api)
        self.news = api.news or []

    def since(self, revision: int) -> Iterator[Change]:
        return iter(self.news)
