"""A cluster of one's own with its token, asked in the test's own process. Its clock stands still: nothing happens by itself."""

import secrets
from typing import Any

import pytest
from channels.db import database_sync_to_async

from podlab.api import application, tokens
from podlab.labs import births
from podlab.labs.births import EPOCH_MS, Birth
from podlab.labs.live import Clusters
from podlab.labs.models import Cluster, Learner
from podlab.labs.storage import ENGINE_VERSION
from tests.api.client import Client

SPEC = {"nodes": [{"name": "n1", "cpu": "4", "memory": "8Gi", "pods": 110}]}


@pytest.fixture(autouse=True)
def own_clusters(monkeypatch: pytest.MonkeyPatch) -> Clusters:
    """No cluster is left from another test, whose rows had the same ids."""
    clusters = Clusters()
    monkeypatch.setattr(application, "CLUSTERS", clusters)
    monkeypatch.setattr(births, "_find", lambda lesson: Birth(seed=7, spec=SPEC, settle_seconds=5))
    births.forget()
    monkeypatch.setitem(tokens._judges, "teacher", lambda who, cluster_id: True)
    tokens._found.clear()
    yield clusters
    births.forget()


def new_cluster() -> Cluster:
    learner = Learner.objects.create(nickname="학습자", resume_code_hash=secrets.token_hex(32))
    facts = {"seed": 7, "epoch_ms": EPOCH_MS, "now_ms": EPOCH_MS, "engine_version": ENGINE_VERSION, "rate": 0.0}
    return Cluster.objects.create(learner=learner, lesson="any", **facts)


@pytest.fixture
async def cluster(transactional_db: Any) -> Cluster:
    return await database_sync_to_async(new_cluster)()


@pytest.fixture
async def client(cluster: Cluster) -> Client:
    return Client(await database_sync_to_async(tokens.issue)(cluster))
