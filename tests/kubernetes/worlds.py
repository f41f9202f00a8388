"""Random but reproducible lives of a cluster: requests and faults at random moments, as journal entries."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from podlab.kubernetes.apiserver.errors import ApiError
from podlab.kubernetes.cluster import Cluster
from tests.kubernetes.frozen import created

EPOCH_MS = 1_795_219_200_000
SPEC = {"nodes": [{"name": f"node-{n}", "cpu": "2", "memory": "4Gi"} for n in (1, 2)]}
NAMES = ("a", "b")


def pod(name: str, command: str, policy: str = "Always") -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}},
            "spec": {"restartPolicy": policy, "terminationGracePeriodSeconds": 3,
                     "containers": [{"name": "c", "image": "busybox", "command": ["sh", "-c", command]}]}}


def deployment(name: str, replicas: int, image: str) -> dict[str, Any]:
    labels = {"app": name}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
            "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": {
                "metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": image}]}}}}


def service(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {"selector": {"app": name}, "ports": [{"port": 80}]}}


def create(plural: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"do": "request", "verb": "create", "resource": plural, "namespace": "default", "body": body}


def patch(plural: str, name: str, body: Any, subresource: str = "") -> dict[str, Any]:
    return {"do": "request", "verb": "patch", "resource": plural, "namespace": "default", "name": name, "body": body,
            "subresource": subresource, "options": {"patchType": "application/merge-patch+json"}}


def delete(plural: str, name: str, **options: Any) -> dict[str, Any]:
    return {"do": "request", "verb": "delete", "resource": plural, "namespace": "default", "name": name, "options": options}


names = st.sampled_from(NAMES)
acts = st.one_of(
    st.builds(lambda n, c, p: create("pods", pod(n, c, p)), names,
              st.sampled_from(["sleep 3600", "exit 1", "sleep 2; exit 0", "while true; do echo hi; sleep 1; done"]),
              st.sampled_from(["Always", "Never"])),
    st.builds(lambda n, r, i: create("deployments", deployment(n, r, i)), names, st.integers(0, 4),
              st.sampled_from(["nginx:1.14.2", "no-such-image"])),
    st.builds(lambda n: create("services", service(n)), names),
    st.builds(lambda n, r: patch("deployments", n, {"spec": {"replicas": r}}), names, st.integers(0, 5)),
    st.builds(lambda n, i: patch("deployments", n, {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": i}]}}}}), names,
              st.sampled_from(["nginx:1.16.1", "nginx:1.14.2", "nginx:nope"])),
    st.builds(lambda n, g: delete("pods", n, gracePeriodSeconds=g), names, st.sampled_from([0, 1, 30])),
    st.builds(lambda n, p: delete("deployments", n, propagationPolicy=p), names, st.sampled_from(["Background", "Foreground", "Orphan"])),
    st.builds(lambda n, p: {"do": "fault", "node": n, "power": p}, st.sampled_from(["node-1", "node-2"]), st.sampled_from(["off", "on", "silent"])),
    st.builds(lambda n: {"do": "fault", "pod": f"default/{n}", "container": "c", "signal": "KILL"}, names),
)
lives = st.lists(st.tuples(st.integers(0, 40_000), acts), min_size=1, max_size=12)
"""[(ms since the act before, act)]"""


def fresh(seed: int = 1) -> Cluster:
    return created(seed, EPOCH_MS, SPEC)


def journal(cluster: Cluster, life: list[tuple[int, dict[str, Any]]]) -> list[dict[str, Any]]:
    """The life as journal entries with their times."""
    at, entries = cluster.now, []
    for gap, act in life:
        at += gap
        entries.append({"at": at, **act})
    return entries


def live(cluster: Cluster, entries: list[dict[str, Any]], then_seconds: float = 60) -> list[Any]:
    """Apply entries and let time pass. Returns each outcome: a resourceVersion or the refusal's words."""
    outcomes: list[Any] = []
    for entry in entries:
        try:
            answer = cluster.apply(entry)
            outcomes.append(answer["metadata"]["resourceVersion"] if isinstance(answer, dict) and "metadata" in answer else None)
        except ApiError as error:
            outcomes.append(error.message)
    cluster.run_for(then_seconds)
    return outcomes
