"""What is kept of somebody is theirs: to take along, to delete, and gone when its days are over."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.apps import apps
from django.conf import settings as site
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from lessons import library, progress
from podlab.classroom import access, joining, privacy, steering, teams
from podlab.classroom.models import AuditEntry, Classroom, Membership, RosterEntry, Suggestion, Vote
from podlab.labs.births import EPOCH_MS
from podlab.labs.models import Cluster, File, JournalEntry, Learner
from podlab.labs.storage import ENGINE_VERSION
from tests.classroom.conftest import cookie_of, learner, seat, signed_in
from tests.classroom.test_grid import LESSON, lab

pytestmark = pytest.mark.django_db(transaction=True)
NAME = "유일한하늘이름"


@pytest.fixture
def member(classroom: Classroom) -> Membership:
    """Somebody with something in many tables."""
    joining.replace_roster(classroom, [joining.RosterLine("7", NAME)])
    found = joining.join(classroom, learner(NAME), NAME)
    own = found.learner
    cluster = Cluster.objects.create(learner=own, lesson="any", seed=1, epoch_ms=EPOCH_MS, now_ms=EPOCH_MS, engine_version=ENGINE_VERSION)
    JournalEntry.objects.create(cluster=cluster, sequence=1, at_ms=EPOCH_MS, request='{"do": "rate", "rate": 4}')
    File.objects.create(cluster=cluster, name="web.yaml", text="kind: Pod")
    question = next(q for step in library.get(LESSON).steps for q in step.questions)
    progress.answer(own, LESSON, question, 0)
    progress.finish(own, LESSON, library.get(LESSON).steps[0].id)
    Vote.objects.create(classroom=classroom, learner=own, lesson=LESSON, question=question.id, choice=0)
    Suggestion.objects.create(membership=found, lesson=LESSON, note="이렇게 해 보세요")
    access.audit(classroom, "took-over", user=classroom.teacher, learner=own, detail=LESSON)
    access.audit(classroom, "merged", user=classroom.teacher, detail=f"{NAME} → 바다")
    access.audit(classroom, "refused", user=classroom.teacher, detail=f"learner {own.pk}")
    Learner.objects.create(nickname=NAME, resume_code_hash="old", merged_into=own)
    steering.store(classroom, LESSON, "reset", {}, [own.pk])
    team, = teams.start(classroom, "겨루기", LESSON, 1, deal=True).teams.all()
    shared = Cluster.objects.create(learner=team.learner, lesson=LESSON, seed=1, epoch_ms=EPOCH_MS, now_ms=EPOCH_MS, engine_version=ENGINE_VERSION)
    JournalEntry.objects.create(cluster=shared, sequence=1, at_ms=EPOCH_MS, request=json.dumps({"do": "rate", "rate": 4, "by": str(own.pk)}))
    return found


def client_of(found: Learner) -> Client:
    client = Client()
    client.cookies[site.SESSION_COOKIE_NAME] = cookie_of(found)
    return client


def whole_database() -> str:
    """Every cell of every table of ours, as text."""
    cells = []
    with connection.cursor() as cursor:
        for model in apps.get_models():
            cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')  # noqa: S608
            cells += [str(cell) for row in cursor.fetchall() for cell in row]
    return "\n".join(cells)


def test_a_learner_takes_along_everything_and_no_secret(member: Membership) -> None:
    answer = client_of(member.learner).get("/my-data.json")
    told = json.loads(answer.content)
    tables = {row["table"] for row in told["rows"]}
    assert tables >= {"labs.Learner", "labs.Cluster", "labs.JournalEntry", "labs.File", "lessons.Answer", "lessons.StepDone",
                      "classroom.Membership", "classroom.RosterEntry", "classroom.Vote", "classroom.Suggestion", "classroom.AuditEntry"}
    assert told["course"]["nickname"] == NAME
    assert member.learner.resume_code_hash not in answer.content.decode()


def test_nobody_gets_another_s_export(member: Membership, classroom: Classroom) -> None:
    other = client_of(seat(classroom, "바다").learner).get("/my-data.json").content.decode()
    assert NAME not in other
    assert str(member.learner_id) not in other
    assert Client().get("/my-data.json").status_code == 302


def test_deleting_asks_for_the_nickname(member: Membership) -> None:
    client = client_of(member.learner)
    assert client.get("/my-data/delete/").status_code == 405
    assert client.post("/my-data/delete/").status_code == client.post("/my-data/delete/", {"nickname": "아님"}).status_code == 422
    assert Learner.objects.filter(pk=member.learner_id).exists()


def test_after_deleting_nothing_names_them(member: Membership, classroom: Classroom) -> None:
    client, person = client_of(member.learner), member.learner_id
    assert NAME in whole_database()
    assert client.post("/my-data/delete/", {"nickname": NAME}).status_code == 302
    left = whole_database()
    assert NAME not in left
    assert str(person) not in left
    assert person.hex not in left
    assert Cluster.objects.get().learner.team, "the team's stays the others'"
    assert json.loads(JournalEntry.objects.get().request) == {"do": "rate", "rate": 4, "by": ""}
    assert not RosterEntry.objects.exists()
    assert AuditEntry.objects.filter(classroom=classroom, what="took-over").exists(), "that it happened stays"
    assert AuditEntry.objects.filter(classroom=classroom, what="left-for-good").exists()
    assert client.get("/my-data/").status_code == 302, "the browser is nobody now"


def test_a_teacher_s_desk_is_not_deleted_here(teacher: User) -> None:
    client = signed_in(teacher)
    assert client.post("/my-data/delete/", {"nickname": "kim"}).status_code == 422
    assert Learner.objects.exists()


async def test_an_open_page_is_closed_and_its_cluster_forgotten(classroom: Classroom, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "testserver"]
    found = await database_sync_to_async(seat)(classroom, NAME)
    page = await lab(found)
    await page.until("class-bar")
    clusters = await database_sync_to_async(lambda: list(Cluster.objects.values_list("pk", flat=True)))()
    classes = await database_sync_to_async(privacy.forget)(found.learner)
    await privacy.let_go(found.learner_id, clusters, classes)
    while (sent := await page.line.receive_output(timeout=60))["type"] != "websocket.close":
        pass
    assert sent["code"] == 4403


def test_what_was_kept_long_enough_is_purged(member: Membership, classroom: Classroom, teacher: User) -> None:
    def purge(**options: Any) -> str:
        out = StringIO()
        call_command("purge_classes", stdout=out, **options)
        return out.getvalue()

    elsewhere = Classroom.objects.create(teacher=teacher, title="2반", join_code="BBBBBB")
    forgotten = Classroom.objects.create(teacher=teacher, title="3반", join_code="CCCCCC", steered=timezone.now() - timedelta(days=181))
    Classroom.objects.filter(pk=forgotten.pk).update(created=timezone.now() - timedelta(days=181))
    access.audit(None, "sign-in-failed", detail="kin")
    AuditEntry.objects.filter(classroom=None).update(at=timezone.now() - timedelta(days=181))
    assert "3반" in purge(dry_run=True)
    assert Classroom.objects.filter(closed=None).count() == 3
    purge()
    assert Classroom.objects.exclude(closed=None).get() == forgotten, "closed and not deleted: its days begin"
    assert not AuditEntry.objects.filter(classroom=None).exists()
    forgotten.delete()
    Classroom.objects.filter(pk=classroom.pk).update(keep_days=0, steered=timezone.now() - timedelta(days=5))
    purge()
    assert Classroom.objects.get(pk=classroom.pk).closed is None, "a break is no end"
    both = seat(classroom, "바다").learner
    joining.join(elsewhere, both, "바다")
    purge()
    Classroom.objects.filter(pk=classroom.pk).update(closed=timezone.now() - timedelta(days=179), keep_days=180)
    purge()
    assert Classroom.objects.count() == 2
    Classroom.objects.filter(pk=classroom.pk).update(closed=timezone.now() - timedelta(days=181))
    assert "지우지 않음" in purge(dry_run=True)
    assert Classroom.objects.count() == 2
    purge()
    assert list(Classroom.objects.all()) == [elsewhere]
    assert list(Learner.objects.all()) == [both], "who is in another class stays"
    assert NAME not in whole_database()
