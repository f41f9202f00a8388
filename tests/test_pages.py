import re

import pytest
from django.test import Client

from podlab.projection.fidelity import anchor, features

pytestmark = pytest.mark.django_db


def test_every_answer_carries_the_policy_and_the_security_headers(client: Client) -> None:
    for path in ["/", "/no-such-page/"]:
        headers = client.get(path).headers
        assert headers["Content-Security-Policy"].startswith("default-src 'self';")
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"


def test_pages_hold_no_inline_script_or_style(client: Client) -> None:
    page = client.get("/").content.decode()
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page)


def test_a_form_without_the_token_is_refused_in_korean() -> None:
    answer = Client(enforce_csrf_checks=True).post("/start/")
    assert answer.status_code == 403
    assert "보낸 내용을 확인하지 못했습니다" in answer.content.decode()


def test_the_page_wanted_is_kept_through_the_start(client: Client) -> None:
    assert 'value="/lessons/why-pods/"' in client.get("/?next=/lessons/why-pods/").content.decode()
    answer = client.post("/start/", {"next": "/lessons/why-pods/"})
    assert 'href="/lessons/why-pods/"' in client.get(answer.headers["Location"]).content.decode()


@pytest.mark.parametrize(
    "url", ["https://example.com/", "//example.com/", "javascript:alert(1)", "\\\\example.com", "/\\example.com", "lessons"]
)
def test_only_our_own_pages_are_gone_on_to(client: Client, url: str) -> None:
    assert client.post("/start/", {"next": url}).headers["Location"] == "/"
    assert "수업으로 가기" not in client.get("/", {"next": url}).content.decode()


def test_get_does_not_act(client: Client) -> None:
    for path in ["/start/", "/resume/", "/resume-code/", "/leave/"]:
        assert client.get(path).status_code == 405


def test_a_nickname_with_html_is_escaped(client: Client) -> None:
    client.post("/start/", {"nickname": "<b>고래</b>"})
    assert "<b>고래</b>" not in client.get("/").content.decode()


def test_the_page_of_differences_has_an_anchor_for_every_feature_and_no_inline_style(client: Client) -> None:
    page = client.get("/fidelity/").content.decode()
    assert all(f'id="{anchor(number)}"' in page for number in range(len(features())))
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page)
