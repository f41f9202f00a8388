"""Run a scenario in virtual time and trace it in the recordings' format, to be held against a real cluster's.

A scenario: {"name", "manifests": applied at t = 0 in a fresh namespace of that name, "steps": [{"at": s, "do": arguments |
"apply": object | "sh": line, "fault": {...}}], "until": s, "watch": extra kinds}. Times are seconds from the first apply.
"""

from __future__ import annotations

import json
import shlex
from typing import Any

from .apiserver.errors import ApiError
from .apiserver.request import Request
from .cluster import Cluster
from .etcd import Change
from .kubectl.laptop_scripts import run_lines
from .kubectl.run import run_to_end
from .objects import without

# The machine the recordings were taken on (README.md beside them)
RECORDED_NODE = {"metricsServer": False, "nodes": [{"name": "node-1", "cpu": "2", "memory": "24581684Ki", "pods": "250", "disk": "263163508Ki",
                            "capacity": {"memory": "24684084Ki", "ephemeral-storage": "264212084Ki"}}]}
WATCHED = ("pods", "events", "replicasets", "deployments", "jobs", "statefulsets", "endpointslices", "services", "endpoints",
           "daemonsets", "cronjobs", "replicationcontrollers", "persistentvolumeclaims", "poddisruptionbudgets",
           "horizontalpodautoscalers")
FINAL = ("get all -o wide", "get pods", "get pods -o wide", "get events",
         "get deploy,rs,sts,ds,job,cronjob,rc,svc,ep,endpointslice,hpa,pvc")
DESCRIBED = "pods,deployments,replicasets,statefulsets,daemonsets,jobs,cronjobs,replicationcontrollers,services"
EPOCH_MS = 1_795_219_200_000  # 2026-11-21T00:00:00Z, the day of the recordings
# What lay on the recorded node already (status.images of the Node in recorded/node-failure.json)
PRESENT_IMAGES = ["nginx:latest", "nginx:1.14.2", "nginx:1.15.4", "nginx:1.16.1", "busybox:1.28", "busybox:1.36",
                  "busybox:latest"]
SETTLE_SECONDS = 120  # the recorded cluster had been up for a while


class Trace:
    """One run of one scenario."""

    def __init__(self, scenario: dict[str, Any], seed: int = 1) -> None:
        self.scenario, self.namespace = scenario, scenario["name"]
        self.cluster = Cluster.create(seed, EPOCH_MS, RECORDED_NODE, strict=True)
        self.cluster.kubelet("node-1").preload(PRESENT_IMAGES)
        self.cluster.run_for(SETTLE_SECONDS)
        self.request(verb="create", resource="namespaces", body={"apiVersion": "v1", "kind": "Namespace",
                                                                 "metadata": {"name": self.namespace}})
        self.cluster.run_for(1)
        self.began = self.cluster.now
        self.watch: list[dict[str, Any]] = []
        self.steps: list[dict[str, Any]] = []
        kinds = (*WATCHED, *scenario.get("watch", ()))
        self.cluster.etcd.subscribe("*", lambda change: self._on_change(change, kinds))

    def request(self, **request: Any) -> Any:
        return self.cluster.apply({"at": self.cluster.now, "do": "request", **Request(**request).to_json()})

    def seconds(self) -> float:
        return round((self.cluster.now - self.began) / 1000, 3)

    def _on_change(self, change: Change, kinds: tuple[str, ...]) -> None:
        if change.plural in kinds and change.object["metadata"].get("namespace") in (self.namespace, None):
            shown = without(change.object, "metadata.managedFields")
            self.watch.append({"t": self.seconds(), "resource": change.plural, "type": change.type, "object": shown})

    def kubectl(self, arguments: str, stdin: str = "") -> tuple[int, str, str]:
        """Run one kubectl line to its end, letting virtual time pass as it waits. (exit code, stdout, stderr)"""
        return run_to_end(self.cluster, shlex.split(arguments), namespace=self.namespace, stdin=stdin)

    def step(self, at: float, cmd: str, arguments: str, stdin: str = "") -> None:
        t = self.seconds()
        rc, out, err = self.kubectl(arguments, stdin)
        self.steps.append({"at": at, "cmd": cmd, **({"input": stdin} if stdin else {}), "rc": rc, "stdout": out, "stderr": err,
                           "t": t, "t_end": self.seconds()})

    def run(self) -> dict[str, Any]:
        manifests = "\n".join(json.dumps(manifest, ensure_ascii=False) for manifest in self.scenario["manifests"])
        if manifests:
            self.step(0, "kubectl apply -f -", "apply -f -", manifests)
        for step in self.scenario["steps"]:
            self.cluster.run_until(max(self.cluster.now, self.began + round(step["at"] * 1000)))
            self._do(step)
        self.cluster.run_until(max(self.cluster.now, self.began + round(self.scenario["until"] * 1000)))
        return {"name": self.namespace, "title": self.scenario.get("title", ""), "scenario": self.scenario,
                "until": self.scenario["until"],
                "watch": self.watch, "steps": self.steps, "final": self._final()}

    def _do(self, step: dict[str, Any]) -> None:
        at = step["at"]
        if "do" in step:
            self.step(at, f"kubectl {step['do']}", step["do"])
        elif "apply" in step:
            self.step(at, "kubectl apply -f -", "apply -f -", json.dumps(step["apply"], ensure_ascii=False))
        elif "fault" in step:
            self._fault(at, step.get("sh", ""), step["fault"])
        else:
            self._shell(at, step["sh"])

    def _fault(self, at: float, line: str, fault: dict[str, Any]) -> None:
        """What the line does to a node, done in our way; a fault that we have not is a step that failed."""
        said = ""
        try:
            self.cluster.apply({"at": self.cluster.now, "do": "fault", **fault})
        except ApiError as error:
            said = f"{error.message}\n"
        self.steps.append({"at": at, "cmd": line, "rc": int(bool(said)), "stdout": "", "stderr": said, "t": self.seconds(),
                           "t_end": self.seconds()})

    def _shell(self, at: float, line: str) -> None:
        """A shell line, run on a laptop (kubectl/laptop.py); $NS is the namespace."""
        t = self.seconds()
        rc, output = run_lines(self.cluster, f"NS={self.namespace}\n{line}\n", namespace=self.namespace)
        out, err = ("".join(text for stream, text in output if stream == which) for which in ("out", "err"))
        self.steps.append({"at": at, "cmd": line, "rc": rc, "stdout": out, "stderr": err, "t": t, "t_end": self.seconds()})

    def _final(self) -> dict[str, Any]:
        final: dict[str, Any] = {"t": self.seconds()}
        for arguments in FINAL:
            _, out, err = self.kubectl(arguments)
            final[arguments] = err + out
        names = self.kubectl(f"get {DESCRIBED} -o name")[1].split()
        final["describe"] = {name: self.kubectl(f"describe {name}")[1] for name in names}
        return final


def run(scenario: dict[str, Any], seed: int = 1) -> dict[str, Any]:
    """The trace of a scenario, in the recordings' format."""
    return Trace(scenario, seed).run()
