"""A small real cluster for tests of the network and the images: Pods, Services, and commands run inside."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from podlab.kubernetes.cluster import Cluster
from tests.kubernetes.frozen import thawed

START = 1_795_219_200_000  # 2026-11-21T00:00:00Z


class Lab:
    """Two nodes; everything happens in namespace default."""

    def __init__(self, nodes: int = 2, cluster: Cluster | None = None) -> None:
        spec = {"nodes": [{"name": f"node-{number + 1}", "cpu": "4", "memory": "8Gi"} for number in range(nodes)]}

        def begin() -> Cluster:
            made = Cluster.create(7, START, spec, strict=True)
            made.run_for(2)
            return made

        self.cluster = cluster or thawed(f"lab {nodes}", begin)

    def create(self, plural: str, body: dict[str, Any], namespace: str | None = "default") -> Any:
        entry = {"at": self.cluster.now, "do": "request", "verb": "create", "resource": plural, "namespace": namespace, "body": body}
        return self.cluster.apply(entry)

    def pod(self, name: str, image: str = "busybox:1.36", *, node: str = "", labels: dict[str, str] | None = None,
            containers: list[dict[str, Any]] | None = None, spec: dict[str, Any] | None = None, **container: Any) -> None:  # fmt: skip
        """A Pod of one container (its members as keywords), or of several."""
        whole = {"containers": containers or [{"name": name, "image": image, **container}], **(spec or {}), **({"nodeName": node} if node else {})}
        self.create("pods", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels or {"app": name}}, "spec": whole})

    def client(self, name: str = "client", image: str = "busybox:1.36", node: str = "node-2", **options: Any) -> None:
        """A Pod to run commands in."""
        self.pod(name, image, node=node, command=["sleep", "1000000"], **options)

    def service(self, name: str, app: str, port: int = 80, target: int = 80, **spec: Any) -> None:
        body = {"selector": {"app": app}, "ports": [{"port": port, "targetPort": target}], **spec}
        self.create("services", {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": body})

    def settle(self, seconds: float = 12) -> None:
        self.cluster.run_for(seconds)

    def status(self, pod: str) -> Any:
        found = self.cluster.etcd.get("pods", f"default/{pod}")
        assert found is not None, pod
        return found["status"]

    def ip(self, pod: str) -> str:
        return str(self.status(pod)["podIP"])

    def _held(self, pod: str, container: str = "") -> tuple[Any, str]:
        found = self.cluster.etcd.get("pods", f"default/{pod}")
        assert found is not None, pod
        kubelet = self.cluster.kubelet(found["spec"]["nodeName"])
        runs = kubelet.state["pods"][found["metadata"]["uid"]]["runs"]
        mine = [
            run["id"] for run in runs[container or found["spec"]["containers"][0]["name"]] if kubelet.machine.status(run["id"]).state != "created"
        ]
        return kubelet.machine, mine[-1]

    def logs(self, pod: str, container: str = "") -> str:
        """Of its newest run that has started."""
        machine, container_id = self._held(pod, container)
        return "".join(line.text + ("" if line.partial else "\n") for line in machine.logs(container_id))

    def begin(self, pod: str, command: str, container: str = "", stdin: str | None = None) -> str:
        """Starts a shell line in a container; gives the exec's id."""
        machine, container_id = self._held(pod, container)
        exec_id = str(machine.exec(container_id, ["sh", "-c", command], stdin=stdin is not None))
        if stdin is not None:
            machine.write_stdin(exec_id, stdin)
            machine.close_stdin(exec_id)
        return exec_id

    def end(self, pod: str, exec_id: str, seconds: float = 200) -> tuple[str, str, int | None]:
        """(stdout, stderr, exit code or None when it still runs after so long)."""
        machine, _ = self._held(pod)
        until = self.cluster.now + round(seconds * 1000)
        while machine.exec_status(exec_id)["exit_code"] is None:
            due = self.cluster.clock.next_at()
            if due is None or due > until:
                break
            self.cluster.run_until(due)
        out, err = machine.read_exec(exec_id)
        for kubelet in self.cluster.kubelets():
            assert kubelet.machine.crashes == []
        return out, err, machine.exec_status(exec_id)["exit_code"]

    def run(self, pod: str, command: str, container: str = "", stdin: str | None = None, seconds: float = 200) -> tuple[str, str, int | None]:
        """A shell line to its end: (stdout, stderr, exit code)."""
        return self.end(pod, self.begin(pod, command, container, stdin), seconds)

    def out(self, pod: str, command: str, container: str = "") -> str:
        return self.run(pod, command, container)[0]

    def restored(self) -> Lab:
        """The lab that goes on from this one's checkpoint, through JSON."""
        return Lab(cluster=Cluster.restore(json.loads(json.dumps(self.cluster.checkpoint())), strict=True))


def own(build: Callable[[], Lab]) -> Lab:
    """A lab of the test's own in the state in which `build` leaves one: built once, then restored. It has no history of watches."""
    return Lab(cluster=thawed(f"{build.__module__}.{build.__name__}", lambda: build().cluster))
