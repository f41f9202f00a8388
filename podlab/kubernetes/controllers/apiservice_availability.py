"""Whether the servers that APIServices name answer (kube-aggregator/pkg/controllers/status/remote/remote_available_controller.go).

What an answering server says it serves is lent to the API server, which keeps the objects in that server's place: they go when another Pod
answers, as they would with an etcd in the Pod's memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..apiserver.aggregation import kinds_of, service_of
from ..apiserver.webhook_client import CallError
from ..cause import Cause
from ..component import Controller, own_key
from ..controllers_common import conditions
from ..etcd import Change, key_of
from ..ground import Ground
from ..objects import Map
from ..times import rfc3339

AVAILABLE = "Available"
AGAIN_MS = 30_000  # NewAvailableConditionController: the informer of APIServices tells of each again after 30 s
RETRY_MS = 5_000  # its rate limiter: 5 s, doubled up to 30 s
OF_SERVICE = "kubernetes.io/service-name"

Verdict = tuple[str, str, str]  # status, reason, message


def _of(controller: Controller, namespace: str, name: str) -> Iterable[str]:
    etcd = controller.cluster.etcd
    if not etcd.count("apiservices"):
        return ()
    return [one["metadata"]["name"] for one in etcd.list("apiservices")
            if (service := service_of(one)) is not None and (service.get("namespace"), service.get("name")) == (namespace, name)]


def _of_service(controller: Controller, change: Change) -> Iterable[str]:
    return _of(controller, change.object["metadata"]["namespace"], change.object["metadata"]["name"])


def _of_slice(controller: Controller, change: Change) -> Iterable[str]:
    metadata = change.object["metadata"]
    return _of(controller, metadata["namespace"], (metadata.get("labels") or {}).get(OF_SERVICE, ""))


class AvailableConditionController(Controller):
    name = "apiservice-status-remote-available-controller"
    watches = {"apiservices": own_key, "services": _of_service, "endpointslices": _of_slice}

    def __init__(self, cluster: Ground) -> None:
        super().__init__(cluster)
        self.state |= {"kinds": {}, "pods": {}, "tries": {}}  # by APIService: what it serves, the uid of the Pod that said so, failed looks

    def restore(self) -> None:
        super().restore()
        for name, kinds in self.state["kinds"].items():
            self.cluster.server.customs.lend(name, kinds)

    def reconcile(self, key: str) -> int | None:
        api_service = self.cluster.etcd.get("apiservices", key)
        if api_service is None or service_of(api_service) is None:
            self._withdraw(key)
            if api_service is not None:
                self._tell(api_service, ("True", "Local", "Local APIServices are always available"))
            return None
        found = self._endpoint(api_service)
        if isinstance(found, tuple):
            self._withdraw(key)
            self._tell(api_service, found)
            return None
        try:
            kinds = kinds_of(self.cluster, api_service)
        except CallError as error:
            self._withdraw(key)
            self._tell(api_service, ("False", "FailedDiscoveryCheck", str(error)))
            tries: int = min(self.state["tries"].get(key, 0) + 1, 4)
            self.state["tries"][key] = tries
            return min(RETRY_MS << tries - 1, AGAIN_MS)
        self.state["tries"].pop(key, None)
        self._lend(key, kinds, found)
        self._tell(api_service, ("True", "Passed", "all checks passed"))
        return AGAIN_MS

    def _endpoint(self, api_service: Map) -> Verdict | str:
        """The uid of the Pod behind the first ready endpoint, or why there is none."""
        wanted = api_service["spec"]["service"]
        namespace, name, port = wanted["namespace"], wanted["name"], wanted.get("port") or 443
        service = self.cluster.etcd.get("services", key_of(namespace, name))
        if service is None:
            return "False", "ServiceNotFound", f'service/{name} in "{namespace}" is not present'
        if service["spec"].get("type", "ClusterIP") != "ClusterIP":
            return ""
        named = next((one for one in service["spec"].get("ports") or () if one["port"] == port), None)
        if named is None:
            return "False", "ServicePortError", f'service/{name} in "{namespace}" is not listening on port {port}'
        slices = [one for one in self.cluster.etcd.list("endpointslices", namespace) if (one["metadata"].get("labels") or {}).get(OF_SERVICE) == name]
        if not slices:
            return "False", "EndpointsNotFound", f'cannot find endpoints for service/{name} in "{namespace}"'
        title = named.get("name") or ""
        for one in slices:
            if any((port.get("name") or "") == title for port in one.get("ports") or ()):
                for endpoint in one.get("endpoints") or ():
                    if (endpoint.get("conditions") or {}).get("ready", True):
                        return str((endpoint.get("targetRef") or {}).get("uid", ""))
        return "False", "MissingEndpoints", f'endpoints for service/{name} in "{namespace}" have no addresses with port name "{title}"'

    def _lend(self, key: str, kinds: list[dict[str, Any]], pod: str) -> None:
        held, before = self.state["kinds"].get(key), self.state["pods"].get(key, pod)
        if before != pod:
            for kind in kinds:
                for obj in self.cluster.etcd.list(kind["metadata"]["name"]):
                    self.cluster.server.drop(kind["metadata"]["name"], obj, Cause("api-service-storage-gone"))
        self.state["pods"][key] = pod
        if held != kinds:
            self.state["kinds"][key] = kinds
            self.cluster.server.customs.lend(key, kinds)

    def _withdraw(self, key: str) -> None:
        if self.state["kinds"].pop(key, None) is not None:
            self.cluster.server.customs.lend(key, None)

    def _tell(self, api_service: Map, verdict: Verdict) -> None:
        status, reason, message = verdict
        before = conditions.find(api_service, AVAILABLE)
        if before is not None and (before["status"], before.get("reason"), before.get("message")) == verdict:
            return
        same = before is not None and before["status"] == status
        since = (before.get("lastTransitionTime") if before is not None and same else None) or rfc3339(self.now)
        condition = {"type": AVAILABLE, "status": status, "lastTransitionTime": since, "reason": reason, "message": message}
        held = [dict(one) for one in (api_service.get("status") or {}).get("conditions") or ()]
        others = [condition if one["type"] == AVAILABLE else one for one in held]
        body = {"status": {"conditions": others if before is not None else [*held, condition]}}
        rule = "api-service-available" if status == "True" else "api-service-unavailable"
        self.client.patch("apiservices", api_service["metadata"]["name"], body, subresource="status", cause=Cause(rule, {"reason": reason}))
