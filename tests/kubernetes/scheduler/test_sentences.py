"""What FailedScheduling says. The recorded ones come from shared/kubernetes/recorded/NAME.json of a real 1.36.2."""

from __future__ import annotations

from typing import Any

import pytest

from podlab.kubernetes.scheduler.fit_error import truncate

from .given import decide, node, pod

NO_CLAIMS = "no new claims to deallocate, preemption: "
NOT_HELPFUL = NO_CLAIMS + "0/{n} nodes are available: {n} Preemption is not helpful for scheduling."
NO_VICTIMS = NO_CLAIMS + "0/{n} nodes are available: {n} No preemption victims found for incoming pod."
UNREACHABLE = [{"key": "node.kubernetes.io/unreachable", "effect": "NoSchedule"}]
NEAR_DB = {"labelSelector": {"matchLabels": {"app": "db"}}, "topologyKey": "kubernetes.io/hostname"}
SPREAD = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule",
          "labelSelector": {"matchLabels": {"app": "w"}}}


def affinity(side: str, term: dict[str, Any]) -> dict[str, Any]:
    return {side: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


TABLE: list[tuple[str, Any, list[Any], str]] = [
    ("recorded: unschedulable.json", pod(cpu="1500m"), [node("n1"), pod("big", cpu="1", on="n1")],
     "0/1 nodes are available: 1 Insufficient cpu. " + NO_VICTIMS.format(n=1)),
    ("recorded: nodeselector.json", pod(nodeSelector={"podlab-disk": "ssd"}), [node("n1")],
     "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. " + NOT_HELPFUL.format(n=1)),
    ("recorded: node-failure.json", pod(), [node("n1", taints=UNREACHABLE)],
     "0/1 nodes are available: 1 node(s) had untolerated taint(s). " + NOT_HELPFUL.format(n=1)),
    ("no node at all (ErrNoNodesAvailable)", pod(), [], "no nodes available to schedule pods"),
    ("a cordoned node", pod(), [node("n1", unschedulable=True)],
     "0/1 nodes are available: 1 node(s) were unschedulable. " + NOT_HELPFUL.format(n=1)),
    ("counts are sorted as text, the request above a node's size is final", pod(cpu="1500m"),
     [node("n1", cpu="1"), node("n2", taints=UNREACHABLE), node("n3", taints=UNREACHABLE)],
     "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s). " + NOT_HELPFUL.format(n=3)),
    ("two shortages of one node are both told", pod(cpu="3", memory="8Gi"), [node("n1")],
     "0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory. " + NOT_HELPFUL.format(n=1)),
    ("too many Pods", pod(), [node("n1", pods=1), pod("a", on="n1")],
     "0/1 nodes are available: 1 Too many pods. " + NO_VICTIMS.format(n=1)),
    ("an extended resource that the node lacks",
     pod(containers=[{"name": "c", "image": "i", "resources": {"requests": {"nvidia.com/gpu": "1"}}}]), [node("n1")],
     "0/1 nodes are available: 1 Insufficient nvidia.com/gpu. " + NOT_HELPFUL.format(n=1)),
    ("both kinds of preemption verdict, sorted", pod(cpu="1500m"),
     [node("n1"), node("n2", taints=UNREACHABLE), pod("big", cpu="1", on="n1")],
     "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s). no new claims to deallocate, preemption: "
     "0/2 nodes are available: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling."),
    ("a host port is taken", pod(ports=[{"containerPort": 80, "hostPort": 80}]),
     [node("n1"), pod("a", on="n1", ports=[{"containerPort": 80, "hostPort": 80, "hostIP": "10.0.0.1"}])],
     "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports. " + NO_VICTIMS.format(n=1)),
    ("nobody to be near", pod(affinity=affinity("podAffinity", NEAR_DB)), [node("n1")],
     "0/1 nodes are available: 1 node(s) didn't match pod affinity rules. " + NOT_HELPFUL.format(n=1)),
    ("too near", pod(affinity=affinity("podAntiAffinity", NEAR_DB)), [node("n1"), pod("db", on="n1", labels={"app": "db"})],
     "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules. " + NO_VICTIMS.format(n=1)),
    ("unwelcome to one who runs there", pod(labels={"app": "db"}),
     [node("n1"), pod("loner", on="n1", affinity=affinity("podAntiAffinity", NEAR_DB))],
     "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules. " + NO_VICTIMS.format(n=1)),
    ("a DaemonSet's Pod asks one node only (PreFilterResult)",
     pod(cpu="1500m", affinity={"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
         {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]}]}}}),
     [node("n1"), node("n2"), pod("big", cpu="1", on="n1")],
     "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't satisfy plugin(s) [NodeAffinity]. " + NO_CLAIMS +
     "0/2 nodes are available: 1 No preemption victims found for incoming pod, "
     "1 Preemption is not helpful for scheduling."),
    ("skewed zones; a node without the label is final",
     pod(cpu="500m", labels={"app": "w"}, topologySpreadConstraints=[SPREAD]),
     [node("a", labels={"zone": "a"}), node("b", cpu="1", labels={"zone": "b"}), node("c"),
      pod("w1", on="a", labels={"app": "w"}), pod("big", cpu="1", on="b")],
     "0/3 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match pod topology spread constraints, "
     "1 node(s) didn't match pod topology spread constraints (missing required label). no new claims to deallocate, "
     "preemption: 0/3 nodes are available: 1 Preemption is not helpful for scheduling, "
     "2 No preemption victims found for incoming pod."),
    ("a Pod that may not preempt", pod(cpu="1500m", priority=9, preemptionPolicy="Never"),
     [node("n1"), pod("a", cpu="1", on="n1")],
     "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: "
     "not eligible due to preemptionPolicy=Never."),
    ("evicting others would not be enough", pod(cpu="2", priority=9),
     [node("n1"), pod("low", cpu="500m", on="n1"), pod("high", cpu="1", priority=10, on="n1")],
     "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: "
     "0/1 nodes are available: 1 Insufficient cpu."),
    ("preemption found: nothing more is said", pod(cpu="2", priority=9), [node("n1"), pod("low", cpu="500m", on="n1")],
     "0/1 nodes are available: 1 Insufficient cpu."),
]


