"""A View of a recording of a real cluster at a moment: real states to draw and to tell, without the engine."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from podlab.kubernetes.objects import Map, dig, freeze
from podlab.kubernetes.times import parse_rfc3339

HERE = Path(__file__).parent / "recordings"
NODE = {
    "kind": "Node",
    "apiVersion": "v1",
    "metadata": {"name": "node-1", "uid": "node-1"},
    "spec": {},
    "status": {
        "allocatable": {"cpu": "2", "memory": "24581684Ki", "pods": "250"},
        "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
    },
}
PORTS = {"nginx": 80, "hello": 8080, "agnhost": 8080}  # what the recorded images listen on


@cache
def load(name: str) -> dict[str, Any]:
    with gzip.open(HERE / f"{name}.json.gz", "rt", encoding="utf-8") as file:
        return json.load(file)


class NoCauses:
    """A recording tells what there was, not what it came from."""

    def record(self, id: Any) -> Mapping[str, Any] | None:
        return None

    def latest(self, object_ref: str) -> Sequence[Any]:
        return ()

    def since(self, record_id: int) -> Sequence[Mapping[str, Any]]:
        return ()


class Recorded:
    """The recording `name` at `t` seconds. Waits and ports are read from what the recording does next."""

    def __init__(self, name: str, t: float, *, causes: Any = None, traffic: Sequence[Mapping[str, Any]] = ()) -> None:
        self.recording, self.t = load(name), t
        self.start = (
            parse_rfc3339(self.recording["t0"]) if isinstance(self.recording.get("t0"), str) else int(self.recording["t0"] * 1000)
        )
        self.now = self.start + round(t * 1000)
        self.causes = causes or NoCauses()
        self._traffic = traffic
        self._objects: dict[str, dict[str, Map]] = {"nodes": {"node-1": freeze(NODE)}}
        self._next: dict[str, list[tuple[float, Any]]] = {}
        self._facts: dict[str, dict[str, Any]] = {}
        self._since: dict[tuple[str, str, str], float] = {}
        for event in self.recording["watch"]:
            key = event["object"]["metadata"].get("namespace", "") + "/" + event["object"]["metadata"]["name"]
            if event["t"] > t:
                if event["resource"] == "pods":
                    self._next.setdefault(key, []).append((event["t"], event["object"]))
                continue
            held = self._objects.setdefault(event["resource"], {})
            if event["type"] == "DELETED":
                held.pop(key, None)
            else:
                held[key if event["resource"] != "nodes" else event["object"]["metadata"]["name"]] = freeze(event["object"])
            if event["resource"] == "pods":
                for status in dig(event["object"], "status.containerStatuses", ()):
                    shape = json.dumps(status["state"])
                    self._since.setdefault((event["object"]["metadata"]["uid"], status["name"], shape), event["t"])
        self._power_off = self._stopped()

    def _stopped(self) -> float | None:
        stopped = None
        for step in self.recording["steps"]:
            if step["t"] <= self.t:
                command = step.get("cmd") or ""
                stopped = step["t"] if "-STOP" in command else None if "-CONT" in command else stopped
        return stopped

    def objects(self, plural: str, namespace: str | None = None) -> list[Map]:
        found = self._objects.get(plural, {}).values()
        return [o for o in found if namespace is None or o["metadata"].get("namespace") == namespace]

    def node_facts(self, name: str) -> dict[str, Any]:
        if self._power_off is not None:
            return {"power": "silent", "since": self.start + round(self._power_off * 1000)}
        return {"power": "on", "since": self.start}

    def traffic(self, since: int) -> list[Mapping[str, Any]]:
        return [item for item in self._traffic if item["t"] >= since]

    def changed(self, plural: str, since: int) -> tuple[int, None]:
        return 0, None  # a cluster without a history

    def facts(self, pod_uid: str) -> dict[str, Any]:
        if pod_uid not in self._facts:
            pod = next((p for p in self.objects("pods") if p["metadata"]["uid"] == pod_uid), None)
            self._facts[pod_uid] = self._guess(pod) if pod else {}
        return self._facts[pod_uid]

    def _guess(self, pod: Map) -> dict[str, Any]:
        ports: dict[str, list[dict[str, Any]]] = {}
        clashes: dict[str, list[dict[str, Any]]] = {}
        waits: dict[str, dict[str, Any]] = {}
        taken: dict[int, str] = {}
        statuses = [*dig(pod, "status.initContainerStatuses", ()), *dig(pod, "status.containerStatuses", ())]
        for status in statuses:
            port = next((n for word, n in PORTS.items() if word in status["image"]), None)
            state = status["state"]
            if port is not None and "running" in state and port not in taken:
                ports[status["name"]] = [{"port": port, "protocol": "TCP"}]
                taken[port] = status["name"]
            elif (
                port is not None
                and taken.get(port)
                and dig(status, "lastState.terminated.exitCode", dig(state, "terminated.exitCode")) == 1
            ):
                clashes[status["name"]] = [{"port": port, "protocol": "TCP", "holder": taken[port]}]
            wait = self._wait(pod, status)
            if wait:
                waits[status["name"]] = wait
        return {"ports": ports, "clashes": clashes, "waits": waits}

    def _wait(self, pod: Map, status: Map) -> dict[str, Any] | None:
        """When the recording next runs this container."""
        if "running" in status["state"]:
            return None
        key = f"{pod['metadata'].get('namespace', '')}/{pod['metadata']['name']}"
        for t, later in self._next.get(key, []):
            for told in [*dig(later, "status.initContainerStatuses", ()), *dig(later, "status.containerStatuses", ())]:
                if (
                    told["name"] == status["name"]
                    and "running" in told["state"]
                    and told["restartCount"] >= status["restartCount"]
                ):
                    since = self._since.get((pod["metadata"]["uid"], status["name"], json.dumps(status["state"])), self.t)
                    reason = dig(status, "state.waiting.reason", "")
                    what = (
                        "backoff"
                        if "terminated" in status["state"] or "BackOff" in reason
                        else "pull"
                        if "Creating" in reason
                        else ""
                    )
                    if not what:
                        return None
                    return {"what": what, "since": self.start + round(since * 1000), "until": self.start + round(t * 1000)}
        return None
