import re
import unicodedata

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone

from podlab.labs import sessions
from podlab.labs.models import Learner

pytestmark = pytest.mark.django_db


def start(client: Client, nickname: str = "초록고래") -> tuple[Learner, str]:
    """Press start; the learner that the cookie names and the code that the next page shows."""
    assert client.post("/start/", {"nickname": nickname}).status_code == 302
    page = client.get("/").content.decode()
    code = re.search(r'id="resume-code">([^<]+)<', page)
    assert code
    return Learner.objects.get(pk=client.session["learner"]), code[1]


def typed_on_korean_layout(code: str) -> str:
    """The Hangul that appears when these keys are pressed with the Korean layout on (the IME composes it; NFC does here)."""
    jamo = dict(zip("QWERTYUIOPASDFGHJKLZXCVBNM", "ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔㅁㄴㅇㄹㅎㅗㅓㅏㅣㅋㅌㅊㅍㅠㅜㅡ", strict=True))
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKD", "".join(jamo.get(symbol, symbol) for symbol in code)))


def test_start_signs_the_browser_in_with_a_signed_http_only_lax_cookie(client: Client) -> None:
    learner, _ = start(client)
    assert learner.nickname == "초록고래"
    cookie = client.cookies[django_settings.SESSION_COOKIE_NAME]
    assert cookie["httponly"] and cookie["samesite"] == "Lax"


def test_a_forged_cookie_is_nobody(client: Client) -> None:
    start(client)
    name = django_settings.SESSION_COOKIE_NAME
    value = client.cookies[name].value
    client.cookies[name] = value[:-1] + ("A" if value[-1] != "A" else "B")
    assert "바로 시작" in client.get("/").content.decode()


def test_a_second_start_keeps_the_session_there_is(client: Client) -> None:
    learner, _ = start(client)
    client.post("/start/", {"nickname": "다른사람"})
    assert client.session["learner"] == str(learner.pk)
    assert Learner.objects.count() == 1


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("  초록   고래 ", "초록 고래"),
        (unicodedata.normalize("NFD", "초록고래"), "초록고래"),
        ("a\u202eb\u200bc\x00d", "abcd"),
        ("가" * 50, "가" * 20),
        ("<b>나</b>", "<b>나</b>"),
    ],
)
def test_a_nickname_is_cleaned(typed: str, stored: str) -> None:
    assert sessions.clean_nickname(typed) == stored


@pytest.mark.parametrize("typed", ["", "   ", "\u200b\u202e"])
def test_an_empty_nickname_gets_a_friendly_one(client: Client, typed: str) -> None:
    learner, _ = start(client, typed)
    assert re.fullmatch(r"[가-힣]{4,7}", learner.nickname)


def test_only_the_hash_of_the_code_is_stored(client: Client) -> None:
    learner, code = start(client)
    assert len(sessions.clean_code(code)) == 12  # 12 symbols of 5 bits
    stored = str(Learner.objects.values().get())
    assert code not in stored and sessions.clean_code(code) not in stored
    assert learner.resume_code_hash == sessions.hash_code(code)


def test_the_code_is_shown_once(client: Client) -> None:
    _, code = start(client)
    assert code not in client.get("/").content.decode()
    assert "resume_code" not in client.session


@pytest.mark.parametrize(
    "retype",
    [
        str.lower,
        lambda code: code.replace("-", ""),
        lambda code: f"  {code.replace('-', ' ')}\n",
        lambda code: code.replace("0", "O").replace("1", "l"),
        typed_on_korean_layout,
        lambda code: typed_on_korean_layout(code.replace("-", "")),
        lambda code: "".join(chr(ord(c) + 0xFEE0) for c in code),  # full-width letters
    ],
)
def test_a_code_resumes_however_it_is_typed(retype) -> None:
    for code in ["K7QM-2ZXP-94HD", "01AB-10CD-ZZZZ", "RKSK-EKFK-GKGK", "DKSS-QTQH-HKRK"]:
        learner = Learner.objects.create(nickname="고래", resume_code_hash=sessions.hash_code(code))
        client = Client()
        client.post("/resume/", {"code": retype(code)})
        assert client.session["learner"] == str(learner.pk)


@pytest.mark.parametrize("code", ["", "K7QM", "AAAA-BBBB-CCCC", "K7QM-2ZXP-94HDX", "\x00" * 12, "가" * 10_000])
def test_a_wrong_code_signs_nobody_in(client: Client, code: str) -> None:
    start(Client())
    answer = client.post("/resume/", {"code": code})
    assert answer.status_code == 422
    assert "그런 이어하기 코드가 없습니다" in answer.content.decode()
    assert "learner" not in client.session


def test_a_renewed_code_replaces_the_old_one(client: Client) -> None:
    _, old = start(client)
    client.post("/resume-code/")
    new = client.session["resume_code"]
    assert Client().post("/resume/", {"code": old}).status_code == 422
    assert Client().post("/resume/", {"code": new}).status_code == 302


def test_a_code_survives_a_change_of_the_secret_key(client: Client, settings) -> None:
    _, code = start(client)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-" * 5
    assert Client().post("/resume/", {"code": code}).status_code == 302


def test_wrong_codes_are_limited_by_address_and_right_ones_are_not_counted(settings) -> None:
    settings.LEARNER_RESUME_FAILURES_PER_MINUTE = 3
    _, code = start(Client())
    for _ in range(5):
        assert Client().post("/resume/", {"code": code}).status_code == 302
    answers = [Client().post("/resume/", {"code": "AAAA-BBBB-CCCC"}).status_code for _ in range(5)]
    assert answers == [422, 422, 422, 429, 429]
    assert Client().post("/resume/", {"code": code}).status_code == 429
    assert Client(REMOTE_ADDR="192.0.2.9").post("/resume/", {"code": code}).status_code == 302


def test_starts_are_limited_by_address(settings) -> None:
    settings.LEARNER_STARTS_PER_MINUTE = 2
    assert [Client().post("/start/").status_code for _ in range(3)] == [302, 302, 429]
    assert Learner.objects.count() == 2


def test_forwarded_addresses_count_only_behind_our_own_proxy(settings) -> None:
    settings.LEARNER_STARTS_PER_MINUTE = 1
    assert Client().post("/start/", headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 302
    assert Client().post("/start/", headers={"X-Forwarded-For": "192.0.2.2"}).status_code == 429
    settings.BEHIND_PROXY = True
    assert Client().post("/start/", headers={"X-Forwarded-For": "spoofed, 192.0.2.3"}).status_code == 302
    assert Client().post("/start/", headers={"X-Forwarded-For": "another, 192.0.2.3"}).status_code == 429


def test_leaving_forgets_the_learner_on_this_browser_only(client: Client) -> None:
    learner, code = start(client)
    client.post("/leave/")
    assert "바로 시작" in client.get("/").content.decode()
    client.post("/resume/", {"code": code})
    assert client.session["learner"] == str(learner.pk)


def test_a_visit_is_noted_at_most_once_a_minute(client: Client, django_assert_num_queries) -> None:
    learner, _ = start(client)
    with django_assert_num_queries(2):  # who it is, and how far they have come
        client.get("/")
    Learner.objects.update(last_seen=timezone.now() - timezone.timedelta(minutes=2))
    client.get("/")
    learner.refresh_from_db()
    assert timezone.now() - learner.last_seen < timezone.timedelta(seconds=30)
