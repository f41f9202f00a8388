"""A small cluster with its kubelets, and the questions that kubelet tests ask of it."""

from __future__ import annotations

from typing import Any

from podlab.kubernetes.apiserver.request import Request
from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.objects import Map, dig
from podlab.kubernetes.resources import BY_KIND
from tests.kubernetes.frozen import thawed

EPOCH_MS = 1_795_219_200_000
IMAGES = ["busybox:1.36", "nginx:1.14.2"]


class World:
    """One cluster at one moment; `history` holds every change of Pods and Events since the beginning."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.history: list[tuple[int, str, str, Map]] = []
        cluster.etcd.subscribe(
            "*",
            lambda change: (
                self.history.append((change.at - EPOCH_MS, change.type, change.plural, change.object))
                if change.plural in ("pods", "events")
                else None
            ),
        )

    def request(self, **request: Any) -> Any:
        return self.cluster.apply({"at": self.cluster.now, "do": "request", **Request(**request).to_json()})

    def create(self, obj: dict[str, Any]) -> Map:
        made: Map = self.request(verb="create", resource=BY_KIND[obj["kind"]].plural, namespace="default", body=obj)
        return made

    def delete(self, name: str = "p", **options: Any) -> None:
        self.request(verb="delete", resource="pods", namespace="default", name=name, options=options)

    def patch(self, name: str, body: Any, subresource: str = "", plural: str = "pods") -> None:
        self.request(
            verb="patch",
            resource=plural,
            namespace="default",
            name=name,
            subresource=subresource,
            body=body,
            options={"patchType": "application/strategic-merge-patch+json"},
        )

    def fault(self, **fault: Any) -> None:
        self.cluster.apply({"at": self.cluster.now, "do": "fault", **fault})

    def run(self, seconds: float) -> None:
        self.cluster.run_for(seconds)

    def pod(self, name: str = "p") -> Map:
        found = self.cluster.etcd.get("pods", f"default/{name}")
        assert found is not None, f"pod {name} is gone"
        return found

    def gone(self, name: str = "p") -> bool:
        return self.cluster.etcd.get("pods", f"default/{name}") is None

    def container(self, name: str = "c", pod: str = "p") -> Map:
        status = self.pod(pod)["status"]
        for member in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"):
            for one in status.get(member) or ():
                if one["name"] == name:
                    return one
        raise AssertionError(f"no status of {name}")

    def state(self, name: str = "c", pod: str = "p") -> str:
        """`running`, `waiting:CrashLoopBackOff`, `terminated:Error:1`."""
        return state_of(self.container(name, pod))

    def phase(self, name: str = "p") -> str:
        return str(self.pod(name)["status"]["phase"])

    def condition(self, kind: str, pod: str = "p") -> str:
        """`True`, `False:ContainersNotReady`."""
        one = next((one for one in self.pod(pod)["status"].get("conditions", ()) if one["type"] == kind), None)
        return "" if one is None else ":".join(part for part in (one["status"], one.get("reason", "")) if part)

    def events(self, reason: str | None = None) -> list[str]:
        """Messages of the Events, in order of their first occurrence."""
        found = sorted(self.cluster.etcd.list("events", "default"), key=lambda event: int(event["metadata"]["resourceVersion"]))
        return [event["message"] for event in found if reason is None or event["reason"] == reason]

    def count(self, reason: str) -> int:
        return sum(event.get("count") or 1 for event in self.cluster.etcd.list("events", "default") if event["reason"] == reason)

    def logs(self, container: str = "c", pod: str = "p", **options: Any) -> list[str]:
        uid = self.pod(pod)["metadata"]["uid"]
        return [line.text for line in self.cluster.kubelet(self.pod(pod)["spec"]["nodeName"]).logs(uid, container, **options)]

    def states(self, container: str = "c") -> list[str]:
        """All states that a container was shown in, in order."""
        seen: list[str] = []
        for _, _, plural, obj in self.history:
            if plural == "pods":
                for member in ("initContainerStatuses", "containerStatuses"):
                    for one in dig(obj, f"status.{member}", ()):
                        if one["name"] == container and (not seen or seen[-1] != state_of(one)):
                            seen.append(state_of(one))
        return seen

    def when(self, wanted: str, container: str = "c") -> int:
        """Ms after the beginning at which a container was first shown in a state."""
        for at, _, plural, obj in self.history:
            if plural == "pods":
                for one in [*dig(obj, "status.containerStatuses", ()), *dig(obj, "status.initContainerStatuses", ())]:
                    if one["name"] == container and state_of(one) == wanted:
                        return at
        raise AssertionError(f"{container} was never {wanted}")


def state_of(status: Map) -> str:
    kind, detail = next(iter(status["state"].items()))
    if kind == "running":
        return f"running#{status['restartCount']}"
    if kind == "waiting":
        return f"waiting:{detail['reason']}"
    return f"terminated:{detail['reason']}:{detail['exitCode']}"


def world(nodes: int = 1, seed: int = 3, images: list[str] | None = None, **node: Any) -> World:
    spec = {"nodes": [{"name": f"node-{number}", "cpu": "2", "memory": "4028120Ki", **node} for number in range(1, nodes + 1)]}

    def begin() -> Cluster:
        cluster = Cluster.create(seed, EPOCH_MS, spec, strict=True)
        for number in range(1, nodes + 1):
            cluster.kubelet(f"node-{number}").preload(IMAGES if images is None else images)
        return cluster

    made = World(thawed(f"a kubelet's world {seed} {spec} {images}", begin))
    made.run(1)
    return made


def sh(line: str, name: str = "c", **more: Any) -> dict[str, Any]:
    """A busybox container that runs a shell line."""
    return {"name": name, "image": "busybox:1.36", "command": ["sh", "-c", line], **more}


def pod(*containers: dict[str, Any], name: str = "p", init: list[dict[str, Any]] | None = None, **spec: Any) -> dict[str, Any]:
    whole: dict[str, Any] = {"containers": list(containers) or [sh("sleep 3600")], **spec}
    if init:
        whole["initContainers"] = init
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": whole}


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}
