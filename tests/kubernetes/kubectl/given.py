"""A small cluster for kubectl's tests, and what a command prints in it."""

from __future__ import annotations

from typing import Any

from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.kubectl.laptop import Laptop
from podlab.kubernetes.kubectl.run import run_to_end
from tests.kubernetes.frozen import thawed

START = 1_795_219_200_000  # 2026-11-21T00:00:00Z
WEB = """apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  containers:
  - {name: c, image: "nginx:1.14.2", ports: [{containerPort: 80, name: http}]}
"""
DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {name: dep}
spec:
  replicas: 2
  selector: {matchLabels: {app: dep}}
  template:
    metadata: {labels: {app: dep}}
    spec: {containers: [{name: c, image: "nginx:1.14.2"}]}
"""
FILES = {"web.yaml": WEB, "dep.yaml": DEPLOYMENT}


def cluster() -> Cluster:
    return thawed("kubectl's", _begin)


def _begin() -> Cluster:
    made = Cluster.create(1, START, {"nodes": [{"name": "node-1", "cpu": "2", "memory": "4Gi"}]}, strict=True)
    for kubelet in made.kubelets():
        kubelet.preload(["nginx:1.14.2", "nginx:1.16.1", "busybox:1.36"])
    made.run_for(1)
    return made


def kubectl(where: Cluster, line: str | list[str], *, stdin: str | None = None, files: dict[str,
    str] | None = None) -> tuple[int, str, str]:
    """(exit code, stdout, stderr)."""
    import shlex

    words = shlex.split(line) if isinstance(line, str) else line
    return run_to_end(where, words, stdin=stdin, files=FILES if files is None else files)


def with_web() -> Cluster:
    """A cluster in which the Pod `web` runs."""
    return thawed("kubectl's with web", _begin_with_web)


def _begin_with_web() -> Cluster:
    made = cluster()
    kubectl(made, "apply -f web.yaml")
    made.run_for(3)
    return made


class Screen:
    """A laptop, and a person at it."""

    def __init__(self, where: Cluster, files: dict[str, str] | None = None, **options: Any) -> None:
        self.cluster = where
        self.laptop = Laptop(where, lambda entry: where.apply({"at": where.now, **entry}), FILES if files is None else files,
                             **options)

    def type(self, line: str, seconds: float = 0) -> str:
        """Enter a line, let time pass; what was printed, both streams."""
        self.laptop.enter(line)
        return self.wait(seconds)

    def wait(self, seconds: float) -> str:
        until = self.cluster.now + round(seconds * 1000)
        while self.cluster.now < until:
            self.cluster.run_until(min(until, self.cluster.now + 100))
            self.laptop.advance()
        return "".join(text for _, text in self.laptop.take_output())
