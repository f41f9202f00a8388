import pytest
from django.db import IntegrityError, connection, transaction

from podlab.labs.models import Cluster, Container, JournalEntry, Learner, Pod

pytestmark = pytest.mark.django_db


@pytest.fixture
def cluster() -> Cluster:
    who = Learner.objects.create(nickname="고래", resume_code_hash="x")
    return Cluster.objects.create(learner=who, lesson="why-pods", seed=1, epoch_ms=0, now_ms=0, engine_version="1")


def test_two_writers_of_one_sequence_are_fenced(cluster: Cluster) -> None:
    JournalEntry.objects.create(cluster=cluster, sequence=1, at_ms=0, request="{}")
    with pytest.raises(IntegrityError), transaction.atomic():
        JournalEntry.objects.create(cluster=cluster, sequence=1, at_ms=5, request="{}")


def test_a_journaled_request_keeps_the_order_of_its_keys(cluster: Cluster) -> None:
    text = '{"z": 1, "a": {"y": "\\u0000", "b": 2}}'
    JournalEntry.objects.create(cluster=cluster, sequence=1, at_ms=0, request=text)
    assert JournalEntry.objects.get().request == text


def test_projection_rows_can_be_upserted_with_their_containers(cluster: Cluster) -> None:
    for phase in ["Pending", "Running"]:
        pods = [Pod(cluster=cluster, uid="u1", namespace="default", name="web", phase=phase, reason=phase, created_ms=0)]
        pods = Pod.objects.bulk_create(
            pods, update_conflicts=True, unique_fields=["cluster", "uid"], update_fields=["phase", "reason"]
        )
        rows = [Container(pod=pods[0], name="app", kind="app", image="nginx", state="running")]
        Container.objects.bulk_create(rows, update_conflicts=True, unique_fields=["pod", "name"], update_fields=["state"])
    assert [(pod.phase, pod.containers.count()) for pod in Pod.objects.all()] == [("Running", 1)]


def test_removing_a_learner_removes_everything_of_theirs(cluster: Cluster) -> None:
    JournalEntry.objects.create(cluster=cluster, sequence=1, at_ms=0, request="{}")
    cluster.learner.delete()
    assert (Cluster.objects.count(), JournalEntry.objects.count()) == (0, 0)


def test_sqlite_waits_for_the_writer_instead_of_failing() -> None:
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert cursor.execute("PRAGMA busy_timeout").fetchone() == (20_000,)
    assert connection.transaction_mode == "IMMEDIATE"
