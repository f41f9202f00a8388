"""Every permission from the wrong side: refused, written down, nothing leaked."""

from __future__ import annotations

from typing import Any

import pytest
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings as site
from django.contrib.auth.models import User
from django.test import Client

from podlab.classroom import joining
from podlab.classroom.consumers import NO_TEACHER, NOT_YOURS
from podlab.classroom.models import AuditEntry, Classroom
from tests.classroom.conftest import PASSWORD, cookie, cookie_of, learner, seat, signed_in

pytestmark = pytest.mark.django_db(transaction=True)

PAGES = ["", "settings/", "people/", "record/"]
POSTS = ["code/", "close/", "people/roster/"]


def learner_client(name: str = "하늘") -> Client:
    client = Client()
    client.cookies[site.SESSION_COOKIE_NAME] = cookie_of(learner(name))
    return client


@pytest.mark.parametrize("page", PAGES)
def test_a_learner_and_a_stranger_are_sent_to_the_sign_in_page(classroom: Classroom, page: str) -> None:
    for client in (learner_client(), Client()):
        answer = client.get(f"/teacher/classes/{classroom.pk}/{page}")
        assert answer.status_code == 302
        assert answer["Location"].startswith("/teacher/sign-in/?next=")


@pytest.mark.parametrize("page", [*PAGES, *POSTS])
def test_another_teacher_s_class_does_not_exist_and_the_try_is_written_down(classroom: Classroom, page: str) -> None:
    other = signed_in(User.objects.create_user("lee", password=PASSWORD))
    place = f"/teacher/classes/{classroom.pk}/{page}"
    answer = other.post(place) if page in POSTS else other.get(place)
    nowhere = other.get("/teacher/classes/999999/")
    assert answer.status_code == nowhere.status_code == 404
    assert classroom.title not in answer.content.decode()
    assert AuditEntry.objects.filter(what="refused", detail=f"class {classroom.pk}").exists()


def test_another_class_s_learner_cannot_be_touched(classroom: Classroom, teacher: User) -> None:
    elsewhere = Classroom.objects.create(teacher=User.objects.create_user("lee"), title="2반", join_code="AAAAAA")
    stranger = seat(elsewhere, "남")
    client = signed_in(teacher)
    for act in ("rename", "remove", "code", "merge"):
        answer = client.post(f"/teacher/classes/{classroom.pk}/people/{stranger.learner_id}/", {"act": act, "name": "x"})
        assert answer.status_code == 404
    stranger.refresh_from_db()
    assert (stranger.name, stranger.removed) == ("남", None)


def test_wrong_passwords_are_limited_and_written_down(teacher: User) -> None:
    client = Client()
    codes = [client.post("/teacher/sign-in/", {"username": "kim", "password": "wrong"}).status_code for _ in range(12)]
    assert codes[0] == 422
    assert codes[-1] == 429
    assert client.post("/teacher/sign-in/", {"username": "kim", "password": PASSWORD}).status_code == 429
    assert AuditEntry.objects.filter(what="sign-in-failed").count() == 10


def test_signing_in_goes_on_only_to_pages_of_ours(teacher: User) -> None:
    answer = Client().post("/teacher/sign-in/", {"username": "kim", "password": PASSWORD, "next": "https://evil.example/"})
    assert answer["Location"] == "/teacher/"


def socket(pk: int, value: str, origin: str = "http://127.0.0.1:8000") -> WebsocketCommunicator:
    from podlab.asgi import site as application

    headers = [(b"cookie", f"{site.SESSION_COOKIE_NAME}={value}".encode()), (b"origin", origin.encode())]
    return WebsocketCommunicator(application, f"/ws/classes/{pk}/", headers=headers)


async def closed_with(found: WebsocketCommunicator) -> Any:
    accepted, _ = await found.connect()
    if not accepted:
        return "refused"
    answer = await found.receive_output()
    return answer.get("code") if answer["type"] == "websocket.close" else "open"


async def test_the_grid_s_socket_opens_for_its_own_teacher_only(classroom: Classroom, teacher: User, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "testserver"]
    lee = await database_sync_to_async(lambda: User.objects.create_user("lee", password=PASSWORD))()
    mine = await database_sync_to_async(lambda: cookie(signed_in(teacher)))()
    others = await database_sync_to_async(lambda: cookie(signed_in(lee)))()
    learners = await database_sync_to_async(lambda: cookie_of(seat(classroom, "하늘").learner))()
    assert await closed_with(socket(classroom.pk, others)) == NOT_YOURS
    assert await closed_with(socket(classroom.pk, learners)) == NO_TEACHER
    assert await closed_with(socket(classroom.pk, "")) == NO_TEACHER
    assert await closed_with(socket(classroom.pk, mine, "https://evil.example")) == "refused"
    own = socket(classroom.pk, mine)
    assert await closed_with(own) == "open"
    await own.disconnect()


def test_a_join_code_is_no_one_else_s(classroom: Classroom) -> None:
    codes = {joining.new_join_code() for _ in range(50)}
    assert len(codes) == 50
    assert classroom.join_code not in codes
