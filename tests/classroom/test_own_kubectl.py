"""A kubectl of one's own on a cluster that is not one's own alone: a teacher's, who may only look, and a team's, where each act has its author."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from lessons import library
from podlab.api import application, tokens
from podlab.classroom import joining, looking, rooms, teams
from podlab.classroom.models import AuditEntry, Classroom, Membership
from podlab.labs import access
from podlab.labs.births import EPOCH_MS
from podlab.labs.live import Clusters
from podlab.labs.models import Cluster, JournalEntry
from podlab.labs.storage import ENGINE_VERSION
from tests.api.client import Client as Api
from tests.api.client import configmap
from tests.classroom.conftest import PASSWORD, cookie_of, seat, signed_in

pytestmark = pytest.mark.django_db(transaction=True)
LESSON = library.lessons()[0].slug
MAPS = "/api/v1/namespaces/default/configmaps"
SHOWN = re.compile(r"/k8s/([A-Za-z0-9_-]{43})/kubeconfig")


@pytest.fixture(autouse=True)
def own_clusters(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(application, "CLUSTERS", Clusters())
    tokens._found.clear()
    yield
    tokens._found.clear()


@pytest.fixture
def member(classroom: Classroom) -> Membership:
    return seat(classroom, "하늘")


def cluster_of(member: Membership) -> Cluster:
    found, _ = Cluster.objects.get_or_create(learner=access.place_of(member.learner, LESSON).owner, lesson=LESSON, defaults={
        "seed": 7, "epoch_ms": EPOCH_MS, "now_ms": EPOCH_MS, "engine_version": ENGINE_VERSION, "rate": 0.0})
    return found


def address(member: Membership) -> str:
    return f"/teacher/classes/{member.classroom_id}/look/{member.learner_id}/{LESSON}/terminal/"


def shown(client: Client, path: str) -> str:
    """The token that a page shows, the once."""
    found = SHOWN.search(client.post(path).content.decode())
    assert found
    return found[1]


def seated(member: Membership) -> Client:
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = cookie_of(member.learner)
    return client


async def test_a_teacher_reads_a_learners_cluster_and_changes_nothing(teacher: User, member: Membership) -> None:
    await database_sync_to_async(cluster_of)(member)
    api = Api(await database_sync_to_async(lambda: shown(signed_in(teacher), address(member) + "?act=connect"))())
    assert "kube-root-ca.crt" in (await api.get(MAPS)).items
    assert b"current-context: podlab" in (await api.get("/kubeconfig", host="127.0.0.1")).body
    merge = "application/merge-patch+json"
    for method, path, body in (("POST", MAPS, configmap("mine")), ("DELETE", MAPS + "/kube-root-ca.crt", None),
                               ("PATCH", MAPS + "/kube-root-ca.crt", {"data": {}}), ("GET", "/api/v1/namespaces/default/pods/web/exec", None)):
        assert (await api.ask(method, path, body, **({"content_type": merge} if method == "PATCH" else {}))).status == 403, (method, path)
    assert await database_sync_to_async(AuditEntry.objects.filter(what="terminal-connect", learner=member.learner).exists)()


async def test_a_class_whose_input_is_stopped_stops_their_own_kubectl_too(classroom: Classroom, member: Membership) -> None:
    token = await database_sync_to_async(lambda: tokens.issue(cluster_of(member)))()
    api, room = Api(token), await rooms.get(classroom.pk)
    room.classroom.frozen = True
    assert not application.may_act(await application.authenticate(token)), "what is typed into an open session waits"
    refused = await api.create(MAPS, configmap("mine"))
    assert (refused.status, rooms.FROZEN in refused.json["message"]) == (400, True)
    assert (await api.get(MAPS)).status == 200, "looking is allowed"
    room.classroom.frozen = False
    assert application.may_act(await application.authenticate(token))
    assert (await api.create(MAPS, configmap("mine"))).status == 201


@pytest.mark.parametrize("how", ["removed", "deleted", "taken back", "renewed"])
def test_the_teachers_address_opens_nothing_any_longer(teacher: User, member: Membership, how: str) -> None:
    cluster_of(member)
    client = signed_in(teacher)
    token = shown(client, address(member) + "?act=connect")
    assert tokens.find(token)
    if how == "removed":
        joining.remove(member)
    elif how == "deleted":
        member.classroom.delete()
    else:
        client.post(address(member) + f"?act={'disconnect' if how == 'taken back' else 'connect'}")
    assert tokens.find(token) is None


def test_a_learners_own_address_is_not_the_teachers(teacher: User, member: Membership) -> None:
    cluster = cluster_of(member)
    mine = tokens.issue(cluster)
    theirs = shown(signed_in(teacher), address(member) + "?act=connect")
    signed_in(teacher).post(address(member) + "?act=disconnect")
    found = tokens.find(mine)
    assert found and not found.read_only and tokens.find(theirs) is None


def test_another_teacher_and_a_learner_get_no_address(member: Membership) -> None:
    cluster_of(member)
    other = signed_in(User.objects.create_user("lee", password=PASSWORD))
    assert other.post(address(member) + "?act=connect").status_code == 404
    assert seated(member).post(address(member) + "?act=connect").status_code == 302
    assert not cluster_of(member).api_tokens.exists()


async def test_what_a_team_member_does_by_their_own_kubectl_names_them_and_ends_with_the_game(classroom: Classroom, member: Membership) -> None:
    sea = await database_sync_to_async(seat)(classroom, "바다")

    def begin() -> tuple[Any, Cluster, str, str]:
        game = teams.start(classroom, "", LESSON, 1, deal=True)
        found = cluster_of(member)
        return game, found, *(shown(seated(one), f"/lessons/{LESSON}/own-terminal/connect/") for one in (member, sea))
    game, found, by_sky, by_sea = await database_sync_to_async(begin)()
    assert (await Api(by_sky).create(MAPS, configmap("from-sky"))).status == 201
    assert (await Api(by_sea).create(MAPS, configmap("from-sea"))).status == 201
    rows = await database_sync_to_async(lambda: list(JournalEntry.objects.filter(cluster=found).order_by("sequence")))()
    told = [json.loads(row.request) for row in rows]
    made = {entry["body"]["metadata"]["name"]: entry.get("by") for entry in told if entry.get("do") == "request" and entry.get("body")}
    assert made == {"from-sky": str(member.learner_id), "from-sea": str(sea.learner_id)}

    await database_sync_to_async(teams.move)(game, sea, None)
    assert await database_sync_to_async(tokens.find)(by_sea) is None
    assert await database_sync_to_async(tokens.find)(by_sky)
    await database_sync_to_async(type(classroom).objects.update)(closed=timezone.now())
    assert await database_sync_to_async(tokens.find)(by_sky) is None
    assert looking.holder(classroom, member.learner_id) != tokens.member(member.learner)


def test_the_look_page_offers_it_and_the_dialog_says_that_it_only_reads(teacher: User, member: Membership) -> None:
    cluster_of(member)
    client = signed_in(teacher)
    page = client.get(address(member).removesuffix("terminal/")).content.decode()
    assert "내 터미널에서 보기" in page and f'hx-get="{address(member)}"' in page and "내 터미널에서 쓰기</button>" not in page
    dialog = client.get(address(member)).content.decode()
    assert "읽기만" in dialog and f'hx-post="{address(member)}?act=connect"' in dialog and "연결 끊기" not in dialog
    client.post(address(member) + "?act=connect")
    assert "연결 끊기" in client.get(address(member)).content.decode()
