"""The API as somebody has it who may not do all: every look and every write judged by RBAC.

So it is for whom a command poses as (--as), and for a ServiceAccount: kubectl in a Pod is a part of the simulation. What it changes goes
through the same door as an HTTP request from inside the cluster (runtime/control_plane.py), is no entry of the journal, and what its
commands look at directly goes through the same judgement here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..apiserver import rbac
from ..apiserver.request import ADMIN, Request
from ..apiserver.rest import escalation
from ..apiserver.server import ApiServer
from ..cause import UNSAID, Cause
from ..client import Reader
from ..etcd import Change
from ..objects import Map
from ..resources import BY_PLURAL, Resource
from ..runtime.api_desk import Desk
from .terminal import Api, KubectlError

if TYPE_CHECKING:
    from ..ground import Ground

ABSENT = "error: podlab: {} is not available to kubectl inside a Pod\n"


class JudgedApi(Api):
    """The cluster as `user` may see it; `author` is whom the requests are noted for."""

    def __init__(self, engine: Ground, user: rbac.User, submit: Callable[[dict[str, Any]], Any], author: str = ADMIN) -> None:
        super().__init__(engine, submit, author)
        self.identity = user
        self.cluster = View(self)
        self.client = Reader(self.cluster, user.name)
        self.deleting = False  # `delete NAME` asks for nothing before it deletes (RequireObject(false) of its builder)

    def judge(self, verb: str, plural: str, namespace: str = "", name: str = "", subresource: str = "") -> None:
        """Raises ApiError 403."""
        if verb == "get" and self.deleting:
            verb = "delete"
        resource = BY_PLURAL.get(plural) or self.engine.server.customs.find(plural)
        group, called = (resource.group, resource.name) if resource is not None else ("", plural)
        wanted = {"verb": verb, "group": group, "resource": called, "namespace": namespace, "name": name, "subresource": subresource}
        rbac.check(self.engine, self.identity, wanted)

    def may(self, verb: str, plural: str, namespace: str) -> bool:
        group = BY_PLURAL[plural].group if plural in BY_PLURAL else ""
        return bool(rbac.verdict(self.engine, self.identity, {"verb": verb, "group": group, "resource": plural, "namespace": namespace})["allowed"])

    def verdict(self, user: rbac.User, wanted: dict[str, Any]) -> dict[str, Any]:
        return rbac.verdict(self.engine, user, wanted)

    def rules(self, user: rbac.User, namespace: str) -> list[dict[str, Any]]:
        return rbac.rules_of(self.engine, user, namespace)

    def perform(self, request: Request) -> Any:
        self.judge(request.verb, request.resource, request.namespace, request.name, request.subresource)
        request.user = self.user
        if not request.mutates or request.options.get("dryRun"):
            return self.engine.server.perform(request)
        escalation.check(self.engine, self.identity, request)
        return self.submit({"do": "request", **request.to_json()})

    def metrics(self, resource: Resource, namespace: str, name: str, labels: str) -> list[Any]:
        wanted = {"verb": "get" if name else "list", "group": resource.group, "resource": resource.name, "namespace": namespace, "name": name}
        rbac.check(self.engine, self.identity, wanted)
        return super().metrics(resource, namespace, name, labels)

    def session(self, **act: Any) -> Any:
        """As Api.session. Opening one is judged: `create` of the Pod's exec or attach."""
        if act["act"] == "open":
            pod = next((pod for pod in self.engine.etcd.pods_on(act["node"]) if pod["metadata"]["uid"] == act["pod"]), None)
            if pod is not None:
                what = "exec" if act.get("command") else "attach"
                self.judge("create", "pods", pod["metadata"]["namespace"], pod["metadata"]["name"], what)
        return super().session(**act)