@pytest.mark.parametrize(("subject", "cluster", "sentence"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_sentence(subject: Any, cluster: list[Any], sentence: str) -> None:
    decision = decide(subject, *cluster)
    assert decision.node is None
    assert decision.message == sentence


CLAIM = {"name": "v", "persistentVolumeClaim": {"claimName": "data"}}


def claim(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "data", "namespace": "default"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, **spec},
            "status": {"phase": "Bound" if spec.get("volumeName") else "Pending"}}


def volume(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "pv", "labels": spec.pop("labels", {})},
            "spec": {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, **spec}, "status": {"phase": "Available"}}


def local(name: str) -> dict[str, Any]:
    return {"required": {"nodeSelectorTerms": [{"matchExpressions": [
        {"key": "kubernetes.io/hostname", "operator": "In", "values": [name]}]}]}}


LATER = {"metadata": {"name": "local"}, "provisioner": "kubernetes.io/no-provisioner",
         "volumeBindingMode": "WaitForFirstConsumer"}
# "... not found" is what DynamicResources' PostFilter adds when a PreFilter has refused (seen with 1.34 and later)
VOLUMES: list[tuple[str, dict[str, Any], str | None]] = [
    ("a claim that does not exist", {}, '0/2 nodes are available: persistentvolumeclaim "data" not found. not found'),
    ("an immediate claim without volume", {"persistentvolumeclaims": [claim()]},
     "0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found"),
    ("no volume to bind later", {"persistentvolumeclaims": [claim(storageClassName="local")], "storageclasses": [LATER]},
     "0/2 nodes are available: 2 node(s) didn't find available persistent volumes to bind. " + NOT_HELPFUL.format(n=2)),
    ("a local volume binds later, on its node", {"persistentvolumeclaims": [claim(storageClassName="local")], "storageclasses": [
        LATER], "persistentvolumes": [volume(storageClassName="local", nodeAffinity=local("n2"))]}, None),
    ("a bound local volume leads to its node", {"persistentvolumeclaims": [claim(volumeName="pv")],
                                                "persistentvolumes": [volume(nodeAffinity=local("n2"))]}, None),
    ("a bound local volume of a node that is gone", {"persistentvolumeclaims": [claim(volumeName="pv")],
                                                     "persistentvolumes": [volume(nodeAffinity=local("n9"))]},
     "0/2 nodes are available: 2 node(s) didn't match PersistentVolume's node affinity. " + NOT_HELPFUL.format(n=2)),
    ("a volume of another zone", {"persistentvolumeclaims": [claim(volumeName="pv")],
                                  "persistentvolumes": [volume(labels={"topology.kubernetes.io/zone": "z"})]},
     "0/2 nodes are available: 2 node(s) had no available volume zone. " + NOT_HELPFUL.format(n=2)),
]


