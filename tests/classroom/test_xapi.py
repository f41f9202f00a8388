"""Statements to an xAPI store: under names that are none, sent beside everything else, and never a learner's trouble."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from channels.db import database_sync_to_async

from lessons import library
from podlab.classroom import xapi
from podlab.classroom.models import Classroom, Statement
from tests.classroom.conftest import learner, seat
from tests.classroom.outside import Server, serving
from tests.classroom.test_grid import LESSON, lab

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def store(settings: Any) -> Iterator[Server]:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "testserver"]
    with serving() as server:
        settings.XAPI_ENDPOINT, settings.XAPI_AUTH = f"{server.url}/xapi", "Basic eA=="
        yield server


def one(name: str = "하늘") -> dict[str, Any]:
    found = learner(name)
    told = xapi.statement(found.pk, "passed", "assessment", LESSON, "x", {"success": True})
    xapi.queue(found.pk, told)
    return told


async def test_what_a_learner_does_is_stated_under_a_name_that_is_none(classroom: Classroom, store: Server) -> None:
    member = await database_sync_to_async(seat)(classroom, "하늘")
    page = await lab(member)
    question = next(q for step in library.get(LESSON).steps for q in step.questions)
    await page.send(action="answer", question=question.id, choice=next(n for n, c in enumerate(question.choices) if c.correct))
    await page.until("class-bar")
    await page.send(action="terminal", line="echo so-far")
    await page.until("so-far\n")
    await page.line.disconnect()
    async with asyncio.timeout(60):  # opened, answered, and the step that this finishes: written beside the page
        while await database_sync_to_async(Statement.objects.count)() < 3:
            await asyncio.sleep(0.01)
    assert await database_sync_to_async(xapi.send_due)() == 3
    (path, headers, body), = store.asked
    assert path == "/xapi/statements"
    assert headers["X-Experience-API-Version"] == "1.0.3"
    assert headers["Authorization"] == "Basic eA=="
    told = json.loads(body)
    assert [t["verb"]["id"].rsplit("/", 1)[1] for t in told][:2] == ["initialized", "answered"]
    assert told[1]["result"]["success"] is True
    assert {t["actor"]["account"]["name"] for t in told} == {xapi.account(member.learner_id)}
    assert "하늘" not in body
    assert str(member.learner_id) not in body
    assert not await database_sync_to_async(Statement.objects.exists)(), "what the store has is not kept here"


@pytest.mark.parametrize(("kind", "facts", "verb"), [
    ("opened", {}, "initialized"), ("answer", {"question": "q", "choice": 1, "correct": False}, "answered"),
    ("check", {"exercise": "e", "solved": True}, "passed"), ("done", {"step": "s"}, "completed"),
    ("check", {"exercise": "e", "solved": False}, None), ("line", {"text": "kubectl get pods"}, None), ("moved", {}, None),
])
def test_each_verb_has_its_act(kind: str, facts: dict[str, Any], verb: str | None) -> None:
    found = xapi.read(kind, LESSON, facts)
    assert (found[0] if found else None) == verb


def test_a_store_that_fails_is_tried_again_later_with_the_same_ids(store: Server) -> None:
    told = one()
    store.status = 503
    assert xapi.send_due() == 0
    assert xapi.send_due() == 0
    assert len(store.asked) == 1, "not before its time"
    Statement.objects.update(next_try=None)
    store.status = 200
    assert xapi.send_due() == 1
    assert [json.loads(body)[0]["id"] for _, _, body in store.asked] == [told["id"]] * 2


def test_a_statement_that_the_store_does_not_want_keeps_back_no_other(store: Server) -> None:
    told = [one(name) for name in ("하늘", "바다", "별")]
    store.unwanted = told[1]["id"]
    assert xapi.send_due() == 2
    assert [json.loads(row.text)["id"] for row in Statement.objects.all()] == [told[1]["id"]]
    Statement.objects.update(next_try=None)
    store.unwanted, store.status = "", 409
    assert xapi.send_due() == 1, "it has that one already"
    assert not Statement.objects.exists()


def test_a_store_that_is_away_loses_nothing_and_waits_are_bounded(store: Server, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    one()
    settings.XAPI_ENDPOINT = "http://127.0.0.1:9"
    assert xapi.send_due() == 0
    assert Statement.objects.get().tries == 1
    Statement.objects.update(next_try=None, tries=xapi.TRIES - 1)
    assert xapi.send_due() == 0
    assert not Statement.objects.exists(), "given up"
    monkeypatch.setattr(xapi, "KEPT", 5)
    for _ in range(100):
        Statement.objects.create(learner=learner("바다"), text="{}")
    pk = Statement.objects.order_by("-pk").values_list("pk", flat=True)[0]
    while pk % 100:
        one()
        pk += 1
    assert Statement.objects.count() <= 5 + 100


async def test_nothing_is_written_where_no_store_is_set(classroom: Classroom, settings: Any) -> None:
    settings.ALLOWED_HOSTS, settings.XAPI_ENDPOINT = ["127.0.0.1"], ""
    page = await lab(await database_sync_to_async(seat)(classroom, "하늘"))
    await page.until("class-bar")
    await page.line.disconnect()
    assert not await database_sync_to_async(Statement.objects.exists)()
    assert await database_sync_to_async(xapi.send_due)() == 0


def test_who_is_gone_is_not_stated(store: Server) -> None:
    found = learner("하늘")
    told = xapi.statement(found.pk, "passed", "assessment", LESSON, "x", None)
    xapi.queue(found.pk, told)
    pk = found.pk
    found.delete()
    xapi.queue(pk, told)
    assert not Statement.objects.exists()
