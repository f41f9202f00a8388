"""LTI 1.3 from both sides: a launch that is good, and each that is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings as site
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from podlab.classroom import duties, grades, joining
from podlab.classroom.models import AuditEntry, Classroom, GradeLine, LaunchPass, Membership, Platform, PlatformUser, Score
from podlab.labs import sessions
from podlab.labs.models import Learner
from tests.classroom.outside import OTHER_KEY, Server, serving, token
from tests.classroom.test_assignments import EXERCISE, LESSON, assign

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def platform() -> Iterator[Server]:
    with serving() as server:
        register(server)
        yield server


def register(server: Server, client_id: str = "podlab", **more: Any) -> str:
    out = StringIO()
    call_command("lti_platform", server.url, client_id, deployment=["1"], auth_login_url=f"{server.url}/auth", auth_token_url=f"{server.url}/token",
                 key_set_url=f"{server.url}/keys", stdout=out, **more)
    return out.getvalue()


def begin(client: Client, server: Server, **more: str) -> tuple[str, str]:
    """The login: (state, nonce) that the platform is told."""
    answer = client.get("/lti/login/", {"iss": server.url, "login_hint": "7", "client_id": "podlab", "target_link_uri": "x", **more}, secure=True)
    assert answer.status_code == 302
    assert answer["Location"].startswith(f"{server.url}/auth?")
    told = parse_qs(urlsplit(answer["Location"]).query)
    assert told["redirect_uri"] == ["https://testserver/lti/launch/"]
    return told["state"][0], told["nonce"][0]


def launch(client: Client, state: str, id_token: str) -> Any:
    return client.post("/lti/launch/", {"state": state, "id_token": id_token}, secure=True)


def good(server: Server, classroom: Classroom, client: Client | None = None, **custom: Any) -> Any:
    client = client or Client()
    state, nonce = begin(client, server)
    return launch(client, state, token(server.url, nonce, custom={"class": classroom.join_code, **custom}))


def refused(answer: Any) -> bool:
    """Refused, written down, and nobody let in."""
    return (answer.status_code == 403 and AuditEntry.objects.filter(what="launch-refused").exists()
            and site.SESSION_COOKIE_NAME not in answer.cookies and not Membership.objects.exists())


def test_a_good_launch_seats_the_user_and_a_second_one_finds_the_same_seat(platform: Server, classroom: Classroom) -> None:
    client = Client()
    assert good(platform, classroom, client)["Location"] == "/"
    member = Membership.objects.get()
    assert (member.name, member.classroom) == ("하늘", classroom)
    assert client.session[sessions.LEARNER_KEY] == str(member.learner_id)
    good(platform, classroom)
    assert Membership.objects.count() == PlatformUser.objects.count() == Learner.objects.count() == 1
    assert AuditEntry.objects.filter(what="launched", classroom=classroom).count() == 2
    assert not LaunchPass.objects.exists()


def test_the_state_cookie_crosses_sites_and_the_session_s_does_not(platform: Server, classroom: Classroom) -> None:
    client = Client()
    state, nonce = begin(client, platform)
    cookie = client.cookies[f"lti1p3-{state}"]
    assert (cookie["samesite"], bool(cookie["secure"]), bool(cookie["httponly"])) == ("None", True, True)
    answer = launch(client, state, token(platform.url, nonce, custom={"class": classroom.join_code}))
    assert answer.cookies[site.SESSION_COOKIE_NAME]["samesite"] == "Lax"


def test_a_replayed_launch_is_refused_and_written_down(platform: Server, classroom: Classroom) -> None:
    client = Client()
    state, nonce = begin(client, platform)
    again = token(platform.url, nonce, custom={"class": classroom.join_code})
    assert launch(client, state, again).status_code == 302
    Membership.objects.all().delete()
    client.cookies.pop(site.SESSION_COOKIE_NAME)
    assert refused(launch(client, state, again))


@pytest.mark.parametrize("wrong", [
    {"aud": "somebody-else"}, {"exp": 1_700_000_000}, {"exp": None}, {"key": OTHER_KEY}, {"nonce": "guessed"}, {"iss": "https://evil.example"},
    {"deployment_id": "2"}, {"message_type": "LtiDeepLinkingRequest"}, {"sub": None},
])
def test_a_launch_that_is_not_genuine_is_refused(platform: Server, classroom: Classroom, wrong: dict[str, Any]) -> None:
    client = Client()
    state, nonce = begin(client, platform)
    facts: dict[str, Any] = {"nonce": nonce, "custom": {"class": classroom.join_code}, **wrong}
    assert refused(launch(client, state, token(platform.url, **facts)))


def test_a_launch_of_another_browser_or_too_late_or_of_no_login_is_refused(platform: Server, classroom: Classroom) -> None:
    client = Client()
    state, nonce = begin(client, platform)
    genuine = token(platform.url, nonce, custom={"class": classroom.join_code})
    assert refused(launch(Client(), state, genuine)), "another browser has not the state's cookie"
    LaunchPass.objects.update(created=timezone.now() - timedelta(minutes=11))
    assert refused(launch(client, state, genuine))
    for body in ({}, {"state": state}, {"state": state, "id_token": "a.b.c"}, {"state": state, "id_token": "nonsense"}):
        assert refused(client.post("/lti/launch/", body, secure=True))


def test_a_login_s_pass_is_for_its_own_platform_and_state(platform: Server, classroom: Classroom) -> None:
    client = Client()
    first, nonce = begin(client, platform)
    second, _ = begin(client, platform)
    assert refused(launch(client, second, token(platform.url, nonce, custom={"class": classroom.join_code})))
    register(platform, "other")
    crossed = token(platform.url, nonce, custom={"class": classroom.join_code}, aud="other")
    assert refused(launch(client, first, crossed))


def test_a_platform_that_nobody_registered_gets_no_login(platform: Server) -> None:
    answer = Client().get("/lti/login/", {"iss": "https://evil.example", "login_hint": "7"})
    assert answer.status_code == 403
    assert AuditEntry.objects.filter(what="launch-refused", detail__contains="evil.example").exists()
    assert Client().get("/lti/login/", {"iss": platform.url}).status_code == 403


@pytest.mark.parametrize("why", ["closed", "expired", "wrong code", "wrong assignment", "not listed", "removed"])
def test_a_genuine_launch_into_a_class_that_is_not_open_to_it_is_refused(platform: Server, classroom: Classroom, why: str) -> None:
    if why == "closed":
        Classroom.objects.update(closed=timezone.now())
    elif why == "expired":
        joining.open_for(classroom, -1)
    elif why == "not listed":
        Classroom.objects.update(roster_only=True)
    elif why == "removed":
        good(platform, classroom)
        joining.remove(Membership.objects.get())
    custom = {"class": "ZZZZZZ"} if why == "wrong code" else {"assignment": "99"} if why == "wrong assignment" else {}
    answer = good(platform, classroom, **custom)
    assert answer.status_code == 403
    assert site.SESSION_COOKIE_NAME not in answer.cookies
    assert Membership.objects.filter(removed=None).count() == 0
    assert Learner.objects.count() == (why == "removed")


def test_an_instructor_is_sent_to_the_teachers_sign_in(platform: Server, classroom: Classroom) -> None:
    client = Client()
    state, nonce = begin(client, platform)
    role = ["http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"]
    answer = launch(client, state, token(platform.url, nonce, custom={"class": classroom.join_code}, roles=role))
    assert answer["Location"] == f"/teacher/classes/{classroom.pk}/"
    assert client.get(answer["Location"]).status_code == 302, "a platform's word makes nobody a teacher"


def solved(platform: Server, classroom: Classroom) -> Score:
    assignment = assign(classroom)
    assert good(platform, classroom, assignment=str(assignment.pk))["Location"] == f"/lessons/{LESSON}/"
    member = Membership.objects.get()
    duties.solved(duties.claim(member.learner_id, LESSON, EXERCISE, "check"))
    return Score.objects.get()


def test_a_score_goes_back_when_the_assignment_is_solved(platform: Server, classroom: Classroom) -> None:
    solved(platform, classroom)
    assert grades.send_due() == 1
    (_, _, asked), (path, headers, body) = platform.asked
    assert "client_assertion=" in asked
    assert path == "/lines/3/scores"
    assert headers["Authorization"] == "Bearer let-me-in"
    told = json.loads(body)
    assert (told["userId"], told["scoreGiven"], told["scoreMaximum"], told["activityProgress"]) == ("user-7", 1, 1, "Completed")
    assert grades.send_due() == 0, "once"


def test_a_score_is_tried_again_later_and_not_for_ever(platform: Server, classroom: Classroom) -> None:
    score = solved(platform, classroom)
    platform.status = 500
    assert grades.send_due() == 0
    score.refresh_from_db()
    assert (score.tries, score.sent) == (1, None)
    assert score.next_try is not None
    assert grades.send_due() == 0
    assert len(platform.asked) == 2, "not before its time"
    Score.objects.update(next_try=None, tries=grades.TRIES)
    assert grades.send_due() == 0
    assert len(platform.asked) == 2, "given up"
    platform.status = 200
    Score.objects.update(tries=grades.TRIES - 1)
    assert grades.send_due() == 1


def test_a_score_is_always_later_than_the_last_and_one_that_is_there_already_is_not_sent_for_ever(platform: Server, classroom: Classroom) -> None:
    score = solved(platform, classroom)
    ahead = timezone.now() + timedelta(hours=1)
    Score.objects.update(at=ahead)
    grades.queue(score.line.assignment, score.line.membership.learner_id)
    assert Score.objects.get().at > ahead, "though our clock was set back"
    platform.status = 409
    assert grades.send_due() == 1
    assert Score.objects.get().sent is not None


def test_what_is_left_undone_when_an_assignment_closes_is_sent_as_final_once(platform: Server, classroom: Classroom) -> None:
    score = solved(platform, classroom)
    assignment = score.line.assignment
    assignment.exercises = json.dumps([[LESSON, EXERCISE], [LESSON, "another"]])
    assignment.save()
    grades.queue(assignment, score.line.membership.learner_id)
    assert grades.send_due() == 1
    assert json.loads(platform.asked[-1][2])["activityProgress"] == "InProgress"
    assignment.closes = timezone.now()
    assignment.save()
    assert grades.send_due() == 1
    told = json.loads(platform.asked[-1][2])
    assert (told["scoreGiven"], told["scoreMaximum"], told["activityProgress"], told["gradingProgress"]) == (1, 2, "Completed", "FullyGraded")
    assert grades.send_due() == 0


def test_a_launch_without_the_scope_of_scores_has_no_line(platform: Server, classroom: Classroom) -> None:
    assignment, client = assign(classroom), Client()
    state, nonce = begin(client, platform)
    endpoint = {"https://purl.imsglobal.org/spec/lti-ags/claim/endpoint": {"scope": [], "lineitem": f"{platform.url}/lines/3"}}
    assert launch(client, state, token(platform.url, nonce, custom={"class": classroom.join_code, "assignment": str(assignment.pk)},
                                       **endpoint)).status_code == 302
    assert not GradeLine.objects.exists()


def test_a_platform_may_change_its_keys_between_two_launches(platform: Server, classroom: Classroom) -> None:
    assert good(platform, classroom).status_code == 302
    platform.key, client = OTHER_KEY, Client()
    for key, status in (({}, 403), ({"key": OTHER_KEY, "kid": "two"}, 302)):
        state, nonce = begin(client, platform)
        assert launch(client, state, token(platform.url, nonce, custom={"class": classroom.join_code}, **key)).status_code == status


def test_our_keys_are_public_and_only_the_public_ones(platform: Server) -> None:
    told = Client().get("/lti/jwks.json").json()["keys"]
    assert len(told) == 1
    assert told[0]["kty"] == "RSA"
    assert not {"d", "p", "q"} & set(told[0])


def test_a_registration_is_changed_and_keeps_its_key(platform: Server) -> None:
    before = Platform.objects.get().private_key
    assert "/lti/launch/" in register(platform)
    assert Platform.objects.get().private_key == before
    was = Client().get("/lti/jwks.json").json()["keys"][0]["kid"]
    register(platform, renew_key=True)
    assert Platform.objects.get().private_key != before
    assert [key["kid"] for key in Client().get("/lti/jwks.json").json()["keys"]] != [was]
    with pytest.raises(CommandError):
        call_command("lti_platform", "not a url", "x", deployment=["1"], auth_login_url="x", auth_token_url="x", key_set_url="x")