class AccountApi(JudgedApi):
    """kubectl in a Pod. `still`: the virtual ms that a command takes for the present, where it is begun again."""

    def __init__(self, engine: Ground, user: rbac.User) -> None:
        super().__init__(engine, user, Desk(engine, user).submit, user.name)
        self.still: int | None = None
        self.deleted: list[list[str]] = []  # [plural, namespace, name, uid] of what was deleted

    @property
    def now(self) -> int:
        return self.engine.now if self.still is None else self.still

    def perform(self, request: Request) -> Any:
        found = super().perform(request)
        if request.verb == "delete" and not request.options.get("dryRun"):
            self.deleted.append([request.resource, request.namespace, request.name, found["metadata"]["uid"]])
        return found

    def session(self, **act: Any) -> Any:
        """Raises KubectlError: nobody holds a session's other end here."""
        raise KubectlError(ABSENT.format("a session in a container (exec, attach, cp, port-forward)"))

    def visit(self, **visit: Any) -> str:
        raise KubectlError(ABSENT.format("a visit"))


@dataclass
class View:
    """What commands look at in a cluster beside requests."""

    api: JudgedApi

    def __post_init__(self) -> None:
        engine = self.api.engine
        self.clock, self.random, self.spec = engine.clock, engine.random, engine.spec
        self.server, self.etcd = Door(self.api), Store(self.api)

    @property
    def now(self) -> int:
        return self.api.now

    def kubelet(self, node: str) -> Kubelet:
        return Kubelet(self.api, node)

    def pod_usage(self, pod: Any) -> dict[str, Any]:
        rbac.check(self.api.engine, self.api.identity, {"verb": "list", "group": "metrics.k8s.io", "resource": "pods",
                                                        "namespace": pod["metadata"]["namespace"]})
        return self.api.engine.pod_usage(pod)

    def node_facts(self, name: str) -> dict[str, Any]:
        rbac.check(self.api.engine, self.api.identity, {"verb": "list", "group": "metrics.k8s.io", "resource": "nodes"})
        return self.api.engine.node_facts(name)


class Door:
    """The API server's verbs, and what everybody may know of it."""

    def __init__(self, api: JudgedApi) -> None:
        self._api, self._server = api, api.engine.server
        self.customs, self.resource_of = self._server.customs, self._server.resource_of

    @property
    def warnings(self) -> list[str]:
        return self._server.warnings

    @staticmethod
    def field(obj: Any, path: str) -> str:
        return ApiServer.field(obj, path)

    def perform(self, request: Request, cause: Cause = UNSAID) -> Any:
        return self._api.perform(request)


class Store:
    """The store's readers."""

    def __init__(self, api: JudgedApi) -> None:
        self._api, self._etcd = api, api.engine.etcd

    @property
    def revision(self) -> int:
        return self._etcd.revision

    @property
    def compacted(self) -> int:
        return self._etcd.revision  # a command that waits is begun again: it needs no history

    def get(self, plural: str, key: str) -> Map | None:
        namespace, _, name = key.rpartition("/")
        self._api.judge("get", plural, namespace, name)
        return self._etcd.get(plural, key)

    def list(self, plural: str, namespace: str | None = None) -> list[Map]:
        """Events that may not be listed are none: `describe` goes on without them (pkg/describe ignores the error)."""
        if plural == "events" and not self._api.may("list", plural, namespace or ""):
            return []
        self._api.judge("list", plural, namespace or "")
        return self._etcd.list(plural, namespace)

    def pods_on(self, node: str) -> Any:
        self._api.judge("list", "pods")
        return self._etcd.pods_on(node)

    def count(self, plural: str) -> int:
        self._api.judge("list", plural)
        return self._etcd.count(plural)

    def since(self, revision: int) -> Iterator[Change]:
        return iter(())


class Kubelet:
    """A node's logs, and the sessions that were opened there."""

    def __init__(self, api: JudgedApi, node: str) -> None:
        self._api, self._node, self._kubelet = api, node, api.engine.kubelet(node)
        self.state, self.machine = self._kubelet.state, self._kubelet.machine

    def logs(self, uid: str, container: str, **options: Any) -> Any:
        pod = next((pod for pod in self._api.engine.etcd.pods_on(self._node) if pod["metadata"]["uid"] == uid), None)
        if pod is not None:
            self._api.judge("get", "pods", pod["metadata"]["namespace"], pod["metadata"]["name"], "log")
        return self._kubelet.logs(uid, container, **options)
