"""Scores, in the integers of the real plugins. Where a number is not explained, the arithmetic stands beside it."""

from __future__ import annotations

from typing import Any

from podlab.kubernetes.objects import Map
from podlab.kubernetes.scheduler.node_info import NodeInfo, pod_requests
from podlab.kubernetes.scheduler.plugins import (
    image_locality,
    inter_pod_affinity,
    node_affinity,
    node_resources_balanced_allocation,
    node_resources_fit,
    pod_topology_spread,
    taint_toleration,
)

from .given import decide, node, pod, view

MB = 1024 * 1024


def scores(plugin: Any, subject: Map, *objects: Map, **others: list[dict[str, Any]]) -> list[int] | None:
    """A plugin's normalised scores of all nodes, in order of name; None when it skips the Pod."""
    cluster = view(*objects, **others)
    state = plugin.pre_score(subject, cluster, cluster.ordered)
    if state is None:
        return None
    raw = [plugin.score(subject, info, state) for info in cluster.ordered]
    return plugin.normalize(raw, cluster.ordered, state) if hasattr(plugin, "normalize") else raw


def test_least_allocated_is_the_mean_of_free_cpu_and_memory() -> None:
    """least_allocated_test.go, "nothing scheduled, resources requested, differently sized nodes": 37 and 50."""
    subject = pod(cpu="3000m", memory="5000")
    assert scores(node_resources_fit, subject, node("a", "4000m", "10000"), node("b", "6000m", "10000")) == [37, 50]


def test_a_container_that_asks_for_nothing_counts_as_100m_and_200_mib() -> None:
    # cpu (1000 - 100 - 100) x 100 / 1000 = 80; memory (1000 - 200 - 200) x 100 / 1000 = 60
    assert scores(node_resources_fit, pod(), node("a", "1", "1000Mi"), pod("x", on="a")) == [70]


def test_balanced_allocation_scores_the_improvement() -> None:
    # with: cpu 50 %, memory 50 % -> 100; without: cpu 50 %, memory 0 % -> 75; 50 + (50 + 25) / 2 = 87
    subject = pod(memory="500Mi")
    assert scores(node_resources_balanced_allocation, subject, node("a", "1", "1000Mi"), pod("x", cpu="500m", on="a")) == [87]
    # nothing changes: 50 + 50 / 2
    assert scores(node_resources_balanced_allocation, pod(cpu="500m", memory="500Mi"), node("a", "1", "1000Mi")) == [75]
    assert scores(node_resources_balanced_allocation, pod(), node("a")) is None


def test_image_locality_prefers_the_larger_image() -> None:
    """image_locality_test.go, "two images spread on two nodes, prefer the larger image one": 0 and 5."""
    subject = pod(containers=[{"name": "a", "image": "gcr.io/40"}, {"name": "b", "image": "gcr.io/250"}])
    cluster = (node("a", images={"gcr.io/40:latest": 40 * MB}), node("b", images={"gcr.io/250:latest": 250 * MB}))
    assert scores(image_locality, subject, *cluster) == [0, 5]
    assert scores(image_locality, pod(image="gcr.io/other"), *cluster) is None


def test_soft_taints_cost_and_tolerations_pay() -> None:
    soft = [{"key": k, "value": "1", "effect": "PreferNoSchedule"} for k in ("x", "y")]
    cluster = (node("a"), node("b", taints=soft[:1]), node("c", taints=soft))
    assert scores(taint_toleration, pod(), *cluster) == [100, 50, 0]
    assert scores(taint_toleration, pod(tolerations=[{"operator": "Exists"}]), *cluster) == [100, 100, 100]


def test_preferred_node_affinity_is_scaled_to_the_best() -> None:
    def prefer(weight: int, value: str) -> dict[str, Any]:
        return {"weight": weight, "preference": {"matchExpressions": [{"key": "disk", "operator": "In", "values": [value]}]}}
    wishes = [prefer(8, "ssd"), prefer(2, "hdd")]
    subject = pod(affinity={"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": wishes}})
    assert scores(node_affinity, subject, node("a"), node("b", labels={"disk": "hdd"}), node("c", labels={"disk": "ssd"})) \
        == [0, 25, 100]


