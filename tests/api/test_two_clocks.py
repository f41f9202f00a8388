"""The client's clock and the cluster's, which stands still or runs at any rate: what has not changed reads the same."""

import time
from datetime import datetime
from types import SimpleNamespace

import pytest

from podlab.api import hub
from podlab.labs import live as lives
from podlab.labs.live import Clusters
from podlab.labs.models import Cluster
from tests.api.client import Client, configmap

pytestmark = pytest.mark.django_db(transaction=True)
MAPS, PODS = "/api/v1/namespaces/default/configmaps", "/api/v1/namespaces/default/pods"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
WRITTEN, SECOND = "2026-11-21T08:00:00.123456Z", "2026-11-21T08:00:01Z"


@pytest.mark.parametrize("rate", [0.0, 1.0, 4.0, 16.0])
async def test_what_has_not_changed_reads_the_same_at_any_rate(client: Client, own_clusters: Clusters, cluster: Cluster,
                                                               monkeypatch: pytest.MonkeyPatch, rate: float) -> None:
    """The clocks of the machine go on by a minute at a time."""
    passed = 0.0
    ahead = SimpleNamespace(time=lambda: time.time() + passed, monotonic=lambda: time.monotonic() + passed)
    monkeypatch.setattr(hub, "time", ahead)
    monkeypatch.setattr(lives, "time", ahead)
    await client.create(MAPS, configmap("old"))
    live = await own_clusters.get(cluster.id)
    async with live.turn():
        live.set_rate(rate)
    lease = {"metadata": {"name": "lead"}, "spec": {"holderIdentity": "me", "leaseDurationSeconds": 15, "acquireTime": WRITTEN, "renewTime": WRITTEN}}
    await client.create(LEASES, lease)
    pod = (await client.create(PODS, {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}})).json
    condition = {"type": "mine", "status": "True", "lastProbeTime": None, "lastTransitionTime": SECOND}
    before = (await client.get(f"{MAPS}/old")).json, (await client.get(f"{LEASES}/lead")).json
    for _ in range(3):
        passed += 60
        assert ((await client.get(f"{MAPS}/old")).json, (await client.get(f"{LEASES}/lead")).json) == before
        listed = (await client.get(MAPS)).json["items"]
        assert [one["metadata"]["creationTimestamp"] for one in listed if one["metadata"]["name"] == "old"] == [
            before[0]["metadata"]["creationTimestamp"]]
    assert before[1]["spec"]["renewTime"] == WRITTEN
    assert (await client.ask("PUT", f"{MAPS}/old", before[0])).json == before[0]
    held = (await client.get(f"{PODS}/p")).json
    held["status"].setdefault("conditions", []).append(condition)
    written = (await client.ask("PUT", f"{PODS}/p/status", held)).json
    assert next(one for one in written["status"]["conditions"] if one["type"] == "mine")["lastTransitionTime"] == SECOND
    assert written["metadata"]["creationTimestamp"] == held["metadata"]["creationTimestamp"]
    began = ahead.time()
    fresh = (await client.create(MAPS, configmap("fresh"))).json["metadata"]["creationTimestamp"]
    assert began - 4 < datetime.fromisoformat(fresh).timestamp() < ahead.time() + 4
    assert datetime.fromisoformat(pod["metadata"]["creationTimestamp"]).timestamp() < ahead.time()
