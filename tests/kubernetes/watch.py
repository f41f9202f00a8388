"""What must hold in every cluster at every moment, whatever people do and whatever breaks; and what, once it has come to rest."""

from __future__ import annotations

from typing import Any

from podlab.kubernetes.cluster import Cluster
from podlab.kubernetes.etcd import Change, controller_uid
from podlab.kubernetes.objects import Map, dig
from podlab.kubernetes.quantity import milli
from podlab.kubernetes.resources import RESOURCES
from podlab.kubernetes.selectors import selects

Entry = dict[str, Any]
WORKLOADS = ("deployments", "replicasets", "statefulsets", "daemonsets", "jobs", "cronjobs", "replicationcontrollers")
ENDED = ("Succeeded", "Failed")
LINGER_MS = 60_000  # containers of a Pod that was deleted by force may use up its grace period


class Broken(AssertionError):
    """An invariant does not hold."""


class Watch:
    """Looks at every write, and at the whole when asked to."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.revision = cluster.etcd.revision
        self.gone: dict[str, int] = {}  # uid of a Pod -> when it went
        self.wrong: list[str] = []  # found inside a write, where nothing may be raised
        cluster.etcd.subscribe("*", self._on_change)

    def _on_change(self, change: Change) -> None:
        obj, metadata = change.object, change.object["metadata"]
        name = f"{change.plural}/{change.key}"
        if change.revision <= self.revision or int(metadata["resourceVersion"]) != change.revision:
            self.wrong.append(f"{name}: revision {change.revision} ({metadata['resourceVersion']}) after {self.revision}")
        self.revision = change.revision
        status = obj.get("status") or {}
        if status.get("observedGeneration", 0) > metadata.get("generation", 0):
            self.wrong.append(f"{name}: observed generation {status['observedGeneration']} of {metadata.get('generation')}")
        self.wrong += [f"{name}: {key} is {value}" for key, value in status.items() if isinstance(value, int) and value < 0]
        if change.type == "DELETED" and change.old is not None and (held := change.old["metadata"]).get("finalizers") \
                and (not held.get("deletionTimestamp") or held.get("deletionGracePeriodSeconds")):  # else an update has just taken them off
            self.wrong.append(f"{name}: gone with finalizers {held['finalizers']}")
        if change.plural == "pods":
            self._on_pod(change, name)

    def _on_pod(self, change: Change, name: str) -> None:
        pod, old = change.object, change.old
        if change.type == "DELETED":
            self.gone[pod["metadata"]["uid"]] = change.at
        elif change.type == "ADDED":
            space = pod["metadata"]["namespace"]
            living = sum(dig(one, "status.phase") not in ENDED for one in self.cluster.etcd.list("pods", space))
            for quota in self.cluster.etcd.list("resourcequotas", space):
                hard = dig(quota, "status.hard", {}).get("pods")  # what admission goes by, as in reality
                if hard is not None and living > int(hard):
                    self.wrong.append(f"{name}: the {living}th Pod under quota {quota['metadata']['name']} of {hard}")
        elif old is not None and old["spec"].get("nodeName") and old["spec"]["nodeName"] != pod["spec"].get("nodeName"):
            self.wrong.append(f"{name}: moved from {old['spec']['nodeName']} to {pod['spec'].get('nodeName')}")

    def look(self) -> None:
        """What holds at every moment."""
        self._ips()
        self._nodes()
        self._requests()
        if self.cluster.crashes:
            self.wrong += self.cluster.crashes
        if self.wrong:
            raise Broken("\n".join(self.wrong))

    def _ips(self) -> None:
        """No two Pods whose containers run have one address: as their kubelets know it, and as the API says."""
        held: dict[str, str] = {}
        for pod in self.cluster.etcd.list("pods"):
            ip = dig(pod, "status.podIP")
            kubelet = self.cluster.components.get(f"kubelet/{pod['spec'].get('nodeName')}")
            if not ip or pod["spec"].get("hostNetwork") or dig(pod, "status.phase") != "Running" or kubelet is None:
                continue
            if kubelet.state["power"] == "off" or self.cluster.now - kubelet.state["since"] < LINGER_MS:
                continue
            if ip in held:
                self.wrong.append(f"{held[ip]} and {pod['metadata']['name']} both have {ip}")
            held[ip] = pod["metadata"]["name"]

    def _nodes(self) -> None:
        """A Pod is on one node; nothing runs for a Pod that is gone."""
        where: dict[str, str] = {}
        living = {pod["metadata"]["uid"]: pod for pod in self.cluster.etcd.list("pods")}
        for kubelet in self.cluster.kubelets():
            for container in kubelet.machine.state["containers"]:
                if kubelet.machine.status(container).state != "running":
                    continue
                uid = kubelet.machine.state["containers"][container]["pod"]
                if where.setdefault(uid, kubelet.node) != kubelet.node:
                    self.wrong.append(f"Pod {uid} runs on {where[uid]} and {kubelet.node}")
                pod = living.get(uid)
                if pod is not None and pod["spec"].get("nodeName") != kubelet.node:
                    self.wrong.append(f"Pod {pod['metadata']['name']} runs on {kubelet.node}, bound to {pod['spec'].get('nodeName')}")
                lasted = self.cluster.now - max(self.gone.get(uid, 0), kubelet.state["since"])
                if pod is None and kubelet.state["power"] == "on" and lasted > LINGER_MS:
                    self.wrong.append(f"a container of Pod {uid} runs on {kubelet.node} {lasted} ms after the Pod went")

    def _requests(self) -> None:
        """No node is promised out, but by DaemonSets' and others' Pods that nobody schedules."""
        for node in self.cluster.etcd.list("nodes"):
            asked = sum(milli(dig(container, "resources.requests.cpu", "0")) for pod in self.cluster.etcd.pods_on(node["metadata"]["name"])
                        if dig(pod, "status.phase") not in ENDED for container in pod["spec"]["containers"])
            if asked > milli(dig(node, "status.allocatable.cpu")):
                self.wrong.append(f"{node['metadata']['name']} has promised {asked} m of CPU")

    # ---- evictions

    def before_eviction(self, entry: Entry) -> tuple[Map, list[Map]] | None:
        """A healthy Pod that is to be evicted, and the budgets that cover it, as they stand."""
        pod = self.cluster.etcd.get("pods", f"{entry['namespace']}/{entry['name']}")
        if pod is None or not is_ready(pod) or pod["metadata"].get("deletionTimestamp"):
            return None
        budgets = [one for one in self.cluster.etcd.list("poddisruptionbudgets", entry["namespace"])
                   if selects(one["spec"].get("selector") or {}, pod["metadata"].get("labels"))]
        return pod, budgets

    def after_eviction(self, pod: Map, budgets: list[Map]) -> None:
        for budget in budgets:
            allowed = dig(budget, "status.disruptionsAllowed", 0)
            now = self.cluster.etcd.get("poddisruptionbudgets", f"{pod['metadata']['namespace']}/{budget['metadata']['name']}")
            left = dig(now, "status.disruptionsAllowed", 0) if now is not None else 0
            if allowed < 1 or left != allowed - 1 or dig(budget, "status.observedGeneration") != budget["metadata"].get("generation"):
                self.wrong.append(f"{pod['metadata']['name']} was evicted while budget {budget['metadata']['name']} allowed {allowed}, then {left}")

    # ---- at rest

    def look_at_rest(self) -> None:
        """What holds when the faults have stopped long enough: every wish is met or cannot be, and nothing is left over."""
        self._controllers()
        self._leftovers()
        if self.wrong:
            raise Broken("at rest: " + "\n".join(self.wrong))

    def _controllers(self) -> None:
        etcd = self.cluster.etcd
        for plural in (*WORKLOADS, "poddisruptionbudgets"):
            for owner in etcd.list(plural):
                seen = dig(owner, "status.observedGeneration")
                if seen is not None and seen != owner["metadata"]["generation"]:
                    self.wrong.append(f"{plural}/{owner['metadata']['name']}: generation {owner['metadata']['generation']}, observed {seen}")
        for plural in ("replicasets", "replicationcontrollers", "statefulsets", "daemonsets"):
            for owner in etcd.list(plural):
                living = [pod for pod in etcd.owned(owner["metadata"]["uid"], "pods")
                          if dig(pod, "status.phase") not in ENDED and not pod["metadata"].get("deletionTimestamp")]
                wish = dig(owner, "status.desiredNumberScheduled", 0) if plural == "daemonsets" else owner["spec"]["replicas"]
                if len(living) != wish and not self._excused(plural, owner, living, wish):
                    name = f"{owner['metadata']['namespace']}/{owner['metadata']['name']}"
                    self.wrong.append(f"{plural} {name}: {wish} wanted, {len(living)} alive of " + ", ".join(
                        f"{p['metadata']['name']} {dig(p, 'status.phase')} {dig(p, 'status.reason')} {p['metadata'].get('deletionTimestamp')}"
                        for p in etcd.owned(owner["metadata"]["uid"], "pods")))

    def _excused(self, plural: str, owner: Map, living: list[Map], wish: int) -> bool:
        """A quota or another Pod of that name stands in the way; a StatefulSet waits for an unready Pod; a rollout holds old Pods beside new ones."""
        if self.cluster.etcd.list("resourcequotas", owner["metadata"]["namespace"]) and len(living) < wish:
            return True
        if plural == "statefulsets":
            taken = [f"{owner['metadata']['namespace']}/{owner['metadata']['name']}-{number}" for number in range(wish)]
            others = [pod for key in taken if (pod := self.cluster.etcd.get("pods", key)) is not None
                      and controller_uid(pod) != owner["metadata"]["uid"]]
            return bool(others) or (owner["spec"].get("podManagementPolicy") != "Parallel" and not all(is_ready(pod) for pod in living))
        return plural == "daemonsets" and wish <= len(living) <= 2 * wish and not all(is_ready(pod) for pod in living)

    def _leftovers(self) -> None:
        etcd = self.cluster.etcd
        uids = {obj["metadata"]["uid"] for resource in RESOURCES for obj in etcd.list(resource.plural)}
        for resource in RESOURCES:
            for obj in etcd.list(resource.plural):
                metadata = obj["metadata"]
                name = f"{resource.plural} {metadata.get('namespace', '')}/{metadata['name']}"
                owners = metadata.get("ownerReferences") or ()
                if owners and not any(one["uid"] in uids for one in owners):
                    self.wrong.append(f"{name} outlives its owners {[one['kind'] + '/' + one['name'] for one in owners]}")
                if metadata.get("deletionTimestamp") and not self._held(resource.plural, obj):
                    self.wrong.append(f"{name} is still being deleted, finalizers {metadata.get('finalizers')}")
                space = metadata.get("namespace")
                if space and etcd.get("namespaces", space) is None:
                    self.wrong.append(f"{name} outlives its namespace")

    def _held(self, plural: str, obj: Map) -> bool:
        """A claim, and what waits for it, stays while a Pod uses it (pvc-protection)."""
        return plural in ("persistentvolumeclaims", "persistentvolumes") and bool(obj["metadata"].get("finalizers"))


def is_ready(pod: Map) -> bool:
    return any(one["type"] == "Ready" and one["status"] == "True" for one in dig(pod, "status.conditions", ()))