@pytest.mark.parametrize(("others", "sentence"), [row[1:] for row in VOLUMES], ids=[row[0] for row in VOLUMES])
def test_volume_sentence(others: dict[str, Any], sentence: str | None) -> None:
    zones = {"topology.kubernetes.io/zone": "a"}
    decision = decide(pod(volumes=[CLAIM]), node("n1", labels=zones), node("n2", labels=zones), **others)
    if sentence is None:
        assert decision.node == "n2"
    else:
        assert decision.message == sentence


@pytest.mark.parametrize(("owner", "said"), [
    (None, 'waiting for ephemeral volume controller to create the persistentvolumeclaim "p-v"'),
    ("another", "PVC default/p-v was not created for pod default/p (pod is not owner)"),
    ("its own", "pod has unbound immediate PersistentVolumeClaims"),
])
def test_an_ephemeral_volume_takes_the_claim_that_was_made_for_it_alone(owner: str | None, said: str) -> None:
    subject = pod(volumes=[{"name": "v", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}}])
    uid = {"its own": subject["metadata"]["uid"]}.get(owner or "", "other")
    made = {**claim(), "metadata": {"name": "p-v", "namespace": "default", "ownerReferences": [{"controller": True, "uid": uid}]}}
    assert decide(subject, node("n1"), persistentvolumeclaims=[made] if owner else []).message == f"0/1 nodes are available: {said}. not found"


def test_a_claim_for_one_pod_serves_no_second_one() -> None:
    once = {"persistentvolumeclaims": [claim(volumeName="pv", accessModes=["ReadWriteOncePod"])], "persistentvolumes": [volume()]}
    decision = decide(pod(volumes=[CLAIM]), node("n1"), node("n2"), pod("holder", on="n1", volumes=[CLAIM]), **once)
    assert decision.message == ("0/2 nodes are available: 2 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod "
                                "access mode. " + NO_VICTIMS.format(n=2))  # fmt: skip


ASKS = [{"name": "card", "resourceClaimTemplateName": "gpu"}]
MADE = {"resourceClaimStatuses": [{"name": "card", "resourceClaimName": "p-card-x"}]}
OWN = {"metadata": {"name": "p-card-x", "namespace": "default", "ownerReferences": [{"controller": True, "kind": "Pod", "uid": "uid-p"}]}, "spec": {}}
DEVICES: list[tuple[str, Any, dict[str, Any], str]] = [
    ("its claim is not made yet (ErrClaimNotFound)", pod(resourceClaims=ASKS), {}, 'pod "default/p": ResourceClaim not created yet. not found'),
    ("its claim has gone", pod(resourceClaims=ASKS, status=MADE), {}, 'resourceclaim.resource.k8s.io "p-card-x" not found. not found'),
    (
        "its claim goes",
        pod(resourceClaims=ASKS, status=MADE),
        {"resourceclaims": [{**OWN, "metadata": {**OWN["metadata"], "deletionTimestamp": "2026-11-21T00:00:00Z"}}]},
        'resourceclaim "p-card-x" is being deleted. not found',
    ),
    (
        "the claim is another Pod's (IsForPod)",
        pod(resourceClaims=ASKS, status=MADE),
        {"resourceclaims": [{**OWN, "metadata": {"name": "p-card-x", "namespace": "default"}}]},
        "ResourceClaim default/p-card-x was not created for pod default/p (pod is not owner). not found",
    ),
    (
        "no driver offers devices",
        pod(resourceClaims=ASKS, status=MADE),
        {"resourceclaims": [OWN]},
        "1 cannot allocate all claims. " + NOT_HELPFUL.format(n=1),
    ),
]


@pytest.mark.parametrize(("subject", "others", "sentence"), [row[1:] for row in DEVICES], ids=[row[0] for row in DEVICES])
def test_device_sentence(subject: Any, others: dict[str, Any], sentence: str) -> None:
    assert decide(subject, node("n1"), **others).message == f"0/1 nodes are available: {sentence}"


def test_an_event_is_cut_at_1024_bytes() -> None:
    assert truncate("x" * 1024) == "x" * 1024
    assert truncate("x" * 1025) == "x" * 1020 + " ..."
