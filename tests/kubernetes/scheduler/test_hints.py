"""Queueing hints: which change of the cluster is worth another try. One row a plugin and a change."""

from __future__ import annotations

from typing import Any

import pytest

from podlab.kubernetes.objects import Map
from podlab.kubernetes.scheduler.framework import ClusterEvent
from podlab.kubernetes.scheduler.profile import BY_NAME

from .given import node, pod

TAINT = {"key": "k", "value": "v", "effect": "NoSchedule"}
TERM = {"labelSelector": {"matchLabels": {"app": "db"}}, "topologyKey": "kubernetes.io/hostname"}
NEAR = pod(affinity={"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [TERM]}})
FAR = pod(affinity={"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [TERM]}})
SPREAD = pod(labels={"app": "w"}, topologySpreadConstraints=[
    {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"app": "w"}}}])
SSD = pod(nodeSelector={"disk": "ssd"})
PORT = [{"containerPort": 80, "hostPort": 80}]
DB, WEB = pod("db", on="n", labels={"app": "db"}), pod("web", on="n", labels={"app": "w"})
CLAIM = pod(volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}])


def claim(name: str) -> Map:
    return Map(metadata=Map(name=name, namespace="default"))


def came(new: Map, kind: str = "") -> ClusterEvent:
    return ClusterEvent(kind or new["kind"].lower(), "add", None, new)


def went(old: Map) -> ClusterEvent:
    return ClusterEvent(old["kind"].lower(), "delete", old, None)


def changed(old: Map, new: Map) -> ClusterEvent:
    return ClusterEvent(new["kind"].lower(), "update", old, new)


TABLE: list[tuple[str, Map, ClusterEvent, bool]] = [
    ("NodeUnschedulable", pod(), changed(node("n", unschedulable=True), node("n")), True),
    ("NodeUnschedulable", pod(), changed(node("n"), node("n", cpu="9")), False),
    ("NodeUnschedulable", pod(), went(WEB), False),
    ("TaintToleration", pod(), changed(node("n", taints=[TAINT]), node("n")), True),
    ("TaintToleration", pod(), changed(node("n"), node("n", cpu="9")), False),
    ("TaintToleration", pod(), came(node("n", taints=[TAINT])), False),
    ("NodeAffinity", SSD, changed(node("n"), node("n", labels={"disk": "ssd"})), True),
    ("NodeAffinity", SSD, came(node("n")), False),
    ("NodePorts", pod(ports=PORT), went(pod("x", on="n", ports=PORT)), True),
    ("NodePorts", pod(ports=PORT), went(WEB), False),
    ("NodeResourcesFit", pod(cpu="1"), went(WEB), True),
    ("NodeResourcesFit", pod(cpu="1"), came(WEB), False),
    ("NodeResourcesFit", pod(cpu="1"), changed(pod("x", cpu="2", on="n"), pod("x", cpu="1", on="n")), True),
    ("NodeResourcesFit", pod(cpu="1"), came(node("n", cpu="2")), True),
    ("NodeResourcesFit", pod(cpu="3"), came(node("n", cpu="2")), False),
    ("NodeResourcesFit", pod(cpu="3"), changed(node("n", cpu="2"), node("n", cpu="4")), True),
    ("NodeResourcesFit", pod(cpu="1"), changed(node("n"), node("n", memory="9Gi")), False),
    ("PodTopologySpread", SPREAD, came(WEB), True),
    ("PodTopologySpread", SPREAD, went(DB), False),
    ("PodTopologySpread", SPREAD, came(node("n", labels={"zone": "c"})), True),
    ("PodTopologySpread", SPREAD, changed(node("n"), node("n", cpu="9")), False),
    ("InterPodAffinity", NEAR, came(DB), True),
    ("InterPodAffinity", NEAR, came(WEB), False),
    ("InterPodAffinity", FAR, went(DB), True),
    ("InterPodAffinity", FAR, came(DB), False),
    ("InterPodAffinity", pod(labels={"app": "db"}), went(pod("loner", on="n", affinity=FAR["spec"]["affinity"])), True),
    ("PodTopologySpread", SPREAD, ClusterEvent("self", "update", SPREAD, SPREAD), False),
    ("InterPodAffinity", NEAR, ClusterEvent("self", "update", NEAR, pod(labels={"a": "b"})), True),
    ("TaintToleration", pod(), ClusterEvent("self", "update", pod(), pod(tolerations=[{"operator": "Exists"}])), True),
    ("NodeResourcesFit", pod(cpu="2"), ClusterEvent("self", "update", pod(cpu="2"), pod(cpu="1")), True),
    ("VolumeBinding", CLAIM, came(claim("data"), "persistentvolumeclaims"), True),
    ("VolumeBinding", CLAIM, came(claim("other"), "persistentvolumeclaims"), False),
    ("VolumeBinding", CLAIM, came(Map(metadata=Map(name="pv")), "persistentvolumes"), True),
]


@pytest.mark.parametrize(("plugin", "subject", "event", "worth_it"), TABLE)
def test_hint(plugin: str, subject: Map, event: ClusterEvent, worth_it: bool) -> None:
    hint: Any = BY_NAME[plugin].hint
    assert hint(subject, event) is worth_it
