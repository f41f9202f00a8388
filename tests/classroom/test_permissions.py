"""Every permission from the wrong side: refused, written down, nothing leaked."""

from __future__ import annotations

import csv
import re
from typing import Any

import pytest
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings as site
from django.contrib.auth.models import User
from django.test import Client

from podlab.classroom import joining, urls
from podlab.classroom.access import NO_TEACHER, NOT_YOURS
from podlab.classroom.models import AuditEntry, Classroom
from podlab.routing import websocket_urlpatterns
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


def socket(pk: int, value: str, origin: str = "http://127.0.0.1:8000", place: str = "") -> WebsocketCommunicator:
    from podlab.asgi import site as application

    headers = [(b"cookie", f"{site.SESSION_COOKIE_NAME}={value}".encode()), (b"origin", origin.encode()), (b"host", b"127.0.0.1:8000")]
    return WebsocketCommunicator(application, "/" + (place or f"ws/classes/{pk}/"), headers=headers)


async def closed_with(found: WebsocketCommunicator) -> Any:
    accepted, _ = await found.connect(timeout=60)
    if not accepted:
        return "refused"
    answer = await found.receive_output(timeout=60)
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


# ---- every address of a class, taken from the list of addresses itself: a new one cannot be forgotten

def fill(route: str, classroom: Classroom, member: Any) -> str:
    values = {"pk": classroom.pk, "learner": member.learner_id, "slug": "one-ip", "number": 1, "name": "people"}
    return re.sub(r"<\w+:(\w+)>", lambda found: str(values[found[1]]), route)


ROUTES = [str(pattern.pattern) for pattern in urls.urlpatterns if str(pattern.pattern).startswith("teacher/classes/")]
SOCKETS = [str(pattern.pattern) for pattern in websocket_urlpatterns if str(pattern.pattern).startswith("ws/classes/")]


@pytest.mark.parametrize("route", ROUTES)
def test_every_page_of_a_class_is_closed_to_strangers_learners_members_and_other_teachers(classroom: Classroom, route: str) -> None:
    member = seat(classroom, "하늘")
    place = "/" + fill(route, classroom, member)
    for client in (Client(), learner_client("밖"), member_client(member)):
        for answer in (client.get(place), client.post(place)):
            assert answer.status_code in (302, 405)
            assert answer.status_code == 405 or answer["Location"].startswith("/teacher/sign-in/")
    other = signed_in(User.objects.create_user("lee", password=PASSWORD))
    for answer in (other.get(place), other.post(place)):
        assert answer.status_code in (404, 405)
        assert "하늘" not in answer.content.decode()
    assert {other.get(place).status_code, other.post(place).status_code} >= {404}
    assert AuditEntry.objects.filter(what="refused", detail=f"class {classroom.pk}").exists()
    classroom.refresh_from_db()
    member.refresh_from_db()
    assert (classroom.closed, member.removed, member.name) == (None, None, "하늘")


def member_client(member: Any) -> Client:
    client = Client()
    client.cookies[site.SESSION_COOKIE_NAME] = cookie_of(member.learner)
    return client


@pytest.mark.parametrize("route", SOCKETS)
async def test_every_socket_of_a_class_is_closed_to_all_but_its_teacher(classroom: Classroom, teacher: User, settings: Any, route: str) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "testserver"]
    member = await database_sync_to_async(seat)(classroom, "하늘")
    lee = await database_sync_to_async(lambda: cookie(signed_in(User.objects.create_user("lee", password=PASSWORD))))()
    own = await database_sync_to_async(lambda: cookie(signed_in(teacher)))()
    member_s, place = await database_sync_to_async(cookie_of)(member.learner), fill(route, classroom, member)
    assert await closed_with(socket(classroom.pk, lee, place=place)) == NOT_YOURS
    assert await closed_with(socket(classroom.pk, member_s, place=place)) == NO_TEACHER
    assert await closed_with(socket(classroom.pk, "", place=place)) == NO_TEACHER
    assert await closed_with(socket(classroom.pk, own, "https://evil.example", place=place)) == "refused"


@pytest.mark.parametrize("route", [route for route in ROUTES if "learner" in route])
def test_a_member_of_another_class_is_nobody_here(classroom: Classroom, teacher: User, route: str) -> None:
    """Both classes are the same teacher's: an address still opens only who sits in the class that it names."""
    elsewhere = Classroom.objects.create(teacher=teacher, title="2반", join_code="AAAAAA")
    stranger = seat(elsewhere, "남")
    place = "/" + fill(route, classroom, stranger)
    answers = {(client := signed_in(teacher)).get(place).status_code, client.post(place).status_code}
    assert answers <= {404, 405}
    assert 404 in answers
    assert AuditEntry.objects.filter(classroom=classroom, what="refused", detail=f"learner {stranger.learner_id}").exists()


