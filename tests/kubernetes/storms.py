"""Storms: random scenarios with random faults, hours long; watch.py says what must hold in every one.

    storm = Storm(seed=7, hours=20)
    storm.blow()          raises Broken with the seed and the journal when something does not hold

A storm is bursts of acts a few seconds apart with quiet hours between, as a learner's days are; after each quiet the faults are mended
and the controllers must have come to rest. The acts are journal entries as everywhere, chosen by a generator of the seed's own.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.objects import Map
from podlab.kubernetes.resources import BY_KIND

from .watch import WORKLOADS, Broken, Entry, Watch
from .worlds import EPOCH_MS, service

NODES = ("node-1", "node-2", "node-3")
SPEC = {"nodes": [{"name": name, "cpu": "4", "memory": "8Gi"} for name in NODES]}
NAMES = ("a", "b", "c")
SPACES = ("default", "team")
SCALED = ("deployments", "replicasets", "statefulsets", "replicationcontrollers")
KEPT = "test/hold"  # the finalizer that only a storm removes
REST_S = 1500  # after the faults: the longest back-off, 300 s and half of it in jitter, twice, and a node's 50 s + 300 s


# ---- what is made


def template(rng: random.Random, app: str, *, ends: bool = False) -> dict[str, Any]:
    container: dict[str, Any] = {"name": "c", "image": "busybox:1.36", "command": ["sh", "-c", "sleep 100000"]}
    spec: dict[str, Any] = {"terminationGracePeriodSeconds": rng.choice((0, 2, 30))}
    turn = rng.randrange(12)
    if ends:
        container["command"] = ["sh", "-c", rng.choice(("sleep 5", "sleep 90; exit 3", "exit 0", "exit 1", "sleep 3000"))]
        spec["restartPolicy"] = rng.choice(("Never", "OnFailure"))
    elif turn == 0:
        container["command"] = ["sh", "-c", rng.choice(("exit 1", "sleep 20; exit 0"))]
    elif turn == 1:
        container["image"] = "no-such-image:1"
    elif turn < 5:
        container.update(image="nginx:1.14.2")
        container.pop("command")
        port = rng.choice((80, 81))
        container["readinessProbe"] = {"httpGet": {"port": port}, "periodSeconds": 120}
        if rng.random() < 0.3:
            container["livenessProbe"] = {"tcpSocket": {"port": port}, "periodSeconds": 300, "failureThreshold": 1}
    elif turn == 5:
        spec["initContainers"] = [{"name": "i", "image": "busybox:1.36", "command": ["sh", "-c", "sleep 2"]},
                                  {"name": "s", "image": "busybox:1.36", "command": ["sleep", "100000"], "restartPolicy": "Always"}]
    elif turn == 6:
        container["lifecycle"] = {"preStop": {"sleep": {"seconds": rng.choice((1, 40))}}}
        spec["terminationGracePeriodSeconds"] = 45
    elif turn == 7:
        spec["volumes"] = [{"name": "v", "persistentVolumeClaim": {"claimName": "a"}}, {"name": "m", "configMap": {"name": "b"}}]
        container["volumeMounts"] = [{"name": "v", "mountPath": "/v"}]
    elif turn == 8:
        spec["affinity"] = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
            {"labelSelector": {"matchLabels": {"app": app}}, "topologyKey": "kubernetes.io/hostname"}]}}
    if rng.random() < 0.4:
        container["resources"] = {"requests": {"cpu": rng.choice(("50m", "700m", "3")), "memory": "64Mi"}}
    if rng.random() < 0.1:
        spec["priorityClassName"] = "system-cluster-critical"
    spec["containers"] = [container]
    return {"metadata": {"labels": {"app": app}}, "spec": spec}


def workload(rng: random.Random, kind: str, name: str) -> dict[str, Any]:
    made = template(rng, name, ends=kind in ("Job", "CronJob"))
    labels = {"matchLabels": {"app": name}}
    count = rng.randrange(5)
    spec: dict[str, Any] = {"template": made}
    if kind == "Deployment":
        strategy = rng.choice(({"type": "Recreate"}, {"rollingUpdate": {"maxSurge": rng.randrange(1, 3), "maxUnavailable": rng.randrange(2)}}))
        spec.update(replicas=count, selector=labels, strategy=strategy, minReadySeconds=rng.choice((0, 5)), revisionHistoryLimit=2)
    elif kind == "ReplicaSet":
        spec.update(replicas=count, selector=labels)
    elif kind == "ReplicationController":
        spec.update(replicas=count, selector={"app": name})
    elif kind == "StatefulSet":
        spec.update(replicas=count, selector=labels, serviceName=name, podManagementPolicy=rng.choice(("OrderedReady", "Parallel")))
        if rng.random() < 0.4:
            spec["volumeClaimTemplates"] = [claim("data")]
            made["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    elif kind == "DaemonSet":
        spec.update(selector=labels, updateStrategy={"rollingUpdate": rng.choice(({"maxSurge": 1, "maxUnavailable": 0}, {"maxUnavailable": 2}))})
    elif kind == "Job":
        spec.update(completions=rng.randrange(1, 5), parallelism=rng.randrange(1, 4), backoffLimit=rng.randrange(3),
                    completionMode=rng.choice(("Indexed", "NonIndexed")))
        if rng.random() < 0.3:
            spec["ttlSecondsAfterFinished"] = 100
        if rng.random() < 0.3:
            spec["activeDeadlineSeconds"] = 30
    elif kind == "CronJob":
        spec = {"schedule": rng.choice(("*/20 * * * *", "7 * * * *")), "jobTemplate": {"spec": {"template": made, "backoffLimit": 1}},
                "concurrencyPolicy": rng.choice(("Allow", "Forbid", "Replace")), "successfulJobsHistoryLimit": rng.randrange(3)}
    resource = BY_KIND[kind]
    return {"apiVersion": resource.api_version, "kind": kind, "metadata": {"name": name, "labels": {"app": name}}, "spec": spec}


def claim(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}}


def plain(rng: random.Random, kind: str, name: str) -> dict[str, Any]:
    if kind == "PersistentVolumeClaim":
        return claim(name)
    if kind == "Service":
        return service(name)
    if kind == "Pod":
        made = template(rng, name, ends=rng.random() < 0.3)
        holds = {"finalizers": [KEPT]} if rng.random() < 0.2 else {}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"{name}-pod", **made["metadata"], **holds}, "spec": made["spec"]}
    if kind == "PodDisruptionBudget":
        limit = rng.choice(({"minAvailable": rng.randrange(4)}, {"maxUnavailable": rng.randrange(2)}, {"minAvailable": "50%"}))
        return {"apiVersion": "policy/v1", "kind": kind, "metadata": {"name": name},
                "spec": {"selector": {"matchLabels": {"app": name}}, **limit}}
    if kind == "ResourceQuota":
        return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, "spec": {"hard": {"pods": str(rng.randrange(2, 9))}}}
    if kind == "HorizontalPodAutoscaler":
        return {"apiVersion": "autoscaling/v2", "kind": kind, "metadata": {"name": name},
                "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}, "minReplicas": 1, "maxReplicas": 3,
                         "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization",
                                                                                                "averageUtilization": 50}}}]}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"k": str(rng.random())}}


KINDS = ("Deployment", "Deployment", "ReplicaSet", "StatefulSet", "StatefulSet", "DaemonSet", "Job", "Job", "CronJob",
         "ReplicationController", "Pod", "Pod", "Service", "PersistentVolumeClaim", "PodDisruptionBudget", "ResourceQuota", "ConfigMap",
         "HorizontalPodAutoscaler")


# ---- the storm


class Storm:
    """One cluster's stormy life."""

    def __init__(self, seed: int, hours: float) -> None:
        self.seed, self.rng = seed, random.Random(seed)
        self.cluster = Cluster.create(seed, EPOCH_MS, SPEC, strict=True)
        for kubelet in self.cluster.kubelets():
            kubelet.preload(["busybox:1.36"])
        self.end = self.cluster.now + round(hours * 3_600_000)
        self.journal: list[Entry] = []
        self.watch = Watch(self.cluster)

    def blow(self) -> None:
        try:
            while self.cluster.now < self.end:
                self._burst()
                self._calm()
        except Exception as error:
            lines = "\n".join(json.dumps(entry) for entry in self.journal)
            at = (self.cluster.now - EPOCH_MS) / 1000
            raise Broken(f"seed {self.seed}, {at:.3f} s after the beginning: {type(error).__name__}: {error}\n{lines}") from error

    def _burst(self) -> None:
        for _ in range(self.rng.randrange(15, 45)):
            self.cluster.run_for(self.rng.choice((0, 0.05, 0.5, 2, 10, self.rng.random() * 90)))
            acts = ACTS[self.rng.choices(range(len(ACTS)), WEIGHTS)[0]][0](self)
            for entry in acts if isinstance(acts, list) else [acts]:
                if entry is not None:
                    self.do(entry)
            if self.rng.random() < 0.5:
                self.watch.look()
        self.cluster.run_for(self.rng.random() * 600)
        self.watch.look()

    def _calm(self) -> None:
        """The faults stop, what is held is let go, and after a while everything has come to rest."""
        for node in NODES:
            self.do({"do": "fault", "node": node, "power": "on"})
            for fill in ("disk", "memory"):
                self.do({"do": "fault", "node": node, "fill": fill, "percent": 0})
            self.do({"do": "fault", "node": node, "registry": "*"})
            self.do(self.patch("nodes", "", node, {"spec": {"unschedulable": None}}))
        for pod in self.cluster.etcd.list("pods"):
            if KEPT in (pod["metadata"].get("finalizers") or ()):
                self.do(self.patch("pods", pod["metadata"]["namespace"], pod["metadata"]["name"], {"metadata": {"finalizers": None}}))
        self.cluster.run_for(REST_S)
        self.watch.look()
        self.watch.look_at_rest()
        self.cluster.run_for(self.rng.random() * 3 * 3600)
        self.watch.look()

    def do(self, entry: Entry) -> None:
        entry = {"at": self.cluster.now, **entry}
        self.journal.append(entry)
        evicted = self.watch.before_eviction(entry) if entry.get("subresource") == "eviction" else None
        try:
            self.cluster.apply(json.loads(json.dumps(entry)))
        except ApiError:
            return
        if evicted is not None:
            self.watch.after_eviction(*evicted)

    # ---- one request each

    def create(self, kind: str, space: str, body: Entry) -> Entry:
        return {"do": "request", "verb": "create", "resource": BY_KIND[kind].plural, "namespace": space, "body": body}

    def patch(self, plural: str, space: str, name: str, body: Any, subresource: str = "", how: str = "merge") -> Entry:
        return {"do": "request", "verb": "patch", "resource": plural, "namespace": space, "name": name, "body": body,
                "subresource": subresource, "options": {"patchType": f"application/{how}-patch+json"}}

    def pick(self, *plurals: str) -> tuple[str, Map] | None:
        found = [(plural, obj) for plural in plurals for obj in self.cluster.etcd.list(plural)]
        return self.rng.choice(found) if found else None

    # ---- acts

    def make(self) -> list[Entry]:
        kind, name, space = self.rng.choice(KINDS), self.rng.choice(NAMES), self.rng.choice(SPACES)
        known = BY_KIND[kind].plural in WORKLOADS
        return [self.create(kind, space, workload(self.rng, kind, name) if known else plain(self.rng, kind, name))]

    def scale(self) -> Entry | None:
        found = self.pick(*SCALED)
        return found and self.patch(*at(found), {"spec": {"replicas": self.rng.randrange(7)}}, "scale")

    def roll(self) -> Entry | None:
        found = self.pick("deployments", "statefulsets", "daemonsets")
        image = self.rng.choice(("nginx:1.14.2", "nginx:1.16.1", "busybox:1.36", "nginx:nope"))
        return found and self.patch(*at(found), {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": image}]}}}},
                                    how="strategic-merge")

    def pause(self) -> Entry | None:
        found = self.pick("deployments", "jobs", "cronjobs")
        member = {"deployments": "paused"}.get(found[0], "suspend") if found else ""
        return found and self.patch(*at(found), {"spec": {member: self.rng.random() < 0.5}})

    def remove(self) -> Entry | None:
        found = self.pick(*WORKLOADS, "services", "persistentvolumeclaims", "poddisruptionbudgets", "resourcequotas", "horizontalpodautoscalers")
        policy = {"propagationPolicy": self.rng.choice(("Background", "Background", "Foreground", "Orphan"))}
        return found and self._delete(found, policy)

    def remove_pod(self) -> Entry | None:
        found = self.pick("pods")
        return found and self._delete(found, {"gracePeriodSeconds": self.rng.choice((0, 1, 30))} if self.rng.random() < 0.7 else {})

    def _delete(self, found: tuple[str, Map], options: Entry) -> Entry:
        plural, space, name = at(found)
        return {"do": "request", "verb": "delete", "resource": plural, "namespace": space, "name": name, "options": options}

    def evict(self) -> Entry | None:
        found = self.pick("pods")
        if found is None:
            return None
        _, space, name = at(found)
        return {"do": "request", "verb": "create", "resource": "pods", "namespace": space, "name": name, "subresource": "eviction",
                "body": {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": space}}}

    def relabel(self) -> Entry | None:
        found = self.pick("pods")
        return found and self.patch(*at(found), {"metadata": {"labels": {"app": self.rng.choice(NAMES)}}})

    def kill(self) -> Entry | None:
        found = self.pick("pods")
        return found and {"do": "fault", "pod": "/".join(at(found)[1:]), "container": "c", "signal": self.rng.choice(("KILL", "TERM", "SEGV"))}

    def power(self) -> Entry:
        return {"do": "fault", "node": self.rng.choice(NODES), "power": self.rng.choice(("off", "on", "on", "silent"))}

    def outage(self) -> list[Entry]:
        """A node goes for longer than its Pods tolerate."""
        node = self.rng.choice(NODES)
        self.do({"do": "fault", "node": node, "power": self.rng.choice(("off", "silent"))})
        self.cluster.run_for(self.rng.choice((60, 250, 400, 900)))
        return [{"do": "fault", "node": node, "power": "on"}] if self.rng.random() < 0.6 else []

    def fill(self) -> Entry:
        return {"do": "fault", "node": self.rng.choice(NODES), "fill": self.rng.choice(("disk", "memory")),
                "percent": self.rng.choice((0, 50, 97, 99))}

    def registry(self) -> Entry:
        broken = self.rng.choice(({"slow": 50}, {"broken": True}, {}))
        return {"do": "fault", "node": self.rng.choice(NODES), "registry": "*", **broken}

    def cordon(self) -> Entry:
        return self.patch("nodes", "", self.rng.choice(NODES), {"spec": {"unschedulable": self.rng.random() < 0.5 or None}})

    def namespace(self) -> Entry:
        if self.cluster.etcd.get("namespaces", "team") is None:
            return self.create("Namespace", "", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}})
        return {"do": "request", "verb": "delete", "resource": "namespaces", "name": "team"}

    def quota(self) -> Entry | None:
        found = self.pick("resourcequotas")
        return found and self.patch(*at(found), {"spec": {"hard": {"pods": str(self.rng.randrange(9))}}})

    def budget(self) -> Entry | None:
        found = self.pick("poddisruptionbudgets")
        return found and self.patch(*at(found), {"spec": {"minAvailable": self.rng.randrange(4), "maxUnavailable": None}})

    def drain(self) -> list[Entry]:
        node = self.rng.choice(NODES)
        self.do(self.patch("nodes", "", node, {"spec": {"unschedulable": True}}))
        for pod in self.cluster.etcd.list("pods"):
            if pod["spec"].get("nodeName") == node:
                self.do({"do": "request", "verb": "create", "resource": "pods", "namespace": pod["metadata"]["namespace"],
                         "name": pod["metadata"]["name"], "subresource": "eviction",
                         "body": {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod["metadata"]["name"]}}})
        return []

    def sweep(self) -> list[Entry]:
        """Everything of one namespace goes, so that a long storm does not only grow."""
        space = self.rng.choice(SPACES)
        found = [(plural, obj) for plural in (*WORKLOADS, "pods", "horizontalpodautoscalers", "resourcequotas", "poddisruptionbudgets")
                 for obj in self.cluster.etcd.list(plural, space)]
        return [self._delete(one, {}) for one in found]


def at(found: tuple[str, Map]) -> tuple[str, str, str]:
    plural, obj = found
    return plural, obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


ACTS: list[tuple[Callable[[Storm], Any], int]] = [
    (Storm.make, 30), (Storm.scale, 8), (Storm.roll, 8), (Storm.pause, 3), (Storm.remove, 8), (Storm.remove_pod, 8), (Storm.evict, 6),
    (Storm.relabel, 4), (Storm.kill, 6), (Storm.power, 5), (Storm.outage, 2), (Storm.fill, 3), (Storm.registry, 3), (Storm.cordon, 3),
    (Storm.namespace, 4), (Storm.quota, 2), (Storm.budget, 2), (Storm.drain, 2), (Storm.sweep, 5)]
WEIGHTS = [weight for _, weight in ACTS]