def test_preferred_pod_affinity_and_the_wishes_of_others() -> None:
    term = {"labelSelector": {"matchLabels": {"app": "db"}}, "topologyKey": "kubernetes.io/hostname"}
    wish = [{"weight": 10, "podAffinityTerm": term}]
    cluster = (node("a"), node("b"), node("c"), pod("db", on="b", labels={"app": "db"}))
    near = pod(affinity={"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": wish}})
    far = pod(affinity={"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": wish}})
    assert scores(inter_pod_affinity, near, *cluster) == [0, 100, 0]
    assert scores(inter_pod_affinity, far, *cluster) == [100, 0, 100]
    assert scores(inter_pod_affinity, pod(), *cluster) is None
    fan = pod("fan", on="c", affinity={"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}})
    assert scores(inter_pod_affinity, pod(labels={"app": "db"}), node("a"), node("c"), fan) == [0, 100]


def test_replicas_are_spread_by_default() -> None:
    owner = {"ownerReferences": [{"kind": "ReplicaSet", "name": "web", "uid": "u", "controller": True}]}
    web = {"metadata": {"name": "web", "namespace": "default"}, "spec": {"selector": {"matchLabels": {"app": "w"}}}}
    subject = pod(labels={"app": "w"}, metadata=owner)
    cluster = [node("a"), node("b"), pod("w1", on="a", labels={"app": "w"}), pod("w2", on="a", labels={"app": "w"})]
    # raw: a 2 ln(4) + 2 = 4.77 -> 5, b 2; normalised 100 x (5 + 2 - x) / 5
    assert scores(pod_topology_spread, subject, *cluster, replicasets=[web]) == [40, 100]
    leaving = pod("w3", on="b", labels={"app": "w"}, metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"})
    assert scores(pod_topology_spread, subject, *cluster, leaving, replicasets=[web]) == [40, 100], "leaving ones do not count"
    service = {"metadata": {"name": "s", "namespace": "default"}, "spec": {"selector": {"app": "w"}}}
    assert scores(pod_topology_spread, pod(labels={"app": "w"}), *cluster, services=[service]) == [40, 100]
    assert scores(pod_topology_spread, pod(labels={"app": "w"}), *cluster) is None, "nobody's Pod is not spread"


def test_zones_are_weighed_and_nodes_without_the_label_get_nothing() -> None:
    constraint = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway",
                  "labelSelector": {"matchLabels": {"app": "w"}}}
    subject = pod(labels={"app": "w"}, topologySpreadConstraints=[constraint])
    cluster = [node("a", labels={"zone": "1"}), node("b", labels={"zone": "2"}), node("c"),
               pod("w1", on="a", labels={"app": "w"})]
    assert scores(pod_topology_spread, subject, *cluster) == [0, 100, 0]  # raw: round(ln 4) = 1, 0; 100 x (1 + 0 - x) / 1


def test_init_containers_count_by_their_peak_and_sidecars_beside_the_rest() -> None:
    def ask(cpu: str, **more: str) -> dict[str, Any]:
        return {"name": "c", "image": "i", "resources": {"requests": {"cpu": cpu}}, **more}
    peak = pod(containers=[ask("100m")], initContainers=[ask("200m", restartPolicy="Always"), ask("500m")])
    assert pod_requests(peak).cpu == 700  # sidecar 200 + init 500 > 100 + 200
    plain = pod(containers=[ask("600m"), ask("100m")], initContainers=[ask("500m"), ask("200m", restartPolicy="Always")],
                overhead={"cpu": "50m"})
    assert pod_requests(plain).cpu == 950  # 600 + 100 + 200 + 50
    assert pod_requests(pod(resources={"requests": {"cpu": "2"}})).cpu == 2000, "what the Pod itself asks for stands"


def test_a_node_keeps_running_sums() -> None:
    info = NodeInfo(node("a"))
    first, second = pod("x", cpu="300m", memory="1Gi"), pod("y", ports=[{"containerPort": 1, "hostPort": 1}])
    info.add(first)
    info.add(second)
    assert (info.cpu, info.scoring_cpu, len(info.ports), len(info.pods)) == (300, 400, 1, 2)
    info.remove("default/x")
    info.remove("default/y")
    info.remove("default/y")
    assert (info.cpu, info.memory, info.scoring_cpu, info.scoring_memory, info.ports, info.pods) == (0, 0, 0, 0, {}, {})


def test_totals_are_weighted_sums() -> None:
    """3 x 100 of TaintToleration on both; Fit: a (90 + 90) / 2, b the same of the double; Balanced: 75 each."""
    decision = decide(pod(cpu="100m", memory="100Mi"), node("a", "1", "1000Mi"), node("b", "2", "2000Mi"))
    assert decision.scores == {"a": 300 + 90 + 75, "b": 300 + 95 + 75}
    assert decision.node == "b"