@pytest.mark.parametrize("route", ROUTES)
def test_no_page_of_a_class_acts_on_a_request_forged_elsewhere(classroom: Classroom, teacher: User, route: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies[site.SESSION_COOKIE_NAME] = cookie(signed_in(teacher))
    assert client.post("/" + fill(route, classroom, seat(classroom, "하늘"))).status_code in (403, 405)


def test_a_learner_s_resume_code_opens_no_teacher_s_page(classroom: Classroom, teacher: User) -> None:
    """A teacher's own place as a learner is no way to their account."""
    from podlab.classroom.views import desk_of
    from podlab.labs import sessions

    client = Client()
    client.post("/resume/", {"code": sessions.give_code(desk_of(teacher))})
    assert client.get(f"/teacher/classes/{classroom.pk}/").status_code == 302


def test_guessed_resume_codes_are_limited_by_address(classroom: Classroom) -> None:
    client = Client()
    answers = [client.post("/resume/", {"code": f"ZZZZ-ZZ{n:02d}"}).status_code for n in range(40)]
    assert answers[0] == 422
    assert answers[-1] == 429


def test_the_address_of_a_join_code_tells_no_more_than_the_form(classroom: Classroom) -> None:
    """A right code in the address shows the class's name: wrong ones are counted there too."""
    client = Client()
    assert classroom.title in client.get(f"/join/{classroom.join_code}/").content.decode()
    assert [client.get(f"/join/ZZZZZ{n % 10}/").status_code for n in range(25)] == [200] * 20 + [429] * 5
    answer = client.get(f"/join/{classroom.join_code}/")
    assert (answer.status_code, classroom.title in answer.content.decode()) == (429, False)
    assert client.post(f"/join/{classroom.join_code}/", {"name": "x"}).status_code == 429
    assert Client(REMOTE_ADDR="192.0.2.7").get(f"/join/{classroom.join_code}/").status_code == 200


def test_guessing_from_many_addresses_leaves_each_few_tries(classroom: Classroom, settings: Any) -> None:
    settings.JOIN_FAILURES_PER_MINUTE = 5
    for n in range(6):  # a house's 64 bits of IPv6 are one address
        answer = Client(REMOTE_ADDR=f"2001:db8::{n:x}").post("/join/", {"code": "ZZZZZZ"})
    assert answer.status_code == 429
    for n in range(45):
        Client(REMOTE_ADDR=f"192.0.2.{n}").post("/join/", {"code": "ZZZZZZ"})
    late = [Client(REMOTE_ADDR="198.51.100.1").post("/join/", {"code": "ZZZZZZ"}).status_code for _ in range(3)]
    assert late == [422, 422, 429]
    assert Client(REMOTE_ADDR="198.51.100.2").get(f"/join/{classroom.join_code}/").status_code == 200


@pytest.mark.parametrize("place", ["/lti/launch/", "/lti/login/"])
def test_refused_launches_are_written_down_but_not_without_end(monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.setattr("podlab.classroom.lti.REFUSED_PER_MINUTE", 3)
    answers = [Client().post(place, {"iss": "a\x00\nb", "state": "x", "id_token": "e30.e30.e30"}).status_code for _ in range(5)]
    assert answers == [403] * 3 + [429] * 2
    assert AuditEntry.objects.filter(what="launch-refused").count() == 3


def test_a_page_of_people_asked_for_with_a_number_too_long_shows_them_all(classroom: Classroom, teacher: User) -> None:
    assert signed_in(teacher).get(f"/teacher/classes/{classroom.pk}/people/?mend={'9' * 5000}").status_code == 200


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\uff1dcmd|x"])
def test_a_name_that_excel_would_run_is_text_in_every_table(classroom: Classroom, teacher: User, name: str) -> None:
    member = seat(classroom, "하늘")
    joining.replace_roster(classroom, [joining.RosterLine(name[:20], name)])
    member.name, member.number = name, name[:20]
    member.save()
    text = signed_in(teacher).get(f"/teacher/classes/{classroom.pk}/results/people/").content.decode("utf-8-sig")
    cells = next(csv.reader([text.splitlines()[1]]))
    assert cells[:2] == ["'" + name[:20], "'" + name]
